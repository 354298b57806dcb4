/* A receiver: from a capture to the batches of all workers. */
#include "capture/decode.h"
#include "core/live_state.h"

#include <sched.h>

/* ---- what is dropped ---- */

static void add(atomic_ulong *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_release);
}

/* First to the window, then to the sum: so the sum never holds more than windows do, but for what is late. */
static void dropped(struct receiver *r, enum ledger_drop why, uint64_t packets)
{
    add(&r->windows[r->slot].dropped[why], packets);
    add(&r->dropped[why], packets);
}

static void spare_take(struct lane *lane)
{
    for (struct batch *b; (b = channel_try_pop(lane->free_batches));)
        lane->spare[lane->spare_count++] = b;
}

struct batch *live_send(void *context, struct batch *full)
{
    struct receiver *r = context;
    struct pipeline *p = &r->live->pipeline;
    struct lane *lane = r->own ? r->lanes : &r->lanes[p->worker_of[full->shard] - p->workers];
    spare_take(lane);
    if (__builtin_expect(lane->spare_count == 0, 0)) {
        dropped(r, DROP_ring_full, full->brief_count + full->count);
        return full;
    }
    channel_push(lane->batches, full);
    return lane->spare[--lane->spare_count];
}

/* What the capture lost since it was asked last goes to the window of now. What it can't say this time it may say the next: how far
 * that was is kept, else all of it were lost once more. */
static void drops_read(struct receiver *r)
{
    struct capture *c = r->settings->capture;
    struct capture_drops now;
    if (!c->ops->drops)
        return;
    c->ops->drops(c, &now);
    const int64_t counts[] = {[DROP_nic_missed] = now.nic_missed,
                              [DROP_nic_nombuf] = now.nic_nombuf,
                              [DROP_nic_error] = now.nic_error,
                              [DROP_kernel] = now.kernel};
    int64_t *const before[] = {[DROP_nic_missed] = &r->drops.nic_missed,
                               [DROP_nic_nombuf] = &r->drops.nic_nombuf,
                               [DROP_nic_error] = &r->drops.nic_error,
                               [DROP_kernel] = &r->drops.kernel};
    unsigned unknown = r->settings->unknown;
    for (unsigned why = 0; why < sizeof counts / sizeof *counts; why++) {
        if (counts[why] < 0) {
            unknown |= 1u << why;
            continue;
        }
        if (counts[why] > *before[why])
            dropped(r, why, (uint64_t)(counts[why] - *before[why]));
        *before[why] = counts[why];
    }
    atomic_store_explicit(&r->unknown, unknown, memory_order_relaxed);
}

static struct telescope_watch *watch_of(const struct receiver *r)
{
    return r->live->settings->watches ? r->live->settings->watches[r->number] : NULL;
}

/* ---- windows ---- */

/* All that it had of windows before was sent. */
static void rules_turn(struct receiver *r)
{
    struct generation *before = atomic_load_explicit(&r->generation, memory_order_relaxed);
    struct generation *g = generation_at(before, r->start_ns);
    if (g == before)
        return;
    r->sorter.rules = g->of.rules;
    r->sorter.verdicts = g->each[r->number].verdicts;
    r->sorter.scratch = g->each[r->number].scratch;
    r->sorter.generation = g;
    atomic_store_explicit(&r->generation, g, memory_order_release);
}

/* Goes on to the window of a time, as soon as workers know of it: the keeper is a second ahead. */
static void window_turn(struct receiver *r, int64_t ts_ns)
{
    struct live *l = r->live;
    int64_t span_ns = l->settings->base.window_span_ns;
    sorter_flush(&r->sorter);
    r->start_ns = live_window_start(ts_ns, span_ns);
    r->end_ns = r->start_ns + span_ns;
    r->floor_ns = r->start_ns > r->floor_ns ? r->start_ns : r->floor_ns;
    r->slot = live_slot(r->start_ns, span_ns);
    while (atomic_load_explicit(&l->announced_ns, memory_order_acquire) < r->start_ns) {
        if (r->own) /* the keeper may have no room to say so */
            live_worker_some(r->own, false);
        (void)sched_yield();
    }
    rules_turn(r);
    struct receiver_window *w = &r->windows[r->slot];
    for (unsigned why = 0; why < DROP_COUNT; why++)
        atomic_store_explicit(&w->dropped[why], 0, memory_order_relaxed);
    atomic_store_explicit(&w->start_ns, r->start_ns, memory_order_release);
    r->sorter.window_ns = r->start_ns;
    if (watch_of(r))
        telescope_watch_turn(watch_of(r), calendar_day_of(r->start_ns).date);
    sorter_open(&r->sorter, r->slot, r->start_ns, span_ns, false);
}

/* How long until what is there is sent the next time: longer where a worker is behind (it waits for a receiver that says
 * nothing), so that room goes to full batches. */
static int64_t flush_ns(struct receiver *r)
{
    unsigned shift = 0;
    for (unsigned i = 0; i < r->lane_count; i++) {
        struct lane *lane = &r->lanes[i];
        spare_take(lane);
        unsigned away = lane->batch_count - lane->spare_count;
        unsigned eighths = away > SHARDS ? (away - SHARDS) * 8 / lane->batch_count : 0;
        shift = eighths > shift ? eighths : shift;
    }
    return (int64_t)LIVE_FLUSH_NS << (shift < 5 ? shift : 5);
}

/* Sends what is there, and says so. */
static void receiver_turn(struct receiver *r, int64_t now_ns)
{
    int64_t until_ns = now_ns - r->settings->capture->ops->slack_ns;
    if (until_ns >= r->end_ns)
        window_turn(r, until_ns);
    else
        sorter_flush(&r->sorter);
    drops_read(r);
    if (until_ns > r->floor_ns)
        r->floor_ns = until_ns;
    atomic_store_explicit(&r->time_ns, r->floor_ns, memory_order_release);
    r->turn_ns = now_ns + flush_ns(r);
}

/* ---- packets ---- */

static void sort_run(struct receiver *r, const struct frame *frames, size_t count)
{
    if (!(r->sorter.rules->spoof_tests & ~SPOOF_DEFAULT)) {
        sorter_frames(&r->sorter, frames, count, r->slot);
        return;
    }
    for (size_t i = 0; i < count; i++)
        sorter_frame(&r->sorter, &frames[i], r->slot);
}

/* One by one: some lie before what was said, or behind the window's end. */
static void sort_each(struct receiver *r, struct frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (frames[i].ts_ns < r->floor_ns)
            frames[i].ts_ns = r->floor_ns;
        if (frames[i].ts_ns >= r->end_ns)
            window_turn(r, frames[i].ts_ns);
        sort_run(r, &frames[i], 1);
    }
}

/* Takes out what the filter does not match. Where it can't say, the packet is counted. */
static size_t filter_some(struct receiver *r, struct frame *frames, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct fault fault;
        bool matches = filter_matches(r->settings->filter, &frames[i], &fault) != 0;
        frames[left] = frames[i];
        left += matches;
    }
    if (left < count)
        dropped(r, DROP_filtered, count - left);
    return left;
}

/* Whom a frame is for, in all but rare ones where it always stands; else it is decoded. */
static void watch_frame(struct receiver *r, struct telescope_watch *watch, const struct frame *f)
{
    uint8_t address[16] = {0};
    uint16_t type = f->link_type == 1 && f->caplen >= 14 ? read_be16(f->data + 12) : 0;
    if (type == 0x0800 && f->caplen >= 34) {
        memcpy(address, f->data + 30, 4);
        telescope_watch_take(watch, address, 4, f->ts_ns);
    } else if (type == 0x86dd && f->caplen >= 54) {
        memcpy(address, f->data + 38, sizeof address);
        telescope_watch_take(watch, address, 6, f->ts_ns);
    } else {
        struct observation o;
        decode(f, r->sorter.decap, &o);
        if (o.state & OBSERVATION_IP)
            telescope_watch_take(watch, o.dst, o.ip_version, f->ts_ns);
    }
}

static void receive_some(struct receiver *r, struct frame *frames, size_t count)
{
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += frames[i].wire_len;
    add(&r->received, count);
    add(&r->bytes, bytes);
    if (r->live->settings->recorder)
        recorder_add(r->live->settings->recorder, r->number, frames, count);
    if (r->settings->filter)
        count = filter_some(r, frames, count);
    for (size_t i = 0; i < count; i++) {
        first_ns = frames[i].ts_ns < first_ns ? frames[i].ts_ns : first_ns;
        last_ns = frames[i].ts_ns > last_ns ? frames[i].ts_ns : last_ns;
    }
    if (__builtin_expect(first_ns >= r->floor_ns && last_ns < r->end_ns, 1))
        sort_run(r, frames, count);
    else
        sort_each(r, frames, count);
    struct telescope_watch *watch = watch_of(r);
    for (size_t i = 0; watch && i < count; i++)
        watch_frame(r, watch, &frames[i]);
}

/* ---- thread ---- */

/* Writes what is there to each page of the batch. */
static void batch_touch(struct batch *b)
{
    enum { PAGE = 4096 };
    for (volatile char *at = (char *)b; at < (char *)(b + 1); at += PAGE)
        *at = *at;
}

/* Of all lanes those that go out first: memory that is touched first while packets wait costs 1 us a page here, and more
 * where others change the process's memory meanwhile. */
static void batches_touch(struct receiver *r)
{
    for (unsigned i = 0; i < r->lane_count; i++) {
        struct lane *lane = &r->lanes[i];
        spare_take(lane);
        for (unsigned k = 0; k < lane->spare_count && k < LIVE_TOUCHED / r->lane_count; k++)
            batch_touch(lane->spare[lane->spare_count - 1 - k]);
    }
    for (unsigned shard = 0; shard < SHARDS; shard++)
        batch_touch(r->sorter.shards[shard].batch);
}

/* A NIC's ring is full after 0.3 ms, other threads are given 3 ms at once. */
static void receiver_insist(struct receiver *r)
{
    if (r->settings->capture->ops->wait)
        return;
    batches_touch(r);
    live_thread_insist(r->settings->cpu);
}

static void receiver_begin(struct receiver *r)
{
    int64_t now_ns = live_clock_now(&r->clock);
    r->floor_ns = now_ns - r->settings->capture->ops->slack_ns;
    window_turn(r, r->floor_ns);
    r->turn_ns = now_ns;
}

void *live_receiver(void *arg)
{
    enum { POLLS = 64 }; /* empty bursts between two looks at the clock */
    struct receiver *r = arg;
    struct capture *c = r->settings->capture;
    struct frame frames[FRAME_BURST];
    unsigned idle = 0;

    struct fault fault;
    live_thread_begin(r->live, "receiver", r->settings->cpu);
    if (r->settings->enter && r->settings->enter(&fault) < 0 && r->live->settings->trouble)
        r->live->settings->trouble(r->live->settings->context, &fault);
    receiver_insist(r);
    receiver_begin(r);
    while (!atomic_load_explicit(&r->live->stop, memory_order_relaxed)) {
        size_t count = c->ops->burst(c, frames, FRAME_BURST);
        if (count > 0)
            receive_some(r, frames, count);
        else if (c->ops->wait && !(r->own && r->own->worker->held_total + r->own->unpacked))
            c->ops->wait(c, LIVE_FLUSH_NS / 1000000);
        if (r->own)
            live_worker_some(r->own, count == 0);
        if (count == 0 && !c->ops->wait && ++idle % POLLS != 0)
            continue;
        int64_t now_ns = live_clock_now(&r->clock);
        if (now_ns >= r->turn_ns)
            receiver_turn(r, now_ns);
    }
    /* What arrived before the end is still taken, if there is an end to it. */
    int64_t end_ns = live_clock_now(&r->clock) + LIVE_DRAIN_NS;
    for (size_t count; live_clock_now(&r->clock) < end_ns &&
                       (count = c->ops->burst(c, frames, FRAME_BURST)) > 0;) {
        receive_some(r, frames, count);
        if (r->own)
            live_worker_some(r->own, false);
    }
    receiver_turn(r, live_clock_now(&r->clock));
    if (r->settings->leave)
        r->settings->leave();
    atomic_store_explicit(&r->time_ns, INT64_MAX, memory_order_release);
    if (r->own)
        live_worker_end(r->own);
    return NULL;
}
