/* day_part_merge: many runs of one date as one, in the order of source_day_order().
 *
 * A heap of the runs' next addresses. What one run alone has is handed out as the bytes it was; only what several
 * have is unpacked and merged. One thread; memory: a source day or two.
 */
#ifndef CORE_DAY_PART_MERGE_H
#define CORE_DAY_PART_MERGE_H

#include "core/day_part.h"

#include <stdatomic.h>

struct merge_place; /* in the heap */

struct day_part_merge {
    struct day_part_reader *readers;
    struct merge_place *heap; /* that with the least address first */
    uint32_t left;            /* in the heap */
    uint32_t failed;          /* the reader that a fault is of */
    bool is_head_taken;       /* the first one's record was handed out */
    struct source_day_buffer whole, other;
};

/* `readers` at their begin; the caller's, and to be finished by it. 0, or -errno and a fault. End it in any case. */
int day_part_merge_begin(struct day_part_merge *m, struct day_part_reader *readers, uint32_t count,
                         struct fault *fault);
void day_part_merge_end(struct day_part_merge *m);

enum day_part_next {
    DAY_PART_END = 0,
    DAY_PART_ONE,    /* *one has it as it is */
    DAY_PART_MERGED, /* m->whole.day is it */
};

/* The next source; valid until the next call. An enum day_part_next, or -errno and a fault. */
int day_part_merge_next(struct day_part_merge *m, const struct day_part_reader **one,
                        struct fault *fault);

/* All that is left as source days. `take` may change what it gets; what it returns below 0 ends the reading. */
int day_part_merge_take(struct day_part_merge *m, int (*take)(void *context, struct source_day *d),
                        void *context, struct fault *fault);

/* All that is left into a file. `is_cancelled` (may be NULL) is looked at now and then: -ECANCELED. */
int day_part_merge_write(struct day_part_merge *m, struct day_part_writer *w,
                         const atomic_bool *is_cancelled, struct fault *fault);

#endif
