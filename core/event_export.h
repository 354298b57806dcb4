/* event_export: from what workers tell to what the feed holds.
 *
 * Puts the tellings of all workers together, looks up who a source is, sorts, and makes the bins of windows and sources. The exporter's
 * thread; ends the program where memory ends.
 */
#ifndef CORE_EVENT_EXPORT_H
#define CORE_EVENT_EXPORT_H

#include "core/event_engine.h"
#include "core/event_indicator.h"
#include "export/feed_log.h"

struct event_export;

/* Events that go to the feed behind one window. */
struct event_batch {
    struct event_told **told; /* whose they are */
    unsigned told_count;
    struct indicator_told indicators;
    struct event_place *places; /* in the order of the feed */
    size_t count, appended;
    uint64_t gave_up; /* what was closed for want of memory: the window's given_up.events */
};

/* `settings` must outlive it. NULL with errno. */
struct event_export *event_export_create(const struct event_settings *settings,
                                         const struct ruleset *rules);
void event_export_destroy(struct event_export *x); /* accepts NULL */

/* What names of rules and origins are of, from the next events on; both outlive the next call. */
void event_export_rules(struct event_export *x, const struct ruleset *rules,
                        const struct origins *origins);

/* A window is whole, before its tellings are taken: its packets go to its bin. */
void event_export_window(struct event_export *x, const struct window *w);

/* What `count` workers tell with a window, some of it NULL; takes it over. What goes to the feed is the caller's (event_batch_fini). Bins
 * wait for event_export_bins(). */
void event_export_take(struct event_export *x, struct event_told *const *told, unsigned count,
                       struct event_batch *out);
void event_batch_fini(struct event_batch *b); /* also of a zeroed one */

/* Appends what is not there yet. 0, or -errno and a fault: to be called again. */
int event_batch_append(struct event_export *x, struct event_batch *b, struct feed_log *feed,
                       struct fault *fault);

/* Adds what is to be appended as records, each behind a varint of its length; the rules are those of event_export_rules(). */
void event_batch_records(struct event_export *x, const struct event_batch *b,
                         struct event_bytes *out);
/* What workers told at the end of a live capture: indicators are kept, and nothing is told. The caller's. */
void event_export_rest(struct event_export *x, struct event_told *const *told, unsigned count);

/* Open indicators; NULL: they are not looked for. */
struct event_indicators *event_export_indicators(const struct event_export *x);

/* Ports that were in a bin, by protocol; and those of runs before. */
const uint64_t (*event_export_seen(const struct event_export *x))[65536 / 64];
void event_export_set_seen(struct event_export *x, const uint64_t (*seen)[65536 / 64]);

/* Gives the bins that are over to settings->take_bin: behind the append. */
void event_export_bins(struct event_export *x);

#endif
