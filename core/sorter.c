#include "core/sorter.h"

void sorter_begin(struct sorter *s, unsigned shard, struct batch *b)
{
    struct sorter_shard *to = &s->shards[shard];
    to->batch = b;
    to->probe_count = 0;
    to->probe_limit = s->limit;
    b->count = b->probe_count = b->payload_used = 0;
    b->mark.what = 0;
    b->shard = shard;
}

void sorter_send(struct sorter *s, unsigned shard)
{
    struct sorter_shard *to = &s->shards[shard];
    struct batch *b = to->batch;
    b->probe_count = to->probe_count;
    b->probe_slot = to->probe_slot;
    b->probe_first_ns = to->probe_first_ns;
    b->probe_last_ns = to->probe_last_ns;
    sorter_begin(s, shard, s->send(s->context, b));
}

void sorter_flush(struct sorter *s)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (s->shards[shard].batch->count + s->shards[shard].probe_count > 0)
            sorter_send(s, shard);
}

void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot)
{
    struct probe p;
    if (probe_from(o, s->rules, &p) &&
        (!s->telescope || prefix_set_holds(s->telescope, o->dst, 4)) &&
        sorter_probe(s, &p, o->ts_ns, slot))
        return;

    uint64_t hash = hash_address(&s->key, o->src, o->ip_version);
    unsigned shard = batch_shard(hash);
    struct batch *b = s->shards[shard].batch;
    b->at[b->count] = *o;
    b->at[b->count].slot = (uint8_t)slot;
    b->hash[b->count] = hash;
    if (++b->count == BATCH_OBSERVATIONS || s->shards[shard].probe_count == --s->shards[shard].probe_limit)
        sorter_send(s, shard);
}

void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot)
{
    struct observation o;
    decode(f, s->decap, &o);
    o.payload_at = o.payload_caught = 0; /* no rule wants payload */
    sorter_observation(s, &o, slot);
}
