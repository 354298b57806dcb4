/* journal_folder: a journal's folder seen from outside, and a script of windows around midnight that it is held to. Included once by
 * each test that needs it.
 */
#ifndef TEST_JOURNAL_FOLDER_H
#define TEST_JOURNAL_FOLDER_H

#include "core/day_part.h"
#include "journal_case.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { DAY = 20778, NAMES = 256, PATH = 300 };

/* Merges at low priority would wait for whatever else the machine does. */
int setpriority(__priority_which_t which, id_t who, int value) { return 0; }

static char scratch[64] = "/dev/shm/day_journal.XXXXXX", dir[80];

static int scratch_make(void **state)
{
    if (!mkdtemp(scratch) && !mkdtemp(strcpy(scratch, "/tmp/day_journal.XXXXXX")))
        return 1;
    (void)snprintf(dir, sizeof dir, "%s/journal", scratch);
    return 0;
}

/* ---- the folder from outside ---- */

static char names[NAMES][DAY_PART_NAME];

/* Names in the folder, sorted; returns how many. */
static unsigned folder_list(void)
{
    unsigned count = 0;
    DIR *entries = opendir(dir);
    for (const struct dirent *e; entries && (e = readdir(entries));)
        if (e->d_name[0] != '.' && count < NAMES)
            (void)snprintf(names[count++], DAY_PART_NAME, "%.90s", e->d_name);
    if (entries)
        (void)closedir(entries);
    qsort(names, count, DAY_PART_NAME, (int (*)(const void *, const void *))strcmp);
    return count;
}

static void folder_clear(void)
{
    char path[PATH];
    for (unsigned i = folder_list(); i-- > 0;) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)syscall(SYS_unlink, path);
    }
    (void)rmdir(dir);
}

static int scratch_remove(void **state)
{
    folder_clear();
    return rmdir(scratch);
}

static struct day_journal *journal_open(uint64_t last)
{
    struct day_journal *j;
    struct fault fault;
    const struct day_journal_settings settings = {dir,  "tokyo", "Asia/Tokyo", last,
                                                  NULL, NULL,    NULL};
    if (day_journal_open(&j, &settings, &fault) < 0)
        fail_msg("%s", fault.text);
    return j;
}

static inline int open_fails(const char *sensor, const char *zone, uint64_t last,
                             struct fault *fault)
{
    struct day_journal *j;
    const struct day_journal_settings settings = {dir, sensor, zone, last, NULL, NULL, NULL};
    int err = day_journal_open(&j, &settings, fault);
    day_journal_close(j);
    return err;
}

static int part_add(struct day_journal *j, const struct journal_pool *pool, int32_t date,
                    uint64_t number, struct fault *fault)
{
    static struct journal_made made;
    journal_make(&made, pool, date, number);
    return day_journal_add(j, &made.part, fault);
}

static void part_must(struct day_journal *j, const struct journal_pool *pool, int32_t date,
                      uint64_t number)
{
    struct fault fault;
    if (part_add(j, pool, date, number, &fault) < 0)
        fail_msg("%s", fault.text);
}

/* ---- held to the plain merge ---- */

struct comparison {
    const struct journal_plain *plain;
    unsigned at;
    bool differs;
};

static int compare_one(void *context, struct source_day *d)
{
    static struct record_buffer a, b;
    struct comparison *c = context;
    uint32_t crc = 0;
    while (c->at < POOL_MAX && c->plain->at[c->at].day.ip_version == 0)
        c->at++;
    if (c->at == POOL_MAX) {
        c->differs = true;
        return 0;
    }
    a.len = b.len = 0;
    if (record_pack_source_day(&a, 1, &crc, d) < 0 ||
        record_pack_source_day(&b, 1, &crc, &c->plain->at[c->at++].day) < 0)
        return -ENOMEM;
    c->differs |= a.len < 5 || a.len != b.len || memcmp(a.data, b.data, a.len - 4) != 0;
    return 0;
}

/* Whether a date has the sources and sums of the plain merge, no more and no less. */
static bool date_is(struct day_journal *j, int32_t date, const struct journal_plain *plain)
{
    struct comparison c = {.plain = plain};
    struct journal_sums sums, again;
    struct fault fault;
    if (day_journal_read(j, date, compare_one, &c, &sums, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_int_equal(day_journal_read(j, date, NULL, NULL, &again, &fault), 0);
    assert_memory_equal(&sums, &again, sizeof sums);
    while (c.at < POOL_MAX && plain->at[c.at].day.ip_version == 0)
        c.at++;
    return !c.differs && c.at == POOL_MAX && memcmp(&sums, &plain->sums, sizeof sums) == 0;
}

/* What a date gets of a script's windows: A the first ones, B the later ones, both around midnight; C one lone window. */
enum { A = DAY, B = DAY + 1, C = DAY - 4000, MIDNIGHT = 24, LONE = 7 };

static bool is_in(int32_t date, uint64_t number)
{
    switch (date) {
    case A:
        return number <= MIDNIGHT || number == MIDNIGHT + 2;
    case B:
        return number >= MIDNIGHT;
    default:
        return number == LONE;
    }
}

static const int32_t script_dates[] = {C, A, B};
enum { DATES = sizeof script_dates / sizeof *script_dates };

static inline void window_add(struct day_journal *j, const struct journal_pool *pool,
                              uint64_t number)
{
    for (unsigned i = 0; i < DATES; i++)
        if (is_in(script_dates[i], number))
            part_must(j, pool, script_dates[i], number);
}

/* A date says what all its windows were labelled by, and nothing else. */
static void assert_bases(struct day_journal *j, int32_t date, uint64_t first, uint64_t last)
{
    struct day_bases expected = {0}, found;
    struct fault fault;
    for (uint64_t n = first; n <= last; n++) {
        struct day_bases one;
        journal_bases_make(&one, n);
        if (is_in(date, n))
            assert_int_equal(day_bases_merge(&expected, &one), 0);
        day_bases_fini(&one);
    }
    assert_int_equal(day_journal_bases(j, date, &found, &fault), 0);
    assert_int_equal(found.len, expected.len);
    assert_int_equal(day_bases_merge(&found, &expected), 0);
    assert_int_equal(found.len, expected.len);
    day_bases_fini(&expected);
    day_bases_fini(&found);
}

/* The dates hold the windows from `first` to `last` that they get. */
static inline void assert_windows(struct day_journal *j, const struct journal_pool *pool,
                                  int32_t date, uint64_t first, uint64_t last)
{
    static struct journal_plain plain;
    size_t count;
    bool is_listed = false;
    for (uint64_t n = first; n <= last; n++)
        if (is_in(date, n))
            journal_plain_add(&plain, pool, date, n);
    const int32_t *dates = day_journal_dates(j, &count);
    for (size_t i = 0; i < count; i++) {
        is_listed |= dates[i] == date;
        assert_true(i == 0 || dates[i - 1] < dates[i]);
    }
    assert_int_equal(is_listed, plain.is_any);
    assert_true(date_is(j, date, &plain));
    assert_bases(j, date, first, last);
    journal_plain_free(&plain);
}

#endif
