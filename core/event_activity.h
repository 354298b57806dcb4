/* event_activity: new activity in a run: from the bins of ten minutes to events of the feed.
 *
 * The exporter gives each bin that is over (event_bins.h), then asks for what is to be appended behind the window with whose
 * seal that was. The model is export/change_finder.h; a bin that is partial or inexact is none to it. An event is told once, at its begin: new
 * activity has no length. Live keeps what was learned in a file beside the feed, written behind each bin (a second file, synced,
 * renamed) when what the bin says is safe in the feed: who dies before has told all of it, and the model has a hole of one bin. Where it can't be
 * read a new model begins, which is said. One thread: the exporter's. Ends the program where memory ends.
 */
#ifndef CORE_EVENT_ACTIVITY_H
#define CORE_EVENT_ACTIVITY_H

#include "core/event_bins.h"
#include "export/change_finder.h"
#include "export/feed_log.h"

struct event_activity;

/* `settings`' bin_ns is the bins' (event_bin_span). `sensor` outlives it. NULL with errno. */
struct event_activity *event_activity_create(const struct change_settings *settings,
                                             const char *sensor);
void event_activity_destroy(struct event_activity *a); /* accepts NULL */

/* Before the first bin: takes up what `path` holds, and keeps it there from now on. -errno and a fault: it can't be read, or is damaged: a new model
 * begins, and takes its place. */
int event_activity_keep(struct event_activity *a, const char *path, struct fault *fault);

/* An event_bin_taker. */
void event_activity_take(void *context, const struct event_bin *bin);

/* Appends what was found and is not there yet, behind a window that ends at `end_ns`; where what was learned is kept, all is safe when it returns 0.
 * -errno and a fault: to be called again behind the next one. */
int event_activity_append(struct event_activity *a, struct feed_log *feed, int64_t end_ns,
                          struct fault *fault);

#endif
