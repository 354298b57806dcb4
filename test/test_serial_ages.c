/* What sources and pairs forget, looked up by age, against the openings that it stands for. */
#include "core/source_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t random_state = 11;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* Bits of windows that are open: those of others mean nothing. */
static void ages_check(const struct serial_ages *ages, const struct open_serials *open,
                       unsigned is_open)
{
    for (uint32_t age = 0; age <= open->newest && age < 200; age++) {
        unsigned gone = serials_since(open, open->newest - age);
        struct serial_age is = serial_age_at(ages, open, age);
        for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++) {
            unsigned is_gone = gone >> slot & 1, marks = is_gone ? 0xffff : 0;
            if (!(is_open >> slot & 1))
                continue;
            assert_int_equal(is.marks[slot / 4] >> slot % 4 * 16 & 0xffff, marks);
            assert_int_equal(is.pair >> (PAIR_WINDOWS + slot) & 1, is_gone);
        }
        assert_int_equal(is.pair >> PAIR_BRIEFS, age > 0 ? 0xff : 0);
        assert_int_equal(is.pair % PAIR_SERIALS, PAIR_SERIALS - 1);
    }
}

/* Windows open and close; `kept`: slots whose windows stay open for long. */
static void run(unsigned openings, unsigned kept)
{
    struct open_serials open = {0};
    struct serial_ages ages;
    unsigned is_open = 0;
    for (unsigned i = 0; i < openings; i++) {
        unsigned slot = pick(WINDOW_SLOTS);
        if ((is_open & kept) >> slot & 1 && pick(100))
            continue;
        is_open |= 1u << slot;
        open.at[slot] = ++open.newest;
        serial_ages_make(&ages, &open, is_open);
        ages_check(&ages, &open, is_open);
        if (pick(2))
            is_open &= ~(1u << pick(WINDOW_SLOTS)) | kept;
    }
}

static void test_ages(void **state)
{
    (void)state;
    static const struct {
        unsigned openings, kept;
    } cases[] = {{1, 0},     {14, 0},   {15, 0x80},   {16, 0x80},
                 {17, 0x81}, {2000, 0}, {2000, 0x10}, {2000, 0x81}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run(cases[i].openings, cases[i].kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
