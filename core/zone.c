#include "core/zone.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int zone_check(const char *zone, const char *subject, struct fault *fault)
{
    static const char magic[4] = {'T', 'Z', 'i', 'f'};
    char path[512], begin[4] = {0};
    bool is_zone = !strcmp(zone, "UTC");
    if (!is_zone && !strstr(zone, "..")) {
        const char *dir = getenv("TZDIR"); /* as the C library has it */
        snprintf(path, sizeof path, "%s/%s", dir && *dir ? dir : "/usr/share/zoneinfo", zone);
        FILE *file = fopen(path, "re");
        is_zone = file && fread(begin, 1, sizeof begin, file) == sizeof begin &&
                  !memcmp(begin, magic, sizeof magic);
        if (file)
            fclose(file);
    }
    return is_zone ? 0
                   : fault_set(fault, EINVAL, "%s: '%s' is no zone of /usr/share/zoneinfo", subject,
                               zone);
}

int32_t zone_date(int year, int month, int day)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (int32_t)(timegm(&tm) / 86400);
}

static int32_t local_date(time_t time)
{
    struct tm tm;
    localtime_r(&time, &tm);
    return zone_date(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

/* By halving: some zones have no midnight on days the clock changes, some have two. Zones lie within 15 hours
 * of UTC. */
static time_t date_begin(int32_t date)
{
    time_t before = (time_t)date * 86400 - 54000, from = before + 108000;
    while (from - before > 1) {
        time_t middle = before + (from - before) / 2;
        if (local_date(middle) < date)
            before = middle;
        else
            from = middle;
    }
    return from;
}

/* The longest of at most `span` that divides an hour and the time `at`. */
static int64_t span_that_fits(int64_t at, int64_t span)
{
    while (3600 % span != 0 || at % span != 0)
        span--;
    return span;
}

/* Offsets from UTC tell, a day at a time: where they fit, so does the day's begin, be it a midnight or, where the clock goes on
 * over midnight, a change. */
int zone_windows_check(const char *zone, int64_t span_ns, int64_t from_s, const char *subject,
                       struct fault *fault)
{
    enum { DAYS = 50 * 366 };
    const int64_t span = span_ns / 1000000000;
    if (setenv("TZ", zone, 1) < 0)
        return fault_set(fault, ENOMEM, "%s: %s", subject, strerror(ENOMEM));
    tzset();
    for (int day = 0; day < DAYS; day++) {
        time_t at = (time_t)(from_s + (int64_t)day * 86400);
        struct tm tm;
        localtime_r(&at, &tm);
        for (int next = 1; tm.tm_gmtoff % span != 0 && next >= 0; next--) {
            time_t begin = date_begin(local_date(at) + next);
            if (begin < from_s || begin % span == 0)
                continue;
            (void)gmtime_r(&begin, &tm);
            return fault_set(fault, EINVAL,
                             "%s: days of %s begin inside a window of %llds (%04d-%02d-%02d at "
                             "%02d:%02d:%02d UTC); windows of %llds fit",
                             subject, zone, (long long)span, tm.tm_year + 1900, tm.tm_mon + 1,
                             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                             (long long)span_that_fits(begin, span));
        }
    }
    return 0;
}

int zone_days(const char *zone, int32_t date, size_t days, int64_t *starts_ns)
{
    if (setenv("TZ", zone, 1) < 0)
        return -ENOMEM;
    tzset();
    for (size_t i = 0; i <= days; i++)
        starts_ns[i] = (int64_t)date_begin(date + (int32_t)i) * 1000000000;
    return 0;
}
