#include "core/event_indicator.h"
#include "core/indicator_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The n-th sighting of a stream that anybody can make again. */
static void sight(struct indicator_table *t, unsigned n, unsigned kinds)
{
    struct indicator indicator;
    memset(&indicator, 0x5a, sizeof indicator); /* what is behind a value means nothing */
    indicator.kind = INDICATOR_URL;
    indicator.role = INDICATOR_LOADER;
    unsigned what = n * 2654435761u >> 7;
    char rule[16];
    snprintf(indicator.value, sizeof indicator.value, "hxxp://evil[.]example/%u", what % kinds);
    snprintf(rule, sizeof rule, "rule-%u", what % 3);
    const struct indicator_sighting s = {
        .indicator = &indicator,
        .date = (int32_t)(what / 7 % 2),
        .day_end_ns = (int64_t)(what / 7 % 2 + 1) * 1000000,
        .ts_ns = (int64_t)(what % 997),
        .wire_len = 60 + what % 5,
        .source = distinct_mix(what % 2000),
        .port = (uint16_t)(what % 11),
        .proto = EVENT_TCP,
        .rule = rule,
    };
    indicator_table_add(t, &s);
}

static int entry_order(const void *a, const void *b)
{
    const struct indicator_entry *x, *y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    int order = strcmp(x->value, y->value);
    return order != 0 ? order : x->date - y->date;
}

/* All that a table has, as text; the caller frees it. */
static char *text_of(const struct indicator_table *t)
{
    const struct indicator_entry **all = calloc(t->count + 1, sizeof *all);
    size_t len = 0, room = 256 * (size_t)(t->count + 2);
    char *text = calloc(1, room);
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->room; i++)
        if (t->at[i] != NULL)
            all[count++] = t->at[i];
    assert_int_equal(count, t->count);
    qsort(all, count, sizeof *all, entry_order);
    len += (size_t)snprintf(text, room, "left out %lu\n", (unsigned long)t->left_out);
    for (uint32_t i = 0; i < count; i++)
        len += (size_t)snprintf(
            text + len, room - len, "%s %d: %ld %ld %lu %lu %lu %u %s\n", all[i]->value,
            all[i]->date, (long)all[i]->first_ns, (long)all[i]->last_ns,
            (unsigned long)all[i]->packets, (unsigned long)all[i]->bytes,
            (unsigned long)distinct_count(&all[i]->sources), all[i]->port, all[i]->rule);
    free(all);
    return text;
}

/* However sightings are spread over tables, and in what order they are merged: the same. */
static void test_spread(void **state)
{
    static const struct {
        unsigned sightings, kinds, most;
        bool is_beyond;
    } cases[] = {
        {5000, 40, 1000, false}, {5000, 3000, 10000, false}, {20000, 3000, 100, true},
        {20000, 9000, 16, true}, {3000, 50, 100, false},     {3000, 51, 100, true},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        char *whole = NULL;
        for (unsigned tables = 1; tables <= 7; tables += 3) {
            struct indicator_table *t[7], *sum;
            for (unsigned i = 0; i < tables; i++)
                t[i] = indicator_table_create(cases[c].most);
            for (unsigned n = 0; n < cases[c].sightings; n++)
                sight(t[n * 40503u / 5 % tables], tables % 2 ? n : cases[c].sightings - 1 - n,
                      cases[c].kinds);
            sum = t[tables - 1];
            for (unsigned i = 0; i + 1 < tables; i++) {
                indicator_table_merge(sum, t[i]);
                assert_int_equal(t[i]->count, 0);
                indicator_table_destroy(t[i]);
            }
            indicator_table_cut(sum);
            assert_true(sum->count <= cases[c].most);
            assert_int_equal(sum->left_out > 0, cases[c].is_beyond);
            char *text = text_of(sum);
            if (whole == NULL)
                whole = text;
            else
                assert_string_equal(text, whole);
            if (text != whole)
                free(text);
            indicator_table_destroy(sum);
        }
        free(whole);
    }
}

/* What was told of stays as it was told. */
static void test_begun(void **state)
{
    struct indicator_table *t = indicator_table_create(10), *later = indicator_table_create(10);
    struct indicator indicator = {.kind = INDICATOR_HOST, .value = "evil[.]example"};
    struct indicator_sighting s = {
        .indicator = &indicator, .ts_ns = 100, .port = 80, .proto = EVENT_TCP, .rule = "b"};
    indicator_table_add(t, &s);
    struct indicator_entry *e = NULL;
    for (uint32_t i = 0; i < t->room; i++)
        e = t->at[i] != NULL ? t->at[i] : e;
    e->is_begun = true;
    s.ts_ns = 50, s.port = 23, s.rule = "a";
    indicator_table_add(later, &s);
    indicator_table_merge(t, later);
    assert_int_equal(t->count, 1);
    assert_int_equal(e->first_ns, 100);
    assert_int_equal(e->last_ns, 100);
    assert_int_equal(e->port, 80);
    assert_string_equal(e->rule, "b");
    assert_int_equal(e->packets, 2);
    indicator_table_destroy(t);
    indicator_table_destroy(later);
}

/* ---- telling and keeping ---- */

static struct event_told *told_make(unsigned from, unsigned to, int64_t now_ns, bool is_last)
{
    struct event_told *told = calloc(1, sizeof *told);
    told->indicators = indicator_table_create(1000);
    for (unsigned n = from; n < to; n++)
        sight(told->indicators, n, 60);
    told->looks = true;
    told->is_last = is_last;
    told->now_ns = now_ns;
    return told;
}

static void take(struct event_indicators *x, unsigned from, unsigned to, int64_t now_ns,
                 bool is_last, struct indicator_told *out)
{
    struct event_told *told[] = {NULL, told_make(from, to, now_ns, is_last)};
    event_indicators_take(x, told, 2, out);
    event_told_destroy(told[1]);
}

static uint64_t packets_of(const struct indicator_told *told, enum event_phase phase)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < told->count; i++) {
        struct event e;
        indicator_line_expand(&told->lines[i], "sensor", 5, &e);
        assert_null(event_wrong(&e));
        sum += told->lines[i].phase == phase ? e.packets : 0;
    }
    return sum;
}

/* Over a restart in the midst nothing is lost, and nothing is told twice. */
static void test_saved(void **state)
{
    struct event_settings settings = event_settings_published();
    settings.every_ns = 10;
    settings.indicators = 1000;
    struct event_indicators *x = event_indicators_create(&settings);
    struct event_indicators *y = event_indicators_create(&settings);
    struct indicator_told told = {0};
    struct event_bytes bytes = {0}, again = {0};
    take(x, 0, 4000, 100, false, &told);
    assert_int_equal(told.count, 120);
    assert_int_equal(packets_of(&told, EVENT_BEGINS), 4000);
    indicator_told_fini(&told);

    event_indicators_save(x, &bytes);
    const uint8_t *at = bytes.at, *end = bytes.at + bytes.len;
    while (at < end)
        assert_int_equal(event_indicators_restore(y, &at, end), 0);
    event_indicators_save(y, &again);
    assert_int_equal(again.len, bytes.len);

    take(y, 4000, 5000, 105, false, &told); /* too early to be told again */
    assert_int_equal(told.count, 0);
    take(y, 5000, 5000, 110, false, &told);
    assert_int_equal(packets_of(&told, EVENT_GOES_ON), 5000);
    indicator_told_fini(&told);
    take(y, 5000, 5001, 1000000, false, &told); /* the first date is over */
    uint64_t first = packets_of(&told, EVENT_ENDS);
    indicator_told_fini(&told);
    take(y, 5001, 5001, 1000001, true, &told);
    assert_int_equal(first + packets_of(&told, EVENT_ENDS), 5001);
    indicator_told_fini(&told);

    /* Each byte matters, or does no harm. */
    for (size_t i = 0; i < 420 && i < bytes.len; i++) {
        bytes.at[i] ^= 0x55;
        at = bytes.at;
        (void)event_indicators_restore(y, &at, end);
        bytes.at[i] ^= 0x55;
    }
    at = bytes.at;
    assert_int_equal(event_indicators_restore(y, &at, bytes.at + 100), -EBADMSG);
    event_bytes_fini(&bytes);
    event_bytes_fini(&again);
    event_indicators_destroy(x);
    event_indicators_destroy(y);
}

/* Beyond the bound the smallest end, of equals the oldest. */
static void test_bound(void **state)
{
    struct event_settings settings = event_settings_published();
    settings.indicators = 40;
    struct event_indicators *x = event_indicators_create(&settings);
    struct indicator_told told = {0};
    for (unsigned n = 0; n < 8; n++) {
        take(x, n * 10, n * 10 + 10, n, false, &told);
        size_t open = 0;
        for (size_t i = 0; i < told.count; i++)
            open += told.lines[i].phase == EVENT_BEGINS ? 1u : (size_t)-1;
        assert_true(open <= 40);
    }
    assert_true(told.gave_up > 0);
    for (size_t i = 0; i < told.count; i++)
        assert_int_equal(told.lines[i].gave_up, told.lines[i].phase == EVENT_ENDS);
    indicator_told_fini(&told);
    event_indicators_destroy(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_begun),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
