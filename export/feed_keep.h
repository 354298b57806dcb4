/* feed_keep: retention of a feed that is being written.
 *
 * Whole segments go, by what they hold and by age in the feed's own time. What is deleted is said in the feed first and safe on disk
 * then (Removed), so that verify and readers take what is not there for what it is. Never deleted: the segment that is
 * open, and what a registered sink's cursor still needs, for as long as `hold` says. The exporter's thread, which writes the log.
 *
 * A clock that is set years ahead, and back, costs nothing: behind a step of more than a week between two segments of windows ages are counted
 * from before it, until the feed holds windows of 24 hours behind it (CLOCK_FAR_S, CLOCK_BELIEVED_S of capture/live_clock.h). The feed itself
 * says so, whatever was started anew in between.
 *
 * Events, which name addresses, stand among the windows they were told with, and a feed is never rewritten: they go with the whole of their segment.
 * Where `events` is shorter than `windows`, a segment that holds an event goes at that age, and the windows of its hour with it (Days
 * stay); one that holds none stays as long as windows do.
 */
#ifndef EXPORT_FEED_KEEP_H
#define EXPORT_FEED_KEEP_H

#include "capture/fault.h"
#include "export/feed_log.h"
#include "export/feed_note.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ages in days, from an hour's or a date's end on; 0: for ever. */
struct feed_keep_settings {
    uint32_t windows, sources, days; /* a Day stays at least as long as its source days */
    uint32_t events;                 /* 0: as long as the windows they stand among */
    uint32_t *
        without_events; /* the caller's from one call to the next, at first 0: up to this number no segment that is there
                                 holds an event. NULL: each time all are looked at */
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
    bool is_waiting; /* time stepped far ahead, and is not believed yet: ages are those of before */
};

/* Deletes what is past its age at `now_ns` (the feed's time: the end of its latest window). `dir` is the log's. -EAGAIN: no segment of
 * windows is open; call it again behind the next window. -errno: nothing more was deleted than *out says; the next call
 * goes on. */
int feed_keep_run(struct feed_log *log, const char *dir, const struct feed_keep_settings *settings,
                  int64_t now_ns, struct feed_keep_result *out, struct fault *fault);

#endif
