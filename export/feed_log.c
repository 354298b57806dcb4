#include "export/feed_log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const int64_t second_ns = INT64_C(1000000000);
enum { WRITE_BACK = 1 << 20, WRITE_AT_ONCE = 1 << 20 }; /* bytes */
static const int64_t hour_ns = INT64_C(3600) * INT64_C(1000000000);

struct feed_log {
    const struct feed_identity *identity;
    char *dir;
    int dir_fd, fd;         /* fd: the open segment, -1 where there is none */
    char name[FEED_NAME];   /* of the open segment */
    uint32_t segment;       /* number of the open or last segment */
    uint64_t seq;           /* of the last record written */
    uint32_t crc;           /* of the last record written */
    uint64_t records;       /* in the open segment */
    off_t size;             /* bytes of whole records in the open segment */
    off_t begun;            /* of them the disk was told to write */
    enum feed_segment kind; /* of the open segment */
    int64_t first_ns;       /* of a segment of windows: start of its first */
    int32_t date;           /* of one of source days */
    struct source_day last; /* the last source day: date and address */
    uint64_t pending;       /* records in the buffer, not written yet: source days alone */
    uint32_t pending_crc;   /* of the last of them */
    struct record_buffer buffer;
};

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

bool feed_segment_takes(int64_t first_ns, int64_t start_ns)
{
    enum { HOURS_BEFORE = 24 };
    int64_t first = floor_div(first_ns, hour_ns), hour = floor_div(start_ns, hour_ns);
    return hour <= first && hour >= first - HOURS_BEFORE;
}

void feed_segment_name(int64_t start_ns, uint32_t segment, char name[FEED_NAME])
{
    time_t seconds = (time_t)floor_div(start_ns, second_ns);
    struct tm utc;
    char start[32];
    gmtime_r(&seconds, &utc);
    strftime(start, sizeof start, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(name, FEED_NAME, "%s-%06" PRIu32 ".yami", start, segment);
}

enum feed_segment feed_segment_kind(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *hyphen = strchr(slash == NULL ? name : slash, '-');
    if (hyphen != NULL && strncmp(hyphen, "-sources-", 9) == 0)
        return FEED_SOURCES;
    return hyphen != NULL && strncmp(hyphen, "-day-", 5) == 0 ? FEED_DAY : FEED_WINDOWS;
}

void feed_day_segment_name(int32_t date, enum feed_segment kind, uint32_t segment,
                           char name[FEED_NAME])
{
    time_t seconds = (time_t)date * 86400;
    struct tm utc;
    char day[16];
    if (gmtime_r(&seconds, &utc) == NULL || strftime(day, sizeof day, "%Y%m%d", &utc) == 0)
        snprintf(day, sizeof day, "99999999"); /* of a year that no record has */
    snprintf(name, FEED_NAME, "%.16s-%s-%06" PRIu32 ".yami", day,
             kind == FEED_SOURCES ? "sources" : "day", segment);
}

uint64_t feed_segment_number(const char *name)
{
    const char *hyphen = strrchr(name, '-');
    if (hyphen == NULL || hyphen[1] < '0' || hyphen[1] > '9')
        return UINT64_MAX;
    return strtoull(hyphen + 1, NULL, 10);
}

bool feed_is_segment_name(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".yami") == 0;
}

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

int feed_log_create(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                    struct fault *fault)
{
    *out = NULL;
    if (dir[0] == '\0')
        return fault_set(fault, EINVAL, "the feed's folder has no name");
    int err = parents_make(dir, fault);
    if (err == 0)
        err = feed_refuse(dir, fault);
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
    if (log->dir_fd < 0) {
        err = fault_set(fault, errno, "%s: %s", dir, strerror(errno));
        free(log->dir);
        free(log);
        return err;
    }
    *out = log;
    return 0;
}

static int segment_fault(const struct feed_log *log, struct fault *fault, int err, const char *what)
{
    return fault_set(fault, err, "%s/%s: %s: %s", log->dir, log->name, what, strerror(err));
}

/* Writes the buffer behind the whole records that are there, all of it or nothing. */
static int buffer_write(struct feed_log *log, struct fault *fault)
{
    for (size_t done = 0; done < log->buffer.len;) {
        ssize_t n = pwrite(log->fd, log->buffer.data + done, log->buffer.len - done,
                           log->size + (off_t)done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        int err = n < 0 ? errno : ENOSPC;
        if (ftruncate(log->fd, log->size) != 0)
            return segment_fault(log, fault, errno,
                                 "can't take back a record cut by a failed write");
        return segment_fault(log, fault, err, "can't write");
    }
    return 0;
}

/* The records stand: what comes next continues them. The disk begins with them now and then, so that
 * little is left to wait for when the segment ends. */
static void commit(struct feed_log *log, uint64_t records, uint32_t crc)
{
    log->seq += records;
    log->records += records;
    log->crc = crc;
    log->size += (off_t)log->buffer.len;
    if (log->size - log->begun >= WRITE_BACK) {
        (void)sync_file_range(log->fd, log->begun, log->size - log->begun, SYNC_FILE_RANGE_WRITE);
        log->begun = log->size;
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

/* Ends the open segment with a Close and makes it durable. On failure it is open as before. */
static int segment_close(struct feed_log *log, bool finished, struct fault *fault)
{
    int pending_err = pending_write(log, fault);
    if (pending_err != 0)
        return pending_err;
    uint32_t crc = log->crc;
    log->buffer.len = 0;
    int err = record_pack_close(&log->buffer, log->seq + 1, &crc, log->records + 1, finished);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault);
    if (err != 0)
        return err;
    if (fdatasync(log->fd) != 0 || fsync(log->dir_fd) != 0) {
        err = segment_fault(log, fault, errno, "can't sync");
        if (ftruncate(log->fd, log->size) != 0)
            return segment_fault(log, fault, errno, "can't take back its Close");
        return err;
    }
    commit(log, 1, crc);
    close(log->fd);
    log->fd = -1;
    return 0;
}

/* What a segment begins with, behind its Header; an empty feed's one with nothing. */
struct first {
    enum feed_segment kind;
    const struct window *window;
    const struct day_facts *facts; /* of source days */
    const struct day_settings *settings;
    const struct day_result *day;
};

static int first_pack(struct feed_log *log, const struct first *f, uint64_t seq, uint32_t *crc)
{
    struct record_buffer *b = &log->buffer;
    if (f->kind == FEED_SOURCES)
        return record_pack_day_begin(b, seq, crc, f->facts, f->settings);
    if (f->kind == FEED_DAY)
        return record_pack_day(b, seq, crc, f->day);
    return f->window == NULL ? 0 : record_pack_window(b, seq, crc, f->window, log->identity->rules);
}

/* Writes Header and first record into a new segment; on failure the file is gone again. */
static int segment_begin(struct feed_log *log, const struct first *f, struct fault *fault)
{
    uint32_t crc = log->crc, segment = log->segment + 1;
    bool is_empty = f->kind == FEED_WINDOWS && f->window == NULL;
    log->buffer.len = 0;
    int err = record_pack_header(&log->buffer, log->seq + 1, &crc, log->identity, segment);
    if (err == 0)
        err = first_pack(log, f, log->seq + 2, &crc);
    if (err != 0)
        return pack_fault(log, fault, err);

    int64_t start_ns = f->window == NULL ? 0 : f->window->start_ns;
    int32_t date = f->kind == FEED_SOURCES ? f->facts->date
                   : f->kind == FEED_DAY   ? f->day->facts->date
                                           : 0;
    if (f->kind == FEED_WINDOWS)
        feed_segment_name(start_ns, segment, log->name);
    else
        feed_day_segment_name(date, f->kind, segment, log->name);
    log->fd = openat(log->dir_fd, log->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (log->fd < 0)
        return segment_fault(log, fault, errno, "can't create");
    log->size = log->begun = 0;
    log->records = 0;
    err = buffer_write(log, fault);
    if (err != 0) {
        unlinkat(log->dir_fd, log->name, 0);
        close(log->fd);
        log->fd = -1;
        return err;
    }
    commit(log, is_empty ? 1 : 2, crc);
    log->segment = segment;
    log->kind = f->kind;
    log->first_ns = start_ns;
    log->date = date;
    return 0;
}

int feed_log_append(struct feed_log *log, const struct window *w, struct fault *fault)
{
    if (log->fd >= 0 &&
        (log->kind != FEED_WINDOWS || !feed_segment_takes(log->first_ns, w->start_ns))) {
        int err = segment_close(log, false, fault);
        if (err != 0)
            return err;
    }
    if (log->fd < 0)
        return segment_begin(log, &(struct first){.kind = FEED_WINDOWS, .window = w}, fault);

    uint32_t crc = log->crc;
    log->buffer.len = 0;
    int err = record_pack_window(&log->buffer, log->seq + 1, &crc, w, log->identity->rules);
    if (err != 0)
        return pack_fault(log, fault, err);
    err = buffer_write(log, fault);
    if (err == 0)
        commit(log, 1, crc);
    return err;
}

int feed_log_day_begin(struct feed_log *log, const struct day_facts *facts,
                       const struct day_settings *settings, struct fault *fault)
{
    int err = log->fd < 0 ? 0 : segment_close(log, false, fault);
    if (err != 0)
        return err;
    log->last.ip_version = 0;
    log->last.date = facts->date;
    return segment_begin(
        log, &(struct first){.kind = FEED_SOURCES, .facts = facts, .settings = settings}, fault);
}

int feed_log_append_source_day(struct feed_log *log, const struct source_day *s,
                               struct fault *fault)
{
    assert(log->fd >= 0 && log->kind == FEED_SOURCES && s->date == log->date);
    assert(source_day_order(&log->last, s) < 0);
    int err = log->buffer.len >= WRITE_AT_ONCE ? pending_write(log, fault) : 0;
    if (err != 0)
        return err;
    if (log->pending == 0) {
        log->buffer.len = 0;
        log->pending_crc = log->crc;
    }
    err = record_pack_source_day(&log->buffer, log->seq + log->pending + 1, &log->pending_crc, s);
    if (err != 0)
        return pack_fault(log, fault, err);
    log->pending++;
    log->last.ip_version = s->ip_version;
    memcpy(log->last.address, s->address, sizeof s->address);
    return 0;
}

int feed_log_append_day(struct feed_log *log, const struct day_result *r, struct fault *fault)
{
    assert(log->fd < 0 || log->kind != FEED_SOURCES || log->date == r->facts->date);
    int err = log->fd < 0 ? 0 : segment_close(log, false, fault);
    if (err != 0)
        return err;
    return segment_begin(log, &(struct first){.kind = FEED_DAY, .day = r}, fault);
}

void feed_log_abandon(struct feed_log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0) {
        (void)pending_write(log, NULL);
        close(log->fd);
    }
    close(log->dir_fd);
    record_buffer_free(&log->buffer);
    free(log->dir);
    free(log);
}

int feed_log_finish(struct feed_log *log, struct fault *fault)
{
    if (log == NULL)
        return 0;
    int err = 0;
    if (log->segment == 0)
        err = segment_begin(log, &(struct first){.kind = FEED_WINDOWS}, fault);
    if (log->fd >= 0 && err == 0)
        err = segment_close(log, true, fault);
    feed_log_abandon(log);
    return err;
}
