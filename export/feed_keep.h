/* feed_keep: retention of a feed that is being written.
 *
 * Whole segments go, by what they hold and by age in the feed's own time. What is deleted is said in the feed first and safe on disk
 * then (Removed), so that verify and readers take what is not there for what it is. Never deleted: the segment that is
 * open, and what a registered sink's cursor still needs, for as long as `hold` says. The exporter's thread, which writes the log.
 */
#ifndef EXPORT_FEED_KEEP_H
#define EXPORT_FEED_KEEP_H

#include "capture/fault.h"
#include "export/feed_log.h"
#include "export/feed_note.h"

#include <stddef.h>
#include <stdint.h>

/* Ages in days, from an hour's or a date's end on; 0: for ever. */
struct feed_keep_settings {
    uint32_t windows, sources, days; /* a Day stays at least as long as its source days */
    const char *const
        *cursors; /* cursor files of the sinks; one that is not there yet needs everything */
    size_t cursor_count;
    uint32_t
        hold; /* days, over and above, that a sink which does not come on holds its segments back; 0: for ever */
};

/* 90 days of source days, all else for ever. */
extern const struct feed_keep_settings feed_keep_defaults;

/* What was done. */
struct feed_keep_result {
    struct feed_removed_kind removed[FEED_KINDS]; /* by enum feed_segment */
    uint64_t bytes;                               /* that they took */
    uint64_t held;    /* segments past their age that a cursor holds back */
    size_t held_by;   /* index of the cursor that is farthest behind; valid where held > 0 */
    uint64_t overrun; /* segments deleted though a cursor needed them (hold) */
};

/* Deletes what is past its age at `now_ns` (the feed's time: the end of its latest window). `dir` is the log's. -EAGAIN: no segment of
 * windows is open; call it again behind the next window. -errno: nothing more was deleted than *out says; the next call
 * goes on. */
int feed_keep_run(struct feed_log *log, const char *dir, const struct feed_keep_settings *settings,
                  int64_t now_ns, struct feed_keep_result *out, struct fault *fault);

#endif
