/* live_outlets: who hears of a live capture while it goes on: a sink (--to), readers over HTTP (--listen). Part of the command.
 *
 * Both read the feed, as far as it is safe on disk; capture never waits for either. Their numbers of now are those of the last tick.
 */
#ifndef CORE_LIVE_OUTLETS_H
#define CORE_LIVE_OUTLETS_H

#include "core/config.h"
#include "core/live.h"
#include "core/live_sources.h"
#include "core/serve_lookup.h"
#include "export/publisher.h"

#include <pthread.h>

struct live_outlets {
    struct serve_context serve; /* first: look-ups get it as their context */
    const struct live_sources *sources;
    struct telescope_watch
        *watches[LIVE_RECEIVERS]; /* where a telescope is configured; else NULL */
    uint32_t prefixes;            /* of it */
    struct feed_durable durable;  /* the feed's: feed_log_publish() */
    struct publisher *publisher;  /* NULL: none */
    struct http *http;            /* likewise */
    pthread_mutex_t lock;         /* of what follows */
    struct live_counters now;
    struct recorder_counts recorded;
    bool has_recorder;
    int64_t now_ns, sealed_ns; /* of the last tick; end of the latest window on disk */
    double rate_pps, rate_bps;
};

/* Opens what the options ask for; `seq`: of the feed's last record, all of which is safe. 0, or -errno and a fault. Caller closes in
 * any case. */
int live_outlets_open(struct live_outlets *o, const struct config *c, const struct ruleset *rules,
                      const struct live_sources *sources, uint64_t seq, struct fault *fault);

/* Makes the watches of a telescope. -ENOMEM. */
int live_outlets_watch(struct live_outlets *o, const struct telescope_dates *telescope,
                       unsigned receivers);

/* Prefixes that got nothing for so long. The keeper's thread. */
enum { LIVE_PREFIX_SILENT_S = 3600 };
unsigned live_outlets_silent(struct live_outlets *o);
void live_outlets_close(struct live_outlets *o); /* also of a zeroed one */

/* Numbers of now; `recorded` may be NULL. Any thread. */
void live_outlets_tick(struct live_outlets *o, const struct live_counters *now,
                       const struct recorder_counts *recorded);
void live_outlets_sealed(struct live_outlets *o, int64_t end_ns);

#endif
