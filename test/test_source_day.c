/* Source days: their order, their merge in any order and grouping, what they are held to, their records. */
#include "export/record.h"
#include "export/yamiscope.pb-c.h"
#include "source_day_case.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* The bytes of its record, which say all there is. */
static size_t bytes_of(const struct source_day *s, struct record_buffer *b)
{
    uint32_t crc = 0;
    b->len = 0;
    assert_int_equal(record_pack_source_day(b, 1, &crc, s), 0);
    return b->len;
}

static void assert_same(const struct source_day *a, const struct source_day *b)
{
    struct record_buffer x = {0}, y = {0};
    size_t len = bytes_of(a, &x);
    assert_int_equal(len, bytes_of(b, &y));
    assert_memory_equal(x.data, y.data, len);
    record_buffer_free(&x);
    record_buffer_free(&y);
}

static void orders(void **state)
{
    static const char *const ascending[] = {"1.2.3.4",
                                            "1.2.3.5",
                                            "200.0.0.1",
                                            "00000000000000000000000000000001",
                                            "20010db8000000000000000000000001",
                                            "20010db8000000010000000000000000"};
    enum { COUNT = sizeof ascending / sizeof ascending[0] };
    struct source_day *s[COUNT];
    for (int i = 0; i < COUNT; i++)
        s[i] = source_day_new(ascending[i]);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            int order = source_day_order(s[i], s[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    s[0]->date = 1;
    assert_true(source_day_order(s[0], s[COUNT - 1]) > 0);
}

/* Parts of one source, merged as a random tree of random order, give one answer. */
static void merges_in_any_grouping(void **state)
{
    enum { ROUNDS = 200, PARTS = 6 };
    struct random_stream r;
    random_init(&r, 20260101);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct source_day *parts[PARTS];
        struct source_day_buffer plain = {0}, tree[PARTS] = {{{0}}};
        for (unsigned i = 0; i < PARTS; i++) {
            parts[i] =
                source_day_random(&r, round % 2 ? "192.0.2.7" : "20010db8000000000000000000000007");
            char why[100];
            if (!source_day_holds(parts[i], why, sizeof why))
                fail_msg("part: %s", why);
            assert_int_equal(source_day_copy(&tree[i], parts[i]), 0);
        }
        assert_int_equal(source_day_copy(&plain, parts[0]), 0);
        for (unsigned i = 1; i < PARTS; i++)
            assert_int_equal(source_day_merge(&plain, parts[i]), 0);
        for (unsigned left = PARTS; left > 1; left--) {
            unsigned a = (unsigned)case_random(&r, left), b = (unsigned)case_random(&r, left - 1);
            b += b >= a;
            assert_int_equal(source_day_merge(&tree[a], &tree[b].day), 0);
            struct source_day_buffer last = tree[left - 1];
            if (b != left - 1) {
                source_day_buffer_free(&tree[b]);
                tree[b] = last;
            } else {
                source_day_buffer_free(&last);
            }
            tree[left - 1] = (struct source_day_buffer){0};
        }
        char why[100];
        if (!source_day_holds(&plain.day, why, sizeof why))
            fail_msg("merged: %s", why);
        assert_same(&plain.day, &tree[0].day);
        source_day_buffer_free(&plain);
        source_day_buffer_free(&tree[0]);
    }
}

static void merges_what_it_says(void **state)
{
    struct source_day_buffer b = {0};
    struct source_day *x = source_day_new("192.0.2.1"), *y = source_day_new("192.0.2.1");
    source_day_to(x, KIND_tcp_syn, 23, 4);
    source_day_to(y, KIND_tcp_syn, 23, 5);
    source_day_to(y, KIND_udp, 53, 1);
    x->first_ns = 10;
    x->last_ns = 20;
    y->first_ns = 5;
    y->last_ns = 15;
    source_day_shows(x, EVIDENCE_bot, "mirai", KIND_tcp_syn, 23, 2);
    source_day_shows(y, EVIDENCE_payload, "dns", KIND_udp, 53, 1);
    x->reach[REACH_TCP] = (struct source_reach){3, 3};
    y->reach[REACH_TCP] = (struct source_reach){14, 14};
    x->reach[REACH_MIRAI] =
        (struct source_reach){2, 1}; /* a part of a run: one of the two is new */
    y->reach[REACH_MIRAI] = (struct source_reach){1, 1};
    x->tcp_ns = y->tcp_ns = 12;
    x->tcp_src_port = 5;
    y->tcp_src_port = 6;
    x->evidence_proto = SOURCE_DAY_TCP;
    x->origin =
        (struct source_day_origin){.acknowledged = "", .country = "JP", .asn = 7, .as_name = "a"};
    y->origin = (struct source_day_origin){.bogon = "10.0.0.0/8", .asn = 6, .as_name = "z"};
    assert_int_equal(source_day_copy(&b, x), 0);
    assert_int_equal(source_day_merge(&b, y), 0);
    const struct source_day *s = &b.day;
    assert_int_equal(s->kinds[KIND_tcp_syn].packets, 9);
    assert_int_equal(s->port_count, 2);
    assert_int_equal(s->ports[0].packets, 9);
    assert_int_equal(s->evidence_count, 2);
    assert_int_equal(s->evidence_ns, 20);
    assert_int_equal(s->evidence_dst_port, 23);
    assert_int_equal(s->evidence_proto, SOURCE_DAY_TCP);
    assert_int_equal(s->reach[REACH_TCP].low, 14);
    assert_int_equal(s->reach[REACH_TCP].high, SOURCE_REACH_MAX);
    assert_int_equal(s->reach[REACH_MIRAI].low, 2);
    assert_int_equal(s->reach[REACH_MIRAI].high, 2);
    assert_int_equal(s->tcp_src_port, 6);
    assert_int_equal(s->first_ns, 5);
    assert_int_equal(s->last_ns, 20);
    assert_string_equal(s->origin.bogon, "10.0.0.0/8");
    assert_string_equal(s->origin.country, "JP");
    assert_int_equal(s->origin.asn, 7);
    assert_string_equal(s->origin.as_name, "a");
    assert_int_equal(source_day_targets(s), 2);
    assert_int_equal(source_day_survey_packets(s), 10);
    source_day_buffer_free(&b);
}

static void uses_tools(void **state)
{
    static const struct {
        enum tool tool;
        uint64_t matched, syn, other;
        bool uses;
    } cases[] = {
        {TOOL_mirai, 1, 9999, 0, true},  {TOOL_mirai, 0, 100, 0, false},
        {TOOL_zmap, 1, 1, 0, false},     {TOOL_zmap, 2, 2, 18, true},
        {TOOL_zmap, 2, 2, 19, false},    {TOOL_masscan, 2, 20, 999, true},
        {TOOL_masscan, 2, 21, 0, false}, {TOOL_nmap, 3, 1, 99, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct source_day *s = source_day_new("192.0.2.1");
        source_day_kind(s, KIND_tcp_syn, cases[i].syn);
        source_day_kind(s, KIND_icmp, cases[i].other);
        s->tools[cases[i].tool] = cases[i].matched;
        if (source_day_uses(s, cases[i].tool) != cases[i].uses)
            fail_msg("row %zu", i);
    }
}

/* Packed by hand, unpacked by hand and by protobuf-c, and packed again. */
static void records_come_back(void **state)
{
    struct random_stream r;
    struct record_buffer x = {0}, y = {0};
    struct source_day_buffer b = {0};
    struct fault fault;
    random_init(&r, 7);
    for (unsigned round = 0; round < 2000; round++) {
        struct source_day *s =
            source_day_random(&r, round % 3 ? "203.0.113.9" : "20010db80000000000000000000000ff");
        s->date = (int32_t)case_random(&r, 40000) - 20000;
        size_t len = bytes_of(s, &x);
        struct record_view view;
        size_t prefix = x.data[0] < 0x80 ? 1 : 2;
        assert_int_equal(record_view(&view, x.data + prefix, len - prefix), 0);
        assert_int_equal(view.seq, 1);
        assert_int_equal(view.body_kind, RECORD_source_day);
        assert_int_equal(view.crc, record_crc(0, x.data + prefix, view.crc_over));

        Yamiscope__SourceDay *m = yamiscope__source_day__unpack(NULL, view.body_len, view.body);
        assert_non_null(m);
        assert_int_equal(m->date, s->date);
        assert_int_equal(m->n_evidence, s->evidence_count);
        uint8_t *again = malloc(yamiscope__source_day__get_packed_size(m));
        assert_int_equal(yamiscope__source_day__pack(m, again), view.body_len);
        assert_memory_equal(again, view.body, view.body_len);
        free(again);
        yamiscope__source_day__free_unpacked(m, NULL);

        if (record_unpack_source_day(&b, view.body, view.body_len, &fault) != 0)
            fail_msg("%s", fault.text);
        assert_int_equal(bytes_of(&b.day, &y), len);
        assert_memory_equal(x.data, y.data, len);

        for (size_t cut = 0; cut < view.body_len; cut += 1 + case_random(&r, 20)) /* no crash */
            record_unpack_source_day(&b, view.body, cut, &fault);
    }
    record_buffer_free(&x);
    record_buffer_free(&y);
    source_day_buffer_free(&b);
}

/* Each breaks one promise. */
static struct source_day *sound(void)
{
    struct source_day *s = source_day_new("192.0.2.1");
    source_day_to(s, KIND_tcp_syn, 23, 4);
    source_day_to(s, KIND_tcp_syn, 80, 4);
    s->first_ns = 10;
    s->last_ns = 20;
    source_day_shows(s, EVIDENCE_bot, "mirai", KIND_tcp_syn, 23, 2);
    return s;
}

#define BREAKS(X)                                                 \
    X(no_packets, memset(s->kinds, 0, sizeof s->kinds))           \
    X(times, s->last_ns = 9)                                      \
    X(version, s->ip_version = 5)                                 \
    X(scan_sum, s->kinds[KIND_tcp_syn].packets++)                 \
    X(kind_of_port, s->ports[0].kind = KIND_icmp)                 \
    X(kind_too_small, (s->ports[1].kind = KIND_udp))              \
    X(port_twice, s->ports[1].port = 23)                          \
    X(port_empty, s->ports[0].packets = 0; s->unlisted_ports = 4) \
    X(tool, s->tools[0] = 9)                                      \
    X(note, s->notes[0] = 9)                                      \
    X(evidence_nameless, s->evidence[0].rule = "")                \
    X(evidence_of_port, s->evidence[0].evidence = EVIDENCE_port)  \
    X(evidence_beyond, s->evidence[0].packets = 5)                \
    X(evidence_elsewhere, s->evidence[0].port = 24)               \
    X(evidence_unlisted, s->unlisted_evidence = 7)                \
    X(evidence_proto, s->evidence_proto = 3)                      \
    X(reach_too_far, s->reach[REACH_TCP].high = 17)               \
    X(reach_more_than_packets, s->reach[REACH_TCP].high = 16)     \
    X(reach_of_mirai, s->reach[REACH_MIRAI].low = 2)              \
    X(reach_of_mirai_new, s->reach[REACH_MIRAI].high = 9)         \
    X(tcp_late, (s->tcp_dst_port = 1, s->tcp_ns = 21))            \
    X(evidence_late, s->evidence_ns = 21)                         \
    X(evidence_gone, s->evidence_count = 0)                       \
    X(country, memcpy(s->origin.country, "jp", 3))                \
    X(as_name, s->origin.as_name = "x")

static void holds(void **state)
{
    char why[100];
    struct record_buffer b = {0};
    struct source_day_buffer buffer = {0};
    struct fault fault;
    assert_true(source_day_holds(sound(), why, sizeof why));
    struct source_day *part = sound(); /* reached before, and now with the feature */
    part->reach[REACH_TCP] = (struct source_reach){2, 0};
    part->reach[REACH_MIRAI] = (struct source_reach){2, 2};
    assert_true(source_day_holds(part, why, sizeof why));
#define BREAK(name, change)                                                                      \
    {                                                                                            \
        struct source_day *s = sound();                                                          \
        change;                                                                                  \
        if (source_day_holds(s, why, sizeof why))                                                \
            fail_msg(#name " is not noticed");                                                   \
        if (s->ip_version != 5 && source_day_has_evidence(s)) { /* else not in its bytes */      \
            struct record_view view;                                                             \
            size_t len = bytes_of(s, &b), prefix = b.data[0] < 0x80 ? 1 : 2;                     \
            assert_int_equal(record_view(&view, b.data + prefix, len - prefix), 0);              \
            if (record_unpack_source_day(&buffer, view.body, view.body_len, &fault) != -EBADMSG) \
                fail_msg(#name " is unpacked");                                                  \
        }                                                                                        \
    }
    BREAKS(BREAK)
    record_buffer_free(&b);
    source_day_buffer_free(&buffer);
}

static void sums_stay_at_their_end(void **state)
{
    struct source_day_buffer b = {0};
    struct source_day *s = source_day_new("192.0.2.1");
    s->kinds[KIND_icmp].packets = UINT64_MAX - 1;
    assert_int_equal(source_day_copy(&b, s), 0);
    assert_int_equal(source_day_merge(&b, s), 0);
    assert_true(b.day.kinds[KIND_icmp].packets == UINT64_MAX);
    source_day_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),
        cmocka_unit_test(merges_in_any_grouping),
        cmocka_unit_test(merges_what_it_says),
        cmocka_unit_test(uses_tools),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(holds),
        cmocka_unit_test(sums_stay_at_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
