/* What a worker's shards counted of a day, packed whenever a window is over: it goes to the journal. */
#include "core/day_pack.h"
#include "core/live_state.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

static uint64_t shards_of(const struct worker *w)
{
    uint64_t set = 0;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        set |= (uint64_t)(w->pipeline->worker_of[shard] == w) << shard;
    return set;
}

static struct live_part *part_of(struct tally *t, struct tally_day *day)
{
    struct live_part *part = memory_must(calloc(1, sizeof *part));
    part->day = day;
    part->date = day->of.date;
    part->is_current = tally_day_is_current(t, day);
    memcpy(part->kinds, day->lone_kinds, sizeof part->kinds);
    part->given_up.sources = day->given_up_sources;
    memset(day->lone_kinds, 0, sizeof day->lone_kinds);
    day->given_up_sources = 0;
    return part;
}

void live_pack_begin(struct live_worker *l)
{
    struct tally *t = l->worker->tally;
    unsigned count;
    if (!l->live->settings->base.packs_days)
        return;
    l->packing = memory_must(calloc(1, sizeof *l->packing));
    struct tally_day **days = tally_days(t, &count);
    for (unsigned i = count; i-- > 0;) {
        struct live_part *part = part_of(t, days[i]);
        part->next = l->packing->first;
        l->packing->first = part;
    }
    l->packed_tally = t;
    l->unpacked = shards_of(l->worker);
}

struct taking {
    struct live_part *part;
    struct record_buffer *run;
};

static int take(void *context, const struct source_day *d)
{
    struct taking *taking = context;
    uint32_t crc = 0;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        taking->part->kinds[k].packets += d->kinds[k].packets;
        taking->part->kinds[k].bytes += d->kinds[k].bytes;
    }
    return record_pack_source_day(taking->run, 1, &crc, d);
}

static void packed(struct live_worker *l)
{
    channel_push(l->parts, l->packing);
    l->packing = NULL;
    l->packed_tally = NULL;
}

void live_pack_shard(struct live_worker *l, unsigned shard)
{
    if (!(l->unpacked >> shard & 1))
        return;
    for (struct live_part *part = l->packing->first; part; part = part->next) {
        struct taking taking = {part, &part->runs[shard]};
        if (day_pack(l->packed_tally, part->day, shard, part->is_current, NULL, &part->given_up,
                     take, &taking) < 0)
            memory_ended(); /* nothing else fails */
    }
    l->unpacked &= ~(UINT64_C(1) << shard);
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
        for (unsigned shard = 0; shard < SHARDS; shard++)
            record_buffer_free(&part->runs[shard]);
        free(part);
    }
    tally_destroy(parts->over);
    free(parts);
}

/* What windows stand on goes with it; those that began a moment before are the new day's. */
void live_day_swap(struct live_worker *l)
{
    struct worker *w = l->worker;
    struct tally *next = channel_try_pop(l->fresh), *over = w->tally;
    if (!next)
        next = memory_must(live_tally_create(l->live));
    tally_survey_inherit(next, over);
    w->tally = next;
    for (uint32_t left = w->announced; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctz(left);
        tally_announce(next, slot);
        pipeline_announce(w, &w->opened[slot]);
    }
    l->packing->over = over;
}
