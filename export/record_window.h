/* record_window: a Window record back to a window.
 *
 * A record is a stranger's: it is held to all that window_check knows, then copied. One thread per
 * reader. What the feed does not hold stays 0: scan bytes of a port.
 */
#ifndef EXPORT_RECORD_WINDOW_H
#define EXPORT_RECORD_WINDOW_H

#include "capture/fault.h"
#include "classify/ruleset.h"
#include "export/window.h"

#include <stdbool.h>

/* Under which index of window.rules each rule's counts stand. Either a rule set's own order, or the names
 * as they come up. */
struct rule_names {
    struct ruleset set;       /* what record_pack_window takes: rules and rule_count alone count */
    struct rule *rules;       /* RULES_MAX of them */
    bool is_fixed;            /* those of a rule set: no other is taken up */
    bool is_sorted;           /* nothing came up since rule_names_sort */
    uint64_t unknown_packets; /* of rules left out, since they are not in the fixed set */
};

/* `fixed`: the rule set whose names and order hold; it must outlive the names. NULL: names are taken up. -ENOMEM. */
int rule_names_init(struct rule_names *n, const struct ruleset *fixed);
void rule_names_fini(struct rule_names *n); /* accepts all zero */

/* From now on those of another rule set, not NULL; no window that was filled before goes on with them. */
void rule_names_change(struct rule_names *n, const struct ruleset *fixed);

/* Index of a rule, `hint` being a good guess. RULE_NONE: not in a fixed set; RULES_MAX: one too many;
 * -ENOMEM. */
int rule_names_find(struct rule_names *n, const char *id, unsigned hint);

/* Puts names that came up in the order of their bytes, and the counts of `w` with them. Windows filled before and
 * not given here are wrong afterwards. No effect on a fixed set. -ENOMEM: nothing is changed. */
int rule_names_sort(struct rule_names *n, struct window *w);

struct record_window;

struct record_window *record_window_create(void);    /* 1 MB; NULL with errno */
void record_window_destroy(struct record_window *u); /* accepts NULL */

/* What the header of the segment says; every window that follows is held to it. */
void record_window_expect(struct record_window *u, int64_t span_ns, bool is_filtered);

/* No header is at hand (a Redis has none): each window that follows may have a span of its own, and a filter. */
void record_window_expect_any(struct record_window *u);

/* Fills `w`, which must be clear, from a body's bytes. -EBADMSG and the fault says what does not hold; -E2BIG: more than
 * RULES_MAX rules came up; -ENOMEM. `w` is to be cleared after a failure. */
int record_unpack_window(struct record_window *u, struct window *w, struct rule_names *names,
                         const uint8_t *body, size_t len, struct fault *fault);

/* The start of a window from the first bytes of its body, at most 16 of them looked at. False: there is none. */
bool record_window_start(const uint8_t *body, size_t len, int64_t *start_ns);

#endif
