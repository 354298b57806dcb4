/* Sums of hours, as far as 64 bits of nanoseconds reach. */
#include "export/feed_sums.h"

#include "feed_case.h"

static const int64_t hour_ns = INT64_C(3600000000000);

/* Windows of an hour that is cut by the begin of time, one before 1970, one after it, the last one. */
static void hours_of_all_times(void **state)
{
    static const int64_t starts[] = {
        INT64_MIN,
        INT64_MIN + INT64_C(60000000000),
        -INT64_C(60000000000),
        INT64_C(60000000000),
        INT64_MAX / INT64_C(60000000000) * INT64_C(60000000000),
    };
    enum { COUNT = sizeof starts / sizeof *starts, HOURS = 4 };
    char dir[PATH_LEN];
    struct feed_log *log;
    struct fault fault;
    uint64_t packets = 0, found = 0;
    unsigned at = 0, hours = 0;
    assert_int_equal(feed_log_create(&log, folder_name(dir), &identity, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    struct feed_sums *sums = feed_sums_create(dir);
    for (unsigned i = 0; i < COUNT; i++) {
        struct window *w = sample_window(rules, starts[i], 0, 100, i + 1);
        if (feed_sums_add(sums, w, i + 2, i == 0 ? INT64_MIN : starts[i - 1], &fault) < 0)
            fail_msg("window %u: %s", i, fault.text);
        for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
            for (uint32_t row = 0; row < w->port_used[proto]; row++)
                packets += w->ports[proto][row].scan;
        window_destroy(w);
    }
    bool has_hour[COUNT] = {false};
    for (const struct hour_sum *h; (h = feed_sums_hour(sums, &at)) != NULL; hours++) {
        assert_true(h->start_ns == INT64_MIN || h->start_ns % hour_ns == 0);
        for (unsigned i = 0; i < COUNT; i++)
            has_hour[i] |= starts[i] >= h->start_ns &&
                           (uint64_t)starts[i] - (uint64_t)h->start_ns < (uint64_t)hour_ns;
        for (unsigned i = 0; i < PORT_PROTO_COUNT * 65536; i++)
            found += (&h->scan[0][0])[i];
    }
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(has_hour[i]);
    assert_int_equal(hours, HOURS);
    assert_int_equal(found, packets);
    assert_true(packets > 0);
    feed_sums_destroy(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hours_of_all_times)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
