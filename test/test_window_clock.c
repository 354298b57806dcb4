/* Which window each packet of a sequence falls into, and what is sealed when. */
#include "core/window_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000000, LOG = 4096 };

/* What happened, as text: "o60.0" opened window 60 part 0, "s" sealed, "p" a packet's window. */
struct story {
    char text[LOG];
    size_t len;
    unsigned late; /* packets */
};

static void tell(struct story *s, char what, const struct open_window *w)
{
    s->len += (size_t)snprintf(s->text + s->len, LOG - s->len, "%c%lld.%u%s ", what,
                               (long long)(w->start_ns / SECOND), w->part, w->is_late ? "L" : "");
}

static void on_open(void *context, unsigned slot, const struct open_window *w)
{
    assert_true(slot < WINDOW_SLOTS);
    tell(context, 'o', w);
}

static void on_seal(void *context, unsigned slot, const struct open_window *w)
{
    assert_true(w->is_open);
    tell(context, 's', w);
}

static const struct window_clock_ops ops = {.open = on_open, .seal = on_seal};

static const struct {
    const char *name;
    int64_t seconds[24];
    int count;
    const char *story;
} cases[] = {
    {"in order",
     {0, 59, 60, 119, 120, 180},
     6,
     "o0.0 p0.0 p0.0 o60.0 p60.0 p60.0 s0.0 o120.0 p120.0 s60.0 o180.0 p180.0 | s120.0 s180.0 "},
    {"one window of lateness",
     {0, 61, 30, 119, 59, 120, 59},
     7,
     "o0.0 p0.0 o60.0 p60.0 p0.0 p60.0 p0.0 s0.0 o120.0 p120.0 o0.1L p0.1L | s0.1L s60.0 s120.0 "},
    {"never seen before, but long past",
     {600, 10, 20},
     3,
     "o600.0 p600.0 o0.0L p0.0L p0.0L | s0.0L s600.0 "},
    {"before 1970",
     {-1, -61, 0},
     3,
     "o-60.0 p-60.0 o-120.0 p-120.0 s-120.0 o0.0 p0.0 | s-60.0 s0.0 "},
    {"a far-future packet poisons nothing",
     {0, 1000000, 1, 60, 120},
     5,
     "o0.0 p0.0 o999960.0 p999960.0 p0.0 o60.0 p60.0 s0.0 o120.0 p120.0 | s60.0 s120.0 s999960.0 "},
    {"a ninth window seals the one opened first",
     {0, 86400 * 2, 86400 * 4, 86400 * 6, 86400 * 8, 86400 * 10, 86400 * 12, 86400 * 14,
      86400 * 16},
     9,
     "o0.0 p0.0 o172800.0 p172800.0 o345600.0 p345600.0 o518400.0 p518400.0 o691200.0 p691200.0 "
     "o864000.0 p864000.0 o1036800.0 p1036800.0 o1209600.0 p1209600.0 s0.0 o1382400.0 p1382400.0 | "
     "s172800.0 s345600.0 s518400.0 s691200.0 s864000.0 s1036800.0 s1209600.0 s1382400.0 "},
    {"the first clock is broken, far ahead",
     {1000000, 0, 60, 119, 120, 0},
     6,
     "o999960.0 p999960.0 o0.0 p0.0 o60.0 p60.0 p60.0 s0.0 o120.0 p120.0 o0.1L p0.1L | "
     "s0.1L s60.0 s120.0 s999960.0 "},
    {"the first clock is broken, far behind",
     {0, 1000000, 1000001},
     3,
     "o0.0 p0.0 o999960.0 p999960.0 s0.0 p999960.0 | s999960.0 "},
    {"two in a row agree only a day apart or less; it is the later then",
     {86401, 0, 86400, 0},
     4,
     "o86400.0 p86400.0 o0.0 p0.0 s0.0 p86400.0 o0.1L p0.1L | s0.1L s86400.0 "},
    {"of two in a row the first may be the later",
     {600, 0, 0},
     3,
     "o600.0 p600.0 o0.0L p0.0L p0.0L | s0.0L s600.0 "},
    {"without a watermark a sealed window's packets are late all the same",
     {0, 86400 * 2, 86400 * 4, 86400 * 6, 86400 * 8, 86400 * 10, 86400 * 12, 86400 * 14, 86400 * 16,
      0},
     10,
     "o0.0 p0.0 o172800.0 p172800.0 o345600.0 p345600.0 o518400.0 p518400.0 o691200.0 p691200.0 "
     "o864000.0 p864000.0 o1036800.0 p1036800.0 o1209600.0 p1209600.0 s0.0 o1382400.0 p1382400.0 "
     "s172800.0 o0.1L p0.1L | "
     "s0.1L s345600.0 s518400.0 s691200.0 s864000.0 s1036800.0 s1209600.0 s1382400.0 "},
};

static void run(const int64_t *ts_ns, int count, int64_t lateness_ns, struct story *s)
{
    struct window_clock *c = window_clock_create(60ll * SECOND, lateness_ns, &ops, s);
    assert_non_null(c);
    for (int i = 0; i < count; i++) {
        unsigned slot = window_clock_slot(c, ts_ns[i]);
        const struct open_window *w = &window_clock_windows(c)[slot];
        assert_true(w->is_open);
        assert_true(w->start_ns <= ts_ns[i] && ts_ns[i] - w->start_ns < 60ll * SECOND);
        assert_true(w->part == 0 || w->is_late);
        s->late += w->is_late;
        if (s->len < LOG / 2)
            tell(s, 'p', w);
    }
    s->len += (size_t)snprintf(s->text + s->len, LOG - s->len, "| ");
    window_clock_finish(c);
    window_clock_destroy(c);
}

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s = {.len = 0};
        int64_t ts_ns[24];
        for (int k = 0; k < cases[i].count; k++)
            ts_ns[k] = cases[i].seconds[k] * SECOND;
        run(ts_ns, cases[i].count, 60ll * SECOND, &s);
        if (strcmp(s.text, cases[i].story))
            fail_msg("%s:\n  got  %s\n  want %s", cases[i].name, s.text, cases[i].story);
    }
}

/* A window sealed to free its slot, though lateness would keep it open: its packets are late. */
static void test_a_slot_taken_makes_late(void **state)
{
    (void)state;
    struct story s = {.len = 0};
    int64_t ts_ns[WINDOW_SLOTS + 2] = {0};
    for (int i = 0; i <= WINDOW_SLOTS; i++)
        ts_ns[i] = i * 60ll * SECOND;
    run(ts_ns, WINDOW_SLOTS + 2, 3600ll * SECOND, &s);
    assert_non_null(strstr(s.text, "s0.0 o480.0 p480.0 s60.0 o0.1L p0.1L | s0.1L s120.0 "));
    assert_int_equal(s.late, 1);
}

/* 999 packets in a row a day ahead do not move the watermark, 1,000 do. */
static void test_jump(void **state)
{
    (void)state;
    for (int agree = WINDOW_JUMP_AGREE - 1; agree <= WINDOW_JUMP_AGREE; agree++) {
        int64_t ts_ns[WINDOW_JUMP_AGREE + 4] = {0};
        int n = 2;
        for (int i = 0; i < agree; i++)
            ts_ns[n++] = 90000ll * SECOND + i;
        ts_ns[n++] = 1ll * SECOND;
        struct story s = {.len = 0};
        run(ts_ns, n, 60ll * SECOND, &s);
        bool is_sealed = strstr(s.text, "o0.1L") != NULL;
        assert_int_equal(is_sealed, agree == WINDOW_JUMP_AGREE);
    }
}

/* After a gap of more than a day one broken clock among those that agree, or several, makes nothing late,
 * wherever it stands: first, amid them, the one that completes them, behind them. */
static void test_jump_with_a_broken_clock(void **state)
{
    (void)state;
    enum { BEFORE = 10, AFTER = 6000, DAY = 86400 };
    static const struct {
        int from, to; /* packets behind the gap that are of year 2100 */
    } broken[] = {{0, 1},
                  {500, 501},
                  {WINDOW_JUMP_AGREE - 1, WINDOW_JUMP_AGREE},
                  {WINDOW_JUMP_AGREE - 1, WINDOW_JUMP_AGREE + 500},
                  {0, WINDOW_JUMP_AGREE - 1},
                  {WINDOW_JUMP_AGREE + 1, WINDOW_JUMP_AGREE + 500}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        static int64_t ts_ns[BEFORE + AFTER];
        for (int k = 0; k < BEFORE + AFTER; k++)
            ts_ns[k] = k < BEFORE ? k * 1ll * SECOND : (2ll * DAY + k / 10) * SECOND;
        for (int k = broken[i].from; k < broken[i].to; k++)
            ts_ns[BEFORE + k] = 47482ll * DAY * SECOND + k;
        struct story s = {.len = 0};
        run(ts_ns, BEFORE + AFTER, 60ll * SECOND, &s);
        assert_int_equal(s.late, 0);
        assert_non_null(strstr(s.text, "s0.0 "));
        assert_true(strstr(s.text, "s172800.0 ") < strchr(s.text, '|'));
    }
}

/* At the ends of time nothing overflows. */
static void test_extremes(void **state)
{
    (void)state;
    int64_t ts_ns[] = {INT64_MIN, INT64_MAX, 0, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX};
    struct window_clock *c;
    struct story s = {.len = 0};
    c = window_clock_create(3600ll * SECOND, 86400ll * SECOND, &ops, &s);
    for (size_t i = 0; i < sizeof ts_ns / sizeof *ts_ns; i++)
        assert_true(window_clock_slot(c, ts_ns[i]) < WINDOW_SLOTS);
    window_clock_finish(c);
    window_clock_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),  cmocka_unit_test(test_a_slot_taken_makes_late),
        cmocka_unit_test(test_jump),     cmocka_unit_test(test_jump_with_a_broken_clock),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
