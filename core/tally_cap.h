/* tally_cap: a tally under the memory cap: what its tables come to, what it gives up, and how packets are counted
 * whose source gave up detail or is not kept (core/memory_cap.h says what that costs).
 *
 * Part of the tally: one thread. None of it is called for packets of sources that gave up nothing.
 */
#ifndef CORE_TALLY_CAP_H
#define CORE_TALLY_CAP_H

#include "classify/classify.h"
#include "core/memory_cap.h"
#include "core/tally.h"
#include "core/tally_day.h"

struct tally_slot;

/* Adds what the tally holds: sources and pairs exactly, rows at most (of one that stands beside a pair and by
 * itself, both), without looking at them. */
void tally_cap_count(const struct tally *t, struct cap_counts *sum);

/* Adds all of it exactly, by looking at all pairs and rows; live, what is put aside counts as long as its pair does. */
void tally_cap_weigh(const struct tally *t, struct cap_weight *sum);

/* Gives up what was decided, before the next packet. Nothing is put aside. */
void tally_cap_give_up(struct tally *t, const struct cap_decision *d);

/* Counts a brief with a port whose source no longer has pairs, but for its source. */
void tally_cap_brief(struct tally *t, struct tally_slot *ts, struct source_table *shard,
                     uint32_t number, const struct brief *b, const struct day_run *run);

/* Says of a port's row that a packet's source may be one more. */
void tally_cap_port(struct tally *t, struct port_count *row, unsigned proto);

/* Counts what needs the source, of a packet whose source is not kept: its port, its day, its marks; sketches know it all
 * the same. `day` may be NULL. */
void tally_cap_lone_brief(struct tally *t, struct tally_slot *ts, const struct brief *b,
                          struct tally_day *day);
void tally_cap_lone(struct tally *t, struct tally_slot *ts, const struct observation *o,
                    const struct label *label, struct tally_day *day);

/* Says in a window what of it is not exact; the last to fill it. */
void tally_cap_seal(const struct tally *t, struct tally_slot *ts, struct window *w);

#endif
