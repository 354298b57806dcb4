/* The cut-off of the memory cap, by tables of sources. */
#include "core/memory_cap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every number is in one step, steps ascend, and a step is at most an eighth of what it holds wide. */
static void test_steps(void **state)
{
    (void)state;
    uint64_t first = 0;
    for (unsigned step = 0; step < CAP_STEPS; step++) {
        uint64_t last = cap_step_last(step);
        assert_true(last >= first);
        assert_true(last - first <= first / 8);
        assert_int_equal(cap_step(first), step);
        assert_int_equal(cap_step(last), step);
        assert_int_equal(cap_step(first + (last - first) / 2), step);
        first = last + 1;
    }
    assert_true(first == 0); /* the last one ends with the greatest number */
}

/* `count` sources alike. */
struct alike {
    uint64_t count, packets, pairs, evidence; /* evidence: rows that rules save */
};

static void weigh(struct cap_weight *w, const struct alike *all, size_t count)
{
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < count; i++) {
        const struct alike *a = &all[i];
        struct cap_step *step = &w->at[cap_step(a->packets)];
        w->counts.sources += a->count;
        w->counts.pairs += a->count * a->pairs;
        w->counts.rows += a->count * a->evidence;
        w->whole += a->count;
        step->packets += a->count * a->packets;
        step->fresh_packets += a->count * a->packets;
        step->ports_bytes += a->count * a->pairs * CAP_PAIR_BYTES;
        step->rules_bytes += a->count * a->evidence * CAP_ROW_BYTES;
    }
}

#define ANY UINT64_MAX

static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct alike of[3];
        uint64_t cap;
        bool is_full;
        struct cap_decision want;
    } rows[] = {
        {"empty", {{0, 0, 0, 0}}, 1000, false, {0}},
        {"at the cap", {{10, 1, 0, 0}}, 10 * CAP_SOURCE_BYTES, false, {0}},
        {"one byte beyond it: half of each goes, by packets",
         {{100, 1, 10, 0}, {100, 2, 10, 0}, {100, 6, 10, 0}},
         300 * (CAP_SOURCE_BYTES + 10 * CAP_PAIR_BYTES) - 1,
         false,
         {.has_ports = true, .ports_cut = 2, .packets = 300}},
        {"the first step is enough",
         {{200, 1, 10, 0}, {50, 2, 10, 0}, {50, 6, 10, 0}},
         300 * (CAP_SOURCE_BYTES + 10 * CAP_PAIR_BYTES) - 1,
         false,
         {.has_ports = true, .ports_cut = 1, .packets = 200}},
        {"all are equal: all go, at the cut",
         {{300, 5, 10, 0}},
         300 * (CAP_SOURCE_BYTES + 10 * CAP_PAIR_BYTES) - 1,
         false,
         {.has_ports = true, .ports_cut = 5, .packets = 1500}},
        {"ties of a step go together",
         {{100, 16, 10, 0}, {100, 17, 10, 0}, {1, 1000000, 1, 0}},
         200 * (CAP_SOURCE_BYTES + 10 * CAP_PAIR_BYTES),
         false,
         {.has_ports = true, .ports_cut = 17, .packets = 3300}},
        {"nobody's packets are known: all go, at 0",
         {{300, 0, 10, 0}},
         300 * CAP_SOURCE_BYTES + 1,
         false,
         {.has_ports = true, .has_rules = true, .is_full = true, .ports_cut = 0, .rules_cut = 0}},
        {"rules follow, as far as they must",
         {{100, 1, 1, 20}, {100, 2, 1, 20}, {100, 4, 1, 20}},
         300 * (CAP_SOURCE_BYTES + CAP_PAIR_BYTES + 20 * CAP_ROW_BYTES) - 1,
         false,
         {.has_ports = true, .has_rules = true, .ports_cut = 4, .rules_cut = 1, .packets = 700}},
        {"the greater half of the packets is spared: new sources are only counted",
         {{1000, 1, 1, 0}, {10, 10000, 1000, 0}, {1, 100000, 9000, 0}},
         120000,
         false,
         {.has_ports = true,
          .has_rules = true,
          .is_full = true,
          .ports_cut = 10239,
          .rules_cut = 10239,
          .packets = 101000}},
        {"behind that nobody is",
         {{1000, 1, 1, 0}, {10, 10000, 1000, 0}, {1, 100000, 9000, 0}},
         120000,
         true,
         {.has_ports = true,
          .has_rules = true,
          .is_full = true,
          .ports_cut = ANY,
          .rules_cut = ANY,
          .packets = 201000}},
    };
    struct cap_weight *w = malloc(sizeof *w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cap_decision got;
        weigh(w, rows[i].of, 3);
        cap_decide(w, rows[i].cap, rows[i].is_full, &got);
        const struct cap_decision *want = &rows[i].want;
        if (got.has_ports != want->has_ports || got.has_rules != want->has_rules ||
            got.is_full != want->is_full || got.ports_cut != want->ports_cut ||
            got.rules_cut != want->rules_cut || got.packets != want->packets)
            fail_msg("%s: ports %d up to %lu, rules %d up to %lu, full %d, %lu packets",
                     rows[i].what, got.has_ports, got.ports_cut, got.has_rules, got.rules_cut,
                     got.is_full, got.packets);
    }
    free(w);
}

/* Who has nothing left is not asked again. */
static void test_spent(void **state)
{
    (void)state;
    struct cap_decision got;
    struct cap_weight *w = calloc(1, sizeof *w);
    w->counts.sources = 1000;
    cap_decide(w, 1000, true, &got);
    assert_true(got.is_full && !got.has_ports && !got.has_rules);
    cap_decide(w, 1000, false, &got); /* but new sources can be turned away */
    assert_true(got.is_full);
    free(w);
}

/* Shards weighed apart decide as one. */
static void test_shards(void **state)
{
    (void)state;
    static const struct alike of[2] = {{100, 1, 10, 3}, {100, 900, 10, 3}};
    struct cap_weight *w = malloc(3 * sizeof *w);
    weigh(&w[0], of, 2);
    weigh(&w[1], &of[0], 1);
    weigh(&w[2], &of[1], 1);
    cap_weight_add(&w[1], &w[2]);
    assert_memory_equal(&w[0], &w[1], sizeof *w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_spent),
        cmocka_unit_test(test_shards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
