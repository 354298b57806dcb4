/* distinct: how many different numbers came; exact while they are few, an estimate beyond.
 *
 * Adaptive sampling (Wegman; Flajolet, On Adaptive Sampling, Computing 1990): a table keeps the numbers themselves; when it holds
 * DISTINCT_MOST, only those whose lowest bit is 0 are kept from then on, and so on; the estimate is what is kept times 2 for each
 * bit. Numbers must be mixed by a bijection (distinct_mix), so that each half is a random half. The standard error is
 * 1.2 / sqrt(kept): 5 to 7 %. Depends on nothing but the set of numbers: not on their order, nor on how often they came.
 *
 * What need not be looked at is told by one mask, which the caller keeps in a line that it has at hand. It is made of addresses of the
 * telescope and never leaves the process but into its own state. One thread; ends the program where memory ends.
 */
#ifndef CORE_DISTINCT_H
#define CORE_DISTINCT_H

#include "core/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { DISTINCT_MOST = 512, DISTINCT_LINE = 16 /* numbers: a cache line */ };

/* Begins as all zero. A table is lines, each filled from its begin on; what has no room in its line is in the next one with room. One line
 * may be full, more are 3/4 full at most. */
struct distinct {
    uint32_t *at;   /* 0: free */
    uint16_t room;  /* a power of two; 0: none yet */
    uint16_t count; /* kept, but for 0 */
    uint8_t bits;   /* lowest bits that are 0 in all that is kept */
    bool has_zero;  /* 0 is kept */
};
static_assert(sizeof(struct distinct) == 16, "it lies in an entry (core/event_table.h)");

/* Its table lies in `pool`; NULL, here and below: on the heap. */
void distinct_fini(struct distinct *d, struct pool *pool);

/* The murmur3 finalizer, a bijection of 32-bit numbers. */
static inline uint32_t distinct_mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

/* A mixed number with one of these bits need not be added. */
static inline uint32_t distinct_mask(const struct distinct *d) { return (1u << d->bits) - 1; }

/* The line where a mixed number is looked for; room > 0. */
static inline uint32_t *distinct_line(const struct distinct *d, uint32_t mixed)
{
    return &d->at[((uint64_t)mixed * (d->room / DISTINCT_LINE) >> 32) * DISTINCT_LINE];
}

/* Adds a mixed number that has none of the mask's bits; the mask may be another one then. */
void distinct_add(struct distinct *d, struct pool *pool, uint32_t mixed);

/* Where a line holds the number, or has its first free place; DISTINCT_LINE: neither. */
static inline unsigned distinct_place(const uint32_t *line, uint32_t mixed)
{
#ifdef __AVX2__
    __m256i low = _mm256_load_si256((const __m256i *)line);
    __m256i high = _mm256_load_si256((const __m256i *)line + 1);
    __m256i is = _mm256_set1_epi32((int)mixed), none = _mm256_setzero_si256();
    __m256i low_ends = _mm256_or_si256(_mm256_cmpeq_epi32(low, is), _mm256_cmpeq_epi32(low, none));
    __m256i high_ends =
        _mm256_or_si256(_mm256_cmpeq_epi32(high, is), _mm256_cmpeq_epi32(high, none));
    unsigned ends = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(low_ends)) |
                    (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(high_ends)) << 8;
    return (unsigned)__builtin_ctz(ends | 1u << DISTINCT_LINE);
#else
    unsigned i = 0;
    while (i < DISTINCT_LINE && line[i] != mixed && line[i] != 0)
        i++;
    return i;
#endif
}

/* Adds a number that is not 0 where that takes no more than a look at its line, as it nearly always does; else false. room > 0. */
static inline bool distinct_add_here(struct distinct *d, uint32_t mixed)
{
    uint32_t *line = distinct_line(d, mixed);
    unsigned place = distinct_place(line, mixed);
    if (place == DISTINCT_LINE)
        return false;
    if (line[place] == mixed)
        return true;
    if (d->count == DISTINCT_MOST ||
        (d->room == DISTINCT_LINE ? d->count == DISTINCT_LINE : d->count * 4 >= d->room * 3))
        return false;
    line[place] = mixed;
    d->count++;
    return true;
}

/* Adds all that another one counts. */
void distinct_merge(struct distinct *d, struct pool *pool, const struct distinct *from);

static inline bool distinct_is_exact(const struct distinct *d) { return d->bits == 0; }

static inline uint64_t distinct_count(const struct distinct *d)
{
    return (uint64_t)(d->count + d->has_zero) << d->bits;
}

#endif
