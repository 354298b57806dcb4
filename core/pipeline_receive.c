/* The receiver of a replay: windows, filter, sorter. */
#include "core/day_turn.h"
#include "core/pipeline_state.h"

#include <string.h>

struct batch *pipeline_send(void *context, struct batch *full)
{
    struct pipeline *p = context;
    struct worker *w = p->worker_of[full->shard];
    channel_push(w->lane.batches, full);
    return channel_pop(w->lane.free_batches);
}

void pipeline_send_mark(struct pipeline *p, struct batch_mark mark)
{
    if (p->clock)
        sorter_flush(&p->sorter);
    for (unsigned i = 0; i < p->worker_count; i++) {
        struct batch *b = channel_pop(p->workers[i].lane.free_batches);
        b->mark = mark;
        memset(mark.dropped, 0, sizeof mark.dropped); /* is told once */
        mark.unknown = 0;
        mark.unrecorded = 0;
        channel_push(p->workers[i].lane.batches, b);
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

void pipeline_window_open(void *context, unsigned slot, const struct open_window *w)
{
    struct pipeline *p = context;
    int32_t date = p->day.of.date;
    if (p->settings->days && day_turn_open(&p->day, p->windows, slot, w->start_ns))
        day_send(p, date, w->start_ns);
    pipeline_send_mark(p, (struct batch_mark){.what = MARK_OPEN,
                                              .slot = slot,
                                              .part = w->part,
                                              .start_ns = w->start_ns,
                                              .is_late = w->is_late});
    if (!p->clock)
        return;
    bool is_two_days = p->settings->days && day_turn_splits(&p->day, w->start_ns);
    sorter_open(&p->sorter, slot, w->start_ns, p->settings->window_span_ns, is_two_days);
}

/* A replay is over, and this is the last window that is open. */
static bool is_last(const struct pipeline *p)
{
    unsigned open = 0;
    for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++)
        open += p->windows[slot].is_open;
    return p->is_finishing && open == 1;
}

void pipeline_window_seal(void *context, unsigned slot, const struct open_window *w)
{
    struct pipeline *p = context;
    struct batch_mark mark = {
        .what = MARK_SEAL,
        .slot = slot,
        .start_ns = w->next_ns,
        .is_late = w->is_late,
        .is_last = is_last(p),
        .is_partial = w->is_partial,
        .ends_day = w->ends_day,
        .oldest = w->oldest,
        .unknown = w->unknown,
        .unrecorded = w->unrecorded,
        .watermark_ns = p->clock ? window_clock_watermark(p->clock) : INT64_MAX,
        .first_ns = w->first_ns,
        .last_ns = w->last_ns,
    };
    memcpy(mark.dropped, w->dropped, sizeof mark.dropped);
    pipeline_send_mark(p, mark);
    int64_t start_ns;
    int32_t date = p->day.of.date;
    if (p->settings->days && day_turn_seal(&p->day, p->windows, slot, &start_ns))
        day_send(p, date, start_ns);
}

const struct window_clock_ops pipeline_clock_ops = {.open = pipeline_window_open,
                                                    .seal = pipeline_window_seal};

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
            window_clock_windows(p->clock)[slot].dropped[DROP_filtered]++;
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
    if (slot >= 0 && !(p->settings->rules->spoof_tests & ~SPOOF_DEFAULT)) {
        sorter_frames(&p->sorter, frames, count, (unsigned)slot);
        p->sorted += count;
        return;
    }
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

int pipeline_receive(struct pipeline *p, struct fault *fault)
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
