/* A feed's files: the Days of its two newest dates, then the windows of the newest day, then what comes. */
#include "core/watch_source.h"

#include "export/calendar.h"
#include "export/feed_header.h"
#include "export/feed_reader.h"
#include "export/feed_tail.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NS INT64_C(1000000000)
enum { DAYS = 2, HOUR_S = 3600, DAY_S = 86400 };

struct feed {
    struct watch_source source;
    char *dir;
    atomic_bool is_stopped;
    bool is_begun;
    struct feed_position begin; /* all zero: the first record */
    struct feed_tail *tail;     /* NULL: to be opened */
    struct feed_position at;    /* while it is not open */
    dev_t device;               /* of the folder that is read */
    ino_t inode;
    uint8_t *days[DAYS]; /* bodies of Days */
    size_t day_len[DAYS], day_count, day_given;
};

static bool feed_is(const char *spec)
{
    (void)spec;
    return true;
}

static void days_drop(struct feed *f)
{
    for (size_t i = 0; i < f->day_count; i++)
        free(f->days[i]);
    f->day_count = f->day_given = 0;
}

static void feed_close(struct watch_source *s)
{
    struct feed *f = (struct feed *)s;
    feed_tail_close(f->tail);
    days_drop(f);
    free(f->dir);
    free(f);
}

/* ---- where it begins */

static int day_copy(struct feed *f, struct feed_reader *r, size_t segment, struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view;
    int found = feed_cursor_begin(&c, r, segment, fault);
    while (found >= 0 && f->day_count < DAYS && (found = feed_cursor_next(&c, &view, fault)) > 0) {
        if (view.body_kind != RECORD_day)
            continue;
        uint8_t *body = malloc(view.body_len + 1);
        if (body == NULL) {
            found = fault_set(fault, ENOMEM, "no memory for a day");
            break;
        }
        memcpy(body, view.body, view.body_len);
        f->day_len[f->day_count] = view.body_len;
        f->days[f->day_count++] = body;
        break;
    }
    feed_cursor_end(&c);
    return found < 0 ? found : 0;
}

/* In front of a segment. All zero where what stands before is not known. */
static int position_before(struct feed_reader *r, const struct feed_reader_segment *list,
                           size_t segment, struct feed_position *at, struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view;
    size_t shown;
    *at = (struct feed_position){0};
    int found = feed_cursor_begin(&c, r, segment, fault);
    if (found >= 0 && c.is_chained) {
        uint32_t crc = c.crc;
        found = feed_cursor_peek(&c, &view, &shown, fault);
        if (found > 0 && view.seq > 1)
            *at = (struct feed_position){list[segment].number, 0, view.seq - 1, crc};
    }
    feed_cursor_end(&c);
    return found < 0 ? found : 0;
}

/* The first segment that may hold windows of the newest day. */
static size_t first_segment(const struct feed_reader_segment *list, size_t count)
{
    int64_t newest = INT64_MIN, most = watch_now_ns() / NS + DAY_S;
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == FEED_WINDOWS && list[i].at > newest && list[i].at < most)
            newest = list[i].at;
    if (newest > INT64_MAX / NS - DAY_S || newest < INT64_MIN / NS + DAY_S)
        return 0;
    int64_t from = watch_begin_ns(newest * NS) / NS - HOUR_S;
    size_t i = 0;
    while (i < count && (list[i].kind != FEED_WINDOWS || list[i].at < from))
        i++;
    return i < count ? i : 0;
}

static int begin(struct feed *f, struct fault *fault)
{
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *r = NULL;
    const struct feed_reader_segment *list;
    const struct feed_reader_date *dates;
    int err = pool == NULL ? fault_set(fault, ENOMEM, "no memory for a feed")
                           : feed_reader_open(&r, f->dir, pool, fault);
    struct stat st;
    days_drop(f);
    if (err == 0 && stat(f->dir, &st) < 0)
        err = fault_set(fault, errno, "%s: %s", f->dir, strerror(errno));
    if (err == 0) {
        f->device = st.st_dev;
        f->inode = st.st_ino;
        size_t count = feed_reader_segments(r, &list), days = feed_reader_dates(r, &dates);
        for (size_t i = days > DAYS ? days - DAYS : 0; err == 0 && i < days; i++)
            if (dates[i].day != FEED_NO_SEGMENT)
                err = day_copy(f, r, dates[i].day, fault);
        size_t first = err < 0 ? 0 : first_segment(list, count);
        f->begin = (struct feed_position){0};
        if (err == 0 && first > 0)
            err = position_before(r, list, first, &f->begin, fault);
    }
    feed_reader_close(r);
    feed_pool_destroy(pool);
    f->at = f->begin;
    f->is_begun = err == 0;
    return err;
}

static int feed_open(struct watch_source **out, const struct watch_settings *s, struct fault *fault)
{
    struct feed_header header;
    struct stat st;
    if (stat(s->spec, &st) < 0)
        return fault_set(fault, errno, "%s: %s", s->spec, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fault_set(fault, ENOTDIR, "%s: is no folder of a feed, redis:// or http:// address",
                         s->spec);
    int err = feed_header_read(&header, s->spec, fault);
    if (err < 0)
        return err;
    struct feed *f = calloc(1, sizeof *f);
    if (f == NULL || (f->dir = strdup(s->spec)) == NULL) {
        free(f);
        return fault_set(fault, ENOMEM, "%s: %s", s->spec, strerror(ENOMEM));
    }
    f->source.ops = &watch_feed;
    (void)snprintf(f->source.name, WATCH_NAME, "%s", s->spec);
    memcpy(f->source.sensor, header.sensor, sizeof header.sensor);
    memcpy(f->source.zone, header.timezone, sizeof header.timezone);
    *out = &f->source;
    return 0;
}

/* ---- records */

static int tail_next(struct feed *f, struct watch_record *to, struct fault *fault)
{
    struct feed_tail_record r;
    int found = 0;
    if (f->tail == NULL)
        found = feed_tail_open(&f->tail, f->dir, f->at.segment == 0 ? NULL : &f->at, fault);
    if (found == 0)
        found = feed_tail_next(f->tail, &r, fault);
    if (found > 0) {
        *to = (struct watch_record){r.kind, r.seq, r.body, r.body_len};
        f->at = *feed_tail_position(f->tail);
    } else if (found < 0) {
        feed_tail_close(f->tail);
        f->tail = NULL;
    }
    return found;
}

/* A folder that was taken away stays open for who has it open: its name is looked at. */
static int folder_check(struct feed *f, struct fault *fault)
{
    struct stat st;
    if (stat(f->dir, &st) < 0)
        return fault_set(fault, errno, "%s: %s", f->dir, strerror(errno));
    if (st.st_dev == f->device && st.st_ino == f->inode)
        return 0;
    feed_tail_close(f->tail);
    f->tail = NULL;
    f->is_begun = false;
    return fault_set(fault, ESTALE, "%s: another feed stands there now", f->dir);
}

static int feed_next(struct watch_source *s, struct watch_record *to, struct fault *fault)
{
    struct feed *f = (struct feed *)s;
    int err = f->is_begun ? 0 : begin(f, fault);
    if (err < 0)
        return err;
    if (f->day_given < f->day_count) {
        size_t i = f->day_given++;
        *to = (struct watch_record){RECORD_day, 0, f->days[i], f->day_len[i]};
        return 1;
    }
    int found = tail_next(f, to, fault);
    if (found == -ESTALE ||
        found == -EINVAL) { /* another feed is there now, or its begin is gone */
        f->is_begun = false;
        return -ESTALE;
    }
    if (found == 0)
        found = folder_check(f, fault);
    if (found == 0 && !atomic_load(&f->is_stopped))
        feed_tail_wait(f->tail, WATCH_WAIT_MS);
    return found;
}

static void feed_interrupt(struct watch_source *s)
{
    atomic_store(&((struct feed *)s)->is_stopped, true);
}

const struct watch_source_ops watch_feed = {.is = feed_is,
                                            .open = feed_open,
                                            .next = feed_next,
                                            .interrupt = feed_interrupt,
                                            .close = feed_close};
