/* Windows of a time, and the position of a record. Part of http_past. */
#include "export/calendar.h"
#include "export/http_past_state.h"
#include "export/http_window.h"
#include "export/json_string.h"
#include "export/unpack_budget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)
enum { HEADER_MAX = 1 << 20, HOUR = 3600, LATE = 86400 + HOUR };

int past_feed_open(struct past_feed *f, struct http_past *p, const struct http_audience *a,
                   struct fault *fault)
{
    struct http_follow_counts counts;
    *f = (struct past_feed){.seq = UINT64_MAX};
    f->pool = feed_pool_create(4);
    if (f->pool == NULL)
        return fault_set(fault, ENOMEM, "no memory to read a feed");
    if (a != NULL) {
        http_follow_count(a->follow, &counts);
        f->seq = counts.seq;
    }
    int err = feed_reader_open(&f->reader, p->feed, f->pool, fault);
    if (err == -ENOENT) /* no segment yet */
        return 0;
    if (err == 0)
        f->segment_count = feed_reader_segments(f->reader, &f->segments);
    return err;
}

void past_feed_close(struct past_feed *f)
{
    feed_reader_close(f->reader);
    feed_pool_destroy(f->pool);
}

bool past_is_due(const struct http_past *p, const struct http_audience *a, int64_t end_ns)
{
    int64_t due;
    if (__builtin_add_overflow(end_ns, (int64_t)a->delay_ns, &due))
        return false;
    return a->delay_ns == 0 || due <= p->now_ns(p->context);
}

/* The segment's header tells the unpacker what windows are held to. 1; 0: it does not hold. */
static int header_take(struct http_past *p, struct feed_cursor *c, struct fault *fault)
{
    struct record_view view;
    struct unpack_budget budget;
    int found = feed_cursor_next(c, &view, fault);
    if (found <= 0 || view.body_kind != RECORD_header || view.body_len > HEADER_MAX)
        return found < 0 ? found : 0;
    unpack_budget_init(&budget);
    Yamiscope__Header *h = yamiscope__header__unpack(&budget.allocator, view.body_len, view.body);
    if (h == NULL)
        return 0;
    record_window_expect(p->unpacker, h->window_span_ns, h->filtered);
    yamiscope__header__free_unpacked(h, &budget.allocator);
    return 1;
}

/* Whether a window is asked for, from the first bytes of its body. */
static bool is_wanted(const struct record_view *view, size_t shown, int64_t since_ns,
                      int64_t until_ns, uint64_t after)
{
    int64_t start_ns;
    return view->body_kind == RECORD_window && view->seq > after &&
           record_window_start(view->body, shown, &start_ns) && start_ns >= since_ns &&
           start_ns < until_ns;
}

/* What does not hold is passed over. */
static int gap_take(struct outages *gaps, struct feed_cursor *c, struct fault *fault)
{
    struct record_view view;
    struct fault why;
    int found = feed_cursor_next(c, &view, fault);
    if (found > 0 && outages_add_gap(gaps, view.body, view.body_len, &why) == -ENOMEM)
        return fault_set(fault, ENOMEM, "no memory for a gap");
    return found;
}

/* 0: go on with the next segment. */
static int segment_windows(struct http_past *p, struct past_feed *f, size_t segment,
                           int64_t since_ns, int64_t until_ns, uint64_t after, past_take take,
                           void *context, struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view;
    size_t shown;
    int found = feed_cursor_begin(&c, f->reader, segment, fault), err = 0;
    found = found < 0 ? found : header_take(p, &c, fault);
    while (found > 0 && err == 0 && (found = feed_cursor_peek(&c, &view, &shown, fault)) > 0) {
        if (view.seq > f->seq)
            break;
        if (view.body_kind == RECORD_gap && f->gaps != NULL) {
            found = gap_take(f->gaps, &c, fault);
            continue;
        }
        if (!is_wanted(&view, shown, since_ns, until_ns, after)) {
            feed_cursor_skip(&c);
            continue;
        }
        found = feed_cursor_next(&c, &view, fault);
        if (found > 0)
            err = take(context, &view);
    }
    feed_cursor_end(&c);
    return found < 0 ? found : err;
}

static int64_t seconds_of(int64_t ns) { return ns / NS - (ns % NS < 0); }

int past_windows(struct http_past *p, struct past_feed *f, int64_t since_ns, int64_t until_ns,
                 uint64_t after, past_take take, void *context, struct fault *fault)
{
    /* A segment holds windows of its hour, and late ones up to a day before it. */
    int64_t from = seconds_of(since_ns) - HOUR;
    int64_t to = until_ns > INT64_MAX - LATE * NS ? INT64_MAX : seconds_of(until_ns) + LATE;
    int err = 0;
    for (size_t i = f->begin; err == 0 && i < f->segment_count; i++)
        if (f->segments[i].kind == FEED_WINDOWS && f->segments[i].at >= from &&
            f->segments[i].at <= to)
            err = segment_windows(p, f, i, since_ns, until_ns, after, take, context, fault);
    return err;
}

static void varint_print(FILE *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        fputc((int)(value & 0x7f) | 0x80, out);
    fputc((int)value, out);
}

static size_t varint_len(uint64_t value)
{
    size_t len = 1;
    for (; value >= 0x80; value >>= 7)
        len++;
    return len;
}

/* record_view takes apart what is written in this way and no other. */
void past_record_print(FILE *out, const struct record_view *view)
{
    uint64_t tag = (uint64_t)view->body_kind << 3 | 2;
    varint_print(out, 1 + varint_len(view->seq) + varint_len(tag) + varint_len(view->body_len) +
                          view->body_len + RECORD_CRC);
    fputc(1 << 3, out);
    varint_print(out, view->seq);
    varint_print(out, tag);
    varint_print(out, view->body_len);
    fwrite(view->body, 1, view->body_len, out);
    fputc(RECORD_CRC_TAG, out);
    for (unsigned i = 0; i < 4; i++)
        fputc((int)(view->crc >> 8 * i & 0xff), out);
}

/* ---- the answer */

struct answer {
    struct http_past *past;
    const struct http_windows_query *q;
    const struct http_audience *a;
    FILE *out;
    uint64_t count, last;
};

static int window_print(struct answer *x, const struct record_view *view)
{
    Yamiscope__Window *w = http_window_unpack(view->body, view->body_len);
    int err = w == NULL ? -ENOMEM : 0;
    if (err == 0 && x->a->min_sources > 0)
        err = http_window_fold(w, x->a->min_sources);
    if (err == 0 && x->q->is_protobuf)
        err = http_window_pack(x->out, w, view->seq);
    else if (err == 0) {
        fputs(x->count > 0 ? ",\n" : "\n", x->out);
        err = http_window_json(x->out, w, view->seq, x->q->top);
    }
    if (w != NULL)
        yamiscope__window__free_unpacked(w, NULL);
    return err;
}

enum { ENOUGH = 1 };

static int answer_take(void *context, const struct record_view *view)
{
    struct answer *x = context;
    struct http_past *p = x->past;
    struct fault why;
    if (x->count == x->q->limit || ftell(x->out) > HTTP_ANSWER)
        return ENOUGH;
    window_clear(p->window);
    int err =
        record_unpack_window(p->unpacker, p->window, &p->names, view->body, view->body_len, &why);
    if (err == -ENOMEM)
        return err;
    if (err < 0 || !past_is_due(p, x->a, past_end_ns(p->window)))
        return 0; /* what does not hold is left out */
    if (x->q->is_protobuf && x->a->min_sources == 0)
        past_record_print(x->out, view);
    else
        err = window_print(x, view);
    x->count++;
    x->last = view->seq;
    return err;
}

static int windows_print(struct http_past *p, struct past_feed *f, struct answer *x,
                         struct fault *fault)
{
    struct http_follow_counts counts;
    const struct http_windows_query *q = x->q;
    http_follow_count(x->a->follow, &counts);
    if (!q->is_protobuf) {
        fputs("{\"state\":\"provisional\",\"sensor\":", x->out);
        json_string(x->out, counts.sensor);
        fputs(",\"timezone\":", x->out);
        json_string(x->out, p->timezone);
        fprintf(x->out, ",\"seq\":%" PRIu64 ",\"windows\":[", f->seq);
    }
    int err = past_windows(p, f, q->since_ns, q->until_ns, q->after, answer_take, x, fault);
    if (err == -ENOMEM)
        fault_set(fault, ENOMEM, "no memory for windows");
    if (err < 0 || q->is_protobuf)
        return err < 0 ? err : 0;
    if (err == ENOUGH)
        fprintf(x->out, "],\"next\":%" PRIu64 "}\n", x->last);
    else
        fputs("],\"next\":null}\n", x->out);
    return 0;
}

int http_past_windows(struct http_past *p, const struct http_windows_query *q,
                      const struct http_audience *a, struct http_body **out, struct fault *fault)
{
    struct http_memory m;
    struct past_feed f;
    *out = NULL;
    if (http_memory_begin(&m) < 0)
        return fault_set(fault, ENOMEM, "no memory for windows");
    struct answer x = {.past = p, .q = q, .a = a, .out = m.out, .last = q->after};
    pthread_mutex_lock(&p->lock);
    int err = past_feed_open(&f, p, a, fault);
    if (err == 0)
        err = past_after(&f, q->after, a, fault);
    if (err == 0)
        err = windows_print(p, &f, &x, fault);
    past_feed_close(&f);
    pthread_mutex_unlock(&p->lock);
    *out = http_memory_end(&m);
    if (err < 0) {
        http_body_release(*out);
        *out = NULL;
    }
    return err < 0 ? err : *out == NULL ? fault_set(fault, ENOMEM, "no memory for windows") : 0;
}

/* ---- positions */

/* Sequence number of a segment's first record; 0: it has none that is whole. */
static uint64_t first_seq(struct past_feed *f, size_t segment, struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view;
    uint64_t seq = 0;
    if (feed_cursor_begin(&c, f->reader, segment, fault) == 0 &&
        feed_cursor_next(&c, &view, fault) > 0)
        seq = view.seq;
    feed_cursor_end(&c);
    return seq;
}

static int no_record(uint64_t seq, struct fault *fault)
{
    return fault_set(fault, ERANGE, "after: there is no record %" PRIu64, seq);
}

/* The segment in which a record stands, or would: 1. 0: the record was deleted, and *segment is the one that continues it: it begins
 * with the next record. */
static int segment_find(struct past_feed *f, uint64_t seq, size_t *segment, struct fault *fault)
{
    size_t from = 0, to = f->segment_count; /* the segment is in [from, to) */
    if (to == 0)
        return no_record(seq, fault);
    uint64_t least = first_seq(f, 0, fault);
    *segment = 0;
    if (least > seq)
        return least == seq + 1 ? 0
                                : fault_set(fault, ERANGE,
                                            "after: record %" PRIu64 " is not kept any more", seq);
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        uint64_t first = first_seq(f, middle, fault);
        if (first == 0 || first > seq)
            to = middle;
        else
            from = middle;
    }
    bool is_next = from + 1 < f->segment_count &&
                   f->segments[from + 1].number > f->segments[from].number + 1 &&
                   first_seq(f, from + 1, fault) == seq + 1;
    *segment = from + is_next;
    return !is_next;
}

int past_after(struct past_feed *f, uint64_t seq, const struct http_audience *a,
               struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view = {0};
    size_t segment, shown;
    if (seq == 0)
        return 0;
    if (a->delay_ns > 0 && seq > f->seq)
        return no_record(seq, fault);
    int found = segment_find(f, seq, &segment, fault);
    if (found >= 0)
        f->begin = segment;
    if (found <= 0)
        return found;
    found = feed_cursor_begin(&c, f->reader, segment, fault);
    while (found >= 0 && view.seq < seq && (found = feed_cursor_peek(&c, &view, &shown, fault)) > 0)
        feed_cursor_skip(&c);
    bool is_damaged = c.is_damaged; /* behind it nobody knows */
    feed_cursor_end(&c);
    return found < 0 ? found : view.seq == seq || is_damaged ? 0 : no_record(seq, fault);
}

int http_past_after(struct http_past *p, uint64_t seq, const struct http_audience *a,
                    struct fault *fault)
{
    struct past_feed f;
    pthread_mutex_lock(&p->lock);
    int err = past_feed_open(&f, p, a, fault);
    if (err == 0)
        err = past_after(&f, seq, a, fault);
    past_feed_close(&f);
    pthread_mutex_unlock(&p->lock);
    return err;
}

static int position_find(struct past_feed *f, uint64_t seq, struct feed_position *at,
                         struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view = {0};
    size_t from;
    int found = segment_find(f, seq, &from, fault);
    if (found < 0)
        return found;
    if (found == 0) {
        *at = (struct feed_position){.segment = f->segments[from].number - 1, .seq = seq};
        return 0;
    }
    found = feed_cursor_begin(&c, f->reader, from, fault);
    while (found >= 0 && view.seq < seq && (found = feed_cursor_next(&c, &view, fault)) > 0)
        ;
    *at = (struct feed_position){f->segments[from].number, c.next, view.seq, view.crc};
    feed_cursor_end(&c);
    if (found < 0)
        return found;
    return view.seq == seq ? 0 : no_record(seq, fault);
}

int http_past_position(struct http_past *p, uint64_t seq, struct feed_position *at,
                       struct fault *fault)
{
    struct past_feed f;
    *at = (struct feed_position){0};
    if (seq == 0)
        return 0;
    pthread_mutex_lock(&p->lock);
    int err = past_feed_open(&f, p, NULL, fault);
    if (err == 0)
        err = position_find(&f, seq, at, fault);
    past_feed_close(&f);
    pthread_mutex_unlock(&p->lock);
    return err;
}
