#include "export/lookup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *word;
    int kind; /* -1: refused */
    const char *text;
} keys[] = {
    {"198.51.100.7", LOOKUP_ADDRESS, "198.51.100.7"},
    {"198.51.100.7/32", LOOKUP_ADDRESS, "198.51.100.7"},
    {"198.51.100.0/24", LOOKUP_PREFIX, "198.51.100.0/24"},
    {"0.0.0.0/0", LOOKUP_PREFIX, "0.0.0.0/0"},
    {"2001:DB8::1", LOOKUP_ADDRESS, "2001:db8::1"},
    {"2001:db8::/32", LOOKUP_PREFIX, "2001:db8::/32"},
    {"::/0", LOOKUP_PREFIX, "::/0"},
    {"AS64500", LOOKUP_AS, "AS64500"},
    {"as4294967295", LOOKUP_AS, "AS4294967295"},
    {"AS0", -1, "AS1 to"},
    {"AS", -1, "AS1 to"},
    {"AS064500", -1, "AS1 to"},
    {"AS64500 ", -1, "AS1 to"},
    {"AS4294967296", -1, "AS1 to"},
    {"AS99999999999999999999", -1, "AS1 to"},
    {"198.51.100.7/24", -1, "198.51.100.0/24"},
    {"198.51.100.7/33", -1, "'198.51.100.7/33'"},
    {"198.51.100", -1, "'198.51.100'"},
    {"", -1, "''"},
    {"64500", -1, "'64500'"},
};

static void test_keys(void **state)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct lookup_key key;
        struct fault fault = {0};
        int err = lookup_key_parse(&key, keys[i].word, &fault);
        assert_int_equal(err, keys[i].kind < 0 ? -EINVAL : 0);
        if (keys[i].kind >= 0) {
            assert_int_equal(key.kind, keys[i].kind);
            assert_string_equal(key.text, keys[i].text);
        } else if (strstr(fault.text, keys[i].text) == NULL) {
            fail_msg("%s: %s", keys[i].word, fault.text);
        }
    }
}

static const struct {
    const char *word;
    int proto, port; /* -1: refused */
} ports[] = {
    {"tcp/23", 0, 23},    {"UDP/0", 1, 0},     {"udp/65535", 1, 65535},
    {"tcp/65536", -1, 0}, {"tcp/", -1, 0},     {"tcp", -1, 0},
    {"tcp/-1", -1, 0},    {"tcp/023", -1, 0},  {"sctp/23", -1, 0},
    {"23", -1, 0},        {"tcp/23/1", -1, 0}, {"tcp/99999999999999999999", -1, 0},
};

static void test_ports(void **state)
{
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        unsigned proto;
        uint16_t port;
        struct fault fault;
        int err = lookup_port_parse(ports[i].word, &proto, &port, &fault);
        assert_int_equal(err, ports[i].proto < 0 ? -EINVAL : 0);
        if (err == 0) {
            assert_int_equal(proto, ports[i].proto);
            assert_int_equal(port, ports[i].port);
        }
    }
}

static const struct {
    const char *word;
    int32_t from, to; /* from > to: refused */
} dates[] = {
    {"1970-01-02", 1, 1},
    {"2026-01-01..2026-01-31", 20454, 20484},
    {"1969-12-31", -1, -1},
    {"2024-02-29", 19782, 19782},
    {"2026-02-29", 1, 0},
    {"2026-1-01", 1, 0},
    {"2026-01-01..", 1, 0},
    {"2026-01-02..2026-01-01", 1, 0},
    {"2026-01-01...2026-01-02", 1, 0},
    {"2026-13-01", 1, 0},
    {"today", 1, 0},
    {"", 1, 0},
};

static void test_dates(void **state)
{
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int32_t from, to;
        struct fault fault;
        int err = lookup_dates_parse(dates[i].word, &from, &to, &fault);
        assert_int_equal(err, dates[i].from > dates[i].to ? -EINVAL : 0);
        if (err == 0) {
            assert_int_equal(from, dates[i].from);
            assert_int_equal(to, dates[i].to);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_ports),
                                       cmocka_unit_test(test_dates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
