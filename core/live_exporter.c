/* The exporter of a live capture: puts windows together, and writes them as soon as that is possible. */
#include "core/event_activity.h"
#include "core/live_state.h"
#include "core/memory.h"

#include <stdio.h>
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

/* ---- rules ---- */

static void events_rules(struct live *l, const struct generation *g)
{
    event_export_rules(l->pipeline.events, g->of.rules,
                       g->of.days ? g->of.days->origins : l->settings->base.events->origins);
}

/* The feed's next Header is that of the rules of a time. */
static struct generation *rules_turn(struct live *l, int64_t at_ns)
{
    struct generation *g = generation_at(l->oldest, at_ns);
    if (g != l->identity && g->of.identity && l->settings->base.feed)
        feed_log_identity(l->settings->base.feed, g->of.identity);
    if (l->pipeline.events && g != l->identity)
        events_rules(l, g);
    l->identity = g;
    return g;
}

/* A window that came with `oldest` is done with: rules before that are nobody's (core/live_rules.h), unless something that was labelled by them
 * waits for the disk. */
static void rules_release(struct live *l, const struct generation *oldest)
{
    if (l->held_count > 0 || l->next.count > 0 || l->due != 0)
        return;
    (void)rules_turn(l, l->end_ns - 1);
    if (l->settings->days)
        live_days_turn(l->settings->days, l->identity->of.days);
    while (l->oldest->number < oldest->number) {
        struct generation *g = l->oldest;
        l->oldest = atomic_load_explicit(&g->next, memory_order_acquire);
        generation_destroy(g);
    }
}

/* ---- windows ---- */

/* One that spans both. */
static void gap_add(struct feed_gap *gap, const struct feed_gap *other)
{
    if (other->windows == 0)
        return;
    if (gap->windows == 0)
        *gap = (struct feed_gap){
            .from_ns = other->from_ns, .to_ns = other->to_ns, .reason = FEED_GAP_windows};
    gap->from_ns = other->from_ns < gap->from_ns ? other->from_ns : gap->from_ns;
    gap->to_ns = other->to_ns > gap->to_ns ? other->to_ns : gap->to_ns;
    gap->windows += other->windows;
}

/* Its windows are given up, and what else they would have said was. */
static void gap_note(struct live *l, const struct live_unit *u)
{
    for (unsigned i = 0; i < u->count; i++) {
        const struct window *w = u->windows[i];
        int64_t from_ns = i == 0 && u->skip.from_ns != 0 ? u->skip.from_ns : w->start_ns;
        gap_add(&l->gap, &(struct feed_gap){
                             .from_ns = from_ns, .to_ns = w->start_ns + w->span_ns, .windows = 1});
        l->given_up.events += w->given_up.events;
        l->given_up.recorder_packets += w->given_up.recorder_packets;
    }
    l->given_up.windows += u->count;
    l->given_up.events += u->events.count;
    atomic_fetch_add_explicit(&l->lost_windows, u->count, memory_order_relaxed);
}

/* Says what was given up, once: a full disk may have room for it, and none for the window behind it. Where no segment is open it waits in
 * the feed for that window, and is safe with it. */
static int gap_write(struct live *l, struct fault *fault)
{
    uint64_t before = feed_log_seq(l->settings->base.feed);
    if (l->gap.windows == 0)
        return 0;
    int err = feed_log_append_gap(l->settings->base.feed, &l->gap, fault);
    bool waits = err == 0 && feed_log_seq(l->settings->base.feed) == before;
    if (waits)
        gap_add(&l->gap_said, &l->gap);
    else if (err == 0)
        err = feed_log_sync(l->settings->base.feed, fault);
    if (err == 0)
        l->gap.windows = 0;
    return err;
}

static int parts_write(struct live *l, struct live_unit *u, struct fault *fault)
{
    if (!u->parts)
        return 0;
    live_days_turn(l->settings->days, generation_at(l->oldest, u->windows[0]->start_ns)->of.days);
    int err = live_days_add(l->settings->days, u->parts, l->settings->base.workers, u->windows[0],
                            feed_log_seq(l->settings->base.feed), fault);
    u->is_journaled = err == 0;
    if (err == 0)
        parts_drop(l, u);
    return err;
}

static void beside_add(struct window_given_up *into, const struct window_given_up *from)
{
    into->recorder_packets += from->recorder_packets;
    into->windows += from->windows;
    into->events += from->events;
}

/* What is not safe was not written. */
static void appended_back(struct live *l, struct live_unit *u)
{
    while (u->appended > u->safe)
        start_map_back(l->parts, u->windows[--u->appended]->start_ns);
    u->skip.is_said = u->skip.is_safe;
    u->events.appended = 0; /* they stand behind all windows */
}

/* What was appended is safe, or is taken back. */
static int windows_sync(struct live *l, struct live_unit *u, struct fault *fault)
{
    int err = feed_log_sync(l->settings->base.feed, fault);
    if (err < 0 && u->safe == 0 && u->appended > 0)
        gap_add(&l->gap, &l->gap_said);
    if (u->appended > 0)
        l->gap_said.windows = 0;
    if (err < 0)
        appended_back(l, u);
    if (u->appended == 0) {
        beside_add(&l->given_up, &u->said);
        u->said = (struct window_given_up){0};
    }
    if (err == 0)
        u->safe = u->appended, u->skip.is_safe = u->skip.is_said;
    return err;
}

/* Says of time that went on without windows. */
static int skip_write(struct live *l, struct live_unit *u, struct fault *fault)
{
    const struct feed_gap gap = {
        .from_ns = u->skip.from_ns, .to_ns = u->skip.to_ns, .reason = u->skip.reason};
    if (gap.from_ns == 0 || u->skip.is_said)
        return 0;
    int err = feed_log_append_gap(l->settings->base.feed, &gap, fault);
    u->skip.is_said = err == 0;
    return err;
}

/* Gives a window its number among what the feed has of its start: those that were given up have none. What is late and comes first is
 * what is left of its window. */
static void part_number(struct live *l, struct window *w)
{
    struct fault fault;
    uint32_t base = 0;
    if (feed_log_part_base(l->settings->base.feed, w->start_ns, &base, &fault) < 0)
        trouble(l, &fault);
    w->part = base + start_map_next(l->parts, w->start_ns);
    w->is_partial |= w->part == 0 && w->ledger.late > 0;
}

/* Other rules make another segment: what is in the one before must be safe then. */
static int window_append(struct live *l, struct live_unit *u, struct fault *fault)
{
    struct window *w = u->windows[u->appended];
    int err = 0;
    if (generation_at(l->oldest, w->start_ns) != l->identity) {
        err = windows_sync(l, u, fault);
        if (err < 0)
            return err;
        (void)rules_turn(l, w->start_ns);
    }
    part_number(l, w);
    struct window_given_up own = w->given_up;
    if (u->appended == 0)
        beside_add(&w->given_up, &l->given_up);
    err = feed_log_append(l->settings->base.feed, w, fault);
    w->given_up = own;
    if (err < 0)
        start_map_back(l->parts, w->start_ns);
    else if (u->appended++ == 0) {
        u->said = l->given_up;
        l->given_up = (struct window_given_up){0};
    }
    return err;
}

static int windows_write(struct live *l, struct live_unit *u, struct fault *fault)
{
    int err = skip_write(l, u, fault);
    while (u->appended < u->count && err == 0)
        err = window_append(l, u, fault);
    if (err == 0)
        err = event_batch_append(l->pipeline.events, &u->events, l->settings->base.feed, fault);
    return err < 0 ? err : windows_sync(l, u, fault);
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
    if (l->settings->days)
        live_days_kept(l->settings->days, feed_log_seq(l->settings->base.feed));
    return 0;
}

static void unit_drop(struct live *l, struct live_unit *u)
{
    parts_drop(l, u);
    event_batch_fini(&u->events);
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

/* Whether something has a part of it: the journal, whose day counts it, or the feed. */
static bool is_begun(const struct live_unit *u)
{
    return u->is_journaled || u->appended > 0 || u->skip.is_said;
}

/* Keeps a window, which is the exporter's from now on; the oldest is given up where there is no room, but not one that was begun to be
 * written. */
static void hold(struct live *l, const struct live_unit *u)
{
    if (l->held_count == LIVE_HELD) {
        unsigned first = is_begun(&l->held[0]) ? 1 : 0;
        gap_note(l, &l->held[first]);
        unit_drop(l, &l->held[first]);
        l->held_count--;
        memmove(l->held + first, l->held + first + 1, (l->held_count - first) * sizeof *l->held);
    }
    l->held[l->held_count++] = *u;
}

/* A window is whole: what it says of itself, and to the sums. */
static void window_note(struct live *l, struct window *w)
{
    struct pipeline_result *result = &l->result->pipeline;
    l->end_ns = w->start_ns + w->span_ns;
    window_merge(result->total, w, WINDOW_SPANS);
    result->windows++;
    result->parts += w->ledger.late > 0;
    atomic_fetch_add_explicit(&l->windows_done, 1, memory_order_relaxed);
}

/* What is open, in front of the window that says how far that is, with what is told with it: whatever dies between the two, nothing is told
 * twice or left out. Not with late windows alone. */
static void events_keep(struct live *l, const struct live_unit *u)
{
    if (!l->pipeline.events || !l->settings->event_file || u->windows[0]->ledger.late > 0)
        return;
    const struct generation *g = generation_at(l->oldest, u->windows[0]->start_ns);
    events_rules(l, g);
    live_events_keep(l, u);
}

/* Writes a unit, or keeps it; then another takes the place of its first window. */
static struct window *export_unit(struct live *l, struct live_unit *u)
{
    struct window *w = u->windows[0];
    if (l->settings->base.feed) {
        held_write(l);
        if (l->held_count == 0)
            events_keep(l, u);
        if (l->held_count > 0 || unit_write(l, u) < 0) {
            hold(l, u);
            *u = (struct live_unit){0};
            w = memory_must(window_create());
        }
        atomic_store_explicit(&l->held_windows, l->held_count, memory_order_relaxed);
    }
    event_batch_fini(&u->events);
    for (unsigned i = 1; i < u->count; i++)
        window_destroy(u->windows[i]);
    window_clear(w);
    return w;
}

/* What all workers told with the window. */
static void events_take(struct live *l, struct window *w, struct live_unit *u)
{
    unsigned count = l->settings->base.workers;
    if (!l->pipeline.events)
        return;
    struct event_told **told = pipeline_tellings(&l->pipeline);
    live_events_collect(l, told);
    l->told_end_ns = w->start_ns + w->span_ns;
    event_export_window(l->pipeline.events, w);
    event_export_take(l->pipeline.events, told, count, &u->events);
    w->given_up.events += u->events.gave_up;
    live_indicators_collect(l);
}

/* What the bins that were over say; behind the next window where the feed takes nothing now. */
static void activity_write(struct live *l)
{
    struct event_activity *activity =
        l->pipeline.events ? l->settings->base.events->activity : NULL;
    struct fault fault;
    if (activity && l->settings->base.feed && l->held_count == 0 &&
        event_activity_append(activity, l->settings->base.feed, l->end_ns, &fault) < 0)
        trouble(l, &fault);
}

/* Whether time went on by more than a window since the one before. What is in the feed ends somewhere in a window of now where a run follows
 * another at once. */
static void skip_note(struct live *l, const struct window *w, struct live_skip *skip)
{
    struct live_clock_state clock;
    live_clock_state(l->settings->clock, &clock);
    int64_t to_ns = !l->has_begun && l->begun_ns > w->start_ns ? l->begun_ns : w->start_ns;
    if (l->after_ns != 0 && to_ns > l->after_ns)
        *skip = (struct live_skip){
            .from_ns = l->after_ns,
            .to_ns = to_ns,
            .reason = l->has_begun && clock.jumps != l->jumps ? FEED_GAP_clock : FEED_GAP_restart};
    l->jumps = clock.jumps;
    l->has_begun = true;
    l->after_ns = w->start_ns + w->span_ns;
}

static struct window *export_window(struct live *l, struct window *w, struct live_parts **parts)
{
    struct live_unit u = l->next;
    l->next.count = 0;
    events_take(l, w, &u);
    window_note(l, w);
    memmove(u.windows + 1, u.windows, u.count * sizeof *u.windows);
    u.windows[0] = w;
    u.count++;
    u.parts = parts;
    skip_note(l, w, &u.skip);
    struct window *next = export_unit(l, &u);
    if (l->pipeline.events)
        event_export_bins(l->pipeline.events);
    activity_write(l);
    return next;
}

/* A late window waits for the next one, with which its source days come: a crash between them would make a day that is not the sum
 * of its windows. Returns what takes its place. */
static struct window *late_keep(struct live *l, struct window *w)
{
    window_note(l, w);
    if (l->settings->days) {
        live_days_turn(l->settings->days, generation_at(l->oldest, w->start_ns)->of.days);
        live_days_note(l->settings->days, w);
    }
    if (l->next.count == LIVE_LATE) {
        struct live_unit alone = {.windows = {w}, .count = 1};
        return export_unit(l, &alone);
    }
    l->next.windows[l->next.count++] = w;
    return memory_must(window_create());
}

/* ---- days ---- */

/* Every worker has a tally for the day after, of the rules of now. */
static void tallies_ready(struct live *l, struct generation *g)
{
    for (unsigned i = 0; i < l->settings->base.workers && l->settings->base.packs_days; i++) {
        struct tally *t = NULL;
        if (!atomic_load_explicit(&g->fresh[i], memory_order_acquire))
            t = live_tally_create(l, &g->of);
        if (t) /* else the worker makes it */
            atomic_store_explicit(&g->fresh[i], t, memory_order_release);
    }
}

/* What windows of all workers stand on. */
static void survey_ready(struct live *l, const struct survey_list *survey)
{
    for (unsigned i = 0; i < l->settings->base.workers && survey; i++)
        channel_push(l->workers[i].surveys, survey_list_copy(survey));
}

/* What stands in the way of a Day holds up no window: said once, and tried again ever more rarely. */
static void day_late(struct live *l, const struct fault *fault)
{
    static const int64_t most_ns = INT64_C(3600000000000);
    int64_t wait_ns = l->day_wait_ns > 0 ? 2 * l->day_wait_ns : l->settings->base.window_span_ns;
    char line[sizeof fault->text + 96];
    l->day_wait_ns = wait_ns < most_ns ? wait_ns : most_ns;
    l->day_retry_ns = l->end_ns + l->day_wait_ns;
    (void)snprintf(line, sizeof line,
                   "%s: the day that is over stays in the journal, and is tried again now and then",
                   fault->text);
    if (!l->is_day_late && l->settings->say)
        l->settings->say(l->settings->context, line);
    l->is_day_late = true;
}

static void day_done(struct live *l)
{
    if (l->is_day_late && l->settings->say)
        l->settings->say(l->settings->context, "the day that was over is written");
    l->is_day_late = false;
    l->day_wait_ns = l->day_retry_ns = 0;
    l->due = 0;
}

/* Days that are over go to the feed, behind all their windows. What does not go is tried again behind a later window. */
static void days_write(struct live *l)
{
    struct survey_list *survey;
    struct fault fault;
    if (l->due == 0 || l->held_count > 0 || l->end_ns < l->day_retry_ns)
        return;
    live_days_turn(l->settings->days, rules_turn(l, calendar_day_at(l->due).start_ns - 1)->of.days);
    int err = live_days_finish(l->settings->days, l->due, l->settings->base.feed, &survey, &fault);
    survey_ready(l, survey); /* also where a later date failed */
    free(survey);
    if (err < 0) {
        day_late(l, &fault);
        return;
    }
    day_done(l);
    trouble(l, NULL);
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

/* Tallies that are done with and were not packed. */
static void tallies_drop(struct live *l)
{
    struct tally *over;
    for (unsigned i = 0; i < l->settings->base.workers; i++)
        while ((over = channel_try_pop(l->workers[i].over)))
            tally_destroy(over);
}

static void day_over(struct live *l)
{
    l->due = calendar_day_of(l->after_ns - 1).date + 1; /* time may go on further from there */
    l->day_retry_ns = 0;
    days_write(l);
}

/* All that is open, behind the last window. */
static void events_end(struct live *l)
{
    if (!l->pipeline.events)
        return;
    struct event_told **told = pipeline_tellings(&l->pipeline);
    live_events_collect(l, told);
    event_export_rest(l->pipeline.events, told, l->settings->base.workers);
    live_indicators_collect(l);
    for (unsigned i = 0; i < l->settings->base.workers; i++)
        event_told_destroy(told[i]);
    if (l->held_count == 0 && l->settings->event_file && l->settings->base.feed)
        live_events_keep(l, NULL);
}

/* There is no later: what the feed does not have by now it will not get. */
static void held_drop(struct live *l)
{
    struct fault fault;
    if (l->held_count > 0)
        (void)windows_sync(l, &l->held[0], &fault);
    while (l->held_count > 0) {
        struct live_unit *u = &l->held[--l->held_count];
        atomic_fetch_add_explicit(&l->lost_windows, u->count - u->appended, memory_order_relaxed);
        unit_drop(l, u);
    }
}

void *live_exporter(void *arg)
{
    struct live *l = arg;
    unsigned count = l->settings->base.workers;
    l->due = l->settings->due;
    l->is_day_late = l->due != 0; /* the caller said so */
    l->after_ns = l->settings->feed_end_ns;
    live_thread_begin(l, "exporter", LIVE_ANY_CPU);
    live_thread_yield(l);
    tallies_ready(l, l->oldest);
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
        tallies_drop(l);
        rules_release(l, channel_pop(l->workers[0].oldest));
        tallies_ready(l, generation_at(l->oldest, l->end_ns));
        if (l->settings->base.feed && l->settings->sealed && l->held_count == 0)
            l->settings->sealed(l->settings->context, l->end_ns);
    }
    if (l->next.count > 0)
        window_destroy(export_unit(l, &l->next));
    held_write(l);
    events_end(l);
    l->day_retry_ns = 0; /* there is no later */
    days_write(l);
    held_drop(l);
    return NULL;
}
