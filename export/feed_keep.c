#include "export/feed_keep.h"

#include "capture/live_clock.h"
#include "export/cursor_file.h"
#include "export/feed_reader.h"
#include "export/source_index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HOUR_SECONDS = 3600,
    DAY_SECONDS = 86400,
    LOOKS =
        64, /* segments that are looked through for events in one call: the writer waits for it */
};

const struct feed_keep_settings feed_keep_defaults = {.sources = 90};

struct keeping {
    const struct feed_keep_settings *settings;
    struct feed_reader *reader;
    const struct feed_reader_segment *segments;
    size_t count;
    int64_t now_s;
    uint32_t open;   /* number of the segment that is written */
    uint32_t needed; /* the first that a cursor still needs; UINT32_MAX: none does */
    bool *goes;      /* by segment */
    unsigned looks;  /* segments looked through for events */
    bool is_behind;  /* one was not, for their number */
    struct feed_removed says;
    struct feed_keep_result *out;
};

/* The first segment that some sink has not read to its end. */
static void cursors_read(struct keeping *k)
{
    k->needed = UINT32_MAX;
    for (size_t i = 0; i < k->settings->cursor_count; i++) {
        struct feed_position at;
        struct fault none;
        int err = cursor_file_peek(k->settings->cursors[i], &at, &none);
        uint32_t needed = err == 0 ? at.segment : 0; /* one that can't be read holds everything */
        if (needed < k->needed) {
            k->needed = needed;
            k->out->held_by = i;
        }
    }
}

/* Days since the end of what it holds, beyond `age`; below 0: it is younger. Dates are those of some zone: a day more. */
static int64_t past_of(const struct keeping *k, const struct feed_reader_segment *s, uint32_t age)
{
    __int128 end = s->kind == FEED_WINDOWS ? (__int128)s->at + HOUR_SECONDS
                                           : ((__int128)s->at + 2) * DAY_SECONDS;
    __int128 past = (__int128)k->now_s - end - (__int128)age * DAY_SECONDS;
    if (age == 0 || past < 0)
        return -1;
    past /= DAY_SECONDS;
    return past > INT64_MAX ? INT64_MAX : (int64_t)past;
}

/* Whether a segment of windows holds an event; one that can't be read to its end does, as far as is known. */
static bool has_event(struct keeping *k, size_t i)
{
    struct feed_cursor c;
    struct record_view view;
    struct fault none;
    size_t shown;
    bool has = false;
    uint32_t *memo = k->settings->without_events;
    if (memo != NULL && k->segments[i].number <= *memo)
        return false;
    if (k->looks++ >= LOOKS) {
        k->is_behind = true;
        return false;
    }
    int found = feed_cursor_begin(&c, k->reader, i, &none);
    while (found == 0 && !has && (found = feed_cursor_peek(&c, &view, &shown, &none)) > 0) {
        has = view.body_kind == RECORD_event;
        feed_cursor_skip(&c);
        found = 0;
    }
    has |= found < 0 || c.is_damaged;
    feed_cursor_end(&c);
    k->is_behind |= has; /* it is looked at again if it stays */
    if (!k->is_behind && memo != NULL)
        *memo = k->segments[i].number;
    return has;
}

/* As past_of, by what the segment holds. */
static int64_t days_past(struct keeping *k, size_t i)
{
    const struct feed_keep_settings *of = k->settings;
    const struct feed_reader_segment *s = &k->segments[i];
    uint32_t days = of->days == 0 || of->sources == 0 ? 0
                    : of->days > of->sources          ? of->days
                                                      : of->sources;
    uint32_t age = s->kind == FEED_WINDOWS ? of->windows : s->kind == FEED_DAY ? days : of->sources;
    int64_t past = past_of(k, s, age);
    if (past >= 0 || s->kind != FEED_WINDOWS || of->events == 0)
        return past;
    int64_t past_events = past_of(k, s, of->events);
    k->is_behind |= past_events < 0; /* it is to be looked at one day */
    if (past_events >= 0 && has_event(k, i))
        past = past_events;
    return past;
}

/* The time that ages are counted to. One segment may hold windows of an hour; several begin in one hour where the process is started again
 * and again. */
static int64_t believed_s(const struct keeping *k)
{
    int64_t at = 0, hour = 0;
    unsigned hours = 0;
    bool has_begun = false;
    for (size_t i = 0; i <= k->count; i++) {
        if (i < k->count && k->segments[i].kind != FEED_WINDOWS)
            continue;
        int64_t next = i < k->count ? k->segments[i].at : k->now_s;
        if (has_begun && (__int128)next - at > CLOCK_FAR_S) {
            hours += hours == 0 || next / HOUR_SECONDS != hour;
            hour = next / HOUR_SECONDS;
            if (hours < CLOCK_BELIEVED_S / HOUR_SECONDS)
                continue;
        }
        at = next;
        hours = 0;
        has_begun = true;
    }
    return at < k->now_s ? at : k->now_s;
}

/* Which segments go. Returns how many. */
static size_t choose(struct keeping *k)
{
    size_t chosen = 0;
    for (size_t i = 0; i < k->count; i++) {
        const struct feed_reader_segment *s = &k->segments[i];
        int64_t past = s->number >= k->open ? -1 : days_past(k, i);
        if (past < 0)
            continue;
        bool is_needed = s->number >= k->needed;
        if (is_needed && (k->settings->hold == 0 || past < k->settings->hold)) {
            k->out->held++;
            continue;
        }
        k->out->overrun += is_needed;
        k->goes[i] = true;
        chosen++;
    }
    return chosen;
}

/* What the segment behind one that goes continues. */
static int run_add(struct keeping *k, size_t i, struct fault *fault)
{
    const struct feed_reader_segment *s = &k->segments[i];
    struct feed_removed_run run = {.first = s->number, .last = s->number, .seq = 1};
    const struct feed_removed_run *behind = NULL;
    struct feed_cursor c;
    struct record_view view;
    int err = 0;
    if (k->segments[i + 1].number == s->number + 1) {
        err = feed_cursor_begin(&c, k->reader, i + 1, fault);
        run.crc = c.crc;
        if (err == 0)
            err = feed_cursor_next(&c, &view, fault);
        run.seq = err > 0 ? view.seq - 1 : 0;
        feed_cursor_end(&c);
        if (err == 0)
            return fault_set(fault, EBADMSG, "segment %06" PRIu32 " can't be read", s->number + 1);
    } else {
        behind = feed_removed_find(feed_reader_removed(k->reader), s->number + 1,
                                   k->segments[i + 1].number - 1);
        if (behind == NULL)
            return fault_set(fault, EBADMSG, "segment %06" PRIu32 " is missing", s->number + 1);
    }
    if (err < 0)
        return err;
    err = feed_removed_add_run(&k->says, &run);
    if (err == 0 && behind != NULL)
        err = feed_removed_add_run(&k->says, behind);
    return err == 0 ? 0 : fault_set(fault, ENOMEM, "no memory to delete segments");
}

/* All that is to be said: what goes, and what those that go had said. */
static int says_fill(struct keeping *k, struct fault *fault)
{
    int err = 0;
    for (size_t i = k->count; i-- > 0 && err == 0;) {
        const struct feed_reader_segment *s = &k->segments[i];
        if (!k->goes[i])
            continue;
        err = run_add(k, i, fault);
        if (err == -EBADMSG) { /* it stays till that is dealt with */
            k->goes[i] = false;
            err = 0;
            continue;
        }
        if (err == 0 && s->kind == FEED_WINDOWS &&
            feed_reader_removed_in(k->reader, i, &k->says) != 0)
            err = fault_set(fault, ENOMEM, "no memory to delete segments");
        if (err == 0)
            feed_removed_add_segment(&k->says, s->kind, s->at);
    }
    return err;
}

static int segments_delete(struct keeping *k, const char *dir, struct fault *fault)
{
    struct feed_removed now = {0};
    int err = 0;
    for (size_t i = 0; i < k->count && err == 0; i++) {
        char path[FEED_PATH];
        struct stat st = {0};
        if (!k->goes[i])
            continue;
        feed_reader_path(k->reader, i, path);
        (void)stat(path, &st);
        if (unlink(path) != 0 && errno != ENOENT) {
            err = fault_set(fault, errno, "%.200s: can't delete it: %s", path, strerror(errno));
            break;
        }
        char index
            [FEED_PATH]; /* of look-ups: worth nothing without the segment, and made again at need */
        if (source_index_path(path, index))
            (void)unlink(index);
        k->out->bytes += (uint64_t)st.st_size;
        feed_removed_add_segment(&now, k->segments[i].kind, k->segments[i].at);
    }
    memcpy(k->out->removed, now.kinds, sizeof now.kinds);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* those that come back after a power cut are deleted again */
        (void)close(fd);
    }
    return err;
}

static int keep(struct keeping *k, struct feed_log *log, const char *dir, struct fault *fault)
{
    k->count = feed_reader_segments(k->reader, &k->segments);
    k->goes = calloc(k->count, sizeof *k->goes);
    if (k->goes == NULL)
        return fault_set(fault, ENOMEM, "%.200s: no memory", dir);
    cursors_read(k);
    int64_t now_s = believed_s(k);
    k->out->is_waiting = now_s < k->now_s - CLOCK_FAR_S;
    k->now_s = now_s;
    if (choose(k) == 0)
        return 0;
    int err = says_fill(k, fault);
    if (err == 0 && k->says.run_count == 0)
        return 0;
    if (err == 0)
        err = feed_log_append_removed(log, &k->says, fault);
    if (err == 0)
        err = feed_log_sync(log, fault);
    return err == 0 ? segments_delete(k, dir, fault) : err;
}

int feed_keep_run(struct feed_log *log, const char *dir, const struct feed_keep_settings *settings,
                  int64_t now_ns, struct feed_keep_result *out, struct fault *fault)
{
    struct keeping k = {.settings = settings,
                        .now_s = now_ns / INT64_C(1000000000),
                        .open = feed_log_segment(log),
                        .out = out};
    memset(out, 0, sizeof *out);
    if (settings->windows == 0 && settings->sources == 0 && settings->events == 0)
        return 0;
    struct feed_pool *pool = feed_pool_create(2);
    int err = pool == NULL ? fault_set(fault, ENOMEM, "%.200s: no memory", dir)
                           : feed_reader_open(&k.reader, dir, pool, fault);
    if (err == 0)
        err = keep(&k, log, dir, fault);
    feed_reader_close(k.reader);
    feed_pool_destroy(pool);
    feed_removed_fini(&k.says);
    free(k.goes);
    return err;
}
