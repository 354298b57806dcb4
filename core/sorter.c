#include "core/sorter.h"

void sorter_begin(struct sorter *s, unsigned shard, struct batch *b)
{
    struct sorter_shard *to = &s->shards[shard];
    to->batch = b;
    to->next = b->briefs;
    to->end = b->briefs + s->limit;
    b->count = b->brief_count = 0;
    b->mark.what = 0;
    b->shard = shard;
}

void sorter_send(struct sorter *s, unsigned shard)
{
    struct sorter_shard *to = &s->shards[shard];
    struct batch *b = to->batch;
    b->brief_count = (uint32_t)(to->next - b->briefs);
    b->brief_slot = to->slot;
    sorter_begin(s, shard, s->send(s->context, b));
}

void sorter_flush(struct sorter *s)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct sorter_shard *to = &s->shards[shard];
        if (to->batch->count > 0 || to->next != to->batch->briefs)
            sorter_send(s, shard);
    }
}

/* Where a shard's next observation will be written. */
static inline struct observation *place_of(const struct sorter *s, unsigned shard)
{
    struct batch *b = s->shards[shard].batch;
    return &b->at[b->count];
}

/* The observation in its shard's place is complete. */
static inline void place_fill(struct sorter *s, unsigned shard, uint64_t hash, unsigned slot)
{
    struct sorter_shard *to = &s->shards[shard];
    struct batch *b = to->batch;
    const struct observation *o = &b->at[b->count];
    if (o->state & OBSERVATION_IP)
        address_set_add(s->destinations, o->dst, o->ip_version);
    b->at[b->count].slot = (uint8_t)slot;
    b->hash[b->count] = hash;
    size_t next = offsetof(struct batch, at) + (b->count + 1) * sizeof *o;
    batch_prefetch(b, next);
    batch_prefetch(b, next + sizeof *o - 1);
    if (++b->count == BATCH_OBSERVATIONS || to->next == --to->end)
        sorter_send(s, shard);
}

/* Of all but IPv6. */
static inline unsigned shard_of4(const struct sorter *s, const struct observation *o)
{
    uint32_t src;
    memcpy(&src, o->src, sizeof src);
    return sorter_shard4(s, src);
}

static inline unsigned shard_of(const struct sorter *s, const struct observation *o, uint64_t hash)
{
    return o->ip_version == 6 ? batch_shard(hash) : shard_of4(s, o);
}

/* Whether the observation went as a brief. */
static inline bool went_as_brief(struct sorter *s, const struct observation *o, unsigned slot)
{
    struct sorter_shard *to = &s->shards[shard_of4(s, o)];
    if (!brief_from(o, s->rules, to->next) || !shard_takes(to, slot) ||
        (s->telescope && !prefix_set_holds(s->telescope, o->dst, 4)))
        return false;
    shard_took(s, to);
    return true;
}

void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot)
{
    if (went_as_brief(s, o, slot))
        return;
    uint64_t hash = hash_address(&s->key, o->src, o->ip_version);
    unsigned shard = shard_of(s, o, hash);
    *place_of(s, shard) = *o;
    place_fill(s, shard, hash, slot);
}

/* Decoded at once in what is probably the right place, the observation need not be moved. */
void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot)
{
    unsigned likely = sorter_shard4(s, sorter_source(f));
    struct observation *o = place_of(s, likely);

    decode(f, s->decap, o);
    o->payload_at = o->payload_caught = 0; /* no rule wants payload */
    if (went_as_brief(s, o, slot))
        return;
    uint64_t hash = hash_address(&s->key, o->src, o->ip_version);
    unsigned shard = shard_of(s, o, hash);
    if (shard != likely)
        *place_of(s, shard) = *o;
    place_fill(s, shard, hash, slot);
}
