/* Answers with an end: windows, days, look-ups, health, metrics. Part of http. */
#include "export/http_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)
enum {
    HEAVY_MAX = 32,
    READY_MS = 20000,
    LIMIT = 60,
    EVENTS = 1000,
    DAYS = 31,
    TOP = 20,
    TOP_MAX = 65536
};

static const char json[] = "application/json; charset=utf-8";
static const char protobuf[] = "application/x-protobuf; delimited=true";

/* An argument as a number; `initial` where it is not given. False: it is none; *answer is made. */
static bool number_read(struct http_request *r, const char *name, uint64_t min, uint64_t max,
                        uint64_t *value, enum MHD_Result *answer)
{
    char text[96];
    const char *given = http_argument(r, name);
    if (given == NULL || (http_number(given, max, value) && *value >= min))
        return true;
    snprintf(text, sizeof text, "%s: is no number from %llu to %llu", name, (unsigned long long)min,
             (unsigned long long)max);
    *answer = http_answer_error(r, 400, text);
    return false;
}

static bool time_read(struct http_request *r, const char *name, int64_t *ns,
                      enum MHD_Result *answer)
{
    char text[96];
    const char *given = http_argument(r, name);
    if (given == NULL || http_time(given, ns))
        return true;
    snprintf(text, sizeof text, "%s: is no time such as 1767225600 or 2026-01-01T00:00:00Z", name);
    *answer = http_answer_error(r, 400, text);
    return false;
}

static bool date_read(struct http_request *r, const char *name, int32_t *date,
                      enum MHD_Result *answer)
{
    char text[96];
    const char *given = http_argument(r, name);
    if (given == NULL || http_date(given, date))
        return true;
    snprintf(text, sizeof text, "%s: is no date such as 2026-01-01", name);
    *answer = http_answer_error(r, 400, text);
    return false;
}

static enum MHD_Result answer_of(struct http_request *r, int err, const struct fault *fault,
                                 bool is_protobuf, struct http_body *const *body)
{
    if (err == -EINVAL || err == -ENOENT || err == -ERANGE)
        return http_answer_error(r, err == -EINVAL ? 400 : err == -ENOENT ? 404 : 410, fault->text);
    if (err < 0) {
        if (r->h->s.say != NULL)
            r->h->s.say(r->h->s.context, fault->text);
        return http_answer_error(r, 503, "the feed can't be read");
    }
    enum MHD_Result done = http_answer_body(r, 200, is_protobuf ? protobuf : json, *body);
    http_body_release(*body);
    return done;
}

/* So many seconds before the end of the newest window. */
static int64_t since_of(const struct http_follow_counts *c, int64_t seconds)
{
    int64_t since_ns;
    if (c->last_end_ns == 0)
        return 0;
    return __builtin_sub_overflow(c->last_end_ns, seconds * NS, &since_ns) ? INT64_MIN : since_ns;
}

static enum MHD_Result windows_answer(struct http_request *r)
{
    struct http_audience a = http_audience_of(r);
    struct http_follow_counts counts;
    struct fault fault = {0};
    struct http_body *body;
    enum MHD_Result answer;
    uint64_t limit = LIMIT, top = TOP, after = 0;
    http_follow_count(a.follow, &counts);
    struct http_windows_query q = {.until_ns = INT64_MAX};
    q.since_ns = since_of(&counts, 3600);
    q.is_protobuf = http_wants_protobuf(http_header(r, "Accept"));
    if (http_argument(r, "after") != NULL)
        q.since_ns = INT64_MIN;
    if (!time_read(r, "since", &q.since_ns, &answer) ||
        !time_read(r, "until", &q.until_ns, &answer) ||
        !number_read(r, "after", 0, UINT64_MAX - 1, &after, &answer) ||
        !number_read(r, "limit", 1, HTTP_WINDOWS_MAX, &limit, &answer) ||
        !number_read(r, "ports", 0, TOP_MAX * 2, &top, &answer))
        return answer;
    q.limit = limit;
    q.top = top;
    q.after = after;
    return answer_of(r, http_past_windows(r->h->past, &q, &a, &body, &fault), &fault, q.is_protobuf,
                     &body);
}

/* One of the filter's words, where it is given. */
static bool filter_read(struct http_request *r, const char *name,
                        int (*read)(struct event_filter *f, const char *word, struct fault *fault),
                        struct event_filter *f, enum MHD_Result *answer)
{
    struct fault fault = {0};
    const char *given = http_argument(r, name);
    if (given == NULL || read(f, given, &fault) == 0)
        return true;
    (void)fault_prefix(&fault, name);
    (void)fault_one_line(&fault);
    *answer = http_answer_error(r, 400, fault.text);
    return false;
}

static enum MHD_Result events_answer(struct http_request *r)
{
    struct http_audience a = http_audience_of(r);
    struct http_follow_counts counts;
    struct fault fault = {0};
    struct http_body *body;
    enum MHD_Result answer;
    uint64_t limit = EVENTS, updates = 0, newest = 0;
    struct http_events_query q = {.is_protobuf = http_wants_protobuf(http_header(r, "Accept"))};
    struct event_filter *f = &q.filter;
    http_follow_count(a.follow, &counts);
    f->has_since = http_argument(r, "since") != NULL || http_argument(r, "after") == NULL;
    f->since_ns = since_of(&counts, 86400);
    f->has_until = http_argument(r, "until") != NULL;
    if (!time_read(r, "since", &f->since_ns, &answer) ||
        !time_read(r, "until", &f->until_ns, &answer) ||
        !filter_read(r, "type", event_filter_types, f, &answer) ||
        !filter_read(r, "phase", event_filter_phases, f, &answer) ||
        !filter_read(r, "network", event_filter_network, f, &answer) ||
        !filter_read(r, "port", event_filter_port, f, &answer) ||
        !filter_read(r, "min-rate", event_filter_rate, f, &answer) ||
        !number_read(r, "after", 0, UINT64_MAX - 1, &q.after, &answer) ||
        !number_read(r, "limit", 1, HTTP_EVENTS_MAX, &limit, &answer) ||
        !number_read(r, "updates", 0, 1, &updates, &answer) ||
        !number_read(r, "newest", 0, 1, &newest, &answer))
        return answer;
    q.limit = limit;
    q.has_updates = updates > 0;
    q.is_newest = newest > 0;
    int err = http_past_events(r->h->past, &q, &a, &body, &fault);
    if (err == -EACCES)
        return http_answer_error(r, 403, fault.text);
    return answer_of(r, err, &fault, q.is_protobuf, &body);
}

static enum MHD_Result days_answer(struct http_request *r)
{
    struct http_audience a = http_audience_of(r);
    struct fault fault = {0};
    struct http_body *body;
    enum MHD_Result answer;
    uint64_t limit = DAYS;
    struct http_days_query q = {.from = INT32_MIN, .to = INT32_MAX};
    q.is_protobuf = http_wants_protobuf(http_header(r, "Accept"));
    if (!date_read(r, "since", &q.from, &answer) || !date_read(r, "until", &q.to, &answer) ||
        !number_read(r, "limit", 1, HTTP_DAYS_MAX, &limit, &answer))
        return answer;
    q.limit = limit;
    return answer_of(r, http_past_days(r->h->past, &q, &a, &body, &fault), &fault, q.is_protobuf,
                     &body);
}

static enum MHD_Result day_answer(struct http_request *r)
{
    struct http_audience a = http_audience_of(r);
    struct fault fault = {0};
    struct http_body *body;
    enum MHD_Result answer;
    int32_t date = r->route.date, dates[2];
    uint64_t top = TOP;
    if (!number_read(r, "top", 1, TOP_MAX * 2, &top, &answer))
        return answer;
    if (r->route.is_today) /* without windows at hand: the newest Day */
        date = http_follow_dates(a.follow, dates) > 0 ? dates[0] : INT32_MAX;
    if (http_wants_protobuf(http_header(r, "Accept"))) {
        struct http_days_query q = {.from = date == INT32_MAX ? INT32_MIN : date,
                                    .to = date,
                                    .limit = 1,
                                    .is_protobuf = true};
        return answer_of(r, http_past_days(r->h->past, &q, &a, &body, &fault), &fault, true, &body);
    }
    return answer_of(r, http_past_day(r->h->past, date, top, &a, &body, &fault), &fault, false,
                     &body);
}

static enum MHD_Result lookup_answer(struct http_request *r)
{
    struct http *h = r->h;
    struct fault fault = {0};
    struct http_memory m;
    enum MHD_Result answer;
    struct http_lookup_dates dates = {.from = INT32_MIN, .to = INT32_MAX};
    dates.has = http_argument(r, "since") != NULL || http_argument(r, "until") != NULL;
    if (!date_read(r, "since", &dates.from, &answer) || !date_read(r, "until", &dates.to, &answer))
        return answer;
    if (h->s.lookup == NULL)
        return http_answer_error(r, 404, "this server looks nothing up");
    if (http_memory_begin(&m) < 0)
        return http_answer_error(r, 503, "no memory");
    pthread_mutex_lock(&h->lookup_lock);
    int err =
        r->route.id == HTTP_ROUTE_port
            ? h->s.lookup->port(h->s.context, r->route.proto, r->route.port, &dates, m.out, &fault)
            : h->s.lookup->source(h->s.context, r->route.subject, &dates, m.out, &fault);
    pthread_mutex_unlock(&h->lookup_lock);
    struct http_body *body = http_memory_end(&m);
    if (err == 0 && body == NULL)
        err = fault_set(&fault, ENOMEM, "no memory for a look-up");
    if (err < 0)
        http_body_release(body);
    return answer_of(r, err, &fault, false, &body);
}

static enum MHD_Result text_answer(struct http_request *r, const char *type,
                                   void (*print)(struct http *h, FILE *out))
{
    struct http_memory m;
    if (http_memory_begin(&m) < 0)
        return http_answer_error(r, 503, "no memory");
    print(r->h, m.out);
    struct http_body *body = http_memory_end(&m);
    if (body == NULL)
        return http_answer_error(r, 503, "no memory");
    enum MHD_Result done = http_answer_body(r, 200, type, body);
    http_body_release(body);
    return done;
}

static void healthz_print(struct http *h, FILE *out)
{
    (void)h;
    fputs("ok\n", out);
}

static enum MHD_Result healthz_answer(struct http_request *r)
{
    struct http *h = r->h;
    struct http_follow_counts counts;
    char why[128] = "";
    http_follow_count(h->follow[0], &counts);
    if (counts.is_stuck)
        return http_answer_error(r, 503, "the feed can't be read on");
    if (h->s.ops->is_healthy != NULL && !h->s.ops->is_healthy(h->s.context, why))
        return http_answer_error(r, 503, why);
    return text_answer(r, "text/plain; charset=utf-8", healthz_print);
}

static enum MHD_Result heavy_answer(struct http_request *r)
{
    switch (r->route.id) {
    case HTTP_ROUTE_windows:
        return windows_answer(r);
    case HTTP_ROUTE_events:
        return events_answer(r);
    case HTTP_ROUTE_days:
        return days_answer(r);
    case HTTP_ROUTE_day:
        return day_answer(r);
    default:
        return lookup_answer(r);
    }
}

enum MHD_Result http_answer_api(struct http_request *r)
{
    struct http *h = r->h;
    if (r->route.id == HTTP_ROUTE_health)
        return text_answer(r, json, http_health_print);
    if (r->route.id == HTTP_ROUTE_metrics)
        return text_answer(r, "text/plain; version=0.0.4; charset=utf-8", http_metrics_print);
    if (r->route.id == HTTP_ROUTE_healthz)
        return healthz_answer(r);
    if (!http_follow_ready(http_audience_of(r).follow, READY_MS))
        return http_answer_error(r, 503, "the feed is being read");
    /* They wait for each other: beyond so many, later is better than longer. */
    enum MHD_Result done;
    if (atomic_fetch_add(&h->heavy, 1) >= HEAVY_MAX)
        done = http_answer_error(r, 503, "too many questions at once");
    else
        done = heavy_answer(r);
    atomic_fetch_sub(&h->heavy, 1);
    return done;
}
