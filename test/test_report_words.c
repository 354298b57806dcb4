/* Sentences of a report: numbers that keep their digits, what is not exact, packets per address. */
#include "export/report_words.h"
#include "export/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    double value;
    const char *text;
} decimals[] = {
    {0, "0"},
    {1, "1"},
    {121.8838, "121.9"},
    {12.34567, "12.35"},
    {9.99951, "10.00"},
    {1.5, "1.500"},
    {0.5, "0.5000"},
    {124809.0 / 4294967296, "0.00002906"},
    {999.96, "1,000"},
    {790000, "790,000"},
    {2452123.4, "2,452,123"},
};

static void decimals_read(void **state)
{
    char to[TEXT_NUMBER];
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++)
        assert_string_equal(text_decimal(decimals[i].value, to), decimals[i].text);
    assert_true(strlen(text_decimal(1e-30, to)) < TEXT_NUMBER);
    assert_string_equal(text_decimal(18446744073709549568.0, to), "18,446,744,073,709,549,568");
}

static const struct {
    struct day_given_up given_up;
    const char *en;
} inexact[] = {
    {{0}, ""},
    {{.damaged = 1204}, "not exact: the source days of 1,204 packets were damaged"},
    {{.ports = 7, .sources = 2, .rules = 1},
     "not exact: the sources of 2 packets were given up for memory; the ports of 7 packets were "
     "given up for memory; the evidence of 1 packets was given up for memory"},
};

static void inexact_says_why(void **state)
{
    char to[REPORT_WORDS];
    const struct day_given_up most = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof inexact / sizeof *inexact; i++) {
        assert_string_equal(report_given_up(&inexact[i].given_up, false, to), inexact[i].en);
        assert_int_equal(report_given_up(&inexact[i].given_up, true, to)[0] == '\0', i == 0);
    }
    assert_int_equal(day_given_up_packets(&inexact[2].given_up), 10);
    assert_true(day_given_up_packets(&most) == UINT64_MAX);
    for (unsigned ja = 0; ja < 2; ja++)
        assert_true(strlen(report_given_up(&most, ja, to)) < REPORT_WORDS - 1);
}

static void shares_are_marked(void **state)
{
    struct span s = {.is_exact = true};
    assert_string_equal(report_share_sign(&s, SHARE_OVER_scan, false), "");
    s.is_exact = false;
    assert_string_equal(report_share_sign(&s, SHARE_OVER_scan, false), ">= ");
    assert_string_equal(report_share_sign(&s, SHARE_OVER_scan_ex_survey, false), "~ ");
    assert_string_equal(report_share_sign(&s, SHARE_OVER_total, true), "~ ");
}

static void per_address(void **state)
{
    char to[REPORT_WORDS];
    struct span s = {.days = 3,
                     .has_size = true,
                     .ip4_packets = 124809,
                     .ip4_packets_ex = 1024,
                     .address_days = 3072,
                     .seconds = 3 * 86400,
                     .address_seconds = (unsigned __int128)3072 * 86400,
                     .coverage_milli = 100000,
                     .observed_seconds = 3 * 86400};
    assert_string_equal(report_per_address(&s, false, false, to),
                        "121.9 = 124,809 IPv4 packets / 1,024 addresses");
    assert_string_equal(report_per_address(&s, true, false, to),
                        "1 = 1,024 IPv4 packets / 1,024 addresses");
    assert_string_equal(report_full_days(&s, false, to), "");
    s.address_seconds /= 2;
    s.coverage_milli = 50000;
    s.observed_seconds /= 2;
    assert_string_equal(report_full_days(&s, false, to), "243.8 (50.000 % was observed)");
    s.address_days = 3073;
    assert_string_equal(report_per_address(&s, false, false, to),
                        "121.8 = 124,809 IPv4 packets / 1,024.3 addresses");
    s.has_size = false;
    assert_string_equal(report_per_address(&s, false, false, to), "");
    assert_string_equal(report_full_days(&s, false, to), "");
}

static const struct {
    double share;
    const char *text;
} observed[] = {
    {0, "0.000 %"},         {1.0 / 24, "4.167 %"},         {0.5, "50.000 %"}, {0.99999, "99.999 %"},
    {0.999999, "99.999 %"}, {86399.9 / 86400, "99.999 %"}, {1, "100.000 %"},
};

static void observed_rounds(void **state)
{
    char to[TEXT_NUMBER];
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
        assert_string_equal(report_observed(observed[i].share, to), observed[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_read),     cmocka_unit_test(inexact_says_why),
        cmocka_unit_test(shares_are_marked), cmocka_unit_test(per_address),
        cmocka_unit_test(observed_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
