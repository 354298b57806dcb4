#include "export/feed_tail.h"

#include "feed_case.h"

enum { SEGMENTS = 8, RECORDS = 64 };

/* A finished feed of three segments, its files' bytes in order. */
struct made {
    char dir[PATH_LEN], paths[SEGMENTS][PATH_LEN];
    uint8_t *bytes[SEGMENTS];
    size_t len[SEGMENTS], count, total;
};

static const struct window_case windows[] = {{0, 0, 30}, {1, 0, 0},  {1, 1, 5},
                                             {61, 0, 9}, {62, 0, 7}, {121, 0, 1}};
enum { RECORDS_MADE = 6 + 3 + 3 };

static void make(struct made *m)
{
    memset(m, 0, sizeof *m);
    feed_write(folder_name(m->dir), windows, sizeof windows / sizeof *windows);
    m->count = segment_list(m->dir, m->paths);
    for (size_t i = 0; i < m->count; i++) {
        m->bytes[i] = file_read(m->paths[i], &m->len[i]);
        m->total += m->len[i];
    }
}

static void made_free(struct made *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->bytes[i]);
}

static const char *base(const char *path) { return strrchr(path, '/') + 1; }

/* Reads what there is; how many records, or -errno. *last is the seq of the last. */
static int drain(struct feed_tail *t, uint64_t *last, struct fault *fault)
{
    struct feed_tail_record r;
    int records = 0, got;
    while ((got = feed_tail_next(t, &r, fault)) > 0) {
        assert_int_equal(r.seq, feed_tail_position(t)->seq);
        assert_true(r.body >= r.delimited && r.body + r.body_len <= r.delimited + r.delimited_len);
        *last = r.seq;
        records++;
    }
    return got < 0 ? got : records;
}

/* How many records a tail should have given when the first `have` bytes of the feed are there. */
static int expected(const struct made *m, size_t have)
{
    int records = 0;
    for (size_t i = 0; i < m->count; i++) {
        size_t here = have < m->len[i] ? have : m->len[i];
        int whole = 0;
        for (size_t at = 0; at < here;) {
            size_t start = at;
            uint64_t len = 0;
            for (unsigned shift = 0; at < m->len[i]; shift += 7) {
                len |= (uint64_t)(m->bytes[i][at] & 0x7f) << shift;
                if (m->bytes[i][at++] < 0x80)
                    break;
            }
            at += len;
            if (at > here)
                break;
            assert_true(at > start);
            whole++;
        }
        records += whole == 1 ? 0 : whole; /* a Header alone is not given */
        have -= here;
    }
    return records;
}

/* The feed grows byte by byte; what is whole is given, once, and nothing else. */
static void growing(void **state)
{
    struct made m;
    char dir[PATH_LEN], path[2 * PATH_LEN];
    struct feed_tail *t;
    struct fault fault;
    uint64_t last = 0;
    size_t have = 0;
    int given = 0, fd = -1;
    make(&m);
    assert_int_equal(m.count, 3);
    snprintf(path, sizeof path, "mkdir -p %s", folder_name(dir));
    assert_int_equal(system(path), 0);
    assert_int_equal(feed_tail_open(&t, dir, NULL, &fault), 0);
    assert_int_equal(drain(t, &last, &fault), 0);
    for (size_t i = 0; i < m.count; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, base(m.paths[i]));
        fd = open(path, O_WRONLY | O_CREAT, 0666);
        for (size_t k = 0; k < m.len[i]; k++) {
            assert_int_equal(write(fd, &m.bytes[i][k], 1), 1);
            have++;
            bool is_near = k < 40 || m.len[i] - k < 40 || k % 97 == 0;
            int got = is_near ? drain(t, &last, &fault) : 0;
            if (got < 0)
                fail_msg("at %zu: %s", have, fault.text);
            given += got;
            if (is_near)
                assert_int_equal(given, expected(&m, have));
            if (is_near && k % 3 == 0) { /* a reader that begins anew at any moment goes on there */
                struct feed_position at = *feed_tail_position(t);
                feed_tail_close(t);
                assert_int_equal(feed_tail_open(&t, dir, &at, &fault), 0);
            }
        }
        close(fd);
    }
    assert_int_equal(given, RECORDS_MADE);
    assert_int_equal(last, RECORDS_MADE);
    assert_int_equal(drain(t, &last, &fault), 0);
    feed_tail_close(t);
    made_free(&m);
}

static void finished(void **state)
{
    struct made m;
    struct feed_tail *t;
    struct fault fault;
    struct feed_tail_record r;
    make(&m);
    assert_int_equal(feed_tail_open(&t, m.dir, NULL, &fault), 0);
    for (int i = 0; i < RECORDS_MADE; i++) {
        assert_false(feed_tail_is_finished(t));
        assert_int_equal(feed_tail_next(t, &r, &fault), 1);
    }
    assert_true(feed_tail_is_finished(t));
    feed_tail_close(t);
    made_free(&m);
}

/* A record that is only partly there is taken back, and another one written in its place. */
static void taken_back(void **state)
{
    struct made m;
    struct feed_tail *t;
    struct fault fault;
    uint64_t last = 0;
    make(&m);
    file_write(m.paths[2], m.bytes[2], m.len[2] - 20);
    assert_int_equal(feed_tail_open(&t, m.dir, NULL, &fault), 0);
    int before = drain(t, &last, &fault);
    assert_true(before > 0 && before < RECORDS_MADE);
    assert_int_equal(truncate(m.paths[2], 0), 0);
    assert_int_equal(drain(t, &last, &fault), before == RECORDS_MADE - 3 ? 0 : -EBADMSG);
    assert_int_equal(unlink(m.paths[2]), 0);
    char other[2 * PATH_LEN];
    snprintf(other, sizeof other, "%s/19700101T050000Z-000003.yami", m.dir);
    file_write(other, m.bytes[2], m.len[2]);
    assert_int_equal(drain(t, &last, &fault), RECORDS_MADE - before);
    feed_tail_close(t);
    made_free(&m);
}

/* One byte of a file is altered, or the file cut, removed: what does the tail say, and where? */
static void damage(void **state)
{
    static const struct {
        size_t segment, from_end;
        enum { ALTERED, CUT, REMOVED } how;
        int err;
        const char *says;
    } cases[] = {
        {0, 30, ALTERED, -EBADMSG, "-000001.yami: byte "},
        {1, 100, ALTERED, -EBADMSG, "-000002.yami: byte "},
        {2, 3, ALTERED, -EBADMSG, "crc is"},
        {0, 10, CUT, -EBADMSG, "record cut"},
        {2, 10, CUT, 0, ""},
        {1, 0, REMOVED, 0, ""}, /* a hole is passed over */
        {0, 0, REMOVED, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made m;
        struct feed_tail *t;
        struct fault fault = {0};
        uint64_t last = 0;
        make(&m);
        size_t k = cases[i].segment, at = m.len[k] - cases[i].from_end;
        if (cases[i].how == ALTERED)
            m.bytes[k][at] ^= 1;
        if (cases[i].how == REMOVED)
            assert_int_equal(unlink(m.paths[k]), 0);
        else
            file_write(m.paths[k], m.bytes[k], cases[i].how == CUT ? at : m.len[k]);
        assert_int_equal(feed_tail_open(&t, m.dir, NULL, &fault), 0);
        int got = drain(t, &last, &fault);
        if (got < 0 ? got != cases[i].err : cases[i].err != 0)
            fail_msg("case %zu: %d: %s", i, got, fault.text);
        if (cases[i].err != 0 && strstr(fault.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, fault.text);
        if (cases[i].how == REMOVED)
            assert_int_equal(last, RECORDS_MADE);
        if (cases[i].err != 0) { /* and says so again */
            assert_int_equal(drain(t, &last, &fault), cases[i].err);
        }
        feed_tail_close(t);
        made_free(&m);
    }
}

/* Positions: in what retention deleted, of another feed, behind the end. */
static void positions(void **state)
{
    struct made m;
    struct feed_tail *t;
    struct fault fault;
    struct feed_tail_record r;
    struct feed_position at[RECORDS_MADE + 1] = {0};
    uint64_t last;
    make(&m);
    assert_int_equal(feed_tail_open(&t, m.dir, NULL, &fault), 0);
    for (int i = 1; i <= RECORDS_MADE; i++) {
        assert_int_equal(feed_tail_next(t, &r, &fault), 1);
        at[i] = *feed_tail_position(t);
        assert_int_equal(at[i].seq, i);
    }
    feed_tail_close(t);

    struct feed_position wrong = at[3];
    wrong.crc ^= 1;
    assert_int_equal(feed_tail_open(&t, m.dir, &wrong, &fault), -EINVAL);
    wrong = at[3];
    wrong.segment = 9;
    assert_int_equal(feed_tail_open(&t, m.dir, &wrong, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "ends with 000003"));

    assert_int_equal(unlink(m.paths[0]), 0);
    for (int i = 1; i <= RECORDS_MADE; i++) {
        int err = feed_tail_open(&t, m.dir, &at[i], &fault);
        if (err == 0) {
            err = drain(t, &last, &fault);
            feed_tail_close(t);
        }
        bool is_lost = at[i].segment == 1 && i < 5; /* record 5 is its Close: all was read */
        if (is_lost ? err != -ESTALE : err != RECORDS_MADE - i)
            fail_msg("position %d: %d: %s", i, err, fault.text);
        if (is_lost && strstr(fault.text, base(m.paths[1])) == NULL)
            fail_msg("position %d: %s", i, fault.text);
    }
    /* Behind what is not there any more: what is kept, and nothing that was given before. */
    int gone = 0;
    while (at[gone + 1].segment == 1)
        gone++;
    for (int i = 1; i <= RECORDS_MADE; i++) {
        bool is_gone = i <= gone;
        int left = RECORDS_MADE - (is_gone ? gone : i);
        assert_int_equal(feed_tail_open_behind(&t, m.dir, &at[i], &fault), 0);
        for (int n = 0; n < left; n++) {
            if (feed_tail_next(t, &r, &fault) != 1)
                fail_msg("position %d: record %d: %s", i, n, fault.text);
            assert_int_equal(r.seq, RECORDS_MADE - left + n + 1);
            assert_int_equal(r.missing, n == 0 && is_gone);
        }
        assert_int_equal(feed_tail_next(t, &r, &fault), 0);
        feed_tail_close(t);
    }
    made_free(&m);
}

/* What is not durable yet is not given. */
static void limit(void **state)
{
    struct made m;
    struct feed_tail *t;
    struct fault fault;
    struct feed_durable durable = {0};
    uint64_t last = 0;
    make(&m);
    assert_int_equal(feed_tail_open(&t, m.dir, NULL, &fault), 0);
    feed_tail_limit(t, &durable);
    assert_int_equal(drain(t, &last, &fault), 0);
    for (uint64_t seq = 1; seq <= RECORDS_MADE; seq++) {
        feed_durable_set(&durable, seq);
        feed_tail_wait(t, -1); /* does not sleep: it changed since the last look */
        assert_int_equal(drain(t, &last, &fault), 1);
        assert_int_equal(last, seq);
    }
    feed_tail_close(t);
    made_free(&m);
}

/* Inotify: a change of the folder ends a wait; none, the time. */
static void waiting(void **state)
{
    struct made m;
    struct feed_tail *t;
    struct fault fault;
    uint64_t last;
    make(&m);
    assert_int_equal(unlink(m.paths[2]), 0);
    assert_int_equal(feed_tail_open(&t, m.dir, NULL, &fault), 0);
    assert_true(drain(t, &last, &fault) > 0);
    feed_tail_wait(t, -1); /* begins to watch */
    assert_int_equal(drain(t, &last, &fault), 0);
    feed_tail_wait(t, 1);
    file_write(m.paths[2], m.bytes[2], m.len[2]);
    feed_tail_wait(t, -1);
    assert_true(drain(t, &last, &fault) > 0);
    assert_int_equal(last, RECORDS_MADE);
    feed_tail_close(t);
    made_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing), cmocka_unit_test(finished),  cmocka_unit_test(taken_back),
        cmocka_unit_test(damage),  cmocka_unit_test(positions), cmocka_unit_test(limit),
        cmocka_unit_test(waiting),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
