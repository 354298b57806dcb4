#include "core/day_runs.h"

#include "core/memory.h"
#include "export/record.h"
#include "export/source_key.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_MAX = 256 << 20 }; /* bytes of runs in memory */

struct run {
    uint8_t *bytes; /* NULL: in the file, from `at` on */
    size_t len, at;
    uint32_t before; /* number of the shard's run before it + 1; 0: there is none */
};

struct run_date {
    int32_t date;
    uint32_t last[SHARDS]; /* number of a shard's last run + 1; 0: it has none */
};

struct day_runs {
    const char *dir;
    pthread_mutex_t lock;
    struct run *runs;
    uint32_t count, room;
    struct run_date **dates; /* sorted */
    uint32_t date_count;
    size_t in_memory, in_file;
    int fd; /* -1: none yet */
};

struct day_runs *day_runs_create(const char *dir)
{
    struct day_runs *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->dir = dir;
    r->fd = -1;
    (void)pthread_mutex_init(&r->lock, NULL);
    return r;
}

void day_runs_destroy(struct day_runs *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->count; i++)
        free(r->runs[i].bytes);
    for (uint32_t i = 0; i < r->date_count; i++)
        free(r->dates[i]);
    if (r->fd >= 0)
        (void)close(r->fd);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->runs);
    free(r->dates);
    free(r);
}

/* Where a date stands or would stand. */
static uint32_t date_place(const struct day_runs *r, int32_t date)
{
    uint32_t from = 0, to = r->date_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (r->dates[middle]->date < date)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* NULL: it has no runs. */
static struct run_date *date_find(const struct day_runs *r, int32_t date)
{
    uint32_t at = date_place(r, date);
    return at < r->date_count && r->dates[at]->date == date ? r->dates[at] : NULL;
}

static struct run_date *date_make(struct day_runs *r, int32_t date)
{
    struct run_date *found = date_find(r, date);
    if (found)
        return found;
    uint32_t at = date_place(r, date);
    r->dates = memory_must(realloc(r->dates, (r->date_count + 1) * sizeof(struct run_date *)));
    memmove(&r->dates[at + 1], &r->dates[at], (r->date_count - at) * sizeof(struct run_date *));
    r->date_count++;
    r->dates[at] = memory_must(calloc(1, sizeof(struct run_date)));
    r->dates[at]->date = date;
    return r->dates[at];
}

static int file_write(struct day_runs *r, const struct run *run, struct fault *fault)
{
    if (r->fd < 0)
        r->fd = open(r->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (r->fd < 0)
        return fault_set(fault, errno, "%s: a file for source days: %s", r->dir, strerror(errno));
    for (size_t done = 0; done < run->len;) {
        ssize_t n = pwrite(r->fd, run->bytes + done, run->len - done, (off_t)(r->in_file + done));
        if (n < 0 && errno != EINTR)
            return fault_set(fault, errno, "%s: writing source days: %s", r->dir, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Puts a run where it stays; its bytes are taken over. */
static int run_keep(struct day_runs *r, struct run *run, struct fault *fault)
{
    if (r->in_memory + run->len <= MEMORY_MAX) {
        r->in_memory += run->len;
        return 0;
    }
    int err = file_write(r, run, fault);
    run->at = r->in_file;
    r->in_file += err == 0 ? run->len : 0;
    free(run->bytes);
    run->bytes = NULL;
    return err;
}

int day_runs_add(struct day_runs *r, int32_t date, unsigned shard, uint8_t *bytes, size_t len,
                 struct fault *fault)
{
    (void)pthread_mutex_lock(&r->lock);
    struct run run = {.bytes = bytes, .len = len};
    int err = run_keep(r, &run, fault);
    if (err == 0) {
        uint32_t *last = &date_make(r, date)->last[shard];
        if (r->count == r->room) {
            r->room = r->room ? r->room * 2 : SHARDS;
            r->runs = memory_must(realloc(r->runs, r->room * sizeof *r->runs));
        }
        run.before = *last;
        r->runs[r->count++] = run;
        *last = r->count;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return err;
}

bool day_runs_has(struct day_runs *r, int32_t date, unsigned shard)
{
    (void)pthread_mutex_lock(&r->lock);
    const struct run_date *found = date_find(r, date);
    bool has = found && found->last[shard] > 0;
    (void)pthread_mutex_unlock(&r->lock);
    return has;
}

/* ---- merging ---- */

/* Where the next source of a run stands, and by what it is told: IP version, the address's two halves. */
struct run_cursor {
    const uint8_t *at, *end;
    const uint8_t *body;
    size_t body_len;
    uint64_t high, low;
    uint8_t ip_version;
};

struct day_merge {
    struct run_cursor *cursors;
    uint32_t *heap; /* numbers of cursors, that with the least next one first */
    uint32_t count, left;
    struct source_day_buffer part; /* of a source that several runs have */
    uint8_t *file;                 /* mapped; NULL: there is none */
    size_t file_len;
};

static uint64_t half_of(const uint8_t *address)
{
    uint64_t half;
    memcpy(&half, address, sizeof half);
    return be64toh(half);
}

/* Goes to the next one; false: there is none. These bytes are our own. */
static bool cursor_next(struct run_cursor *c)
{
    uint8_t key[SOURCE_KEY];
    uint64_t len = 0;
    struct record_view view;
    if (c->at == c->end)
        return false;
    for (unsigned shift = 0;; shift += 7) {
        len |= (uint64_t)(*c->at & 0x7f) << shift;
        if (!(*c->at++ & 0x80))
            break;
    }
    bool is_sound =
        record_view(&view, c->at, len) == 0 && source_key_parse(view.body, view.body_len, key);
    assert(is_sound);
    c->body = view.body;
    c->body_len = view.body_len;
    c->ip_version = key[0];
    c->high = half_of(key + 1);
    c->low = half_of(key + 9);
    c->at += len;
    return true;
}

static bool is_before(const struct day_merge *m, uint32_t a, uint32_t b)
{
    const struct run_cursor *x = &m->cursors[a], *y = &m->cursors[b];
    if (x->ip_version != y->ip_version)
        return x->ip_version < y->ip_version;
    return x->high != y->high ? x->high < y->high : x->low < y->low;
}

/* The heap holds but for place i. */
static void heap_sink(struct day_merge *m, uint32_t i)
{
    uint32_t moved = m->heap[i];
    for (uint32_t child; (child = 2 * i + 1) < m->left; i = child) {
        if (child + 1 < m->left && is_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!is_before(m, m->heap[child], moved))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = moved;
}

static void heap_turn(struct day_merge *m)
{
    if (!cursor_next(&m->cursors[m->heap[0]]))
        m->heap[0] = m->heap[--m->left];
    if (m->left > 0)
        heap_sink(m, 0);
}

/* A shard's runs become cursors. */
static void cursors_add(struct day_merge *m, const struct day_runs *r, uint32_t last,
                        uint32_t *room)
{
    for (uint32_t number = last; number > 0; number = r->runs[number - 1].before) {
        const struct run *run = &r->runs[number - 1];
        if (m->count == *room) {
            *room = *room ? *room * 2 : SHARDS;
            m->cursors = memory_must(realloc(m->cursors, *room * sizeof *m->cursors));
        }
        const uint8_t *at = run->bytes ? run->bytes : m->file + run->at;
        m->cursors[m->count++] = (struct run_cursor){.at = at, .end = at + run->len};
    }
}

/* The file as it is now; what is added later lies behind it. */
static int file_map(struct day_merge *m, const struct day_runs *r, struct fault *fault)
{
    if (r->in_file == 0)
        return 0;
    m->file_len = r->in_file;
    m->file = mmap(NULL, m->file_len, PROT_READ, MAP_SHARED, r->fd, 0);
    if (m->file != MAP_FAILED)
        return 0;
    m->file = NULL;
    return fault_set(fault, errno, "%s: reading source days: %s", r->dir, strerror(errno));
}

int day_merge_begin(struct day_merge **out, struct day_runs *r, int32_t date, unsigned shard,
                    struct fault *fault)
{
    struct day_merge *m = *out = memory_must(calloc(1, sizeof *m));
    uint32_t room = 0;
    (void)pthread_mutex_lock(&r->lock);
    int err = file_map(m, r, fault);
    const struct run_date *found = date_find(r, date);
    for (unsigned i = 0; i < SHARDS && found && err == 0; i++)
        if (shard == SHARDS || shard == i)
            cursors_add(m, r, found->last[i], &room);
    (void)pthread_mutex_unlock(&r->lock);
    m->heap = memory_must(calloc(m->count + 1, sizeof *m->heap));
    for (uint32_t i = 0; i < m->count; i++)
        if (cursor_next(&m->cursors[i]))
            m->heap[m->left++] = i;
    for (uint32_t i = m->left; i-- > 0;)
        heap_sink(m, i);
    return err;
}

void day_merge_end(struct day_merge *m)
{
    if (!m)
        return;
    source_day_buffer_free(&m->part);
    if (m->file)
        (void)munmap(m->file, m->file_len);
    free(m->cursors);
    free(m->heap);
    free(m);
}

/* Takes what the least cursor has. */
static void head_unpack(struct day_merge *m, struct source_day_buffer *to)
{
    const struct run_cursor *c = &m->cursors[m->heap[0]];
    struct fault fault;
    int err = record_unpack_source_day(to, c->body, c->body_len, &fault);
    if (err == -ENOMEM)
        memory_ended();
    assert(err == 0);
}

bool day_merge_next(struct day_merge *m, struct day_merged *to)
{
    if (m->left == 0)
        return false;
    const struct run_cursor *c = &m->cursors[m->heap[0]];
    const struct run_cursor first = *c;
    head_unpack(m, &to->whole);
    to->body = c->body;
    to->body_len = c->body_len;
    for (heap_turn(m); m->left > 0; heap_turn(m)) {
        c = &m->cursors[m->heap[0]];
        if (c->ip_version != first.ip_version || c->high != first.high || c->low != first.low)
            break;
        head_unpack(m, &m->part);
        if (source_day_merge(&to->whole, &m->part.day) < 0)
            memory_ended();
        to->body = NULL;
        to->body_len = 0;
    }
    return true;
}
