/* record: windows, source days, days and headers to protobuf and back.
 *
 * The bytes of a Record are a function of its content alone. Packing uses a buffer
 * of the caller's that grows and is reused; exporter thread or command, one each.
 */
#ifndef EXPORT_RECORD_H
#define EXPORT_RECORD_H

#include "capture/fault.h"
#include "classify/ruleset.h"
#include "export/day.h"
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
struct telescope_size {
    int32_t
        from; /* the first date, days since 1970-01-01; of the first one INT32_MIN: ever since */
    uint64_t ipv4; /* addresses */
};

struct feed_telescope {
    const char *id;
    bool is_configured;
    uint64_t ipv4; /* addresses; 0 unless configured */
    /* Where its size changes by date: ascending by date; ipv4 is the last one's. NULL, 0: it does not. */
    const struct telescope_size *sizes;
    size_t size_count;
};

struct feed_identity {
    const char *sensor, *telescope_id, *timezone;
    const char *filter; /* its text: only where the telescope may be exposed; else "" */
    bool filtered;      /* there is one */
    bool telescope_configured;
    uint64_t telescope_ipv4;
    int64_t window_span_ns, lateness_ns;
    uint32_t decap; /* set of enum decap */
    const struct ruleset *rules;
    const char *program;                       /* its version; "" or NULL: not said */
    const struct survey_settings *survey;      /* NULL: the feed has no days */
    bool has_sources;                          /* source days are written, not their Days alone */
    const struct day_basis *lists, *databases; /* that origins are told by; in force at the start */
    size_t list_count, database_count;
    const char
        *anonymised; /* id of the key (crypto_pan.h); "" or NULL: addresses are the sources' own */
    const struct feed_telescope *telescopes; /* of a merged feed that has several: each, by id; also
                                                of one whose size changes by date */
    size_t telescope_count;                  /* 0: telescope_id is the only one */
};

/* Why a segment begins where it does: its time, a new run of the writer, a new Header, a date that was given up in front of it. */
enum feed_begin {
    FEED_BEGIN_TIME,
    FEED_BEGIN_RUN,
    FEED_BEGIN_HEADER,
    FEED_BEGIN_DATE,
    FEED_BEGINS
};

/* Each appends varint length + Record (seq, body, crc) to the buffer and moves *crc on.
 * -ENOMEM or -EMSGSIZE at worst; buffer and *crc are as before then. */
int record_pack_header(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                       const struct feed_identity *identity, uint32_t segment,
                       enum feed_begin begin);
int record_pack_window(struct record_buffer *b, uint64_t seq, uint32_t *crc, const struct window *w,
                       const struct ruleset *rules);
/* `finished`: nothing more was to follow when it was written. `abandoned`: of source days that are not all there. */
int record_pack_close(struct record_buffer *b, uint64_t seq, uint32_t *crc, uint64_t records,
                      bool finished, bool abandoned);
/* Opens a date: its facts and how its Day will be computed. Its source days follow, then its Day. */
int record_pack_day_begin(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                          const struct day_facts *facts, const struct day_settings *settings);
int record_pack_source_day(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                           const struct source_day *s);
/* The same of one that was packed before: from its body's bytes. */
int record_pack_source_day_again(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                                 const uint8_t *body, size_t len);
int record_pack_day(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                    const struct day_result *r);
void record_buffer_free(struct record_buffer *b);

/* Numbers of the bodies' fields in a Record. */
enum record_body {
    RECORD_header = 2,
    RECORD_window = 3,
    RECORD_close = 4,
    RECORD_source_day = 5,
    RECORD_day = 6,
    RECORD_event = 7,
    RECORD_gap = 8,
    RECORD_day_begin = 9,
    RECORD_removed = 10,
};

/* A Record without its length in front, taken apart. `body` points into it: the bytes of the message. */
struct record_view {
    uint64_t seq;
    uint32_t crc;       /* as it says */
    size_t crc_over;    /* the record's first bytes, which the crc is over */
    uint32_t body_kind; /* enum record_body, or another field's number */
    const uint8_t *body;
    size_t body_len;
};

/* Takes apart a Record as this program writes it: seq, one body, crc, each once and in this order.
 * -EBADMSG for any other. Does not compute the crc. */
int record_view(struct record_view *out, const uint8_t *record, size_t len);

/* The reader's side of the four above, from a body's bytes, which are a stranger's: all
 * that source_day.h says always holds is held to; a fault says what does not (-EBADMSG). -ENOMEM. Nothing of
 * the bytes is pointed to afterwards. */
int record_unpack_source_day(struct source_day_buffer *b, const uint8_t *body, size_t len,
                             struct fault *fault);

/* *facts is initialised by it and the caller's to fini, also after a failure. *settings gets all but the rules;
 * *rules, which stands in the facts' arena, names the set that the Day is computed under. */
int record_unpack_day_begin(struct day_facts *facts, struct day_settings *settings,
                            struct day_basis *rules, const uint8_t *body, size_t len,
                            struct fault *fault);

/* *out is the caller's to day_result_destroy(), its facts with it; NULL after a failure. The numbers are held to
 * each other only as far as memory safety asks; feed_log_verify holds them to their source days. */
int record_unpack_day(struct day_result **out, const uint8_t *body, size_t len,
                      struct fault *fault);

/* CRC-32C of `len` bytes, continued from `crc`'s four little-endian bytes as the feed
 * defines it: the value of a record whose predecessor had `crc`. */
uint32_t record_crc(uint32_t crc, const void *bytes, size_t len);

#endif
