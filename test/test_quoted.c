#include "capture/quoted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IP4(proto) "\x45\0\0\x28\x12\x34\x40\0\x30" proto "\0\0\xc6\x33\x64\7\xcb\0\x71\x09"
#define IP6(next)           \
    "\x60\0\0\0\0\x14" next \
    "\x30\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define PORTS "\x9c\x40\0\x50"

static const struct row {
    const char *what, *bytes;
    size_t len;
    uint8_t version, proto; /* 0: not readable */
    bool has_ports;
} rows[] = {
#define B(text) text, sizeof(text) - 1
    {"TCP with 8 bytes", B(IP4("\6") PORTS "\0\0\0\1"), 4, 6, true},
    {"UDP", B(IP4("\x11") PORTS "\0\x10\0\0"), 4, 17, true},
    {"ICMP", B(IP4("\1") "\x08\0\0\0\0\1\0\1"), 4, 1, false},
    {"ports cut", B(IP4("\6") "\x9c\x40"), 4, 6, false},
    {"header alone", B(IP4("\6")), 4, 6, false},
    {"header cut", B("\x45\0\0\x28\x12\x34\x40\0\x30\6\0\0\xc6\x33\x64\7\xcb\0\x71"), 0, 0, false},
    {"IPv6 TCP", B(IP6("\6") PORTS), 6, 6, true},
    {"IPv6 behind options", B(IP6("\0") "\x11\0\1\4\0\0\0\0" PORTS), 6, 17, true},
    {"IPv6 header cut", B("\x60\0\0\0\0\x14\6\x30\x20"), 0, 0, false},
    {"neither version", B("\x50\0\0\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0, 0, false},
    {"nothing", B(""), 0, 0, false},
};

static void test_rows(void **state)
{
    static const uint8_t src4[16] = {198, 51, 100, 7}, dst4[16] = {203, 0, 113, 9};
    static const uint8_t dst6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *exact = malloc(rows[i].len + 1);
        struct quoted q;
        assert_non_null(exact);
        memcpy(exact, rows[i].bytes, rows[i].len);
        bool is_there = quoted_read(exact, rows[i].len, &q);
        free(exact);
        if (is_there != (rows[i].version != 0) || q.ip_version != rows[i].version ||
            q.ip_proto != rows[i].proto || q.has_ports != rows[i].has_ports)
            fail_msg("%s: version %u, protocol %u, ports %d", rows[i].what, q.ip_version,
                     q.ip_proto, q.has_ports);
        if (q.has_ports) {
            assert_int_equal(q.src_port, 40000);
            assert_int_equal(q.dst_port, 80);
        }
        if (q.ip_version == 4) {
            assert_memory_equal(q.src, src4, 16);
            assert_memory_equal(q.dst, dst4, 16);
        } else if (q.ip_version == 6) {
            assert_memory_equal(q.dst, dst6, 16);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
