#include "export/crypto_pan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Key and results of the sample that Crypto-PAn is published with. */
static const uint8_t sample_key[CRYPTO_PAN_KEY] = {
    21,  34,  23,  141, 51,  164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
    216, 152, 143, 131, 121, 121, 101, 39,  98, 87, 76, 45, 42, 132, 34,  2};

static const struct {
    const char *plain, *result;
} samples[] = {
    {"128.11.68.132", "135.242.180.132"},   {"129.118.74.4", "134.136.186.123"},
    {"130.132.252.244", "133.68.164.234"},  {"141.223.7.43", "141.167.8.160"},
    {"141.233.145.108", "141.129.237.235"}, {"152.163.225.39", "151.140.114.167"},
    {"156.29.3.236", "147.225.12.42"},
};

static void test_samples(void **state)
{
    struct crypto_pan p;
    crypto_pan_init(&p, sample_key);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        uint8_t address[16] = {0};
        char text[INET_ADDRSTRLEN];
        assert_int_equal(inet_pton(AF_INET, samples[i].plain, address), 1);
        crypto_pan_address(&p, address, 4);
        assert_string_equal(inet_ntop(AF_INET, address, text, sizeof text), samples[i].result);
    }
}

static unsigned shared_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned n = 0;
    while (n < bits && ((a[n / 8] ^ b[n / 8]) & 0x80 >> n % 8) == 0)
        n++;
    return n;
}

/* Addresses share afterwards what they shared before; IPv6 of one /64 stay in one. */
static void test_prefixes(void **state)
{
    struct crypto_pan p;
    crypto_pan_init(&p, sample_key);
    srand(1);
    for (unsigned round = 0; round < 300; round++) {
        unsigned version = round % 2 ? 6 : 4, bits = version == 6 ? 128 : 32;
        uint8_t a[16] = {0}, b[16], a_was[16], b_was[16];
        for (unsigned i = 0; i < bits / 8; i++)
            a[i] = (uint8_t)rand();
        memcpy(b, a, sizeof a);
        unsigned from = (unsigned)rand() % bits;
        b[from / 8] ^= (uint8_t)(0x80 >> from % 8);
        for (unsigned i = from / 8 + 1; i < bits / 8; i++)
            b[i] = (uint8_t)rand();
        memcpy(a_was, a, sizeof a);
        memcpy(b_was, b, sizeof b);
        crypto_pan_address(&p, a, version);
        crypto_pan_address(&p, b, version);
        assert_int_equal(shared_bits(a, b, bits), shared_bits(a_was, b_was, bits));
        for (unsigned i = bits / 8; i < 16; i++)
            assert_int_equal(a[i], 0);
    }
}

/* The id tells keys apart by any of their bits. */
static void test_id(void **state)
{
    struct crypto_pan a, b;
    crypto_pan_init(&a, sample_key);
    assert_int_equal(strspn(a.id, "0123456789abcdef"), CRYPTO_PAN_ID - 1);
    for (unsigned bit = 0; bit < CRYPTO_PAN_KEY * 8; bit++) {
        uint8_t key[CRYPTO_PAN_KEY];
        memcpy(key, sample_key, sizeof key);
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        crypto_pan_init(&b, key);
        assert_string_not_equal(a.id, b.id);
    }
}

static void test_files(void **state)
{
    char dir[] = "/tmp/crypto_pan.XXXXXX", path[64], command[80];
    struct crypto_pan a, b;
    struct fault fault;
    struct stat s;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/key", dir);
    assert_int_equal(crypto_pan_read(&a, path, &fault), -ENOENT);
    assert_int_equal(crypto_pan_new_key(path, &fault), 0);
    assert_int_equal(crypto_pan_new_key(path, &fault), -EEXIST);
    assert_true(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600 && s.st_size == 65);
    assert_int_equal(crypto_pan_read(&a, path, &fault), 0);
    assert_int_equal(crypto_pan_read(&b, path, &fault), 0);
    assert_string_equal(a.id, b.id);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(crypto_pan_read(&a, path, &fault), -EINVAL);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0 && write(fd, sample_key, sizeof sample_key) == sizeof sample_key);
    close(fd);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(crypto_pan_read(&a, path, &fault), 0);
    crypto_pan_init(&b, sample_key);
    assert_string_equal(a.id, b.id);
    assert_int_equal(crypto_pan_read(&a, dir, &fault), -EINVAL);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples),
                                       cmocka_unit_test(test_prefixes), cmocka_unit_test(test_id),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
