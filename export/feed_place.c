#include "export/feed_place.h"

#include "export/day.h"
#include "export/feed_reader.h"
#include "export/record_event.h"
#include "export/record_window.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void feed_starts_add(struct feed_starts *s, int64_t start_ns)
{
    s->newest[s->count++ % PLACE_STARTS] = start_ns;
    if (start_ns > s->greatest_ns)
        s->greatest_ns = start_ns;
}

int64_t feed_starts_lowest(const struct feed_starts *s)
{
    int64_t lowest = s->count < PLACE_STARTS ? INT64_MIN : s->newest[0];
    for (unsigned i = 1; s->count >= PLACE_STARTS && i < PLACE_STARTS; i++)
        if (s->newest[i] < lowest)
            lowest = s->newest[i];
    return lowest;
}

/* A walk through the feed. */
struct walk {
    struct feed_place
        *place; /* as it is in front of the record at hand, until the place is settled */
    const struct sink_cursor *have;
    const char *dir, *sink;
    struct fault *fault;
    struct feed_id ids[SINK_SORTS];
    struct feed_starts starts;
    bool is_cut;               /* the first segments are not there */
    bool is_from_front;        /* what the sink has was deleted: all that is kept is to be told */
    size_t last_segment;       /* the last window that was seen stands there */
    uint64_t last_offset;      /* UINT64_MAX: none was */
    bool is_older[SINK_SORTS]; /* a record that the sink must have passed was seen */
    bool is_settled;           /* the first record that the sink lacks was seen: */
    size_t segment;            /* it stands there */
    uint64_t offset;
};

static const char *const sort_names[SINK_SORTS] = {"windows", "days", "events"};

static int refuse(const struct walk *w, enum sink_sort sort, const char *how)
{
    char ours[FEED_ID_WORDS], theirs[FEED_ID_WORDS];
    return fault_set(w->fault, ESTALE, "%.48s has %s up to %s, %s %s of the feed %.48s", w->sink,
                     sort_names[sort], feed_id_words(w->have[sort].last, theirs), how,
                     feed_id_words(w->ids[sort], ours), w->dir);
}

static bool is_done(const struct walk *w)
{
    bool all = w->is_settled;
    for (unsigned sort = 0; sort < SINK_SORTS; sort++)
        all &= w->place->is_found[sort];
    return all;
}

static bool is_last_of(const struct sink_cursor *have, const struct record_view *whole)
{
    return have->has_crc && record_crc(0, whole->body, whole->body_len) == have->crc;
}

/* A record of a sort: the one that the cursor would give next, or, where the sink's newest may be it, the `whole` one that
 * it gave. */
static int record_judge(struct walk *w, enum sink_sort sort, int64_t start_ns,
                        const struct feed_cursor *c, const struct record_view *whole)
{
    const struct sink_cursor *have = &w->have[sort];
    struct feed_id id = feed_id_next(w->ids[sort], start_ns);
    int order = feed_id_order(id, have->last);
    if (order < 0 && !w->place->is_found[sort] && whole != NULL && is_last_of(have, whole)) {
        id = have->last; /* in a feed that is cut: its id was another */
        order = 0;
    }
    bool is_lacking = feed_id_is_none(have->last) || order > 0;

    if (is_lacking && !w->place->is_found[sort] && w->is_cut && sort == SINK_WINDOWS)
        w->is_from_front = true;
    if (is_lacking && !w->place->is_found[sort] && w->is_older[sort] && !w->is_cut) {
        w->ids[sort] = id;
        return refuse(w, sort, "which is none of this feed's; behind it comes");
    }
    if (is_lacking && !w->is_settled) {
        memcpy(w->place->ids, w->ids, sizeof w->ids);
        w->place->starts = w->starts;
        w->is_settled = true;
        w->segment = c->segment;
        w->offset = whole != NULL ? c->at : c->next;
    }
    w->ids[sort] = id;
    if (sort == SINK_WINDOWS) {
        feed_starts_add(&w->starts, start_ns);
        w->last_segment = c->segment;
        w->last_offset = whole != NULL ? c->at : c->next;
    }
    if (order == 0 && whole != NULL && have->has_crc && !is_last_of(have, whole))
        return refuse(w, sort, "and that is another record than");
    w->is_older[sort] |= order < 0;
    if (sort == SINK_WINDOWS && order > 0 && !w->place->is_found[sort])
        w->place->is_gap = true;
    w->place->is_found[sort] |= is_lacking || order == 0;
    return 0;
}

static int day_judge(struct walk *w, const struct feed_cursor *c, const struct record_view *view)
{
    struct day_result *day;
    int err = record_unpack_day(&day, view->body, view->body_len, w->fault);
    if (err < 0)
        return err == -ENOMEM ? err : 0; /* whoever follows the feed says so */
    err = record_judge(w, SINK_DAYS, day->facts->start_ns, c, view);
    day_result_destroy(day);
    return err;
}

/* Whoever follows the feed says what is wrong with one. */
static int event_judge(struct walk *w, const struct feed_cursor *c, const struct record_view *view)
{
    struct event_brief e;
    if (w->have[SINK_EVENTS].is_unwanted || !record_event_brief(&e, view->body, view->body_len))
        return 0;
    return record_judge(w, SINK_EVENTS, e.time_ns, c, view);
}

/* Whether an event of which the first bytes were seen is told apart from the sink's newest by its id. */
static bool event_is_other(const struct walk *w, const struct record_view *view, size_t shown)
{
    struct event_brief e;
    return !w->have[SINK_EVENTS].is_unwanted && record_event_brief(&e, view->body, shown) &&
           feed_id_order(feed_id_next(w->ids[SINK_EVENTS], e.time_ns), w->have[SINK_EVENTS].last) !=
               0;
}

/* One record. 1: go on; 0: the segment has ended. */
static int record_walk(struct walk *w, struct feed_cursor *c)
{
    struct record_view view;
    size_t shown;
    int64_t start_ns;
    int err = feed_cursor_peek(c, &view, &shown, w->fault);
    if (err != 1)
        return err;
    bool is_window =
        view.body_kind == RECORD_window && record_window_start(view.body, shown, &start_ns);
    if (view.body_kind == RECORD_event && event_is_other(w, &view, shown)) {
        struct event_brief e;
        (void)record_event_brief(&e, view.body, shown);
        err = record_judge(w, SINK_EVENTS, e.time_ns, c, NULL);
        feed_cursor_skip(c);
        return err < 0 ? err : 1;
    }
    bool is_front = w->is_cut && w->starts.count < PLACE_FRONT;
    if (is_window && !is_front &&
        feed_id_order(feed_id_next(w->ids[SINK_WINDOWS], start_ns), w->have[SINK_WINDOWS].last) !=
            0) {
        err = record_judge(w, SINK_WINDOWS, start_ns, c, NULL);
        feed_cursor_skip(c);
        return err < 0 ? err : 1;
    }
    err = feed_cursor_next(c, &view, w->fault);
    if (err == 1 && is_window)
        err = record_judge(w, SINK_WINDOWS, start_ns, c, &view);
    else if (err == 1 && view.body_kind == RECORD_day)
        err = day_judge(w, c, &view);
    else if (err == 1 && view.body_kind == RECORD_event)
        err = event_judge(w, c, &view);
    else
        return err;
    return err < 0 ? err : 1;
}

static int segment_walk(struct walk *w, struct feed_reader *r, size_t segment)
{
    struct feed_cursor c;
    int err = feed_cursor_begin(&c, r, segment, w->fault);
    while (err == 0 && !is_done(w)) {
        err = record_walk(w, &c);
        if (err <= 0)
            break;
        err = 0;
    }
    if (!w->is_settled && c.next > 0) { /* else its writer is at the first record */
        w->segment = segment;
        w->offset = c.next;
    }
    feed_cursor_end(&c);
    return err;
}

/* The position where the walk has settled or ended: with the crc that the chain goes on from. */
static int position_take(struct walk *w, struct feed_reader *r)
{
    const struct feed_reader_segment *list;
    struct feed_place *place = w->place;
    struct feed_cursor c;
    struct record_view view;
    feed_reader_segments(r, &list);
    int err = feed_cursor_begin(&c, r, w->segment, w->fault);
    while (err == 0 && c.next < w->offset && (err = feed_cursor_next(&c, &view, w->fault)) == 1) {
        err = view.body_kind == RECORD_header
                  ? feed_header_take(&place->header, view.body, view.body_len, w->fault)
                  : 0;
        place->position = (struct feed_position){
            .segment = list[w->segment].number, .offset = c.next, .seq = c.seq, .crc = c.crc};
    }
    feed_cursor_end(&c);
    return err;
}

/* Of a feed that is cut, at its end: whether the last window is what the sink has. */
static int last_judge(struct walk *w, struct feed_reader *r)
{
    struct feed_cursor c;
    struct record_view view;
    if (!w->is_cut || w->place->is_found[SINK_WINDOWS] || w->last_offset == UINT64_MAX)
        return 0;
    int err = feed_cursor_begin(&c, r, w->last_segment, w->fault);
    if (err == 0) {
        feed_cursor_seek(&c, w->last_offset);
        err = feed_cursor_next(&c, &view, w->fault);
    }
    if (err == 1 && is_last_of(&w->have[SINK_WINDOWS], &view)) {
        w->ids[SINK_WINDOWS] = w->have[SINK_WINDOWS].last;
        w->place->is_found[SINK_WINDOWS] = true;
    }
    feed_cursor_end(&c);
    return err < 0 ? err : 0;
}

/* All that is kept follows what the sink has: ids go on from there. */
static void front_take(struct walk *w)
{
    const struct feed_header none = {.span_ns = 0};
    memset(w->place->ids, 0, sizeof w->place->ids);
    w->place->ids[SINK_WINDOWS] = w->have[SINK_WINDOWS].last;
    w->place->starts = FEED_STARTS_NONE;
    w->place->position = (struct feed_position){.segment = 0};
    w->place->header = none;
}

static int feed_walk(struct walk *w, struct feed_reader *r)
{
    const struct feed_reader_segment *list;
    size_t count = feed_reader_segments(r, &list);
    int err = 0;
    w->is_cut = count > 0 && list[0].number > 1;
    for (size_t i = 0; err == 0 && i < count && !is_done(w); i++) {
        if (list[i].kind == FEED_SOURCES)
            continue;
        err = segment_walk(w, r, i);
    }
    if (err == 0)
        err = last_judge(w, r);
    for (unsigned sort = 0; err == 0 && sort < SINK_SORTS; sort++)
        if (!w->place->is_found[sort] && w->is_older[sort])
            err = refuse(w, sort, "and is ahead of the last,");
    if (err < 0)
        return err;
    if (w->is_from_front) {
        front_take(w);
        return 0;
    }
    if (!w->is_settled) {
        memcpy(w->place->ids, w->ids, sizeof w->ids);
        w->place->starts = w->starts;
    }
    return w->offset == 0 ? 0 : position_take(w, r);
}

int feed_place_find(struct feed_place *out, const char *dir,
                    const struct sink_cursor have[SINK_SORTS], const char *sink,
                    struct fault *fault)
{
    struct walk w = {.place = out,
                     .have = have,
                     .dir = dir,
                     .sink = sink,
                     .fault = fault,
                     .starts = FEED_STARTS_NONE,
                     .last_offset = UINT64_MAX};
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *r = NULL;
    *out = (struct feed_place){.starts = FEED_STARTS_NONE};
    for (unsigned sort = 0; sort < SINK_SORTS; sort++)
        out->is_found[sort] = feed_id_is_none(have[sort].last);
    int err = pool == NULL ? fault_set(fault, ENOMEM, "%.100s: no memory", dir)
                           : feed_reader_open(&r, dir, pool, fault);
    if (err == -ENOENT)
        err = 0;
    else if (err == 0)
        err = feed_walk(&w, r);
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return err;
}
