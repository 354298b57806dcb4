/* pipeline_state: what a pipeline and its workers are made of. Its files alone include it. */
#ifndef CORE_PIPELINE_STATE_H
#define CORE_PIPELINE_STATE_H

#include "core/channel.h"
#include "core/day_turn.h"
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
    WINDOWS = WINDOW_SLOTS + 4, /* per worker: the open ones and some on their way */
    EMPTIES = 64, /* per worker: windows without its packets that may be on their way */
};

/* What a batch without observations says. */
enum {
    MARK_OPEN = 1,
    MARK_SEAL,
    MARK_DAY,
    MARK_COUNT_TABLES, /* the worker says what its tables come to, at most; */
    MARK_WEIGH,        /* exactly; */
    MARK_GIVE_UP,      /* and gives up what was decided */
    MARK_END
};

struct pipeline;

struct worker {
    struct pipeline *pipeline;
    struct tally *tally;
    struct channel *batches;      /* receiver -> worker */
    struct channel *free_batches; /* worker -> receiver */
    struct channel *sealed;       /* worker -> exporter; NULL at the end */
    struct channel *free_windows; /* exporter -> worker */
    struct channel
        *told; /* worker -> receiver: itself, when it did what one of the last three marks says */
    struct cap_counts counts;                 /* what it told */
    struct cap_weight *weight;                /* likewise; made when first asked for */
    struct batch *slab;                       /* all batches */
    struct batch *held[SHARDS][BATCHES_HELD]; /* received and not counted yet, by shard */
    unsigned held_count[SHARDS], held_total;
    unsigned batch_count;
    struct window *windows[WINDOWS]; /* a stack: the last one used is touched and warm */
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

/* The receiver's: what the tables come to. All of it happens at numbers of packets, so that nothing depends on
 * speed. */
struct pipeline_cap {
    uint64_t next;                /* packets sorted when there is something to do next */
    bool is_asked;                /* all workers were asked for counts, which are read then */
    uint64_t asked;               /* packets, when they were asked last */
    uint64_t pairs;               /* of ports; when they were asked last */
    uint64_t turned;              /* packets, when a day became the current one */
    bool is_known;                /* tables were weighed, and no day was packed since: */
    uint64_t bytes, bytes_most;   /* exactly; by the counts, which are at least that */
    bool is_spent;                /* there is nothing left to give up */
    struct cap_decision decision; /* the last one that gave up something; workers read it */
};

struct pipeline {
    const struct pipeline_settings *settings;
    struct window_clock *clock;
    struct worker workers[SHARDS];
    struct worker *worker_of[SHARDS];
    struct sorter sorter; /* the receiver's */
    struct verdicts *verdicts;
    pthread_t exporter;
    bool is_exporting;
    struct pipeline_result *result;
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

/* A worker, which is all zero but for its number of batches: what it is made of; 0 or -errno. */
int pipeline_worker_init(struct worker *w, struct pipeline *p);
void pipeline_worker_fini(struct worker *w); /* also of a part */

/* The threads: of a struct worker, of a struct pipeline. */
void *pipeline_worker(void *worker);
void *pipeline_exporter(void *pipeline);

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

/* The receiver sorted p->cap.next packets. */
void pipeline_cap_turn(struct pipeline *p);

/* Whether enough was sorted since the last day turned to be worth another turn, which looks at all pairs. Where not, the
 * current day stays, and others go on as rows; results are the same. Says yes once for each turn. */
bool pipeline_cap_day(struct pipeline *p, bool is_judged);

/* A worker is told one of MARK_COUNT_TABLES to MARK_GIVE_UP. */
void pipeline_cap_work(struct worker *w, unsigned what);

/* A worker is told that a window begins (MARK_OPEN) or is over. */
void pipeline_announce(struct worker *w, const struct batch_mark *mark);

/* A worker is told that a day is over (MARK_DAY). */
void pipeline_turn_day(struct worker *w, const struct batch_mark *mark);

/* Packs what a shard has of all days, at the end; any thread. */
void pipeline_pack_days(struct worker *w, unsigned shard);

#endif
