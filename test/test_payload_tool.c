#include "classify/payload_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The row's own bytes where it wants them. */
static uint32_t make(const struct payload_tool *row, uint8_t bytes[512], uint32_t *at)
{
    *at = row->at == PAYLOAD_TOOL_ANYWHERE ? 5 : row->at;
    memset(bytes, ' ', 512);
    memcpy(bytes + *at, row->bytes, row->size);
    return row->len ? row->len : *at + row->size;
}

static uint16_t port_of(const struct payload_tool *row)
{
    return row->dst_port ? row->dst_port : 4711;
}

static void test_rows(void **state)
{
    for (unsigned i = 0; i < payload_tool_count; i++) {
        const struct payload_tool *row = &payload_tools[i];
        uint8_t bytes[512];
        uint32_t at, len = make(row, bytes, &at);
        uint16_t port = port_of(row);
        assert_true(row->size >= 11);
        assert_ptr_equal(payload_tool_of(row->proto, port, bytes, len, len), row);
        assert_int_equal(payload_tool_set(row->proto, port, bytes, len, len), 1u << row->tool);
        assert_true(row->tool == TOOL_nmap || row->tool == TOOL_probe);
        /* one byte changed, another length, port, protocol; cut; behind what is looked at */
        bytes[at + row->size - 1] ^= 1;
        assert_null(payload_tool_of(row->proto, port, bytes, len, len));
        bytes[at + row->size - 1] ^= 1;
        if (row->len)
            assert_null(payload_tool_of(row->proto, port, bytes, len, len + 1u));
        if (row->dst_port)
            assert_null(payload_tool_of(row->proto, port + 1u, bytes, len, len));
        assert_null(payload_tool_of(IPPROTO_NR_ICMP, port, bytes, len, len));
        assert_null(payload_tool_of(row->proto, port, bytes, at + row->size - 1u, len));
        assert_null(payload_tool_of(row->proto, port, NULL, 0, len));
    }
}

static void test_depth(void **state)
{
    static const char agent[] = "User-Agent: Mozilla/5.0 zgrab/0.x";
    uint8_t bytes[512] = {0};
    memcpy(bytes + 200, agent, sizeof agent);
    assert_non_null(payload_tool_of(IPPROTO_NR_TCP, 80, bytes, sizeof bytes, sizeof bytes));
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes + 240, agent, sizeof agent);
    assert_null(payload_tool_of(IPPROTO_NR_TCP, 80, bytes, sizeof bytes, sizeof bytes));
}

/* What is looked for by a payload's begin must find every row on every port that the row has. */
static void test_wants(void **state)
{
    for (unsigned i = 0; i < payload_tool_count; i++) {
        const struct payload_tool *row = &payload_tools[i];
        uint8_t b[512];
        uint32_t at, len = make(row, b, &at);
        uint32_t first4 = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        for (uint32_t port = 0; port < 65536 && row->proto == IPPROTO_NR_UDP; port++)
            if (row->dst_port == 0 || row->dst_port == port)
                assert_true(payload_tool_wants_udp((uint16_t)port, len, first4));
    }
    assert_false(payload_tool_wants_udp(7, 40, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_depth),
                                       cmocka_unit_test(test_wants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
