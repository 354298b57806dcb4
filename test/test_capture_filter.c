#include "capture/capture_filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A SYN from 192.0.2.1:40000 to 198.51.100.2:23 without its link header. */
static const uint8_t syn[40] = {
    0x45, 0,  0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 192,  0, 2, 1, 198, 51, 100, 2,
    0x9c, 64, 0, 23, 0, 0, 0, 1, 0,  0, 0, 0, 0x50, 2, 4, 0, 0,   0,  0,   0,
};
/* An IPv6 header with nothing behind it. */
static const uint8_t ip6[40] = {0x60, 0, 0, 0, 0, 0, 59, 64, 0x20, 1, 0x0d, 0xb8};

enum { ETHERNET = 1, RAW = 101, SLL = 113, NULL_BSD = 0, LOOP = 108, IPV4 = 228 };

static const struct {
    const char *expression;
    uint32_t link_type;
    const char *header; /* link header */
    size_t header_len;
    const uint8_t *packet;
    size_t caught; /* bytes of the packet; the rest was cut off */
    int matches;
} cases[] = {
#define MACS "\2\0\0\0\0\1\2\0\0\0\0\2"
    {"tcp dst port 23", ETHERNET, MACS "\x08\x00", 14, syn, 40, 1},
    {"tcp dst port 80", ETHERNET, MACS "\x08\x00", 14, syn, 40, 0},
    {"src net 192.0.2.0/24", ETHERNET, MACS "\x08\x00", 14, syn, 40, 1},
    {"ip6", ETHERNET, MACS "\x86\xdd", 14, ip6, 40, 1},
    {"vlan and tcp", ETHERNET, MACS "\x81\x00\0\5\x08\x00", 18, syn, 40, 1},
    {"len == 54", ETHERNET, MACS "\x08\x00", 14, syn, 30, 1},
    {"tcp dst port 23", ETHERNET, MACS "\x08\x00", 14, syn, 22, 0}, /* the port was not caught */
    {"tcp dst port 23", RAW, "", 0, syn, 40, 1},
    {"ip6", RAW, "", 0, ip6, 40, 1},
    {"tcp dst port 23", 12, "", 0, syn, 40, 1},
    {"tcp dst port 23", 14, "", 0, syn, 40, 1},
    {"tcp dst port 23", IPV4, "", 0, syn, 40, 1},
    {"tcp dst port 23", SLL, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\x00", 16, syn, 40, 1},
    {"tcp dst port 23", NULL_BSD, "\2\0\0\0", 4, syn, 40, 1},
    {"tcp dst port 23", NULL_BSD, "\0\0\0\2", 4, syn, 40, 1}, /* caught by the other byte order */
    {"ip6", NULL_BSD, "\x1e\0\0\0", 4, ip6, 40, 1},           /* AF_INET6 of another system */
    {"ip6", LOOP, "\0\0\0\x18", 4, ip6, 40, 1},
    {"ip6", NULL_BSD, "\2\0", 2, ip6, 0, 0},            /* cut in the header */
    {"len == 44", NULL_BSD, "\2\0\0\0", 4, syn, 40, 1}, /* the header's 4 bytes count */
    {"less 43", NULL_BSD, "\2\0\0\0", 4, syn, 40, 0},
    {"len == 44", LOOP, "\0\0\0\2", 4, syn, 30, 1},
    {"greater 45", LOOP, "\0\0\0\2", 4, syn, 40, 0},
    {"len == 40", RAW, "", 0, syn, 40, 1},
    {"len == 42", NULL_BSD, "\2\0", 2, syn, 0, 1}, /* also where it was cut in the header */
    {"", ETHERNET, MACS "\x08\x00", 14, syn, 40, 1},
    {"ether dst 2:0:0:0:0:1", ETHERNET, MACS "\x08\x00", 14, syn, 40, 1},
    {"ether dst 2:0:0:0:0:1", RAW, "", 0, syn, 40, -ENOTSUP},
};

static void test_frames_of_every_link_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[128];
        memcpy(bytes, cases[i].header, cases[i].header_len);
        memcpy(bytes + cases[i].header_len, cases[i].packet, 40);
        struct frame frame = {
            .data = bytes,
            .caplen = (uint32_t)(cases[i].header_len + cases[i].caught),
            .wire_len = (uint32_t)(cases[i].header_len + 40),
            .link_type = cases[i].link_type,
        };
        struct filter *f;
        struct fault fault = {0};
        assert_int_equal(filter_create(&f, cases[i].expression, &fault), 0);
        for (int again = 0; again < 2; again++) {
            int rc = filter_matches(f, &frame, &fault);
            if (rc != cases[i].matches)
                print_message("case %zu, %s: %d %s\n", i, cases[i].expression, rc, fault.text);
            assert_int_equal(rc, cases[i].matches);
        }
        if (cases[i].matches < 0)
            assert_non_null(strstr(fault.text, "does not compile for link type RAW: "));
        filter_destroy(f);
    }
}

static void test_which_link_types_it_reads(void **state)
{
    static const struct {
        const char *expression; /* NULL: no filter */
        uint32_t link_type;
        const char *says; /* NULL: it does */
    } reads[] = {
        {NULL, ETHERNET, NULL},
        {NULL, 105, "link type IEEE802_11 is not supported"},
        {"tcp", 105, "link type IEEE802_11 is not supported"},
        {"tcp", SLL, NULL},
        {"net 198.51.100.0/24", LOOP, NULL},
        {"ether host 2:0:0:0:0:1", ETHERNET, NULL},
        {"ether host 2:0:0:0:0:1", RAW, "the filter does not compile for link type RAW: ethernet"},
        {"ether host 2:0:0:0:0:1", SLL, "the filter does not compile for link type LINUX_SLL: "},
        {"vlan", NULL_BSD, "the filter does not compile for link type NULL: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct filter *f = NULL;
        struct fault fault = {0};
        if (reads[i].expression)
            assert_int_equal(filter_create(&f, reads[i].expression, &fault), 0);
        int rc = filter_reads(f, reads[i].link_type, &fault);
        assert_int_equal(rc, reads[i].says ? -ENOTSUP : 0);
        if (reads[i].says && !strstr(fault.text, reads[i].says))
            fail_msg("case %zu: %s", i, fault.text);
        filter_destroy(f);
    }
}

static void test_link_types_in_turn(void **state)
{
    (void)state;
    struct filter *f;
    struct fault fault = {0};
    uint8_t bytes[64] = {0};
    memcpy(bytes, syn, sizeof syn);
    assert_int_equal(filter_create(&f, "tcp", &fault), 0);
    for (int i = 0; i < 20; i++) {
        static const uint32_t types[] = {RAW, ETHERNET, IPV4, LOOP, SLL};
        struct frame frame = {bytes, 40, 40, 0, types[i % 5]};
        int is_bare = frame.link_type == RAW || frame.link_type == IPV4;
        assert_int_equal(filter_matches(f, &frame, &fault), is_bare);
    }
    filter_destroy(f);
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const nonsense[] = {"tcp dst prot 23", "port 99999", "(tcp",
                                           "wlan type mgt and"};
    (void)state;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct filter *f;
        struct fault fault = {0};
        int rc = filter_create(&f, nonsense[i], &fault);
        assert_int_equal(rc, -EINVAL);
        assert_null(f);
        assert_non_null(strstr(fault.text, nonsense[i]));
        filter_destroy(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_of_every_link_type),
        cmocka_unit_test(test_which_link_types_it_reads),
        cmocka_unit_test(test_link_types_in_turn),
        cmocka_unit_test(test_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
