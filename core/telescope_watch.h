/* telescope_watch: what each prefix of a telescope gets: packets, distinct addresses that were hit, and when the last came.
 *
 * By the prefix's number (classify/telescope_dates.h), never by its address. Each receiver has one and alone writes it; any other
 * thread reads those of all receivers together, at any time. Addresses hit are of the current day, which the receiver
 * turns: exact for IPv4, by a bitmap over the prefix; about 0.8 % off for IPv6, by a HyperLogLog; unknown where neither has room under
 * the cap. There are two sets of both, for the current day and the next, so that a receiver never clears one: whoever reads does, once
 * a day or more often. Time is the packets'. A packet takes a search among the telescope's ranges and one or two cache lines.
 */
#ifndef CORE_TELESCOPE_WATCH_H
#define CORE_TELESCOPE_WATCH_H

#include "classify/telescope_dates.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TELESCOPE_WATCH_BYTES = 64 << 20
}; /* both sets: bitmaps of 2^28 addresses; touched where packets come */

/* A prefix. */
struct telescope_counter {
    atomic_ullong packets;
    atomic_llong last_ns; /* time of the latest packet; INT64_MIN: none came */
    atomic_ullong
        *bits[2]; /* IPv4: an address each, from the prefix's first; NULL: none, or no room */
    uint8_t *registers[2]; /* IPv6: HLL_REGISTERS, likewise */
    uint32_t first;        /* IPv4: the prefix's first address */
};

struct telescope_watch {
    const struct telescope_dates *telescope;
    const struct telescope_span *span; /* the last packet's */
    struct telescope_counter *counters;
    void *room; /* of bits and registers */
    size_t room_bytes;
    atomic_uint current;  /* the set that is written; the receiver's */
    atomic_uint other;    /* enum telescope_watch_other: the other one */
    atomic_bool is_mixed; /* hits of more than the current day: the other set was not to be had */
    int32_t date;         /* that was turned to */
};

enum telescope_watch_other { WATCH_CLEAN, WATCH_DIRTY, WATCH_CLEANING };

/* `bytes_max`: cap on bitmaps and sketches, for each receiver; prefixes take their part in the order of their numbers. The telescope
 * must outlive the watch. NULL with errno. */
struct telescope_watch *telescope_watch_create(const struct telescope_dates *telescope,
                                               uint64_t bytes_max);
void telescope_watch_destroy(struct telescope_watch *w); /* accepts NULL */

/* ---- the receiver ---- */

/* The packets from now on are of that date: addresses hit begin anew. The same date again does nothing. */
void telescope_watch_turn(struct telescope_watch *w, int32_t date);

void telescope_watch_hit6(struct telescope_watch *w, struct telescope_counter *c,
                          const uint8_t address[16]);

static inline void telescope_watch_hit4(struct telescope_watch *w, struct telescope_counter *c,
                                        uint32_t address)
{
    atomic_ullong *bits = c->bits[atomic_load_explicit(&w->current, memory_order_relaxed)];
    uint32_t at = address - c->first;
    if (!bits)
        return;
    uint64_t before = atomic_load_explicit(&bits[at / 64], memory_order_relaxed);
    if (!(before >> at % 64 & 1))
        atomic_store_explicit(&bits[at / 64], before | UINT64_C(1) << at % 64,
                              memory_order_relaxed);
}

/* A packet came to an address (as in struct observation); one that is not dark at its time does nothing. */
static inline void telescope_watch_take(struct telescope_watch *w, const uint8_t address[16],
                                        unsigned ip_version, int64_t ts_ns)
{
    if (!telescope_span_holds_time(w->span, ts_ns))
        w->span = telescope_dates_at(w->telescope, ts_ns);
    uint32_t number = telescope_span_index(w->span, address, ip_version);
    if (number == TELESCOPE_NONE)
        return;
    struct telescope_counter *c = &w->counters[number];
    uint64_t packets = atomic_load_explicit(&c->packets, memory_order_relaxed);
    atomic_store_explicit(&c->packets, packets + 1, memory_order_relaxed);
    if (ts_ns > atomic_load_explicit(&c->last_ns, memory_order_relaxed))
        atomic_store_explicit(&c->last_ns, ts_ns, memory_order_relaxed);
    if (ip_version == 6)
        telescope_watch_hit6(w, c, address);
    else
        telescope_watch_hit4(w, c,
                             (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                                 (uint32_t)address[2] << 8 | address[3]);
}

/* ---- who reads: one thread ---- */

/* Makes the set of the day before ready for the next one. Takes up to 5 ms for 2^27 addresses. */
void telescope_watch_clean(struct telescope_watch *w);

enum telescope_hits { HITS_EXACT, HITS_ABOUT, HITS_UNKNOWN };

struct telescope_watch_row {
    uint64_t packets;
    int64_t last_ns; /* INT64_MIN: none came */
    uint64_t hit;    /* distinct addresses, today; 0 where unknown */
    enum telescope_hits hits;
    uint64_t addresses; /* IPv4 addresses that count for it on the date; of IPv6 0 */
    bool is_dark;       /* on the date */
};

/* What all receivers together say of a prefix; `date`: today's. */
void telescope_watch_read(struct telescope_watch *const *watches, size_t count, uint32_t number,
                          int32_t date, struct telescope_watch_row *row);

/* Prefixes that are dark on the date and got nothing since `since_ns`. */
unsigned telescope_watch_silent(struct telescope_watch *const *watches, size_t count, int32_t date,
                                int64_t since_ns);

#endif
