/* What a report writes of a span whose names are as bad as names get. */
#include "export/report.h"

#include "sample_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ruleset *rules;

static const char hostile[] = "</script><b onclick='x'>\"&\xff\xe2\x80\xae\x1b[31m,\r\n";

/* A span of one port, one category, one AS and one organisation, all of that name. */
static struct span *span_make(struct span_row rows[4], struct span_place *place)
{
    struct span *s = span_create(SPAN_all, "2026-01-01");
    struct span_count c = {100, 60, {9, 9}, {7, 7}};
    assert_non_null(s);
    s->days = s->calendar_days = 1;
    s->has_size = true;
    s->ip4_packets = 100;
    s->seconds = 86400;
    s->address_seconds = (unsigned __int128)86400 * 10;
    s->address_days = 10;
    s->is_complete = s->has_sources = true;
    s->marks[MARK_total] = s->marks[MARK_scan] = c;
    s->marks[MARK_iot_strict] = (struct span_count){37, 30, {3, 3}, {2, 2}};
    s->kinds[KIND_tcp_syn] = c;
    rows[0] = (struct span_row){hostile, "", 0, 0, c};
    rows[1] = (struct span_row){hostile, hostile, EVIDENCE_payload, 0, c};
    rows[2] = (struct span_row){"", "iot", 23, DAY_IOT_strict, c};
    rows[3] = (struct span_row){hostile, "", 0, 0, c};
    *place = (struct span_place){.name = hostile, .asn = 64500, .total = c, .scan = c};
    s->categories = (struct span_table){.rows = &rows[0], .count = 1};
    s->rules = (struct span_table){.rows = &rows[1], .count = 1};
    s->ports = (struct span_table){.rows = &rows[2], .count = 1};
    s->organisations = (struct span_table){.rows = &rows[3], .count = 1};
    s->ases = (struct span_table){.places = place, .count = 1};
    return s;
}

static void span_free(struct span *s)
{
    s->categories.at = s->rules.at = s->ports.at = s->organisations.at = s->ases.at = NULL;
    span_destroy(s);
}

enum form { JSON, CSV, TEXT, HTML };

/* Caller frees. */
static char *rendered(enum form form, bool is_japanese, bool is_bounds)
{
    struct span_row rows[4];
    struct span_place place;
    struct span *s = span_make(rows, &place);
    struct report_point point;
    static const struct report_note notes[] = {{hostile, hostile}};
    char *text = NULL;
    size_t size;
    if (is_bounds)
        s->marks[MARK_total].sources.low = 5, s->has_sources = false;
    report_point_of(&point, s);
    struct report r = {.rules = rules,
                       .timezone = "UTC",
                       .program = "1",
                       .notes = {notes, 1},
                       .whole = s,
                       .points = &point,
                       .point_count = 1,
                       .is_japanese = is_japanese};
    struct report_text_settings settings = {.is_utf8 = true};
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    if (form == JSON) {
        report_json_begin(out, &r);
        report_json_span(out, &r, s, 0);
        report_json_end(out, &r, false);
    } else if (form == CSV) {
        report_csv_begin(out);
        report_csv_span(out, s);
    } else if (form == TEXT) {
        report_text(out, &r, &settings);
    } else {
        assert_int_equal(report_html(out, &r), 0);
    }
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), size);
    span_free(s);
    return text;
}

static const struct {
    enum form form;
    bool is_japanese, is_bounds;
    const char *there[4], *not_there[4];
} cases[] = {
    {JSON,
     false,
     false,
     {"\"iot_strict\": {\n          \"total\": {\"packets\": {\"num\": 37, \"den\": 100}, "
      "\"sources\": "
      "{\"num\": 3, \"den\": 9}}",
      "\\ufffd", "\"address_seconds\": \"864000\"", "\"state\": \"final\""},
     {"\x1b", "\xff", "_low"}},
    {JSON,
     false,
     true,
     {"\"sources\": null, \"sources_low\": 5, \"sources_high\": 9", "\"den_low\": 5"},
     {NULL}},
    {CSV,
     false,
     false,
     {"share,iot_strict,packets,scan,37,100\r\n", "share,iot_strict,sources,scan_ex_survey,2,7\r\n",
      "\"</script><b onclick='x'>\"\"&"},
     {"sources_low"}},
    {CSV,
     false,
     true,
     {"share,iot_strict,sources_low,total,3,5\r\n", "sources_high,total,3,9\r\n"},
     {"share,iot_strict,sources,total,"}},
    {TEXT, false, false, {"37.0 %", "30 / 60", "scan_ex_survey", "IoT"}, {"\x1b", "\xe2\x80\xae"}},
    {TEXT, true, false, {"確定", "分母", "Webカメラ等のIoT機器"}, {"\x1b"}},
    {TEXT, false, true, {"5 to 9", "bounds only"}, {NULL}},
    {HTML,
     false,
     false,
     {"&lt;/script&gt;&lt;b onclick=&#39;x&#39;&gt;", "37 / 100", "\\u003c/script\\u003e",
      "<html lang=\"en\">"},
     {"<b onclick", "\x1b", "\xff", "\xe2\x80\xae"}},
    {HTML,
     true,
     false,
     {"<html lang=\"ja\">", "Webカメラ等のIoT機器"},
     {" style=", "http://", "<img"}},
    {HTML,
     false,
     true,
     {"\"sources_low\": 5, \"sources_high\": 9", "\"low\":5,\"high\":9", "5 to 9"},
     {NULL}},
};

/* But for the library in it, which is not ours. */
static void library_cut(char *text)
{
    char *from = strstr(text, "<script>"), *to = from == NULL ? NULL : strstr(from, "</script>");
    if (to != NULL)
        memmove(from, to, strlen(to) + 1);
}

static void forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = rendered(cases[i].form, cases[i].is_japanese, cases[i].is_bounds);
        library_cut(text);
        for (size_t k = 0; k < 4 && cases[i].there[k] != NULL; k++)
            if (strstr(text, cases[i].there[k]) == NULL)
                fail_msg("case %zu: no %s in:\n%s", i, cases[i].there[k], text);
        for (size_t k = 0; k < 4 && cases[i].not_there[k] != NULL; k++)
            if (strstr(text, cases[i].not_there[k]) != NULL)
                fail_msg("case %zu: %s is there", i, cases[i].not_there[k]);
        free(text);
    }
}

static void wide(void **state)
{
    char text[48];
    (void)state;
    assert_string_equal(report_wide(0, text), "0");
    assert_string_equal(report_wide((unsigned __int128)UINT64_MAX * 10, text),
                        "184467440737095516150");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(wide)};
    rules = sample_ruleset();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(rules);
    return failed;
}
