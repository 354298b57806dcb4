/* feed_live_case: what tests of a feed that is being written share: windows, dates, a verdict.
 *
 * Included once by each.
 */
#ifndef TEST_FEED_LIVE_CASE_H
#define TEST_FEED_LIVE_CASE_H

#include "export/feed_log.h"

#include "source_day_case.h"

#include "feed_case.h"

enum { DATE = 20454 }; /* 2026-01-01 */

static const int64_t day_ns = INT64_C(86400) * INT64_C(1000000000);
static struct survey_settings survey;

static inline int window_put(struct feed_log *log, int64_t minute, uint32_t part, unsigned packets,
                             struct fault *fault)
{
    struct window *w = sample_window(rules, minute * minute_ns, part, packets, packets);
    int err = feed_log_append(log, w, fault);
    window_destroy(w);
    return err;
}

static inline struct feed_log *begin(const char *dir)
{
    struct feed_log *log;
    struct fault fault;
    survey = survey_defaults;
    identity.survey = &survey;
    identity.has_sources = true;
    if (feed_log_create(&log, dir, &identity, &fault) != 0)
        fail_msg("%s", fault.text);
    return log;
}

/* One date. How far it gets, by the first call that fails; 0: all of it. */
struct date {
    struct day *day;
    struct day_facts facts;
    struct day_settings settings;
    const struct day_result *result;
};

static inline void date_make(struct date *d, int32_t date, unsigned sources)
{
    struct fault fault;
    *d = (struct date){.settings = {.rules = rules, .survey = survey}};
    assert_int_equal(day_facts_init(&d->facts, date, date * day_ns, (date + 1) * day_ns, "UTC"), 0);
    d->facts.revision = 1;
    d->facts.kinds[KIND_tcp_syn] = (struct count){sources * 2, sources * 120};
    d->facts.ledger.offered = d->facts.ledger.observed = sources * 2;
    d->day = day_create(&d->settings);
    assert_int_equal(day_begin(d->day, &d->facts, &fault), 0);
}

static inline void date_free(struct date *d)
{
    day_destroy(d->day);
    day_facts_fini(&d->facts);
}

static inline struct source_day source_make(int32_t date, unsigned i)
{
    static struct source_day_port ports[2] = {{KIND_tcp_syn, 23, 1}, {KIND_tcp_syn, 80, 1}};
    struct source_day s = {.date = date, .ip_version = 4, .ports = ports, .port_count = 2};
    s.address[2] = (uint8_t)(i >> 8);
    s.address[3] = (uint8_t)i;
    s.kinds[KIND_tcp_syn] = (struct count){2, 120};
    s.first_ns = s.last_ns = date * day_ns;
    return s;
}

static inline int sources_put(struct feed_log *log, struct date *d, unsigned sources,
                              struct fault *fault)
{
    int err = feed_log_day_begin(log, &d->facts, &d->settings, fault);
    for (unsigned i = 0; i < sources && err == 0; i++) {
        struct source_day s = source_make(d->facts.date, i);
        err = feed_log_append_source_day(log, &s, fault);
    }
    return err;
}

static inline int date_put(struct feed_log *log, int32_t date, unsigned sources,
                           struct fault *fault)
{
    struct date d;
    date_make(&d, date, sources);
    int err = sources_put(log, &d, sources, fault);
    for (unsigned i = 0; i < sources && err == 0; i++) {
        struct source_day s = source_make(date, i);
        assert_int_equal(day_add(d.day, &s, fault), 0);
    }
    if (err == 0)
        err = day_end(d.day, &d.result, fault);
    if (err == 0)
        err = feed_log_append_day(log, d.result, fault);
    date_free(&d);
    return err;
}

static inline void assert_holds(const char *dir, int expected, const char *what)
{
    struct feed_check check;
    struct fault fault = {0};
    int err = feed_log_verify_rules(dir, rules, &check, &fault);
    if (err != expected)
        fail_msg("%s: verify: %d: %s", what, err, fault.text);
}

#endif
