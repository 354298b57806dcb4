/* live_state: what a live capture is made of. Its files alone include it. */
#ifndef CORE_LIVE_STATE_H
#define CORE_LIVE_STATE_H

#include "core/event_save.h"
#include "core/live.h"
#include "core/pipeline_state.h"
#include "core/start_map.h"
#include "core/tally_day.h"
#include "export/feed_note.h"
#include "export/record.h"

struct live;

/* Rules that are in force from a window on. All but `next` and `fresh` is as it was made before it got here. */
struct generation {
    struct live_rules of;
    uint64_t number; /* 1, 2, ...; */
    int64_t from_ns; /* its first window: both are the keeper's, who has it first */
    _Atomic(struct generation *) next; /* NULL: it is the last one */
    struct verdicts *verdicts;
    unsigned receivers;
    struct generation_receiver {
        struct verdict_memory *verdicts;
        struct payload_scratch *scratch; /* NULL: payload rules are off */
    } * each;                            /* receiver */
    _Atomic(struct tally *)
        fresh[SHARDS]; /* by worker: to go on with; NULL: it has it, or makes it */
};

/* What a capture of these settings wants of rules; NULL with errno. */
struct generation *generation_create(const struct live *l, const struct live_rules *of);
void generation_destroy(struct generation *g); /* accepts NULL; releases the rules */

/* That of a window, from an earlier one on. */
static inline struct generation *generation_at(struct generation *g, int64_t start_ns)
{
    for (struct generation *next; (next = atomic_load_explicit(&g->next, memory_order_acquire)) &&
                                  next->from_ns <= start_ns;)
        g = next;
    return g;
}

/* A capture begins and ends to take what is offered; `o` may be NULL. */
void live_offer_begin(struct live_offer *o, struct live *l);
void live_offer_end(struct live_offer *o);

/* What was offered last; NULL: nothing since it was asked last. */
struct generation *live_offer_take(struct live_offer *o);

/* What a receiver dropped in the window of a slot; written by it, read by the keeper. */
struct receiver_window {
    _Atomic int64_t start_ns;
    atomic_ulong dropped[DROP_COUNT];
};

struct receiver {
    struct live *live;
    unsigned number;
    const struct live_receiver_settings *settings;
    struct sorter sorter;
    struct clock_reader clock;
    struct lane *lanes;       /* to each worker; */
    unsigned lane_count;      /* where it is its own worker, to that one alone */
    struct live_worker *own;  /* itself, as a worker; NULL: it is none */
    int64_t floor_ns;         /* no packet is sorted with an earlier time */
    int64_t turn_ns;          /* when it says how far it is the next time */
    int64_t start_ns, end_ns; /* its window; */
    unsigned slot;
    struct capture_drops drops; /* as they were when the capture last knew */
    pthread_t thread;
    bool is_running;
    /* For others to read. */
    _Alignas(64) _Atomic int64_t time_ns;    /* all before it was sent */
    _Atomic(struct generation *) generation; /* that it uses; all of the one before was sent */
    atomic_ulong received, bytes;
    atomic_uint unknown; /* set of enum ledger_drop */
    atomic_ulong dropped[DROP_COUNT];
    struct receiver_window windows[WINDOW_SLOTS];
};

/* In a worker's sealed windows: a day is over. */
extern struct window live_day_over;

/* What a worker's shards packed of a date when a window was sealed: with it the day's tables are empty again. */
struct live_part {
    struct live_part *next; /* of another date, or of other rules: late packets */
    int32_t date;
    bool is_current;
    struct day_rows rows[SHARDS]; /* that are not packed yet */
    struct record_buffer runs[SHARDS];
    struct count kinds[KIND_COUNT];
    struct day_given_up given_up;
};

/* What goes to the exporter for each sealed window, where days are counted. */
struct live_parts {
    struct live_part *first;
    struct live_part *others; /* of earlier rules, packed; behind the rest when all is */
    struct tally *over;       /* a tally that is done with and packed: to be destroyed; else NULL */
    struct late_tally *late;  /* likewise */
};

/* Counts what is late for windows of earlier rules. */
struct late_tally {
    struct late_tally *next;
    struct generation *generation;
    struct tally *tally;
};

void live_late_destroy(struct late_tally *late); /* all of a list; accepts NULL */

/* A worker's, beside struct worker. */
struct live_worker {
    struct live *live;
    struct worker *worker;
    struct bell *bell;
    struct lane *from[LIVE_RECEIVERS];
    struct batch *ahead[LIVE_RECEIVERS]; /* of a window that its marks have not come to */
    int64_t open_ns;                     /* the window whose packets are counted; marks have it */
    struct channel *parts;               /* to the exporter: struct live_parts, for each window */
    struct live_parts *packing;          /* NULL: all is packed */
    struct tally *packed_tally;          /* whose shards are being packed: */
    uint64_t unpacked;                   /* set of them; */
    int64_t pack_ns;                     /* the next one at this packet time, at the latest */
    struct channel *surveys;       /* from the exporter: a list that windows stand on from now on */
    struct channel *over;          /* to it, where days are not counted: tallies to be destroyed */
    struct channel *oldest;        /* likewise, of the first worker: the mark's of each window */
    struct generation *generation; /* of its tally */
    struct late_tally *late_tallies; /* of earlier ones, since the last window was sealed */
    struct tally *late_in;           /* that has the late window; NULL: there is none */
    int64_t first_ns[WINDOW_SLOTS], last_ns[WINDOW_SLOTS]; /* of its packets */
    atomic_ulong late;
    atomic_ulong sources; /* in its tables, when a window was sealed */
};

/* Late windows between two others, at most; what is later still goes to the feed ahead of its source days. */
enum { LIVE_LATE = 32 };

/* A window, what was packed with it, and the late windows whose packets are among that: the feed gets all of it or nothing. */
struct live_unit {
    struct window *windows[1 + LIVE_LATE]; /* the late ones stand last */
    unsigned count, appended, safe; /* windows; that the feed took; of them, on disk for sure */
    struct window_given_up said;    /* of others: the first of them says it */
    struct event_batch events;      /* told with the window */
    struct live_parts **parts;      /* of all workers; NULL: none, or the journal has them: */
    bool is_journaled;
    /* Time that no window has, in front of the first one; from_ns 0: there is none. */
    struct live_skip {
        int64_t from_ns, to_ns;
        enum feed_gap_reason reason;
        bool is_said, is_safe; /* the feed took it; it is on disk for sure */
    } skip;
};

struct live {
    struct pipeline pipeline;
    const struct live_settings *settings;
    struct live_result *result;
    struct receiver *receivers;
    struct live_worker workers[SHARDS];
    atomic_int stop;              /* receivers are to end */
    _Atomic int64_t announced_ns; /* the latest window whose marks were sent */
    struct generation *first;     /* as long as threads start */
    /* The keeper's: */
    struct clock_reader clock;
    struct open_window windows[WINDOW_SLOTS];
    int64_t next_ns;                  /* the window to be opened next */
    struct generation *newest;        /* of it; */
    int64_t oldest_ns;                /* the window to be sealed next; */
    struct generation *sealing;       /* of it; */
    struct calendar_day today;        /* its day */
    uint64_t (*assigned)[DROP_COUNT]; /* per receiver: what windows have of its drops */
    uint64_t unrecorded;              /* what windows have of the recorder's skips */
    int64_t begun_ns, tick_ns;
    int64_t kept_ns;                    /* when it looked last */
    int64_t hole_from_ns, hole_to_ns;   /* the last time in which nobody did */
    int64_t blind_from_ns, blind_to_ns; /* the last time in which something was not captured from */
    bool is_blind;
    uint32_t serial;
    /* The exporter's: */
    struct live_unit next;            /* late windows that wait for the next one */
    struct live_unit held[LIVE_HELD]; /* that the feed did not take, the oldest first */
    unsigned held_count;
    int32_t due;                       /* days before this date are over and not written; 0: none */
    int64_t day_wait_ns, day_retry_ns; /* one was not written: how long until it is tried again */
    bool is_day_late;                  /* and that was said */
    int64_t end_ns;                    /* of the window that came last */
    int64_t after_ns; /* of the last one in its turn, no late one; 0: there was none */
    uint64_t jumps;   /* of the clock, when that was last seen */
    bool has_begun;   /* a window came */
    struct window_given_up
        given_up; /* windows, and what they would have said beside packets: no window says it yet */
    struct feed_gap gap;      /* that says so; windows 0: it was said */
    struct feed_gap gap_said; /* it was, and waits for the next window; windows 0: it is safe */
    bool is_troubled, has_event_trouble;
    int64_t
        told_end_ns; /* of the window that was told with last, which is none that is late by itself */
    struct event_bytes event_bytes;     /* what is open, as workers said with the last window */
    struct event_bytes indicator_bytes; /* likewise indicators */
    struct event_bytes event_told;      /* what is told with it, as records */
    struct start_map *parts;            /* start -> records so far */
    struct generation *oldest;          /* that is not released; windows are looked up from it on */
    struct generation *identity;        /* that the feed's Header says */
    atomic_ulong windows_done, held_windows, lost_windows;
};

/* A tally as workers have them; NULL with errno. */
struct tally *live_tally_create(const struct live *l, const struct live_rules *rules);

/* The threads: of a struct receiver, a struct live_worker, a struct live. */
void *live_receiver(void *receiver);
void *live_worker(void *worker);
void *live_exporter(void *live);

/* A receiver that is its own worker: does some of what there is to do; with `is_idle` also what can wait. To the end, then. */
void live_worker_some(struct live_worker *l, bool is_idle);
void live_worker_end(struct live_worker *l);

/* Packing: begin puts aside what the worker counted of days up to `end_ns`, all its packets are of before; shard by shard it is
 * packed while later packets are counted: when there is nothing else to do, and by the packets' time. */
void live_pack_begin(struct live_worker *l, int64_t end_ns);
void live_pack_shard(struct live_worker *l, unsigned shard); /* if it is not yet */
bool live_pack_some(struct live_worker *l);                  /* false: there is nothing to pack */
void live_pack_all(struct live_worker *l);
void live_parts_destroy(struct live_parts *parts);

/* A new day, or other rules: the worker goes on with a fresh tally of them; packing has begun. */
void live_tally_swap(struct live_worker *l, struct generation *next);

/* What a tally counted of a day, its shards put aside; packing of one shard of it. */
struct live_part *live_part_begin(struct tally *t, struct tally_day *day);
void live_part_pack(struct live_part *part, struct tally *t, unsigned shard);

/* The tally for a late window of these rules. */
struct tally *live_late_tally(struct live_worker *l, struct generation *g);

/* Those for rules before the tally's are done with: what they counted is packed at once. Packing has begun. */
void live_late_pack(struct live_worker *l);

/* Open events: what workers say of them; it goes to its file, ahead of the window that it was said with; and comes from there, before there
 * are threads. */
void live_events_collect(struct live *l, struct event_told *const *told);
void live_events_keep(struct live *l, const struct live_unit *u); /* NULL: all is told */
void live_indicators_collect(struct live *l);
void live_events_resume(struct live *l);

/* The sorter's, of a receiver. */
struct batch *live_send(void *receiver, struct batch *full);

/* The keeper's work, in the calling thread, until it is told to stop; receivers have ended then, and all windows are
 * sealed. */
void live_keep_begin(struct live *l); /* before there are receivers */
void live_keep(struct live *l);

void live_counters_read(const struct live *l, struct live_counters *now);

/* The slot of a window that was sealed; its part's number is the exporter's to give. */
enum { LIVE_LATE_SLOT = LIVE_SLOTS };
static_assert((int)LIVE_LATE_SLOT == (int)WINDOW_SLOTS - 1, "one slot is left");

/* Batches that a receiver which polls touches before its first packet: 0.14 s at 14.88 million a second; seals were seen
 * to take a worker 0.1 s. 213 MB. */
enum { LIVE_TOUCHED = 2048 };

/* A worker that never rests packs all its shards in most of a window, at most so much, of the packets' time: at 5 million sources it was
 * 2 s of its own, so that nearly all is left for packets. */
static const int64_t LIVE_PACK_NS = INT64_C(30000000000);

/* For so long a receiver that is to end takes what there is. */
enum { LIVE_DRAIN_NS = 100000000 };

/* A keeper that did not run for so long was stopped, not busy. */
static const int64_t LIVE_HOLE_NS = INT64_C(3000000000);

/* Names and pins the calling thread. */
void live_thread_begin(const struct live *l, const char *name, int cpu);

/* The calling thread goes before all others on its processor, which is its own: receivers that poll, and their workers. Both
 * alike: the system deals what a service or a session gets among all its threads by their nice values, those on other
 * processors, too, so that one such thread alone would leave the others next to nothing where other services run. */
void live_thread_insist(int cpu);
bool live_polls(const struct live *l); /* whether there is such a receiver */

/* The calling thread goes behind those that have packets, and does not interrupt them when it is woken up. */
void live_thread_yield(const struct live *l);

/* The time down to a multiple of the span. */
static inline int64_t live_window_start(int64_t ts_ns, int64_t span_ns)
{
    return ts_ns - ts_ns % span_ns;
}

static inline unsigned live_slot(int64_t start_ns, int64_t span_ns)
{
    return (unsigned)(start_ns / span_ns % LIVE_SLOTS);
}

#endif
