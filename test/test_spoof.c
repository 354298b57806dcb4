#include "classify/spoof.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Rows are a plain packet with some fields overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"

enum {
    S = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS,
    T = S | OBSERVATION_TCP_FLAGS | OBSERVATION_TCP_WINDOW,
    DARK = OBSERVATION_DARK_SOURCE,
};

#define BOTH .src = {198, 51, 100, 7}, .dst = {203, 0, 113, 9}, .ttl = 52
#define TCP4                                                                             \
    .state = T, .ip_version = 4, .ip_proto = 6, BOTH, .src_port = 40000, .dst_port = 23, \
    .tcp_flags = TCP_SYN, .tcp_header_len = 20, .tcp_window = 5000
#define UDP4 .state = S, .ip_version = 4, .ip_proto = 17, BOTH, .src_port = 40000, .dst_port = 53
#define TCP6                                                                \
    .state = T, .ip_version = 6, .ip_proto = 6, .src = {0x20, 1, [15] = 1}, \
    .dst = {0x20, 1, [15] = 2}, .ttl = 52, .src_port = 40000, .dst_port = 23, .tcp_flags = TCP_SYN
#define X(name) 1u << SPOOF_##name

static const struct row {
    const char *what;
    uint32_t tests;
    struct observation o;
} rows[] = {
    {"plain SYN", 0, {TCP4}},
    {"plain SYN over IPv6", 0, {TCP6}},
    {"plain UDP", 0, {UDP4}},
    {"ZMap before 4: TTL 240", X(high_ttl), {TCP4, .ttl = 240, .tcp_window = 65535}},
    {"masscan before 2023: TTL 240", 0, {TCP4, .ttl = 240, .tcp_window = 1024}},
    {"masscan since: an option",
     X(high_ttl),
     {TCP4, .ttl = 240, .tcp_window = 1024, .tcp_header_len = 24}},
    {"TTL 199", 0, {TCP4, .ttl = 199}},
    {"TTL 200 over IPv6", X(high_ttl), {TCP6, .ttl = 200}},
    {"ping with TTL 255",
     0,
     {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 1, BOTH, .ttl = 255}},
    {"GRE", X(abnormal_protocol), {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 47, BOTH}},
    {"IPv6 in IPv4", 0, {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 41, BOTH}},
    {"ICMPv6 in IPv4",
     X(abnormal_protocol),
     {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 58, BOTH}},
    {"ICMPv6 in IPv6",
     0,
     {.state = OBSERVATION_IP, .ip_version = 6, .ip_proto = 58, .src = {[15] = 1}, .dst = {1}}},
    {"no flags", X(abnormal_flags), {TCP4, .tcp_flags = 0}},
    {"XMAS", X(abnormal_flags), {TCP4, .tcp_flags = TCP_FIN | TCP_PSH | TCP_URG}},
    {"SYN with ECN", 0, {TCP4, .tcp_flags = TCP_SYN | TCP_ECE | TCP_CWR}},
    {"RST ACK", 0, {TCP4, .tcp_flags = TCP_RST | TCP_ACK}},
    {"SYN FIN", 0, {TCP4, .tcp_flags = TCP_SYN | TCP_FIN}},
    {"SYN RST", X(abnormal_flags), {TCP4, .tcp_flags = TCP_SYN | TCP_RST}},
    {"later fragment",
     X(fragment_offset),
     {.state = OBSERVATION_IP | OBSERVATION_FRAGMENT, .ip_version = 4, .ip_proto = 17, BOTH}},
    {"first fragment", 0, {UDP4, .state = S | OBSERVATION_MORE}},
    {"DF", 0, {TCP4, .state = T | OBSERVATION_DF}},
    {"reserved flag", X(reserved_flag), {TCP4, .state = T | OBSERVATION_RESERVED}},
    {"source ends in 0", X(source_ends_0), {TCP4, .src = {198, 51, 100, 0}}},
    {"source ends in 255", X(source_ends_255), {TCP4, .src = {198, 51, 100, 255}}},
    {"source ends in 254", 0, {TCP4, .src = {198, 51, 100, 254}}},
    {"anycast of IPv6 routers", X(source_ends_0), {TCP6, .src = {0x20, 1, [7] = 9}}},
    {"same address", X(same_address), {TCP4, .src = {203, 0, 113, 9}}},
    {"same address over IPv6", X(same_address), {TCP6, .src = {0x20, 1, [15] = 2}}},
    {"neighbours", 0, {TCP4, .src = {203, 0, 113, 8}}},
    {"from the telescope", X(telescope_source), {TCP4, .state = T | DARK, .src = {0}}},
    {"from the telescope, over IPv6", X(telescope_source), {TCP6, .state = T | DARK, .src = {0}}},
    {"land attack on the telescope",
     X(telescope_source) | X(same_address),
     {TCP4, .state = T | DARK | OBSERVATION_SELF, .src = {0}}},
    {"from the telescope to 0.0.0.0",
     X(telescope_source),
     {TCP4, .state = T | DARK, .src = {0}, .dst = {0}}},
    {"from the telescope, port 0",
     X(telescope_source) | X(source_port_0),
     {UDP4, .state = S | DARK, .src = {0}, .src_port = 0}},
    {"from port 0", X(source_port_0), {TCP4, .src_port = 0}},
    {"to port 0", X(destination_port_0), {UDP4, .dst_port = 0}},
    {"ports not caught", 0, {UDP4, .state = OBSERVATION_IP, .src_port = 0, .dst_port = 0}},
    {"UDP to 80", X(udp_to_80), {UDP4, .dst_port = 80}},
    {"TCP to 80", 0, {TCP4, .dst_port = 80}},
    {"no IP", 0, {0}},
};

static void test_rows(void **state)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t tests = spoof_tests(&rows[i].o);
        seen |= tests;
        if (tests != rows[i].tests)
            fail_msg("%s: %x, expected %x", rows[i].what, tests, rows[i].tests);
        assert_int_equal(spoof_default(&rows[i].o), (tests & SPOOF_DEFAULT) != 0);
    }
    assert_int_equal(seen, (1u << SPOOF_COUNT) - 1);
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        uint32_t set;
        const char *unknown; /* NULL: none */
    } cases[] = {
        {"default", SPOOF_DEFAULT, NULL},
        {"none", 0, NULL},
        {"all", (1u << SPOOF_COUNT) - 1, NULL},
        {"high_ttl", X(high_ttl), NULL},
        {"default,udp_to_80,high_ttl", SPOOF_DEFAULT | X(udp_to_80) | X(high_ttl), NULL},
        {"high_tt", 0, "'high_tt'"},
        {"high_ttl,", 0, "''"},
        {"", 0, "''"},
        {"none,Land", 0, "'Land'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault = {0};
        uint32_t set = 12345;
        int rc = spoof_parse(cases[i].text, &set, &fault);
        assert_int_equal(rc, cases[i].unknown ? -EINVAL : 0);
        if (cases[i].unknown)
            assert_non_null(strstr(fault.text, cases[i].unknown));
        assert_int_equal(set, cases[i].unknown ? 12345 : cases[i].set);
    }
}

static void test_texts(void **state)
{
#define NAME(name) #name,
    static const char *const names[] = {SPOOF_TESTS(NAME)};
    for (unsigned i = 0; i < SPOOF_COUNT; i++) {
        assert_string_equal(spoof_texts[i].name, names[i]);
        assert_non_null(spoof_texts[i].what);
        assert_non_null(spoof_texts[i].source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_parse),
                                       cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
