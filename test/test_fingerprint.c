#include "classify/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Rows are a plain packet with some fields overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"

enum {
    STATE = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_TCP_FLAGS | OBSERVATION_TCP_WINDOW,
    DST = 0xc0000201, /* 192.0.2.1 */
    MIRAI = 1 << TOOL_mirai,
    ZMAP = 1 << TOOL_zmap,
    MASSCAN = 1 << TOOL_masscan,
    NMAP = 1 << TOOL_nmap,
};

/* low 16 bits of 0xc0000201 ^ 23 ^ 0x12345678 = 0xd234546e */
enum { SEQ = 0x12345678, MASSCAN_ID = 0x546e, FOLDED_ID = 0xd234 ^ 0x546e };

#define SYN4                                                                                     \
    .state = STATE, .ip_version = 4, .ip_proto = 6, .dst = {192, 0, 2, 1}, .tcp_flags = TCP_SYN, \
    .dst_port = 23, .tcp_header_len = 20
#define MSS .tcp_header_len = 24, .tcp_options = 0x020405b4

static const struct row {
    const char *what;
    unsigned tools;
    struct observation o;
} rows[] = {
    {"plain SYN", 0, {SYN4, .tcp_seq = 1, .ip_id = 7}},
    {"mirai", MIRAI, {SYN4, .tcp_seq = DST}},
    {"mirai on any port", MIRAI, {SYN4, .dst_port = 8080, .tcp_seq = DST, .ip_id = 9}},
    {"mirai with ECE and PSH",
     MIRAI,
     {SYN4, .tcp_flags = TCP_SYN | TCP_ECE | TCP_PSH, .tcp_seq = DST}},
    {"mirai, byte order turned", 0, {SYN4, .tcp_seq = 0x010200c0}},
    {"sequence one off", 0, {SYN4, .tcp_seq = DST + 1u}},
    {"SYN ACK", 0, {SYN4, .tcp_flags = TCP_SYN | TCP_ACK, .tcp_seq = DST}},
    {"SYN FIN", 0, {SYN4, .tcp_flags = TCP_SYN | TCP_FIN, .tcp_seq = DST}},
    {"SYN RST", 0, {SYN4, .tcp_flags = TCP_SYN | TCP_RST, .tcp_seq = DST}},
    {"flags not captured",
     0,
     {SYN4, .state = OBSERVATION_IP | OBSERVATION_TRANSPORT, .tcp_seq = DST}},
    {"IPv6 knows no mirai", 0, {SYN4, .ip_version = 6, .tcp_seq = DST}},
    {"masscan", MASSCAN, {SYN4, .tcp_seq = SEQ, .ip_id = MASSCAN_ID, .tcp_window = 1024}},
    {"masscan, folded reading", 0, {SYN4, .tcp_seq = SEQ, .ip_id = FOLDED_ID}},
    {"masscan id off by one", 0, {SYN4, .tcp_seq = SEQ, .ip_id = MASSCAN_ID + 1}},
    {"mirai whose id is the port is no masscan", MIRAI, {SYN4, .tcp_seq = DST, .ip_id = 23}},
    {"masscan answer",
     0,
     {SYN4, .tcp_flags = TCP_SYN | TCP_ACK, .tcp_seq = SEQ, .ip_id = MASSCAN_ID}},
    {"zmap", ZMAP, {SYN4, .tcp_seq = 1, .ip_id = 54321}},
    {"zmap on UDP",
     ZMAP,
     {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 17, .ip_id = 54321}},
    {"zmap on a fragment",
     ZMAP,
     {.state = OBSERVATION_IP | OBSERVATION_FRAGMENT,
      .ip_version = 4,
      .ip_proto = 1,
      .ip_id = 54321}},
    {"zmap needs IPv4", 0, {.state = OBSERVATION_IP, .ip_version = 6, .ip_id = 54321}},
    {"zmap and mirai", ZMAP | MIRAI, {SYN4, .tcp_seq = DST, .ip_id = 54321}},
    {"nmap", NMAP, {SYN4, .tcp_window = 1024, MSS}},
    {"nmap over IPv6", NMAP, {SYN4, .ip_version = 6, .tcp_window = 1024, MSS}},
    {"nmap, more options",
     0,
     {SYN4, .tcp_window = 1024, .tcp_header_len = 28, .tcp_options = 0x020405b4}},
    {"nmap, other window", 0, {SYN4, .tcp_window = 1025, MSS}},
    {"nmap, other MSS",
     0,
     {SYN4, .tcp_window = 1024, .tcp_header_len = 24, .tcp_options = 0x020405a0}},
    {"old masscan has no options", 0, {SYN4, .tcp_window = 1024}},
};

static void test_tools(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (fingerprint_tools(&rows[i].o) != rows[i].tools)
            fail_msg("%s: tools %x, expected %x", rows[i].what, fingerprint_tools(&rows[i].o),
                     rows[i].tools);
}

static void test_masscan_forms(void **state)
{
    struct observation old = {SYN4, .tcp_window = 1024};
    struct observation new = {SYN4, .tcp_window = 1025, MSS};
    struct observation other = {SYN4, .tcp_window = 65535};
    assert_string_equal(fingerprint_masscan_form(&old), "window 1024, no options (to 2023-11)");
    assert_string_equal(fingerprint_masscan_form(&new), "window 1025, MSS 1460 (since 2023-11)");
    assert_string_equal(fingerprint_masscan_form(&other), "other header");
}

static void test_texts(void **state)
{
    assert_int_equal(fingerprint_text_count, TOOL_COUNT);
    for (unsigned i = 0; i < fingerprint_text_count; i++)
        assert_string_equal(fingerprint_texts[i].id, tool_name((enum tool)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_masscan_forms),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
