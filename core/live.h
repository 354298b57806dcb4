/* live: the threads of a live capture and the rings between them.
 *
 *   receivers --batches--> workers --windows--> exporter
 *       |                     ^
 *       +--times, drops--> keeper --marks
 *
 * A receiver is one thread with one capture: it sorts what comes into batches (core/sorter.h), flushes them at least every
 * 10 ms and says how far it is. The keeper decides by those times: it opens windows a second before they begin and seals them
 * as soon as all receivers have passed their end (times are one clock's, so there is nothing to be late for); one that said nothing for a
 * second is left out. Its marks go to the workers by a way of their own; a worker that finds one takes first all that
 * receivers had sent until then, and nothing of the next window before the one is sealed. So windows are decided in one place, and
 * no receiver waits for another. Where a worker has no room for a batch, its packets are dropped and
 * counted as ring_full. What comes for a window that is sealed makes a part of its own.
 *
 * Days: with each window the workers pack what their shards counted of the day, shard by shard while they go on counting (what a
 * packet of the next window comes to is put aside first: core/tally_day.h); the exporter puts that into the journal, then the window
 * into the feed. At the end of a day workers go on with empty tables.
 * What the feed does not take (a full disk) is held, up to LIVE_HELD windows, and written as soon as it can be; while a write
 * hangs, workers make up to WINDOWS_LIVE more windows before they wait, and receivers drop.
 *
 * The ledger of a window: what was counted, and what receivers say was dropped while it lasted. What can no longer go to its window
 * (a receiver that was stopped for longer) stands in the next one that is sealed; nothing is left out.
 *
 * Where all packets of a source come to one receiver (there is one, or a NIC deals by the source address alone), there need be
 * no workers: each receiver is its own, and sends to itself. Results are the same, also events where there is one receiver; of several, base.events
 * asks for none but those of days and bins (core/event_setup.h). Each then has shards for itself, so that at most
 * SHARDS receivers can. One that is stopped then holds windows up until it goes on.
 *
 * Memory that a thread writes is its own node's where it is bound to a processor: workers make their tables larger by themselves, and
 * receivers touch their batches first; what others make for them is not touched until then.
 *
 * Rules and lists may be changed between two windows (core/live_rules.h).
 *
 * Times are the capture's, from one clock (capture/live_clock.h), and never go back. Where they go on by more than LIVE_SKIPPED windows
 * at once (the clock was set, the machine slept, the process was stopped), none is written of that time: windows go on a little before the new
 * time, and a Gap in front of the first of them says what lies between. So does one in front of a run's first window.
 */
#ifndef CORE_LIVE_H
#define CORE_LIVE_H

#include "capture/capture.h"
#include "capture/capture_filter.h"
#include "capture/live_clock.h"
#include "capture/recorder.h"
#include "core/live_days.h"
#include "core/live_rules.h"
#include "core/pipeline.h"
#include "core/telescope_watch.h"
#include "export/ledger.h"

#include <stdatomic.h>

enum {
    LIVE_RECEIVERS = 64,       /* at most */
    LIVE_SLOTS = 7,            /* windows open at a time; the last slot is for what is late */
    LIVE_BATCHES = 4096,       /* of a receiver for each worker, some 100 KB each; */
    LIVE_BATCHES_ALONE = 8192, /* for the only one: 0.56 s of 10 GbE */
    LIVE_FLUSH_NS = 10000000,  /* no packet waits longer for its batch to be full */
    LIVE_SILENT_NS = 1000000000,
    /* Windows: from one at 1970 to now lie 30 million, which no disk has room for; an hour of empty ones of a minute each still says of
     * each prefix and feature that nothing came. */
    LIVE_SKIPPED = 60,
    LIVE_AHEAD_NS = 1000000000, /* windows open so long before they begin */
    LIVE_HELD =
        60, /* sealed windows that wait for a feed that can't be written, some 2 to 9 MB each */
};

/* A processor for a thread; LIVE_ANY_CPU: the system's choice. */
enum { LIVE_ANY_CPU = -1 };

struct live_receiver_settings {
    struct capture *capture; /* not closed */
    struct filter *filter;   /* NULL: every packet; its own, one thread uses it */
    uint32_t unknown;        /* set of enum ledger_drop that this way in can't see */
    int (*enter)(
        struct fault *fault); /* called by its thread before the first burst; may be NULL */
    void (*leave)(void);      /* and at the end */
    int cpu;
};

/* Memory that no backlog needed is not touched. */
static inline unsigned live_batches(unsigned workers)
{
    return workers == 1 ? LIVE_BATCHES_ALONE : LIVE_BATCHES;
}

/* What the threads came to so far, for a status line and metrics. Any thread may read. */
struct live_counters {
    uint64_t received,
        bytes; /* packets that captures handed over, and what they were on the wire */
    uint64_t dropped[DROP_COUNT]; /* as far as it is known */
    uint32_t unknown;             /* set of reasons that some capture can't see */
    uint64_t queued_batches;      /* on their way to workers */
    uint64_t counted; /* packets that workers have counted; of a batch that one holds none is yet */
    uint64_t sources; /* in the tables, when the last window was sealed */
    uint64_t windows, late; /* sealed; packets that were late */
    uint64_t held_windows;  /* wait for the feed to take them */
    uint64_t lost_windows;  /* were given up */
    struct summary_given_up
        given_up; /* by decisions of the memory cap that all workers have carried out; its packets are those of then */
    uint64_t silent;      /* set of receivers that said nothing for a second */
    int64_t watermark_ns; /* all before it was sent to workers */
    uint64_t generation;  /* of the rules of the window that was opened last: 1, 2, ... */
};

struct live;

struct live_settings {
    struct pipeline_settings base; /* but for capture, filter, steps_back, packets */
    struct live_rules rules;  /* in force at first; `rules` NULL: base.rules, base.survey alone */
    struct live_offer *offer; /* where others come from; NULL: there are none */
    struct live_receiver_settings receivers[LIVE_RECEIVERS];
    unsigned receiver_count;
    int worker_cpus[SHARDS];
    /* Each receiver counts what it receives, as its own worker (base.workers are as many): where all packets of a source come
     * to one receiver. */
    bool receivers_count;
    struct telescope_watch *const
        *watches; /* of each receiver: what prefixes get; NULL: nobody asks */
    struct recorder
        *recorder; /* gets every packet, with the receiver's number, and is finished; NULL: none */
    struct live_days *days;     /* with base.packs_days; NULL: days are not counted */
    struct survey_list *survey; /* what windows stand on at first; copied. NULL: nothing is known */
    int32_t due; /* days before this date are to be tried again (live_days_begin); 0: none */
    const char *event_file; /* of open events, with base.events; NULL: they are not kept */
    int64_t
        event_end_ns; /* of the feed's last window: a file that stands behind another one is left aside */
    struct live_clock *clock;
    int64_t
        feed_end_ns; /* what the feed has ends here: a Gap leads to the first window; 0: it has nothing */
    unsigned batches; /* live_batches() */
    atomic_int *stop; /* not 0: seal what is open and end */
    int64_t for_ns;   /* > 0: stop by itself after so long */
    /* Called by the keeper with how far all is, about every tick_ns (0: every second); may be NULL. */
    void (*tick)(void *context, const struct live_counters *now);
    int64_t tick_ns;
    /* Called in front of it: whether something of what is captured from, which was there, is not now. Windows of that time say partial.
     * May be NULL. */
    bool (*is_blind)(void *context);
    /* Called by the exporter where the feed can't be written (a message, once until it can again; then NULL). */
    void (*trouble)(void *context, const struct fault *fault);
    /* Called before there are threads, and by the exporter: what holds nothing up, for people; may be NULL. */
    void (*say)(void *context, const char *line);
    /* Called by the exporter when the windows up to `end_ns` are on disk; may be NULL. */
    void (*sealed)(void *context, int64_t end_ns);
    void *context;
};

struct live_result {
    struct pipeline_result pipeline;
    struct live_counters counters;
    struct live_rules
        rules; /* that feed and days still stand on; the caller's to release behind them; may be all zero */
};

/* Before anything is appended to a feed that is continued: appends the events of its last window that its writer did not get to (PATH as
 * `event_file`). 0, or -errno and a fault: the feed can't be written. */
struct feed_resume;
int live_events_settle(const char *event_file, const char *dir, struct feed_log *feed,
                       const struct feed_resume *resume, struct fault *fault);

/* Captures until it is told to stop. 0, or -errno with a fault where threads or memory could not be had; all rules but those of
 * the result are released in any case. The result is filled as far as it went; caller finishes it (pipeline_result_fini) in any case. */
int live_run(const struct live_settings *settings, struct live_result *result, struct fault *fault);

#endif
