/* progress: one line on a terminal that says how far a run is.
 *
 * A thread of its own reads the counters five times a second and writes to stderr, only where that
 * is a terminal. It reads a clock, and nothing it does reaches a result.
 */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include "capture/capture.h"

#include <stdatomic.h>

struct feed_progress;
struct progress;

/* Begins the line; NULL where there is no terminal (or no thread): nothing is shown then.
 * `capture` and `packets` must outlive it. */
struct progress *progress_start(const struct capture *capture, const atomic_ulong *packets);

/* Likewise, of feeds that are read. `feed` must outlive it. */
struct progress *progress_start_feed(const struct feed_progress *feed);

/* Wipes the line; accepts NULL. */
void progress_stop(struct progress *p);

#endif
