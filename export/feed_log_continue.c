/* feed_log.h has the manual: a feed that was there before. */
#include "export/feed_folder.h"
#include "export/feed_log_state.h"
#include "export/feed_reader.h"
#include "export/record_window.h"
#include "export/yamiscope.pb-c.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CLOSE_MAX = 64, HEADER_MAX = 1 << 20 };

/* A segment read from its first byte to what is whole of it. */
struct scan {
    int fd;
    uint64_t size;
    uint8_t *bytes; /* a record */
    size_t bytes_size;
    bool is_chained; /* crc is known: the next record is held to it */

    uint64_t at; /* behind the last whole record */
    uint64_t records, seq;
    uint32_t crc;
    Yamiscope__Header *header; /* or NULL */
    bool has_body;             /* a whole record behind the Header: a tail may have been given it */
    enum feed_segment kind;
    bool is_closed, is_finished;
    bool has_window;
    int64_t first_ns, end_ns; /* of its windows: begin of the first, end of the latest */
    uint64_t window_seq;      /* of the last one */
    bool is_damaged;          /* a record is broken, and whole ones follow */
    uint64_t damaged_at;
};

static void scan_fini(struct scan *s)
{
    if (s->header != NULL)
        yamiscope__header__free_unpacked(s->header, NULL);
    free(s->bytes);
    if (s->fd >= 0)
        (void)close(s->fd);
}

static int bytes_read(const struct scan *s, void *to, size_t len, uint64_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(s->fd, (uint8_t *)to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? -EIO : -errno;
        done += (size_t)n;
    }
    return 0;
}

/* The record at `at` into the bytes: 1 and its length with what is in front of it; 0: it is not whole. -errno. */
static int record_at(struct scan *s, uint64_t at, size_t *used, size_t *len)
{
    uint8_t head[5];
    uint64_t left = s->size - at, value = 0;
    size_t shown = left < sizeof head ? (size_t)left : sizeof head;
    int err = bytes_read(s, head, shown, at);
    if (err != 0)
        return err;
    *used = 0;
    do {
        if (*used == shown)
            return 0;
        value |= (uint64_t)(head[*used] & 0x7f) << (7 * *used);
    } while (head[(*used)++] >= 0x80);
    if (value <= RECORD_CRC || value > RECORD_MAX || value > left - *used)
        return 0;
    *len = (size_t)value;
    if (*len > s->bytes_size) {
        uint8_t *grown = realloc(s->bytes, *len);
        if (grown == NULL)
            return -ENOMEM;
        s->bytes = grown;
        s->bytes_size = *len;
    }
    err = bytes_read(s, s->bytes, *len, at + *used);
    return err == 0 ? 1 : err;
}

static bool continues(uint32_t crc, const uint8_t *record, size_t len, uint32_t *stated)
{
    memcpy(stated, record + len - sizeof *stated, sizeof *stated);
    *stated = le32toh(*stated);
    return record[len - RECORD_CRC] == RECORD_CRC_TAG &&
           record_crc(crc, record, len - RECORD_CRC) == *stated;
}

/* Whether the record behind one that is broken continues what that one says of itself. */
static int is_followed(struct scan *s, uint64_t at, uint32_t stated)
{
    size_t used, len;
    int got = at < s->size ? record_at(s, at, &used, &len) : 0;
    return got <= 0 ? got : continues(stated, s->bytes, len, &stated);
}

static void close_take(struct scan *s, const struct record_view *v)
{
    Yamiscope__Close *c = yamiscope__close__unpack(NULL, v->body_len, v->body);
    s->is_closed = true;
    s->is_finished = c != NULL && c->finished;
    if (c != NULL)
        yamiscope__close__free_unpacked(c, NULL);
}

static void body_take(struct scan *s, const struct record_view *v)
{
    int64_t start_ns, end_ns;
    if (v->body_kind == RECORD_header && s->records == 0 && v->body_len <= HEADER_MAX)
        s->header = yamiscope__header__unpack(NULL, v->body_len, v->body);
    if (v->body_kind == RECORD_close && v->body_len <= CLOSE_MAX)
        close_take(s, v);
    s->has_body |= v->body_kind == RECORD_window || v->body_kind == RECORD_day ||
                   v->body_kind == RECORD_day_begin || v->body_kind == RECORD_gap ||
                   v->body_kind == RECORD_event || s->is_closed;
    if (s->header == NULL || v->body_kind != RECORD_window ||
        !record_window_start(v->body, v->body_len, &start_ns))
        return;
    if (__builtin_add_overflow(start_ns, s->header->window_span_ns, &end_ns))
        end_ns = INT64_MAX;
    if (!s->has_window)
        s->first_ns = start_ns;
    if (!s->has_window || end_ns > s->end_ns)
        s->end_ns = end_ns;
    s->window_seq = v->seq;
    s->has_window = true;
}

/* Reads on to what is not whole. */
static int scan_run(struct scan *s)
{
    struct record_view view;
    size_t used, len;
    int got = 1;
    while (s->at < s->size && (got = record_at(s, s->at, &used, &len)) > 0) {
        uint32_t stated;
        bool is_sound = continues(s->crc, s->bytes, len, &stated) || !s->is_chained;
        is_sound = record_view(&view, s->bytes, len) == 0 && is_sound;
        if (is_sound) {
            body_take(s, &view);
            s->seq = view.seq;
        } else {
            got = is_followed(s, s->at + used + len, stated);
            if (got <= 0)
                break;
            if (!s->is_damaged)
                s->damaged_at = s->at;
            s->is_damaged = true;
            s->seq++;
        }
        s->at += used + len;
        s->crc = stated;
        s->is_chained = true;
        s->records++;
    }
    return got < 0 ? got : 0;
}

/* The crc that a segment's last record has. */
static bool crc_before(int dir_fd, const char *name, uint32_t *crc)
{
    struct stat st;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > RECORD_CRC &&
                   pread(fd, crc, sizeof *crc, st.st_size - (off_t)sizeof *crc) == sizeof *crc;
    if (fd >= 0)
        (void)close(fd);
    *crc = is_read ? le32toh(*crc) : 0;
    return is_read;
}

static int segment_scan(const struct feed_log *log, const struct feed_folder_near *near,
                        struct scan *s, struct fault *fault)
{
    struct stat st;
    *s = (struct scan){.fd = openat(log->dir_fd, near->at.name, O_RDWR | O_CLOEXEC)};
    s->is_chained = near->at.number == 1;
    if (near->before.number != 0 && near->before.number + 1 == near->at.number)
        s->is_chained = crc_before(log->dir_fd, near->before.name, &s->crc);
    s->kind = feed_segment_kind(near->at.name);
    int err = s->fd < 0 || fstat(s->fd, &st) != 0 ? -errno : 0;
    if (err == 0 && !S_ISREG(st.st_mode))
        err = -EINVAL;
    if (err == 0) {
        s->size = (uint64_t)st.st_size;
        err = scan_run(s);
    }
    return err == 0 ? 0
                    : fault_set(fault, -err, "%s/%s: %s", log->dir, near->at.name, strerror(-err));
}

/* ---- whose feed it is ---- */

static int differs(const char *place, const char *key, const char *is, const char *asked,
                   struct fault *fault)
{
    return fault_set(fault, EINVAL,
                     "%.80s: holds a feed of another %s: \"%.50s\" there, \"%.50s\" now", place,
                     key, is, asked);
}

static const char *text_of(const char *s) { return s == NULL ? "" : s; }

static const char *size_text(bool is_configured, uint64_t ipv4, char to[32])
{
    if (is_configured)
        snprintf(to, 32, "%" PRIu64, ipv4);
    else
        snprintf(to, 32, "not configured");
    return to;
}

/* Days under different settings do not merge, not even within a feed. */
static bool survey_equal(const Yamiscope__SurveySettings *is, const struct survey_settings *asked)
{
    const struct survey_settings there = {
        .min_ports = is->min_ports,
        .min_packets = is->min_packets,
        .packets_per_address_milli = is->packets_per_address_milli,
        .min_ports6 = is->min_ports6,
        .min_packets6 = is->min_packets6,
    };
    return survey_settings_equal(&there, asked);
}

static int identity_check(const char *dir, const Yamiscope__Header *h,
                          const struct feed_identity *identity, struct fault *fault)
{
    char is[32], asked[32];
    const struct {
        const char *key, *is, *asked;
    } texts[] = {
        {"sensor", h->sensor, text_of(identity->sensor)},
        {"telescope-id", h->telescope_id, text_of(identity->telescope_id)},
        {"timezone", h->timezone, text_of(identity->timezone)},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].is, texts[i].asked) != 0)
            return differs(dir, texts[i].key, texts[i].is, texts[i].asked, fault);
    if (h->telescope_configured != identity->telescope_configured ||
        (h->telescope_configured && h->telescope_ipv4 != identity->telescope_ipv4))
        return differs(dir, "telescope (its IPv4 addresses)",
                       size_text(h->telescope_configured, h->telescope_ipv4, is),
                       size_text(identity->telescope_configured, identity->telescope_ipv4, asked),
                       fault);
    if (h->survey != NULL && identity->survey != NULL && !survey_equal(h->survey, identity->survey))
        return differs(dir, "survey settings (survey-...)", "others", "those of the config", fault);
    if (h->window_span_ns != identity->window_span_ns) {
        snprintf(is, sizeof is, "%" PRId64 " ns", h->window_span_ns);
        snprintf(asked, sizeof asked, "%" PRId64 " ns", identity->window_span_ns);
        return differs(dir, "window", is, asked, fault);
    }
    return 0;
}

/* The first record of a segment, which is its Header. */
static void header_read(struct scan *s)
{
    struct record_view view;
    struct stat st;
    size_t used, len;
    if (s->fd < 0 || fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    s->size = (uint64_t)st.st_size;
    if (s->size > 0 && record_at(s, 0, &used, &len) == 1 && record_view(&view, s->bytes, len) == 0)
        body_take(s, &view);
}

int feed_log_check(const char *dir, const struct feed_identity *identity, struct fault *fault)
{
    struct feed_folder_near near;
    int err = 0, dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return 0;
    if (feed_folder_near(dir_fd, dir, 0, &near, fault) == 0 && near.last.number != 0) {
        struct scan s = {.fd = openat(dir_fd, near.last.name, O_RDONLY | O_CLOEXEC)};
        header_read(&s);
        if (s.header != NULL)
            err = identity_check(dir, s.header, identity, fault);
        scan_fini(&s);
    }
    (void)close(dir_fd);
    return err;
}

/* ---- the end of the feed ---- */

/* Takes the segment's whole records as what the log goes on from. */
static void end_take(struct feed_log *log, const struct feed_folder_near *near,
                     const struct scan *s)
{
    log->end = (struct feed_log_end){.segment = near->at.number,
                                     .seq = s->seq,
                                     .crc = s->crc,
                                     .records = s->records,
                                     .size = (off_t)s->at};
    log->safe = log->end;
    log->is_finished = s->is_finished;
    log->begin = FEED_BEGIN_RUN;
    memcpy(log->name, near->at.name, FEED_NAME);
    if (s->is_closed)
        return;
    log->fd = dup(s->fd);
    log->is_left = true;
    log->kind = s->kind;
    log->first_ns = s->first_ns;
    log->begun = log->end.size;
    log->is_name_safe = true;
}

/* Cuts what is torn off the last segment; removes it where nothing is left. */
static int tail_cut(struct feed_log *log, const struct feed_folder_near *near, struct scan *s,
                    struct feed_resume *resume, struct fault *fault)
{
    if (s->has_body && s->header == NULL)
        return fault_set(fault, EBADMSG, "%s/%s: its Header can't be read", log->dir,
                         near->at.name);
    if (s->has_body && s->is_damaged) {
        memcpy(resume->damaged_file, near->at.name, FEED_NAME);
        resume->damaged_at = s->damaged_at;
    }
    if (!s->has_body) {
        memcpy(resume->removed_file, near->at.name, FEED_NAME);
        if (unlinkat(log->dir_fd, near->at.name, 0) == 0 && fsync(log->dir_fd) == 0)
            return 0;
    } else if (s->at < s->size) {
        memcpy(resume->cut_file, near->at.name, FEED_NAME);
        resume->cut_at = s->at;
        resume->cut_bytes = s->size - s->at;
        if (ftruncate(s->fd, (off_t)s->at) == 0 && fdatasync(s->fd) == 0)
            return 0;
    } else if (fdatasync(s->fd) == 0 &&
               fsync(log->dir_fd) == 0) { /* its last writer may not have come to it */
        return 0;
    }
    return fault_set(fault, errno, "%s/%s: can't cut its torn end: %s", log->dir, near->at.name,
                     strerror(errno));
}

/* The end of the windows, where the last segment has none: in the last one that has. */
static int windows_end(struct feed_log *log, uint32_t number, struct feed_resume *resume,
                       struct fault *fault)
{
    struct feed_folder_near near;
    while (number > 0) {
        int err = feed_folder_near(log->dir_fd, log->dir, number, &near, fault);
        if (err != 0)
            return err;
        if (near.at.number != 0 && feed_segment_kind(near.at.name) == FEED_WINDOWS) {
            struct scan s;
            err = segment_scan(log, &near, &s, fault);
            resume->has_window = err == 0 && s.has_window;
            resume->end_ns = s.end_ns;
            resume->window_seq = s.window_seq;
            scan_fini(&s);
            if (err != 0 || resume->has_window)
                return err;
        }
        number = near.before.number;
    }
    return 0;
}

/* The date in a name that feed_day_segment_name gave. */
static int32_t date_of(const char *name)
{
    struct tm utc = {0};
    if (sscanf(name, "%4d%2d%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday) != 3)
        return 0;
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return (int32_t)(timegm(&utc) / 86400);
}

static int last_take(struct feed_log *log, struct feed_resume *resume, struct fault *fault)
{
    struct feed_folder_near near;
    for (;;) {
        struct scan s = {.fd = -1};
        int err = feed_folder_near(log->dir_fd, log->dir, 0, &near, fault);
        if (err != 0 || near.last.number == 0) {
            resume->is_begun = err == 0;
            return err;
        }
        err = feed_folder_near(log->dir_fd, log->dir, near.last.number, &near, fault);
        if (err == 0)
            err = segment_scan(log, &near, &s, fault);
        if (err == 0 && s.header != NULL)
            err = identity_check(log->dir, s.header, log->identity, fault);
        if (err == 0)
            err = tail_cut(log, &near, &s, resume, fault);
        if (err == 0 && s.has_body) {
            end_take(log, &near, &s);
            resume->was_finished = s.is_finished;
            resume->has_date_open = s.kind == FEED_SOURCES;
            resume->date = s.kind == FEED_SOURCES ? date_of(near.at.name) : 0;
        }
        bool is_taken = s.has_body;
        scan_fini(&s);
        if (err != 0 || is_taken)
            return err;
    }
}

/* The greatest start in a segment, where that is beyond *start_ns. */
static int segment_starts(struct feed_reader *r, size_t segment, int64_t *start_ns,
                          struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    size_t shown;
    int64_t is_ns;
    int err = feed_cursor_begin(&c, r, segment, fault);
    while (err == 0 && (err = feed_cursor_peek(&c, &view, &shown, fault)) > 0) {
        if (view.body_kind == RECORD_window && record_window_start(view.body, shown, &is_ns) &&
            is_ns > *start_ns)
            *start_ns = is_ns;
        feed_cursor_skip(&c);
        err = 0;
    }
    feed_cursor_end(&c);
    return err;
}

/* The last windows are not the latest where the clock was set back and the writer started anew: behind them others may be lived through once
 * more. What can't be read may hold any of its hour. */
static int64_t latest_end(const struct feed_log *log, int64_t end_ns)
{
    static const int64_t second_ns = INT64_C(1000000000), hour_ns = 3600 * INT64_C(1000000000);
    const struct feed_reader_segment *segments;
    struct feed_reader *r = NULL;
    struct fault none;
    struct feed_pool *pool = feed_pool_create(1);
    int err = pool == NULL ? -ENOMEM : feed_reader_open(&r, log->dir, pool, &none);
    size_t count = err == 0 ? feed_reader_segments(r, &segments) : 0;
    if (err != 0)
        end_ns = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        int64_t at_ns, hour_end_ns, start_ns = INT64_MIN, is_ns;
        if (segments[i].kind != FEED_WINDOWS || segments[i].number > log->end.segment)
            continue;
        if (__builtin_mul_overflow(segments[i].at, second_ns, &at_ns) ||
            __builtin_add_overflow(at_ns, hour_ns, &hour_end_ns))
            hour_end_ns = at_ns = segments[i].at < 0 ? INT64_MIN : INT64_MAX;
        if (hour_end_ns <= end_ns)
            continue;
        if (segment_starts(r, i, &start_ns, &none) < 0 || start_ns > hour_end_ns ||
            __builtin_add_overflow(start_ns, log->identity->window_span_ns, &is_ns))
            is_ns = hour_end_ns;
        end_ns = is_ns > end_ns ? is_ns : end_ns;
    }
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return end_ns;
}

int feed_log_continue(struct feed_log **out, struct feed_resume *resume, const char *dir,
                      const struct feed_identity *identity, struct fault *fault)
{
    struct feed_log *log;
    memset(resume, 0, sizeof *resume);
    *out = NULL;
    int err = feed_log_open(&log, dir, identity, fault);
    if (err != 0)
        return err;
    err = last_take(log, resume, fault);
    if (err == 0)
        err = windows_end(log, log->end.segment, resume, fault);
    if (err == 0) {
        log->continued_last = log->end.segment;
        log->continued_end_ns = resume->has_window ? latest_end(log, resume->end_ns) : INT64_MAX;
        *out = log;
    } else {
        feed_log_abandon(log);
    }
    return err;
}

/* ---- parts ---- */

/* Windows of this start in a segment. */
static int segment_count(struct feed_reader *r, size_t segment, int64_t start_ns, uint32_t *count,
                         struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    size_t shown;
    int64_t is_ns;
    int err = feed_cursor_begin(&c, r, segment, fault);
    while (err == 0 && (err = feed_cursor_peek(&c, &view, &shown, fault)) > 0) {
        *count += view.body_kind == RECORD_window &&
                  record_window_start(view.body, shown, &is_ns) && is_ns == start_ns;
        feed_cursor_skip(&c);
        err = 0;
    }
    feed_cursor_end(&c);
    return err;
}

int feed_log_part_base(struct feed_log *log, int64_t start_ns, uint32_t *base, struct fault *fault)
{
    static const int64_t second_ns = INT64_C(1000000000);
    const struct feed_reader_segment *segments;
    struct feed_reader *r = NULL;
    *base = 0;
    if (log->continued_last == 0 || start_ns >= log->continued_end_ns)
        return 0;
    struct feed_pool *pool = feed_pool_create(1);
    int err = pool == NULL ? fault_set(fault, ENOMEM, "%s: no memory", log->dir)
                           : feed_reader_open(&r, log->dir, pool, fault);
    size_t count = err == 0 ? feed_reader_segments(r, &segments) : 0;
    for (size_t i = 0; i < count && err == 0; i++)
        if (segments[i].kind == FEED_WINDOWS && segments[i].number <= log->continued_last &&
            segments[i].at < INT64_MAX / second_ns && segments[i].at > INT64_MIN / second_ns &&
            feed_segment_takes(segments[i].at * second_ns, start_ns))
            err = segment_count(r, i, start_ns, base, fault);
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return err;
}
