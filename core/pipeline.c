#include "core/pipeline.h"

#include "core/pipeline_state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Waits until the worker has counted all. */
static void worker_wait(struct worker *w)
{
    const struct batch *b;
    do
        b = channel_pop(w->lane.free_batches);
    while (b->mark.what != MARK_END);
}

/* Workers and exporter stop behind everything that was received; who has nothing else to do adds up
 * sources. */
void pipeline_threads_finish(struct pipeline *p)
{
    for (unsigned i = 0; i < p->worker_count; i++) {
        struct worker *w = &p->workers[i];
        if (!w->is_running)
            continue;
        struct batch *b = channel_pop(w->lane.free_batches);
        b->mark.what = MARK_END;
        channel_push(w->lane.batches, b);
    }
    for (unsigned i = 0; i < p->worker_count; i++) {
        struct worker *w = &p->workers[i];
        if (!w->is_running)
            continue;
        worker_wait(w);
        pipeline_sum_shards(w, p->result->sources);
        (void)pthread_join(w->thread, NULL);
    }
    if (p->is_exporting)
        (void)pthread_join(p->exporter, NULL);
}

static int threads_start(struct pipeline *p, struct fault *fault)
{
    for (unsigned i = 0; i < p->worker_count; i++) {
        struct worker *w = &p->workers[i];
        int err = pthread_create(&w->thread, NULL, pipeline_worker, w);
        if (err)
            return fault_set(fault, err, "worker thread %u: %s", i, strerror(err));
        w->is_running = true;
    }
    int err = pthread_create(&p->exporter, NULL, pipeline_exporter, p);
    if (err)
        return fault_set(fault, err, "exporter thread: %s", strerror(err));
    p->is_exporting = true;
    return 0;
}

static void pipeline_destroy(struct pipeline *p)
{
    for (unsigned i = p->worker_count; i-- > 0;) { /* what was shared belongs to the first */
        pipeline_worker_fini(&p->workers[i]);
        lane_fini(&p->workers[i].lane);
    }
    address_set_destroy(p->sorter.destinations);
    payload_scratch_destroy(p->sorter.scratch);
    free(p->sorter.verdicts);
    verdicts_destroy(p->verdicts);
    window_clock_destroy(p->clock);
    event_export_destroy(p->events);
    free(p);
}

static int pipeline_create(struct pipeline **out, const struct pipeline_settings *settings,
                           struct pipeline_result *result)
{
    struct pipeline *p = *out = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->settings = settings;
    p->worker_count = settings->workers;
    p->result = result;
    p->sorter = (struct sorter){
        .rules = settings->rules,
        .telescope = settings->telescope,
        .destinations = address_set_create(),
        .verdicts = calloc(1, sizeof(struct verdict_memory)),
        .scratch = settings->rules->payload_off ? NULL : payload_scratch_create(settings->rules),
        .decap = settings->decap,
        .has_events = settings->events != NULL,
        .has_indicators = settings->events && event_settings_has(settings->events, EVENT_indicator),
        .limit = settings->batch,
        .send = pipeline_send,
        .context = p,
    };
    p->day.span_ns = settings->window_span_ns;
    pipeline_cap_begin(p);
    hash_key_init(&p->sorter.key);
    p->clock = window_clock_create(settings->window_span_ns, settings->lateness_ns,
                                   &pipeline_clock_ops, p);
    p->verdicts = verdicts_create();
    if (!p->clock || !p->sorter.destinations || !p->sorter.verdicts || !p->verdicts ||
        (!settings->rules->payload_off && !p->sorter.scratch))
        return -ENOMEM;
    p->sorter.verdicts->of = p->verdicts;
    if (settings->events && !(p->events = event_export_create(settings->events, settings->rules)))
        return -ENOMEM;
    p->windows = window_clock_windows(p->clock);
    unsigned least = settings->workers * BATCHES_LEAST < BATCHES_AHEAD
                         ? BATCHES_AHEAD / settings->workers
                         : BATCHES_LEAST;
    unsigned batch_count[SHARDS] = {0};
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        p->worker_of[shard] = &p->workers[shard % settings->workers];
        batch_count[shard % settings->workers] += 1 + BATCHES_HELD;
    }
    for (unsigned i = 0; i < settings->workers; i++) {
        struct worker *w = &p->workers[i];
        int err = lane_init(&w->lane, least + batch_count[i], NULL);
        if (err == 0)
            err = pipeline_worker_init(w, p);
        if (err < 0)
            return err;
    }
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&p->sorter, shard, channel_pop(p->worker_of[shard]->lane.free_batches));
    return 0;
}

int pipeline_run(const struct pipeline_settings *settings, struct pipeline_result *result,
                 struct fault *fault)
{
    struct pipeline *p = NULL;

    *result = (struct pipeline_result){
        .total = window_create(),
        .sources = calloc(1, sizeof *result->sources),
    };
    int err = result->total && result->sources ? pipeline_create(&p, settings, result) : -ENOMEM;
    if (err < 0) {
        fault_set(fault, -err, "memory for %u workers: %s", settings->workers, strerror(-err));
        goto done;
    }
    err = threads_start(p, fault);
    if (err == 0) {
        pipeline_thread_begin(p, NULL);
        err = pipeline_receive(p, fault);
        p->is_finishing = true;
        window_clock_finish(p->clock);
    }
    pipeline_threads_finish(p);
    if (err == 0 && (err = atomic_load(&p->feed_err)) < 0)
        *fault = p->feed_fault;
    if (err == 0)
        pipeline_result_fill(p);
done:
    if (p)
        pipeline_destroy(p);
    return err;
}
