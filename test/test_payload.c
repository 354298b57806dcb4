#include "classify/payload.h"
#include "classify/payload_finder.h"

#include "test/payload_case.h"
#include "test/payload_row.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static const struct payload_settings quiet = {.cache_dir = ""};

static void check(const char *iot, const char *web, const struct payload_settings *settings,
                  const struct payload_row *rows, size_t count)
{
    struct ruleset *set;
    struct fault fault;
    if (payload_case(&set, iot, web, settings, &fault) != 0)
        fail_msg("%s", fault.text);
    struct payload_scratch *scratch = payload_scratch_create(set);
    assert_non_null(scratch);
    for (size_t i = 0; i < count; i++) {
        const struct payload_row *row = &rows[i];
        uint8_t *bytes = malloc(row->len + 1);
        memcpy(bytes, row->bytes, row->len);
        uint16_t found = payload_match(set, scratch, row->proto, row->port, bytes, row->len);
        const char *id = found == RULE_NONE ? "" : set->rules[found].id;
        if (strcmp(id, row->rule) != 0)
            fail_msg("row %zu: '%s', expected '%s'", i, id, row->rule);
        bool is_wanted = payload_wanted(set, row->proto, row->port, (uint32_t)row->len);
        if (is_wanted != row->holds)
            fail_msg("row %zu: %swanted", i, is_wanted ? "" : "not ");
        free(bytes);
    }
    payload_scratch_destroy(scratch);
    ruleset_destroy(set);
}

#define CHECK(iot, web, settings, ...)                                 \
    do {                                                               \
        const struct payload_row rows[] = {__VA_ARGS__};               \
        check(iot, web, settings, rows, sizeof rows / sizeof rows[0]); \
    } while (0)

#define P(section) PAYLOAD_RULE("a", STRICT, section)

/* In these rows `holds` says whether the payload is wanted. */
static void test_patterns(void **state)
{
    if (!payload_is_built)
        skip();
    /* offsets */
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab', at: 0}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "ab") PAYLOAD_ROW("", TCP, 1, true, "xab")
              PAYLOAD_ROW("", TCP, 1, true, "") PAYLOAD_ROW("", TCP, 1, true, "a"));
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab', at: 2}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "\n\rab") PAYLOAD_ROW("", TCP, 1, true, "xab")
              PAYLOAD_ROW("", TCP, 1, true, "xxxab"));
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab', at: 1-2}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "xab") PAYLOAD_ROW("a", TCP, 1, true, "xxab")
              PAYLOAD_ROW("", TCP, 1, true, "ab") PAYLOAD_ROW("", TCP, 1, true, "xxxab"));
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab'}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "xxxxxxab") PAYLOAD_ROW("", TCP, 1, true, "aB"));
    /* the last byte that is looked at */
    CHECK(P("ports: [tcp/1], patterns: [{text: 'a', at: 255}]"), "", &quiet,
          {"a", PORT_PROTO_TCP, 1, true, (const char[256]){[255] = 'a'}, 256},
          {"", PORT_PROTO_TCP, 1, true, (const char[256]){[254] = 'a'}, 256});
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab'}]"), "", &quiet,
          {"a", PORT_PROTO_TCP, 1, true, (const char[300]){[254] = 'a', [255] = 'b'}, 300},
          {"", PORT_PROTO_TCP, 1, true, (const char[300]){[255] = 'a', [256] = 'b'}, 300});
    /* forms */
    CHECK(P("ports: [tcp/1], patterns: [{text: 'a.\\x00\\xff\\r\\n\\\\'}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "a.\0\377\r\n\\")
              PAYLOAD_ROW("", TCP, 1, true, "ax\0\377\r\n\\"));
    CHECK(P("ports: [tcp/1], patterns: [{text: 'aB', nocase: true}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "xAb"));
    CHECK(P("ports: [tcp/1], patterns: [{hex: '00 fF2e'}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "\0\377.") PAYLOAD_ROW("", TCP, 1, true, "\0\377x"));
    CHECK(P("ports: [tcp/1], patterns: [{regex: 'a|b.c', at: 1}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "xa") PAYLOAD_ROW("a", TCP, 1, true, "xb\nc")
              PAYLOAD_ROW("", TCP, 1, true, "b\nc"));
    /* all of, any of */
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab'}, {text: 'cd'}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "cd ab") PAYLOAD_ROW("", TCP, 1, true, "ab ab")
              PAYLOAD_ROW("", TCP, 1, true, "cd"));
    CHECK(P("ports: [tcp/1], patterns: [{any: [{text: 'ab'}, {text: 'xy'}]}, {text: 'cd'}]"), "",
          &quiet, PAYLOAD_ROW("a", TCP, 1, true, "cd xy") PAYLOAD_ROW("", TCP, 1, true, "ab xy"));
}

static void test_ports(void **state)
{
    if (!payload_is_built)
        skip();
    CHECK(P("ports: [tcp/1, udp/5-6], patterns: [{text: 'ab'}]"), "", &quiet,
          PAYLOAD_ROW("a", TCP, 1, true, "ab") PAYLOAD_ROW("", UDP, 1, false, "ab")
              PAYLOAD_ROW("a", UDP, 5, true, "ab") PAYLOAD_ROW("a", UDP, 6, true, "ab")
                  PAYLOAD_ROW("", UDP, 7, false, "ab") PAYLOAD_ROW("", TCP, 5, false, "ab"));
    /* of any port; wanted from the shortest match on */
    CHECK(
        P("ports: [udp/any], patterns: [{any: [{text: 'abc'}, {text: 'xy', at: 3}]}, {text: 'z'}]"),
        "", &quiet,
        PAYLOAD_ROW("a", UDP, 0, true, "abcz") PAYLOAD_ROW("a", UDP, 65535, true, "zabc")
            PAYLOAD_ROW("", UDP, 9, false, "zz") PAYLOAD_ROW("", TCP, 9, false, "abcz"));
    /* rules of any port and of ports are both looked for */
    CHECK(PAYLOAD_RULE("a", STRICT, "ports: [tcp/any], patterns: [{text: 'ab'}]")
              PAYLOAD_RULE("b", STRICT, "ports: [tcp/7], patterns: [{text: 'cd'}]")
                  PAYLOAD_RULE("c", STRICT, "ports: [tcp/6-8], patterns: [{text: 'ef'}]"),
          "", &quiet,
          PAYLOAD_ROW("a", TCP, 7, true, "ab") PAYLOAD_ROW("b", TCP, 7, true, "cd")
              PAYLOAD_ROW("c", TCP, 7, true, "ef") PAYLOAD_ROW("c", TCP, 8, true, "ef")
                  PAYLOAD_ROW("", TCP, 8, true, "cd") PAYLOAD_ROW("", TCP, 9, true, "ef"));
}

/* Strict before other categories before shared, then the set's order, whatever the order of the bytes. */
static void test_precedence(void **state)
{
    if (!payload_is_built)
        skip();
    CHECK(PAYLOAD_RULE("shared", SHARED, "ports: [tcp/any], patterns: [{text: 's'}]")
              PAYLOAD_RULE("strict", STRICT, "ports: [tcp/7], patterns: [{text: 'i'}]")
                  PAYLOAD_RULE("second", STRICT, "ports: [tcp/any], patterns: [{text: 'j'}]"),
          PAYLOAD_RULE("web", "", "ports: [tcp/any], patterns: [{text: 'w'}]"), &quiet,
          PAYLOAD_ROW("strict", TCP, 7, true, "wsji") PAYLOAD_ROW("second", TCP, 7, true, "wsj")
              PAYLOAD_ROW("web", TCP, 7, true, "sw") PAYLOAD_ROW("shared", TCP, 7, true, "s")
                  PAYLOAD_ROW("web", TCP, 8, true, "swi"));
}

static void test_bytes_setting(void **state)
{
    static const struct payload_settings few = {.cache_dir = "", .bytes = 16};
    if (!payload_is_built)
        skip();
    CHECK(P("ports: [tcp/1], patterns: [{text: 'ab'}]"), "", &few,
          PAYLOAD_ROW("a", TCP, 1, true, "12345678901234ab")
              PAYLOAD_ROW("", TCP, 1, true, "123456789012345ab"));
}

/* Before it is loaded, or without Hyperscan, nothing is wanted and nothing holds. */
static void test_off(void **state)
{
    struct ruleset *set;
    struct fault fault;
    assert_int_equal(ruleset_create(&set, NULL, &fault), 0);
    assert_string_equal(set->payload_off, "not loaded");
    assert_false(payload_wanted(set, PORT_PROTO_TCP, 80, 300));
    struct payload_scratch *scratch = payload_scratch_create(set);
    assert_int_equal(payload_match(set, scratch, PORT_PROTO_TCP, 80, (const uint8_t *)"", 0),
                     RULE_NONE);
    payload_scratch_destroy(scratch);
    assert_int_equal(payload_load(set, &quiet, &fault), 0);
    assert_int_equal(payload_is_built, set->payload_off == NULL);
    assert_int_equal(payload_is_built, payload_databases(set) > 0);
    ruleset_destroy(set);
    payload_scratch_destroy(NULL);
}

/* One rule more than there may be groups of ports. */
static void test_too_many_groups(void **state)
{
    struct ruleset *set;
    struct fault fault;
    if (!payload_is_built)
        skip();
    for (unsigned count = 254; count <= 255; count++) {
        char text[1 << 16] = "";
        size_t at = 0;
        for (unsigned i = 0; i < count; i++)
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   "  - {id: r%u, breadth: strict, device: {en: e, ja: j}, basis: "
                                   "{strength: published, source: s}, payload: {ports: [tcp/%u], "
                                   "patterns: [{text: a, at: 0}]}}\n",
                                   i, i);
        int err = payload_case(&set, text, "", &quiet, &fault);
        assert_int_equal(err, count == 254 ? 0 : -EINVAL);
        if (err)
            assert_string_equal(
                fault.text,
                "*.yaml: more than 254 different combinations of payload rules on a port");
        ruleset_destroy(set);
    }
}

/* Where a payload shows a rule: of each clause the first place that its patterns may stand at. */
static void test_places(void **state)
{
    static const struct {
        const char *section, *bytes;
        size_t len;
        unsigned count;
        uint16_t at[3];
    } rows[] = {
        {P("ports: [tcp/1], patterns: [{text: 'ab', at: 0}]"), "abab", 4, 1, {0}},
        {P("ports: [tcp/1], patterns: [{text: 'ab', at: 2}]"), "abab", 4, 1, {2}},
        {P("ports: [tcp/1], patterns: [{text: 'ab', at: 1-3}]"), "abxab", 5, 1, {3}},
        {P("ports: [tcp/1], patterns: [{text: 'ab'}]"), "xxxABabab", 9, 1, {5}},
        {P("ports: [tcp/1], patterns: [{text: 'ab', nocase: true}]"), "xxxABab", 7, 1, {3}},
        {P("ports: [tcp/1], patterns: [{regex: 'b+c'}, {hex: '00'}]"), "ab\0bbc", 6, 2, {3, 2}},
        {P("ports: [tcp/1], patterns: [{any: [{text: 'zz'}, {text: 'q'}]}, {text: 'a'}]"),
         "aaq",
         3,
         2,
         {2, 0}},
        {P("ports: [tcp/1], patterns: [{text: 'ab'}]"), "xxxx", 4, 1, {UINT16_MAX}},
    };
    if (!payload_is_built)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ruleset *set;
        struct fault fault;
        uint16_t at[RULE_CLAUSES_MAX];
        if (payload_case(&set, rows[i].section, "", &quiet, &fault) != 0)
            fail_msg("row %zu: %s", i, fault.text);
        struct payload_finder *f = payload_finder_create(set);
        for (unsigned again = 0; again < 2; again++) {
            uint8_t *bytes = malloc(rows[i].len);
            memcpy(bytes, rows[i].bytes, rows[i].len);
            unsigned count = payload_finder_find(f, 0, bytes, rows[i].len, at);
            if (count != rows[i].count || memcmp(at, rows[i].at, count * sizeof *at) != 0)
                fail_msg("row %zu: %u places, %u, %u", i, count, at[0], at[1]);
            free(bytes);
        }
        payload_finder_destroy(f);
        ruleset_destroy(set);
    }
}

/* Behind the payload lies no memory: a library that reads on would end us. With these bytes Hyperscan 5.4 does. */
static void test_page_end(void **state)
{
    enum { PAGE = 4096, UDP_PORT = 500 };
    static const char bytes[] = "ABCDEF\266H\000\000\000\000\000\000\000\000!\035\230"
                                "GET /cgi-bin/auth\000\000\000\000\000\000\000R\000\000\000TTP/3: "
                                "() {}tftp -g -r \042bash -cd";
    if (!payload_is_built)
        skip();
    struct ruleset *set;
    struct fault fault;
    uint8_t *pages =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    assert_int_equal(ruleset_create(&set, NULL, &fault), 0);
    assert_int_equal(payload_load(set, &quiet, &fault), 0);
    struct payload_scratch *scratch = payload_scratch_create(set);
    for (size_t len = 1; len < sizeof bytes; len++) {
        uint8_t *at = pages + PAGE - len;
        memcpy(at, bytes, len);
        (void)payload_scan(set, scratch, PORT_PROTO_UDP, UDP_PORT, at, len);
        (void)payload_scan(set, scratch, PORT_PROTO_TCP, 80, at, len);
    }
    payload_scratch_destroy(scratch);
    ruleset_destroy(set);
    munmap(pages, 2 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_bytes_setting),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_too_many_groups),
        cmocka_unit_test(test_page_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
