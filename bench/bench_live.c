/* A live capture on two cores, one receiver and one worker, with feed, journal and days:
 *
 *   bench_live unpaced SECONDS ROUNDS --from dpdk:SPEC -o DIR [LIVE OPTION...]
 *   bench_live paced FILE MPPS SECONDS -o DIR [LIVE OPTION...]
 *   bench_live midnight FILE MPPS SECONDS SOURCES -o DIR [LIVE OPTION...]
 *   bench_live flood FILE MPPS SECONDS -o DIR [LIVE OPTION...]
 *
 * unpaced: as fast as the vdev gives packets, in turn with a bare loop of rte_eth_rx_burst and free on its core; needs a
 * vdev that does not end (net_pcap with infinite_rx=1, and mbufs= above the file's packets).
 * paced: the file's packets by the schedule of a link (bench/paced_capture.h), the longest time between two bursts, what threads
 * took. Before it the same schedule with a receiver that does nothing else: what is missed there the machine costs.
 * midnight: first a sixth of the rate for half as long, while SOURCES come; then the rate, and after a third of it the day ends.
 * flood: as paced, but every packet of IPv4 is of a source that was never seen before; --memory says when the cap is met.
 * Each begins with what the stages cost apart (bench/live_stages.h). Rates and times per packet are of what comes behind the first 3 seconds, where memory is touched for the first time.
 * DIR is made; each round has its feed in a folder of its own there.
 */
#include "bench/bench.h"
#include "bench/live_stages.h"
#include "bench/paced_capture.h"
#include "capture/capture_dpdk.h"
#include "capture/dpdk_eal.h"
#include "core/live_sources.h"
#include "core/replay_days.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As the program has it. */
const char *malloc_conf = "dirty_decay_ms:3000,muzzy_decay_ms:0,narenas:2";

enum { STEADY_S = 3, THREADS = 32 };

struct thread_time {
    char name[16];
    int tid;
    uint64_t run_ns, wait_ns;               /* at the last tick */
    uint64_t steady_run_ns, steady_wait_ns; /* when it began to be steady */
};

static struct {
    struct config config;
    struct setup setup;
    struct replay_days days;
    struct live_sources sources;
    struct live_settings settings;
    atomic_int stop;
    bool is_traced; /* a line each second */
    /* Of a run, from its ticks: */
    unsigned ticks;
    int64_t steady_ns, last_ns;
    struct live_counters steady, last;
    time_t midnight_s;           /* 0: none */
    struct live_counters before; /* as they were 5 s before it */
    struct thread_time threads[THREADS];
    unsigned thread_count;
    uint64_t most_queued, most_kb, stolen_ms;
    double cap_s;      /* when the memory cap was met, to the tick */
    uint64_t began_kb; /* before a run; figures are of what came on top */
} b;

/* ---- what is seen each second ---- */

static uint64_t anonymous_kb(void)
{
    char line[256];
    unsigned long kb = 0, one;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %lu", &one) == 1)
            kb = one;
    if (f)
        (void)fclose(f);
    return kb;
}

static bool line_read(int tid, const char *file, char *line, int room)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/%s", tid, file);
    FILE *f = fopen(path, "re");
    bool is_read = f && fgets(line, room, f);
    if (f)
        (void)fclose(f);
    line[is_read ? strcspn(line, "\n") : 0] = '\0';
    return is_read;
}

static struct thread_time *thread_of(int tid)
{
    for (unsigned i = 0; i < b.thread_count; i++)
        if (b.threads[i].tid == tid)
            return &b.threads[i];
    if (b.thread_count == THREADS)
        return NULL;
    b.threads[b.thread_count] = (struct thread_time){.tid = tid};
    return &b.threads[b.thread_count++];
}

static void threads_read(bool is_first)
{
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *d; tasks && (d = readdir(tasks));) {
        char line[128];
        int tid = atoi(d->d_name);
        struct thread_time *t = tid > 0 ? thread_of(tid) : NULL;
        if (!t || !line_read(tid, "schedstat", line, sizeof line))
            continue;
        char *end;
        t->run_ns = strtoull(line, &end, 10);
        t->wait_ns = strtoull(end, NULL, 10);
        if (is_first)
            t->steady_run_ns = t->run_ns, t->steady_wait_ns = t->wait_ns;
        (void)line_read(tid, "comm", line, sizeof line);
        (void)snprintf(t->name, sizeof t->name, "%.15s", line);
    }
    if (tasks)
        (void)closedir(tasks);
}

/* What the machine under a virtual one took, of all processors, ms. */
static uint64_t stolen_ms(void)
{
    unsigned long long at[8] = {0};
    FILE *f = fopen("/proc/stat", "re");
    if (f) {
        (void)fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &at[0], &at[1], &at[2],
                     &at[3], &at[4], &at[5], &at[6], &at[7]);
        (void)fclose(f);
    }
    return at[7] * 10;
}

static uint64_t dropped_of(const struct live_counters *c, enum ledger_drop why)
{
    return c->dropped[why];
}

static void tick(void *context, const struct live_counters *now)
{
    (void)context;
    uint64_t kb = anonymous_kb() - b.began_kb, stolen = stolen_ms();
    bool is_first = ++b.ticks == STEADY_S + 1;
    threads_read(is_first);
    if (b.is_traced)
        printf("  %2u s: %.2f M counted, %" PRIu64 " missed, %" PRIu64 " ring_full, %" PRIu64
               " batches queued, %" PRIu64 " windows, %" PRIu64 " sources, %.0f MB, %" PRIu64
               " ms stolen\n",
               b.ticks, (double)(now->counted - b.last.counted) / 1e6,
               dropped_of(now, DROP_nic_missed) - dropped_of(&b.last, DROP_nic_missed),
               dropped_of(now, DROP_ring_full) - dropped_of(&b.last, DROP_ring_full),
               now->queued_batches, now->windows, now->sources, (double)kb / 1e3,
               stolen - b.stolen_ms);
    b.stolen_ms = stolen;
    if (now->given_up.ports && !b.last.given_up.ports)
        b.cap_s = b.ticks;
    b.last = *now;
    b.last_ns = bench_clock_ns();
    if (is_first)
        b.steady = *now, b.steady_ns = b.last_ns;
    if (b.midnight_s > 0 && time(NULL) >= b.midnight_s - 5 && b.before.received == 0)
        b.before = *now;
    b.most_kb = kb > b.most_kb ? kb : b.most_kb;
    b.most_queued = now->queued_batches > b.most_queued ? now->queued_batches : b.most_queued;
}

static void trouble(void *context, const struct fault *fault)
{
    (void)context;
    if (fault)
        (void)fprintf(stderr, "bench_live: %s\n", fault->text);
}

static void say(const char *line) { printf("%s\n", line); }

/* ---- a run ---- */

static int feed_begin(unsigned round, struct feed_log **feed, struct live_days_settings *s,
                      struct live_days **days, struct fault *fault)
{
    static char dir[512], journal[600];
    struct feed_telescope sized;
    struct feed_identity identity = setup_identity(&b.setup, &b.config, &sized);
    identity.lateness_ns = 0;
    replay_days_identify(&b.days, &identity);
    (void)mkdir(b.config.out, 0700);
    (void)snprintf(dir, sizeof dir, "%s/%u", b.config.out, round);
    (void)snprintf(journal, sizeof journal, "%s/journal", dir);
    int err = feed_log_create(feed, dir, &identity, fault);
    if (err < 0)
        return err;
    *s = (struct live_days_settings){
        .day = b.days.settings,
        .feed_dir = dir,
        .journal_dir = journal,
        .has_survey = replay_days_survey(&b.days) != NULL,
    };
    return b.days.is_counted ? live_days_open(days, s, fault) : 0;
}

static int run_once(unsigned round, double seconds, struct live_result *result, struct fault *fault)
{
    struct feed_log *feed = NULL;
    struct live_days *days = NULL;
    struct live_days_settings days_settings;
    int err = feed_begin(round, &feed, &days_settings, &days, fault);
    b.settings.base.feed = feed;
    b.settings.days = days;
    b.settings.for_ns = (int64_t)(seconds * 1e9);
    b.ticks = b.thread_count = 0;
    b.most_queued = b.most_kb = 0;
    b.last = b.steady = (struct live_counters){0};
    if (err == 0)
        err = live_run(&b.settings, result, fault);
    live_days_close(days);
    if (feed && err == 0)
        err = feed_log_finish(feed, fault);
    else
        feed_log_abandon(feed);
    return err;
}

static void settings_fill(void)
{
    const struct config *c = &b.config;
    b.settings = (struct live_settings){
        .base = {.rules = b.setup.rules,
                 .telescope = b.setup.telescope,
                 .decap = b.setup.decap,
                 .workers = 1,
                 .packs_days = b.days.is_counted,
                 .survey = replay_days_survey(&b.days),
                 .batch = (unsigned)c->batch,
                 .memory_cap = c->memory,
                 .window_span_ns = (int64_t)c->window_ns},
        .receiver_count = 1,
        .clock = &b.sources.clock,
        .batches = live_batches(1),
        .stop = &b.stop,
        .tick = tick,
        .trouble = trouble,
    };
}

static double steady_rate(void)
{
    return (double)(b.last.counted - b.steady.counted) / (double)(b.last_ns - b.steady_ns) * 1e3;
}

static void print_threads(void)
{
    double packets = (double)(b.last.counted - b.steady.counted),
           ns = (double)(b.last_ns - b.steady_ns);
    printf("  threads, steady:");
    for (unsigned i = 0; i < b.thread_count; i++) {
        const struct thread_time *t = &b.threads[i];
        uint64_t run_ns = t->run_ns - t->steady_run_ns, wait_ns = t->wait_ns - t->steady_wait_ns;
        if (run_ns > 0)
            printf(" %s %.0f %% (%.1f ns per packet, waited %.0f ms);", t->name,
                   (double)run_ns / ns * 100, (double)run_ns / packets, (double)wait_ns / 1e6);
    }
    printf("\n");
}

static void print_cap(const struct live_result *r)
{
    const struct summary_given_up *g = &r->pipeline.given_up;
    const struct window *total = r->pipeline.total;
    if (g->ports)
        printf("  memory cap: met at %.1f s; ports up to %" PRIu64 " packets%s%s; %" PRIu64
               " packets of sources that are not kept, in windows marked so\n",
               b.cap_s, g->ports_packets, g->rules ? ", rules" : "", g->sources ? ", sources" : "",
               total->given_up.sources);
}

static void print_result(const struct live_result *r)
{
    const struct window_ledger *l = &r->pipeline.total->ledger;
    printf("  offered %" PRIu64 ", counted %" PRIu64 ", nic_missed %" PRIu64 ", ring_full %" PRIu64
           ", late %" PRIu64 "; %" PRIu64 " windows, %" PRIu64 " lost\n",
           l->offered, l->observed, l->nic_missed, l->ring_full, l->late, r->pipeline.windows,
           r->counters.lost_windows);
    printf("  steady: %.2f M packets/s counted; at most %" PRIu64
           " batches queued, %.0f MB of anonymous memory\n",
           steady_rate(), b.most_queued, (double)b.most_kb / 1e3);
    if (b.midnight_s > 0)
        printf("  from 5 s before midnight on: %" PRIu64 " received, %" PRIu64 " missed, %" PRIu64
               " ring_full; %" PRIu64 " sources then\n",
               r->counters.received - b.before.received,
               dropped_of(&r->counters, DROP_nic_missed) - dropped_of(&b.before, DROP_nic_missed),
               dropped_of(&r->counters, DROP_ring_full) - dropped_of(&b.before, DROP_ring_full),
               b.before.sources);
    print_cap(r);
    print_threads();
}

static int print_stages(struct capture *c, const struct live_receiver_settings *r)
{
    const struct live_stages_settings settings = {
        .capture = c,
        .enter = r->enter,
        .leave = r->leave,
        .cpu = r->cpu,
        .other_cpu = b.settings.worker_cpus[0],
        .rules = b.setup.rules,
        .telescope = b.setup.telescope,
        .survey = b.settings.base.survey,
        .decap = b.setup.decap,
    };
    return live_stages_print(&settings);
}

/* ---- unpaced ---- */

struct bare {
    const struct live_receiver_settings *receiver;
    uint16_t port;
    double seconds, rate;
};

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu == LIVE_ANY_CPU)
        return;
    CPU_SET((unsigned)cpu, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *bare_loop(void *arg)
{
    struct bare *bare = arg;
    struct rte_mbuf *mbufs[FRAME_BURST];
    struct fault fault;
    uint64_t done = 0;
    pin(bare->receiver->cpu);
    if (bare->receiver->enter(&fault) < 0)
        return NULL;
    int64_t start_ns = bench_clock_ns(), now_ns = start_ns;
    while ((double)(now_ns - start_ns) < bare->seconds * 1e9) {
        for (unsigned i = 0; i < 1024; i++) {
            uint16_t count = rte_eth_rx_burst(bare->port, 0, mbufs, FRAME_BURST);
            rte_pktmbuf_free_bulk(mbufs, count);
            done += count;
        }
        now_ns = bench_clock_ns();
    }
    bare->rate = (double)done / (double)(now_ns - start_ns) * 1e3;
    bare->receiver->leave();
    return NULL;
}

static double run_bare(double seconds)
{
    struct bare bare = {.receiver = &b.settings.receivers[0], .seconds = seconds};
    pthread_t thread;
    bare.port = dpdk_port_info(capture_dpdk_port(bare.receiver->capture))->id;
    if (pthread_create(&thread, NULL, bare_loop, &bare) == 0)
        (void)pthread_join(thread, NULL);
    return bare.rate;
}

static int compare(const void *a, const void *b_)
{
    double x = *(const double *)a, y = *(const double *)b_;
    return (x > y) - (x < y);
}

static int run_unpaced(double seconds, unsigned rounds, struct fault *fault)
{
    const struct live_receiver_settings *receiver = &b.settings.receivers[0];
    double *ratios = calloc(rounds, sizeof *ratios);
    int err = ratios ? print_stages(receiver->capture, receiver) : -ENOMEM;
    for (unsigned i = 0; i < rounds && err == 0; i++) {
        struct live_result result;
        double before = run_bare(3);
        err = run_once(i, seconds, &result, fault);
        double after = run_bare(3), bare = (before + after) / 2;
        if (err == 0) {
            ratios[i] = steady_rate() / bare;
            printf("round %u: bare %.2f and %.2f M packets/s, ratio %.2f\n", i + 1, before, after,
                   ratios[i]);
            print_result(&result);
        }
        pipeline_result_fini(&result.pipeline);
    }
    if (err == 0) {
        qsort(ratios, rounds, sizeof *ratios, compare);
        printf("unpaced: ratio %.2f (median of %u, %.2f to %.2f)\n", ratios[rounds / 2], rounds,
               ratios[0], ratios[rounds - 1]);
    }
    free(ratios);
    return err;
}

/* ---- paced ---- */

static void print_paced(const struct paced_figures *f)
{
    printf("  receiver: %.1f packets a burst, fetch %.1f, sort and send %.1f ns per packet\n",
           (double)f->packets / (double)f->bursts, (double)f->fetch_ns / (double)f->packets,
           (double)f->work_ns / (double)f->packets);
    printf("  %" PRIu64
           " times full; longest times between bursts, us (at s; missed, pages, put aside):",
           f->overruns);
    for (unsigned i = 0; i < PACED_STALLS; i++)
        printf(" %.0f (%.2f; %" PRIu64 ", %ld, %ld)", (double)f->longest[i].ns / 1e3,
               (double)f->longest[i].at_ns / 1e9, f->longest[i].missed, f->longest[i].faults,
               f->longest[i].switches);
    printf("\n");
}

struct control {
    struct capture *capture;
    double seconds;
    int cpu;
};

/* A receiver that does nothing. */
static void *control_loop(void *arg)
{
    struct control *control = arg;
    struct capture *c = control->capture;
    struct frame frames[FRAME_BURST];
    pin(control->cpu);
    int64_t end_ns = bench_clock_ns() + (int64_t)(control->seconds * 1e9);
    while (bench_clock_ns() < end_ns)
        (void)c->ops->burst(c, frames, FRAME_BURST);
    return NULL;
}

static int run_control(struct paced_settings settings, double seconds, struct fault *fault)
{
    struct control control = {.seconds = seconds, .cpu = b.settings.receivers[0].cpu};
    pthread_t thread;
    settings.sources = 0;
    settings.warm_s = 0;
    int err = paced_open(&control.capture, &settings, fault);
    if (err < 0)
        return err;
    if (pthread_create(&thread, NULL, control_loop, &control) == 0)
        (void)pthread_join(thread, NULL);
    printf("nothing but the schedule, %.0f s: %" PRIu64 " missed\n", seconds,
           paced_figures(control.capture)->missed);
    print_paced(paced_figures(control.capture));
    control.capture->ops->close(control.capture);
    /* Packets are always due. */
    settings.rate_pps = 1e12;
    err = paced_open(&control.capture, &settings, fault);
    if (err < 0)
        return err;
    err = print_stages(control.capture, &b.settings.receivers[0]);
    control.capture->ops->close(control.capture);
    return err;
}

static int run_paced(const struct paced_settings *settings, double seconds, struct fault *fault)
{
    struct live_result result = {0};
    struct capture *c = NULL;
    int err = paced_open(&c, settings, fault);
    if (err < 0)
        return err;
    b.settings.receivers[0].capture = c;
    b.is_traced = true;
    b.began_kb = anonymous_kb();
    err = run_once(0, seconds, &result, fault);
    if (err == 0) {
        printf("paced, %.2f M packets/s for %.0f s:\n", settings->rate_pps / 1e6, seconds);
        print_result(&result);
        print_paced(paced_figures(c));
    }
    pipeline_result_fini(&result.pipeline);
    c->ops->close(c);
    return err;
}

/* A zone whose midnight comes at the first window that begins so late. */
static void zone_set(double seconds)
{
    static char zone[32];
    int64_t span_s = (int64_t)(b.config.window_ns / 1000000000);
    int64_t at_s = ((int64_t)time(NULL) + (int64_t)seconds + span_s - 1) / span_s * span_s;
    int64_t east_s = 86400 - at_s % 86400;
    (void)snprintf(zone, sizeof zone, "BENCH-%02d:%02d:%02d", (int)(east_s / 3600),
                   (int)(east_s / 60 % 60), (int)(east_s % 60));
    (void)calendar_zone(zone);
    b.days.settings.timezone = zone;
    b.midnight_s = (time_t)at_s;
    printf("midnight in %d s\n", (int)(at_s - (int64_t)time(NULL)));
}

static int bench_paced(char **argv, bool is_midnight, bool is_flood, struct fault *fault)
{
    double seconds = strtod(argv[4], NULL);
    struct paced_settings settings = {
        .path = argv[2], .rate_pps = strtod(argv[3], NULL) * 1e6, .clock = &b.sources.clock};
    int err = run_control(settings, seconds < 20 ? seconds / 4 : 5, fault);
    settings.is_flood = is_flood;
    if (err == 0 && is_midnight) {
        settings.warm_s = seconds / 2;
        settings.warm_pps = settings.rate_pps / 6;
        settings.sources = strtoull(argv[5], NULL, 10);
        zone_set(settings.warm_s + seconds / 3);
        seconds += settings.warm_s;
    }
    return err < 0 ? err : run_paced(&settings, seconds, fault);
}

/* ---- main ---- */

static int bench_open(bool is_dpdk, int argc, char **argv, struct fault *fault)
{
    int err = config_init(&b.config, COMMAND_LIVE, argc, argv, fault);
    if (err == 0 && !b.config.out)
        err = fault_set(fault, EINVAL, "-o DIR: where feeds go");
    if (err == 0)
        err = setup_open(&b.setup, &b.config, fault);
    if (err == 0 && is_dpdk)
        err = live_sources_open(&b.sources, &b.config, say, fault);
    if (err == 0)
        err = replay_days_init(&b.days, &b.config, &b.setup, false, fault);
    if (err < 0)
        return err;
    settings_fill();
    if (!is_dpdk) {
        live_clock_init(&b.sources.clock);
        b.sources.count = 1;
        b.sources.has_dpdk = true; /* planned as if it were */
        (void)snprintf(b.sources.names[0], sizeof b.sources.names[0], "the schedule");
    }
    err = live_sources_plan(&b.sources, &b.config, 1, b.settings.worker_cpus, say, fault);
    b.settings.receivers[0] = b.sources.receivers[0];
    if (err == 0)
        live_sources_step_aside(&b.sources);
    if (!is_dpdk)
        b.sources.count = b.sources.has_dpdk = 0;
    return err;
}

int main(int argc, char **argv)
{
    struct fault fault = {0};
    bool is_dpdk = argc > 3 && strcmp(argv[1], "unpaced") == 0,
         is_midnight = argc > 5 && strcmp(argv[1], "midnight") == 0,
         is_flood = argc > 4 && strcmp(argv[1], "flood") == 0,
         is_paced = is_midnight || is_flood || (argc > 4 && strcmp(argv[1], "paced") == 0);
    int own = is_dpdk ? 3 : is_midnight ? 5 : 4;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!is_dpdk && !is_paced) {
        (void)fprintf(stderr, "bench_live: unpaced SECONDS ROUNDS | paced FILE MPPS SECONDS | "
                              "midnight FILE MPPS SECONDS SOURCES | flood FILE MPPS SECONDS, "
                              "and options of live\n");
        return 2;
    }
    int err = bench_open(is_dpdk, argc - own, argv + own, &fault);
    if (err == 0)
        err = is_dpdk ? run_unpaced(strtod(argv[2], NULL), (unsigned)atoi(argv[3]), &fault)
                      : bench_paced(argv, is_midnight, is_flood, &fault);
    if (err < 0)
        (void)fprintf(stderr, "bench_live: %s\n", fault.text);
    live_sources_close(&b.sources);
    replay_days_fini(&b.days);
    setup_fini(&b.setup);
    config_fini(&b.config);
    return err < 0;
}
