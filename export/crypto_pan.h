/* crypto_pan: addresses under a key, such that two that share a prefix of n bits share one of n bits afterwards, too.
 *
 * Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization (ICNP 2002), the form of their Crypto-PAn: AES-128; the key's first 16
 * bytes encrypt, the last 16, encrypted, fill up each block. IPv6 likewise over 128 bits. One to one: distinct addresses stay distinct.
 * Whoever knows some addresses and what became of them knows as much of others as these share with them.
 *
 * Set once, then read by any thread. 32 blocks for an IPv4 address, 128 for IPv6.
 */
#ifndef EXPORT_CRYPTO_PAN_H
#define EXPORT_CRYPTO_PAN_H

#include "capture/fault.h"

#include <nettle/aes.h>
#include <stdint.h>

enum { CRYPTO_PAN_KEY = 32, CRYPTO_PAN_ID = 17 };

struct crypto_pan {
    struct aes128_ctx aes;
    uint8_t pad[AES_BLOCK_SIZE];
    char id[CRYPTO_PAN_ID]; /* 16 hex digits that tell one key from another, and nothing of it */
};

void crypto_pan_init(struct crypto_pan *p, const uint8_t key[CRYPTO_PAN_KEY]);

/* From a file of 32 bytes, or 64 hex digits and perhaps a line's end. -EINVAL and a fault: it is neither, or the owner is not the only one
 * who may read it, or its bytes are all alike; -errno. */
int crypto_pan_read(struct crypto_pan *p, const char *path, struct fault *fault);

/* Writes a new key as hex digits to a file that is not there yet, for its owner alone. -EEXIST, -errno and a fault. */
int crypto_pan_new_key(const char *path, struct fault *fault);

/* Puts 8 bytes of an encryption in the place of an event's id: one to one but for a chance in 2^64, and nothing of the id can be told without
 * the key. */
void crypto_pan_event_id(const struct crypto_pan *p, uint8_t id[8]);

/* Anonymises the first 4 or all 16 bytes in place. */
void crypto_pan_address(const struct crypto_pan *p, uint8_t address[16], unsigned ip_version);

#endif
