#include "core/pipeline.h"

#include "capture/batch.h"
#include "core/channel.h"
#include "core/day_turn.h"
#include "core/memory.h"
#include "core/pipeline_state.h"
#include "core/sorter.h"
#include "core/window_clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICE = 10 };

/* Scheduling is a thread's own on Linux. Where it can't be changed, it stays. Who steps back does not
 * interrupt whom it wakes up beside, either. */
static void thread_begin(const struct pipeline *p, const char *name)
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
static struct window empty_window;

/* Takes back what the exporter is done with. */
static void worker_take_back(struct worker *w, struct window *window)
{
    if (window == &empty_window)
        w->empties--;
    else
        w->windows[w->window_count++] = window;
}

static struct window *worker_window(struct worker *w)
{
    struct window *window;
    while ((window = channel_try_pop(w->free_windows)))
        worker_take_back(w, window);
    if (w->window_count == 0 && w->windows_made < WINDOWS) {
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
    channel_push(w->sealed, &empty_window);
}

/* Gives a slot its window, when the first packet is there: most workers see nothing of a window of
 * few packets. */
static void worker_open(struct worker *w, unsigned slot)
{
    struct window *window = worker_window(w);
    window->start_ns = w->opened[slot].start_ns;
    window->span_ns = w->pipeline->settings->window_span_ns;
    window->part = w->opened[slot].part;
    tally_open(w->tally, slot, window);
}

static void worker_count(struct worker *w, struct batch *b)
{
    if (b->brief_count > 0 && !tally_is_open(w->tally, b->brief_slot))
        worker_open(w, b->brief_slot);
    for (uint32_t i = 0; i < b->count; i++)
        if (!tally_is_open(w->tally, b->at[i].slot))
            worker_open(w, b->at[i].slot);
    tally_batch(w->tally, b);
}

/* The first worker's window goes to the exporter in any case: it carries the ledger. */
static void worker_seal(struct worker *w, const struct batch_mark *mark)
{
    if (!tally_is_open(w->tally, mark->slot)) {
        if (w != w->pipeline->workers) {
            worker_send_empty(w);
            return;
        }
        worker_open(w, mark->slot);
    }
    struct window *window = tally_seal(w->tally, mark->slot);
    uint64_t packets = window->totals.packets;
    if (packets > 0) {
        window->totals.first_ns = mark->first_ns;
        window->totals.last_ns = mark->last_ns;
    }
    window->ledger = (struct window_ledger){
        .offered = packets + mark->filtered,
        .observed = packets,
        .filtered = mark->filtered,
        .late = mark->is_late ? packets : 0,
    };
    channel_push(w->sealed, window);
}

/* Adds up what nobody has yet; the worker has counted all it gets. */
static void sum_shards(struct worker *w, struct tally_sources *sum)
{
    unsigned shard;
    while ((shard = atomic_fetch_add_explicit(&w->next_shard, 1, memory_order_relaxed)) < SHARDS) {
        tally_sources_add(w->tally, shard, sum);
        if (w->pipeline->settings->days)
            pipeline_pack_days(w, shard);
    }
}

/* Counts what is held of a shard, in order. */
static void worker_count_held(struct worker *w, unsigned shard)
{
    for (unsigned i = 0; i < w->held_count[shard]; i++) {
        worker_count(w, w->held[shard][i]);
        channel_push(w->free_batches, w->held[shard][i]);
    }
    w->held_total -= w->held_count[shard];
    w->held_count[shard] = 0;
}

/* The next batch or mark. As long as there is none, what is held is counted, the most first. */
static struct batch *worker_next(struct worker *w)
{
    struct batch *b;
    while (!(b = channel_try_pop(w->batches)) && w->held_total > 0) {
        unsigned most = 0;
        for (unsigned shard = 1; shard < SHARDS; shard++)
            if (w->held_count[shard] > w->held_count[most])
                most = shard;
        worker_count_held(w, most);
    }
    return b ? b : channel_pop(w->batches);
}

static void worker_hold(struct worker *w, struct batch *b)
{
    w->held[b->shard][w->held_count[b->shard]++] = b;
    w->held_total++;
    if (w->held_count[b->shard] == BATCHES_HELD)
        worker_count_held(w, b->shard);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    thread_begin(w->pipeline, "worker");
    for (bool is_over = false; !is_over;) {
        struct batch *b = worker_next(w);
        if (b->mark.what == 0) {
            worker_hold(w, b);
            continue;
        }
        for (unsigned shard = 0; shard < SHARDS; shard++)
            worker_count_held(w, shard);
        switch (b->mark.what) {
        case MARK_OPEN:
            w->opened[b->mark.slot] = b->mark;
            tally_announce(w->tally, b->mark.slot);
            pipeline_announce(w, &b->mark);
            break;
        case MARK_SEAL:
            worker_seal(w, &b->mark);
            pipeline_announce(w, &b->mark);
            break;
        case MARK_COUNT_TABLES:
        case MARK_WEIGH:
        case MARK_GIVE_UP:
            pipeline_cap_work(w, b->mark.what);
            break;
        case MARK_DAY:
            pipeline_turn_day(w, &b->mark);
            break;
        case MARK_END:
            is_over = true;
            break;
        }
        channel_push(w->free_batches, b);
    }
    channel_push(w->sealed, NULL);
    sum_shards(w, w->sources);
    return NULL;
}

/* ---- exporter ---- */

static void export_window(struct pipeline *p, struct window *w)
{
    struct pipeline_result *result = p->result;

    if (p->settings->feed && !atomic_load_explicit(&p->feed_err, memory_order_relaxed)) {
        struct fault fault;
        int err = feed_log_append(p->settings->feed, w, &fault);
        if (err < 0)
            pipeline_feed_failed(p, err, &fault);
    }
    window_merge(result->total, w, WINDOW_SPANS);
    result->windows++;
    result->parts += w->part > 0;
}

static void *exporter_main(void *arg)
{
    struct pipeline *p = arg;
    unsigned count = p->settings->workers;
    thread_begin(p, "exporter");

    for (;;) {
        /* Workers seal in one order, the receiver's; so the heads of all channels are one window. */
        struct window *whole = channel_pop(p->workers[0].sealed);
        for (unsigned i = 1; i < count; i++) {
            struct window *shard = channel_pop(p->workers[i].sealed);
            if (!shard)
                continue;
            if (shard != &empty_window) {
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

/* ---- receiver ---- */

static struct batch *batch_send(void *context, struct batch *full)
{
    struct pipeline *p = context;
    struct worker *w = p->worker_of[full->shard];
    channel_push(w->batches, full);
    return channel_pop(w->free_batches);
}

void pipeline_send_mark(struct pipeline *p, struct batch_mark mark)
{
    sorter_flush(&p->sorter);
    for (unsigned i = 0; i < p->settings->workers; i++) {
        struct batch *b = channel_pop(p->workers[i].free_batches);
        b->mark = mark;
        mark.filtered = 0; /* is told once */
        channel_push(p->workers[i].batches, b);
    }
}

/* The day `left` is over; the window at `start_ns` is of the next. A later one that follows enough packets makes `left` what
 * windows stand on: judging looks at all that is counted, and a capture whose packets jump from day to day is not to
 * do that all the time. */
static void day_send(struct pipeline *p, int32_t left, int64_t start_ns)
{
    enum { JUDGED_SHARE = 1024 }; /* a capture of so many equal days has all of them judged */
    bool is_judged = p->settings->survey && p->day.of.date > left &&
                     p->sorted - p->judged_at >= p->sorted / JUDGED_SHARE;
    if (is_judged)
        p->judged_at = p->sorted;
    if (!pipeline_cap_day(p, is_judged))
        return;
    pipeline_send_mark(
        p, (struct batch_mark){
               .what = MARK_DAY, .start_ns = start_ns, .is_judged = is_judged, .date = left});
}

static void clock_open(void *context, unsigned slot, const struct open_window *w)
{
    struct pipeline *p = context;
    int32_t date = p->day.of.date;
    if (p->settings->days &&
        day_turn_open(&p->day, window_clock_windows(p->clock), slot, w->start_ns))
        day_send(p, date, w->start_ns);
    pipeline_send_mark(p, (struct batch_mark){.what = MARK_OPEN,
                                              .slot = slot,
                                              .part = w->part,
                                              .start_ns = w->start_ns,
                                              .is_late = w->is_late});
    bool is_two_days = p->settings->days && day_turn_splits(&p->day, w->start_ns);
    sorter_open(&p->sorter, slot, w->start_ns, p->settings->window_span_ns, is_two_days);
}

static void clock_seal(void *context, unsigned slot, const struct open_window *w)
{
    struct pipeline *p = context;
    pipeline_send_mark(p, (struct batch_mark){
                              .what = MARK_SEAL,
                              .slot = slot,
                              .is_late = w->is_late,
                              .filtered = w->filtered,
                              .first_ns = w->first_ns,
                              .last_ns = w->last_ns,
                          });
    int64_t start_ns;
    int32_t date = p->day.of.date;
    if (p->settings->days &&
        day_turn_seal(&p->day, window_clock_windows(p->clock), slot, &start_ns))
        day_send(p, date, start_ns);
}

/* Takes the frames out that the filter does not match; they are counted as dropped in their windows.
 * Returns how many are left, in order. */
static int filter_burst(struct pipeline *p, struct frame *frames, size_t count, struct fault *fault)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        int matches = filter_matches(p->settings->filter, &frames[i], fault);
        if (matches < 0)
            return matches;
        frames[left] = frames[i];
        left += (unsigned)matches;
        if (!matches) {
            unsigned slot = window_clock_slot(p->clock, frames[i].ts_ns);
            window_clock_windows(p->clock)[slot].filtered++;
            if (p->settings->days)
                day_minutes_find(p->settings->minutes, frames[i].ts_ns)->filtered++;
        }
    }
    return (int)left;
}

static unsigned slot_of(struct pipeline *p, int64_t ts_ns)
{
    unsigned slot = window_clock_slot(p->clock, ts_ns);
    open_window_holds(&window_clock_windows(p->clock)[slot], ts_ns, ts_ns);
    return slot;
}

/* Nearly always all lie in one minute that is marked. */
static void minutes_mark(struct pipeline *p, const struct frame *frames, size_t count,
                         int64_t first_ns, int64_t last_ns)
{
    struct day_minutes *minutes = p->settings->minutes;
    if (!p->settings->days || (first_ns >= minutes->from_ns && last_ns < minutes->to_ns))
        return;
    for (size_t i = 0; i < count; i++)
        day_minutes_mark(minutes, frames[i].ts_ns);
}

/* Nearly always all lie in one window; none is behind a number of packets at which there is something to do. */
static void sort_some(struct pipeline *p, const struct frame *frames, size_t count)
{
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;

    for (size_t i = 0; i < count; i++) {
        first_ns = frames[i].ts_ns < first_ns ? frames[i].ts_ns : first_ns;
        last_ns = frames[i].ts_ns > last_ns ? frames[i].ts_ns : last_ns;
    }
    minutes_mark(p, frames, count, first_ns, last_ns);
    int slot = window_clock_slot_of_all(p->clock, first_ns, last_ns);
    if (slot >= 0)
        open_window_holds(&window_clock_windows(p->clock)[slot], first_ns, last_ns);
    for (size_t i = 0; i < count; i++, p->sorted++)
        sorter_frame(&p->sorter, &frames[i],
                     slot >= 0 ? (unsigned)slot : slot_of(p, frames[i].ts_ns));
}

static void sort_frames(struct pipeline *p, const struct frame *frames, size_t count)
{
    while (count > 0) {
        uint64_t left = p->cap.next - p->sorted;
        size_t some = count < left ? count : (size_t)left;
        sort_some(p, frames, some);
        frames += some;
        count -= some;
        if (p->sorted == p->cap.next)
            pipeline_cap_turn(p);
    }
}

static int receive(struct pipeline *p, struct fault *fault)
{
    const struct pipeline_settings *s = p->settings;
    struct frame frames[FRAME_BURST];
    size_t count,
        burst = s->filter ? 1 : FRAME_BURST; /* filtered packets keep their place in time */

    while ((count = s->capture->ops->burst(s->capture, frames, burst)) > 0) {
        if (s->packets)
            atomic_fetch_add_explicit(s->packets, count, memory_order_relaxed);
        if (s->filter && s->days)
            day_minutes_mark(s->minutes, frames[0].ts_ns); /* also what it takes out */
        if (s->filter) {
            int left = filter_burst(p, frames, count, fault);
            if (left < 0)
                return left;
            count = (size_t)left;
        }
        sort_frames(p, frames, count);
        if (atomic_load_explicit(&p->feed_err, memory_order_relaxed))
            break;
    }
    return 0;
}

/* ---- setup ---- */

static int worker_create(struct worker *w, struct pipeline *p)
{
    const struct pipeline_settings *s = p->settings;

    w->pipeline = p;
    w->tally = tally_create(&p->sorter.key, s->rules, s->telescope, s->days != NULL, s->survey);
    w->batches = channel_create(w->batch_count);
    w->free_batches = channel_create(w->batch_count);
    w->sealed = channel_create(WINDOWS + EMPTIES + 1);
    w->free_windows = channel_create(WINDOWS + EMPTIES);
    w->told = channel_create(1);
    w->sources = calloc(1, sizeof *w->sources);
    if (!w->tally || !w->batches || !w->free_batches || !w->sealed || !w->free_windows ||
        !w->told || !w->sources)
        return -ENOMEM;
    w->slab = aligned_alloc(64, w->batch_count * sizeof *w->slab);
    if (!w->slab)
        return -ENOMEM;
    for (unsigned i = 0; i < w->batch_count; i++)
        channel_push(w->free_batches, &w->slab[i]);
    return 0;
}

/* Waits until the worker has counted all. */
static void worker_wait(struct worker *w)
{
    const struct batch *b;
    do
        b = channel_pop(w->free_batches);
    while (b->mark.what != MARK_END);
}

/* Workers and exporter stop behind everything that was received; who has nothing else to do adds up
 * sources. */
static void threads_finish(struct pipeline *p)
{
    for (unsigned i = 0; i < p->settings->workers; i++) {
        struct worker *w = &p->workers[i];
        if (!w->is_running)
            continue;
        struct batch *b = channel_pop(w->free_batches);
        b->mark.what = MARK_END;
        channel_push(w->batches, b);
    }
    for (unsigned i = 0; i < p->settings->workers; i++) {
        struct worker *w = &p->workers[i];
        if (!w->is_running)
            continue;
        worker_wait(w);
        sum_shards(w, p->result->sources);
        (void)pthread_join(w->thread, NULL);
    }
    if (p->is_exporting)
        (void)pthread_join(p->exporter, NULL);
}

static int threads_start(struct pipeline *p, struct fault *fault)
{
    for (unsigned i = 0; i < p->settings->workers; i++) {
        struct worker *w = &p->workers[i];
        int err = pthread_create(&w->thread, NULL, worker_main, w);
        if (err)
            return fault_set(fault, err, "worker thread %u: %s", i, strerror(err));
        w->is_running = true;
    }
    int err = pthread_create(&p->exporter, NULL, exporter_main, p);
    if (err)
        return fault_set(fault, err, "exporter thread: %s", strerror(err));
    p->is_exporting = true;
    return 0;
}

static void pipeline_destroy(struct pipeline *p)
{
    for (unsigned i = 0; i < p->settings->workers; i++) {
        struct worker *w = &p->workers[i];
        void *item;
        tally_destroy(w->tally);
        free(w->sources);
        free(w->weight);
        free(w->slab);
        while (w->free_windows && (item = channel_try_pop(w->free_windows)))
            if (item != &empty_window)
                window_destroy(item);
        while (w->window_count)
            window_destroy(w->windows[--w->window_count]);
        channel_destroy(w->batches);
        channel_destroy(w->free_batches);
        channel_destroy(w->sealed);
        channel_destroy(w->free_windows);
        channel_destroy(w->told);
    }
    address_set_destroy(p->sorter.destinations);
    window_clock_destroy(p->clock);
    free(p);
}

static int pipeline_create(struct pipeline **out, const struct pipeline_settings *settings,
                           struct pipeline_result *result)
{
    static const struct window_clock_ops clock_ops = {.open = clock_open, .seal = clock_seal};
    struct pipeline *p = *out = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->settings = settings;
    p->result = result;
    p->sorter = (struct sorter){
        .rules = settings->rules,
        .telescope = settings->telescope,
        .destinations = address_set_create(),
        .decap = settings->decap,
        .limit = settings->batch,
        .send = batch_send,
        .context = p,
    };
    p->day.span_ns = settings->window_span_ns;
    pipeline_cap_begin(p);
    hash_key_init(&p->sorter.key);
    p->clock = window_clock_create(settings->window_span_ns, settings->lateness_ns, &clock_ops, p);
    if (!p->clock || !p->sorter.destinations)
        return -ENOMEM;
    for (unsigned i = 0; i < settings->workers; i++)
        p->workers[i].batch_count = settings->workers * BATCHES_LEAST < BATCHES_AHEAD
                                        ? BATCHES_AHEAD / settings->workers
                                        : BATCHES_LEAST;
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        p->worker_of[shard] = &p->workers[shard % settings->workers];
        p->worker_of[shard]->batch_count += 1 + BATCHES_HELD;
    }
    for (unsigned i = 0; i < settings->workers; i++) {
        int err = worker_create(&p->workers[i], p);
        if (err < 0)
            return err;
    }
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&p->sorter, shard, channel_pop(p->worker_of[shard]->free_batches));
    return 0;
}

int pipeline_run(const struct pipeline_settings *settings, struct pipeline_result *result,
                 struct fault *fault)
{
    struct pipeline *p = NULL;

    *result = (struct pipeline_result){
        .total = window_create(),
        .sources = calloc(1, sizeof *result->sources),
    };
    int err = result->total && result->sources ? pipeline_create(&p, settings, result) : -ENOMEM;
    if (err < 0) {
        fault_set(fault, -err, "memory for %u workers: %s", settings->workers, strerror(-err));
        goto done;
    }
    err = threads_start(p, fault);
    if (err == 0) {
        thread_begin(p, NULL);
        err = receive(p, fault);
        window_clock_finish(p->clock);
    }
    threads_finish(p);
    if (err == 0 && (err = atomic_load(&p->feed_err)) < 0)
        *fault = p->feed_fault;
    if (err == 0)
        pipeline_result_fill(p);
done:
    if (p)
        pipeline_destroy(p);
    return err;
}
