#include "export/ledger.h"

#include "export/record.h"
#include "export/record_window.h"

#include "sample_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { UNKNOWN_NIC = 1 << DROP_nic_missed | 1 << DROP_nic_nombuf | 1 << DROP_nic_error };

static const struct text_case {
    struct window_ledger l;
    uint64_t dropped, lost;
    bool holds;
    const char *en, *ja, *json, *bounds;
} cases[] = {
    {{.offered = 3, .observed = 3},
     0,
     0,
     true,
     "filter 0, full ring 0",
     "フィルタ 0, リング満杯 0",
     "\"nic_missed\":0,\"nic_nombuf\":0,\"nic_error\":0,\"kernel\":0,\"ring_full\":0,\"filtered\":"
     "0",
     "[]"},
    {{.offered = 12, .observed = 3, .filtered = 4, .kernel = 5, .unknown = UNKNOWN_NIC},
     9,
     5,
     true,
     "filter 4, full ring 0, NIC missed unknown, no NIC buffer unknown, NIC errors unknown, "
     "kernel 5",
     "フィルタ 4, リング満杯 0, NIC取りこぼし 不明, NICバッファ不足 不明, NICエラー 不明, "
     "カーネル 5",
     "\"nic_missed\":\"unknown\",\"nic_nombuf\":\"unknown\",\"nic_error\":\"unknown\",\"kernel\":5,"
     "\"ring_full\":0,\"filtered\":4",
     "[]"},
    {{.offered = 10, .observed = 3, .nic_missed = 7, .unknown = 1 << DROP_nic_missed},
     7,
     7,
     true,
     "filter 0, full ring 0, NIC missed at least 7",
     "フィルタ 0, リング満杯 0, NIC取りこぼし 7以上",
     "\"nic_missed\":7,\"nic_nombuf\":0,\"nic_error\":0,\"kernel\":0,\"ring_full\":0,\"filtered\":"
     "0",
     "[\"nic_missed\"]"},
    {{.offered = 10, .observed = 3, .ring_full = 8},
     8,
     8,
     false,
     "filter 0, full ring 8",
     "フィルタ 0, リング満杯 8",
     "\"nic_missed\":0,\"nic_nombuf\":0,\"nic_error\":0,\"kernel\":0,\"ring_full\":8,\"filtered\":"
     "0",
     "[]"},
};

static void words(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct text_case *c = &cases[i];
        char text[LEDGER_TEXT], json[LEDGER_JSON];
        assert_int_equal(ledger_dropped(&c->l), c->dropped);
        assert_int_equal(ledger_lost(&c->l), c->lost);
        assert_int_equal(ledger_holds(&c->l), c->holds);
        assert_string_equal(ledger_dropped_text(&c->l, ", ", false, text), c->en);
        assert_string_equal(ledger_dropped_text(&c->l, ", ", true, text), c->ja);
        assert_string_equal(ledger_json(&c->l, ",", ":", json), c->json);
        assert_string_equal(ledger_json_bounds(&c->l, json), c->bounds);
    }
    struct window_ledger most;
    char text[LEDGER_TEXT], json[LEDGER_JSON];
    memset(&most, 0xff, sizeof most);
    assert_true(strlen(ledger_dropped_text(&most, " + ", true, text)) < LEDGER_TEXT - 1);
    assert_true(strlen(ledger_dropped_text(&most, " + ", false, text)) < LEDGER_TEXT - 1);
    assert_true(strlen(ledger_json(&most, ", ", ": ", json)) < LEDGER_JSON - 1);
    assert_true(strlen(ledger_json_bounds(&most, json)) < LEDGER_JSON - 1);
}

static struct window_ledger some(uint64_t seed)
{
    struct window_ledger l = {.observed = sample_random(&seed) >> (seed % 2 ? 0 : 40)};
    for (unsigned i = 0; i < DROP_COUNT; i++)
        ledger_drop_set(&l, i, sample_random(&seed) >> (sample_random(&seed) % 64));
    l.offered = sample_random(&seed);
    l.unknown = (uint32_t)(sample_random(&seed) % (1 << DROP_COUNT));
    return l;
}

static void merging(void **state)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct window_ledger a = some(seed), b = some(seed + 1000), c = some(seed + 2000);
        struct window_ledger ab = a, ba = b, ab_c, bc = b, a_bc = a;
        ledger_merge(&ab, &b);
        ledger_merge(&ba, &a);
        assert_memory_equal(&ab, &ba, sizeof ab);
        ab_c = ab;
        ledger_merge(&ab_c, &c);
        ledger_merge(&bc, &c);
        ledger_merge(&a_bc, &bc);
        assert_memory_equal(&ab_c, &a_bc, sizeof ab_c);
    }
}

/* All that a window says of what was dropped or given up, to a record and back; merging it with a later part. */
static void records(void **state)
{
    struct ruleset *rules = sample_ruleset();
    struct window *w = sample_window(rules, 0, 0, 50, 7), *later = sample_window(rules, 0, 1, 9, 8),
                  *back = window_create();
    struct record_window *unpack = record_window_create();
    struct record_buffer b = {0};
    struct rule_names names;
    struct record_view view;
    struct fault fault = {0};
    uint32_t crc = 0;
    w->is_partial = true;
    w->ledger.unknown = 1 << DROP_nic_error | 1 << DROP_filtered;
    for (unsigned i = 0; i < DROP_COUNT; i++)
        ledger_drop_set(&w->ledger, i, i + 1);
    w->ledger.offered += 21;
    w->given_up = (struct window_given_up){.recorder_packets = 4, .windows = 5, .events = 6};
    assert_true(window_is_exact(w));
    assert_int_equal(record_pack_window(&b, 1, &crc, w, rules), 0);
    size_t skip = b.data[1] < 0x80 ? 2 : 3;
    assert_int_equal(record_view(&view, b.data + skip, b.len - skip), 0);
    assert_int_equal(rule_names_init(&names, rules), 0);
    record_window_expect(unpack, w->span_ns, true);
    if (record_unpack_window(unpack, back, &names, view.body, view.body_len, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_memory_equal(&back->ledger, &w->ledger, sizeof w->ledger);
    assert_memory_equal(&back->given_up, &w->given_up, sizeof w->given_up);
    assert_true(back->is_partial);

    window_merge(later, back, WINDOW_SPANS);
    assert_true(later->is_partial && ledger_holds(&later->ledger));
    assert_int_equal(later->part, 0);
    assert_int_equal(later->ledger.observed, 59);
    assert_int_equal(later->ledger.kernel, DROP_kernel + 1);
    assert_int_equal(later->ledger.unknown, w->ledger.unknown);
    window_clear(later);
    assert_false(later->is_partial);
    record_buffer_free(&b);
    rule_names_fini(&names);
    record_window_destroy(unpack);
    window_destroy(w);
    window_destroy(later);
    window_destroy(back);
    free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(merging),
        cmocka_unit_test(records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
