/* A flood of new sources meets the memory cap while it is captured: every packet is counted once, what is not exact is marked, and what
 * is given up is the same for any number of workers. */
#include "core/config.h"
#include "core/live.h"
#include "core/memory_cap.h"
#include "core/replay_days.h"

#include <endian.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The cap looks at tables every 2^20 packets (core/pipeline_cap.c). */
enum { QUESTION = 1 << 20, ASKING = 10, SCANNERS = 300, EVERY = 8, FRAME = 60 };

/* What comes until the tables are looked at for the nth time, and is decided then. */
static const struct phase {
    const char *what;
    uint64_t packets;       /* received in all when it ends */
    bool is_scanners;       /* nothing else */
    uint64_t ports_packets; /* what is decided then; 0: nothing */
} phases[] = {
    {"a flood", QUESTION - ASKING, false, 0},
    /* 80 thousand sources fit in; those with one packet have more than half of all, so that scanners are spared. */
    {"is asked about", QUESTION, true, 1},
    {"goes on, new sources are not kept", 2 * QUESTION - ASKING, false, 1},
    {"there is nobody else: nobody is spared", 2 * QUESTION, true, UINT64_MAX},
    {"takes no more", 2 * QUESTION + 300000, false, UINT64_MAX},
};
enum { PHASES = sizeof phases / sizeof *phases };

/* Packets as fast as they are counted, so that rings have room on any machine; at the end of a phase none until all is counted and
 * decided. */
enum { UNCOUNTED = 1 << 16 };
struct flood {
    struct capture base;
    struct clock_reader clock;
    uint8_t frames[FRAME_BURST][FRAME];
    uint64_t sent, lone[2]; /* of sources with one packet and of scanners, behind what takes them */
    unsigned phase;
    atomic_uint *reached; /* phases whose end was seen: a tick's */
    atomic_uint_least64_t *counted;
    atomic_int *stop;
};

static void frame_fill(uint8_t *frame)
{
    static const uint8_t head[] = {2, 0,    0, 0, 0,   1,    2, 0,    0,       0,    0, 2,  8,
                                   0, 0x45, 0, 0, 40,  0x30, 0, 0,    0,       64,   6, 0,  0,
                                   0, 0,    0, 0, 198, 18,   0, 1,    0x10,    0,    0, 23, 0,
                                   0, 0,    1, 0, 0,   0,    0, 0x50, TCP_SYN, 0x10, 0};
    memcpy(frame, head, sizeof head);
}

static void source_set(uint8_t *frame, uint64_t number, bool is_scanner)
{
    uint32_t source = is_scanner ? 0x63000001 + (uint32_t)(number / EVERY % SCANNERS)
                                 : 0x40000000 + (uint32_t)number;
    uint16_t port = is_scanner ? (uint16_t)(1 + number / EVERY % 4) : 23;
    source = htobe32(source);
    port = htobe16(port);
    memcpy(frame + 26, &source, sizeof source);
    memcpy(frame + 36, &port, sizeof port);
}

static size_t flood_burst(struct capture *c, struct frame *frames, size_t max)
{
    struct flood *f = (struct flood *)c;
    if (f->sent == phases[f->phase].packets) {
        if (atomic_load(f->reached) <= f->phase)
            return 0;
        if (++f->phase == PHASES) {
            f->phase--;
            atomic_store(f->stop, 1);
            return 0;
        }
    }
    if (f->sent - atomic_load(f->counted) >= UNCOUNTED)
        return 0;
    int64_t now_ns = live_clock_now(&f->clock);
    size_t count = 0;
    for (; count < max && f->sent < phases[f->phase].packets; count++) {
        /* Every EVERYth is a scanner's, all others are a source's only one. */
        bool is_scanner = f->sent % EVERY == 0 || phases[f->phase].is_scanners;
        source_set(f->frames[count], f->sent++, is_scanner);
        f->lone[0] += !is_scanner && f->phase > 1;
        f->lone[1] += is_scanner && f->phase > 3;
        frames[count] = (struct frame){f->frames[count], FRAME, FRAME, now_ns, 1};
    }
    return count;
}

static void flood_wait(struct capture *c, int timeout_ms)
{
    const struct timespec moment = {0, timeout_ms * 1000000L};
    (void)c;
    (void)nanosleep(&moment, NULL);
}

static const struct capture_ops flood_ops = {
    .name = "flood", .burst = flood_burst, .wait = flood_wait};

/* The keeper's, which decides between two ticks. */
struct seen {
    atomic_uint reached;
    atomic_uint_least64_t counted;
    uint64_t quiet, decided; /* ticks in which nothing changed; of them, those with all decided */
    struct live_counters before;
};

static void tick(void *context, const struct live_counters *now)
{
    struct seen *s = context;
    unsigned phase = atomic_load(&s->reached);
    uint64_t done = now->counted + now->dropped[DROP_ring_full];
    atomic_store(&s->counted, done);
    bool is_still = now->given_up.packets == s->before.given_up.packets && done == now->received;
    s->before = *now;
    if (phase == PHASES || now->received < phases[phase].packets || !is_still) {
        s->quiet = s->decided = 0;
        return;
    }
    bool is_decided = now->given_up.ports_packets >= phases[phase].ports_packets;
    enum { ENOUGH = 20, TOO_MUCH = 3000 };
    s->decided += is_decided;
    if (++s->quiet >= TOO_MUCH || s->decided >= ENOUGH) {
        s->decided = 0;
        s->quiet = 0;
        atomic_store(&s->reached, phase + 1);
    }
}

static void check(unsigned workers, const struct flood *flood, const struct live_result *r,
                  const struct feed_check *feed)
{
    const struct phase *last = &phases[PHASES - 1];
    const struct window *total = r->pipeline.total;
    const struct window_ledger *l = &total->ledger;
    const struct source_count *sources = &total->mark_sources[MARK_total];
    const struct summary_given_up *g = &r->pipeline.given_up;
    if (!ledger_holds(l) || l->offered != last->packets || l->ring_full > 0 ||
        feed->packets != l->observed)
        fail_msg("%u workers: offered %lu of %lu, observed %lu, ring_full %lu", workers,
                 (unsigned long)l->offered, (unsigned long)last->packets,
                 (unsigned long)l->observed, (unsigned long)l->ring_full);
    if (!g->ports || !g->rules || !g->sources || g->ports_packets != last->ports_packets)
        fail_msg("%u workers: gave up ports %d, rules %d, sources %d, up to %lu packets", workers,
                 g->ports, g->rules, g->sources, (unsigned long)g->ports_packets);
    assert_int_equal(total->given_up.sources, flood->lone[0]);
    /* The answer is of now: the packets that brought the question may come behind it. */
    assert_in_range(total->given_up.ports, flood->lone[1], flood->lone[1] + ASKING);
    assert_true(flood->lone[0] > 0 && flood->lone[1] > 0);
    assert_true(sources->low < sources->high);
    assert_int_equal(total->kinds[KIND_tcp_syn].packets, last->packets);
}

static int entry_remove(const char *path, const struct stat *s, int what, struct FTW *at)
{
    return remove(path);
}

static void run(unsigned workers, const struct setup *setup, const struct replay_days *days)
{
    static struct flood flood;
    struct seen seen = {0};
    struct live_clock clock;
    struct live_result result;
    struct live_days *live_days;
    struct feed_log *feed;
    struct feed_check checked;
    struct fault fault;
    atomic_int stop = 0;
    char dir[] = "/tmp/live-cap.XXXXXX", path[64];
    struct feed_identity identity = {.sensor = "test",
                                     .telescope_id = "",
                                     .timezone = "UTC",
                                     .filter = "",
                                     .window_span_ns = INT64_C(1000000000),
                                     .rules = setup->rules};
    replay_days_identify(days, &identity);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/journal", dir);
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    const struct live_days_settings days_settings = {
        .day = days->settings, .feed_dir = dir, .journal_dir = path};
    assert_int_equal(live_days_open(&live_days, &days_settings, &fault), 0);
    live_clock_init(&clock);
    flood = (struct flood){
        .base.ops = &flood_ops, .reached = &seen.reached, .counted = &seen.counted, .stop = &stop};
    clock_reader_init(&flood.clock, &clock);
    for (unsigned i = 0; i < FRAME_BURST; i++)
        frame_fill(flood.frames[i]);
    struct live_settings settings = {
        .base = {.rules = setup->rules,
                 .feed = feed,
                 .workers = workers,
                 .packs_days = true,
                 .batch = BATCH_MAX,
                 .memory_cap = CAP_LEAST,
                 .window_span_ns = identity.window_span_ns},
        .receivers = {{.capture = &flood.base, .cpu = LIVE_ANY_CPU}},
        .receiver_count = 1,
        .days = live_days,
        .clock = &clock,
        .batches = 4096,
        .stop = &stop,
        .tick = tick,
        .tick_ns = 10000000,
        .context = &seen,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    assert_int_equal(live_run(&settings, &result, &fault), 0);
    live_days_close(live_days);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    assert_int_equal(feed_log_verify(dir, &checked, &fault), 0);
    check(workers, &flood, &result, &checked);
    pipeline_result_fini(&result.pipeline);
    assert_int_equal(nftw(dir, entry_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* With a day that ends what was given up is forgotten: this one goes on for so long. */
static void midnight_pass(void)
{
    enum { DAY = 86400, LONG = 90 };
    struct timespec left = {.tv_sec = DAY - time(NULL) % DAY};
    while (left.tv_sec <= LONG && nanosleep(&left, &left) < 0)
        ;
}

static void test_workers(void **state)
{
    char *words[] = {"live"};
    struct config config;
    struct setup setup = {0};
    struct replay_days days = {0};
    struct fault fault;
    (void)state;
    assert_int_equal(config_init(&config, COMMAND_LIVE, 0, words, &fault), 0);
    assert_int_equal(setup_open(&setup, &config, &fault), 0);
    assert_int_equal(replay_days_init(&days, &config, &setup, false, &fault), 0);
    for (unsigned workers = 1; workers <= 3; workers++) {
        midnight_pass();
        run(workers, &setup, &days);
    }
    replay_days_fini(&days);
    setup_fini(&setup);
    config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_workers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
