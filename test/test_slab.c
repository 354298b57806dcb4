/* Pieces that come and go: apart from each other, zero when they say so, all of them kept as they were written. */
#include "core/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PIECES = 200 };

static uint64_t random_state = 5;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

static bool is_all(const uint8_t *at, size_t size, uint8_t byte)
{
    return at[0] == byte && memcmp(at, at + 1, size - 1) == 0;
}

static void test_come_and_go(void **state)
{
    (void)state;
    static const size_t sizes[] = {SLAB_LEAST, 96 << 10, (100 << 10) + 64, 864 << 10, SLAB_MOST};
    uint8_t *pieces[PIECES] = {0};
    size_t size[PIECES];
    struct slab slab;
    slab_init(&slab);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned k = pick(PIECES);
        bool is_zero;
        if (pieces[k]) {
            assert_true(is_all(pieces[k], size[k], (uint8_t)(k + 1)));
            slab_free(&slab, pieces[k]);
            pieces[k] = NULL;
            continue;
        }
        size[k] = sizes[pick(20) ? pick(3) : 3 + pick(2)];
        pieces[k] = slab_alloc(&slab, size[k], &is_zero);
        assert_int_equal((uintptr_t)pieces[k] % 64, 0);
        if (is_zero)
            assert_true(is_all(pieces[k], size[k], 0));
        memset(pieces[k], (int)(k + 1), size[k]);
    }
    for (unsigned k = 0; k < PIECES; k++)
        if (pieces[k]) {
            assert_true(is_all(pieces[k], size[k], (uint8_t)(k + 1)));
            slab_free(&slab, pieces[k]);
        }
    assert_int_equal(slab.count,
                     0); /* what is empty is given back, but for some of the greatest blocks */
    assert_in_range(slab.spare_count, 1, SLAB_SPARES);
    slab_trim(&slab);
    assert_int_equal(slab.spare_count, 0);
    slab_fini(&slab);
}

/* Those of one size lie side by side in one block. */
static void test_one_block(void **state)
{
    (void)state;
    struct slab slab;
    bool is_zero;
    slab_init(&slab);
    for (unsigned i = 0; i < 64; i++) {
        uint8_t *piece = slab_alloc(&slab, SLAB_LEAST, &is_zero);
        assert_true(is_zero);
        assert_ptr_equal(piece, slab.blocks[0].at + i * SLAB_LEAST);
    }
    assert_int_equal(slab.count, 1);
    slab_free(&slab, slab.blocks[0].at + 7 * SLAB_LEAST);
    assert_ptr_equal(slab_alloc(&slab, SLAB_LEAST, &is_zero), slab.blocks[0].at + 7 * SLAB_LEAST);
    assert_false(is_zero);
    (void)slab_alloc(&slab, SLAB_LEAST, &is_zero);
    assert_int_equal(slab.count, 2);
    slab_fini(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_come_and_go),
                                       cmocka_unit_test(test_one_block)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
