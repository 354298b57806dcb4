/* feed_note: what a feed says of itself among its windows: time that is missing, segments that were deleted.
 *
 * Plain values, to records and back. One thread each.
 */
#ifndef EXPORT_FEED_NOTE_H
#define EXPORT_FEED_NOTE_H

#include "capture/fault.h"
#include "export/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name; English; Japanese. */
#define FEED_GAPS(X)                                   \
    X(restart, "did not run", "停止中")                \
    X(clock, "the clock was set", "時計の変更")        \
    X(windows, "windows given up", "ウィンドウの放棄") \
    X(source, "nothing could be captured", "キャプチャ不能")

enum feed_gap_reason {
#define X(name, en, ja) FEED_GAP_##name,
    FEED_GAPS(X)
#undef X
        FEED_GAP_REASONS
};

/* "restart", ... */
const char *feed_gap_name(enum feed_gap_reason reason);
const char *feed_gap_words(enum feed_gap_reason reason, bool is_japanese);

/* Time [from_ns, to_ns) that is not, or not wholly, in the feed. */
struct feed_gap {
    int64_t from_ns, to_ns;
    enum feed_gap_reason reason;
    uint64_t windows;            /* records given up: of FEED_GAP_windows alone */
    bool has_ledger;             /* what they had counted is known */
    struct window_ledger ledger; /* all zero unless has_ledger */
    const char *sensor;          /* of a merged feed: whose; else NULL or "" */
};

int record_pack_gap(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                    const struct feed_gap *gap);

/* gap->sensor points into *text, which the caller frees. -EBADMSG and the fault says what does not hold; -ENOMEM. */
int record_unpack_gap(struct feed_gap *gap, char **text, const uint8_t *body, size_t len,
                      struct fault *fault);

/* By time, then all else: gaps of several feeds come in one order. */
int feed_gap_order(const struct feed_gap *a, const struct feed_gap *b);

/* Segments that were deleted, of consecutive numbers. */
struct feed_removed_run {
    uint32_t first, last;
    uint64_t seq; /* of the last record of `last`, and its crc: the next segment continues them */
    uint32_t crc;
};

/* By what they held (enum feed_segment): from the first to the last; of windows seconds, else dates. */
struct feed_removed_kind {
    int64_t from, to;
    uint64_t segments;
};

enum { FEED_KINDS = 3 };

/* Begins as all zero. */
struct feed_removed {
    struct feed_removed_run *runs; /* ascending, none next to another */
    size_t run_count, run_size;
    struct feed_removed_kind kinds[FEED_KINDS];
};

void feed_removed_fini(struct feed_removed *r); /* accepts all zero */

/* Takes a run up; what is there already, or touches, becomes one. -ENOMEM. */
int feed_removed_add_run(struct feed_removed *r, const struct feed_removed_run *run);

/* One segment of a kind, at its time. */
void feed_removed_add_segment(struct feed_removed *r, unsigned kind, int64_t at);

/* The run that holds all of first..last; NULL: there is none. Where it ends behind `last`, the deletion was cut short. */
const struct feed_removed_run *feed_removed_find(const struct feed_removed *r, uint32_t first,
                                                 uint32_t last);

/* -ENOMEM, -EMSGSIZE as all of its kind. */
int record_pack_removed(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                        const struct feed_removed *r);

/* Adds what the record says. -EBADMSG, -ENOMEM: some of it may have been added. */
int record_unpack_removed(struct feed_removed *r, const uint8_t *body, size_t len,
                          struct fault *fault);

#endif
