/* The exporter of a live capture: puts windows together, and writes them as soon as that is possible. */
#include "core/live_state.h"
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

struct window live_day_over;

/* ---- feed ---- */

static void parts_drop(struct live *l, struct live_unit *u)
{
    for (unsigned i = 0; u->parts && i < l->settings->base.workers; i++)
        live_parts_destroy(u->parts[i]);
    free(u->parts);
    u->parts = NULL;
}

static void trouble(struct live *l, const struct fault *fault)
{
    if ((fault != NULL) == l->is_troubled)
        return;
    l->is_troubled = fault != NULL;
    if (l->settings->trouble)
        l->settings->trouble(l->settings->context, fault);
}

/* Its windows are given up. */
static void gap_note(struct live *l, const struct live_unit *u)
{
    struct feed_gap *gap = &l->gap;
    for (unsigned i = 0; i < u->count; i++) {
        const struct window *w = u->windows[i];
        int64_t end_ns = w->start_ns + w->span_ns;
        if (gap->windows == 0)
            *gap = (struct feed_gap){
                .from_ns = w->start_ns, .to_ns = end_ns, .reason = FEED_GAP_windows};
        gap->from_ns = w->start_ns < gap->from_ns ? w->start_ns : gap->from_ns;
        gap->to_ns = end_ns > gap->to_ns ? end_ns : gap->to_ns;
        gap->windows++;
    }
    l->given_up += u->count;
    atomic_fetch_add_explicit(&l->lost_windows, u->count, memory_order_relaxed);
}

/* Says what was given up, once: a full disk may have room for it, and none for the window behind it. */
static int gap_write(struct live *l, struct fault *fault)
{
    if (l->gap.windows == 0)
        return 0;
    int err = feed_log_append_gap(l->settings->base.feed, &l->gap, fault);
    if (err == 0)
        err = feed_log_sync(l->settings->base.feed, fault);
    if (err == 0)
        l->gap.windows = 0;
    return err;
}

static int parts_write(struct live *l, struct live_unit *u, struct fault *fault)
{
    if (!u->parts)
        return 0;
    int err = live_days_add(l->settings->days, u->parts, l->settings->base.workers, u->windows[0],
                            feed_log_seq(l->settings->base.feed), fault);
    u->is_journaled = err == 0;
    if (err == 0)
        parts_drop(l, u);
    return err;
}

static int windows_write(struct live *l, struct live_unit *u, struct fault *fault)
{
    struct feed_log *feed = l->settings->base.feed;
    int err = 0;
    while (u->appended < u->count && err == 0) {
        struct window *w = u->windows[u->appended];
        uint64_t given_up = u->appended == 0 ? l->given_up : 0;
        w->given_up.windows += given_up;
        err = feed_log_append(feed, w, fault);
        w->given_up.windows -= given_up;
        u->appended += err == 0;
    }
    if (err < 0)
        return err;
    err = feed_log_sync(feed, fault);
    if (err < 0)
        u->appended = 0; /* all was taken back */
    return err;
}

/* Journal first, then the feed: what the journal has more than the feed is left out by who opens both again. */
static int unit_write(struct live *l, struct live_unit *u)
{
    struct fault fault;
    int err = parts_write(l, u, &fault);
    if (err == 0 && u->appended == 0)
        err = gap_write(l, &fault);
    if (err == 0)
        err = windows_write(l, u, &fault);
    if (err < 0) {
        trouble(l, &fault);
        return err;
    }
    l->given_up = 0;
    if (l->settings->days)
        live_days_kept(l->settings->days, feed_log_seq(l->settings->base.feed));
    return 0;
}

static void unit_drop(struct live *l, struct live_unit *u)
{
    parts_drop(l, u);
    for (unsigned i = 0; i < u->count; i++)
        window_destroy(u->windows[i]);
}

/* Those that wait, in order; stops at the first that the feed does not take. */
static void held_write(struct live *l)
{
    unsigned done = 0;
    while (done < l->held_count && unit_write(l, &l->held[done]) == 0)
        unit_drop(l, &l->held[done++]);
    l->held_count -= done;
    memmove(l->held, l->held + done, l->held_count * sizeof *l->held);
    if (done > 0 && l->held_count == 0)
        trouble(l, NULL);
}

/* Keeps a window, which is the exporter's from now on; the oldest is given up where there is no room, but not one whose parts the
 * journal has: its day counts it. */
static void hold(struct live *l, const struct live_unit *u)
{
    if (l->held_count == LIVE_HELD) {
        unsigned first = l->held[0].is_journaled ? 1 : 0;
        gap_note(l, &l->held[first]);
        unit_drop(l, &l->held[first]);
        l->held_count--;
        memmove(l->held + first, l->held + first + 1, (l->held_count - first) * sizeof *l->held);
    }
    l->held[l->held_count++] = *u;
}

static uint32_t part_of(struct live *l, int64_t start_ns)
{
    struct fault fault;
    uint32_t base = 0;
    if (l->settings->base.feed &&
        feed_log_part_base(l->settings->base.feed, start_ns, &base, &fault) < 0)
        trouble(l, &fault);
    return base + start_map_next(l->parts, start_ns);
}

/* A window is whole: what it says of itself, and to the sums. */
static void window_note(struct live *l, struct window *w)
{
    struct pipeline_result *result = &l->result->pipeline;
    w->part = part_of(l, w->start_ns);
    l->end_ns = w->start_ns + w->span_ns;
    window_merge(result->total, w, WINDOW_SPANS);
    result->windows++;
    result->parts += w->part > 0;
    atomic_fetch_add_explicit(&l->windows_done, 1, memory_order_relaxed);
}

/* Writes a unit, or keeps it; then another takes the place of its first window. */
static struct window *export_unit(struct live *l, struct live_unit *u)
{
    struct window *w = u->windows[0];
    if (l->settings->base.feed) {
        held_write(l);
        if (l->held_count > 0 || unit_write(l, u) < 0) {
            hold(l, u);
            *u = (struct live_unit){0};
            w = memory_must(window_create());
        }
        atomic_store_explicit(&l->held_windows, l->held_count, memory_order_relaxed);
    }
    for (unsigned i = 1; i < u->count; i++)
        window_destroy(u->windows[i]);
    window_clear(w);
    return w;
}

static struct window *export_window(struct live *l, struct window *w, struct live_parts **parts)
{
    struct live_unit u = l->next;
    l->next.count = 0;
    window_note(l, w);
    memmove(u.windows + 1, u.windows, u.count * sizeof *u.windows);
    u.windows[0] = w;
    u.count++;
    u.parts = parts;
    return export_unit(l, &u);
}

/* A late window waits for the next one, with which its source days come: a crash between them would make a day that is not the sum
 * of its windows. Returns what takes its place. */
static struct window *late_keep(struct live *l, struct window *w)
{
    window_note(l, w);
    if (l->settings->days)
        live_days_note(l->settings->days, w);
    if (l->next.count == LIVE_LATE) {
        struct live_unit alone = {.windows = {w}, .count = 1};
        return export_unit(l, &alone);
    }
    l->next.windows[l->next.count++] = w;
    return memory_must(window_create());
}

/* ---- days ---- */

/* Every worker gets a tally for the day after, and what its windows stand on. */
static void day_ready(struct live *l, const struct survey_list *survey)
{
    for (unsigned i = 0; i < l->settings->base.workers; i++) {
        struct tally *t = live_tally_create(l);
        if (t) /* else the worker makes it */
            channel_push(l->workers[i].fresh, t);
        if (survey)
            channel_push(l->workers[i].surveys, survey_list_copy(survey));
    }
}

/* Days that are over go to the feed, behind all their windows. What does not go is tried again with the next window. */
static void days_write(struct live *l)
{
    struct survey_list *survey;
    struct fault fault;
    if (l->due == 0 || l->held_count > 0)
        return;
    if (live_days_finish(l->settings->days, l->due, l->settings->base.feed, &survey, &fault) < 0) {
        trouble(l, &fault);
        return;
    }
    l->due = 0;
    trouble(l, NULL);
    day_ready(l, survey);
    free(survey);
}

/* ---- thread ---- */

/* The next of a worker, but for its late windows, which go with it. */
static struct window *sealed_next(struct live *l, unsigned worker)
{
    struct worker *w = &l->pipeline.workers[worker];
    for (;;) {
        struct window *window = channel_pop(w->sealed);
        if (!window || window == &live_day_over || window->ledger.late == 0)
            return window;
        channel_push(w->free_windows, late_keep(l, window));
    }
}

/* What all workers packed with the window that they sealed. */
static struct live_parts **parts_take(struct live *l)
{
    unsigned count = l->settings->base.workers;
    if (!l->settings->base.packs_days)
        return NULL;
    struct live_parts **parts = memory_must(calloc(count, sizeof *parts));
    for (unsigned i = 0; i < count; i++)
        parts[i] = channel_pop(l->workers[i].parts);
    return parts;
}

static void day_over(struct live *l)
{
    l->due = calendar_day_of(l->end_ns).date;
    days_write(l);
}

void *live_exporter(void *arg)
{
    struct live *l = arg;
    unsigned count = l->settings->base.workers;
    live_thread_begin(l, "exporter", LIVE_ANY_CPU);
    live_thread_yield();
    if (l->settings->base.packs_days)
        day_ready(l, NULL);
    for (;;) {
        struct window *whole = sealed_next(l, 0);
        for (unsigned i = 1; i < count; i++) {
            struct window *shard = sealed_next(l, i);
            if (!shard || shard == &live_day_over)
                continue;
            if (shard != &pipeline_empty_window) {
                window_merge(whole, shard, WINDOW_SHARDS);
                window_clear(shard);
            }
            channel_push(l->pipeline.workers[i].free_windows, shard);
        }
        if (!whole)
            break;
        if (whole == &live_day_over) {
            day_over(l);
            continue;
        }
        channel_push(l->pipeline.workers[0].free_windows, export_window(l, whole, parts_take(l)));
        days_write(l);
        if (l->settings->base.feed && l->settings->sealed && l->held_count == 0)
            l->settings->sealed(l->settings->context, l->end_ns);
    }
    if (l->next.count > 0)
        window_destroy(export_unit(l, &l->next));
    held_write(l);
    days_write(l);
    while (l->held_count > 0) { /* there is no later */
        struct live_unit *u = &l->held[--l->held_count];
        atomic_fetch_add_explicit(&l->lost_windows, u->count, memory_order_relaxed);
        unit_drop(l, u);
    }
    return NULL;
}
