/* pipeline_state: what a pipeline and its workers are made of. Its files alone include it. */
#ifndef CORE_PIPELINE_STATE_H
#define CORE_PIPELINE_STATE_H

#include "core/channel.h"
#include "core/day_turn.h"
#include "core/event_engine.h"
#include "core/event_export.h"
#include "core/memory_cap.h"
#include "core/pipeline.h"
#include "core/sorter.h"
#include "core/window_clock.h"

#include <pthread.h>

enum {
    BATCHES_AHEAD = 64, /* on their way to all workers, beside those that are being filled; */
    BATCHES_HELD =
        8, /* of a shard, that a worker counts one after the other: what it looks up for them stays
                         in its cache meanwhile */
    BATCHES_LEAST = 16, /* but to each not fewer than this: they hide the way between two caches */
    WINDOWS = WINDOW_SLOTS + 4, /* per worker: the open ones and some on their way; */
    WINDOWS_LIVE = 64,          /* live, so many more: made while an exporter waits for its disk */
    EMPTIES = WINDOWS_LIVE, /* per worker: windows without its packets that may be on their way */
};

/* What a batch without observations says. */
enum {
    MARK_OPEN = 1,
    MARK_SEAL,
    MARK_DAY,
    MARK_COUNT_TABLES, /* the worker says what its tables come to, at most; */
    MARK_WEIGH,        /* exactly; */
    MARK_GIVE_UP,      /* and gives up what was decided */
    MARK_EVENTS_WEIGH, /* the same of open events */
    MARK_EVENTS_GIVE_UP,
    MARK_SHARE, /* nothing: the receiver waits for it to come back */
    MARK_END
};

struct pipeline;

/* The way from one sender to one worker, and back. */
struct lane {
    struct channel *batches, *free_batches;
    struct batch *slab; /* all batches */
    unsigned batch_count;
    struct batch **
        spare; /* live: free ones that the sender has, the last to come back first: they are in its cache */
    unsigned spare_count;
};

struct worker {
    struct pipeline *pipeline;
    struct tally *tally;
    struct lane lane;             /* from the receiver; live: from the keeper */
    struct channel *sealed;       /* worker -> exporter; NULL at the end */
    struct channel *free_windows; /* exporter -> worker */
    struct event_engine *events;  /* NULL: events are not looked for */
    struct channel *
        tellings; /* worker -> exporter: struct event_told or NULL, for each window that is not late by itself */
    struct label labels[BATCH_OBSERVATIONS];
    struct channel *told; /* worker -> receiver: itself, when it did what one of these marks says */
    struct cap_counts counts;                 /* what it told */
    struct cap_weight *weight;                /* likewise; made when first asked for */
    uint64_t event_bytes;                     /* of open events, at least; */
    struct event_weight *event_weight;        /* exactly; made when first asked for */
    struct batch *held[SHARDS][BATCHES_HELD]; /* received and not counted yet, by shard */
    unsigned held_count[SHARDS], held_total;
    atomic_ulong counted; /* packets; what is held is not */
    struct window
        *windows[WINDOWS + WINDOWS_LIVE]; /* a stack: the last one used is touched and warm */
    unsigned windows_most;
    unsigned window_count, windows_made;
    unsigned empties;                       /* on their way to the exporter or back */
    struct batch_mark opened[WINDOW_SLOTS]; /* what was said of each slot's window */
    uint32_t
        announced; /* set of slots: their windows began and are not over, whoever has packets */
    struct tally_sources *sources; /* at the end: of the shards it added up itself */
    atomic_uint next_shard;        /* to be added up */
    pthread_t thread;
    bool is_running;
};

/* The receiver's (live: the keeper's): what the tables come to. All of it happens at numbers of packets, so that nothing depends on
 * speed. */
enum cap_state { CAP_IDLE, CAP_COUNTING, CAP_WEIGHING, CAP_GIVING_UP, CAP_EVENTS_WEIGHING };

struct pipeline_cap {
    uint64_t next;                /* packets sorted when there is something to do next */
    enum cap_state state;         /* what all workers were asked for; */
    bool is_stale;                /* of a day that is over: the answer is worth nothing */
    uint64_t asked;               /* packets, when they were asked last */
    uint64_t pairs, sources;      /* pairs of ports; when they were asked last */
    uint64_t turned;              /* packets, when a day became the current one */
    bool is_known;                /* tables were weighed, and no day was packed since: */
    uint64_t bytes, bytes_most;   /* exactly; by the counts, which are at least that */
    bool is_spent;                /* there is nothing left to give up */
    bool has_events;              /* open events may be beyond their cap: they are weighed next */
    int events_step;              /* those in steps up to it are closed; workers read it */
    struct cap_decision decision; /* the last one that gave up something; workers read it */
    bool is_deciding;             /* workers were told of it; the result says nothing of it yet */
};

struct pipeline {
    const struct pipeline_settings *settings;
    struct window_clock *clock;        /* NULL: live */
    const struct open_window *windows; /* WINDOW_SLOTS of them */
    struct worker workers[SHARDS];
    unsigned worker_count; /* that there are */
    bool is_shared;        /* a second worker was tried */
    struct worker *worker_of[SHARDS];
    struct sorter sorter; /* the receiver's */
    struct verdicts *verdicts;
    pthread_t exporter;
    bool is_exporting;
    struct pipeline_result *result;
    bool is_finishing;           /* a replay is over: what is open is sealed */
    struct event_export *events; /* the exporter's; NULL: none are looked for */
    struct event_told *tellings[SHARDS];
    atomic_int feed_err;  /* errno of the feed; the receiver stops on it */
    atomic_int feed_lock; /* 1: feed_fault is somebody's, who found it first */
    struct fault feed_fault;
    struct day_turn day; /* with days: the current one */
    uint64_t sorted;     /* packets; so many when a survey set was made last: */
    uint64_t judged_at;
    struct pipeline_cap cap;
};

/* Gives the calling thread its name (unless NULL) and its place among others. */
void pipeline_thread_begin(const struct pipeline *p, const char *name);

/* With all its batches free; `bell` as of channel_create(). 0 or -errno. */
int lane_init(struct lane *l, unsigned batch_count, struct bell *bell);
void lane_fini(struct lane *l); /* also of a part */

/* Gives a batch back to who sent it. */
static inline void batch_return(struct batch *b) { channel_push(b->home, b); }

/* A worker, which is all zero but for its lane: what it is made of; 0 or -errno. */
int pipeline_worker_init(struct worker *w, struct pipeline *p);
void pipeline_worker_fini(struct worker *w); /* also of a part */

/* The threads: of a struct worker, of a struct pipeline. */
void *pipeline_worker(void *worker);
void *pipeline_exporter(void *pipeline);

/* What a worker does with a batch: counts it at once, or holds it until it has more of its shard; what it holds of a
 * shard is counted in order; of that with the most, if it holds any. */
void pipeline_count(struct worker *w, struct batch *b);
void pipeline_hold(struct worker *w, struct batch *b);
void pipeline_count_held(struct worker *w, unsigned shard);
bool pipeline_count_most(struct worker *w);

/* A window is over: it goes to the exporter, with the mark's ledger where the worker is the first. */
void pipeline_seal(struct worker *w, const struct batch_mark *mark);

/* Stands in the sealed windows of a worker for one that holds none of its packets. */
extern struct window pipeline_empty_window;

/* What all workers tell with a sealed window: NULL, or whose events are to be given to event_export_take(). */
struct event_told **pipeline_tellings(struct pipeline *p);

/* Workers and exporter stop behind everything that was received. */
void pipeline_threads_finish(struct pipeline *p);

/* A window begins, or is over: says so to the workers; the day may turn. */
void pipeline_window_open(void *pipeline, unsigned slot, const struct open_window *w);
void pipeline_window_seal(void *pipeline, unsigned slot, const struct open_window *w);

/* Adds up what nobody has yet; the worker has counted all it gets. */
void pipeline_sum_shards(struct worker *w, struct tally_sources *sum);

/* Receives to the end of the capture; 0 or -errno and a fault. */
int pipeline_receive(struct pipeline *p, struct fault *fault);
struct batch *pipeline_send(void *pipeline, struct batch *full); /* the sorter's */
extern const struct window_clock_ops pipeline_clock_ops;

/* The first error of what goes to disk is kept; the receiver stops on it. */
void pipeline_feed_failed(struct pipeline *p, int err, const struct fault *fault);

/* Adds up what the workers counted; they are done. */
void pipeline_result_fill(struct pipeline *p);

/* Sends a mark behind all that was received before it. */
void pipeline_send_mark(struct pipeline *p, struct batch_mark mark);

/* Counts the workers' tables from the run's begin on. */
void pipeline_cap_begin(struct pipeline *p);

/* The receiver sorted p->cap.next packets. Waits for workers where something is to be given up. */
void pipeline_cap_turn(struct pipeline *p);

/* Live, now and then: as the turns, but goes on only where all workers have answered; never waits for one. */
void pipeline_cap_poll(struct pipeline *p, uint64_t received);

/* Live: workers go on with empty tables behind the mark that is sent next. What was given up is forgotten with them. */
void pipeline_cap_day_over(struct pipeline *p);

/* Says in the result what was decided, once workers have done it. */
void pipeline_cap_note(struct pipeline *p);

/* Whether enough was sorted since the last day turned to be worth another turn, which looks at all pairs. Where not, the
 * current day stays, and others go on as rows; results are the same. Says yes once for each turn. */
bool pipeline_cap_day(struct pipeline *p, bool is_judged);

/* A worker is told one of MARK_COUNT_TABLES to MARK_EVENTS_GIVE_UP. */
void pipeline_cap_work(struct worker *w, unsigned what);

/* A worker is told that a window begins (MARK_OPEN) or is over. */
void pipeline_announce(struct worker *w, const struct batch_mark *mark);

/* A worker is told that a day is over (MARK_DAY). */
void pipeline_turn_day(struct worker *w, const struct batch_mark *mark);

/* Gives a slot its window, when the first packet is there: most workers see nothing of a window of few packets. */
void pipeline_open(struct worker *w, unsigned slot);

/* A second worker takes half of the first one's shards, if it can be had. The receiver's. */
void pipeline_share(struct pipeline *p);
extern struct window pipeline_shared_window; /* says so to the exporter */

/* Packs what a shard has of all days, at the end; any thread. */
void pipeline_pack_days(struct worker *w, unsigned shard);

#endif
