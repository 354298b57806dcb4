#include "core/day_recall.h"

#include "export/calendar.h"
#include "export/feed_reader.h"
#include "export/record_window.h"
#include "export/saturate.h"

#include <errno.h>
#include <string.h>

struct recall {
    int32_t date;
    uint64_t from, before;
    struct record_window *unpacker;
    struct rule_names names;
    struct window *window;
    struct journal_sums *sums;
};

void day_recall_minutes(uint64_t minutes[DAY_MINUTE_WORDS], const struct calendar_day *of,
                        const struct window *w)
{
    static const int64_t minute_ns = INT64_C(60000000000);
    int64_t last_ns = w->start_ns + w->span_ns - 1;
    for (int64_t m = (w->start_ns - of->start_ns) / minute_ns;
         m <= (last_ns - of->start_ns) / minute_ns && m < DAY_MINUTES; m++)
        minutes[m / 64] |= UINT64_C(1) << m % 64;
}

/* A record; what is no window that holds is passed over. */
static void record_take(struct recall *r, const struct record_view *view)
{
    struct window *w = r->window;
    struct fault unused;
    int64_t start_ns;
    if (view->body_kind != RECORD_window || view->seq < r->from || view->seq >= r->before ||
        !record_window_start(view->body, view->body_len, &start_ns))
        return;
    const struct calendar_day of = calendar_day_of(start_ns);
    if (of.date != r->date)
        return;
    if (record_unpack_window(r->unpacker, w, &r->names, view->body, view->body_len, &unused) == 0) {
        for (unsigned k = 0; k < KIND_COUNT; k++) {
            saturate_add(&r->sums->kinds[k].packets, w->kinds[k].packets);
            saturate_add(&r->sums->kinds[k].bytes, w->kinds[k].bytes);
        }
        ledger_merge(&r->sums->ledger, &w->ledger);
        if (w->ledger.late == 0 && (!w->is_partial || w->totals.packets > 0))
            day_recall_minutes(r->sums->minutes, &of, w);
    }
    window_clear(w);
}

static int segment_read(struct recall *r, struct feed_reader *reader, size_t segment,
                        struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    int got, err = feed_cursor_begin(&c, reader, segment, fault);
    while (err == 0 && (got = feed_cursor_next(&c, &view, fault)) != 0) {
        err = got < 0 ? got : 0;
        if (err == 0)
            record_take(r, &view);
    }
    feed_cursor_end(&c);
    return err;
}

/* Segments of windows, which may be of the date: an hour each, and with late ones up to a day. */
static int segments_read(struct recall *r, struct feed_reader *reader, struct fault *fault)
{
    static const int64_t second_ns = 1000000000, slack_s = 2 * 86400;
    const struct calendar_day of = calendar_day_at(r->date);
    const struct feed_reader_segment *list;
    size_t count = feed_reader_segments(reader, &list);
    int err = 0;
    for (size_t i = 0; i < count && err == 0; i++)
        if (list[i].kind == FEED_WINDOWS && list[i].at > of.start_ns / second_ns - slack_s &&
            list[i].at < of.end_ns / second_ns + slack_s)
            err = segment_read(r, reader, i, fault);
    return err;
}

int day_recall(const char *feed_dir, int32_t date, uint64_t from, uint64_t before,
               struct journal_sums *sums, struct fault *fault)
{
    struct recall r = {.date = date, .from = from, .before = before, .sums = sums};
    struct feed_reader *reader = NULL;
    struct feed_pool *pool = feed_pool_create(4);
    *sums = (struct journal_sums){0};
    r.unpacker = record_window_create();
    r.window = window_create();
    int err = pool && r.unpacker && r.window ? rule_names_init(&r.names, NULL) : -ENOMEM;
    if (err < 0) {
        err = fault_set(fault, ENOMEM, "%.200s: no memory to look at windows", feed_dir);
    } else {
        record_window_expect_any(r.unpacker);
        err = feed_reader_open(&reader, feed_dir, pool, fault);
        err = err == 0 ? segments_read(&r, reader, fault) : err == -ENOENT ? 0 : err;
    }
    feed_reader_close(reader);
    feed_pool_destroy(pool);
    rule_names_fini(&r.names);
    record_window_destroy(r.unpacker);
    window_destroy(r.window);
    return err;
}
