/* Ids of records, and the place in a feed that a sink's newest ids stand for. */
#include "export/feed_place.h"
#include "export/record_window.h"

#include "feed_case.h"

#include <pthread.h>
#include <time.h>

static const struct window_case cases[] = {
    {10, 0, 3}, {11, 0, 2}, {12, 0, 4}, {11, 1, 1}, {12, 1, 2}, {13, 0, 5}, {80, 0, 1}, {79, 0, 1},
};
enum { CASES = sizeof cases / sizeof *cases, DAY0 = 60000 };

static struct feed_id id_of(size_t at)
{
    struct feed_id id = {0};
    for (size_t i = 0; i <= at; i++)
        id = feed_id_next(id, cases[i].minute * minute_ns);
    return id;
}

static void ids(void **state)
{
    static const struct {
        int64_t start_ns;
        struct feed_id id;
    } rows[] = {
        {-INT64_C(60000000000), {1, 0}},       {0, {1, 1}},     {INT64_C(60000000000), {60000, 0}},
        {INT64_C(60000000000), {60000, 1}},    {0, {60000, 2}}, {INT64_C(61000000000), {61000, 0}},
        {INT64_MAX, {INT64_MAX / 1000000, 0}},
    };
    struct feed_id id = {0};
    char text[FEED_ID_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct feed_id next = feed_id_next(id, rows[i].start_ns), read;
        assert_int_equal(feed_id_order(next, rows[i].id), 0);
        assert_true(feed_id_order(next, id) > 0);
        id = next;
        (void)feed_id_text(id, text);
        assert_true(feed_id_parse(&read, text, strlen(text)));
        assert_int_equal(feed_id_order(read, id), 0);
    }
    static const char *const odd[] = {
        "", "-", "1", "1-", "-1", "1-1-", "1-x", " 1-1", "1-18446744073709551616"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_false(feed_id_parse(&id, odd[i], strlen(odd[i])));
}

/* What the tail gives next from a place. */
static int64_t next_start(const char *dir, const struct feed_place *place)
{
    struct feed_tail *tail;
    struct feed_tail_record r;
    struct fault fault;
    int64_t start_ns = -1;
    assert_int_equal(
        feed_tail_open(&tail, dir, place->position.seq ? &place->position : NULL, &fault), 0);
    int got = 0;
    do {
        got = feed_tail_next(tail, &r, &fault);
        assert_true(got >= 0);
    } while (got == 1 && r.kind != RECORD_window);
    if (got == 1)
        assert_true(record_window_start(r.body, r.body_len, &start_ns));
    feed_tail_close(tail);
    return start_ns;
}

static void places(void **state)
{
    char dir[PATH_LEN];
    struct fault fault;
    struct feed_place place;
    struct sink_cursor have[SINK_SORTS] = {0};
    feed_write(folder_name(dir), cases, CASES);
    assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
    assert_int_equal(next_start(dir, &place), cases[0].minute * minute_ns);
    assert_true(feed_id_is_none(place.ids[SINK_WINDOWS]));
    for (size_t i = 0; i < CASES; i++) {
        have[SINK_WINDOWS].last = id_of(i);
        assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
        assert_true(place.is_found[SINK_WINDOWS]);
        assert_int_equal(next_start(dir, &place),
                         i + 1 < CASES ? cases[i + 1].minute * minute_ns : -1);
        assert_int_equal(feed_id_order(place.ids[SINK_WINDOWS], id_of(i)), 0);
        assert_int_equal(place.starts.count, i + 1);
        assert_int_equal(place.header.span_ns, minute_ns);
    }
}

static void refusals(void **state)
{
    char dir[PATH_LEN], none[PATH_LEN];
    struct fault fault;
    struct feed_place place;
    feed_write(folder_name(dir), cases, CASES);
    const struct {
        struct sink_cursor last;
        int err;
    } rows[] = {
        {{.last = {80 * DAY0, 2}}, -ESTALE}, /* ahead of the feed */
        {{.last = {900 * DAY0, 0}}, -ESTALE},
        {{.last = {12 * DAY0, 5}}, -ESTALE}, /* between two of its records */
        {{.last = {40 * DAY0, 0}}, -ESTALE},
        {{.last = {12 * DAY0, 1}, .has_crc = true, .crc = 1}, -ESTALE}, /* another record */
        {{.last = {9 * DAY0, 0}}, 0},                                   /* older than all of it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sink_cursor have[SINK_SORTS] = {[SINK_WINDOWS] = rows[i].last};
        char text[FEED_ID_TEXT];
        fault.text[0] = 0;
        assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), rows[i].err);
        if (rows[i].err != 0)
            assert_non_null(strstr(fault.text, feed_id_text(rows[i].last.last, text)));
    }
    struct sink_cursor have[SINK_SORTS] = {[SINK_WINDOWS] = {.last = {5, 5}}};
    assert_int_equal(feed_place_find(&place, folder_name(none), have, "sink", &fault), 0);
    assert_int_equal(place.position.seq, 0);
    assert_false(place.is_found[SINK_WINDOWS]);
}

/* crc of the first window that is kept. */
static uint32_t first_crc(const char *dir)
{
    struct feed_tail *tail;
    struct feed_tail_record r = {0};
    struct fault fault;
    assert_int_equal(feed_tail_open(&tail, dir, NULL, &fault), 0);
    while (r.kind != RECORD_window)
        assert_int_equal(feed_tail_next(tail, &r, &fault), 1);
    uint32_t crc = record_crc(0, r.body, r.body_len);
    feed_tail_close(tail);
    return crc;
}

/* The first segments were deleted; a late part, whose id was 2000-1, is the first that is kept. */
static void cut(void **state)
{
    static const struct window_case late[] = {{10, 0, 1}, {2000, 0, 2}, {10, 1, 3}, {2001, 0, 4}};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    struct feed_place place;
    feed_write(folder_name(dir), late, 4);
    assert_int_equal(segment_list(dir, paths), 4);
    assert_int_equal(unlink(paths[0]), 0);
    assert_int_equal(unlink(paths[1]), 0);

    struct sink_cursor have[SINK_SORTS] = {[SINK_WINDOWS] = {.last = {2000 * DAY0, 0}}};
    assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
    assert_true(place.is_gap && place.is_found[SINK_WINDOWS]);
    assert_int_equal(next_start(dir, &place), 10 * minute_ns);
    assert_int_equal(feed_id_order(place.ids[SINK_WINDOWS], have[SINK_WINDOWS].last), 0);

    have[SINK_WINDOWS] =
        (struct sink_cursor){.last = {2000 * DAY0, 1}, .has_crc = true, .crc = first_crc(dir)};
    assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
    assert_true(!place.is_gap && place.is_found[SINK_WINDOWS]);
    assert_int_equal(next_start(dir, &place), 2001 * minute_ns);

    have[SINK_WINDOWS] = (struct sink_cursor){.last = {2001 * DAY0, 0}};
    assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
    assert_int_equal(next_start(dir, &place), -1);
    have[SINK_WINDOWS] = (struct sink_cursor){.last = {2002 * DAY0, 0}};
    assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), -ESTALE);
}

/* The last segment has no byte yet: the place is behind what stands before it. */
static void begun(void **state)
{
    static const struct window_case two[] = {{10, 0, 1}, {80, 0, 2}};
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    struct feed_place place;
    struct sink_cursor have[SINK_SORTS] = {[SINK_WINDOWS] = {.last = {10 * DAY0, 0}}};
    feed_write(folder_name(dir), two, 2);
    assert_int_equal(segment_list(dir, paths), 2);
    file_write(paths[1], NULL, 0);
    assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
    assert_int_equal(place.position.segment, 1);
    assert_int_equal(next_start(dir, &place), -1);
}

/* ---- a feed that grows, its writer holding no lock (it is being copied, say) ---- */

enum { GROWING = 40, ROUNDS = 1500 };

/* Where the windows of the one segment in `dir` end; the last entry is the segment's end. */
static void window_ends(const char *dir, uint64_t ends[GROWING])
{
    struct feed_tail *tail;
    struct feed_tail_record r;
    struct fault fault;
    size_t count = 0;
    assert_int_equal(feed_tail_open(&tail, dir, NULL, &fault), 0);
    while (count < GROWING && feed_tail_next(tail, &r, &fault) == 1)
        if (r.kind == RECORD_window)
            ends[count++] = r.offset + r.delimited_len;
    assert_int_equal(count, GROWING);
    feed_tail_close(tail);
}

struct growth {
    const char *path;
    const uint8_t *bytes;
    size_t len;
    long after_ns;
};

static void *grow(void *context)
{
    const struct growth *g = context;
    const struct timespec pause = {.tv_nsec = g->after_ns};
    nanosleep(&pause, NULL);
    int fd = open(g->path, O_WRONLY | O_APPEND);
    bool is_written = fd >= 0 && write(fd, g->bytes, g->len) == (ssize_t)g->len;
    if (fd >= 0)
        close(fd);
    return is_written ? context : NULL;
}

/* What comes while the place is looked for comes behind it, whenever that is. */
static void growing(void **state)
{
    struct window_case minutes[GROWING];
    char dir[PATH_LEN], paths[8][PATH_LEN];
    uint64_t ends[GROWING];
    struct feed_place place;
    struct fault fault;
    size_t len;
    for (size_t i = 0; i < GROWING; i++)
        minutes[i] = (struct window_case){(int64_t)i, 0, 1};
    feed_write(folder_name(dir), minutes, GROWING);
    assert_int_equal(segment_list(dir, paths), 1);
    window_ends(dir, ends);
    uint8_t *bytes = file_read(paths[0], &len);
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t at = 1 + i % (GROWING - 2);
        struct sink_cursor have[SINK_SORTS] = {
            [SINK_WINDOWS] = {
                .last = feed_id_next((struct feed_id){0}, minutes[at].minute * minute_ns)}};
        struct growth g = {paths[0], bytes + ends[at], ends[at + 1] - ends[at],
                           (long)(i % 100 * 3000)};
        pthread_t writer;
        void *written;
        file_write(paths[0], bytes, ends[at]);
        assert_int_equal(pthread_create(&writer, NULL, grow, &g), 0);
        assert_int_equal(feed_place_find(&place, dir, have, "sink", &fault), 0);
        assert_int_equal(pthread_join(writer, &written), 0);
        assert_non_null(written);
        assert_int_equal(next_start(dir, &place), minutes[at + 1].minute * minute_ns);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids), cmocka_unit_test(places), cmocka_unit_test(refusals),
        cmocka_unit_test(cut), cmocka_unit_test(begun),  cmocka_unit_test(growing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
