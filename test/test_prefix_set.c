#include "classify/prefix_set.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool holds(const struct prefix_set *set, const char *text)
{
    uint8_t address[16] = {0};
    bool is_ip6 = strchr(text, ':') != NULL;
    assert_int_equal(inet_pton(is_ip6 ? AF_INET6 : AF_INET, text, address), 1);
    return prefix_set_holds(set, address, is_ip6 ? 6 : 4);
}

static const struct good {
    const char *text;
    uint64_t ipv4_size;
    const char *in[6], *out[6];
} goods[] = {
    {"192.0.2.0/24",
     256,
     {"192.0.2.0", "192.0.2.63", "192.0.2.64", "192.0.2.255"},
     {"192.0.1.255", "192.0.3.0", "0.0.0.0", "255.255.255.255", "::", "c000:200::"}},
    {"192.0.2.7", 1, {"192.0.2.7"}, {"192.0.2.6", "192.0.2.8"}},
    {"0.0.0.0/0", UINT64_C(1) << 32, {"0.0.0.0", "127.0.0.1", "255.255.255.255"}, {"::"}},
    {"10.0.0.0/8",
     1 << 24,
     {"10.0.0.0", "10.255.255.255", "10.77.1.2"},
     {"9.255.255.255", "11.0.0.0"}},
    {"10.1.0.0/16", 65536, {"10.1.0.0", "10.1.255.255"}, {"10.0.255.255", "10.2.0.0"}},
    {"10.1.0.0/17,10.1.128.0/17", 65536, {"10.1.0.0", "10.1.127.255", "10.1.128.0"}, {"10.2.0.0"}},
    {"10.0.0.0/15,10.1.2.0/24,10.1.2.3", 131072, {"10.1.2.3", "10.0.0.1"}, {"10.2.0.0"}},
    {"10.1.2.3, 10.1.2.4 ,10.1.2.63,10.1.2.64",
     4,
     {"10.1.2.3", "10.1.2.63", "10.1.2.64"},
     {"10.1.2.2", "10.1.2.5", "10.1.2.62", "10.1.2.65"}},
    {"255.255.255.255,0.0.0.0", 2, {"255.255.255.255", "0.0.0.0"}, {"255.255.255.254", "0.0.0.1"}},
    {"192.0.2.0/24,", 256, {"192.0.2.1"}, {"192.0.3.1"}},
    {"2001:db8::/32",
     0,
     {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
     {"2001:db7:ffff::", "2001:db9::", "32.1.13.184"}},
    {"::/0", 0, {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}, {"0.0.0.0"}},
    {"2001:db8::1,2001:db8::3,2001:db8:1::/48,192.0.2.0/25",
     128,
     {"2001:db8::1", "2001:db8::3", "2001:db8:1:2::", "192.0.2.127"},
     {"2001:db8::", "2001:db8::2", "2001:db8::4", "2001:db8:2::", "192.0.2.128"}},
    {"2001:db8::/33,2001:db8:8000::/33", 0, {"2001:db8::", "2001:db8:ffff::"}, {"2001:db9::"}},
};

static void test_good(void **state)
{
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];
        struct prefix_set *set;
        struct fault fault = {0};
        if (prefix_set_create(&set, g->text, &fault) != 0)
            fail_msg("%s: %s", g->text, fault.text);
        if (prefix_set_ipv4_size(set) != g->ipv4_size)
            fail_msg("%s: size %llu", g->text, (unsigned long long)prefix_set_ipv4_size(set));
        for (unsigned k = 0; k < 6; k++) {
            if (g->in[k] && !holds(set, g->in[k]))
                fail_msg("%s does not hold %s", g->text, g->in[k]);
            if (g->out[k] && holds(set, g->out[k]))
                fail_msg("%s holds %s", g->text, g->out[k]);
        }
        prefix_set_destroy(set);
    }
}

static const struct bad {
    const char *text, *message;
} bads[] = {
    {"192.0.2.1/24", "192.0.2.1/24: bits behind the prefix length are set"},
    {"2001:db8::1/64", "2001:db8::1/64: bits behind the prefix length are set"},
    {"192.0.2.0/33", "192.0.2.0/33: prefix length is not 0 to 32"},
    {"2001:db8::/129", "2001:db8::/129: prefix length is not 0 to 128"},
    {"192.0.2.0/", "192.0.2.0/: prefix length is not 0 to 32"},
    {"192.0.2.0/024", "192.0.2.0/024: prefix length is not 0 to 32"},
    {"192.0.2.0/+24", "192.0.2.0/+24: prefix length is not 0 to 32"},
    {"192.0.2.0/24/8", "192.0.2.0/24/8: prefix length is not 0 to 32"},
    {"192.0.2", "192.0.2: neither an IPv4 or IPv6 prefix nor a file"},
    {"192.0.2.0/24,dark", "dark: not an IPv4 or IPv6 prefix"},
    {"no-such-file", "no-such-file: neither an IPv4 or IPv6 prefix nor a file"},
    {"/a/path/that/is/longer/than/any/prefix/could/ever/be/and/is/not/there.txt",
     "/a/path/that/is/longer/than/any/prefix/could/ever/be/and/is/not: neither an IPv4 or IPv6 "
     "prefix nor a file"},
    {"192.0.2.0/24,no-such-file", "no-such-file: not an IPv4 or IPv6 prefix"},
    {"192.0.2.0 /24", "192.0.2.0 /24: commas part prefixes, blanks don't"},
    {"", "'' holds no prefix"},
    {" , ", "' , ' holds no prefix"},
    {"\033[31m", "?[31m: not an IPv4 or IPv6 prefix"},
};

static void test_bad(void **state)
{
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        struct prefix_set *set = (void *)1;
        struct fault fault = {0};
        assert_int_equal(prefix_set_create(&set, bads[i].text, &fault), -22);
        assert_null(set);
        assert_string_equal(fault.text, bads[i].message);
    }
}

static void test_file(void **state)
{
    static const char content[] =
        "# the dark space\n192.0.2.0/24  # north\n\n\r\n\t2001:db8::/32\r\n198.51.100.7";
    char path[] = "/tmp/prefix_set_XXXXXX";
    int fd = mkstemp(path);
    struct prefix_set *set;
    struct fault fault = {0};
    assert_int_equal(write(fd, content, sizeof content - 1), sizeof content - 1);
    close(fd);
    assert_int_equal(prefix_set_create(&set, path, &fault), 0);
    unlink(path);
    assert_int_equal(prefix_set_ipv4_size(set), 257);
    assert_true(holds(set, "198.51.100.7"));
    assert_true(holds(set, "2001:db8::5"));
    assert_false(holds(set, "198.51.100.8"));
    prefix_set_destroy(set);
    prefix_set_destroy(NULL);
}

static void test_file_line(void **state)
{
    static const struct bad files[] = {
        {"192.0.2.0/24\n10.0.0.1/8\n",
         "dark.txt:2: 10.0.0.1/8: bits behind the prefix length are set"},
        {"\n\nx", "dark.txt:3: x: not an IPv4 or IPv6 prefix"},
        {"10.0.0.0/8,11.0.0.0/8",
         "dark.txt:1: 10.0.0.0/8,11.0.0.0/8: a line holds one prefix, and no commas"},
        {"# two\n10.0.0.0/8 11.0.0.0/8 # on a line",
         "dark.txt:2: 10.0.0.0/8 11.0.0.0/8: a line holds one prefix, and no commas"},
        {"10.0.0.0/8\t11.0.0.0/8",
         "dark.txt:1: 10.0.0.0/8?11.0.0.0/8: a line holds one prefix, and no commas"},
        {"# nothing\n", "'dark.txt' holds no prefix"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct prefix_set *set;
        struct fault fault = {0};
        assert_int_equal(
            prefix_set_create_from(&set, "dark.txt", files[i].text, strlen(files[i].text), &fault),
            -22);
        assert_string_equal(fault.text, files[i].message);
    }
}

static void test_ipv6_prefixes(void **state)
{
    static const struct {
        const char *text;
        uint64_t count;
    } rows[] = {
        {"192.0.2.0/24", 0},
        {"::/0", 1},
        {"::/1,8000::/1", 1},
        {"2001:db8::1", 1},
        {"2001:db8::/32,2001:db8:1::/48", 1},
        {"2001:db8::/33,2001:db8:8000::/33", 1},
        {"2001:db8::/32,2001:db9::/32", 1},
        {"2001:db9::/32,2001:dba::/32", 2}, /* touch, but are no /31 */
        {"2001:db8::1,2001:db8::2,2001:db8::3,2001:db8:1::/48,192.0.2.0/25", 3},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1},
        {"::1,::2/127,::4/126,::8/125,::10", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct prefix_set *set;
        struct fault fault;
        if (prefix_set_create(&set, rows[i].text, &fault) != 0)
            fail_msg("%s: %s", rows[i].text, fault.text);
        if (prefix_set_ipv6_prefixes(set) != rows[i].count)
            fail_msg("%s: %llu", rows[i].text, (unsigned long long)prefix_set_ipv6_prefixes(set));
        prefix_set_destroy(set);
    }
}

/* Many prefixes drawn at random against the plain definition. */
static void test_against_definition(void **state)
{
    enum { PREFIXES = 300, ASKED = 20000 };
    uint32_t base[PREFIXES], seed = 1;
    unsigned length[PREFIXES];
    char text[PREFIXES * 20] = "";
    struct prefix_set *set;
    struct fault fault = {0};
    for (unsigned i = 0, at = 0; i < PREFIXES; i++) {
        seed = seed * 1664525 + 1013904223;
        length[i] = 12 + (seed >> 8) % 21;
        base[i] = (seed ^ seed >> 13) & 0x0fffffff & (~0u << (32 - length[i]));
        at += (unsigned)sprintf(text + at, "%u.%u.%u.%u/%u,", base[i] >> 24, base[i] >> 16 & 255,
                                base[i] >> 8 & 255, base[i] & 255, length[i]);
    }
    assert_int_equal(prefix_set_create(&set, text, &fault), 0);
    for (unsigned i = 0; i < ASKED; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t a = i % 4 ? (base[seed >> 16 & 255] ^ (seed & 0xff)) - (i % 3) : seed & 0x0fffffff;
        uint8_t address[16] = {a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255};
        bool is_in = false;
        for (unsigned k = 0; k < PREFIXES; k++)
            is_in |= (a & (~0u << (32 - length[k]))) == base[k];
        assert_int_equal(prefix_set_holds(set, address, 4), is_in);
    }
    prefix_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_bad),
        cmocka_unit_test(test_file),          cmocka_unit_test(test_file_line),
        cmocka_unit_test(test_ipv6_prefixes), cmocka_unit_test(test_against_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
