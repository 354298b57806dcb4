/* source_indexer: makes the index of a day's sources (export/source_index.h) when the day is over, before somebody asks.
 *
 * A thread of its own that reads the feed's files, and runs only when the processor and the disk have nothing else to do
 * (SCHED_IDLE): capture and its exporter never wait for it. Of what was there at the start it looks at the newest date alone;
 * older ones get theirs with the first question. What can't be written is left to that, too: nobody is told.
 */
#ifndef CORE_SOURCE_INDEXER_H
#define CORE_SOURCE_INDEXER_H

#include "capture/fault.h"

struct source_indexer;

/* `dir`: the feed's folder, which outlives it; it is looked at every few seconds. -ENOMEM, -EAGAIN and a fault. */
int source_indexer_start(struct source_indexer **out, const char *dir, struct fault *fault);

/* Ends soon, in the middle of an index, too. Accepts NULL. */
void source_indexer_stop(struct source_indexer *x);

#endif
