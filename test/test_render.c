#include "export/render.h"

#include "classify/text_width.h"
#include "export/text.h"
#include "sample_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PORTS = 4 };

static struct ruleset *rules;

/* A file name as a stranger may give it: quotes, a control sequence, a broken UTF-8 byte, an overlong
 * form, a surrogate, Japanese. */
static struct damage damages[] = {{"a\"b\\c\n\033[31m\xff"
                                   "d\xc0\xafg\xed\xa0\x80\xe9\x97\x87.pcap",
                                   1048576, "record length 4294967295"}};
static const struct damage_list damaged = {damages, 1};
static const char damaged_json[] =
    "\"a\\\"b\\\\c\\u000a\\u001b[31m\\ufffdd\\ufffd\\ufffdg\\ufffd\\ufffd\\ufffd\xe9\x97\x87."
    "pcap\"";

static struct summary summary_of(const struct window *w)
{
    static struct summary_port ports[PORTS] = {
        {.port = 23,
         .proto = PORT_PROTO_TCP,
         .packets = 1234567,
         .syn = 1234000,
         .scan = 1234000,
         .sources = 99},
        {.port = 80,
         .proto = PORT_PROTO_TCP,
         .packets = 5000,
         .syn = 5000,
         .scan = 5000,
         .sources = 98},
        {.port = 1900, .proto = PORT_PROTO_UDP, .packets = 700, .scan = 700, .sources = 97},
        {.port = 65535, .proto = PORT_PROTO_TCP, .packets = 1, .sources = 1}};
    static struct summary_rule by_rule[] = {{.rule = 0, .packets = 1234000, .sources = 99}};
    return (struct summary){.rules = rules,
                            .total = w,
                            .sources = 256,
                            .destinations = 77,
                            .ports = ports,
                            .port_count = PORTS,
                            .by_rule = by_rule,
                            .by_rule_count = 1,
                            .windows = 3,
                            .window_parts = 1,
                            .damaged = &damaged,
                            .inputs = 2};
}

/* What is written; caller frees. */
static char *rendered(const struct summary *s, const struct render_text_settings *settings)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    if (settings == NULL)
        render_json(out, s);
    else
        render_text(out, s, settings);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_json_times(void **state)
{
    static const struct {
        int64_t first_ns, last_ns;
        const char *first, *last;
    } cases[] = {
        {0, 1, "\"first_ts\": \"0.000000000\"", "\"last_ts\": \"0.000000001\""},
        {-1500000000, -1, "\"-1.500000000\"", "\"-0.000000001\""},
        {1767225600123456789, INT64_MAX, "\"1767225600.123456789\"", "\"9223372036.854775807\""},
        {INT64_MIN, 0, "\"-9223372036.854775808\"", "\"0.000000000\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *w = sample_window(rules, 0, 0, 10, 1);
        struct summary s = summary_of(w);
        w->totals.first_ns = cases[i].first_ns;
        w->totals.last_ns = cases[i].last_ns;
        char *text = rendered(&s, NULL);
        assert_has(text, cases[i].first);
        assert_has(text, cases[i].last);
        free(text);
        window_destroy(w);
    }
}

static void test_json_holds_every_field(void **state)
{
    static const char *const parts[] = {
        "\"packets\": 400,",
        "\"sources\": 256,",
        "\"destinations\": 77,",
        "\"backscatter_udp\": 0",
        "\"mirai\": ",
        "\"nmap\": 0",
        "{\"proto\": \"tcp\", \"port\": 23, \"packets\": 1234567, \"syn\": 1234000, \"sources\": "
        "99",
        "{\"proto\": \"udp\", \"port\": 1900,",
        "\"iot_strict\": {\"total\": {\"packets\": {\"num\": ",
        "\"nic_missed\": 0",
        "\"given_up\": {\"recorder_packets\": 0",
        "\"filtered\": 5}",
        "{\"id\": \"iot-telnet\", \"category\": \"iot\", \"breadth\": \"strict\"",
        "\"telescope\": {\"configured\": false, \"ipv4\": null}",
        "\"name\": \"sample\"",
        "\"offset\": 1048576, \"what\": \"record length 4294967295\""};
    struct window *w = sample_window(rules, 0, 0, 400, 1);
    struct summary s = summary_of(w);
    w->ledger.filtered = 5;
    char *text = rendered(&s, NULL);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_has(text, parts[i]);
    assert_has(text, damaged_json);
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
    window_destroy(w);
}

static void test_empty(void **state)
{
    static const struct {
        uint64_t filtered, inputs;
        const struct damage_list *damaged;
        const char *why;
    } cases[] = {{0, 1, NULL, "hold no packets"},
                 {7, 1, NULL, "filter took out every packet"},
                 {0, 1, &damaged, "damaged or no captures"},
                 {0, 0, NULL, "nothing to read"}};
    const struct render_text_settings settings = {.is_utf8 = true};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *w = window_create();
        struct summary s = {
            .rules = rules, .total = w, .inputs = cases[i].inputs, .damaged = cases[i].damaged};
        w->ledger.offered = w->ledger.filtered = cases[i].filtered;
        char *text = rendered(&s, &settings), *json = rendered(&s, NULL);
        assert_has(text, cases[i].why);
        assert_has(json, "\"first_ts\": null");
        assert_has(json, "\"ports\": [],");
        free(text);
        free(json);
        window_destroy(w);
    }
}

/* Every width and look: no line too wide, no control character that was not asked for, no blanks at
 * the end, and no share without its denominator. */
static void test_text_fits(void **state)
{
    static const unsigned widths[] = {1, 40, 59, 72, 80, 100, 133, 200};
    struct window *w = sample_window(rules, 0, 0, 4000, 1);
    struct summary s = summary_of(w);
    s.seconds = 1.5;
    for (unsigned look = 0; look < 4; look++) {
        for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
            struct render_text_settings settings = {
                .width = widths[i], .is_utf8 = look & 1, .is_japanese = look & 2};
            char *text = rendered(&s, &settings);
            unsigned width = widths[i] < 40 ? 40 : widths[i];
            for (char *line = text, *end; *line != '\0'; line = end + 1) {
                end = strchr(line, '\n');
                assert_non_null(end);
                size_t len = (size_t)(end - line);
                /* Tables of numbers have a least width of their own. */
                if (width >= 72 && text_width(line, len) > width)
                    fail_msg("wider than %u: %.*s", width, (int)len, line);
                if (len > 0 && end[-1] == ' ')
                    fail_msg("blank at the end: %.*s|", (int)len, line);
                for (size_t c = 0; c < len; c++) {
                    assert_true((unsigned char)line[c] >= 0x20 && line[c] != 0x7f);
                    assert_true(settings.is_utf8 || (unsigned char)line[c] < 0x80);
                }
            }
            assert_has(text, "of scan");
            assert_has(text, "of total");
            assert_has(text, "1,234,567");
            assert_has(text, "?[31m");
            free(text);
        }
    }
    window_destroy(w);
}

static void test_text_colour_ends(void **state)
{
    struct window *w = sample_window(rules, 0, 0, 4000, 1);
    struct summary s = summary_of(w);
    struct render_text_settings settings = {.width = 100, .is_utf8 = true, .is_color = true};
    char *text = rendered(&s, &settings);
    bool is_on = false;
    for (const char *c = text; (c = strchr(c, '\033')) != NULL; c++) {
        bool is_end = strncmp(c, "\033[0m", 4) == 0;
        assert_int_equal(is_end, is_on);
        is_on = !is_on;
    }
    assert_false(is_on);
    free(text);
    window_destroy(w);
}

static void test_numbers_and_cuts(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } numbers[] = {{0, "0"},
                   {999, "999"},
                   {1000, "1,000"},
                   {1234567, "1,234,567"},
                   {UINT64_MAX, "18,446,744,073,709,551,615"}};
    static const struct {
        const char *text;
        unsigned columns;
        const char *shown;
    } cuts[] = {{"webcam", 6, "webcam"}, {"webcam", 5, "webc…"},  {"webcam", 1, "…"},
                {"webcam", 0, ""},       {"闇闇闇", 6, "闇闇闇"}, {"闇闇闇", 5, "闇闇…"},
                {"闇闇闇", 4, "闇…"},    {"\xff\x1b", 2, "??"}};
    char digits[TEXT_NUMBER];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_string_equal(text_number(numbers[i].value, digits), numbers[i].text);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        char *shown = NULL;
        size_t size;
        struct text t = {.out = open_memstream(&shown, &size), .width = 80, .is_utf8 = true};
        unsigned used = text_print(&t, TEXT_PLAIN, cuts[i].text, cuts[i].columns);
        fclose(t.out);
        assert_string_equal(shown, cuts[i].shown);
        assert_int_equal(used, text_columns(cuts[i].shown));
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_times),
        cmocka_unit_test(test_json_holds_every_field),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_text_fits),
        cmocka_unit_test(test_text_colour_ends),
        cmocka_unit_test(test_numbers_and_cuts),
    };
    rules = sample_ruleset();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(rules);
    return failed;
}
