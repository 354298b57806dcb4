/* calendar: dates of the zone in force.
 *
 * C has one local zone, the process's: calendar_zone() sets it, before threads begin; the other
 * calls are then safe in any thread. A date is a number of days since 1970-01-01. Days tile time: a date begins at the
 * first instant whose local date is it or a later one, and ends where the next begins; so days have 23 to
 * 25 hours where clocks change, and where a clock steps back over midnight the repeated time is the
 * later date's. No clock is read.
 */
#ifndef EXPORT_CALENDAR_H
#define EXPORT_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum { CALENDAR_DATE = 24 };

/* `name`: as in /usr/share/zoneinfo, "UTC", "Asia/Tokyo". 0 or -ENOMEM. */
int calendar_zone(const char *name);

struct calendar_day {
    int32_t date;
    int64_t start_ns, end_ns; /* [start, end); times that fit no 64 bits stand at their end */
};

/* Whether a day from `start_ns` to `end_ns` holds a time: the last one to fit 64 bits holds the last time, too. */
static inline bool calendar_holds(int64_t start_ns, int64_t end_ns, int64_t ts_ns)
{
    return ts_ns >= start_ns && (ts_ns < end_ns || end_ns == INT64_MAX);
}

/* The day that holds a time. Takes microseconds to milliseconds: callers keep it. */
struct calendar_day calendar_day_of(int64_t ts_ns);

/* Whether a span that begins in `day` ends behind it. */
bool calendar_splits(const struct calendar_day *day, int64_t start_ns, int64_t span_ns);

/* The day of a date. */
struct calendar_day calendar_day_at(int32_t date);

/* "2026-11-21" (proleptic Gregorian; years beyond 9999 or before 0 as they are). Returns `text`. */
const char *calendar_text(int32_t date, char text[CALENDAR_DATE]);

/* Year, month (1 to 12) and day of the month of a date, and back. */
struct calendar_civil {
    int32_t year;
    uint8_t month, day;
};
struct calendar_civil calendar_civil_of(int32_t date);
int32_t calendar_date_of(struct calendar_civil civil);

#endif
