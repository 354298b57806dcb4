/* pseudonym: names for addresses of a telescope that tell them apart and say nothing else.
 *
 * IPv4: a keyed permutation of the 32 bits, so that no two addresses share a name: a Feistel network of
 * four rounds over halves of 16 bits (Luby, Rackoff: "How to construct pseudorandom permutations from
 * pseudorandom functions", 1988) with SipHash-2-4 of (round, half) as their function. IPv6: SipHash-2-4
 * of the address; with 64 bits two of a million addresses share a name once in 37 million runs.
 * Names hold within a run: the key is drawn anew for each.
 */
#ifndef CORE_PSEUDONYM_H
#define CORE_PSEUDONYM_H

#include "core/siphash.h"

enum { PSEUDONYM_TEXT = 32 };

/* The permutation: SipHash of the bytes (round, high, low of the right half), its low 16 bits, turns
 * (left, right) into (right, left ^ it), in rounds 0 to 3. */
uint32_t pseudonym_ipv4(const struct siphash_key *key, uint32_t address);

/* "dark+7f3a91c2", of IPv6 "dark+7f3a91c27f3a91c2". Address as in struct observation. Returns `text`. */
const char *pseudonym_text(const struct siphash_key *key, const uint8_t address[16],
                           unsigned ip_version, char text[PSEUDONYM_TEXT]);

#endif
