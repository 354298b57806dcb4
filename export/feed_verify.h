/* feed_verify: a feed read as a stranger's, record by record.
 *
 * What feed_log_verify stands on, for whoever has segments that are no files. Memory is bounded:
 * one record of at most RECORD_MAX bytes, a fixed budget for what it unpacks to, and 16 bytes for
 * each window start. One thread per state.
 */
#ifndef EXPORT_FEED_VERIFY_H
#define EXPORT_FEED_VERIFY_H

#include "capture/fault.h"
#include "export/feed_log.h"
#include "export/feed_note.h"

#include <stdio.h>

struct feed_verify;

/* `rules` as in feed_log_verify_rules. `is_alone`: the first segment is verified without those before
 * it, whatever its number. *check is cleared and filled; it and the rules must outlive the
 * state. NULL with errno. */
struct feed_verify *feed_verify_create(const struct ruleset *rules, bool is_alone,
                                       struct feed_check *check);
void feed_verify_destroy(struct feed_verify *v); /* accepts NULL */

/* Reads the next segment from `in`, which holds `size` bytes; `path` names it in faults and its last
 * part is held to the segment's content. Returns as feed_log_verify; no further call is
 * useful after a failure. */
int feed_verify_segment(struct feed_verify *v, const char *path, FILE *in, uint64_t size,
                        struct fault *fault);

/* Passes over segments behind the last one read up to number `last`, which the feed says were deleted (run). As feed_verify_segment. */
int feed_verify_skip(struct feed_verify *v, const struct feed_removed_run *run, uint32_t last,
                     struct fault *fault);

/* Number of the last segment that was read or passed over. */
uint32_t feed_verify_last(const struct feed_verify *v);

/* A path's end, as faults show it. */
const char *feed_verify_shown(const char *path);

/* After the last segment: 0, or -ENODATA and a fault for a feed that is not finished. */
int feed_verify_end(struct feed_verify *v, struct fault *fault);

#endif
