/* brief_columns: the same as brief_read(), for a burst of frames at once.
 *
 * The words of eight frames at a time stand in vectors, of which everything is asked at once: twenty instructions a
 * packet in place of a hundred. What a frame is comes as sets of frames, so that whoever goes on takes those of a kind one after the
 * other: which kind is next is anybody's guess, and each wrong guess of the processor costs as much as a brief.
 */
#ifndef CLASSIFY_BRIEF_COLUMNS_H
#define CLASSIFY_BRIEF_COLUMNS_H

#include "classify/brief.h"

enum { COLUMN = FRAME_BURST, COLUMN_SOME = 8 };
static_assert(COLUMN % COLUMN_SOME == 0 && COLUMN <= 64, "a set of frames has a bit for each");

enum { COLUMN_SET = 16 }; /* where a set begins in struct brief_columns.name */

struct brief_columns {
    _Alignas(64) uint32_t src[COLUMN]; /* as they lie in memory; of all frames, */
    uint32_t dst[COLUMN];
    uint32_t name[COLUMN]; /* of those in tcp: port and set, without aim; */
    uint32_t
        aim[COLUMN]; /* where that stands in port_aims: the byte and, from bit 16 on, the bit; */
    uint32_t rest
        [COLUMN]; /* length and source port, where they stand in the upper half of struct brief.rest */
    uint64_t tcp;       /* sets of frames, bit i for frame i: TCP that has a brief; */
    uint64_t udp, icmp; /* may have one: column_other() says */
};

/* Of up to COLUMN frames. */
void columns_fill(struct brief_columns *c, const struct frame *frames, size_t count);

/* The brief of a frame in c->tcp; false: its time has no room. */
static inline bool column_brief(const struct brief_columns *c, size_t i, const struct frame *f,
                                const struct ruleset *rules, int64_t base_ns, struct brief *brief)
{
    uint64_t since = (uint64_t)f->ts_ns - (uint64_t)base_ns;
    uint32_t name = c->name[i];
    if (__builtin_expect(since >> BRIEF_TIME_BITS != 0, 0))
        return false;
    uint32_t aims = rules->port_aims[PORT_PROTO_TCP][(uint16_t)c->aim[i]];
    name |= (aims >> (c->aim[i] >> 16) & 3) << (COLUMN_SET + BRIEF_AIM_SHIFT);
    uint64_t whole = c->src[i] | (uint64_t)name << 32;
    memcpy(brief, &whole, sizeof whole);
    brief->rest = since | (uint64_t)c->rest[i] << 32;
    return true;
}

/* brief_read() of a frame in c->udp or c->icmp. */
static inline enum brief_found column_other(const struct frame *f, uint32_t decap,
                                            const struct ruleset *rules, int64_t base_ns,
                                            struct brief *brief)
{
    uint32_t end = BRIEF_IP + read_be16(f->data + 16);
    uint64_t rest;
    if (!brief_rest(f->ts_ns, base_ns, f->wire_len, &rest))
        return BRIEF_NONE;
    return brief_read_other(f, decap, rules, end, rest, brief);
}

#endif
