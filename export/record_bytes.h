/* record_bytes: what the files that pack records share. Nobody else includes it. */
#ifndef EXPORT_RECORD_BYTES_H
#define EXPORT_RECORD_BYTES_H

#include "export/record.h"
#include "export/yamiscope.pb-c.h"

#include <string.h>

/* Room for `more` bytes behind b->len; -ENOMEM. */
int record_reserve(struct record_buffer *b, size_t more);

/* Appends length, record and crc; moves *crc on. -ENOMEM, -EMSGSIZE. The record's own crc is zero. */
int record_append(struct record_buffer *b, const Yamiscope__Record *record, uint32_t *crc);

/* record_pack_event() of a scan, an attack or amplification that event_wrong has nothing against. -ENOMEM. */
struct event;
int record_pack_event_quick(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                            const struct event *e);

enum { VARINT_MOST = 10 };

/* A varint's bytes, at most VARINT_MOST; returns how many. */
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

enum wire { WIRE_VARINT = 0, WIRE_DOUBLE = 1, WIRE_BYTES = 2 };

/* What stands in front of a field's value; returns its end, as what follows does. */
static inline uint8_t *tag_put(uint8_t *at, unsigned field, enum wire wire)
{
    return at + varint_put(at, field << 3 | wire);
}

/* A field of bytes; none where there are none. */
static inline uint8_t *bytes_put(uint8_t *at, unsigned field, const void *bytes, size_t len)
{
    if (len == 0)
        return at;
    at = tag_put(at, field, WIRE_BYTES);
    at += varint_put(at, len);
    memcpy(at, bytes, len);
    return at + len;
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
