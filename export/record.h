/* record: windows and headers to protobuf and back.
 *
 * The bytes of a Record are a function of its content alone. Packing uses a buffer
 * of the caller's that grows and is reused; exporter thread or command, one each.
 */
#ifndef EXPORT_RECORD_H
#define EXPORT_RECORD_H

#include "capture/fault.h"
#include "classify/ruleset.h"
#include "export/window.h"

#include <stddef.h>
#include <stdint.h>

struct record_scratch;

/* Begins as all zero; `len` is the caller's to reset. */
struct record_buffer {
    uint8_t *data;
    size_t len, size;
    struct record_scratch *scratch; /* columns being filled; made with the first window */
};

enum {
    RECORD_FORMAT = 1,     /* of the Header */
    RECORD_MAX = 64 << 20, /* bytes of a Record without its length; readers refuse more */
    RECORD_CRC = 5,        /* bytes of the crc field, which ends every record */
    RECORD_CRC_TAG = 15 << 3 | 5,
};

/* What a feed says of itself, once per segment. Strings belong to the caller. */
struct feed_identity {
    const char *sensor, *telescope_id, *timezone;
    const char *filter; /* its text: only where the telescope may be exposed; else "" */
    bool filtered;      /* there is one */
    bool telescope_configured;
    uint64_t telescope_ipv4;
    int64_t window_span_ns, lateness_ns;
    uint32_t decap; /* set of enum decap */
    const struct ruleset *rules;
};

/* Each appends varint length + Record (seq, body, crc) to the buffer and moves *crc on.
 * -ENOMEM or -EMSGSIZE at worst; buffer and *crc are as before then. */
int record_pack_header(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                       const struct feed_identity *identity, uint32_t segment);
int record_pack_window(struct record_buffer *b, uint64_t seq, uint32_t *crc, const struct window *w,
                       const struct ruleset *rules);
/* `finished`: nothing more was to follow when it was written. */
int record_pack_close(struct record_buffer *b, uint64_t seq, uint32_t *crc, uint64_t records,
                      bool finished);
void record_buffer_free(struct record_buffer *b);

/* CRC-32C of `len` bytes, continued from `crc`'s four little-endian bytes as the feed
 * defines it: the value of a record whose predecessor had `crc`. */
uint32_t record_crc(uint32_t crc, const void *bytes, size_t len);

#endif
