#include "core/day_part_merge.h"

#include "export/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct merge_place {
    unsigned __int128 number;
    uint32_t version, reader;
};

static inline bool is_before(const struct merge_place *a, const struct merge_place *b)
{
    return a->version != b->version ? a->version < b->version : a->number < b->number;
}

static inline bool is_same(const struct merge_place *a, const struct merge_place *b)
{
    return a->version == b->version && a->number == b->number;
}

static inline struct merge_place place_of(const struct day_part_merge *m, uint32_t reader)
{
    return (struct merge_place){m->readers[reader].number, m->readers[reader].version, reader};
}

/* The heap holds but for place i, where `moved` is to go. */
static void heap_sink(struct day_part_merge *m, uint32_t i, struct merge_place moved)
{
    struct merge_place *heap = m->heap;
    for (uint32_t child; (child = 2 * i + 1) < m->left; i = child) {
        if (child + 1 < m->left)
            child += is_before(&heap[child + 1], &heap[child]);
        if (!is_before(&heap[child], &moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* The first one's reader goes on. */
static int heap_turn(struct day_part_merge *m, struct fault *fault)
{
    uint32_t reader = m->heap[0].reader;
    int has = day_part_reader_next(&m->readers[reader], fault);
    if (has < 0) {
        m->failed = reader;
        return has;
    }
    struct merge_place moved = has ? place_of(m, reader) : m->heap[--m->left];
    if (m->left > 0)
        heap_sink(m, 0, moved);
    return 0;
}

int day_part_merge_begin(struct day_part_merge *m, struct day_part_reader *readers, uint32_t count,
                         struct fault *fault)
{
    *m = (struct day_part_merge){.readers = readers};
    m->heap = calloc(count + 1, sizeof *m->heap);
    if (!m->heap)
        return fault_set(fault, ENOMEM, "no memory to merge %u runs", count);
    for (uint32_t i = 0; i < count; i++) {
        int has = day_part_reader_next(&readers[i], fault);
        m->failed = i;
        if (has < 0)
            return has;
        if (has > 0)
            m->heap[m->left++] = place_of(m, i);
    }
    for (uint32_t i = m->left; i-- > 0;)
        heap_sink(m, i, m->heap[i]);
    return 0;
}

void day_part_merge_end(struct day_part_merge *m)
{
    free(m->heap);
    source_day_buffer_free(&m->whole);
    source_day_buffer_free(&m->other);
    m->heap = NULL;
}

/* The first one's source day. */
static int head_unpack(struct day_part_merge *m, struct source_day_buffer *to, struct fault *fault)
{
    m->failed = m->heap[0].reader;
    return day_part_reader_unpack(&m->readers[m->heap[0].reader], to, fault);
}

static int merge_fault(const struct day_part_merge *m, int err, struct fault *fault)
{
    return fault_set(fault, -err, "%.180s: merging a source day: %s", m->readers[m->failed].path,
                     strerror(-err));
}

/* The first one's source is that of others, too. */
static int heads_merge(struct day_part_merge *m, struct fault *fault)
{
    struct merge_place first = m->heap[0];
    int err = head_unpack(m, &m->whole, fault);
    if (err == 0)
        err = heap_turn(m, fault);
    while (err == 0 && m->left > 0 && is_same(&first, &m->heap[0])) {
        err = head_unpack(m, &m->other, fault);
        if (err < 0)
            break;
        err = source_day_merge(&m->whole, &m->other.day);
        if (err < 0)
            return merge_fault(m, err, fault);
        err = heap_turn(m, fault);
    }
    return err;
}

int day_part_merge_next(struct day_part_merge *m, const struct day_part_reader **one,
                        struct fault *fault)
{
    int err = m->is_head_taken ? heap_turn(m, fault) : 0;
    m->is_head_taken = false;
    if (err < 0)
        return err;
    if (m->left == 0)
        return DAY_PART_END;
    const struct merge_place *heap = m->heap;
    bool is_split = (m->left > 1 && is_same(&heap[0], &heap[1])) ||
                    (m->left > 2 && is_same(&heap[0], &heap[2]));
    if (!is_split) {
        *one = &m->readers[heap[0].reader];
        m->failed = heap[0].reader;
        m->is_head_taken = true;
        return DAY_PART_ONE;
    }
    err = heads_merge(m, fault);
    return err < 0 ? err : DAY_PART_MERGED;
}

int day_part_merge_take(struct day_part_merge *m, int (*take)(void *context, struct source_day *d),
                        void *context, struct fault *fault)
{
    const struct day_part_reader *one;
    for (;;) {
        int what = day_part_merge_next(m, &one, fault);
        if (what <= 0)
            return what;
        int err = what == DAY_PART_ONE ? day_part_reader_unpack(one, &m->whole, fault) : 0;
        if (err == 0)
            err = take(context, &m->whole.day);
        if (err < 0)
            return err;
    }
}

int day_part_merge_write(struct day_part_merge *m, struct day_part_writer *w,
                         const atomic_bool *is_cancelled, struct fault *fault)
{
    enum { LOOK = 256 }; /* sources */
    const struct day_part_reader *one;
    struct record_buffer packed = {0};
    int err = 0, what = 0;
    for (uint64_t i = 0; err == 0; i++) {
        if (is_cancelled && i % LOOK == 0 &&
            atomic_load_explicit((atomic_bool *)is_cancelled, memory_order_relaxed)) {
            err = -ECANCELED;
            break;
        }
        what = day_part_merge_next(m, &one, fault);
        if (what <= 0)
            break;
        if (what == DAY_PART_ONE) {
            err = day_part_append(w, one->record, one->record_len, fault);
            continue;
        }
        uint32_t crc = 0;
        packed.len = 0;
        err = record_pack_source_day(&packed, 1, &crc, &m->whole.day);
        if (err < 0)
            err = merge_fault(m, err, fault);
        else
            err = day_part_append(w, packed.data, packed.len, fault);
    }
    record_buffer_free(&packed);
    return err < 0 ? err : what;
}
