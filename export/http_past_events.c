/* Events of a time, and for readers who may not see addresses how many there were. Part of http_past. */
#include "export/event_print.h"
#include "export/event_walk.h"
#include "export/http_past_state.h"
#include "export/json_string.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS      INT64_C(1000000000)
#define HOUR_NS (3600 * NS)
enum { ENOUGH = 1, PUBLIC_MAX = 1 << 20 };

/* An event as a public reader may have a part in it. */
struct counted {
    int64_t hour; /* since 1970 */
    uint8_t address[16];
    uint8_t type, proto, ip_version;
    bool has_port, is_open;
    bool stands_alone; /* it is known to be of enough sources itself */
    uint16_t port;
};

struct answer {
    const struct http_events_query *q;
    const struct http_audience *a;
    FILE *out;
    uint64_t count, last;
    struct counted *at; /* of public readers */
    size_t size;
};

/* ---- for those who see addresses */

static int event_answer(void *context, const struct event *e, const struct record_view *record)
{
    struct answer *x = context;
    if (x->count == x->q->limit || ftell(x->out) > HTTP_ANSWER)
        return ENOUGH;
    if (x->q->is_protobuf) {
        past_record_print(x->out, record);
    } else {
        fputs(x->count > 0 ? ",\n" : "\n", x->out);
        event_json_record(x->out, e, record->seq);
    }
    x->count++;
    x->last = record->seq;
    return 0;
}

/* ---- the newest */

struct newest {
    uint64_t *records; /* of the last ones, `limit` of them, by turns */
    uint64_t limit, count;
};

static int newest_note(void *context, const struct event *e, const struct record_view *record)
{
    struct newest *n = context;
    (void)e;
    n->records[n->count++ % n->limit] = record->seq;
    return 0;
}

/* Leaves out all but the newest; *earlier: so many. */
static int newest_find(struct past_feed *f, struct event_walk *walk, uint64_t limit,
                       uint64_t *earlier, struct fault *fault)
{
    struct newest n = {.limit = limit, .records = malloc(limit * sizeof *n.records)};
    int err = n.records == NULL ? -ENOMEM : event_walk_run(walk, f->reader, newest_note, &n, fault);
    *earlier = err == 0 && n.count > limit ? n.count - limit : 0;
    if (*earlier > 0)
        walk->after = n.records[n.count % limit] - 1;
    free(n.records);
    return err;
}

static void head_print(struct http_past *p, FILE *out, const char *sensor)
{
    fputs("{\"sensor\":", out);
    json_string(out, sensor);
    fputs(",\"timezone\":", out);
    json_string(out, p->timezone);
}

/* ---- for the others */

static bool is_for_public(const struct event *e)
{
    return e->type != EVENT_watched && e->type != EVENT_indicator;
}

static int event_count(void *context, const struct event *e, const struct record_view *record)
{
    struct answer *x = context;
    (void)record;
    if (!is_for_public(e))
        return 0;
    if (x->count == PUBLIC_MAX)
        return ENOUGH;
    if (x->count == x->size) {
        size_t size = x->size == 0 ? 256 : x->size * 2;
        struct counted *grown = realloc(x->at, size * sizeof *grown);
        if (grown == NULL)
            return -ENOMEM;
        x->at = grown;
        x->size = size;
    }
    struct counted *c = &x->at[x->count++];
    memset(c, 0, sizeof *c); /* they are compared as bytes */
    c->hour = e->first_ns / HOUR_NS - (e->first_ns % HOUR_NS < 0);
    c->type = (uint8_t)e->type;
    c->proto = (uint8_t)e->proto;
    c->has_port = e->has_port;
    c->port = e->port;
    c->is_open = e->phase != EVENT_ENDS;
    c->ip_version = (uint8_t)e->ip_version;
    memcpy(c->address, e->address, sizeof c->address);
    /* Of the whole sensor; or of a port, by its sources. */
    c->stands_alone = e->type == EVENT_new_activity &&
                      (!e->has_port || (strcmp(e->new_activity.series, "sources") == 0 &&
                                        e->new_activity.value >= x->a->min_sources));
    return 0;
}

static int compare(int64_t a, int64_t b) { return a < b ? -1 : a > b; }

/* Rows that are shown as one are equal up to the address. */
static int row_compare(const struct counted *x, const struct counted *y, bool has_ports)
{
    int order = compare(x->hour, y->hour);
    if (order == 0)
        order = compare(x->type, y->type);
    if (order == 0 && has_ports)
        order = compare(x->proto, y->proto);
    if (order == 0 && has_ports)
        order = compare(x->has_port, y->has_port);
    if (order == 0 && has_ports)
        order = compare(x->port, y->port);
    return order;
}

static int address_compare(const struct counted *x, const struct counted *y)
{
    int order = compare(x->ip_version, y->ip_version);
    return order != 0 ? order : memcmp(x->address, y->address, sizeof x->address);
}

static int by_port(const void *a, const void *b)
{
    int order = row_compare(a, b, true);
    return order != 0 ? order : address_compare(a, b);
}

static int by_type(const void *a, const void *b)
{
    int order = row_compare(a, b, false);
    return order != 0 ? order : address_compare(a, b);
}

/* Whether rows [from, to), sorted by address, are of enough sources. */
static bool is_enough(const struct answer *x, size_t from, size_t to)
{
    unsigned addresses = 0;
    for (size_t i = from; i < to; i++) {
        if (x->at[i].stands_alone)
            return true;
        addresses += i == from || address_compare(&x->at[i], &x->at[i - 1]) != 0;
    }
    return addresses >= x->a->min_sources;
}

static void row_print(struct answer *x, size_t from, size_t to, bool has_ports, bool is_first)
{
    const struct counted *c = &x->at[from];
    char time[EVENT_TIME];
    size_t open = 0;
    int64_t hour_ns;
    if (__builtin_mul_overflow(c->hour, HOUR_NS, &hour_ns))
        hour_ns = INT64_MIN;
    for (size_t i = from; i < to; i++)
        open += x->at[i].is_open;
    fprintf(x->out, "%s\n{\"hour\":\"%s\",\"type\":\"%s\"", is_first ? "" : ",",
            event_time(hour_ns, time), event_type_name((enum event_type)c->type));
    if (has_ports && c->proto != EVENT_ANY_PROTO)
        fprintf(x->out, ",\"proto\":\"%s\"", event_proto_name((enum event_proto)c->proto));
    else if (has_ports)
        fputs(",\"proto\":null", x->out);
    if (has_ports && c->has_port)
        fprintf(x->out, ",\"port\":%u", (unsigned)c->port);
    else if (has_ports)
        fputs(",\"port\":null", x->out);
    fprintf(x->out, ",\"events\":%zu,\"open\":%zu}", to - from, open);
}

/* Prints the rows that are of enough sources; the others come together at the front, and are what is left. */
static void rows_print(struct answer *x, bool has_ports)
{
    size_t left = 0, shown = 0;
    if (x->count > 0)
        qsort(x->at, x->count, sizeof *x->at, has_ports ? by_port : by_type);
    for (size_t from = 0, to; from < x->count; from = to) {
        for (to = from + 1; to < x->count && row_compare(&x->at[from], &x->at[to], has_ports) == 0;)
            to++;
        if (is_enough(x, from, to)) {
            row_print(x, from, to, has_ports, shown++ == 0);
            continue;
        }
        memmove(&x->at[left], &x->at[from], (to - from) * sizeof *x->at);
        left += to - from;
    }
    x->count = left;
}

static int public_check(const struct http_events_query *q, struct fault *fault)
{
    const struct event_filter *f = &q->filter;
    if (q->is_protobuf)
        return fault_set(fault, EACCES, "readers without a token get counts of events: JSON alone");
    if (f->has_prefix || f->min_rate > 0 || f->has_port || q->has_updates || q->is_newest ||
        q->after > 0)
        return fault_set(fault, EACCES,
                         "readers without a token may ask by type, phase and time alone");
    return 0;
}

/* ---- both */

static int public_print(struct http_past *p, struct past_feed *f, struct answer *x,
                        const char *sensor, struct fault *fault)
{
    struct event_filter filter = x->q->filter;
    struct event_walk walk = {.filter = &filter, .until_seq = f->seq};
    int64_t now_ns = p->now_ns(p->context);
    /* Whole hours: what a row counts must not tell when within them. */
    filter.since_ns -= filter.since_ns % HOUR_NS;
    filter.until_ns -= filter.until_ns % HOUR_NS;
    if (__builtin_sub_overflow(now_ns, (int64_t)x->a->delay_ns, &walk.told_until_ns))
        walk.told_until_ns = INT64_MIN;
    int err = f->reader == NULL ? 0 : event_walk_run(&walk, f->reader, event_count, x, fault);
    if (err < 0)
        return err == -ENOMEM ? fault_set(fault, ENOMEM, "no memory for events") : err;
    head_print(p, x->out, sensor);
    fprintf(x->out, ",\"delay_seconds\":%" PRIu64 ",\"min_sources\":%u,\"events\":[",
            x->a->delay_ns / (uint64_t)NS, x->a->min_sources);
    rows_print(x, true);
    fputs("],\"other\":[", x->out);
    rows_print(x, false);
    fputs("]}\n", x->out);
    return 0;
}

static int events_print(struct http_past *p, struct past_feed *f, struct answer *x,
                        const char *sensor, struct fault *fault)
{
    const struct http_events_query *q = x->q;
    struct event_walk walk = {.filter = &q->filter,
                              .has_updates = q->has_updates,
                              .after = q->after,
                              .until_seq = f->seq,
                              .told_until_ns = INT64_MAX};
    uint64_t earlier = 0;
    int err =
        f->reader == NULL || !q->is_newest ? 0 : newest_find(f, &walk, q->limit, &earlier, fault);
    if (err < 0)
        return err == -ENOMEM ? fault_set(fault, ENOMEM, "no memory for events") : err;
    if (!q->is_protobuf) {
        head_print(p, x->out, sensor);
        fprintf(x->out, ",\"seq\":%" PRIu64, f->reader == NULL ? 0 : f->seq);
        if (q->is_newest)
            fprintf(x->out, ",\"earlier\":%" PRIu64, earlier);
        fputs(",\"events\":[", x->out);
    }
    err = f->reader == NULL ? 0 : event_walk_run(&walk, f->reader, event_answer, x, fault);
    if (err < 0 || q->is_protobuf)
        return err < 0 ? err : 0;
    if (err == ENOUGH)
        fprintf(x->out, "],\"next\":%" PRIu64 "}\n", x->last);
    else
        fputs("],\"next\":null}\n", x->out);
    return 0;
}

int http_past_events(struct http_past *p, const struct http_events_query *q,
                     const struct http_audience *a, struct http_body **out, struct fault *fault)
{
    struct http_follow_counts counts;
    struct http_memory m;
    struct past_feed f;
    *out = NULL;
    int err = a->is_public ? public_check(q, fault) : 0;
    if (err == 0 && http_memory_begin(&m) < 0)
        err = fault_set(fault, ENOMEM, "no memory for events");
    if (err < 0)
        return err;
    struct answer x = {.q = q, .a = a, .out = m.out, .last = q->after};
    http_follow_count(a->follow, &counts);
    pthread_mutex_lock(&p->lock);
    err = past_feed_open(&f, p, a, fault);
    if (err == 0)
        err = past_after(&f, q->after, a, fault);
    if (err == 0)
        err = a->is_public ? public_print(p, &f, &x, counts.sensor, fault)
                           : events_print(p, &f, &x, counts.sensor, fault);
    past_feed_close(&f);
    pthread_mutex_unlock(&p->lock);
    free(x.at);
    *out = http_memory_end(&m);
    if (err < 0) {
        http_body_release(*out);
        *out = NULL;
    }
    return err < 0 ? err : *out == NULL ? fault_set(fault, ENOMEM, "no memory for events") : 0;
}
