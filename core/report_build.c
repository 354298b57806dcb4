#include "core/report_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int no_memory(struct fault *fault)
{
    return fault_set(fault, ENOMEM, "report: %s", strerror(ENOMEM));
}

/* ---- days */

/* The days [from, to) as one span; NULL in *out where none of them can be read. */
static int days_build(const struct report_build *b, enum span_unit unit, const char *label,
                      size_t from, size_t to, struct span **out, struct fault *fault)
{
    struct span *s = span_create(unit, label);
    int err = s == NULL ? no_memory(fault) : 0;
    bool is_whole = true;
    *out = NULL;
    for (size_t i = from; err == 0 && i < to; i++) {
        const struct day_result *day;
        bool is_restated;
        int found = report_feeds_day(b->feeds, i, &day, &is_restated, fault);
        if (found < 0)
            err = found;
        else if (found == 0)
            is_whole = false;
        else if (span_add_day(s, day, is_restated) < 0)
            err = no_memory(fault);
    }
    if (err == 0 && is_whole)
        err = report_feeds_sources(b->feeds, s, from, to, fault);
    if (err == 0 && span_end(s) < 0)
        err = no_memory(fault);
    if (err < 0 || s->days == 0)
        span_destroy(s);
    else
        *out = s;
    return err;
}

static int days_series(const struct report_build *b, struct fault *fault)
{
    size_t count = report_feeds_count(b->feeds);
    for (size_t from = 0, to; from < count; from = to) {
        int32_t date = report_feeds_date(b->feeds, from);
        int32_t next = span_next_date(b->per, date);
        char label[SPAN_LABEL];
        struct span *s;
        for (to = from + 1; to < count && report_feeds_date(b->feeds, to) < next;)
            to++;
        span_label(b->per, date, label);
        int err = days_build(b, b->per, label, from, to, &s, fault);
        if (err < 0)
            return err;
        if (s != NULL && b->take != NULL)
            b->take(b->context, s);
        span_destroy(s);
    }
    return 0;
}

/* ---- windows */

struct hour {
    int64_t start_ns;
    struct span *span;
};

struct hours {
    const struct report_build *build;
    struct hour *at; /* ascending */
    size_t count, size;
};

/* The hour on the feed's clock: zones that are off by half an hour have hours of their own. Its begin; *tm says it
 * in full, all zero where the clock does not reach. */
static int64_t hour_of(int64_t ns, struct tm *tm)
{
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    time_t time = (time_t)seconds;
    memset(tm, 0, sizeof *tm);
    if (localtime_r(&time, tm) == NULL)
        return ns;
    int64_t into = tm->tm_min * 60 + tm->tm_sec;
    tm->tm_min = tm->tm_sec = 0;
    int64_t begin_ns; /* the type's first hour is cut */
    return __builtin_mul_overflow(seconds - into, INT64_C(1000000000), &begin_ns) ? INT64_MIN
                                                                                  : begin_ns;
}

/* The label of an hour has the offset, since one hour of a year is there twice. */
static void hour_label(const struct tm *tm, char label[SPAN_LABEL])
{
    char date[32], zone[8];
    label[0] = '\0';
    if (tm->tm_mday == 0)
        return;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M", tm);
    strftime(zone, sizeof zone, "%z", tm);
    snprintf(label, SPAN_LABEL, "%s%.3s:%.2s", date, zone, zone + 3);
}

/* Windows come in order but for late ones: the place is near the end. */
static struct span *hour_find(struct hours *h, int64_t ns)
{
    char label[SPAN_LABEL];
    struct tm tm;
    int64_t start_ns = hour_of(ns, &tm);
    size_t at = h->count;
    while (at > 0 && h->at[at - 1].start_ns > start_ns)
        at--;
    if (at > 0 && h->at[at - 1].start_ns == start_ns)
        return h->at[at - 1].span;
    if (h->count == h->size) {
        size_t size = h->size == 0 ? 64 : h->size * 2;
        struct hour *grown = realloc(h->at, size * sizeof *grown);
        if (grown == NULL)
            return NULL;
        h->at = grown;
        h->size = size;
    }
    hour_label(&tm, label);
    struct span *s = span_create(SPAN_hour, label);
    if (s == NULL)
        return NULL;
    memmove(&h->at[at + 1], &h->at[at], (h->count - at) * sizeof *h->at);
    h->at[at] = (struct hour){start_ns, s};
    h->count++;
    return s;
}

static int hour_take(void *context, const struct window *w)
{
    struct hours *h = context;
    struct span *s = hour_find(h, w->start_ns);
    return s == NULL ? -ENOMEM : span_add_window(s, w, h->build->rules, false);
}

static int hours_series(const struct report_build *b, struct fault *fault)
{
    struct hours h = {.build = b};
    int err = report_feeds_windows(b->feeds, hour_take, &h, fault);
    for (size_t i = 0; i < h.count; i++) {
        if (err == 0 && span_end(h.at[i].span) < 0)
            err = no_memory(fault);
        if (err == 0 && b->take != NULL)
            b->take(b->context, h.at[i].span);
        span_destroy(h.at[i].span);
    }
    free(h.at);
    return err;
}

struct whole {
    const struct report_build *build;
    struct span *span;
};

static int whole_take(void *context, const struct window *w)
{
    struct whole *whole = context;
    return span_add_window(whole->span, w, whole->build->rules, true);
}

static int windows_whole(const struct report_build *b, struct span **out, struct fault *fault)
{
    struct whole whole = {b, span_create(SPAN_all, "")};
    if (whole.span == NULL)
        return no_memory(fault);
    int err = report_feeds_windows(b->feeds, whole_take, &whole, fault);
    struct span *s = whole.span;
    if (err == 0 && span_end(s) < 0)
        err = no_memory(fault);
    if (err < 0 || s->windows == 0) {
        span_destroy(s);
        return err;
    }
    char from[SPAN_LABEL], to[SPAN_LABEL];
    struct tm tm;
    hour_of(s->start_ns, &tm);
    hour_label(&tm, from);
    hour_of(s->end_ns - 1, &tm);
    hour_label(&tm, to);
    snprintf(s->label, sizeof s->label, "%.16s%s%.16s", from, strcmp(from, to) == 0 ? "" : "/",
             strcmp(from, to) == 0 ? "" : to);
    *out = s;
    return 0;
}

/* ---- both */

int report_build_series(const struct report_build *b, struct fault *fault)
{
    if (b->per == SPAN_all)
        return 0;
    return b->per == SPAN_hour ? hours_series(b, fault) : days_series(b, fault);
}

int report_build_whole(const struct report_build *b, struct span **out, struct fault *fault)
{
    size_t count = report_feeds_count(b->feeds);
    char label[SPAN_LABEL], to[SPAN_DATE];
    *out = NULL;
    if (count == 0)
        return windows_whole(b, out, fault);
    span_date_text(report_feeds_date(b->feeds, 0), label);
    if (count > 1) {
        size_t len = strlen(label);
        span_date_text(report_feeds_date(b->feeds, count - 1), to);
        snprintf(label + len, sizeof label - len, "/%s", to);
    }
    return days_build(b, SPAN_all, label, 0, count, out, fault);
}
