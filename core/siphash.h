/* siphash: SipHash-2-4, a keyed pseudorandom function of short messages.
 *
 * Jean-Philippe Aumasson, Daniel J. Bernstein: "SipHash: a fast short-input PRF" (2012). Who does
 * not know the key can't tell its values from random ones, however many he sees: unlike the hashes
 * of tables (capture/hash.h) it may be shown. No state, any thread.
 */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1; /* the paper's: each from eight bytes, the least significant first */
};

/* Draws a key from the system's randomness. */
void siphash_key_init(struct siphash_key *key);

uint64_t siphash(const struct siphash_key *key, const void *message, size_t len);

#endif
