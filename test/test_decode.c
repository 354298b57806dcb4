#include "test/decode_check.h"
#include "test/decode_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t unhex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;
    for (unsigned byte; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
        bytes[n] = (uint8_t)byte;
    return n;
}

/* In memory of exactly caplen bytes, so that the sanitizers see every read past the end. */
static struct observation observe(const struct row *row)
{
    uint8_t bytes[512];
    uint32_t wire = (uint32_t)unhex(row->hex, bytes), caught = row->snap ? row->snap : wire;
    uint8_t *exact = malloc(caught);
    assert_non_null(exact);
    memcpy(exact, bytes, caught);
    uint32_t link = row->link == LINK_NULL ? 0 : row->link ? row->link : 1;
    struct frame f = {exact, caught, wire, 1234567890, link};
    struct observation o, general;
    memset(&o, 0xff, sizeof o);
    decode(&f, row->decap, &o);
    decode_general(&f, row->decap, &general);
    assert_memory_equal(&o, &general, sizeof o);
    const char *broken = decode_check(&f, &o);
    if (broken)
        fail_msg("%s: %s", row->what, broken);
    free(exact);
    return o;
}

static void test_rows(void **state)
{
    static const uint8_t from4[4] = {10, 0, 0, 1}, to4[4] = {10, 0, 0, 2};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct observation o = observe(row);
        bool is_same = o.state == row->state && o.ip_version == row->version &&
                       o.ip_proto == row->proto && o.payload_len == row->payload_len &&
                       o.vlan_depth == row->vlan_depth;
        if (o.ip_version == 4)
            is_same = is_same && !memcmp(o.src, from4, 4) && !memcmp(o.dst, to4, 4) &&
                      o.ip_id == 0x1234 && o.ttl == 64;
        if (o.ip_version == 6)
            is_same =
                is_same && o.src[0] == 0x20 && o.src[15] == 1 && o.dst[15] == 2 && o.ttl == 64;
        if (o.state & OBSERVATION_PORTS && o.dst_port != 4789)
            is_same = is_same && o.src_port == 40000 && o.dst_port == 23;
        if (o.state & OBSERVATION_TCP_FLAGS)
            is_same = is_same && o.tcp_seq == 0x0a000002 && o.tcp_window == 1024 &&
                      (o.tcp_flags == TCP_SYN || o.tcp_flags == (TCP_PSH | TCP_ACK));
        if (o.state & OPTIONS)
            is_same = is_same && o.tcp_options == 0x020405b4;
        if (!is_same)
            fail_msg("%s: state %#x (expected %#x), version %u (%u), protocol %u (%u), payload %u "
                     "(%u), tags %u (%u)",
                     row->what, o.state, row->state, o.ip_version, row->version, o.ip_proto,
                     row->proto, o.payload_len, row->payload_len, o.vlan_depth, row->vlan_depth);
    }
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* The fast path gives what the general one gives: every row with bytes altered, cut and snapped. */
static void test_fast_path(void **state)
{
    uint64_t seed = 20;
    for (size_t round = 0; round < 2000; round++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            uint8_t bytes[512];
            uint32_t wire = (uint32_t)unhex(rows[i].hex, bytes);
            uint64_t r = random_next(&seed);
            for (unsigned change = r & 3; change; change--, r = random_next(&seed))
                bytes[(r >> 8) % (wire < 60 ? wire : 60)] =
                    (uint8_t)(r & 64 ? r >> 32 : r >> 32 & 7);
            uint32_t caught = r & 16 ? (uint32_t)(r >> 40) % (wire + 1) : wire;
            if (r & 32)
                wire = caught;
            struct frame f = {bytes, caught, wire, 7, 1};
            struct observation o, general;
            decode(&f, (uint32_t)(r >> 60), &o);
            decode_general(&f, (uint32_t)(r >> 60), &general);
            const char *broken = decode_check(&f, &o);
            if (broken || memcmp(&o, &general, sizeof o))
                fail_msg("%s, round %zu: %s", rows[i].what, round,
                         broken ? broken : "paths differ");
        }
}

static void test_payload(void **state)
{
    struct row row = {.hex = ETH4 IP4("0030", "06") TCP_("60", "18") "020405b4"
                                                                     "68656c6c"};
    struct observation o = observe(&row);
    assert_int_equal(o.payload_at, 58);
    assert_int_equal(o.payload_len, 4);
    assert_int_equal(o.payload_caught, 4);
    row.snap = 60;
    o = observe(&row);
    assert_int_equal(o.payload_len, 4);
    assert_int_equal(o.payload_caught, 2);
    row.snap = 56; /* within the options */
    o = observe(&row);
    assert_int_equal(o.payload_len, 4);
    assert_int_equal(o.payload_caught, 0);
    assert_int_equal(o.payload_at, 56);
}

static void test_quoted(void **state)
{
    uint8_t bytes[64];
    struct observation o;
    size_t len = unhex(IP4("0028", "06") "9c400017"
                                         "0a000002",
                       bytes); /* as RFC 792 quotes */
    assert_true(decode_quoted(bytes, len, &o));
    assert_int_equal(o.ip_proto, 6);
    assert_int_equal(o.dst_port, 23);
    assert_int_equal(o.state, UDP | SNAPPED);
    len = unhex(SYN6, bytes);
    assert_true(decode_quoted(bytes, len, &o));
    assert_int_equal(o.state, TCP);
    assert_false(decode_quoted(bytes, 39, &o));
    assert_false(decode_quoted(bytes, 0, &o));
    bytes[0] = 0x15;
    assert_false(decode_quoted(bytes, len, &o));
}

static void test_decap_words(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint32_t decap;
    } words[] = {
        {"gre", 0, DECAP_GRE},
        {"gre,vxlan", 0, DECAP_GRE | DECAP_VXLAN},
        {"erspan,ipip,gre,vxlan", 0, ALL},
        {"all", 0, ALL},
        {"none", 0, 0},
        {"", -22, 99},
        {"gre,", -22, 99},
        {"gr", -22, 99},
        {"gre vxlan", -22, 99},
        {"gre,teredo", -22, 99},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        uint32_t decap = 99;
        struct fault fault = {0};
        assert_int_equal(decode_decap_parse(words[i].text, &decap, &fault), words[i].rc);
        assert_int_equal(decap, words[i].decap);
        assert_int_equal(fault.err, -words[i].rc);
    }
    struct fault fault;
    uint32_t decap;
    (void)decode_decap_parse("gre,teredo", &decap, &fault);
    assert_non_null(strstr(fault.text, "'teredo'"));
}

static void test_links(void **state)
{
    static const struct {
        uint32_t link;
        bool reads;
        const char *name;
    } links[] = {
        {0, true, "NULL"},
        {1, true, "EN10MB"},
        {12, true, "RAW"},
        {14, true, "RAW"},
        {101, true, "RAW"},
        {108, true, "LOOP"},
        {113, true, "LINUX_SLL"},
        {228, true, "IPV4"},
        {229, true, "IPV6"},
        {276, true, "LINUX_SLL2"},
        {9, false, "PPP"},
        {105, false, "IEEE802_11"},
        {100, false, "ATM_RFC1483"},
        {65535, false, "LINKTYPE 65535"},
        {UINT32_MAX, false, "LINKTYPE 4294967295"},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char text[32];
        assert_int_equal(decode_reads(links[i].link), links[i].reads);
        assert_string_equal(decode_link_name(links[i].link, text, sizeof text), links[i].name);
    }
}

/* What stands beside the state in a row: flags of IPv4, TOS, the layout of a SYN's options. */
static void test_details(void **state)
{
    static const struct {
        const char *hex;
        uint16_t flags;
        uint8_t tos, layout;
        uint32_t snap;
    } cases[] = {
        {ETH4 SYN4, 0, 0, TCP_LAYOUT_NONE},
        {ETH4 IP4_("45", "0028", "4000", "06") SYN, OBSERVATION_DF, 0, TCP_LAYOUT_NONE},
        {ETH4 IP4_("45", "0028", "8000", "06") SYN, OBSERVATION_RESERVED, 0, TCP_LAYOUT_NONE},
        {ETH4 IP4_("45", "0028", "c000", "06") SYN, OBSERVATION_RESERVED | OBSERVATION_DF, 0,
         TCP_LAYOUT_NONE},
        {ETH4 "45b8"
              "0028"
              "123440004006"
              "00000a0000010a000002" SYN,
         OBSERVATION_DF, 0xb8, TCP_LAYOUT_NONE},
        {ETH6 "6ab00000"
              "0014"
              "064020010db800000000000000000000000120010db8000000000000000000000002" SYN,
         0, 0xab, TCP_LAYOUT_NONE},
        {ETH4 IP4("002c", "06") TCP_("60", "02") "020405b4", 0, 0, TCP_LAYOUT_MSS},
        {ETH4 IP4("002c", "06") TCP_("60", "02") "020405b5", 0, 0, TCP_LAYOUT_OTHER},
        {ETH4 IP4("002c", "06") TCP_("60", "12") "020405b4", 0, 0, TCP_LAYOUT_OTHER},
        {ETH4 IP4("002c", "06") TCP_("60", "02") "020405b4", 0, 0, TCP_LAYOUT_OTHER, .snap = 57},
        {ETH4 IP4("0034", "06") TCP_("80", "02") "020405b40103030801010402", 0, 0,
         TCP_LAYOUT_WINDOWS},
        {ETH4 IP4("0034", "06") TCP_("80", "02") "020405b40103030701010402", 0, 0,
         TCP_LAYOUT_OTHER},
        {ETH4 IP4("003c", "06") TCP_("a0", "02") "020405b40402080a112233440000000001030307", 0, 0,
         TCP_LAYOUT_LINUX},
        {ETH4 IP4("003c", "06") TCP_("a0", "02") "020405b40402080a112233440000000001030308", 0, 0,
         TCP_LAYOUT_OTHER},
        {ETH4 IP4("0040", "06") TCP_("b0", "02") "020405b4010303060101080a112233440000000004020000",
         0, 0, TCP_LAYOUT_BSD},
        {ETH4 IP4("0040", "06") TCP_("b0", "02") "020405b4010303060101080a112233440000000004020101",
         0, 0, TCP_LAYOUT_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct row row = {.what = "detail", .hex = cases[i].hex, .snap = cases[i].snap};
        struct observation o = observe(&row);
        assert_int_equal(o.state & (OBSERVATION_DF | OBSERVATION_RESERVED), cases[i].flags);
        assert_int_equal(o.tos, cases[i].tos);
        assert_int_equal(o.tcp_layout, cases[i].layout);
    }
}

/* What the header of a datagram in fragments states. */
static void test_datagram(void **state)
{
    static const struct {
        const char *hex;
        uint16_t udp_length, payload_len;
    } cases[] = {
        {ETH4 IP4_("45", "0020", "2000", "11") UDP_("03e8") "01020304", 1000, 4},
        {ETH4 IP4_("45", "0020", "2000", "11") UDP_("000c") "01020304", 0, 4},
        {ETH4 IP4_("45", "0020", "0000", "11") UDP_("03e8") "01020304", 0, 4}, /* malformed */
        {ETH6 IP6("0010", "2c") "1100000100000001" UDP_("03e8"), 1000, 0},
        {ETH6 IP6("0010", "2c") "1100000000000001" UDP_("0008"), 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct row row = {.what = "datagram", .hex = cases[i].hex};
        struct observation o = observe(&row);
        assert_int_equal(o.udp_length, cases[i].udp_length);
        assert_int_equal(o.payload_len, cases[i].payload_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_details),   cmocka_unit_test(test_rows),
        cmocka_unit_test(test_fast_path), cmocka_unit_test(test_payload),
        cmocka_unit_test(test_quoted),    cmocka_unit_test(test_decap_words),
        cmocka_unit_test(test_links),     cmocka_unit_test(test_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
