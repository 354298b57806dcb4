/* random: reproducible pseudo-random numbers, the same on every machine.
 *
 * For the traffic generator and for tests; never for keys. random_mix is the
 * finalizer of splitmix64 (Steele, Lea, Flood 2014), the stream is xoshiro256++
 * (Blackman, Vigna 2019). Any thread, each with its own stream.
 */
#ifndef CAPTURE_RANDOM_H
#define CAPTURE_RANDOM_H

#include <stdint.h>

/* A bijection of 64-bit numbers in which every bit of the input moves every bit. */
static inline uint64_t random_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct random_stream {
    uint64_t s[4]; /* never all zero */
};

static inline void random_init(struct random_stream *r, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++)
        r->s[i] = random_mix(seed + i * UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t random_rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t random_next(struct random_stream *r)
{
    uint64_t result = random_rotate(r->s[0] + r->s[3], 23) + r->s[0];
    uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = random_rotate(r->s[3], 45);
    return result;
}

/* Scales 32 random bits to 0 .. n-1, n at most 2^32. */
static inline uint64_t random_scale(uint32_t bits, uint64_t n) { return bits * n >> 32; }

#endif
