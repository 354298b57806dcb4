/* flood_sources: IPv4 sources as somebody would choose them who knows how programs hash: for each hash in common use, those that it
 * puts into one bucket of 4,096 (its lowest 12 bits are 0), and rows that weak hashes keep together. For test_flood and bench_flood.
 *
 * Hashes are run backwards, so a source costs no search: CRC-32 and CRC-32C of four bytes are bijections (each step of the
 * shift register has an inverse), and so are the finalizer of MurmurHash3 (Appleby 2011) and Knuth's multiplication. */
#ifndef TEST_FLOOD_SOURCES_H
#define TEST_FLOOD_SOURCES_H

#include <endian.h>
#include <stdint.h>

enum { FLOOD_BUCKET_BITS = 12, FLOOD_MOST = 1 << (32 - FLOOD_BUCKET_BITS) };

static inline uint32_t flood_random(uint32_t i) /* a bijection, too: sources are distinct */
{
    i = (i ^ i >> 16) * UINT32_C(0x7feb352d);
    i = (i ^ i >> 15) * UINT32_C(0x846ca68b);
    return i ^ i >> 16;
}

static inline uint32_t flood_row(uint32_t i) { return htobe32(0x0b000000 + i); } /* 11.0.0.0 on */
static inline uint32_t flood_high(uint32_t i) { return i; }
static inline uint32_t flood_low(uint32_t i) { return i << FLOOD_BUCKET_BITS; }
static inline uint32_t flood_last(uint32_t i) { return htobe32(i << FLOOD_BUCKET_BITS); }

/* The word whose CRC is `crc`, by the reflected polynomial. */
static inline uint32_t flood_uncrc(uint32_t crc, uint32_t polynomial)
{
    crc = ~crc;
    for (int bit = 0; bit < 32; bit++)
        crc = crc & 0x80000000 ? (crc ^ polynomial) << 1 | 1 : crc << 1;
    return ~crc;
}

static inline uint32_t flood_crc32(uint32_t i)
{
    return flood_uncrc(i << FLOOD_BUCKET_BITS, 0xedb88320);
}

static inline uint32_t flood_crc32c(uint32_t i)
{
    return flood_uncrc(i << FLOOD_BUCKET_BITS, 0x82f63b78);
}

/* What `odd` makes 1, modulo 2^32 (Newton's step doubles the bits that are right). */
static inline uint32_t flood_inverse(uint32_t odd)
{
    uint32_t x = odd;
    for (int step = 0; step < 5; step++)
        x *= 2 - odd * x;
    return x;
}

static inline uint32_t flood_murmur(uint32_t i)
{
    uint32_t h = i << FLOOD_BUCKET_BITS;
    h = (h ^ h >> 16) * flood_inverse(0xc2b2ae35);
    h = (h ^ h >> 13 ^ h >> 26) * flood_inverse(0x85ebca6b);
    return h ^ h >> 16;
}

static inline uint32_t flood_knuth(uint32_t i)
{
    return (i << FLOOD_BUCKET_BITS) * flood_inverse(2654435761u);
}

/* Sources by number, 0 to FLOOD_MOST - 1, all distinct, as their four bytes stand in memory. The first are at random. */
static const struct flood {
    const char *name;
    uint32_t (*source)(uint32_t i);
} floods[] = {
    {"random", flood_random},
    {"one after the other", flood_row},
    {"high bits alike", flood_high},
    {"low bits alike", flood_low},
    {"last bytes alike", flood_last},
    {"one bucket of CRC-32", flood_crc32},
    {"one bucket of CRC-32C", flood_crc32c},
    {"one bucket of MurmurHash3", flood_murmur},
    {"one bucket of a multiplication", flood_knuth},
};

enum { FLOODS = sizeof floods / sizeof *floods };

#endif
