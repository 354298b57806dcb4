/* Rules that change while a capture goes on: every window is of one rule set, by its begin; every packet is counted once; what
 * is no longer used is released; a day says all rule sets that it had. */
#include "live_case.h"

#include "classify/payload.h"
#include "core/live_rules.h"

#include <errno.h>
#include <pthread.h>

enum { SETS = 3, PATIENCE_MS = 60000 };

static const char other_rules[] = "category: iot\n"
                                  "rules:\n"
                                  "  - id: one\n"
                                  "    breadth: strict\n"
                                  "    device: {en: One, ja: One}\n"
                                  "    ports: [tcp/445, tcp/22, udp/53]\n"
                                  "    basis: {strength: published, source: made for a test}\n"
                                  "  - id: two\n"
                                  "    breadth: shared\n"
                                  "    device: {en: Two, ja: Two}\n"
                                  "    ports: [tcp/23, tcp/80]\n"
                                  "    basis: {strength: published, source: made for a test}\n";

static const struct row {
    const char *what;
    unsigned captures, workers, gives;
    struct script first, others;
    bool has_days, is_alone; /* days are counted; receivers count by themselves */
} rows[] = {
    {"one of each", 1, 1, 4, {.is_paced = true}, {0}, true},
    {"without days", 2, 2, 3, {.is_paced = true}, {.is_paced = true}, false},
    {"times step back", 2, 3, 3, {.is_paced = true, .steps_back = true}, {.is_paced = true}, true},
    {"one is stuck", 2, 2, 4, {.is_paced = true, .is_stuck = true}, {.is_paced = true}, true},
    {"receivers count", 2, 2, 3, {.is_paced = true}, {.is_paced = true}, true, true},
    {"nothing to do with it", 1, 2, 0, {.is_paced = true}, {0}, true},
};

/* What a generation of the test is made of. */
struct made {
    struct ruleset *rules;
    struct feed_identity identity;
    struct day_store_settings days;
    struct live_rules live;
};

struct change {
    const struct row *row;
    struct made *made;
    struct live_offer *offer;
    atomic_int *stop, *left;
    atomic_uint released;
    atomic_ulong generation, counted;
};

static void released(void *context) { atomic_fetch_add(&((struct change *)context)->released, 1); }

static void tick(void *context, const struct live_counters *now)
{
    struct change *c = context;
    atomic_store(&c->generation, now->generation);
    atomic_store(&c->counted, now->counted);
}

/* Whether `counter` came to `least` in time. */
static bool comes_to(const atomic_ulong *counter, uint64_t least)
{
    for (unsigned ms = 0; ms < PATIENCE_MS && atomic_load(counter) < least; ms += 10)
        pause_ms(10);
    return atomic_load(counter) >= least;
}

/* Another thread: gives rules, each when the ones before are in force; those of the end stay, all others are to be released while
 * packets are still awaited. */
static void *change(void *context)
{
    struct change *c = context;
    const char *fault = NULL;
    for (unsigned i = 0; i < c->row->gives && !fault; i++) {
        const struct live_rules *rules = &c->made[(i + 1) % SETS].live;
        int err;
        while ((err = live_offer_give(c->offer, rules)) == -ESRCH)
            pause_ms(1);
        if (err < 0)
            fault = "rules were not taken";
        else if (!comes_to(&c->generation, i + 2))
            fault = "rules were never in force";
    }
    if (!comes_to(&c->counted, (uint64_t)PACKETS * c->row->captures) && !fault)
        fault = "not all packets were counted";
    for (unsigned ms = 0; !fault && atomic_load(&c->released) < c->row->gives; ms += 10) {
        if (ms >= PATIENCE_MS)
            fault = "earlier rules were never released";
        pause_ms(10);
    }
    atomic_store(c->stop, 1);
    return (void *)fault;
}

static void made_init(struct made *m, unsigned which, struct change *c)
{
    static const char set[] = "name: made\nversion: 1\n";
    const struct rule_source sources[] = {{"made.yaml", other_rules, sizeof other_rules - 1},
                                          {"set.yaml", set, sizeof set - 1}};
    struct fault fault;
    int err = which == 1 ? ruleset_create_from(&m->rules, sources, 2, "", &fault)
                         : ruleset_create(&m->rules, NULL, &fault);
    if (err == 0)
        err = payload_load(m->rules, NULL, &fault);
    if (err < 0)
        fail_msg("%s", fault.text);
    if (which == 2)
        m->rules->sha256[0] ^= 1; /* a third one by its name */
    m->identity = (struct feed_identity){
        .sensor = "test",
        .telescope_id = "",
        .timezone = "UTC",
        .filter = "",
        .window_span_ns = SPAN_NS,
        .rules = m->rules,
        .survey = &survey_defaults,
        .has_sources = c->row->has_days,
    };
    m->days = (struct day_store_settings){
        .day = {.rules = m->rules, .survey = survey_defaults},
        .telescope_id = "",
        .sensor = "test",
        .timezone = "UTC",
    };
    assert_int_equal(
        origins_create((struct origins **)&m->days.origins, &(struct origin_settings){0}, &fault),
        0);
    m->live = (struct live_rules){
        .rules = m->rules,
        .identity = &m->identity,
        .days = &m->days,
        .release = released,
        .context = c,
    };
}

static void made_fini(struct made *m)
{
    origins_destroy((struct origins *)m->days.origins);
    ruleset_destroy(m->rules);
}

/* The days of the feed are finished by the last rules, and say that they had several. */
static void days_end(struct live_days *days, struct feed_log *feed, const struct change *c)
{
    struct fault fault;
    int32_t date = calendar_day_of((int64_t)time(NULL) * 1000000000).date;
    if (live_days_finish(days, date + 1, feed, NULL, &fault) < 0)
        fail_msg("%s: %s", c->row->what, fault.text);
}

static void check(const struct change *c, const struct live_result *got, const char *dir)
{
    const struct window_ledger *l = &got->pipeline.total->ledger;
    uint64_t sent = (uint64_t)PACKETS * c->row->captures;
    struct feed_check feed;
    struct fault fault;
    if (!ledger_holds(l) || l->offered != sent || l->observed != sent)
        fail_msg("%s: offered %lu, observed %lu of %lu", c->row->what, (unsigned long)l->offered,
                 (unsigned long)l->observed, (unsigned long)sent);
    if (c->row->first.is_stuck)
        assert_true(l->late > 0);
    for (unsigned i = 0; i < SETS; i++) {
        if (feed_log_verify_rules(dir, c->made[i].rules, &feed, &fault) < 0)
            fail_msg("%s: %s", c->row->what, fault.text);
        assert_int_equal(feed.packets, sent);
        assert_int_equal(feed.rules_checked, c->row->gives == 0 && i == 0);
        if (c->row->has_days)
            assert_true(feed.days >= 1 && feed.days_computed == feed.days);
    }
}

static void run(const struct row *row)
{
    static struct made made[SETS];
    struct change c = {.row = row, .made = made};
    struct fake fakes[4] = {0};
    struct live_clock clock;
    struct live_result result;
    struct live_days *days = NULL;
    struct live_days_settings days_settings = {.journal_dir = NULL};
    struct feed_log *feed;
    struct fault fault;
    pthread_t thread;
    void *failed;
    atomic_int stop = 0, left = (int)row->captures + 1; /* they never stop by themselves */
    char dir[] = "/tmp/live.XXXXXX", journal[64];
    c.stop = &stop;
    c.offer = live_offer_create();
    for (unsigned i = 0; i < SETS; i++)
        made_init(&made[i], i, &c);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(journal, sizeof journal, "%s/journal", dir);
    assert_int_equal(feed_log_create(&feed, dir, &made[0].identity, &fault), 0);
    days_settings =
        (struct live_days_settings){.day = made[0].days, .feed_dir = dir, .journal_dir = journal};
    if (row->has_days && live_days_open(&days, &days_settings, &fault) < 0)
        fail_msg("%s: %s", row->what, fault.text);
    live_clock_init(&clock);
    struct live_settings settings = {
        .base = {.rules = made[0].rules,
                 .feed = feed,
                 .workers = row->workers,
                 .batch = BATCH_MAX,
                 .packs_days = row->has_days,
                 .window_span_ns = SPAN_NS},
        .rules = made[0].live,
        .offer = c.offer,
        .receiver_count = row->captures,
        .receivers_count = row->is_alone,
        .days = days,
        .clock = &clock,
        .batches = 6000,
        .stop = &stop,
        .tick = tick,
        .context = &c,
    };
    for (unsigned i = 0; i < SHARDS; i++)
        settings.worker_cpus[i] = LIVE_ANY_CPU;
    for (unsigned i = 0; i < row->captures; i++) {
        fake_open(&fakes[i], i == 0 ? &row->first : &row->others, i + 1, &clock, &left, &stop);
        settings.receivers[i] =
            (struct live_receiver_settings){.capture = &fakes[i].base, .cpu = LIVE_ANY_CPU};
    }
    assert_int_equal(pthread_create(&thread, NULL, change, &c), 0);
    if (live_run(&settings, &result, &fault) < 0)
        fail_msg("%s: %s", row->what, fault.text);
    assert_int_equal(pthread_join(thread, &failed), 0);
    if (failed)
        fail_msg("%s: %s", row->what, (const char *)failed);
    assert_int_equal(atomic_load(&c.released), row->gives);
    assert_int_equal(result.counters.generation, row->gives + 1);
    if (days)
        days_end(days, feed, &c);
    live_days_close(days);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    live_rules_release(&result.rules);
    assert_int_equal(atomic_load(&c.released), row->gives + 1);
    check(&c, &result, dir);
    pipeline_result_fini(&result.pipeline);
    for (unsigned i = 0; i < row->captures; i++)
        fakes[i].packets->ops->close(fakes[i].packets);
    for (unsigned i = 0; i < SETS; i++)
        made_fini(&made[i]);
    live_offer_destroy(c.offer);
    rmdir(journal);
    folder_remove(dir);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run(&rows[i]);
}

/* What was offered and never in force is released; without a capture nothing is taken. */
static void nobody_takes_it(void **state)
{
    struct change c = {.row = &rows[0]};
    struct made made;
    (void)state;
    c.offer = live_offer_create();
    made_init(&made, 1, &c);
    assert_int_equal(live_offer_give(c.offer, &made.live), -ESRCH);
    assert_int_equal(atomic_load(&c.released), 0);
    made_fini(&made);
    live_offer_destroy(c.offer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_takes_it),
                                       cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
