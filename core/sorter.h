/* sorter: puts each packet into the batch of its source's shard, and counts distinct destinations
 * on the way.
 *
 * A brief is read straight from the frame where it can be; everything else is decoded, and goes as a
 * brief where it is one and as an observation where not. Part of the receiver: one thread.
 */
#ifndef CORE_SORTER_H
#define CORE_SORTER_H

#include "capture/batch.h"
#include "capture/hash.h"
#include "classify/brief.h"
#include "classify/prefix_set.h"
#include "core/address_set.h"

/* A shard's batch. What changes with every packet lies here, in the L1 cache. */
struct sorter_shard {
    struct batch *batch; /* all but its brief_ fields is right at any time */
    uint32_t brief_count;
    uint32_t brief_limit; /* with so many and its observations it is full */
    uint32_t brief_slot;
    int64_t brief_first_ns, brief_last_ns;
};

struct sorter {
    struct sorter_shard shards[SHARDS]; /* each begins with an empty batch: sorter_begin() */
    struct hash_key key;
    const struct ruleset *rules;
    const struct prefix_set *telescope; /* NULL: everything is inside */
    struct address_set *destinations;   /* of every packet with a readable IP header */
    uint32_t decap;
    unsigned limit; /* packets per batch, 1 to BATCH_MAX */
    /* Takes a batch that holds packets; returns one to fill. */
    struct batch *(*send)(void *context, struct batch *full);
    void *context;
};

/* Gives a shard its batch. */
void sorter_begin(struct sorter *s, unsigned shard, struct batch *b);

/* Sends what is there of every shard. */
void sorter_flush(struct sorter *s);

/* Sorts a packet by what was decoded of it; `slot` is its window's. */
void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot);

/* The same from the frame, when it is not read as a brief at once. */
void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot);

/* Sends a shard's batch. */
void sorter_send(struct sorter *s, unsigned shard);

/* False: the batch holds briefs of another window; it is to go as an observation. */
static inline bool sorter_brief(struct sorter *s, const struct brief *p, int64_t ts_ns,
                                unsigned slot)
{
    unsigned shard = batch_shard(hash_u64(&s->key, p->src));
    struct sorter_shard *to = &s->shards[shard];
    uint32_t at = to->brief_count;
    address_set_add4(s->destinations, p->dst);
    if (at == 0) {
        to->brief_slot = slot;
        to->brief_first_ns = to->brief_last_ns = ts_ns;
    } else if (to->brief_slot != slot) {
        return false;
    }
    to->batch->briefs[at] = *p;
    batch_prefetch(to->batch, offsetof(struct batch, briefs) + (at + 6) * sizeof *p);
    to->brief_count = at + 1;
    to->brief_first_ns = ts_ns < to->brief_first_ns ? ts_ns : to->brief_first_ns;
    to->brief_last_ns = ts_ns > to->brief_last_ns ? ts_ns : to->brief_last_ns;
    if (at + 1 == to->brief_limit)
        sorter_send(s, shard);
    return true;
}

/* Sorts a packet; `slot` is its window's. */
static inline void sorter_frame(struct sorter *s, const struct frame *f, unsigned slot)
{
    struct brief p;
    if (!brief_read(f, s->decap, s->rules, &p) ||
        (s->telescope && !prefix_set_holds(s->telescope, f->data + 30, 4)) ||
        !sorter_brief(s, &p, f->ts_ns, slot))
        sorter_frame_slow(s, f, slot);
}

#endif
