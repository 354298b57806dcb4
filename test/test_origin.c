#include "classify/origin.h"
#include "classify/prefix.h"
#include "test/mmdb_bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/origin_XXXXXX";
static char path[4][64];

static void write_file(const char *name, const void *bytes, size_t len)
{
    char to[100];
    (void)snprintf(to, sizeof to, "%s/%s", dir, name);
    FILE *file = fopen(to, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

/* Two lists: "zeta" and "beta" have one prefix in common; "zeta" stands in both. */
static const char one[] = "list: one\ndate: 2026-01-01\norganisations:\n"
                          "  - {name: zeta, date: 2025-01-01, homepage: \"https://z.org\", cidrs: "
                          "[1.0.0.0/8, 9.9.9.0/24]}\n"
                          "  - {name: alpha, cidrs: [1.2.3.0/24, 1.2.0.0/16, 10.0.0.0/8, "
                          "\"2600::/32\", \"2001:db8::/32\"]}\n";
static const char two[] =
    "list: two\norganisations:\n"
    "  - {name: beta, cidrs: [9.9.9.0/24, 1.2.3.4]}\n"
    "  - {name: zeta, date: 2026-06-01, homepage: \"https://a.org\", cidrs: [\"2600:0:1::/48\"]}\n";

static int setup(void **state)
{
    static struct mmdb_bytes m;
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    write_file("one.yaml", one, sizeof one - 1);
    write_file("two.yaml", two, sizeof two - 1);
    mmdb_insert(&m, (uint8_t[16]){1}, 8, mmdb_country(&m, "country", "JP"));
    mmdb_insert(&m, (uint8_t[16]){10}, 8, mmdb_country(&m, "country", "US"));
    mmdb_finish(&m, "Country", 4);
    write_file("c.mmdb", m.file, m.len);
    memset(&m, 0, sizeof m);
    mmdb_insert(&m, (uint8_t[16]){1}, 8, mmdb_as(&m, 64496, "Example"));
    mmdb_finish(&m, "ASN", 4);
    write_file("a.mmdb", m.file, m.len);
    static const char *const names[] = {"one.yaml", "two.yaml", "c.mmdb", "a.mmdb"};
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(path[i], sizeof path[i], "%s/%s", dir, names[i]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        unlink(path[i]);
    return rmdir(dir);
}

static struct origins *create(struct origin_settings settings)
{
    struct origins *o;
    struct fault fault = {0};
    if (origins_create(&o, &settings, &fault) != 0)
        fail_msg("%s", fault.text);
    return o;
}

static struct origin find(const struct origins *o, const char *word)
{
    struct prefix p;
    struct origin found;
    assert_int_equal(prefix_parse(&p, word), PREFIX_GOOD);
    origins_find(o, p.address, p.ip_version, &found);
    return found;
}

static void test_find(void **state)
{
    static const struct {
        const char *address;
        enum origin_class class;
        const char *organisation, *country;
        uint32_t as;
    } rows[] = {
        {"1.2.3.4", ORIGIN_acknowledged, "beta", "JP", 64496},
        {"1.2.3.5", ORIGIN_acknowledged, "alpha", "JP", 64496},
        {"1.3.0.0", ORIGIN_acknowledged, "zeta", "JP", 64496},
        {"9.9.9.9", ORIGIN_acknowledged, "beta", "", 0}, /* the same prefix: the first name */
        {"8.8.8.8", ORIGIN_ordinary, "", "", 0},
        {"10.1.1.1", ORIGIN_bogon, "", "",
         0}, /* listed and in the database: a bogon all the same */
        {"2001:db8::1", ORIGIN_bogon, "", "", 0},
        {"2600::1", ORIGIN_acknowledged, "alpha", "", 0},
        {"2600:0:1::1", ORIGIN_acknowledged, "zeta", "", 0},
        {"2601::", ORIGIN_ordinary, "", "", 0},
        {"2002::1", ORIGIN_ordinary, "", "", 0},
    };
    const char *lists[] = {path[1], path[0]};
    struct origins *o = create((struct origin_settings){
        .country = path[2], .as = path[3], .lists = lists, .list_count = 2});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct origin found = find(o, rows[i].address);
        const char *name = found.organisation == ORIGIN_NO_ORGANISATION
                               ? ""
                               : origins_organisation(o, found.organisation)->name;
        if (found.class != rows[i].class || strcmp(name, rows[i].organisation) != 0 ||
            strcmp(found.country, rows[i].country) != 0 || found.as.number != rows[i].as ||
            !found.bogon != (found.class != ORIGIN_bogon))
            fail_msg("%s: %s '%s' '%s' AS%u", rows[i].address, origin_name(found.class), name,
                     found.country, found.as.number);
    }
    struct origin none;
    origins_find(o, (uint8_t[16]){10}, 0, &none);
    assert_int_equal(none.class, ORIGIN_ordinary);
    origins_destroy(o);
    o = create((struct origin_settings){.has_extra_bogons = true});
    assert_int_equal(find(o, "2002::1").class, ORIGIN_bogon);
    origins_destroy(o);
    assert_string_equal(origin_name(ORIGIN_survey), "survey");
}

/* What answered is named, in one order, whatever the order of the files. */
static void test_basis(void **state)
{
    const char *lists[][3] = {{path[0], path[1]}, {path[1], path[0], path[1]}, {dir}};
    const size_t counts[] = {2, 3, 1};
    for (size_t i = 0; i < 3; i++) {
        struct origins *o =
            create((struct origin_settings){.lists = lists[i], .list_count = counts[i]});
        const struct origin_basis *b = origins_basis(o);
        assert_null(b->country);
        assert_null(b->as);
        assert_int_equal(b->list_count, 2);
        assert_string_equal(b->lists[0].name, "one");
        assert_string_equal(b->lists[0].date, "2026-01-01");
        assert_int_equal(b->lists[0].prefixes, 7);
        assert_string_equal(b->lists[1].name, "two");
        assert_string_equal(b->lists[1].date, "");
        assert_int_equal(strlen(b->lists[1].sha256), 64);
        assert_int_equal(b->organisation_count, 3);
        const struct origin_organisation *zeta = origins_organisation(o, 2);
        assert_string_equal(zeta->name, "zeta");
        assert_string_equal(zeta->date, "2026-06-01");
        assert_string_equal(zeta->homepage, "https://a.org");
        origins_destroy(o);
    }
    struct origins *o = create((struct origin_settings){.country = path[2], .as = path[3]});
    const struct origin_basis *b = origins_basis(o);
    assert_string_equal(b->country->type, "Country");
    assert_string_equal(b->as->type, "ASN");
    assert_null(b->lists);
    assert_int_equal(b->list_count, 0);
    assert_int_equal(find(o, "1.2.3.4").class, ORIGIN_ordinary);
    origins_destroy(o);
    origins_destroy(NULL);
}

static void test_refused(void **state)
{
    char copy[80], empty[80];
    (void)snprintf(copy, sizeof copy, "%s/copy", dir);
    (void)snprintf(empty, sizeof empty, "%s/empty", dir);
    write_file("copy", "list: one\norganisations: []\n", 28);
    assert_int_equal(mkdir(empty, 0700), 0);
    const char *twice[] = {path[0], copy}, *bad[] = {path[2]}, *folder[] = {empty},
               *none[] = {"/nowhere"};
    const struct {
        struct origin_settings settings;
        int err;
        const char *message;
    } rows[] = {
        {{.country = path[3]}, EINVAL, "a.mmdb: a database of type ASN holds no country"},
        {{.as = path[2]}, EINVAL, "c.mmdb: a database of type Country holds no AS"},
        {{.as = "/nowhere"}, ENOENT, "/nowhere: No such file"},
        {{.lists = none, .list_count = 1}, ENOENT, "/nowhere: No such file"},
        {{.lists = twice, .list_count = 2}, EINVAL, "copy: another list is called one, too"},
        {{.lists = bad, .list_count = 1}, EINVAL, "c.mmdb:1:"},
        {{.lists = folder, .list_count = 1}, EINVAL, "empty: no list (*.yaml) in this folder"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct origins *o;
        struct fault fault = {0};
        assert_int_equal(origins_create(&o, &rows[i].settings, &fault), -rows[i].err);
        assert_null(o);
        if (!strstr(fault.text, rows[i].message))
            fail_msg("row %zu: '%s', expected '%s'", i, fault.text, rows[i].message);
    }
    unlink(copy);
    rmdir(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_basis),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
