#include "export/feed_sums.h"

#include "export/calendar.h"
#include "export/feed_header.h"
#include "export/feed_reader.h"
#include "export/record_window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_ns = INT64_C(3600000000000);

struct feed_sums {
    char *dir;
    struct hour_sum *hours[SUM_HOURS]; /* NULL: not in use yet */
    struct date_sum *dates[SUM_DATES];
    uint64_t turn;
    /* To read records back; made when first needed. */
    struct record_window *reader;
    struct window *window;
    struct rule_names names;
};

struct feed_sums *feed_sums_create(const char *dir)
{
    struct feed_sums *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    if ((s->dir = strdup(dir)) == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void feed_sums_destroy(struct feed_sums *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < SUM_HOURS; i++)
        free(s->hours[i]);
    for (unsigned i = 0; i < SUM_DATES; i++)
        free(s->dates[i]);
    record_window_destroy(s->reader);
    window_destroy(s->window);
    rule_names_fini(&s->names);
    free(s->dir);
    free(s);
}

void feed_sums_reset(struct feed_sums *s)
{
    for (unsigned i = 0; i < SUM_HOURS; i++) {
        free(s->hours[i]);
        s->hours[i] = NULL;
    }
    for (unsigned i = 0; i < SUM_DATES; i++) {
        free(s->dates[i]);
        s->dates[i] = NULL;
    }
}

/* ---- adding ---- */

static void hour_add(struct hour_sum *h, const struct window *w)
{
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (uint32_t row = 0; row < w->port_used[proto]; row++) {
            const struct port_count *port = &w->ports[proto][row];
            if (port->scan == 0)
                continue;
            h->scan[proto][port->port] += port->scan;
            h->new_ports[proto][port->port / 64] |= UINT64_C(1) << port->port % 64;
        }
    for (unsigned mark = 0; mark < MARK_COUNT; mark++)
        if (w->mark_sources[mark].high > 0) {
            hll_merge(&h->hll[mark], &w->hll[mark]);
            h->new_marks |= UINT32_C(1) << mark;
        }
    h->lacks_sketches |= w->lacks_sketches;
    h->is_new = true;
}

static void date_add(struct date_sum *d, const struct window *w)
{
    if (d->is_final)
        return;
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        d->packets[mark] += w->mark_packets[mark];
        d->packets_ex[mark] += w->mark_packets[mark] - w->mark_packets_out[mark];
        if (w->mark_sources[mark].high > 0)
            hll_merge(&d->hll[mark], &w->hll[mark]);
    }
    d->lacks_sketches |= w->lacks_sketches;
    d->lacks_ex |= !window_has_ex(w);
    d->has_ex = !d->lacks_ex;
    (void)snprintf(d->ex_absent, sizeof d->ex_absent, "%s",
                   d->has_ex ? "" : "windows do not know what is taken out");
    d->is_new = true;
}

static void date_decide(struct date_sum *d, const struct day_result *r)
{
    d->is_final = true;
    d->revision = r->facts->revision;
    d->has_ex = r->ex_absent[0] == 0;
    (void)snprintf(d->ex_absent, sizeof d->ex_absent, "%s", r->ex_absent);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        d->packets[mark] = r->marks[mark].packets;
        d->packets_ex[mark] = r->marks[mark].packets_ex;
        d->sources[mark] = r->marks[mark].sources;
        d->sources_ex[mark] = r->marks[mark].sources_ex;
    }
    d->is_new = true;
}

/* ---- from the feed ---- */

struct load {
    int64_t from_ns, to_ns; /* starts of windows */
    uint64_t before_seq;
    struct hour_sum *hour; /* one of the two */
    struct date_sum *date;
};

/* The next record, a Window of the load or the segment's Header. 0: damage, nothing more of this segment. */
static int load_record(struct feed_sums *s, const struct load *load, struct feed_cursor *c,
                       struct fault *fault)
{
    struct record_view view;
    struct feed_header header;
    int err = feed_cursor_next(c, &view, fault);
    if (err != 1)
        return err;
    if (view.body_kind == RECORD_header) {
        err = feed_header_take(&header, view.body, view.body_len, fault);
        record_window_expect(s->reader, header.span_ns, header.is_filtered);
        return err < 0 ? 0 : 1;
    }
    window_clear(s->window);
    err = record_unpack_window(s->reader, s->window, &s->names, view.body, view.body_len, fault);
    if (err == -EBADMSG)
        return 1; /* whoever follows the feed says so */
    if (err < 0)
        return err;
    if (load->hour != NULL)
        hour_add(load->hour, s->window);
    else
        date_add(load->date, s->window);
    return 1;
}

static int load_segment(struct feed_sums *s, const struct load *load, struct feed_reader *r,
                        size_t segment, struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    size_t shown;
    int err = feed_cursor_begin(&c, r, segment, fault);
    while (err == 0 && (err = feed_cursor_peek(&c, &view, &shown, fault)) == 1) {
        int64_t start_ns;
        err = 0;
        if (view.body_kind == RECORD_window && view.seq >= load->before_seq)
            break;
        if (view.body_kind == RECORD_header ||
            (view.body_kind == RECORD_window && record_window_start(view.body, shown, &start_ns) &&
             start_ns >= load->from_ns && start_ns < load->to_ns)) {
            err = load_record(s, load, &c, fault);
            if (err == 0)
                break;
            err = err == 1 ? 0 : err;
        } else {
            feed_cursor_skip(&c);
        }
    }
    feed_cursor_end(&c);
    return err;
}

static int load_prepare(struct feed_sums *s, struct fault *fault)
{
    if (s->reader == NULL)
        s->reader = record_window_create();
    if (s->window == NULL)
        s->window = window_create();
    if (s->names.rules == NULL && rule_names_init(&s->names, NULL) < 0)
        s->names.rules = NULL;
    return s->reader == NULL || s->window == NULL || s->names.rules == NULL
               ? fault_set(fault, ENOMEM, "%.100s: no memory", s->dir)
               : 0;
}

/* The windows that begin in [from, to) stand in segments whose first window begins in the same hour, or up to a day
 * later (feed_log.h); an hour more on both sides does no harm. */
static int feed_load(struct feed_sums *s, const struct load *load, struct fault *fault)
{
    enum { HOUR_S = 3600, DAY_S = 86400 };
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *r = NULL;
    const struct feed_reader_segment *list;
    int err = load_prepare(s, fault);

    if (err == 0 && pool == NULL)
        err = fault_set(fault, ENOMEM, "%.100s: no memory", s->dir);
    if (err == 0)
        err = feed_reader_open(&r, s->dir, pool, fault);
    size_t count = err == 0 ? feed_reader_segments(r, &list) : 0;
    for (size_t i = 0; err == 0 && i < count; i++)
        if (list[i].kind == FEED_WINDOWS && list[i].at >= load->from_ns / 1000000000 - 2 * HOUR_S &&
            list[i].at <= load->to_ns / 1000000000 + DAY_S + HOUR_S)
            err = load_segment(s, load, r, i, fault);
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return err;
}

/* Whether the feed decided a date already; by a Day that is still to come as well, which is told when it comes. */
static int date_final_load(struct feed_sums *s, struct date_sum *d, struct fault *fault)
{
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *r = NULL;
    int err = pool == NULL ? fault_set(fault, ENOMEM, "%.100s: no memory", s->dir)
                           : feed_reader_open(&r, s->dir, pool, fault);
    const struct feed_reader_date *date = err == 0 ? feed_reader_date_find(r, d->date) : NULL;
    d->is_final = date != NULL && date->day != FEED_NO_SEGMENT;
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return err;
}

/* ---- the sums at hand ---- */

/* The hour's sum; a place for it, whose start is another; NULL: all have news, or no memory (*err). */
static struct hour_sum *hour_find(struct feed_sums *s, int64_t start_ns, int *err)
{
    unsigned place = SUM_HOURS;
    for (unsigned i = 0; i < SUM_HOURS; i++) {
        struct hour_sum *h = s->hours[i];
        if (h != NULL && h->used > 0 && h->start_ns == start_ns)
            return h;
        if (h != NULL && h->is_new)
            continue;
        if (place == SUM_HOURS || h == NULL ||
            (s->hours[place] != NULL && h->used < s->hours[place]->used))
            place = i;
    }
    *err = place == SUM_HOURS ? -ENOBUFS : 0;
    if (place == SUM_HOURS)
        return NULL;
    free(s->hours[place]);
    s->hours[place] = calloc(1, sizeof **s->hours);
    if (s->hours[place] == NULL)
        *err = -ENOMEM;
    return s->hours[place];
}

static struct date_sum *date_find(struct feed_sums *s, int32_t date, int *err)
{
    unsigned place = SUM_DATES;
    for (unsigned i = 0; i < SUM_DATES; i++) {
        struct date_sum *d = s->dates[i];
        if (d != NULL && d->used > 0 && d->date == date)
            return d;
        if (d != NULL && d->is_new)
            continue;
        if (place == SUM_DATES || d == NULL ||
            (s->dates[place] != NULL && d->used < s->dates[place]->used))
            place = i;
    }
    *err = place == SUM_DATES ? -ENOBUFS : 0;
    if (place == SUM_DATES)
        return NULL;
    free(s->dates[place]);
    s->dates[place] = calloc(1, sizeof **s->dates);
    if (s->dates[place] == NULL)
        *err = -ENOMEM;
    return s->dates[place];
}

static int sums_full(const struct feed_sums *s, int err, struct fault *fault)
{
    return fault_set(fault, -err, "%.100s: %s", s->dir,
                     err == -ENOMEM ? "no memory" : "sums not told yet");
}

static int hour_ready(struct feed_sums *s, struct hour_sum *h, int64_t start_ns, uint64_t seq,
                      int64_t greatest_ns, struct fault *fault)
{
    if (h->used > 0)
        return 0;
    struct load load = {.from_ns = start_ns, .before_seq = seq, .hour = h};
    if (__builtin_add_overflow(start_ns, hour_ns, &load.to_ns))
        load.to_ns = INT64_MAX;
    int err = greatest_ns < start_ns ? 0 : feed_load(s, &load, fault);
    h->start_ns = start_ns;
    h->used = ++s->turn;
    if (err < 0)
        memset(h, 0, sizeof *h);
    return err;
}

static int date_ready(struct feed_sums *s, struct date_sum *d, const struct calendar_day *day,
                      uint64_t seq, int64_t greatest_ns, struct fault *fault)
{
    if (d->used > 0)
        return 0;
    struct load load = {
        .from_ns = day->start_ns, .to_ns = day->end_ns, .before_seq = seq, .date = d};
    d->date = day->date;
    d->start_ns = day->start_ns;
    d->end_ns = day->end_ns;
    bool is_known = greatest_ns < day->start_ns;
    int err = is_known ? 0 : date_final_load(s, d, fault);
    if (err == 0 && !is_known && !d->is_final)
        err = feed_load(s, &load, fault);
    if (err == 0)
        d->used = ++s->turn;
    else
        memset(d, 0, sizeof *d);
    return err;
}

static int64_t hour_of(int64_t ns)
{
    int64_t rest = ns % hour_ns;
    rest += rest < 0 ? hour_ns : 0;
    return ns < INT64_MIN + rest ? INT64_MIN : ns - rest; /* the type's first hour is cut */
}

int feed_sums_add(struct feed_sums *s, const struct window *w, uint64_t seq, int64_t greatest_ns,
                  struct fault *fault)
{
    /* Both places before either is changed. */
    struct calendar_day day = calendar_day_of(w->start_ns);
    int err = 0;
    struct hour_sum *h = hour_find(s, hour_of(w->start_ns), &err);
    if (h == NULL)
        return sums_full(s, err, fault);
    struct date_sum *d = date_find(s, day.date, &err);
    if (d == NULL)
        return sums_full(s, err, fault);
    err = hour_ready(s, h, hour_of(w->start_ns), seq, greatest_ns, fault);
    if (err == 0)
        err = date_ready(s, d, &day, seq, greatest_ns, fault);
    if (err < 0)
        return err;
    h->used = d->used = ++s->turn;
    hour_add(h, w);
    date_add(d, w);
    return 0;
}

int feed_sums_decide(struct feed_sums *s, const struct day_result *r, struct fault *fault)
{
    int err = 0;
    struct date_sum *d = date_find(s, r->facts->date, &err);
    if (d == NULL)
        return sums_full(s, err, fault);
    d->date = r->facts->date;
    d->start_ns = r->facts->start_ns;
    d->end_ns = r->facts->end_ns;
    d->used = ++s->turn;
    date_decide(d, r);
    return 0;
}

const struct hour_sum *feed_sums_hour(const struct feed_sums *s, unsigned *at)
{
    while (*at < SUM_HOURS) {
        const struct hour_sum *h = s->hours[(*at)++];
        if (h != NULL && h->is_new)
            return h;
    }
    return NULL;
}

const struct date_sum *feed_sums_date(const struct feed_sums *s, unsigned *at)
{
    while (*at < SUM_DATES) {
        const struct date_sum *d = s->dates[(*at)++];
        if (d != NULL && d->is_new)
            return d;
    }
    return NULL;
}

void feed_sums_clean(struct feed_sums *s)
{
    for (unsigned i = 0; i < SUM_HOURS; i++)
        if (s->hours[i] != NULL) {
            memset(s->hours[i]->new_ports, 0, sizeof s->hours[i]->new_ports);
            s->hours[i]->new_marks = 0;
            s->hours[i]->is_new = false;
        }
    for (unsigned i = 0; i < SUM_DATES; i++)
        if (s->dates[i] != NULL)
            s->dates[i]->is_new = false;
}
