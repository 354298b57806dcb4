/* event_indicator: indicators of exploits' payloads as events.
 *
 * Workers look at payloads that show a rule: of an exploit, or any over TCP, where nobody answers a probe with a shell. They keep what they find until they seal a window (core/indicator_table.h); the exporter
 * puts that together and tells it. An indicator and a date make one event: it begins with the seal behind which it was first seen, goes
 * on at most every settings->every_ns where more packets came, and ends with its date, or with the run. first and last are times of packets; the
 * event's port, protocol and rule are of the first one.
 *
 * At most settings->indicators are open. Beyond it those with the fewest packets end early (gave_up), of equals those whose last packet is
 * the oldest, until 3/4 of them are left; those that were not told yet are only counted. More than that many new ones between two seals:
 * indicator_table.h says which of them are kept; the ledger's given_up.events counts each, and each sighting of those that were not kept.
 *
 * What names the telescope is withheld (classify/indicator.h), and counted.
 */
#ifndef CORE_EVENT_INDICATOR_H
#define CORE_EVENT_INDICATOR_H

#include "core/event_engine.h"
#include "core/indicator_table.h"

struct event_indicators;

/* What is told of an indicator. */
struct indicator_line {
    struct indicator_entry entry; /* without sources: */
    uint64_t sources;
    uint8_t phase; /* enum event_phase */
    bool gave_up;
};

/* What is told with a window. */
struct indicator_told {
    struct indicator_line *lines;
    size_t count, room;
    uint64_t gave_up;
};

/* ---- a worker's ---- */

/* Looks at the payload of an observation whose label says a rule of payloads. */
void event_indicator_count(struct event_engine *e, const struct batch *b, uint32_t i,
                           const struct label *label);

/* ---- the exporter's ---- */

/* `settings` must outlive it. NULL with errno. */
struct event_indicators *event_indicators_create(const struct event_settings *settings);
void event_indicators_destroy(struct event_indicators *x); /* accepts NULL */

/* What `count` workers told with a seal, some of it NULL: takes their tables. Adds to `out`; NULL: nothing is told, only kept (the end of a live
 * capture). */
void event_indicators_take(struct event_indicators *x, struct event_told *const *told,
                           unsigned count, struct indicator_told *out);
void indicator_told_fini(struct indicator_told *t); /* also of a zeroed one */

/* What was withheld so far. */
uint64_t event_indicators_withheld(const struct event_indicators *x);

/* All that an event says; with its id. */
void indicator_line_expand(const struct indicator_line *line, const char *sensor, int64_t time_ns,
                           struct event *out);

/* What is open, as bytes (core/event_save.h); and taken from there, as far as it may be told by the telescope of now. 0, or -EBADMSG and *at: where
 * no indicator is. */
void event_indicators_save(const struct event_indicators *x, struct event_bytes *out);
int event_indicators_restore(struct event_indicators *x, const uint8_t **at, const uint8_t *end);

#endif
