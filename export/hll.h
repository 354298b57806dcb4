/* hll: HyperLogLog exactly as Redis keeps it, so that others' PFADD merges.
 *
 * Flajolet et al. 2007; 2^14 registers; MurmurHash64A (Appleby) with seed 0xadc83b19
 * over the address bytes; estimate by Ertl's improved estimator (2017), as Redis >= 4
 * does. One owner per sketch; no allocation.
 */
#ifndef EXPORT_HLL_H
#define EXPORT_HLL_H

#include <stddef.h>
#include <stdint.h>

enum { HLL_REGISTERS = 1 << 14, HLL_DENSE = HLL_REGISTERS * 6 / 8 };

struct hll {
    uint8_t at[HLL_REGISTERS];
};

/* Which blocks of a sketch may hold something, a block being the registers of one cache line: a window of six
 * packets has six registers in 16 KB, and who knows their blocks need not look at the rest. */
enum { HLL_BLOCK = 64, HLL_BLOCKS = HLL_REGISTERS / HLL_BLOCK };
struct hll_blocks {
    uint64_t bits[HLL_BLOCKS / 64]; /* bit block % 64 of word block / 64 */
};

static inline void hll_blocks_add(struct hll_blocks *b, uint32_t index)
{
    b->bits[index / HLL_BLOCK / 64] |= UINT64_C(1) << index / HLL_BLOCK % 64;
}

/* The first block from `block` on that is in the set; HLL_BLOCKS: there is none. */
static inline uint32_t hll_blocks_next(const struct hll_blocks *b, uint32_t block)
{
    for (; block < HLL_BLOCKS; block = (block / 64 + 1) * 64) {
        uint64_t left = b->bits[block / 64] >> block % 64;
        if (left != 0)
            return block + (uint32_t)__builtin_ctzll(left);
    }
    return HLL_BLOCKS;
}

uint64_t hll_hash(const void *bytes, size_t len);

/* Register and rank of a hash. */
static inline uint32_t hll_index(uint64_t hash) { return (uint32_t)(hash & (HLL_REGISTERS - 1)); }

static inline uint8_t hll_rank(uint64_t hash)
{
    return (uint8_t)(__builtin_ctzll((hash >> 14) | (UINT64_C(1) << 50)) + 1);
}

static inline void hll_add(struct hll *h, uint64_t hash)
{
    uint32_t index = hll_index(hash);
    uint8_t rank = hll_rank(hash);
    if (h->at[index] < rank)
        h->at[index] = rank;
}

void hll_merge(struct hll *into, const struct hll *from);

/* The blocks of a sketch that hold something. */
void hll_blocks_find(struct hll_blocks *b, const struct hll *h);

/* Of sketches whose registers in use are in these blocks: empties one; merges `from`. */
void hll_blocks_clear(const struct hll_blocks *b, struct hll *h);
void hll_blocks_merge(const struct hll_blocks *b, struct hll *into, const struct hll *from);
double hll_count(const struct hll *h);
void hll_dense(const struct hll *h, uint8_t out[HLL_DENSE]);
void hll_from_dense(struct hll *h, const uint8_t in[HLL_DENSE]);

#endif
