/* zone: time zones by their IANA names, and the calendar days that begin in them.
 *
 * C has one local zone, the process's (TZ), so whoever asks sets it: no other thread may read local times
 * meanwhile.
 */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include "capture/fault.h"

#include <stddef.h>
#include <stdint.h>

/* 0; -EINVAL with a fault that begins with `subject`: not "UTC", and no zone of the system's. */
int zone_check(const char *zone, const char *subject, struct fault *fault);

/* Where days begin: starts_ns[i] is the first nanosecond, since 1970-01-01 UTC, at which the zone's calendar
 * shows date + i or a later day, for i from 0 to `days` (so of days + 1 dates). Dates count from 1970-01-01. A
 * day has 24 hours, but where the clock changes 23 or 25, or what the zone decided. Sets TZ. 0 or -ENOMEM. */
int zone_days(const char *zone, int32_t date, size_t days, int64_t *starts_ns);

/* Whether days of the zone begin between two windows of this length, which begin at its multiples since 1970-01-01 UTC: from `from_s` on, for
 * 50 years (further on zones only repeat themselves). 0; -EINVAL with a fault that begins with `subject` and names the longest window that fits:
 * a span of 4, 6, 10 or 12 minutes does not in every zone of a quarter or half hour, nor does any but 1 s in one
 * of odd seconds, as many had before clocks were set by each other. Sets TZ; -ENOMEM. */
int zone_windows_check(const char *zone, int64_t span_ns, int64_t from_s, const char *subject,
                       struct fault *fault);

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
int32_t zone_date(int year, int month, int day);

#endif
