#include "export/rfc3339.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t SECOND_NS = 1000000000;

/* Also of the first nanoseconds of the type, which have no whole second. */
static time_t split(int64_t ns, int64_t *part_ns)
{
    bool is_before = ns % SECOND_NS < 0;
    *part_ns = ns % SECOND_NS + (is_before ? SECOND_NS : 0);
    return (time_t)(ns / SECOND_NS - is_before);
}

static size_t put(char *to, const struct tm *tm, int64_t part_ns, unsigned digits)
{
    size_t len =
        (size_t)snprintf(to, RFC3339_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900,
                         tm->tm_mon + 1, tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
    if (digits > 0) {
        snprintf(to + len, RFC3339_TEXT - len, ".%09" PRId64, part_ns);
        len += 1 + digits;
    }
    return len;
}

const char *rfc3339_text(int64_t ns, unsigned digits, char to[RFC3339_TEXT])
{
    int64_t part;
    time_t seconds = split(ns, &part);
    struct tm tm;
    long minutes;
    size_t len;
    localtime_r(&seconds, &tm);
    minutes = tm.tm_gmtoff / 60; /* RFC 3339 knows no seconds of an offset */
    len = put(to, &tm, part, digits);
    snprintf(to + len, RFC3339_TEXT - len, "%c%02ld:%02ld", minutes < 0 ? '-' : '+',
             (minutes < 0 ? -minutes : minutes) / 60 % 100,
             (minutes < 0 ? -minutes : minutes) % 60);
    return to;
}

const char *rfc3339_utc(int64_t ns, unsigned digits, char to[RFC3339_TEXT])
{
    int64_t part;
    time_t seconds = split(ns, &part);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    memcpy(to + put(to, &tm, part, digits), "Z", 2);
    return to;
}
