#include "export/render.h"

#include "capture/decode.h"
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
                                   1048576, "record length 4294967295", DAMAGE_BROKEN, 1048576, 0}};
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
    static uint32_t scan_ports[] = {0, 1, 2};
    static const char *const paths[] = {"a \"b\".pcap", "-"};
    static struct summary_rule by_rule[] = {
        {.rule = 0,
         .by = {[EVIDENCE_port] = {1233000, 70}, [EVIDENCE_payload] = {1000, 30}},
         .packets = 1234000,
         .bytes = 100,
         .port_sources = 99,
         .has_payload_sources = true,
         .payload_sources = 42},
        {.rule = 4, .packets = 5000, .port_sources = 98}};
    return (struct summary){.rules = rules,
                            .total = w,
                            .sources = 256,
                            .destinations = 77,
                            .ports = ports,
                            .port_count = PORTS,
                            .scan_ports = scan_ports,
                            .scan_port_count = PORTS - 1,
                            .by_rule = by_rule,
                            .by_rule_count = 2,
                            .settings = {.filter = "tcp or \"udp\"",
                                         .telescope_id = "dark-1",
                                         .timezone = "Asia/Tokyo",
                                         .sensor = "s1",
                                         .decap = DECAP_GRE | DECAP_IPIP,
                                         .window_ns = INT64_C(60000000000),
                                         .lateness_ns = INT64_C(1500000000),
                                         .top = 10,
                                         .paths = paths,
                                         .path_count = 2},
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
        "{\"id\": \"iot-telnet\", \"category\": \"iot\", \"breadth\": \"strict\", \"packets\": "
        "1234000, "
        "\"bytes\": 100,\n     \"by_port\": {\"packets\": 1233000, \"bytes\": 70}, \"by_payload\": "
        "{\"packets\": 1000, \"bytes\": 30}, \"port_sources\": 99, \"payload_sources\": 42}",
        "\"port_sources\": null, \"payload_sources\": null}", /* of a rule without ports */
        "{\"id\": \"web\", \"category\": \"web\", \"breadth\": null,",
        "\"telescope\": {\"configured\": false, \"ipv4\": null, \"ipv6_prefixes\": null}",
        "\"settings\": {\"filter\": \"tcp or \\\"udp\\\"\", \"decap\": [\"gre\", \"ipip\"], "
        "\"window_s\": 60, \"lateness_s\": 1.5,",
        "\"timezone\": \"Asia/Tokyo\", \"sensor\": \"s1\", \"telescope_id\": \"dark-1\", \"top\": "
        "10, "
        "\"paths\": [\"a \\\"b\\\".pcap\", \"-\"]}",
        "\"windows\": 3,",
        "\"window_parts\": 1,",
        "\"name\": \"sample\"",
        "\"kind\": \"damaged\", \"offset\": 1048576, \"what\": \"record length 4294967295\""};
    struct window *w = sample_window(rules, 0, 0, 400, 1);
    struct summary s = summary_of(w);
    w->ledger.filtered = 5;
    const char *ports = rules->rules[4].ports;
    rules->rules[4].ports = "";
    char *text = rendered(&s, NULL);
    rules->rules[4].ports = ports;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_has(text, parts[i]);
    assert_has(text, damaged_json);
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
    window_destroy(w);
}

/* What is damaged, what is no capture and what can't be read are three things. */
static void test_kinds_of_damage(void **state)
{
    static struct damage rows[] = {
        {"cut.pcap", 77, "cut short", DAMAGE_BROKEN, 77, 0},
        {"a.txt", 0, "is no capture", DAMAGE_FOREIGN, 0, 1},
        {"two.pcapng", 48, "link type X", DAMAGE_UNREAD, 48, 2},
        {"two.pcapng", 80, "link type Y", DAMAGE_UNREAD, 80, 2},
        {"two.pcapng", 990, "cut short", DAMAGE_BROKEN, 5000, 2},
        {"b.txt", 0, "is no capture", DAMAGE_FOREIGN, 0, 3},
        {"gone.pcap", 0, "No such file", DAMAGE_UNREAD, 0, 4},
    };
    static const char *const parts[] = {
        "5 files, 2 damaged, 2 no captures, 2 not read\n",
        "damaged     cut.pcap\n              byte 77: cut short\n",
        "no capture  a.txt\n              is no capture\n",
        "not read    two.pcapng\n              byte 48: link type X\n",
        "damaged     two.pcapng\n              bytes 990 to 5000: cut short\n",
        "not read    gone.pcap\n              No such file\n",
    };
    static const char *const json_parts[] = {
        "{\"file\": \"a.txt\", \"kind\": \"foreign\", \"offset\": 0,",
        "\"kind\": \"damaged\", \"offset\": 77, \"what\"",
        "\"kind\": \"damaged\", \"offset\": 990, \"to\": 5000, \"what\"",
        "{\"file\": \"gone.pcap\", \"kind\": \"unread\", \"offset\": 0,",
    };
    static const struct damage_list list = {rows, sizeof rows / sizeof *rows};
    const struct render_text_settings settings = {.is_utf8 = true};
    struct window *w = sample_window(rules, 0, 0, 10, 1);
    struct summary s = summary_of(w);
    s.damaged = &list;
    s.inputs = 5;
    char *text = rendered(&s, &settings), *json = rendered(&s, NULL);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_has(text, parts[i]);
    for (size_t i = 0; i < sizeof json_parts / sizeof *json_parts; i++)
        assert_has(json, json_parts[i]);
    free(text);
    free(json);
    window_destroy(w);
}

static void test_empty(void **state)
{
    static struct damage rows[] = {{"cut.pcap", 77, "cut short", DAMAGE_BROKEN, 77, 0},
                                   {"a.pcap", 0, "Permission denied", DAMAGE_UNREAD, 0, 1},
                                   {"b.pcap", 0, "No such file", DAMAGE_UNREAD, 0, 2}};
    static const struct damage_list mixed = {rows, 2}, unread = {rows + 1, 2};
    static const struct {
        uint64_t filtered, inputs;
        const struct damage_list *damaged;
        const char *why;
    } cases[] = {{0, 1, NULL, "hold no packets"},
                 {7, 1, NULL, "filter took out every packet"},
                 {0, 1, &damaged, ": record length 4294967295."},
                 {0, 2, &mixed, "damaged or no captures"},
                 {0, 2, &unread, "none of the inputs could be opened"},
                 {0, 0, NULL, "nothing to read"}};
    const struct render_text_settings settings = {.is_utf8 = true};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window *w = window_create();
        struct summary s = {
            .rules = rules, .total = w, .inputs = cases[i].inputs, .damaged = cases[i].damaged};
        w->ledger.offered = w->ledger.filtered = cases[i].filtered;
        char *text = rendered(&s, &settings), *json = rendered(&s, NULL);
        assert_has(text, cases[i].why);
        assert_int_equal(strstr(text, "VLAN") != NULL, cases[i].filtered > 0);
        assert_has(json, "\"first_ts\": null");
        assert_has(json, "\"ports\": [],");
        free(text);
        free(json);
        window_destroy(w);
    }
}

/* Lines of a wide terminal hold as much as of a narrow one: they break between words. */
static void test_wide_paragraphs(void **state)
{
    static const char *const words[] = {"ten letters", "送信元の日次記録がありません "};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned width = 100; width <= 400; width += 50) {
            char said[4096] = "", *printed;
            size_t size, most = 0;
            for (unsigned n = 0; n < 60; n++)
                strcat(strcat(said, words[i]), " ");
            FILE *out = open_memstream(&printed, &size);
            struct text t = {.out = out, .width = width, .is_utf8 = true};
            text_paragraph(&t, TEXT_PLAIN, said, 0);
            fclose(out);
            if (strchr(printed, '?') != NULL)
                fail_msg("%u columns: %s", width, printed);
            for (char *line = printed, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                size_t columns = text_width(line, (size_t)(end - line));
                most = columns > most ? columns : most;
            }
            if (most > width || most + 40 < width)
                fail_msg("%u columns: %zu are used", width, most);
            free(printed);
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
            assert_has(text, "1,234,000");
            assert_has(text, "?[31m");
            free(text);
        }
    }
    window_destroy(w);
}

/* The table of ports is about scan packets; what it leaves out is said. */
static void test_ports_by_scan(void **state)
{
    static struct summary_port ports[] = {
        {.port = 36050, .packets = 900, .sources = 1},
        {.port = 80, .packets = 500, .syn = 30, .scan = 30, .sources = 3},
        {.port = 23, .packets = 60, .syn = 60, .scan = 60, .sources = 7},
        {.port = 22, .packets = 10, .syn = 10, .scan = 10, .sources = 2}};
    static uint32_t order[] = {2, 1, 3};
    const struct render_text_settings settings = {.width = 100, .top = 2};
    struct window *w = sample_window(rules, 0, 0, 400, 1);
    struct summary s = summary_of(w);
    s.ports = ports;
    s.port_count = 4;
    s.scan_ports = order;
    s.scan_port_count = 3;
    w->mark_packets[MARK_scan] = 100;
    char *text = rendered(&s, &settings);
    assert_has(text, "  tcp/23  Webcams (Telnet)    iot (strict)            60   60.0 %        7"
                     "  ########################\n"
                     "  tcp/80  Web servers         web, iot (shared)       30   30.0 %        3"
                     "  ############\n");
    assert_null(strstr(text, "tcp/36050"));
    assert_null(strstr(text, "tcp/22 "));
    assert_has(text, "and 1 further port with 10 scan packets\n");
    assert_has(text, "1 port got no scan packet, but 900 packets of other kinds\n");
    free(text);
    window_destroy(w);
}

static void test_rules_rows(void **state)
{
    struct window *w = sample_window(rules, 0, 0, 400, 1);
    struct summary s = summary_of(w);
    for (unsigned top = 1; top < 4; top++) {
        struct render_text_settings settings = {.width = 100, .top = top};
        char *text = rendered(&s, &settings);
        assert_has(text, "  iot-telnet  ");
        assert_int_equal(strstr(text, "\n  web  ") != NULL, top >= 2);
        assert_int_equal(strstr(text, "and 1 further rule\n") != NULL, top < 2);
        free(text);
    }
    window_destroy(w);
}

/* What the last section says of the run. */
static void test_text_basis(void **state)
{
    static const char *const parts[] = {
        "  filter      tcp or \"udp\"\n",
        "  unwrapped   gre, ipip\n",
        "  settings    lateness 1.5 s, timezone Asia/Tokyo, sensor s1, telescope id dark-1\n",
        "  windows     3 windows of 60 s in 4 records: 1 further part, opened",
        "  late        5 of the observed came after their window was sealed",
        "  inputs      2 files, 1 damaged\n              a \"b\".pcap\n              -\n",
        "  telescope   1 IPv4 address, 2 IPv6 prefixes\n",
    };
    const struct render_text_settings settings = {.width = 100};
    struct window *w = sample_window(rules, 0, 0, 400, 1);
    struct summary s = summary_of(w);
    s.telescope_configured = true;
    s.telescope_ipv4 = 1;
    s.telescope_ipv6_prefixes = 2;
    w->ledger.late = 5;
    char *text = rendered(&s, &settings);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_has(text, parts[i]);
    free(text);
    window_destroy(w);
}

static void test_text_times(void **state)
{
    static const struct {
        int64_t first_ns, last_ns;
        struct render_zone first, last;
        const char *line;
    } cases[] = {
        {0, 1500000000, {0, ""}, {0, ""}, "1970-01-01 00:00:00.000 to 00:00:01.500 UTC, 1.500 s"},
        {0, 1500000000, {0, "UTC"}, {0, "UTC"}, "1970-01-01 00:00:00.000 to 00:00:01.500 UTC, "},
        {0,
         1500000000,
         {32400, "JST"},
         {32400, "JST"},
         "1970-01-01 09:00:00.000 to 09:00:01.500 JST (UTC+09:00), "},
        {-1,
         0,
         {-12600, "NST"},
         {-12600, "NST"},
         "1969-12-31 20:29:59.999 to 20:30:00.000 NST (UTC-03:30), "},
        {1774745940000000000,
         1774746000000000000,
         {3600, "CET"},
         {7200, "CEST"},
         "2026-03-29 01:59:00.000 CET (UTC+01:00) to 03:00:00.000 CEST (UTC+02:00), 1 min 00 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct render_text_settings settings = {
            .width = 120, .first_zone = cases[i].first, .last_zone = cases[i].last};
        struct window *w = sample_window(rules, 0, 0, 10, 1);
        struct summary s = summary_of(w);
        w->totals.first_ns = cases[i].first_ns;
        w->totals.last_ns = cases[i].last_ns;
        char *text = rendered(&s, &settings);
        assert_has(text, cases[i].line);
        free(text);
        window_destroy(w);
    }
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
    char digits[TEXT_NUMBER], words[TEXT_COUNTED];
    assert_string_equal(text_counted(1, "segment", "segments", words), "1 segment");
    assert_string_equal(text_counted(0, "segment", "segments", words), "0 segments");
    assert_string_equal(text_counted(1000, "segment", "segments", words), "1,000 segments");
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
        cmocka_unit_test(test_json_times),       cmocka_unit_test(test_json_holds_every_field),
        cmocka_unit_test(test_kinds_of_damage),  cmocka_unit_test(test_empty),
        cmocka_unit_test(test_wide_paragraphs),  cmocka_unit_test(test_text_fits),
        cmocka_unit_test(test_ports_by_scan),    cmocka_unit_test(test_rules_rows),
        cmocka_unit_test(test_text_basis),       cmocka_unit_test(test_text_times),
        cmocka_unit_test(test_text_colour_ends), cmocka_unit_test(test_numbers_and_cuts),
    };
    rules = sample_ruleset();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(rules);
    return failed;
}
