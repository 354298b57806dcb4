/* The threads behind the receiver: workers, which count, and the exporter, which puts their windows together. */
#include "core/event_activity.h"
#include "core/memory.h"
#include "core/pipeline_state.h"
#include "core/tally_state.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICE = 10 };

/* Scheduling is a thread's own on Linux. Where it can't be changed, it stays. Who steps back does not
 * interrupt whom it wakes up beside, either. */
void pipeline_thread_begin(const struct pipeline *p, const char *name)
{
    if (name)
        (void)pthread_setname_np(pthread_self(), name);
    if (!p->settings->steps_back || getpriority(PRIO_PROCESS, (id_t)gettid()) >= NICE)
        return;
    (void)sched_setscheduler(gettid(), SCHED_BATCH, &(struct sched_param){0});
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

/* ---- worker ---- */

void pipeline_feed_failed(struct pipeline *p, int err, const struct fault *fault)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&p->feed_lock, &none, 1))
        return;
    p->feed_fault = *fault;
    atomic_store_explicit(&p->feed_err, err, memory_order_release);
}

/* In place of a window that holds no packets of this worker. */
struct window pipeline_empty_window;

/* Takes back what the exporter is done with. */
static void worker_take_back(struct worker *w, struct window *window)
{
    if (window == &pipeline_empty_window)
        w->empties--;
    else
        w->windows[w->window_count++] = window;
}

static struct window *worker_window(struct worker *w)
{
    struct window *window;
    while ((window = channel_try_pop(w->free_windows)))
        worker_take_back(w, window);
    if (w->window_count == 0 && w->windows_made < w->windows_most) {
        w->windows_made++;
        return memory_must(window_create());
    }
    while (w->window_count == 0)
        worker_take_back(w, channel_pop(w->free_windows));
    return w->windows[--w->window_count];
}

static void worker_send_empty(struct worker *w)
{
    while (w->empties == EMPTIES)
        worker_take_back(w, channel_pop(w->free_windows));
    w->empties++;
    channel_push(w->sealed, &pipeline_empty_window);
}

void pipeline_open(struct worker *w, unsigned slot)
{
    struct window *window = worker_window(w);
    window->start_ns = w->opened[slot].start_ns;
    window->span_ns = w->pipeline->settings->window_span_ns;
    window->part = w->opened[slot].part;
    tally_open(w->tally, slot, window);
}

/* Its events wait for event_engine_count(). */
static void batch_count(struct worker *w, struct batch *b)
{
    if (b->brief_count > 0 && !tally_is_open(w->tally, b->brief_slot))
        pipeline_open(w, b->brief_slot);
    for (uint32_t i = 0; i < b->count; i++)
        if (!tally_is_open(w->tally, b->at[i].slot))
            pipeline_open(w, b->at[i].slot);
    tally_batch_labels(w->tally, b, w->events ? w->labels : NULL);
    if (w->events)
        event_engine_batch(w->events, b, w->labels);
    atomic_store_explicit(&w->counted,
                          atomic_load_explicit(&w->counted, memory_order_relaxed) + b->brief_count +
                              b->count,
                          memory_order_relaxed);
}

void pipeline_count(struct worker *w, struct batch *b)
{
    batch_count(w, b);
    if (w->events)
        event_engine_count(w->events);
}

/* What is told with the window goes ahead of it. */
static void events_seal(struct worker *w, const struct batch_mark *mark)
{
    if (!w->events)
        return;
    __int128 end = (__int128)w->opened[mark->slot].start_ns + w->pipeline->settings->window_span_ns;
    const struct event_seal seal = {
        .slot = mark->slot,
        .is_late = mark->is_late,
        .is_last = mark->is_last,
        .end_ns = end < INT64_MAX ? (int64_t)end : INT64_MAX,
        .watermark_ns = mark->watermark_ns,
    };
    channel_push(w->tellings, event_engine_seal(w->events, &seal));
}

/* The first worker's window goes to the exporter in any case: it carries the ledger. */
void pipeline_seal(struct worker *w, const struct batch_mark *mark)
{
    events_seal(w, mark);
    if (!tally_is_open(w->tally, mark->slot)) {
        if (w != w->pipeline->workers) {
            worker_send_empty(w);
            return;
        }
        pipeline_open(w, mark->slot);
    }
    struct window *window = tally_seal(w->tally, mark->slot);
    uint64_t packets = window->totals.packets;
    if (packets > 0) {
        window->totals.first_ns = mark->first_ns;
        window->totals.last_ns = mark->last_ns;
    }
    window->is_partial = mark->is_partial;
    window->given_up.recorder_packets += mark->unrecorded;
    window->ledger = (struct window_ledger){
        .observed = packets, .late = mark->is_late ? packets : 0, .unknown = mark->unknown};
    for (unsigned why = 0; why < DROP_COUNT; why++)
        ledger_drop_set(&window->ledger, why, mark->dropped[why]);
    window->ledger.offered = packets + ledger_dropped(&window->ledger);
    channel_push(w->sealed, window);
}

/* Adds up what nobody has yet; the worker has counted all it gets. */
void pipeline_sum_shards(struct worker *w, struct tally_sources *sum)
{
    unsigned shard;
    while ((shard = atomic_fetch_add_explicit(&w->next_shard, 1, memory_order_relaxed)) < SHARDS) {
        tally_sources_add(w->tally, shard, sum);
        if (w->pipeline->settings->days)
            pipeline_pack_days(w, shard);
        tally_payload_sources_add(w->tally, shard, sum);
    }
}

/* Counts what is held of a shard, in order. */
void pipeline_count_held(struct worker *w, unsigned shard)
{
    for (unsigned i = 0; i < w->held_count[shard]; i++) {
        if (i + 1 < w->held_count[shard])
            tally_batch_ahead(w->held[shard][i + 1]);
        batch_count(w, w->held[shard][i]);
    }
    if (w->events)
        event_engine_count(w->events);
    for (unsigned i = 0; i < w->held_count[shard]; i++)
        batch_return(w->held[shard][i]);
    w->held_total -= w->held_count[shard];
    w->held_count[shard] = 0;
}

bool pipeline_count_most(struct worker *w)
{
    unsigned most = 0;
    if (w->held_total == 0)
        return false;
    for (unsigned shard = 1; shard < SHARDS; shard++)
        if (w->held_count[shard] > w->held_count[most])
            most = shard;
    pipeline_count_held(w, most);
    return true;
}

/* The next batch or mark. As long as there is none, what is held is counted, the most first. */
static struct batch *worker_next(struct worker *w)
{
    struct batch *b;
    while (!(b = channel_try_pop(w->lane.batches)) && pipeline_count_most(w))
        ;
    return b ? b : channel_pop(w->lane.batches);
}

void pipeline_hold(struct worker *w, struct batch *b)
{
    w->held[b->shard][w->held_count[b->shard]++] = b;
    w->held_total++;
    if (w->held_count[b->shard] == BATCHES_HELD)
        pipeline_count_held(w, b->shard);
}

void *pipeline_worker(void *arg)
{
    struct worker *w = arg;
    pipeline_thread_begin(w->pipeline, "worker");
    for (bool is_over = false; !is_over;) {
        struct batch *b = worker_next(w);
        if (b->mark.what == 0) {
            pipeline_hold(w, b);
            continue;
        }
        for (unsigned shard = 0; shard < SHARDS; shard++)
            pipeline_count_held(w, shard);
        switch (b->mark.what) {
        case MARK_OPEN:
            w->opened[b->mark.slot] = b->mark;
            tally_announce(w->tally, b->mark.slot);
            if (w->events)
                event_engine_open(w->events, b->mark.slot, b->mark.start_ns, b->mark.is_late);
            pipeline_announce(w, &b->mark);
            break;
        case MARK_SEAL:
            pipeline_seal(w, &b->mark);
            pipeline_announce(w, &b->mark);
            break;
        case MARK_COUNT_TABLES:
        case MARK_WEIGH:
        case MARK_GIVE_UP:
        case MARK_EVENTS_WEIGH:
        case MARK_EVENTS_GIVE_UP:
            pipeline_cap_work(w, b->mark.what);
            break;
        case MARK_DAY:
            pipeline_turn_day(w, &b->mark);
            break;
        case MARK_SHARE:
            break;
        case MARK_END:
            is_over = true;
            break;
        }
        batch_return(b);
    }
    channel_push(w->sealed, NULL);
    pipeline_sum_shards(w, w->sources);
    return NULL;
}

/* ---- exporter ---- */

struct event_told **pipeline_tellings(struct pipeline *p)
{
    for (unsigned i = 0; i < p->settings->workers; i++)
        p->tellings[i] = channel_pop(p->workers[i].tellings);
    return p->tellings;
}

/* The window first, then what was told with it. */
static void export_feed(struct pipeline *p, const struct window *w, struct event_batch *events)
{
    struct fault fault;
    if (!p->settings->feed || atomic_load_explicit(&p->feed_err, memory_order_relaxed))
        return;
    int err = feed_log_append(p->settings->feed, w, &fault);
    if (err == 0)
        err = event_batch_append(p->events, events, p->settings->feed, &fault);
    if (err < 0)
        pipeline_feed_failed(p, err, &fault);
}

/* What the bins that were over with the window say. */
static void export_activity(struct pipeline *p, const struct window *w)
{
    struct event_activity *activity = p->events ? p->settings->events->activity : NULL;
    struct fault fault;
    if (!activity || !p->settings->feed || atomic_load_explicit(&p->feed_err, memory_order_relaxed))
        return;
    int err = event_activity_append(activity, p->settings->feed, w->start_ns + w->span_ns, &fault);
    if (err < 0)
        pipeline_feed_failed(p, err, &fault);
}

static void export_window(struct pipeline *p, struct window *w)
{
    struct pipeline_result *result = p->result;
    struct event_batch events = {0};
    if (p->events) {
        struct event_told **told = pipeline_tellings(p);
        event_export_window(p->events, w);
        event_export_take(p->events, told, p->settings->workers, &events);
        w->given_up.events += events.gave_up;
    }
    export_feed(p, w, &events);
    event_batch_fini(&events);
    if (p->events)
        event_export_bins(p->events);
    export_activity(p, w);
    window_merge(result->total, w, WINDOW_SPANS);
    result->windows++;
    result->parts += w->part > 0;
}

void *pipeline_exporter(void *arg)
{
    struct pipeline *p = arg;
    unsigned count = p->settings->workers;
    pipeline_thread_begin(p, "exporter");

    for (;;) {
        /* Workers seal in one order, the receiver's; so the heads of all channels are one window. */
        struct window *whole = channel_pop(p->workers[0].sealed);
        if (whole == &pipeline_shared_window) {
            count++;
            continue;
        }
        for (unsigned i = 1; i < count; i++) {
            struct window *shard = channel_pop(p->workers[i].sealed);
            if (!shard)
                continue;
            if (shard != &pipeline_empty_window) {
                window_merge(whole, shard, WINDOW_SHARDS);
                window_clear(shard);
            }
            channel_push(p->workers[i].free_windows, shard);
        }
        if (!whole)
            return NULL;
        export_window(p, whole);
        window_clear(whole);
        channel_push(p->workers[0].free_windows, whole);
    }
}

/* ---- setup ---- */

int lane_init(struct lane *l, unsigned batch_count, struct bell *bell)
{
    l->batch_count = batch_count;
    l->batches = channel_create(batch_count, bell);
    l->free_batches = channel_create(batch_count, NULL);
    l->slab = aligned_alloc(64, batch_count * sizeof *l->slab);
    if (!l->batches || !l->free_batches || !l->slab)
        return -ENOMEM;
    for (unsigned i = 0; i < batch_count; i++) {
        l->slab[i].home = l->free_batches;
        channel_push(l->free_batches, &l->slab[i]);
    }
    return 0;
}

void lane_fini(struct lane *l)
{
    channel_destroy(l->batches);
    channel_destroy(l->free_batches);
    free(l->slab);
    free(l->spare);
    *l = (struct lane){0};
}

int pipeline_worker_init(struct worker *w, struct pipeline *p)
{
    const struct pipeline_settings *s = p->settings;

    w->pipeline = p;
    w->windows_most = p->clock ? WINDOWS : WINDOWS + WINDOWS_LIVE;
    w->tally = tally_create(&p->sorter.key, s->rules, s->telescope,
                            s->days != NULL || s->packs_days, s->survey);
    w->sealed = channel_create(WINDOWS + WINDOWS_LIVE + EMPTIES + 2, NULL);
    w->free_windows = channel_create(WINDOWS + WINDOWS_LIVE + EMPTIES, NULL);
    w->told = channel_create(1, NULL);
    w->tellings = channel_create(WINDOWS + WINDOWS_LIVE + EMPTIES + 2, NULL);
    if (s->events)
        w->events = event_engine_create(s->events, &p->sorter.key, s->rules);
    if (w->events && w->tally && (s->days || s->packs_days))
        w->tally->reach = event_engine_reach(w->events);
    w->sources = calloc(1, sizeof *w->sources);
    if (!w->tally || !w->sealed || !w->free_windows || !w->told || !w->tellings || !w->sources ||
        (s->events && !w->events))
        return -ENOMEM;
    return 0;
}

void pipeline_worker_fini(struct worker *w)
{
    void *item;
    tally_destroy(w->tally);
    event_engine_destroy(w->events);
    while (w->tellings && channel_count(w->tellings) > 0)
        event_told_destroy(channel_pop(w->tellings));
    free(w->sources);
    free(w->weight);
    free(w->event_weight);
    while (w->free_windows && (item = channel_try_pop(w->free_windows)))
        if (item != &pipeline_empty_window)
            window_destroy(item);
    while (w->window_count)
        window_destroy(w->windows[--w->window_count]);
    channel_destroy(w->sealed);
    channel_destroy(w->free_windows);
    channel_destroy(w->told);
    channel_destroy(w->tellings);
}
