/* Briefs read from the frame, against decode and classify: rows, then frames with bytes changed. */
#include "test/brief_check.h"

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
    113,  8, 0,  0, 0, 0, 0x60, 2,  4,   0, 0,   0, 0,   0, 2,    4, 5, 0xb4};

/* The same of Mirai's: no option, no DF, the destination as its sequence number. */
static const uint8_t mirai[FRAME] = {0,   0,    0,   0, 0,   1,    0,    0,    0,    0,  0, 2,  8,
                                     0,   0x45, 0,   0, 40,  0x12, 0x34, 0,    0,    52, 6, 0,  0,
                                     198, 51,   100, 7, 203, 0,    113,  9,    0x80, 0,  0, 23, 203,
                                     0,   113,  9,   0, 0,   0,    0,    0x50, 2,    4,  0};

/* Ethernet, IPv4, UDP: 16 bytes to port 17500. */
static const uint8_t udp[FRAME] = {
    0,   0,   0,   0,    0,    1,    0,    0,    0,   0,   0,   2,   8,   0,   0x45,
    0,   0,   44,  0xd4, 0x31, 0x40, 0,    52,   17,  0,   0,   198, 51,  100, 7,
    203, 0,   113, 9,    0x80, 0,    0x44, 0x5c, 0,   24,  0,   0,   'M', '-', 'S',
    'E', 'A', 'R', 'C',  'H',  ' ',  '*',  ' ',  'H', 'T', 'T', 'P', '/'};

/* To port 1900 it asks a reflector. */
static const uint8_t search[FRAME] = {
    0,   0,   0,   0,    0,    1,    0,   0,    0,   0,   0,   2,   8,   0,   0x45,
    0,   0,   44,  0xd4, 0x31, 0x40, 0,   52,   17,  0,   0,   198, 51,  100, 7,
    203, 0,   113, 9,    0x80, 0,    7,   0x6c, 0,   24,  0,   0,   'M', '-', 'S',
    'E', 'A', 'R', 'C',  'H',  ' ',  '*', ' ',  'H', 'T', 'T', 'P', '/'};

/* Ethernet, IPv4, ICMP: an echo request. */
static const uint8_t echo[FRAME] = {
    0, 0, 0,   0,  0,   1, 0,   0, 0,   0, 0, 2, 8, 0, 0x45, 0, 0, 44, 0xd4, 0x31, 0x40, 0,  52, 1,
    0, 0, 198, 51, 100, 7, 203, 0, 113, 9, 8, 0, 0, 0, 0x12, 1, 0, 1,  'a',  'b',  'c',  'd'};

static struct ruleset *rules;
static struct payload_scratch *scratch;
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
    struct brief p;
    struct frame f = {syn, FRAME, FRAME, 0, 1};
    assert_int_equal(brief_read(&f, 0, rules, 0, &p), BRIEF_WHOLE);
    assert_memory_equal(&p.src, syn + 26, 4);
    assert_int_equal(brief_src_port(&p), 0x8000);
    assert_int_equal(p.port, 23);
    assert_int_equal(brief_wire_len(&p), FRAME);
    assert_int_equal(set_what(p.set), BRIEF_SYN);
    assert_int_equal(set_tools(p.set), 1 << TOOL_nmap);
    f.data = mirai;
    assert_int_equal(brief_read(&f, 0, rules, 0, &p), BRIEF_WHOLE);
    assert_int_equal(set_tools(p.set), 1 << TOOL_mirai);
    f.data = search;
    assert_int_equal(brief_read(&f, 0, rules, 0, &p), BRIEF_OPEN);
    f.data = udp;
    assert_int_equal(brief_read(&f, 0, rules, 0, &p), BRIEF_WHOLE);
    assert_int_equal(p.port, 17500);
    assert_int_equal(set_what(p.set), BRIEF_UDP);
    assert_int_equal(set_tools(p.set), 1 << TOOL_zmap);
    assert_false(brief_read(&f, DECAP_VXLAN, rules, 0, &p)); /* it may be a tunnel */
    f.caplen = 41;                                           /* a byte of the header is missing */
    assert_false(brief_read(&f, 0, rules, 0, &p));
    f = (struct frame){syn, 53, FRAME, 0, 1};
    assert_false(brief_read(&f, 0, rules, 0, &p));
    f = (struct frame){syn, FRAME, FRAME, 0, 101}; /* another link type */
    assert_false(brief_read(&f, 0, rules, 0, &p));
    uint8_t part[FRAME];
    struct observation o;
    memcpy(part, search, FRAME);
    part[20] = 0x20; /* more fragments */
    f = (struct frame){part, FRAME, FRAME, 0, 1};
    decode(&f, 0, &o);
    assert_false(brief_read(&f, 0, rules, 0, &p));
    assert_false(brief_from(&o, part + 42, rules, 0, &p));
    f = (struct frame){echo, FRAME, FRAME, 0, 1};
    assert_int_equal(brief_read(&f, 0, rules, 0, &p), BRIEF_WHOLE);
    assert_int_equal(brief_kind(&p), KIND_icmp);
    assert_int_equal(set_tools(p.set), 1 << TOOL_zmap);
}

/* All flags: the kinds of kind.h. */
static void test_flags(void **state)
{
    (void)state;
    uint8_t bytes[FRAME];
    struct frame f = {bytes, FRAME, FRAME, 0, 1};
    memcpy(bytes, syn, FRAME);
    for (unsigned flags = 0; flags < 256; flags++) {
        struct brief p = {0};
        bytes[47] = (uint8_t)flags;
        bool is_syn = (flags & 0x17) == 0x02, is_reset = flags & 0x04;
        bool is_accepted = (flags & 0x13) == 0x12;
        assert_int_equal(brief_read(&f, 0, rules, 0, &p), is_syn || is_reset || is_accepted);
        if (is_syn)
            assert_int_equal(brief_kind(&p), KIND_tcp_syn);
        else if (is_reset || is_accepted)
            assert_int_equal(brief_kind(&p), KIND_backscatter_tcp);
    }
}

/* A frame of one of the kinds above, some of its bytes changed, some not caught. Owned by the caller. */
static struct frame frame_make(int64_t base_ns)
{
    static const uint8_t *const frames[] = {syn, mirai, udp, search, echo, syn};
    uint32_t caught = pick(4) ? FRAME : pick(FRAME + 1);
    uint8_t *bytes = malloc(caught + 1); /* a read past its end is seen by the sanitizers */
    assert_non_null(bytes);
    memcpy(bytes, frames[pick(6)], caught);
    for (unsigned changes = pick(4); changes > 0 && caught > 12; changes--)
        bytes[12 + pick(caught - 12)] = (uint8_t)(pick(3) ? pick(256) : 1u << pick(8));
    struct frame f = {bytes, caught, caught + (pick(3) ? 0 : pick(40) << pick(8)), 0,
                      pick(20) ? 1 : 101};
    f.ts_ns = base_ns + (int64_t)((uint64_t)pick(1 << 30) << pick(8)) - (pick(8) ? 0 : 1000);
    return f;
}

static void test_changed_bytes(void **state)
{
    (void)state;
    unsigned found = 0, open = 0, rounds = 400000;
    for (unsigned i = 0; i < rounds; i++) {
        int64_t base_ns = (int64_t)pick(1 << 20) << (pick(4) ? 0 : 20);
        struct frame f = frame_make(base_ns);
        enum brief_found is_brief;
        const char *broken =
            brief_check(&f, pick(8) ? 0 : pick(16), rules, scratch, base_ns, &is_brief);
        if (broken)
            fail_msg("%s", broken);
        found += is_brief == BRIEF_WHOLE;
        open += is_brief == BRIEF_OPEN;
        free((void *)f.data);
    }
    assert_in_range(found, rounds / 5, rounds); /* it was about briefs */
    assert_in_range(open, rounds / 50, rounds);
}

/* In a burst each frame says what it says alone, wherever it stands and whatever stands beside it. */
static void test_bursts(void **state)
{
    (void)state;
    struct frame frames[COLUMN];
    struct brief_columns columns;
    for (unsigned round = 0; round < 4000; round++) {
        size_t count = 1 + pick(COLUMN);
        for (size_t i = 0; i < count; i++)
            frames[i] = frame_make(0);
        memset(&columns, 0xff, sizeof columns);
        columns_fill(&columns, frames, count);
        uint64_t any = columns.tcp | columns.udp | columns.icmp;
        assert_true(count == COLUMN || any >> count == 0);
        for (size_t i = 0; i < count; i++) {
            const char *broken = column_check(&columns, i, &frames[i], 0, rules, 0);
            if (broken)
                fail_msg("%s", broken);
        }
        for (size_t i = 0; i < count; i++)
            free((void *)frames[i].data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_flags),
                                       cmocka_unit_test(test_changed_bytes),
                                       cmocka_unit_test(test_bursts)};
    struct payload_settings settings = {.cache_dir = ""};
    if (ruleset_create(&rules, NULL, NULL) < 0 || payload_load(rules, &settings, NULL) < 0)
        return 1;
    scratch = payload_scratch_create(rules);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    payload_scratch_destroy(scratch);
    ruleset_destroy(rules);
    return failed;
}
