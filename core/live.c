#include "core/live.h"

#include "core/live_state.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    KEEPER_BATCHES = 64, /* marks on their way to a worker */
    DAYS = 8,            /* tallies and lists on their way to it */
};

void live_thread_begin(const struct live *l, const char *name, int cpu)
{
    (void)l;
    (void)pthread_setname_np(pthread_self(), name);
    if (cpu == LIVE_ANY_CPU)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* Scheduling is a thread's own on Linux. Where it can't be changed, it stays. A tenth of a busy processor, in either case: ten steps
 * of nice. */
void live_thread_yield(const struct live *l)
{
    int nice_value = live_polls(l) ? -10 : 10;
    if (getpriority(PRIO_PROCESS, (id_t)gettid()) >= 10)
        return;
    (void)sched_setscheduler(gettid(), SCHED_BATCH, &(struct sched_param){0});
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice_value);
}

void live_thread_insist(int cpu)
{
    enum { NICE = -20 };
    if (cpu != LIVE_ANY_CPU)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

bool live_polls(const struct live *l)
{
    unsigned polling = 0;
    for (unsigned i = 0; i < l->settings->receiver_count; i++)
        polling += l->settings->receivers[i].capture->ops->wait == NULL;
    return polling > 0;
}

/* ---- setup ---- */

enum { SHARD_BITS = 6 };
static_assert(SHARDS == 1 << SHARD_BITS, "shards are bits of a hash");

/* Of the shards that a receiver has for itself: as many as all can have alike. */
static unsigned own_shard_bits(const struct live *l)
{
    unsigned bits = SHARD_BITS;
    while (l->settings->receiver_count << bits > SHARDS)
        bits--;
    return bits;
}

static int receiver_init(struct live *l, unsigned number)
{
    struct receiver *r = &l->receivers[number];
    const struct pipeline_settings *base = &l->settings->base;
    r->live = l;
    r->number = number;
    r->settings = &l->settings->receivers[number];
    clock_reader_init(&r->clock, l->settings->clock);
    r->own = l->settings->receivers_count ? &l->workers[number] : NULL;
    r->lane_count = r->own ? 1 : base->workers;
    r->lanes = calloc(r->lane_count, sizeof *r->lanes);
    r->sorter = (struct sorter){
        .key = l->pipeline.sorter.key,
        .rules = l->first->of.rules,
        .telescope = base->telescope,
        .verdicts = l->first->each[number].verdicts,
        .scratch = l->first->each[number].scratch,
        .generation = l->first,
        .decap = base->decap,
        .has_events = base->events != NULL,
        .has_indicators = base->events && event_settings_has(base->events, EVENT_indicator),
        .limit = base->batch,
        .range = {.base = r->own ? number << own_shard_bits(l) : 0,
                  .shift = r->own ? SHARD_BITS - own_shard_bits(l) : 0},
        .send = live_send,
        .context = r,
    };
    atomic_init(&r->generation, l->first);
    if (!r->lanes)
        return -ENOMEM;
    for (unsigned i = 0; i < r->lane_count; i++) {
        struct live_worker *to = r->own ? r->own : &l->workers[i];
        struct lane *lane = &r->lanes[i];
        int err = lane_init(lane, l->settings->batches + SHARDS, to->bell);
        lane->spare = err < 0 ? NULL : calloc(lane->batch_count, sizeof *lane->spare);
        if (!lane->spare)
            return -ENOMEM;
        to->from[number] = lane;
    }
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&r->sorter, shard, channel_pop(r->lanes[shard % r->lane_count].free_batches));
    return 0;
}

static void receiver_fini(struct receiver *r)
{
    for (unsigned i = 0; r->lanes && i < r->lane_count; i++)
        lane_fini(&r->lanes[i]);
    free(r->lanes);
}

static int worker_init(struct live *l, unsigned number)
{
    struct live_worker *w = &l->workers[number];
    struct pipeline *p = &l->pipeline;
    *w = (struct live_worker){
        .live = l, .worker = &p->workers[number], .open_ns = INT64_MIN, .generation = l->first};
    w->bell = bell_create();
    w->parts = channel_create(WINDOWS + WINDOWS_LIVE, NULL);
    w->surveys = channel_create(DAYS, NULL);
    w->over = channel_create(WINDOWS + WINDOWS_LIVE + EMPTIES, NULL);
    w->oldest = channel_create(WINDOWS + WINDOWS_LIVE + 1, NULL);
    if (!w->bell || !w->parts || !w->surveys || !w->over || !w->oldest)
        return -ENOMEM;
    int err = lane_init(&w->worker->lane, KEEPER_BATCHES, w->bell);
    if (err == 0)
        err = pipeline_worker_init(w->worker, p);
    if (err == 0 && l->settings->survey)
        tally_survey_install(w->worker->tally, survey_list_copy(l->settings->survey));
    return err;
}

static void worker_fini(struct live_worker *w)
{
    void *item;
    while (w->parts && (item = channel_try_pop(w->parts)))
        live_parts_destroy(item);
    while (w->over && (item = channel_try_pop(w->over)))
        tally_destroy(item);
    live_late_destroy(w->late_tallies);
    while (w->surveys && (item = channel_try_pop(w->surveys)))
        free(item);
    channel_destroy(w->parts);
    channel_destroy(w->over);
    channel_destroy(w->oldest);
    channel_destroy(w->surveys);
    bell_destroy(w->bell);
}

/* What is in force at first. */
static int rules_init(struct live *l)
{
    struct live_rules rules = l->settings->rules;
    if (!rules.rules) {
        rules.rules = l->settings->base.rules;
        rules.survey = l->settings->base.survey;
    }
    l->first = l->newest = l->sealing = l->oldest = l->identity = generation_create(l, &rules);
    if (!l->first)
        return -ENOMEM;
    l->first->number = 1;
    l->first->from_ns = INT64_MIN;
    return 0;
}

static int live_init(struct live *l, const struct live_settings *settings,
                     struct live_result *result)
{
    struct pipeline *p = &l->pipeline;
    unsigned workers = settings->base.workers;
    l->settings = settings;
    l->result = result;
    p->settings = &settings->base;
    p->worker_count = workers;
    p->result = &result->pipeline;
    p->windows = l->windows;
    p->day.span_ns = settings->base.window_span_ns;
    pipeline_cap_begin(p);
    hash_key_init(&p->sorter.key);
    clock_reader_init(&l->clock, settings->clock);
    atomic_init(&l->announced_ns, INT64_MIN);
    l->parts = start_map_create();
    if (settings->base.events)
        p->events = event_export_create(settings->base.events, settings->base.rules);
    l->receivers = aligned_alloc(64, settings->receiver_count * sizeof *l->receivers);
    l->assigned = calloc(settings->receiver_count, sizeof *l->assigned);
    if (l->receivers)
        memset(l->receivers, 0, settings->receiver_count * sizeof *l->receivers);
    if (!l->parts || !l->receivers || !l->assigned || (settings->base.events && !p->events) ||
        rules_init(l) < 0)
        return -ENOMEM;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        p->worker_of[shard] =
            &p->workers[settings->receivers_count ? (shard >> own_shard_bits(l)) % workers
                                                  : shard % workers];
    int err = 0;
    for (unsigned i = 0; i < workers && err == 0; i++)
        err = worker_init(l, i);
    for (unsigned i = 0; i < settings->receiver_count && err == 0; i++)
        err = receiver_init(l, i);
    if (err == 0 && settings->base.events && settings->event_file)
        live_events_resume(l);
    return err;
}

/* Feed and days go on with the last rules that they had: the caller will finish them. */
static void rules_hand_over(struct live *l, struct live_result *result)
{
    result->rules = l->identity->of;
    l->identity->of.release = NULL;
    if (l->settings->days)
        live_days_turn(l->settings->days, result->rules.days);
}

static void live_destroy(struct live *l)
{
    unsigned workers = l->settings->base.workers;
    for (unsigned i = 0; l->receivers && i < l->settings->receiver_count; i++)
        receiver_fini(&l->receivers[i]);
    for (unsigned i = 0; i < workers; i++) {
        pipeline_worker_fini(&l->pipeline.workers[i]);
        lane_fini(&l->pipeline.workers[i].lane);
        worker_fini(&l->workers[i]);
    }
    free(l->receivers);
    free(l->assigned);
    start_map_destroy(l->parts);
    if (!l->oldest) /* they were never in force */
        live_rules_release(&l->settings->rules);
    for (struct generation *g = l->oldest, *next; g; g = next) {
        next = atomic_load_explicit(&g->next, memory_order_acquire);
        generation_destroy(g);
    }
    event_export_destroy(l->pipeline.events);
    event_bytes_fini(&l->event_bytes);
    event_bytes_fini(&l->event_told);
    event_bytes_fini(&l->indicator_bytes);
    free(l);
}

/* ---- threads ---- */

static int workers_start(struct live *l, struct fault *fault)
{
    struct pipeline *p = &l->pipeline;
    for (unsigned i = 0; i < l->settings->base.workers && !l->settings->receivers_count; i++) {
        int err = pthread_create(&p->workers[i].thread, NULL, live_worker, &l->workers[i]);
        if (err)
            return fault_set(fault, err, "worker thread %u: %s", i, strerror(err));
        p->workers[i].is_running = true;
    }
    int err = pthread_create(&p->exporter, NULL, live_exporter, l);
    if (err)
        return fault_set(fault, err, "exporter thread: %s", strerror(err));
    p->is_exporting = true;
    return 0;
}

static int receivers_start(struct live *l, struct fault *fault)
{
    for (unsigned i = 0; i < l->settings->receiver_count; i++) {
        int err = pthread_create(&l->receivers[i].thread, NULL, live_receiver, &l->receivers[i]);
        if (err)
            return fault_set(fault, err, "receiver thread %u: %s", i, strerror(err));
        l->receivers[i].is_running = true;
        if (l->receivers[i].own) {
            l->pipeline.workers[i].thread = l->receivers[i].thread;
            l->pipeline.workers[i].is_running = true;
        }
    }
    return 0;
}

/* Who counts comes before the exporter, which waits for all that do. */
static int receivers_run(struct live *l, struct fault *fault)
{
    live_keep_begin(l);
    int err = receivers_start(l, fault);
    if (err == 0)
        err = workers_start(l, fault);
    if (err < 0)
        atomic_store(&l->stop, 1);
    else
        live_keep(l);
    return err;
}

static int threads_run(struct live *l, struct fault *fault)
{
    if (l->settings->receivers_count)
        return receivers_run(l, fault);
    int err = workers_start(l, fault);
    if (err < 0)
        return err;
    live_keep_begin(l);
    err = receivers_start(l, fault);
    if (err < 0)
        atomic_store(l->settings->stop, 1);
    live_keep(l);
    return err;
}

int live_run(const struct live_settings *settings, struct live_result *result, struct fault *fault)
{
    *result =
        (struct live_result){.pipeline = {.total = window_create(),
                                          .sources = calloc(1, sizeof *result->pipeline.sources)}};
    struct live *l = calloc(1, sizeof *l);
    if (!l || !result->pipeline.total || !result->pipeline.sources) {
        free(l);
        live_rules_release(&settings->rules);
        return fault_set(fault, ENOMEM, "live capture: %s", strerror(ENOMEM));
    }
    int err = live_init(l, settings, result);
    if (err < 0) {
        fault_set(fault, -err, "memory for %u receivers and %u workers: %s",
                  settings->receiver_count, settings->base.workers, strerror(-err));
    } else {
        live_offer_begin(settings->offer, l);
        err = threads_run(l, fault);
        live_offer_end(settings->offer);
        pipeline_threads_finish(&l->pipeline);
        if (err == 0)
            pipeline_result_fill(&l->pipeline);
        live_counters_read(l, &result->counters);
        rules_hand_over(l, result);
    }
    live_destroy(l);
    return err;
}
