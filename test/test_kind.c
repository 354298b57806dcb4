#include "classify/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    S = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS,
    T = S | OBSERVATION_TCP_FLAGS,
    F = TCP_FIN,
    Y = TCP_SYN,
    R = TCP_RST,
    P = TCP_PSH,
    A = TCP_ACK,
    U = TCP_URG,
};

static const struct row {
    const char *what;
    enum kind kind;
    struct observation o;
    bool outside;
} rows[] = {
    {"nothing readable", KIND_non_ip, {0}, false},
    {"non-IP before outside", KIND_non_ip, {0}, true},
    {"malformed before non-IP", KIND_malformed, {.state = OBSERVATION_MALFORMED}, true},
    {"malformed before outside",
     KIND_malformed,
     {.state = OBSERVATION_MALFORMED | T, .ip_version = 4, .ip_proto = 6, .tcp_flags = Y},
     true},
    {"outside before fragment",
     KIND_outside,
     {.state = OBSERVATION_IP | OBSERVATION_FRAGMENT, .ip_version = 4, .ip_proto = 6},
     true},
    {"fragment before protocol",
     KIND_fragment,
     {.state = OBSERVATION_IP | OBSERVATION_FRAGMENT, .ip_version = 4, .ip_proto = 2},
     false},
    {"fragment of IPv6",
     KIND_fragment,
     {.state = OBSERVATION_IP | OBSERVATION_FRAGMENT, .ip_version = 6, .ip_proto = 17},
     false},
    {"first fragment goes by its header",
     KIND_tcp_syn,
     {.state = T | OBSERVATION_MORE, .ip_version = 4, .ip_proto = 6, .tcp_flags = Y},
     false},
#define TCP(what, kind, flags, payload) \
    {                                   \
        what, kind,                     \
            {.state = T,                \
             .ip_version = 4,           \
             .ip_proto = 6,             \
             .tcp_flags = flags,        \
             .payload_len = payload},   \
            false                       \
    }
    TCP("SYN", KIND_tcp_syn, Y, 0),
    TCP("SYN with data", KIND_tcp_syn, Y, 10),
    TCP("SYN ECE CWR", KIND_tcp_syn, Y | TCP_ECE | TCP_CWR, 0),
    TCP("SYN PSH URG", KIND_tcp_syn, Y | P | U, 0),
    TCP("SYN and reserved bits", KIND_tcp_syn, 0xe00 | Y, 0),
    TCP("SYN ACK", KIND_backscatter_tcp, Y | A, 0),
    TCP("SYN ACK with data", KIND_backscatter_tcp, Y | A, 5),
    TCP("SYN ACK FIN", KIND_backscatter_tcp, Y | A | F, 0),
    TCP("RST", KIND_backscatter_tcp, R, 0),
    TCP("RST ACK with data", KIND_backscatter_tcp, R | A, 5),
    TCP("RST SYN", KIND_backscatter_tcp, R | Y, 0),
    TCP("all flags", KIND_backscatter_tcp, 0xff, 0),
    TCP("SYN FIN", KIND_tcp_other, Y | F, 0),
    TCP("SYN FIN with data", KIND_tcp_other, Y | F, 9),
    TCP("FIN", KIND_tcp_other, F, 0),
    TCP("no flags", KIND_tcp_other, 0, 0),
    TCP("no flags, data", KIND_tcp_other, 0, 9),
    TCP("XMAS", KIND_tcp_other, F | P | U, 0),
    TCP("PSH with data, no ACK", KIND_tcp_other, P, 9),
    TCP("bare ACK", KIND_tcp_other, A, 0),
    TCP("FIN ACK", KIND_tcp_other, F | A, 0),
    TCP("ACK with data", KIND_tcp_data, A, 1),
    TCP("PSH ACK with data", KIND_tcp_data, P | A, 1),
    TCP("FIN PSH ACK with data", KIND_tcp_data, F | P | A, 1460),
    {"TCP without flags",
     KIND_tcp_other,
     {.state = S | OBSERVATION_SNAPPED, .ip_version = 6, .ip_proto = 6, .payload_len = 5},
     false},
    {"TCP over IPv6",
     KIND_tcp_syn,
     {.state = T, .ip_version = 6, .ip_proto = 6, .tcp_flags = Y},
     false},
#define UDP(what, kind, sport, dport, a, d) \
    {                                       \
        what, kind,                         \
            {.state = S,                    \
             .ip_version = 4,               \
             .ip_proto = 17,                \
             .src_port = sport,             \
             .dst_port = dport,             \
             .dst = {a, 0, 2, d}},          \
            false                           \
    }
    UDP("UDP", KIND_udp, 1000, 53, 192, 1),
    UDP("from 53, nothing in it", KIND_udp, 53, 1000, 192, 1),
    UDP("to a group that is routed", KIND_udp, 1000, 5355, 224, 252),
    UDP("NetBIOS name broadcast", KIND_stray, 137, 137, 192, 255),
    UDP("NetBIOS datagram broadcast", KIND_stray, 138, 138, 255, 255),
    UDP("NetBIOS to one host", KIND_udp, 137, 137, 192, 254),
    UDP("NetBIOS scan from another port", KIND_udp, 40000, 137, 192, 255),
    UDP("138 to 137", KIND_udp, 138, 137, 192, 255),
    {"IPv6 has no broadcast",
     KIND_udp,
     {.state = S,
      .ip_version = 6,
      .ip_proto = 17,
      .src_port = 137,
      .dst_port = 137,
      .dst = {1, 2, 3, 255}},
     false},
    {"UDP without ports",
     KIND_udp,
     {.state = OBSERVATION_IP | OBSERVATION_SNAPPED, .ip_version = 4, .ip_proto = 17},
     false},
    {"ping", KIND_icmp, {.state = S, .ip_version = 4, .ip_proto = 1, .icmp_type = 8}, false},
    {"pong", KIND_backscatter_icmp, {.state = S, .ip_version = 4, .ip_proto = 1}, false},
    {"ICMP without type",
     KIND_icmp,
     {.state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_SNAPPED,
      .ip_version = 4,
      .ip_proto = 1},
     false},
    {"ICMP without header",
     KIND_icmp,
     {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 1},
     false},
    {"neighbour solicitation",
     KIND_stray,
     {.state = S, .ip_version = 6, .ip_proto = 58, .icmp_type = 135},
     false},
    {"ICMPv6 in IPv4",
     KIND_other_ip,
     {.state = S, .ip_version = 4, .ip_proto = 58, .icmp_type = 135},
     false},
    {"ICMP in IPv6",
     KIND_other_ip,
     {.state = S, .ip_version = 6, .ip_proto = 1, .icmp_type = 8},
     false},
    {"IGMP", KIND_stray, {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 2}, false},
    {"protocol 2 in IPv6",
     KIND_stray,
     {.state = OBSERVATION_IP, .ip_version = 6, .ip_proto = 2},
     false},
    {"GRE", KIND_other_ip, {.state = OBSERVATION_IP, .ip_version = 4, .ip_proto = 47}, false},
};

#define DNS_ANSWER "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"
#define DHT_PING   "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"
/* A message of 4 + 1500 bytes. */
#define SNMP_BEGINS \
    "\x30\x82\x05\xdc\2\1\1\4\6public\xa2\x82\x05\xcd\2\1\7\2\1\0\2\1\0\x30\x82\x05\xbf"

static const struct payload_row {
    const char *what;
    enum kind kind;
    uint16_t src_port, dst_port;
    const char *payload;
    uint16_t len;
    uint8_t dst;    /* first byte of the destination */
    uint16_t state; /* added */
    bool outside;
    uint16_t udp_length; /* of a first fragment */
} payload_rows[] = {
#define P(text) text, sizeof(text) - 1
    {"DNS answer", KIND_backscatter_udp, 53, 1000, P(DNS_ANSWER), 192},
    {"DNS answer from elsewhere", KIND_udp, 54, 1000, P(DNS_ANSWER), 192},
    {"DNS query from 53", KIND_udp, 53, 1000, P("\1\2\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"), 192},
    {"DNS answer to a group", KIND_stray, 53, 1000, P(DNS_ANSWER), 224},
    {"DNS answer outside", KIND_outside, 53, 1000, P(DNS_ANSWER), 192, .outside = true},
    {"DNS answer, malformed", KIND_malformed, 53, 1000, P(DNS_ANSWER), 192, OBSERVATION_MALFORMED},
    {"DNS answer, header cut", KIND_udp, 53, 1000, P(DNS_ANSWER), 192, OBSERVATION_SNAPPED},
    {"DHT on an IoT port", KIND_stray, 1000, 5683, P(DHT_PING), 192},
    {"a request stays udp", KIND_udp, 1000, 1900, P("M-SEARCH * HTTP/1.1\r\n"), 192},
    {"an answer before stray", KIND_backscatter_udp, 17, 1000, P(DHT_PING), 192},
    {"SNMP answer, first fragment", KIND_backscatter_udp, 161, 1000, P(SNMP_BEGINS), 192,
     OBSERVATION_MORE, .udp_length = 8 + 4 + 1500},
    {"SNMP answer that says more than all its fragments", KIND_udp, 161, 1000, P(SNMP_BEGINS), 192,
     OBSERVATION_MORE, .udp_length = 8 + 4 + 1499},
    {"SNMP answer that says more than there is", KIND_udp, 161, 1000, P(SNMP_BEGINS), 192},
#undef P
};

static void test_payloads(void **state)
{
    for (size_t i = 0; i < sizeof payload_rows / sizeof *payload_rows; i++) {
        const struct payload_row *row = &payload_rows[i];
        struct observation o = {
            .state = S | row->state,
            .ip_version = 4,
            .ip_proto = 17,
            .src_port = row->src_port,
            .dst_port = row->dst_port,
            .dst = {row->dst},
            .payload_len = row->len,
            .payload_caught = row->len,
            .udp_length = row->udp_length,
        };
        const uint8_t *payload = (const uint8_t *)row->payload;
        enum kind kind = kind_of(&o, kind_form(&o, payload), !row->outside);
        if (kind != row->kind)
            fail_msg("%s: %s, expected %s", row->what, kind_name(kind), kind_name(row->kind));
        assert_int_equal(kind_form(&o, NULL), UDP_FORM_NONE);
    }
}

static void test_kinds(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum kind kind = kind_of(&rows[i].o, kind_form(&rows[i].o, NULL), !rows[i].outside);
        if (kind != rows[i].kind)
            fail_msg("%s: %s, expected %s", rows[i].what, kind_name(kind), kind_name(rows[i].kind));
    }
}

/* The short form in kind.h against the table. */
static void test_icmp_types(void **state)
{
    static const uint8_t answers4[] = {0, 3, 4, 5, 11, 12, 14, 16, 18, 30, 31, 34, 36, 38, 40, 43};
    static const uint8_t link4[] = {9, 10};
    static const uint8_t answers6[] = {129, 140, 145, 147, 161};
    static const uint8_t link6[] = {130, 131, 132, 133, 134, 135, 136, 137, 141, 142,
                                    143, 148, 149, 151, 152, 153, 155, 157, 158, 159};
    uint8_t expected[2][256];
    for (unsigned t = 0; t < 256; t++) {
        expected[0][t] = KIND_icmp;
        expected[1][t] = t < 128 ? KIND_backscatter_icmp : KIND_icmp;
    }
    for (size_t i = 0; i < sizeof answers4; i++)
        expected[0][answers4[i]] = KIND_backscatter_icmp;
    for (size_t i = 0; i < sizeof link4; i++)
        expected[0][link4[i]] = KIND_stray;
    for (size_t i = 0; i < sizeof answers6; i++)
        expected[1][answers6[i]] = KIND_backscatter_icmp;
    for (size_t i = 0; i < sizeof link6; i++)
        expected[1][link6[i]] = KIND_stray;
    for (unsigned t = 0; t < 256; t++) {
        assert_int_equal(kind_of_icmp(4, (uint8_t)t), expected[0][t]);
        assert_int_equal(kind_of_icmp(6, (uint8_t)t), expected[1][t]);
        assert_non_null(kind_icmp_types[0][t].name);
        assert_non_null(kind_icmp_types[1][t].name);
    }
}

/* The table against the words, for every flag combination. */
static void test_tcp_table(void **state)
{
    for (unsigned payload = 0; payload < 2; payload++)
        for (unsigned flags = 0; flags < 32; flags++) {
            bool syn = flags & Y, ack = flags & A, rst = flags & R, fin = flags & F;
            enum kind kind = rst || (syn && ack)      ? KIND_backscatter_tcp
                             : syn && !fin            ? KIND_tcp_syn
                             : ack && !syn && payload ? KIND_tcp_data
                                                      : KIND_tcp_other;
            assert_int_equal(kind_tcp_table[payload][flags], kind);
        }
}

static void test_definitions(void **state)
{
    for (unsigned k = 0; k < KIND_COUNT; k++)
        assert_non_null(kind_definition((enum kind)k));
    assert_non_null(kind_limit(KIND_udp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),       cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_icmp_types),  cmocka_unit_test(test_tcp_table),
        cmocka_unit_test(test_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
