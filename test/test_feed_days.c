/* Days in the feed: where they stand, what verify computes again, and what it does not believe. */
#include "source_day_case.h"

#include "day_case.h"
#include "feed_case.h"

static struct ruleset *hand;
static struct survey_settings survey;

/* Windows, the day of day_case.h, and a window of the hour that was interrupted. */
static void days_write(const char *dir, bool has_sources, unsigned revisions)
{
    struct source_day *s[DAY_CASE_SOURCES];
    struct day_settings settings = day_case_settings(hand);
    const struct day_result *r;
    struct day_facts facts;
    struct feed_log *log;
    struct fault fault;
    struct window *w = sample_window(rules, 20000 * 1440 * minute_ns, 0, 5, 1);
    survey = day_case_survey;
    identity.survey = &survey;
    identity.has_sources = has_sources;
    identity.rules = hand;
    assert_int_equal(feed_log_create(&log, dir, &identity, &fault), 0);
    identity.rules = rules;
    assert_int_equal(feed_log_append(log, w, &fault), 0);
    day_case_facts(&facts, true);
    day_case_make(s);
    for (unsigned i = 0; i < DAY_CASE_SOURCES; i++)
        day_case_count(&facts, s[i]);
    struct day *day = day_create(&settings);
    for (facts.revision = 1; facts.revision <= revisions; facts.revision++) {
        if (has_sources)
            assert_int_equal(feed_log_day_begin(log, &facts, &settings, &fault), 0);
        assert_int_equal(day_begin(day, &facts, &fault), 0);
        for (unsigned i = 0; i < DAY_CASE_SOURCES; i++) {
            assert_int_equal(day_add(day, s[i], &fault), 0);
            if (has_sources)
                assert_int_equal(feed_log_append_source_day(log, s[i], &fault), 0);
        }
        assert_int_equal(day_end(day, &r, &fault), 0);
        assert_int_equal(feed_log_append_day(log, r, &fault), 0);
    }
    w->part = 1;
    w->ledger.late = w->ledger.observed;
    assert_int_equal(feed_log_append(log, w, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    window_destroy(w);
    day_destroy(day);
    day_facts_fini(&facts);
}

static void names(void **state)
{
    static const struct {
        int32_t date;
        enum feed_segment kind;
        const char *name;
    } cases[] = {
        {20000, FEED_SOURCES, "20241004-sources-000007.yami"},
        {0, FEED_DAY, "19700101-day-000007.yami"},
        {-1, FEED_DAY, "19691231-day-000007.yami"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[FEED_NAME];
        feed_day_segment_name(cases[i].date, cases[i].kind, 7, name);
        assert_string_equal(name, cases[i].name);
        assert_int_equal(feed_segment_kind(name), cases[i].kind);
        assert_int_equal(feed_segment_number(name), 7);
    }
    assert_int_equal(feed_segment_kind("a-day-b/20241004T000000Z-000001.yami"), FEED_WINDOWS);
}

static void holds(void **state)
{
    static const struct {
        bool has_sources, is_known;
        unsigned revisions;
        uint64_t segments, computed, restated;
    } cases[] = {
        {true, true, 1, 4, 1, 1},
        {true, false, 1, 4, 1, 0},
        {true, true, 2, 6, 2, 2},
        {false, true, 1, 3, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dir[PATH_LEN];
        struct feed_check check;
        struct fault fault;
        days_write(folder_name(dir), cases[i].has_sources, cases[i].revisions);
        if (feed_log_verify_rules(dir, cases[i].is_known ? hand : NULL, &check, &fault) != 0)
            fail_msg("row %zu: %s", i, fault.text);
        assert_int_equal(check.segments, cases[i].segments);
        assert_int_equal(check.windows, 2);
        assert_int_equal(check.days, cases[i].revisions);
        assert_int_equal(check.days_computed, cases[i].computed);
        assert_int_equal(check.days_restated, cases[i].restated);
        assert_int_equal(check.source_days,
                         cases[i].has_sources ? cases[i].revisions * DAY_CASE_SOURCES : 0);
    }
}

static void one_segment_alone(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct feed_check check;
    struct fault fault;
    days_write(folder_name(dir), true, 1);
    assert_int_equal(segment_list(dir, paths), 4);
    for (unsigned i = 0; i < 4; i++)
        if (feed_log_verify_rules(paths[i], hand, &check, &fault) != 0)
            fail_msg("%s", fault.text);
}

static void every_flip_is_found(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    days_write(folder_name(dir), true, 1);
    segment_list(dir, paths);
    for (unsigned segment = 1; segment < 3; segment++) {
        size_t len;
        uint8_t *bytes = file_read(paths[segment], &len);
        for (size_t at = 0; at < len; at += 19) {
            bytes[at] ^= (uint8_t)(1u << at % 8);
            file_write(paths[segment], bytes, len);
            assert_broken(dir, "a flip");
            bytes[at] ^= (uint8_t)(1u << at % 8);
        }
        file_write(paths[segment], bytes, len);
        free(bytes);
    }
    assert_int_equal(verify(dir, &fault), 0);
}

static void missing_segments(void **state)
{
    for (unsigned gone = 1; gone < 3; gone++) {
        char dir[PATH_LEN], paths[8][PATH_LEN];
        days_write(folder_name(dir), true, 1);
        segment_list(dir, paths);
        assert_int_equal(unlink(paths[gone]), 0);
        assert_broken(dir, "a segment is gone");
    }
}

/* ---- altered under right checksums: d is the Day, s the source days, b the DayBegin */

#define ALTERATIONS(X)                                                                          \
    X(facts, "facts", b->facts->ledger->late = 1)                                               \
    X(settings, "settings", b->settings->survey->min_ports++; d->settings->survey->min_ports++) \
    X(rules, "rules", b->rules->sha256[0]++)                                                    \
    X(port_packets, "ports", d->ports[0]->packets[0]++)                                         \
    X(port_moved, "ports[0].packets", d->ports[0]->packets[0]++; d->ports[0]->packets[2]--)     \
    X(port_sources, "ports[0].sources", d->ports[0]->sources[0]++)                              \
    X(port_ex, "ports[0].packets_ex", d->ports[0]->packets_ex[0]--)                             \
    X(port_gap, "ports[0].gap", d->ports[0]->gap[0]++)                                          \
    X(port_class, "ports[0].iot", d->ports[0]->iot[0] ^= 1)                                     \
    X(kind, "tcp_syn", d->kinds[0]->count->packets++)                                           \
    X(kind_ex, "kinds[0]", d->kinds[0]->count->packets_ex--)                                    \
    X(kind_bytes, "bytes", d->kinds[0]->bytes++)                                                \
    X(mark, "its own numbers", d->marks[0]->count->packets++)                                   \
    X(mark_strict, "its own numbers", d->marks[2]->count->packets_ex--)                         \
    X(share, "its own numbers: shares[0].packets_num", d->shares[0]->packets_num++)             \
    X(category, "categories", d->categories[0]->count->packets++)                               \
    X(survey, "survey.packets", d->survey->packets++)                                           \
    X(survey_gone, "survey", yamiscope__day_class__free_unpacked(d->survey, NULL);              \
      d->survey = NULL)                                                                         \
    X(conflict, "conflict.sources", d->conflict->sources++)                                     \
    X(organisation, "organisations[0].packets", d->organisations[0]->packets++)                 \
    X(block, "blocks[0].name", d->blocks[0]->name[0]++)                                         \
    X(note, "notes[2]", d->notes[2]->count->packets++)                                          \
    X(tool, "tools[0].used", d->tools[0]->used->sources_ex--)                                   \
    X(country, "countries", d->countries[1]->scan->packets++)                                   \
    X(as, "ases", d->ases[1]->asn++)                                                            \
    X(complete, "complete", d->complete ^= 1)                                                   \
    X(coverage, "coverage.address_seconds", d->coverage->address_seconds++)                     \
    X(coverage_watch, "coverage.watches[0].seconds", d->coverage->watches[0]->seconds--)        \
    X(state, "state", d->state[0] = 'F')                                                        \
    X(revision, "", d->facts->revision = 0)                                                     \
    X(date, "", d->facts->date++)                                                               \
    X(source_port, "source day", s[0]->syn_packets[0]++)                                        \
    X(source_gap, "marks[2]", s[0]->syn_gap[0]++)                                               \
    X(source_last, "outside the day", s[0]->lasted_ns = UINT64_C(90000) * 1000000000)           \
    X(source_origin, "countries", s[0]->origin->country[0] = 'K')                               \
    X(source_order, "order", s[1]->address.data[3] = 1)                                         \
    X(source_date, "a source of day", s[1]->date++)

enum alteration {
#define NAME_(name, where, change) ALTER_##name,
    ALTERATIONS(NAME_) ALTER_COUNT
};
static const struct {
    const char *name, *where;
} alterations[] = {
#define TEXT_(name, where, change) {#name, where},
    ALTERATIONS(TEXT_)};

static void alter(enum alteration which, Yamiscope__DayBegin *b, Yamiscope__SourceDay **s,
                  Yamiscope__Day *d)
{
    switch (which) {
#define CASE_(name, where, change) \
    case ALTER_##name:             \
        change;                    \
        break;
        ALTERATIONS(CASE_)
    case ALTER_COUNT:
        break;
    }
}

static void alterations_are_found(void **state)
{
    char dir[PATH_LEN], paths[8][PATH_LEN];
    struct fault fault;
    uint8_t *bytes[4];
    size_t len[4];
    unsigned unnoticed = 0;
    days_write(folder_name(dir), true, 1);
    assert_int_equal(segment_list(dir, paths), 4);
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = file_read(paths[i], &len[i]);
    for (unsigned which = 0; which < ALTER_COUNT + 1; which++) {
        Yamiscope__Record *records[64];
        Yamiscope__SourceDay *s[DAY_CASE_SOURCES];
        Yamiscope__DayBegin *b = NULL;
        Yamiscope__Day *d = NULL;
        size_t count = 0, ends[4], sources = 0;
        for (unsigned i = 0; i < 4; i++) {
            for (size_t at = 0; at < len[i]; count++) {
                Yamiscope__Record *r = records[count] = forge_take(bytes[i], &at);
                if (r->body_case == YAMISCOPE__RECORD__BODY_DAY)
                    d = r->day;
                if (r->body_case == YAMISCOPE__RECORD__BODY_DAY_BEGIN)
                    b = r->day_begin;
                if (r->body_case == YAMISCOPE__RECORD__BODY_SOURCE_DAY)
                    s[sources++] = r->source_day;
            }
            ends[i] = count;
        }
        alter(which, b, s, d);
        struct forge forge = {0};
        for (size_t i = 0, segment = 0; i < count; i++) {
            forge_record(&forge, records[i]);
            yamiscope__record__free_unpacked(records[i], NULL);
            if (i + 1 != ends[segment])
                continue;
            file_write(paths[segment++], forge.data, forge.len);
            forge.len = 0;
        }
        free(forge.data);
        int err = feed_log_verify_rules(dir, hand, &(struct feed_check){0}, &fault);
        if (which == ALTER_COUNT)
            assert_int_equal(err, 0);
        else if (err != -EBADMSG || strstr(fault.text, "day 2000") == NULL ||
                 strstr(fault.text, alterations[which].where) == NULL)
            unnoticed++, print_error("%s: %d, %s\n", alterations[which].name, err,
                                     err != 0 ? fault.text : "");
    }
    assert_int_equal(unnoticed, 0);
    for (unsigned i = 0; i < 4; i++)
        free(bytes[i]);
}

/* What was written so far stands after an end without Close. */
static void abandoned(void **state)
{
    char dir[PATH_LEN];
    struct day_settings settings = day_case_settings(hand);
    struct source_day *s[DAY_CASE_SOURCES];
    struct day_facts facts;
    struct feed_check check;
    struct feed_log *log;
    struct fault fault;
    day_case_make(s);
    day_case_facts(&facts, true);
    identity.survey = &survey;
    identity.has_sources = true;
    assert_int_equal(feed_log_create(&log, folder_name(dir), &identity, &fault), 0);
    assert_int_equal(feed_log_day_begin(log, &facts, &settings, &fault), 0);
    assert_int_equal(feed_log_append_source_day(log, s[0], &fault), 0);
    feed_log_abandon(log);
    assert_int_equal(feed_log_verify_rules(dir, hand, &check, &fault), -ENODATA);
    assert_int_equal(check.source_days, 1);
    day_facts_fini(&facts);
}

/* A disk that is full now and then: nothing is lost, nothing is there twice. */
static void full_disk(void **state)
{
    enum { SOURCES = 60000 };
    char dir[PATH_LEN];
    struct day_settings settings = day_case_settings(hand);
    struct day_facts facts;
    struct feed_check check;
    struct feed_log *log;
    struct fault fault;
    struct rlimit was, small;
    const struct day_result *r;
    unsigned refused = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    day_case_facts(&facts, true);
    facts.kinds[KIND_tcp_syn] = (struct count){SOURCES, SOURCES * 60};
    facts.ledger.observed = facts.ledger.offered = 1 + SOURCES;
    identity.survey = &survey;
    identity.has_sources = true;
    identity.rules = hand;
    assert_int_equal(feed_log_create(&log, folder_name(dir), &identity, &fault), 0);
    identity.rules = rules;
    struct day *day = day_create(&settings);
    assert_int_equal(day_begin(day, &facts, &fault), 0);
    assert_int_equal(feed_log_day_begin(log, &facts, &settings, &fault), 0);
    for (unsigned i = 0; i < SOURCES; i++) {
        struct source_day *s = source_day_new("1.0.0.0");
        s->address[2] = (uint8_t)(i >> 8);
        s->address[3] = (uint8_t)i;
        s->date = DAY_CASE_DATE;
        s->first_ns = s->last_ns = day_case_start;
        source_day_to(s, KIND_tcp_syn, 23, 1);
        assert_int_equal(day_add(day, s, &fault), 0);
        small = was;
        small.rlim_cur = i % 2 == 0 ? 1000 : RLIM_INFINITY;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        int err = feed_log_append_source_day(log, s, &fault);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
        if (err != 0) {
            assert_int_equal(err, -EFBIG);
            refused++;
            assert_int_equal(feed_log_append_source_day(log, s, &fault), 0);
        }
    }
    assert_true(refused > 0);
    assert_int_equal(day_end(day, &r, &fault), 0);
    small.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(feed_log_append_day(log, r, &fault), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(feed_log_append_day(log, r, &fault), 0);
    assert_int_equal(feed_log_finish(log, &fault), 0);
    if (feed_log_verify_rules(dir, hand, &check, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_int_equal(check.source_days, SOURCES);
    day_destroy(day);
    day_facts_fini(&facts);
}

static int setup(void **state)
{
    hand = day_case_rules();
    return scratch_make(state);
}

static int teardown(void **state)
{
    free(hand);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(holds),
        cmocka_unit_test(one_segment_alone),
        cmocka_unit_test(every_flip_is_found),
        cmocka_unit_test(missing_segments),
        cmocka_unit_test(alterations_are_found),
        cmocka_unit_test(abandoned),
        cmocka_unit_test(full_disk),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
