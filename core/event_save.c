#include "core/event_save.h"

#include "core/event_state.h"
#include "core/memory.h"
#include "core/watched.h"
#include "export/hll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An entry; behind it a flood with its ports, and odd packets, where it has them. */
struct saved_entry {
    uint64_t key; /* the source's part of IPv6 means nothing */
    uint8_t address[16];
    int64_t first_ns, last_ns, begun_ns, told_ns;
    uint64_t packets, bytes, destinations;
    uint8_t id[8];
    uint32_t update;
    uint16_t tools;
    uint8_t flags;
    uint8_t reserved;
    uint64_t organisation; /* a hash of its name; of watched, else 0 */
};
static_assert(sizeof(struct saved_entry) == 104, "no hole in it");
enum { SAVED_BEGUN = 1 << 0, SAVED_FLOOD = 1 << 1, SAVED_ODD = 1 << 2, SAVED_FLAGS = 7 };

struct saved_flood {
    int64_t newest;
    uint64_t rate_max;
    uint32_t spans[EVENT_RATE_RING];
    uint32_t ports, has_spans;
};
static_assert(sizeof(struct saved_flood) == 152, "no hole in it");

void event_bytes_fini(struct event_bytes *b)
{
    free(b->at);
    *b = (struct event_bytes){0};
}

void event_bytes_add(struct event_bytes *b, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    if (b->len + len > b->room) {
        b->room = 2 * (b->len + len);
        b->at = memory_must(realloc(b->at, b->room));
    }
    memcpy(b->at + b->len, bytes, len);
    b->len += len;
}

/* ---- writing ---- */

static void flood_put(struct event_bytes *b, const struct event_flood *f)
{
    struct saved_flood saved = {.newest = f->newest,
                                .rate_max = f->rate_max,
                                .ports = f->port_count,
                                .has_spans = f->has_spans};
    memcpy(saved.spans, f->spans, sizeof saved.spans);
    event_bytes_add(b, &saved, sizeof saved);
    for (uint32_t i = 0; i < f->port_room; i++)
        if (f->ports[i].key != 0)
            event_bytes_add(b, &f->ports[i], sizeof f->ports[i]);
}

/* Whose an address is; 0: nobody's. */
static uint64_t organisation_of(const struct watched *networks, uint64_t key,
                                const uint8_t address[16])
{
    const struct watched_network *n =
        what_is_watched(event_key_what(key)) ? event_network(networks, key, address) : NULL;
    return n ? hll_hash(n->organisation, strlen(n->organisation)) : 0;
}

static void entry_put(struct event_bytes *b, const struct event_engine *e,
                      const struct event_table *t, const struct event_entry *en)
{
    const struct event_detail *d = en->detail ? event_detail_at(t, en->detail) : NULL;
    uint32_t address = (uint32_t)en->key;
    struct saved_entry saved = {
        .key = en->key,
        .first_ns = en->first_ns,
        .last_ns = en->last_ns,
        .packets = event_packets(t, en),
        .bytes = (d ? (uint64_t)d->bytes_carry << 32 : 0) | en->bytes,
        .destinations = event_destinations(t, en),
        .tools = en->tools,
    };
    if (event_key_is_ipv6(en->key))
        memcpy(saved.address, d->address, sizeof saved.address);
    else
        memcpy(saved.address, &address, sizeof address);
    saved.organisation = organisation_of(e->watched, en->key, saved.address);
    if (d) {
        saved.begun_ns = d->begun_ns, saved.told_ns = d->told_ns;
        memcpy(saved.id, d->id, sizeof saved.id);
        saved.update = d->update;
        saved.flags = (uint8_t)((d->is_begun ? SAVED_BEGUN : 0) | (d->flood ? SAVED_FLOOD : 0) |
                                (d->odd ? SAVED_ODD : 0));
    }
    event_bytes_add(b, &saved, sizeof saved);
    if (d && d->flood)
        flood_put(b, d->flood);
    if (d && d->odd)
        event_bytes_add(b, d->odd, sizeof *d->odd);
}

void event_save(const struct event_engine *e, bool all, struct event_bytes *out)
{
    uint64_t entries = 0;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        entries += e->tables[shard].count;
    all |= entries <= EVENT_SAVE_ALL;
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct event_table *t = &e->tables[shard];
        for (uint32_t number = 1; !all && number < t->detail_count; number++) {
            const struct event_detail *d = event_detail_at(t, number);
            if (d->key != 0 && d->is_listed)
                entry_put(out, e, t, event_entry_of(t, d));
        }
        for (uint32_t number = 1; all && number < t->entry_count; number++) {
            const struct event_entry *en = event_entry_at(t, number);
            if (en->key != 0 && en->packets > 0 && !event_is_idle(t, en, t->now_ns))
                entry_put(out, e, t, en);
        }
    }
}

/* ---- reading ---- */

static bool get(const uint8_t **at, const uint8_t *end, void *into, size_t len)
{
    if ((size_t)(end - *at) < len)
        return false;
    memcpy(into, *at, len);
    *at += len;
    return true;
}

/* What no entry that was written can be. */
static bool is_possible(const struct saved_entry *s)
{
    unsigned what = event_key_what(s->key);
    bool is_known = what != WHAT_NONE && what < WHATS && s->key >> (EVENT_IPV6_SHIFT + 1) == 0 &&
                    (s->key >> 52 & 15) == 0;
    bool is_flood = what_is_flood(what), has_detail = s->flags || event_key_is_ipv6(s->key);
    return is_known && s->first_ns <= s->last_ns && s->packets > 0 && s->packets >> 48 == 0 &&
           (s->flags & ~SAVED_FLAGS) == 0 && s->reserved == 0 && s->destinations <= UINT32_MAX &&
           (is_flood || !(s->flags & SAVED_FLOOD)) &&
           (!(s->flags & SAVED_BEGUN) || s->update > 0) && s->tools < 1 << TOOL_COUNT &&
           (has_detail || s->packets <= UINT32_MAX);
}

static bool flood_get(const uint8_t **at, const uint8_t *end, struct saved_flood *f,
                      const uint8_t **ports)
{
    if (!get(at, end, f, sizeof *f) || f->ports > 3 * 65536 || f->has_spans > 1 ||
        f->newest > INT64_C(1) << 40 || f->newest < -(INT64_C(1) << 40))
        return false;
    size_t len = f->ports * sizeof(struct event_port_count);
    *ports = *at;
    if ((size_t)(end - *at) < len)
        return false;
    *at += len;
    for (const uint8_t *port = *ports; port < *at; port += sizeof(struct event_port_count)) {
        struct event_port_count count;
        memcpy(&count, port, sizeof count);
        if (count.key == 0 || count.key > 1 << 24 || count.packets == 0)
            return false;
    }
    return true;
}

static bool odd_get(const uint8_t **at, const uint8_t *end, struct event_odd *odd)
{
    if (!get(at, end, odd, sizeof *odd) || odd->proof_count > EVENT_EVIDENCE)
        return false;
    for (unsigned i = 0; i < odd->proof_count; i++)
        if (odd->proofs[i].rule[0] == '\0' || odd->proofs[i].packets == 0 ||
            memchr(odd->proofs[i].rule, '\0', EVENT_NAME) == NULL)
            return false;
    return true;
}

static void flood_restore(struct event_table *t, struct event_detail *d,
                          const struct saved_flood *saved, const uint8_t *ports)
{
    for (uint32_t i = 0; i < saved->ports; i++) {
        struct event_port_count count;
        memcpy(&count, ports + i * sizeof count, sizeof count);
        event_port_set(t, d, &count);
    }
    struct event_flood *f = event_flood_of(t, d);
    f->newest = saved->newest;
    f->rate_max = saved->rate_max;
    f->has_spans = saved->has_spans;
    memcpy(f->spans, saved->spans, sizeof f->spans);
    event_rate_sum(f);
}

/* Where the entry does not stand yet. */
static void entry_restore(struct event_table *t, const struct saved_entry *s, uint32_t address,
                          int64_t now_ns, const struct saved_flood *flood, const uint8_t *ports,
                          const struct event_odd *odd)
{
    bool is6 = event_key_is_ipv6(s->key);
    uint64_t key = (s->key & ~(uint64_t)UINT32_MAX) | address, hash = event_hash(t->key, key);
    if (event_find(t, key, hash, is6 ? s->address : NULL))
        return;
    struct event_entry *en = event_add(t, key, hash, is6 ? s->address : NULL);
    struct event_detail *d = event_detail_make(t, en, hash);
    en->first_ns = s->first_ns, en->last_ns = s->last_ns;
    en->packets = (uint32_t)s->packets, en->bytes = (uint32_t)s->bytes;
    en->tools = s->tools;
    d->packets_carry = (uint16_t)(s->packets >> 32);
    d->bytes_carry = (uint32_t)(s->bytes >> 32);
    d->before = (uint32_t)s->destinations;
    d->begun_ns = s->begun_ns, d->told_ns = s->told_ns;
    memcpy(d->id, s->id, sizeof d->id);
    d->update = s->update;
    d->is_begun = s->flags & SAVED_BEGUN;
    if (flood)
        flood_restore(t, d, flood, ports);
    if (odd)
        *event_odd_of(t, d) = *odd;
    event_due_at(t, d, en->detail, now_ns);
}

int event_restore(const uint8_t **at, const uint8_t *end, int64_t now_ns,
                  const struct watched *networks,
                  struct event_table *(*table_of)(void *context, const uint8_t address[16],
                                                  unsigned ip_version, uint32_t *key_address),
                  void *context)
{
    const uint8_t *here = *at, *ports = NULL;
    struct saved_entry s;
    struct saved_flood flood;
    struct event_odd odd;
    uint32_t address;
    if (!get(&here, end, &s, sizeof s) || !is_possible(&s) ||
        (s.flags & SAVED_FLOOD && !flood_get(&here, end, &flood, &ports)) ||
        (s.flags & SAVED_ODD && !odd_get(&here, end, &odd)))
        return -EBADMSG;
    *at = here;
    if (what_is_watched(event_key_what(s.key)) &&
        (s.organisation == 0 || s.organisation != organisation_of(networks, s.key, s.address)))
        return 0;
    struct event_table *t =
        table_of(context, s.address, event_key_is_ipv6(s.key) ? 6 : 4, &address);
    if (t)
        entry_restore(t, &s, address, now_ns, s.flags & SAVED_FLOOD ? &flood : NULL, ports,
                      s.flags & SAVED_ODD ? &odd : NULL);
    return 0;
}
