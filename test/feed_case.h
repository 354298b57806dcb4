/* feed_case: small feeds on disk for tests: written, read as bytes, held to the rules.
 *
 * Included once by each test of the feed log.
 */
#ifndef TEST_FEED_CASE_H
#define TEST_FEED_CASE_H

#include "export/feed_log.h"
#include "forge.h"
#include "sample_window.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_LEN = 256 };

static const int64_t minute_ns = INT64_C(60000000000);

static struct ruleset *rules;
static struct feed_identity identity;
static char scratch[] = "/tmp/feed_case.XXXXXX";
static unsigned folders;

/* A new path in the scratch folder. */
static inline const char *folder_name(char path[PATH_LEN])
{
    snprintf(path, PATH_LEN, "%s/%u/feed", scratch, folders++);
    return path;
}

struct window_case {
    int64_t minute;
    uint32_t part;
    unsigned packets;
};

static inline void feed_write(const char *dir, const struct window_case *cases, size_t count)
{
    struct feed_log *log;
    struct fault fault;
    assert_int_equal(feed_log_create(&log, dir, &identity, &fault), 0);
    for (size_t i = 0; i < count; i++) {
        struct window *w = sample_window(rules, cases[i].minute * minute_ns, cases[i].part,
                                         cases[i].packets, i + 1);
        assert_int_equal(feed_log_append(log, w, &fault), 0);
        window_destroy(w);
    }
    assert_int_equal(feed_log_finish(log, &fault), 0);
}

static inline int verify(const char *path, struct fault *fault)
{
    struct feed_check check;
    return feed_log_verify_rules(path, rules, &check, fault);
}

static inline void assert_broken(const char *path, const char *what)
{
    struct fault fault;
    int err = verify(path, &fault);
    if (err != -EBADMSG && err != -ENODATA)
        fail_msg("%s: verify returned %d", what, err);
    assert_true(strstr(fault.text, ".yami") != NULL);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
    uint64_t x = feed_segment_number((*a)->d_name), y = feed_segment_number((*b)->d_name);
    return x < y ? -1 : x > y;
}

/* Segments in order; returns how many. */
static inline size_t segment_list(const char *dir, char paths[8][PATH_LEN])
{
    struct dirent **entries;
    int found = scandir(dir, &entries, NULL, by_number);
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        if (feed_is_segment_name(entries[i]->d_name) && count < 8)
            snprintf(paths[count++], PATH_LEN, "%.150s/%.100s", dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count;
}

static inline uint8_t *file_read(const char *path, size_t *len)
{
    struct stat s;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &s) == 0);
    uint8_t *bytes = malloc((size_t)s.st_size + 1);
    assert_int_equal(read(fd, bytes, (size_t)s.st_size), s.st_size);
    close(fd);
    *len = (size_t)s.st_size;
    return bytes;
}

static inline void file_write(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static int scratch_make(void **state)
{
    rules = sample_ruleset();
    identity = (struct feed_identity){.sensor = "test",
                                      .timezone = "UTC",
                                      .window_span_ns = minute_ns,
                                      .lateness_ns = minute_ns,
                                      .rules = rules};
    return mkdtemp(scratch) == NULL;
}

static int scratch_remove(void **state)
{
    char command[PATH_LEN];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    free(rules);
    return system(command);
}

#endif
