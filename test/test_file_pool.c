#include "export/file_pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES = 40, PATH = 64 };

static char scratch[] = "/tmp/file_pool.XXXXXX";
static char paths[FILES][PATH];

static int scratch_make(void **state)
{
    if (mkdtemp(scratch) == NULL)
        return 1;
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(paths[i], PATH, "%s/%u", scratch, i);
        FILE *f = fopen(paths[i], "w");
        fprintf(f, "%08u", i);
        fclose(f);
    }
    return 0;
}

static int scratch_remove(void **state)
{
    for (unsigned i = 0; i < FILES; i++)
        unlink(paths[i]);
    return rmdir(scratch);
}

/* Many files, few descriptors: whatever is read, it is the right file, and never more are open. */
static void few_are_open(void **state)
{
    static const unsigned limits[] = {0, 1, 3, FILES, 2 * FILES};
    for (unsigned l = 0; l < sizeof limits / sizeof *limits; l++) {
        struct file_pool *p = file_pool_create(limits[l]);
        struct pooled_file files[FILES] = {0};
        unsigned max = limits[l] == 0 ? 1 : limits[l];
        for (unsigned round = 0; round < 200; round++) {
            unsigned i = round * 7 % FILES, value;
            char text[9] = "", expected[9];
            uint64_t size;
            assert_int_equal(file_pool_size(p, &files[i], paths[i], &size), 0);
            assert_int_equal(size, 8);
            assert_int_equal(file_pool_read(p, &files[i], paths[i], text, 4, 4), 0);
            snprintf(expected, sizeof expected, "%04u", i);
            assert_string_equal(text, expected);
            value = file_pool_open_count(p);
            assert_true(value <= max && value <= FILES);
            if (round % 5 == 0)
                file_pool_release(p, &files[(i + round) % FILES]);
        }
        for (unsigned i = 0; i < FILES; i++)
            file_pool_release(p, &files[i]);
        assert_int_equal(file_pool_open_count(p), 0);
        file_pool_destroy(p);
    }
}

static void errors_are_told(void **state)
{
    struct file_pool *p = file_pool_create(2);
    struct pooled_file file = {0}, other = {0};
    char byte;
    uint64_t size;
    assert_int_equal(file_pool_read(p, &file, paths[0], &byte, 1, 8), -ENODATA);
    assert_int_equal(file_pool_read(p, &other, "/nonexistent", &byte, 1, 0), -ENOENT);
    file_pool_release(p, &file);
    assert_int_equal(file_pool_size(p, &file, scratch, &size), -EINVAL);
    assert_int_equal(file_pool_read(p, &file, scratch, &byte, 1, 0), -EISDIR);
    file_pool_destroy(p);
    file_pool_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_are_open),
        cmocka_unit_test(errors_are_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
