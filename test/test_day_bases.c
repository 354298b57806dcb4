/* What a day's packets were labelled by, as bytes: each once, in any order, and nothing believed of others' bytes. */
#include "core/day_bases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
    enum day_basis_kind kind;
    struct day_basis basis;
    bool is_new;
} rows[] = {
    {DAY_RULES, {"yamiscope", "1", "aa"}, true},  {DAY_RULES, {"yamiscope", "2", "bb"}, true},
    {DAY_RULES, {"yamiscope", "1", "aa"}, false}, {DAY_LISTS, {"yamiscope", "1", "aa"}, true},
    {DAY_LISTS, {"censys", "", "cc"}, true},      {DAY_LISTS, {"", "censys", "cc"}, true},
    {DAY_LISTS, {"censys", "", "cc"}, false},     {DAY_DATABASES, {"", "", ""}, true},
    {DAY_DATABASES, {"", "", ""}, false},
};

static void keeps_each_once(void **state)
{
    struct day_bases b = {0}, c = {0};
    struct day_facts facts;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t before = b.len;
        assert_int_equal(day_bases_add(&b, rows[i].kind, &rows[i].basis), 0);
        assert_int_equal(b.len > before, rows[i].is_new);
        assert_true(day_bases_hold(b.bytes, b.len));
    }
    for (size_t i = sizeof rows / sizeof *rows; i-- > 0;)
        assert_int_equal(day_bases_add(&c, rows[i].kind, &rows[i].basis), 0);
    assert_int_equal(c.len, b.len);
    assert_int_equal(day_bases_merge(&c, &b), 0);
    assert_int_equal(c.len, b.len);
    assert_int_equal(day_facts_init(&facts, 0, 0, INT64_C(86400000000000), "UTC"), 0);
    assert_int_equal(day_bases_tell(&c, &facts), 0);
    assert_int_equal(facts.basis_count[DAY_RULES], 2);
    assert_int_equal(facts.basis_count[DAY_LISTS], 3);
    assert_int_equal(facts.basis_count[DAY_DATABASES], 1);
    assert_string_equal(facts.basis[DAY_RULES][1].version, "2");
    assert_string_equal(facts.basis[DAY_RULES][1].sha256, "bb");
    day_facts_fini(&facts);
    day_bases_fini(&b);
    day_bases_fini(&c);
}

static void has_an_end(void **state)
{
    struct day_bases b = {0};
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        char sha256[65];
        (void)snprintf(sha256, sizeof sha256, "%064u", i);
        const struct day_basis basis = {"rules", "1", sha256};
        assert_int_equal(day_bases_add(&b, DAY_RULES, &basis), 0);
    }
    assert_true(b.len <= DAY_BASES_MAX && b.len > DAY_BASES_MAX - 100);
    assert_true(day_bases_hold(b.bytes, b.len));
    day_bases_fini(&b);
}

static void believes_nothing(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool holds;
    } cases[] = {
        {"", 0, true},           {"\0a\0b\0c\0", 7, true},    {"\0a\0b\0c\0\2\0\0\0", 11, true},
        {"\0a\0b\0c", 6, false}, {"\0a\0b\0", 5, false},      {"\3a\0b\0c\0", 7, false},
        {"\0", 1, false},        {"\0a\0b\0c\0\1", 8, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(day_bases_hold((const uint8_t *)cases[i].bytes, cases[i].len),
                         cases[i].holds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_each_once),
        cmocka_unit_test(has_an_end),
        cmocka_unit_test(believes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
