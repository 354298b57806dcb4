/* feed_log.h has the manual: names of segments, and what belongs to which. */
#include "export/feed_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t second_ns = INT64_C(1000000000);
static const int64_t hour_ns = INT64_C(3600) * INT64_C(1000000000);

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

bool feed_segment_takes(int64_t first_ns, int64_t start_ns)
{
    enum { HOURS_BEFORE = 24 };
    int64_t first = floor_div(first_ns, hour_ns), hour = floor_div(start_ns, hour_ns);
    return hour <= first && hour >= first - HOURS_BEFORE;
}

void feed_segment_name(int64_t start_ns, uint32_t segment, char name[FEED_NAME])
{
    time_t seconds = (time_t)floor_div(start_ns, second_ns);
    struct tm utc;
    char start[32];
    gmtime_r(&seconds, &utc);
    strftime(start, sizeof start, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(name, FEED_NAME, "%s-%06" PRIu32 ".yami", start, segment);
}

enum feed_segment feed_segment_kind(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *hyphen = strchr(slash == NULL ? name : slash, '-');
    if (hyphen != NULL && strncmp(hyphen, "-sources-", 9) == 0)
        return FEED_SOURCES;
    return hyphen != NULL && strncmp(hyphen, "-day-", 5) == 0 ? FEED_DAY : FEED_WINDOWS;
}

void feed_day_segment_name(int32_t date, enum feed_segment kind, uint32_t segment,
                           char name[FEED_NAME])
{
    time_t seconds = (time_t)date * 86400;
    struct tm utc;
    char day[16];
    if (gmtime_r(&seconds, &utc) == NULL || strftime(day, sizeof day, "%Y%m%d", &utc) == 0)
        snprintf(day, sizeof day, "99999999"); /* of a year that no record has */
    snprintf(name, FEED_NAME, "%.16s-%s-%06" PRIu32 ".yami", day,
             kind == FEED_SOURCES ? "sources" : "day", segment);
}

uint64_t feed_segment_number(const char *name)
{
    const char *hyphen = strrchr(name, '-');
    if (hyphen == NULL || hyphen[1] < '0' || hyphen[1] > '9')
        return UINT64_MAX;
    return strtoull(hyphen + 1, NULL, 10);
}

bool feed_is_segment_name(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".yami") == 0;
}
