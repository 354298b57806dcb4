#include "export/calendar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DAY_S = 86400, QUARTER_S = 900 };

static const int64_t SECOND_NS = 1000000000;

int calendar_zone(const char *name)
{
    if (setenv("TZ", name, 1) < 0)
        return -ENOMEM;
    tzset();
    return 0;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Days and civil dates by counting in eras of 400 years that begin in March (Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", 2013). */
int32_t calendar_date_of(struct calendar_civil civil)
{
    int64_t year = civil.year - (civil.month <= 2);
    int64_t era = floor_div(year, 400);
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * ((civil.month + 9) % 12) + 2) / 5 + civil.day - 1;
    return (int32_t)(era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468);
}

struct calendar_civil calendar_civil_of(int32_t date)
{
    int64_t days = (int64_t)date + 719468;
    int64_t era = floor_div(days, 146097);
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    return (struct calendar_civil){
        .year = (int32_t)(year + era * 400 + (month >= 10)),
        .month = (uint8_t)(month < 10 ? month + 3 : month - 9),
        .day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1),
    };
}

const char *calendar_text(int32_t date, char text[CALENDAR_DATE])
{
    struct calendar_civil c = calendar_civil_of(date);
    (void)snprintf(text, CALENDAR_DATE, "%04d-%02u-%02u", (int)c.year, c.month, c.day);
    return text;
}

static int32_t local_date(int64_t ts_s)
{
    time_t at = (time_t)ts_s;
    struct tm tm;
    if (!localtime_r(&at, &tm))
        return (int32_t)floor_div(ts_s, DAY_S);
    return calendar_date_of((struct calendar_civil){
        .year = tm.tm_year + 1900, .month = (uint8_t)(tm.tm_mon + 1), .day = (uint8_t)tm.tm_mday});
}

/* The first second whose local date is `date` or later: no zone is more than a day and a half from UTC. */
static int64_t start_of(int32_t date)
{
    int64_t at = (int64_t)date * DAY_S - DAY_S * 3 / 2;
    while (local_date(at) < date)
        at += QUARTER_S;
    int64_t before = at - QUARTER_S;
    while (at - before > 1) {
        int64_t middle = before + (at - before) / 2;
        if (local_date(middle) < date)
            before = middle;
        else
            at = middle;
    }
    return at;
}

static int64_t to_ns(int64_t s)
{
    int64_t ns;
    if (__builtin_mul_overflow(s, SECOND_NS, &ns))
        return s < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

struct calendar_day calendar_day_at(int32_t date)
{
    return (struct calendar_day){date, to_ns(start_of(date)), to_ns(start_of(date + 1))};
}

struct calendar_day calendar_day_of(int64_t ts_ns)
{
    struct calendar_day day = calendar_day_at(local_date(floor_div(ts_ns, SECOND_NS)));
    if (ts_ns >= day.end_ns && day.end_ns != INT64_MAX) /* the clock stepped back over midnight */
        day = calendar_day_at(day.date + 1);
    return day;
}

bool calendar_splits(const struct calendar_day *day, int64_t start_ns, int64_t span_ns)
{
    return span_ns > 0 && start_ns < day->end_ns && day->end_ns - start_ns < span_ns;
}
