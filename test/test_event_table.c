/* What a shard keeps of events: distinct destinations, rates, ports, entries that come and go, the wheel. */
#include "core/event_table.h"

#include "capture/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t SECOND = 1000000000;

struct shard {
    struct hash_key key;
    struct pool pool;
    struct event_table table;
};

static int shard_make(void **state)
{
    struct shard *s = calloc(1, sizeof *s);
    assert_non_null(s);
    hash_key_init(&s->key);
    assert_int_equal(event_table_init(&s->table, &s->key, &s->pool), 0);
    for (unsigned what = 0; what < WHATS; what++)
        s->table.idle_ns[what] = 300 * SECOND;
    *state = s;
    return 0;
}

static int shard_drop(void **state)
{
    struct shard *s = *state;
    event_table_fini(&s->table);
    pool_fini(&s->pool);
    free(s);
    return 0;
}

/* Exact up to DISTINCT_MOST, then within 5 standard errors; whatever the order, however often. */
static void counts_distinct(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 8, 9, 500, 512, 513, 2000, 65536, 1000000};
    struct pool pool = {0};
    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        struct distinct d = {0}, other = {0};
        uint32_t count = counts[c];
        for (uint32_t i = 0; i < 2 * count; i++) {
            uint32_t mixed = distinct_mix(0x0a000000 + i % count);
            uint32_t last = distinct_mix(0x0a000000 + count - 1 - i % count);
            if ((mixed & distinct_mask(&d)) == 0)
                distinct_add(&d, &pool, mixed);
            if ((last & distinct_mask(&other)) == 0)
                distinct_add(&other, &pool, last);
        }
        double found = (double)distinct_count(&d);
        assert_int_equal(distinct_count(&other), distinct_count(&d));
        assert_int_equal(distinct_is_exact(&d), count <= DISTINCT_MOST);
        if (count <= DISTINCT_MOST)
            assert_int_equal(distinct_count(&d), count);
        else
            assert_true(found > 0.7 * count && found < 1.3 * count);
        distinct_fini(&d, &pool);
        distinct_fini(&other, &pool);
    }
    pool_fini(&pool);
}

static const struct {
    const char *name;
    int count;
    double seconds[80]; /* of packets; the last one given is repeated every `step` up to count */
    double step;
    uint64_t most;
} rates[] = {
    {"one packet", 1, {5}, 0, 1},
    {"a minute, from its begin", 60, {0}, 1, 60},
    {"across a multiple of 10", 60, {9}, 1, 59},
    {"two bursts 60 s apart", 4, {9.9, 9.95, 60, 69.9}, 0, 2},
    {"two bursts in one span", 4, {10, 10.5, 60, 69.9}, 0, 4},
    {"far apart", 3, {0, 400, 4000}, 0, 1},
    {"late ones count where they belong", 5, {65, 70, 20, 25, 69}, 0, 5},
    {"too late to be told", 3, {1000, 1, 2}, 0, 1},
    {"before 1970", 3, {-65, -61, -9}, 0, 2},
};

static void rates_of_floods(void **state)
{
    struct shard *s = *state;
    for (size_t c = 0; c < sizeof rates / sizeof *rates; c++) {
        struct event_entry *en = event_add(&s->table, c + 1, event_hash(&s->key, c + 1), NULL);
        struct event_detail *d = event_detail_make(&s->table, en, event_hash(&s->key, c + 1));
        for (int i = 0; i < rates[c].count; i++) {
            double at =
                rates[c].step > 0 ? rates[c].seconds[0] + i * rates[c].step : rates[c].seconds[i];
            event_flood_add(&s->table, d, (int64_t)(at * 1e9), 6 << 16 | (uint32_t)(i % 7), true);
        }
        if (d->flood->rate_max != rates[c].most)
            fail_msg("%s: %u, expected %u", rates[c].name, (unsigned)d->flood->rate_max,
                     (unsigned)rates[c].most);
        assert_int_equal(d->flood->port_count, rates[c].count < 7 ? rates[c].count : 7);
    }
}

/* Many entries, of which those that are idle go when room is needed, and no other. */
static void entries_come_and_go(void **state)
{
    enum { COUNT = 100000, KEPT = 1000 };
    struct shard *s = *state;
    struct event_table *t = &s->table;
    for (uint32_t i = 1; i <= COUNT; i++) {
        uint64_t key = event_key(i, 23, WHAT_SYN, false), hash = event_hash(&s->key, key);
        assert_null(event_find(t, key, hash, NULL));
        struct event_entry *en = event_add(t, key, hash, NULL);
        en->first_ns = en->last_ns = i <= KEPT ? 5000 * SECOND : i * SECOND / 100;
        if (i % 10 == 0)
            (void)event_detail_make(t, en, hash);
        t->now_ns = i * SECOND / 100;
        if (i % 100 == 0)
            event_table_tidy(t);
    }
    assert_true(t->room < 4 * COUNT / 2); /* 300 s are 30,000 entries */
    for (uint32_t i = 1; i <= COUNT; i++) {
        uint64_t key = event_key(i, 23, WHAT_SYN, false);
        const struct event_entry *en = event_find(t, key, event_hash(&s->key, key), NULL);
        if (i <= KEPT || i > COUNT - 30000)
            assert_non_null(en);
        if (en && en->detail)
            assert_ptr_equal(event_entry_of(t, event_detail_at(t, en->detail)), en);
    }
}

/* What is given up is free: small tables, few blocks; what stays is found. */
static bool is_small(void *context, struct event_entry *en)
{
    (void)context;
    return en->packets == 1;
}

static void what_is_given_up_is_free(void **state)
{
    enum { COUNT = 200000, EVERY = 1000 };
    struct shard *s = *state;
    struct event_table *t = &s->table;
    for (uint32_t i = 1; i <= COUNT; i++) {
        uint64_t key = event_key(i, 23, WHAT_SYN, false), hash = event_hash(&s->key, key);
        struct event_entry *en = event_add(t, key, hash, NULL);
        en->packets = i % EVERY == 0 ? 100 : 1;
        if (i <= COUNT / 4 || i % EVERY == 0) {
            struct event_detail *d = event_detail_make(t, en, hash);
            if (i <= 10) /* they are on the wheel: whoever looks frees them */
                event_due_at(t, d, en->detail, SECOND);
        }
    }
    uint32_t details = t->detail_count;
    event_table_sift(t, is_small, NULL);
    assert_int_equal(t->count, COUNT / EVERY);
    assert_true(t->room <= 2 * 1024);
    assert_true(t->detail_count <= details);
    for (uint32_t i = EVERY; i <= COUNT; i += EVERY) {
        uint64_t key = event_key(i, 23, WHAT_SYN, false);
        const struct event_entry *en = event_find(t, key, event_hash(&s->key, key), NULL);
        assert_non_null(en);
        assert_ptr_equal(event_entry_of(t, event_detail_at(t, en->detail)), en);
    }
    for (uint32_t number = event_due_take(t, 2 * SECOND), next; number != 0; number = next) {
        next = event_detail_at(t, number)->next;
        event_detail_at(t, number)->is_listed = false;
        event_detail_free(t, number);
    }
    for (uint32_t i = EVERY; i <= COUNT; i += EVERY) {
        uint64_t key = event_key(i, 23, WHAT_SYN, false);
        event_find(t, key, event_hash(&s->key, key), NULL)->packets = 1;
    }
    event_table_sift(t, is_small, NULL);
    assert_int_equal(t->count + t->detail_count + t->detail_bytes, 0);
    uint64_t key = event_key(9, 23, WHAT_SYN, false), hash = event_hash(&s->key, key);
    assert_int_equal(event_detail_make(t, event_add(t, key, hash, NULL), hash)->key, key);
}

static void addresses6_are_told_apart(void **state)
{
    struct shard *s = *state;
    const uint8_t a[16] = {0x20, 1, 13, 0xb8, 1}, b[16] = {0x20, 1, 13, 0xb8, 2};
    uint64_t key = event_key(7, 23, WHAT_SYN, true), hash = event_hash(&s->key, key);
    (void)event_add(&s->table, key, hash, a);
    (void)event_add(&s->table, key, hash, b);
    const struct event_entry *x = event_find(&s->table, key, hash, a);
    const struct event_entry *y = event_find(&s->table, key, hash, b);
    assert_non_null(x);
    assert_non_null(y);
    assert_ptr_not_equal(x, y);
}

/* Each is taken with the first look at or behind its time, however far ahead it was. */
static void wheel_turns(void **state)
{
    enum { COUNT = 3000 };
    struct shard *s = *state;
    struct event_table *t = &s->table;
    struct random_stream random;
    int64_t checks[COUNT + 1] = {0};
    random_init(&random, 1);
    for (uint32_t i = 1; i <= COUNT; i++) {
        struct event_entry *en = event_add(t, i, event_hash(&s->key, i), NULL);
        struct event_detail *d = event_detail_make(t, en, event_hash(&s->key, i));
        checks[i] = (int64_t)(random.s[i % 4] % 40000) * SECOND + i;
        random_init(&random, i);
        event_due_at(t, d, en->detail, checks[i]);
    }
    int64_t before = INT64_MIN;
    uint32_t taken = 0;
    for (int64_t now = -100 * SECOND; now < 50000 * SECOND; now += 61 * SECOND) {
        for (uint32_t number = event_due_take(t, now), next; number != 0; number = next) {
            struct event_detail *d = event_detail_at(t, number);
            next = d->next;
            d->is_listed = false;
            taken++;
            assert_true(checks[d->key] <= now && checks[d->key] > before);
        }
        before = now;
    }
    assert_int_equal(taken, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_distinct),
        cmocka_unit_test_setup_teardown(rates_of_floods, shard_make, shard_drop),
        cmocka_unit_test_setup_teardown(entries_come_and_go, shard_make, shard_drop),
        cmocka_unit_test_setup_teardown(what_is_given_up_is_free, shard_make, shard_drop),
        cmocka_unit_test_setup_teardown(addresses6_are_told_apart, shard_make, shard_drop),
        cmocka_unit_test_setup_teardown(wheel_turns, shard_make, shard_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
