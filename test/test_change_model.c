#include "export/change_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_log_and_exp(void **state)
{
    static const double cases[] = {1,     2,
                                   0.5,   1e-4,
                                   0.01,  1.4142135623730951,
                                   3,     10,
                                   1e10,  1e60,
                                   1e-60, 0.9999999999999999,
                                   1.01,  0.99,
                                   64.0,  0.7071067811865476};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double expected = log(cases[i]);
        assert_true(fabs(change_log(cases[i]) - expected) <= 1e-15 * fmax(fabs(expected), 1));
        assert_true(fabs(change_exp(expected) - cases[i]) <= 1e-13 * cases[i]);
    }
    assert_true(change_log(1) == 0);
    assert_true(change_exp(0) == 1);
    assert_true(change_exp(1e40) == change_exp(700));
    assert_true(change_exp(-1e40) == change_exp(-700));
    for (double x = 0.001; x < 1e6; x *= 1.01)
        assert_true(fabs(change_log(x) - log(x)) <= 1e-15 * fmax(fabs(log(x)), 1));
}

/* The first values by hand: the rate is 1/n, so means are plain averages. */
static void test_first_values(void **state)
{
    struct change_model m = {0};
    struct change_pace pace = {0};
    struct change_verdict v;
    change_model_learn(&m, &pace, 1, 4, &v);
    assert_true(m.stage[0].mean == 4 && m.stage[0].var == 0 && v.expected == 4);
    assert_true(!v.has_score && v.deviation == 1);
    /* The loss of a value that is as expected, under the floor. */
    assert_true(fabs(m.first[0] - 0.5 * log(2 * M_PI)) < 1e-15);
    change_pace_move(&pace);
    change_model_learn(&m, &pace, 1, 8, &v);
    /* mean 6, d = 2, -2, -2: c0 = 2, c1 = c2 = -2, and rho = -1 leaves no more than itself. */
    assert_true(m.stage[0].mean == 6 && m.stage[0].cov[0] == 2 && m.stage[0].cov[1] == -2);
    assert_true(v.expected == 8 && m.stage[0].var == 0);
    change_pace_move(&pace);
    change_model_learn(&m, &pace, 1, 6, &v);
    assert_true(m.stage[0].mean == 6 && fabs(m.stage[0].cov[0] - 4.0 / 3) < 1e-15);
    assert_true(pace.learned[0] == 2 && pace.learned[1] == 0 && pace.filled == 2);
}

static void test_when_there_is_a_score(void **state)
{
    struct change_model m = {0};
    struct change_pace pace = {0};
    struct change_verdict v;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 40; i++) {
            change_model_learn(&m, &pace, 1, 100 + i % 3, &v);
            assert_int_equal(v.has_score, i >= CHANGE_FIRST + CHANGE_SECOND - 2);
            change_pace_move(&pace);
        }
        assert_true(v.score < 0 && fabs(v.expected - 101) < 2);
        change_pace_break(&pace);
    }
    assert_int_equal(pace.learned[0], 80);
    assert_int_equal(pace.learned[1], 62);
}

static void test_a_step_is_found_at_once(void **state)
{
    struct change_model m = {0};
    struct change_pace pace = {0};
    struct change_verdict v;
    for (int i = 0; i < 300; i++) {
        change_model_learn(&m, &pace, 0.01, 5 + 0.1 * (i * 7 % 11 - 5), &v);
        change_pace_move(&pace);
    }
    assert_true(v.score < 1);
    change_model_learn(&m, &pace, 0.01, 5 + log(5), &v);
    assert_true(v.score > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_and_exp),
        cmocka_unit_test(test_first_values),
        cmocka_unit_test(test_when_there_is_a_score),
        cmocka_unit_test(test_a_step_is_found_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
