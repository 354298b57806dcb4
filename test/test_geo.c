#include "classify/geo.h"
#include "test/mmdb_bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct mmdb_bytes m;

static void begin(void **state)
{
    (void)state;
    memset(&m, 0, sizeof m);
}

static struct geo *open_good(enum geo_kind kind)
{
    struct geo *g;
    struct fault fault = {0};
    if (geo_open_from(&g, kind, "x.mmdb", m.file, m.len, &fault) != 0)
        fail_msg("%s", fault.text);
    return g;
}

static void test_country(void **state)
{
    static const struct {
        uint8_t net;
        const char *key, *code, *found;
    } rows[] = {
        {1, "country", "JP", "JP"},
        {2, "registered_country", "DE", "DE"},
        {3, "country", "jp", ""},
        {4, "country", "JPN", ""},
        {5, "country", "J\x01", ""},
        {6, "country", "", ""},
        {7, "represented_country", "FR", ""},
        {8, "continent", "AS", ""},
    };
    char country[3];
    begin(state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        mmdb_insert(&m, &rows[i].net, 8, mmdb_country(&m, rows[i].key, rows[i].code));
    mmdb_finish(&m, "GeoLite2-Country", 4);
    struct geo *g = open_good(GEO_COUNTRY);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        geo_find_country(g, (uint8_t[16]){rows[i].net, 9, 9, 9}, 4, country);
        assert_string_equal(country, rows[i].found);
    }
    geo_find_country(g, (uint8_t[16]){99}, 4, country);
    assert_string_equal(country, "");
    geo_find_country(g, (uint8_t[16]){0x20, 1}, 6, country); /* IPv6 in a database of IPv4 alone */
    assert_string_equal(country, "");
    assert_string_equal(geo_identity(g)->type, "GeoLite2-Country");
    assert_int_equal(geo_identity(g)->build_epoch_s, 1700000000);
    assert_int_equal(strlen(geo_identity(g)->sha256), 64);
    geo_close(g);
    geo_close(NULL);
}

/* A registered country stands in only where there is no other. */
static void test_both_countries(void **state)
{
    char country[3];
    begin(state);
    mmdb_map(&m, 2);
    mmdb_text(&m, "registered_country"), mmdb_map(&m, 1);
    mmdb_text(&m, "iso_code"), mmdb_text(&m, "US");
    mmdb_text(&m, "country"), mmdb_map(&m, 1), mmdb_text(&m, "iso_code"), mmdb_text(&m, "SE");
    mmdb_insert(&m, (uint8_t[16]){0x20, 0x01, 0x0d}, 24, 0);
    mmdb_finish(&m, "GeoIP2-City", 6);
    struct geo *g = open_good(GEO_COUNTRY);
    geo_find_country(g, (uint8_t[16]){0x20, 0x01, 0x0d, 0x77}, 6, country);
    assert_string_equal(country, "SE");
    geo_find_country(g, (uint8_t[16]){0x20, 0x01, 0x0e}, 6, country);
    assert_string_equal(country, "");
    geo_close(g);
}

static void test_as(void **state)
{
    char longest[200], cut[99] = "";
    memset(longest, 'a', sizeof longest);
    memset(cut, 'a', 98);
    memcpy(longest + 98, "\xe3\x82\xab", 3); /* a character where the name is cut */
    longest[150] = '\0';
    const struct {
        uint8_t net;
        uint32_t number;
        const char *name;
        const char *found;
    } rows[] = {
        {1, 64496, "Example AS", "Example AS"},
        {2, 4294967295, NULL, ""},
        {3, 7, "Caf\xe9 \xff", "Caf\xef\xbf\xbd \xef\xbf\xbd"}, /* Latin-1 */
        {4, 8, "bell \a", "bell \xef\xbf\xbd"},                 /* a control character */
        {5, 9, "\xe2\x80\xaex", "\xef\xbf\xbdx"},               /* turns the line's direction */
        {6, 10, longest, cut},
        {7, 0, "nobody", "nobody"},
    };
    struct geo_as as;
    begin(state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        mmdb_insert(&m, &rows[i].net, 8, mmdb_as(&m, rows[i].number, rows[i].name));
    mmdb_finish(&m, "GeoLite2-ASN", 4);
    struct geo *g = open_good(GEO_AS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        geo_find_as(g, (uint8_t[16]){rows[i].net}, 4, &as);
        assert_int_equal(as.number, rows[i].number);
        assert_string_equal(as.name, rows[i].found);
    }
    geo_find_as(g, (uint8_t[16]){99}, 4, &as);
    assert_int_equal(as.number, 0);
    geo_close(g);
}

static void test_enterprise(void **state)
{
    struct geo_as as;
    begin(state);
    mmdb_map(&m, 1), mmdb_text(&m, "traits");
    (void)mmdb_as(&m, 64500, "Below");
    mmdb_insert(&m, (uint8_t[16]){1}, 8, 0);
    mmdb_finish(&m, "GeoIP2-Enterprise", 4);
    struct geo *g = open_good(GEO_AS);
    geo_find_as(g, (uint8_t[16]){1}, 4, &as);
    assert_int_equal(as.number, 64500);
    assert_string_equal(as.name, "Below");
    geo_close(g);
}

/* ---- refused ---- */

static void country(const char *type)
{
    mmdb_insert(&m, (uint8_t[16]){1}, 8, mmdb_country(&m, "country", "JP"));
    mmdb_finish(&m, type, 4);
}

static void wrong_type(void) { country("GeoLite2-ASN"); }
static void control_type(void) { country("City\n"); }
static void no_marker(void) { country("City"), m.len = 50; }
static void only_marker(void) { country("City"), m.file[m.len - 1] = 0, m.len = 0; }

static void marker_at_end(void)
{
    m.len = 0;
    mmdb_append(&m, "\xab\xcd\xefMaxMind.com", 14);
}

static void cut_metadata(void) { country("City"), m.len -= 1; }

/* The last byte of the node count, behind its key and head. */
static void huge_tree(void)
{
    country("City");
    uint8_t *at = memmem(m.file, m.len, "node_count", 10);
    at[11] = 0x7f;
}

static void no_nodes(void)
{
    country("City");
    uint8_t *at = memmem(m.file, m.len, "node_count", 10);
    memset(at + 11, 0, 4);
}

static void odd_records(void)
{
    country("City");
    uint8_t *at = memmem(m.file, m.len, "record_size", 11);
    at[12] = 25;
}

static void record(uint32_t value)
{
    country("City");
    m.file[0] = value >> 16 & 255, m.file[1] = value >> 8 & 255, m.file[2] = value & 255;
}

static void into_separator(void) { record(m.node_count + 8 + 1); }
static void beyond_data(void) { record(0xffffff); }
static void at_metadata(void) { record(8 + 16 + 21 + 1 + 14); }

static void value(const void *bytes, size_t len)
{
    mmdb_put(&m, bytes, len);
    mmdb_insert(&m, (uint8_t[16]){1}, 8, 0);
    mmdb_finish(&m, "City", 4);
}

#define VALUE(name, bytes) \
    static void name(void) { value(bytes, sizeof bytes - 1); }

VALUE(big_map, "\xff\xff\xff\xff")       /* 16 M pairs */
VALUE(big_array, "\x1f\x04\xff\xff\xff") /* 16 M values */
VALUE(cut_text, "\x5c"
                "abc")                      /* 28 bytes */
VALUE(cut_size, "\xff\xff")                 /* a size of 3 bytes */
VALUE(number_key, "\xe1\xa1\x01\x41x")      /* {1: "x"} */
VALUE(short_double, "\x64\1\2\3\4")         /* 4 bytes */
VALUE(container, "\x00\x05")                /* a data cache container */
VALUE(no_type, "\x00\x00")                  /* extended, to 7 */
VALUE(itself, "\x20\x00")                   /* a pointer to itself */
VALUE(pointers, "\x20\x02\x20\x04\x41x")    /* a pointer to a pointer */
VALUE(around, "\xe1\x41x\x20\x00")          /* {"x": the map itself} */
VALUE(far_pointer, "\xe1\x41x\x27\xff")     /* beyond the data */
VALUE(cut_pointer, "\xe1\x41x\x38\x00\x00") /* 4 bytes, 2 there */
VALUE(wide_number, "\x11\x02")              /* an unsigned of 17 bytes */

static void deep(void)
{
    for (int i = 0; i < 40; i++)
        mmdb_put(&m, "\x01\x04", 2); /* an array of one */
    value("\x41x", 2);
}

/* Each level holds the one before it twice: 2^20 values for who walks them all, 20 here, and deep. */
static void doubling(void)
{
    size_t below = 0;
    value("\x41x", 2);
    for (int i = 0; i < 40; i++) {
        size_t at = m.data_len;
        mmdb_put(&m, "\x02\x04", 2); /* an array of two */
        for (int k = 0; k < 2; k++)
            mmdb_put(&m, (uint8_t[]){0x20 | (below >> 8 & 7), below & 255}, 2);
        below = at;
    }
    mmdb_insert(&m, (uint8_t[16]){2}, 8, below);
    mmdb_finish(&m, "City", 4);
}

/* Maps of which each begins within the one before: the same bytes are read again and again. */
static void overlapping(void)
{
    uint8_t bytes[1024];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0x00 | (i % 2 ? 0x04 : 0x1c); /* arrays of 28 */
    value(bytes, sizeof bytes);
}

static void test_refused(void **state)
{
    static const struct {
        void (*make)(void);
        const char *message;
    } rows[] = {
        {wrong_type,
         "x.mmdb: a database of type GeoLite2-ASN holds no country; one of Country, City or "
         "Enterprise is wanted"},
        {control_type, "the metadata names no type of database"},
        {no_marker, "not a MaxMind DB file (no metadata)"},
        {only_marker, "the file is empty"},
        {marker_at_end, "byte 14: a value is cut off"},
        {cut_metadata, "a value reaches beyond the data"},
        {huge_tree, "the search tree is larger than the file, or empty"},
        {no_nodes, "the search tree is larger than the file, or empty"},
        {odd_records, "the metadata names a format that is not read"},
        {into_separator, "byte 0: a record of the search tree leads out of the data"},
        {beyond_data, "byte 0: a record of the search tree leads out of the data"},
        {at_metadata, "byte 0: a record of the search tree leads out of the data"},
        {big_map, "a value is cut off"},
        {big_array, "a value is cut off"},
        {cut_text, "a value reaches beyond the data"},
        {cut_size, "a value's size is cut off"},
        {number_key, "a map's key is no text"},
        {short_double, "a value of no known type or of a wrong size"},
        {container, "a value of no known type or of a wrong size"},
        {no_type, "a value of no known type"},
        {itself, "a pointer leads to a pointer"},
        {pointers, "a pointer leads to a pointer"},
        {around, "a pointer leads back to itself"},
        {far_pointer, "a pointer leads out of the data"},
        {cut_pointer, "a pointer is cut off"},
        {wide_number, "a value of no known type or of a wrong size"},
        {deep, "values nest too deep"},
        {doubling, "values nest too deep"},
        {overlapping, "values nest too deep"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct geo *g;
        struct fault fault = {0};
        begin(state);
        rows[i].make();
        if (geo_open_from(&g, GEO_COUNTRY, "x.mmdb", m.file, m.len, &fault) != -EINVAL || g)
            fail_msg("row %zu (%s): opened", i, rows[i].message);
        if (!strstr(fault.text, rows[i].message))
            fail_msg("row %zu: '%s', expected '%s'", i, fault.text, rows[i].message);
    }
}

/* What becomes of the file later changes nothing. */
static void test_file(void **state)
{
    char path[] = "/tmp/geo_XXXXXX", found[3];
    struct geo *g;
    struct fault fault;
    begin(state);
    country("GeoLite2-Country");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, m.file, m.len), m.len);
    assert_int_equal(geo_open(&g, GEO_COUNTRY, path, &fault), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    geo_find_country(g, (uint8_t[16]){1}, 4, found);
    assert_string_equal(found, "JP");
    geo_close(g);
    assert_int_equal(geo_open(&g, GEO_COUNTRY, path, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, ": the file is empty"));
    close(fd);
    unlink(path);
    assert_int_equal(geo_open(&g, GEO_COUNTRY, path, &fault), -ENOENT);
    assert_memory_equal(fault.text, path, sizeof path - 1);
    assert_int_equal(geo_open(&g, GEO_COUNTRY, "/dev/null", &fault), -EINVAL);
    assert_string_equal(fault.text, "/dev/null: no plain file");
    assert_int_equal(geo_open(&g, GEO_COUNTRY, "/tmp", &fault), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_country), cmocka_unit_test(test_both_countries),
        cmocka_unit_test(test_as),      cmocka_unit_test(test_enterprise),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
