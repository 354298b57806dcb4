/* window_check: does a Window record hold by itself?
 *
 * Every rule that one window can be held to: its ledger, totals, kinds, marks, rules, port columns
 * and sketches, each alone and against the others. The record is a stranger's: nothing
 * in it is believed, and sums that would overflow stay at their end, where they match nothing.
 */
#ifndef EXPORT_WINDOW_CHECK_H
#define EXPORT_WINDOW_CHECK_H

#include "classify/label.h"
#include "classify/ruleset.h"
#include "export/window.h"
#include "export/yamiscope.pb-c.h"

#include <stdbool.h>

struct window_check_ports {
    uint64_t packets, bytes, syn, scan; /* sums of the columns */
};

/* Large; its owner sets the first four and reads the rest after a call. */
struct window_check {
    const struct ruleset *rules; /* what the feed's rules are known to be; NULL: unknown */
    int64_t span_ns;             /* every window's */
    bool is_any_span;            /* no header is at hand: each has its own span, above 0 */
    bool is_filtered;            /* the feed has packets taken out by a filter */
    char why[200];               /* after false: what does not hold, with both values */

    struct window_ledger ledger;
    bool is_without_sketches;   /* of the window being checked */
    uint64_t kinds[KIND_COUNT]; /* packets */
    uint64_t marks[MARK_COUNT]; /* packets */
    struct source_count sources[MARK_COUNT];
    uint64_t marks_out[SHARE_MARK_COUNT]; /* of them, what is taken out of _ex_survey */
    struct source_count sources_out[SHARE_MARK_COUNT];
    struct window_check_ports ports[PORT_PROTO_COUNT];
    uint64_t rule_packets;       /* of all rules */
    uint64_t payload_packets;    /* of them, with evidence `payload` */
    uint64_t by_port[RULES_MAX]; /* packets of each rule, computed from the port rows */
    uint64_t strict_by_port, broad_by_port;
    struct hll hll[MARK_COUNT];
    struct hll_blocks blocks[MARK_COUNT]; /* of each sketch: those in use */
};

bool window_check(struct window_check *c, const Yamiscope__Window *w);

#endif
