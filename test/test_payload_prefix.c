/* Which expressions are told by first bytes, and what they say. */
#include "classify/payload_prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_kinds(void **state)
{
    static const struct {
        const char *expression;
        unsigned rows;
    } cases[] = {
        {"^abc", 1},
        {"^a.{3}[\\x00-\\x0f]", 1},
        {"^(?:ab|c)d", 2},
        {"^a{1,4}b", 4},
        {"^(?:\\x00{4})?.{16}", 2},
        {"^\\r\\z", 1},
        {"^.{12}(?:\\xd4\\x07)", 1},
        {"^(?:a|(?:b|c)d)e", 3},
        {"abc", 0}, /* anywhere */
        {"^a*", 0}, /* any number */
        {"^a{2,}", 0},
        {"^a+b", 0},
        {"^a??", 0},
        {"^(a)", 0}, /* a group that captures */
        {"^(?i)a", 0},
        {"^\\d", 0},
        {"^a|b", 0}, /* only the first is anchored */
        {"^(?:a\\z|b)", 0},
        {"^a\\zb", 0},
        {"^[]a]", 0},
        {"^[[:alpha:]]", 0},
        {"^a$", 0},
        {"^(?:a){2}", 0},
        {"^a{300}", 0},
        {"^\\x4", 0},
        {"^[a", 0},
        {"^(?:a", 0},
        {"^a)", 0},
        {"^a{1", 0},
        {"^\\", 0},
        {"^[ab][ab]{0,20}", 0}, /* more rows than there may be */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct payload_prefix rows[PAYLOAD_PREFIX_ROWS];
        static struct payload_classes classes;
        unsigned made = payload_prefix_make(rows, &classes, cases[i].expression);
        if (made != cases[i].rows)
            fail_msg("%s: %u rows, expected %u", cases[i].expression, made, cases[i].rows);
    }
}

static void test_holds(void **state)
{
    static const struct {
        const char *expression, *bytes;
        size_t len;
        bool holds;
    } cases[] = {
        {"^abc", "abcd", 4, true},           {"^abc", "ab", 2, false},
        {"^abc", "abd", 3, false},           {"^a.c\\z", "a\nc", 3, true}, /* a dot is any byte */
        {"^a.c\\z", "axcd", 4, false},       {"^[^\\x00-\\x7f]", "\x80", 1, true},
        {"^[^\\x00-\\x7f]", "a", 1, false},  {"^(?:\\x00{2})?ab", "\0\0ab", 4, true},
        {"^(?:\\x00{2})?ab", "ab", 2, true}, {"^(?:\\x00{2})?ab", "\0ab", 3, false},
        {"^x{1,3}y", "xxy", 3, true},        {"^x{1,3}y", "xxxxy", 5, false},
        {"^[a-c]-[.]", "b-.", 3, true},      {"^\\xAf", "\xaf", 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct payload_prefix rows[PAYLOAD_PREFIX_ROWS];
        struct payload_classes classes = {.count = 0};
        unsigned made = payload_prefix_make(rows, &classes, cases[i].expression);
        bool holds = false;
        assert_true(made > 0);
        for (unsigned k = 0; k < made; k++)
            holds |= payload_prefix_holds(&rows[k], &classes, (const uint8_t *)cases[i].bytes,
                                          cases[i].len);
        if (holds != cases[i].holds)
            fail_msg("row %zu: %s", i, cases[i].expression);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
