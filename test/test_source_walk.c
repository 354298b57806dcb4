#include "export/source_walk.h"

#include "walk_case.h"

static int walk_setup(void **state)
{
    int err = scratch_make(state);
    walk_make();
    return err;
}

static int walk_teardown(void **state)
{
    feed_pool_destroy(walk_pool);
    return scratch_remove(state);
}

/* The source that is given first from a key on; WALK_SOURCES: none. */
static unsigned seek(struct source_walk *w, const uint8_t key[SOURCE_KEY], struct record_view *view)
{
    struct fault fault;
    assert_int_equal(source_walk_seek(w, key, &fault), 0);
    int found = source_walk_next(w, view, &fault);
    assert_true(found >= 0);
    if (found == 0)
        return WALK_SOURCES;
    unsigned n = 0;
    while (memcmp(walk_keys[n], w->key, SOURCE_KEY) != 0)
        assert_true(++n < WALK_SOURCES);
    return n;
}

/* Every source is found by its key, and the next one by the key behind it. */
static void test_all_are_found(void **state)
{
    struct feed_reader *r = walk_open();
    struct source_walk w;
    struct record_view view;
    struct fault fault;
    struct day_facts facts;
    struct day_settings settings;
    struct source_day_buffer source = {0};
    assert_int_equal(source_walk_begin(&w, r, 0, &fault), 0);
    assert_int_equal(source_walk_facts(&w, &facts, &settings, &fault), 1);
    assert_int_equal(facts.date, WALK_DATE);
    day_facts_fini(&facts);
    for (unsigned n = 0; n < WALK_SOURCES; n++) {
        uint8_t behind[SOURCE_KEY];
        assert_int_equal(seek(&w, walk_keys[n], &view), n);
        assert_int_equal(record_unpack_source_day(&source, view.body, view.body_len, &fault), 0);
        assert_memory_equal(source.day.address, walk_keys[n] + 1, SOURCE_KEY - 1);
        uint64_t at = w.cursor.at;
        assert_int_equal(source_walk_at(&w, at, &view, &fault), 1);
        assert_memory_equal(w.key, walk_keys[n], SOURCE_KEY);
        assert_int_equal(source_walk_at(&w, at + 1, &view, &fault), 0);
        memcpy(behind, walk_keys[n], SOURCE_KEY);
        for (unsigned i = SOURCE_KEY; i-- > 0 && ++behind[i] == 0;) /* of IPv4 behind the address */
            ;
        assert_int_equal(seek(&w, behind, &view), n + 1);
    }
    assert_int_equal(seek(&w, (uint8_t[SOURCE_KEY]){0}, &view), 0);
    assert_int_equal(seek(&w, (uint8_t[SOURCE_KEY]){0xff}, &view), WALK_SOURCES);
    assert_int_equal(seek(&w, walk_keys[0], &view), 0);
    for (unsigned n = 1; n < WALK_SOURCES; n++) {
        assert_int_equal(source_walk_next(&w, &view, &fault), 1);
        assert_memory_equal(w.key, walk_keys[n], SOURCE_KEY);
    }
    assert_int_equal(source_walk_next(&w, &view, &fault), 0);
    assert_int_equal(feed_reader_damage(r)->count, 0);
    source_walk_end(&w);
    source_day_buffer_free(&source);
    feed_reader_close(r);
}

/* A changed byte, wherever it is: all but the record that has it is given, and it is named by whoever reads past it. The crc of a
 * record is also what the next one is told by, so that that one may go with it. */
static void test_damage(void **state)
{
    size_t len;
    uint8_t *bytes = file_read(walk_path, &len);
    struct random_stream random;
    struct record_view view;
    struct fault fault;
    random_init(&random, 3);
    for (unsigned round = 0; round < 20; round++) {
        size_t at = 200 + case_random(&random, len - 200);
        uint8_t was = bytes[at];
        bytes[at] ^= (uint8_t)(1 << case_random(&random, 8));
        file_write(walk_path, bytes, len);
        struct feed_reader *r = walk_open();
        struct source_walk w;
        unsigned given = 0;
        assert_int_equal(source_walk_begin(&w, r, 0, &fault), 0);
        assert_int_equal(source_walk_seek(&w, (uint8_t[SOURCE_KEY]){0}, &fault), 0);
        while (source_walk_next(&w, &view, &fault) > 0)
            given++;
        bool is_close = given == WALK_SOURCES;
        assert_true(given >= WALK_SOURCES - 2);
        assert_true(is_close ||
                    (feed_reader_damage(r)->count >= 1 && feed_reader_damage(r)->count <= 2));
        unsigned found = 0;
        for (unsigned n = 0; n < WALK_SOURCES; n += 31) {
            size_t before = feed_reader_damage(r)->count;
            bool is_there = seek(&w, walk_keys[n], &view) == n;
            found += is_there;
            assert_true(is_there || feed_reader_damage(r)->count >= before);
        }
        assert_true(found >= WALK_SOURCES / 31 - 1);
        source_walk_end(&w);
        feed_reader_close(r);
        bytes[at] = was;
    }
    file_write(walk_path, bytes, len);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_are_found),
                                       cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, walk_setup, walk_teardown);
}
