/* A live capture with captures of our own: whatever threads do, every packet is counted once or said to be dropped. */
#include "capture/capture_synth.h"
#include "core/live.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PACKETS = 60000, SPAN_NS = 1000000000, BATCH_OF_BURSTS = 50 };

static const struct synth_prefix dark[] = {{.address = {198, 18}, .bits = 16, .ip_version = 4}};

/* What a capture does beside handing packets over. */
struct script {
    bool is_paced; /* pauses now and then, so that it lasts for more than two windows */
    bool
        is_stuck; /* does nothing at all for longer than the others wait, with packets in its batches */
    unsigned missed; /* packets it says were missed, in all */
    bool is_blind;   /* can't see what the kernel drops */
    bool steps_back; /* some times lie before those it gave */
};

struct fake {
    struct capture base;
    struct capture *packets;
    struct clock_reader clock;
    const struct script *script;
    unsigned bursts;
    bool is_over;
    atomic_int *left; /* captures that have packets: the last one stops all */
    atomic_int *stop;
};

static void pause_ms(unsigned ms)
{
    const struct timespec moment = {ms / 1000, (long)(ms % 1000) * 1000000};
    (void)nanosleep(&moment, NULL);
}

static size_t fake_burst(struct capture *c, struct frame *frames, size_t max)
{
    struct fake *f = (struct fake *)c;
    if (f->is_over)
        return 0;
    if (f->script->is_paced && ++f->bursts % BATCH_OF_BURSTS == 0)
        pause_ms(2500 * BATCH_OF_BURSTS / (PACKETS / FRAME_BURST));
    if (f->script->is_stuck && f->bursts == PACKETS / FRAME_BURST / 2)
        pause_ms(4000);
    size_t count = f->packets->ops->burst(f->packets, frames, max);
    int64_t now_ns = live_clock_now(&f->clock);
    for (size_t i = 0; i < count; i++)
        frames[i].ts_ns = now_ns - (f->script->steps_back && i % 5 == 3 ? 30000000 : 0);
    if (count == 0) {
        f->is_over = true;
        if (atomic_fetch_sub(f->left, 1) == 1)
            atomic_store(f->stop, 1);
    }
    return count;
}

static void fake_drops(const struct capture *c, struct capture_drops *drops)
{
    const struct fake *f = (const struct fake *)c;
    uint64_t missed = (uint64_t)f->script->missed * f->bursts / (PACKETS / FRAME_BURST);
    *drops = (struct capture_drops){
        .nic_missed =
            f->is_over || missed > f->script->missed ? f->script->missed : (int64_t)missed,
        .kernel = f->script->is_blind ? -1 : 0,
    };
}

static void fake_wait(struct capture *c, int timeout_ms)
{
    (void)c;
    pause_ms((unsigned)timeout_ms);
}

static const struct capture_ops fake_ops = {
    .name = "fake", .burst = fake_burst, .drops = fake_drops, .wait = fake_wait};

static struct capture_synth_settings traffic(unsigned seed)
{
    return (struct capture_synth_settings){
        .packets = PACKETS,
        .sources = 1500,
        .start_ns = INT64_C(1767225600000000000),
        .span_ns = INT64_C(60000000000),
        .seed = seed,
        .telescope = dark,
        .telescope_count = 1,
    };
}

/* What the packets of so many captures are, by a replay of each. */
static void expect(const struct ruleset *rules, unsigned captures, struct count kinds[KIND_COUNT])
{
    memset(kinds, 0, KIND_COUNT * sizeof *kinds);
    for (unsigned i = 0; i < captures; i++) {
        struct capture_synth_settings s = traffic(i + 1);
        struct pipeline_result result;
        struct capture *c;
        struct fault fault;
        assert_int_equal(capture_synth_create(&c, &s, &fault), 0);
        struct pipeline_settings settings = {.capture = c,
                                             .rules = rules,
                                             .workers = 1,
                                             .batch = BATCH_MAX,
                                             .window_span_ns = SPAN_NS,
                                             .lateness_ns = SPAN_NS};
        assert_int_equal(pipeline_run(&settings, &result, &fault), 0);
        for (unsigned k = 0; k < KIND_COUNT; k++) {
            kinds[k].packets += result.total->kinds[k].packets;
            kinds[k].bytes += result.total->kinds[k].bytes;
        }
        pipeline_result_fini(&result);
        c->ops->close(c);
    }
}

static void folder_remove(const char *dir)
{
    struct dirent **names;
    int count = scandir(dir, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            unlink(path);
        free(names[i]);
    }
    free(names);
    rmdir(dir);
}

static const struct row {
    const char *what;
    unsigned captures, workers, batches, batch;
    int64_t lateness_ns;
    struct script first, others;
} rows[] = {
    {"one of each", 1, 1, 6000, BATCH_MAX, 0, {0}, {0}},
    {"over windows", 1, 1, 6000, BATCH_MAX, SPAN_NS, {.is_paced = true}, {0}},
    {"two and three", 2, 3, 6000, 100, 0, {.is_paced = true}, {.is_paced = true}},
    {"four, small batches", 4, 2, 6000, 60, SPAN_NS, {.is_paced = true}, {0}},
    {"no room", 2, 1, 1, 7, 0, {0}, {0}},
    {"no room, blind and missed", 3, 2, 1, 1, 0, {.missed = 4711, .is_blind = true}, {.missed = 3}},
    {"one is stuck",
     2,
     2,
     6000,
     BATCH_MAX,
     0,
     {.is_paced = true, .is_stuck = true},
     {.is_paced = true}},
    {"times step back",
     2,
     1,
     6000,
     50,
     0,
     {.is_paced = true, .steps_back = true},
     {.is_paced = true}},
};

static void check(const struct row *row, const struct ruleset *rules, const struct live_result *got,
                  const struct feed_check *feed)
{
    const struct window *total = got->pipeline.total;
    const struct window_ledger *l = &total->ledger;
    struct count kinds[KIND_COUNT];
    uint64_t sent = (uint64_t)PACKETS * row->captures,
             missed = row->first.missed + (uint64_t)row->others.missed * (row->captures - 1);
    if (!ledger_holds(l) || l->offered != sent + missed || l->nic_missed != missed)
        fail_msg("%s: offered %lu, observed %lu, missed %lu, ring_full %lu; sent %lu", row->what,
                 (unsigned long)l->offered, (unsigned long)l->observed,
                 (unsigned long)l->nic_missed, (unsigned long)l->ring_full, (unsigned long)sent);
    assert_int_equal(l->unknown, row->first.is_blind ? 1u << DROP_kernel : 0);
    assert_int_equal(got->counters.received, sent);
    assert_int_equal(got->counters.counted, l->observed);
    assert_int_equal(feed->packets, l->observed);
    assert_int_equal(feed->ledger.offered, l->offered);
    assert_int_equal(feed->windows, got->pipeline.windows);
    assert_int_equal(feed->ledger.late, l->late);
    if (row->first.is_stuck)
        assert_true(l->late > 0 && got->pipeline.parts > 0);
    if (l->ring_full > 0) {
        if (row->batches > 1)
            fail_msg("%s: %lu packets found no room", row->what, (unsigned long)l->ring_full);
        return;
    }
    expect(rules, row->captures, kinds);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        assert_int_equal(total->kinds[k].packets, kinds[k].packets);
        assert_int_equal(total->kinds[k].bytes, kinds[k].bytes);
    }
}

static void run(const struct row *row, const struct ruleset *rules)
{
    struct fake fakes[4] = {0};
    struct live_clock clock;
    struct live_result result;
    struct feed_log *feed;
    struct fault fault;
    atomic_int stop = 0, left = (int)row->captures;
    char dir[] = "/tmp/live.XXXXXX";
    struct feed_identity identity = {
        .sensor = "test",
        .telescope_id = "",
        .timezone = "UTC",
        .filter = "",
        .window_span_ns = SPAN_NS,
        .lateness_ns = row->lateness_ns,
        .rules = rules,
    };
    assert_non_null(mkdtemp(dir));
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    live_clock_init(&clock);
    struct live_settings settings = {
        .base = {.rules = rules,
                 .feed = feed,
                 .workers = row->workers,
                 .batch = row->batch,
                 .window_span_ns = SPAN_NS,
                 .lateness_ns = row->lateness_ns},
        .receiver_count = row->captures,
        .clock = &clock,
        .batches = row->batches,
        .stop = &stop,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    for (unsigned i = 0; i < row->captures; i++) {
        struct capture_synth_settings s = traffic(i + 1);
        fakes[i] = (struct fake){.base.ops = &fake_ops,
                                 .script = i == 0 ? &row->first : &row->others,
                                 .left = &left,
                                 .stop = &stop};
        clock_reader_init(&fakes[i].clock, &clock);
        assert_int_equal(capture_synth_create(&fakes[i].packets, &s, &fault), 0);
        settings.receivers[i] =
            (struct live_receiver_settings){.capture = &fakes[i].base, .cpu = LIVE_ANY_CPU};
    }
    if (live_run(&settings, &result, &fault) < 0)
        fail_msg("%s: %s", row->what, fault.text);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    struct feed_check checked;
    if (feed_log_verify(dir, &checked, &fault) < 0)
        fail_msg("%s: %s", row->what, fault.text);
    check(row, rules, &result, &checked);
    pipeline_result_fini(&result.pipeline);
    for (unsigned i = 0; i < row->captures; i++)
        fakes[i].packets->ops->close(fakes[i].packets);
    folder_remove(dir);
}

static void test_rows(void **state)
{
    (void)state;
    struct ruleset *rules;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run(&rows[i], rules);
    ruleset_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
