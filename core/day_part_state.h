/* day_part_state: what writer and reader of a journal's file have in common. Nobody else includes it. */
#ifndef CORE_DAY_PART_STATE_H
#define CORE_DAY_PART_STATE_H

#include "core/day_part.h"
#include "export/record.h"

#include <endian.h>
#include <string.h>

#define DAY_PART_MAGIC "yamiday1"

enum {
    BLOCK_FRAME = 8,                /* length and crc */
    BLOCK_MAX = RECORD_MAX + 10,    /* of content: one record */
    HEAD_FIXED = 8 + 4 + 4 + 2 * 8, /* of its content, before the texts */
    HEAD_MAX = HEAD_FIXED + 2 * (2 + DAY_PART_TEXT),
    FOOT_FIXED = 2 * 8 + 4 * 4,
    GIVEN_UP_COUNT = 4,
    LEDGER_COUNT = 4, /* beside the drops */
    FOOT_SIZE = FOOT_FIXED + 8 * (2 * KIND_COUNT + GIVEN_UP_COUNT + LEDGER_COUNT + DROP_COUNT +
                                  DAY_MINUTE_WORDS),
    FOOT_NUMBERS_MAX = 4096,
    FOOT_MAX = FOOT_NUMBERS_MAX + DAY_BASES_MAX,
};

static_assert((int)FOOT_SIZE + (int)DAY_BASES_MAX <= (int)DAY_PART_BLOCK, "a foot is a block");

static inline uint8_t *put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline uint8_t *put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline uint32_t get32(const uint8_t **at)
{
    uint32_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return le32toh(value);
}

static inline uint64_t get64(const uint8_t **at)
{
    uint64_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return le64toh(value);
}

/* The crc of a block that stands at `at` in the file. */
static inline uint32_t block_crc(uint32_t head, uint64_t at, const uint8_t *content, size_t len)
{
    uint8_t place[12];
    (void)put32(put64(place, at), (uint32_t)len);
    return record_crc(record_crc(head, place, sizeof place), content, len);
}

#endif
