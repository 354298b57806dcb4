/* The keeper of a live capture: decides about windows, by the times of receivers. */
#include "core/live_state.h"

#include <string.h>
#include <time.h>

/* ---- ledger ---- */

static uint64_t read_counter(const atomic_ulong *counter)
{
    return atomic_load_explicit((atomic_ulong *)counter, memory_order_acquire);
}

/* What a receiver dropped in a window, and what it dropped too late for its own. The sum is read before the windows, which hold
 * all of it by then: what is left is no window's that is still open. */
static void drops_take(struct live *l, unsigned receiver, int64_t start_ns, struct batch_mark *mark)
{
    struct receiver *r = &l->receivers[receiver];
    for (unsigned why = 0; why < DROP_COUNT; why++) {
        uint64_t all = read_counter(&r->dropped[why]), own = 0, open = 0;
        for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++) {
            const struct receiver_window *w = &r->windows[slot];
            int64_t of_ns = atomic_load_explicit(&w->start_ns, memory_order_acquire);
            if (of_ns == start_ns)
                own += read_counter(&w->dropped[why]);
            else if (of_ns > start_ns)
                open += read_counter(&w->dropped[why]);
        }
        uint64_t known = l->assigned[receiver][why] + own + open;
        uint64_t add = own + (all > known ? all - known : 0);
        mark->dropped[why] += add;
        l->assigned[receiver][why] += add;
    }
    mark->unknown |= atomic_load_explicit(&r->unknown, memory_order_relaxed);
}

/* What the recorder did without since the window before. */
static uint64_t unrecorded_take(struct live *l)
{
    struct recorder_counts counts;
    if (!l->settings->recorder)
        return 0;
    recorder_counts(l->settings->recorder, &counts);
    uint64_t since = counts.skipped - l->unrecorded;
    l->unrecorded = counts.skipped;
    return since;
}

/* ---- windows ---- */

/* What was offered is in force from the next window on. Not from the first: workers change their rules when the one before is sealed. */
static void rules_take(struct live *l)
{
    struct generation *g = live_offer_take(l->settings->offer);
    if (!g)
        return;
    g->number = l->newest->number + 1;
    g->from_ns = l->next_ns;
    atomic_store_explicit(&l->newest->next, g, memory_order_release);
    l->newest = g;
}

static void window_open(struct live *l)
{
    struct pipeline *p = &l->pipeline;
    int64_t span_ns = l->settings->base.window_span_ns;
    unsigned slot = live_slot(l->next_ns, span_ns);
    struct open_window *w = &l->windows[slot];
    *w = (struct open_window){.start_ns = l->next_ns, .serial = ++l->serial, .is_open = true};
    if (w->serial > 1)
        rules_take(l);
    pipeline_window_open(p, slot, w);
    atomic_store_explicit(&l->announced_ns, l->next_ns, memory_order_release);
    l->next_ns += span_ns;
}

/* Whether the window to be sealed next is another day's. */
static bool day_is_over(struct live *l)
{
    if (calendar_holds(l->today.start_ns, l->today.end_ns, l->oldest_ns))
        return false;
    l->today = calendar_day_of(l->oldest_ns);
    return true;
}

/* Likewise whether it has other rules. */
static bool rules_are_over(struct live *l)
{
    struct generation *g = generation_at(l->sealing, l->oldest_ns);
    bool is_over = g != l->sealing;
    l->sealing = g;
    return is_over;
}

/* The oldest rules that receivers use, or the window to be sealed. A receiver that uses later ones has sent all
 * that it had of these. */
static struct generation *rules_oldest(const struct live *l)
{
    struct generation *oldest = l->sealing;
    for (unsigned i = 0; i < l->settings->receiver_count; i++) {
        struct generation *g =
            atomic_load_explicit(&l->receivers[i].generation, memory_order_acquire);
        oldest = g->number < oldest->number ? g : oldest;
    }
    return oldest;
}

/* The one behind it, which is open, begins at `next_ns`. */
static void window_seal(struct live *l, bool is_partial, int64_t next_ns)
{
    int64_t span_ns = l->settings->base.window_span_ns;
    unsigned slot = live_slot(l->oldest_ns, span_ns);
    struct open_window *w = &l->windows[slot];
    w->is_partial = is_partial || w->start_ns < l->begun_ns ||
                    (w->start_ns < l->hole_to_ns && w->start_ns + span_ns > l->hole_from_ns) ||
                    (w->start_ns < l->blind_to_ns && w->start_ns + span_ns > l->blind_from_ns);
    memset(w->dropped, 0, sizeof w->dropped);
    w->unknown = 0;
    struct batch_mark sums = {0};
    for (unsigned i = 0; i < l->settings->receiver_count; i++)
        drops_take(l, i, l->oldest_ns, &sums);
    memcpy(w->dropped, sums.dropped, sizeof w->dropped);
    w->unknown = sums.unknown;
    w->unrecorded = unrecorded_take(l);
    w->oldest = rules_oldest(l);
    l->oldest_ns = w->next_ns = next_ns;
    w->ends_day = l->settings->base.packs_days && day_is_over(l);
    bool ends_rules = rules_are_over(l);
    if (w->ends_day || ends_rules) /* what tables gave up is forgotten with them */
        pipeline_cap_day_over(&l->pipeline);
    pipeline_window_seal(&l->pipeline, slot, w);
    w->is_open = false;
}

/* How far all receivers are that say anything. One that has ended stands at INT64_MAX. */
static int64_t watermark(const struct live *l, int64_t now_ns)
{
    int64_t least = now_ns;
    bool is_any = false;
    for (unsigned i = 0; i < l->settings->receiver_count; i++) {
        int64_t at = atomic_load_explicit(&l->receivers[i].time_ns, memory_order_acquire);
        if (at < now_ns - LIVE_SILENT_NS)
            continue;
        is_any = true;
        least = at < least ? at : least;
    }
    return is_any ? least : now_ns - LIVE_SILENT_NS;
}

/* ---- thread ---- */

void live_counters_read(const struct live *l, struct live_counters *now)
{
    *now = (struct live_counters){.watermark_ns = INT64_MAX};
    for (unsigned i = 0; i < l->settings->receiver_count; i++) {
        const struct receiver *r = &l->receivers[i];
        now->received += read_counter(&r->received);
        now->bytes += read_counter(&r->bytes);
        now->unknown |=
            atomic_load_explicit(&((struct receiver *)r)->unknown, memory_order_relaxed);
        for (unsigned why = 0; why < DROP_COUNT; why++)
            now->dropped[why] += read_counter(&r->dropped[why]);
        int64_t at = atomic_load_explicit(&((struct receiver *)r)->time_ns, memory_order_relaxed);
        now->watermark_ns = at < now->watermark_ns ? at : now->watermark_ns;
    }
    for (unsigned i = 0; i < l->settings->base.workers; i++) {
        const struct live_worker *w = &l->workers[i];
        now->counted += read_counter(&w->worker->counted);
        now->late += read_counter(&w->late);
        now->sources += read_counter(&w->sources);
        for (unsigned k = 0; k < l->settings->receiver_count; k++)
            now->queued_batches += w->from[k] ? channel_count(w->from[k]->batches) : 0;
    }
    now->generation = l->newest->number;
    now->windows = read_counter(&l->windows_done);
    now->held_windows = read_counter(&l->held_windows);
    now->lost_windows = read_counter(&l->lost_windows);
    now->given_up = l->result->pipeline.given_up; /* the keeper's own */
}

/* What is not captured from may have been like that since the look before. A time that a window is still open of stays in. */
static void blind_note(struct live *l, int64_t now_ns, int64_t before_ns)
{
    bool is_blind = l->settings->is_blind && l->settings->is_blind(l->settings->context);
    if (is_blind && !l->is_blind && l->blind_to_ns <= l->oldest_ns)
        l->blind_from_ns = before_ns;
    if (is_blind)
        l->blind_to_ns = INT64_MAX;
    else if (l->is_blind)
        l->blind_to_ns = now_ns;
    l->is_blind = is_blind;
}

static void tick(struct live *l, int64_t now_ns)
{
    struct live_counters now;
    live_counters_read(l, &now);
    for (unsigned i = 0; i < l->settings->receiver_count; i++) {
        int64_t at_ns = atomic_load_explicit(&l->receivers[i].time_ns, memory_order_relaxed);
        now.silent |= (uint64_t)(at_ns < now_ns - LIVE_SILENT_NS) << i;
    }
    if (l->settings->tick)
        l->settings->tick(l->settings->context, &now);
}

/* What is done at numbers of packets: the memory cap. A worker that is stopped holds no window up. */
static void cap_look(struct live *l)
{
    uint64_t received = 0;
    for (unsigned i = 0; i < l->settings->receiver_count; i++)
        received += read_counter(&l->receivers[i].received);
    pipeline_cap_poll(&l->pipeline, received);
}

/* Time in which this process did not run: stopped, or the machine slept. */
static void hole_note(struct live *l, int64_t now_ns)
{
    if (l->kept_ns > 0 && now_ns - l->kept_ns > LIVE_HOLE_NS) {
        l->hole_from_ns = l->kept_ns;
        l->hole_to_ns = now_ns;
    }
    l->kept_ns = now_ns;
}

/* Time went on by more windows than are worth a record each: what is open is sealed, and windows go on a little before `now_ns`, since receivers
 * may know of it longer. The first of them is open before the last of those is sealed, as ever. */
static void jump(struct live *l, int64_t now_ns)
{
    int64_t span_ns = l->settings->base.window_span_ns;
    if (l->oldest_ns == l->next_ns || now_ns - l->next_ns <= LIVE_HOLE_NS ||
        (now_ns - l->next_ns) / span_ns <= LIVE_SKIPPED)
        return;
    int64_t start_ns = live_window_start(now_ns - 2 * LIVE_SILENT_NS, span_ns);
    while (l->oldest_ns + span_ns < l->next_ns)
        window_seal(l, false, l->oldest_ns + span_ns);
    if (live_slot(start_ns, span_ns) == live_slot(l->oldest_ns, span_ns))
        start_ns -= span_ns; /* a slot is one window's */
    l->next_ns = start_ns;
    window_open(l);
    window_seal(l, false, start_ns);
}

static void keep_once(struct live *l, int64_t now_ns)
{
    hole_note(l, now_ns);
    jump(l, now_ns);
    int64_t span_ns = l->settings->base.window_span_ns, at_ns = watermark(l, now_ns);
    while (l->next_ns - LIVE_AHEAD_NS <= now_ns) {
        if (l->next_ns - l->oldest_ns == LIVE_SLOTS * span_ns)
            window_seal(l, false,
                        l->oldest_ns + span_ns); /* the machine slept: its slot is needed */
        window_open(l);
    }
    while (l->oldest_ns + span_ns <= at_ns)
        window_seal(l, false, l->oldest_ns + span_ns);
    cap_look(l);
}

static void rest(void)
{
    const struct timespec moment = {0, 5000000};
    (void)nanosleep(&moment, NULL);
}

static void receivers_end(struct live *l)
{
    atomic_store_explicit(&l->stop, 1, memory_order_relaxed);
    for (unsigned i = 0; i < l->settings->receiver_count; i++) {
        struct receiver *r = &l->receivers[i];
        while (r->is_running &&
               atomic_load_explicit(&r->time_ns, memory_order_acquire) != INT64_MAX) {
            keep_once(l, live_clock_now(&l->clock)); /* it may wait for a window to open */
            rest();
        }
        if (r->is_running && !r->own) /* it goes on as a worker */
            (void)pthread_join(r->thread, NULL);
    }
}

/* What it does not get to the disk by now stands in the last window. */
static void recorder_end(struct live *l)
{
    struct fault fault;
    if (l->settings->recorder && recorder_finish(l->settings->recorder, &fault) < 0 &&
        l->settings->say)
        l->settings->say(l->settings->context, fault.text);
}

void live_keep_begin(struct live *l)
{
    l->begun_ns = live_clock_now(&l->clock);
    l->next_ns = l->oldest_ns = live_window_start(l->begun_ns, l->settings->base.window_span_ns);
    if (l->settings->base.packs_days)
        l->today = calendar_day_of(l->oldest_ns);
    keep_once(l, l->begun_ns);
}

void live_keep(struct live *l)
{
    int64_t now_ns = l->begun_ns;
    int64_t tick_ns = l->settings->tick_ns > 0 ? l->settings->tick_ns : 1000000000;
    while (!atomic_load_explicit(l->settings->stop, memory_order_relaxed) &&
           (l->settings->for_ns == 0 || now_ns - l->begun_ns < l->settings->for_ns)) {
        now_ns = live_clock_now(&l->clock);
        keep_once(l, now_ns);
        if (now_ns - l->tick_ns >= tick_ns) {
            blind_note(l, now_ns, l->tick_ns > 0 ? l->tick_ns : l->begun_ns);
            l->tick_ns = now_ns;
            tick(l, now_ns);
        }
        rest();
    }
    receivers_end(l);
    now_ns = live_clock_now(&l->clock);
    keep_once(l, now_ns);
    recorder_end(l);
    int64_t span_ns = l->settings->base.window_span_ns;
    while (l->oldest_ns <= now_ns)
        window_seal(l, l->oldest_ns + span_ns > now_ns, l->oldest_ns + span_ns);
}
