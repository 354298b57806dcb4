/* The Day of sources made by hand, with answers computed by hand. */
#include "day_case.h"
#include "export/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ruleset *rules;

struct computed {
    struct day_facts facts;
    struct day *day;
    const struct day_result *r;
};

/* The hand-made day, its sources as given. */
static void compute(struct computed *c, struct source_day **s, size_t count, bool is_configured)
{
    struct day_settings settings = day_case_settings(rules);
    struct fault fault;
    day_case_facts(&c->facts, is_configured);
    for (size_t i = 0; i < count; i++)
        day_case_count(&c->facts, s[i]);
    c->day = day_create(&settings);
    assert_int_equal(day_begin(c->day, &c->facts, &fault), 0);
    for (size_t i = 0; i < count; i++)
        if (day_add(c->day, s[i], &fault) != 0)
            fail_msg("%s", fault.text);
    if (day_end(c->day, &c->r, &fault) != 0)
        fail_msg("%s", fault.text);
}

static void computed_free(struct computed *c)
{
    day_destroy(c->day);
    day_facts_fini(&c->facts);
}

static void expect(const char *what, const struct day_count *c, struct day_count is)
{
    if (memcmp(c, &is, sizeof is) != 0)
        fail_msg("%s: packets %lu ex %lu, sources %lu ex %lu, /64 %lu ex %lu", what,
                 (unsigned long)c->packets, (unsigned long)c->packets_ex, (unsigned long)c->sources,
                 (unsigned long)c->sources_ex, (unsigned long)c->sources64,
                 (unsigned long)c->sources64_ex);
}

static const struct day_count *category(const struct day_result *r, const char *name)
{
    static const struct day_count none;
    for (size_t i = 0; i < r->category_count; i++)
        if (strcmp(r->categories[i].name, name) == 0)
            return &r->categories[i].count;
    return &none;
}

static const struct day_rule *rule(const struct day_result *r, const char *id, unsigned evidence)
{
    for (size_t i = 0; i < r->rule_count; i++)
        if (strcmp(r->rules_by_evidence[i].id, id) == 0 &&
            r->rules_by_evidence[i].evidence == evidence)
            return &r->rules_by_evidence[i];
    fail_msg("no rule %s", id);
    return NULL;
}

static const struct day_port *port(const struct day_result *r, unsigned proto, unsigned number)
{
    for (size_t i = 0; i < r->port_count; i++)
        if (r->ports[i].proto == proto && r->ports[i].port == number)
            return &r->ports[i];
    fail_msg("no port %u", number);
    return NULL;
}

static void counts(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES];
    struct computed c;
    day_case_make(s);
    compute(&c, s, DAY_CASE_SOURCES, true);
    const struct day_result *r = c.r;
    assert_string_equal(r->ex_absent, "");
    expect("total", &r->marks[MARK_total], (struct day_count){146, 109, 14, 8, 10, 7});
    expect("scan", &r->marks[MARK_scan], (struct day_count){143, 106, 14, 8, 10, 7});
    expect("strict", &r->marks[MARK_iot_strict], (struct day_count){18, 18, 4, 4, 4, 4});
    expect("broad", &r->marks[MARK_iot_broad], (struct day_count){70, 56, 9, 6, 8, 6});
    expect("payload", &r->marks[MARK_iot_payload], (struct day_count){3, 3, 2, 2, 2, 2});
    expect("bot", &r->marks[MARK_iot_bot], (struct day_count){10, 10, 1, 1, 1, 1});
    expect("confirmed", &r->marks[MARK_iot_confirmed], (struct day_count){13, 13, 3, 3, 3, 3});
    expect("tcp_syn", &r->kinds[KIND_tcp_syn].count, (struct day_count){126, 99, 10, 6, 8, 5});
    expect("malformed", &r->kinds[KIND_malformed].count, (struct day_count){1, 1, 0, 0, 0, 0});
    expect("iot", category(r, "iot"), (struct day_count){20, 18, 5, 4, 5, 4});
    expect("web", category(r, "web"), (struct day_count){50, 38, 5, 3, 5, 3});
    expect("ssh", category(r, "ssh"), (struct day_count){58, 46, 7, 5, 6, 4});
    expect("other", category(r, "other"), (struct day_count){15, 4, 5, 2, 5, 2});
    assert_int_equal(r->category_count, 4);
    expect("tcp/80", &port(r, PORT_PROTO_TCP, 80)->count, (struct day_count){51, 39, 6, 4, 5, 4});
    assert_string_equal(port(r, PORT_PROTO_TCP, 80)->category, "web");
    assert_int_equal(port(r, PORT_PROTO_TCP, 80)->iot, DAY_IOT_shared);
    assert_string_equal(port(r, PORT_PROTO_TCP, 23)->category, "iot");
    expect("telnet", &rule(r, "iot-telnet", EVIDENCE_port)->count,
           (struct day_count){15, 15, 2, 2, 2, 2});
    expect("exploit", &rule(r, "iot-exploit", EVIDENCE_payload)->count,
           (struct day_count){3, 3, 2, 2, 2, 2});
    expect("mirai", &rule(r, "mirai", EVIDENCE_bot)->count, (struct day_count){10, 10, 1, 1, 1, 1});
    expect("tool", &r->tools[TOOL_mirai].used, (struct day_count){10, 10, 1, 1, 1, 1});
    expect("assessable", &r->notes[NOTE_assessable], (struct day_count){10, 10, 1, 1, 1, 1});
    computed_free(&c);
}

static void classes(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES];
    struct computed c;
    day_case_make(s);
    compute(&c, s, DAY_CASE_SOURCES, true);
    static const struct {
        size_t at;
        struct day_class is;
    } rows[] = {
        {offsetof(struct day_result, survey), {"survey", 32, 32, 4, 4, 2}},
        {offsetof(struct day_result, conflict), {"survey_conflict", 33, 33, 3, 3, 3}},
        {offsetof(struct day_result, acknowledged), {"acknowledged", 3, 3, 1, 1, 1}},
        {offsetof(struct day_result, bogon), {"bogon", 2, 2, 1, 1, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct day_class *is = (const void *)((const char *)c.r + rows[i].at);
        assert_string_equal(is->name, rows[i].is.name);
        assert_int_equal(is->packets, rows[i].is.packets);
        assert_int_equal(is->scan_packets, rows[i].is.scan_packets);
        assert_int_equal(is->sources, rows[i].is.sources);
        assert_int_equal(is->scan_sources, rows[i].is.scan_sources);
        assert_int_equal(is->sources64, rows[i].is.sources64);
    }
    assert_int_equal(c.r->organisation_count, 1);
    assert_string_equal(c.r->organisations[0].name, "Censys");
    assert_int_equal(c.r->block_count, 1);
    assert_string_equal(c.r->blocks[0].name, "10.0.0.0/8");
    assert_int_equal(c.r->country_count, 2);
    assert_string_equal(c.r->countries[0].country, "");
    assert_string_equal(c.r->countries[1].country, "JP");
    assert_int_equal(c.r->countries[1].total.packets, 7);
    assert_int_equal(c.r->countries[1].iot_strict.packets, 5);
    assert_int_equal(c.r->as_count, 2);
    assert_string_equal(c.r->ases[1].name, "two");
    computed_free(&c);
}

static void coverage(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES];
    struct computed c;
    day_case_make(s);
    compute(&c, s, DAY_CASE_SOURCES, true);
    assert_true(c.r->is_complete && c.r->is_exact && !c.r->is_mixed);
    assert_int_equal(c.r->coverage_milli, 100000);
    assert_int_equal(c.r->ip4_packets, 124);
    assert_int_equal(c.r->address_seconds, 40 * 86400);
    assert_float_equal(day_packets_per_address(c.r, true, false), 3.1, 1e-9);
    assert_float_equal(day_packets_per_address(c.r, false, false), 3.1, 1e-9);
    struct share share = day_share(c.r, MARK_iot_strict, SHARE_OVER_scan_ex_survey, false);
    assert_int_equal(share.num, 18);
    assert_int_equal(share.den, 106);
    computed_free(&c);
}

static void unknown_size(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES];
    struct computed c;
    day_case_make(s);
    compute(&c, s, DAY_CASE_SOURCES, false);
    assert_string_equal(c.r->ex_absent, "the size of telescope a is unknown");
    expect("scan", &c.r->marks[MARK_scan], (struct day_count){143, 0, 14, 0, 10, 0});
    assert_int_equal(c.r->survey.sources, 0);
    assert_int_equal(c.r->bogon.sources, 1);
    assert_string_equal(day_share_absent(c.r, SHARE_OVER_scan), "");
    assert_string_equal(day_share_absent(c.r, SHARE_OVER_scan_ex_survey), c.r->ex_absent);
    assert_int_equal(day_share(c.r, MARK_iot_strict, SHARE_OVER_scan_ex_survey, false).den, 0);
    assert_true(day_packets_per_address(c.r, true, false) < 0);
    computed_free(&c);
}

/* Category and numerators of a packet, by evidence and port. */
static void precedence(void **state)
{
    enum { strict = 1, broad = 2, payload = 4 };
    static const struct {
        const char *rule; /* NULL: no payload evidence */
        enum kind kind;
        uint16_t port;
        const char *category;
        unsigned marks;
    } cases[] = {
        {NULL, KIND_tcp_syn, 23, "iot", strict | broad},
        {NULL, KIND_tcp_syn, 80, "web", broad},
        {NULL, KIND_udp, 1900, "iot", broad},
        {NULL, KIND_tcp_syn, 22, "ssh", 0},
        {NULL, KIND_tcp_syn, 9, "other", 0},
        {NULL, KIND_udp, 23, "other", 0},
        {"iot-exploit", KIND_tcp_data, 9, "iot", strict | broad | payload},
        {"iot-exploit", KIND_tcp_data, 22, "iot", strict | broad | payload},
        {"log4shell", KIND_tcp_data, 23, "web", 0},
        {"log4shell", KIND_tcp_data, 9, "web", 0},
        {"iot-sip", KIND_udp, 5060, "iot", broad},
        {"iot-sip", KIND_tcp_data, 22, "ssh", broad},
        {"iot-sip", KIND_tcp_data, 80, "web", broad},
        {"iot-sip", KIND_tcp_data, 23, "iot", strict | broad},
        {"iot-sip", KIND_udp, 1900, "iot", broad},
        {"of-later", KIND_tcp_data, 23, "unknown", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct source_day *s = source_day_new("192.0.2.1");
        struct computed c;
        s->date = DAY_CASE_DATE;
        source_day_to(s, cases[i].kind, cases[i].port, 3);
        if (cases[i].rule != NULL)
            source_day_shows(s, EVIDENCE_payload, cases[i].rule, cases[i].kind, cases[i].port, 3);
        compute(&c, &s, 1, true);
        const uint64_t *is[] = {&c.r->marks[MARK_iot_strict].packets,
                                &c.r->marks[MARK_iot_broad].packets,
                                &c.r->marks[MARK_iot_payload].packets};
        for (unsigned m = 0; m < 3; m++)
            if (*is[m] != (cases[i].marks >> m & 1 ? 3 : 0))
                fail_msg("row %zu: mark %u has %lu", i, m, (unsigned long)*is[m]);
        if (category(c.r, cases[i].category)->packets != 3 || c.r->category_count != 1)
            fail_msg("row %zu: not %s", i, cases[i].category);
        computed_free(&c);
    }
}

/* Ports given up, evidence kept: what evidence tells is as good as listed. */
static void given_up(void **state)
{
    struct source_day *s = source_day_new("192.0.2.1");
    struct computed c;
    char why[100];
    s->date = DAY_CASE_DATE;
    source_day_kind(s, KIND_tcp_syn, 10);
    s->ports[s->port_count++] = (struct source_day_port){KIND_tcp_syn, 23, 2};
    s->unlisted_ports = 8;
    source_day_shows(s, EVIDENCE_bot, "mirai", KIND_tcp_syn, 23, 5);
    assert_true(source_day_holds(s, why, sizeof why));
    compute(&c, &s, 1, true);
    assert_int_equal(category(c.r, "iot")->packets, 5);
    assert_int_equal(category(c.r, "unlisted")->packets, 5);
    assert_int_equal(c.r->marks[MARK_iot_strict].packets, 5);
    assert_int_equal(c.r->marks[MARK_iot_bot].packets, 5);
    computed_free(&c);
}

static void refuses(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES];
    struct computed c;
    struct fault fault;
    day_case_make(s);
    compute(&c, s, 2, true);
    assert_int_equal(day_begin(c.day, &c.facts, &fault), 0);
    assert_int_equal(day_add(c.day, s[1], &fault), 0);
    assert_int_equal(day_add(c.day, s[1], &fault), -EINVAL);
    assert_int_equal(day_add(c.day, s[0], &fault), -EINVAL);
    s[2]->date++;
    assert_int_equal(day_add(c.day, s[2], &fault), -EINVAL);
    assert_int_equal(day_add(c.day, s[3], &fault), 0);
    assert_int_equal(day_end(c.day, &c.r, &fault), -EINVAL); /* more packets than the facts */
    assert_non_null(strstr(fault.text, "tcp_syn"));
    computed_free(&c);
}

/* A result through its record: nothing is lost. */
static void records_come_back(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES];
    for (unsigned configured = 0; configured < 2; configured++) {
        struct record_buffer x = {0}, y = {0};
        struct record_view view;
        struct day_result *back;
        struct computed c;
        struct fault fault;
        uint32_t crc = 0;
        day_case_make(s);
        compute(&c, s, DAY_CASE_SOURCES, configured);
        assert_int_equal(record_pack_day(&x, 9, &crc, c.r), 0);
        assert_int_equal(record_view(&view, x.data + 2, x.len - 2), 0);
        assert_int_equal(view.body_kind, RECORD_day);
        if (record_unpack_day(&back, view.body, view.body_len, &fault) != 0)
            fail_msg("%s", fault.text);
        crc = 0;
        assert_int_equal(record_pack_day(&y, 9, &crc, back), 0);
        assert_int_equal(x.len, y.len);
        assert_memory_equal(x.data, y.data, x.len);
        day_result_destroy(back);
        for (size_t cut = 0; cut < view.body_len; cut++)
            if (record_unpack_day(&back, view.body, cut, &fault) == 0)
                day_result_destroy(back);

        struct day_settings settings = day_case_settings(rules);
        struct day_facts facts;
        struct day_basis basis;
        x.len = 0;
        assert_int_equal(record_pack_day_begin(&x, 1, &crc, &c.facts, &settings), 0);
        size_t prefix = x.data[0] < 0x80 ? 1 : 2;
        assert_int_equal(record_view(&view, x.data + prefix, x.len - prefix), 0);
        assert_int_equal(
            record_unpack_day_begin(&facts, &settings, &basis, view.body, view.body_len, &fault),
            0);
        assert_int_equal(facts.ledger.offered, c.facts.ledger.offered);
        assert_memory_equal(facts.telescopes[0].minutes, c.facts.telescopes[0].minutes,
                            sizeof facts.telescopes[0].minutes);
        assert_string_equal(basis.name, "hand");
        day_facts_fini(&facts);
        record_buffer_free(&x);
        record_buffer_free(&y);
        computed_free(&c);
    }
}

/* Facts of two feeds: sizes of different ids add, one id joins its minutes, two sizes are refused. */
static void facts_merge(void **state)
{
    const int64_t minute = INT64_C(60000000000);
    struct day_facts a, b, c;
    struct day_telescope *t;
    struct fault fault;
    uint64_t ipv4;
    const char *unknown;
    day_case_facts(&a, true);
    day_case_facts(&b, true);
    memset(b.telescopes[0].minutes, 0, sizeof b.telescopes[0].minutes);
    assert_int_equal(day_facts_add_telescope(&b, "0", true, 60, &t, &fault), 0);
    day_telescope_observe(t, &b, day_case_start + 5 * minute - 1, day_case_start + 6 * minute);
    assert_int_equal(day_telescope_seconds(t, &b), 6 * 60); /* from midnight: a pause */
    assert_int_equal(day_facts_add_sensor(&b, "s0"), 0);
    b.revision = 3;
    assert_int_equal(day_facts_merge(&a, &b, &fault), 0);
    assert_int_equal(a.telescope_count, 2);
    assert_true(day_facts_ipv4(&a, &ipv4, &unknown));
    assert_int_equal(ipv4, 100);
    assert_int_equal(day_telescope_seconds(&a.telescopes[1], &a), 86400);
    assert_int_equal(a.ledger.offered, 2);
    assert_int_equal(a.revision, 3);
    assert_int_equal(a.sensor_count, 2);
    assert_string_equal(a.sensors[0], "s0");
    assert_int_equal(a.basis_count[DAY_RULES], 1);
    b.telescopes[0].ipv4 = 61;
    assert_int_equal(day_facts_merge(&a, &b, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "60"));
    assert_non_null(strstr(fault.text, "61"));
    assert_int_equal(day_facts_init(&c, DAY_CASE_DATE, day_case_start, a.end_ns, "Asia/Tokyo"), 0);
    assert_int_equal(day_facts_merge(&a, &c, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "Asia/Tokyo"));
    day_facts_fini(&a);
    day_facts_fini(&b);
    day_facts_fini(&c);
}

/* The sum of two counts, halved: the first part gets the larger half. */
static uint64_t part_of(uint64_t value, unsigned part) { return (value + (part == 0)) / 2; }

/* Source days and facts cut in two, by packets, and merged again give the Day of the whole, byte for byte. */
static void pieces_give_the_same_day(void **state)
{
    struct source_day *s[DAY_CASE_SOURCES], half;
    struct source_day_buffer buffers[DAY_CASE_SOURCES] = {{{0}}};
    struct source_day_port rows[CASE_ROWS];
    struct source_day_evidence evidence[CASE_ROWS];
    struct record_buffer x = {0}, y = {0};
    struct computed whole, merged;
    struct fault fault;
    uint32_t crc = 0;
    day_case_make(s);
    compute(&whole, s, DAY_CASE_SOURCES, true);
    for (unsigned i = 0; i < DAY_CASE_SOURCES; i++)
        for (unsigned part = 0; part < 2; part++) {
            half = *s[i];
            half.ports = rows;
            half.evidence = evidence;
            half.port_count = half.evidence_count = 0;
            for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
                half.kinds[kind].packets = part_of(half.kinds[kind].packets, part);
                half.kinds[kind].bytes = part_of(half.kinds[kind].bytes, part);
            }
            for (unsigned tool = 0; tool < TOOL_COUNT; tool++)
                half.tools[tool] = part_of(half.tools[tool], part);
            for (unsigned note = 0; note < NOTE_COUNT; note++)
                half.notes[note] = part_of(half.notes[note], part);
            for (size_t row = 0; row < s[i]->port_count; row++) {
                rows[half.port_count] = s[i]->ports[row];
                rows[half.port_count].packets = part_of(rows[half.port_count].packets, part);
                half.port_count += rows[half.port_count].packets > 0;
            }
            for (size_t row = 0; row < s[i]->evidence_count; row++) {
                evidence[half.evidence_count] = s[i]->evidence[row];
                evidence[half.evidence_count].packets = part_of(s[i]->evidence[row].packets, part);
                half.evidence_count += evidence[half.evidence_count].packets > 0;
            }
            int err = part == 0 ? source_day_copy(&buffers[i], &half)
                                : source_day_merge(&buffers[i], &half);
            assert_int_equal(err, 0);
        }
    for (unsigned i = 0; i < DAY_CASE_SOURCES; i++)
        s[i] = &buffers[i].day;
    compute(&merged, s, DAY_CASE_SOURCES, true);
    struct day_facts none;
    assert_int_equal(
        day_facts_init(&none, DAY_CASE_DATE, whole.facts.start_ns, whole.facts.end_ns, "UTC"), 0);
    assert_int_equal(day_facts_merge(&none, &merged.facts, &fault), 0);
    assert_int_equal(record_pack_day(&x, 1, &crc, whole.r), 0);
    crc = 0;
    assert_int_equal(day_begin(merged.day, &none, &fault), 0);
    for (unsigned i = 0; i < DAY_CASE_SOURCES; i++)
        assert_int_equal(day_add(merged.day, s[i], &fault), 0);
    assert_int_equal(day_end(merged.day, &merged.r, &fault), 0);
    assert_int_equal(record_pack_day(&y, 1, &crc, merged.r), 0);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    for (unsigned i = 0; i < DAY_CASE_SOURCES; i++)
        source_day_buffer_free(&buffers[i]);
    record_buffer_free(&x);
    record_buffer_free(&y);
    computed_free(&whole);
    computed_free(&merged);
    day_facts_fini(&none);
}

/* Marks of a day, and what of it was observed. */
static void pauses(void **state)
{
    enum { DAY = 24 * 60, PAUSE = DAY_PAUSE_MINUTES };
    static const struct {
        const char *what;
        struct {
            int from, to; /* minutes */
        } marked[3];
        int minutes;
    } cases[] = {
        {"nothing", {{0}}, 0},
        {"all", {{0, DAY}}, DAY},
        {"one alone", {{700, 701}}, 1},
        {"a pause in the middle", {{0, 700}, {700 + PAUSE, DAY}}, DAY},
        {"an outage in the middle", {{0, 700}, {701 + PAUSE, DAY}}, DAY - PAUSE - 1},
        {"a pause at the begin", {{PAUSE, DAY}}, DAY},
        {"an outage at the begin", {{PAUSE + 1, DAY}}, DAY - PAUSE - 1},
        {"a pause at the end", {{0, DAY - PAUSE}}, DAY},
        {"an outage at the end", {{0, DAY - PAUSE - 1}}, DAY - PAUSE - 1},
        {"both, between three marks", {{0, 1}, {PAUSE + 1, PAUSE + 2}, {500, 501}}, PAUSE + 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct day_facts f;
        day_case_facts(&f, true);
        struct day_telescope *t = &f.telescopes[0];
        memset(t->minutes, 0, sizeof t->minutes);
        for (size_t m = 0; m < 3; m++)
            day_telescope_observe(t, &f,
                                  day_case_start + cases[i].marked[m].from * INT64_C(60000000000),
                                  day_case_start + cases[i].marked[m].to * INT64_C(60000000000));
        if (day_telescope_seconds(t, &f) != (uint64_t)cases[i].minutes * 60)
            fail_msg("%s: %d s", cases[i].what, (int)day_telescope_seconds(t, &f));
        day_facts_fini(&f);
    }
}

static int setup(void **state)
{
    rules = day_case_rules();
    return 0;
}

static int teardown(void **state)
{
    free(rules);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),      cmocka_unit_test(classes),
        cmocka_unit_test(coverage),    cmocka_unit_test(unknown_size),
        cmocka_unit_test(precedence),  cmocka_unit_test(given_up),
        cmocka_unit_test(refuses),     cmocka_unit_test(records_come_back),
        cmocka_unit_test(facts_merge), cmocka_unit_test(pieces_give_the_same_day),
        cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
