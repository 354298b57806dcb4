#include "capture/decode.h"
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
    ZMAP4 = 1 << TOOL_zmap4,
    HAJIME = 1 << TOOL_hajime,
    UNICORNSCAN = 1 << TOOL_unicornscan,
    VARIANT = MIRAI | 1 << TOOL_mirai_variant,
};

/* low 16 bits of 0xc0000201 ^ 23 ^ 0x12345678 = 0xd234546e */
enum { SEQ = 0x12345678, MASSCAN_ID = 0x546e, FOLDED_ID = 0xd234 ^ 0x546e };

#define SYN4                                                                                     \
    .state = STATE, .ip_version = 4, .ip_proto = 6, .dst = {192, 0, 2, 1}, .tcp_flags = TCP_SYN, \
    .src_port = 40000, .dst_port = 23, .ttl = 52, .tcp_header_len = 20
#define MSS       .tcp_header_len = 24, .tcp_options = 0x020405b4, .tcp_layout = TCP_LAYOUT_MSS
#define ZMAP4_SYN SYN4, MSS, .tcp_window = 65535
#define HAJIME_SYN \
    SYN4, .tcp_window = 14600, .tcp_header_len = 40, .state = STATE | OBSERVATION_DF, .tcp_seq = SEQ
#define UNICORNSCAN_SYN SYN4, MSS, .tcp_window = 4128, .ttl = 240

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
    {"zmap4, smallest probes", ZMAP4, {ZMAP4_SYN}},
    {"zmap4, windows", ZMAP4, {ZMAP4_SYN, .tcp_header_len = 32, .tcp_layout = TCP_LAYOUT_WINDOWS}},
    {"zmap4, linux", ZMAP4, {ZMAP4_SYN, .tcp_header_len = 40, .tcp_layout = TCP_LAYOUT_LINUX}},
    {"zmap4, bsd", ZMAP4, {ZMAP4_SYN, .tcp_header_len = 44, .tcp_layout = TCP_LAYOUT_BSD}},
    {"zmap4, other options", 0, {ZMAP4_SYN, .tcp_layout = TCP_LAYOUT_OTHER}},
    {"zmap4 has options", 0, {ZMAP4_SYN, .tcp_header_len = 20, .tcp_layout = TCP_LAYOUT_NONE}},
    {"a stack sets DF", 0, {ZMAP4_SYN, .state = STATE | OBSERVATION_DF}},
    {"zmap4, TOS 8", 0, {ZMAP4_SYN, .tos = 8}},
    {"zmap4, TTL 65", 0, {ZMAP4_SYN, .ttl = 65}},
    {"zmap4, TTL 64", ZMAP4, {ZMAP4_SYN, .ttl = 64}},
    {"zmap4, from 32767", 0, {ZMAP4_SYN, .src_port = 32767}},
    {"zmap4, from 61000", ZMAP4, {ZMAP4_SYN, .src_port = 61000}},
    {"zmap4, from 61001", 0, {ZMAP4_SYN, .src_port = 61001}},
    {"zmap4, other window", 0, {ZMAP4_SYN, .tcp_window = 65534}},
    {"identification 54321 is zmap's", ZMAP, {ZMAP4_SYN, .ip_id = 54321}},
    {"zmap4 over IPv6", 0, {ZMAP4_SYN, .ip_version = 6}},
    {"zmap4, SYN ACK", 0, {ZMAP4_SYN, .tcp_flags = TCP_SYN | TCP_ACK}},
    {"hajime", HAJIME, {HAJIME_SYN}},
    {"hajime to 5358", HAJIME, {HAJIME_SYN, .dst_port = 5358}},
    {"hajime to 9000", HAJIME, {HAJIME_SYN, .dst_port = 9000}},
    {"hajime to another port", 0, {HAJIME_SYN, .dst_port = 2323}},
    {"hajime, other window", 0, {HAJIME_SYN, .tcp_window = 14599}},
    {"hajime's kernel sends options", 0, {HAJIME_SYN, .tcp_header_len = 20}},
    {"mirai in hajime's window", VARIANT, {HAJIME_SYN, .tcp_seq = DST}},
    {"unicornscan", UNICORNSCAN, {UNICORNSCAN_SYN}},
    {"unicornscan, TTL 128", 0, {UNICORNSCAN_SYN, .ttl = 128}},
    {"unicornscan, DF", 0, {UNICORNSCAN_SYN, .state = STATE | OBSERVATION_DF}},
    {"unicornscan, window 4129", 0, {UNICORNSCAN_SYN, .tcp_window = 4129}},
    {"unicornscan, from 4095", 0, {UNICORNSCAN_SYN, .src_port = 4095}},
    {"unicornscan, other options", 0, {UNICORNSCAN_SYN, .tcp_layout = TCP_LAYOUT_OTHER}},
    {"mirai with DF", VARIANT, {SYN4, .tcp_seq = DST, .state = STATE | OBSERVATION_DF}},
    {"mirai with TTL 65", VARIANT, {SYN4, .tcp_seq = DST, .ttl = 65}},
    {"mirai from port 1023", VARIANT, {SYN4, .tcp_seq = DST, .src_port = 1023}},
    {"mirai with options", VARIANT, {SYN4, .tcp_seq = DST, .tcp_header_len = 24}},
    {"mirai as published", MIRAI, {SYN4, .tcp_seq = DST, .ttl = 64, .src_port = 1024}},
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

/* Of headers alone: what the fast path asks says the same as fingerprint_later(). */
static void check_syn(const struct observation *o)
{
    struct fingerprint_syn syn = {
        .window = o->tcp_window,
        .src_port = o->src_port,
        .dst_port = o->dst_port,
        .ttl = o->ttl,
        .tos = o->tos,
        .df = o->state & OBSERVATION_DF,
        .header_len = o->tcp_header_len,
        .mixed = o->tcp_seq ^ DST,
        .ip_id = o->ip_id,
    };
    uint32_t later = fingerprint_later(o);
    assert_int_equal(fingerprint_is_zmap4(&syn, o->tcp_layout < TCP_LAYOUT_MSS),
                     (later & ZMAP4) != 0);
    assert_int_equal(fingerprint_is_hajime(&syn), (later & HAJIME) != 0);
    if (later & (UNICORNSCAN | VARIANT))
        assert_true(fingerprint_is_rare(&syn));
}

static void test_syn(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].o.state & OBSERVATION_TCP_FLAGS && rows[i].o.ip_version == 4 &&
            (rows[i].o.tcp_flags & 0x17) == TCP_SYN)
            check_syn(&rows[i].o);
}

/* ZMap's options with bytes and lengths changed, against tcp_layout_of(). */
static void test_layouts(void **state)
{
    static const struct {
        uint8_t len, bytes[24];
    } layouts[] = {
        {4, {2, 4, 5, 0xb4}},
        {12, {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2}},
        {20, {2, 4, 5, 0xb4, 4, 2, 8, 10, 9, 8, 7, 6, 0, 0, 0, 0, 1, 3, 3, 7}},
        {24, {2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 9, 8, 7, 6, 0, 0, 0, 0, 4, 2, 0, 0}},
    };
    unsigned found = 0;
    for (unsigned i = 0; i < sizeof layouts / sizeof *layouts; i++)
        for (unsigned len = 0; len <= 40; len += 4)
            for (unsigned at = 0; at <= 24; at++) { /* 24: nothing is changed */
                uint8_t bytes[4 + 60] = {0xff, 0xff, 0xff, 0xff};
                memcpy(bytes + 4 + 20, layouts[i].bytes, 24);
                bytes[4 + 20 + at] ^= at < 24 ? 0x40 : 0;
                bool is_zmaps = tcp_layout_of(bytes + 4 + 20, len) >= TCP_LAYOUT_MSS;
                assert_int_equal(fingerprint_layout_differs(bytes + 4, 20 + len) == 0, is_zmaps);
                found += is_zmaps;
            }
    assert_true(found >= 4);
}

static void test_uses(void **state)
{
    static const struct {
        enum tool tool;
        uint64_t matched, eligible;
        bool uses;
    } cases[] = {
        {TOOL_mirai, 0, 5, false},
        {TOOL_mirai, 1, 1000000, true},
        {TOOL_zmap, 1, 1, false},
        {TOOL_zmap, 2, 20, true},
        {TOOL_zmap, 2, 21, false},
        {TOOL_masscan, 16, 1u << 20, false},
        {TOOL_masscan, 100, 1000, true},
        {TOOL_nmap, 2, 2, false},
        {TOOL_nmap, 3, 6, true},
        {TOOL_nmap, 3, 7, false},
        {TOOL_zmap4, 4, 4, false},
        {TOOL_zmap4, 8, 10, true},
        {TOOL_zmap4, 7, 10, false},
        {TOOL_hajime, 9, 9, false},
        {TOOL_hajime, 10, 10, true},
        {TOOL_hajime, 17, 19, false},
        {TOOL_unicornscan, 3, 6, true},
        {TOOL_unicornscan, 2, 2, false},
        {TOOL_mirai_variant, 1, 1, false},
        {TOOL_mirai_variant, 2, 1000, true},
        {TOOL_probe, 1, 1000, true},
        {TOOL_probe, 0, 0, false},
        {TOOL_zmap, UINT64_MAX, UINT64_MAX, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (fingerprint_uses(cases[i].tool, cases[i].matched, cases[i].eligible) != cases[i].uses)
            fail_msg("case %zu", i);
}

/* Sequence numbers as Unicornscan's tcphash.h makes them on a little-endian machine. */
static void test_unicornscan(void **state)
{
    struct unicornscan_state s = {0};
    struct observation o = {SYN4};
    const uint32_t key = 0xdeadbeef;
    assert_int_equal(sizeof s, 4);
    for (unsigned i = 0; i < 100; i++) {
        o.dst[3] = (uint8_t)i;
        o.src_port = (uint16_t)(5000 + i * 37);
        uint32_t address = (uint32_t)o.dst[3] << 24 | 2u << 16 | 0u << 8 | 192u;
        o.tcp_seq = key ^ (address ^ ((uint32_t)o.dst_port << 16 | o.src_port));
        assert_int_equal(unicornscan_step(&s, &o), i > 0);
    }
    assert_false(unicornscan_step(&s, &o)); /* sent again */
    unsigned hits = 0;
    for (unsigned i = 0; i < 100000; i++) {
        o.dst[3] = (uint8_t)i;
        o.tcp_seq = o.tcp_seq * 1664525 + 1013904223;
        hits += unicornscan_step(&s, &o);
    }
    assert_in_range(hits, 0, 1);
}

static void test_texts(void **state)
{
    assert_int_equal(fingerprint_text_count, TOOL_COUNT);
    for (unsigned i = 0; i < fingerprint_text_count; i++) {
        const struct fingerprint_text *t = &fingerprint_texts[i];
        assert_string_equal(t->id, tool_name((enum tool)i));
        assert_true(t->rule && t->source && t->eligible && t->reason && t->min_packets > 0);
        assert_non_null(confidence_name((enum confidence)t->confidence));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools), cmocka_unit_test(test_masscan_forms),
        cmocka_unit_test(test_syn),   cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_uses),  cmocka_unit_test(test_unicornscan),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
