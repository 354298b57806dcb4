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

/* Scheduling is a thread's own on Linux. Where it can't be changed, it stays. */
void live_thread_yield(void)
{
    enum { NICE = 10 };
    if (getpriority(PRIO_PROCESS, (id_t)gettid()) >= NICE)
        return;
    (void)sched_setscheduler(gettid(), SCHED_BATCH, &(struct sched_param){0});
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

/* ---- setup ---- */

static int receiver_init(struct live *l, unsigned number)
{
    struct receiver *r = &l->receivers[number];
    const struct pipeline_settings *base = &l->settings->base;
    r->live = l;
    r->number = number;
    r->settings = &l->settings->receivers[number];
    clock_reader_init(&r->clock, l->settings->clock);
    r->lanes = calloc(base->workers, sizeof *r->lanes);
    r->sorter = (struct sorter){
        .key = l->pipeline.sorter.key,
        .rules = base->rules,
        .telescope = base->telescope,
        .verdicts = calloc(1, sizeof(struct verdict_memory)),
        .scratch = base->rules->payload_off ? NULL : payload_scratch_create(base->rules),
        .decap = base->decap,
        .limit = base->batch,
        .send = live_send,
        .context = r,
    };
    if (!r->lanes || !r->sorter.verdicts || (!base->rules->payload_off && !r->sorter.scratch))
        return -ENOMEM;
    r->sorter.verdicts->of = l->pipeline.verdicts;
    for (unsigned i = 0; i < base->workers; i++) {
        struct lane *lane = &r->lanes[i];
        int err = lane_init(lane, l->settings->batches + SHARDS, l->workers[i].bell);
        lane->spare = err < 0 ? NULL : calloc(lane->batch_count, sizeof *lane->spare);
        if (!lane->spare)
            return -ENOMEM;
        l->workers[i].from[number] = &r->lanes[i];
    }
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&r->sorter, shard, channel_pop(r->lanes[shard % base->workers].free_batches));
    return 0;
}

static void receiver_fini(struct receiver *r, unsigned workers)
{
    for (unsigned i = 0; r->lanes && i < workers; i++)
        lane_fini(&r->lanes[i]);
    free(r->lanes);
    payload_scratch_destroy(r->sorter.scratch);
    free(r->sorter.verdicts);
}

static int worker_init(struct live *l, unsigned number)
{
    struct live_worker *w = &l->workers[number];
    struct pipeline *p = &l->pipeline;
    *w = (struct live_worker){.live = l, .worker = &p->workers[number], .open_ns = INT64_MIN};
    w->bell = bell_create();
    w->parts = channel_create(WINDOWS + WINDOWS_LIVE, NULL);
    w->fresh = channel_create(DAYS, NULL);
    w->surveys = channel_create(DAYS, NULL);
    if (!w->bell || !w->parts || !w->fresh || !w->surveys)
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
    while (w->fresh && (item = channel_try_pop(w->fresh)))
        tally_destroy(item);
    while (w->surveys && (item = channel_try_pop(w->surveys)))
        free(item);
    channel_destroy(w->parts);
    channel_destroy(w->fresh);
    channel_destroy(w->surveys);
    bell_destroy(w->bell);
}

struct tally *live_tally_create(struct live *l)
{
    const struct pipeline_settings *base = &l->settings->base;
    return tally_create(&l->pipeline.sorter.key, base->rules, base->telescope, base->packs_days,
                        base->survey);
}

static int live_init(struct live *l, const struct live_settings *settings,
                     struct live_result *result)
{
    struct pipeline *p = &l->pipeline;
    unsigned workers = settings->base.workers;
    l->settings = settings;
    l->result = result;
    p->settings = &settings->base;
    p->result = &result->pipeline;
    p->windows = l->windows;
    p->day.span_ns = settings->base.window_span_ns;
    pipeline_cap_begin(p);
    hash_key_init(&p->sorter.key);
    clock_reader_init(&l->clock, settings->clock);
    atomic_init(&l->announced_ns, INT64_MIN);
    p->verdicts = verdicts_create();
    l->parts = start_map_create();
    l->receivers = aligned_alloc(64, settings->receiver_count * sizeof *l->receivers);
    l->assigned = calloc(settings->receiver_count, sizeof *l->assigned);
    if (!p->verdicts || !l->parts || !l->receivers || !l->assigned)
        return -ENOMEM;
    memset(l->receivers, 0, settings->receiver_count * sizeof *l->receivers);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        p->worker_of[shard] = &p->workers[shard % workers];
    int err = 0;
    for (unsigned i = 0; i < workers && err == 0; i++)
        err = worker_init(l, i);
    for (unsigned i = 0; i < settings->receiver_count && err == 0; i++)
        err = receiver_init(l, i);
    return err;
}

static void live_destroy(struct live *l)
{
    unsigned workers = l->settings->base.workers;
    for (unsigned i = 0; l->receivers && i < l->settings->receiver_count; i++)
        receiver_fini(&l->receivers[i], workers);
    for (unsigned i = 0; i < workers; i++) {
        pipeline_worker_fini(&l->pipeline.workers[i]);
        lane_fini(&l->pipeline.workers[i].lane);
        worker_fini(&l->workers[i]);
    }
    free(l->receivers);
    free(l->assigned);
    start_map_destroy(l->parts);
    verdicts_destroy(l->pipeline.verdicts);
    free(l);
}

/* ---- threads ---- */

static int workers_start(struct live *l, struct fault *fault)
{
    struct pipeline *p = &l->pipeline;
    for (unsigned i = 0; i < l->settings->base.workers; i++) {
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
    }
    return 0;
}

static int threads_run(struct live *l, struct fault *fault)
{
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
        return fault_set(fault, ENOMEM, "live capture: %s", strerror(ENOMEM));
    }
    int err = live_init(l, settings, result);
    if (err < 0) {
        fault_set(fault, -err, "memory for %u receivers and %u workers: %s",
                  settings->receiver_count, settings->base.workers, strerror(-err));
    } else {
        err = threads_run(l, fault);
        pipeline_threads_finish(&l->pipeline);
        if (err == 0)
            pipeline_result_fill(&l->pipeline);
        live_counters_read(l, &result->counters);
    }
    live_destroy(l);
    return err;
}
