#include "export/window.h"

#include "sample_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTES = 60 };
static const int64_t minute_ns = INT64_C(60000000000);

static struct ruleset *rules;

/* Everything but the order of the port lists. */
static void assert_equal(struct window *a, struct window *b)
{
    assert_int_equal(a->start_ns, b->start_ns);
    assert_int_equal(a->span_ns, b->span_ns);
    assert_int_equal(a->part, b->part);
    assert_memory_equal(&a->ledger, &b->ledger, sizeof a->ledger);
    assert_memory_equal(&a->totals, &b->totals, sizeof a->totals);
    assert_memory_equal(a->kinds, b->kinds, sizeof a->kinds);
    assert_memory_equal(a->mark_packets, b->mark_packets, sizeof a->mark_packets);
    assert_memory_equal(a->mark_sources, b->mark_sources, sizeof a->mark_sources);
    assert_memory_equal(&a->basis, &b->basis, sizeof a->basis);
    assert_memory_equal(a->mark_packets_out, b->mark_packets_out, sizeof a->mark_packets_out);
    assert_memory_equal(a->mark_sources_out, b->mark_sources_out, sizeof a->mark_sources_out);
    assert_memory_equal(a->rules, b->rules, sizeof a->rules);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
        assert_int_equal(a->port_used[proto], b->port_used[proto]);
        for (uint32_t i = 0; i < a->port_used[proto]; i++) {
            const struct port_count *row = &a->ports[proto][i];
            const struct port_count *other = window_port_find(b, proto, row->port);
            assert_non_null(other);
            assert_memory_equal(row, other, sizeof *row);
        }
    }
    assert_memory_equal(a->hll, b->hll, sizeof a->hll);
}

/* Windows of one minute each with other packets, some without any. */
static void spans_make(struct window *at[], unsigned count, uint64_t seed)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t start_ns = (int64_t)(sample_random(&seed) % MINUTES) * minute_ns - 30 * minute_ns;
        unsigned packets = i % 4 == 3 ? 0 : (unsigned)(sample_random(&seed) % 400);
        at[i] = sample_window(rules, start_ns, i % 3, packets, sample_random(&seed));
    }
}

static void shards_make(struct window *at[], unsigned count, uint64_t seed)
{
    for (unsigned i = 0; i < count; i++) {
        at[i] = sample_window(rules, 7 * minute_ns, 1, 0, 0);
        sample_fill(at[i], rules, sample_random(&seed), 300, i * 64, 64);
    }
}

static void assert_law(enum window_merge how, void (*make)(struct window *[], unsigned, uint64_t),
                       uint64_t seed)
{
    struct window *at[3], *left = window_create(), *right = window_create(),
                          *other = window_create();
    make(at, 3, seed);

    /* (a + b) + c */
    window_merge(left, at[0], how);
    window_merge(left, at[1], how);
    window_merge(left, at[2], how);
    /* a + (b + c), begun from b + c */
    window_merge(right, at[1], how);
    window_merge(right, at[2], how);
    window_merge(at[0], right, how);
    assert_equal(left, at[0]);
    /* c + b, against b + c */
    window_merge(other, at[2], how);
    window_merge(other, at[1], how);
    assert_equal(other, right);

    for (unsigned i = 0; i < 3; i++)
        window_destroy(at[i]);
    window_destroy(left);
    window_destroy(right);
    window_destroy(other);
}

static void test_merge_obeys_law(void **state)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        assert_law(WINDOW_SPANS, spans_make, seed);
        assert_law(WINDOW_SHARDS, shards_make, seed);
    }
}

/* Shards of disjoint sources give what one tally over all of them gives. */
static void test_shards_are_exact(void **state)
{
    struct window *at[4], *whole = sample_window(rules, 7 * minute_ns, 1, 0, 0);
    struct sample_seen *seen = calloc(1, sizeof *seen);
    uint64_t seed = 99;
    for (unsigned shard = 0; shard < 4; shard++) {
        uint64_t begin = sample_random(&seed), again = begin;
        struct sample_seen *own = calloc(1, sizeof *own);
        at[shard] = sample_window(rules, 7 * minute_ns, 1, 0, 0);
        for (unsigned i = 0; i < 500; i++) {
            sample_packet(at[shard], own, rules, &begin, shard * 64 + i % 64);
            sample_packet(whole, seen, rules, &again, shard * 64 + i % 64);
        }
        free(own);
    }
    for (unsigned shard = 1; shard < 4; shard++)
        window_merge(at[0], at[shard], WINDOW_SHARDS);
    assert_equal(at[0], whole);
    for (unsigned shard = 0; shard < 4; shard++)
        window_destroy(at[shard]);
    window_destroy(whole);
    free(seen);
}

static void test_source_bounds(void **state)
{
    static const struct {
        enum window_merge how;
        struct source_count a, b, sum;
    } cases[] = {
        {WINDOW_SHARDS, {3, 3}, {4, 4}, {7, 7}}, {WINDOW_SPANS, {3, 3}, {4, 4}, {4, 7}},
        {WINDOW_SPANS, {4, 7}, {5, 5}, {5, 12}}, {WINDOW_SPANS, {0, 0}, {2, 2}, {2, 2}},
        {WINDOW_SHARDS, {4, 7}, {1, 2}, {5, 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *a = window_create(), *b = window_create();
        struct port_count *row = window_port(a, PORT_PROTO_TCP, 23);
        row->packets = 20;
        row->sources = a->mark_sources[MARK_scan] = cases[i].a;
        row = window_port(b, PORT_PROTO_TCP, 23);
        row->packets = 20;
        row->sources = b->mark_sources[MARK_scan] = cases[i].b;
        window_merge(a, b, cases[i].how);
        row = window_port(a, PORT_PROTO_TCP, 23);
        assert_int_equal(row->packets, 40);
        assert_int_equal(row->sources.low, cases[i].sum.low);
        assert_int_equal(row->sources.high, cases[i].sum.high);
        assert_memory_equal(&row->sources, &a->mark_sources[MARK_scan], sizeof row->sources);
        window_destroy(a);
        window_destroy(b);
    }
}

static void test_basis(void **state)
{
#define COUNTED .has_ex = true
    static const struct {
        struct window_basis a, b, sum;
        bool has_ex;
    } cases[] = {
        {{0}, {0}, {0}, false},
        {{0}, {COUNTED, .lacks_survey = true}, {COUNTED, .lacks_survey = true}, true},
        {{COUNTED, .has_survey = true, .first = 5, .last = 5},
         {COUNTED, .has_survey = true, .first = -2, .last = 4},
         {COUNTED, .has_survey = true, .first = -2, .last = 5},
         true},
        {{COUNTED, .has_survey = true, .first = 5, .last = 6},
         {COUNTED, .lacks_survey = true},
         {COUNTED, .has_survey = true, .lacks_survey = true, .first = 5, .last = 6},
         true},
        {{COUNTED, .lacks_survey = true},
         {.lacks_ex = true},
         {COUNTED, .lacks_ex = true, .lacks_survey = true},
         false},
    };
#undef COUNTED
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned turned = 0; turned < 2; turned++) {
            struct window *a = window_create(), *b = window_create();
            a->basis = turned ? cases[i].b : cases[i].a;
            b->basis = turned ? cases[i].a : cases[i].b;
            window_merge(a, b, WINDOW_SPANS);
            assert_memory_equal(&a->basis, &cases[i].sum, sizeof a->basis);
            assert_int_equal(window_has_ex(a), cases[i].has_ex);
            window_clear(a);
            assert_int_equal(window_has_ex(a), false);
            window_destroy(a);
            window_destroy(b);
        }
}

static void test_time_at_the_ends(void **state)
{
    static const struct {
        int64_t a_start, a_span, b_start, b_span, start, span;
    } cases[] = {
        {0, 0, 5, 10, 5, 10},
        {5, 10, 0, 0, 5, 10},
        {-20, 10, 0, 10, -20, 30},
        {INT64_MAX - 3, 60, 0, 60, 0, INT64_MAX},
        {INT64_MIN, 60, INT64_MAX - 3, 60, INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *a = window_create(), *b = window_create();
        a->start_ns = cases[i].a_start;
        a->span_ns = cases[i].a_span;
        b->start_ns = cases[i].b_start;
        b->span_ns = cases[i].b_span;
        window_merge(a, b, WINDOW_SPANS);
        assert_int_equal(a->start_ns, cases[i].start);
        assert_int_equal(a->span_ns, cases[i].span);
        window_destroy(a);
        window_destroy(b);
    }
}

static void test_clear_leaves_nothing(void **state)
{
    struct window *w = sample_window(rules, 123 * minute_ns, 3, 2000, 5), *fresh = window_create();
    assert_true(w->port_used[PORT_PROTO_TCP] > 100);
    window_clear(w);
    for (unsigned port = 0; port < 65536; port++)
        assert_null(window_port_find(w, PORT_PROTO_TCP, (uint16_t)port));
    memset(w->ports, 0, sizeof w->ports);
    memset(w->port_row, 0, sizeof w->port_row);
    assert_int_equal(memcmp(w, fresh, sizeof *w), 0);
    window_destroy(w);
    window_destroy(fresh);
    window_destroy(NULL);
}

static void test_ports(void **state)
{
    struct window *w = window_create();
    static const uint16_t ports[] = {65535, 0, 23, 64, 63, 8080};
    uint64_t bits[WINDOW_PORT_WORDS];
    assert_int_equal((uintptr_t)&w->ports % 64, 0);
    assert_null(window_port_find(w, PORT_PROTO_UDP, 0)); /* not the row that an empty index names */
    for (unsigned round = 1; round <= 2; round++)
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(++window_port(w, PORT_PROTO_UDP, ports[i])->packets, round);
    assert_int_equal(w->port_used[PORT_PROTO_TCP], 0);
    assert_int_equal(w->port_used[PORT_PROTO_UDP], 6);
    assert_null(window_port_find(w, PORT_PROTO_UDP, 24));
    window_port_bits(w, PORT_PROTO_UDP, bits);
    assert_int_equal(bits[0], UINT64_C(1) | UINT64_C(1) << 23 | UINT64_C(1) << 63);
    assert_int_equal(bits[1], 1);
    assert_int_equal(bits[1023], UINT64_C(1) << 63);
    window_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge_obeys_law),
        cmocka_unit_test(test_shards_are_exact),
        cmocka_unit_test(test_source_bounds),
        cmocka_unit_test(test_basis),
        cmocka_unit_test(test_time_at_the_ends),
        cmocka_unit_test(test_clear_leaves_nothing),
        cmocka_unit_test(test_ports),
    };
    rules = sample_ruleset();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(rules);
    return failed;
}
