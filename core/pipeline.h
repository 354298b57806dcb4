/* pipeline: the threads of a run and the rings between them.
 *
 *   receiver (the caller's thread) --batches--> workers --windows--> exporter
 *
 * The receiver sorts packets by a keyed hash of their source into batches (core/sorter.h), and
 * decides with the window clock where each packet belongs, so no result depends on the number of workers or the
 * size of batches. Nothing is ever dropped in a replay: who finds no room waits.
 */
#ifndef CORE_PIPELINE_H
#define CORE_PIPELINE_H

#include "capture/capture.h"
#include "capture/capture_filter.h"
#include "classify/ruleset.h"
#include "classify/telescope_dates.h"
#include "core/day_minutes.h"
#include "core/day_store.h"
#include "core/event_settings.h"
#include "core/tally.h"
#include "export/feed_log.h"
#include "export/summary.h"
#include "export/window.h"

#include <stdatomic.h>

struct pipeline_settings {
    struct capture *capture; /* read to its end, not closed */
    struct filter *filter;   /* NULL: every packet; reads every link type that the capture gives */
    const struct ruleset *rules;
    const struct telescope_dates *telescope; /* NULL: everything is inside */
    struct feed_log *feed;                   /* NULL: no feed; not finished here */
    uint32_t decap;                          /* set of enum decap */
    unsigned workers;                        /* 1 to SHARDS */
    uint64_t share_at; /* one worker hands half of its shards to a second one when there are so many
                          sources; 0: it does not, nor with events */
    struct day_store *days; /* gets the source days; NULL: days are not counted */
    bool packs_days; /* live: days are counted and packed with each window, and `days` is NULL */
    const struct tally_survey *
        survey; /* with days, where windows are to say what is taken out of _ex_survey; else NULL */
    struct day_minutes *minutes; /* with days: what of them the receiver sees */
    unsigned batch;              /* packets per batch, 1 to BATCH_MAX */
    bool steps_back; /* all threads of the run, the caller's too, become nice: on a machine with few
                        cores, the thread that decompresses the input is what all wait for */
    const struct event_settings *events; /* NULL: events are not looked for */
    uint64_t memory_cap;                 /* bytes, as core/memory_cap.h counts them; 0: none */
    int64_t window_span_ns, lateness_ns;
    atomic_ulong *packets; /* how far it is, for a progress line; may be NULL */
};

/* What a run came to. */
struct pipeline_result {
    struct window *total;          /* all windows merged */
    struct tally_sources *sources; /* exact over the whole run, where nothing was given up */
    uint64_t destinations;         /* distinct */
    uint64_t windows, parts;       /* records; parts: those with part > 0 */
    struct summary_given_up given_up;
    uint64_t indicators_withheld; /* they mention the telescope (core/event_indicator.h) */
};

/* Runs to the end of the capture. 0, or -errno with a fault where threads or memory could not be had, or the
 * feed could not be written; the result is filled as far as it went. Where memory ends in between, the program
 * does (core/memory.h). */
int pipeline_run(const struct pipeline_settings *settings, struct pipeline_result *result,
                 struct fault *fault);
void pipeline_result_fini(struct pipeline_result *result); /* also of a zeroed one */

#endif
