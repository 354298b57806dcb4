/* pipeline_state: what a pipeline and its workers are made of. Its files alone include it. */
#ifndef CORE_PIPELINE_STATE_H
#define CORE_PIPELINE_STATE_H

#include "core/channel.h"
#include "core/day_turn.h"
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
enum { MARK_OPEN = 1, MARK_SEAL, MARK_DAY, MARK_END };

struct pipeline;

struct worker {
    struct pipeline *pipeline;
    struct tally *tally;
    struct channel *batches;                  /* receiver -> worker */
    struct channel *free_batches;             /* worker -> receiver */
    struct channel *sealed;                   /* worker -> exporter; NULL at the end */
    struct channel *free_windows;             /* exporter -> worker */
    struct batch *slab;                       /* all batches */
    struct batch *held[SHARDS][BATCHES_HELD]; /* received and not counted yet, by shard */
    unsigned held_count[SHARDS], held_total;
    unsigned batch_count;
    struct window *windows[WINDOWS]; /* a stack: the last one used is touched and warm */
    unsigned window_count, windows_made;
    unsigned empties;                       /* on their way to the exporter or back */
    struct batch_mark opened[WINDOW_SLOTS]; /* what was said of each slot's window */
    struct tally_sources *sources;          /* at the end: of the shards it added up itself */
    atomic_uint next_shard;                 /* to be added up */
    pthread_t thread;
    bool is_running;
};

struct pipeline {
    const struct pipeline_settings *settings;
    struct window_clock *clock;
    struct worker workers[SHARDS];
    struct worker *worker_of[SHARDS];
    struct sorter sorter; /* the receiver's */
    pthread_t exporter;
    bool is_exporting;
    struct pipeline_result *result;
    atomic_int feed_err;  /* errno of the feed; the receiver stops on it */
    atomic_int feed_lock; /* 1: feed_fault is somebody's, who found it first */
    struct fault feed_fault;
    struct day_turn day; /* with days: the current one */
    uint64_t sorted;     /* packets; so many when a survey set was made last: */
    uint64_t judged_at;
};

/* The first error of what goes to disk is kept; the receiver stops on it. */
void pipeline_feed_failed(struct pipeline *p, int err, const struct fault *fault);

/* A worker is told that a day is over (MARK_DAY). */
void pipeline_turn_day(struct worker *w, const struct batch_mark *mark);

/* Packs what a shard has of all days, at the end; any thread. */
void pipeline_pack_days(struct worker *w, unsigned shard);

#endif
