#include "classify/prefix.h"
#include "classify/prefix_map.h"
#include "classify/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct prefix parsed(const char *word)
{
    struct prefix p;
    enum prefix_fault found = prefix_parse(&p, word);
    if (found != PREFIX_GOOD)
        fail_msg("%s: %s", word, prefix_fault_text(found));
    return p;
}

static void test_parse(void **state)
{
    static const struct {
        const char *word;
        enum prefix_fault fault;
        const char *text; /* of the prefix read; NULL: none */
    } rows[] = {
        {"192.0.2.0/24", PREFIX_GOOD, "192.0.2.0/24"},
        {"192.0.2.1", PREFIX_GOOD, "192.0.2.1/32"},
        {"0.0.0.0/0", PREFIX_GOOD, "0.0.0.0/0"},
        {"255.255.255.255/32", PREFIX_GOOD, "255.255.255.255/32"},
        {"2001:DB8::/32", PREFIX_GOOD, "2001:db8::/32"},
        {"::/0", PREFIX_GOOD, "::/0"},
        {"::1", PREFIX_GOOD, "::1/128"},
        {"192.0.2.129/25", PREFIX_HOST_BITS, "192.0.2.128/25"},
        {"255.255.255.255/0", PREFIX_HOST_BITS, "0.0.0.0/0"},
        {"2001:db8::1/127", PREFIX_HOST_BITS, "2001:db8::/127"},
        {"2001:db8:8000::/32", PREFIX_HOST_BITS, "2001:db8::/32"},
        {"192.0.2.0/33", PREFIX_LENGTH_IPV4, NULL},
        {"192.0.2.0/", PREFIX_LENGTH_IPV4, NULL},
        {"192.0.2.0/024", PREFIX_LENGTH_IPV4, NULL},
        {"192.0.2.0/+24", PREFIX_LENGTH_IPV4, NULL},
        {"192.0.2.0/24/1", PREFIX_LENGTH_IPV4, NULL},
        {"::/129", PREFIX_LENGTH_IPV6, NULL},
        {"::/1000", PREFIX_LENGTH_IPV6, NULL},
        {"", PREFIX_NO_ADDRESS, NULL},
        {"/24", PREFIX_NO_ADDRESS, NULL},
        {"192.0.2/24", PREFIX_NO_ADDRESS, NULL},
        {"192.0.02.0/24", PREFIX_NO_ADDRESS, NULL},
        {"example.org", PREFIX_NO_ADDRESS, NULL},
        {"1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23:24:25", PREFIX_NO_ADDRESS,
         NULL},
        {"fe80::1%eth0", PREFIX_NO_ADDRESS, NULL},
    };
    char text[PREFIX_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct prefix p;
        assert_int_equal(prefix_parse(&p, rows[i].word), rows[i].fault);
        if (rows[i].text)
            assert_string_equal(prefix_text(&p, text), rows[i].text);
    }
}

static void test_list(void **state)
{
    static const char *const words[] = {"10.0.0.0/24", "10.0.0.128/25",    "10.0.0.0/25",
                                        "10.0.0.0/24", "10.0.1.0/32",      "2001:db8::/64",
                                        "2001:db8::1", "2001:db8:1::/128", "10.0.0.255/32"};
    struct prefix list[9];
    char text[PREFIX_TEXT];
    for (size_t i = 0; i < 9; i++)
        list[i] = parsed(words[i]);
    assert_int_equal(prefix_list_unique(list, 9), 8);
    assert_string_equal(prefix_text(&list[0], text), "10.0.0.0/24");
    assert_string_equal(prefix_text(&list[7], text), "2001:db8:1::/128");
    assert_true(prefix_list_size(list, 8, 4) == 257);
    assert_true(prefix_list_size(list, 8, 6) == ((unsigned __int128)1 << 64) + 1);
    assert_int_equal(prefix_list_unique(list, 0), 0);
    list[0] = parsed("0.0.0.0/0");
    assert_true(prefix_list_size(list, 1, 4) == UINT64_C(1) << 32);
}

static void test_map(void **state)
{
    static const struct {
        const char *prefix;
        uint32_t value;
    } rows[] = {
        {"0.0.0.0/1", 1},
        {"10.0.0.0/8", 2},
        {"10.0.0.0/24", 3},
        {"10.255.255.0/24", 4},
        {"10.0.0.0/8", 5}, /* the smaller value holds */
        {"255.255.255.255/32", 6},
        {"10.0.0.128/32", 7},
        {"2001:db8::/32", 8},
        {"2001:db8::/128", 9},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 10},
    };
    static const struct {
        const char *address;
        uint32_t value;
    } asked[] = {
        {"0.0.0.0", 1},
        {"9.255.255.255", 1},
        {"10.0.0.0", 3},
        {"10.0.0.127", 3},
        {"10.0.0.128", 7},
        {"10.0.0.129", 3},
        {"10.0.1.0", 2},
        {"10.255.254.255", 2},
        {"10.255.255.0", 4},
        {"10.255.255.255", 4},
        {"11.0.0.0", 1},
        {"127.255.255.255", 1},
        {"128.0.0.0", PREFIX_MAP_NONE},
        {"255.255.255.254", PREFIX_MAP_NONE},
        {"255.255.255.255", 6},
        {"::", PREFIX_MAP_NONE},
        {"2001:db8::", 9},
        {"2001:db8::1", 8},
        {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 8},
        {"2001:db9::", PREFIX_MAP_NONE},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", PREFIX_MAP_NONE},
    };
    struct prefix_value values[sizeof rows / sizeof *rows];
    struct prefix_map *map;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        values[i] = (struct prefix_value){parsed(rows[i].prefix), rows[i].value};
    assert_int_equal(prefix_map_create(&map, values, sizeof rows / sizeof *rows), 0);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct prefix p = parsed(asked[i].address);
        uint32_t found = prefix_map_find(map, p.address, p.ip_version);
        if (found != asked[i].value)
            fail_msg("%s: %u, expected %u", asked[i].address, found, asked[i].value);
    }
    prefix_map_destroy(map);
    assert_int_equal(prefix_map_create(&map, NULL, 0), 0);
    assert_int_equal(prefix_map_find(map, (uint8_t[16]){1}, 4), PREFIX_MAP_NONE);
    assert_int_equal(prefix_map_find(map, (uint8_t[16]){1}, 6), PREFIX_MAP_NONE);
    prefix_map_destroy(map);
    prefix_map_destroy(NULL);
}

static bool holds(const struct prefix *p, const uint8_t address[16], unsigned ip_version)
{
    unsigned __int128 a = prefix_number(address, ip_version);
    return p->ip_version == ip_version && a >= prefix_number(p->address, ip_version) &&
           a <= prefix_last(p);
}

/* The longest prefix, then the smaller value, as it is said in words. */
static uint32_t by_definition(const struct prefix_value *rows, size_t count,
                              const uint8_t address[16], unsigned ip_version)
{
    const struct prefix_value *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (holds(&rows[i].prefix, address, ip_version) &&
            (!best || rows[i].prefix.length > best->prefix.length ||
             (rows[i].prefix.length == best->prefix.length && rows[i].value < best->value)))
            best = &rows[i];
    return best ? best->value : PREFIX_MAP_NONE;
}

static void test_map_against_definition(void **state)
{
    enum { ROWS = 60, ROUNDS = 200, ASKED = 200 };
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        struct prefix_value rows[ROWS];
        struct prefix_map *map;
        for (size_t i = 0; i < ROWS; i++) {
            char word[64];
            struct prefix *p = &rows[i].prefix;
            if (rand() % 2)
                (void)snprintf(word, sizeof word, "10.%d.%d.%d/%d", rand() % 2, rand() % 3 * 127,
                               rand() % 256, rand() % 33);
            else
                (void)snprintf(word, sizeof word, "2001:db8:%x::%x/%d", rand() % 2, rand() % 256,
                               rand() % 129);
            (void)prefix_parse(p, word);
            rows[i].value = (uint32_t)rand() % 8;
        }
        struct prefix_value sorted[ROWS];
        memcpy(sorted, rows, sizeof rows);
        assert_int_equal(prefix_map_create(&map, sorted, ROWS), 0);
        for (size_t i = 0; i < ASKED; i++) {
            const struct prefix *p = &rows[rand() % ROWS].prefix;
            uint8_t a[16];
            memcpy(a, p->address, 16);
            a[rand() % (p->ip_version == 6 ? 16 : 4)] ^= (uint8_t)(1 << rand() % 8);
            assert_int_equal(prefix_map_find(map, a, p->ip_version),
                             by_definition(rows, ROWS, a, p->ip_version));
        }
        prefix_map_destroy(map);
    }
}

static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool is_showable;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"caf\xc3\xa9", true},
        {"\xe6\x97\xa5\xe6\x9c\xac", true},
        {"\xf0\x9f\x90\xb1", true},
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", false}, /* beyond */
        {"\xc0\xaf", false},         /* longer than need be */
        {"\xe0\x80\xaf", false},
        {"\xf0\x80\x80\xaf", false},
        {"\xed\xa0\x80", false}, /* a surrogate */
        {"\x80", false},
        {"\xc3", false},
        {"\xe6\x97", false},
        {"\xff", false},
        {"a\nb", false},
        {"\x1b[31m", false},
        {"\x7f", false},
        {"\xc2\x9b", false}, /* C1: CSI */
        {"\xc2\xa0", true},
        {"\xe2\x80\xa8", false}, /* line separator */
        {"\xe2\x80\xae", false}, /* right to left */
        {"\xe2\x81\xa6", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (utf8_is_showable(rows[i].text, strlen(rows[i].text)) != rows[i].is_showable)
            fail_msg("row %zu: '%s'", i, rows[i].text);
    assert_false(utf8_is_showable("a\0b", 3));
    assert_int_equal(utf8_cut("ab", 2, 5), 2);
    assert_int_equal(utf8_cut("a\xe6\x97\xa5", 4, 3), 1);
    assert_int_equal(utf8_cut("\xe6\x97\xa5z", 4, 3), 3);
    assert_int_equal(utf8_cut("\xe6\x97\xa5", 3, 0), 0);
}

static void test_utf8_clean(void **state)
{
#define FFFD "\xef\xbf\xbd"
    static const struct {
        const char *text, *clean;
        size_t size;
    } rows[] = {
        {"", "", 1},
        {"plain", "plain", 6},
        {"plain", "plai", 5},
        {"caf\xc3\xa9", "caf\xc3\xa9", 6},
        {"caf\xc3\xa9", "caf", 5}, /* cut behind a whole character */
        {"caf\xe9s", "caf" FFFD "s", 32},
        {"\xff", FFFD, 4},
        {"\xff", "", 3},
        {"\xe6\x97", FFFD FFFD, 32}, /* each byte of what is cut */
        {"\xed\xa0\x80", FFFD FFFD FFFD, 32},
        {"\x1b[31m\xe2\x80\xae", FFFD "[31m" FFFD, 32}, /* each character that is hidden */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char clean[32];
        size_t len = utf8_clean(clean, rows[i].size, rows[i].text, strlen(rows[i].text));
        if (strcmp(clean, rows[i].clean) != 0 || len != strlen(clean) ||
            !utf8_is_showable(clean, len))
            fail_msg("row %zu: '%s'", i, clean);
    }
    char clean[8];
    assert_int_equal(utf8_clean(clean, sizeof clean, "a\0b", 3), 5);
    assert_string_equal(clean, "a" FFFD "b");
#undef FFFD
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_list),
        cmocka_unit_test(test_map),   cmocka_unit_test(test_map_against_definition),
        cmocka_unit_test(test_utf8),  cmocka_unit_test(test_utf8_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
