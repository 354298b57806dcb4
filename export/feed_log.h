/* feed_log: the feed on disk: appended, chained by checksums, never rewritten.
 *
 * A folder of segment files named YYYYMMDDThhmmssZ-NNNNNN.yami by their first window's start
 * and the segment's number. A segment begins with a Header, ends with Close, and is cut where
 * a window of a later hour (packet time) than any before is appended. One writer (the exporter); any
 * number of readers.
 */
#ifndef EXPORT_FEED_LOG_H
#define EXPORT_FEED_LOG_H

#include "capture/fault.h"
#include "export/record.h"

struct feed_log;

/* Begins a feed in `dir`, which is made if missing (parents too) and must hold no feed: replay
 * refuses it (-EEXIST). `identity` must outlive the log.
 * A segment has its final name from the start; a missing Close says that it is unfinished. */
int feed_log_create(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                    struct fault *fault);

/* Appends one sealed window. -errno and a fault naming the file (a full disk, ...): the log stays
 * usable for another try of the same window; nothing of it is left in the file then. */
int feed_log_append(struct feed_log *log, const struct window *w, struct fault *fault);

/* Writes Close, syncs, closes the last segment. An empty feed still gets one segment with Header
 * and Close, named by the epoch. The log is freed in any case; accepts NULL. */
int feed_log_finish(struct feed_log *log, struct fault *fault);

/* Totals that a verification adds up. */
struct feed_check {
    uint64_t segments, records, windows, parts; /* parts: windows with part > 0 */
    uint64_t packets, bytes, late;
    uint64_t offered, observed, dropped;
    int64_t  first_ns, last_ns;
    uint64_t kinds[KIND_COUNT];
    bool     closed; /* the last segment ends with Close */
};

/* Reads the feed in `dir` (or one segment file) from its first byte to its last and holds it to every
 * rule it can: framing, crc chain, seq, Header and Close, order of parts, every ledger, kinds = observed, mark
 * totals, rule counts against port rows, columns of equal length, low <= high, hll sizes, times inside the
 * window. Returns 0, or -EBADMSG at the first that does not hold, the fault naming file, byte offset and
 * record; -errno where it can't be read. */
int feed_log_verify(const char *dir, struct feed_check *check, struct fault *fault);

#endif
