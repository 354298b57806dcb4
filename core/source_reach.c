#include "core/source_reach.h"

#include "core/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

static_assert(SOURCE_REACH_MAX <= 16, "a set of 16 bits");

struct source_reach_table *source_reach_create(const struct hash_key *key)
{
    struct source_reach_table *t = calloc(1, sizeof *t);
    if (t != NULL)
        t->key = key;
    return t;
}

void source_reach_destroy(struct source_reach_table *t)
{
    for (unsigned i = 0; t != NULL && i < REACH_SHARDS; i++)
        free(t->shards[i].entries);
    free(t);
}

static int32_t date_of(struct source_reach_table *t, int64_t ts_ns)
{
    for (unsigned i = 0; i < 2; i++) {
        if (calendar_holds(t->days[i].start_ns, t->days[i].end_ns, ts_ns)) {
            if (i == 1) {
                struct calendar_day other = t->days[0];
                t->days[0] = t->days[1];
                t->days[1] = other;
            }
            return t->days[0].date;
        }
    }
    t->days[1] = t->days[0];
    t->days[0] = calendar_day_of(ts_ns);
    return t->days[0].date;
}

/* The entry, or the place that is free for it. */
static struct reach_entry *place_of(const struct source_reach_table *t, const struct reach_shard *s,
                                    uint64_t key, int32_t date)
{
    uint32_t at = (uint32_t)hash_u64(t->key, key + (uint64_t)(uint32_t)date) & (s->size - 1);
    while (s->entries[at].key != 0 && (s->entries[at].key != key || s->entries[at].date != date))
        at = (at + 1) & (s->size - 1);
    return &s->entries[at];
}

/* Twice the room, or the same without days that are long over. */
static void grow(const struct source_reach_table *t, struct reach_shard *s)
{
    struct reach_shard grown = {0};
    int32_t newest = INT32_MIN;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->size; i++)
        if (s->entries[i].key != 0 && s->entries[i].date > newest)
            newest = s->entries[i].date;
    for (uint32_t i = 0; i < s->size; i++)
        kept += s->entries[i].key != 0 && s->entries[i].date >= newest - 1;
    grown.size = s->size == 0 ? FIRST_SIZE : kept * 4 > s->size ? s->size * 2 : s->size;
    grown.entries = memory_must(calloc(grown.size, sizeof *grown.entries));
    for (uint32_t i = 0; i < s->size; i++) {
        const struct reach_entry *e = &s->entries[i];
        if (e->key == 0 || e->date < newest - 1)
            continue;
        *place_of(t, &grown, e->key, e->date) = *e;
        grown.used++;
    }
    free(s->entries);
    *s = grown;
}

void source_reach_add(struct source_reach_table *t, unsigned shard, const struct reach_packet *p)
{
    struct reach_shard *s = &t->shards[shard];
    int32_t date = date_of(t, p->ts_ns);
    struct reach_entry *e = s->size == 0 ? NULL : place_of(t, s, p->key, date);
    unsigned i;
    if (e == NULL || e->key == 0) {
        if (s->used * 2 >= s->size && s->size < 2 * REACH_MOST)
            grow(t, s);
        if (s->used >= REACH_MOST)
            return;
        e = place_of(t, s, p->key, date);
        *e = (struct reach_entry){.key = p->key, .date = date, .tcp_ns = INT64_MIN};
        s->used++;
    }
    if (p->ts_ns > e->tcp_ns || (p->ts_ns == e->tcp_ns && p->ports > e->tcp_ports)) {
        e->tcp_ns = p->ts_ns;
        e->tcp_ports = p->ports;
    }
    for (i = 0; i < e->count && e->dst[i] != p->dst; i++)
        continue;
    if (i == SOURCE_REACH_MAX)
        return;
    if (i == e->count) {
        e->dst[e->count++] = p->dst;
        e->fresh++;
    }
    if (p->is_mirai && !(e->mirai >> i & 1)) {
        e->mirai |= (uint16_t)(1u << i);
        e->fresh_mirai++;
    }
}

void source_reach_take(struct source_reach_table *t, unsigned shard, struct source_day *d)
{
    struct reach_shard *s = &t->shards[shard];
    struct reach_entry *e;
    uint32_t address4;
    if (s->size == 0 || d->kinds[KIND_tcp_syn].packets + d->kinds[KIND_tcp_data].packets == 0)
        return;
    memcpy(&address4, d->address, sizeof address4);
    e = place_of(t, s, source_reach_key(t, address4, d->ip_version == 6 ? d->address : NULL),
                 d->date);
    if (e->key == 0)
        return;
    d->reach[REACH_TCP] = (struct source_reach){e->count, e->fresh};
    d->reach[REACH_MIRAI] =
        (struct source_reach){(uint8_t)__builtin_popcount(e->mirai), e->fresh_mirai};
    e->fresh = e->fresh_mirai = 0;
    if (e->tcp_ns < d->first_ns || e->tcp_ns > d->last_ns) /* told with an earlier part */
        return;
    d->tcp_ns = e->tcp_ns;
    d->tcp_src_port = (uint16_t)(e->tcp_ports >> 16);
    d->tcp_dst_port = (uint16_t)e->tcp_ports;
    if (e->tcp_ports == 0)
        d->tcp_ns = 0;
}
