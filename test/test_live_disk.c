/* A live capture whose disk takes nothing: the feed says how many windows were given up, and how many packets were not recorded. */
#include "live_case.h"

#include "export/feed_tail.h"
#include "export/outages.h"

#include <errno.h>
#include <sys/syscall.h>

enum { SHORT_NS = 250000000 };

/* Armed: it is full when two records in a row are written, before the second. */
enum disk { DISK_SOUND, DISK_SYNCS_NOTHING, DISK_ARMED, DISK_FULL };
static atomic_int disk;
static atomic_uint unsynced; /* records written since it was synced last */
static atomic_bool is_sound; /* again */

/* In place of the C library's. */
int fdatasync(int fd)
{
    if (atomic_load(&disk) == DISK_SYNCS_NOTHING) {
        errno = EIO;
        return -1;
    }
    atomic_store(&unsynced, 0);
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (atomic_load(&disk) == DISK_ARMED && atomic_fetch_add(&unsynced, 1) == 1)
        atomic_store(&disk, DISK_FULL);
    if (atomic_load(&disk) == DISK_FULL) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

static atomic_bool is_recording_full;

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (atomic_load(&is_recording_full)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, len);
}

static const struct row {
    const char *what;
    enum disk disk;
    unsigned lost;   /* windows, at least; then the disk is sound again */
    bool stays_full; /* to the end */
    unsigned captures;
    struct script first;
} rows[] = {
    {.what = "it syncs nothing", .disk = DISK_SYNCS_NOTHING, .lost = 3, .captures = 1},
    {.what = "it is full between a window and a late one",
     .disk = DISK_ARMED,
     .lost = 3,
     .captures = 2,
     .first = {.is_paced = true, .is_stuck = true}},
    {.what = "a window is given up, then comes a late one of its time",
     .disk = DISK_FULL,
     .lost = 12,
     .captures = 2,
     .first = {.is_paced = true, .is_stuck = true, .until = &is_sound}},
    {.what = "and stays so",
     .disk = DISK_ARMED,
     .lost = 1,
     .stays_full = true,
     .captures = 2,
     .first = {.is_paced = true, .is_stuck = true}},
};

struct ending {
    const struct row *row;
    atomic_int stop;
};

/* The disk is sound again when some were given up; all ends when nothing waits for it any more. */
static void tick(void *context, const struct live_counters *now)
{
    struct ending *e = context;
    if (!e->row->stays_full && now->lost_windows >= e->row->lost) {
        atomic_store(&disk, DISK_SOUND);
        atomic_store(&is_sound, true);
    }
    if (e->row->stays_full ? now->held_windows > 0
                           : atomic_load(&disk) == DISK_SOUND && now->held_windows == 0)
        atomic_store(&e->stop, 1);
}

/* What the windows of a feed say was given up. */
static struct window_given_up given_up(const char *dir)
{
    struct outages o = {0};
    struct feed_tail *tail;
    struct feed_tail_record r;
    struct fault fault;
    int got;
    assert_int_equal(feed_tail_open(&tail, dir, NULL, &fault), 0);
    while ((got = feed_tail_next(tail, &r, &fault)) > 0)
        if (r.kind == RECORD_window)
            assert_int_equal(outages_add_record(&o, r.body, r.body_len), 0);
    assert_int_equal(got, 0);
    feed_tail_close(tail);
    struct window_given_up said = o.given_up;
    outages_fini(&o);
    return said;
}

static struct feed_identity identity_of(const struct ruleset *rules)
{
    return (struct feed_identity){.sensor = "test",
                                  .telescope_id = "",
                                  .timezone = "UTC",
                                  .filter = "",
                                  .window_span_ns = SHORT_NS,
                                  .rules = rules};
}

static void capture(const struct row *row, struct feed_log *feed, struct recorder *recorder,
                    const struct ruleset *rules, struct live_result *result)
{
    static const struct script others = {.is_paced = true};
    struct ending ending = {.row = row};
    struct fake fakes[2] = {0};
    struct live_clock clock;
    struct fault fault;
    atomic_int left = recorder ? 1 : 3; /* 3: it never stops by itself */
    live_clock_init(&clock);
    struct live_settings settings = {
        .base = {.rules = rules,
                 .feed = feed,
                 .workers = 1,
                 .batch = BATCH_MAX,
                 .window_span_ns = SHORT_NS},
        .receiver_count = row->captures,
        .recorder = recorder,
        .clock = &clock,
        .batches = 6000,
        .stop = &ending.stop,
        .tick = recorder ? NULL : tick,
        .context = &ending,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    for (unsigned i = 0; i < row->captures; i++) {
        fake_open(&fakes[i], i == 0 ? &row->first : &others, i + 1, &clock, &left, &ending.stop);
        settings.receivers[i] =
            (struct live_receiver_settings){.capture = &fakes[i].base, .cpu = LIVE_ANY_CPU};
    }
    atomic_store(&unsynced, 0);
    atomic_store(&is_sound, false);
    atomic_store(&disk, row->disk);
    if (live_run(&settings, result, &fault) < 0)
        fail_msg("%s: %s", row->what, fault.text);
    atomic_store(&disk, DISK_SOUND);
    for (unsigned i = 0; i < row->captures; i++)
        fakes[i].packets->ops->close(fakes[i].packets);
}

static void run(const struct row *row, const struct ruleset *rules)
{
    struct live_result result;
    struct feed_log *feed;
    struct feed_check checked;
    struct fault fault;
    char dir[] = "/tmp/live.XXXXXX";
    const struct feed_identity identity = identity_of(rules);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    capture(row, feed, NULL, rules, &result);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    if (feed_log_verify(dir, &checked, &fault) < 0)
        fail_msg("%s: %s", row->what, fault.text);
    uint64_t lost = result.counters.lost_windows, said = given_up(dir).windows;
    if (checked.windows + lost != result.pipeline.windows)
        fail_msg("%s: %lu windows in the feed, %lu lost, of %lu", row->what,
                 (unsigned long)checked.windows, (unsigned long)lost,
                 (unsigned long)result.pipeline.windows);
    assert_true(lost >= row->lost);
    if (row->first.is_stuck)
        assert_true(result.pipeline.total->ledger.late > 0);
    if (!row->stays_full && (checked.windows_given_up != lost || said != lost))
        fail_msg("%s: %lu lost, %lu by gaps, %lu by windows", row->what, (unsigned long)lost,
                 (unsigned long)checked.windows_given_up, (unsigned long)said);
    pipeline_result_fini(&result.pipeline);
    folder_remove(dir);
}

static void test_rows(void **state)
{
    struct ruleset *rules;
    (void)state;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run(&rows[i], rules);
    ruleset_destroy(rules);
}

/* What the recorder has to give up at the end, its last packets being in no file, stands in a window. */
static void not_recorded(void **state)
{
    static const struct row row = {.what = "a recording", .captures = 1};
    struct ruleset *rules;
    struct live_result result;
    struct feed_log *feed;
    struct recorder *recorder;
    struct recorder_counts counts;
    struct fault fault;
    char dir[] = "/tmp/live.XXXXXX", recording[] = "/tmp/live.XXXXXX";
    const struct recorder_settings settings = {.dir = recording};
    (void)state;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    const struct feed_identity identity = identity_of(rules);
    assert_non_null(mkdtemp(dir));
    assert_non_null(mkdtemp(recording));
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    if (recorder_create(&recorder, &settings, 1, &fault) < 0)
        fail_msg("%s", fault.text);
    atomic_store(&is_recording_full, true);
    capture(&row, feed, recorder, rules, &result);
    recorder_counts(recorder, &counts);
    recorder_destroy(recorder);
    atomic_store(&is_recording_full, false);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    assert_int_equal(counts.skipped, PACKETS);
    assert_int_equal(given_up(dir).recorder_packets, PACKETS);
    assert_int_equal(result.pipeline.total->given_up.recorder_packets, PACKETS);
    pipeline_result_fini(&result.pipeline);
    ruleset_destroy(rules);
    folder_remove(dir);
    folder_remove(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(not_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
