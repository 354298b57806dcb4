#include "classify/scanner_import.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char said[2000];

static void say(void *context, const char *line)
{
    (void)context;
    strncat(said, line, sizeof said - strlen(said) - 2);
    strcat(said, "\n");
}

/* Makes a list of one content, and writes it. Caller frees; NULL: refused. */
static char *import(const char *path, const char *bytes, size_t len, struct scanner_import settings,
                    struct fault *fault)
{
    struct scanner_list *list;
    char *text = NULL;
    size_t text_len;
    settings.say = say;
    said[0] = '\0';
    *fault = (struct fault){0};
    assert_int_equal(scanner_list_create(&list, "t", fault), 0);
    int err = scanner_import_from(list, path, bytes, len, &settings, fault);
    if (err == 0) {
        scanner_list_sort(list);
        FILE *out = open_memstream(&text, &text_len);
        scanner_list_write(out, list);
        fclose(out);
    } else {
        assert_true(fault->text[0] != '\0');
    }
    scanner_list_destroy(list);
    return text;
}

#define OUT(rest) "list: \"t\"\norganisations:\n" rest
#define MISP(version, list) \
    "{\"name\": \"M\", \"type\": \"cidr\", \"version\": " version ", \"list\": " list "}"

static void test_good(void **state)
{
    static const struct {
        const char *path, *text;
        struct scanner_import settings;
        const char *expected, *said;
    } rows[] = {
        {"dir/censys_v4.txt",
         "192.0.2.0/24\n192.0.2.9\n192.0.2.0/24\n",
         {0},
         OUT("  - name: \"censys\"\n    cidrs:\n      - 192.0.2.0/24\n      - 192.0.2.9/32\n"),
         ""},
        {"x_v6.txt",
         "\xef\xbb\xbf# words\r\n\r\n  2001:db8::/32 # more\r\n;x\n\t",
         {0},
         OUT("  - name: \"x\"\n    cidrs:\n      - \"2001:db8::/32\"\n"),
         ""},
        {"x.y.txt",
         "10.0.0.0/8",
         {.name = "N \"q\"", .homepage = "https://e.org", .date = "2026-01-02"},
         OUT("  - name: \"N \\\"q\\\"\"\n    homepage: \"https://e.org\"\n    date: "
             "\"2026-01-02\"\n"
             "    cidrs:\n      - 10.0.0.0/8\n"),
         ""},
        {"a.txt",
         "1.0.0.0/8\n10.9.9.9/8\n",
         {0},
         OUT("  - name: \"a\"\n    cidrs:\n      - 1.0.0.0/8\n      - 10.0.0.0/8\n"),
         "a.txt:2: 10.9.9.9/8: taken as 10.0.0.0/8\n"},
        {"a.txt",
         "bad\n1.0.0.0/8\n\n1.1.1.1.1\n",
         {.skips_damage = true},
         OUT("  - name: \"a\"\n    cidrs:\n      - 1.0.0.0/8\n"),
         "a.txt:1: bad: left out\na.txt:4: 1.1.1.1.1: left out\n"},
        {"m.json",
         MISP("20260811", "[\"192.0.2.1\", \"::1/128\"]"),
         {0},
         OUT("  - name: \"M\"\n    date: \"2026-08-11\"\n    cidrs:\n      - 192.0.2.1/32\n      - "
             "\"::1/128\"\n"),
         ""},
        {"m.json",
         " \n" MISP("26081023", "[\"192.0.2.1\"]"),
         {0},
         OUT("  - name: \"M\"\n    date: \"2026-08-10\"\n    cidrs:\n      - 192.0.2.1/32\n"),
         ""},
        {"m.json",
         MISP("26081024", "[\"192.0.2.1\"]"),
         {0},
         OUT("  - name: \"M\"\n    cidrs:\n      - 192.0.2.1/32\n"),
         ""},
        {"m.json",
         MISP("3", "[\"192.0.2.1\", 7, \"x\"]"),
         {.skips_damage = true, .date = "2020-01-01"},
         OUT("  - name: \"M\"\n    date: \"2020-01-01\"\n    cidrs:\n      - 192.0.2.1/32\n"),
         "m.json: list[1]: (no text): left out\nm.json: list[2]: x: left out\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault;
        char *text =
            import(rows[i].path, rows[i].text, strlen(rows[i].text), rows[i].settings, &fault);
        if (!text)
            fail_msg("row %zu: %s", i, fault.text);
        assert_string_equal(text, rows[i].expected);
        assert_string_equal(said, rows[i].said);
        free(text);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *path, *text;
        size_t len; /* 0: of the text */
        struct scanner_import settings;
        const char *message;
    } rows[] = {
        {"a.txt", "", 0, {0}, "a.txt: holds no prefix"},
        {"a.txt", "# only words\n", 0, {0}, "a.txt: holds no prefix"},
        {"a.txt",
         "1.0.0.0/8\nexample.org\n",
         0,
         {0},
         "a.txt:2: example.org: not an IPv4 or IPv6 prefix"},
        {"a.txt",
         "1.0.0.0/8\n1.0.0.0\0/8\n",
         21,
         {0},
         "a.txt:2: 1.0.0.0?/8: not an IPv4 or IPv6 prefix"},
        {"a.txt",
         "1.0.0.0/8 2.0.0.0/8\n",
         0,
         {0},
         "a.txt:1: 1.0.0.0/8 2.0.0.0/8: prefix length is not 0 to 32"},
        {"a.txt",
         "\x1b[31m1.0.0.0/8\n",
         0,
         {0},
         "a.txt:1: ?[31m1.0.0.0/8: not an IPv4 or IPv6 prefix"},
        {"a.txt", "1.0.0.0/40\n", 0, {0}, "a.txt:1: 1.0.0.0/40: prefix length is not 0 to 32"},
        {"\xff.txt", "1.0.0.0/8\n", 0, {0}, "no name for the organisation that can be shown"},
        {"a.txt", "1.0.0.0/8\n", 0, {.name = ""}, "no name for the organisation that can be shown"},
        {"a.txt", "1.0.0.0/8\n", 0, {.homepage = "x"}, "x: no homepage: http:// or https://"},
        {"a.txt", "1.0.0.0/8\n", 0, {.date = "today"}, "today: no day, YYYY-MM-DD"},
        {"m.json", "{", 0, {0}, "m.json:1:1: "},
        {"m.json", "{\"a\": 1, \"a\": 2}", 0, {0}, "m.json:1:12: duplicate object key"},
        {"m.json", "{}", 0, {0}, "m.json: no MISP warning list (name, type, list)"},
        {"m.json",
         "{\"name\": \"h\", \"type\": \"hostname\", \"list\": [\"a.b\", \"c\"]}",
         0,
         {0},
         "m.json: a warning list of type hostname with 2 entries; only type cidr names addresses"},
        {"m.json",
         MISP("1", "[\"192.0.2.1\", \"a.example\"]"),
         0,
         {0},
         "m.json: list[1]: a.example: not an IPv4 or IPv6 prefix"},
        {"m.json",
         MISP("1", "[[]]"),
         0,
         {0},
         "m.json: list[0]: (no text): not an IPv4 or IPv6 prefix"},
        {"m.json", MISP("1", "[]"), 0, {0}, "m.json: holds no prefix"},
        {"m.json", MISP("1", "{}"), 0, {0}, "m.json: no MISP warning list (name, type, list)"},
        {"m.json", "{\"name\": \"\\u0000\"}", 0, {0}, "m.json:1:"},
        {"m.json", MISP("1", "[\"192.0.2.1\"]") "x", 0, {0}, "m.json:1:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault;
        size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
        char *text = import(rows[i].path, rows[i].text, len, rows[i].settings, &fault);
        if (text)
            fail_msg("row %zu: taken as %s", i, text);
        if (!strstr(fault.text, rows[i].message))
            fail_msg("row %zu: '%s', expected '%s'", i, fault.text, rows[i].message);
    }
}

/* JSON that nests without end is refused, not followed. */
static void test_deep(void **state)
{
    enum { DEEP = 1 << 20 };
    struct fault fault;
    char *text = malloc(DEEP + 1);
    assert_non_null(text);
    memset(text, '[', DEEP);
    memcpy(text, "{\"a\":", 5);
    text[DEEP] = '\0';
    assert_null(import("m.json", text, DEEP, (struct scanner_import){0}, &fault));
    assert_non_null(strstr(fault.text, "maximum parsing depth"));
    free(text);
}

/* Files of one organisation are one; the later date holds, and the first homepage. */
static void test_several(void **state)
{
    struct scanner_list *list;
    struct fault fault;
    struct scanner_import a = {.homepage = "https://a.org", .date = "2026-01-01"},
                          b = {.homepage = "https://b.org", .date = "2025-01-01"};
    assert_int_equal(scanner_list_create(&list, "t", &fault), 0);
    assert_int_equal(scanner_import_from(list, "x_v4.txt", "1.0.0.0/8", 9, &a, &fault), 0);
    assert_int_equal(scanner_import_from(list, "x_v6.txt", "2001::/16", 9, &b, &fault), 0);
    assert_int_equal(list->organisation_count, 1);
    assert_int_equal(list->organisations[0].prefix_count, 2);
    assert_string_equal(list->organisations[0].homepage, "https://a.org");
    assert_string_equal(list->organisations[0].date, "2026-01-01");
    scanner_list_destroy(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
