#include "classify/bogon.h"
#include "classify/prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct bogon *find(const char *word, bool has_extra)
{
    struct prefix p;
    assert_int_equal(prefix_parse(&p, word), PREFIX_GOOD);
    return bogon_find(p.address, p.ip_version, has_extra);
}

/* First and last addresses of blocks, and those beside them; test_origins.py holds all blocks
 * against Python. `block` NULL: no bogon. */
static void test_find(void **state)
{
    static const struct {
        const char *address, *block, *extra; /* extra: where blocks of N/A count, too */
    } rows[] = {
        {"0.0.0.0", "0.0.0.0/32", "0.0.0.0/32"},
        {"0.255.255.255", "0.0.0.0/8", "0.0.0.0/8"},
        {"1.0.0.0", NULL, NULL},
        {"9.255.255.255", NULL, NULL},
        {"10.0.0.0", "10.0.0.0/8", "10.0.0.0/8"},
        {"11.0.0.0", NULL, NULL},
        {"100.63.255.255", NULL, NULL},
        {"100.64.0.0", "100.64.0.0/10", "100.64.0.0/10"},
        {"100.128.0.0", NULL, NULL},
        {"172.15.255.255", NULL, NULL},
        {"172.31.255.255", "172.16.0.0/12", "172.16.0.0/12"},
        {"172.32.0.0", NULL, NULL},
        {"192.0.0.0", "192.0.0.0/29", "192.0.0.0/29"},
        {"192.0.0.9", NULL, NULL}, /* reachable, inside a block that is not */
        {"192.0.0.10", NULL, NULL},
        {"192.0.0.11", "192.0.0.0/24", "192.0.0.0/24"},
        {"192.88.99.1", NULL, "192.88.99.0/24"},
        {"192.88.99.2", "192.88.99.2/32", "192.88.99.2/32"},
        {"192.175.48.1", NULL, NULL},
        {"198.17.255.255", NULL, NULL},
        {"198.19.255.255", "198.18.0.0/15", "198.18.0.0/15"},
        {"198.20.0.0", NULL, NULL},
        {"223.255.255.255", NULL, NULL},
        {"224.0.0.0", "224.0.0.0/4", "224.0.0.0/4"},
        {"240.0.0.0", "240.0.0.0/4", "240.0.0.0/4"},
        {"255.255.255.254", "240.0.0.0/4", "240.0.0.0/4"},
        {"255.255.255.255", "255.255.255.255/32", "255.255.255.255/32"},
        {"::", "::/128", "::/128"},
        {"::1", "::1/128", "::1/128"},
        {"::2", "::/0", "::/0"},
        {"::ffff:8.8.8.8", "::ffff:0:0/96", "::ffff:0:0/96"},
        {"64:ff9b::808:808", NULL, NULL},
        {"64:ff9b:1::", "64:ff9b:1::/48", "64:ff9b:1::/48"},
        {"100::1", "100::/64", "100::/64"},
        {"1fff:ffff::", "::/0", "::/0"},
        {"2000::", NULL, NULL},
        {"2001::1", NULL, "2001::/32"},
        {"2001:1::1", NULL, NULL},
        {"2001:1::4", "2001::/23", "2001::/23"},
        {"2001:4:112::1", NULL, NULL},
        {"2001:10::", "2001:10::/28", "2001:10::/28"},
        {"2001:20::", NULL, NULL},
        {"2001:200::", NULL, NULL},
        {"2001:db8::", "2001:db8::/32", "2001:db8::/32"},
        {"2001:db9::", NULL, NULL},
        {"2002:808:808::1", NULL, "2002::/16"},
        {"2606:4700::1111", NULL, NULL},
        {"3fff::1", "3fff::/20", "3fff::/20"},
        {"3fff:1000::", NULL, NULL},
        {"4000::", "::/0", "::/0"},
        {"5f00::1", "5f00::/16", "5f00::/16"},
        {"fd00::1", "fc00::/7", "fc00::/7"},
        {"fe80::1", "fe80::/10", "fe80::/10"},
        {"fec0::1", "::/0", "::/0"},
        {"ff02::1", "ff00::/8", "ff00::/8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int extra = 0; extra < 2; extra++) {
            const struct bogon *found = find(rows[i].address, extra);
            const char *expected = extra ? rows[i].extra : rows[i].block;
            if (strcmp(found ? found->prefix : "none", expected ? expected : "none") != 0)
                fail_msg("%s: %s, expected %s", rows[i].address, found ? found->prefix : "none",
                         expected ? expected : "none");
        }
    assert_null(bogon_find((uint8_t[16]){10}, 0, true));
}

/* Numbers and texts of a row are written apart: they say the same, and no row hides another. */
static void test_table(void **state)
{
    size_t count;
    const struct bogon *table = bogon_table(&count);
    for (size_t i = 0; i < count; i++) {
        struct prefix p, q;
        assert_int_equal(prefix_parse(&p, table[i].prefix), PREFIX_GOOD);
        assert_int_equal(strncmp(table[i].rfc, "RFC ", 4), 0);
        for (size_t k = 0; k < i; k++) {
            assert_int_equal(prefix_parse(&q, table[k].prefix), PREFIX_GOOD);
            assert_true(p.ip_version > q.ip_version ||
                        (p.length <= q.length && prefix_compare(&p, &q) != 0));
        }
        const struct bogon *found = bogon_find(p.address, p.ip_version, true);
        if (table[i].reach == BOGON_NEVER && strcmp(table[i].prefix, "2000::/3") != 0)
            assert_null(found);
        else if (found != &table[i]) /* a longer one begins at the same address */
            assert_true(!found || (found < &table[i] && found >= table));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
