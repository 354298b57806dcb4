/* Where calendar days begin: 23 and 25 hours, zones without midnight on the day, zones far from UTC. */
#include "core/zone.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR = 3600 };

static void test_days(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int year, month, day;
        int64_t start_s; /* since 1970 */
        unsigned hours;
    } cases[] = {
        {"UTC", 1970, 1, 1, 0, 24},
        {"UTC", 2026, 3, 8, 1772928000, 24},
        {"Asia/Tokyo", 2026, 3, 8, 1772895600, 24},
        {"America/New_York", 2026, 3, 7, 1772859600, 24},
        {"America/New_York", 2026, 3, 8, 1772946000, 23},
        {"America/New_York", 2026, 3, 9, 1773028800, 24},
        {"America/New_York", 2026, 11, 1, 1793505600, 25},
        {"America/New_York", 2026, 11, 2, 1793595600, 24},
        /* at midnight the clock goes on to 1: the day begins then */
        {"America/Havana", 2026, 3, 8, 1772946000, 23},
        /* at 1 it goes back to 0, so there are two midnights: the day begins with the first */
        {"America/Havana", 2026, 11, 1, 1793505600, 25},
        {"Pacific/Kiritimati", 2026, 1, 1, 1767175200, 24},
        {"Pacific/Pago_Pago", 2026, 1, 1, 1767265200, 24},
        {"Asia/Kathmandu", 2024, 2, 29, 1709144100, 24},
        {"Australia/Lord_Howe", 2026, 4, 6, 1775395800,
         24}, /* changes by half an hour, the day before */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t starts_ns[2];
        int32_t date = zone_date(cases[i].year, cases[i].month, cases[i].day);
        assert_int_equal(zone_days(cases[i].zone, date, 1, starts_ns), 0);
        int64_t length_s = (starts_ns[1] - starts_ns[0]) / 1000000000;
        if (starts_ns[0] != cases[i].start_s * 1000000000 || length_s != cases[i].hours * HOUR)
            fail_msg("%s, case %zu: begins at %lld and has %lld s", cases[i].zone, i,
                     (long long)starts_ns[0] / 1000000000, (long long)length_s);
    }
}

static void test_windows(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        unsigned span_s;
        int64_t from_s;
        const char *fits; /* NULL: it does */
    } cases[] = {
        {"UTC", 900, 1767225600, NULL},
        {"Asia/Tokyo", 720, 1767225600, NULL},
        {"America/New_York", 900, 1767225600, NULL},
        {"Australia/Lord_Howe", 900, 1767225600, NULL},
        {"America/Havana", 600, 1767225600, NULL},
        {"Asia/Kathmandu", 900, 1767225600, NULL},
        {"Asia/Kathmandu", 600, 1767225600, "(2026-01-01 at 18:15:00 UTC); windows of 450s fit"},
        {"Asia/Kathmandu", 240, 1767225600, "windows of 225s fit"},
        {"Asia/Kolkata", 720, 1767225600, "windows of 600s fit"},
        {"Asia/Kolkata", 600, 1767225600, NULL},
        /* half an hour for a part of the year: from April on */
        {"Australia/Lord_Howe", 720, 1767225600, "windows of 600s fit"},
        /* -0:44:30 until 1972 */
        {"Africa/Monrovia", 60, 0, "(1970-01-01 at 00:44:30 UTC); windows of 30s fit"},
        {"Africa/Monrovia", 30, 0, NULL},
        {"Africa/Monrovia", 900, 1767225600, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = {0};
        int result = zone_windows_check(cases[i].zone, cases[i].span_s * INT64_C(1000000000),
                                        cases[i].from_s, "--window", &fault);
        if (result != (cases[i].fits ? -EINVAL : 0) ||
            (cases[i].fits && !strstr(fault.text, cases[i].fits)))
            fail_msg("%s, %u s: %d, '%s'", cases[i].zone, cases[i].span_s, result, fault.text);
    }
}

static void test_row(void **state)
{
    (void)state;
    int64_t row[367], one[2];
    int32_t date = zone_date(2024, 1, 1);
    assert_int_equal(zone_days("America/New_York", date, 366, row), 0);
    for (int i = 0; i < 366; i++) {
        assert_int_equal(zone_days("America/New_York", date + i, 1, one), 0);
        assert_int_equal(row[i], one[0]);
        assert_int_equal(row[i + 1], one[1]);
    }
    assert_int_equal(row[366] - row[0], INT64_C(366) * 24 * HOUR * 1000000000);
}

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int result;
    } cases[] = {{"UTC", 0},          {"Asia/Tokyo", 0},     {"", -EINVAL},
                 {"Asia", -EINVAL},   {"JST-9", -EINVAL},    {"../../../etc/passwd", -EINVAL},
                 {"Mars/X", -EINVAL}, {"tzdata.zi", -EINVAL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = {0};
        int result = zone_check(cases[i].zone, "--timezone", &fault);
        if (result != cases[i].result || (result && !strstr(fault.text, "--timezone: '")))
            fail_msg("'%s': %d, '%s'", cases[i].zone, result, fault.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_row),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
