/* sorter: puts each packet into the batch of its source's shard.
 *
 * A probe is read straight from the frame where it can be; everything else is decoded, and goes as a
 * probe where it is one and as an observation where not. Part of the receiver: one thread.
 */
#ifndef CORE_SORTER_H
#define CORE_SORTER_H

#include "capture/batch.h"
#include "capture/hash.h"
#include "classify/prefix_set.h"
#include "classify/probe.h"

struct sorter {
    struct hash_key key;
    const struct ruleset *rules;
    const struct prefix_set *telescope; /* NULL: everything is inside */
    uint32_t decap;
    unsigned limit;                /* packets per batch, 1 to BATCH_MAX */
    struct batch *filling[SHARDS]; /* emptied with batch_clear() */
    /* Takes a batch that holds packets; returns one to fill, cleared. */
    struct batch *(*send)(void *context, struct batch *full);
    void *context;
};

static inline void batch_clear(struct batch *b, unsigned shard)
{
    b->count = b->probe_count = b->payload_used = 0;
    b->mark.what = 0;
    b->shard = shard;
}

/* Sends what is there of every shard. */
void sorter_flush(struct sorter *s);

/* Sorts a packet by what was decoded of it; `slot` is its window's. */
void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot);

/* The same from the frame, when it is not read as a probe at once. */
void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot);

static inline void sorter_send(struct sorter *s, struct batch *b)
{
    unsigned shard = b->shard;
    s->filling[shard] = s->send(s->context, b);
    s->filling[shard]->shard = shard;
}

/* False: the batch holds probes of another window; it is to go as an observation. */
static inline bool sorter_probe(struct sorter *s, const struct probe *p, int64_t ts_ns,
                                unsigned slot)
{
    struct batch *b = s->filling[batch_shard(hash_u64(&s->key, p->src))];
    uint32_t at = b->probe_count;
    if (at == 0) {
        b->probe_slot = slot;
        b->probe_first_ns = b->probe_last_ns = ts_ns;
    } else if (b->probe_slot != slot) {
        return false;
    }
    b->probes[at] = *p;
    b->probe_count = at + 1;
    b->probe_first_ns = ts_ns < b->probe_first_ns ? ts_ns : b->probe_first_ns;
    b->probe_last_ns = ts_ns > b->probe_last_ns ? ts_ns : b->probe_last_ns;
    if (at + 1 + b->count == s->limit)
        sorter_send(s, b);
    else /* the place of the shard's next packets lies in another core's cache */
        __builtin_prefetch(&b->probes[at + 4], 1);
    return true;
}

/* Sorts a packet; `slot` is its window's. */
static inline void sorter_frame(struct sorter *s, const struct frame *f, unsigned slot)
{
    struct probe p;
    if (!probe_read(f, s->decap, s->rules, &p) ||
        (s->telescope && !prefix_set_holds(s->telescope, f->data + 30, 4)) ||
        !sorter_probe(s, &p, f->ts_ns, slot))
        sorter_frame_slow(s, f, slot);
}

#endif
