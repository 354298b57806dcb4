#include "export/courier_state.h"

#include "export/cursor_file.h"
#include "export/event_print.h"
#include "export/feed_tail.h"
#include "export/hll.h"
#include "export/record_event.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_FIRST_MS = 200,
    WAIT_MAX_MS = 300000,
    LOOK_MS = 500,      /* how soon a stop is seen while nothing comes */
    CURSOR_EVERY = 4096 /* records without an event for it, at most, until the cursor moves on */
};

struct courier {
    struct courier_settings settings;
    struct courier_spec spec;
    char *dir;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_stopped;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t change;
    struct courier_state state;
    int outcome;
    struct fault outcome_fault;

    /* The thread's own. */
    struct cursor_file *cursor;
    struct feed_position at; /* as the cursor has it */
    struct feed_tail *tail;
    bool is_stale;   /* records behind `at` were deleted before they were read */
    unsigned passed; /* records since the cursor moved */
    uint64_t wait_ms, progress_ms;
    char said[256]; /* the failure that was said last; "": it is over */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_begin(void) { (void)curl_global_init(CURL_GLOBAL_DEFAULT); }

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool is_stopped(const struct courier *c)
{
    return atomic_load_explicit(&c->is_stopped, memory_order_relaxed);
}

static void say(const struct courier *c, const char *text)
{
    if (c->settings.say != NULL)
        c->settings.say(c->settings.context, text);
}

const char *courier_name(const struct courier *c) { return c->spec.name; }

void courier_read(struct courier *c, struct courier_state *out)
{
    pthread_mutex_lock(&c->mutex);
    *out = c->state;
    pthread_mutex_unlock(&c->mutex);
}

/* Until `ms` are over or it is stopped. */
static void wait_for(struct courier *c, uint64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&c->mutex);
    while (!is_stopped(c) && pthread_cond_timedwait(&c->change, &c->mutex, &t) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&c->mutex);
}

/* ---- one event ---- */

static bool is_meant(const struct courier_spec *s, const struct event *e)
{
    return s->types >> e->type & 1 && s->phases >> e->phase & 1 &&
           (s->organisation[0] == 0 ||
            (e->type == EVENT_watched && strcmp(s->organisation, e->watched.organisation) == 0));
}

/* Behind the record that the tail gave last. */
static int cursor_move(struct courier *c, struct fault *fault)
{
    c->at = *feed_tail_position(c->tail);
    c->is_stale = false;
    c->passed = 0;
    return cursor_file_write(c->cursor, &c->at, fault);
}

static void arrival_note(struct courier *c, const struct event *e, bool has_arrived)
{
    pthread_mutex_lock(&c->mutex);
    c->state.is_failing = false;
    c->state.problem[0] = 0;
    c->state.arrived += has_arrived;
    c->state.given_up += !has_arrived;
    if (has_arrived)
        c->state.arrived_ns = e->time_ns;
    pthread_mutex_unlock(&c->mutex);
    c->wait_ms = 0;
    c->progress_ms = now_ms();
    if (has_arrived && c->said[0] != 0) {
        char text[COURIER_TEXT + 64];
        snprintf(text, sizeof text, "%s: delivering again", c->spec.name);
        say(c, text);
        c->said[0] = 0;
    }
}

/* Says a failure once, and waits. Whether to try again. */
static bool failure_take(struct courier *c, const struct fault *fault)
{
    pthread_mutex_lock(&c->mutex);
    c->state.errors++;
    c->state.is_failing = true;
    memcpy(c->state.problem, fault->text, sizeof c->state.problem);
    pthread_mutex_unlock(&c->mutex);
    if (strcmp(c->said, fault->text) != 0)
        say(c, fault->text);
    memcpy(c->said, fault->text, sizeof c->said);
    if (c->settings.is_finite && c->settings.patience_ms > 0 &&
        now_ms() - c->progress_ms > c->settings.patience_ms)
        return false;
    c->wait_ms = c->wait_ms == 0 ? WAIT_FIRST_MS : c->wait_ms * 2;
    if (c->wait_ms > WAIT_MAX_MS)
        c->wait_ms = WAIT_MAX_MS;
    wait_for(c, c->wait_ms);
    return !is_stopped(c);
}

static void given_up_say(struct courier *c, const struct event *e, const struct fault *fault)
{
    char text[640], id[EVENT_ID];
    snprintf(text, sizeof text, "%.200s; event %s-%u is given up after %u tries", fault->text,
             event_id(e, id), e->update, c->spec.tries);
    say(c, text);
}

static int (*const attempts[])(const struct courier_spec *s, const struct courier_letter *letter,
                               const atomic_bool *is_stopped, struct fault *fault) = {
    [COURIER_WEBHOOK] = courier_post,
    [COURIER_COMMAND] = courier_run,
    [COURIER_FILE] = courier_write,
};

/* Until it has arrived or is given up: 0. */
static int event_deliver(struct courier *c, const struct event *e, struct fault *fault)
{
    struct courier_letter letter = {.event = e};
    char *json = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&json, &len);
    bool has_arrived = false;
    int err;
    if (out == NULL)
        return fault_set(fault, ENOMEM, "%.100s: no memory", c->spec.name);
    event_json(out, e);
    fputc('\n', out);
    if (fclose(out) != 0) {
        free(json);
        return fault_set(fault, ENOMEM, "%.100s: no memory", c->spec.name);
    }
    letter.json = json;
    letter.len = len - 1;
    for (unsigned tries = 1;; tries++) {
        err = attempts[c->spec.kind](&c->spec, &letter, &c->is_stopped, fault);
        has_arrived = err == 0;
        if (err == 0 || is_stopped(c))
            break;
        if (c->spec.kind == COURIER_COMMAND && tries >= c->spec.tries) {
            given_up_say(c, e, fault);
            pthread_mutex_lock(&c->mutex);
            c->state.errors++;
            pthread_mutex_unlock(&c->mutex);
            err = 0;
            break;
        }
        if (!failure_take(c, fault))
            break;
    }
    free(json);
    if (err < 0)
        return err;
    arrival_note(c, e, has_arrived);
    return cursor_move(c, fault);
}

static int record_take(struct courier *c, const struct feed_tail_record *r, struct fault *fault)
{
    struct event e;
    if (r->missing > 0) {
        char text[256];
        snprintf(text, sizeof text, "%.100s: %u segments of the feed are missing before %u",
                 c->spec.name, r->missing, r->segment);
        say(c, text);
    }
    if (r->kind == RECORD_event) {
        int err = record_unpack_event(&e, r->body, r->body_len, fault);
        if (err < 0)
            return err;
        if (is_meant(&c->spec, &e))
            return event_deliver(c, &e, fault);
    }
    return ++c->passed < CURSOR_EVERY ? 0 : cursor_move(c, fault);
}

/* ---- the feed ---- */

static int tail_open(struct courier *c, struct fault *fault)
{
    bool is_fresh = c->at.seq == 0;
    int err =
        c->is_stale ? -ESTALE : feed_tail_open(&c->tail, c->dir, is_fresh ? NULL : &c->at, fault);
    if (err ==
        -ESTALE) { /* what is kept behind it is told; what was told before it is not, again */
        if (!c->is_stale)
            say(c, fault->text);
        err = feed_tail_open_behind(&c->tail, c->dir, &c->at, fault);
    }
    if (err == 0 && c->settings.durable != NULL)
        feed_tail_limit(c->tail, c->settings.durable);
    return err;
}

/* Takes what there is: 0. */
static int feed_flow(struct courier *c, struct fault *fault)
{
    struct feed_tail_record r;
    int err = c->tail == NULL ? tail_open(c, fault) : 0;
    while (err == 0 && !is_stopped(c) && (err = feed_tail_next(c->tail, &r, fault)) == 1)
        err = record_take(c, &r, fault);
    if (err == 0 && c->passed > 0 && !is_stopped(c))
        err = cursor_move(c, fault);
    if (err < 0) { /* what was given and not taken is not given again */
        c->is_stale |= err == -ESTALE;
        feed_tail_close(c->tail);
        c->tail = NULL;
        c->passed = 0;
    }
    return err;
}

static void *run(void *context)
{
    struct courier *c = context;
    struct fault fault = {0};
    int err = 0;
    c->progress_ms = now_ms();
    while (!is_stopped(c)) {
        err = feed_flow(c, &fault);
        if (err == 0 && c->settings.is_finite)
            break;
        if (err < 0 && !is_stopped(c) && !failure_take(c, &fault))
            break;
        if (err == 0)
            feed_tail_wait(c->tail, LOOK_MS);
    }
    pthread_mutex_lock(&c->mutex);
    c->outcome = is_stopped(c) ? 0 : err;
    c->outcome_fault = fault;
    c->state.is_over = true;
    pthread_cond_broadcast(&c->change);
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

/* ---- from outside ---- */

/* By what makes it another receiver's; an organisation's own goes on where another way to it stopped. */
static int cursor_path(const struct courier *c, char **path)
{
    const struct courier_spec *s = &c->spec;
    const char *own = c->settings.organisation;
    uint32_t crc = record_crc(0, s->name, strlen(s->name));
    if (own != NULL)
        return asprintf(path, "%s/delivery-%016" PRIx64 ".cursor", c->dir,
                        hll_hash(own, strlen(own)));
    if (s->cursor[0] != 0)
        return asprintf(path, "%s", s->cursor);
    crc = record_crc(crc, s->target, strlen(s->target));
    crc = record_crc(crc, s->organisation, strlen(s->organisation));
    crc = record_crc(crc, &s->types, 2 * sizeof s->types);
    return asprintf(path, "%s/%.*s-%08x.cursor", c->dir, (int)strcspn(s->name, ":"), s->name, crc);
}

static int cursor_open(struct courier *c, struct fault *fault)
{
    char *path;
    int err;
    if (cursor_path(c, &path) < 0)
        return fault_set(fault, ENOMEM, "%.100s: no memory", c->spec.name);
    err = cursor_file_open(&c->cursor, path, c->dir, &c->at, fault);
    free(path);
    return err;
}

/* It is an organisation's: alerts of its networks, and its name in all that is said. */
static int own_take(struct courier *c, const char *organisation, struct fault *fault)
{
    struct courier_spec *s = &c->spec;
    char name[COURIER_TEXT];
    if (s->has_route)
        return fault_set(fault, EINVAL, "%.100s: of an organisation: chooses what is told",
                         s->name);
    event_text(s->organisation, sizeof s->organisation, organisation);
    s->types = UINT32_C(1) << EVENT_watched;
    snprintf(name, sizeof name, "%s: %.900s", s->organisation, s->name);
    memcpy(s->name, name, sizeof s->name);
    c->settings.organisation = s->organisation;
    return 0;
}

static void destroy(struct courier *c)
{
    feed_tail_close(c->tail);
    cursor_file_close(c->cursor);
    pthread_cond_destroy(&c->change);
    pthread_mutex_destroy(&c->mutex);
    free(c->dir);
    free(c);
}

int courier_start(struct courier **out, const struct courier_settings *settings,
                  struct fault *fault)
{
    struct courier *c = calloc(1, sizeof *c);
    pthread_condattr_t attributes;
    int err;
    *out = NULL;
    if (c == NULL)
        return fault_set(fault, ENOMEM, "%s", strerror(ENOMEM));
    pthread_mutex_init(&c->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->change, &attributes);
    pthread_condattr_destroy(&attributes);
    c->settings = *settings;
    c->settings.organisation = NULL;
    c->state.arrived_ns = INT64_MIN;
    c->dir = strdup(settings->dir);
    err = c->dir == NULL ? fault_set(fault, ENOMEM, "%s", strerror(ENOMEM))
                         : courier_spec_read(&c->spec, settings->spec, fault);
    if (err == 0 && settings->organisation != NULL)
        err = own_take(c, settings->organisation, fault);
    if (err == 0)
        err = cursor_open(c, fault);
    if (err == 0) {
        pthread_once(&curl_once, curl_begin);
        err = -pthread_create(&c->thread, NULL, run, c);
        if (err < 0)
            fault_set(fault, -err, "%.100s: %s", c->spec.name, strerror(-err));
    }
    if (err < 0) {
        destroy(c);
        return err;
    }
    c->has_thread = true;
    *out = c;
    return 0;
}

bool courier_wait(struct courier *c, int timeout_ms, int *err, struct fault *fault)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    pthread_mutex_lock(&c->mutex);
    while (!c->state.is_over && pthread_cond_timedwait(&c->change, &c->mutex, &t) != ETIMEDOUT)
        continue;
    bool is_over = c->state.is_over;
    if (is_over) {
        *err = c->outcome;
        *fault = c->outcome_fault;
    }
    pthread_mutex_unlock(&c->mutex);
    return is_over;
}

void courier_stop(struct courier *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    atomic_store_explicit(&c->is_stopped, true, memory_order_relaxed);
    pthread_cond_broadcast(&c->change);
    pthread_mutex_unlock(&c->mutex);
    if (c->settings.durable != NULL)
        feed_durable_wake(c->settings.durable);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    destroy(c);
}
