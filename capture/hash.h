/* hash: keyed hash of an address and of small keys.
 *
 * A 64x64->128 multiply folded to 64 bits, with secret operands drawn once per
 * process (the construction of wyhash/mum, Wang Yi 2019): a sender who does not
 * know the key can't aim for collisions. Its values never reach a feed.
 */
#ifndef CAPTURE_HASH_H
#define CAPTURE_HASH_H

#include <stdint.h>
#include <string.h>

struct hash_key {
    uint64_t a, b, c; /* odd */
};

/* Draws a key from the system's randomness. */
void hash_key_init(struct hash_key *key);

static inline uint64_t hash_fold(uint64_t x, uint64_t y)
{
    __uint128_t product = (__uint128_t)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_u64(const struct hash_key *key, uint64_t value)
{
    return hash_fold(hash_fold(value ^ key->a, key->b), key->c);
}

/* Address as in struct observation: 16 bytes, IPv4 in the first 4. */
static inline uint64_t hash_address(const struct hash_key *key, const uint8_t address[16],
                                    unsigned ip_version)
{
    uint64_t low, high;
    memcpy(&low, address, 8);
    if (ip_version != 6)
        return hash_u64(key, low);
    memcpy(&high, address + 8, 8);
    return hash_fold(hash_fold(low ^ key->a, key->b) ^ high, key->c);
}

#endif
