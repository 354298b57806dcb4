/* What is said of an expression without Hyperscan is what Hyperscan says. */
#include "classify/payload_width.h"

#include "classify/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The width; 0: not told. */
static unsigned width_of(const char *expression)
{
    char why[160];
    unsigned width, asked;
    if (!payload_width(expression, &width))
        return 0;
    if (payload_regex_check(expression, false, &asked, why, sizeof why) < 0)
        fail_msg("%s: %s", expression, why);
    if (payload_is_built && asked != width)
        fail_msg("%s: %u, by Hyperscan %u", expression, width, asked);
    return width;
}

static void test_kinds(void **state)
{
    static const struct {
        const char *expression;
        unsigned width;
    } cases[] = {
        {"abc", 3},
        {"^abc", 3},
        {"a.c\\z", 3},
        {"a|bc", 1},
        {"ab|^c", 1},
        {"a?b", 1},
        {"a*b+", 1},
        {"a{3}", 3},
        {"a{2,}b", 3},
        {"[a-f]{1,4}\\xfF", 2},
        {"[^\\r\\n]{0,200}\\$\\{x", 3},
        {"(?:ab|c)d", 2},
        {"(?:ab|c){2,3}", 2},
        {"(?:ab)?c", 1},
        {"(?:^|\\n)ab", 2},
        {"ab(?:[;&]|\\z)", 2},
        {"^(?:a|b)\\z|^c\\z", 1},
        {"(?:a(?:b|c(?:d|e)))", 2},
        {"", 0}, /* what has no width, or may be none */
        {"^", 0},
        {"a?", 0},
        {"(?:a|b?)", 0},
        {"\\z", 0},
        {"a^b", 0}, /* an anchor where bytes stand before, or behind */
        {"(?:a|^b)^c", 0},
        {"a\\zb", 0},
        {"a(?:\\z|b)c", 0},
        {"(?:^a){2}", 0},
        {"^*a", 0},
        {"a\\z?b", 0},
        {"(?:a?)*b", 0}, /* nothing, any number of times */
        {"a??b", 0},     /* other counts, and what is none */
        {"a*+b", 0},
        {"a{2}{3}", 0},
        {"a{2,1}", 0},
        {"a{0}b", 0},
        {"a{,3}", 0},
        {"a{300}", 0},
        {"a{1", 0},
        {"*a", 0},
        {"(a)", 0}, /* other groups */
        {"(?i)a", 0},
        {"(?=a)b", 0},
        {"(?:a", 0},
        {"a)", 0},
        {"(?:)a", 0},
        {"a|", 0},
        {"(?:(?:(?:(?:(?:a)))))", 0},
        {"\\d", 0}, /* other bytes and classes */
        {"\\", 0},
        {"\\x4", 0},
        {"a$", 0},
        {"[a", 0},
        {"[]a]", 0},
        {"[[:alpha:]]", 0},
        {"[^\\x00-\\xff]a", 0},
        {"[b-a]", 0},
        {"(?:a{100}){6}", 0}, /* long */
        {"(?:a{250}|b{250}|c{250})", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (width_of(cases[i].expression) != cases[i].width)
            fail_msg("%s: %u", cases[i].expression, width_of(cases[i].expression));
}

/* Nearly all of the rules that are built in are told, or each start asks Hyperscan of them. */
static void test_rules(void **state)
{
    unsigned told = 0, all = 0;
    struct ruleset *set;
    struct fault fault;
    if (ruleset_create(&set, NULL, &fault) < 0)
        fail_msg("%s", fault.text);
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule_payload *payload = set->rules[i].payload;
        for (unsigned k = 0; payload && k < payload->pattern_count; k++) {
            const struct rule_pattern *pattern = &payload->patterns[k];
            told += width_of(pattern->expression + pattern->anchor) != 0;
            all++;
        }
    }
    ruleset_destroy(set);
    if (all < 200 || told < all - all / 50)
        fail_msg("%u of %u", told, all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
