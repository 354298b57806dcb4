#include "export/hll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What Redis 7.0 made of the same elements: PFCOUNT, and the CRC-32C of the registers in GET's
 * dense encoding. Element i is i * 2654435761 mod 2^32, little endian, repeated up to `len` bytes. */
static const struct {
    uint32_t elements, len;
    long count;
    uint32_t crc;
} redis[] = {
    {1, 4, 1, 0x199259ca},         {10, 4, 10, 0xd1a2b3b0},         {1000, 4, 999, 0x2b1b1f0e},
    {20000, 4, 19926, 0xa4e48e01}, {300000, 4, 295459, 0x2ab2cf2d}, {1000, 16, 1002, 0x887eaba9},
    {50, 7, 50, 0x6f0a26fa},
};

static uint32_t registers_crc(const struct hll *h)
{
    uint8_t dense[HLL_DENSE];
    uint32_t crc = ~UINT32_C(0);
    hll_dense(h, dense);
    for (size_t i = 0; i < sizeof dense; i++) {
        crc ^= dense[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void fill(struct hll *h, uint32_t from, uint32_t to, uint32_t len)
{
    for (uint32_t i = from; i < to; i++) {
        uint32_t value = i * UINT32_C(2654435761);
        uint8_t element[16];
        for (size_t at = 0; at < sizeof element; at++)
            element[at] = (uint8_t)(value >> 8 * (at % 4));
        hll_add(h, hll_hash(element, len));
    }
}

static void test_as_redis(void **state)
{
    for (size_t i = 0; i < sizeof redis / sizeof redis[0]; i++) {
        struct hll h = {0};
        fill(&h, 0, redis[i].elements, redis[i].len);
        assert_int_equal((long)(hll_count(&h) + 0.5), redis[i].count);
        assert_int_equal(registers_crc(&h), redis[i].crc);
    }
}

static void test_empty_and_full(void **state)
{
    struct hll h = {0};
    assert_true(hll_count(&h) == 0.0);
    memset(h.at, 51, sizeof h.at);
    assert_true(hll_count(&h) > 1e18);
    hll_add(&h, 0);
    assert_int_equal(h.at[0], 51);
}

static void test_rank_at_the_ends(void **state)
{
    struct hll h = {0};
    hll_add(&h, 5);
    assert_int_equal(h.at[5], 51);
    hll_add(&h, 6 | UINT64_C(1) << 14);
    assert_int_equal(h.at[6], 1);
    hll_add(&h, 6 | UINT64_C(1) << 63);
    assert_int_equal(h.at[6], 50);
}

static void test_merge_is_union(void **state)
{
    struct hll left = {0}, right = {0}, both = {0};
    fill(&left, 0, 700, 4);
    fill(&right, 300, 2000, 4);
    fill(&both, 0, 2000, 4);
    struct hll other_way = right;
    hll_merge(&other_way, &left);
    hll_merge(&left, &right);
    assert_memory_equal(&left, &both, sizeof both);
    assert_memory_equal(&other_way, &both, sizeof both);
}

/* Few registers, at the seams of blocks and words; none; all. */
static void test_blocks(void **state)
{
    static const struct {
        size_t count;
        uint32_t registers[8];
        uint32_t blocks[8]; /* HLL_BLOCKS ends them */
    } cases[] = {
        {0, {0}, {HLL_BLOCKS}},
        {1, {0}, {0, HLL_BLOCKS}},
        {2, {63, 64}, {0, 1, HLL_BLOCKS}},
        {3, {64, 65, 127}, {1, HLL_BLOCKS}},
        {4, {4095, 4096, 8191, 8192}, {63, 64, 127, 128, HLL_BLOCKS}},
        {2, {300, 16383}, {4, 255, HLL_BLOCKS}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hll h = {0}, into = {0}, sum = {0}, zero = {0};
        struct hll_blocks found, added = {0};
        fill(&into, 0, 500, 4);
        sum = into;
        for (size_t k = 0; k < cases[i].count; k++) {
            h.at[cases[i].registers[k]] = (uint8_t)(1 + k);
            hll_blocks_add(&added, cases[i].registers[k]);
        }
        hll_blocks_find(&found, &h);
        assert_memory_equal(&found, &added, sizeof found);
        uint32_t block = 0;
        for (size_t k = 0; block < HLL_BLOCKS; k++, block++) {
            block = hll_blocks_next(&found, block);
            assert_int_equal(block, cases[i].blocks[k]);
        }
        hll_merge(&sum, &h);
        hll_blocks_merge(&found, &into, &h);
        assert_memory_equal(&into, &sum, sizeof sum);
        hll_blocks_clear(&found, &h);
        assert_memory_equal(&h, &zero, sizeof h);
    }
    struct hll full;
    struct hll_blocks all;
    memset(full.at, 1, sizeof full.at);
    hll_blocks_find(&all, &full);
    for (uint32_t block = 0; block < HLL_BLOCKS; block++)
        assert_int_equal(hll_blocks_next(&all, block), block);
}

static void test_dense_and_back(void **state)
{
    struct hll h, back;
    uint8_t dense[HLL_DENSE];
    for (size_t i = 0; i < HLL_REGISTERS; i++)
        h.at[i] = (uint8_t)(i * 7 % 52);
    hll_dense(&h, dense);
    hll_from_dense(&back, dense);
    assert_memory_equal(&h, &back, sizeof h);
    /* Least significant bits first: registers 0 and 1 are 0 and 7. */
    assert_int_equal(dense[0], (7 & 3) << 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_redis),         cmocka_unit_test(test_empty_and_full),
        cmocka_unit_test(test_rank_at_the_ends), cmocka_unit_test(test_merge_is_union),
        cmocka_unit_test(test_blocks),           cmocka_unit_test(test_dense_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
