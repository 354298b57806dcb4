/* record_bytes: what the files that pack records share. Nobody else includes it. */
#ifndef EXPORT_RECORD_BYTES_H
#define EXPORT_RECORD_BYTES_H

#include "export/record.h"
#include "export/yamiscope.pb-c.h"

/* Room for `more` bytes behind b->len; -ENOMEM. */
int record_reserve(struct record_buffer *b, size_t more);

/* Appends length, record and crc; moves *crc on. -ENOMEM, -EMSGSIZE. The record's own crc is zero. */
int record_append(struct record_buffer *b, const Yamiscope__Record *record, uint32_t *crc);

/* record_pack_event() of a scan, an attack or amplification that event_wrong has nothing against. -ENOMEM. */
struct event;
int record_pack_event_quick(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                            const struct event *e);

/* A varint's bytes, at most 10; returns how many. */
static inline size_t varint_put(uint8_t *at, uint64_t value)
{
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        at[len++] = (uint8_t)(value | 0x80);
    at[len++] = (uint8_t)value;
    return len;
}

static inline size_t varint_size(uint64_t value)
{
    return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

/* Reads a varint that ends before `end`; false where there is none. */
static inline bool varint_get(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = sum;
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

#endif
