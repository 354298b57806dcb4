/* Infected hosts as CSV, JSON lines and STIX, where names are hostile; patterns' strings. */
#include "export/infected_print.h"
#include "export/rfc3339.h"
#include "export/stix.h"
#include "export/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR = 3600 };
static const int64_t SECOND = 1000000000;

/* `rule` stands until the next call. */
static struct infected_host host(const char *rule, const char *as_name)
{
    static struct infected_rule rules[2];
    rules[0] = (struct infected_rule){.id = rule, .packets = 4};
    rules[1] = (struct infected_rule){.id = "another", .packets = 16};
    return (struct infected_host){
        .address = {203, 0, 113, 7},
        .ip_version = 4,
        .reason = rule ? INFECTED_PAYLOAD : INFECTED_MIRAI,
        .change = INFECTED_NEW,
        .proto = 1,
        .src_port = 4000,
        .dst_port = 23,
        .reach = {.low = 3, .high = 3},
        .first_ns = 1767225600 * SECOND,
        .last_ns = (1767225600 + HOUR) * SECOND,
        .evidence_ns = (1767225600 + 60) * SECOND + 123456789,
        .has_evidence = true,
        .packets = 5000000000,
        .rules = rules,
        .rule_count = rule ? 2 : 0,
        .country = "JP",
        .asn = 64500,
        .as_name = as_name,
    };
}

/* What a writer makes of one host; the caller frees. */
static char *text_of(void (*print)(FILE *, const struct infected_view *), const char *sensor,
                     struct infected_host h)
{
    struct infected_list list = {.date = 20454, .hosts = &h, .count = 1, .sources = 1};
    struct infected_view view = {.list = &list,
                                 .sensor = sensor,
                                 .timezone = sensor, /* a feed's own words, too */
                                 .end_ns = (1767225600 + 24 * HOUR) * SECOND};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    print(out, &view);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), len);
    return text;
}

/* A field of the row in which quotes are undone; NULL: there is none. */
static bool csv_has(const char *text, const char *cell)
{
    char want[256] = "\"";
    size_t len = 1;
    for (const char *c = cell; *c; c++) {
        if (*c == '"')
            want[len++] = '"';
        want[len++] = *c;
    }
    want[len++] = '"';
    want[len] = 0;
    return strstr(text, want) != NULL;
}

static void csv(void **state)
{
    static const struct {
        const char *name, *cell;
    } cases[] = {
        {"plain", "plain"},
        {"a \"b\", c", "a \"b\", c"},
        {"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\t=1", "'\t=1"},
        {"a=1", "a=1"},
        {"例のネット", "例のネット"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int is_rule = 0; is_rule < 2; is_rule++) {
            char *text = text_of(infected_csv, is_rule ? "s" : cases[i].name,
                                 host(is_rule ? cases[i].name : NULL, "x"));
            if (!csv_has(text, cases[i].cell))
                fail_msg("'%s': %s", cases[i].name, text);
            assert_non_null(strstr(text, "2026-01-01T00:01:00.123456"));
            assert_string_equal(text + strlen(text) - 2, "\r\n");
            free(text);
        }
    }
}

/* No byte of what a database says gets through unescaped. */
static void json(void **state)
{
    static const char *const names[] = {
        "plain",        "\"},{\"a\":\"",  "back\\",        "\x1b[31mred\x07",
        "line\nline\r", "\xff\xfe bytes", "half \xe3\x81", "例"};
    void (*const writers[])(FILE *, const struct infected_view *) = {infected_json, infected_stix};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t w = 0; w < 2; w++) {
            char *text = text_of(writers[w], names[i], host(names[i], names[i]));
            for (const char *c = text; *c;) {
                size_t len = utf8_length((const unsigned char *)c);
                if (len == 0 || ((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f)
                    fail_msg("name %zu, writer %zu: byte %02x", i, w, (unsigned char)*c);
                c += len;
            }
            assert_null(strstr(text, "\"},{\"a\":\""));
            free(text);
        }
    }
}

/* Ids as the standard's section 2.9 has them, computed with Python's uuid module; counts within its limits. */
static void stix(void **state)
{
    char id[STIX_ID], *text = text_of(infected_stix, "s", host(NULL, "Net"));
    assert_string_equal(stix_id(id, "ipv4-addr", "{\"value\":\"198.51.100.3\"}", true),
                        "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    assert_non_null(strstr(text, "\"number_observed\":999999999,"));
    assert_non_null(strstr(text, "\"start\":\"2026-01-01T00:01:00.123Z\""));
    assert_null(strstr(text, "dst_ref"));
    free(text);
}

static void quotes(void **state)
{
    static const struct {
        const char *text, *quoted;
        size_t size;
    } cases[] = {
        {"plain", "plain", 64}, {"it's", "it\\'s", 64},
        {"a\\b", "a\\\\b", 64}, {"' OR '1", "\\' OR \\'1", 64},
        {"abcdef", "ab", 4},    {"例例", "例", 6},
        {"例", "", 4},          {"", "", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[64];
        if (strcmp(stix_quote(to, cases[i].size, cases[i].text), cases[i].quoted) != 0)
            fail_msg("'%s' in %zu: '%s'", cases[i].text, cases[i].size, to);
    }
}

static void times(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},           {-1, "1969-12-31T23:59:59.999Z"},
        {-1000000000, "1969-12-31T23:59:59.000Z"}, {INT64_MAX, "2262-04-11T23:47:16.854Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145Z"},   {INT64_MIN + 1, "1677-09-21T00:12:43.145Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[RFC3339_TEXT];
        assert_string_equal(rfc3339_utc(cases[i].ns, 3, to), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv),    cmocka_unit_test(json),  cmocka_unit_test(stix),
        cmocka_unit_test(quotes), cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
