#include "export/feed_keep.h"

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

enum { HOUR_SECONDS = 3600, DAY_SECONDS = 86400 };

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

/* Days that a segment is past its age; below 0: it stays. Dates are those of some zone: a day more. */
static int64_t days_past(const struct keeping *k, const struct feed_reader_segment *s)
{
    const struct feed_keep_settings *of = k->settings;
    uint32_t days = of->days == 0 || of->sources == 0 ? 0
                    : of->days > of->sources          ? of->days
                                                      : of->sources;
    uint32_t age = s->kind == FEED_WINDOWS ? of->windows : s->kind == FEED_DAY ? days : of->sources;
    __int128 end = s->kind == FEED_WINDOWS ? (__int128)s->at + HOUR_SECONDS
                                           : ((__int128)s->at + 2) * DAY_SECONDS;
    __int128 past = (__int128)k->now_s - end - (__int128)age * DAY_SECONDS;
    if (age == 0 || past < 0)
        return -1;
    past /= DAY_SECONDS;
    return past > INT64_MAX ? INT64_MAX : (int64_t)past;
}

/* Which segments go. Returns how many. */
static size_t choose(struct keeping *k)
{
    size_t chosen = 0;
    for (size_t i = 0; i < k->count; i++) {
        const struct feed_reader_segment *s = &k->segments[i];
        int64_t past = s->number >= k->open ? -1 : days_past(k, s);
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
    if (settings->windows == 0 && settings->sources == 0)
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
