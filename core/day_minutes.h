/* day_minutes: what of a day only the receiver sees: which minutes held packets, and what a filter took out.
 *
 * One thread, the receiver's; time is the packets'.
 */
#ifndef CORE_DAY_MINUTES_H
#define CORE_DAY_MINUTES_H

#include "export/calendar.h"
#include "export/day_facts.h"

struct watched_day {
    struct calendar_day of;
    uint64_t minutes[DAY_MINUTE_WORDS]; /* as in struct day_telescope */
    uint64_t filtered;
};

struct day_minutes {
    int64_t from_ns, to_ns;   /* [from, to): a minute that is marked already */
    uint32_t last;            /* the day that was found last */
    struct watched_day *days; /* sorted */
    uint32_t count;
};

void day_minutes_fini(struct day_minutes *w); /* also of a zeroed one */

/* The day of a time; valid until the next call. Ends the program where memory ends. */
struct watched_day *day_minutes_find(struct day_minutes *w, int64_t ts_ns);

void day_minutes_mark_slow(struct day_minutes *w, int64_t ts_ns);

/* A packet has this time. */
static inline void day_minutes_mark(struct day_minutes *w, int64_t ts_ns)
{
    if (ts_ns < w->from_ns || ts_ns >= w->to_ns)
        day_minutes_mark_slow(w, ts_ns);
}

#endif
