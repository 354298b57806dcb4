/* New activity of a live capture over restarts: the same alerts as without, whenever the process ends, none told twice and none left out. */
#include "core/event_activity.h"

#include "export/feed_tail.h"
#include "export/record_event.h"

#include "feed_case.h"

enum { BINS = 90, ROWS = 3, TOLD = 64 };

/* Numbers with some noise; onsets at ports 7547 and 8291, and one of the sensor. */
static void bin_make_at(int64_t first, unsigned i, struct event_bin_row rows[ROWS],
                        struct event_bin *bin)
{
    uint64_t noise = (i * 2654435761u >> 7) % 9;
    uint64_t at7547 = i >= 40 && i < 44 ? 300 : 20 + noise, at8291 = i >= 60 && i < 70 ? 150 : 12;
    rows[0] = (struct event_bin_row){7547, PORT_PROTO_TCP, false, at7547 * 2, at7547};
    rows[1] = (struct event_bin_row){8291, PORT_PROTO_TCP, false, at8291 * 2, at8291};
    rows[2] = (struct event_bin_row){53413, PORT_PROTO_UDP, false, 40, 25 + noise};
    *bin = (struct event_bin){
        .start_ns = (first + i) * EVENT_BIN_NS,
        .span_ns = EVENT_BIN_NS,
        .packets = (i >= 75 && i < 78 ? 90000 : 3000) + 10 * noise,
        .sources = (i >= 75 && i < 78 ? 4000 : 300) + noise,
        .rows = rows,
        .row_count = ROWS,
    };
}

static void bin_make(unsigned i, struct event_bin_row rows[ROWS], struct event_bin *bin)
{
    bin_make_at(2900000, i, rows, bin);
}

static struct event_activity *begin(const char *state)
{
    struct change_settings settings;
    struct fault fault;
    change_settings_default(&settings);
    struct event_activity *a = event_activity_create(&settings, "test");
    assert_non_null(a);
    if (event_activity_keep(a, state, &fault) < 0)
        fail_msg("%s", fault.text);
    return a;
}

/* Ids of what the feed has, in its order. */
static size_t told(const char *dir, uint8_t ids[TOLD][8])
{
    struct feed_tail *tail;
    struct feed_tail_record r;
    struct fault fault;
    struct event e;
    size_t count = 0;
    assert_int_equal(feed_tail_open(&tail, dir, NULL, &fault), 0);
    while (feed_tail_next(tail, &r, &fault) == 1)
        if (r.kind == RECORD_event) {
            assert_int_equal(record_unpack_event(&e, r.body, r.body_len, &fault), 0);
            assert_int_equal(e.type, EVENT_new_activity);
            assert_true(count < TOLD);
            memcpy(ids[count++], e.id, 8);
        }
    feed_tail_close(tail);
    return count;
}

/* When the process ends, by bin: */
enum ending {
    RUNS_ON,
    ENDS, /* behind what it told */
    DIES_BEFORE /* what the bin says is told: it comes again, since the windows of it do; here as the next one */
};

static struct run_case {
    const char *name;
    unsigned every;
    enum ending how;
} cases[] = {{"a restart each bin", 1, ENDS},
             {"a restart each 7", 7, ENDS},
             {"killed each 5 ahead of what is told", 5, DIES_BEFORE}};

static size_t run(const struct run_case *c, uint8_t ids[TOLD][8])
{
    char dir[PATH_LEN], state[PATH_LEN + 16];
    struct feed_log *feed;
    struct fault fault;
    folder_name(dir);
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    snprintf(state, sizeof state, "%s/activity.state", dir);
    struct event_activity *a = begin(state);
    for (unsigned i = 0, deaths = 0; i < BINS;) {
        struct event_bin_row rows[ROWS];
        struct event_bin bin;
        bin_make(i, rows, &bin);
        event_activity_take(a, &bin);
        bool is_due = c->how != RUNS_ON && i % c->every == c->every - 1;
        if (is_due && c->how == DIES_BEFORE && deaths == 0) {
            deaths++;
            event_activity_destroy(a);
            a = begin(state);
            continue; /* as if the bin had not been */
        }
        deaths = 0;
        int64_t end_ns = bin.start_ns + bin.span_ns;
        if (event_activity_append(a, feed, end_ns, &fault) < 0)
            fail_msg("%s", fault.text);
        if (is_due && c->how == ENDS) {
            event_activity_destroy(a);
            a = begin(state);
        }
        i++;
    }
    event_activity_destroy(a);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    return told(dir, ids);
}

static void survives(void **state)
{
    uint8_t expected[TOLD][8], found[TOLD][8];
    const struct run_case plain = {"plain", 1, RUNS_ON};
    size_t count = run(&plain, expected);
    (void)state;
    assert_true(count >= 3 && count < 12);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t is = run(&cases[i], found);
        if (is != count || memcmp(found, expected, count * 8) != 0)
            fail_msg("%s: %zu alerts, expected %zu, or others", cases[i].name, is, count);
    }
}

/* The sensor's onset is in the last bin that 64 bits of nanoseconds have a begin of: its end is theirs. */
static void at_the_end_of_time(void **state)
{
    enum { ONSET = 75 };
    char dir[PATH_LEN], path[PATH_LEN + 16];
    uint8_t ids[TOLD][8];
    struct feed_log *feed;
    struct fault fault;
    (void)state;
    folder_name(dir);
    assert_int_equal(feed_log_create(&feed, dir, &identity, &fault), 0);
    snprintf(path, sizeof path, "%s/activity.state", dir);
    struct event_activity *a = begin(path);
    for (unsigned i = 0; i <= ONSET; i++) {
        struct event_bin_row rows[ROWS];
        struct event_bin bin;
        bin_make_at(INT64_MAX / EVENT_BIN_NS - ONSET, i, rows, &bin);
        event_activity_take(a, &bin);
        int64_t end_ns = i < ONSET ? bin.start_ns + bin.span_ns : INT64_MAX;
        if (event_activity_append(a, feed, end_ns, &fault) < 0)
            fail_msg("%s", fault.text);
    }
    event_activity_destroy(a);
    assert_int_equal(feed_log_finish(feed, &fault), 0);
    assert_true(told(dir, ids) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives),
                                       cmocka_unit_test(at_the_end_of_time)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
