#include "core/sorter.h"

void sorter_begin(struct sorter *s, unsigned shard, struct batch *b)
{
    struct sorter_shard *to = &s->shards[shard];
    to->batch = b;
    to->brief_count = 0;
    to->brief_limit = s->limit;
    b->count = b->brief_count = 0;
    b->mark.what = 0;
    b->shard = shard;
}

void sorter_send(struct sorter *s, unsigned shard)
{
    struct sorter_shard *to = &s->shards[shard];
    struct batch *b = to->batch;
    b->brief_count = to->brief_count;
    b->brief_slot = to->brief_slot;
    b->brief_first_ns = to->brief_first_ns;
    b->brief_last_ns = to->brief_last_ns;
    sorter_begin(s, shard, s->send(s->context, b));
}

void sorter_flush(struct sorter *s)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (s->shards[shard].batch->count + s->shards[shard].brief_count > 0)
            sorter_send(s, shard);
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
    if (++b->count == BATCH_OBSERVATIONS || to->brief_count == --to->brief_limit)
        sorter_send(s, shard);
}

/* Whether the observation went as a brief. */
static inline bool observation_is_brief(struct sorter *s, const struct observation *o,
                                        unsigned slot)
{
    struct brief p;
    return brief_from(o, s->rules, &p) &&
           (!s->telescope || prefix_set_holds(s->telescope, o->dst, 4)) &&
           sorter_brief(s, &p, o->ts_ns, slot);
}

void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot)
{
    if (observation_is_brief(s, o, slot))
        return;
    uint64_t hash = hash_address(&s->key, o->src, o->ip_version);
    *place_of(s, batch_shard(hash)) = *o;
    place_fill(s, batch_shard(hash), hash, slot);
}

/* The source of nearly all packets stands where Ethernet and IPv4 have it: decoded at once in
 * the right place, the observation need not be moved. */
void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot)
{
    uint32_t likely = 0;
    if (f->caplen >= 30)
        memcpy(&likely, f->data + 26, sizeof likely);
    uint64_t hash = hash_u64(&s->key, likely);
    unsigned shard = batch_shard(hash);
    struct observation *o = place_of(s, shard);

    decode(f, s->decap, o);
    o->payload_at = o->payload_caught = 0; /* no rule wants payload */
    if (observation_is_brief(s, o, slot))
        return;
    if (o->ip_version != 4 || memcmp(o->src, &likely, sizeof likely) != 0) {
        hash = hash_address(&s->key, o->src, o->ip_version);
        if (batch_shard(hash) != shard)
            *place_of(s, batch_shard(hash)) = *o;
        shard = batch_shard(hash);
    }
    place_fill(s, shard, hash, slot);
}
