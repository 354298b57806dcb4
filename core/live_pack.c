/* What a worker's shards counted of a day, packed whenever a window is over: it goes to the journal. */
#include "core/day_pack.h"
#include "core/live_state.h"
#include "core/memory.h"
#include "core/tally_state.h"

#include <stdlib.h>
#include <string.h>

static uint64_t shards_of(const struct worker *w)
{
    uint64_t set = 0;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        set |= (uint64_t)(w->pipeline->worker_of[shard] == w) << shard;
    return set;
}

struct live_part *live_part_begin(struct tally *t, struct tally_day *day)
{
    struct live_part *part = memory_must(calloc(1, sizeof *part));
    memcpy(part->rows, day->rows, sizeof part->rows);
    memset(day->rows, 0, sizeof day->rows);
    part->date = day->of.date;
    part->is_current = tally_day_is_current(t, day);
    memcpy(part->kinds, day->lone_kinds, sizeof part->kinds);
    part->given_up.sources = day->given_up_sources;
    memset(day->lone_kinds, 0, sizeof day->lone_kinds);
    day->given_up_sources = 0;
    return part;
}

/* All shards are packed when 7/8 of the next window are over, at the latest. */
static int64_t pack_step_ns(const struct live_worker *l)
{
    int64_t most_ns = l->live->settings->base.window_span_ns / 8 * 7;
    return (most_ns < LIVE_PACK_NS ? most_ns : LIVE_PACK_NS) / SHARDS;
}

void live_pack_begin(struct live_worker *l, int64_t end_ns)
{
    struct tally *t = l->worker->tally;
    unsigned count;
    if (!l->live->settings->base.packs_days)
        return;
    l->packing = memory_must(calloc(1, sizeof *l->packing));
    struct tally_day **days = tally_days(t, &count);
    for (unsigned i = count; i-- > 0;) {
        struct live_part *part = live_part_begin(t, days[i]);
        part->next = l->packing->first;
        l->packing->first = part;
    }
    tally_day_put_aside(t, end_ns);
    l->packed_tally = t;
    l->unpacked = shards_of(l->worker);
    l->pack_ns = end_ns + pack_step_ns(l);
}

struct taking {
    struct live_part *part;
    struct record_buffer *run;
};

static int take(void *context, struct source_day *d)
{
    struct taking *taking = context;
    uint32_t crc = 0;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        taking->part->kinds[k].packets += d->kinds[k].packets;
        taking->part->kinds[k].bytes += d->kinds[k].bytes;
    }
    return record_pack_source_day(taking->run, 1, &crc, d);
}

void live_part_pack(struct live_part *part, struct tally *t, unsigned shard)
{
    struct taking taking = {part, &part->runs[shard]};
    if (day_pack_aside(t, part->date, shard, &part->rows[shard], part->is_current, &part->given_up,
                       take, &taking) < 0)
        memory_ended(); /* nothing else fails */
}

static void packed(struct live_worker *l)
{
    struct live_part **end = &l->packing->first;
    while (*end)
        end = &(*end)->next;
    *end = l->packing->others;
    channel_push(l->parts, l->packing);
    l->packing = NULL;
    l->packed_tally = NULL;
}

void live_pack_shard(struct live_worker *l, unsigned shard)
{
    if (!(l->unpacked >> shard & 1))
        return;
    for (struct live_part *part = l->packing->first; part; part = part->next)
        live_part_pack(part, l->packed_tally, shard);
    l->unpacked &= ~(UINT64_C(1) << shard);
    l->pack_ns += pack_step_ns(l);
    if (l->unpacked == 0)
        packed(l);
}

bool live_pack_some(struct live_worker *l)
{
    if (l->unpacked == 0)
        return false;
    live_pack_shard(l, (unsigned)__builtin_ctzll(l->unpacked));
    return true;
}

void live_pack_all(struct live_worker *l)
{
    while (live_pack_some(l))
        ;
}

void live_parts_destroy(struct live_parts *parts)
{
    if (!parts)
        return;
    for (struct live_part *part = parts->first, *next; part; part = next) {
        next = part->next;
        for (unsigned shard = 0; shard < SHARDS; shard++) {
            record_buffer_free(&part->runs[shard]);
            day_rows_fini(&part->rows[shard]);
        }
        free(part);
    }
    tally_destroy(parts->over);
    live_late_destroy(parts->late);
    free(parts);
}
