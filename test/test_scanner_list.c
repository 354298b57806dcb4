#include "classify/scanner_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD "list: x\norganisations:\n"
#define ORG  "  - name: a\n    cidrs: [192.0.2.0/24]\n"

static int open_text(struct scanner_list **list, const char *text, struct fault *fault)
{
    *fault = (struct fault){0};
    return scanner_list_open_from(list, "x.yaml", text, strlen(text), fault);
}

static void test_good(void **state)
{
    static const char text[] =
        "# a comment\n"
        "organisations:\n"
        "  - cidrs: [198.51.100.0/24, 192.0.2.1, 192.0.2.1, \"2001:db8::/32\", 192.0.2.0/31]\n"
        "    date: 2024-02-29\n"
        "    name: \"Zwei \\\"B\\\" \xc3\xa4\"\n"
        "    homepage: https://example.org/x?y\n"
        "  - {name: \"007\", cidrs: [\"::/0\"]}\n"
        "date: 2026-08-14\n"
        "list: my.list-1\n";
    struct scanner_list *list, *again;
    struct fault fault;
    if (open_text(&list, text, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_string_equal(list->name, "my.list-1");
    assert_string_equal(list->date, "2026-08-14");
    assert_int_equal(strlen(list->sha256), 64);
    assert_int_equal(list->organisation_count, 2);
    assert_string_equal(list->organisations[0].homepage, "https://example.org/x?y");
    scanner_list_sort(list);
    const struct scanner_organisation *o = list->organisations;
    assert_string_equal(o[0].name, "007");
    assert_string_equal(o[1].name, "Zwei \"B\" \xc3\xa4");
    assert_int_equal(o[1].prefix_count, 4); /* one stood twice */
    assert_int_equal(list->prefix_count, 5);
    assert_true(scanner_organisation_size(&o[1], 4) == 258);
    assert_true(scanner_organisation_size(&o[1], 6) == (unsigned __int128)1 << 96);

    char *bytes[2];
    size_t len[2];
    for (int i = 0; i < 2; i++) {
        FILE *out = open_memstream(&bytes[i], &len[i]);
        scanner_list_write(out, list);
        fclose(out);
        if (scanner_list_open_from(&again, "y.yaml", bytes[i], len[i], &fault) != 0)
            fail_msg("%s", fault.text);
        scanner_list_destroy(list);
        list = again;
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(bytes[0], bytes[1], len[0]);
    assert_string_equal(list->organisations[1].date, "2024-02-29");
    assert_int_equal(list->organisations[1].prefix_count, 4);
    free(bytes[0]), free(bytes[1]);
    scanner_list_destroy(list);
    scanner_list_destroy(NULL);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "x.yaml:1:1: the file is empty"},
        {"[]", "x.yaml:1:1: expected keys (list: ...)"},
        {"organisations: []\n", "x.yaml:1:1: key 'list' is missing"},
        {"list: x\n", "x.yaml:1:1: key 'organisations' is missing"},
        {"list: x\ncolour: red\n", "x.yaml:2:1: unknown key 'colour'"},
        {"list: x\nlist: y\n", "x.yaml:2:1: key 'list' a second time"},
        {"list: a b\n", "x.yaml:1:7: 'a b': expected 1 to 63 letters, digits, and - _ ."},
        {"list: [x]\n", "x.yaml:1:7: expected text"},
        {"list: x\ndate: 2026-02-29\n", "x.yaml:2:7: '2026-02-29': expected a day, YYYY-MM-DD"},
        {"list: x\ndate: 2026-8-1\n", "x.yaml:2:7: '2026-8-1': expected a day, YYYY-MM-DD"},
        {"list: x\norganisations: {}\n",
         "x.yaml:2:16: expected a list of organisations (- name: ...)"},
        {"list: &a x\n", "x.yaml:1:7: anchors, aliases and tags are not read"},
        {"list: !!str x\n", "x.yaml:1:7: anchors, aliases and tags are not read"},
        {"list: x\norganisations: []\n---\nlist: y\n", "x.yaml:3:1: a second document"},
        {"list: [x\n",
         "x.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence that begins "
         "at 1:7"},
        {"list: \"x\n",
         "x.yaml:2:1: found unexpected end of stream while scanning a quoted scalar that begins "
         "at 1:7"},
        {"list: \"a\\0b\"\n", "x.yaml:1:7: a zero byte in text"},
        {"list: x\n[x]: y\n", "x.yaml:2:1: expected a key"},
        {"li\xffst: x\n", "x.yaml:1:3: invalid leading UTF-8 octet"},
        {HEAD "  - name: \xc3\xa4 \xe9x\n", "x.yaml:3:14: invalid trailing UTF-8 octet"},
        {"list: x\n# \a\n", "x.yaml:2:3: control characters are not allowed"},
        {HEAD "  - name: a\n", "x.yaml:3:5: key 'cidrs' is missing"},
        {HEAD "  - cidrs: [10.0.0.0/8]\n", "x.yaml:3:5: key 'name' is missing"},
        {HEAD "  - 7\n", "x.yaml:3:5: expected keys (name: ...)"},
        {HEAD "  - name: \"\"\n",
         "x.yaml:3:11: expected a name of 1 to 120 bytes that can be shown"},
        {HEAD "  - name: \"a\\e[1m\"\n",
         "x.yaml:3:11: expected a name of 1 to 120 bytes that can be shown"},
        {HEAD "  - name: a\n    homepage: javascript:alert(1)\n",
         "x.yaml:4:15: 'javascript:alert(1)': expected http:// or https:// and at most 200 bytes"},
        {HEAD "  - name: a\n    cidrs: []\n", "x.yaml:4:12: the list is empty"},
        {HEAD "  - name: a\n    cidrs: 10.0.0.0/8\n",
         "x.yaml:4:12: expected a list of prefixes (- 192.0.2.0/24)"},
        {HEAD "  - name: a\n    cidrs: [10.0.0.0/8, 10.0.0/8]\n",
         "x.yaml:4:25: '10.0.0/8': not an IPv4 or IPv6 prefix"},
        {HEAD "  - name: a\n    cidrs: [10.0.0.1/8]\n",
         "x.yaml:4:13: '10.0.0.1/8': bits behind the prefix length are set"},
        {HEAD "  - name: a\n    cidrs: [10.0.0.0/33]\n",
         "x.yaml:4:13: '10.0.0.0/33': prefix length is not 0 to 32"},
        {HEAD "  - name: a\n    cidrs: [\"::/129\"]\n",
         "x.yaml:4:13: '::/129': prefix length is not 0 to 128"},
        {HEAD "  - name: a\n    cidrs: [[10.0.0.0/8]]\n", "x.yaml:4:13: expected text"},
        {HEAD "  - name: a\n    asn: 7\n", "x.yaml:4:5: unknown key 'asn'"},
        {HEAD ORG ORG, "x.yaml:5:5: an organisation of this name stands above"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scanner_list *list;
        struct fault fault;
        if (open_text(&list, rows[i].text, &fault) != -EINVAL || list)
            fail_msg("row %zu: opened", i);
        if (!strstr(fault.text, rows[i].message))
            fail_msg("row %zu: '%s', expected '%s'", i, fault.text, rows[i].message);
    }
}

static void test_words(void **state)
{
    static const struct {
        const char *date;
        bool is_date;
    } rows[] = {{"2026-11-21", true},  {"2000-02-29", true},
                {"1900-02-29", false}, {"2026-04-31", false},
                {"2026-13-01", false}, {"2026-00-01", false},
                {"2026-01-00", false}, {"2026-1-011", false},
                {"20260101", false},   {"", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(scanner_is_date(rows[i].date), rows[i].is_date);
    assert_true(scanner_is_list_name("a.b-C_9"));
    assert_false(scanner_is_list_name("a/b"));
    assert_false(scanner_is_list_name(""));
    assert_false(scanner_is_homepage("https://"));
    assert_false(scanner_is_homepage("ftp://example.org"));
    assert_false(scanner_is_homepage("https://exa mple.org"));
    assert_false(scanner_is_name(" a", 2));
}

static void test_file(void **state)
{
    char path[] = "/tmp/scanner_XXXXXX";
    struct scanner_list *list;
    struct fault fault;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, HEAD ORG, sizeof(HEAD ORG) - 1), sizeof(HEAD ORG) - 1);
    assert_int_equal(scanner_list_open(&list, path, &fault), 0);
    /* computed with Python's hashlib */
    assert_string_equal(list->sha256,
                        "43b982cdf87535f8ea81385377f5e2d27d5b8d5935272b6c4b8d61b8734158b8");
    scanner_list_destroy(list);
    assert_int_equal(ftruncate(fd, SCANNER_FILE_MAX + 1), 0);
    assert_int_equal(scanner_list_open(&list, path, &fault), -EFBIG);
    close(fd);
    unlink(path);
    assert_int_equal(scanner_list_open(&list, path, &fault), -ENOENT);
    assert_int_equal(scanner_list_open(&list, "/tmp", &fault), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
