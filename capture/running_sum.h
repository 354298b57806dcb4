/* running_sum: the sum behind a counter that may begin anew.
 *
 * A device's counters start at 0 with the driver; what a sensor lost in a year does not. No allocation, one
 * thread.
 */
#ifndef CAPTURE_RUNNING_SUM_H
#define CAPTURE_RUNNING_SUM_H

#include <stdint.h>

struct running_sum {
    uint64_t sum;
    uint64_t last; /* what the counter read last */
};

/* The counter reads `value`. One of 64 bits does not wrap: if it is smaller it has begun anew. */
static inline void running_sum_add(struct running_sum *s, uint64_t value)
{
    s->sum += value >= s->last ? value - s->last : value;
    s->last = value;
}

/* Another counter, or the same one anew, reads `value`: what it says from there on is added. */
static inline void running_sum_restart(struct running_sum *s, uint64_t value) { s->last = value; }

#endif
