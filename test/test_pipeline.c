/* The same packets give the same feed, byte for byte, whatever the threads and batches do. */
#include "capture/capture_synth.h"
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

static struct run run(const struct ruleset *rules, unsigned workers, unsigned batch)
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
    };
    assert_non_null(mkdtemp(dir));
    assert_int_equal(capture_synth_create(&c, &traffic, &fault), 0);
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    struct pipeline_settings settings = {
        .capture = c,
        .rules = rules,
        .feed = feed,
        .workers = workers,
        .batch = batch,
        .window_span_ns = identity.window_span_ns,
        .lateness_ns = identity.lateness_ns,
    };
    assert_int_equal(pipeline_run(&settings, &r.result, &fault), 0);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    struct feed_check check;
    if (feed_log_verify(dir, &check, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_int_equal(check.packets, traffic.packets);
    c->ops->close(c);
    feed_take(dir, &r);
    return r;
}

static void test_same_feed(void **state)
{
    (void)state;
    static const struct {
        unsigned workers, batch;
    } cases[] = {{1, 1}, {2, 256}, {3, 17}, {8, 256}, {64, 255}};
    struct ruleset *rules;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    struct run first = run(rules, 1, 256);
    assert_int_equal(first.result.sources->sources, traffic.sources);
    assert_true(first.result.parts > 0);
    assert_true(first.result.total->ledger.late > 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run other = run(rules, cases[i].workers, cases[i].batch);
        assert_int_equal(other.feed_len, first.feed_len);
        assert_memory_equal(other.feed, first.feed, first.feed_len);
        assert_int_equal(other.result.destinations, first.result.destinations);
        other.result.sources->table_bytes = first.result.sources->table_bytes;
        assert_memory_equal(other.result.sources, first.result.sources,
                            sizeof *first.result.sources);
        pipeline_result_fini(&other.result);
        free(other.feed);
    }
    pipeline_result_fini(&first.result);
    free(first.feed);
    ruleset_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_feed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
