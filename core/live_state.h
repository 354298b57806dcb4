/* live_state: what a live capture is made of. Its files alone include it. */
#ifndef CORE_LIVE_STATE_H
#define CORE_LIVE_STATE_H

#include "core/live.h"
#include "core/pipeline_state.h"
#include "core/start_map.h"
#include "core/tally_day.h"
#include "export/feed_note.h"
#include "export/record.h"

struct live;

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
    struct lane *lanes;       /* to each worker */
    int64_t floor_ns;         /* no packet is sorted with an earlier time */
    int64_t turn_ns;          /* when it says how far it is the next time */
    int64_t start_ns, end_ns; /* its window; */
    unsigned slot;
    struct capture_drops drops; /* as they were last; what is unknown, too */
    pthread_t thread;
    bool is_running;
    /* For others to read. */
    _Alignas(64) _Atomic int64_t time_ns; /* all before it was sent */
    atomic_ulong received, bytes;
    atomic_uint unknown; /* set of enum ledger_drop */
    atomic_ulong dropped[DROP_COUNT];
    struct receiver_window windows[WINDOW_SLOTS];
};

/* In a worker's sealed windows: a day is over. */
extern struct window live_day_over;

/* What a worker's shards packed of a date when a window was sealed: with it the day's tables are empty again. */
struct live_part {
    struct live_part *next; /* of another date: late packets */
    struct tally_day *day;
    int32_t date;
    bool is_current;
    struct record_buffer runs[SHARDS];
    struct count kinds[KIND_COUNT];
    struct day_given_up given_up;
};

/* What goes to the exporter for each sealed window, where days are counted. */
struct live_parts {
    struct live_part *first;
    struct tally *over; /* a tally whose day is over and packed: to be destroyed; else NULL */
};

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
    uint64_t unpacked;                   /* set of them */
    struct channel *fresh;               /* from the exporter: a tally for the next day; */
    struct channel *surveys;             /* a list that windows stand on from now on */
    int64_t first_ns[WINDOW_SLOTS], last_ns[WINDOW_SLOTS]; /* of its packets */
    atomic_ulong counted, late;
    atomic_ulong sources; /* in its tables, when a window was sealed */
};

/* Late windows between two others, at most; what is later still goes to the feed ahead of its source days. */
enum { LIVE_LATE = 32 };

/* A window, what was packed with it, and the late windows whose packets are among that: the feed gets all of it or nothing. */
struct live_unit {
    struct window *windows[1 + LIVE_LATE]; /* the late ones stand last */
    unsigned count, appended;              /* windows; that the feed took and are not safe yet */
    struct live_parts **parts; /* of all workers; NULL: none, or the journal has them: */
    bool is_journaled;
};

struct live {
    struct pipeline pipeline;
    const struct live_settings *settings;
    struct live_result *result;
    struct receiver *receivers;
    struct live_worker workers[SHARDS];
    atomic_int stop;              /* receivers are to end */
    _Atomic int64_t announced_ns; /* the latest window whose marks were sent */
    /* The keeper's: */
    struct clock_reader clock;
    struct open_window windows[WINDOW_SLOTS];
    int64_t next_ns;                  /* the window to be opened next */
    int64_t oldest_ns;                /* the window to be sealed next; */
    struct calendar_day today;        /* its day */
    uint64_t (*assigned)[DROP_COUNT]; /* per receiver: what windows have of its drops */
    uint64_t unrecorded;              /* what windows have of the recorder's skips */
    int64_t begun_ns, tick_ns;
    int64_t kept_ns;                  /* when it looked last */
    int64_t hole_from_ns, hole_to_ns; /* the last time in which nobody did */
    uint32_t serial;
    /* The exporter's: */
    struct live_unit next;            /* late windows that wait for the next one */
    struct live_unit held[LIVE_HELD]; /* that the feed did not take, the oldest first */
    unsigned held_count;
    int32_t due;         /* days before this date are over and not written; 0: none */
    int64_t end_ns;      /* of the window that came last */
    uint64_t given_up;   /* windows, since the last one that was written */
    struct feed_gap gap; /* that says so; windows 0: it was said */
    bool is_troubled;
    struct start_map *parts; /* start -> records so far */
    atomic_ulong windows_done, held_windows, lost_windows;
};

/* A tally as workers have them; NULL with errno. */
struct tally *live_tally_create(struct live *l);

/* The threads: of a struct receiver, a struct live_worker, a struct live. */
void *live_receiver(void *receiver);
void *live_worker(void *worker);
void *live_exporter(void *live);

/* Packing: after all packets of a window, and before the next ones, of each shard. Begin takes what has no source at once; the
 * shards follow when they are needed, or when there is time. */
void live_pack_begin(struct live_worker *l);
void live_pack_shard(struct live_worker *l, unsigned shard); /* if it is not yet */
bool live_pack_some(struct live_worker *l);                  /* false: there is nothing to pack */
void live_pack_all(struct live_worker *l);
void live_parts_destroy(struct live_parts *parts);

/* A new day: the worker goes on with a fresh tally; packing has begun. */
void live_day_swap(struct live_worker *l);

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

/* For so long a receiver that is to end takes what there is. */
enum { LIVE_DRAIN_NS = 100000000 };

/* A keeper that did not run for so long was stopped, not busy. */
static const int64_t LIVE_HOLE_NS = INT64_C(3000000000);

/* Names and pins the calling thread. */
void live_thread_begin(const struct live *l, const char *name, int cpu);

/* The calling thread goes behind those that have packets, and does not interrupt them when it is woken up. */
void live_thread_yield(void);

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
