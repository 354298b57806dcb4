#include "core/pseudonym.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROUNDS = 4 };

uint32_t pseudonym_ipv4(const struct siphash_key *key, uint32_t address)
{
    uint16_t left = (uint16_t)(address >> 16), right = (uint16_t)address;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t message[3] = {(uint8_t)round, (uint8_t)(right >> 8), (uint8_t)right};
        uint16_t next = left ^ (uint16_t)siphash(key, message, sizeof message);
        left = right;
        right = next;
    }
    return (uint32_t)left << 16 | right;
}

const char *pseudonym_text(const struct siphash_key *key, const uint8_t address[16],
                           unsigned ip_version, char text[PSEUDONYM_TEXT])
{
    if (ip_version == 6) {
        (void)snprintf(text, PSEUDONYM_TEXT, "dark+%016" PRIx64, siphash(key, address, 16));
    } else {
        uint32_t value = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                         (uint32_t)address[2] << 8 | address[3];
        (void)snprintf(text, PSEUDONYM_TEXT, "dark+%08" PRIx32, pseudonym_ipv4(key, value));
    }
    return text;
}
