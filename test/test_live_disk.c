/* A live capture whose disk takes nothing for so long that windows are given up: the feed says how many. */
#include "live_case.h"

#include <errno.h>
#include <sys/syscall.h>

enum { LOST = 3, SHORT_NS = 250000000 };

static atomic_bool is_disk_bad;

/* In place of the C library's. */
int fdatasync(int fd)
{
    if (atomic_load(&is_disk_bad)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* The disk is sound again when some were given up; all ends when nothing waits for it any more. */
static void tick(void *context, const struct live_counters *now)
{
    if (now->lost_windows >= LOST)
        atomic_store(&is_disk_bad, false);
    if (!atomic_load(&is_disk_bad) && now->held_windows == 0)
        atomic_store((atomic_int *)context, 1);
}

static void gaps_are_safe(void **state)
{
    static const struct script script = {0};
    struct ruleset *rules;
    struct fake fake = {0};
    struct live_clock clock;
    struct live_result result;
    struct feed_log *feed;
    struct feed_check checked;
    struct fault fault;
    atomic_int stop = 0, left = 2; /* it never stops by itself */
    char dir[] = "/tmp/live.XXXXXX";
    (void)state;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    const struct feed_identity identity = {.sensor = "test",
                                           .telescope_id = "",
                                           .timezone = "UTC",
                                           .filter = "",
                                           .window_span_ns = SHORT_NS,
                                           .rules = rules};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    live_clock_init(&clock);
    struct live_settings settings = {
        .base = {.rules = rules,
                 .feed = feed,
                 .workers = 1,
                 .batch = BATCH_MAX,
                 .window_span_ns = SHORT_NS},
        .receivers = {{.capture = &fake.base, .cpu = LIVE_ANY_CPU}},
        .receiver_count = 1,
        .clock = &clock,
        .batches = 6000,
        .stop = &stop,
        .tick = tick,
        .context = &stop,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    fake_open(&fake, &script, 1, &clock, &left, &stop);
    atomic_store(&is_disk_bad, true);
    if (live_run(&settings, &result, &fault) < 0)
        fail_msg("%s", fault.text);
    fake.packets->ops->close(fake.packets);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    if (feed_log_verify(dir, &checked, &fault) < 0)
        fail_msg("%s", fault.text);
    uint64_t lost = result.counters.lost_windows;
    assert_true(lost >= LOST);
    assert_int_equal(checked.windows + lost, result.pipeline.windows);
    assert_int_equal(checked.windows_given_up, lost);
    pipeline_result_fini(&result.pipeline);
    ruleset_destroy(rules);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gaps_are_safe)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
