/* saturate: sums that stay at their end instead of wrapping around.
 *
 * Whatever the order and grouping, the sum is the same: what merges stays mergeable.
 */
#ifndef EXPORT_SATURATE_H
#define EXPORT_SATURATE_H

#include <stdint.h>

static inline void saturate_add(uint64_t *sum, uint64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum))
        *sum = UINT64_MAX;
}

#endif
