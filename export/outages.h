/* outages: what a feed says of time that it did not watch, and of what its writer gave up meanwhile.
 *
 *   all zero -> outages_add_gap, outages_add_window or outages_add_record, in any order -> outages_json -> outages_fini
 *
 * Of several sensors each has its own. Memory: OUTAGES_KEPT gaps of about 100 bytes and their sensors' names; those that came
 * behind are counted alone. One thread; no clock.
 */
#ifndef EXPORT_OUTAGES_H
#define EXPORT_OUTAGES_H

#include "export/feed_note.h"
#include "export/window.h"

#include <stdio.h>

enum { OUTAGES_KEPT = 1000 };

struct outages {
    struct feed_gap *gaps; /* in the feed's order; each sensor's name is malloced */
    size_t gap_count, gap_size;
    uint64_t gaps_more;        /* not kept */
    uint64_t windows, partial; /* first parts; of them, those not all of whose span was watched */
    struct window_given_up given_up;
};

void outages_fini(struct outages *o); /* accepts all zero; all zero behind */

/* Takes the bytes of a Gap. -EBADMSG and the fault says what does not hold; -ENOMEM. */
int outages_add_gap(struct outages *o, const uint8_t *body, size_t len, struct fault *fault);

void outages_add_window(struct outages *o, const struct window *w);

/* Takes a window's bytes without unpacking it: its few fields are looked for, nothing else is held to anything. -EBADMSG: they
 * are no window's. */
int outages_add_record(struct outages *o, const uint8_t *body, size_t len);

/* Forgets gaps that ended before: for who follows a feed for years. */
void outages_drop(struct outages *o, int64_t before_ns);

/* Whether there is anything to say. */
bool outages_are_none(const struct outages *o);

/* Nanoseconds of [from_ns, to_ns) that gaps cover: what several of them cover counts once, no more than
 * INT64_MAX. -ENOMEM. */
int outages_missing(const struct outages *o, int64_t from_ns, int64_t to_ns, int64_t *ns);

/* {windows, partial (not all of their span was watched), missing_s (null where memory ended),
 *  gaps [{start, end (seconds since 1970, cut to [from_ns, to_ns)), reason ("restart", ...), said [en, ja], windows (records
 *  given up), sensor}], gaps_more, given_up {recorder_packets, windows, events, ports, sources}} */
void outages_json(FILE *out, const struct outages *o, int64_t from_ns, int64_t to_ns);

#endif
