/* recording_case: a folder for a test's recordings, and what lies in it. */
#ifndef TEST_RECORDING_CASE_H
#define TEST_RECORDING_CASE_H

#include "capture/record_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char case_root[64],
    case_dir[80]; /* a temporary folder, and one in it that is not there yet */

static int case_setup(void **unused)
{
    (void)unused;
    (void)snprintf(case_root, sizeof case_root, "/tmp/recording-test-XXXXXX");
    if (!mkdtemp(case_root))
        return -1;
    (void)snprintf(case_dir, sizeof case_dir, "%s/dir", case_root);
    return 0;
}

static inline void case_empty(const char *dir)
{
    char path[512];
    DIR *all = opendir(dir);
    for (const struct dirent *e; all && (e = readdir(all));) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(path) < 0)
            (void)rmdir(path);
    }
    if (all)
        (void)closedir(all);
}

static int case_teardown(void **unused)
{
    (void)unused;
    case_empty(case_dir);
    (void)rmdir(case_dir);
    case_empty(case_root);
    return rmdir(case_root);
}

/* Makes a file of `size` bytes in the folder, written `age_s` ago. */
static inline void case_put(const char *name, size_t size, int64_t now_s, int64_t age_s)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", case_dir, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    const struct timespec times[2] = {{now_s - age_s, 0}, {now_s - age_s, 0}};
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(close(fd), 0);
}

static inline bool case_has(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", case_dir, name);
    return access(path, F_OK) == 0;
}

static int case_compare(const void *a, const void *b) { return strcmp(a, b); }

/* Names in the folder that contain `part`, sorted; how many. */
static inline size_t case_list(const char *part, char names[][256], size_t max)
{
    size_t n = 0;
    DIR *all = opendir(case_dir);
    for (const struct dirent *e; all && (e = readdir(all));) {
        if (e->d_name[0] != '.' && strstr(e->d_name, part) && n < max)
            (void)snprintf(names[n++], 256, "%s", e->d_name);
    }
    if (all)
        (void)closedir(all);
    qsort(names, n, 256, case_compare);
    return n;
}

#endif
