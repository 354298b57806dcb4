/* Gaps that are cut to a day and overlap, windows that are taken apart or not: the same is said. */
#include "export/outages.h"

#include "sample_window.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define S INT64_C(1000000000)

static struct record_view view_of(const struct record_buffer *b)
{
    struct record_view view;
    size_t skip = b->data[0] < 0x80 ? 1 : b->data[1] < 0x80 ? 2 : 3;
    assert_int_equal(record_view(&view, b->data + skip, b->len - skip), 0);
    return view;
}

static void gap_add(struct outages *o, struct feed_gap gap)
{
    struct record_buffer b = {0};
    struct fault fault;
    uint32_t crc = 0;
    assert_int_equal(record_pack_gap(&b, 1, &crc, &gap), 0);
    struct record_view view = view_of(&b);
    assert_int_equal(outages_add_gap(o, view.body, view.body_len, &fault), 0);
    record_buffer_free(&b);
}

static const struct {
    struct feed_gap gaps[3];
    unsigned count;
    int64_t from_s, to_s, missing_s;
} missing[] = {
    {{{0}}, 0, 0, 100, 0},
    {{{.from_ns = 10 * S, .to_ns = 20 * S}}, 1, 0, 100, 10},
    {{{.from_ns = 10 * S, .to_ns = 20 * S}}, 1, 15, 100, 5},
    {{{.from_ns = 10 * S, .to_ns = 20 * S}}, 1, 0, 12, 2},
    {{{.from_ns = 10 * S, .to_ns = 20 * S}}, 1, 20, 100, 0},
    {{{.from_ns = 10 * S, .to_ns = 20 * S}, {.from_ns = 15 * S, .to_ns = 30 * S}}, 2, 0, 100, 20},
    {{{.from_ns = 50 * S, .to_ns = 60 * S},
      {.from_ns = 10 * S, .to_ns = 90 * S, .reason = FEED_GAP_source},
      {.from_ns = 95 * S, .to_ns = 96 * S}},
     3,
     0,
     100,
     81},
};

static void gaps_cover(void **state)
{
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        struct outages o = {0};
        int64_t ns;
        for (unsigned k = 0; k < missing[i].count; k++)
            gap_add(&o, missing[i].gaps[k]);
        assert_int_equal(outages_missing(&o, missing[i].from_s * S, missing[i].to_s * S, &ns), 0);
        if (ns != missing[i].missing_s * S)
            fail_msg("case %zu: %lld ns", i, (long long)ns);
        assert_int_equal(outages_are_none(&o), missing[i].count == 0);
        outages_fini(&o);
    }
}

/* As bytes of a feed may say. */
static void a_gap_of_all_time_is_the_most(void **state)
{
    struct outages o = {0};
    int64_t ns;
    gap_add(&o, (struct feed_gap){.from_ns = INT64_MIN, .to_ns = INT64_MAX});
    assert_int_equal(outages_missing(&o, INT64_MIN, INT64_MAX, &ns), 0);
    assert_int_equal(ns, INT64_MAX);
    assert_int_equal(outages_missing(&o, INT64_MIN, INT64_MIN + 5, &ns), 0);
    assert_int_equal(ns, 5);
    outages_fini(&o);
}

static void gaps_are_bounded(void **state)
{
    struct outages o = {0};
    for (int i = 0; i < OUTAGES_KEPT + 7; i++)
        gap_add(&o, (struct feed_gap){.from_ns = i, .to_ns = i + 1});
    assert_int_equal(o.gap_count, OUTAGES_KEPT);
    assert_int_equal(o.gaps_more, 7);
    outages_drop(&o, 900);
    assert_int_equal(o.gap_count, 101);
    assert_int_equal(o.gaps[0].to_ns, 900);
    outages_fini(&o);
    assert_true(outages_are_none(&o));
}

/* Taken apart by protobuf or by its few fields: the same. */
static void windows_are_read(void **state)
{
    struct ruleset *rules = sample_ruleset();
    struct outages unpacked = {0}, walked = {0};
    for (unsigned i = 0; i < 12; i++) {
        struct window *w = sample_window(rules, i, 0, 200, i);
        struct record_buffer b = {0};
        uint32_t crc = 0;
        w->part = i % 3 == 2;
        w->is_partial = i % 2;
        w->given_up = (struct window_given_up){
            .recorder_packets = i % 4 * 1000, .windows = i % 5, .events = i % 2 * 300};
        assert_int_equal(record_pack_window(&b, i + 1, &crc, w, rules), 0);
        struct record_view view = view_of(&b);
        outages_add_window(&unpacked, w);
        assert_int_equal(outages_add_record(&walked, view.body, view.body_len), 0);
        for (size_t len = 0; len < view.body_len; len += 7) { /* cut anywhere: no crash */
            struct outages cut = {0};
            outages_add_record(&cut, view.body, len);
        }
        record_buffer_free(&b);
        window_destroy(w);
    }
    free(rules);
    assert_int_equal(unpacked.partial, 4);
    assert_int_equal(unpacked.windows, 8);
    assert_memory_equal(&unpacked, &walked, sizeof walked);
}

/* What a merge left at the end of the type stays there. */
static void given_up_ends(void **state)
{
    struct window *w = window_create();
    struct outages o = {0};
    w->given_up = (struct window_given_up){
        .recorder_packets = UINT64_MAX, .windows = UINT64_MAX, .events = UINT64_MAX - 1};
    for (int i = 0; i < 3; i++)
        outages_add_window(&o, w);
    assert_true(o.given_up.recorder_packets == UINT64_MAX);
    assert_true(o.given_up.windows == UINT64_MAX);
    assert_true(o.given_up.events == UINT64_MAX);
    window_destroy(w);
}

static void said_as_json(void **state)
{
    struct outages o = {.windows = 9, .partial = 1, .given_up = {.recorder_packets = 5}};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    gap_add(&o, (struct feed_gap){.from_ns = -1500 * S / 1000, .to_ns = 3 * S, .sensor = "</a\"b"});
    gap_add(&o, (struct feed_gap){.from_ns = 200 * S, .to_ns = 300 * S});
    outages_json(out, &o, -2 * S, 100 * S);
    fclose(out);
    assert_string_equal(
        text, "{\"windows\":9,\"partial\":1,\"missing_s\":4.500,\"gaps\":[{\"start\":-1.500,"
              "\"end\":3.000,\"reason\":\"restart\",\"said\":[\"did not run\",\"停止中\"],"
              "\"windows\":0,\"sensor\":\"</a\\\"b\"}],\"gaps_more\":0,\"given_up\":{"
              "\"recorder_packets\":5,\"windows\":0,\"events\":0,\"ports\":0,\"sources\":0}}");
    free(text);
    outages_fini(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_cover),       cmocka_unit_test(gaps_are_bounded),
        cmocka_unit_test(windows_are_read), cmocka_unit_test(given_up_ends),
        cmocka_unit_test(said_as_json),     cmocka_unit_test(a_gap_of_all_time_is_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
