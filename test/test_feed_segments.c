/* Where a feed is cut into segments, what they are called, and in which order they stand. */
#include "test/feed_case.h"

static void test_names_and_cuts(void **state)
{
    static const struct window_case windows[] = {{-61, 0, 3}, {-60, 0, 3}, {-1, 0, 2}, {0, 0, 9},
                                                 {1, 0, 0},   {59, 0, 1},  {-1, 1, 5}, {61, 0, 7},
                                                 {5, 0, 7},   {60, 0, 4},  {61, 1, 2}};
    static const char *const names[] = {
        "19691231T225900Z-000001.yami", "19691231T230000Z-000002.yami",
        "19700101T000000Z-000003.yami", "19700101T010100Z-000004.yami"};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct feed_check check;
    struct fault fault;
    feed_write(folder_name(dir), windows, 11);
    assert_int_equal(segment_list(dir, paths), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(strrchr(paths[i], '/') + 1, names[i]);
    assert_int_equal(feed_log_verify_rules(dir, rules, &check, &fault), 0);
    assert_int_equal(check.segments, 4);
    assert_int_equal(check.windows, 11);
    assert_int_equal(check.records, 11 + 8);
    assert_int_equal(check.parts, 2);
    assert_int_equal(check.packets, 43);
    assert_int_equal(check.ledger.offered, 43);
    assert_int_equal(check.ledger.observed, 43);
    assert_true(check.closed);
    assert_true(check.first_ns < -60 * minute_ns && check.last_ns >= 61 * minute_ns);
    /* Each segment alone, too. */
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(verify(paths[i], &fault), 0);
}

/* A segment that began with a broken clock takes no windows of right ones. */
static void test_cuts_behind_a_broken_clock(void **state)
{
    enum { DAY = 24 * 60, YEAR_2100 = 47482 * DAY };
    static const struct window_case windows[] = {
        {YEAR_2100, 0, 1}, {YEAR_2100 + 1, 0, 1}, /* a broken clock */
        {0, 0, 2},         {59, 0, 2},            /* right ones */
        {60, 0, 2},        {60 - DAY, 0, 3},      /* as late as a day: no cut */
        {59 - DAY, 0, 3},                         /* an hour that is more than a day before */
        {60, 1, 2},        {YEAR_2100, 1, 1},
        {61, 0, 2},
    };
    static const char *const names[] = {
        "21000101T000000Z-000001.yami", "19700101T000000Z-000002.yami",
        "19700101T010000Z-000003.yami", "19691231T005900Z-000004.yami",
        "19700101T010000Z-000005.yami", "21000101T000000Z-000006.yami",
        "19700101T010100Z-000007.yami"};
    enum { WINDOWS = sizeof windows / sizeof *windows, SEGMENTS = sizeof names / sizeof *names };
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct feed_check check;
    struct fault fault;
    feed_write(folder_name(dir), windows, WINDOWS);
    assert_int_equal(segment_list(dir, paths), SEGMENTS);
    for (size_t i = 0; i < SEGMENTS; i++) {
        assert_string_equal(strrchr(paths[i], '/') + 1, names[i]);
        assert_int_equal(verify(paths[i], &fault), 0);
    }
    if (feed_log_verify_rules(dir, rules, &check, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_int_equal(check.windows, WINDOWS);
    assert_int_equal(check.packets, 19);
    assert_true(check.closed);
}

static void test_segment_numbers(void **state)
{
    static const struct {
        const char *name;
        uint64_t number;
    } cases[] = {{"20260101T000000Z-000012.yami", 12},
                 {"-0001-x-1234567.yami", 1234567},
                 {"zzz.yami", UINT64_MAX},
                 {"a-.yami", UINT64_MAX},
                 {"a--3.yami", 3},
                 {"a-99999999999999999999.yami", UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(feed_segment_number(cases[i].name) == cases[i].number);
}

/* verify finds a feed that is cut where its hours don't say so, and one that is not cut where they do:
 * the second of two windows is moved. */
static void test_a_cut_at_another_place_is_found(void **state)
{
    static const struct {
        int64_t minutes[2], moved_to;
        size_t segments;
        const char *says; /* NULL: it holds */
    } cases[] = {{{0, 59}, 58, 1, NULL},
                 {{0, 59}, 60, 1, "cut at another place"},
                 {{0, 59}, -24 * 60, 1, NULL},
                 {{0, 59}, -24 * 60 - 1, 1, "cut at another place"},
                 {{0, 60}, 59, 2, "cut at another place"},
                 {{0, 60}, -24 * 60, 2, "cut at another place"},
                 {{0, 60}, -24 * 60 - 1, 2, "by its content its name is"},
                 {{0, 60}, 61, 2, "by its content its name is"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct window_case windows[] = {{cases[i].minutes[0], 0, 4}, {cases[i].minutes[1], 0, 4}};
        char dir[PATH_LEN], paths[8][PATH_LEN];
        struct forge forge = {0};
        struct fault fault;
        size_t len;
        feed_write(folder_name(dir), windows, 2);
        assert_int_equal(segment_list(dir, paths), cases[i].segments);
        int64_t by_ns = (cases[i].moved_to - cases[i].minutes[1]) * minute_ns;
        for (size_t segment = 0; segment < cases[i].segments; segment++) {
            uint8_t *bytes = file_read(paths[segment], &len);
            forge.len = 0;
            for (size_t at = 0; at < len;) {
                Yamiscope__Record *r = forge_take(bytes, &at);
                if (r->body_case == YAMISCOPE__RECORD__BODY_WINDOW &&
                    r->window->start_ns == cases[i].minutes[1] * minute_ns) {
                    r->window->start_ns += by_ns;
                    r->window->totals->first_ns += by_ns;
                    r->window->totals->last_ns += by_ns;
                }
                forge_record(&forge, r);
                yamiscope__record__free_unpacked(r, NULL);
            }
            file_write(paths[segment], forge.data, forge.len);
            free(bytes);
        }
        free(forge.data);
        int err = verify(dir, &fault);
        if (cases[i].says == NULL)
            assert_int_equal(err, 0);
        else if (err != -EBADMSG || strstr(fault.text, cases[i].says) == NULL)
            fail_msg("case %zu: %d %s", i, err, err == 0 ? "" : fault.text);
    }
}

/* What is done to the three segments of a feed. */
static void test_segments_stand_in_their_order(void **state)
{
    static const struct window_case windows[] = {{0, 0, 6}, {60, 0, 5}, {120, 0, 5}};
    enum { REMOVE_FIRST, REMOVE_MIDDLE, REMOVE_LAST, SWAP, DUPLICATE, RENAME, FOREIGN, COUNT };
    for (int what = 0; what < COUNT; what++) {
        char dir[PATH_LEN], paths[8][PATH_LEN], other[PATH_LEN];
        struct fault fault;
        size_t len;
        feed_write(folder_name(dir), windows, 3);
        assert_int_equal(segment_list(dir, paths), 3);
        assert_int_equal(verify(dir, &fault), 0);
        uint8_t *bytes = file_read(paths[1], &len);
        snprintf(other, sizeof other, "%.200s/19700101T013000Z-000003.yami", dir);
        switch (what) {
        case REMOVE_FIRST:
        case REMOVE_MIDDLE:
        case REMOVE_LAST:
            assert_int_equal(unlink(paths[what]), 0);
            break;
        case SWAP:
            assert_int_equal(rename(paths[0], paths[1]), 0);
            file_write(paths[0], bytes, len);
            break;
        case DUPLICATE:
            file_write(other, bytes, len);
            break;
        case RENAME: /* the order stays */
            assert_int_equal(rename(paths[1], other), 0);
            break;
        case FOREIGN:
            snprintf(other, sizeof other, "%.200s/zzz.yami", dir);
            file_write(other, bytes, 0);
            break;
        }
        assert_broken(dir, "segments out of order");
        verify(dir, &fault); /* the one behind a missing one is not to blame */
        if (what == REMOVE_FIRST)
            assert_non_null(strstr(fault.text, ": segment 000001 is missing in front of "));
        if (what == REMOVE_MIDDLE)
            assert_non_null(strstr(fault.text, ": segment 000002 is missing in front of "));
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_cuts),
        cmocka_unit_test(test_cuts_behind_a_broken_clock),
        cmocka_unit_test(test_segment_numbers),
        cmocka_unit_test(test_a_cut_at_another_place_is_found),
        cmocka_unit_test(test_segments_stand_in_their_order),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
