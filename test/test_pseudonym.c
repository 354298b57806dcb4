#include "core/pseudonym.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of the paper's appendix and its reference implementation: key 00 01 ... 0f, messages 00 01 ... */
static const struct siphash_key published = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
static const struct {
    size_t len;
    uint64_t value;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {2, 0x0d6c8009d9a94f5a},
    {7, 0xab0200f58b01d137}, {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5},
};

static void test_siphash_gives_the_published_values(void **state)
{
    (void)state;
    uint8_t message[16];
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_int_equal(siphash(&published, message, vectors[i].len), vectors[i].value);
}

/* The network backwards, from what the header says of it. */
static uint32_t undo(const struct siphash_key *key, uint32_t name)
{
    uint32_t left = name >> 16, right = name & 0xffff;
    for (int round = 3; round >= 0; round--) {
        uint8_t message[3] = {(uint8_t)round, (uint8_t)(left >> 8), (uint8_t)left};
        uint32_t before = right ^ (siphash(key, message, 3) & 0xffff);
        right = left;
        left = before;
    }
    return left << 16 | right;
}

static void test_no_two_addresses_of_a_16_share_a_name(void **state)
{
    (void)state;
    struct siphash_key key;
    siphash_key_init(&key);
    uint8_t *seen = calloc(1, (size_t)1 << 29); /* a bit for each name */
    assert_non_null(seen);
    for (uint32_t i = 0; i < 65536; i++) {
        uint32_t name = pseudonym_ipv4(&key, 0xc6120000 | i);
        assert_false(seen[name >> 3] >> (name & 7) & 1);
        seen[name >> 3] |= (uint8_t)(1 << (name & 7));
    }
    free(seen);
}

static void test_every_name_leads_back_to_one_address(void **state)
{
    (void)state;
    struct siphash_key key;
    siphash_key_init(&key);
    uint32_t address = 1;
    for (int i = 0; i < 500000; i++) {
        address = address * 1664525 + 1013904223; /* visits all of them */
        assert_int_equal(undo(&key, pseudonym_ipv4(&key, address)), address);
        assert_int_equal(pseudonym_ipv4(&key, undo(&key, address)), address);
    }
}

/* A bit of the address or of the key changes half of the name's on average. */
static void test_names_say_nothing(void **state)
{
    enum { TRIES = 4000 };
    (void)state;
    unsigned address_bits = 0, key_bits = 0;
    for (uint32_t i = 0; i < TRIES; i++) {
        struct siphash_key key = {i, ~(uint64_t)i}, other = key;
        other.k1 ^= UINT64_C(1) << (i & 63);
        uint32_t address = i * 2654435761u, name = pseudonym_ipv4(&key, address);
        uint32_t near = pseudonym_ipv4(&key, address ^ 1u << (i & 31));
        address_bits += (unsigned)__builtin_popcount(name ^ near);
        key_bits += (unsigned)__builtin_popcount(name ^ pseudonym_ipv4(&other, address));
    }
    assert_in_range(address_bits, TRIES * 31 / 2, TRIES * 33 / 2);
    assert_in_range(key_bits, TRIES * 31 / 2, TRIES * 33 / 2);
}

static void test_texts(void **state)
{
    static const uint8_t ip4[16] = {198, 18, 0, 1}, ip6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    (void)state;
    char text[PSEUDONYM_TEXT], expected[PSEUDONYM_TEXT];
    (void)snprintf(expected, sizeof expected, "dark+%08x", pseudonym_ipv4(&published, 0xc6120001));
    assert_string_equal(pseudonym_text(&published, ip4, 4, text), expected);
    (void)snprintf(expected, sizeof expected, "dark+%016llx",
                   (unsigned long long)siphash(&published, ip6, sizeof ip6));
    assert_string_equal(pseudonym_text(&published, ip6, 6, text), expected);
    assert_int_equal(strlen(text), 5 + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_gives_the_published_values),
        cmocka_unit_test(test_no_two_addresses_of_a_16_share_a_name),
        cmocka_unit_test(test_every_name_leads_back_to_one_address),
        cmocka_unit_test(test_names_say_nothing),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
