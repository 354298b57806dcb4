#include "capture/archive.h"

#include "capture/archive_codec.h"
#include "capture/block_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INPUT_SIZE = 256 * 1024, /* stored bytes read at once by a decompressor; fits the L2 cache */
    PLAIN_SIZE = 256 * 1024, /* read at once of a plain file; fits it, too */
    PREFETCH = 8 << 20,      /* asked of the disk when a plain file is opened ahead */
};

/* How far the decompressing thread came; its own until it has finished the queue. */
struct unpacking {
    pthread_t thread;
    bool started;
    int wake; /* eventfd: closes a wait for a pipe; -1 for files */
    struct block_queue *queue;
    void *codec_state;
    uint8_t *input;
    size_t input_at, input_len;
    uint64_t stored;   /* bytes read of the stored file */
    uint64_t whole_to; /* of these, up to where a member ended well */
    bool is_corrupt;
    bool stored_end;
    struct fault fault; /* what ended it, err 0: the data's end */
};

struct archive {
    int fd;
    bool owns_fd;
    const struct archive_codec *codec; /* NULL: plain */
    bool is_stream;                    /* a pipe: read by the thread even if plain */
    struct unpacking unpacking;

    /* The reader's side. */
    struct block *block; /* what the span lies in, unless it lies in `joined` */
    const uint8_t *span;
    size_t span_len;
    uint64_t stored_at;
    uint64_t range_from, range_to; /* of the span's stored bytes; of the error's after a failure */
    bool is_corrupt;               /* after a failure */
    uint64_t stored_read;          /* plain: bytes read */
    uint8_t *joined;               /* for tails longer than a block's headroom */
    size_t joined_size;
};

static const struct archive_codec *const archive_codec_all[] = {
    &archive_gzip, &archive_zstd, &archive_xz, &archive_bzip2, &archive_lz4,
};

static const struct archive_codec *find_codec(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof archive_codec_all / sizeof *archive_codec_all; i++) {
        const struct archive_codec *codec = archive_codec_all[i];
        if (len >= codec->magic_len && memcmp(bytes, codec->magic, codec->magic_len) == 0)
            return codec;
    }
    return NULL;
}

/* Reads until `len` bytes are there, or the end. An error counts only where nothing was
 * read before it: the next call meets it again. */
static ssize_t read_whole(int fd, uint8_t *bytes, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = read(fd, bytes + have, len - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && have == 0)
            return -errno;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* The thread. */

/* Waits until the pipe has something to read; false: the reader wants no more. */
static bool wait_readable(int fd, int wake)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
    while (poll(fds, wake < 0 ? 1 : 2, -1) < 0 && errno == EINTR)
        ;
    return wake < 0 || !(fds[1].revents & POLLIN);
}

/* Reads more stored bytes once those there are used up. */
static int read_stored(struct archive *a, struct fault *fault)
{
    struct unpacking *u = &a->unpacking;
    if (u->input_at < u->input_len || u->stored_end)
        return 0;
    if (a->is_stream && !wait_readable(a->fd, u->wake)) {
        u->stored_end = true;
        return -ECANCELED;
    }
    ssize_t n;
    do
        n = read(a->fd, u->input, INPUT_SIZE);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fault_set(fault, errno, "can't be read on: %s", strerror(errno));
    u->input_at = 0;
    u->input_len = (size_t)n;
    u->stored += (uint64_t)n;
    u->stored_end = n == 0;
    return 0;
}

/* The first bytes of a pipe tell its codec. */
static int tell_stream(struct archive *a, struct fault *fault)
{
    struct unpacking *u = &a->unpacking;
    while (u->input_len < ARCHIVE_MAGIC_MAX) {
        if (!wait_readable(a->fd, u->wake))
            return -ECANCELED;
        ssize_t n = read(a->fd, u->input + u->input_len, INPUT_SIZE - u->input_len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(fault, errno, "can't be read: %s", strerror(errno));
        if (n == 0)
            break;
        u->input_len += (size_t)n;
        u->stored += (uint64_t)n;
    }
    a->codec = find_codec(u->input, u->input_len);
    return 0;
}

static int step_codec(struct archive *a, struct codec_io *io, struct fault *fault)
{
    if (a->codec)
        return a->codec->step(a->unpacking.codec_state, io, fault);
    size_t n = io->in_len < io->out_len ? io->in_len : io->out_len;
    memcpy(io->out, io->in, n);
    io->in += n;
    io->in_len -= n;
    io->out += n;
    io->out_len -= n;
    return 0;
}

/* Stored bytes that went into what was decompressed. */
static uint64_t stored_used(const struct unpacking *u)
{
    return u->stored - (u->input_len - u->input_at);
}

/* One step of the codec into the rest of the block. */
static int step_block(struct archive *a, struct block *b, bool *moved, struct fault *fault)
{
    struct unpacking *u = &a->unpacking;
    size_t in_len = u->input_len - u->input_at, out_len = BLOCK_SIZE - b->len;
    const uint8_t *in = u->input + u->input_at;
    struct codec_io io = {in, in_len, b->bytes + b->len, out_len, u->stored_end, NULL, false};
    int rc = step_codec(a, &io, fault);
    if (io.whole)
        u->whole_to = stored_used(u) + (uint64_t)(io.whole - in);
    *moved = io.in_len < in_len || io.out_len < out_len;
    u->input_at = u->input_len - io.in_len;
    b->len = BLOCK_SIZE - io.out_len;
    b->stored_to = stored_used(u);
    u->is_corrupt = io.is_corrupt;
    return rc;
}

/* Fills a block to the brim. 0: more follows; 1: the data's end; -errno: damage. */
static int fill_block(struct archive *a, struct block *b, struct fault *fault)
{
    struct unpacking *u = &a->unpacking;
    b->stored_at = b->stored_to = stored_used(u);
    b->whole_to = u->whole_to;
    b->len = 0;
    while (b->len < BLOCK_SIZE) {
        int rc = read_stored(a, fault);
        if (rc)
            return rc;
        bool moved;
        rc = step_block(a, b, &moved, fault);
        if (rc)
            return rc;
        bool is_left = u->input_at < u->input_len;
        if (u->stored_end && !is_left && !moved) {
            if (a->codec && !a->codec->complete(u->codec_state))
                return fault_set(fault, EBADMSG, "the %s stream is cut short", a->codec->name);
            return 1;
        }
        if (!moved && is_left)
            return fault_set(fault, EBADMSG, "what follows the %s stream is foreign",
                             a->codec->name);
    }
    return 0;
}

static void *unpack(void *argument)
{
    struct archive *a = argument;
    struct unpacking *u = &a->unpacking;
    int rc = a->is_stream ? tell_stream(a, &u->fault) : 0;
    if (!rc && a->codec && !(u->codec_state = a->codec->create(&u->fault)))
        rc = -ENOMEM;
    while (!rc) {
        bool no_memory;
        struct block *b = block_queue_take(u->queue, &no_memory);
        if (!b && no_memory)
            fault_set(&u->fault, ENOMEM, "no memory for a block of its data");
        if (!b)
            break;
        rc = fill_block(a, b, &u->fault);
        block_queue_put(u->queue, b);
    }
    block_queue_finish(u->queue);
    return NULL;
}

/* Opening. */

static int start_thread(struct archive *a, struct fault *fault)
{
    struct unpacking *u = &a->unpacking;
    u->queue = block_queue_create();
    u->input = malloc(INPUT_SIZE);
    if (!u->queue || !u->input)
        return fault_set(fault, ENOMEM, "no memory to open it");
    if (a->is_stream && (u->wake = eventfd(0, EFD_CLOEXEC)) < 0)
        return fault_set(fault, errno, "no event descriptor: %s", strerror(errno));
    int rc = pthread_create(&u->thread, NULL, unpack, a);
    if (rc)
        return fault_set(fault, rc, "no thread to read it: %s", strerror(rc));
    u->started = true;
    return 0;
}

static int open_path(struct archive *a, const char *path, struct fault *fault)
{
    a->owns_fd = strcmp(path, "-") != 0;
    a->fd = a->owns_fd ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    struct stat st;
    if (a->fd < 0 || fstat(a->fd, &st) < 0)
        return fault_set(fault, errno, "can't be opened: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return fault_set(fault, EISDIR, "is a folder");
    a->is_stream = !S_ISREG(st.st_mode);
    if (a->is_stream)
        return start_thread(a, fault);

    uint8_t magic[ARCHIVE_MAGIC_MAX];
    off_t begin = lseek(a->fd, 0, SEEK_CUR); /* a redirected stdin may stand anywhere */
    ssize_t n = pread(a->fd, magic, sizeof magic, begin);
    if (n < 0)
        return fault_set(fault, errno, "can't be read: %s", strerror(errno));
    a->codec = find_codec(magic, (size_t)n);
    a->stored_read = a->unpacking.stored = (uint64_t)begin;
    posix_fadvise(a->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (a->codec)
        return start_thread(a, fault);
    posix_fadvise(a->fd, begin, PREFETCH, POSIX_FADV_WILLNEED);
    return 0;
}

int archive_open(struct archive **out, const char *path, struct fault *fault)
{
    *out = NULL;
    struct archive *a = calloc(1, sizeof *a);
    if (!a)
        return fault_set(fault, ENOMEM, "no memory to open it");
    a->fd = -1;
    a->unpacking.wake = -1;
    a->span = (const uint8_t *)"";
    int rc = open_path(a, path, fault);
    if (rc) {
        archive_close(a);
        return rc;
    }
    *out = a;
    return 0;
}

/* Reading. */

static int grow_joined(struct archive *a, size_t size)
{
    if (size <= a->joined_size)
        return 0;
    size_t doubled = a->joined_size * 2 > size ? a->joined_size * 2 : size;
    uint8_t *bytes = realloc(a->joined, doubled);
    if (!bytes)
        return -ENOMEM;
    a->joined = bytes;
    a->joined_size = doubled;
    return 0;
}

/* Puts a tail that no headroom holds at the beginning of `joined`, where what follows will be
 * put behind it. */
static int hold_tail(struct archive *a, size_t keep, struct fault *fault)
{
    const uint8_t *tail = a->span + a->span_len - keep;
    bool in_joined = a->joined && tail >= a->joined && tail < a->joined + a->joined_size;
    size_t from = in_joined ? (size_t)(tail - a->joined) : 0;
    if (grow_joined(a, keep + BLOCK_SIZE))
        return fault_set(fault, ENOMEM, "no memory for a record of more than %zu bytes", keep);
    if (!in_joined)
        memcpy(a->joined, tail, keep);
    else if (from)
        memmove(a->joined, a->joined + from, keep);
    a->span = a->joined;
    a->span_len = keep;
    return 0;
}

/* Gets the next block and puts the tail before it; NULL at the end or after damage. */
static struct block *next_block_plain(struct archive *a, size_t headroom_keep, struct fault *fault,
                                      int *rc)
{
    if (!a->block && !(a->block = block_create())) {
        *rc = fault_set(fault, ENOMEM, "no memory for a block of its data");
        return NULL;
    }
    struct block *b = a->block;
    if (headroom_keep) {
        memmove(b->bytes - headroom_keep, a->span + a->span_len - headroom_keep, headroom_keep);
        a->span = b->bytes - headroom_keep;
        a->span_len = headroom_keep;
    }
    ssize_t n = read_whole(a->fd, b->bytes, PLAIN_SIZE);
    if (n < 0)
        *rc = fault_set(fault, (int)-n, "can't be read on: %s", strerror((int)-n));
    if (n <= 0)
        return NULL;
    b->len = (size_t)n;
    b->stored_at = a->stored_read;
    a->stored_read += (uint64_t)n;
    return b;
}

static struct block *next_block_queue(struct archive *a, size_t headroom_keep, struct fault *fault,
                                      int *rc)
{
    struct unpacking *u = &a->unpacking;
    struct block *b;
    while ((b = block_queue_next(u->queue)) && !b->len)
        block_queue_return(u->queue, b);
    if (!b) {
        if (u->fault.err)
            *rc = fault_set(fault, u->fault.err, "%s", u->fault.text);
        return NULL;
    }
    if (headroom_keep) {
        memcpy(b->bytes - headroom_keep, a->span + a->span_len - headroom_keep, headroom_keep);
        a->span = b->bytes - headroom_keep;
        a->span_len = headroom_keep;
    }
    block_queue_return(u->queue, a->block);
    a->block = b;
    return b;
}

/* The span is a block's bytes, perhaps behind a tail of those before. */
static void range_block(struct archive *a, const struct block *b, uint64_t before_from, size_t keep,
                        size_t before_len)
{
    if (keep == 0)
        a->range_from = b->whole_to;
    else if (keep <= before_len)
        a->range_from = before_from;
    a->range_to = b->stored_to;
}

/* The fill failed. What was not read to its end is wrong there and nowhere else. */
static void range_failure(struct archive *a)
{
    const struct unpacking *u = &a->unpacking;
    a->stored_at = u->queue ? stored_used(u) : a->stored_read;
    a->range_to = a->stored_at;
    a->is_corrupt = u->queue && u->is_corrupt;
    a->range_from = a->is_corrupt ? u->whole_to : a->range_to;
}

int64_t archive_fill(struct archive *a, const uint8_t **data, size_t keep, struct fault *fault)
{
    bool fits = keep <= BLOCK_HEADROOM;
    int rc = fits ? 0 : hold_tail(a, keep, fault);
    size_t before_len = a->block ? a->block->len : 0;
    uint64_t before_from = a->block ? a->block->whole_to : 0;
    struct block *b = NULL;
    if (!rc)
        b = a->unpacking.queue ? next_block_queue(a, fits ? keep : 0, fault, &rc)
                               : next_block_plain(a, fits ? keep : 0, fault, &rc);
    if (b) {
        a->stored_at = b->stored_at;
        range_block(a, b, before_from, keep, before_len);
        if (!fits)
            memcpy(a->joined + keep, b->bytes, b->len);
        a->span = fits ? b->bytes - keep : a->joined;
        a->span_len = keep + b->len;
    } else {
        if (rc)
            range_failure(a);
        a->span += a->span_len - keep;
        a->span_len = keep;
    }
    *data = a->span;
    return rc ? rc : (int64_t)a->span_len;
}

const char *archive_format(const struct archive *a) { return a->codec ? a->codec->name : "plain"; }

bool archive_unpacks(const struct archive *a) { return a->unpacking.started; }

uint64_t archive_stored_at(const struct archive *a) { return a->stored_at; }

void archive_stored_range(const struct archive *a, uint64_t *from, uint64_t *to)
{
    *from = a->range_from;
    *to = a->range_to;
}

bool archive_is_corrupt(const struct archive *a) { return a->is_corrupt; }

void archive_close(struct archive *a)
{
    if (!a)
        return;
    struct unpacking *u = &a->unpacking;
    if (u->started) {
        block_queue_stop(u->queue);
        if (u->wake >= 0)
            eventfd_write(u->wake, 1);
        pthread_join(u->thread, NULL);
    }
    if (a->codec && u->codec_state)
        a->codec->destroy(u->codec_state);
    if (u->wake >= 0)
        close(u->wake);
    block_destroy(a->block);
    block_queue_destroy(u->queue);
    free(u->input);
    free(a->joined);
    if (a->owns_fd && a->fd >= 0)
        close(a->fd);
    free(a);
}
