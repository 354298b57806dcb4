/* live_rules: what packets of a live capture are labelled by, and how it is changed while the capture goes on.
 *
 * Rules, lists and what was compiled of them are a generation. One is made and filled in whole by who loads it, and offered; the
 * keeper takes what is offered when it opens the next window, a second before that begins, and from then on every window has
 * one generation, by its begin alone:
 *   - a receiver that goes on to a window has sent all that it had of the one before, so a batch is of one generation, and
 *     says of which; nothing on the packet path waits, locks or allocates for it
 *   - a worker goes on with empty tables, made beforehand, when the last window of a generation is sealed, as at the end of a
 *     day; what is late for a window of a generation before is counted in tables of that one, made when needed
 *   - the exporter begins a segment of the feed with another Header, and says in the day's journal what was in force
 *
 * A generation is released when no thread can hold it: with each window that it seals the keeper says which is the oldest that any
 * receiver still uses, or the window; a worker that seals the window has counted all that receivers had sent before, and packs what is
 * left of older ones with it; and when the exporter has written that window and all before it, whatever is older is
 * nobody's. A receiver that stands still keeps its own.
 */
#ifndef CORE_LIVE_RULES_H
#define CORE_LIVE_RULES_H

#include "core/day_store.h"
#include "core/tally.h"
#include "export/record.h"

/* A generation, as who loads it has it. What is pointed to stays until release(). */
struct live_rules {
    const struct ruleset *rules;
    const struct tally_survey *survey;     /* as in pipeline_settings */
    const struct feed_identity *identity;  /* of the feed; NULL: its Header stays as it is */
    const struct day_store_settings *days; /* but for `dir`; where days are counted */
    const struct watched *watched;  /* networks (core/event_engine.h); NULL: those before stay */
    void (*release)(void *context); /* nobody holds any of it any more; a thread of the capture, or
                                       the caller's own; may be NULL */
    void *context;
};

static inline void live_rules_release(const struct live_rules *r)
{
    if (r->release)
        r->release(r->context);
}

/* The way to a capture that is going on. Outlives it. */
struct live_offer;

/* NULL with errno. */
struct live_offer *live_offer_create(void);
void live_offer_destroy(struct live_offer *o); /* accepts NULL; no capture uses it */

/* Offers rules to the capture: in force from the next window on that is not open. Makes all that its threads will want of them; takes a
 * while. What was offered before and is not in force yet is released. -ESRCH: no capture is going on; -ENOMEM: nothing has changed;
 * the rules are not released then. Any thread but the capture's. */
int live_offer_give(struct live_offer *o, const struct live_rules *rules);

#endif
