/* feed_log: the feed on disk: appended, chained by checksums, never rewritten.
 *
 * A folder of segment files named YYYYMMDDThhmmssZ-NNNNNN.yami by their first window's start
 * and the segment's number, which is their order. (The names sort so too, unless a segment began with a
 * clock broken far ahead.) A segment begins with a Header and ends with Close. It stands for the hour
 * of its first window (packet time), and takes the windows of that hour and those up to a day
 * before it, which late packets open. It is cut where a window of a later hour is appended, or one from more than
 * a day before: then it began with a broken clock. One writer (the exporter); any number of readers.
 */
#ifndef EXPORT_FEED_LOG_H
#define EXPORT_FEED_LOG_H

#include "capture/fault.h"
#include "export/record.h"

struct feed_log;

enum { FEED_NAME = 48 }; /* holds the name of a segment */

/* Name of the segment whose first window begins at `start_ns`. */
void feed_segment_name(int64_t start_ns, uint32_t segment, char name[FEED_NAME]);

/* Whether a window that begins at `start_ns` belongs to the segment whose first window began at
 * `first_ns`; else the segment ends before it. Hours are those since 1970, UTC. */
bool feed_segment_takes(int64_t first_ns, int64_t start_ns);

/* The number in a segment's name, by which readers order them; UINT64_MAX: there is none. */
uint64_t feed_segment_number(const char *name);

/* True for what a reader of the folder must take for a segment: *.yami. */
bool feed_is_segment_name(const char *name);

/* Begins a feed in `dir`, which is made if missing (parents too) and must hold no feed: replay
 * refuses it (-EEXIST). `identity` must outlive the log.
 * A segment has its final name from the start; a missing Close says that it is unfinished. */
int feed_log_create(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                    struct fault *fault);

/* Appends one sealed window. -errno and a fault naming the file (a full disk, ...): the log stays
 * usable for another try of the same window; nothing of it is left in the file then. */
int feed_log_append(struct feed_log *log, const struct window *w, struct fault *fault);

/* Writes Close (finished), syncs, closes the last segment. An empty feed still gets one segment with Header
 * and Close, named by the epoch. The log is freed in any case; accepts NULL. */
int feed_log_finish(struct feed_log *log, struct fault *fault);

/* Frees the log and leaves the feed as it is, without a Close: what was appended stays and holds, and
 * the feed says that it is unfinished. Accepts NULL. */
void feed_log_abandon(struct feed_log *log);

/* Totals that a verification adds up. */
struct feed_check {
    uint64_t segments, records, windows, parts; /* parts: windows with part > 0 */
    uint64_t packets, bytes, late;
    uint64_t offered, observed, dropped;
    int64_t first_ns, last_ns; /* valid where packets > 0 */
    uint64_t kinds[KIND_COUNT];
    bool
        rules_checked; /* every segment names the rule set that was given: see feed_log_verify_rules */
    bool closed;       /* the last segment ends with a Close that says finished */
};

/* Reads the feed in `dir` (or one segment file) from its first byte to its last and holds it to every
 * rule it can: framing, crc chain, seq, Header and Close, order of parts, every ledger, nothing filtered
 * without a filter in the Header, kinds = observed, mark
 * totals, rule counts against port rows, columns of equal length, low <= high, hll sizes, times inside the
 * window. Returns 0; -EBADMSG at the first that does not hold, the fault naming file, byte offset and
 * record; -ENODATA where all that is there holds, but the feed does not end with a Close that says finished:
 * it is still being written, its writer died, or segments were taken away; -ENOENT for a folder without
 * a segment; -errno where it can't be read. The totals are those of what was read.
 * Of one segment file alone the first record's crc has nothing before it to be held to. */
int feed_log_verify(const char *dir, struct feed_check *check, struct fault *fault);

/* As feed_log_verify; where the feed names this very rule set (sha256), the packets of every rule and of
 * iot_strict and iot_broad are computed again from the port rows. `rules` may be NULL. */
int feed_log_verify_rules(const char *dir, const struct ruleset *rules, struct feed_check *check,
                          struct fault *fault);

#endif
