/* Processors by their numbers. */
#include "core/core_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says; /* says: what is refused; NULL: nothing is */
        size_t count;
        unsigned first, last;
    } cases[] = {
        {"0", NULL, 1, 0, 0},
        {"2,4-7", NULL, 5, 2, 7},
        {"7,3", NULL, 2, 7, 3},
        {"0-1023", NULL, 1024, 0, 1023},
        {"", "'': expected processors", 0, 0, 0},
        {"1,", "'': expected processors", 0, 0, 0},
        {"1,,2", "'': expected processors", 0, 0, 0},
        {"a", "'a': expected processors below 1024, such as 2,4-7", 0, 0, 0},
        {"-1", "'-1': expected processors", 0, 0, 0},
        {"3-1", "'3-1': expected processors", 0, 0, 0},
        {"1-", "'1-': expected processors", 0, 0, 0},
        {"1 ,2", "'1 ': expected processors", 0, 0, 0},
        {"1024", "'1024': expected processors", 0, 0, 0},
        {"99999999999999999999", "expected processors", 0, 0, 0},
        {"1,0-2", "processor 1 a second time", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct core_list list;
        struct fault fault = {0};
        int err = core_list_parse(&list, cases[i].text, &fault);
        if (cases[i].says) {
            assert_int_not_equal(err, 0);
            if (!strstr(fault.text, cases[i].says))
                fail_msg("%s: %s", cases[i].text, fault.text);
            continue;
        }
        assert_int_equal(err, 0);
        assert_int_equal(list.count, cases[i].count);
        assert_int_equal(list.at[0], cases[i].first);
        assert_int_equal(list.at[list.count - 1], cases[i].last);
    }
}

static void test_check(void **state)
{
    (void)state;
    static struct core_list list;
    struct fault fault;
    list = (struct core_list){{1023}, 1};
    assert_int_not_equal(core_list_check(&list, &fault), 0);
    assert_non_null(strstr(fault.text, "processor 1023 is not there"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
