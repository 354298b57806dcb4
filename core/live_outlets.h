/* live_outlets: who hears of a live capture while it goes on: sinks (--to), organisations whose networks are watched, readers over HTTP (--listen); and who makes indexes for
 * look-ups when a day is over. Part of the command.
 *
 * All of them read the feed, as far as it is safe on disk; capture never waits for either. Their numbers of now are those of the last tick.
 */
#ifndef CORE_LIVE_OUTLETS_H
#define CORE_LIVE_OUTLETS_H

#include "core/config.h"
#include "core/live.h"
#include "core/live_deliveries.h"
#include "core/live_reload.h"
#include "core/live_sources.h"
#include "core/serve_lookup.h"
#include "core/source_indexer.h"
#include "export/courier.h"
#include "export/publisher.h"

#include <pthread.h>

struct live_outlets {
    struct serve_context serve; /* first: look-ups get it as their context */
    const struct live_sources *sources;
    struct telescope_watch
        *watches[LIVE_RECEIVERS];         /* where a telescope is configured; else NULL */
    uint32_t prefixes;                    /* of it */
    struct feed_durable durable;          /* the feed's: feed_log_publish() */
    _Atomic(struct live_reload *) reload; /* NULL: not yet */
    struct live_sink {
        struct publisher *publisher; /* or */
        struct courier *courier;     /* of a webhook or a command; else NULL */
    } sinks[HTTP_SINKS];
    unsigned sink_count;
    _Atomic(struct live_deliveries *) deliveries; /* NULL: no networks are watched, or not yet */
    struct http *http;                            /* NULL: none */
    struct source_indexer *indexer;
    pthread_mutex_t lock; /* of what follows */
    struct live_counters now;
    struct recorder_counts recorded;
    bool has_recorder;
    uint64_t links_down;       /* set of receivers */
    int64_t now_ns, sealed_ns; /* of the last tick; end of the latest window on disk */
    double rate_pps, rate_bps;
};

/* What of --listen (with tokens, TLS) and of --to is refused before anything is opened or asked: 0, or -errno and a fault. */
int live_outlets_check_http(const struct config *c, struct fault *fault);
int live_outlets_check_sinks(const struct config *c, struct fault *fault);

/* Opens what the options ask for, which were checked; `seq`: of the feed's last record, all of which is safe. 0, or -errno and a fault. Caller closes in
 * any case. */
int live_outlets_open(struct live_outlets *o, const struct config *c, const struct ruleset *rules,
                      const struct live_sources *sources, uint64_t seq, struct fault *fault);

/* Alerts go to the organisations of these networks from now on; at the start, and behind each reading. 0, or -errno and a fault: all that can
 * begin has. */
int live_outlets_deliver(struct live_outlets *o, const struct watched *networks,
                         struct fault *fault);

/* What is told over HTTP from now on is told by other rules, which outlive it. Any thread. */
void live_outlets_rules(struct live_outlets *o, const struct ruleset *rules);

/* Whether rules that were given before are still looked at. */
bool live_outlets_uses(struct live_outlets *o, const struct ruleset *rules);

/* Makes the watches of a telescope. -ENOMEM. */
int live_outlets_watch(struct live_outlets *o, const struct telescope_dates *telescope,
                       unsigned receivers);

/* Prefixes that got nothing for so long. The keeper's thread. */
enum { LIVE_PREFIX_SILENT_S = 3600 };
unsigned live_outlets_silent(struct live_outlets *o);
/* Waits so long, at most, until a sink that is up has the last window. Capture has ended. Also of a zeroed one. */
enum { LIVE_SINK_GRACE_MS = 2000 };
void live_outlets_close(struct live_outlets *o);

/* Numbers of now; `recorded` may be NULL. Any thread. */
void live_outlets_tick(struct live_outlets *o, const struct live_counters *now,
                       const struct recorder_counts *recorded, uint64_t links_down);
void live_outlets_sealed(struct live_outlets *o, int64_t end_ns);

#endif
