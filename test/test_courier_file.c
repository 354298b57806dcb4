/* Events that go to a file: that it was made outlives a power cut as they do. */
#include "export/courier_state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned writes, full_at; /* calls so far; that which finds no room, 0: none */
static unsigned folders,
    written_at; /* syncs of folders; how many there were before the last write */

/* In place of the C library's. */
ssize_t write(int fd, const void *bytes, size_t len)
{
    written_at = folders;
    if (++writes == full_at) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, len);
}

int fsync(int fd)
{
    struct stat st;
    folders += fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    return (int)syscall(SYS_fsync, fd);
}

static const struct courier_letter letter = {"{}\n", 2, NULL};

static int letter_write(const char *path)
{
    static const atomic_bool is_stopped = false;
    struct courier_spec s = {0};
    struct fault fault;
    (void)snprintf(s.target, sizeof s.target, "%s", path);
    return courier_write(&s, &letter, &is_stopped, &fault);
}

/* The first write fails, or none does. */
static void is_there_for_good(void **state)
{
    for (full_at = 0; full_at < 2; full_at++) {
        char dir[] = "/tmp/courier_file.XXXXXX", path[64], found[16] = "";
        assert_non_null(mkdtemp(dir));
        (void)snprintf(path, sizeof path, "%s/events", dir);
        writes = folders = written_at = 0;
        if (full_at > 0)
            assert_int_equal(letter_write(path), -ENOSPC);
        assert_int_equal(letter_write(path), 0);
        assert_true(written_at > 0);
        unsigned before = folders;
        assert_int_equal(letter_write(path), 0);
        assert_int_equal(folders, before); /* once is enough */
        FILE *in = fopen(path, "r");
        assert_int_equal(fread(found, 1, sizeof found, in), 6);
        assert_string_equal(found, "{}\n{}\n");
        (void)fclose(in);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_there_for_good)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
