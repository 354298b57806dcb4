#include "export/feed_log_state.h"

#include "export/feed_durable.h"
#include "export/feed_lock.h"
#include "export/feed_note.h"
#include "export/feed_tail.h"
#include "export/record_event.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BACK = 1 << 20, WRITE_AT_ONCE = 1 << 20, EVENTS_AT_ONCE = 1 << 16 }; /* bytes */

static int parents_make(const char *dir, struct fault *fault)
{
    char *path = strdup(dir);
    if (path == NULL)
        return fault_set(fault, ENOMEM, "%s: no memory", dir);
    int err = 0;
    for (char *at = path + 1; err == 0 && at[-1] != '\0'; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char was = *at;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            err = fault_set(fault, errno, "%s: can't make the folder: %s", path, strerror(errno));
        *at = was;
    }
    free(path);
    return err;
}

static int feed_refuse(const char *dir, struct fault *fault)
{
    DIR *entries = opendir(dir);
    if (entries == NULL)
        return fault_set(fault, errno, "%s: %s", dir, strerror(errno));
    int err = 0;
    for (const struct dirent *e; err == 0 && (e = readdir(entries)) != NULL;)
        if (feed_is_segment_name(e->d_name))
            err = fault_set(fault, EEXIST, "%s: holds a feed already (%s)", dir, e->d_name);
    closedir(entries);
    return err;
}

int feed_log_open(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                  struct fault *fault)
{
    *out = NULL;
    if (dir[0] == '\0')
        return fault_set(fault, EINVAL, "the feed's folder has no name");
    int err = parents_make(dir, fault);
    if (err != 0)
        return err;
    struct feed_log *log = calloc(1, sizeof *log);
    if (log == NULL || (log->dir = strdup(dir)) == NULL) {
        free(log);
        return fault_set(fault, ENOMEM, "%s: no memory", dir);
    }
    log->identity = identity;
    log->fd = -1;
    log->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dir_fd < 0)
        err = fault_set(fault, errno, "%s: %s", dir, strerror(errno));
    else if (feed_lock_take(log->dir_fd) != 0)
        err = fault_set(fault, EBUSY, "%s: another process writes this feed", dir);
    if (err == 0)
        *out = log;
    else
        feed_log_abandon(log);
    return err;
}

int feed_log_create(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                    struct fault *fault)
{
    int err = feed_log_open(out, dir, identity, fault);
    if (err == 0)
        err = feed_refuse(dir, fault);
    if (err != 0) {
        feed_log_abandon(*out);
        *out = NULL;
    }
    return err;
}

int feed_log_fault(const struct feed_log *log, struct fault *fault, int err, const char *what)
{
    return fault_set(fault, err, "%s/%s: %s: %s", log->dir, log->name, what, strerror(err));
}

/* Writes the buffer behind the whole records that are there, all of it or nothing. */
static int buffer_write(struct feed_log *log, struct fault *fault)
{
    if (log->is_dirty && ftruncate(log->fd, log->end.size) != 0)
        return feed_log_fault(log, fault, errno, "can't take back a record cut by a failed write");
    log->is_dirty = false;
    for (size_t done = 0; done < log->buffer.len;) {
        ssize_t n = pwrite(log->fd, log->buffer.data + done, log->buffer.len - done,
                           log->end.size + (off_t)done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        int err = n < 0 ? errno : ENOSPC;
        log->is_dirty = ftruncate(log->fd, log->end.size) != 0;
        return feed_log_fault(log, fault, err, "can't write");
    }
    return 0;
}

/* The records stand: what comes next continues them. The disk begins with them now and then, so that
 * little is left to wait for when the segment ends. */
static void commit(struct feed_log *log, uint64_t records, uint32_t crc)
{
    log->end.seq += records;
    log->end.records += records;
    log->end.crc = crc;
    log->end.size += (off_t)log->buffer.len;
    if (log->end.size - log->begun >= WRITE_BACK) {
        (void)sync_file_range(log->fd, log->begun, log->end.size - log->begun,
                              SYNC_FILE_RANGE_WRITE);
        log->begun = log->end.size;
    }
}

static int pack_fault(const struct feed_log *log, struct fault *fault, int err)
{
    return fault_set(fault, -err, "%s: can't form a record: %s", log->dir, strerror(-err));
}

/* Writes the source days that wait in the buffer; on failure they wait on. */
static int pending_write(struct feed_log *log, struct fault *fault)
{
    if (log->pending == 0)
        return 0;
    int err = buffer_write(log, fault);
    if (err != 0)
        return err;
    commit(log, log->pending, log->pending_crc);
    log->pending = 0;
    return 0;
}

/* What was written is on disk. A date is shown once its Day is there: it may be cancelled till then. */
static int disk_sync(struct feed_log *log)
{
    if (fdatasync(log->fd) != 0 || (!log->is_name_safe && fsync(log->dir_fd) != 0))
        return -errno;
    log->is_name_safe = true;
    return 0;
}

static void made_safe(struct feed_log *log)
{
    log->safe = log->end;
    if (log->durable != NULL && !log->is_date_open)
        feed_durable_set(log->durable, log->safe.seq);
}

/* Ends the open segment with a Close and makes it durable. On failure it is open as before. */
static int segment_close(struct feed_log *log, bool finished, struct fault *fault)
{
    int err = pending_write(log, fault);
    if (err != 0)
        return err;
    uint32_t crc = log->end.crc;
    bool is_abandoned = log->is_left && log->kind == FEED_SOURCES;
    log->buffer.len = 0;
    err = record_pack_close(&log->buffer, log->end.seq + 1, &crc, log->end.records + 1, finished,
                            is_abandoned);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault);
    if (err != 0)
        return err;
    err = disk_sync(log);
    if (err != 0) {
        log->is_dirty = ftruncate(log->fd, log->end.size) != 0;
        log->is_date_lost = log->kind == FEED_SOURCES;
        return feed_log_fault(log, fault, -err, "can't sync");
    }
    commit(log, 1, crc);
    made_safe(log);
    (void)close(log->fd);
    log->fd = -1;
    log->is_left = false;
    log->is_finished = finished;
    return 0;
}

/* Back to what is safe on disk. */
static int roll_back(struct feed_log *log, struct fault *fault)
{
    log->pending = 0;
    if (log->fd < 0)
        return 0;
    if (log->safe.segment == log->end.segment) {
        log->end = log->safe;
        log->is_dirty = ftruncate(log->fd, log->end.size) != 0;
    } else {
        log->is_stuck = unlinkat(log->dir_fd, log->name, 0) != 0 && errno != ENOENT;
        if (log->is_stuck)
            return feed_log_fault(log, fault, errno, "can't remove a segment that is not safe");
        (void)close(log->fd);
        log->fd = -1;
        log->end = log->safe;
        log->is_dirty = false;
        log->begin = log->begun_as == FEED_BEGIN_DATE ? FEED_BEGIN_TIME : log->begun_as;
        if (log->kind == FEED_WINDOWS)
            log->windows = log->windows_before;
        if (log->kind == FEED_DAY)
            log->is_date_open = log->is_date_day;
    }
    log->begun = log->begun < log->end.size ? log->begun : log->end.size;
    return 0;
}

int feed_log_sync(struct feed_log *log, struct fault *fault)
{
    if (log->fd < 0 || log->kind == FEED_SOURCES || log->safe.seq == log->end.seq)
        return 0;
    int err = disk_sync(log);
    if (err != 0) {
        feed_log_fault(log, fault, -err, "can't sync");
        (void)roll_back(log, NULL);
        return err;
    }
    made_safe(log);
    return 0;
}

void feed_log_publish(struct feed_log *log, struct feed_durable *durable)
{
    log->durable = durable;
    if (durable != NULL)
        feed_durable_set(durable, log->safe.seq);
}

/* What a segment begins with, behind its Header; an empty feed's one with nothing. */
struct first {
    enum feed_segment kind;
    const struct window *window;
    const struct event *event;     /* in place of a window */
    const struct day_facts *facts; /* of source days */
    const struct day_settings *settings;
    const struct day_result *day;
};

/* Appends to the buffer from record *seq on, which it moves on. */
static int first_pack(struct feed_log *log, const struct first *f, uint64_t *seq, uint32_t *crc)
{
    struct record_buffer *b = &log->buffer;
    int err = 0;
    if (f->kind == FEED_SOURCES)
        return record_pack_day_begin(b, (*seq)++, crc, f->facts, f->settings);
    if (f->kind == FEED_DAY)
        return record_pack_day(b, (*seq)++, crc, f->day);
    for (size_t i = 0; i < log->gap_count && err == 0; i++)
        err = record_pack_gap(b, (*seq)++, crc, &log->gaps[i]);
    if (err == 0 && f->window != NULL)
        err = record_pack_window(b, (*seq)++, crc, f->window, log->identity->rules);
    if (err == 0 && f->event != NULL)
        err = record_pack_event(b, (*seq)++, crc, f->event);
    return err;
}

/* Creates the file of a new segment. */
static int segment_create(struct feed_log *log, const struct first *f, uint32_t segment,
                          struct fault *fault)
{
    int32_t date = f->kind == FEED_SOURCES ? f->facts->date
                   : f->kind == FEED_DAY   ? f->day->facts->date
                                           : 0;
    log->first_ns = f->window != NULL  ? f->window->start_ns
                    : f->event != NULL ? f->event->time_ns
                                       : 0;
    log->date = date;
    if (f->kind == FEED_WINDOWS)
        feed_segment_name(log->first_ns, segment, log->name);
    else
        feed_day_segment_name(date, f->kind, segment, log->name);
    log->fd = openat(log->dir_fd, log->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return log->fd >= 0 ? 0 : feed_log_fault(log, fault, errno, "can't create");
}

/* Writes Header and first record into a new segment; on failure the file is gone again. */
static int segment_begin(struct feed_log *log, const struct first *f, struct fault *fault)
{
    uint32_t crc = log->end.crc, segment = log->end.segment + 1;
    uint64_t seq = log->end.seq + 1;
    bool is_early = f->window != NULL && log->begin == FEED_BEGIN_TIME && log->end.segment > 0 &&
                    log->windows.segment == log->end.segment &&
                    feed_segment_takes(log->windows.first_ns, f->window->start_ns);
    enum feed_begin begin = is_early ? FEED_BEGIN_DATE : log->begin;
    log->buffer.len = 0;
    int err = record_pack_header(&log->buffer, seq++, &crc, log->identity, segment, begin);
    if (err == 0)
        err = first_pack(log, f, &seq, &crc);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = segment_create(log, f, segment, fault);
    if (err != 0)
        return err;

    struct feed_log_end before = log->end;
    log->end.size = log->begun = 0;
    log->end.records = 0;
    log->is_dirty = log->is_name_safe = false;
    err = buffer_write(log, fault);
    if (err != 0) {
        log->end = before;
        unlinkat(log->dir_fd, log->name, 0);
        (void)close(log->fd);
        log->fd = -1;
        return err;
    }
    log->end.segment = segment;
    commit(log, seq - log->end.seq - 1, crc);
    log->kind = f->kind;
    log->begun_as = begin;
    log->begin = FEED_BEGIN_TIME;
    log->is_events = f->event != NULL;
    if (f->kind == FEED_WINDOWS) {
        log->gap_count = 0;
        log->windows_before = log->windows;
    }
    if (f->kind == FEED_WINDOWS && f->event == NULL) {
        log->windows = (struct feed_log_windows){segment, log->first_ns};
    }
    return 0;
}

static int unstick(struct feed_log *log, struct fault *fault)
{
    return log->is_stuck ? roll_back(log, fault) : 0;
}

int feed_log_append(struct feed_log *log, const struct window *w, struct fault *fault)
{
    int err = unstick(log, fault);
    if (err == 0 && log->fd >= 0 &&
        (log->kind != FEED_WINDOWS || log->is_left || log->is_events ||
         log->begin != FEED_BEGIN_TIME || !feed_segment_takes(log->first_ns, w->start_ns)))
        err = segment_close(log, false, fault);
    if (err != 0)
        return err;
    if (log->fd < 0)
        return segment_begin(log, &(struct first){.kind = FEED_WINDOWS, .window = w}, fault);

    uint32_t crc = log->end.crc;
    log->buffer.len = 0;
    err = record_pack_window(&log->buffer, log->end.seq + 1, &crc, w, log->identity->rules);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault);
    if (err == 0)
        commit(log, 1, crc);
    return err;
}

/* Whether what is said among windows can be written now. */
static bool takes_notes(const struct feed_log *log)
{
    return log->fd >= 0 && log->kind == FEED_WINDOWS && !log->is_left && !log->is_stuck;
}

int feed_log_append_gap(struct feed_log *log, const struct feed_gap *gap, struct fault *fault)
{
    if (!takes_notes(log) || log->begin != FEED_BEGIN_TIME) {
        struct feed_gap *grown = realloc(log->gaps, (log->gap_count + 1) * sizeof *grown);
        if (grown == NULL)
            return pack_fault(log, fault, -ENOMEM);
        log->gaps = grown;
        log->gaps[log->gap_count++] = *gap;
        return 0;
    }
    uint32_t crc = log->end.crc;
    log->buffer.len = 0;
    int err = record_pack_gap(&log->buffer, log->end.seq + 1, &crc, gap);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault);
    if (err == 0)
        commit(log, 1, crc);
    return err;
}

/* What an event needs that comes next. *begins: it is the first of a segment. */
static int event_prepare(struct feed_log *log, const struct event *e, bool *begins,
                         struct fault *fault)
{
    const char *wrong = event_wrong(e);
    if (wrong != NULL)
        return fault_set(fault, EINVAL, "%s: event: %s", log->dir, wrong);
    if (log->is_date_open)
        return fault_set(fault, EBUSY, "%s: event: the Day of a date is to come first", log->dir);
    int err = unstick(log, fault);
    if (err == 0 && log->fd >= 0 && !takes_notes(log))
        err = segment_close(log, false, fault);
    *begins = log->fd < 0;
    return err;
}

/* Appends some of the events, as many as are written at once, the first of which is given. */
static int events_write(struct feed_log *log, const struct event *e, feed_log_event_of event_of,
                        void *context, size_t count, size_t *done, struct fault *fault)
{
    uint32_t crc = log->end.crc;
    size_t packed = 0;
    int err;
    log->buffer.len = 0;
    while ((err = record_pack_event(&log->buffer, log->end.seq + 1 + packed, &crc, e)) == 0 &&
           *done + ++packed < count && log->buffer.len < EVENTS_AT_ONCE)
        e = event_of(context, *done + packed);
    if (packed == 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault); /* what can't be packed comes first the next time */
    if (err == 0)
        commit(log, packed, crc);
    *done += err == 0 ? packed : 0;
    return err;
}

int feed_log_append_events(struct feed_log *log, feed_log_event_of event_of, void *context,
                           size_t count, size_t *done, struct fault *fault)
{
    int err = 0;
    while (err == 0 && *done < count) {
        const struct event *e = event_of(context, *done);
        bool begins = false;
        err = event_prepare(log, e, &begins, fault);
        if (err == 0 && begins) {
            err = segment_begin(log, &(struct first){.kind = FEED_WINDOWS, .event = e}, fault);
            *done += err == 0;
        } else if (err == 0) {
            err = events_write(log, e, event_of, context, count, done, fault);
        }
    }
    return err;
}

int feed_log_append_removed(struct feed_log *log, const struct feed_removed *removed,
                            struct fault *fault)
{
    uint32_t crc = log->end.crc;
    if (!takes_notes(log))
        return fault_set(fault, EAGAIN, "%s: no segment of windows is open", log->dir);
    log->buffer.len = 0;
    int err = record_pack_removed(&log->buffer, log->end.seq + 1, &crc, removed);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault);
    if (err == 0)
        commit(log, 1, crc);
    return err;
}

void feed_log_identity(struct feed_log *log, const struct feed_identity *identity)
{
    log->identity = identity;
    if (log->end.segment > 0 && log->begin == FEED_BEGIN_TIME)
        log->begin = FEED_BEGIN_HEADER;
}

uint32_t feed_log_segment(const struct feed_log *log) { return log->end.segment; }

uint64_t feed_log_seq(const struct feed_log *log) { return log->end.seq; }

void feed_log_position(const struct feed_log *log, struct feed_position *to)
{
    *to = (struct feed_position){.segment = log->end.segment,
                                 .offset = (uint64_t)log->end.size,
                                 .seq = log->end.seq,
                                 .crc = log->end.crc};
}

int feed_log_day_begin(struct feed_log *log, const struct day_facts *facts,
                       const struct day_settings *settings, struct fault *fault)
{
    int err = unstick(log, fault);
    if (err == 0 && log->fd >= 0)
        err = segment_close(log, false, fault);
    if (err != 0)
        return err;
    log->last.ip_version = 0;
    log->last.date = facts->date;
    log->before_date = log->end;
    err = segment_begin(
        log, &(struct first){.kind = FEED_SOURCES, .facts = facts, .settings = settings}, fault);
    log->is_date_open = err == 0;
    log->is_date_lost = false;
    if (err == 0)
        memcpy(log->date_name, log->name, FEED_NAME);
    return err;
}

int feed_log_append_packed(struct feed_log *log, const struct source_day *s, const uint8_t *body,
                           size_t body_len, struct fault *fault)
{
    assert(log->fd >= 0 && log->kind == FEED_SOURCES && s->date == log->date);
    assert(source_day_order(&log->last, s) < 0);
    int err = log->buffer.len >= WRITE_AT_ONCE ? pending_write(log, fault) : 0;
    if (err != 0)
        return err;
    if (log->pending == 0) {
        log->buffer.len = 0;
        log->pending_crc = log->end.crc;
    }
    uint64_t seq = log->end.seq + log->pending + 1;
    err = body == NULL
              ? record_pack_source_day(&log->buffer, seq, &log->pending_crc, s)
              : record_pack_source_day_again(&log->buffer, seq, &log->pending_crc, body, body_len);
    if (err != 0)
        return pack_fault(log, fault, err);
    log->pending++;
    log->last.ip_version = s->ip_version;
    memcpy(log->last.address, s->address, sizeof s->address);
    return 0;
}

int feed_log_append_day(struct feed_log *log, const struct day_result *r, struct fault *fault)
{
    assert(log->fd < 0 || log->kind != FEED_SOURCES || log->is_left || log->date == r->facts->date);
    if (log->is_date_lost)
        return fault_set(fault, EIO, "%s/%s: source days were lost: the date is to begin anew",
                         log->dir, log->date_name);
    int err = unstick(log, fault);
    if (err == 0 && log->fd >= 0)
        err = segment_close(log, false, fault);
    if (err == 0)
        err = segment_begin(log, &(struct first){.kind = FEED_DAY, .day = r}, fault);
    if (err == 0) {
        log->is_date_day = log->is_date_open;
        log->is_date_open = false;
    }
    return err;
}

int feed_log_day_cancel(struct feed_log *log, struct fault *fault)
{
    if (!log->is_date_open)
        return 0;
    log->pending = 0;
    if (unlinkat(log->dir_fd, log->date_name, 0) != 0 && errno != ENOENT)
        return fault_set(fault, errno, "%s/%s: can't remove it: %s", log->dir, log->date_name,
                         strerror(errno));
    (void)fsync(log->dir_fd);
    if (log->fd >= 0)
        (void)close(log->fd);
    log->fd = -1;
    log->end = log->safe = log->before_date;
    log->begin = log->begun_as;
    log->is_dirty = log->is_date_open = log->is_date_lost = false;
    return 0;
}

void feed_log_abandon(struct feed_log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0) {
        (void)pending_write(log, NULL);
        (void)close(log->fd);
    }
    if (log->dir_fd >= 0)
        (void)close(log->dir_fd);
    record_buffer_free(&log->buffer);
    free(log->gaps);
    free(log->dir);
    free(log);
}

int feed_log_finish(struct feed_log *log, struct fault *fault)
{
    if (log == NULL)
        return 0;
    int err = unstick(log, fault);
    if (err == 0 && log->fd >= 0 && log->gap_count > 0)
        err = segment_close(log, false, fault);
    if (err == 0 && (log->end.segment == 0 || (log->fd < 0 && !log->is_finished)))
        err = segment_begin(log, &(struct first){.kind = FEED_WINDOWS}, fault);
    if (log->fd >= 0 && err == 0)
        err = segment_close(log, true, fault);
    feed_log_abandon(log);
    return err;
}
