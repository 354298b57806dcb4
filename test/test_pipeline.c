/* The same packets give the same feed, byte for byte, whatever the threads and batches do. */
#include "capture/capture_synth.h"
#include "classify/origin.h"
#include "core/pipeline.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct synth_prefix dark[] = {{.address = {198, 18}, .bits = 16, .ip_version = 4}};

/* Disorder of three windows makes late packets and further parts. */
static const struct capture_synth_settings traffic = {
    .packets = 40000,
    .sources = 1500,
    .start_ns = INT64_C(1767225600000000000),
    .span_ns = INT64_C(1200000000000),
    .seed = 7,
    .disorder_ns = INT64_C(180000000000),
    .telescope = dark,
    .telescope_count = 1,
};

/* Two days, and more packets than lie between two looks at the tables. */
static const struct capture_synth_settings much = {
    .packets = 3000000,
    .sources = 30000,
    .start_ns = INT64_C(1767218400000000000),
    .span_ns = INT64_C(14400000000000),
    .seed = 11,
    .disorder_ns = INT64_C(180000000000),
    .telescope = dark,
    .telescope_count = 1,
};

struct how {
    const struct capture_synth_settings *traffic;
    unsigned workers, batch;
    uint64_t share_at, memory_cap;
    bool has_days;
};

struct run {
    struct pipeline_result result;
    char *feed;
    size_t feed_len;
};

/* All segments of a folder as one text; the folder is removed. */
static void feed_take(const char *dir, struct run *r)
{
    struct dirent **names;
    int count = scandir(dir, &names, NULL, alphasort);
    assert_true(count >= 3);
    for (int i = 0; i < count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            FILE *f = fopen(path, "rb");
            assert_non_null(f);
            fseek(f, 0, SEEK_END);
            size_t size = (size_t)ftell(f);
            rewind(f);
            r->feed = realloc(r->feed, r->feed_len + size);
            assert_int_equal(fread(r->feed + r->feed_len, 1, size, f), size);
            r->feed_len += size;
            fclose(f);
            unlink(path);
        }
        free(names[i]);
    }
    free(names);
    rmdir(dir);
}

static struct run run(const struct ruleset *rules, const struct how *how)
{
    struct run r = {.feed_len = 0};
    char dir[] = "/tmp/pipeline.XXXXXX";
    struct fault fault;
    struct capture *c;
    struct feed_log *feed;
    struct feed_identity identity = {
        .sensor = "test",
        .telescope_id = "",
        .timezone = "UTC",
        .filter = "",
        .window_span_ns = 60000000000,
        .lateness_ns = 60000000000,
        .rules = rules,
        .survey = &survey_defaults,
        .has_sources = how->has_days,
    };
    struct day_store_settings days = {
        .day = {.rules = rules, .survey = survey_defaults},
        .telescope_id = "",
        .sensor = "test",
        .timezone = "UTC",
        .dir = "/tmp",
    };
    struct day_minutes minutes = {0};
    struct day_store *store = NULL;
    if (how->has_days) {
        assert_int_equal(
            origins_create((struct origins **)&days.origins, &(struct origin_settings){0}, &fault),
            0);
        assert_non_null(store = day_store_create(&days));
    }
    assert_non_null(mkdtemp(dir));
    assert_int_equal(capture_synth_create(&c, how->traffic, &fault), 0);
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    struct pipeline_settings settings = {
        .capture = c,
        .rules = rules,
        .feed = feed,
        .workers = how->workers,
        .batch = how->batch,
        .share_at = how->share_at,
        .memory_cap = how->memory_cap,
        .days = store,
        .minutes = &minutes,
        .window_span_ns = identity.window_span_ns,
        .lateness_ns = identity.lateness_ns,
    };
    assert_int_equal(pipeline_run(&settings, &r.result, &fault), 0);
    if (store)
        assert_int_equal(day_store_finish(store, &minutes, feed, NULL, NULL, &fault), 0);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    struct feed_check check;
    if (feed_log_verify(dir, &check, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_int_equal(check.packets, how->traffic->packets);
    c->ops->close(c);
    day_store_destroy(store);
    origins_destroy((struct origins *)days.origins);
    day_minutes_fini(&minutes);
    feed_take(dir, &r);
    return r;
}

static void run_end(struct run *r)
{
    pipeline_result_fini(&r->result);
    free(r->feed);
}

/* But for how much memory tables take. */
static void same(const struct ruleset *rules, const struct run *first, const struct how *how)
{
    struct run other = run(rules, how);
    assert_int_equal(other.feed_len, first->feed_len);
    assert_memory_equal(other.feed, first->feed, first->feed_len);
    assert_int_equal(other.result.destinations, first->result.destinations);
    other.result.sources->table_bytes = first->result.sources->table_bytes;
    assert_memory_equal(other.result.sources, first->result.sources, sizeof *first->result.sources);
    run_end(&other);
}

static void test_same_feed(void **state)
{
    (void)state;
    static const struct how cases[] = {{&traffic, 1, 1},
                                       {&traffic, 2, 256},
                                       {&traffic, 3, 17},
                                       {&traffic, 8, 256},
                                       {&traffic, 64, 255}};
    struct ruleset *rules;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    struct run first = run(rules, &(struct how){&traffic, 1, 256});
    assert_int_equal(first.result.sources->sources, traffic.sources);
    assert_true(first.result.parts > 0);
    assert_true(first.result.total->ledger.late > 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        same(rules, &first, &cases[i]);
    run_end(&first);
    ruleset_destroy(rules);
}

/* A second worker comes at the first look at the tables; or beside it, or never. */
static void test_shared(void **state)
{
    enum { CAP = 8 << 20 };
    (void)state;
    struct ruleset *rules;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        struct how how = {.traffic = &much, .workers = 1, .batch = 512, .has_days = i > 0};
        how.memory_cap = i == 2 ? CAP : 0;
        struct run first = run(rules, &how);
        assert_true((first.result.given_up.packets > 0) == (i == 2));
        how.share_at = 1;
        same(rules, &first, &how);
        how.share_at = much.sources + 1;
        same(rules, &first, &how);
        run_end(&first);
    }
    ruleset_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_feed),
                                       cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
