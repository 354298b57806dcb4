/* forge: records altered under right checksums, as a forger would, for tests and fuzzing. */
#ifndef TEST_FORGE_H
#define TEST_FORGE_H

#include "export/record.h"
#include "export/yamiscope.pb-c.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct forge {
    uint8_t *data;
    size_t len, size;
    uint32_t crc;
};

/* Appends a record's bytes (without crc) with its length, its crc and the field's tag. */
static inline void forge_bytes(struct forge *f, const uint8_t *record, size_t len)
{
    uint64_t whole = len + RECORD_CRC;
    if (f->len + len + 16 > f->size) {
        f->size = (f->len + len + 16) * 2;
        f->data = realloc(f->data, f->size);
        assert(f->data != NULL);
    }
    uint8_t *at = f->data + f->len;
    for (; whole >= 0x80; whole >>= 7)
        *at++ = (uint8_t)(whole | 0x80);
    *at++ = (uint8_t)whole;
    if (len > 0)
        memcpy(at, record, len);
    f->crc = record_crc(f->crc, at, len);
    at += len;
    *at++ = RECORD_CRC_TAG;
    uint32_t crc_le = htole32(f->crc);
    memcpy(at, &crc_le, sizeof crc_le);
    f->len = (size_t)(at + sizeof crc_le - f->data);
}

/* Reads the record at *at of a sound feed; caller frees. */
static inline Yamiscope__Record *forge_take(const uint8_t *data, size_t *at)
{
    uint64_t len = 0;
    for (unsigned shift = 0;; shift += 7) {
        len |= (uint64_t)(data[*at] & 0x7f) << shift;
        if (data[(*at)++] < 0x80)
            break;
    }
    Yamiscope__Record *r = yamiscope__record__unpack(NULL, len, data + *at);
    assert(r != NULL);
    *at += len;
    return r;
}

static inline void forge_record(struct forge *f, Yamiscope__Record *r)
{
    r->crc = 0;
    size_t len = yamiscope__record__get_packed_size(r);
    uint8_t *bytes = malloc(len + 1);
    assert(bytes != NULL);
    yamiscope__record__pack(r, bytes);
    forge_bytes(f, bytes, len);
    free(bytes);
}

#endif
