/* What the windows of a report's feeds say beside their numbers, and what is damaged. Part of report_feeds. */
#include "export/report_feeds.h"

#include "export/report_feeds_state.h"

#include <errno.h>
#include <stdlib.h>

static int segment_outages(struct feed_reader *r, size_t segment, struct outages *outages,
                           struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view;
    struct fault why;
    int found = feed_cursor_begin(&c, r, segment, fault);
    while (found >= 0 && (found = feed_cursor_next(&c, &view, fault)) > 0) {
        int err = 0;
        if (view.body_kind == RECORD_gap)
            err = outages_add_gap(outages, view.body, view.body_len, &why);
        else if (view.body_kind == RECORD_window &&
                 (err = outages_add_record(outages, view.body, view.body_len)) < 0)
            fault_set(&why, EBADMSG, "is no Window");
        if (err == -ENOMEM)
            found = report_no_memory(fault);
        else if (err < 0)
            found = feed_cursor_refuse(&c, why.text) < 0 ? report_no_memory(fault) : 0;
    }
    feed_cursor_end(&c);
    return found < 0 ? found : 0;
}

int report_feeds_outages(struct report_feeds *f, struct outages *outages, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < f->reader_count; i++) {
        const struct feed_reader_segment *list;
        size_t count = feed_reader_segments(f->readers[i], &list);
        if (f->progress != NULL)
            atomic_fetch_add_explicit(&f->progress->total, count, memory_order_relaxed);
        for (size_t k = 0; err == 0 && k < count; k++) {
            if (list[k].kind == FEED_WINDOWS)
                err = segment_outages(f->readers[i], k, outages, fault);
            if (f->progress != NULL)
                atomic_fetch_add_explicit(&f->progress->done, 1, memory_order_relaxed);
        }
    }
    f->has_read_windows |= err == 0;
    return err;
}

/* ---- damage */

static int date_order(const void *key, const void *at)
{
    int32_t date = *(const int32_t *)key, other = ((const struct report_date *)at)->at.date;
    return date < other ? -1 : date > other;
}

/* Whether a segment was read to its end. */
static bool is_read(const struct report_feeds *f, const struct feed_reader *r, size_t segment,
                    const struct feed_reader_segment *s)
{
    if (s->kind == FEED_WINDOWS)
        return f->has_read_windows;
    int32_t date = (int32_t)s->at;
    const struct report_date *d =
        f->date_count == 0 ? NULL
                           : bsearch(&date, f->dates, f->date_count, sizeof *f->dates, date_order);
    return d != NULL && d->is_read && d->reader == r && d->at.sources == segment;
}

int report_feeds_hold(struct report_feeds *f, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < f->reader_count; i++) {
        const struct feed_reader_segment *list;
        size_t count = feed_reader_segments(f->readers[i], &list);
        if (f->progress != NULL)
            atomic_fetch_add_explicit(&f->progress->total, count, memory_order_relaxed);
        for (size_t k = 0; err == 0 && k < count; k++) {
            if (!is_read(f, f->readers[i], k, &list[k]))
                err = feed_reader_hold(f->readers[i], k, fault);
            if (f->progress != NULL)
                atomic_fetch_add_explicit(&f->progress->done, 1, memory_order_relaxed);
        }
    }
    return err;
}
