/* tally_day: the counts of calendar days, beside those of windows.
 *
 * One day is the current one: its briefs are counted in their pair, where they are alike. All else goes to
 * rows. A day is over when the receiver says so; its sources are then packed as source days,
 * shard by shard, sorted by address. Whose packets come after that begin it anew; whoever merges source days
 * (law 3) gets the same in any case.
 * Part of the tally: one thread, but tally_day_pack() of different shards may run at once.
 */
#ifndef CORE_TALLY_DAY_H
#define CORE_TALLY_DAY_H

#include "classify/brief.h"
#include "core/day_rows.h"
#include "core/source_table.h"
#include "export/calendar.h"
#include "export/source_day.h"
#include "export/window.h"

#include <stdbool.h>

struct tally;

/* A day that has packets. */
struct tally_day {
    struct calendar_day of;
    struct day_rows rows[SHARDS];
    struct count lone_kinds[KIND_COUNT]; /* of packets without a source */
    uint64_t given_up_sources;           /* of them, packets whose source is not kept */
};

/* The pairs of a shard that count packets of the current day, in the order in which they began: as long as they are few, a
 * day is packed without a look at all pairs. At most half a byte for each place of a pair. */
struct begun_pairs {
    uint64_t *names;
    uint32_t count, room;
    bool is_over; /* there are too many: none are kept */
};

void begun_pairs_fini(struct begun_pairs *b); /* to all zero */

/* The pair of this name; NULL: it is not there. */
static inline struct pair *pair_look_up(const struct source_table *shard, uint64_t name)
{
    struct pair *home = pair_home(shard, name);
    int place = pair_place(home, name);
    return place >= 0 ? pair_at(home, place) : pair_find_on(shard, name);
}

/* What a shard counted of the current day until a window was sealed, while it is packed and the shard counts on (live). It
 * stays where it is; packets that come to a pair or a source move its part out of their way, into rows. */
struct day_aside {
    int64_t end_ns;  /* its packets are of before, all others from then on */
    uint32_t serial; /* the newest opening then: a pair that was not touched since is older */
    struct begun_pairs begun; /* pairs that count packets of it, perhaps */
    struct day_row
        *rows; /* what was moved: of a pair, or without packets of a source (day_pack.c) */
    uint32_t count, room;
};

/* Puts aside what all shards counted of the current day beside pairs; packets from now on are of `end_ns` and behind. Nothing is
 * aside. */
void tally_day_put_aside(struct tally *t, int64_t end_ns);

/* Whether what a pair of the shard counts is put aside. */
static inline bool pair_is_aside(const struct day_aside *a, const struct pair *pair,
                                 uint32_t newest)
{
    return (newest - (uint32_t)pair->state) % PAIR_SERIALS >= newest - a->serial;
}

/* A packet comes to the pair of a source, which catches up behind this, or to what a shard keeps of it beside pairs: what is put
 * aside of them moves. The shard has something aside. */
void day_pair_touch(struct tally *t, unsigned shard, struct pair *pair, uint32_t number);
void day_times_touch(struct tally *t, unsigned shard, uint32_t number);

/* All pairs of a shard are about to catch up. */
void day_pairs_touch(struct tally *t, unsigned shard);

/* What a shard had put aside is packed. */
void day_aside_fini(struct tally *t, unsigned shard);

/* What packets that are counted in pairs are like, but for their port: few combinations make nearly all. A
 * combination gets a number when it is first seen; 0: none is left, its packets go to rows. */
enum { COMBO_SET_BITS = 13, COMBO_NAME_BITS = COMBO_SET_BITS + BRIEF_LEN_BITS, COMBO_SLOTS = 1024 };
static_assert(BRIEF_SETS == 1 << COMBO_SET_BITS && COMBO_NAME_BITS <= 25 && PAIR_COMBOS == 1 << 7,
              "a name and a number are 32 bits");
struct combos {
    uint32_t slots[COMBO_SLOTS]; /* the name and, from COMBO_NAME_BITS on, the number; 0: free */
    uint32_t names[PAIR_COMBOS]; /* by number */
    uint32_t count;              /* numbers given */
    uint32_t slots_used;
};

/* The set but for what its port is, and the length. */
static inline uint32_t combo_name(const struct brief *b)
{
    const uint32_t aims = BRIEF_SETS - (1u << BRIEF_AIM_SHIFT); /* of a verdict: of its number */
    uint32_t left_out = set_is_verdict(b->set) ? 0 : aims;
    return (b->set & ~left_out) | brief_wire_len(b) << COMBO_SET_BITS;
}

static inline uint32_t combo_in(uint32_t slot) { return slot & ((1u << COMBO_NAME_BITS) - 1); }

/* Finds the number of a name, or gives one. */
uint32_t combo_number_slow(struct combos *c, uint32_t name);

static inline uint32_t combo_slot(uint32_t name)
{
    return name * UINT32_C(2654435769) >> 22; /* Fibonacci hashing: the top 10 bits */
}

static inline uint32_t combo_number(struct combos *c, uint32_t name)
{
    uint32_t slot = c->slots[combo_slot(name)];
    if (__builtin_expect(combo_in(slot) == name && slot != 0, 1))
        return slot >> COMBO_NAME_BITS;
    return combo_number_slow(c, name);
}

/* Whose packets of a batch's briefs are counted where. */
struct day_run {
    struct tally *tally;
    struct source_table *shard;
    struct tally_day *day; /* NULL: days are not counted */
    bool is_current;
    int64_t base_ns;
    struct combos *combos;
    const struct evidence_sets *evidence;
};

/* Sets of briefs whose packets are evidence above port: Mirai's feature, a payload's rule. */
struct evidence_sets {
    uint64_t at[BRIEF_SETS / 64];
};

static inline bool brief_has_evidence(const struct evidence_sets *sets, const struct brief *b)
{
    return sets->at[b->set % BRIEF_SETS / 64] >> b->set % 64 & 1;
}

/* The times of a brief that is counted in its pair. */
static inline void day_count_times(const struct day_run *r, const struct brief *b, uint32_t number)
{
    struct source_times *times = &r->shard->times[number];
    int64_t ts_ns = (int64_t)((uint64_t)r->base_ns + brief_time(b));
    times->first_ns = ts_ns < times->first_ns ? ts_ns : times->first_ns;
    times->last_ns = ts_ns > times->last_ns ? ts_ns : times->last_ns;
    if (__builtin_expect(!brief_has_evidence(r->evidence, b), 1))
        return;
    if (!r->shard->lasts)
        source_lasts_make(r->shard);
    struct source_last *last = &r->shard->lasts[number];
    uint32_t ports = (uint32_t)brief_src_port(b) << 16 | b->port;
    if (last->ports == 0 || ts_ns > last->ns || (ts_ns == last->ns && ports > last->ports))
        *last = (struct source_last){ts_ns, ports,
                                     set_is_verdict(b->set) ? SOURCE_DAY_UDP : SOURCE_DAY_TCP};
}

/* Counts a brief that its pair does not take. */
void day_count_apart(const struct day_run *r, const struct brief *b, struct pair *pair,
                     uint32_t number, uint32_t combo);

/* Counts a brief of a known source and pair: in the pair where it is like the first of the day. */
static inline void day_count(const struct day_run *r, const struct brief *b, struct pair *pair,
                             uint32_t number)
{
    uint32_t combo = combo_number(r->combos, combo_name(b));
    uint64_t of_pair = pair->state >> PAIR_COMBO & (PAIR_COMBOS - 1);
    bool is_room = pair->state >> PAIR_COUNT != PAIR_COUNT_MAX;
    if (__builtin_expect(r->is_current & (combo == of_pair) & (combo != 0) & is_room, 1)) {
        pair->state += UINT64_C(1) << PAIR_COUNT;
        day_count_times(r, b, number);
        return;
    }
    day_count_apart(r, b, pair, number, combo);
}

/* Counts any other packet of a source. */
void day_observe(struct tally *t, struct tally_day *day, unsigned shard, uint32_t number,
                 const struct observation *o, const struct label *label);

/* What briefs of this set to this port (ICMP: kind) are; without source, packets, times. */
struct day_row day_row_of_set(const struct tally *t, unsigned set, uint16_t port);

/* What a pair counts of the current day, as a row without times. */
struct day_row day_row_of_pair(const struct tally *t, const struct pair *pair, uint32_t number);

/* The tally's day, made where there is none. */
struct tally_day *tally_day_at(struct tally *t, const struct calendar_day *of);

/* Takes a day out of the tally and frees it: it is not the current one, and all of it was packed. */
void tally_day_drop(struct tally *t, struct tally_day *day);
void tally_day_destroy(struct tally_day *day); /* accepts NULL */

/* The number of a source that is there. */
uint32_t source_number(const struct source_table *shard, const uint8_t address[16],
                       unsigned ip_version);

/* The number of a pair's source. */
uint32_t pair_source_look_up(const struct source_table *shard, const struct pair *pair);

static inline uint32_t pair_source_number(const struct source_table *shard, const struct pair *pair)
{
    uint32_t number = pair_source(pair);
    return __builtin_expect(number != PAIR_NO_SOURCE, 1) ? number
                                                         : pair_source_look_up(shard, pair);
}

#endif
