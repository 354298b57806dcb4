#include "export/source_sorter.h"

#include "export/record_bytes.h"
#include "export/source_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_BYTES = 64 << 10, LENGTH_MAX = 5 };

struct entry {
    uint8_t key[SOURCE_KEY];
    size_t at; /* of its record in the buffer */
};

/* Records in order: those in memory, or a part of the file. */
struct run {
    uint8_t key[SOURCE_KEY]; /* of the record at hand */
    uint64_t at, end;        /* in the file: what was not read yet */
    uint8_t *bytes;
    size_t size, used, len; /* of bytes; of the record at hand: `used` to `used + record` */
    size_t record;
};

struct source_sorter {
    const char *dir;
    size_t memory;
    struct record_buffer buffer;
    struct entry *entries;
    size_t count, size, given; /* given: of those in memory */
    bool is_sorted;
    int fd; /* -1: none */
    uint64_t file_size;
    struct run *runs;
    size_t run_count, run_size;
    size_t *heap;
    size_t heap_count;
};

struct source_sorter *source_sorter_create(size_t memory, const char *dir)
{
    struct source_sorter *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->dir = dir;
        s->memory = memory;
        s->fd = -1;
    }
    return s;
}

static void runs_drop(struct source_sorter *s)
{
    for (size_t i = 0; i < s->run_count; i++)
        free(s->runs[i].bytes);
    s->run_count = s->heap_count = 0;
    s->file_size = 0;
}

void source_sorter_destroy(struct source_sorter *s)
{
    if (s == NULL)
        return;
    runs_drop(s);
    if (s->fd >= 0)
        close(s->fd);
    record_buffer_free(&s->buffer);
    free(s->entries);
    free(s->runs);
    free(s->heap);
    free(s);
}

static int no_memory(struct fault *fault)
{
    return fault_set(fault, ENOMEM, "no memory to sort source days");
}

static int entry_order(const void *a, const void *b)
{
    return memcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key, SOURCE_KEY);
}

static void entries_sort(struct source_sorter *s)
{
    if (s->count > 0)
        qsort(s->entries, s->count, sizeof *s->entries, entry_order);
    s->is_sorted = true;
}

/* Bytes of the record that begins there, its length with them; 0: there is not all of it. */
static size_t record_size(const uint8_t *at, size_t left)
{
    const uint8_t *begin = at, *end = at + left;
    uint64_t len;
    if (!varint_get(&at, end, &len) || len > (uint64_t)(end - at))
        return 0;
    return (size_t)(at - begin) + (size_t)len;
}

/* ---- runs ---- */

/* A file that ends with us. */
static int file_open(struct source_sorter *s, struct fault *fault)
{
    char path[4096];
    if (s->fd >= 0)
        return 0;
    s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd >= 0)
        return 0;
    if (snprintf(path, sizeof path, "%s/.sorting.XXXXXX", s->dir) < (int)sizeof path)
        s->fd = mkostemp(path, O_CLOEXEC);
    if (s->fd < 0)
        return fault_set(fault, errno, "%.200s: %s", s->dir, strerror(errno));
    unlink(path);
    return 0;
}

static int file_write(struct source_sorter *s, const uint8_t *bytes, size_t len,
                      struct fault *fault)
{
    while (len > 0) {
        ssize_t put = pwrite(s->fd, bytes, len, (off_t)s->file_size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return fault_set(fault, put < 0 ? errno : EIO, "%.200s: while sorting: %s", s->dir,
                             strerror(put < 0 ? errno : EIO));
        bytes += put;
        len -= (size_t)put;
        s->file_size += (uint64_t)put;
    }
    return 0;
}

/* What is in memory becomes a run of the file. */
static int spill(struct source_sorter *s, struct fault *fault)
{
    struct record_buffer out = {0};
    int err = file_open(s, fault);
    if (err == 0 && s->run_count == s->run_size) {
        size_t size = s->run_size == 0 ? 16 : s->run_size * 2;
        struct run *runs = realloc(s->runs, size * sizeof *runs);
        size_t *heap = realloc(s->heap, size * sizeof *heap);
        s->runs = runs == NULL ? s->runs : runs;
        s->heap = heap == NULL ? s->heap : heap;
        if (runs == NULL || heap == NULL)
            return no_memory(fault);
        s->run_size = size;
    }
    entries_sort(s);
    struct run run = {.at = s->file_size};
    for (size_t i = 0; err == 0 && i < s->count; i++) {
        const uint8_t *at = s->buffer.data + s->entries[i].at;
        size_t len = record_size(at, s->buffer.len - s->entries[i].at);
        if (record_reserve(&out, len) != 0) {
            err = no_memory(fault);
            break;
        }
        memcpy(out.data + out.len, at, len);
        out.len += len;
        if (out.len >= 1 << 20 || i + 1 == s->count) {
            err = file_write(s, out.data, out.len, fault);
            out.len = 0;
        }
    }
    record_buffer_free(&out);
    run.end = s->file_size;
    if (err == 0)
        s->runs[s->run_count++] = run;
    s->count = s->buffer.len = 0;
    s->is_sorted = false;
    return err;
}

int source_sorter_add(struct source_sorter *s, const struct source_day *day, struct fault *fault)
{
    uint32_t crc = 0;
    if (s->buffer.len + s->count * sizeof *s->entries >= s->memory && s->count > 0) {
        int err = spill(s, fault);
        if (err != 0)
            return err;
    }
    if (s->count == s->size) {
        size_t size = s->size == 0 ? 1024 : s->size * 2;
        struct entry *grown = realloc(s->entries, size * sizeof *grown);
        if (grown == NULL)
            return no_memory(fault);
        s->entries = grown;
        s->size = size;
    }
    struct entry *e = &s->entries[s->count];
    *e = (struct entry){.key = {day->ip_version}, .at = s->buffer.len};
    memcpy(e->key + 1, day->address, SOURCE_KEY - 1);
    if (record_pack_source_day(&s->buffer, 1, &crc, day) != 0)
        return no_memory(fault);
    s->count++;
    return 0;
}

/* ---- in order ---- */

static int record_unpack(const uint8_t *at, size_t len, struct source_day_buffer *day,
                         struct fault *fault)
{
    const uint8_t *record = at, *end = at + len;
    struct record_view view;
    uint64_t size;
    if (!varint_get(&record, end, &size) || record_view(&view, record, (size_t)size) != 0 ||
        record_crc(0, record, view.crc_over) != view.crc)
        return fault_set(fault, EIO, "source days that were sorted came back damaged");
    int err = record_unpack_source_day(day, view.body, view.body_len, fault);
    return err == 0 ? 1 : err;
}

/* The run's next record, and its key: 1; 0: it has ended. */
static int run_next(struct source_sorter *s, struct run *r, struct fault *fault)
{
    r->used += r->record;
    for (;;) {
        r->record = r->len == r->used ? 0 : record_size(r->bytes + r->used, r->len - r->used);
        if (r->record > 0)
            break;
        if (r->at == r->end && r->used == r->len)
            return 0;
        if (r->used > 0)
            memmove(r->bytes, r->bytes + r->used, r->len - r->used);
        r->len -= r->used;
        r->used = 0;
        if (r->len == r->size) {
            size_t size = r->size == 0 ? RUN_BYTES : r->size * 2;
            uint8_t *grown = realloc(r->bytes, size);
            if (grown == NULL)
                return no_memory(fault);
            r->bytes = grown;
            r->size = size;
        }
        size_t more = r->size - r->len;
        more = r->end - r->at < more ? (size_t)(r->end - r->at) : more;
        ssize_t got = pread(s->fd, r->bytes + r->len, more, (off_t)r->at);
        if (got <= 0 && errno != EINTR)
            return fault_set(fault, EIO, "%.200s: while sorting: %s", s->dir, strerror(EIO));
        r->len += got > 0 ? (size_t)got : 0;
        r->at += got > 0 ? (uint64_t)got : 0;
    }
    struct record_view view;
    const uint8_t *record = r->bytes + r->used, *end = record + r->record;
    uint64_t size;
    if (!varint_get(&record, end, &size) || record_view(&view, record, (size_t)size) != 0 ||
        !source_key_parse(view.body, view.body_len, r->key))
        return fault_set(fault, EIO, "source days that were sorted came back damaged");
    return 1;
}

static bool is_less(const struct source_sorter *s, size_t a, size_t b)
{
    return memcmp(s->runs[a].key, s->runs[b].key, SOURCE_KEY) < 0;
}

static void heap_down(struct source_sorter *s, size_t at)
{
    for (size_t least; (least = 2 * at + 1) < s->heap_count; at = least) {
        if (least + 1 < s->heap_count && is_less(s, s->heap[least + 1], s->heap[least]))
            least++;
        if (is_less(s, s->heap[at], s->heap[least]))
            return;
        size_t moved = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = moved;
    }
}

/* Nothing more is added: all is sorted, the runs are at their first records. */
static int order_begin(struct source_sorter *s, struct fault *fault)
{
    int found = s->run_count > 0 && s->count > 0 ? spill(s, fault) : 0;
    entries_sort(s);
    s->given = 0;
    for (size_t i = 0; found >= 0 && i < s->run_count; i++) {
        found = run_next(s, &s->runs[i], fault);
        if (found > 0)
            s->heap[s->heap_count++] = i;
    }
    for (size_t i = s->heap_count / 2; i-- > 0;)
        heap_down(s, i);
    return found < 0 ? found : 0;
}

int source_sorter_next(struct source_sorter *s, struct source_day_buffer *day, struct fault *fault)
{
    int found = s->is_sorted ? 0 : order_begin(s, fault);
    if (found < 0)
        return found;
    if (s->given < s->count) {
        size_t at = s->entries[s->given++].at;
        return record_unpack(s->buffer.data + at,
                             record_size(s->buffer.data + at, s->buffer.len - at), day, fault);
    }
    if (s->heap_count > 0) {
        struct run *r = &s->runs[s->heap[0]];
        found = record_unpack(r->bytes + r->used, r->record, day, fault);
        if (found <= 0)
            return found;
        found = run_next(s, r, fault);
        if (found < 0)
            return found;
        if (found == 0)
            s->heap[0] = s->heap[--s->heap_count];
        heap_down(s, 0);
        return 1;
    }
    runs_drop(s);
    s->count = s->given = s->buffer.len = 0;
    s->is_sorted = false;
    return 0;
}
