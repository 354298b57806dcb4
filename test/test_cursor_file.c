#include "export/cursor_file.h"

#include "feed_case.h"

static const struct window_case windows[] = {{0, 0, 3}, {61, 0, 2}};

/* A feed of this sensor and a position behind its second record. */
static struct feed_position feed_make(const char *dir, const char *sensor, unsigned packets)
{
    struct window_case cases[] = {windows[0], windows[1]};
    struct feed_tail *t;
    struct feed_tail_record r;
    struct fault fault;
    cases[0].packets = packets;
    identity.sensor = sensor;
    identity.program = packets % 2 ? "odd" : "even";
    feed_write(dir, cases, 2);
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    assert_int_equal(feed_tail_next(t, &r, &fault), 1);
    assert_int_equal(feed_tail_next(t, &r, &fault), 1);
    struct feed_position at = *feed_tail_position(t);
    feed_tail_close(t);
    return at;
}

static void kept_of(const char *sensor)
{
    char dir[PATH_LEN], path[PATH_LEN + 8];
    struct cursor_file *c;
    struct feed_position at, is, peeked;
    struct fault fault;
    at = feed_make(folder_name(dir), sensor, 3);
    snprintf(path, sizeof path, "%s.sink", dir);
    assert_int_equal(cursor_file_peek(path, &is, &fault), -ENOENT);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cursor_file_open(&c, path, dir, &is, &fault), 0);
        assert_int_equal(is.seq, i == 0 ? 0 : at.seq + (uint64_t)i - 1);
        is = at;
        is.seq += (uint64_t)i;
        assert_int_equal(cursor_file_write(c, &is, &fault), 0);
        cursor_file_close(c);
        assert_int_equal(cursor_file_peek(path, &peeked, &fault), 0);
        assert_int_equal(peeked.segment, is.segment);
        assert_int_equal(peeked.offset, is.offset);
        assert_int_equal(peeked.seq, is.seq);
        assert_int_equal(peeked.crc, is.crc);
    }
}

static void kept(void **state)
{
    static const char *const sensors[] = {"a sensor\nof mine", "-", "--", "", "s1"};
    for (size_t i = 0; i < sizeof sensors / sizeof *sensors; i++)
        kept_of(sensors[i]);
}

/* Of another sensor, of another run with the same name, of a folder without a feed; of one whose begin was deleted. */
static void others(void **state)
{
    static const struct {
        const char *sensor;
        unsigned packets;
        bool is_begin_deleted;
        int err;
        const char *says;
    } cases[] = {
        {"one", 2, false, 0, ""},
        {"two", 2, false, -EINVAL, "two"},
        {"one", 3, false, -EINVAL, "another feed"},
        {"one", 2, true, 0, ""},
        {NULL, 0, false, -EINVAL, "holds none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[PATH_LEN], other[PATH_LEN], path[PATH_LEN + 8], segments[8][PATH_LEN];
        struct cursor_file *c;
        struct feed_position at, is;
        struct fault fault = {0};
        at = feed_make(folder_name(dir), "one", 2);
        snprintf(path, sizeof path, "%s.sink", dir);
        assert_int_equal(cursor_file_open(&c, path, dir, &is, &fault), 0);
        assert_int_equal(cursor_file_write(c, &at, &fault), 0);
        cursor_file_close(c);
        if (cases[i].sensor != NULL) {
            feed_make(folder_name(other), cases[i].sensor, cases[i].packets);
        } else {
            folder_name(other);
            other[strlen(other) - 5] = '\0';
            assert_int_equal(mkdir(other, 0777), 0);
        }
        if (cases[i].is_begin_deleted) {
            segment_list(other, segments);
            assert_int_equal(unlink(segments[0]), 0);
        }
        int err = cursor_file_open(&c, path, other, &is, &fault);
        if (err != cases[i].err || strstr(fault.text, cases[i].says) == NULL)
            fail_msg("case %zu: %d: %s", i, err, fault.text);
        if (err == 0)
            cursor_file_close(c);
    }
}

/* Any altered byte is found, or changes nothing; any cut is found. */
static void damaged(void **state)
{
    char dir[PATH_LEN], path[PATH_LEN + 8];
    struct cursor_file *c;
    struct feed_position at, is;
    struct fault fault;
    size_t len;
    at = feed_make(folder_name(dir), "one", 2);
    snprintf(path, sizeof path, "%s.sink", dir);
    assert_int_equal(cursor_file_open(&c, path, dir, &is, &fault), 0);
    assert_int_equal(cursor_file_write(c, &at, &fault), 0);
    cursor_file_close(c);
    uint8_t *bytes = file_read(path, &len);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 1;
        file_write(path, bytes, len);
        assert_int_equal(cursor_file_open(&c, path, dir, &is, &fault), -EINVAL);
        bytes[i] ^= 1;
        file_write(path, bytes, i);
        assert_int_equal(cursor_file_open(&c, path, dir, &is, &fault), -EINVAL);
    }
    free(bytes);
}

/* What can't be written leaves the old position. */
static void unwritable(void **state)
{
    char dir[PATH_LEN], path[PATH_LEN + 8], command[2 * PATH_LEN + 32];
    struct cursor_file *c;
    struct feed_position at, is;
    struct fault fault;
    at = feed_make(folder_name(dir), "one", 2);
    snprintf(path, sizeof path, "%s.sink", dir);
    assert_int_equal(cursor_file_open(&c, path, dir, &is, &fault), 0);
    assert_int_equal(cursor_file_write(c, &at, &fault), 0);
    snprintf(command, sizeof command, "mkdir '%s.new'", path);
    assert_int_equal(system(command), 0);
    is = at;
    is.seq++;
    assert_int_equal(cursor_file_write(c, &is, &fault), -EISDIR);
    assert_int_equal(cursor_file_peek(path, &is, &fault), 0);
    assert_int_equal(is.seq, at.seq);
    cursor_file_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept),
        cmocka_unit_test(others),
        cmocka_unit_test(damaged),
        cmocka_unit_test(unwritable),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
