#include "export/merge_identity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEADERS = 4 };

enum { TELESCOPES = 3 };

/* What a header says of its telescopes: as a merged feed's where there are several. The last has id NULL. */
struct telescope {
    const char *id;
    int64_t ipv4; /* < 0: not configured */
};

static const struct size_case {
    struct telescope headers[HEADERS][TELESCOPES + 1];
    const char *id;
    int64_t ipv4;      /* of all; < 0: unknown */
    const char *fault; /* NULL: they merge */
} sizes[] = {
    {{{{"a", 256}}}, "a", 256, NULL},
    {{{{"a", 256}}, {{"a", 256}}}, "a", 256, NULL},
    {{{{"b", 256}}, {{"a", 4}}}, "a,b", 260, NULL},
    {{{{"", -1}}, {{"a", 4}}}, ",a", -1, NULL},
    {{{{"a", -1}}, {{"a", -1}}}, "a", -1, NULL},
    {{{{"a", 4}, {"b", 256}}, {{"b", 256}}}, "a,b", 260, NULL},
    {{{{"a", 4}, {"b", 256}}, {{"b", 256}, {"c", 1}}, {{"c", 1}}}, "a,b,c", 261, NULL},
    {{{{"a", 4}, {"b", 256}}, {{"c", 2}, {"d", 3}}}, "a,b,c,d", 265, NULL},
    {{{{"", -1}, {"a", 4}}, {{"a", 4}}}, ",a", -1, NULL},
    /* One id, two sizes. */
    {{{{"a", 256}}, {{"a", 255}}},
     NULL,
     0,
     "\"a\" has 256 addresses in feed 0, 255 addresses in feed 1"},
    {{{{"a", 256}}, {{"a", -1}}},
     NULL,
     0,
     "\"a\" has 256 addresses in feed 0, no known size in feed 1"},
    {{{{"", -1}, {"a", 4}}, {{"a", 5}}},
     NULL,
     0,
     "\"a\" has 4 addresses in feed 0, 5 addresses in feed 1"},
    {{{{"a", 4}, {"b", 256}}, {{"b", 255}, {"c", 1}}},
     NULL,
     0,
     "\"b\" has 256 addresses in feed 0, 255 addresses in feed 1"},
    /* A header that names several and sizes none of them. */
    {{{{"a,b", 260}}}, NULL, 0, "feed 0: its header has no size of telescope \"a\""},
    {{{{"a,b", 256}, {"c", 4}}}, NULL, 0, "feed 0: its header has no size of telescope \"a\""},
};

static int add(struct merge_identity *m, const struct telescope *t, const char *feed,
               struct fault *fault)
{
    Yamiscope__Header h = YAMISCOPE__HEADER__INIT;
    Yamiscope__RuleSet rules = YAMISCOPE__RULE_SET__INIT;
    Yamiscope__Telescope rows[TELESCOPES], *list[TELESCOPES];
    char ids[64] = "";
    size_t count = 0;
    for (; t[count].id != NULL; count++) {
        yamiscope__telescope__init(&rows[count]);
        rows[count].id = (char *)(uintptr_t)t[count].id;
        rows[count].configured = t[count].ipv4 >= 0;
        rows[count].ipv4 = t[count].ipv4 < 0 ? 0 : (uint64_t)t[count].ipv4;
        list[count] = &rows[count];
        strcat(strcat(ids, count > 0 ? "," : ""), t[count].id);
    }
    h.format = RECORD_FORMAT;
    h.window_span_ns = 1;
    h.timezone = "UTC";
    h.rules = &rules;
    h.telescope_id = ids;
    h.telescope_configured = rows[0].configured;
    h.telescope_ipv4 = rows[0].ipv4; /* not taken where there are several */
    h.telescopes = list;
    h.n_telescopes = count > 1 ? count : 0;
    return merge_identity_add(m, &h, feed, fault);
}

/* In the order given and the other one. */
static void sizes_add_up(void **state)
{
    static const char *const feeds[HEADERS] = {"feed 0", "feed 1", "feed 2", "feed 3"};
    for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const struct size_case *row = &sizes[i / 2];
        struct merge_identity m = {0};
        struct fault fault = {0};
        int err = 0;
        for (unsigned k = 0; k < HEADERS && err == 0; k++) {
            unsigned at = i % 2 ? HEADERS - 1 - k : k;
            if (row->headers[at][0].id != NULL)
                err = add(&m, row->headers[at], feeds[at], &fault);
        }
        if (err == 0)
            err = merge_identity_finish(&m, &fault);
        if (row->fault != NULL) {
            if (err != -EINVAL || (i % 2 == 0 && strstr(fault.text, row->fault) == NULL))
                fail_msg("case %u: %d, %s", i / 2, err, fault.text);
        } else {
            if (err != 0)
                fail_msg("case %u: %s", i / 2, fault.text);
            assert_string_equal(m.telescope_id, row->id);
            assert_int_equal(m.is_configured, row->ipv4 >= 0);
            assert_int_equal(m.ipv4, row->ipv4 < 0 ? 0 : row->ipv4);
            struct feed_identity id = merge_identity_of(&m, NULL, "1");
            assert_int_equal(id.telescope_count, strchr(row->id, ',') ? m.telescope_ids.count : 0);
            for (size_t k = 1; k < id.telescope_count; k++)
                assert_true(strcmp(id.telescopes[k - 1].id, id.telescopes[k].id) < 0);
        }
        merge_identity_fini(&m);
    }
}

enum { SIZES = 3, EVER = INT32_MIN };

/* A telescope whose size changes by date: two headers, and a day of the first one's feed. */
static const struct dated_case {
    struct telescope_size first[SIZES + 1],
        second[SIZES + 1];     /* the last has 0 addresses; none: no header */
    struct telescope_size day; /* from: its date */
    const char *fault;         /* NULL: they merge */
} dated[] = {
    {{{EVER, 4}, {10, 8}}, {{EVER, 4}, {10, 8}}, {9, 4}, NULL},
    {{{EVER, 4}, {10, 8}}, {{0}}, {10, 8}, NULL},
    {{{EVER, 4}, {10, 8}, {20, 4}}, {{EVER, 4}, {10, 8}, {20, 4}}, {30, 4}, NULL},
    {{{EVER, 4}, {10, 8}}, {{0}}, {9, 8}, "has 4 addresses in one, 8 addresses in one"},
    {{{EVER, 4}, {10, 8}}, {{0}}, {10, 4}, "has 8 addresses in one, 4 addresses in one"},
    {{{EVER, 4}, {10, 8}},
     {{EVER, 4}, {11, 8}},
     {9, 4},
     "has 8 addresses (2 sizes by date) in one, 8 addresses (2 sizes by date) in two"},
    {{{EVER, 4}, {10, 8}},
     {{EVER, 8}},
     {9, 4},
     "has 8 addresses (2 sizes by date) in one, 8 addresses in two"},
    {{{EVER, 4}, {10, 8}}, {{EVER, 4}, {10, 16}}, {9, 4}, "16 addresses (2 sizes by date) in two"},
    /* no sizes by date */
    {{{5, 4}, {10, 8}},
     {{0}},
     {0},
     "one: its header's sizes of telescope \"a\" by date are not in order"},
    {{{EVER, 4}, {10, 8}, {10, 4}}, {{0}}, {0}, "are not in order"},
    {{{EVER, 4}, {10, 4}}, {{0}}, {0}, "are not in order"},
};

static int dated_add(struct merge_identity *m, const struct telescope_size *by_date,
                     const char *feed, struct fault *fault)
{
    Yamiscope__Header h = YAMISCOPE__HEADER__INIT;
    Yamiscope__RuleSet rules = YAMISCOPE__RULE_SET__INIT;
    Yamiscope__Telescope row = YAMISCOPE__TELESCOPE__INIT, *rows = &row;
    Yamiscope__TelescopeSize made[SIZES], *list[SIZES];
    for (; by_date[row.n_sizes].ipv4 > 0; row.n_sizes++) {
        yamiscope__telescope_size__init(&made[row.n_sizes]);
        made[row.n_sizes].from = by_date[row.n_sizes].from;
        made[row.n_sizes].ipv4 = by_date[row.n_sizes].ipv4;
        list[row.n_sizes] = &made[row.n_sizes];
    }
    row.id = h.telescope_id = "a";
    row.configured = h.telescope_configured = true;
    row.ipv4 = h.telescope_ipv4 = by_date[row.n_sizes - 1].ipv4;
    row.sizes = list;
    h.format = RECORD_FORMAT;
    h.window_span_ns = 1;
    h.rules = &rules;
    h.telescopes = &rows;
    h.n_telescopes = row.n_sizes > 1;
    return merge_identity_add(m, &h, feed, fault);
}

static void sizes_by_date(void **state)
{
    for (unsigned i = 0; i < sizeof dated / sizeof *dated; i++) {
        const struct dated_case *row = &dated[i];
        struct merge_identity m = {0};
        struct fault fault = {0};
        struct day_settings settings = {0};
        struct day_telescope telescope = {.id = "a", .is_configured = true, .ipv4 = row->day.ipv4};
        struct day_facts facts = {
            .date = row->day.from, .telescopes = &telescope, .telescope_count = 1};
        int err = dated_add(&m, row->first, "one", &fault);
        if (err == 0)
            err = merge_identity_add_day(&m, &settings, &facts, "one", &fault);
        if (err == 0 && row->second[0].ipv4 > 0)
            err = dated_add(&m, row->second, "two", &fault);
        if (err == 0)
            err = merge_identity_finish(&m, &fault);
        if ((err != 0) != (row->fault != NULL) ||
            (row->fault != NULL && strstr(fault.text, row->fault) == NULL))
            fail_msg("case %u: %d, %s", i, err, fault.text);
        if (err == 0) {
            struct feed_identity id = merge_identity_of(&m, NULL, "1");
            assert_int_equal(id.telescope_count, 1);
            for (size_t k = 0; k < id.telescopes[0].size_count; k++) {
                assert_int_equal(id.telescopes[0].sizes[k].from, row->first[k].from);
                assert_int_equal(id.telescopes[0].sizes[k].ipv4, row->first[k].ipv4);
            }
        }
        merge_identity_fini(&m);
    }
}

struct words {
    const char *sensor, *filter, *sha256;
    bool is_filtered;
};

static const struct words_case {
    struct words headers[3];
    const char *sensor, *filter, *rules; /* of all */
    bool is_filtered;
} words[] = {
    {{{"b", "", "1"}, {"a", "", "1"}}, "a,b", "", "1", false},
    {{{"b", "", "1"}, {"a,b", "", "1"}, {"c", "", "1"}}, "a,b,c", "", "1", false},
    {{{"a", "tcp", "1", true}, {"a", "tcp", "1", true}}, "a", "tcp", "1", true},
    {{{"a", "tcp", "1", true}, {"a", "udp", "1", true}}, "a", "", "1", true},
    {{{"a", "", "1", true}, {"a", "", "2", false}}, "a", "", "", true},
    {{{"a", "", "1", false}, {"a", "", "", false}}, "a", "", "", false}, /* one of many sets */
};

static void words_join(void **state)
{
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        struct merge_identity m = {0};
        struct fault fault;
        for (unsigned k = 0; k < 3 && words[i].headers[k].sensor != NULL; k++) {
            Yamiscope__Header h = YAMISCOPE__HEADER__INIT;
            Yamiscope__RuleSet rules = YAMISCOPE__RULE_SET__INIT;
            const struct words *row = &words[i].headers[k];
            rules.sha256 = (char *)(uintptr_t)row->sha256;
            h.format = RECORD_FORMAT;
            h.window_span_ns = 1;
            h.rules = &rules;
            h.sensor = (char *)(uintptr_t)row->sensor;
            h.filter = (char *)(uintptr_t)row->filter;
            h.filtered = row->is_filtered;
            h.lateness_ns = k;
            assert_int_equal(merge_identity_add(&m, &h, "feed", &fault), 0);
        }
        assert_int_equal(merge_identity_finish(&m, &fault), 0);
        struct feed_identity id = merge_identity_of(&m, NULL, "1");
        assert_string_equal(id.sensor, words[i].sensor);
        assert_string_equal(id.filter, words[i].filter);
        assert_int_equal(id.filtered, words[i].is_filtered);
        assert_string_equal(m.rules.sha256, words[i].rules);
        assert_int_equal(m.is_mixed, words[i].rules[0] == '\0');
        assert_true(id.lateness_ns > 0);
        merge_identity_fini(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_add_up),
        cmocka_unit_test(sizes_by_date),
        cmocka_unit_test(words_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
