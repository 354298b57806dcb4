/* sorter: puts each packet into the batch of its source's shard, and counts distinct destinations
 * on the way.
 *
 * A brief is read straight from the frame where it can be; everything else is decoded, and goes as a
 * brief where it has one and as an observation where not; a source that is the telescope's own is hidden before
 * anything is counted of it (classify/telescope.h). Part of the receiver: one thread.
 */
#ifndef CORE_SORTER_H
#define CORE_SORTER_H

#include "capture/batch.h"
#include "capture/hash.h"
#include "classify/brief_columns.h"
#include "classify/telescope_dates.h"
#include "classify/verdict.h"
#include "core/address_set.h"
#include "core/window_clock.h"

/* A shard's batch. What changes with every packet lies here, in the L1 cache. */
struct sorter_shard {
    struct batch *batch;      /* all but its brief_ fields is right at any time */
    struct brief *next, *end; /* the place of the next brief; there the batch is full */
    uint32_t *dst;            /* the place of its destination */
    int64_t base_ns;          /* its briefs' times count from it */
    unsigned slot;            /* of its briefs' window */
};

/* A window, as far as it is the sorter's business. */
struct sorter_window {
    int64_t start_ns;
    bool is_short;    /* all its times have room in briefs */
    bool is_two_days; /* it lies in two calendar days: its packets go with their whole time */
    bool is_split;    /* the telescope changes in it: is_two_days, too */
    const struct prefix_set *telescope; /* its first one's; NULL: everything is inside */
};

/* Sources go to the 64 >> shift shards from base on; 0, 0: to all. */
struct shard_range {
    unsigned base, shift;
};

struct sorter {
    struct sorter_shard shards[SHARDS]; /* each begins with an empty batch: sorter_begin() */
    struct sorter_window windows[WINDOW_SLOTS];
    struct hash_key key;
    const struct ruleset *rules;
    const struct telescope_dates *telescope; /* NULL: everything is inside */
    struct address_set
        *destinations; /* of every packet with a readable IP header; NULL: not counted */
    struct verdict_memory *verdicts; /* of UDP payloads */
    struct payload_scratch *scratch; /* NULL where payload rules are off */
    struct generation *generation;   /* live: what rules, verdicts and scratch are of */
    uint32_t decap;
    bool has_events;     /* batches say what events need: order, destinations, notes */
    bool has_indicators; /* payloads of exploits are looked at by workers, whole */
    unsigned limit;      /* packets per batch, 1 to BATCH_MAX */
    struct shard_range range;
    int64_t window_ns; /* of the batches that are sent */
    /* Takes a batch that holds packets; returns one to fill. */
    struct batch *(*send)(void *context, struct batch *full);
    void *context;
};

/* Gives a shard its batch. */
void sorter_begin(struct sorter *s, unsigned shard, struct batch *b);

/* A window begins in a slot; before this nothing of it was sorted. */
void sorter_open(struct sorter *s, unsigned slot, int64_t start_ns, int64_t span_ns,
                 bool is_two_days);

/* Sends what is there of every shard. */
void sorter_flush(struct sorter *s);

/* Sorts a packet by what was decoded of it; `slot` is its window's. */
void sorter_observation(struct sorter *s, const struct observation *o, unsigned slot);

/* sorter_frame() when the frame is not read as a brief at once */
void sorter_frame_slow(struct sorter *s, const struct frame *f, unsigned slot);

/* The shard of a source's address. */
unsigned sorter_shard(const struct sorter *s, const uint8_t address[16], unsigned ip_version);

/* Sends a shard's batch. */
void sorter_send(struct sorter *s, unsigned shard);

/* The source, where nearly all packets have it: Ethernet, IPv4. */
static inline uint32_t sorter_source(const struct frame *f)
{
    uint32_t src = 0;
    if (f->caplen >= 30)
        memcpy(&src, f->data + 26, sizeof src);
    return src;
}

static inline unsigned sorter_shard_of(const struct sorter *s, uint64_t hash)
{
    return s->range.base + (batch_shard(hash) >> s->range.shift);
}

/* One multiplication in place of two: it chooses among few, and has nothing to do with where a pair
 * stands (pair_home). */
static inline unsigned shard_of_key(const struct hash_key *key, const struct shard_range *range,
                                    uint32_t src)
{
    return range->base + (batch_shard(hash_fold(src ^ key->a, key->c)) >> range->shift);
}

static inline unsigned sorter_shard4(const struct sorter *s, uint32_t src)
{
    return shard_of_key(&s->key, &s->range, src);
}

/* The brief in the shard's place, of a packet to `dst`, is there. */
static inline void shard_took(struct sorter *s, struct sorter_shard *to, uint32_t dst,
                              struct address_set *destinations, bool has_events)
{
    if (destinations)
        address_set_add4(destinations, dst);
    if (has_events) {
        *to->dst++ = dst;
        batch_prefetch(to->dst, 32 * sizeof *to->dst);
    }
    batch_prefetch(to->next, 6 * sizeof *to->next);
    if (++to->next == to->end)
        sorter_send(s, (unsigned)(to - s->shards));
}

/* Of a frame of IPv4 over ICMP that has a brief, before it was taken, where it answers: says so to its victim's shard. */
void sorter_note_frame(struct sorter *s, const struct frame *f, unsigned slot);

static inline bool brief_is_answer_icmp(const struct brief *b)
{
    return set_what(b->set) == BRIEF_ICMP && b->port == KIND_backscatter_icmp;
}

/* Looks at the payload of the open brief in the shard's place. False: it has no brief after all. */
bool sorter_settle(struct sorter *s, struct sorter_shard *to, const struct udp_payload *payload);

/* Whether a frame of IPv4 is addressed to the telescope, from elsewhere; NULL: everything is inside. */
static inline bool sorter_is_inside(const struct prefix_set *telescope, const struct frame *f)
{
    return !telescope || (prefix_set_holds(telescope, f->data + 30, 4) &&
                          !prefix_set_holds(telescope, f->data + 26, 4));
}

/* Sorts a packet of which this was found, and its brief is in the shard's place. */
static inline void sorter_found(struct sorter *s, struct sorter_shard *to, const struct frame *f,
                                unsigned slot, enum brief_found found)
{
    if (__builtin_expect(found == BRIEF_NONE, 0) ||
        !sorter_is_inside(s->windows[slot].telescope, f) ||
        (found == BRIEF_OPEN &&
         !sorter_settle(s, to,
                        &(struct udp_payload){brief_payload(f).at, brief_payload(f).caught,
                                              brief_payload(f).len}))) {
        sorter_frame_slow(s, f, slot);
        return;
    }
    bool is_answer = s->has_events && brief_is_answer_icmp(to->next);
    shard_took(s, to, read_be32(f->data + 30), s->destinations, s->has_events);
    if (is_answer)
        sorter_note_frame(s, f, slot);
}

/* Sorts a packet; `slot` is its window's. */
static inline void sorter_frame(struct sorter *s, const struct frame *f, unsigned slot)
{
    struct sorter_shard *to = &s->shards[sorter_shard4(s, sorter_source(f))];
    enum brief_found found = BRIEF_NONE;
    if (__builtin_expect(to->slot == slot, 1))
        found = brief_read(f, s->decap, s->rules, to->base_ns, to->next);
    sorter_found(s, to, f, slot, found);
}

/* Sorts up to COLUMN packets of one window. What does not change with a packet is read once: what is written of it may be anything. */
static inline void sorter_frames(struct sorter *s, const struct frame *frames, size_t count,
                                 unsigned slot)
{
    const struct prefix_set *telescope = s->windows[slot].telescope;
    const struct ruleset *rules = s->rules;
    const struct hash_key key = s->key;
    const struct shard_range range = s->range;
    const bool has_events = s->has_events;
    struct address_set *destinations = s->destinations;
    struct brief_columns c;
    columns_read(&c, frames, count);
    columns_tell(&c, count);
    for (size_t i = 0; i < count; i++) {
        const struct frame *f = &frames[i];
        struct sorter_shard *to = &s->shards[shard_of_key(&key, &range, c.src[i])];
        if (__builtin_expect((c.tells[i] & COLUMN_BRIEF) && to->slot == slot, 1) &&
            sorter_is_inside(telescope, f) && column_brief(&c, i, f, rules, to->base_ns, to->next))
            shard_took(s, to, __builtin_bswap32(c.dst[i]), destinations, has_events);
        else if ((c.tells[i] & COLUMN_OTHER) && to->slot == slot)
            sorter_found(s, to, f, slot,
                         column_other(&c, i, f, s->decap, rules, to->base_ns, to->next));
        else
            sorter_frame(s, f, slot);
    }
}

#endif
