#include "core/day_earlier.h"

#include "export/record_event.h"

#include <errno.h>
#include <string.h>

int day_earlier_next(struct day_earlier *e, struct fault *fault)
{
    struct record_view view;
    int got;
    e->has_next = false;
    while ((got = e->has_cursor ? feed_cursor_next(&e->cursor, &view, fault) : 0) > 0) {
        if (view.body_kind != RECORD_source_day)
            continue;
        int err = record_unpack_source_day(&e->next, view.body, view.body_len, fault);
        e->has_next = err == 0;
        return err;
    }
    return got;
}

static int day_read(struct day_earlier *e, size_t segment, struct fault *fault)
{
    struct feed_cursor cursor;
    struct record_view view;
    int got, err = feed_cursor_begin(&cursor, e->reader, segment, fault);
    while (err == 0 && (got = feed_cursor_next(&cursor, &view, fault)) != 0) {
        err = got < 0 ? got : 0;
        if (err == 0 && view.body_kind == RECORD_day && !e->day) {
            err = record_unpack_day(&e->day, view.body, view.body_len, fault);
            e->day_seq = view.seq;
            e->day_segment = segment;
        }
    }
    feed_cursor_end(&cursor);
    return err;
}

void day_earlier_end(struct day_earlier *e)
{
    if (e->has_cursor)
        feed_cursor_end(&e->cursor);
    source_day_buffer_free(&e->next);
    day_result_destroy(e->day);
    feed_reader_close(e->reader);
    feed_pool_destroy(e->pool);
}

int day_earlier_begin(struct day_earlier *e, const char *dir, int32_t date, struct fault *fault)
{
    *e = (struct day_earlier){.pool = feed_pool_create(4)};
    if (!e->pool)
        return fault_set(fault, ENOMEM, "days: %s", strerror(ENOMEM));
    int err = feed_reader_open(&e->reader, dir, e->pool, fault);
    if (err == -ENOENT)
        return 0;
    const struct feed_reader_date *found = err == 0 ? feed_reader_date_find(e->reader, date) : NULL;
    if (!found || found->day == FEED_NO_SEGMENT)
        return err;
    err = day_read(e, found->day, fault);
    if (err == 0 && found->sources != FEED_NO_SEGMENT) {
        err = feed_cursor_begin(&e->cursor, e->reader, found->sources, fault);
        e->has_cursor = true;
    }
    return err < 0 ? err : day_earlier_next(e, fault);
}

int day_earlier_infected(struct day_earlier *e, int32_t date,
                         void (*take)(void *context, const struct event *infected), void *context,
                         struct fault *fault)
{
    const struct feed_reader_segment *list;
    size_t count = e->day ? feed_reader_segments(e->reader, &list) : 0;
    int err = 0;
    for (size_t i = e->day_segment + 1; i < count && err == 0; i++) {
        struct feed_cursor c;
        struct record_view view;
        struct event event;
        struct fault why;
        if (list[i].kind != FEED_WINDOWS)
            continue;
        err = feed_cursor_begin(&c, e->reader, i, fault);
        while (err == 0 && (err = feed_cursor_next(&c, &view, fault)) > 0) {
            err = 0;
            if (view.body_kind == RECORD_event &&
                record_unpack_event(&event, view.body, view.body_len, &why) == 0 &&
                event.type == EVENT_infected && event.infected.date == date)
                take(context, &event);
        }
        feed_cursor_end(&c);
    }
    return err;
}
