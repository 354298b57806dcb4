#include "export/record_window.h"

#include "export/feed_log.h"
#include "sample_window.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t minute_ns = INT64_C(60000000000);
static struct ruleset *rules;

static int rules_make(void **state)
{
    rules = sample_ruleset();
    return 0;
}

static int rules_free(void **state)
{
    free(rules);
    return 0;
}

/* The window's record in `b`; *view is what it says. */
static void pack(struct record_buffer *b, const struct window *w, const struct ruleset *names,
                 struct record_view *view)
{
    uint32_t crc = 0;
    b->len = 0;
    assert_int_equal(record_pack_window(b, 1, &crc, w, names), 0);
    size_t used = 1;
    while (b->data[used - 1] >= 0x80)
        used++;
    assert_int_equal(record_view(view, b->data + used, b->len - used), 0);
}

static struct window *merged(unsigned packets)
{
    struct window *w = sample_window(rules, 0, 0, packets, 1),
                  *v = sample_window(rules, 0, 1, packets * 3, 2);
    window_merge(w, v, WINDOW_SPANS);
    window_destroy(v);
    return w;
}

/* What was packed comes back: packed again it has the same bytes. */
static void there_and_back(void **state)
{
    static const unsigned packets[] = {0, 1, 7, 100, 20000};
    struct record_window *u = record_window_create();
    struct record_buffer a = {0}, b = {0};
    struct window *out = window_create();
    record_window_expect(u, minute_ns, false);
    for (unsigned i = 0; i < 2 * sizeof packets / sizeof *packets; i++) {
        unsigned count = packets[i / 2];
        struct window *w =
            i % 2 ? merged(count) : sample_window(rules, -minute_ns * i, i % 3, count, i);
        struct rule_names fixed, open;
        struct record_view va, vb;
        struct fault fault;
        int64_t start_ns;
        assert_int_equal(rule_names_init(&fixed, rules), 0);
        assert_int_equal(rule_names_init(&open, NULL), 0);
        pack(&a, w, rules, &va);
        assert_true(record_window_start(va.body, va.body_len, &start_ns));
        assert_true(start_ns == w->start_ns);
        for (unsigned names = 0; names < 2; names++) {
            struct rule_names *n = names ? &open : &fixed;
            window_clear(out);
            assert_int_equal(record_unpack_window(u, out, n, va.body, va.body_len, &fault), 0);
            pack(&b, out, &n->set, &vb);
            assert_int_equal(va.body_len, vb.body_len);
            assert_memory_equal(va.body, vb.body, va.body_len);
        }
        assert_int_equal(fixed.unknown_packets, 0);
        rule_names_fini(&fixed);
        rule_names_fini(&open);
        window_destroy(w);
    }
    record_buffer_free(&a);
    record_buffer_free(&b);
    window_destroy(out);
    record_window_destroy(u);
}

/* Names that come up are sorted, the counts with them; a fixed set leaves others out and says so. */
static void rules_by_name(void **state)
{
    struct rule_names open, fixed;
    struct window *w = window_create();
    struct ruleset two = {.rules = rules->rules, .rule_count = 2};
    assert_int_equal(rule_names_init(&open, NULL), 0);
    static const char *const ids[] = {"zeta", "beta", "alpha", "beta"};
    for (unsigned i = 0; i < 4; i++) {
        int at = rule_names_find(&open, ids[i], i);
        assert_true(at >= 0 && at < 3);
        w->rules[at][EVIDENCE_port].packets += i + 1;
    }
    assert_int_equal(rule_names_sort(&open, w), 0);
    assert_string_equal(open.set.rules[0].id, "alpha");
    assert_string_equal(open.set.rules[2].id, "zeta");
    assert_int_equal(w->rules[0][EVIDENCE_port].packets, 3);
    assert_int_equal(w->rules[1][EVIDENCE_port].packets, 6);
    assert_int_equal(w->rules[2][EVIDENCE_port].packets, 1);
    char id[16];
    for (unsigned i = 3; i < RULES_MAX; i++) {
        snprintf(id, sizeof id, "r%u", i);
        assert_int_equal(rule_names_find(&open, id, i), i);
    }
    assert_int_equal(rule_names_find(&open, "one more", 0), RULES_MAX);
    assert_int_equal(rule_names_init(&fixed, &two), 0);
    assert_int_equal(rule_names_find(&fixed, "iot-web", 7), 1);
    assert_int_equal(rule_names_find(&fixed, "ssh", 0), RULE_NONE);
    rule_names_fini(&open);
    rule_names_fini(&fixed);
    window_destroy(w);
}

/* Every record cut or with one byte altered is refused, or is still a window that holds. */
static void hostile(void **state)
{
    struct record_window *u = record_window_create();
    struct record_buffer a = {0};
    struct window *w = merged(30), *out = window_create();
    struct rule_names names;
    struct record_view v;
    struct fault fault;
    unsigned refused = 0, tried = 0;
    assert_int_equal(rule_names_init(&names, rules), 0);
    record_window_expect(u, minute_ns, false);
    pack(&a, w, rules, &v);
    uint8_t *body = malloc(v.body_len);
    for (size_t len = 0; len < v.body_len; len += 3) {
        uint8_t *exact = malloc(len + 1); /* the sanitizer sees what is read behind it */
        memcpy(exact, v.body, len);
        window_clear(out);
        assert_int_equal(record_unpack_window(u, out, &names, exact, len, &fault), -EBADMSG);
        free(exact);
    }
    for (size_t at = 0; at < v.body_len; at++, tried++) {
        memcpy(body, v.body, v.body_len);
        body[at] ^= (uint8_t)(1u << at % 8);
        window_clear(out);
        int err = record_unpack_window(u, out, &names, body, v.body_len, &fault);
        assert_true(err == 0 || err == -EBADMSG);
        refused += err != 0;
    }
    assert_true(refused > tried / 3);
    record_window_expect(u, 2 * minute_ns, false);
    window_clear(out);
    assert_int_equal(record_unpack_window(u, out, &names, v.body, v.body_len, &fault), -EBADMSG);
    assert_non_null(strstr(fault.text, "span"));
    free(body);
    rule_names_fini(&names);
    record_buffer_free(&a);
    window_destroy(w);
    window_destroy(out);
    record_window_destroy(u);
}

/* What is taken out is some of what there is. */
static void out_is_held(void **state)
{
    enum { OUT = MARK_iot_broad, SEED = 3 }; /* counts what is taken out, and stands on a day */
    static const struct {
        const char *why; /* "": it holds */
        unsigned mark;
        uint64_t packets, low, high; /* more than there are, or (is_set) so many */
        struct window_basis basis;
        bool is_set;
    } rows[] = {
        {"", OUT, 0, 0, 0, {true, false, true, false, 3, 4}},
        {"", OUT, 0, 0, 0, {true, false, true, true, -3, 3}},
        {"", OUT, 0, 0, 0, {true, false, false, true, 0, 0}},
        {"", OUT, 0, 0, 0, {true, true, true, true, 4, 3}}, /* says nothing */
        {"survey_basis", OUT, 0, 0, 0, {true, false, false, false, 0, 0}},
        {"survey_basis", OUT, 0, 0, 0, {true, false, true, false, 4, 3}},
        {"survey_basis", OUT, 0, 0, 0, {true, false, false, true, 0, 3}},
        {"taken out", OUT, 1 << 20, 0, 0, {true, false, true, false, 3, 4}},
        {"taken out", OUT, 0, 1 << 20, 1 << 20, {true, false, true, false, 3, 4}},
        {"taken out", OUT, 0, 1, 0, {true, false, true, false, 3, 4}},
        {"what is left of scan", MARK_total, 600, 80, 80, {true, false, true, false, 3, 4}, true},
        {"taken out of iot_strict exceeds", OUT, 1, 1, 1, {true, false, true, false, 3, 4}, true},
    };
    struct record_window *u = record_window_create();
    struct record_buffer a = {0};
    struct window *out = window_create();
    record_window_expect(u, minute_ns, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct window *w = sample_window(rules, 0, 0, 600, SEED);
        struct rule_names names;
        struct record_view v;
        struct fault fault = {0};
        if (rows[i].is_set) {
            w->mark_packets_out[rows[i].mark] = 0;
            w->mark_sources_out[rows[i].mark] = (struct source_count){0};
        }
        w->basis = rows[i].basis;
        w->mark_packets_out[rows[i].mark] += rows[i].packets;
        w->mark_sources_out[rows[i].mark].low += rows[i].low;
        w->mark_sources_out[rows[i].mark].high += rows[i].high;
        window_clear(out);
        assert_int_equal(rule_names_init(&names, rules), 0);
        pack(&a, w, rules, &v);
        int err = record_unpack_window(u, out, &names, v.body, v.body_len, &fault);
        assert_int_equal(err, rows[i].why[0] == '\0' ? 0 : -EBADMSG);
        assert_non_null(strstr(fault.text, rows[i].why));
        if (err == 0)
            assert_int_equal(window_has_ex(out), !rows[i].basis.lacks_ex);
        rule_names_fini(&names);
        window_destroy(w);
    }
    record_buffer_free(&a);
    window_destroy(out);
    record_window_destroy(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(rules_by_name),
        cmocka_unit_test(hostile),
        cmocka_unit_test(out_is_held),
    };
    return cmocka_run_group_tests(tests, rules_make, rules_free);
}
