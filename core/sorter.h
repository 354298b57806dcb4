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
    unsigned unused[5];
};
static_assert(sizeof(struct sorter_shard) == 64, "a shift finds a shard's place");

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

/* sorter_frame(), not inline */
void sorter_frame_any(struct sorter *s, const struct frame *f, unsigned slot);

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
    struct brief *next = to->next + 1;
    if (destinations)
        address_set_add4(destinations, dst);
    if (has_events) {
        *to->dst++ = dst;
        batch_prefetch(to->dst, 32 * sizeof *to->dst);
    }
    batch_prefetch(next, 5 * sizeof *next);
    to->next = next;
    if (__builtin_expect(next == to->end, 0))
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

/* What does not change with a packet of a burst, and is read once: what is written of packets may be anything. */
struct sorter_run {
    struct sorter *s;
    const struct frame *frames;
    const struct brief_columns *columns;
    unsigned slot;
    struct sorter_shard *first; /* shards of sources begin here, */
    unsigned shard_shift;       /* chosen by a hash's bits from this one on; */
    uint64_t key, factor;       /* shard_of_key()'s */
    const struct prefix_set *telescope;
    const struct ruleset *rules;
    struct address_set *destinations;
};

static inline struct sorter_shard *sorter_run_shard(const struct sorter_run *r, unsigned i)
{
    return &r->first[hash_fold(r->columns->src[i] ^ r->key, r->factor) >> r->shard_shift];
}

/* One of the burst whose columns say TCP; an instance without a telescope asks for none. */
static inline __attribute__((always_inline)) void sorter_tcp(const struct sorter_run *r, unsigned i,
                                                             bool has_telescope, bool has_events)
{
    const struct frame *f = &r->frames[i];
    const struct brief_columns *c = r->columns;
    struct sorter_shard *to = sorter_run_shard(r, i);
    if (__builtin_expect(to->slot == r->slot, 1) &&
        (!has_telescope || sorter_is_inside(r->telescope, f)) &&
        column_brief(c, i, f, r->rules, to->base_ns, to->next))
        shard_took(r->s, to, __builtin_bswap32(c->dst[i]), r->destinations, has_events);
    else
        sorter_frame_any(r->s, f, r->slot);
}

/* UDP or ICMP. */
static inline void sorter_other(const struct sorter_run *r, unsigned i)
{
    const struct frame *f = &r->frames[i];
    struct sorter_shard *to = sorter_run_shard(r, i);
    if (__builtin_expect(to->slot == r->slot, 1))
        sorter_found(r->s, to, f, r->slot,
                     column_other(f, r->s->decap, r->rules, to->base_ns, to->next));
    else
        sorter_frame_any(r->s, f, r->slot);
}

/* In order. */
static inline void sorter_each(const struct sorter_run *r, size_t count)
{
    const struct brief_columns *c = r->columns;
    for (unsigned i = 0; i < count; i++)
        if (c->tcp >> i & 1)
            sorter_tcp(r, i, true, true);
        else if ((c->udp | c->icmp) >> i & 1)
            sorter_other(r, i);
        else
            sorter_frame_any(r->s, &r->frames[i], r->slot);
}

/* Those of a kind one after the other. */
static inline void sorter_kinds(const struct sorter_run *r, size_t count)
{
    const struct brief_columns *c = r->columns;
    uint64_t all = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
    if (r->telescope)
        for (uint64_t left = c->tcp; left; left &= left - 1)
            sorter_tcp(r, (unsigned)__builtin_ctzll(left), true, false);
    else
        for (uint64_t left = c->tcp; left; left &= left - 1)
            sorter_tcp(r, (unsigned)__builtin_ctzll(left), false, false);
    for (uint64_t left = c->udp; left; left &= left - 1)
        sorter_other(r, (unsigned)__builtin_ctzll(left));
    for (uint64_t left = c->icmp; left; left &= left - 1)
        sorter_other(r, (unsigned)__builtin_ctzll(left));
    for (uint64_t left = all & ~(c->tcp | c->udp | c->icmp); left; left &= left - 1)
        sorter_frame_any(r->s, &r->frames[__builtin_ctzll(left)], r->slot);
}

/* Sorts up to COLUMN packets of one window; events alone ask for their order. */
static inline void sorter_frames(struct sorter *s, const struct frame *frames, size_t count,
                                 unsigned slot)
{
    struct brief_columns c;
    const struct sorter_run r = {
        .s = s,
        .frames = frames,
        .columns = &c,
        .slot = slot,
        .first = &s->shards[s->range.base],
        .shard_shift = BATCH_SHARD_SHIFT + s->range.shift,
        .key = s->key.a,
        .factor = s->key.c,
        .telescope = s->windows[slot].telescope,
        .rules = s->rules,
        .destinations = s->destinations,
    };
    columns_fill(&c, frames, count);
    if (s->has_events)
        sorter_each(&r, count);
    else
        sorter_kinds(&r, count);
}

#endif
