#include "export/http_follow_state.h"

#include "export/feed_reader.h"
#include "export/feed_tail.h"
#include "export/http_window.h"
#include "export/record_event.h"
#include "export/unpack_budget.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS      INT64_C(1000000000)
#define DAY_NS  (86400 * NS)
#define HOUR_NS (3600 * NS)
#define STACK   (512 << 10)
enum { WAIT_MS = 250, TRY_MS = 1000, HEADER_MAX = 1 << 20 };

static bool is_stopping(struct http_follow *f)
{
    pthread_mutex_lock(&f->lock);
    bool stopping = f->is_stopping;
    pthread_mutex_unlock(&f->lock);
    return stopping;
}

/* False: it is time to end. */
static bool sleep_ms(struct http_follow *f, int ms)
{
    int64_t end_ns = http_follow_clock_ns() + ms * INT64_C(1000000);
    pthread_mutex_lock(&f->lock);
    while (!f->is_stopping && http_follow_wait(f, end_ns))
        ;
    bool stopping = f->is_stopping;
    pthread_mutex_unlock(&f->lock);
    return !stopping;
}

/* What could be read can be asked for. `why` it can't be read on; NULL: it can. */
static void ready_say(struct http_follow *f, const char *why)
{
    pthread_mutex_lock(&f->lock);
    f->counts.is_stuck = why != NULL;
    snprintf(f->counts.why, sizeof f->counts.why, "%s", why == NULL ? "" : why);
    f->is_ready = true;
    pthread_cond_broadcast(&f->came);
    pthread_mutex_unlock(&f->lock);
}

static void damage_count(struct http_follow *f)
{
    pthread_mutex_lock(&f->lock);
    f->counts.damaged++;
    pthread_mutex_unlock(&f->lock);
}

/* ---- records */

/* The view of a date, made where the date is newer than those at hand. NULL: it is older, or memory ended. Under the lock. */
static struct http_view *view_find(struct http_follow *f, const struct calendar_day *day)
{
    if (day->date < f->oldest)
        return NULL; /* not all of it was read */
    for (unsigned i = 0; i < 2; i++)
        if (f->views[i] != NULL && http_view_day(f->views[i])->date == day->date)
            return f->views[i];
    if (f->views[0] != NULL && http_view_day(f->views[0])->date > day->date) {
        if (f->views[1] != NULL && http_view_day(f->views[1])->date > day->date)
            return NULL;
        struct http_view *late = f->views[1] == NULL ? http_view_create(day, f->s.rules) : NULL;
        f->views[1] = f->views[1] == NULL ? late : f->views[1];
        return late;
    }
    struct http_view *v = http_view_create(day, f->s.rules);
    if (v == NULL)
        return NULL;
    http_view_destroy(f->views[1]);
    f->views[1] = f->views[0];
    f->views[0] = v;
    return v;
}

static void window_count(struct http_follow_counts *c, const struct window *w, bool is_ahead)
{
    int64_t end_ns;
    bool is_first = c->windows == c->parts; /* a further part says nothing of what is read */
    if (!is_ahead && (c->windows == 0 || (w->part == 0 && (is_first || c->since_ns > w->start_ns))))
        c->since_ns = w->start_ns;
    c->windows++;
    c->parts += w->part > 0;
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        c->kinds[i] += w->kinds[i].packets;
        c->kind_bytes[i] += w->kinds[i].bytes;
    }
    for (unsigned i = 0; i < MARK_COUNT; i++)
        c->marks[i] += w->mark_packets[i];
    ledger_merge(&c->ledger, &w->ledger);
    if (!is_ahead && !__builtin_add_overflow(w->start_ns, w->span_ns, &end_ns) &&
        (end_ns > c->last_end_ns || c->last_end_ns == 0))
        c->last_end_ns = end_ns;
}

static void window_take(struct http_follow *f, const uint8_t *body, size_t len, uint64_t seq)
{
    struct fault why;
    window_clear(f->window);
    if (!f->has_names ||
        record_unpack_window(f->unpacker, f->window, &f->names, body, len, &why) < 0) {
        damage_count(f);
        return;
    }
    struct calendar_day day = calendar_day_of(f->window->start_ns);
    /* What a broken clock dates ahead is not today; who gets windows late gets it when it comes true, by asking. */
    bool is_ahead = f->window->start_ns > f->s.now_ns(f->s.context) + DAY_NS;
    if (f->s.delay_ns > 0 && f->window->start_ns > f->s.now_ns(f->s.context))
        return;
    pthread_mutex_lock(&f->lock);
    if (!f->is_again)
        window_count(&f->counts, f->window, is_ahead);
    f->counts.seq = seq;
    struct http_view *v = is_ahead ? NULL : view_find(f, &day);
    f->counts.changes += v == NULL;
    if (v != NULL && f->labelled.name != NULL && http_view_labelled(v, &f->labelled) < 0)
        f->counts.damaged++;
    if (v != NULL && http_view_add(v, f->window, seq) < 0)
        f->counts.damaged++;
    pthread_mutex_unlock(&f->lock);
    if (f->is_again)
        return;
    if (f->says_events)
        follow_say_window(f, body, len, seq);
    else
        follow_lose(f, seq);
}

static void day_take(struct http_follow *f, const uint8_t *body, size_t len, uint64_t seq)
{
    struct fault why;
    struct day_result *day;
    if (record_unpack_day(&day, body, len, &why) < 0) {
        damage_count(f);
        return;
    }
    int32_t date = day->facts->date;
    bool is_ahead = day->facts->end_ns > f->s.now_ns(f->s.context);
    day_result_destroy(day);
    if (is_ahead && f->s.delay_ns > 0)
        return;
    pthread_mutex_lock(&f->lock);
    f->counts.days += !f->is_again;
    f->counts.seq = seq;
    struct http_view *v = NULL;
    for (unsigned i = 0; i < 2; i++)
        if (f->views[i] != NULL && http_view_day(f->views[i])->date == date)
            v = f->views[i];
    f->counts.changes += v == NULL;
    if (v != NULL && http_view_final(v, body, len, seq, &why) < 0)
        f->counts.damaged++;
    pthread_mutex_unlock(&f->lock);
    if (f->is_again)
        return;
    if (f->says_events)
        follow_say_day(f, date, seq);
    else
        follow_lose(f, seq);
}

static void event_take(struct http_follow *f, const uint8_t *body, size_t len, uint64_t seq)
{
    struct event e;
    if (record_unpack_event(&e, body, len, NULL) < 0) {
        damage_count(f);
        return;
    }
    pthread_mutex_lock(&f->lock);
    f->counts.events[e.type][e.phase] += !f->is_again;
    f->counts.seq = seq;
    pthread_mutex_unlock(&f->lock);
    if (f->is_again || f->s.min_sources > 0 || f->s.delay_ns > 0)
        return;
    if (f->says_events)
        follow_tell(f, &e, seq);
    else
        follow_lose(f, seq);
}

/* A gap stands in front of the first window behind it, whose day may not have a view yet: all have their gaps from here. */
static void gap_take(struct http_follow *f, const uint8_t *body, size_t len, uint64_t seq)
{
    struct fault why;
    pthread_mutex_lock(&f->lock);
    f->counts.seq = seq;
    f->counts.changes++;
    const struct http_view *oldest = f->views[1] != NULL ? f->views[1] : f->views[0];
    if (oldest != NULL)
        outages_drop(&f->gaps, http_view_day(oldest)->start_ns);
    if (outages_add_gap(&f->gaps, body, len, &why) == -EBADMSG)
        f->counts.damaged++;
    pthread_mutex_unlock(&f->lock);
}

void http_follow_rules(struct http_follow *f, const struct ruleset *rules)
{
    pthread_mutex_lock(&f->lock);
    f->next_rules = rules;
    pthread_mutex_unlock(&f->lock);
}

bool http_follow_uses(struct http_follow *f, const struct ruleset *rules)
{
    pthread_mutex_lock(&f->lock);
    bool uses = f->s.rules == rules || f->next_rules == rules;
    pthread_mutex_unlock(&f->lock);
    return uses;
}

/* Between two windows. */
static void rules_turn(struct http_follow *f)
{
    pthread_mutex_lock(&f->lock);
    const struct ruleset *rules = f->next_rules;
    if (rules != NULL) {
        rule_names_change(&f->names, rules);
        f->s.rules = rules;
        f->next_rules = NULL;
        for (unsigned i = 0; i < 2; i++)
            if (f->views[i] != NULL)
                http_view_rules(f->views[i], rules);
    }
    pthread_mutex_unlock(&f->lock);
}

static void labelled_free(struct http_follow *f)
{
    free((char *)f->labelled.name);
    free((char *)f->labelled.version);
    free((char *)f->labelled.sha256);
    f->labelled = (struct day_basis){0};
}

static void labelled_take(struct http_follow *f, const Yamiscope__RuleSet *rules)
{
    labelled_free(f);
    if (rules == NULL || rules->name[0] == '\0')
        return;
    f->labelled =
        (struct day_basis){strdup(rules->name), strdup(rules->version), strdup(rules->sha256)};
    if (f->labelled.name == NULL || f->labelled.version == NULL || f->labelled.sha256 == NULL)
        labelled_free(f);
}

/* Every window that follows is held to what the header says. */
static void header_take(struct http_follow *f, const uint8_t *body, size_t len)
{
    struct unpack_budget budget;
    unpack_budget_init(&budget);
    Yamiscope__Header *h =
        len > HEADER_MAX ? NULL : yamiscope__header__unpack(&budget.allocator, len, body);
    if (h == NULL) {
        damage_count(f);
        return;
    }
    rules_turn(f);
    labelled_take(f, h->rules);
    record_window_expect(f->unpacker, h->window_span_ns, h->filtered);
    pthread_mutex_lock(&f->lock);
    snprintf(f->counts.sensor, sizeof f->counts.sensor, "%s", h->sensor);
    pthread_mutex_unlock(&f->lock);
    yamiscope__header__free_unpacked(h, &budget.allocator);
}

/* Until when a record is not to be known to these readers; INT64_MIN: it may be now. */
static int64_t due_ns(struct http_follow *f, uint32_t kind, const uint8_t *body, size_t len)
{
    int64_t start_ns, end_ns = INT64_MIN;
    struct fault why;
    struct day_result *day;
    if (f->s.delay_ns == 0)
        return INT64_MIN;
    if (kind == RECORD_window && record_window_start(body, len, &start_ns)) {
        Yamiscope__Window *w = http_window_unpack(body, len);
        int64_t span_ns = w == NULL ? 0 : w->span_ns;
        if (__builtin_add_overflow(start_ns, span_ns, &end_ns))
            end_ns = INT64_MAX;
        if (w != NULL)
            yamiscope__window__free_unpacked(w, NULL);
    } else if (kind == RECORD_day && record_unpack_day(&day, body, len, &why) == 0) {
        end_ns = day->facts->end_ns;
        day_result_destroy(day);
    }
    /* Nobody waits for what a broken clock says: window_take and day_take leave it out. */
    if (end_ns > f->s.now_ns(f->s.context) + (kind == RECORD_day ? 2 * DAY_NS : 2 * HOUR_NS))
        return INT64_MIN;
    if (end_ns > INT64_MIN && __builtin_add_overflow(end_ns, (int64_t)f->s.delay_ns, &end_ns))
        end_ns = INT64_MAX;
    return end_ns;
}

static void record_take(struct http_follow *f, uint32_t kind, const uint8_t *body, size_t len,
                        uint64_t seq)
{
    if (kind != RECORD_event)
        follow_say_told(f);
    f->is_again = seq <= f->seen_seq;
    if (f->is_behind_others && !f->is_again)
        follow_lose(f, seq - 1);
    f->is_behind_others = false;
    f->seen_seq = f->is_again ? f->seen_seq : seq;
    if (kind == RECORD_header)
        header_take(f, body, len);
    else if (kind == RECORD_event)
        event_take(f, body, len, seq);
    else if (kind == RECORD_window)
        window_take(f, body, len, seq);
    else if (kind == RECORD_day)
        day_take(f, body, len, seq);
    else if (kind == RECORD_gap)
        gap_take(f, body, len, seq);
    else {
        pthread_mutex_lock(&f->lock);
        f->counts.seq = seq;
        pthread_mutex_unlock(&f->lock);
    }
}

/* ---- what is there at the start */

/* The first segment of the two newest dates that hold windows; *oldest is the one of them that is. */
static size_t first_segment(const struct feed_reader_segment *list, size_t count, int64_t now_ns,
                            int32_t *oldest)
{
    int64_t newest = INT64_MIN;
    *oldest = INT32_MIN;
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == FEED_WINDOWS && list[i].at > newest && list[i].at < now_ns / NS + 86400)
            newest = list[i].at;
    if (newest > INT64_MAX / NS - 86400 || newest < INT64_MIN / NS + 172800)
        return 0;
    struct calendar_day day = calendar_day_of(newest * NS);
    struct calendar_day before = calendar_day_of(day.start_ns - 1);
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == FEED_WINDOWS && list[i].at >= before.start_ns / NS - 3600) {
            *oldest = before.date;
            return i;
        }
    return 0;
}

/* Reads one segment. 1: go on; 0: what follows is not due yet, or of the last one can't be read; -errno. */
static int segment_read(struct http_follow *f, struct feed_reader *r, size_t segment,
                        uint32_t number, bool is_last, struct feed_position *at,
                        struct fault *fault)
{
    struct feed_cursor c = {0};
    struct record_view view;
    size_t shown;
    int found = feed_cursor_begin(&c, r, segment, fault);
    while (found >= 0 && !is_stopping(f) &&
           (found = feed_cursor_peek(&c, &view, &shown, fault)) > 0) {
        if (f->s.durable != NULL && view.seq > atomic_load(&f->s.durable->seq)) {
            found = 0;
            break;
        }
        if (view.body_kind != RECORD_source_day &&
            ((found = feed_cursor_next(&c, &view, fault)) <= 0 ||
             due_ns(f, view.body_kind, view.body, view.body_len) >
                 (f->s.delay_ns == 0 ? INT64_MAX : f->s.now_ns(f->s.context)))) {
            found = found < 0 ? found : 0;
            break;
        }
        if (view.body_kind == RECORD_source_day) {
            /* Read in full all the same: the position behind it needs its crc. */
            if ((found = feed_cursor_next(&c, &view, fault)) <= 0)
                break;
        } else {
            record_take(f, view.body_kind, view.body, view.body_len, view.seq);
        }
        *at = (struct feed_position){number, c.next, view.seq, view.crc};
        found = 1;
    }
    bool is_whole = found >= 0 && c.is_closed && !c.is_damaged;
    if (c.is_damaged && !is_last) { /* what stands in segments behind it is whole for all that */
        damage_count(f);
        is_whole = true;
    }
    feed_cursor_end(&c);
    return found < 0 ? found : is_whole;
}

/* What there is of the two newest dates. *at is behind it: all zero where nothing was read. */
static int start_read(struct http_follow *f, struct feed_position *at, struct fault *fault)
{
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *r = NULL;
    const struct feed_reader_segment *list;
    int err = pool == NULL ? fault_set(fault, ENOMEM, "no memory for a feed")
                           : feed_reader_open(&r, f->s.feed, pool, fault);
    *at = (struct feed_position){0};
    if (err == 0) {
        size_t count = feed_reader_segments(r, &list);
        size_t i = first_segment(list, count, f->s.now_ns(f->s.context), &f->oldest);
        f->is_behind_others = i > 0;
        for (; err == 0 && i < count && !is_stopping(f); i++) {
            f->says_events = i + 1 == count;
            int more = segment_read(f, r, i, list[i].number, i + 1 == count, at, fault);
            if (more < 0)
                err = more;
            if (more <= 0)
                break;
        }
    }
    feed_reader_close(r);
    feed_pool_destroy(pool);
    f->says_events = true;
    return err == -ENOENT ? 0 : err; /* nothing yet */
}

/* ---- the thread */

static void follow(struct http_follow *f, struct feed_tail *t)
{
    struct feed_tail_record r;
    struct fault fault;
    while (!is_stopping(f)) {
        int found = feed_tail_next(t, &r, &fault);
        if (found == 0) {
            follow_say_told(f);
            ready_say(f, NULL);
            feed_tail_wait(t, WAIT_MS);
        } else if (found < 0) {
            ready_say(f, fault.text);
            if (found == -ESTALE || !sleep_ms(f, TRY_MS))
                return;
        } else {
            int64_t due = due_ns(f, r.kind, r.body, r.body_len);
            if (due > f->s.now_ns(f->s.context))
                ready_say(f, NULL);
            while (due > f->s.now_ns(f->s.context))
                if (!sleep_ms(f, TRY_MS))
                    return;
            record_take(f, r.kind, r.body, r.body_len, r.seq);
        }
    }
}

/* What was read will be read again. */
static void views_drop(struct http_follow *f)
{
    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < 2; i++) {
        http_view_destroy(f->views[i]);
        f->views[i] = NULL;
    }
    outages_fini(&f->gaps);
    f->counts.changes++;
    pthread_mutex_unlock(&f->lock);
}

static void *thread_run(void *context)
{
    struct http_follow *f = context;
    struct feed_position at;
    struct feed_tail *t;
    struct fault fault;
    int err = start_read(f, &at, &fault);
    while (!is_stopping(f)) {
        if (err < 0)
            ready_say(f, fault.text);
        err = feed_tail_open(&t, f->s.feed, at.segment == 0 ? NULL : &at, &fault);
        if (err == 0) {
            if (f->s.durable != NULL)
                feed_tail_limit(t, f->s.durable);
            follow(f, t);
            at = *feed_tail_position(t);
            feed_tail_close(t);
        }
        if (err == -ESTALE || err == -EINVAL) {
            /* What it stands on was taken away: again from what is kept. */
            views_drop(f);
            f->seen_seq =
                err == -EINVAL ? 0 : f->seen_seq; /* it is another feed, or its end was cut off */
            err = start_read(f, &at, &fault);
        }
        if (!sleep_ms(f, WAIT_MS))
            break;
    }
    follow_say_told(f);
    return NULL;
}

static int make(struct http_follow *f)
{
    pthread_condattr_t attr;
    f->unpacker = record_window_create();
    f->window = window_create();
    if (f->unpacker == NULL || f->window == NULL || rule_names_init(&f->names, f->s.rules) < 0)
        return -ENOMEM;
    f->has_names = true;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->came, &attr);
    pthread_condattr_destroy(&attr);
    return 0;
}

int http_follow_start(struct http_follow **out, const struct http_follow_settings *s,
                      struct fault *fault)
{
    struct http_follow *f = calloc(1, sizeof *f);
    pthread_attr_t attr;
    *out = NULL;
    if (f != NULL)
        f->s = *s;
    if (f == NULL || make(f) < 0) {
        if (f != NULL) {
            record_window_destroy(f->unpacker);
            window_destroy(f->window);
        }
        free(f);
        return fault_set(fault, ENOMEM, "no memory to follow a feed");
    }
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    int err = pthread_create(&f->thread, &attr, thread_run, f);
    pthread_attr_destroy(&attr);
    if (err != 0) {
        f->thread = 0;
        f->is_stopping = true;
        http_follow_stop(f);
        return fault_set(fault, err, "a thread to follow a feed: %s", strerror(err));
    }
    *out = f;
    return 0;
}

void http_follow_wake(struct http_follow *f)
{
    pthread_mutex_lock(&f->lock);
    f->is_stopping = true;
    pthread_cond_broadcast(&f->came);
    pthread_mutex_unlock(&f->lock);
    if (f->s.durable != NULL)
        feed_durable_wake(f->s.durable);
}

void http_follow_stop(struct http_follow *f)
{
    if (f == NULL)
        return;
    http_follow_wake(f);
    if (f->thread != 0)
        pthread_join(f->thread, NULL);
    for (unsigned i = 0; i < HTTP_EVENTS; i++)
        http_body_release(f->events[i]);
    for (unsigned i = 0; i < HTTP_PRINTED; i++)
        http_body_release(f->printed[i].body);
    for (unsigned i = 0; i < 2; i++)
        http_view_destroy(f->views[i]);
    outages_fini(&f->gaps);
    rule_names_fini(&f->names);
    labelled_free(f);
    window_destroy(f->window);
    record_window_destroy(f->unpacker);
    pthread_cond_destroy(&f->came);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
