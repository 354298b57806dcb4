#include "export/http_past.h"

#include "export/calendar.h"
#include "export/http_past_state.h"
#include "export/http_window.h"
#include "export/json_string.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NS INT64_C(1000000000)

struct http_past *http_past_create(const char *feed, const struct ruleset *rules,
                                   const char *program, const char *zone,
                                   int64_t (*now_ns)(void *context), void *context)
{
    struct http_past *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (struct http_past){.feed = feed,
                            .program = program,
                            .timezone = zone,
                            .rules = rules,
                            .now_ns = now_ns,
                            .context = context};
    pthread_mutex_init(&p->lock, NULL);
    p->unpacker = record_window_create();
    p->window = window_create();
    if (p->unpacker == NULL || p->window == NULL || rule_names_init(&p->names, rules) < 0) {
        http_past_destroy(p);
        errno = ENOMEM;
        return NULL;
    }
    return p;
}

void http_past_destroy(struct http_past *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->line_count; i++)
        http_body_release(p->lines[i].body);
    for (unsigned i = 0; i < PAST_ANSWERS; i++)
        http_body_release(p->answers[i].body);
    free(p->lines);
    rule_names_fini(&p->names);
    window_destroy(p->window);
    record_window_destroy(p->unpacker);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void http_past_rules(struct http_past *p, const struct ruleset *rules)
{
    pthread_mutex_lock(&p->lock);
    rule_names_change(&p->names, rules);
    p->rules = rules;
    for (unsigned i = 0; i < PAST_ANSWERS; i++) {
        http_body_release(p->answers[i].body);
        p->answers[i] = (struct past_answer){0};
    }
    pthread_mutex_unlock(&p->lock);
}

bool http_past_uses(struct http_past *p, const struct ruleset *rules)
{
    pthread_mutex_lock(&p->lock);
    bool uses = p->rules == rules;
    pthread_mutex_unlock(&p->lock);
    return uses;
}

/* ---- dates */

struct date_entry {
    int32_t date;
    uint32_t day; /* segment of its Day, or FEED_NO_SEGMENT */
};

static int entry_order(const void *a, const void *b)
{
    const struct date_entry *x = a, *y = b;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    return (x->day > y->day) - (x->day < y->day); /* with a Day first */
}

/* Dates of which there is something that these readers may see, ascending; malloced. */
static struct date_entry *dates_make(struct http_past *p, const struct past_feed *f,
                                     const struct http_audience *a, size_t *count)
{
    const struct feed_reader_date *days;
    size_t day_count = f->reader == NULL ? 0 : feed_reader_dates(f->reader, &days), n = 0;
    struct date_entry *list = malloc((day_count + 2 * f->segment_count + 1) * sizeof *list);
    *count = 0;
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < day_count; i++)
        if (days[i].day != FEED_NO_SEGMENT)
            list[n++] = (struct date_entry){days[i].date, days[i].day};
    for (size_t i = 0; i < f->segment_count; i++) {
        int64_t at = f->segments[i].at;
        if (f->segments[i].kind != FEED_WINDOWS || at > INT64_MAX / NS || at < INT64_MIN / NS)
            continue;
        list[n++] = (struct date_entry){calendar_day_of(at * NS).date, FEED_NO_SEGMENT};
    }
    qsort(list, n, sizeof *list, entry_order);
    for (size_t i = 0; i < n; i++) {
        if (*count > 0 && list[*count - 1].date == list[i].date)
            continue;
        struct calendar_day day = calendar_day_at(list[i].date);
        if (a->delay_ns > 0 && !past_is_due(p, a, day.start_ns))
            continue;
        list[*count] = list[i];
        if (!past_is_due(p, a, day.end_ns))
            list[*count].day = FEED_NO_SEGMENT;
        ++*count;
    }
    return list;
}

/* The bytes of a Day: 1; *c is the caller's to end, and keeps them. 0: it can't be read. */
static int day_find(struct past_feed *f, uint32_t segment, struct feed_cursor *c,
                    struct record_view *view, struct fault *fault)
{
    *c = (struct feed_cursor){0};
    int found = feed_cursor_begin(c, f->reader, segment, fault);
    if (found < 0)
        return found;
    while ((found = feed_cursor_next(c, view, fault)) > 0)
        if (view->body_kind == RECORD_day)
            return view->seq <= f->seq;
    return found;
}

/* ---- the list */

static struct http_body *line_make(struct http_past *p, struct past_feed *f,
                                   const struct date_entry *e, struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    struct http_memory m;
    struct http_body *body = NULL;
    struct calendar_day day = calendar_day_at(e->date);
    struct http_view *v = http_view_create(&day, p->rules);
    int found = v == NULL ? 0 : day_find(f, e->day, &c, &view, fault);
    if (found > 0 && http_view_final(v, view.body, view.body_len, view.seq, fault) == 0 &&
        http_memory_begin(&m) == 0) {
        http_view_print_line(m.out, v);
        body = http_memory_end(&m);
    }
    if (v != NULL)
        feed_cursor_end(&c);
    http_view_destroy(v);
    return body;
}

/* The line of a Day, made once. NULL: it can't be read. */
static const struct http_body *line_find(struct http_past *p, struct past_feed *f,
                                         const struct date_entry *e, struct fault *fault)
{
    size_t at = p->line_count;
    uint32_t number = f->segments[e->day].number;
    while (at > 0 && p->lines[at - 1].date >= e->date)
        at--;
    struct past_line *line = &p->lines[at];
    bool is_there = at < p->line_count && line->date == e->date;
    if (is_there && line->segment == number)
        return line->body;
    struct http_body *body = line_make(p, f, e, fault);
    if (body == NULL)
        return NULL;
    if (is_there) {
        http_body_release(line->body);
    } else {
        if (p->line_count == p->line_size) {
            size_t size = p->line_size == 0 ? 64 : p->line_size * 2;
            struct past_line *grown = realloc(p->lines, size * sizeof *grown);
            if (grown == NULL) {
                http_body_release(body);
                return NULL;
            }
            p->lines = grown;
            p->line_size = size;
            line = &p->lines[at];
        }
        memmove(line + 1, line, (p->line_count - at) * sizeof *line);
        p->line_count++;
    }
    *line = (struct past_line){e->date, number, body};
    return body;
}

static void line_print(struct http_past *p, struct past_feed *f, const struct date_entry *e,
                       bool is_first, FILE *out)
{
    char date[CALENDAR_DATE];
    struct fault why;
    const struct http_body *line = e->day == FEED_NO_SEGMENT ? NULL : line_find(p, f, e, &why);
    fputs(is_first ? "\n" : ",\n", out);
    if (line != NULL)
        fwrite(line->bytes, 1, line->len, out);
    else
        fprintf(out, "{\"date\":\"%s\",\"state\":\"provisional\"}", calendar_text(e->date, date));
}

static int record_print(struct past_feed *f, const struct date_entry *e,
                        const struct http_audience *a, FILE *out, struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    int found = day_find(f, e->day, &c, &view, fault), err = 0;
    if (found > 0 && a->min_sources == 0) {
        past_record_print(out, &view);
    } else if (found > 0) {
        Yamiscope__Day *day = http_day_unpack(view.body, view.body_len);
        err = day == NULL ? -ENOMEM : http_day_fold(day, a->min_sources);
        err = err < 0 ? err : http_day_pack(out, day, view.seq);
        if (day != NULL)
            yamiscope__day__free_unpacked(day, NULL);
    }
    feed_cursor_end(&c);
    return found < 0 ? found : err;
}

/* Records of Days, of which a telescope with every port has more than 1 MB each: the newest that there is room for. */
static size_t records_fit(struct past_feed *f, const struct date_entry *list, size_t from,
                          size_t to)
{
    char path[FEED_PATH];
    off_t bytes = 0;
    size_t at = to;
    for (; at > from; at--) {
        struct stat st = {0};
        uint32_t day = list[at - 1].day;
        if (day != FEED_NO_SEGMENT)
            (void)stat(feed_reader_path(f->reader, day, path), &st);
        bytes += st.st_size;
        if (bytes > HTTP_ANSWER && at < to)
            break;
    }
    return at;
}

static int days_print(struct http_past *p, struct past_feed *f, const struct http_days_query *q,
                      const struct http_audience *a, FILE *out, struct fault *fault)
{
    size_t count;
    struct date_entry *list = dates_make(p, f, a, &count);
    int err = list == NULL ? fault_set(fault, ENOMEM, "no memory for days") : 0;
    size_t from = 0, to = count;
    while (from < to && list[from].date < q->from)
        from++;
    while (to > from && list[to - 1].date > q->to)
        to--;
    from = to - from > q->limit ? to - q->limit : from;
    from = q->is_protobuf ? records_fit(f, list, from, to) : from;
    if (!q->is_protobuf) {
        fputs("{\"timezone\":", out);
        json_string(out, p->timezone);
        fputs(",\"days\":[", out);
    }
    for (size_t i = from; err == 0 && i < to; i++)
        if (!q->is_protobuf)
            line_print(p, f, &list[i], i == from, out);
        else if (list[i].day != FEED_NO_SEGMENT)
            err = record_print(f, &list[i], a, out, fault);
    if (!q->is_protobuf)
        fputs("]}\n", out);
    free(list);
    return err;
}

int http_past_days(struct http_past *p, const struct http_days_query *q,
                   const struct http_audience *a, struct http_body **out, struct fault *fault)
{
    struct http_memory m;
    struct past_feed f;
    *out = NULL;
    if (http_memory_begin(&m) < 0)
        return fault_set(fault, ENOMEM, "no memory for days");
    pthread_mutex_lock(&p->lock);
    int err = past_feed_open(&f, p, a, fault);
    if (err == 0)
        err = days_print(p, &f, q, a, m.out, fault);
    past_feed_close(&f);
    pthread_mutex_unlock(&p->lock);
    *out = http_memory_end(&m);
    if (err < 0) {
        http_body_release(*out);
        *out = NULL;
    }
    return err < 0 ? err : *out == NULL ? fault_set(fault, ENOMEM, "no memory for days") : 0;
}

/* ---- one day */

struct adding {
    struct http_past *past;
    const struct http_audience *a;
    struct http_view *view;
};

static int view_take(void *context, const struct record_view *view)
{
    struct adding *x = context;
    struct http_past *p = x->past;
    struct fault why;
    window_clear(p->window);
    int err =
        record_unpack_window(p->unpacker, p->window, &p->names, view->body, view->body_len, &why);
    if (err == -ENOMEM)
        return err;
    if (err < 0 || !past_is_due(p, x->a, past_end_ns(p->window)))
        return 0;
    return http_view_add(x->view, p->window, view->seq);
}

/* `has_windows`: also where there is a Day. NULL and a fault. */
static struct http_view *view_make(struct http_past *p, struct past_feed *f,
                                   const struct date_entry *e, const struct http_audience *a,
                                   bool has_windows, struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    struct calendar_day day = calendar_day_at(e->date);
    struct http_view *v = http_view_create(&day, p->rules);
    int err = v == NULL ? -ENOMEM : 0;
    if (err == 0 && (has_windows || e->day == FEED_NO_SEGMENT)) {
        struct adding x = {p, a, v};
        err = past_windows(p, f, day.start_ns, day.end_ns, 0, view_take, &x, fault);
    }
    if (err == 0 && e->day != FEED_NO_SEGMENT) {
        err = day_find(f, e->day, &c, &view, fault);
        if (err > 0 && http_view_final(v, view.body, view.body_len, view.seq, fault) == -ENOMEM)
            err = -ENOMEM;
        feed_cursor_end(&c);
    }
    if (err >= 0)
        return v;
    if (err == -ENOMEM)
        fault_set(fault, ENOMEM, "no memory for a day");
    http_view_destroy(v);
    return NULL;
}

static int day_make(struct http_past *p, struct past_feed *f, const struct date_entry *list,
                    size_t at, struct http_view_frame *frame, const struct http_audience *a,
                    struct http_body **out, struct fault *fault)
{
    struct http_memory m;
    struct outages gaps = {0};
    f->gaps = &gaps;
    struct http_view *before = NULL, *v = view_make(p, f, &list[at], a, true, fault);
    f->gaps = NULL;
    if (v == NULL) {
        outages_fini(&gaps);
        return -fault->err;
    }
    if (at > 0)
        before = view_make(p, f, &list[at - 1], a, false, fault);
    frame->before = before;
    frame->gaps = &gaps;
    int err = http_memory_begin(&m);
    if (err == 0) {
        err = http_view_print(m.out, v, frame);
        *out = http_memory_end(&m);
    }
    if (err == 0 && *out != NULL)
        (*out)->seq = http_view_seq(v);
    http_view_destroy(v);
    http_view_destroy(before);
    frame->gaps = NULL;
    outages_fini(&gaps);
    return err < 0 || *out == NULL ? fault_set(fault, ENOMEM, "no memory for a day") : 0;
}

static bool is_answer(const struct past_answer *x, const struct past_answer *as)
{
    return x->body != NULL && x->date == as->date && x->top == as->top &&
           x->min_sources == as->min_sources && x->changes == as->changes &&
           x->has_previous == as->has_previous && x->previous == as->previous &&
           x->has_next == as->has_next && x->next == as->next;
}

/* A date that the follower has at hand; of the older one of its two the day before is read. */
static int day_at_hand(struct http_past *p, struct past_feed *f, const struct date_entry *list,
                       size_t at, struct http_view_frame *frame, const struct http_audience *a,
                       struct http_body **out, struct fault *fault)
{
    struct http_view *before = NULL;
    int32_t dates[2];
    if (at > 0 && http_follow_dates(a->follow, dates) == 2 && dates[1] == list[at].date) {
        before = view_make(p, f, &list[at - 1], a, false, fault);
        if (before == NULL)
            return -fault->err;
    }
    frame->before = before;
    int err = http_follow_day(a->follow, list[at].date, frame, out);
    http_view_destroy(before);
    frame->before = NULL;
    return err < 0 && err != -ENOENT ? fault_set(fault, -err, "no memory for a day") : err;
}

/* Of a date that stands at `at` of the list. */
static int day_answer(struct http_past *p, struct past_feed *f, const struct date_entry *list,
                      size_t at, struct http_view_frame *frame, const struct http_audience *a,
                      struct http_body **out, struct fault *fault)
{
    struct http_follow_counts counts;
    http_follow_count(a->follow, &counts);
    struct past_answer key = {.date = list[at].date,
                              .top = frame->top,
                              .min_sources = a->min_sources,
                              .changes = counts.changes,
                              .has_previous = frame->has_previous,
                              .previous = frame->previous,
                              .has_next = frame->has_next,
                              .next = frame->next};
    int err = day_at_hand(p, f, list, at, frame, a, out, fault);
    if (err != -ENOENT)
        return err;
    for (unsigned i = 0; i < PAST_ANSWERS; i++)
        if (is_answer(&p->answers[i], &key)) {
            *out = http_body_take(p->answers[i].body);
            return 0;
        }
    frame->sensor = counts.sensor;
    frame->min_sources = a->min_sources;
    err = day_make(p, f, list, at, frame, a, &key.body, fault);
    if (err < 0)
        return err;
    struct past_answer *x = &p->answers[p->answer_next++ % PAST_ANSWERS];
    http_body_release(x->body);
    *x = key;
    *out = http_body_take(key.body);
    return 0;
}

int http_past_day(struct http_past *p, int32_t date, size_t top, const struct http_audience *a,
                  struct http_body **out, struct fault *fault)
{
    struct past_feed f;
    char text[CALENDAR_DATE];
    size_t count = 0, at = 0;
    *out = NULL;
    pthread_mutex_lock(&p->lock);
    int err = past_feed_open(&f, p, a, fault);
    struct date_entry *list = err < 0 ? NULL : dates_make(p, &f, a, &count);
    if (err == 0 && list == NULL)
        err = fault_set(fault, ENOMEM, "no memory for a day");
    date = date == INT32_MAX && count > 0 ? list[count - 1].date : date;
    while (at < count && list[at].date < date)
        at++;
    if (err == 0 && (at == count || list[at].date != date))
        err = date == INT32_MAX ? fault_set(fault, ENOENT, "the feed holds nothing yet")
                                : fault_set(fault, ENOENT, "%s: the feed has nothing of that day",
                                            calendar_text(date, text));
    if (err == 0) {
        struct http_view_frame frame = {.timezone = p->timezone,
                                        .program = p->program,
                                        .top = top,
                                        .has_previous = at > 0,
                                        .previous = at > 0 ? list[at - 1].date : 0,
                                        .has_next = at + 1 < count,
                                        .next = at + 1 < count ? list[at + 1].date : 0};
        err = day_answer(p, &f, list, at, &frame, a, out, fault);
    }
    free(list);
    past_feed_close(&f);
    pthread_mutex_unlock(&p->lock);
    return err;
}
