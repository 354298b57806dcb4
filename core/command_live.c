/* live: captures from interfaces and ports until it is told to stop. */
#include "core/command.h"

#include "core/event_setup.h"
#include "core/live_check.h"
#include "core/live_links.h"
#include "core/live_outlets.h"
#include "core/live_reload.h"
#include "core/live_sources.h"
#include "core/messages.h"
#include "core/notify.h"
#include "core/privilege.h"
#include "core/replay_days.h"
#include "core/signals.h"
#include "core/status.h"
#include "export/feed_keep.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* All of a run, in the order in which it is opened. */
struct run {
    const struct config *config;
    struct signals *signals;
    struct notify notify;
    struct privilege_user user;
    struct setup setup;
    struct replay_days days;
    struct event_setup events;
    char *event_file;
    struct live_sources sources;
    struct live_links links;
    struct feed_identity identity;
    struct feed_telescope sized;
    struct feed_log *feed;
    struct feed_resume resume;
    struct live_days_settings days_settings;
    struct live_days *live_days;
    struct survey_list *survey;
    struct recorder *recorder;
    struct live_outlets outlets;
    struct live_offer *offer;
    _Atomic(struct live_reload *) reload; /* NULL: not yet */
    struct live_settings settings;
    struct live_result result;
    struct status status;
    pthread_mutex_t status_lock; /* several threads wipe its line */
    atomic_int stop;
    uint32_t without_events; /* of retention: segments up to this number hold none */
    int64_t kept_ns;         /* when retention looked last */
    unsigned links_down;     /* when that was looked at last */
    bool is_waiting;         /* it does not believe the time yet */
};

/* ---- what is said ---- */

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void say(const char *line) { serve_say(NULL, line); }

/* A message of any thread. */
static void say_beside(void *context, const char *line)
{
    struct run *r = context;
    (void)pthread_mutex_lock(&r->status_lock);
    status_wipe(&r->status);
    (void)pthread_mutex_unlock(&r->status_lock);
    say(line);
}

static void reload_asked(void *context)
{
    struct run *r = context;
    struct live_reload *reload = atomic_load(&r->reload);
    if (reload)
        live_reload_ask(reload);
}

static void reload_begins(void *context)
{
    const struct run *r = context;
    (void)notify_reloading(&r->notify);
}

static void reload_ends(void *context)
{
    struct run *r = context;
    if (!atomic_load(&r->stop))
        (void)notify_ready(&r->notify);
}

static void rules_taken(void *context, const struct ruleset *rules)
{
    struct run *r = context;
    live_outlets_rules(&r->outlets, rules);
}

static void networks_read(void *context, const struct watched *networks)
{
    struct run *r = context;
    struct fault fault;
    if (r->outlets.deliveries && live_outlets_deliver(&r->outlets, networks, &fault) < 0)
        say_beside(r, fault.text);
}

static bool rules_are_used(void *context, const struct ruleset *rules)
{
    struct run *r = context;
    return live_outlets_uses(&r->outlets, rules);
}

static void stop_asked(void *context, int signal)
{
    struct run *r = context;
    (void)signal;
    atomic_store(&r->stop, 1);
}

/* The keeper's thread, in front of each tick. */
static bool is_blind(void *context)
{
    struct run *r = context;
    r->links_down = live_links_look(&r->links, say_beside, r);
    return r->links.blind != 0;
}

/* The keeper's thread, once a second. */
static void tick(void *context, const struct live_counters *now)
{
    struct run *r = context;
    struct status_counts counts = {
        .offered = now->received,
        .windows = now->windows,
        .windows_held = now->held_windows,
        .sources = now->sources,
        .bytes = now->bytes,
        .has_unknown_drops = now->unknown != 0,
        .record_skipped = STATUS_UNKNOWN,
    };
    for (unsigned why = 0; why < DROP_COUNT; why++) {
        counts.dropped += now->dropped[why];
        counts.offered += why == DROP_filtered || why == DROP_ring_full ? 0 : now->dropped[why];
    }
    struct recorder_counts recorded;
    if (r->recorder) {
        recorder_counts(r->recorder, &recorded);
        counts.record_skipped = recorded.skipped;
    }
    counts.prefixes_silent = live_outlets_silent(&r->outlets);
    counts.links_down = r->links_down;
    live_outlets_tick(&r->outlets, now, r->recorder ? &recorded : NULL, r->links.down);
    for (unsigned i = 0; i < r->sources.count; i++)
        counts.receivers_silent += now->silent >> i & 1;
    (void)pthread_mutex_lock(&r->status_lock);
    if (messages_wait(&messages_stderr)) {
        status_wipe(&r->status);
        (void)messages_flush(&messages_stderr);
    }
    bool is_new = status_tick(&r->status, &counts, monotonic_ns());
    (void)pthread_mutex_unlock(&r->status_lock);
    if (is_new)
        (void)notify_status(&r->notify, r->status.text);
    (void)notify_alive(&r->notify);
}

/* The exporter's thread. */
static void trouble(void *context, const struct fault *fault)
{
    char line[sizeof fault->text + 64] = "the feed is written again, and all that was held";
    if (fault)
        (void)snprintf(line, sizeof line, "%s: windows are held in memory until it can be written",
                       fault->text);
    say_beside(context, line);
}

/* Retention goes by whole days, up to the next one: 0 alone is for ever. */
static uint32_t days_of(uint64_t span_ns)
{
    static const uint64_t day_ns = UINT64_C(86400000000000);
    return (uint32_t)(span_ns / day_ns + (span_ns % day_ns != 0));
}

/* The exporter's thread, behind each window that is on disk. */
static void sealed(void *context, int64_t end_ns)
{
    struct run *r = context;
    const struct config *c = r->config;
    const struct feed_keep_settings keep = {
        .windows = days_of(c->keep_windows_ns),
        .sources = days_of(c->keep_sources_ns),
        .days = days_of(c->keep_days_ns),
        .events = days_of(c->keep_events_ns),
        .without_events = &r->without_events,
    };
    struct feed_keep_result kept;
    struct fault fault;
    live_outlets_sealed(&r->outlets, end_ns);
    if (end_ns - r->kept_ns < INT64_C(3600000000000))
        return;
    int err = feed_keep_run(r->feed, c->out, &keep, end_ns, &kept, &fault);
    if (err == -EAGAIN)
        return;
    r->kept_ns = end_ns; /* what can't be deleted is said each time, here and in the feed */
    if (err < 0)
        say_beside(r, fault.text);
    else if (kept.is_waiting && !r->is_waiting)
        say_beside(r, "time went on by more than a week: nothing is deleted by it until the feed "
                      "holds 24 hours of it");
    r->is_waiting = err == 0 ? kept.is_waiting : r->is_waiting;
}

/* ---- feed and days ---- */

static void say_resumed(const struct run *r)
{
    const struct feed_resume *f = &r->resume;
    if (f->cut_file[0])
        fprintf(stderr,
                "yamiscope: %s/%s: its last %" PRIu64 " bytes, from byte %" PRIu64
                " on, were not whole: cut off\n",
                r->config->out, f->cut_file, f->cut_bytes, f->cut_at);
    if (f->removed_file[0])
        fprintf(stderr, "yamiscope: %s/%s: held no whole record: removed\n", r->config->out,
                f->removed_file);
    if (f->damaged_file[0])
        fprintf(stderr, "yamiscope: %s/%s: byte %" PRIu64 ": a broken record; it stays\n",
                r->config->out, f->damaged_file, f->damaged_at);
}

static int journal_open(struct run *r, int32_t today, struct fault *fault)
{
    struct live_days_settings *s = &r->days_settings;
    r->days.settings.infected = r->events.infected;
    if (r->events.infected)
        event_infected_look_back(r->events.infected, r->config->out);
    *s = (struct live_days_settings){
        .day = r->days.settings,
        .feed_dir = r->config->out,
        .has_survey = replay_days_survey(&r->days) != NULL,
        .window_seq = r->resume.window_seq,
        .say = say_beside,
        .context = r,
    };
    if (asprintf(&s->journal_dir, "%s/journal", r->config->out) < 0) {
        s->journal_dir = NULL;
        return fault_set(fault, ENOMEM, "journal: %s", strerror(ENOMEM));
    }
    int err = live_days_open(&r->live_days, s, fault);
    if (err == 0)
        err = live_days_begin(r->live_days, today, r->feed, &r->survey, &r->settings.due, fault);
    return err;
}

/* The model of new activity, over restarts. What is damaged is said, and begins anew. */
static void activity_keep(struct run *r)
{
    struct fault fault;
    char *path;
    if (r->events.activity == NULL || asprintf(&path, "%s/activity.state", r->config->out) < 0)
        return;
    if (event_activity_keep(r->events.activity, path, &fault) < 0) {
        char line[sizeof fault.text + 64];
        (void)snprintf(line, sizeof line, "%s: a new model begins", fault.text);
        say_beside(r, line);
    }
    free(path);
}

static int feed_open(struct run *r, struct fault *fault)
{
    struct clock_reader clock;
    clock_reader_init(&clock, &r->sources.clock);
    int64_t now_ns = live_clock_now(&clock);
    int err = feed_log_continue(&r->feed, &r->resume, r->config->out, &r->identity, fault);
    if (err < 0)
        return err;
    say_resumed(r);
    r->events.settings.saves = true;
    if (asprintf(&r->event_file, "%s/events.open", r->config->out) < 0)
        r->event_file = NULL;
    if (event_setup_settings(&r->events) && r->event_file)
        err = live_events_settle(r->event_file, r->config->out, r->feed, &r->resume, fault);
    if (err < 0)
        return err;
    activity_keep(r);
    if (r->days.is_counted)
        err = journal_open(r, calendar_day_of(now_ns).date, fault);
    if (err == 0)
        err = live_outlets_open(&r->outlets, r->config, r->setup.rules, &r->sources,
                                feed_log_seq(r->feed), fault);
    if (err == 0)
        feed_log_publish(r->feed, &r->outlets.durable);
    if (err == 0 && r->events.networks)
        err = live_outlets_deliver(&r->outlets, r->events.networks, fault);
    return err;
}

static int recorder_open(struct run *r, struct fault *fault)
{
    const struct config *c = r->config;
    const struct recorder_settings settings = {
        .dir = c->record,
        .span_ns = (int64_t)c->record_span_ns,
        .file_bytes = c->record_size,
        .keep_ns = (int64_t)c->record_keep_age_ns,
        .keep_bytes = c->record_keep_bytes,
        .snaplen = (uint32_t)c->snaplen,
        .zstd_level = (int)c->record_zstd,
        .say = say_beside,
        .context = r,
    };
    return recorder_create(&r->recorder, &settings, r->sources.count, fault);
}

/* ---- setup ---- */

static int check(const struct config *c, struct fault *fault)
{
    if (c->path_count > 0)
        return fault_set(fault, EINVAL,
                         "'%s': live takes no files: --from says where packets come from",
                         c->paths[0]);
    return live_check(c, fault);
}

static unsigned workers_of(const struct run *r)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned receivers = r->sources.count;
    if (live_receivers_count(r->config))
        return receivers;
    if (r->config->workers)
        return (unsigned)r->config->workers;
    return processors <= (long)receivers + 1 ? 1
           : processors - receivers > SHARDS ? SHARDS
                                             : (unsigned)processors - receivers;
}

static void settings_fill(struct run *r)
{
    const struct config *c = r->config;
    r->settings.base = (struct pipeline_settings){
        .rules = r->setup.rules,
        .telescope = r->setup.telescope,
        .feed = r->feed,
        .decap = r->setup.decap,
        .workers = workers_of(r),
        .packs_days = r->live_days != NULL,
        .survey = r->live_days ? replay_days_survey(&r->days) : NULL,
        .batch = (unsigned)c->batch,
        .events = event_setup_settings(&r->events),
        .memory_cap = c->memory,
        .window_span_ns = (int64_t)c->window_ns,
    };
    memcpy(r->settings.receivers, r->sources.receivers, sizeof r->settings.receivers);
    r->settings.receiver_count = r->sources.count;
    r->settings.receivers_count = live_receivers_count(c);
    r->settings.watches = r->setup.telescope ? r->outlets.watches : NULL;
    r->settings.recorder = r->recorder;
    r->settings.days = r->live_days;
    r->settings.survey = r->survey;
    r->settings.rules = (struct live_rules){
        .rules = r->setup.rules,
        .survey = r->settings.base.survey,
        .identity = &r->identity,
        .days = &r->days.settings,
    };
    r->settings.offer = r->offer;
    r->settings.event_file = r->event_file;
    r->settings.event_end_ns = r->resume.has_window ? r->resume.end_ns : INT64_MIN;
    r->settings.clock = &r->sources.clock;
    r->settings.feed_end_ns = r->resume.has_window ? r->resume.end_ns : 0;
    r->settings.batches = live_batches(r->settings.base.workers);
    r->settings.stop = &r->stop;
    r->settings.tick = tick;
    r->settings.is_blind = is_blind;
    r->settings.trouble = trouble;
    r->settings.say = say_beside;
    r->settings.sealed = sealed;
    r->settings.context = r;
}

/* Asked for while all was opened: what was read may be older. */
static int reload_open(struct run *r, struct fault *fault)
{
    const struct live_reload_settings settings = {
        .config = r->config,
        .setup = &r->setup,
        .offer = r->offer,
        .events = event_setup_settings(&r->events),
        .networks = r->events.networks,
        .watched = networks_read,
        .say = say_beside,
        .begin = reload_begins,
        .end = reload_ends,
        .taken = rules_taken,
        .uses = rules_are_used,
        .context = r,
    };
    struct live_reload *reload;
    int err = live_reload_start(&reload, &settings, fault);
    if (err < 0)
        return err;
    atomic_store(&r->reload, reload);
    atomic_store(&r->outlets.reload, reload);
    if (signals_reloads(r->signals) > 0)
        live_reload_ask(reload);
    return 0;
}

/* As root everything opens; then it becomes the user. */
static int run_open(struct run *r, struct fault *fault)
{
    static const struct signal_calls calls = {.reload = reload_asked, .stop = stop_asked};
    const struct config *c = r->config;
    int err = privilege_harden(fault);
    if (err == 0 && !(r->offer = live_offer_create()))
        err = fault_set(fault, ENOMEM, "reload: %s", strerror(ENOMEM));
    if (err == 0)
        err = signals_start(&r->signals, &calls, r, fault);
    if (err == 0)
        err = notify_open(&r->notify, fault);
    if (err == 0 && c->user)
        err = privilege_find(&r->user, c->user, fault);
    if (err == 0)
        err = live_sources_open(&r->sources, c, say, fault);
    if (err == 0)
        live_links_open(&r->links, &r->sources);
    if (err == 0 && live_receivers_count(c))
        err = live_sources_deal(&r->sources, c, fault);
    if (err == 0 && live_receivers_count(c) && r->sources.count > 1)
        err = event_setup_split(&r->events, c, say, fault);
    if (err == 0)
        err = privilege_drop(c->user ? &r->user : NULL, UINT64_C(1) << CAP_NET_RAW, fault);
    if (err == 0)
        err = replay_days_init(&r->days, c, &r->setup, false, fault);
    if (err < 0)
        return err;
    r->identity = setup_identity(&r->setup, c, &r->sized);
    r->identity.lateness_ns = 0;
    replay_days_identify(&r->days, &r->identity);
    err = live_sources_plan(&r->sources, c, live_receivers_count(c) ? 0 : workers_of(r),
                            r->settings.worker_cpus, say, fault);
    if (err == 0)
        live_sources_step_aside(&r->sources);
    if (err == 0 && r->setup.telescope &&
        live_outlets_watch(&r->outlets, r->setup.telescope, r->sources.count) < 0)
        err = fault_set(fault, ENOMEM, "prefixes: %s", strerror(ENOMEM));
    if (err == 0 && c->out)
        err = feed_open(r, fault);
    if (err == 0 && c->record)
        err = recorder_open(r, fault);
    if (err < 0)
        return err;
    settings_fill(r);
    return reload_open(r, fault);
}

static int run_close(struct run *r, int err, struct fault *fault)
{
    struct fault other;
    live_reload_end(atomic_load(&r->reload));
    if (r->recorder && recorder_finish(r->recorder, &other) < 0)
        say(other.text);
    recorder_destroy(r->recorder);
    live_outlets_close(&r->outlets);
    live_days_close(r->live_days);
    if (r->feed && err == 0)
        err = feed_log_finish(r->feed, fault);
    else
        feed_log_abandon(r->feed);
    live_rules_release(&r->result.rules);
    live_links_close(&r->links);
    live_sources_close(&r->sources);
    replay_days_fini(&r->days);
    event_setup_fini(&r->events);
    free(r->event_file);
    free(r->days_settings.journal_dir);
    free(r->survey);
    privilege_user_fini(&r->user);
    signals_stop(r->signals);
    live_reload_destroy(atomic_load(&r->reload)); /* all is written by now: it may take a while */
    live_offer_destroy(r->offer);
    notify_close(&r->notify);
    (void)messages_flush(&messages_stderr);
    return err;
}

/* ---- result ---- */

static void print_stages(const struct run *r)
{
    const struct live_counters *n = &r->result.counters;
    uint64_t ring_full = n->dropped[DROP_ring_full], filtered = n->dropped[DROP_filtered];
    printf("%-10s %16s %16s %16s %16s\n", "stage", "in", "queued", "out", "dropped");
    printf("%-10s %16" PRIu64 " %16d %16" PRIu64 " %16" PRIu64 "\n", "receive", n->received, 0,
           n->received - filtered - ring_full, filtered + ring_full);
    printf("%-10s %16" PRIu64 " %16" PRIu64 " %16" PRIu64 " %16d\n", "count",
           n->received - filtered - ring_full, n->queued_batches, n->counted, 0);
    printf("%-10s %16" PRIu64 " %16" PRIu64 " %16" PRIu64 " %16" PRIu64 "  (windows)\n", "write",
           n->windows, n->held_windows, n->windows - n->held_windows - n->lost_windows,
           n->lost_windows);
}

static void print_given_up(const struct summary_given_up *g)
{
    if (!g->ports)
        return;
    printf("not exact: the memory cap was met: ");
    if (g->ports_packets == UINT64_MAX)
        printf("no source lists ports%s any more", g->rules ? " and rules" : "");
    else
        printf("sources of up to %" PRIu64 " packets a day no longer list ports%s",
               g->ports_packets, g->rules ? " and rules" : "");
    printf("%s; %" PRIu64 " packets\n", g->sources ? ", new ones are only counted" : "",
           g->packets);
}

static void print_result(const struct run *r)
{
    const struct window *total = r->result.pipeline.total;
    printf("%" PRIu64 " window%s%s%s\n", r->result.pipeline.windows,
           r->result.pipeline.windows == 1 ? "" : "s", r->config->out ? " in " : "",
           r->config->out ? r->config->out : "");
    command_print_ledger(&total->ledger, total->totals.bytes);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (total->kinds[kind].packets > 0)
            printf("  %-18s %16" PRIu64 "\n", kind_name((enum kind)kind),
                   total->kinds[kind].packets);
    print_given_up(&r->result.pipeline.given_up);
    if (r->result.pipeline.indicators_withheld > 0)
        printf("%" PRIu64 " indicators withheld: they mention the telescope\n",
               r->result.pipeline.indicators_withheld);
    if (r->result.counters.lost_windows > 0)
        printf("%" PRIu64 " windows could not be written\n", r->result.counters.lost_windows);
    if (r->config->stage_table)
        print_stages(r);
}

int command_live(const struct config *c)
{
    static struct run r;
    struct fault fault;
    int code = EXIT_DONE;
    r = (struct run){.config = c,
                     .notify.fd = -1,
                     .outlets.lock = PTHREAD_MUTEX_INITIALIZER,
                     .status_lock = PTHREAD_MUTEX_INITIALIZER};
    if (check(c, &fault) < 0 || setup_open(&r.setup, c, &fault) < 0 ||
        event_setup_init(&r.events, c, &r.setup, "all", c->out != NULL, &fault) < 0) {
        event_setup_fini(&r.events);
        setup_fini(&r.setup);
        return command_fail(&fault, EXIT_USAGE);
    }
    int err = run_open(&r, &fault);
    bool is_running = err == 0;
    if (is_running) {
        status_init(&r.status, STDERR_FILENO, (int64_t)c->status_every_ns, monotonic_ns());
        (void)notify_ready(&r.notify);
        err = live_run(&r.settings, &r.result, &fault);
        (void)notify_stopping(&r.notify);
        status_wipe(&r.status);
    }
    if (is_running && err == 0)
        print_result(&r);
    bool has_lost = r.result.counters.lost_windows > 0;
    err = run_close(&r, err, &fault);
    if (err < 0)
        code = command_fail(&fault, err == -EINVAL ? EXIT_USAGE : EXIT_FAILED);
    else
        code = command_flush(has_lost ? EXIT_FAILED : EXIT_DONE);
    pipeline_result_fini(&r.result.pipeline);
    setup_fini(&r.setup);
    return code;
}
