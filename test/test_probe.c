/* Probes read from the frame, against decode and classify: rows, then frames with bytes changed. */
#include "test/probe_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FRAME = 58 };

/* Ethernet, IPv4, TCP: a SYN to port 23 with an MSS option. */
static const uint8_t syn[FRAME] = {
    0,    0, 0,  0, 0, 1, 0,    0,  0,   0, 0,   2, 8,   0, 0x45, 0, 0, 44,  0x12, 0x34,
    0x40, 0, 52, 6, 0, 0, 198,  51, 100, 7, 203, 0, 113, 9, 0x80, 0, 0, 23,  203,  0,
    113,  9, 0,  0, 0, 0, 0x60, 2,  4,   0, 0,   0, 0,   0, 2,    4, 5, 0xb4};

/* Ethernet, IPv4, UDP: 16 bytes to port 1900. */
static const uint8_t udp[FRAME] = {0,   0,    0,    0,   0,   1,   0,    0,    0,    0,   0,    2,
                                   8,   0,    0x45, 0,   0,   44,  0xd4, 0x31, 0x40, 0,   52,   17,
                                   0,   0,    198,  51,  100, 7,   203,  0,    113,  9,   0x80, 0,
                                   7,   0x6c, 0,    24,  0,   0,   'M',  '-',  'S',  'E', 'A',  'R',
                                   'C', 'H',  ' ',  '*', ' ', 'H', 'T',  'T',  'P',  '/'};

static struct ruleset *rules;
static uint64_t random_state = 7;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

static void test_rows(void **state)
{
    (void)state;
    struct probe p;
    struct frame f = {syn, FRAME, FRAME, 0, 1};
    assert_true(probe_read(&f, 0, rules, &p));
    assert_int_equal(p.dst, 0xcb007109);
    assert_int_equal(p.port, 23);
    assert_int_equal(p.wire_len, FRAME);
    assert_int_equal(p.set % PROBE_TOOLS, 1 << TOOL_mirai | 1 << TOOL_nmap);
    f.data = udp;
    assert_true(probe_read(&f, 0, rules, &p));
    assert_int_equal(p.port, 1900);
    assert_int_equal(p.set & (PROBE_UDP | (PROBE_TOOLS - 1)), PROBE_UDP | 1 << TOOL_zmap);
    assert_false(probe_read(&f, DECAP_VXLAN, rules, &p)); /* it may be a tunnel */
    f.caplen = 41;                                        /* a byte of the header is missing */
    assert_false(probe_read(&f, 0, rules, &p));
    f = (struct frame){syn, 53, FRAME, 0, 1};
    assert_false(probe_read(&f, 0, rules, &p));
    f = (struct frame){syn, FRAME, FRAME, 0, 101}; /* another link type */
    assert_false(probe_read(&f, 0, rules, &p));
}

static void test_changed_bytes(void **state)
{
    (void)state;
    unsigned found = 0, rounds = 400000;
    for (unsigned i = 0; i < rounds; i++) {
        uint32_t caught = pick(4) ? FRAME : pick(FRAME + 1);
        uint8_t *bytes = malloc(caught + 1); /* a read past its end is seen by the sanitizers */
        assert_non_null(bytes);
        memcpy(bytes, pick(2) ? syn : udp, caught);
        for (unsigned changes = pick(4); changes > 0 && caught > 12; changes--)
            bytes[12 + pick(caught - 12)] = (uint8_t)(pick(3) ? pick(256) : 1u << pick(8));
        struct frame f = {bytes, caught, caught + (pick(3) ? 0 : pick(40)), 0, pick(20) ? 1 : 101};
        bool is_probe;
        const char *broken = probe_check(&f, pick(8) ? 0 : pick(16), rules, &is_probe);
        if (broken)
            fail_msg("%s", broken);
        found += is_probe;
        free(bytes);
    }
    assert_in_range(found, rounds / 5, rounds); /* it was about probes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_changed_bytes)};
    if (ruleset_create(&rules, NULL, NULL) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ruleset_destroy(rules);
    return failed;
}
