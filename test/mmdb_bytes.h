/* mmdb_bytes: a small MaxMind DB file under construction, for tests of its readers.
 *
 * The format is written here from its specification 2.0, apart from the program's own reading of it.
 */
#ifndef TEST_MMDB_BYTES_H
#define TEST_MMDB_BYTES_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MMDB_BYTES = 16384, MMDB_NODES = 256 };

struct mmdb_bytes {
    uint32_t nodes[MMDB_NODES]
                  [2]; /* while it is made: 0 nothing, else node, or LEAF | data offset */
    uint32_t node_count;
    uint8_t data[2048], file[MMDB_BYTES];
    size_t data_len, len;
};

#define MMDB_LEAF 0x800000u

static inline void mmdb_put(struct mmdb_bytes *m, const void *bytes, size_t len)
{
    assert(m->data_len + len <= sizeof m->data);
    memcpy(m->data + m->data_len, bytes, len);
    m->data_len += len;
}

static inline void mmdb_byte(struct mmdb_bytes *m, unsigned byte)
{
    uint8_t b = (uint8_t)byte;
    mmdb_put(m, &b, 1);
}

static inline void mmdb_map(struct mmdb_bytes *m, unsigned pairs) { mmdb_byte(m, 7 << 5 | pairs); }

static inline void mmdb_text(struct mmdb_bytes *m, const char *text)
{
    size_t len = strlen(text);
    assert(len < 285);
    mmdb_byte(m, 2 << 5 | (len < 29 ? (unsigned)len : 29));
    if (len >= 29)
        mmdb_byte(m, (unsigned)len - 29);
    mmdb_put(m, text, len);
}

static inline void mmdb_uint(struct mmdb_bytes *m, unsigned type, unsigned bytes, uint64_t n)
{
    mmdb_byte(m, (type > 7 ? 0 : type << 5) | bytes);
    if (type > 7)
        mmdb_byte(m, type - 7);
    for (unsigned i = bytes; i-- > 0;)
        mmdb_byte(m, n >> 8 * i & 255);
}

/* The value at `offset` of the data holds for a prefix of `length` bits. */
static inline void mmdb_insert(struct mmdb_bytes *m, const uint8_t *address, unsigned length,
                               size_t offset)
{
    uint32_t node = 0;
    if (m->node_count == 0)
        m->node_count = 1;
    for (unsigned i = 0;; i++) {
        uint32_t *record = &m->nodes[node][address[i / 8] >> (7 - i % 8) & 1];
        if (i + 1 == length) {
            *record = MMDB_LEAF | (uint32_t)offset;
            return;
        }
        if (*record == 0) {
            assert(m->node_count < MMDB_NODES);
            *record = m->node_count++;
        }
        node = *record;
    }
}

static inline void mmdb_append(struct mmdb_bytes *m, const void *bytes, size_t len)
{
    assert(m->len + len <= sizeof m->file);
    memcpy(m->file + m->len, bytes, len);
    m->len += len;
}

/* Writes the file (24-bit records) with metadata of that type and IP version. */
static inline void mmdb_finish(struct mmdb_bytes *m, const char *type, unsigned ip_version)
{
    static struct mmdb_bytes meta;
    memset(&meta, 0, sizeof meta);
    m->len = 0;
    for (uint32_t n = 0; n < m->node_count; n++)
        for (unsigned side = 0; side < 2; side++) {
            uint32_t r = m->nodes[n][side];
            r = r == 0 ? m->node_count : r & MMDB_LEAF ? m->node_count + 16 + (r & ~MMDB_LEAF) : r;
            mmdb_append(m, (uint8_t[]){r >> 16 & 255, r >> 8 & 255, r & 255}, 3);
        }
    mmdb_append(m, (uint8_t[16]){0}, 16);
    mmdb_append(m, m->data, m->data_len);
    mmdb_map(&meta, 9);
    mmdb_text(&meta, "binary_format_major_version"), mmdb_uint(&meta, 5, 1, 2);
    mmdb_text(&meta, "binary_format_minor_version"), mmdb_uint(&meta, 5, 0, 0);
    mmdb_text(&meta, "build_epoch"), mmdb_uint(&meta, 9, 4, 1700000000);
    mmdb_text(&meta, "database_type"), mmdb_text(&meta, type);
    mmdb_text(&meta, "description"), mmdb_map(&meta, 1), mmdb_text(&meta, "en");
    mmdb_text(&meta, "made for a test");
    mmdb_text(&meta, "ip_version"), mmdb_uint(&meta, 5, 1, ip_version);
    mmdb_text(&meta, "languages"), mmdb_uint(&meta, 11, 0, 0); /* an empty array */
    mmdb_text(&meta, "node_count"), mmdb_uint(&meta, 6, 4, m->node_count);
    mmdb_text(&meta, "record_size"), mmdb_uint(&meta, 5, 1, 24);
    mmdb_append(m, "\xab\xcd\xefMaxMind.com", 14);
    mmdb_append(m, meta.data, meta.data_len);
}

/* {"country": {"iso_code": CODE}}, or registered_country; returns its offset. */
static inline size_t mmdb_country(struct mmdb_bytes *m, const char *key, const char *code)
{
    size_t at = m->data_len;
    mmdb_map(m, 1), mmdb_text(m, key);
    mmdb_map(m, 1), mmdb_text(m, "iso_code"), mmdb_text(m, code);
    return at;
}

/* {"autonomous_system_number": N, "autonomous_system_organization": NAME}, without a name where it is NULL. */
static inline size_t mmdb_as(struct mmdb_bytes *m, uint32_t number, const char *name)
{
    size_t at = m->data_len;
    mmdb_map(m, name ? 2 : 1), mmdb_text(m, "autonomous_system_number"), mmdb_uint(m, 6, 4, number);
    if (name)
        mmdb_text(m, "autonomous_system_organization"), mmdb_text(m, name);
    return at;
}

#endif
