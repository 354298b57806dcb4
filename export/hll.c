#include "export/hll.h"

#include <endian.h>
#include <math.h>
#include <string.h>

enum { HLL_Q = 64 - 14, HLL_RANK_MAX = HLL_Q + 1 };

uint64_t hll_hash(const void *bytes, size_t len)
{
    const uint64_t m = UINT64_C(0xc6a4a7935bd1e995);
    const uint8_t *at = bytes;
    uint64_t hash = UINT64_C(0xadc83b19) ^ (len * m);

    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        word = le64toh(word) * m;
        word ^= word >> 47;
        hash = (hash ^ (word * m)) * m;
    }
    if (len > 0) {
        uint64_t tail = 0;
        memcpy(&tail, at, len);
        hash = (hash ^ le64toh(tail)) * m;
    }
    hash ^= hash >> 47;
    hash *= m;
    return hash ^ (hash >> 47);
}

static inline void registers_merge(uint8_t *into, const uint8_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) /* without a branch, so that it becomes vectors */
        into[i] = into[i] > from[i] ? into[i] : from[i];
}

void hll_merge(struct hll *into, const struct hll *from)
{
    registers_merge(into->at, from->at, HLL_REGISTERS);
}

void hll_blocks_find(struct hll_blocks *b, const struct hll *h)
{
    for (size_t word = 0; word < HLL_BLOCKS / 64; word++) {
        b->bits[word] = 0;
        for (size_t bit = 0; bit < 64; bit++) {
            uint64_t eights[HLL_BLOCK / 8], any = 0;
            memcpy(eights, &h->at[(word * 64 + bit) * HLL_BLOCK], sizeof eights);
            for (size_t k = 0; k < HLL_BLOCK / 8; k++)
                any |= eights[k];
            b->bits[word] |= (uint64_t)(any != 0) << bit;
        }
    }
}

void hll_blocks_clear(const struct hll_blocks *b, struct hll *h)
{
    for (uint32_t i = 0; (i = hll_blocks_next(b, i)) < HLL_BLOCKS; i++)
        memset(&h->at[(size_t)i * HLL_BLOCK], 0, HLL_BLOCK);
}

void hll_blocks_merge(const struct hll_blocks *b, struct hll *into, const struct hll *from)
{
    for (uint32_t i = 0; (i = hll_blocks_next(b, i)) < HLL_BLOCKS; i++)
        registers_merge(&into->at[(size_t)i * HLL_BLOCK], &from->at[(size_t)i * HLL_BLOCK],
                        HLL_BLOCK);
}

/* The two series of Ertl 2017 (arXiv 1702.01284), algorithm 6: corrections for registers that
 * are still zero and for those that are full. */
static double sigma(double x)
{
    if (x == 1.0)
        return INFINITY;
    double sum = x, weight = 1.0, before;
    do {
        x *= x;
        before = sum;
        sum += x * weight;
        weight += weight;
    } while (sum != before);
    return sum;
}

static double tau(double x)
{
    if (x == 0.0 || x == 1.0)
        return 0.0;
    double sum = 1.0 - x, weight = 1.0, before;
    do {
        x = sqrt(x);
        before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
    } while (sum != before);
    return sum / 3.0;
}

double hll_count(const struct hll *h)
{
    const double m = HLL_REGISTERS, alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
    uint32_t with_rank[256] = {0};

    for (size_t i = 0; i < HLL_REGISTERS; i++)
        with_rank[h->at[i]]++;
    double z = m * tau((m - with_rank[HLL_RANK_MAX]) / m);
    for (unsigned rank = HLL_Q; rank >= 1; rank--)
        z = (z + with_rank[rank]) * 0.5;
    z += m * sigma(with_rank[0] / m);
    return alpha * m * m / z;
}

void hll_dense(const struct hll *h, uint8_t out[HLL_DENSE])
{
    for (size_t i = 0; i < HLL_REGISTERS; i += 4, out += 3) {
        uint32_t four = h->at[i] | (uint32_t)h->at[i + 1] << 6 | (uint32_t)h->at[i + 2] << 12 |
                        (uint32_t)h->at[i + 3] << 18;
        out[0] = (uint8_t)four;
        out[1] = (uint8_t)(four >> 8);
        out[2] = (uint8_t)(four >> 16);
    }
}

void hll_from_dense(struct hll *h, const uint8_t in[HLL_DENSE])
{
    for (size_t i = 0; i < HLL_REGISTERS; i += 4, in += 3) {
        uint32_t four = in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16;
        for (size_t j = 0; j < 4; j++)
            h->at[i + j] = four >> (6 * j) & 0x3f;
    }
}
