/* feed_sums: what the Windows of an hour, and of a date, come to so far.
 *
 * Readers that are told absolute values (a sink that may send twice) need the sum of an hour with every part of it, however
 * late. Sums of the newest hours and dates are kept; of an older one, which a late part touches, they are
 * made again from the feed, whose segments say by their names where its windows can stand. Hours are UTC, dates those of
 * the zone in force (calendar.h), which must be the feed's. A window stands in the hour and date of its start.
 *
 * One thread. About 1.3 MB per hour, of which SUM_HOURS are kept, and 10 MB.
 */
#ifndef EXPORT_FEED_SUMS_H
#define EXPORT_FEED_SUMS_H

#include "capture/fault.h"
#include "export/day.h"
#include "export/window.h"

#include <stdbool.h>
#include <stdint.h>

enum { SUM_HOURS = 6, SUM_DATES = 4 };

struct hour_sum {
    int64_t start_ns;
    uint64_t scan[PORT_PROTO_COUNT][65536]; /* packets of scan kinds */
    struct hll hll[MARK_COUNT];             /* distinct sources */
    /* What came since feed_sums_clean: bit port % 64 of word port / 64; 1 << mark. */
    uint64_t new_ports[PORT_PROTO_COUNT][WINDOW_PORT_WORDS];
    uint32_t new_marks;
    bool lacks_sketches; /* a window of it has none: hll means nothing */
    bool is_new;         /* anything of it */
    uint64_t used;       /* in turn */
};

/* A date, as its windows have it, or as its Day decided it. */
struct date_sum {
    int32_t date;
    int64_t start_ns, end_ns;
    bool is_final;
    uint32_t revision;                     /* of the Day */
    uint64_t packets[SHARE_MARK_COUNT];    /* per denominator and numerator */
    uint64_t packets_ex[SHARE_MARK_COUNT]; /* without what is taken out of _ex_survey */
    uint64_t sources[SHARE_MARK_COUNT], sources_ex[SHARE_MARK_COUNT]; /* exact, of a Day alone */
    bool has_ex;
    char ex_absent[128];              /* why not; "" */
    struct hll hll[SHARE_MARK_COUNT]; /* of windows; lacks_sketches: means nothing */
    bool is_new, lacks_ex, lacks_sketches;
    uint64_t used;
};

struct feed_sums;

/* `dir`: the folder of the feed. NULL with errno. */
struct feed_sums *feed_sums_create(const char *dir);
void feed_sums_destroy(struct feed_sums *s); /* accepts NULL */

/* Forgets all: what is added next need not follow what was added before. */
void feed_sums_reset(struct feed_sums *s);

/* Adds a Window of the feed, record `seq`. `greatest_ns`: the greatest start of a window before it in the feed; INT64_MIN:
 * it is the first. An hour or date that begins behind that has no earlier windows; the sum of any other that is not
 * at hand is made from the records before this one. Sums that have news are not given up before
 * feed_sums_clean: -ENOBUFS asks for it, nothing is added then. -errno and a fault. */
int feed_sums_add(struct feed_sums *s, const struct window *w, uint64_t seq, int64_t greatest_ns,
                  struct fault *fault);

/* A Day of the feed decides its date. As above. */
int feed_sums_decide(struct feed_sums *s, const struct day_result *r, struct fault *fault);

/* The sums that have news, in no order; 0: no more. Begin with *at = 0. */
const struct hour_sum *feed_sums_hour(const struct feed_sums *s, unsigned *at);
const struct date_sum *feed_sums_date(const struct feed_sums *s, unsigned *at);

/* Nothing is new any more. */
void feed_sums_clean(struct feed_sums *s);

#endif
