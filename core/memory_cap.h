/* memory_cap: what the tables of sources and days take by formula, and what is given up beyond a cap (DESIGN.md 5).
 *
 * The formula counts what does not depend on workers, batches, growth or hash seed: distinct sources, their (source,
 * protocol, port) pairs, which payload rules each showed on days that are over, and the rows that the days which are not
 * over would have if every row stood by itself. So it is an upper bound: rows that are counted beside their pair take no room of their own, and
 * ordinary captures use about half. All else of a run (windows, batches, rings: some 10 MB a worker;
 * source days that wait for the end: 256 MB, then a file) is not in it.
 *
 * Detail is given up in this order, by one cut-off over all shards, of sources by their packets of the days that are
 * not over, those at the cut-off included:
 *   1. ports: the source's days no longer list ports, and it leaves the pairs;
 *   2. rules: its days no longer list which payload rule or bot;
 *   3. sources: from now on new sources are only counted.
 * 1 and 2 take the fewest packets that free enough, and spare the sources that send the greater half of all
 * packets: a flood of sources with a packet each must not cost the scanners' ports. Where that does not do, 3
 * begins; only behind it nobody is spared. What a source gave up, and 3, last to the end of the run, whose
 * distinct counts go on through all of it.
 *
 * Which numbers are then not exact:
 *   1. a Day: ports, categories, rules, numerators, who is a survey scanner (given_up.ports); distinct sources of a
 *      port or of a rule's ports, in windows (low < high) and over the run (lower bounds);
 *   2. a Day: payload rules, bots and what follows from them (given_up.rules); distinct sources of a payload rule over the run;
 *   3. all of a Day but its kinds (given_up.sources); distinct sources of all marks, kinds and tools, in windows low < high,
 *      over the run lower bounds; what windows take out of _ex_survey. HyperLogLogs miss nobody.
 * Packets of windows (kinds, ports, rules by packets, marks) are exact whatever is given up.
 *
 * Plain functions; any thread, no clock.
 */
#ifndef CORE_MEMORY_CAP_H
#define CORE_MEMORY_CAP_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes, with what stands empty in tables that grow by half and are at most 3/4 full (on average 3/5), and in
 * rows that double (3/4). */
enum {
    CAP_SOURCE_BYTES =
        100, /* 32, a slot of 4 / (3/5), times, last bot and IPv6 address of 16 / (4/5) each */
    CAP_PAIR_BYTES = 28,  /* 16 / (3/5) */
    CAP_ROW_BYTES = 76,   /* (48 + 2 slots of 4) / (3/4) */
    CAP_SHOWN_BYTES = 22, /* 12 / (9/16), in a table that doubles beyond 3/4 */
    CAP_PACKET_BYTES =
        CAP_SOURCE_BYTES + CAP_PAIR_BYTES + CAP_ROW_BYTES, /* a packet adds at most one of each */
};

/* The least cap, and the one unless set. The same on every machine: it decides what a feed says, and a feed must
 * not depend on its host (law 2). 60 million sources with two ports each fit in. */
#define CAP_LEAST   UINT64_C(16000000)
#define CAP_DEFAULT "16G"

struct cap_counts {
    uint64_t sources, pairs, rows;
    uint64_t shown; /* payload rules of each source, of days that are over */
};

static inline uint64_t cap_bytes(const struct cap_counts *c)
{
    return c->sources * CAP_SOURCE_BYTES + c->pairs * CAP_PAIR_BYTES + c->rows * CAP_ROW_BYTES +
           c->shown * CAP_SHOWN_BYTES;
}

/* Sources by packets: single numbers below 16, then eight steps each time they double. */
enum { CAP_STEPS = 16 + 60 * 8 };
unsigned cap_step(uint64_t packets);
uint64_t cap_step_last(unsigned step); /* the most packets that are in it */

struct cap_step {
    uint64_t packets;       /* of all its sources */
    uint64_t fresh_packets; /* of those that have given up nothing */
    uint64_t ports_bytes;   /* that giving up ports frees */
    uint64_t rules_bytes;   /* and rules, behind it */
};

/* What there is; nothing but counters, which add over shards. */
struct cap_weight {
    struct cap_counts counts;
    uint64_t whole; /* sources that have something left to give up */
    struct cap_step at[CAP_STEPS];
};

void cap_weight_add(struct cap_weight *into, const struct cap_weight *from);

struct cap_decision {
    bool has_ports, has_rules;     /* sources up to the cut give up ports, rules */
    bool is_full;                  /* new sources are only counted */
    uint64_t ports_cut, rules_cut; /* packets; rules_cut <= ports_cut */
    uint64_t
        packets; /* of the days that are not over, of sources that give up something for the first time */
};

/* Decides so that 3/4 of the cap are left in use, for which all tables were looked at; all false while they are within the cap, or
 * where nothing is left to give up. `is_full`: it was decided before. */
void cap_decide(const struct cap_weight *w, uint64_t cap, bool is_full, struct cap_decision *d);

#endif
