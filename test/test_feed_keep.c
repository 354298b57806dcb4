#include "export/feed_keep.h"

#include "export/cursor_file.h"
#include "export/feed_reader.h"
#include "export/feed_tail.h"
#include "export/source_index.h"

#include "event_case.h"
#include "source_day_case.h"

#include "feed_case.h"

enum { DATE = 20454, DAYS = 10 };

static const int64_t day_ns = INT64_C(86400) * INT64_C(1000000000);
static struct survey_settings survey;

static void window_put(struct feed_log *log, int64_t minute)
{
    struct fault fault;
    struct window *w = sample_window(rules, minute * minute_ns, 0, 20, (uint64_t)minute);
    assert_int_equal(feed_log_append(log, w, &fault), 0);
    assert_int_equal(feed_log_sync(log, &fault), 0);
    window_destroy(w);
}

static void date_put(struct feed_log *log, int32_t date)
{
    static struct source_day_port ports[2] = {{KIND_tcp_syn, 23, 1}, {KIND_tcp_syn, 80, 1}};
    struct day_settings settings = {.rules = rules, .survey = survey};
    struct source_day s = {.date = date, .ip_version = 4, .ports = ports, .port_count = 2};
    const struct day_result *result;
    struct day_facts facts;
    struct fault fault;
    assert_int_equal(day_facts_init(&facts, date, date * day_ns, (date + 1) * day_ns, "UTC"), 0);
    facts.revision = 1;
    facts.kinds[KIND_tcp_syn] = (struct count){2, 120};
    facts.ledger.offered = facts.ledger.observed = 2;
    s.kinds[KIND_tcp_syn] = (struct count){2, 120};
    s.first_ns = s.last_ns = date * day_ns;
    struct day *day = day_create(&settings);
    assert_int_equal(day_begin(day, &facts, &fault), 0);
    assert_int_equal(feed_log_day_begin(log, &facts, &settings, &fault), 0);
    assert_int_equal(feed_log_append_source_day(log, &s, &fault), 0);
    assert_int_equal(day_add(day, &s, &fault), 0);
    assert_int_equal(day_end(day, &result, &fault), 0);
    assert_int_equal(feed_log_append_day(log, result, &fault), 0);
    day_destroy(day);
    day_facts_fini(&facts);
}

/* Three segments a day: windows, sources, Day. */
static void day_write(struct feed_log *log, int day)
{
    for (int minute = 0; minute < 3; minute++)
        window_put(log, (DATE + day) * INT64_C(1440) + 600 + minute);
    date_put(log, DATE + day);
}

static struct feed_log *begin(const char *dir)
{
    struct feed_log *log;
    struct fault fault;
    survey = survey_defaults;
    identity.survey = &survey;
    identity.has_sources = true;
    assert_int_equal(feed_log_create(&log, dir, &identity, &fault), 0);
    return log;
}

static struct feed_check assert_holds(const char *dir, int expected, const char *what)
{
    struct feed_check check;
    struct fault fault = {0};
    int err = feed_log_verify_rules(dir, rules, &check, &fault);
    if (err != expected)
        fail_msg("%s: verify: %d: %s", what, err, fault.text);
    return check;
}

/* Which segments are there, by their numbers. */
static uint64_t present(const char *dir, size_t *damage)
{
    struct feed_pool *pool = feed_pool_create(2);
    const struct feed_reader_segment *list;
    struct feed_reader *r;
    struct fault fault;
    uint64_t bits = 0;
    assert_int_equal(feed_reader_open(&r, dir, pool, &fault), 0);
    size_t count = feed_reader_segments(r, &list);
    for (size_t i = 0; i < count; i++)
        bits |= UINT64_C(1) << list[i].number;
    *damage = feed_reader_damage(r)->count;
    feed_reader_close(r);
    feed_pool_destroy(pool);
    return bits;
}

/* Makes the indexes that are missing. */
static void indexes_make(const char *dir)
{
    struct feed_pool *pool = feed_pool_create(2);
    const struct feed_reader_segment *list;
    struct source_index *index;
    struct feed_reader *r;
    struct fault fault;
    assert_int_equal(feed_reader_open(&r, dir, pool, &fault), 0);
    size_t count = feed_reader_segments(r, &list);
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind != FEED_SOURCES)
            continue;
        if (source_index_open(&index, r, i) == 0)
            assert_int_equal(source_index_build(r, i, NULL, &fault), 1);
        else
            source_index_close(index);
    }
    feed_reader_close(r);
    feed_pool_destroy(pool);
}

/* How many there are, each beside its segment. */
static unsigned indexes_count(const char *dir)
{
    char path[PATH_LEN * 2], index[FEED_PATH];
    struct dirent *e;
    unsigned indexes = 0, segments = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name);
        indexes += len > 6 && strcmp(e->d_name + len - 6, ".index") == 0;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        segments += source_index_path(path, index) && access(index, F_OK) == 0;
    }
    closedir(d);
    assert_int_equal(indexes, segments);
    return indexes;
}

/* Kept day by day as the feed grows: at its end, what is left of each kind? An index goes with its segment. */
static void ages(void **state)
{
    static const struct {
        struct feed_keep_settings keep;
        unsigned windows, sources, days; /* segments that are left: of windows two a day */
    } cases[] = {
        {{0}, 2 * DAYS, DAYS, DAYS},
        {{.windows = 2}, 5, DAYS, DAYS},
        {{.sources = 3}, 2 * DAYS, 4, DAYS},
        {{.windows = 4, .sources = 2}, 9, 3, DAYS},
        {{.windows = 1, .sources = 2, .days = 1}, 3, 3, 3}, /* Days stay as long as their sources */
        {{.windows = 2, .days = 1}, 5, DAYS, DAYS},
        {{.windows = 3, .sources = 2, .days = 5}, 7, 3, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN], what[32];
        struct feed_keep_result kept;
        struct fault fault = {0};
        size_t damage;
        uint64_t gone = 0;
        snprintf(what, sizeof what, "case %zu", i);
        struct feed_log *log = begin(folder_name(dir));
        for (int day = 0; day < DAYS; day++) {
            day_write(log, day);
            window_put(log, (DATE + day + 1) * INT64_C(1440) + 1);
            int64_t now = (DATE + day + 1) * day_ns + 2 * minute_ns;
            indexes_make(dir);
            int err = feed_keep_run(log, dir, &cases[i].keep, now, &kept, &fault);
            if (err != 0)
                fail_msg("%s: %s", what, fault.text);
            for (unsigned kind = 0; kind < FEED_KINDS; kind++)
                gone += kept.removed[kind].segments;
            assert_holds(dir, -ENODATA, what);
        }
        assert_int_equal(feed_log_finish(log, &fault), 0);
        struct feed_check check = assert_holds(dir, 0, what);
        uint64_t bits = present(dir, &damage);
        assert_int_equal(damage, 0);
        assert_int_equal(check.removed, gone);
        assert_int_equal(__builtin_popcountll(bits), 4 * DAYS - gone);
        assert_int_equal(check.days, cases[i].days);
        assert_int_equal(check.source_days, cases[i].sources);
        assert_int_equal(indexes_count(dir), cases[i].sources);
        assert_int_equal(check.segments, cases[i].windows + cases[i].sources + cases[i].days);
    }
}

/* Events go with their segment, where they are not to stay as long as windows; segments without any stay. What was looked at is
 * not looked at again. */
static void events(void **state)
{
    static const struct {
        uint32_t windows, events;
        uint64_t left; /* segments, a bit each: 1 to 8 of days 0 to 7, events on the odd ones */
    } cases[] = {
        {0, 0, 0x1fe}, {0, 3, 0x1ea}, {0, 1, 0x1aa}, {5, 2, 0x1a0}, {2, 5, 0x180}, {0, 100, 0x1fe},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN];
        uint32_t memo = 0;
        const struct feed_keep_settings keep = {.windows = cases[i].windows,
                                                .events = cases[i].events,
                                                .without_events = i % 2 ? &memo : NULL};
        struct feed_keep_result kept;
        struct fault fault = {0};
        size_t damage;
        struct feed_log *log = begin(folder_name(dir));
        for (int day = 0; day < 8; day++) {
            int64_t minute = (DATE + day) * INT64_C(1440) + 600;
            struct event e = event_case(EVENT_scan, (uint64_t)day, minute * minute_ns,
                                        (minute + 1) * minute_ns, 0, EVENT_ENDS);
            window_put(log, minute);
            if (day % 2 == 1)
                assert_int_equal(feed_log_append_event(log, &e, &fault), 0);
            int err = feed_keep_run(log, dir, &keep, (minute + 60) * minute_ns, &kept, &fault);
            if (err != 0)
                fail_msg("case %zu: %s", i, fault.text);
            assert_holds(dir, -ENODATA, "events");
        }
        assert_int_equal(feed_log_finish(log, &fault), 0);
        assert_holds(dir, 0, "events");
        uint64_t left = present(dir, &damage);
        if (left != cases[i].left || damage != 0)
            fail_msg("case %zu: segments %llx", i, (unsigned long long)left);
    }
}

/* Time that steps far ahead is believed after 24 hours with windows; one that comes back costs nothing. */
static void far(void **state)
{
    (void)state;
    static const struct feed_keep_settings keep = {.windows = 3};
    static const struct {
        int64_t hour; /* of a window, since the first day's begin */
        bool is_waiting;
        unsigned left; /* segments */
    } steps[] = {
        {0, false, 1},
        {24, false, 2},
        {24 * 7, false, 1},
        {24 * 8, false, 2},
        {24 * 4000, true, 3}, /* set ahead: what is there stays */
        {24 * 4000 + 1, true, 4},
        {24 * 8 + 2, false, 5}, /* and back */
        {24 * 4000 + 3, true, 6},
    };
    enum { STEPS = sizeof steps / sizeof *steps, HOURS = 24 };
    char dir[PATH_LEN];
    struct feed_keep_result kept;
    struct fault fault = {0};
    size_t damage;
    struct feed_log *log = begin(folder_name(dir));
    for (int i = 0; i < STEPS + HOURS; i++) {
        bool is_step = i < STEPS;
        int64_t hour = is_step ? steps[i].hour : 24 * 4000 + 4 + i - STEPS;
        int64_t minute = DATE * INT64_C(1440) + hour * 60;
        window_put(log, minute);
        int err = feed_keep_run(log, dir, &keep, (minute + 1) * minute_ns, &kept, &fault);
        if (err != 0)
            fail_msg("hour %ld: %s", (long)hour, fault.text);
        unsigned left = (unsigned)__builtin_popcountll(present(dir, &damage));
        if (is_step && (kept.is_waiting != steps[i].is_waiting || left != steps[i].left))
            fail_msg("hour %ld: waiting %d, %u segments", (long)hour, kept.is_waiting, left);
        if (!is_step && kept.is_waiting != (i < STEPS + HOURS - 2))
            fail_msg("hour %ld: waiting %d", (long)hour, kept.is_waiting);
    }
    assert_int_equal(feed_log_finish(log, &fault), 0);
    assert_holds(dir, 0, "far");
}

/* A sink that is behind holds its segments back, for as long as it may. */
static void held(void **state)
{
    char dir[PATH_LEN], path[PATH_LEN + 16];
    const char *cursors[1] = {path};
    struct feed_keep_settings keep = {
        .windows = 1, .sources = 1, .cursors = cursors, .cursor_count = 1};
    struct feed_keep_result kept;
    struct feed_position at;
    struct feed_tail_record r;
    struct cursor_file *cursor;
    struct feed_tail *t;
    struct fault fault;
    size_t damage;
    struct feed_log *log = begin(folder_name(dir));
    for (int day = 0; day < 6; day++)
        day_write(log, day);
    window_put(log, (DATE + 6) * INT64_C(1440));
    int64_t now = (DATE + 6) * day_ns;
    snprintf(path, sizeof path, "%s.cursor", dir);
    assert_int_equal(feed_keep_run(log, dir, &keep, now, &kept, &fault), 0); /* no file yet */
    assert_int_equal(kept.bytes, 0);
    assert_true(kept.held > 0);
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    while (feed_tail_next(t, &r, &fault) > 0 && r.segment < 4)
        ;
    assert_int_equal(cursor_file_open(&cursor, path, dir, &at, &fault), 0);
    assert_int_equal(cursor_file_write(cursor, feed_tail_position(t), &fault), 0);
    assert_int_equal(feed_keep_run(log, dir, &keep, now, &kept, &fault), 0);
    assert_true(kept.bytes > 0 && kept.held > 0 && kept.held_by == 0);
    uint64_t bits = present(dir, &damage);
    assert_int_equal(damage, 0);
    assert_int_equal(bits >> 4 & 1, 1);
    assert_int_equal(bits >> 1 & 1, 0);
    unsigned left = 0; /* what it still needs is all there */
    while (feed_tail_next(t, &r, &fault) > 0)
        left += r.missing;
    assert_int_equal(left, 0);
    feed_tail_close(t);

    keep.hold = 3;
    assert_int_equal(feed_keep_run(log, dir, &keep, now + 4 * day_ns, &kept, &fault), 0);
    assert_true(kept.overrun > 0);
    int err = feed_tail_open(&t, dir, &at, &fault); /* at: all zero, from the first that is kept */
    assert_int_equal(err, 0);
    feed_tail_close(t);
    cursor_file_close(cursor);
    assert_int_equal(cursor_file_open(&cursor, path, dir, &at, &fault), 0);
    assert_int_equal(feed_tail_open(&t, dir, &at, &fault), -ESTALE);
    assert_non_null(strstr(fault.text, ".yami"));
    cursor_file_close(cursor);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    assert_holds(dir, 0, "held");
}

/* A deletion that was cut short, at any place, holds and goes on. What is missing without being said does not. */
static void cut_short(void **state)
{
    const struct feed_keep_settings keep = {.windows = 1, .sources = 1};
    for (unsigned stays = 0; stays < 4; stays++) {
        char dir[PATH_LEN], command[3 * PATH_LEN];
        struct feed_keep_result kept;
        struct fault fault;
        struct feed_log *log = begin(folder_name(dir));
        for (int day = 0; day < 4; day++)
            day_write(log, day);
        window_put(log, (DATE + 4) * INT64_C(1440));
        snprintf(command, sizeof command, "cp -r '%s' '%s.copy'", dir, dir);
        assert_int_equal(system(command), 0);
        int64_t now = (DATE + 4) * day_ns;
        assert_int_equal(feed_keep_run(log, dir, &keep, now, &kept, &fault), 0);
        assert_true(kept.removed[FEED_WINDOWS].segments > 1);
        static const char *const back[] = {"*-000001.yami", "*-000002.yami", "*-000004.yami",
                                           "*-00000[124].yami"};
        snprintf(command, sizeof command, "cp '%s.copy'/%s '%s'", dir, back[stays], dir);
        assert_int_equal(system(command), 0);
        assert_holds(dir, -ENODATA, back[stays]);
        window_put(log, (DATE + 4) * INT64_C(1440) + 1);
        assert_int_equal(feed_keep_run(log, dir, &keep, now, &kept, &fault), 0);
        assert_true(kept.bytes > 0);
        assert_int_equal(feed_log_finish(log, &fault), 0);
        struct feed_check check = assert_holds(dir, 0, "gone on");
        assert_true(check.removed >= 4);

        snprintf(command, sizeof command, "rm '%s'/*-day-000006.yami", dir);
        assert_int_equal(system(command), 0);
        assert_int_equal(feed_log_verify_rules(dir, rules, &check, &fault), -EBADMSG);
        assert_non_null(strstr(fault.text, "missing"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages), cmocka_unit_test(events),    cmocka_unit_test(far),
        cmocka_unit_test(held), cmocka_unit_test(cut_short),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
