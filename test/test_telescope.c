#include "classify/telescope.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { T4 = OBSERVATION_IP | OBSERVATION_TRANSPORT, DARK = OBSERVATION_DARK_SOURCE };

/* The telescope is 192.0.2.0/25 and 2001:db8:5::/48. */
static const struct row {
    const char *src, *dst;
    uint16_t state,
        after; /* what is added to the state; the source is hidden where it is anything */
} rows[] = {
    {"198.51.100.7", "192.0.2.9", T4, 0},
    {"192.0.2.9", "192.0.2.8", T4, DARK},
    {"192.0.2.9", "192.0.2.9", T4, DARK | OBSERVATION_SELF},
    {"192.0.2.127", "198.51.100.7", T4 | OBSERVATION_DF, DARK},
    {"192.0.2.128", "192.0.2.9", T4, 0},
    {"198.51.100.7", "198.51.100.7", T4, 0},
    {"192.0.2.9", "192.0.2.9", 0, 0}, /* no readable header */
    {"2001:db8:5::9", "2001:db8:5::8", T4, DARK},
    {"2001:db8:5::9", "2001:db8:5::9", T4, DARK | OBSERVATION_SELF},
    {"2001:db8:6::9", "2001:db8:5::9", T4, 0},
    /* compatible, mapped, translated, of translators */
    {"::192.0.2.9", "2001:db8:5::9", T4, DARK},
    {"::ffff:192.0.2.9", "2001:db8:5::9", T4, DARK},
    {"::ffff:192.0.2.9", "::ffff:192.0.2.9", T4, DARK | OBSERVATION_SELF},
    {"::ffff:192.0.2.128", "2001:db8:5::9", T4, 0},
    {"::fffe:192.0.2.9", "2001:db8:5::9", T4, 0},
    {"::ffff:0:192.0.2.9", "2001:db8:5::9", T4, DARK},
    {"64:ff9b::192.0.2.9", "2001:db8:5::9", T4, DARK},
    {"64:ff9b::1:192.0.2.9", "2001:db8:5::9", T4, 0},
    /* 6to4 */
    {"2002:c000:209::1", "2001:db8:5::9", T4, DARK},
    {"2002:c000:289::1", "2001:db8:5::9", T4, 0},
    {"2003:c000:209::1", "2001:db8:5::9", T4, 0},
    /* Teredo: server; client, inverted */
    {"2001:0:c000:209::1", "2001:db8:5::9", T4, DARK},
    {"2001:0:c633:6407::3fff:fdf6", "2001:db8:5::9", T4, DARK},
    {"2001:0:c633:6407::192.0.2.9", "2001:db8:5::9", T4, 0},
    {"2001:1:c633:6407::3fff:fdf6", "2001:db8:5::9", T4, 0},
    /* ISATAP */
    {"2600:1:2:3:0:5efe:192.0.2.9", "2001:db8:5::9", T4, DARK},
    {"2600:1:2:3:200:5efe:192.0.2.9", "2001:db8:5::9", T4, DARK},
    {"2600:1:2:3:100:5efe:192.0.2.9", "2001:db8:5::9", T4, 0},
    {"2600:1:2:3:0:5efe:192.0.2.129", "2001:db8:5::9", T4, 0},
    {"2600::192.0.2.9", "2001:db8:5::9", T4, 0},
    {"::", "2001:db8:5::9", T4, 0},
    {"0.0.0.0", "192.0.2.9", T4, 0},
};

static void address_read(const char *text, uint8_t address[16])
{
    assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, address), 1);
}

static void test_rows(void **state)
{
    (void)state;
    static const uint8_t nobody[16];
    struct prefix_set *telescope;
    assert_int_equal(prefix_set_create(&telescope, "192.0.2.0/25,2001:db8:5::/48", NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct observation o = {.state = row->state, .ttl = 9, .dst_port = 23};
        o.ip_version = row->state == 0 ? 0 : strchr(row->src, ':') ? 6 : 4;
        address_read(row->src, o.src);
        address_read(row->dst, o.dst);
        struct observation expected = o;
        expected.state |= row->after;
        if (row->after)
            memcpy(expected.src, nobody, sizeof nobody);
        if (row->state)
            assert_int_equal(telescope_covers(telescope, o.src, o.ip_version), row->after != 0);
        telescope_hide_source(telescope, &o);
        if (memcmp(&o, &expected, sizeof o) != 0)
            fail_msg("%s to %s: state %x, expected %x", row->src, row->dst, o.state,
                     expected.state);
    }
    prefix_set_destroy(telescope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
