/* The set against a sorted list of what was added. */
#include "core/address_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

static int order(const void *a, const void *b) { return memcmp(a, b, 16); }

static uint64_t distinct(uint8_t (*list)[16], size_t n)
{
    qsort(list, n, 16, order);
    uint64_t count = n > 0;
    for (size_t i = 1; i < n; i++)
        count += memcmp(list[i], list[i - 1], 16) != 0;
    return count;
}

/* `bits` random bits at the end of the address. */
static void fill(uint8_t (*list)[16], size_t n, unsigned bits, unsigned ip_version, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t value = next(&seed) & (bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1);
        memset(list[i], 0, 16);
        for (unsigned k = 0; k < (ip_version == 6 ? 8 : 4); k++)
            list[i][(ip_version == 6 ? 15 : 3) - k] = (uint8_t)(value >> 8 * k);
    }
}

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        unsigned ip_version, bits;
        size_t n;
    } cases[] = {{4, 0, 1},       {4, 4, 100},     {4, 11, 10000}, {4, 12, 20000}, {4, 16, 200000},
                 {4, 20, 200000}, {4, 32, 100000}, {6, 0, 3},      {6, 10, 10000}, {6, 64, 50000}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t n = cases[c].n;
        uint8_t(*list)[16] = malloc(n * 16);
        struct address_set *whole = address_set_create();
        struct address_set *half[2] = {address_set_create(), address_set_create()};
        fill(list, n, cases[c].bits, cases[c].ip_version, c + 1);
        for (size_t i = 0; i < n; i++) {
            address_set_add(whole, list[i], cases[c].ip_version);
            address_set_add(half[i * 3 / n > 0], list[i], cases[c].ip_version);
        }
        uint64_t want = distinct(list, n);
        assert_int_equal(address_set_count(whole), want);
        address_set_merge(half[0], half[1]);
        assert_int_equal(address_set_count(half[0]), want);
        address_set_destroy(whole);
        address_set_destroy(half[0]);
        address_set_destroy(half[1]);
        free(list);
    }
}

/* The same bytes as IPv4 and as IPv6 are two addresses. */
static void test_versions(void **state)
{
    (void)state;
    struct address_set *set = address_set_create();
    uint8_t address[16] = {192, 0, 2, 1};
    address_set_add(set, address, 4);
    address_set_add(set, address, 6);
    assert_int_equal(address_set_count(set), 2);
    address_set_destroy(set);
}

/* Slots of the longest row of used ones in the table of 0.0/16. */
static uint32_t longest_row(const struct address_set *set)
{
    const struct address_container *c = set->of[0];
    uint32_t longest = 0, row = 0;
    for (uint32_t i = 0; i < c->slots; i++) {
        row = c->table[i] ? row + 1 : 0;
        longest = row > longest ? row : longest;
    }
    return longest;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Suffixes chosen for one multiplier, so that with it they stand in one row, do so in hardly any
 * set: each has its own. */
static void test_nobody_aims_at_the_table(void **state)
{
    (void)state;
    enum { SETS = 31, SUFFIXES = 2040 };
    static const uint32_t steps[] = {1, 30599, 16, 257}; /* 30599: the inverse of 40503 */
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        uint32_t rows[SETS], spreads[SETS], same = 0;
        for (int i = 0; i < SETS; i++) {
            struct address_set *set = address_set_create();
            assert_true(set->spread & 1);
            for (uint32_t k = 1; k <= SUFFIXES; k++)
                address_set_add4(set, (uint16_t)(k * steps[s]));
            assert_int_equal(address_set_count(set), SUFFIXES);
            assert_true(set->of[0]->slots > 0);
            rows[i] = longest_row(set);
            spreads[i] = set->spread;
            same += spreads[i] == spreads[0];
            address_set_destroy(set);
        }
        qsort(rows, SETS, sizeof *rows, by_value);
        assert_true(rows[SETS / 2] < SUFFIXES / 8);
        assert_true(same < SETS / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_versions),
                                       cmocka_unit_test(test_nobody_aims_at_the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
