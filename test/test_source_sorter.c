#include "export/source_sorter.h"

#include "source_day_case.h"

#include "feed_case.h"

enum { SOURCES = 2000 };

static unsigned shuffled(unsigned n) { return n * 1237 % SOURCES; }

/* Whatever the memory: in order, each once, as it was; and again with the same sorter. */
static void test_order(void **state)
{
    static const size_t memories[] = {SORTER_MEMORY, 100000, 3000, 1};
    for (size_t m = 0; m < sizeof memories / sizeof *memories; m++) {
        struct source_sorter *s = source_sorter_create(memories[m], scratch);
        struct source_day_buffer b = {0};
        struct fault fault;
        assert_non_null(s);
        assert_int_equal(source_sorter_next(s, &b, &fault), 0);
        for (unsigned turn = 0; turn < 2; turn++) {
            for (unsigned n = 0; n < SOURCES; n++) {
                char address[64];
                struct random_stream random;
                random_init(&random, shuffled(n));
                snprintf(address, sizeof address,
                         shuffled(n) < SOURCES / 2 ? "10.0.%u.%u" : "2001%024x%04x",
                         shuffled(n) / 256, shuffled(n) % 256);
                assert_int_equal(source_sorter_add(s, source_day_random(&random, address), &fault),
                                 0);
            }
            for (unsigned n = 0; n < SOURCES; n++) {
                struct random_stream random;
                assert_int_equal(source_sorter_next(s, &b, &fault), 1);
                random_init(&random, n);
                const struct source_day *was = source_day_random(&random, "10.0.0.0");
                assert_int_equal(b.day.ip_version, n < SOURCES / 2 ? 4 : 6);
                assert_int_equal(b.day.address[b.day.ip_version == 4 ? 3 : 15], n % 256);
                assert_int_equal(source_day_packets(&b.day), source_day_packets(was));
                assert_int_equal(b.day.port_count, was->port_count);
                assert_int_equal(b.day.evidence_count, was->evidence_count);
            }
            assert_int_equal(source_sorter_next(s, &b, &fault), 0);
        }
        source_sorter_destroy(s);
        source_day_buffer_free(&b);
    }
    source_sorter_destroy(NULL);
}

static void test_no_folder(void **state)
{
    struct source_sorter *s = source_sorter_create(1, "/nowhere/at/all");
    struct fault fault = {0};
    assert_int_equal(source_sorter_add(s, source_day_new("10.0.0.1"), &fault), 0);
    assert_int_equal(source_sorter_add(s, source_day_new("10.0.0.2"), &fault), -ENOENT);
    assert_non_null(strstr(fault.text, "/nowhere"));
    source_sorter_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_no_folder)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
