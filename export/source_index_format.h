/* source_index_format: what reading and making an index share. Nobody else includes it. */
#ifndef EXPORT_SOURCE_INDEX_FORMAT_H
#define EXPORT_SOURCE_INDEX_FORMAT_H

#include "export/source_index.h"

#include <endian.h>
#include <string.h>

enum {
    INDEX_HEADER = 96,
    INDEX_TERM = 48,
    INDEX_CRC = 4,
    INDEX_CHUNK =
        64 << 10, /* postings: the checksum of a chunk begins with that of the one before */
};
#define INDEX_MAGIC "yamiidx2"

struct index_header {
    struct source_index_of of;
    uint64_t sources, terms_at, term_count, names_at, names_bytes;
    uint32_t name_count, names_crc;
};

struct index_term {
    uint64_t key, at, bytes, packets, sources;
    uint32_t crc; /* of the postings */
};

static inline uint64_t index_key_port(unsigned proto, uint16_t port)
{
    return UINT64_C(1) << 56 | (uint64_t)proto << 16 | port;
}

static inline uint64_t index_key_as(uint32_t asn) { return UINT64_C(2) << 56 | asn; }

static inline uint64_t index_key_rule(unsigned proto, uint16_t port, unsigned evidence,
                                      unsigned name)
{
    return UINT64_C(3) << 56 | (uint64_t)proto << 48 | (uint64_t)port << 32 |
           (uint64_t)evidence << 24 | name;
}

static inline uint8_t *index_put(uint8_t *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline uint64_t index_get(const uint8_t **from)
{
    uint64_t value;
    memcpy(&value, *from, sizeof value);
    *from += sizeof value;
    return le64toh(value);
}

/* Of a port whose packets show payloads' rules: the sources all of whose packets do (evidence `port` of a rule without a name). */
#define INDEX_SHOWN_NAME ""

/* Each ends with its own checksum. */
void index_header_put(const struct index_header *h, uint8_t to[INDEX_HEADER]);
bool index_header_get(struct index_header *h, const uint8_t from[INDEX_HEADER]);
void index_term_put(const struct index_term *t, uint8_t to[INDEX_TERM]);
bool index_term_get(struct index_term *t, const uint8_t from[INDEX_TERM]);

/* What the segment is. 0; -EAGAIN: it can't be told; -ENOMEM and the like. */
int index_of_segment(const struct feed_reader *r, size_t segment, struct source_index_of *of);

/* One source at a port, put into the facets. */
void facets_count(struct port_facets *f, uint64_t at, uint64_t packets, unsigned country,
                  uint32_t tools);
int facets_rule_add(struct port_facets *f, const char *rule, unsigned evidence, uint64_t packets,
                    uint64_t sources);

#endif
