/* What each prefix of a telescope gets, by its number. */
#include "core/telescope_watch.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 20454 }; /* 2026-01-01 */

static const int64_t NOON = (INT64_C(20454) * 86400 + 43200) * 1000000000;
static const int64_t ONE_DAY = INT64_C(86400) * 1000000000;

static struct telescope_dates *telescope_make(void)
{
    static const char text[] = "- {prefix: 192.0.2.0/24, except: 192.0.2.0/26}\n"
                               "- {prefix: 198.51.100.0/25, from: 2026-01-02}\n"
                               "- \"2001:db8::/48\"\n";
    struct telescope_dates *t;
    assert_int_equal(telescope_dates_create_from(&t, "t", text, sizeof text - 1, NULL), 0);
    return t;
}

static void take(struct telescope_watch *w, const char *address, int64_t ts_ns)
{
    uint8_t bytes[16] = {0};
    unsigned version = strchr(address, ':') ? 6 : 4;
    inet_pton(version == 6 ? AF_INET6 : AF_INET, address, bytes);
    telescope_watch_take(w, bytes, version, ts_ns);
}

static void expect(struct telescope_watch *const *w, size_t count, uint32_t number, int32_t date,
                   const struct telescope_watch_row *row)
{
    struct telescope_watch_row is;
    telescope_watch_read(w, count, number, date, &is);
    assert_int_equal(is.packets, row->packets);
    assert_int_equal(is.last_ns, row->last_ns);
    assert_int_equal(is.hit, row->hit);
    assert_int_equal(is.hits, row->hits);
    assert_int_equal(is.addresses, row->addresses);
    assert_int_equal(is.is_dark, row->is_dark);
}

static void test_days(void **state)
{
    (void)state;
    struct telescope_dates *t = telescope_make();
    struct telescope_watch *w[2];
    for (unsigned i = 0; i < 2; i++) {
        w[i] = telescope_watch_create(t, TELESCOPE_WATCH_BYTES);
        assert_non_null(w[i]);
        telescope_watch_turn(w[i], DAY);
    }
    take(w[0], "192.0.2.64", NOON);
    take(w[0], "192.0.2.64", NOON + 5);
    take(w[1], "192.0.2.64", NOON + 9);
    take(w[1], "192.0.2.255", NOON + 7); /* earlier than the last */
    take(w[0], "192.0.2.63", NOON);      /* excepted */
    take(w[0], "198.51.100.1", NOON);    /* not yet dark */
    take(w[1], "2001:db8::1", NOON);
    take(w[0], "2001:db8::1", NOON);
    take(w[0], "2001:db8:0:9::", NOON);
    expect(w, 2, 0, DAY, &(struct telescope_watch_row){4, NOON + 9, 2, HITS_EXACT, 192, true});
    expect(w, 2, 1, DAY, &(struct telescope_watch_row){0, INT64_MIN, 0, HITS_EXACT, 0, false});
    expect(w, 2, 1, DAY + 1, &(struct telescope_watch_row){0, INT64_MIN, 0, HITS_EXACT, 128, true});
    expect(w, 2, 2, DAY, &(struct telescope_watch_row){3, NOON, 2, HITS_ABOUT, 0, true});
    assert_int_equal(telescope_watch_silent(w, 2, DAY, NOON + 1), 1);
    assert_int_equal(telescope_watch_silent(w, 2, DAY + 1, NOON), 1);

    /* The next day: packets go on, addresses begin anew. */
    for (unsigned i = 0; i < 2; i++) {
        telescope_watch_turn(w[i], DAY + 1);
        telescope_watch_turn(w[i], DAY + 1);
    }
    take(w[0], "192.0.2.99", NOON + ONE_DAY);
    take(w[0], "198.51.100.127", NOON + ONE_DAY);
    expect(w, 2, 0, DAY + 1,
           &(struct telescope_watch_row){5, NOON + ONE_DAY, 1, HITS_EXACT, 192, true});
    expect(w, 2, 1, DAY + 1,
           &(struct telescope_watch_row){1, NOON + ONE_DAY, 1, HITS_EXACT, 128, true});
    expect(w, 2, 2, DAY + 1, &(struct telescope_watch_row){3, NOON, 0, HITS_ABOUT, 0, true});

    /* Nobody cleaned the first one's: two days' addresses are mixed, and not said. */
    telescope_watch_clean(w[1]);
    telescope_watch_turn(w[0], DAY + 2);
    telescope_watch_turn(w[1], DAY + 2);
    take(w[0], "192.0.2.100", NOON + 2 * ONE_DAY);
    expect(w, 2, 0, DAY + 2,
           &(struct telescope_watch_row){6, NOON + 2 * ONE_DAY, 0, HITS_UNKNOWN, 192, true});
    for (unsigned i = 0; i < 2; i++) {
        telescope_watch_clean(w[i]);
        telescope_watch_turn(w[i], DAY + 3);
    }
    expect(w, 2, 0, DAY + 3,
           &(struct telescope_watch_row){6, NOON + 2 * ONE_DAY, 0, HITS_EXACT, 192, true});
    for (unsigned i = 0; i < 2; i++)
        telescope_watch_destroy(w[i]);
    telescope_dates_destroy(t);
}

/* Under a cap the last prefixes say that they don't know. */
static void test_cap(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        enum telescope_hits hits[3];
    } cases[] = {
        {0, {HITS_UNKNOWN, HITS_UNKNOWN, HITS_UNKNOWN}},
        {127, {HITS_UNKNOWN, HITS_UNKNOWN, HITS_UNKNOWN}},
        {128, {HITS_EXACT, HITS_UNKNOWN, HITS_UNKNOWN}},
        {256 + 32767, {HITS_EXACT, HITS_EXACT, HITS_UNKNOWN}},
        {256 + 32768, {HITS_EXACT, HITS_EXACT, HITS_ABOUT}},
    };
    struct telescope_dates *t = telescope_make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct telescope_watch *w = telescope_watch_create(t, cases[i].bytes);
        assert_non_null(w);
        take(w, "192.0.2.64", NOON);
        take(w, "2001:db8::1", NOON);
        for (uint32_t number = 0; number < 3; number++) {
            struct telescope_watch_row row;
            telescope_watch_read(&w, 1, number, DAY, &row);
            assert_int_equal(row.hits, cases[i].hits[number]);
            assert_int_equal(row.packets, number != 1);
        }
        telescope_watch_destroy(w);
    }
    telescope_dates_destroy(t);
}

/* Every address of prefixes that are no power of 64, and the whole of IPv4 without a bitmap. */
static void test_edges(void **state)
{
    (void)state;
    struct telescope_dates *t;
    struct telescope_watch_row row;
    assert_int_equal(telescope_dates_create(&t, "192.0.2.5/32,198.51.100.0/23,0.0.0.0/0", NULL), 0);
    struct telescope_watch *w = telescope_watch_create(t, TELESCOPE_WATCH_BYTES);
    for (unsigned i = 0; i < 512; i++) {
        uint8_t address[16] = {198, 51, (uint8_t)(100 + i / 256), (uint8_t)i};
        telescope_watch_take(w, address, 4, NOON);
    }
    take(w, "192.0.2.5", NOON);
    take(w, "255.255.255.255", NOON);
    static const uint64_t hit[] = {1, 512, 0}, packets[] = {1, 512, 1};
    for (uint32_t number = 0; number < 3; number++) {
        telescope_watch_read(&w, 1, number, DAY, &row);
        assert_int_equal(row.hit, hit[number]);
        assert_int_equal(row.packets, packets[number]);
        assert_int_equal(row.hits, number < 2 ? HITS_EXACT : HITS_UNKNOWN);
    }
    assert_int_equal(row.addresses, (UINT64_C(1) << 32) - 513);
    telescope_watch_destroy(w);
    telescope_dates_destroy(t);
}

enum { THREAD_DAYS = 8, THREAD_PACKETS = 20000 };

static void *receive(void *arg)
{
    struct telescope_watch *w = arg;
    for (int32_t day = 0; day < THREAD_DAYS; day++) {
        telescope_watch_turn(w, DAY + 1 + day);
        for (unsigned i = 0; i < THREAD_PACKETS; i++) {
            uint8_t address[16] = {192, 0, 2, (uint8_t)(64 + i % 192)};
            telescope_watch_take(w, address, 4, NOON + ONE_DAY * (1 + day) + i);
            uint8_t address6[16] = {0x20, 1, 0x0d, 0xb8, [15] = (uint8_t)i};
            telescope_watch_take(w, address6, 6, NOON + ONE_DAY * (1 + day) + i);
        }
    }
    return NULL;
}

/* A receiver counts and turns while somebody reads and cleans. */
static void test_threads(void **state)
{
    (void)state;
    struct telescope_dates *t = telescope_make();
    struct telescope_watch *w = telescope_watch_create(t, TELESCOPE_WATCH_BYTES);
    struct telescope_watch_row row;
    pthread_t thread;
    uint64_t before = 0;
    assert_int_equal(pthread_create(&thread, NULL, receive, w), 0);
    do {
        telescope_watch_clean(w);
        telescope_watch_read(&w, 1, 0, DAY + 1, &row);
        assert_true(row.packets >= before && row.hit <= 192);
        before = row.packets;
        telescope_watch_read(&w, 1, 2, DAY + 1, &row);
    } while (before < THREAD_DAYS * THREAD_PACKETS);
    pthread_join(thread, NULL);
    telescope_watch_read(&w, 1, 0, DAY + 1, &row);
    assert_int_equal(row.packets, THREAD_DAYS * THREAD_PACKETS);
    assert_true(row.hits == HITS_UNKNOWN || row.hit == 192);
    telescope_watch_destroy(w);
    telescope_dates_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_days), cmocka_unit_test(test_cap),
                                       cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
