#include "core/event_table.h"

#include "core/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_LEAST = 256, NUMBER_BITS = 32 - EVENT_TAG_BITS };

static void limit_set(struct event_table *t) { t->limit = t->room / 8 * 5; }

int event_table_init(struct event_table *t, const struct hash_key *key, struct pool *pool)
{
    *t = (struct event_table){.room = SLOTS_LEAST,
                              .slots = calloc(SLOTS_LEAST, sizeof *t->slots),
                              .entry_count = 1, /* 0 is none */
                              .tidy = SLOTS_LEAST,
                              .key = key,
                              .pool = pool,
                              .now_ns = INT64_MIN};
    limit_set(t);
    return t->slots ? 0 : -ENOMEM;
}

static void detail_empty(struct event_detail *d)
{
    if (d->flood)
        free(d->flood->ports);
    free(d->flood);
    free(d->odd);
    *d = (struct event_detail){0};
}

void event_table_fini(struct event_table *t)
{
    for (uint32_t i = 0; i < t->detail_count; i++)
        detail_empty(event_detail_at(t, i));
    free(t->blocks); /* the pool goes as a whole */
    free(t->entries);
    free(t->slots);
    *t = (struct event_table){0};
}

/* ---- entries ---- */

static bool entry_is(const struct event_table *t, const struct event_entry *e, uint64_t key,
                     const uint8_t *address6)
{
    return e->key == key && (!address6 || memcmp(event_address6(t, e), address6, 16) == 0);
}

static uint32_t slot_next(const struct event_table *t, uint32_t at)
{
    return at + 1 == t->room ? 0 : at + 1;
}

struct event_entry *event_find(const struct event_table *t, uint64_t key, uint64_t hash,
                               const uint8_t *address6)
{
    const uint32_t tag = event_tag(hash);
    for (uint32_t at = event_home(t, hash); t->slots[at] != 0; at = slot_next(t, at)) {
        struct event_entry *e = event_entry_at(t, t->slots[at] >> EVENT_TAG_BITS);
        if ((t->slots[at] ^ tag) << NUMBER_BITS == 0 && entry_is(t, e, key, address6))
            return e;
    }
    return NULL;
}

/* The number of an entry that is there. */
static uint32_t number_of(const struct event_table *t, const struct event_entry *e, uint64_t hash)
{
    uint32_t at = event_home(t, hash);
    while (event_entry_at(t, t->slots[at] >> EVENT_TAG_BITS) != e)
        at = slot_next(t, at);
    return t->slots[at] >> EVENT_TAG_BITS;
}

static void slot_put(struct event_table *t, uint64_t hash, uint32_t number)
{
    uint32_t at = event_home(t, hash);
    while (t->slots[at] != 0)
        at = slot_next(t, at);
    t->slots[at] = number << EVENT_TAG_BITS | event_tag(hash);
}

/* Whether an entry is nothing any more. What has told something, or is to be looked at, ends first. */
static bool is_dead(const struct event_table *t, const struct event_entry *e)
{
    if (e->detail && event_detail_at(t, e->detail)->is_listed)
        return false;
    int64_t idle_ns = t->idle_ns[event_key_what(e->key)];
    idle_ns = idle_ns > t->keep_ns ? idle_ns : t->keep_ns;
    return t->now_ns > e->last_ns && (uint64_t)t->now_ns - (uint64_t)e->last_ns > (uint64_t)idle_ns;
}

/* Slots of t->room for all that is there. */
static void slots_fill(struct event_table *t)
{
    free(t->slots);
    t->slots = memory_must(calloc(t->room, sizeof *t->slots));
    limit_set(t);
    for (uint32_t number = 1; number < t->entry_count; number++) {
        uint64_t key = event_entry_at(t, number)->key;
        if (key != 0)
            slot_put(t, event_hash(t->key, key), number);
    }
}

static void entry_empty(struct event_table *t, struct event_entry *e);
static struct event_detail *detail_make(struct event_table *t, struct event_entry *e,
                                        uint32_t entry);

static void entry_free(struct event_table *t, uint32_t number)
{
    struct event_entry *e = event_entry_at(t, number);
    *e = (struct event_entry){.detail = t->free_entry};
    t->free_entry = number;
}

/* The slots are to be filled behind it. */
static void entries_drop(struct event_table *t, bool (*goes)(void *context, struct event_entry *e),
                         void *context)
{
    for (uint32_t number = 1; number < t->entry_count; number++) {
        struct event_entry *e = event_entry_at(t, number);
        if (e->key == 0 || !goes(context, e))
            continue;
        entry_empty(t, e);
        entry_free(t, number);
        t->count--;
    }
}

/* The last entries take the places of those that are free; blocks without one go back to the pool. */
static void entries_trim(struct event_table *t)
{
    uint32_t last = t->entry_count;
    for (uint32_t number = 1; number <= t->count; number++) {
        struct event_entry *e = event_entry_at(t, number);
        if (e->key != 0)
            continue;
        do
            last--;
        while (event_entry_at(t, last)->key == 0);
        *e = *event_entry_at(t, last);
        if (e->detail)
            event_detail_at(t, e->detail)->entry = number;
    }
    t->entry_count = t->count + 1;
    t->free_entry = 0;
    while (t->entry_blocks > (t->count > 0 ? t->count / EVENT_ENTRIES + 1 : 0))
        pool_free(t->pool, t->entries[--t->entry_blocks], EVENT_BLOCK_SIZE);
}

static bool detail_is_free(const struct event_detail *d) { return d->key == 0 && !d->is_listed; }

/* Blocks behind the last detail that is somebody's go back to the pool; what is free of the others is listed anew. */
static void details_trim(struct event_table *t)
{
    bool is_used = false;
    while (t->detail_count > 0) {
        struct event_detail *block = t->blocks[t->detail_count / EVENT_BLOCK - 1];
        for (unsigned i = 0; i < EVENT_BLOCK && !is_used; i++)
            is_used = !detail_is_free(&block[i]);
        if (is_used)
            break;
        pool_free(t->pool, block, EVENT_BLOCK_SIZE);
        t->detail_count -= EVENT_BLOCK;
    }
    t->free_detail = 0;
    for (uint32_t number = t->detail_count; number-- > 1;) {
        struct event_detail *d = event_detail_at(t, number);
        if (!detail_is_free(d))
            continue;
        d->next = t->free_detail;
        t->free_detail = number;
    }
}

void event_table_sift(struct event_table *t, bool (*goes)(void *context, struct event_entry *e),
                      void *context)
{
    entries_drop(t, goes, context);
    entries_trim(t);
    while (t->room > SLOTS_LEAST && t->count * 4 < t->room)
        t->room /= 2;
    slots_fill(t);
    details_trim(t);
}

static bool dead_goes(void *table, struct event_entry *e) { return is_dead(table, e); }

void event_table_tidy(struct event_table *t)
{
    if (t->count < t->tidy)
        return;
    entries_drop(t, dead_goes, t);
    slots_fill(t);
    t->tidy = t->count / 2 * 3 + SLOTS_LEAST;
}

static void slots_grow(struct event_table *t)
{
    t->room *= 2;
    slots_fill(t);
}

static uint32_t entry_new(struct event_table *t)
{
    uint32_t number = t->free_entry;
    if (number != 0) {
        t->free_entry = event_entry_at(t, number)->detail;
        return number;
    }
    if (t->entry_count >> NUMBER_BITS != 0)
        memory_ended(); /* a billion entries over all shards: it did long before */
    if (t->entry_count / EVENT_ENTRIES == t->entry_blocks) {
        t->entries = memory_must(realloc(t->entries, (t->entry_blocks + 1) * sizeof *t->entries));
        t->entries[t->entry_blocks++] = pool_alloc(t->pool, EVENT_BLOCK_SIZE);
    }
    return t->entry_count++;
}

struct event_entry *event_add(struct event_table *t, uint64_t key, uint64_t hash,
                              const uint8_t *address6)
{
    if (t->count == t->limit)
        slots_grow(t);
    uint32_t number = entry_new(t);
    struct event_entry *e = event_entry_at(t, number);
    *e = (struct event_entry){.key = key};
    slot_put(t, hash, number);
    if (address6)
        memcpy(detail_make(t, e, number)->address, address6, 16);
    t->count++;
    return e;
}

/* ---- details ---- */

static uint64_t detail_bytes(const struct event_detail *d)
{
    uint64_t bytes = sizeof *d;
    if (d->flood)
        bytes += sizeof *d->flood + d->flood->port_room * sizeof *d->flood->ports;
    if (d->odd)
        bytes += sizeof *d->odd;
    return bytes;
}

uint64_t event_beside_bytes(const struct event_table *t, const struct event_entry *e)
{
    return (e->detail ? detail_bytes(event_detail_at(t, e->detail)) : 0) +
           (event_has_set(e) ? e->set.room * sizeof *e->set.at : 0);
}

static uint32_t detail_new(struct event_table *t)
{
    if (t->free_detail == 0) {
        uint32_t block = t->detail_count / EVENT_BLOCK;
        t->blocks = memory_must(realloc(t->blocks, (block + 1) * sizeof *t->blocks));
        t->blocks[block] = pool_alloc(t->pool, EVENT_BLOCK_SIZE);
        memset(t->blocks[block], 0, EVENT_BLOCK * sizeof **t->blocks);
        t->detail_count += EVENT_BLOCK;
        for (uint32_t i = EVENT_BLOCK; i-- > 0;) {
            uint32_t number = block * EVENT_BLOCK + i;
            if (number == 0)
                continue; /* 0 is none */
            t->blocks[block][i].next = t->free_detail;
            t->free_detail = number;
        }
    }
    uint32_t number = t->free_detail;
    struct event_detail *d = event_detail_at(t, number);
    t->free_detail = d->next;
    d->next = 0;
    return number;
}

static struct event_detail *detail_make(struct event_table *t, struct event_entry *e,
                                        uint32_t entry)
{
    uint32_t number = detail_new(t), address = (uint32_t)e->key;
    struct event_detail *d = event_detail_at(t, number);
    d->key = e->key;
    d->entry = entry;
    if (!event_key_is_ipv6(e->key))
        memcpy(d->address, &address, sizeof address);
    e->detail = number;
    t->detail_bytes += detail_bytes(d);
    return d;
}

struct event_detail *event_detail_make(struct event_table *t, struct event_entry *e, uint64_t hash)
{
    return detail_make(t, e, number_of(t, e, hash));
}

static void entry_empty(struct event_table *t, struct event_entry *e)
{
    struct event_detail *d = e->detail ? event_detail_at(t, e->detail) : NULL;
    if (d && d->is_listed) { /* whoever looks at it frees it */
        d->key = 0;
        d->is_begun = false;
    } else if (d) {
        event_detail_free(t, e->detail);
    }
    if (event_has_set(e)) {
        t->detail_bytes -= e->set.room * sizeof *e->set.at;
        distinct_fini(&e->set, t->pool);
    }
    e->detail = 0;
    e->packets = e->bytes = 0;
    e->destinations = 0;
    e->flags = 0;
    memset(e->dst, 0, sizeof e->dst);
}

void event_entry_reset(struct event_table *t, struct event_entry *e)
{
    if (!event_key_is_ipv6(e->key)) {
        entry_empty(t, e);
        return;
    }
    const struct event_detail was = *event_detail_at(t, e->detail);
    entry_empty(t, e);
    memcpy(detail_make(t, e, was.entry)->address, was.address, sizeof was.address);
}

void event_destination_add(struct event_table *t, struct event_entry *e, uint32_t mixed,
                           uint32_t most)
{
    if (e->destinations < most) {
        e->dst[e->destinations++] = mixed;
        return;
    }
    if (!event_has_set(e)) {
        struct distinct set = {0};
        for (unsigned i = 0; i < e->destinations; i++)
            distinct_add(&set, t->pool, e->dst[i]);
        e->set = set;
        e->destinations = EVENT_HAS_SET;
        t->detail_bytes += set.room * sizeof *set.at;
    }
    uint32_t room = e->set.room;
    distinct_add(&e->set, t->pool, mixed);
    e->mask = distinct_mask(&e->set);
    t->detail_bytes += (uint64_t)(e->set.room - room) * sizeof mixed;
}

void event_detail_free(struct event_table *t, uint32_t number)
{
    struct event_detail *d = event_detail_at(t, number);
    t->detail_bytes -= detail_bytes(d);
    detail_empty(d);
    d->next = t->free_detail;
    t->free_detail = number;
}

struct event_odd *event_odd_of(struct event_table *t, struct event_detail *d)
{
    if (!d->odd) {
        d->odd = memory_must(calloc(1, sizeof *d->odd));
        t->detail_bytes += sizeof *d->odd;
    }
    return d->odd;
}

unsigned event_proof_add(struct event_odd *odd, const char *rule)
{
    unsigned i = 0;
    while (i < odd->proof_count && strncmp(odd->proofs[i].rule, rule, EVENT_NAME - 1) != 0)
        i++;
    if (i == EVENT_EVIDENCE)
        return i;
    if (i == odd->proof_count) {
        odd->proof_count++;
        size_t len = strnlen(rule, EVENT_NAME - 1);
        memcpy(odd->proofs[i].rule, rule, len);
    }
    odd->proofs[i].packets++;
    return i;
}

/* ---- floods ---- */

static struct event_port_count *port_place(struct event_port_count *ports, uint32_t room,
                                           uint32_t key)
{
    uint32_t i = distinct_mix(key) & (room - 1);
    while (ports[i].key != 0 && ports[i].key != key)
        i = (i + 1) & (room - 1);
    return &ports[i];
}

static struct event_port_count *port_find(struct event_table *t, struct event_flood *f,
                                          uint32_t key)
{
    enum { LEAST = 4 };
    if (f->port_count * 4 >= f->port_room * 3) {
        uint32_t room = f->port_room ? 2 * f->port_room : LEAST;
        struct event_port_count *ports = memory_must(calloc(room, sizeof *ports));
        for (uint32_t i = 0; i < f->port_room; i++)
            if (f->ports[i].key != 0)
                *port_place(ports, room, f->ports[i].key) = f->ports[i];
        free(f->ports);
        t->detail_bytes += (room - f->port_room) * sizeof *ports;
        f->ports = ports;
        f->port_room = room;
    }
    struct event_port_count *port = port_place(f->ports, f->port_room, key);
    f->port_count += port->key == 0;
    port->key = key;
    return port;
}

static int64_t span_of(int64_t ts_ns)
{
    const int64_t span_ns = (int64_t)EVENT_RATE_NS * 1000000000;
    return ts_ns / span_ns - (ts_ns % span_ns < 0);
}

static uint64_t rate_at(const struct event_flood *f, int64_t first)
{
    uint64_t sum = 0;
    for (int64_t span = first; span < first + EVENT_RATE_STEPS; span++)
        if (span <= f->newest && span > f->newest - EVENT_RATE_RING)
            sum += f->spans[(uint64_t)span % EVENT_RATE_RING];
    return sum;
}

/* A packet behind the newest: it counts in all that hold its span, of which some ended since. */
static void rate_late(struct event_flood *f, int64_t span)
{
    if (span <= f->newest - EVENT_RATE_RING)
        return;
    f->spans[(uint64_t)span % EVENT_RATE_RING]++;
    for (int64_t first = span - EVENT_RATE_STEPS + 1; first <= span; first++) {
        uint64_t sum = rate_at(f, first);
        f->rate_max = sum > f->rate_max ? sum : f->rate_max;
    }
    f->rate_sum = rate_at(f, f->newest - EVENT_RATE_STEPS + 1);
}

static void rate_add(struct event_flood *f, int64_t ts_ns)
{
    int64_t span = span_of(ts_ns);
    if (!f->has_spans) {
        f->has_spans = true;
        f->newest = span;
    }
    if (span < f->newest) {
        rate_late(f, span);
        return;
    }
    if (span > f->newest) {
        if (span - f->newest >= EVENT_RATE_RING)
            memset(f->spans, 0, sizeof f->spans);
        else
            for (int64_t i = f->newest + 1; i <= span; i++)
                f->spans[(uint64_t)i % EVENT_RATE_RING] = 0;
        f->newest = span;
        f->rate_sum = rate_at(f, span - EVENT_RATE_STEPS + 1);
    }
    f->spans[(uint64_t)span % EVENT_RATE_RING]++;
    f->rate_sum++;
    f->rate_max = f->rate_sum > f->rate_max ? f->rate_sum : f->rate_max;
}

struct event_flood *event_flood_of(struct event_table *t, struct event_detail *d)
{
    if (!d->flood) {
        d->flood = memory_must(calloc(1, sizeof *d->flood));
        t->detail_bytes += sizeof *d->flood;
    }
    return d->flood;
}

void event_port_set(struct event_table *t, struct event_detail *d,
                    const struct event_port_count *count)
{
    port_find(t, event_flood_of(t, d), count->key)->packets = count->packets;
}

void event_rate_sum(struct event_flood *f)
{
    f->rate_sum = rate_at(f, f->newest - EVENT_RATE_STEPS + 1);
}

void event_flood_add(struct event_table *t, struct event_detail *d, int64_t ts_ns,
                     uint32_t port_key, bool has_port)
{
    struct event_flood *f = event_flood_of(t, d);
    rate_add(f, ts_ns);
    if (has_port) {
        struct event_port_count *port = port_find(t, f, port_key + 1);
        port->packets += port->packets < UINT32_MAX;
    }
}

/* ---- wheel ---- */

static int64_t tick_of(int64_t ts_ns)
{
    const int64_t tick_ns = (int64_t)EVENT_TICK_S * 1000000000;
    return ts_ns / tick_ns - (ts_ns % tick_ns < 0);
}

static void bucket_put(struct event_wheel *w, struct event_detail *d, uint32_t number)
{
    int64_t tick = tick_of(d->check_ns);
    if (w->has_tick && tick < w->tick)
        tick = w->tick;
    uint32_t *bucket = &w->bucket[(uint64_t)tick % EVENT_BUCKETS];
    d->next = *bucket;
    *bucket = number;
}

void event_due_at(struct event_table *t, struct event_detail *d, uint32_t number, int64_t check_ns)
{
    d->check_ns = check_ns;
    d->is_listed = true;
    bucket_put(&t->wheel, d, number);
}

uint32_t event_due_take(struct event_table *t, int64_t now_ns)
{
    struct event_wheel *w = &t->wheel;
    int64_t last = tick_of(now_ns), first = w->tick;
    uint32_t taken = 0;
    if (!w->has_tick || last - first >= EVENT_BUCKETS)
        first = last - EVENT_BUCKETS + 1;
    for (int64_t tick = first; tick <= last; tick++) {
        uint32_t *bucket = &w->bucket[(uint64_t)tick % EVENT_BUCKETS], next = *bucket;
        *bucket = 0;
        for (uint32_t number = next; number != 0; number = next) {
            struct event_detail *d = event_detail_at(t, number);
            next = d->next;
            uint32_t *to = d->check_ns <= now_ns ? &taken : bucket;
            d->next = *to;
            *to = number;
        }
    }
    if (!w->has_tick || last > w->tick)
        w->tick = last;
    w->has_tick = true;
    return taken;
}
