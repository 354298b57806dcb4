#include "core/sorter.h"

void sorter_flush(struct sorter *s)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (s->filling[shard]->count + s->filling[shard]->probe_count > 0)
            sorter_send(s, s->filling[shard]);
}

void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot)
{
    struct probe p;
    if (probe_from(o, s->rules, &p) &&
        (!s->telescope || prefix_set_holds(s->telescope, o->dst, 4)) &&
        sorter_probe(s, &p, o->ts_ns, slot))
        return;

    uint64_t hash = hash_address(&s->key, o->src, o->ip_version);
    struct batch *b = s->filling[batch_shard(hash)];
    b->at[b->count] = *o;
    b->at[b->count].slot = (uint8_t)slot;
    b->hash[b->count] = hash;
    if (++b->count + b->probe_count == s->limit)
        sorter_send(s, b);
}

void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot)
{
    struct observation o;
    decode(f, s->decap, &o);
    o.payload_at = o.payload_caught = 0; /* no rule wants payload */
    sorter_observation(s, &o, slot);
}
