#include "export/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_text(void **state)
{
    static const struct {
        struct share share;
        const char *text;
    } cases[] = {
        {{0, 0}, "-"},
        {{5, 0}, "-"},
        {{0, 7}, "0.0 %"},
        {{7, 7}, "100.0 %"},
        {{1, 3}, "33.3 %"},
        {{1, 1000}, "0.1 %"},
        {{1, 1000000}, "<0.1 %"},
        {{999999, 1000000}, ">99.9 %"},
        {{999, 1000}, "99.9 %"},
        {{9994, 10000}, ">99.9 %"},
        {{UINT64_MAX, UINT64_MAX}, "100.0 %"},
        {{1, UINT64_MAX}, "<0.1 %"},
        {{UINT64_MAX, 1}, "1844674407370955"}, /* no share, but no overrun either */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SHARE_TEXT];
        assert_ptr_equal(share_text(cases[i].share, text), text);
        assert_memory_equal(text, cases[i].text, strnlen(cases[i].text, SHARE_TEXT - 1));
    }
}

static void test_every_share(void **state)
{
    uint64_t counts[MARK_COUNT];
    for (unsigned mark = 0; mark < MARK_COUNT; mark++)
        counts[mark] = 100 + mark;
    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++) {
        for (unsigned den = 0; den < DENOMINATOR_COUNT; den++) {
            struct share share = share_of(counts, num, den);
            assert_int_equal(share.num, 100 + num);
            assert_int_equal(share.den, 100 + den);
            assert_true(share_ratio(share) > 1.0);
        }
    }
    assert_true(share_ratio((struct share){3, 0}) == 0.0);
    assert_true(share_ratio((struct share){1, 4}) == 0.25);
}

static void test_every_definition(void **state)
{
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++)
        assert_true(strlen(share_definition(mark)) > 20);
    assert_string_equal(share_definition(MARK_tool_mirai), "");
}

/* No share without its denominator's name. */
static void test_words(void **state)
{
    static const struct {
        struct share share;
        enum share_over over;
        const char *words;
    } cases[] = {
        {{368, 1000}, SHARE_OVER_scan_ex_survey, "36.8 % of scan_ex_survey"},
        {{0, 0}, SHARE_OVER_total, "- of total"},
        {{1, 100000}, SHARE_OVER_total_ex_survey, "<0.1 % of total_ex_survey"},
        {{99999, 100000}, SHARE_OVER_scan, ">99.9 % of scan"},
    };
    char words[SHARE_WORDS];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(share_words(cases[i].share, cases[i].over, words), cases[i].words);
    for (unsigned over = 0; over < SHARE_OVER_COUNT; over++) {
        const char *name = share_over_name(over);
        bool is_ex = strstr(name, "_ex_survey") != NULL;
        assert_true(strlen(share_over_definition(over)) > 20);
        assert_true(share_over_is_ex(over) == is_ex);
        assert_memory_equal(name, mark_name(share_over_mark(over)),
                            strlen(name) - (is_ex ? strlen("_ex_survey") : 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_every_share),
        cmocka_unit_test(test_every_definition),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
