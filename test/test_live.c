/* A live capture with captures of our own: whatever threads do, every packet is counted once or said to be dropped. */
#include "live_case.h"

enum { ENOUGH = 80 }; /* windows, of any row that has no empty ones */

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

static const struct row {
    const char *what;
    unsigned captures, workers, batches, batch; /* workers 0: receivers count */
    int64_t lateness_ns;
    struct script first, others;
} rows[] = {
    {"one of each", 1, 1, 6000, BATCH_MAX, 0, {0}, {0}},
    {"over windows", 1, 1, 6000, BATCH_MAX, SPAN_NS, {.is_paced = true}, {0}},
    {"two and three", 2, 3, 6000, 100, 0, {.is_paced = true}, {.is_paced = true}},
    {"four, small batches", 4, 2, 6000, 60, SPAN_NS, {.is_paced = true}, {0}},
    {"no room", 2, 1, 1, 7, 0, {0}, {0}},
    {"no room, blind and missed", 3, 2, 1, 1, 0, {.missed = 4711, .is_blind = true}, {.missed = 3}},
    {"not sure what it missed",
     1,
     1,
     6000,
     BATCH_MAX,
     0,
     {.is_paced = true, .missed = 4711, .is_unsure = true},
     {0}},
    {"one is stuck",
     2,
     2,
     6000,
     BATCH_MAX,
     0,
     {.is_paced = true, .is_stuck = true},
     {.is_paced = true}},
    {"its own worker", 1, 0, 6000, BATCH_MAX, 0, {.is_paced = true}, {0}},
    {"each its own", 3, 0, 6000, 100, SPAN_NS, {.is_paced = true}, {.is_paced = true}},
    {"its own, without room", 1, 0, 1, 1, 0, {.missed = 17}, {0}},
    {"its own, stuck",
     2,
     0,
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
    {"the clock is set",
     2,
     2,
     6000,
     BATCH_MAX,
     0,
     {.is_paced = true, .jump_seconds = INT64_C(20000) * 86400},
     {.is_paced = true}},
    {"its own, and the clock is set",
     2,
     0,
     6000,
     BATCH_MAX,
     0,
     {.is_paced = true, .jump_seconds = 86400},
     {.is_paced = true}},
    {"the clock is set by less than is worth a gap",
     1,
     1,
     6000,
     BATCH_MAX,
     0,
     {.is_paced = true, .jump_seconds = 50},
     {0}},
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
    uint32_t unsure = row->first.is_unsure ? 1u << DROP_nic_missed : 0; /* by when it was asked */
    assert_int_equal(l->unknown & ~unsure, row->first.is_blind ? 1u << DROP_kernel : 0);
    assert_int_equal(got->counters.received, sent);
    assert_int_equal(got->counters.counted, l->observed);
    assert_int_equal(feed->packets, l->observed);
    assert_int_equal(feed->ledger.offered, l->offered);
    assert_int_equal(feed->windows, got->pipeline.windows);
    assert_int_equal(feed->ledger.late, l->late);
    bool has_gap = row->first.jump_seconds > LIVE_SKIPPED;
    if (got->pipeline.windows > ENOUGH || feed->gaps != has_gap)
        fail_msg("%s: %lu windows, %lu gaps", row->what, (unsigned long)got->pipeline.windows,
                 (unsigned long)feed->gaps);
    if (row->first.jump_seconds > 0 && !has_gap) /* zero is not missing */
        assert_true((int64_t)got->pipeline.windows > row->first.jump_seconds);
    if (row->first.is_stuck && row->workers > 0) /* its own worker seals when it is back */
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
                 .workers = row->workers ? row->workers : row->captures,
                 .batch = row->batch,
                 .window_span_ns = SPAN_NS,
                 .lateness_ns = row->lateness_ns},
        .receivers_count = row->workers == 0,
        .receiver_count = row->captures,
        .clock = &clock,
        .batches = row->batches,
        .stop = &stop,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    for (unsigned i = 0; i < row->captures; i++) {
        fake_open(&fakes[i], i == 0 ? &row->first : &row->others, i + 1, &clock, &left, &stop);
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
