#include "export/publisher.h"

#include "export/day.h"
#include "export/feed_place.h"
#include "export/record_event.h"
#include "export/record_window.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_FIRST_MS = 100,
    WAIT_MAX_MS = 30000,
    LOOK_MS = 500,    /* how soon a stop is seen while nothing comes */
    RESTARTS_MAX = 5, /* at once, in a row */
};

struct publisher {
    struct publisher_settings settings;
    char *dir;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t change;
    struct publisher_state state;
    bool is_stopped, is_over;
    int outcome;
    struct fault outcome_fault;

    /* The thread's own. */
    struct feed_tail *tail;
    struct feed_place place; /* as it is behind the last record that the tail gave */
    struct sink_cursor have[SINK_SORTS];
    struct feed_id told[SINK_SORTS]; /* what it must have */
    bool is_told, has_untold;        /* has_untold: an event was passed over */
    struct feed_sums *sums;
    struct record_window *reader;
    struct window *window;
    struct rule_names names;
    struct sink_item items[PUBLISHER_ITEMS]; /* to be delivered; their bodies in turn in `bytes` */
    int64_t ends[PUBLISHER_ITEMS];
    size_t count;
    uint8_t *bytes;
    size_t bytes_len, bytes_size;
    unsigned restarts;
    uint64_t wait_ms, progress_ms;
    char said[sizeof((struct fault *)0)->text]; /* the failure that was said last; "": it is over */
};

const char *publisher_phase_name(enum publisher_phase phase)
{
    /* clang-format off */
#define NAME(name) #name,
    static const char *const names[] = {PUBLISHER_PHASES(NAME)};
#undef NAME
    /* clang-format on */
    return names[phase];
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct timespec time_in(uint64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

/* ---- the state that others read ---- */

static void phase_set(struct publisher *p, enum publisher_phase phase)
{
    pthread_mutex_lock(&p->mutex);
    p->state.phase = phase;
    pthread_mutex_unlock(&p->mutex);
}

static bool is_stopped(struct publisher *p)
{
    pthread_mutex_lock(&p->mutex);
    bool stopped = p->is_stopped;
    pthread_mutex_unlock(&p->mutex);
    return stopped;
}

void publisher_read(struct publisher *p, struct publisher_state *out)
{
    pthread_mutex_lock(&p->mutex);
    *out = p->state;
    pthread_mutex_unlock(&p->mutex);
}

const char *publisher_name(const struct publisher *p) { return p->settings.sink->name; }

static void say(struct publisher *p, const char *text)
{
    if (p->settings.say != NULL)
        p->settings.say(p->settings.context, text);
}

/* Something between what the sink has and what it will be told is not there. */
static void gap_say(struct publisher *p, const char *what)
{
    char text[640];
    pthread_mutex_lock(&p->mutex);
    p->state.gaps++;
    pthread_mutex_unlock(&p->mutex);
    (void)snprintf(text, sizeof text, "%.200s: %.300s", p->settings.sink->name, what);
    say(p, text);
}

/* ---- what is to be delivered ---- */

static void items_drop(struct publisher *p, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += p->items[i].body_len;
    memmove(p->items, p->items + count, (p->count - count) * sizeof *p->items);
    memmove(p->ends, p->ends + count, (p->count - count) * sizeof *p->ends);
    if (len > 0)
        memmove(p->bytes, p->bytes + len, p->bytes_len - len);
    p->count -= count;
    p->bytes_len -= len;
}

static int item_add(struct publisher *p, const struct sink_item *item, int64_t end_ns,
                    struct fault *fault)
{
    assert(p->count < PUBLISHER_ITEMS);
    if (item->body_len > p->bytes_size - p->bytes_len) {
        size_t size = (p->bytes_len + item->body_len) * 2;
        uint8_t *grown = realloc(p->bytes, size);
        if (grown == NULL)
            return fault_set(fault, ENOMEM, "%.100s: no memory", p->dir);
        p->bytes = grown;
        p->bytes_size = size;
    }
    if (item->body_len > 0)
        memcpy(p->bytes + p->bytes_len, item->body, item->body_len);
    p->bytes_len += item->body_len;
    p->ends[p->count] = end_ns;
    p->items[p->count++] = *item;
    return 0;
}

/* Those at the front went through. */
static void items_done(struct publisher *p, size_t count)
{
    if (count == 0)
        return;
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < count; i++) {
        const struct sink_item *item = &p->items[i];
        p->told[item->sort] = p->state.last[item->sort] = item->id;
        p->state.items[item->sort]++;
        p->state.bytes += item->body_len;
        if (item->sort == SINK_WINDOWS && p->ends[i] > p->state.delivered_ns)
            p->state.delivered_ns = p->ends[i];
    }
    const struct sink *sink = p->settings.sink;
    memcpy(p->state.note, sink->note[0] == 0 && p->has_untold ? sink->untold : sink->note,
           sizeof p->state.note);
    p->state.problem[0] = 0;
    pthread_mutex_unlock(&p->mutex);
    items_drop(p, count);
    p->restarts = 0;
    p->wait_ms = 0;
    p->progress_ms = now_ms();
    if (p->said[0] != 0) {
        char text[640];
        (void)snprintf(text, sizeof text, "%s: delivering again", p->settings.sink->name);
        say(p, text);
        p->said[0] = 0;
    }
}

static int items_deliver(struct publisher *p, struct fault *fault)
{
    size_t done = 0, at = 0;
    if (p->count == 0)
        return 0;
    for (size_t i = 0; i < p->count; at += p->items[i++].body_len)
        p->items[i].body = p->bytes + at;
    struct sink_batch batch = {.items = p->items,
                               .count = p->count,
                               .sums = p->sums,
                               .oldest_ns = feed_starts_lowest(&p->place.starts)};
    int err = p->settings.sink->ops->deliver(p->settings.sink, &batch, &done, fault);
    bool is_all = done == p->count;
    items_done(p, done);
    if (err == 0 && is_all)
        feed_sums_clean(p->sums);
    return err;
}

/* ---- records of the feed ---- */

static int window_take(struct publisher *p, const struct feed_tail_record *r,
                       struct sink_item *item, struct fault *fault)
{
    struct window *w = p->window;
    int err;
    window_clear(w);
    if ((err = record_unpack_window(p->reader, w, &p->names, r->body, r->body_len, fault)) < 0) {
        (void)fault_prefix(fault, p->dir);
        return err;
    }
    err = feed_sums_add(p->sums, w, r->seq, p->place.starts.greatest_ns, fault);
    if (err == -ENOBUFS && (err = items_deliver(p, fault)) == 0) {
        feed_sums_clean(p->sums);
        err = feed_sums_add(p->sums, w, r->seq, p->place.starts.greatest_ns, fault);
    }
    item->span_ns = w->span_ns;
    item->part = w->part;
    item->has_ex = window_has_ex(w);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        item->packets[mark] = w->mark_packets[mark];
        item->packets_ex[mark] = w->mark_packets[mark] - w->mark_packets_out[mark];
    }
    return err;
}

/* Already unpacked: its begin makes its id. */
static int day_take(struct publisher *p, const struct day_result *day, struct sink_item *item,
                    struct fault *fault)
{
    int err = feed_sums_decide(p->sums, day, fault);
    if (err == -ENOBUFS && (err = items_deliver(p, fault)) == 0) {
        feed_sums_clean(p->sums);
        err = feed_sums_decide(p->sums, day, fault);
    }
    item->date = day->facts->date;
    item->revision = day->facts->revision;
    item->span_ns = day->facts->end_ns - day->facts->start_ns;
    item->has_ex = day->ex_absent[0] == 0;
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        item->packets[mark] = day->marks[mark].packets;
        item->packets_ex[mark] = day->marks[mark].packets_ex;
    }
    return err;
}

/* A Window, Day or Event: an item, unless the sink has it. `day`: of a Day. */
static int record_take(struct publisher *p, const struct feed_tail_record *r, enum sink_sort sort,
                       int64_t start_ns, const struct day_result *day, struct fault *fault)
{
    struct sink_item item = {.sort = sort,
                             .id = feed_id_next(p->place.ids[sort], start_ns),
                             .body = r->body,
                             .body_len = r->body_len,
                             .start_ns = start_ns};
    struct feed_id last = p->have[sort].last;
    int64_t end_ns = start_ns;
    int err = 0;
    if (feed_id_is_none(last) || feed_id_order(item.id, last) > 0) {
        if (sort != SINK_EVENTS)
            err = day != NULL ? day_take(p, day, &item, fault) : window_take(p, r, &item, fault);
        if (__builtin_add_overflow(start_ns, item.span_ns, &end_ns))
            end_ns = INT64_MAX;
        if (err == 0)
            err = item_add(p, &item, end_ns, fault);
    } else if (!p->place.is_found[sort]) {
        char theirs[FEED_ID_WORDS], ours[FEED_ID_WORDS];
        return fault_set(fault, ESTALE, "%.80s ends at %s; the feed %.48s is at %s",
                         p->settings.sink->name, feed_id_words(last, theirs), p->dir,
                         feed_id_words(item.id, ours));
    }
    if (err < 0)
        return err;
    p->place.ids[sort] = item.id;
    if (sort == SINK_WINDOWS)
        feed_starts_add(&p->place.starts, start_ns);
    return 0;
}

static int tail_take(struct publisher *p, const struct feed_tail_record *r, struct fault *fault)
{
    struct day_result *day;
    int64_t start_ns;
    int err = 0;
    if (r->missing > 0) {
        char what[200];
        (void)snprintf(what, sizeof what, "%u segments of the feed %.100s are missing before %u",
                       (unsigned)r->missing, p->dir, (unsigned)r->segment);
        gap_say(p, what);
    }
    if (r->kind == RECORD_header) {
        err = feed_header_take(&p->place.header, r->body, r->body_len, fault);
        record_window_expect(p->reader, p->place.header.span_ns, p->place.header.is_filtered);
    } else if (r->kind == RECORD_window) {
        err = record_window_start(r->body, r->body_len, &start_ns)
                  ? record_take(p, r, SINK_WINDOWS, start_ns, NULL, fault)
                  : fault_set(fault, EBADMSG, "%.100s: a window without a start", p->dir);
    } else if (r->kind == RECORD_event && p->have[SINK_EVENTS].is_unwanted) {
        p->has_untold = true;
    } else if (r->kind == RECORD_event) {
        struct event e;
        err = record_unpack_event(&e, r->body, r->body_len, fault);
        if (err == 0)
            err = record_take(p, r, SINK_EVENTS, e.time_ns, NULL, fault);
    } else if (r->kind == RECORD_day) {
        err = record_unpack_day(&day, r->body, r->body_len, fault);
        if (err == 0) {
            err = record_take(p, r, SINK_DAYS, day->facts->start_ns, day, fault);
            day_result_destroy(day);
        }
    }
    return err;
}

/* Takes and delivers until there is nothing more: 0. */
static int feed_flow(struct publisher *p, struct fault *fault)
{
    for (;;) {
        struct feed_tail_record r;
        int err = 0;
        while (p->count < PUBLISHER_ITEMS && p->bytes_len < PUBLISHER_BYTES &&
               (err = feed_tail_next(p->tail, &r, fault)) == 1) {
            /* A record that was given and not taken is not given again: begin from what the sink has. */
            if ((err = tail_take(p, &r, fault)) < 0) {
                p->is_told = false;
                return err;
            }
        }
        bool is_more = p->count > 0;
        int read = err < 0 ? err : 0; /* what came before it is delivered first */
        struct fault read_fault = *fault;
        if (is_stopped(p))
            return fault_set(fault, ECANCELED, "stopped");
        if (is_more)
            phase_set(p, PUBLISHER_sending);
        if ((err = items_deliver(p, fault)) < 0)
            return err;
        if (read < 0) {
            *fault = read_fault;
            p->is_told &= read != -ESTALE; /* deleted before it was read: go on behind it */
            return read;
        }
        if (!is_more)
            return 0;
    }
}

/* ---- the sink's place in the feed ---- */

/* Whether the sink has what it was told; of items that are still to be delivered it may have some: an answer was lost. */
static bool is_in_step(struct publisher *p)
{
    size_t had = 0;
    for (unsigned sort = 0; sort < SINK_SORTS; sort++) {
        struct feed_id last = p->have[sort].last;
        bool is_there = feed_id_order(last, p->told[sort]) == 0;
        for (size_t i = 0; i < p->count && !is_there; i++)
            if (p->items[i].sort == sort && feed_id_order(p->items[i].id, last) == 0) {
                is_there = true;
                had = had > i + 1 ? had : i + 1;
            }
        if (!is_there)
            return false;
    }
    /* The front of the items, and nothing else, can be there. */
    for (size_t i = 0; i < had; i++)
        if (feed_id_order(p->items[i].id, p->have[p->items[i].sort].last) > 0)
            return false;
    items_done(p, had);
    return true;
}

static int place_take(struct publisher *p, struct fault *fault)
{
    struct feed_place place;
    p->is_told = false;
    items_drop(p, p->count);
    feed_sums_reset(p->sums);
    feed_tail_close(p->tail);
    p->tail = NULL;
    int err = feed_place_find(&place, p->dir, p->have, p->settings.sink->name, fault);
    if (err < 0)
        return err;
    p->place = place;
    err = feed_tail_open(&p->tail, p->dir, place.position.seq > 0 ? &place.position : NULL, fault);
    if (err < 0)
        return err;
    if (p->settings.durable != NULL)
        feed_tail_limit(p->tail, p->settings.durable);
    record_window_expect(p->reader, place.header.span_ns, place.header.is_filtered);
    pthread_mutex_lock(&p->mutex);
    for (unsigned sort = 0; sort < SINK_SORTS; sort++)
        p->told[sort] = p->state.last[sort] = p->have[sort].last;
    if (place.starts.count > 0 && p->state.delivered_ns == INT64_MIN &&
        !feed_id_is_none(p->have[SINK_WINDOWS].last) &&
        __builtin_add_overflow(place.starts.greatest_ns, place.header.span_ns,
                               &p->state.delivered_ns))
        p->state.delivered_ns = INT64_MAX;
    pthread_mutex_unlock(&p->mutex);
    p->is_told = true;
    if (place.is_gap)
        gap_say(p, "the feed begins behind what is there already: what was between is not told");
    return 0;
}

/* Asks the sink, and is where it is. */
static int sink_join(struct publisher *p, struct fault *fault)
{
    struct sink *sink = p->settings.sink;
    bool was_told = p->is_told;
    int err = sink->ops->ask(sink, p->have, fault);
    if (err < 0 || (was_told && is_in_step(p)))
        return err;
    if (was_told) {
        pthread_mutex_lock(&p->mutex);
        p->state.resent++;
        pthread_mutex_unlock(&p->mutex);
    }
    return place_take(p, fault);
}

/* ---- the thread ---- */

/* Sleeps, or until it is stopped. */
static void wait_for(struct publisher *p, uint64_t ms)
{
    const struct timespec until = time_in(ms);
    pthread_mutex_lock(&p->mutex);
    while (!p->is_stopped && pthread_cond_timedwait(&p->change, &p->mutex, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&p->mutex);
}

/* What becomes of a failure. True: it gives up. */
static bool failure_take(struct publisher *p, int err, const struct fault *fault)
{
    bool is_refused = sink_error_is_for_people(err);
    if (is_stopped(p))
        return true;
    if (err == -ERESTART && p->restarts++ < RESTARTS_MAX)
        return false;
    pthread_mutex_lock(&p->mutex);
    p->state.errors++;
    p->state.phase = is_refused ? PUBLISHER_refused : PUBLISHER_waiting;
    memcpy(p->state.problem, fault->text, sizeof p->state.problem);
    pthread_mutex_unlock(&p->mutex);
    if (!p->settings.is_finite || !is_refused) {
        if (strcmp(p->said, fault->text) != 0)
            say(p, fault->text);
        memcpy(p->said, fault->text, sizeof p->said);
    }
    if (p->settings.is_finite &&
        (is_refused ||
         (p->settings.patience_ms > 0 && now_ms() - p->progress_ms > p->settings.patience_ms)))
        return true;
    p->wait_ms = p->wait_ms == 0 ? WAIT_FIRST_MS : p->wait_ms * 2;
    if (p->wait_ms > WAIT_MAX_MS)
        p->wait_ms = WAIT_MAX_MS;
    wait_for(p, p->wait_ms);
    return is_stopped(p);
}

/* 1: all is delivered and nothing more will come. */
static int publish(struct publisher *p, struct fault *fault)
{
    int err = sink_join(p, fault);
    while (err == 0) {
        err = feed_flow(p, fault);
        if (err < 0)
            break;
        if (p->settings.is_finite)
            return 1;
        pthread_mutex_lock(&p->mutex);
        p->state.phase = PUBLISHER_current;
        p->state.problem[0] = 0;
        pthread_mutex_unlock(&p->mutex);
        p->wait_ms = 0;
        if (is_stopped(p))
            err = fault_set(fault, ECANCELED, "stopped");
        else
            feed_tail_wait(p->tail, LOOK_MS);
    }
    return err;
}

static void *publisher_main(void *context)
{
    struct publisher *p = context;
    struct fault fault = {0};
    int err;
    p->progress_ms = now_ms();
    do {
        err = publish(p, &fault);
    } while (err < 0 && !failure_take(p, err, &fault));
    pthread_mutex_lock(&p->mutex);
    p->state.phase = PUBLISHER_ended;
    p->is_over = true;
    p->outcome = err == 1 ? 0 : err;
    p->outcome_fault = fault;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* ---- life ---- */

static int made(struct publisher *p)
{
    pthread_condattr_t attributes;
    p->state.delivered_ns = INT64_MIN;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p->change, &attributes);
    pthread_condattr_destroy(&attributes);
    p->dir = strdup(p->settings.dir);
    p->sums = p->dir != NULL ? feed_sums_create(p->dir) : NULL;
    p->reader = record_window_create();
    p->window = window_create();
    return p->sums == NULL || p->reader == NULL || p->window == NULL ||
                   rule_names_init(&p->names, NULL) < 0
               ? -ENOMEM
               : 0;
}

int publisher_start(struct publisher **out, const struct publisher_settings *settings,
                    struct fault *fault)
{
    struct publisher *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL) {
        settings->sink->ops->close(settings->sink);
        return fault_set(fault, ENOMEM, "no memory for a publisher");
    }
    p->settings = *settings;
    int err = made(p);
    if (err == 0)
        err = -pthread_create(&p->thread, NULL, publisher_main, p);
    p->has_thread = err == 0;
    if (err < 0) {
        fault_set(fault, -err, "%.100s: %s", settings->sink->name, strerror(-err));
        publisher_stop(p);
        return err;
    }
    *out = p;
    return 0;
}

bool publisher_wait(struct publisher *p, int timeout_ms, int *err, struct fault *fault)
{
    const struct timespec until = time_in((uint64_t)timeout_ms);
    pthread_mutex_lock(&p->mutex);
    while (!p->is_over && pthread_cond_timedwait(&p->change, &p->mutex, &until) != ETIMEDOUT)
        continue;
    bool is_over = p->is_over;
    *err = p->outcome;
    if (is_over)
        *fault = p->outcome_fault;
    pthread_mutex_unlock(&p->mutex);
    return is_over;
}

void publisher_stop(struct publisher *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->is_stopped = true;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->mutex);
    p->settings.sink->ops->interrupt(p->settings.sink);
    if (p->settings.durable != NULL)
        feed_durable_wake(p->settings.durable);
    if (p->has_thread)
        pthread_join(p->thread, NULL);
    p->settings.sink->ops->close(p->settings.sink);
    feed_tail_close(p->tail);
    feed_sums_destroy(p->sums);
    record_window_destroy(p->reader);
    window_destroy(p->window);
    rule_names_fini(&p->names);
    free(p->bytes);
    free(p->dir);
    pthread_mutex_destroy(&p->mutex);
    pthread_cond_destroy(&p->change);
    free(p);
}
