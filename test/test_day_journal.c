/* The journal of days, held to a plain merge; what it finds in its folder, and what it refuses. */
#include "journal_folder.h"

#include <pthread.h>
#include <stdatomic.h>

static const struct merge_row {
    const char *name;
    struct journal_pool pool;
    uint64_t windows;
    unsigned kept_every, open_every; /* windows; 0: never */
} merge_rows[] = {
    {"nothing", {10, 0, 2}, 0, 0, 0},
    {"sums alone", {0, 0, 1}, 40, 1, 9},
    {"one source", {1, 0, 1}, 40, 1, 0},
    {"IPv6 after IPv4", {40, 40, 2}, 30, 1, 0},
    {"IPv6 alone", {0, 70, 2}, 20, 4, 3},
    {"never kept", {60, 20, 3}, 50, 0, 0},
    {"kept now and then", {60, 20, 3}, 60, 7, 0},
    {"kept and opened again", {100, 60, 2}, 60, 5, 7},
    {"many windows", {6, 6, 4}, 300, 1, 90},
    {"large runs", {400, 200, 1}, 20, 1, 0},
};

static void merges_as_the_plain_way(void **state)
{
    for (unsigned i = 0; i < sizeof merge_rows / sizeof *merge_rows; i++) {
        const struct merge_row *row = &merge_rows[i];
        struct day_journal *j = journal_open(0);
        struct fault fault;
        for (uint64_t n = 1; n <= row->windows; n++) {
            window_add(j, &row->pool, n);
            if (row->kept_every > 0 && n % row->kept_every == 0)
                day_journal_kept(j, n);
            if (row->open_every > 0 && n % row->open_every == 0) {
                day_journal_close(j);
                j = journal_open(n);
            }
        }
        for (unsigned k = 0; k < DATES; k++)
            assert_windows(j, &row->pool, script_dates[k], 1, row->windows);
        assert_int_equal(day_journal_settle(j, &fault), 0);
        if (row->kept_every == 1)
            assert_true(folder_list() < 3 * DAY_JOURNAL_FAN);
        for (unsigned k = 0; k < DATES; k++)
            assert_windows(j, &row->pool, script_dates[k], 1, row->windows);
        for (unsigned k = 0; k < DATES; k++)
            assert_int_equal(day_journal_drop(j, script_dates[k], &fault), 0);
        assert_int_equal(folder_list(), 0);
        assert_int_equal(day_journal_drop(j, A, &fault), 0);
        assert_windows(j, &row->pool, A, 1, 0);
        day_journal_close(j);
    }
    folder_clear();
}

/* ---- what the feed has not ---- */

static const struct journal_pool few = {12, 6, 2};

static unsigned files_of(int32_t date, uint64_t last)
{
    unsigned windows = 0;
    for (uint64_t n = 1; n <= last; n++)
        windows += is_in(date, n);
    return windows / DAY_JOURNAL_FAN + windows % DAY_JOURNAL_FAN;
}

static void leaves_out_what_the_feed_has_not(void **state)
{
    static const struct {
        uint64_t windows, kept, last;
    } rows[] = {
        {20, 0, 20},  {20, 0, 19},  {20, 0, 7},  {20, 15, 15}, {20, 16, 16}, {20, 16, 18},
        {20, 20, 20}, {20, 17, 17}, {60, 0, 24}, {60, 0, 23},  {60, 60, 60}, {60, 45, 50},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct day_journal *j = journal_open(0);
        struct day_part_id id;
        struct fault fault;
        for (uint64_t n = 1; n <= rows[i].windows; n++)
            window_add(j, &few, n);
        day_journal_kept(j, rows[i].kept);
        assert_int_equal(day_journal_settle(j, &fault), 0);
        for (unsigned k = folder_list(); k-- > 0;) {
            assert_true(day_part_name_parse(names[k], &id));
            assert_true(id.from == id.to || id.to <= rows[i].kept);
        }
        day_journal_close(j);
        j = journal_open(rows[i].last);
        unsigned files = 0;
        for (unsigned k = 0; k < DATES; k++) {
            assert_windows(j, &few, script_dates[k], 1, rows[i].last);
            files += files_of(script_dates[k], rows[i].last);
        }
        assert_int_equal(day_journal_settle(j, &fault), 0);
        assert_int_equal(folder_list(), files);
        window_add(j, &few, rows[i].last + 1); /* given again */
        for (unsigned k = 0; k < DATES; k++)
            assert_windows(j, &few, script_dates[k], 1, rows[i].last + 1);
        day_journal_close(j);
        folder_clear();
    }
}

/* A date that is told to be dropped is begun anew by what comes later. */
static void begins_a_date_anew(void **state)
{
    struct day_journal *j = journal_open(0);
    struct fault fault;
    for (uint64_t n = 1; n <= 20; n++)
        window_add(j, &few, n);
    assert_int_equal(day_journal_drop(j, A, &fault), 0);
    window_add(j, &few, 21);
    assert_windows(j, &few, A, 21, 21);
    window_add(j, &few, 21); /* again, since it is not kept: takes its own place */
    assert_windows(j, &few, A, 21, 21);
    part_must(j, &(struct journal_pool){1, 0, 1}, A, 21);
    window_add(j, &few, 21);
    assert_windows(j, &few, A, 21, 21);
    day_journal_kept(j, 21);
    assert_int_equal(part_add(j, &few, A, 21, &fault), -EINVAL);
    assert_int_equal(part_add(j, &few, A, 20, &fault), -EINVAL);
    assert_int_equal(part_add(j, &few, A + 5, 0, &fault), -EINVAL);
    assert_int_equal(part_add(j, &few, INT32_MAX, 30, &fault), -EINVAL);
    day_journal_close(j);
    j = journal_open(21);
    assert_windows(j, &few, A, 21, 21);
    day_journal_close(j);
    folder_clear();
}

static int take_fails(void *context, struct source_day *d)
{
    unsigned *left = context;
    memset(d->address, 0, sizeof d->address);
    return --*left == 0 ? -EXDEV : 0;
}

static void ends_where_its_reader_does(void **state)
{
    struct day_journal *j = journal_open(0);
    struct fault fault;
    unsigned left = 5;
    for (uint64_t n = 1; n <= 10; n++)
        window_add(j, &few, n);
    assert_int_equal(day_journal_read(j, A, take_fails, &left, NULL, &fault), -EXDEV);
    assert_windows(j, &few, A, 1, 10);
    day_journal_close(j);
    folder_clear();
}

/* A date that is read in another thread, over and over, while windows come and files are merged. */
struct beside {
    struct day_journal *j;
    const struct journal_plain *plain;
    atomic_bool is_over;
    bool differs;
};

static void *read_beside(void *context)
{
    struct beside *b = context;
    while (!atomic_load(&b->is_over)) {
        struct comparison c = {.plain = b->plain};
        struct fault fault;
        b->differs |= day_journal_read(b->j, A, compare_one, &c, NULL, &fault) != 0 || c.differs;
    }
    return NULL;
}

static void is_read_beside(void **state)
{
    static struct journal_plain plain;
    struct day_journal *j = journal_open(0);
    struct beside b = {.j = j, .plain = &plain};
    struct fault fault;
    pthread_t thread;
    for (uint64_t n = 1; n <= 17; n++) {
        part_must(j, &few, A, n);
        journal_plain_add(&plain, &few, A, n);
    }
    assert_int_equal(pthread_create(&thread, NULL, read_beside, &b), 0);
    for (uint64_t n = 18; n <= 90; n++) {
        part_must(j, &few, B, n);
        day_journal_kept(j, n);
        if (n == 60)
            assert_int_equal(day_journal_drop(j, B, &fault), 0);
    }
    atomic_store(&b.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(b.differs);
    assert_int_equal(day_journal_settle(j, &fault), 0);
    assert_true(date_is(j, A, &plain));
    assert_windows(j, &few, B, 61, 90);
    journal_plain_free(&plain);
    day_journal_close(j);
    folder_clear();
}

/* Runs that are none: nothing comes of them. */
static void refuses_runs_that_are_none(void **state)
{
    static struct journal_made made;
    struct day_journal *j = journal_open(0);
    struct fault fault;
    journal_make(&made, &(struct journal_pool){30, 0, 1}, A, 1);
    unsigned shard = 0;
    while (made.shard[shard].len == 0)
        shard++;
    struct journal_part part = made.part;
    part.lens[shard]--;
    assert_int_equal(day_journal_add(j, &part, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "a part of window 1"));
    part = made.part;
    part.date++;
    assert_int_equal(day_journal_add(j, &part, &fault), -EINVAL);
    uint8_t *twice = malloc(2 * made.shard[shard].len);
    memcpy(twice, made.shard[shard].data, made.shard[shard].len);
    memcpy(twice + made.shard[shard].len, made.shard[shard].data, made.shard[shard].len);
    part = made.part;
    part.runs[shard] = twice;
    part.lens[shard] *= 2;
    assert_int_equal(day_journal_add(j, &part, &fault), -EINVAL);
    free(twice);
    assert_int_equal(folder_list(), 0);
    assert_int_equal(day_journal_add(j, &made.part, &fault), 0);
    journal_made_free(&made);
    day_journal_close(j);
    folder_clear();
}

/* ---- opening ---- */

/* What was labelled by other rules stands beside the rest: a source may be in both. */
static void takes_a_part_of_several(void **state)
{
    static struct journal_made first, second, third;
    static struct journal_plain plain;
    struct day_journal *j = journal_open(0);
    struct fault fault;
    journal_make(&first, &few, A, 1);
    journal_make(&second, &few, A, 2);
    journal_make(&third, &few, A, 3);
    for (uint64_t n = 1; n <= 3; n++)
        journal_plain_add(&plain, &few, A, n);
    journal_sums_add(&first.part.sums, &second.part.sums);
    journal_sums_add(&first.part.sums, &third.part.sums);
    second.part.more = &third.part;
    first.part.more = &second.part;
    assert_int_equal(day_journal_add(j, &first.part, &fault), 0);
    assert_true(date_is(j, A, &plain));
    journal_plain_free(&plain);
    journal_made_free(&first);
    journal_made_free(&second);
    journal_made_free(&third);
    day_journal_close(j);
    folder_clear();
}

static void file_put(const char *name, mode_t mode)
{
    char path[PATH];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void file_rename(const char *from, const char *to)
{
    char old[PATH], new[PATH];
    (void)snprintf(old, sizeof old, "%s/%s", dir, from);
    (void)snprintf(new, sizeof new, "%s/%s", dir, to);
    assert_int_equal(rename(old, new), 0);
}

static void is_its_own(void **state)
{
    struct fault fault;
    struct stat is;
    struct day_journal *j = journal_open(0);
    window_add(j, &few, 1);
    assert_int_equal(stat(dir, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0700);
    char path[PATH];
    assert_int_equal(folder_list(), 1);
    assert_string_equal(names[0], "20261121-000000000001-000000000001.part");
    (void)snprintf(path, sizeof path, "%s/%s", dir, names[0]);
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_int_equal(open_fails("tokyo", "Asia/Tokyo", 1, &fault), -EBUSY);
    day_journal_close(j);

    assert_int_equal(open_fails("osaka", "Asia/Tokyo", 1, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, names[0]));
    assert_int_equal(open_fails("tokyo", "UTC", 1, &fault), -EINVAL);
    assert_int_equal(chmod(dir, 0750), 0);
    assert_int_equal(open_fails("tokyo", "Asia/Tokyo", 1, &fault), -EINVAL);
    assert_int_equal(chmod(dir, 0700), 0);
    char long_name[2000];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(open_fails(long_name, "UTC", 1, &fault), -EINVAL);

    file_put("notes.txt", 0600); /* not ours: left alone */
    file_put("20261121-000000000002-000000000002.part.new", 0600);
    day_journal_close(journal_open(1));
    assert_int_equal(folder_list(), 2);
    static const char *const strange[] = {
        "x.part", "20261121-1-1.part", "20261121-000000000005-000000000004.part",
        "20261331-000000000001-000000000001.part", "20261121-000000000000-000000000001.done"};
    for (unsigned i = 0; i < sizeof strange / sizeof *strange; i++) {
        file_put(strange[i], 0600);
        assert_int_equal(open_fails("tokyo", "Asia/Tokyo", 1, &fault), -EBADMSG);
        assert_non_null(strstr(fault.text, strange[i]));
        (void)snprintf(path, sizeof path, "%s/%s", dir, strange[i]);
        (void)unlink(path);
    }
    file_rename("20261121-000000000001-000000000001.part",
                "20261121-000000000002-000000000002.part");
    assert_int_equal(open_fails("tokyo", "Asia/Tokyo", 2, &fault), -EBADMSG);
    folder_clear();
}

/* Sets of files as a crash, or a hand, leaves them. */
static void sorts_out_what_it_finds(void **state)
{
    struct fault fault;
    struct day_journal *j = journal_open(0);
    for (uint64_t n = 1; n <= 18; n++)
        part_must(j, &few, A, n);
    day_journal_close(j); /* single ones; kept aside under another date's names */
    char copy[PATH + 80];
    (void)snprintf(copy, sizeof copy, "cp -p %s/*-00000000000[3-5].part %s/", dir, scratch);
    assert_int_equal(system(copy), 0);
    j = journal_open(18);
    assert_int_equal(day_journal_settle(j, &fault), 0);
    day_journal_close(j);
    assert_int_equal(folder_list(), 3);
    (void)snprintf(copy, sizeof copy, "mv %s/*.part %s/", scratch, dir);
    assert_int_equal(system(copy), 0);
    assert_int_equal(folder_list(), 6); /* some of the merged ones are there again */
    j = journal_open(18);
    assert_int_equal(folder_list(), 3);
    assert_windows(j, &few, A, 1, 18);
    day_journal_close(j);

    assert_int_equal(open_fails("tokyo", "Asia/Tokyo", 15, &fault), -EBADMSG); /* it lost some */
    assert_non_null(strstr(fault.text, "000000000001-000000000016.part"));
    file_rename("20261121-000000000017-000000000017.part",
                "20261121-000000000016-000000000017.part");
    assert_int_equal(open_fails("tokyo", "Asia/Tokyo", 18, &fault), -EBADMSG);
    folder_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_as_the_plain_way),
        cmocka_unit_test(leaves_out_what_the_feed_has_not),
        cmocka_unit_test(begins_a_date_anew),
        cmocka_unit_test(ends_where_its_reader_does),
        cmocka_unit_test(is_read_beside),
        cmocka_unit_test(refuses_runs_that_are_none),
        cmocka_unit_test(takes_a_part_of_several),
        cmocka_unit_test(is_its_own),
        cmocka_unit_test(sorts_out_what_it_finds),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
