/* Telescopes that change by date, and what is refused of them. */
#include "classify/telescope_dates.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { D20260101 = 20454 };

static const char *const garden =
    "- 192.0.2.0/24\n"                                   /* prefix 0 */
    "- prefix: [198.51.100.0/24, \"2001:db8:1::/48\"]\n" /* 1, 2 */
    "  except: [198.51.100.1, 198.51.100.128/25]\n"
    "  from: 2026-01-02\n"
    "  until: 2026-01-04\n"
    "- {prefix: 198.51.100.0/26, from: 2026-01-04}\n" /* 3: inside 1, without its exception */
    "- {prefix: \"2001:db8:1:1::/64\", until: 2026-01-02}\n" /* 4: inside 2 */
    "- prefix: 192.0.2.0/24\n";                              /* 5: the same again */

/* Which prefix an address counts for on a day (2026-01-01 is 1); -1: none. */
static const struct {
    int day;
    const char *address;
    int number;
} rows[] = {
    {-9000, "192.0.2.0", 0},   {1, "192.0.2.255", 0},      {9000, "192.0.2.7", 0},
    {1, "192.0.3.0", -1},      {1, "198.51.100.5", -1},  /* before from */
    {2, "198.51.100.5", 1},                              /* the first day; */
    {3, "198.51.100.5", 1},    {4, "198.51.100.5", 3},   /* the longer one; */
    {4, "198.51.100.64", 1},   {5, "198.51.100.64", -1}, /* behind until */
    {5, "198.51.100.5", 3},    {3, "198.51.100.1", -1},  /* excepted, */
    {4, "198.51.100.1", 3},                              /* but not by the other entry */
    {3, "198.51.100.127", 1},  {3, "198.51.100.128", -1},  {3, "198.51.100.255", -1},
    {1, "2001:db8:1:1::9", 4}, {2, "2001:db8:1:1::9", 4},  {3, "2001:db8:1:1::9", 2},
    {2, "2001:db8:1:2::9", 2}, {5, "2001:db8:1:2::9", -1},
};

static struct telescope_dates *make(const char *yaml)
{
    struct telescope_dates *t;
    struct fault fault;
    if (telescope_dates_create_from(&t, "t", yaml, strlen(yaml), &fault) != 0)
        fail_msg("%s", fault.text);
    return t;
}

static void test_rows(void **state)
{
    (void)state;
    struct telescope_dates *t = make(garden);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t address[16] = {0};
        unsigned version = strchr(rows[i].address, ':') ? 6 : 4;
        int32_t date = D20260101 - 1 + rows[i].day;
        inet_pton(version == 6 ? AF_INET6 : AF_INET, rows[i].address, address);
        const struct telescope_span *s = telescope_dates_on(t, date);
        int64_t noon_ns = ((int64_t)date * 86400 + 43200) * 1000000000;
        assert_ptr_equal(telescope_dates_at(t, noon_ns), s);
        assert_true(telescope_span_holds_time(s, noon_ns));
        uint32_t number = telescope_span_index(s, address, version);
        if (number != (uint32_t)rows[i].number ||
            prefix_set_holds(s->set, address, version) != (rows[i].number >= 0))
            fail_msg("day %d, %s: prefix %d", rows[i].day, rows[i].address, (int)number);
    }
    telescope_dates_destroy(t);
}

static void test_spans(void **state)
{
    (void)state;
    static const struct {
        int day;
        uint64_t ipv4, ipv6_prefixes;
    } spans[] = {{0, 256, 1}, {2, 256 + 127, 1}, {4, 256 + 128, 1}, {5, 256 + 64, 0}};
    struct telescope_dates *t = make(garden);
    assert_int_equal(t->prefix_count, 6);
    /* 2001:db8:1:1::/64 is no prefix of its own from the third day on. */
    assert_int_equal(t->span_count, 5);
    assert_int_equal(t->spans[2].from, D20260101 + 2);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        const struct telescope_span *s = telescope_dates_on(t, D20260101 - 1 + spans[i].day);
        assert_int_equal(prefix_set_ipv4_size(s->set), spans[i].ipv4);
        assert_int_equal(prefix_set_ipv6_prefixes(s->set), spans[i].ipv6_prefixes);
    }
    assert_int_equal(t->spans[0].from, TELESCOPE_SINCE_EVER);
    assert_int_equal(t->spans[0].start_ns, INT64_MIN);
    assert_int_equal(t->spans[4].end_ns, INT64_MAX);
    assert_int_equal(prefix_set_ipv4_size(t->ever), 256 + 128);
    telescope_dates_destroy(t);
}

/* A zone whose days begin nine hours before UTC's. */
static int64_t east(int32_t date) { return ((int64_t)date * 86400 - 32400) * 1000000000; }

static void test_zone(void **state)
{
    (void)state;
    const int64_t hour_ns = INT64_C(3600000000000);
    struct telescope_dates *t =
        make("# a comment\n- {prefix: 192.0.2.0/24, from: 2026-01-01, until: 2026-01-01}\n");
    assert_int_equal(t->span_count, 3);
    telescope_dates_zone(t, east);
    int64_t start_ns = east(D20260101);
    assert_int_equal(prefix_set_ipv4_size(telescope_dates_at(t, start_ns - 1)->set), 0);
    assert_int_equal(prefix_set_ipv4_size(telescope_dates_at(t, start_ns)->set), 256);
    assert_int_equal(prefix_set_ipv4_size(telescope_dates_at(t, start_ns + 24 * hour_ns - 1)->set),
                     256);
    assert_int_equal(prefix_set_ipv4_size(telescope_dates_at(t, start_ns + 24 * hour_ns)->set), 0);
    assert_false(telescope_dates_split(t, start_ns - hour_ns, hour_ns));
    assert_true(telescope_dates_split(t, start_ns - hour_ns, hour_ns + 1));
    assert_false(telescope_dates_split(t, start_ns, hour_ns));
    assert_true(telescope_dates_split(t, 0, INT64_MAX));
    assert_false(telescope_dates_split(t, INT64_MIN, INT64_MAX));
    assert_false(telescope_dates_split(t, INT64_MAX - 5, hour_ns));
    telescope_dates_destroy(t);
}

/* Entries that follow each other change nothing, in addresses; numbers do. */
static void test_joined(void **state)
{
    (void)state;
    struct telescope_dates *t = make("- {prefix: [0.0.0.0/0, \"::/0\"], until: 2026-01-01}\n"
                                     "- prefix: [0.0.0.0/0, \"::/0\"]\n");
    uint8_t last[16];
    memset(last, 0xff, sizeof last);
    assert_int_equal(t->span_count, 2);
    assert_int_equal(prefix_set_ipv4_size(t->spans[0].set), UINT64_C(1) << 32);
    assert_int_equal(telescope_span_index(&t->spans[0], last, 4), 0);
    assert_int_equal(telescope_span_index(&t->spans[0], last, 6), 1);
    assert_int_equal(telescope_span_index(&t->spans[1], last, 6), 3);
    telescope_dates_destroy(t);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"- prefix: 192.0.2.0/24\n  untill: 2026-01-01\n", "t:2:3: unknown key 'untill'"},
        {"- prefix: 192.0.2.0/24\n  prefix: 192.0.2.0/24\n", "t:2:3: key 'prefix' a second time"},
        {"- from: 2026-01-01\n", "t:1:3: key 'prefix' is missing"},
        {"- prefix: 192.0.2.0/33\n", "t:1:11: prefix length is not 0 to 32"},
        {"- prefix: 192.0.2.1/24\n", "t:1:11: bits behind the prefix length are set"},
        {"- 192.0.2\n", "t:1:3: not an IPv4 or IPv6 prefix"},
        {"- prefix: []\n", "t:1:11: the list is empty"},
        {"- {prefix: 192.0.2.0/24, from: 2026-02-30}\n", "t:1:32: '2026-02-30': expected a day"},
        {"- {prefix: 192.0.2.0/24, from: yesterday}\n", "t:1:32: 'yesterday': expected a day"},
        {"- prefix: 192.0.2.0/24\n  from: 2026-01-02\n  until: 2026-01-01\n",
         "t:3:10: until lies before from"},
        {"- prefix: 192.0.2.0/24\n  except: [192.0.2.1, 192.0.3.1]\n",
         "t:2:23: the exception lies in no prefix of its entry"},
        {"- except: \"2001:db8::/33\"\n  prefix: \"2001:db8::/34\"\n",
         "t:1:11: the exception leaves nothing of a prefix"},
        {"- prefix: 192.0.2.0/24\n  except: 192.0.2.0/24\n",
         "t:2:11: the exception leaves nothing of a prefix"},
        {"- prefix: {a: b}\n", "t:1:11: expected text"},
        {"- [192.0.2.0/24]\n", "t:1:3: expected keys"},
        {"- prefix: &a 192.0.2.0/24\n", "t:1:11: anchors, aliases and tags are not read"},
        {"{prefix: 192.0.2.0/24}\n", "t:1:1: expected a list of prefixes"},
        {"- 192.0.2.0/24\n---\n- 192.0.2.0/24\n", "t:2:1: a second document"},
        {"- [\n", "t:"},
        {"[]\n", "t:1:1: the list is empty"},
        {"192.0.2.0/24\n192.0.2.0/33\n", "t:2: 192.0.2.0/33: prefix length is not 0 to 32"},
        {"# nothing\n", "'t' holds no prefix"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct telescope_dates *t;
        struct fault fault = {0};
        if (telescope_dates_create_from(&t, "t", cases[i].text, strlen(cases[i].text), &fault) ==
                0 ||
            t || strncmp(fault.text, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("%s: %s, expected %s", cases[i].text, fault.text, cases[i].says);
    }
}

static void test_too_many(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct telescope_dates *t;
    struct fault fault;
    FILE *out = open_memstream(&text, &len);
    for (int i = 0; i < 150; i++)
        fprintf(out, "- {prefix: 192.0.2.%d, from: %d-01-01, until: %d-06-01}\n", i, 1000 + i,
                1000 + i);
    fclose(out);
    assert_int_not_equal(telescope_dates_create_from(&t, "t", text, len, &fault), 0);
    assert_string_equal(fault.text, "t: it changes on 300 days, at most 255 are kept");
    free(text);
}

/* The forms of --telescope. */
static void test_forms(void **state)
{
    (void)state;
    char path[] = "/tmp/telescope.XXXXXX";
    struct telescope_dates *t;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "192.0.2.0/24\n192.0.2.0/25 # inside\n", 35), 35);
    close(fd);
    static const char *const texts[] = {"192.0.2.0/24,192.0.2.0/25", NULL};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(telescope_dates_create(&t, texts[i] ? texts[i] : path, NULL), 0);
        assert_int_equal(t->span_count, 1);
        assert_int_equal(t->prefix_count, 2);
        assert_int_equal(telescope_index_find(&t->spans->index, 0xc0000201), 1);
        assert_int_equal(telescope_index_find(&t->spans->index, 0xc0000281), 0);
        telescope_dates_destroy(t);
    }
    unlink(path);
}

/* Against the definition, address by address, on telescopes made at random from few addresses. */
struct thing {
    unsigned from, bits; /* prefix 192.0.2.from/bits */
    unsigned except, except_bits;
    int first, last;
};

static uint32_t expected(const struct thing *things, unsigned count, unsigned address, int day)
{
    uint32_t best = TELESCOPE_NONE;
    unsigned best_bits = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct thing *x = &things[i];
        bool is_in = address >> (8 - x->bits) == x->from >> (8 - x->bits);
        bool is_except =
            x->except_bits && address >> (8 - x->except_bits) == x->except >> (8 - x->except_bits);
        if (is_in && !is_except && day >= x->first && day <= x->last &&
            (best == TELESCOPE_NONE || x->bits > best_bits)) {
            best = i;
            best_bits = x->bits;
        }
    }
    return best;
}

static void test_against_definition(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 60; run++) {
        struct thing things[6];
        char text[2000] = "";
        srand(run);
        for (unsigned i = 0; i < 6; i++) {
            struct thing *x = &things[i];
            *x = (struct thing){.bits = (unsigned)rand() % 8, .first = 1 + rand() % 4};
            x->last = x->first + rand() % 4;
            x->from = (unsigned)rand() % 256 >> (8 - x->bits) << (8 - x->bits);
            x->except_bits = rand() % 2 ? x->bits + 1 + (unsigned)rand() % (8 - x->bits) : 0;
            x->except = x->from | (unsigned)rand() % (256u >> x->bits);
            if (x->except_bits)
                x->except = x->except >> (8 - x->except_bits) << (8 - x->except_bits);
            size_t at = strlen(text);
            at += (size_t)sprintf(text + at,
                                  "- {prefix: 192.0.2.%u/%u, from: 2026-01-0%d, until: "
                                  "2026-01-0%d",
                                  x->from, x->bits + 24, x->first, x->last);
            if (x->except_bits)
                at += (size_t)sprintf(text + at, ", except: 192.0.2.%u/%u", x->except,
                                      x->except_bits + 24);
            strcpy(text + at, "}\n");
        }
        struct telescope_dates *t = make(text);
        for (int day = 0; day < 10; day++) {
            const struct telescope_span *s = telescope_dates_on(t, D20260101 - 1 + day);
            for (unsigned a = 0; a < 256; a++) {
                uint32_t is = telescope_index_find(&s->index, 0xc0000200 | a);
                if (is != expected(things, 6, a, day))
                    fail_msg("run %u, day %d, .%u: %d\n%s", run, day, a, (int)is, text);
                uint8_t address[16] = {192, 0, 2, (uint8_t)a};
                assert_int_equal(prefix_set_holds(s->set, address, 4), is != TELESCOPE_NONE);
            }
        }
        telescope_dates_destroy(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_spans),
        cmocka_unit_test(test_zone),    cmocka_unit_test(test_joined),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_against_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
