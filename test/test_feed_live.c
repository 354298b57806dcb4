#include "export/feed_log.h"

#include "export/feed_merge.h"
#include "export/feed_note.h"
#include "export/feed_tail.h"

#include "feed_live_case.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static void kill_writer(struct feed_log *log) { feed_log_abandon(log); }

/* A writer dies behind `how`, its last `cut` bytes torn off; the next one goes on. */
static void continued(void **state)
{
    enum { WINDOWS, FINISHED, SOURCES, SOURCES_CLOSED, DAY };
    static const struct {
        const char *name;
        int how;
        unsigned cut; /* bytes off the last segment */
        bool is_cut, is_removed, is_date_open;
    } cases[] = {
        {"nothing", WINDOWS, 0, false, false, false},
        {"in a window", WINDOWS, 7, true, false, false},
        {"finished", FINISHED, 0, false, false, false},
        {"in a Close", FINISHED, 3, true, false, false},
        {"in source days", SOURCES, 11, true, false, true},
        {"behind source days", SOURCES_CLOSED, 0, false, false, true},
        {"behind a Day", DAY, 0, false, false, false},
        {"in a Day", DAY, 20, false, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN], paths[8][PATH_LEN];
        struct fault fault = {0};
        struct feed_resume resume;
        struct date d;
        struct feed_log *log = begin(folder_name(dir));
        for (int minute = 55; minute < 62; minute++)
            assert_int_equal(window_put(log, minute, 0, 9, &fault), 0);
        if (cases[i].how == FINISHED) {
            assert_int_equal(feed_log_finish(log, &fault), 0);
        } else if (cases[i].how == SOURCES) {
            date_make(&d, DATE, 5);
            assert_int_equal(sources_put(log, &d, 5, &fault), 0);
            kill_writer(log);
            date_free(&d);
        } else {
            if (cases[i].how != WINDOWS)
                assert_int_equal(date_put(log, DATE, 5, &fault), 0);
            kill_writer(log);
        }
        size_t count = segment_list(dir, paths);
        if (cases[i].how == SOURCES_CLOSED)
            assert_int_equal(unlink(paths[--count]), 0);
        if (cases[i].cut > 0) {
            struct stat st;
            assert_int_equal(stat(paths[count - 1], &st), 0);
            assert_int_equal(truncate(paths[count - 1], st.st_size - cases[i].cut), 0);
        }

        if (feed_log_continue(&log, &resume, dir, &identity, &fault) != 0)
            fail_msg("%s: %s", cases[i].name, fault.text);
        bool is_cut = resume.cut_file[0] != '\0', is_removed = resume.removed_file[0] != '\0';
        if (is_cut != cases[i].is_cut || is_removed != cases[i].is_removed ||
            resume.has_date_open != cases[i].is_date_open || resume.is_begun || !resume.has_window)
            fail_msg("%s: cut %d removed %d open %d", cases[i].name, is_cut, is_removed,
                     resume.has_date_open);
        bool is_lost = cases[i].how == WINDOWS && cases[i].cut > 0;
        assert_int_equal(resume.end_ns, (is_lost ? 61 : 62) * minute_ns);
        assert_int_equal(resume.was_finished, cases[i].how == FINISHED && cases[i].cut == 0);
        struct feed_gap gap = {.from_ns = resume.end_ns, .to_ns = 70 * minute_ns};
        assert_int_equal(feed_log_append_gap(log, &gap, &fault), 0);
        uint32_t base;
        assert_int_equal(feed_log_part_base(log, 60 * minute_ns, &base, &fault), 0);
        assert_int_equal(base, 1);
        assert_int_equal(window_put(log, 60, base, 3, &fault), 0);
        assert_int_equal(feed_log_part_base(log, 70 * minute_ns, &base, &fault), 0);
        assert_int_equal(base, 0);
        assert_int_equal(window_put(log, 70, 0, 3, &fault), 0);
        assert_int_equal(date_put(log, DATE + 1, 4, &fault), 0);
        assert_int_equal(window_put(log, 71, 0, 3, &fault), 0);
        assert_int_equal(feed_log_finish(log, &fault), 0);

        struct feed_check check;
        if (feed_log_verify_rules(dir, rules, &check, &fault) != 0)
            fail_msg("%s: %s", cases[i].name, fault.text);
        assert_int_equal(check.windows, is_lost ? 9 : 10);
        assert_int_equal(check.gaps, 1);
        assert_true(check.closed);
    }
}

/* The clock is set back, and the writer started anew, twice: windows that are lived through again are further parts, also those behind
 * the end of the last run. */
static void set_back(void **state)
{
    static const struct {
        int from, to; /* minutes; the next run begins where time was set to */
    } runs[] = {{50, 130}, {40, 55}, {55, 60}, {58, 140}, {10, 12}, {125, 145}};
    char dir[PATH_LEN];
    struct fault fault;
    unsigned parts[150] = {0}, windows = 0;
    (void)state;
    struct feed_log *log = begin(folder_name(dir));
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct feed_resume resume;
        if (i > 0)
            assert_int_equal(feed_log_continue(&log, &resume, dir, &identity, &fault), 0);
        if (i > 0)
            assert_int_equal(resume.end_ns, runs[i - 1].to * minute_ns);
        for (int minute = runs[i].from; minute < runs[i].to; minute++, windows++) {
            uint32_t base;
            assert_int_equal(feed_log_part_base(log, minute * minute_ns, &base, &fault), 0);
            if (base != parts[minute])
                fail_msg("run %zu, minute %d: part %u", i, minute, base);
            assert_int_equal(window_put(log, minute, parts[minute]++, 3, &fault), 0);
        }
        if (i % 2)
            kill_writer(log);
        else
            assert_int_equal(feed_log_finish(log, &fault), 0);
    }
    struct feed_check check;
    int err = feed_log_verify_rules(dir, rules, &check, &fault);
    if (err != -ENODATA) /* the last writer was killed */
        fail_msg("%d: %s", err, fault.text);
    assert_int_equal(check.windows, windows);
}

/* A feed without an end is continued at once, any number of times. */
static void nothing_between(void **state)
{
    char dir[PATH_LEN];
    struct fault fault;
    struct feed_resume resume;
    struct feed_log *log;
    folder_name(dir);
    survey = survey_defaults;
    identity.survey = &survey;
    identity.has_sources = true;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(feed_log_continue(&log, &resume, dir, &identity, &fault), 0);
        assert_int_equal(resume.is_begun, i == 0);
        if (i == 1)
            assert_int_equal(window_put(log, 5, 0, 3, &fault), 0);
        if (i == 2)
            kill_writer(log);
        else
            assert_int_equal(feed_log_finish(log, &fault), 0);
        assert_holds(dir, 0, "continued without an end");
    }
}

/* A broken record that whole ones follow is no torn end. */
static void broken_within(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    struct feed_resume resume;
    struct feed_log *log = begin(folder_name(dir));
    size_t len;
    for (int minute = 1; minute < 5; minute++)
        assert_int_equal(window_put(log, minute, 0, 9, &fault), 0);
    kill_writer(log);
    assert_int_equal(segment_list(dir, paths), 1);
    uint8_t *bytes = file_read(paths[0], &len);
    bytes[len / 2] ^= 1;
    file_write(paths[0], bytes, len);
    free(bytes);
    assert_int_equal(feed_log_continue(&log, &resume, dir, &identity, &fault), 0);
    assert_string_equal(resume.cut_file, "");
    assert_true(resume.damaged_file[0] != '\0' && resume.damaged_at < len / 2);
    assert_int_equal(window_put(log, 9, 0, 9, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    struct stat st;
    assert_int_equal(stat(paths[0], &st), 0);
    assert_true((size_t)st.st_size > len); /* its Close */
}

static void others_refused(void **state)
{
    static const struct {
        const char *key;
        struct feed_identity with;
    } cases[] = {
        {"sensor", {.sensor = "other", .timezone = "UTC"}},
        {"timezone", {.sensor = "test", .timezone = "Asia/Tokyo"}},
        {"telescope-id", {.sensor = "test", .timezone = "UTC", .telescope_id = "b"}},
        {"telescope",
         {.sensor = "test", .timezone = "UTC", .telescope_configured = true, .telescope_ipv4 = 9}},
        {"window", {.sensor = "test", .timezone = "UTC", .window_span_ns = 1000}},
    };
    char dir[PATH_LEN];
    struct fault fault;
    struct feed_resume resume;
    struct feed_log *log = begin(folder_name(dir)), *second;
    assert_int_equal(window_put(log, 1, 0, 9, &fault), 0);
    assert_int_equal(feed_log_continue(&second, &resume, dir, &identity, &fault), -EBUSY);
    kill_writer(log);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct feed_identity with = cases[i].with;
        with.rules = rules;
        if (with.window_span_ns == 0)
            with.window_span_ns = minute_ns;
        int err = feed_log_continue(&log, &resume, dir, &with, &fault);
        if (err != -EINVAL || strstr(fault.text, cases[i].key) == NULL)
            fail_msg("%s: %d: %s", cases[i].key, err, fault.text);
    }
    assert_int_equal(feed_log_continue(&log, &resume, dir, &identity, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
}

/* A merge takes a feed of several Headers: its rules are mixed, its gaps stay, and a merge of it is the same. */
static void merged_twice(const char *dir)
{
    const struct merge_settings settings = {.rules = rules};
    const char *from = dir;
    char out[2][PATH_LEN];
    for (int i = 0; i < 2; i++) {
        char *paths[] = {(char *)(uintptr_t)from};
        struct feed_merge *m;
        struct feed_check check;
        struct fault fault;
        folder_name(out[i]);
        if (feed_merge_create(&m, paths, 1, &settings, &fault) != 0 ||
            feed_merge_write(m, out[i], &fault) != 0)
            fail_msg("merge: %s", fault.text);
        assert_true(feed_merge_summary(m)->identity->is_mixed);
        assert_int_equal(feed_merge_summary(m)->gaps, 1);
        feed_merge_destroy(m);
        if (feed_log_verify_rules(out[i], rules, &check, &fault) != 0)
            fail_msg("merged: %s", fault.text);
        assert_int_equal(check.windows, 3);
        assert_int_equal(check.partial, 1);
        assert_int_equal(check.windows_given_up, 4);
        assert_int_equal(check.parts, 0);
        from = out[i];
    }
    char command[3 * PATH_LEN];
    snprintf(command, sizeof command, "diff -r '%s' '%s'", out[0], out[1]);
    assert_int_equal(system(command), 0);
}

/* New rules: a new segment with a new Header, whatever the hour; a Gap in front of it. */
static void new_header(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    struct ruleset *more = sample_ruleset();
    struct feed_log *log = begin(folder_name(dir));
    struct feed_identity second = identity;
    memset(more->sha256, 'b', 64);
    second.rules = more;
    feed_log_identity(log, &second); /* before anything: the first Header has it */
    feed_log_identity(log, &identity);
    assert_int_equal(window_put(log, 1, 0, 9, &fault), 0);
    struct window *w = sample_window(rules, 2 * minute_ns, 0, 9, 3);
    w->is_partial = true;
    assert_int_equal(feed_log_append(log, w, &fault), 0);
    window_destroy(w);
    feed_log_identity(log, &second);
    struct feed_gap gap = {.from_ns = 2, .to_ns = 3, .reason = FEED_GAP_windows, .windows = 4};
    assert_int_equal(feed_log_append_gap(log, &gap, &fault), 0);
    assert_int_equal(window_put(log, 2, 1, 9, &fault), 0);
    assert_int_equal(window_put(log, 3, 0, 9, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    assert_int_equal(segment_list(dir, paths), 2);
    struct feed_check check;
    if (feed_log_verify_rules(dir, rules, &check, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_int_equal(check.windows_given_up, 4);
    merged_twice(dir);
    free(more);
}

/* What is synced is shown; a date is once its Day is there; one that is cancelled is gone without a trace. */
static void safe(void **state)
{
    char dir[PATH_LEN];
    struct fault fault;
    struct feed_durable durable = {0};
    struct feed_tail *t;
    struct feed_tail_record r;
    struct feed_log *log = begin(folder_name(dir));
    struct date d;
    feed_log_publish(log, &durable);
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    feed_tail_limit(t, &durable);
    assert_int_equal(window_put(log, 1, 0, 9, &fault), 0);
    assert_int_equal(feed_tail_next(t, &r, &fault), 0);
    assert_int_equal(feed_log_sync(log, &fault), 0);
    assert_int_equal(feed_tail_next(t, &r, &fault), 1);
    assert_int_equal(feed_tail_next(t, &r, &fault), 1);
    assert_int_equal(feed_tail_next(t, &r, &fault), 0);

    date_make(&d, DATE, 3);
    assert_int_equal(sources_put(log, &d, 3, &fault), 0);
    assert_int_equal(feed_log_sync(log, &fault), 0);
    assert_int_equal(durable.seq, 3); /* the Close in front of it */
    assert_int_equal(feed_log_day_cancel(log, &fault), 0);
    date_free(&d);
    assert_int_equal(window_put(log, 2, 0, 9, &fault), 0);
    assert_int_equal(date_put(log, DATE, 3, &fault), 0);
    assert_int_equal(durable.seq, 6); /* Header, window, Close */
    assert_int_equal(feed_log_sync(log, &fault), 0);
    assert_int_equal(durable.seq, 6 + 6 + 2);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    unsigned records = 2;
    while (feed_tail_next(t, &r, &fault) > 0)
        records++;
    assert_int_equal(r.seq, 15);
    assert_int_equal(records, 15);
    feed_tail_close(t);
    assert_holds(dir, 0, "with a date that was cancelled");
}

/* ---- a disk that fails to sync */

static bool is_disk_bad;

/* In place of the C library's. */
int fdatasync(int fd)
{
    if (is_disk_bad) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static void sync_fails(struct feed_log *log, const struct feed_durable *durable)
{
    struct fault fault;
    uint64_t before = durable->seq;
    is_disk_bad = true;
    assert_int_equal(feed_log_sync(log, &fault), -EIO);
    is_disk_bad = false;
    assert_int_equal(durable->seq, before);
}

/* What was appended since the last sync is taken back, whatever it was, and appended again. */
static void unsynced(void **state)
{
    char dir[PATH_LEN];
    struct feed_durable durable = {0};
    struct fault fault;
    struct feed_log *log = begin(folder_name(dir));
    feed_log_publish(log, &durable);
    for (int again = 0; again < 2; again++) {
        if (again)
            sync_fails(log, &durable); /* its first segment */
        assert_int_equal(window_put(log, 1, 0, 9, &fault), 0);
    }
    assert_int_equal(feed_log_sync(log, &fault), 0);
    for (int again = 0; again < 2; again++) {
        if (again)
            sync_fails(log, &durable); /* within one */
        struct feed_gap gap = {.to_ns = 4};
        assert_int_equal(window_put(log, 2, 0, 9, &fault), 0);
        assert_int_equal(feed_log_append_gap(log, &gap, &fault), 0);
    }
    assert_int_equal(feed_log_sync(log, &fault), 0);
    for (int again = 0; again < 2; again++) {
        if (again)
            sync_fails(log, &durable); /* one with a new Header */
        else
            feed_log_identity(log, &identity);
        assert_int_equal(window_put(log, 3, 0, 9, &fault), 0);
    }
    assert_int_equal(feed_log_sync(log, &fault), 0);
    assert_int_equal(date_put(log, DATE, 3, &fault), 0);
    sync_fails(log, &durable);
    assert_int_equal(feed_log_day_cancel(log, &fault), 0); /* its source days stood still */
    assert_int_equal(window_put(log, 4, 0, 9, &fault), 0);
    assert_int_equal(date_put(log, DATE, 3, &fault), 0);
    assert_int_equal(feed_log_sync(log, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    struct feed_check check;
    if (feed_log_verify_rules(dir, rules, &check, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_int_equal(check.windows, 4);
    assert_int_equal(check.gaps, 1);
    assert_int_equal(check.days, 1);
    assert_int_equal(durable.seq, check.records);
}

/* ---- a writer and a reader at once */

enum { WRITTEN = 150 };

struct writing {
    struct feed_log *log;
    struct feed_durable durable;
};

static void *write_all(void *context)
{
    struct writing *w = context;
    struct fault fault;
    for (int i = 0; i < WRITTEN; i++)
        if (window_put(w->log, i, 0, 5, &fault) != 0 || feed_log_sync(w->log, &fault) != 0)
            abort();
    if (feed_log_finish(w->log, &fault) != 0)
        abort();
    return NULL;
}

/* Each record comes once it is safe, in order, to a reader that sleeps between. */
static void at_once(void **state)
{
    char dir[PATH_LEN];
    struct writing w = {0};
    struct feed_tail_record r;
    struct feed_tail *t;
    struct fault fault;
    pthread_t writer;
    int windows = 0;
    w.log = begin(folder_name(dir));
    feed_log_publish(w.log, &w.durable);
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    feed_tail_limit(t, &w.durable);
    assert_int_equal(pthread_create(&writer, NULL, write_all, &w), 0);
    while (!feed_tail_is_finished(t)) {
        int got = feed_tail_next(t, &r, &fault);
        if (got < 0)
            fail_msg("%s", fault.text);
        windows += got > 0 && r.kind == RECORD_window;
        if (got == 0)
            feed_tail_wait(t, -1);
    }
    pthread_join(writer, NULL);
    assert_int_equal(windows, WRITTEN);
    feed_tail_close(t);
}

/* ---- killed at any moment */

/* Continues the feed and writes on till it is killed; a byte per append goes to `to`. */
static void write_on(const char *dir, int to)
{
    struct feed_resume resume;
    struct feed_log *log;
    struct fault fault;
    if (feed_log_continue(&log, &resume, dir, &identity, &fault) != 0) {
        fprintf(stderr, "continue: %s\n", fault.text);
        _exit(1);
    }
    int64_t minute = resume.has_window ? resume.end_ns / minute_ns + 7 : 0;
    struct feed_gap gap = {.from_ns = resume.end_ns, .to_ns = minute * minute_ns};
    if (resume.has_window && feed_log_append_gap(log, &gap, &fault) != 0)
        _exit(1);
    for (int32_t i = 0;; i++) {
        int err = window_put(log, minute++, 0, 20, &fault);
        if (err == 0 && i % 3 == 0)
            err = feed_log_sync(log, &fault);
        if (err == 0 && i % 5 == 4)
            err = date_put(log, (int32_t)(minute * 8), 300, &fault);
        if (err != 0 || write(to, "", 1) != 1)
            _exit(1);
    }
}

/* The writer is killed again and again; one tail follows all of it, and the whole holds. */
static void killed(void **state)
{
    enum { ROUNDS = 24 };
    char dir[PATH_LEN], command[2 * PATH_LEN];
    struct feed_resume resume;
    struct feed_log *log;
    struct feed_tail *t;
    struct feed_tail_record r;
    struct feed_check check;
    struct fault fault;
    uint64_t random = 1;
    folder_name(dir);
    survey = survey_defaults;
    identity.survey = &survey;
    identity.has_sources = true;
    snprintf(command, sizeof command, "mkdir -p '%s'", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    for (int round = 0; round < ROUNDS; round++) {
        int pipes[2], got;
        char byte;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0)
            write_on(dir, pipes[1]);
        close(pipes[1]);
        for (uint64_t left = sample_random(&random) % 12; left > 0 && read(pipes[0], &byte, 1) > 0;)
            left--;
        struct timespec some = {0, (long)(sample_random(&random) % 2000000)};
        nanosleep(&some, NULL); /* nothing depends on it: it spreads where the writer is hit */
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(pipes[0]);
        while ((got = feed_tail_next(t, &r, &fault)) > 0)
            ;
        if (got < 0)
            fail_msg("round %d: tail: %s", round, fault.text);
        int err = feed_log_continue(&log, &resume, dir, &identity, &fault);
        if (err != 0)
            fail_msg("round %d: continue: %s", round, fault.text);
        if (round % 2) { /* one that ends as it should, between */
            assert_int_equal(feed_log_finish(log, &fault), 0);
            if (feed_log_verify_rules(dir, rules, &check, &fault) != 0)
                fail_msg("round %d: verify: %s", round, fault.text);
        } else {
            kill_writer(log);
        }
    }
    assert_int_equal(feed_log_continue(&log, &resume, dir, &identity, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    assert_int_equal(feed_log_verify_rules(dir, rules, &check, &fault), 0);
    while (feed_tail_next(t, &r, &fault) > 0)
        ;
    assert_int_equal(feed_tail_position(t)->seq, check.records);
    feed_tail_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continued),
        cmocka_unit_test(set_back),
        cmocka_unit_test(nothing_between),
        cmocka_unit_test(broken_within),
        cmocka_unit_test(others_refused),
        cmocka_unit_test(new_header),
        cmocka_unit_test(safe),
        cmocka_unit_test(unsynced),
        cmocka_unit_test(at_once),
        cmocka_unit_test(killed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
