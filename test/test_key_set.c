/* Counts of many keys against arithmetic; clearing, growing. */
#include "core/key_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Key n comes 1 + n % 5 times. */
static void fill(struct key_set *s, uint64_t keys)
{
    for (uint64_t turn = 0; turn < 5; turn++) {
        for (uint64_t n = 1; n <= keys; n++) {
            if (n % 5 < turn)
                continue;
            assert_int_equal(key_set_reserve(s, 1), 0);
            assert_int_equal(key_set_add(s, n << 18), turn == 0);
        }
    }
}

static void test_counts(void **state)
{
    (void)state;
    static const uint64_t keys[] = {1, 3000, 3072, 3073, 100000};
    struct key_set s = {0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint64_t seen = 0;
        fill(&s, keys[i]);
        assert_int_equal(s.count, keys[i]);
        for (uint64_t at = 0; at <= s.mask; at++) {
            if (!s.keys[at])
                continue;
            assert_int_equal(s.counts[at], 1 + (s.keys[at] >> 18) % 5);
            seen++;
        }
        assert_int_equal(seen, keys[i]);
        assert_true(s.count <= (s.mask + 1) / 4 * 3);
        key_set_clear(&s);
        assert_int_equal(s.count, 0);
    }
    key_set_fini(&s);
    key_set_clear(&s);
    key_set_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
