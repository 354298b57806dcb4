/* days_sample DIR SEED: a feed with two days of random sources, for the judge in Python (test_day_feed.py).
 *
 * Two telescopes; ordinary, survey, acknowledged and bogon sources, bots, payload evidence, IPv6 /64s.
 */
#include "export/feed_log.h"
#include "source_day_case.h"

#include <stdlib.h>

enum { DAYS = 2, SOURCES4 = 300, GROUPS6 = 40, DAY_S = 86400, DATE = 20500 };

static const uint16_t sample_ports[] = {22, 23, 80, 443, 1900, 2323, 5060, 8080, 37215};
enum { PORTS = sizeof sample_ports / sizeof sample_ports[0] };

/* Rules for payloads of each sort, by their bytes: exploit, strict, shared, of another category, unknown. */
enum { PAYLOADS = 5 };
static const char *payloads[PAYLOADS];

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void payloads_find(const struct ruleset *rules)
{
    payloads[PAYLOADS - 1] = "rule-of-later";
    for (size_t i = rules->rule_count; i-- > 0;) {
        const struct rule *rule = &rules->rules[i];
        bool is_iot = strcmp(rule->category, "iot") == 0;
        if (rule->payload != NULL)
            payloads[!is_iot                           ? 0
                     : rule->breadth == BREADTH_shared ? 1
                                                       : 2 + !rule->is_exploit] = rule->id;
    }
    qsort(payloads, PAYLOADS, sizeof payloads[0], by_bytes);
}

/* Rows of a source: few ports, or all of them with many packets. */
static void rows_add(struct source_day *s, struct random_stream *r, bool is_busy)
{
    static const uint8_t kinds[] = {KIND_tcp_syn, KIND_tcp_data, KIND_udp};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned p = 0; p < PORTS; p++)
            if (case_random(r, is_busy ? 2 : 9) == 0)
                source_day_to(s, kinds[k], sample_ports[p], 1 + case_random(r, is_busy ? 20 : 8));
    source_day_kind(s, KIND_backscatter_tcp, case_random(r, 2));
    if (source_day_packets(s) == 0)
        source_day_to(s, KIND_tcp_syn, 23, 1);
    for (size_t i = 0; i < s->port_count; i++)
        if (s->ports[i].kind == KIND_tcp_syn && case_random(r, 40) == 0) {
            source_day_shows(s, EVIDENCE_bot, "mirai", KIND_tcp_syn, s->ports[i].port, 1);
            s->tools[TOOL_mirai]++;
        }
    for (unsigned rule = 0; rule < PAYLOADS; rule++)
        for (size_t i = 0; i < s->port_count; i++)
            if (s->ports[i].kind != KIND_tcp_syn && s->ports[i].packets > PAYLOADS &&
                case_random(r, 40) == 0)
                source_day_shows(s, EVIDENCE_payload, payloads[rule], s->ports[i].kind,
                                 s->ports[i].port, 1);
    s->tools[TOOL_zmap] = case_random(r, 3) == 0 ? 1 + case_random(r, source_day_packets(s)) : 0;
    s->notes[NOTE_assessable] = case_random(r, source_day_packets(s) + 1);
}

static struct source_day *source_make(struct random_stream *r, const char *address, int32_t date,
                                      bool is_busy)
{
    struct source_day *s = source_day_new(address);
    s->date = date;
    s->first_ns = ((int64_t)date * DAY_S + (int64_t)case_random(r, 40000)) * 1000000000;
    s->last_ns = s->first_ns + (int64_t)case_random(r, 40000) * 1000000000;
    rows_add(s, r, is_busy);
    if (case_random(r, 20) == 0)
        s->origin.acknowledged = case_random(r, 2) ? "Censys" : "Shodan";
    if (case_random(r, 20) == 0)
        s->origin.bogon = "240.0.0.0/4";
    if (case_random(r, 3) != 0)
        memcpy(s->origin.country, case_random(r, 2) ? "JP" : "US", 3);
    s->origin.asn = (uint32_t)case_random(r, 4);
    if (s->origin.asn != 0)
        s->origin.as_name = case_random(r, 2) ? "Réseau" : "Net";
    return s;
}

/* The sources of a date, in order; the same for one seed. */
static int sources_each(uint64_t seed, int32_t date, int (*take)(void *, const struct source_day *),
                        void *data)
{
    struct random_stream r;
    char address[40];
    int err = 0;
    random_init(&r, seed + (uint64_t)date);
    for (unsigned i = 0; i < SOURCES4 && err == 0; i++) {
        snprintf(address, sizeof address, "198.51.%u.%u", i / 200, i % 200);
        err = take(data, source_make(&r, address, date, case_random(&r, 6) == 0));
    }
    for (unsigned group = 0; group < GROUPS6; group++)
        for (unsigned i = 0; i < 1 + group % 4 && err == 0; i++) {
            snprintf(address, sizeof address, "20010db80000%04x%016x", group, i);
            err = take(data, source_make(&r, address, date, group % 3 == 0));
        }
    return err;
}

struct target {
    struct day_facts *facts;
    struct feed_log *log;
    struct day *day;
    struct fault fault;
};

static int facts_take(void *data, const struct source_day *s)
{
    struct target *t = data;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        t->facts->kinds[kind].packets += s->kinds[kind].packets;
        t->facts->kinds[kind].bytes += s->kinds[kind].bytes;
        t->facts->ledger.observed += s->kinds[kind].packets;
    }
    return 0;
}

static int day_take(void *data, const struct source_day *s)
{
    struct target *t = data;
    int err = feed_log_append_source_day(t->log, s, &t->fault);
    return err != 0 ? err : day_add(t->day, s, &t->fault);
}

static int facts_make(struct day_facts *f, int32_t date, struct fault *fault)
{
    const int64_t start = (int64_t)date * DAY_S * 1000000000, hour = INT64_C(3600) * 1000000000;
    struct day_telescope *t;
    int err = day_facts_init(f, date, start, start + 24 * hour, "UTC");
    if (err == 0)
        err = day_facts_add_telescope(f, "east", true, 16, &t, fault);
    if (err == 0)
        day_telescope_observe(t, f, start, start + 24 * hour);
    if (err == 0)
        err = day_facts_add_telescope(f, "west", true, 32, &t, fault);
    if (err != 0)
        return err;
    day_telescope_observe(t, f, start, start + 20 * hour);
    day_telescope_observe(t, f, start + 21 * hour, start + 22 * hour + 1);
    f->kinds[KIND_non_ip] = (struct count){3, 180};
    f->ledger.observed = 3;
    f->ledger.ring_full = 2;
    return 0;
}

static int day_write(struct target *t, const struct day_settings *settings, uint64_t seed,
                     int32_t date)
{
    struct day_facts facts;
    const struct day_result *r;
    int err = facts_make(&facts, date, &t->fault);
    t->facts = &facts;
    if (err == 0)
        err = sources_each(seed, date, facts_take, t);
    facts.ledger.offered = facts.ledger.observed + facts.ledger.ring_full;
    if (err == 0)
        err = feed_log_day_begin(t->log, &facts, settings, &t->fault);
    if (err == 0)
        err = day_begin(t->day, &facts, &t->fault);
    if (err == 0)
        err = sources_each(seed, date, day_take, t);
    if (err == 0)
        err = day_end(t->day, &r, &t->fault);
    if (err == 0)
        err = feed_log_append_day(t->log, r, &t->fault);
    day_facts_fini(&facts);
    return err;
}

int main(int argc, char **argv)
{
    const struct survey_settings survey = {10, 50, 2500, 12, 60}; /* 48 addresses: 120 packets */
    struct ruleset *rules;
    struct target t = {0};
    if (argc != 3 || ruleset_create(&rules, NULL, &t.fault) != 0)
        return 2;
    payloads_find(rules);
    const struct feed_identity identity = {.sensor = "sample",
                                           .timezone = "UTC",
                                           .window_span_ns = INT64_C(60000000000),
                                           .rules = rules,
                                           .program = "test",
                                           .survey = &survey,
                                           .has_sources = true};
    const struct day_settings settings = {.rules = rules,
                                          .survey = survey,
                                          .complete_coverage_milli = DAY_COMPLETE_COVERAGE,
                                          .complete_loss_milli = DAY_COMPLETE_LOSS};
    int err = feed_log_create(&t.log, argv[1], &identity, &t.fault);
    t.day = day_create(&settings);
    for (int32_t i = 0; i < DAYS && err == 0; i++)
        err = day_write(&t, &settings, strtoull(argv[2], NULL, 10), DATE + i);
    if (err == 0)
        err = feed_log_finish(t.log, &t.fault);
    if (err != 0)
        fprintf(stderr, "%s\n", t.fault.text);
    day_destroy(t.day);
    ruleset_destroy(rules);
    return err != 0;
}
