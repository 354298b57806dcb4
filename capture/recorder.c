#include "capture/recorder.h"

#include "capture/frame_ring.h"
#include "capture/live_clock.h"
#include "capture/pcap_format.h"
#include "capture/record_stream.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TURN = 256,          /* packets of a receiver before it is another's turn */
    FLUSH_MS = 1000,     /* a packet waits no longer for its block to fill */
    RETRY_MS = 500,      /* between tries where the disk takes nothing */
    TRIM_MS = 60000,     /* between looks for what is too old */
    TRIM_AGAIN_MS = 500, /* and, where there is too much, before the next */
    QUIET_MS = 60000,    /* a disk that is full again and again is spoken of so often */
    SLEEP_MS = 20,       /* where there is nothing to do; the rings hold more than comes in it */
};

static const int64_t second_ns = 1000000000;

/* One receiver's side. */
struct intake {
    _Alignas(64) struct frame_ring *ring;
    uint32_t snaplen;
    _Alignas(64) _Atomic uint64_t skipped; /* written by the receiver alone */
};

struct recorder {
    struct record_writer writer;
    struct intake *intakes;
    unsigned receivers;
    int64_t keep_ns;
    uint64_t keep_bytes;
    pthread_t thread;
    bool is_running;
    _Atomic bool is_over;
    /* The writing thread's own. */
    struct record_stream streams[RECORDER_LINK_TYPES];
    unsigned stream_count;
    uint64_t kept;  /* bytes of files that retention may delete */
    uint64_t files; /* writer.files when `kept` was counted */
    int64_t trim_ms, trim_again_ms, retry_ms;
    int64_t ahead_ns;     /* of CLOCK_REALTIME before CLOCK_MONOTONIC, when it trimmed last; */
    int64_t steady_ms;    /* since then the former was not set far ahead; 0: it never trimmed */
    uint64_t lost;        /* packets that are in no file */
    uint64_t lost_before; /* skipped in all when the trouble began */
    bool is_trim_failing;
    bool is_said;       /* what keeps it from writing was */
    int64_t quiet_ms;   /* nothing of the kind is said before */
    struct fault fault; /* what keeps it from writing; err 0: nothing */
    /* For recorder_counts. */
    _Atomic uint64_t packets, bytes, completed, deleted, skipped;
    atomic_int err;
};

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Receivers. */

void recorder_add(struct recorder *r, unsigned receiver, const struct frame *frames, size_t count)
{
    struct intake *i = &r->intakes[receiver];
    size_t done = frame_ring_push(i->ring, frames, count, i->snaplen);
    if (done == count)
        return;
    uint64_t skipped = atomic_load_explicit(&i->skipped, memory_order_relaxed);
    atomic_store_explicit(&i->skipped, skipped + count - done, memory_order_relaxed);
}

uint64_t recorder_skipped(const struct recorder *r, unsigned receiver)
{
    return atomic_load_explicit(&r->intakes[receiver].skipped, memory_order_relaxed);
}

static uint64_t all_skipped(const struct recorder *r)
{
    uint64_t sum = atomic_load_explicit(&r->skipped, memory_order_relaxed);
    for (unsigned i = 0; i < r->receivers; i++)
        sum += recorder_skipped(r, i);
    return sum;
}

void recorder_counts(const struct recorder *r, struct recorder_counts *counts)
{
    *counts = (struct recorder_counts){
        .packets = atomic_load_explicit(&r->packets, memory_order_relaxed),
        .bytes = atomic_load_explicit(&r->bytes, memory_order_relaxed),
        .files = atomic_load_explicit(&r->completed, memory_order_relaxed),
        .deleted = atomic_load_explicit(&r->deleted, memory_order_relaxed),
        .skipped = all_skipped(r),
        .err = atomic_load_explicit(&r->err, memory_order_relaxed),
    };
}

/* The writing thread. */

static void publish(struct recorder *r)
{
    atomic_store_explicit(&r->packets, r->writer.packets, memory_order_relaxed);
    atomic_store_explicit(&r->bytes, r->writer.bytes, memory_order_relaxed);
    atomic_store_explicit(&r->completed, r->writer.files, memory_order_relaxed);
    atomic_store_explicit(&r->skipped, r->lost, memory_order_relaxed);
    atomic_store_explicit(&r->err, r->fault.err, memory_order_relaxed);
}

static void say(struct recorder *r, const char *line) { r->writer.say(r->writer.context, line); }

/* The disk took nothing. */
static void fail(struct recorder *r, const struct fault *fault, int64_t now)
{
    struct fault line;
    r->retry_ms = now + RETRY_MS;
    if (r->fault.err == 0)
        r->lost_before = all_skipped(r);
    if (r->fault.err != fault->err)
        r->is_said = false;
    r->fault = *fault;
    if (r->is_said || now < r->quiet_ms)
        return;
    r->is_said = true;
    r->quiet_ms = now + QUIET_MS;
    (void)fault_set(&line, fault->err, "%.180s; packets that come now may not be recorded",
                    fault->text);
    say(r, line.text);
}

static void recover(struct recorder *r)
{
    struct fault line;
    if (r->fault.err == 0)
        return;
    (void)fault_set(&line, 0, "%.160s: recording again; %llu packets were skipped",
                    r->writer.dir.path, (unsigned long long)(all_skipped(r) - r->lost_before));
    r->fault.err = 0;
    if (r->is_said)
        say(r, line.text);
    r->is_said = false;
}

/* The stream of a link type; NULL where there are too many, or no memory for one more. */
static struct record_stream *find_stream(struct recorder *r, uint32_t link_type)
{
    for (unsigned i = 0; i < r->stream_count; i++) {
        if (r->streams[i].link_type == link_type)
            return &r->streams[i];
    }
    if (r->stream_count == RECORDER_LINK_TYPES ||
        record_stream_init(&r->streams[r->stream_count], link_type) < 0)
        return NULL;
    return &r->streams[r->stream_count++];
}

/* A turn of one receiver's packets. How many; -errno where the disk takes nothing. */
static int drain(struct recorder *r, struct frame_ring *ring, int64_t now, struct fault *fault)
{
    struct frame f;
    int n = 0, rc = 0;
    for (; n < TURN && frame_ring_peek(ring, &f); n++) {
        struct record_stream *s = pcap_holds_time(f.ts_ns) ? find_stream(r, f.link_type) : NULL;
        if (!s)
            r->lost++;
        else if ((rc = record_stream_add(s, &r->writer, &f, now, fault)) < 0)
            break;
        frame_ring_take(ring);
    }
    if (n > 0)
        frame_ring_release(ring);
    return rc < 0 ? rc : n;
}

/* Flushes what has waited long enough, completes what gets nothing more. */
static int tend(struct recorder *r, int64_t now, struct fault *fault)
{
    int64_t span_ms = r->writer.span_ns / 1000000;
    int rc = 0;
    for (unsigned i = 0; i < r->stream_count && rc == 0; i++) {
        struct record_stream *s = &r->streams[i];
        if (s->file.fd >= 0 && now - s->last_ms >= span_ms)
            rc = record_stream_complete(s, &r->writer, fault);
        else if (s->pending > 0 && (now - s->pending_ms >= FLUSH_MS || r->fault.err))
            rc = record_stream_flush(s, &r->writer, fault);
    }
    return rc;
}

/* Retention, where it is due. */
static void trim(struct recorder *r, int64_t now)
{
    struct fault fault;
    struct timespec t;
    uint64_t open = 0;
    if (r->keep_ns == 0 && r->keep_bytes == 0)
        return;
    for (unsigned i = 0; i < r->stream_count; i++)
        open += r->streams[i].file.fd >= 0 ? r->streams[i].file.bytes : 0;
    bool is_over = r->keep_bytes > 0 && r->kept + open > r->keep_bytes && now >= r->trim_again_ms;
    if (now < r->trim_ms && r->files == r->writer.files && !is_over)
        return;
    r->trim_ms = now + TRIM_MS;
    r->trim_again_ms = now + TRIM_AGAIN_MS;
    r->files = r->writer.files;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    int64_t now_ns = (int64_t)t.tv_sec * second_ns + t.tv_nsec;
    int64_t ahead_ns = now_ns - now * 1000000;
    if (r->steady_ms == 0 || ahead_ns - r->ahead_ns > CLOCK_FAR_S * second_ns)
        r->steady_ms = now;
    r->ahead_ns = ahead_ns;
    uint64_t limit = r->keep_bytes > open ? r->keep_bytes - open : r->keep_bytes > 0;
    int n = record_dir_trim(&r->writer.dir, r->keep_ns, limit, now_ns,
                            (now - r->steady_ms) * 1000000, &r->kept, &fault);
    if (n > 0)
        atomic_fetch_add_explicit(&r->deleted, (uint64_t)n, memory_order_relaxed);
    if (n < 0 && !r->is_trim_failing)
        say(r, fault.text);
    r->is_trim_failing = n < 0;
}

/* Everything once. How many packets moved; -errno where the disk takes nothing. */
static int work(struct recorder *r, int64_t now, struct fault *fault)
{
    int moved = 0, rc = tend(r, now, fault);
    if (rc == 0)
        recover(r);
    for (unsigned i = 0; i < r->receivers && rc >= 0; i++) {
        rc = drain(r, r->intakes[i].ring, now, fault);
        moved += rc > 0 ? rc : 0;
    }
    return rc < 0 ? rc : moved;
}

/* What is left at the end goes into files as far as that goes, and is counted as lost beyond it. */
static void settle(struct recorder *r)
{
    struct frame f;
    struct fault fault = {0};
    int64_t now = now_ms();
    int rc;
    do
        rc = work(r, now, &fault);
    while (rc > 0);
    for (unsigned i = 0; i < r->stream_count; i++) {
        if (rc >= 0)
            rc = record_stream_complete(&r->streams[i], &r->writer, &fault);
    }
    if (rc < 0)
        fail(r, &fault, now);
    for (unsigned i = 0; i < r->stream_count; i++)
        r->lost += record_stream_fini(&r->streams[i], &r->writer);
    for (unsigned i = 0; i < r->receivers; i++) {
        for (; frame_ring_peek(r->intakes[i].ring, &f); frame_ring_take(r->intakes[i].ring))
            r->lost++;
    }
    trim(r, now_ms());
    publish(r);
}

static void *write_all(void *arg)
{
    struct recorder *r = arg;
    struct fault fault;
    while (!atomic_load_explicit(&r->is_over, memory_order_acquire)) {
        int64_t now = now_ms();
        int rc = 0;
        if (r->fault.err == 0 || now >= r->retry_ms) {
            rc = work(r, now, &fault);
            if (rc < 0)
                fail(r, &fault, now);
        }
        trim(r, now);
        publish(r);
        if (rc <= 0) {
            const struct timespec pause = {0, SLEEP_MS * 1000000};
            (void)nanosleep(&pause, NULL);
        }
    }
    settle(r);
    return NULL;
}

/* Life. */

static void say_nothing(void *context, const char *line)
{
    (void)context;
    (void)line;
}

int recorder_check(const struct recorder_settings *s, struct fault *fault)
{
    if (s->span_ns != 0 && (s->span_ns < second_ns || s->span_ns > RECORDER_SPAN_MAX_NS))
        return fault_set(fault, EINVAL, "span of a recording's file: %lld ns; 1 s to 366 days",
                         (long long)s->span_ns);
    if (s->file_bytes != 0 && s->file_bytes < RECORDER_FILE_MIN)
        return fault_set(fault, EINVAL, "size of a recording's file: %llu bytes; at least %d",
                         (unsigned long long)s->file_bytes, RECORDER_FILE_MIN);
    if (s->keep_ns != 0 && s->keep_ns < second_ns)
        return fault_set(fault, EINVAL, "age of a recording: %lld ns; at least 1 s",
                         (long long)s->keep_ns);
    uint64_t file = s->file_bytes ? s->file_bytes : RECORDER_FILE;
    if (s->keep_bytes != 0 && s->keep_bytes / 2 < file)
        return fault_set(fault, EINVAL,
                         "size of a recording: %llu bytes; at least twice that of a file, %llu",
                         (unsigned long long)s->keep_bytes, (unsigned long long)file);
    if (s->snaplen > RECORDER_SNAPLEN)
        return fault_set(fault, EINVAL, "snap length of a recording: %u bytes; at most %d",
                         s->snaplen, RECORDER_SNAPLEN);
    return 0;
}

static int make_intakes(struct recorder *r, const struct recorder_settings *s, unsigned receivers,
                        struct fault *fault)
{
    uint64_t bytes = s->buffer_bytes ? s->buffer_bytes : RECORDER_BUFFER;
    r->intakes = aligned_alloc(64, receivers * sizeof *r->intakes);
    if (!r->intakes)
        return fault_set(fault, ENOMEM, "%s: no memory", s->dir);
    memset(r->intakes, 0, receivers * sizeof *r->intakes);
    r->receivers = receivers;
    for (unsigned i = 0; i < receivers; i++) {
        r->intakes[i].snaplen = r->writer.snaplen;
        if (!(r->intakes[i].ring = frame_ring_create(bytes)))
            return fault_set(fault, ENOMEM, "%s: no memory for a buffer of %llu bytes", s->dir,
                             (unsigned long long)bytes);
    }
    return 0;
}

static int start(struct recorder *r, struct fault *fault)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&r->thread, NULL, write_all, r);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return fault_set(fault, err, "%s: no thread to write with: %s", r->writer.dir.path,
                         strerror(err));
    (void)pthread_setname_np(r->thread, "recorder");
    r->is_running = true;
    return 0;
}

int recorder_create(struct recorder **out, const struct recorder_settings *s, unsigned receivers,
                    struct fault *fault)
{
    assert(receivers > 0);
    *out = NULL;
    int rc = recorder_check(s, fault);
    if (rc < 0)
        return rc;
    struct recorder *r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64);
    if (!r)
        return fault_set(fault, ENOMEM, "%s: no memory", s->dir);
    memset(r, 0, sizeof *r);
    r->writer = (struct record_writer){
        .dir.fd = -1,
        .span_ns = s->span_ns ? s->span_ns : RECORDER_SPAN_NS,
        .file_bytes = s->file_bytes ? s->file_bytes : RECORDER_FILE,
        .snaplen = s->snaplen ? s->snaplen : RECORDER_SNAPLEN,
        .say = s->say ? s->say : say_nothing,
        .context = s->context,
    };
    r->keep_ns = s->keep_ns;
    r->keep_bytes = s->keep_bytes;
    rc = record_dir_open(&r->writer.dir, s->dir, fault);
    if (rc == 0)
        rc = record_writer_init(&r->writer, s->zstd_level, fault);
    if (rc == 0)
        rc = make_intakes(r, s, receivers, fault);
    if (rc == 0)
        rc = start(r, fault);
    if (rc < 0) {
        recorder_destroy(r);
        return rc;
    }
    *out = r;
    return 0;
}

int recorder_finish(struct recorder *r, struct fault *fault)
{
    if (!r->is_running)
        return 0;
    atomic_store_explicit(&r->is_over, true, memory_order_release);
    (void)pthread_join(r->thread, NULL);
    r->is_running = false;
    const struct fault *why = r->fault.err ? &r->fault : &r->writer.incomplete;
    return why->err ? fault_set(fault, why->err, "%s", why->text) : 0;
}

void recorder_destroy(struct recorder *r)
{
    if (!r)
        return;
    (void)recorder_finish(r, NULL);
    for (unsigned i = 0; r->intakes && i < r->receivers; i++)
        frame_ring_destroy(r->intakes[i].ring);
    free(r->intakes);
    record_writer_fini(&r->writer);
    record_dir_close(&r->writer.dir);
    free(r);
}
