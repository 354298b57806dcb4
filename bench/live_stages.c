#include "bench/live_stages.h"

#include "bench/bench.h"
#include "capture/decode.h"
#include "classify/classify.h"
#include "core/channel.h"
#include "core/sorter.h"
#include "core/tally.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKETS = 1 << 20,
    KEPT = 2048, /* bytes of a frame, at most */
    ROUNDS = 3,
    BATCHES = 3 * PACKETS / BATCH_MAX + 2 * SHARDS,
};

static struct {
    const struct live_stages_settings *settings;
    struct frame *frames;
    uint8_t *bytes;
    struct observation *observations;
    struct label *labels;
    struct batch *batches; /* all; those that are full stand in front */
    unsigned count;
    struct sorter sorter;
    struct tally *tally;
    struct channel *to, *back; /* to who writes, and from it */
    double receive, decode, sort, ring, classify, tally_s;
    uint64_t received;
    int err;
} s;

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0)
        return;
    CPU_SET((unsigned)cpu, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* ---- packets ---- */

static void receive_run(void)
{
    struct frame frames[FRAME_BURST];
    struct capture *c = s.settings->capture;
    double from = bench_now();
    for (s.received = 0; s.received < PACKETS;)
        s.received += c->ops->burst(c, frames, FRAME_BURST);
    s.receive = bench_now() - from;
}

/* Frames as they came, one second of packet time. */
static void frames_keep(void)
{
    struct frame frames[FRAME_BURST];
    struct capture *c = s.settings->capture;
    size_t kept = 0;
    for (size_t count = 0; count < PACKETS;) {
        size_t got = c->ops->burst(c, frames, FRAME_BURST);
        for (size_t i = 0; i < got && count < PACKETS; i++) {
            if (frames[i].caplen > KEPT || kept + frames[i].caplen > (size_t)PACKETS * KEPT / 8)
                continue;
            frames[i].ts_ns = (int64_t)(count * UINT64_C(1000000000) / PACKETS);
            s.frames[count] = frames[i];
            s.frames[count++].data = memcpy(s.bytes + kept, frames[i].data, frames[i].caplen);
            kept += frames[i].caplen;
        }
    }
}

/* ---- stages ---- */

static struct batch *batch_keep(void *context, struct batch *full)
{
    (void)context, (void)full;
    return &s.batches[++s.count];
}

/* Batches lie in the order in which they were begun; the last SHARDS are empty. */
static double sort_run(void)
{
    double from = bench_now();
    for (size_t i = 0; i < PACKETS; i += FRAME_BURST)
        sorter_frames(&s.sorter, &s.frames[i], FRAME_BURST, 0);
    sorter_flush(&s.sorter);
    return bench_now() - from;
}

static void sorter_ready(void)
{
    s.count = 0;
    for (unsigned shard = 0; shard < SHARDS; shard++, s.count++)
        sorter_begin(&s.sorter, shard, &s.batches[s.count]);
    s.count--;
    sorter_open(&s.sorter, 0, 0, INT64_C(60000000000), false);
}

static void *writer(void *arg)
{
    (void)arg;
    pin(s.settings->other_cpu);
    for (struct batch *b; (b = channel_pop(s.to));) {
        for (unsigned i = 0; i < b->brief_count; i++)
            ((volatile struct brief *)b->briefs)[i].rest = b->briefs[i].rest;
        for (unsigned i = 0; i < b->count; i++)
            ((volatile struct observation *)b->at)[i].wire_len = b->at[i].wire_len;
        channel_push(s.back, b);
    }
    return NULL;
}

static uint64_t batch_read(const struct batch *b)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < b->brief_count; i++)
        sum += b->briefs[i].rest;
    for (unsigned i = 0; i < b->count; i++)
        sum += b->at[i].wire_len;
    return sum;
}

/* As many on their way as stay in a cache. */
static void ring_run(void)
{
    enum { AHEAD = 16 };
    pthread_t thread;
    volatile uint64_t sum = 0; /* so that batches are read */
    (void)sum;
    if (pthread_create(&thread, NULL, writer, NULL) != 0)
        return;
    s.ring = 0;
    for (unsigned i = 0; i <= s.count + AHEAD; i++) {
        if (i <= s.count)
            channel_push(s.to, &s.batches[i]);
        if (i < AHEAD)
            continue;
        while (channel_count(s.back) == 0)
            ;
        double from = bench_now();
        struct batch *b = channel_pop(s.back);
        sum += batch_read(b);
        s.ring += bench_now() - from;
    }
    channel_push(s.to, NULL);
    (void)pthread_join(thread, NULL);
}

static double tally_run(void)
{
    struct window *w = window_create();
    if (!w)
        return 0;
    w->span_ns = INT64_C(60000000000);
    tally_announce(s.tally, 0);
    tally_open(s.tally, 0, w);
    double from = bench_now();
    for (unsigned i = 0; i <= s.count; i++)
        tally_batch(s.tally, &s.batches[i]);
    double took = bench_now() - from;
    window_destroy(tally_seal(s.tally, 0));
    return took;
}

static void stages_run(void)
{
    const struct live_stages_settings *settings = s.settings;
    double from = bench_now();
    for (size_t i = 0; i < PACKETS; i++)
        decode(&s.frames[i], settings->decap, &s.observations[i]);
    double decoded = bench_now();
    classify_batch(settings->rules, NULL, s.observations, PACKETS, NULL, NULL, s.labels);
    s.classify = bench_now() - decoded;
    s.decode = decoded - from;
    sorter_ready();
    s.sort = sort_run();
    ring_run();
    s.tally_s = tally_run();
}

static void *stages_thread(void *arg)
{
    struct fault fault;
    (void)arg;
    pin(s.settings->cpu);
    if (s.settings->enter && s.settings->enter(&fault) < 0)
        return NULL;
    receive_run();
    frames_keep();
    if (s.settings->leave)
        s.settings->leave();
    for (unsigned i = 0; i < ROUNDS; i++) /* the last one counts */
        stages_run();
    return NULL;
}

/* ---- all ---- */

static int stages_init(const struct live_stages_settings *settings)
{
    s.settings = settings;
    s.frames = calloc(PACKETS, sizeof *s.frames);
    s.bytes = malloc((size_t)PACKETS * KEPT / 8);
    s.observations = calloc(PACKETS, sizeof *s.observations);
    s.labels = calloc(PACKETS, sizeof *s.labels);
    s.batches = calloc(BATCHES, sizeof *s.batches);
    s.to = channel_create(64, NULL);
    s.back = channel_create(64, NULL);
    hash_key_init(&s.sorter.key);
    s.sorter.rules = settings->rules;
    s.sorter.telescope = settings->telescope;
    s.sorter.decap = settings->decap;
    s.sorter.verdicts = calloc(1, sizeof(struct verdict_memory));
    s.sorter.scratch =
        settings->rules->payload_off ? NULL : payload_scratch_create(settings->rules);
    s.sorter.limit = BATCH_MAX;
    s.sorter.send = batch_keep;
    s.tally =
        tally_create(&s.sorter.key, settings->rules, settings->telescope, true, settings->survey);
    bool is_there = s.frames && s.bytes && s.observations && s.labels && s.batches && s.to &&
                    s.back && s.sorter.verdicts && s.tally;
    if (!is_there)
        return -ENOMEM;
    s.sorter.verdicts->of = verdicts_create();
    return s.sorter.verdicts->of ? 0 : -ENOMEM;
}

static void stages_fini(void)
{
    tally_destroy(s.tally);
    payload_scratch_destroy(s.sorter.scratch);
    if (s.sorter.verdicts)
        verdicts_destroy(s.sorter.verdicts->of);
    free(s.sorter.verdicts);
    channel_destroy(s.to);
    channel_destroy(s.back);
    free(s.batches);
    free(s.labels);
    free(s.observations);
    free(s.bytes);
    free(s.frames);
}

int live_stages_print(const struct live_stages_settings *settings)
{
    pthread_t thread;
    int err = stages_init(settings);
    if (err == 0 && pthread_create(&thread, NULL, stages_thread, NULL) == 0) {
        (void)pthread_join(thread, NULL);
        double n = (double)PACKETS / 1e9;
        printf("stages apart, ns per packet: receive %.1f, decode %.1f, sort %.1f, ring %.1f, "
               "classify %.1f, tally %.1f\n",
               s.receive / ((double)s.received / 1e9), s.decode / n, s.sort / n, s.ring / n,
               s.classify / n, s.tally_s / n);
    }
    stages_fini();
    return err;
}
