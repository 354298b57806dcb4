#include "export/feed_tail.h"

#include "export/feed_folder.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AT_ONCE = 256 << 10, /* bytes read from a file at a time */
    LENGTH_MAX = 5,      /* bytes of a record's length */
    LOOK_MS = 200,       /* without inotify */
    TRIES = 8,           /* of finding a segment while others come and go */
    NOTHING = 2,         /* as a result: no whole record is there */
};

struct feed_tail {
    char *dir;
    int dir_fd, inotify_fd;
    bool has_waited, passes_deleted;
    struct feed_durable *durable; /* or NULL */
    uint32_t turn;                /* of it, when the last look began */

    struct feed_position at; /* behind the last record given */
    bool is_kind_known, is_closed, is_finished;

    /* Where the next record is looked for. */
    int fd; /* -1: the segment is to be found first */
    char name[FEED_NAME];
    uint32_t segment; /* 0: the first that is kept */
    uint64_t offset;
    uint32_t missing;
    struct timespec listed; /* the folder's mtime when it was listed last */

    uint8_t *bytes; /* of the open segment */
    size_t bytes_len, bytes_size;
    uint64_t bytes_at;
};

/* The next record in the buffer. */
struct found {
    const uint8_t *at; /* its length */
    size_t used, len;  /* bytes of the length; of the record */
};

__attribute__((format(printf, 4, 5))) static int place_fault(const struct feed_tail *t, int err,
                                                             struct fault *fault,
                                                             const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fault_set(fault, err, "%.80s/%s: byte %" PRIu64 ": %s", t->dir, t->name, t->offset,
                     what);
}

static void segment_leave(struct feed_tail *t)
{
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
    t->bytes_len = 0;
}

/* Back to where the last record given ended: the segments are to be found anew. */
static void place_reset(struct feed_tail *t)
{
    segment_leave(t);
    t->segment = t->at.segment;
    t->offset = t->at.offset;
    t->missing = 0;
    t->listed = (struct timespec){0};
}

static int stale(const struct feed_tail *t, const struct feed_folder_near *near,
                 struct fault *fault)
{
    const struct feed_folder_segment *kept = near->next.number ? &near->next : &near->first;
    return fault_set(fault, ESTALE,
                     "%.100s: segment %06" PRIu32 ", in which the position stands, was deleted: "
                     "the first that is kept behind it is %s",
                     t->dir, t->at.segment, kept->name);
}

/* The position's crc stands in front of it, if it is this feed's. */
static int position_check(struct feed_tail *t, struct fault *fault)
{
    uint32_t crc;
    if (t->offset == 0 || t->offset != t->at.offset || t->segment != t->at.segment)
        return 0;
    ssize_t n = t->offset <= RECORD_CRC
                    ? 0
                    : pread(t->fd, &crc, sizeof crc, (off_t)(t->offset - sizeof crc));
    if (n == sizeof crc && le32toh(crc) == t->at.crc)
        return 0;
    if (n < 0)
        return place_fault(t, errno, fault, "%s", strerror(errno));
    return place_fault(t, EINVAL, fault, "the position (record %" PRIu64 ") is not of this feed",
                       t->at.seq);
}

/* Opens the segment that is looked at. NOTHING: there is none yet. */
static int segment_find(struct feed_tail *t, struct fault *fault)
{
    struct feed_folder_near near;
    for (unsigned i = 0; i < TRIES; i++) {
        int err = feed_folder_near(t->dir_fd, t->dir, t->segment, &near, fault);
        if (err != 0)
            return err;
        const struct feed_folder_segment *s = t->segment == 0 ? &near.first : &near.at;
        if (s->number == 0 && t->at.segment == 0)
            return NOTHING;
        if (s->number == 0 && t->segment > t->at.segment) {
            place_reset(t); /* the segment that was to be next is gone again */
            continue;
        }
        if (s->number == 0 && near.last.number < t->segment)
            return fault_set(fault, EINVAL,
                             "%.100s: the position is in segment %06" PRIu32
                             ", the feed ends with %06" PRIu32,
                             t->dir, t->segment, near.last.number);
        if (s->number == 0 && !t->passes_deleted && near.next.number != t->segment + 1)
            return stale(t, &near, fault);
        if (s->number == 0) { /* the next tells whether all of the one deleted was read */
            s = &near.next;
            t->offset = 0;
            t->missing = t->passes_deleted ? s->number - t->segment : 0;
        }
        t->segment = s->number;
        memcpy(t->name, s->name, FEED_NAME);
        t->fd = openat(t->dir_fd, t->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (t->fd >= 0)
            return position_check(t, fault);
        if (errno != ENOENT)
            return place_fault(t, errno, fault, "%s", strerror(errno));
        place_reset(t);
    }
    return fault_set(fault, EAGAIN, "%.100s: its segments come and go", t->dir);
}

/* Up to `len` bytes from `offset` on: how many are there, or -errno. */
static ssize_t bytes_have(struct feed_tail *t, uint64_t offset, size_t len, const uint8_t **out)
{
    if (offset < t->bytes_at || offset - t->bytes_at + len > t->bytes_len) {
        size_t size = len > AT_ONCE ? len : AT_ONCE;
        t->bytes_len = 0;
        if (size > t->bytes_size) {
            free(t->bytes);
            t->bytes_size = 0;
            if ((t->bytes = malloc(size)) == NULL)
                return -ENOMEM;
            t->bytes_size = size;
        }
        t->bytes_at = offset;
        while (t->bytes_len < len) {
            ssize_t n = pread(t->fd, t->bytes + t->bytes_len, t->bytes_size - t->bytes_len,
                              (off_t)(offset + t->bytes_len));
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return -errno;
            if (n == 0)
                break;
            t->bytes_len += (size_t)n;
        }
    }
    *out = t->bytes + (offset - t->bytes_at);
    size_t have = t->bytes_len - (size_t)(offset - t->bytes_at);
    return (ssize_t)(have < len ? have : len);
}

/* Length in front of the record at `offset`: 0 and *f, NOTHING: it is not whole, or a fault. */
static int record_find(struct feed_tail *t, uint64_t offset, struct found *f, struct fault *fault)
{
    uint64_t len = 0;
    size_t used = 0;
    ssize_t have = bytes_have(t, offset, LENGTH_MAX, &f->at);
    if (have < 0)
        return place_fault(t, (int)-have, fault, "%s", strerror((int)-have));
    do {
        if (used == (size_t)have && have < LENGTH_MAX)
            return NOTHING;
        if (used == LENGTH_MAX)
            return place_fault(t, EBADMSG, fault, "no length of a record");
        len |= (uint64_t)(f->at[used] & 0x7f) << (7 * used);
    } while (f->at[used++] >= 0x80);
    if (len <= RECORD_CRC || len > RECORD_MAX || (used > 1 && f->at[used - 1] == 0))
        return place_fault(t, EBADMSG, fault, "no length of a record: %" PRIu64, len);
    f->used = used;
    f->len = (size_t)len;
    have = bytes_have(t, offset, used + f->len, &f->at);
    if (have < 0)
        return place_fault(t, (int)-have, fault, "%s", strerror((int)-have));
    return (size_t)have < used + f->len ? NOTHING : 0;
}

/* As record_find for the next record; a Header needs the record behind it, too. */
static int record_await(struct feed_tail *t, struct found *f, struct fault *fault)
{
    struct found behind;
    struct stat s;
    if (fstat(t->fd, &s) != 0 || !S_ISREG(s.st_mode))
        return place_fault(t, EINVAL, fault, "is no file");
    if (t->offset > (uint64_t)s.st_size)
        return place_fault(t, EBADMSG, fault, "the file ends before, at byte %jd",
                           (intmax_t)s.st_size);
    if (t->offset == (uint64_t)s.st_size)
        return NOTHING;
    int err = record_find(t, t->offset, f, fault);
    if (err != 0 || t->offset > 0)
        return err;
    uint64_t second = f->used + f->len;
    err = record_find(t, second, &behind, fault);
    return err != 0 ? err : record_find(t, 0, f, fault);
}

/* Holds a whole record to the chain and takes it apart. */
static int record_check(const struct feed_tail *t, const struct found *f, struct record_view *view,
                        struct fault *fault)
{
    const uint8_t *record = f->at + f->used;
    bool is_begin = t->at.segment == 0; /* of the tail: what was before is not known */
    bool is_chained = t->missing == 0 && (!is_begin || t->segment == 1);
    if (record[f->len - RECORD_CRC] != RECORD_CRC_TAG)
        return place_fault(t, EBADMSG, fault, "the record does not end with a crc");
    if (record_view(view, record, f->len) != 0)
        return place_fault(t, EBADMSG, fault, "is no Record");
    uint32_t crc = record_crc(t->at.crc, record, f->len - RECORD_CRC);
    if (is_chained && crc != view->crc)
        return place_fault(t, EBADMSG, fault, "crc is %08" PRIx32 ", its bytes give %08" PRIx32,
                           view->crc, crc);
    if (is_chained ? view->seq != t->at.seq + 1 : view->seq <= t->at.seq)
        return place_fault(t, EBADMSG, fault, "seq is %" PRIu64 " behind %" PRIu64, view->seq,
                           t->at.seq);
    if ((t->offset == 0) != (view->body_kind == RECORD_header))
        return place_fault(t, EBADMSG, fault,
                           t->offset == 0 ? "the segment does not begin with a Header"
                                          : "a Header inside a segment");
    if (t->is_kind_known && t->is_closed && t->offset > 0)
        return place_fault(t, EBADMSG, fault, "stands behind a Close");
    return 0;
}

/* Whether the folder is to be listed: a segment may have come. */
static bool is_next_likely(struct feed_tail *t)
{
    struct stat s = {0};
    bool is_same = fstat(t->dir_fd, &s) == 0 && s.st_mtim.tv_sec == t->listed.tv_sec &&
                   s.st_mtim.tv_nsec == t->listed.tv_nsec;
    t->listed = s.st_mtim;
    return !is_same || t->is_closed || !t->is_kind_known || t->offset == 0;
}

/* No whole record is there: goes on to the next segment (0), or NOTHING, or what is wrong. */
static int segment_next(struct feed_tail *t, struct fault *fault)
{
    struct feed_folder_near near;
    struct found f;
    struct stat s;
    t->bytes_len = 0; /* what is not whole may be taken back */
    int err =
        is_next_likely(t) ? feed_folder_near(t->dir_fd, t->dir, t->segment, &near, fault) : NOTHING;
    if (err != 0 || near.next.number == 0) {
        if (t->offset == 0)
            place_reset(t);
        return err == 0 ? NOTHING : err;
    }
    /* What was written before the next segment came is there by now. */
    err = record_await(t, &f, fault);
    if (err == 0)
        return 0;
    if (err != NOTHING)
        return err;
    t->bytes_len = 0;
    if (fstat(t->fd, &s) != 0 || (uint64_t)s.st_size != t->offset || t->offset == 0)
        return place_fault(t, EBADMSG, fault, "record cut, and a further segment follows");
    if (t->is_kind_known && !t->is_closed)
        return place_fault(t, EBADMSG, fault,
                           "ends without a Close, and a further segment follows");
    segment_leave(t);
    t->missing = near.next.number - t->segment - 1;
    t->segment = near.next.number;
    t->offset = 0;
    return 0;
}

/* A failure at a segment's begin leaves it open for no one: it is looked for again. */
static int failed(struct feed_tail *t, const struct record_view *view, int err, struct fault *fault)
{
    struct feed_folder_near near;
    bool is_behind_deleted = t->offset == 0 && t->missing == 0 && t->at.segment != 0 &&
                             t->segment == t->at.segment + 1 && view->body_kind == RECORD_header &&
                             view->seq != t->at.seq + 1;
    if (err == -EBADMSG && is_behind_deleted &&
        feed_folder_near(t->dir_fd, t->dir, t->at.segment, &near, NULL) == 0 && near.at.number == 0)
        err = stale(t, &near, fault);
    place_reset(t);
    return err;
}

static void record_give(struct feed_tail *t, const struct found *f, const struct record_view *view,
                        struct feed_tail_record *r)
{
    *r = (struct feed_tail_record){.kind = view->body_kind,
                                   .seq = view->seq,
                                   .body = view->body,
                                   .body_len = view->body_len,
                                   .delimited = f->at,
                                   .delimited_len = f->used + f->len,
                                   .segment = t->segment,
                                   .offset = t->offset,
                                   .missing = t->missing};
    t->offset += r->delimited_len;
    t->at = (struct feed_position){t->segment, t->offset, view->seq, view->crc};
    t->missing = 0;
    t->is_kind_known = true;
    t->is_closed = view->body_kind == RECORD_close;
    /* Close { records = 1, finished = 2 }: finished ends it, where it is said. */
    t->is_finished = t->is_closed && view->body_len >= 2 &&
                     memcmp(view->body + view->body_len - 2, "\x10\x01", 2) == 0;
}

int feed_tail_next(struct feed_tail *t, struct feed_tail_record *r, struct fault *fault)
{
    struct record_view view = {0};
    struct found f;
    bool is_again = false;
    int err = 0;
    if (t->durable != NULL)
        t->turn = atomic_load(&t->durable->turn);
    uint64_t limit = t->durable == NULL ? UINT64_MAX : atomic_load(&t->durable->seq);
    while (t->at.seq < limit) {
        if (t->fd < 0 && (err = segment_find(t, fault)) != 0)
            break;
        err = record_await(t, &f, fault);
        if (err == NOTHING) {
            err = segment_next(t, fault);
            if (err != 0)
                break;
            continue;
        }
        if (err == 0)
            err = record_check(t, &f, &view, fault);
        if (err == 0 && view.seq > limit)
            break;
        if (err == 0) {
            record_give(t, &f, &view, r);
            return 1;
        }
        t->bytes_len = 0;
        if (is_again) /* it may have been taken back and written anew between two looks */
            break;
        is_again = true;
    }
    return err < 0 ? failed(t, &view, err, fault) : 0;
}

static int tail_open(struct feed_tail **out, const char *dir, const struct feed_position *from,
                     bool passes_deleted, struct fault *fault)
{
    struct feed_tail *t = calloc(1, sizeof *t);
    *out = NULL;
    if (t == NULL || (t->dir = strdup(dir)) == NULL) {
        free(t);
        return fault_set(fault, ENOMEM, "%.200s: no memory", dir);
    }
    t->fd = t->inotify_fd = -1;
    t->passes_deleted = passes_deleted;
    if (from != NULL)
        t->at = *from;
    place_reset(t);
    t->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = t->dir_fd < 0 ? fault_set(fault, errno, "%.200s: %s", dir, strerror(errno))
                            : segment_find(t, fault);
    if (err < 0) {
        feed_tail_close(t);
        return err;
    }
    *out = t;
    return 0;
}

int feed_tail_open(struct feed_tail **out, const char *dir, const struct feed_position *from,
                   struct fault *fault)
{
    return tail_open(out, dir, from, false, fault);
}

int feed_tail_open_behind(struct feed_tail **out, const char *dir, const struct feed_position *from,
                          struct fault *fault)
{
    return tail_open(out, dir, from, true, fault);
}

void feed_tail_limit(struct feed_tail *t, struct feed_durable *durable) { t->durable = durable; }

const struct feed_position *feed_tail_position(const struct feed_tail *t) { return &t->at; }

bool feed_tail_is_finished(const struct feed_tail *t) { return t->is_finished; }

/* Watches the folder from now on; what came before is looked for once more first. */
static void watch_begin(struct feed_tail *t)
{
    t->has_waited = true;
    t->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (t->inotify_fd >= 0 &&
        inotify_add_watch(t->inotify_fd, t->dir,
                          IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0) {
        (void)close(t->inotify_fd);
        t->inotify_fd = -1;
    }
}

void feed_tail_wait(struct feed_tail *t, int timeout_ms)
{
    char events[4096];
    if (t->durable != NULL) {
        feed_durable_wait(t->durable, t->turn, timeout_ms);
        return;
    }
    if (!t->has_waited) {
        watch_begin(t);
        return;
    }
    if (t->inotify_fd < 0) {
        poll(NULL, 0, timeout_ms < 0 || timeout_ms > LOOK_MS ? LOOK_MS : timeout_ms);
        return;
    }
    struct pollfd watched = {.fd = t->inotify_fd, .events = POLLIN};
    poll(&watched, 1, timeout_ms);
    while (read(t->inotify_fd, events, sizeof events) > 0)
        ;
}

void feed_tail_close(struct feed_tail *t)
{
    if (t == NULL)
        return;
    segment_leave(t);
    if (t->dir_fd >= 0)
        (void)close(t->dir_fd);
    if (t->inotify_fd >= 0)
        (void)close(t->inotify_fd);
    free(t->bytes);
    free(t->dir);
    free(t);
}
