/* walk_case: a feed of one date whose source days a test knows, and its reader. Included once by each test that needs it; begin with
 * walk_make. */
#ifndef TEST_WALK_CASE_H
#define TEST_WALK_CASE_H

#include "source_day_case.h"

#include "feed_case.h"

#include "export/feed_reader.h"
#include "export/source_key.h"

enum { WALK_DATE = 20454, WALK_SOURCES = 3000 };

static struct feed_pool *walk_pool;
static char walk_dir[PATH_LEN], walk_path[2 * PATH_LEN];
static uint8_t walk_keys[WALK_SOURCES][SOURCE_KEY];
static struct survey_settings walk_survey;

static inline void walk_key(uint8_t key[SOURCE_KEY], const struct source_day *s)
{
    key[0] = s->ip_version;
    memcpy(key + 1, s->address, SOURCE_KEY - 1);
}

/* Address number n: gaps of several sizes; the last fifth is IPv6. */
static inline const char *walk_address(unsigned n, char text[64])
{
    if (n < WALK_SOURCES * 4 / 5)
        snprintf(text, 64, "10.%u.%u.%u", n / 200, n % 200, n * 7 % 256);
    else
        snprintf(text, 64, "20010db8%08x%016x", n / 7, n);
    return text;
}

/* One in a thousand has so many ports that its record is larger than what a cursor reads at once. */
static inline void walk_make(void)
{
    static struct source_day_port many[10000];
    static const int64_t day_ns = INT64_C(86400) * INT64_C(1000000000);
    struct random_stream random;
    struct day_settings settings = {.rules = rules, .survey = survey_defaults};
    struct day_facts facts;
    struct feed_log *log;
    struct fault fault;
    const struct day_result *result;
    walk_survey = survey_defaults;
    identity.survey = &walk_survey;
    identity.has_sources = true;
    random_init(&random, 7);
    folder_name(walk_dir);
    assert_int_equal(
        day_facts_init(&facts, WALK_DATE, WALK_DATE * day_ns, (WALK_DATE + 1) * day_ns, "UTC"), 0);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        facts.kinds[kind] = (struct count){100000000, UINT64_C(6000000000)};
    facts.ledger.offered = facts.ledger.observed = UINT64_C(100000000) * KIND_COUNT;
    struct day *day = day_create(&settings);
    assert_int_equal(feed_log_create(&log, walk_dir, &identity, &fault), 0);
    assert_int_equal(day_begin(day, &facts, &fault), 0);
    assert_int_equal(feed_log_day_begin(log, &facts, &settings, &fault), 0);
    for (unsigned n = 0; n < WALK_SOURCES; n++) {
        char text[64];
        struct source_day *s = source_day_random(&random, walk_address(n, text));
        s->date = WALK_DATE;
        s->first_ns += WALK_DATE * day_ns + 1000;
        s->last_ns += WALK_DATE * day_ns + 1000;
        s->evidence_ns += source_day_has_evidence(s) ? WALK_DATE * day_ns + 1000 : 0;
        s->tcp_ns += source_day_has_tcp(s) ? WALK_DATE * day_ns + 1000 : 0;
        if (n % 1000 == 500) {
            s->evidence_count = s->port_count = 0;
            s->evidence_ns = 0;
            s->evidence_src_port = s->evidence_dst_port = s->evidence_proto = 0;
            s->tcp_src_port = s->tcp_dst_port = 0;
            s->tcp_ns = 0;
            memset(s->kinds, 0, sizeof s->kinds);
            s->ports = many;
            for (unsigned i = 0; i < 10000; i++)
                source_day_to(s, KIND_tcp_syn, (uint16_t)i, 1 + i % 3);
            memset(s->tools, 0, sizeof s->tools);
            memset(s->notes, 0, sizeof s->notes);
        }
        walk_key(walk_keys[n], s);
        assert_int_equal(day_add(day, s, &fault), 0);
        assert_int_equal(feed_log_append_source_day(log, s, &fault), 0);
    }
    assert_int_equal(day_end(day, &result, &fault), 0);
    assert_int_equal(feed_log_append_day(log, result, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    day_destroy(day);
    day_facts_fini(&facts);
    snprintf(walk_path, sizeof walk_path, "%s/20260101-sources-000001.yami", walk_dir);
    walk_pool = feed_pool_create(4);
    assert_non_null(walk_pool);
}

static inline struct feed_reader *walk_open(void)
{
    struct feed_reader *r;
    struct fault fault;
    assert_int_equal(feed_reader_open(&r, walk_dir, walk_pool, &fault), 0);
    return r;
}

#endif
