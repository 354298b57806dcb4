#include "core/live_reload.h"

#include "classify/payload.h"
#include "core/day_bases.h"
#include "core/event_setup.h"
#include "core/memory.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct shown;

/* What one reading came to; a generation's from when it is offered. It does not move. */
struct loaded {
    struct setup setup; /* rules and origins are its own */
    struct replay_days days;
    struct feed_telescope sized;
    struct feed_identity identity;
    struct watched *networks;
    struct shown *shown; /* has its rules, too: they stay; NULL: it has them alone */
};

/* Rules that were shown to readers. */
struct shown {
    struct shown *next;
    struct ruleset *rules;
    atomic_bool is_released; /* the capture is done with them */
};

struct live_reload {
    struct live_reload_settings settings;
    struct day_bases current; /* what was taken last; */
    char sha256[65];          /* of its rules */
    uint64_t networks[2];     /* likewise its networks */
    struct shown *shown;
    pthread_mutex_t telling; /* held while networks are told */
    pthread_mutex_t lock;    /* of what follows */
    pthread_cond_t asked;
    bool is_asked, is_ending;
    struct live_reload_state state;
    pthread_t thread;
};

/* ---- reading ---- */

static void loaded_destroy(void *loaded)
{
    struct loaded *n = loaded;
    replay_days_fini(&n->days);
    watched_destroy(n->networks);
    origins_destroy(n->setup.origins);
    if (n->shown) {
        payload_destroy(n->setup.rules->payload);
        n->setup.rules->payload = NULL;
        atomic_store_explicit(&n->shown->is_released, true, memory_order_release);
    } else {
        ruleset_destroy(n->setup.rules);
    }
    free(n);
}

static int load(struct loaded **out, const struct live_reload_settings *s, struct fault *fault)
{
    struct loaded *n = *out = memory_must(calloc(1, sizeof *n));
    n->setup = *s->setup;
    n->setup.rules = NULL;
    n->setup.origins = NULL;
    int err = setup_rules(&n->setup.rules, s->config, fault);
    if (err == 0)
        err = setup_origins(&n->setup.origins, s->config, fault);
    if (err == 0 && s->networks)
        err = event_setup_networks(&n->networks, s->config, s->events, fault);
    if (err == 0)
        err = replay_days_fill(&n->days, s->config, &n->setup, fault);
    if (err < 0) {
        loaded_destroy(n);
        return err;
    }
    n->identity = setup_identity(&n->setup, s->config, &n->sized);
    n->identity.lateness_ns = 0; /* as at the start: the capture has one clock */
    replay_days_identify(&n->days, &n->identity);
    return 0;
}

/* What all of it says of itself. */
static struct day_bases bases_of(const struct setup *setup)
{
    const struct ruleset *rules = setup->rules;
    const struct origin_basis *origins = origins_basis(setup->origins);
    const struct geo_identity *databases[] = {origins->country, origins->as};
    const struct day_basis set = {rules->name, rules->version, rules->sha256};
    struct day_bases b = {0};
    int err = day_bases_add(&b, DAY_RULES, &set);
    for (size_t i = 0; i < origins->list_count && err == 0; i++) {
        const struct day_basis list = {origins->lists[i].name, origins->lists[i].date,
                                       origins->lists[i].sha256};
        err = day_bases_add(&b, DAY_LISTS, &list);
    }
    for (unsigned i = 0; i < 2 && err == 0; i++) {
        if (!databases[i])
            continue;
        const struct day_basis database = {databases[i]->type, i == 0 ? "country" : "as",
                                           databases[i]->sha256};
        err = day_bases_add(&b, DAY_DATABASES, &database);
    }
    if (err < 0)
        memory_ended();
    return b;
}

static void networks_digest(const struct watched *networks, uint64_t to[2])
{
    to[0] = to[1] = 0;
    if (networks)
        watched_digest(networks, to);
}

static bool bases_equal(const struct day_bases *a, const struct day_bases *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool is_ending(struct live_reload *r)
{
    (void)pthread_mutex_lock(&r->lock);
    bool is = r->is_ending;
    (void)pthread_mutex_unlock(&r->lock);
    return is;
}

/* Whom they are told may be closed behind the end. */
static void networks_tell(struct live_reload *r, const struct watched *networks)
{
    (void)pthread_mutex_lock(&r->telling);
    if (r->settings.watched && !is_ending(r))
        r->settings.watched(r->settings.context, networks);
    (void)pthread_mutex_unlock(&r->telling);
}

/* The capture may be about to begin. */
static int offer(struct live_reload *r, struct loaded *n)
{
    static const struct timespec moment = {0, 20000000};
    const struct live_rules rules = {
        .rules = n->setup.rules,
        .survey = replay_days_survey(&n->days),
        .identity = &n->identity,
        .days = &n->days.settings,
        .watched = n->networks,
        .release = loaded_destroy,
        .context = n,
    };
    int err;
    while ((err = live_offer_give(r->settings.offer, &rules)) == -ESRCH && !is_ending(r))
        (void)nanosleep(&moment, NULL);
    return err;
}

/* Rules of this digest that readers know already; NULL: none. */
static const struct ruleset *shown_find(const struct live_reload *r, const char *sha256)
{
    const struct shown *s = r->shown;
    if (strcmp(r->settings.setup->rules->sha256, sha256) == 0)
        return r->settings.setup->rules;
    while (s && strcmp(s->rules->sha256, sha256) != 0)
        s = s->next;
    return s ? s->rules : NULL;
}

/* Before they are offered: from then on they are the capture's. */
static const struct ruleset *shown_add(struct live_reload *r, struct loaded *n)
{
    const struct ruleset *known = shown_find(r, n->setup.rules->sha256);
    if (known || !r->settings.taken)
        return known;
    struct shown *s = memory_must(malloc(sizeof *s));
    *s = (struct shown){.next = r->shown, .rules = n->setup.rules};
    r->shown = n->shown = s;
    return s->rules;
}

/* They were not taken. */
static void shown_remove(struct live_reload *r, struct loaded *n)
{
    struct shown *s = n->shown;
    if (!s)
        return;
    r->shown = s->next;
    free(s);
    n->shown = NULL;
}

/* Frees those that neither capture nor readers look at. */
static void shown_drop(struct live_reload *r)
{
    for (struct shown **at = &r->shown, *s; (s = *at);) {
        if (!atomic_load_explicit(&s->is_released, memory_order_acquire) ||
            r->settings.uses(r->settings.context, s->rules)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        ruleset_destroy(s->rules);
        free(s);
    }
}

static int take(struct live_reload *r, struct loaded *n)
{
    char sha256[65];
    memcpy(sha256, n->setup.rules->sha256, sizeof sha256);
    const struct ruleset *shown = shown_add(r, n);
    int err = offer(r, n);
    if (err < 0) {
        shown_remove(r, n);
        return err;
    }
    (void)pthread_mutex_lock(&r->lock);
    if (r->settings.taken && !r->is_ending) {
        if (strcmp(sha256, r->sha256) != 0)
            r->settings.taken(r->settings.context, shown);
        shown_drop(r);
    }
    (void)pthread_mutex_unlock(&r->lock);
    memcpy(r->sha256, sha256, sizeof r->sha256);
    return 0;
}

enum outcome { FAILED, UNCHANGED, DONE, ENDED };

/* Reads and offers; *line is for people, sha256 of what was read. */
static enum outcome reload(struct live_reload *r, char line[512], char sha256[65])
{
    struct loaded *n;
    struct fault fault;
    if (load(&n, &r->settings, &fault) < 0) {
        (void)snprintf(line, 512, "%s: rules and lists stay as they were", fault.text);
        return FAILED;
    }
    const struct ruleset *rules = n->setup.rules;
    struct day_bases bases = bases_of(&n->setup);
    memcpy(sha256, rules->sha256, 65);
    size_t lists = origins_basis(n->setup.origins)->list_count;
    uint64_t networks[2];
    char watched[64] = "";
    networks_digest(n->networks, networks);
    if (n->networks)
        (void)snprintf(watched, sizeof watched, ", %zu watched prefixes",
                       watched_count(n->networks));
    (void)snprintf(line, 512,
                   "rules %.100s %.60s (sha256 %s) and %zu list%s%s are read: in force from the "
                   "next window on",
                   rules->name, rules->version, rules->sha256, lists, lists == 1 ? "" : "s",
                   watched);
    networks_tell(r, n->networks);
    enum outcome outcome = UNCHANGED;
    if (!bases_equal(&bases, &r->current) || memcmp(networks, r->networks, sizeof networks) != 0) {
        int err = take(r, n);
        outcome = err == 0 ? DONE : err == -ESRCH ? ENDED : FAILED;
    }
    if (outcome == UNCHANGED)
        (void)snprintf(line, 512, "rules and lists are read again: they are as they were");
    else if (outcome == FAILED)
        (void)snprintf(line, 512, "rules: %s: they stay as they were", strerror(ENOMEM));
    if (outcome == DONE) {
        day_bases_fini(&r->current);
        r->current = bases;
        memcpy(r->networks, networks, sizeof networks);
    } else {
        day_bases_fini(&bases);
        loaded_destroy(n);
    }
    return outcome;
}

/* ---- thread ---- */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void note(struct live_reload *r, enum outcome outcome, const char *sha256)
{
    struct live_reload_state *s = &r->state;
    (void)pthread_mutex_lock(&r->lock);
    s->done += outcome == DONE;
    s->unchanged += outcome == UNCHANGED;
    s->failed += outcome == FAILED;
    s->has_failed = outcome == FAILED;
    s->at_ns = now_ns();
    if (outcome == DONE)
        memcpy(s->sha256, sha256, sizeof s->sha256);
    (void)pthread_mutex_unlock(&r->lock);
}

static void reload_once(struct live_reload *r)
{
    const struct live_reload_settings *s = &r->settings;
    char line[512], sha256[65];
    if (s->begin)
        s->begin(s->context);
    enum outcome outcome = reload(r, line, sha256);
    if (outcome != ENDED) {
        note(r, outcome, sha256);
        s->say(s->context, line);
    }
    if (s->end)
        s->end(s->context);
}

/* False: it is to end. */
static bool wait_until_asked(struct live_reload *r)
{
    (void)pthread_mutex_lock(&r->lock);
    while (!r->is_asked && !r->is_ending)
        (void)pthread_cond_wait(&r->asked, &r->lock);
    bool goes_on = !r->is_ending;
    r->is_asked = false;
    (void)pthread_mutex_unlock(&r->lock);
    return goes_on;
}

static void *reload_thread(void *reload)
{
    enum { NICE = 10 };
    (void)pthread_setname_np(pthread_self(), "reload");
    (void)sched_setscheduler(gettid(), SCHED_BATCH, &(struct sched_param){0});
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    while (wait_until_asked(reload))
        reload_once(reload);
    return NULL;
}

int live_reload_start(struct live_reload **out, const struct live_reload_settings *settings,
                      struct fault *fault)
{
    struct live_reload *r = *out = calloc(1, sizeof *r);
    if (!r)
        return fault_set(fault, ENOMEM, "reload: %s", strerror(ENOMEM));
    r->settings = *settings;
    r->current = bases_of(settings->setup);
    networks_digest(settings->networks, r->networks);
    memcpy(r->sha256, settings->setup->rules->sha256, sizeof r->sha256);
    memcpy(r->state.sha256, settings->setup->rules->sha256, sizeof r->state.sha256);
    (void)pthread_mutex_init(&r->telling, NULL);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->asked, NULL);
    int err = pthread_create(&r->thread, NULL, reload_thread, r);
    if (err == 0)
        return 0;
    day_bases_fini(&r->current);
    free(r);
    *out = NULL;
    return fault_set(fault, err, "reload: a thread: %s", strerror(err));
}

void live_reload_ask(struct live_reload *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->is_asked = true;
    (void)pthread_cond_signal(&r->asked);
    (void)pthread_mutex_unlock(&r->lock);
}

void live_reload_end(struct live_reload *r)
{
    if (!r)
        return;
    (void)pthread_mutex_lock(&r->lock);
    r->is_ending = true;
    (void)pthread_cond_signal(&r->asked);
    (void)pthread_mutex_unlock(&r->lock);
    (void)pthread_mutex_lock(&r->telling);
    (void)pthread_mutex_unlock(&r->telling);
}

void live_reload_destroy(struct live_reload *r)
{
    if (!r)
        return;
    (void)pthread_join(r->thread, NULL);
    for (struct shown *s = r->shown, *next; s; s = next) {
        next = s->next;
        ruleset_destroy(s->rules);
        free(s);
    }
    (void)pthread_cond_destroy(&r->asked);
    (void)pthread_mutex_destroy(&r->lock);
    (void)pthread_mutex_destroy(&r->telling);
    day_bases_fini(&r->current);
    free(r);
}

void live_reload_state(struct live_reload *r, struct live_reload_state *state)
{
    (void)pthread_mutex_lock(&r->lock);
    *state = r->state;
    (void)pthread_mutex_unlock(&r->lock);
}
