/* Events in a feed on disk: where they come to stand, what readers are given, what verify finds. */
#include "export/feed_note.h"
#include "export/feed_tail.h"
#include "export/record_event.h"

#include "event_case.h"
#include "feed_live_case.h"

#include <sys/syscall.h>

static int event_put(struct feed_log *log, uint64_t seed, int64_t minute, uint32_t update,
                     enum event_phase phase, struct fault *fault)
{
    struct event e = event_case(EVENT_scan, seed, 0, minute * minute_ns, update, phase);
    return feed_log_append_event(log, &e, fault);
}

static bool is_disk_bad;

int fdatasync(int fd)
{
    if (is_disk_bad) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* What a feed is made of, one letter each:
 *   w a window of the next minute, H of the next hour; e an event that begins with it, u its next update, x its end, 1 another event,
 *   begun and ended; d a date; g a gap; c the writer dies and the next one goes on, f the same, but it finished; h a new Header;
 *   s a sync, S a sync that fails: what was done since the last one is undone. */
struct made {
    int64_t minute;
    uint32_t update;
    int32_t date;
};

struct making {
    struct feed_log *log;
    const char *dir;
    struct made is, safe;
};

static int step_event(struct making *m, char step, struct fault *fault)
{
    struct made *is = &m->is;
    if (step == '1')
        return event_put(m->log, 2, is->minute, 0, EVENT_ENDS, fault);
    if (step == 'e')
        is->update = 0;
    return event_put(m->log, 1, is->minute, is->update++,
                     step == 'e'   ? EVENT_BEGINS
                     : step == 'u' ? EVENT_GOES_ON
                                   : EVENT_ENDS,
                     fault);
}

static int step_make(struct making *m, char step, struct fault *fault)
{
    struct feed_resume resume;
    int err = 0;
    switch (step) {
    case 'H':
    case 'w':
        m->is.minute += step == 'H' ? 60 : 0;
        return window_put(m->log, m->is.minute++, 0, 9, fault);
    case 'd':
        return date_put(m->log, m->is.date++, 3, fault);
    case 'g':
        return feed_log_append_gap(m->log, &(struct feed_gap){.to_ns = 1}, fault);
    case 'c':
        feed_log_abandon(m->log);
        return feed_log_continue(&m->log, &resume, m->dir, &identity, fault);
    case 'f':
        err = feed_log_finish(m->log, fault);
        return err != 0 ? err : feed_log_continue(&m->log, &resume, m->dir, &identity, fault);
    case 'h':
        feed_log_identity(m->log, &identity);
        return 0;
    case 's':
        m->safe = m->is;
        return feed_log_sync(m->log, fault);
    case 'S':
        is_disk_bad = true;
        assert_int_equal(feed_log_sync(m->log, fault), -EIO);
        is_disk_bad = false;
        m->is = m->safe;
        return 0;
    default:
        return step_event(m, step, fault);
    }
}

static void feed_make(const char *dir, const char *steps)
{
    struct fault fault = {0};
    struct making m = {.log = begin(dir), .dir = dir, .is = {.date = DATE}};
    for (const char *s = steps; *s != '\0'; s++)
        if (step_make(&m, *s, &fault) != 0)
            fail_msg("%s: step %td: %s", steps, s - steps, fault.text);
    assert_int_equal(feed_log_finish(m.log, &fault), 0);
}

/* The records that a tail gives, a letter each as above; | a Header, B . D those of dates. */
static void records_read(const char *dir, char *to)
{
    static const char letters[] = {
        [RECORD_header] = '|', [RECORD_window] = 'w', [RECORD_source_day] = '.',
        [RECORD_day] = 'D',    [RECORD_gap] = 'g',    [RECORD_day_begin] = 'B'};
    struct feed_tail_record r;
    struct feed_tail *t;
    struct fault fault;
    struct event e;
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    while (feed_tail_next(t, &r, &fault) > 0) {
        if (r.kind == RECORD_event) {
            assert_int_equal(record_unpack_event(&e, r.body, r.body_len, &fault), 0);
            *to++ = "eux"[e.phase];
        } else if (r.kind != RECORD_close) {
            *to++ = letters[r.kind];
        }
    }
    feed_tail_close(t);
    *to = '\0';
}

static void places(void **state)
{
    static const struct {
        const char *steps, *records;
    } cases[] = {
        {"weuwux", "|weuwux"},
        {"weHuwx", "|we|wuwx"}, /* cut at the hour, behind the events of its window */
        {"w1wewux", "|wxwewux"},
        {"wedwux", "|we|B...|D|wux"},
        {"wedux", "|we|B...|D|ux"}, /* none is open: a segment of their own */
        {"wedudwx", "|we|B...|D|u|B...|D|wx"},
        {"wedudx", "|we|B...|D|u|B...|D|x"},
        {"weduwx", "|we|B...|D|u|wx"}, /* no window in it, though the hour is the same */
        {"wecux", "|we|ux"},
        {"wecuwx", "|we|u|wx"},
        {"wecwux", "|we|wux"},
        {"wefuwx", "|we|u|wx"},
        {"wehux", "|weux"}, /* a new Header waits for the next window */
        {"wehuwx", "|weu|wx"},
        {"wecgux", "|we|gux"},
        {"wecucxw", "|we|u|x|w"},
        {"wsewSewux", "|wewux"},
        {"wesduSux", "|we|B...|D|ux"},
        {"wesdusxSx", "|we|B...|D|ux"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN], records[128];
        struct feed_check check;
        struct fault fault;
        feed_make(folder_name(dir), cases[i].steps);
        records_read(dir, records);
        if (strcmp(records, cases[i].records) != 0)
            fail_msg("%s: %s", cases[i].steps, records);
        if (feed_log_verify_rules(dir, rules, &check, &fault) != 0)
            fail_msg("%s: %s", cases[i].steps, fault.text);
        uint64_t events = 0;
        for (const char *r = records; *r != '\0'; r++)
            events += strchr("eux", *r) != NULL;
        assert_int_equal(check.events[EVENT_scan], events);
    }
}

static void refused(void **state)
{
    char dir[PATH_LEN];
    struct fault fault;
    struct date d;
    struct feed_log *log = begin(folder_name(dir));
    struct event e = event_case(EVENT_scan, 1, 0, minute_ns, 0, EVENT_BEGINS);
    assert_int_equal(window_put(log, 0, 0, 9, &fault), 0);
    e.rate.value = -1;
    assert_int_equal(feed_log_append_event(log, &e, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "rate"));
    date_make(&d, DATE, 2);
    assert_int_equal(sources_put(log, &d, 2, &fault), 0);
    assert_int_equal(event_put(log, 1, 1, 0, EVENT_BEGINS, &fault), -EBUSY);
    assert_int_equal(feed_log_day_cancel(log, &fault), 0);
    assert_int_equal(event_put(log, 1, 1, 0, EVENT_BEGINS, &fault), 0);
    date_free(&d);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    assert_holds(dir, 0, "behind a date that was cancelled");
}

/* One altered byte anywhere is found. */
static void altered(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    size_t len;
    struct fault fault;
    feed_make(folder_name(dir), "weux");
    assert_int_equal(segment_list(dir, paths), 1);
    uint8_t *bytes = file_read(paths[0], &len);
    for (size_t i = len - 1000; i < len; i++) {
        bytes[i] ^= 0x10;
        file_write(paths[0], bytes, len);
        int err = verify(dir, &fault);
        if (err != -EBADMSG && err != -ENODATA)
            fail_msg("byte %zu of %zu: %d", i, len, err);
        bytes[i] ^= 0x10;
    }
    free(bytes);
}

/* Under right checksums: what only the order of events tells. */
static void out_of_order(void **state)
{
    static const struct {
        const char *name;
        struct {
            int64_t minute; /* 0: none */
            uint64_t seed;
            uint32_t update;
            enum event_phase phase;
        } events[3];
        const char *wrong;
    } cases[] = {
        {"an end without a begin", {{1, 1, 1, EVENT_ENDS}}, "did not begin"},
        {"an update left out", {{1, 1, 0, EVENT_BEGINS}, {1, 1, 2, EVENT_ENDS}}, "does not follow"},
        {"behind its end",
         {{1, 1, 0, EVENT_BEGINS}, {1, 1, 1, EVENT_ENDS}, {1, 1, 2, EVENT_GOES_ON}},
         "has ended"},
        {"told too early", {{2, 1, 0, EVENT_BEGINS}}, "before the window"},
        {"not sorted", {{1, 1, 0, EVENT_BEGINS}, {-1, 2, 0, EVENT_BEGINS}}, "out of order"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN];
        struct fault fault = {0};
        struct feed_log *log = begin(folder_name(dir));
        assert_int_equal(window_put(log, 0, 0, 9, &fault), 0);
        for (unsigned k = 0; k < 3 && cases[i].events[k].minute != 0; k++)
            assert_int_equal(event_put(log, cases[i].events[k].seed, cases[i].events[k].minute,
                                       cases[i].events[k].update, cases[i].events[k].phase, &fault),
                             0);
        assert_int_equal(feed_log_finish(log, &fault), 0);
        assert_int_equal(verify(dir, &fault), -EBADMSG);
        if (strstr(fault.text, cases[i].wrong) == NULL)
            fail_msg("%s: %s", cases[i].name, fault.text);
    }
}

/* A segment alone, and what is left of a feed, hold though their events began before. */
static void alone(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    feed_make(folder_name(dir), "weHuwx");
    assert_int_equal(segment_list(dir, paths), 2);
    if (verify(paths[1], &fault) != 0)
        fail_msg("%s", fault.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),       cmocka_unit_test(refused), cmocka_unit_test(altered),
        cmocka_unit_test(out_of_order), cmocka_unit_test(alone),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
