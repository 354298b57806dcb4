/* Spans: calendar, what days add up to, exact sources, windows. The hand-made day's numbers stand in test_day.c. */
#include "day_case.h"
#include "export/day_span.h"
#include "export/report_words.h"
#include "export/source_key.h"
#include "export/span.h"
#include "export/span_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ruleset *rules;

static const struct {
    enum span_unit unit;
    int32_t date; /* days since 1970 */
    const char *label;
    int32_t first, next;
} calendar[] = {
    {SPAN_day, 0, "1970-01-01", 0, 1},
    {SPAN_day, -1, "1969-12-31", -1, 0},
    {SPAN_month, 0, "1970-01", 0, 31},
    {SPAN_month, 19782, "2024-02", 19754, 19783},      /* 2024-02-29, a leap year */
    {SPAN_month, 20453, "2025-12", 20423, 20454},      /* 2025-12-31 */
    {SPAN_year, 20453, "2025", 20089, 20454},          /* 365 days */
    {SPAN_year, 19782, "2024", 19723, 20089},          /* 366 days */
    {SPAN_fiscal_year, 20454, "FY2025", 20179, 20544}, /* 2026-01-01: April 2025 to March 2026 */
    {SPAN_fiscal_year, 20543, "FY2025", 20179, 20544}, /* 2026-03-31 */
    {SPAN_fiscal_year, 20544, "FY2026", 20544, 20909}, /* 2026-04-01 */
    {SPAN_month, 47541, "2100-03", 47541, 47572},      /* 2100 is no leap year */
};

static void dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calendar / sizeof *calendar; i++) {
        char label[SPAN_LABEL];
        span_label(calendar[i].unit, calendar[i].date, label);
        assert_string_equal(label, calendar[i].label);
        assert_int_equal(span_first_date(calendar[i].unit, calendar[i].date), calendar[i].first);
        assert_int_equal(span_next_date(calendar[i].unit, calendar[i].date), calendar[i].next);
    }
    assert_int_equal(span_unit_find("fiscal-year"), SPAN_fiscal_year);
    assert_int_equal(span_unit_find("week"), SPAN_UNIT_COUNT);
}

/* The hand-made day on another date; `skip`: that source is not there, SIZE_MAX none. */
struct made {
    struct day_facts facts;
    struct day *day;
    const struct day_result *r;
    struct source_day *s[DAY_CASE_SOURCES];
};

static void make(struct made *m, int shift, bool is_configured, size_t skip)
{
    struct day_settings settings = day_case_settings(rules);
    struct fault fault;
    day_case_make(m->s);
    day_case_facts(&m->facts, is_configured);
    m->facts.date += shift;
    m->facts.start_ns += shift * INT64_C(86400000000000);
    m->facts.end_ns += shift * INT64_C(86400000000000);
    m->day = day_create(&settings);
    for (size_t i = 0; i < DAY_CASE_SOURCES; i++) {
        m->s[i]->date += shift;
        if (i != skip)
            day_case_count(&m->facts, m->s[i]);
    }
    assert_int_equal(day_begin(m->day, &m->facts, &fault), 0);
    for (size_t i = 0; i < DAY_CASE_SOURCES; i++)
        if (i != skip)
            assert_int_equal(day_add(m->day, m->s[i], &fault), 0);
    assert_int_equal(day_end(m->day, &m->r, &fault), 0);
}

static void made_free(struct made *m)
{
    day_destroy(m->day);
    day_facts_fini(&m->facts);
}

/* A span of one day says what the day says. */
static void one_day(void **state)
{
    struct made m;
    (void)state;
    make(&m, 0, true, SIZE_MAX);
    struct span *s = span_create(SPAN_day, "x");
    assert_int_equal(span_add_day(s, m.r, false), 0);
    assert_int_equal(span_end(s), 0);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        assert_int_equal(s->marks[mark].packets, m.r->marks[mark].packets);
        assert_int_equal(s->marks[mark].sources_ex.low, m.r->marks[mark].sources_ex);
        for (unsigned over = 0; over < SHARE_OVER_COUNT && mark >= DENOMINATOR_COUNT; over++) {
            struct span_share share = span_share(s, mark, over);
            struct share day = day_share(m.r, mark, over, false);
            assert_memory_equal(&share.packets, &day, sizeof day);
        }
    }
    assert_int_equal(s->ports.count, m.r->port_count);
    assert_int_equal(s->categories.count, m.r->category_count);
    assert_true(s->has_sources);
    assert_int_equal(s->is_complete, m.r->is_complete);
    assert_true(span_packets_per_address(s, true, false) ==
                day_packets_per_address(m.r, true, false));
    span_destroy(s);
    made_free(&m);
}

/* Two days: packets add, sources have bounds until the source days are there. The first source is not there on the
 * second day, so all of the span are those of the first. */
static void two_days(void **state)
{
    struct made m[2];
    struct fault fault;
    (void)state;
    make(&m[0], 0, true, SIZE_MAX);
    make(&m[1], 1, true, 0);
    struct span *s = span_create(SPAN_month, "x");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(span_add_day(s, m[i].r, false), 0);
    assert_int_equal(s->marks[MARK_total].packets,
                     m[0].r->marks[MARK_total].packets + m[1].r->marks[MARK_total].packets);
    assert_int_equal(s->marks[MARK_total].sources.low, DAY_CASE_SOURCES);
    assert_int_equal(s->marks[MARK_total].sources.high, 2 * DAY_CASE_SOURCES - 1);

    struct day_settings settings = day_case_settings(rules);
    struct day *sums = day_create(&settings);
    struct day_span_date date[2];
    const struct day_result *r;
    assert_int_equal(day_span_begin(sums, &fault), 0);
    for (unsigned i = 0; i < 2; i++) {
        day_span_date_init(&date[i], m[i].facts.date, &settings.survey, true, 40);
        for (size_t k = 0; k < DAY_CASE_SOURCES; k++)
            assert_int_equal(day_span_judge(sums, &date[i], m[i].s[k], &fault), 0);
        assert_int_equal(day_span_judged(sums, &date[i], &fault), 0);
        assert_int_equal(date[i].group_count, 1);
    }
    for (size_t k = 0; k < DAY_CASE_SOURCES; k++)
        for (unsigned i = 0; i < 2; i++)
            if (i == 0 || k != 0)
                assert_int_equal(day_span_add(sums, &date[i], m[i].s[k], &fault), 0);
    assert_int_equal(day_span_add(sums, &date[0], m[0].s[0], &fault), -EINVAL);
    assert_int_equal(day_span_end(sums, &r, &fault), 0);
    if (span_add_sources(s, r, rules, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_int_equal(span_end(s), 0);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        assert_int_equal(s->marks[mark].sources.low, m[0].r->marks[mark].sources);
        assert_int_equal(s->marks[mark].sources.high, m[0].r->marks[mark].sources);
        assert_int_equal(s->marks[mark].sources_ex.low, m[0].r->marks[mark].sources_ex);
    }
    assert_int_equal(s->survey.sources.high, m[0].r->survey.sources);
    assert_int_equal(s->conflict.sources.high, m[0].r->conflict.sources);
    assert_int_equal(s->bogon.packets, 2 * m[0].r->bogon.packets);
    assert_int_equal(s->calendar_days, 31);
    assert_false(s->is_complete); /* 29 of its days are not there */
    for (unsigned i = 0; i < 2; i++)
        day_span_date_fini(&date[i]);
    day_destroy(sums);
    span_destroy(s);
    made_free(&m[0]);
    made_free(&m[1]);
}

/* One day without a known size: nothing of the span is ex_survey, and it says since when. */
static void absent(void **state)
{
    struct made m[2];
    (void)state;
    make(&m[0], 0, true, SIZE_MAX);
    make(&m[1], 1, false, SIZE_MAX);
    struct span *s = span_create(SPAN_all, "x");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(span_add_day(s, m[i].r, i == 1), 0);
    assert_int_equal(span_end(s), 0);
    assert_non_null(strstr(s->ex_absent, "2024-10-05: "));
    assert_string_not_equal(span_share(s, MARK_iot_strict, SHARE_OVER_scan_ex_survey).absent, "");
    assert_string_equal(span_share(s, MARK_iot_strict, SHARE_OVER_scan).absent, "");
    assert_true(span_packets_per_address(s, true, false) < 0);
    assert_int_equal(s->restated_days, 1);
    span_destroy(s);
    made_free(&m[0]);
    made_free(&m[1]);
}

static void from_windows(void **state)
{
    struct window *w = window_create();
    struct span *s = span_create(SPAN_hour, "x");
    (void)state;
    w->span_ns = INT64_C(60000000000);
    w->mark_packets[MARK_total] = w->totals.packets = 10;
    w->mark_packets[MARK_scan] = 8;
    w->mark_sources[MARK_total] = (struct source_count){4, 4};
    *window_port(w, PORT_PROTO_TCP, 80) =
        (struct port_count){.port = 80, .packets = 8, .scan = 8, .sources = {3, 3}};
    *window_port(w, PORT_PROTO_TCP, 23) =
        (struct port_count){.port = 23, .packets = 2, .scan = 0, .sources = {3, 3}};
    for (unsigned i = 0; i < 3; i++) {
        w->start_ns = (int64_t)(2 - i) * w->span_ns;
        assert_int_equal(span_add_window(s, w, rules, true), 0);
    }
    assert_int_equal(span_end(s), 0);
    assert_true(s->is_provisional && s->start_ns == 0 && s->end_ns == 3 * w->span_ns);
    assert_int_equal(s->marks[MARK_total].packets, 30);
    assert_int_equal(s->marks[MARK_total].sources.low, 4);
    assert_int_equal(s->marks[MARK_total].sources.high, 12);
    assert_int_equal(s->ports.count, 1);
    assert_string_equal(s->ports.rows[0].category, "web");
    assert_int_equal(s->ports.rows[0].iot, DAY_IOT_shared);
    assert_string_not_equal(span_share(s, MARK_iot_strict, SHARE_OVER_total_ex_survey).absent, "");
    span_destroy(s);
    window_destroy(w);
}

/* What windows say of ex_survey is added up; one that does not say it, and there is none. */
static void windows_ex(void **state)
{
    static const struct {
        struct window_basis basis[2];
        const char *absent, *en, *ja; /* part of the reason; of the words on the basis */
    } rows[] = {
        {{{.has_ex = true, .lacks_survey = true}, {.has_ex = true, .lacks_survey = true}},
         "",
         "no survey scanners",
         "終わった日がまだない"},
        {{{.has_ex = true, .has_survey = true, .first = 1, .last = 1},
          {.has_ex = true, .has_survey = true, .first = 2, .last = 3}},
         "",
         "(1970-01-02 to 1970-01-04)",
         "1970-01-02～1970-01-04"},
        {{{.has_ex = true, .has_survey = true, .first = 1, .last = 1},
          {.has_ex = true, .lacks_survey = true}},
         "",
         "before the first day was over",
         "最初の日が終わる前"},
        {{{.has_ex = true, .lacks_survey = true}, {.lacks_ex = true}},
         "some of the windows do not say",
         NULL,
         "一部のウィンドウ"},
        {{{.lacks_ex = true}, {.lacks_ex = true}}, "the windows do not say", NULL, "観測網の規模"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct window *w = window_create();
        struct span *s = span_create(SPAN_hour, "x");
        char words[REPORT_WORDS];
        w->span_ns = INT64_C(60000000000);
        w->mark_packets[MARK_total] = w->mark_packets[MARK_scan] = 10;
        w->mark_sources[MARK_scan] = (struct source_count){4, 4};
        for (unsigned k = 0; k < 2; k++) {
            w->start_ns = k * w->span_ns;
            w->basis = rows[i].basis[k];
            w->mark_packets_out[MARK_scan] = w->basis.has_ex ? 3 + k : 0;
            w->mark_sources_out[MARK_scan] =
                k == 0 ? (struct source_count){1, 1} : (struct source_count){0, 2};
            assert_int_equal(span_add_window(s, w, rules, false), 0);
        }
        assert_int_equal(span_end(s), 0);
        struct span_share share = span_share(s, MARK_scan, SHARE_OVER_scan_ex_survey);
        assert_true(rows[i].absent[0] ? strstr(share.absent, rows[i].absent) != NULL
                                      : share.absent[0] == '\0');
        assert_false(span_rows_have_ex(s));
        assert_true(strstr(report_reason(share.absent, true, words), "ウィンドウ") != NULL ||
                    share.absent[0] == '\0');
        if (share.absent[0] == '\0') {
            assert_int_equal(share.packets.den, 13);
            /* 3 of the first; of the second, a merged one, 2 to 4 */
            assert_int_equal(share.sources_den.low, 3);
            assert_int_equal(share.sources_den.high, 7);
            assert_non_null(strstr(report_basis(&s->basis, false, words), rows[i].en));
            assert_non_null(strstr(report_basis(&s->basis, true, words), rows[i].ja));
        } else {
            assert_non_null(strstr(report_reason(share.absent, true, words), rows[i].ja));
        }
        assert_string_not_equal(span_share_of(s, &s->kinds[0], SHARE_OVER_total_ex_survey).absent,
                                "");
        span_destroy(s);
        window_destroy(w);
    }
}

static void reasons(void **state)
{
    static const struct {
        const char *en, *ja;
    } rows[] = {
        {"", ""},
        {"the telescope's size is unknown", "観測網の規模が不明です"},
        {"2026-01-02: the telescope's size is unknown", "2026-01-02: 観測網の規模が不明です"},
        {"2026-01-02: the size of telescope a b is unknown",
         "2026-01-02: 観測網 a b の規模が不明です"},
        {"the size of telescope", "the size of telescope"},
        {"something else: odd", "something else: odd"},
    };
    char words[REPORT_WORDS];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(report_reason(rows[i].en, true, words), rows[i].ja);
        assert_string_equal(report_reason(rows[i].en, false, words), rows[i].en);
    }
}

static const struct {
    const char *bytes;
    size_t len;
    int version; /* 0: no key */
} keys[] = {
    {"\x08\xc0\xb8\x02\x12\x04\x01\x02\x03\x04", 10, 4},
    {"\x12\x04\x01\x02\x03\x04", 6, 4}, /* date 0 */
    {"\x08\x02\x12\x10"
     "0123456789abcdef",
     20, 6},
    {"\x08\x02\x12\x10"
     "0123456789abcde",
     19, 0},
    {"\x08\x02\x12\x05\x01\x02\x03\x04\x05", 9, 0},
    {"\x08\xff\xff\xff", 4, 0},
    {"\x08", 1, 0},
    {"\x1a\x00", 2, 0},
    {"", 0, 0},
};

static void key(void **state)
{
    uint8_t is[SOURCE_KEY];
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool found = source_key_parse((const uint8_t *)keys[i].bytes, keys[i].len, is);
        assert_int_equal(found ? is[0] : 0, keys[i].version);
    }
    assert_true(source_key_parse((const uint8_t *)keys[0].bytes, keys[0].len, is));
    assert_memory_equal(is + 1, "\1\2\3\4\0\0", 6);
}

/* Rows come at the front, at the end and between others, new ones and known ones: as counting by number has it. */
static void tables(void **state)
{
    enum { NUMBERS = 200, TURNS = 300 };
    struct span *s = span_create(SPAN_day, "x");
    uint64_t packets[NUMBERS] = {0};
    uint32_t random = 1;
    (void)state;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct span_row more[NUMBERS];
        size_t count = 0, i = 0;
        for (uint32_t n = 0; n < NUMBERS; n++) {
            random = random * 1664525 + 1013904223;
            if (random >> 24 >= (turn % 50) * 5)
                continue;
            more[count++] =
                (struct span_row){"", "other", n, 0, {.packets = turn + 1, .packets_ex = 1}};
            packets[n] += turn + 1;
        }
        assert_int_equal(span_rows_merge(s, &s->ports, more, count), 0);
        for (uint32_t n = 0; n < NUMBERS; n++) {
            if (packets[n] == 0)
                continue;
            assert_true(i < s->ports.count);
            assert_int_equal(s->ports.rows[i].number, n);
            assert_int_equal(s->ports.rows[i++].count.packets, packets[n]);
        }
        assert_int_equal(s->ports.count, i);
    }
    span_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),   cmocka_unit_test(one_day),      cmocka_unit_test(two_days),
        cmocka_unit_test(absent),  cmocka_unit_test(from_windows), cmocka_unit_test(windows_ex),
        cmocka_unit_test(reasons), cmocka_unit_test(key),          cmocka_unit_test(tables),
    };
    rules = day_case_rules();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(rules);
    return failed;
}
