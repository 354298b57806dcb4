/* Runs of source days that are merged: in order, each source once, with all that runs have of it. */
#include "core/day_runs.h"
#include "export/record.h"

#include "source_day_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SOURCES = 1500, RUNS_MAX = 3, DATE = 0 };

/* The first half IPv4; neighbours lie in different shards. Some have high bits, so that an order of signed numbers would be another. */
static const char *address_of(unsigned n, char text[40])
{
    unsigned k = n * 43;
    if (n < SOURCES / 2)
        (void)snprintf(text, 40, "%u.%u.%u.7", k >> 8 & 255, k & 255, n % 3);
    else
        (void)snprintf(text, 40, "%02x%02x%012x%08x%08x", n & 1 ? 0x20 : 0xfd, k >> 8 & 255, 0,
                       n % 5 ? 0x80000000 : 1, k);
    return text;
}

static unsigned shard_of(unsigned n) { return n % SHARDS; }
static unsigned runs_of(unsigned n) { return n % 7 == 0 ? RUNS_MAX : 1; } /* that have of it */

/* What a run has of a source. */
static struct source_day *part_of(unsigned n, unsigned run)
{
    struct random_stream random;
    char address[40];
    random_init(&random, n * RUNS_MAX + run);
    struct source_day *d = source_day_random(&random, address_of(n, address));
    d->date = DATE;
    return d;
}

/* Numbers of the sources in their order. */
static unsigned order[SOURCES];
static uint8_t keys[SOURCES][17];

static int key_order(const void *a, const void *b)
{
    return memcmp(keys[*(const unsigned *)a], keys[*(const unsigned *)b], sizeof *keys);
}

static void order_make(void)
{
    for (unsigned n = 0; n < SOURCES; n++) {
        char address[40];
        const struct source_day *d = source_day_new(address_of(n, address));
        keys[n][0] = d->ip_version;
        memcpy(keys[n] + 1, d->address, sizeof d->address);
        order[n] = n;
    }
    qsort(order, SOURCES, sizeof *order, key_order);
}

static struct day_runs *runs_make(void)
{
    struct day_runs *runs = day_runs_create("/tmp");
    struct fault fault;
    assert_non_null(runs);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        for (unsigned run = 0; run < RUNS_MAX; run++) {
            struct record_buffer b = {0};
            uint32_t crc = 0;
            for (unsigned i = 0; i < SOURCES; i++)
                if (shard_of(order[i]) == shard && run < runs_of(order[i]))
                    assert_int_equal(record_pack_source_day(&b, 1, &crc, part_of(order[i], run)),
                                     0);
            assert_int_equal(day_runs_add(runs, DATE, shard, b.data, b.len, &fault), 0);
        }
    return runs;
}

static void packed(struct record_buffer *b, const struct source_day *d)
{
    uint32_t crc = 0;
    b->len = 0;
    assert_int_equal(record_pack_source_day(b, 1, &crc, d), 0);
}

/* Holds what the merge gives to the sources of a shard (SHARDS: of all). */
static void merge_check(struct day_runs *runs, unsigned shard)
{
    struct record_buffer expected = {0}, found = {0}, again = {0};
    struct source_day_buffer whole = {0};
    struct day_merged of = {0};
    struct day_merge *m;
    struct fault fault;
    assert_int_equal(day_merge_begin(&m, runs, DATE, shard, &fault), 0);
    for (unsigned i = 0; i < SOURCES; i++) {
        unsigned n = order[i];
        uint32_t crc = 0;
        if (shard != SHARDS && shard_of(n) != shard)
            continue;
        assert_true(day_merge_next(m, &of));
        assert_int_equal(source_day_copy(&whole, part_of(n, 0)), 0);
        for (unsigned run = 1; run < runs_of(n); run++)
            assert_int_equal(source_day_merge(&whole, part_of(n, run)), 0);
        packed(&expected, &whole.day);
        packed(&found, &of.whole.day);
        assert_int_equal(found.len, expected.len);
        assert_memory_equal(found.data, expected.data, expected.len);
        assert_int_equal(of.body != NULL, runs_of(n) == 1);
        if (of.body == NULL)
            continue;
        again.len = 0;
        assert_int_equal(record_pack_source_day_again(&again, 1, &crc, of.body, of.body_len), 0);
        assert_int_equal(again.len, expected.len);
        assert_memory_equal(again.data, expected.data, expected.len);
    }
    assert_false(day_merge_next(m, &of));
    day_merge_end(m);
    source_day_buffer_free(&of.whole);
    source_day_buffer_free(&whole);
    record_buffer_free(&expected);
    record_buffer_free(&found);
    record_buffer_free(&again);
}

static void test_merge(void **state)
{
    order_make();
    struct day_runs *runs = runs_make();
    merge_check(runs, SHARDS);
    merge_check(runs, 0);
    merge_check(runs, SHARDS - 1);
    merge_check(runs, SHARDS); /* a date can be read again */
    assert_true(day_runs_has(runs, DATE, 3));
    assert_false(day_runs_has(runs, DATE + 1, 3));
    day_runs_destroy(runs);
    day_runs_destroy(NULL);
}

static void test_none(void **state)
{
    struct day_runs *runs = day_runs_create("/tmp");
    struct day_merged of = {0};
    struct day_merge *m;
    struct fault fault;
    assert_int_equal(day_merge_begin(&m, runs, DATE, SHARDS, &fault), 0);
    assert_false(day_merge_next(m, &of));
    day_merge_end(m);
    day_merge_end(NULL);
    day_runs_destroy(runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
