/* telling_case: what tells Days of a journal (journal_folder.h) to a feed beside it. */
#ifndef TEST_TELLING_CASE_H
#define TEST_TELLING_CASE_H

#include "classify/payload.h"
#include "core/live_days.h"
#include "export/feed_reader.h"
#include "journal_folder.h"

#include <ftw.h>

struct telling {
    struct ruleset *rules;
    struct origins *origins;
    struct feed_identity identity;
    struct live_days_settings days;
    char feed[80];
};

/* A journal that has parts of windows up to `last`. */
static inline void telling_init(struct telling *t, uint64_t last)
{
    struct fault fault;
    *t = (struct telling){0};
    (void)snprintf(t->feed, sizeof t->feed, "%s/feed", scratch);
    assert_int_equal(calendar_zone("Asia/Tokyo"), 0);
    assert_int_equal(ruleset_create(&t->rules, NULL, &fault), 0);
    assert_int_equal(payload_load(t->rules, NULL, &fault), 0);
    assert_int_equal(origins_create(&t->origins, &(struct origin_settings){0}, &fault), 0);
    t->identity = (struct feed_identity){
        .sensor = "tokyo",
        .telescope_id = "",
        .timezone = "Asia/Tokyo",
        .filter = "",
        .window_span_ns = INT64_C(60000000000),
        .rules = t->rules,
        .survey = &survey_defaults,
        .has_sources = true,
    };
    t->days = (struct live_days_settings){
        .day = {.day = {.rules = t->rules, .survey = survey_defaults},
                .telescope_id = "",
                .sensor = "tokyo",
                .timezone = "Asia/Tokyo",
                .origins = t->origins},
        .feed_dir = t->feed,
        .journal_dir = dir,
        .window_seq = last,
    };
}

static inline int entry_remove(const char *path, const struct stat *is, int type, struct FTW *at)
{
    return remove(path);
}

static inline void telling_fini(struct telling *t)
{
    (void)nftw(t->feed, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    origins_destroy(t->origins);
    ruleset_destroy(t->rules);
    folder_clear();
}

/* The Day of the feed; NULL: it has none. The caller's. */
static inline struct day_result *day_of(const char *feed, int32_t on)
{
    struct feed_pool *pool = feed_pool_create(4);
    struct feed_reader *reader;
    struct day_result *day = NULL;
    struct record_view view;
    struct feed_cursor c;
    struct fault fault;
    assert_int_equal(feed_reader_open(&reader, feed, pool, &fault), 0);
    const struct feed_reader_date *date = feed_reader_date_find(reader, on);
    if (date && date->day != FEED_NO_SEGMENT) {
        assert_int_equal(feed_cursor_begin(&c, reader, date->day, &fault), 0);
        while (!day && feed_cursor_next(&c, &view, &fault) > 0)
            if (view.body_kind == RECORD_day)
                assert_int_equal(record_unpack_day(&day, view.body, view.body_len, &fault), 0);
        feed_cursor_end(&c);
    }
    feed_reader_close(reader);
    feed_pool_destroy(pool);
    return day;
}

#endif
