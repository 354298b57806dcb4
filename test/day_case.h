/* day_case: a day made by hand, whose answers were computed by hand (test_day.c), and what it needs.
 *
 * Included once by each test that needs it, behind source_day_case.h.
 */
#ifndef TEST_DAY_CASE_H
#define TEST_DAY_CASE_H

#include "export/day.h"
#include "source_day_case.h"

#include <stdlib.h>
#include <string.h>

/* tcp/23 strict; tcp/80 shared and web; tcp/22 ssh; udp/1900 shared; payload rules without ports. */
static struct ruleset *day_case_rules(void)
{
    static struct rule rules[] = {
        {.id = "iot-telnet", .category = "iot", .breadth = BREADTH_strict, .references = ""},
        {.id = "iot-web", .category = "iot", .breadth = BREADTH_shared, .references = ""},
        {.id = "iot-ssdp", .category = "iot", .breadth = BREADTH_shared, .references = ""},
        {.id = "ssh", .category = "ssh", .references = ""},
        {.id = "web", .category = "web", .references = ""},
        {.id = "iot-exploit",
         .category = "iot",
         .breadth = BREADTH_strict,
         .references = "CVE-2017-17215",
         .is_exploit = true},
        {.id = "iot-sip", .category = "iot", .breadth = BREADTH_shared, .references = ""},
        {.id = "log4shell", .category = "web", .references = ""},
    };
    const uint32_t strict = 1u << MARK_iot_strict, broad = 1u << MARK_iot_broad;
    struct ruleset *set = calloc(1, sizeof *set);
    if (set == NULL)
        abort();
    set->rules = rules;
    set->rule_count = sizeof rules / sizeof rules[0];
    set->classes[0] = (struct port_class){{RULE_NONE, RULE_NONE}, 0};
    set->classes[1] = (struct port_class){{0, RULE_NONE}, strict | broad};
    set->classes[2] = (struct port_class){{1, 4}, broad};
    set->classes[3] = (struct port_class){{RULE_NONE, 3}, 0};
    set->classes[4] = (struct port_class){{2, RULE_NONE}, broad};
    set->port_class[PORT_PROTO_TCP][23] = 1;
    set->port_class[PORT_PROTO_TCP][80] = 2;
    set->port_class[PORT_PROTO_TCP][22] = 3;
    set->port_class[PORT_PROTO_UDP][1900] = 4;
    strcpy(set->name, "hand");
    strcpy(set->version, "1");
    strcpy(set->sha256, "00");
    return set;
}

static const struct survey_settings day_case_survey = {
    .min_ports = 3,
    .min_packets = 10,
    .packets_per_address_milli = 500, /* of 40 addresses: 20 packets */
    .min_ports6 = 3,
    .min_packets6 = 12,
};

enum { DAY_CASE_DATE = 20000, DAY_CASE_SOURCES = 14 };
static const int64_t day_case_start = INT64_C(20000) * 86400 * 1000000000;

/* The day's sources, in order. */
static void day_case_make(struct source_day *s[DAY_CASE_SOURCES])
{
    static const char *const addresses[DAY_CASE_SOURCES] = {"1.0.0.1",
                                                            "1.0.0.2",
                                                            "1.0.0.3",
                                                            "1.0.0.4",
                                                            "1.0.0.5",
                                                            "1.0.0.6",
                                                            "10.0.0.1",
                                                            "10.0.0.2",
                                                            "20010db8000000010000000000000001",
                                                            "20010db8000000010000000000000002",
                                                            "20010db8000000010000000000000003",
                                                            "20010db8000000010000000000000004",
                                                            "20010db8000000020000000000000001",
                                                            "20010db8000000020000000000000002"};
    for (unsigned i = 0; i < DAY_CASE_SOURCES; i++) {
        s[i] = source_day_new(addresses[i]);
        s[i]->date = DAY_CASE_DATE;
        s[i]->first_ns = day_case_start + i;
        s[i]->last_ns = day_case_start + 1000 + i;
    }
    source_day_to(s[0], KIND_tcp_syn, 23, 5); /* ordinary */
    source_day_kind(s[0], KIND_backscatter_tcp, 2);
    s[0]->origin = (struct source_day_origin){.country = "JP", .asn = 2, .as_name = "two"};
    source_day_to(s[1], KIND_tcp_syn, 22, 8); /* survey: 3 targets, 20 packets */
    source_day_to(s[1], KIND_tcp_syn, 80, 8);
    source_day_to(s[1], KIND_udp, 53, 4);
    source_day_to(s[2], KIND_tcp_syn, 22, 8); /* one packet too few */
    source_day_to(s[2], KIND_tcp_syn, 80, 8);
    source_day_to(s[2], KIND_udp, 53, 3);
    source_day_to(s[3], KIND_tcp_syn, 22, 20); /* two targets, and one of tcp_data */
    source_day_to(s[3], KIND_tcp_syn, 80, 20);
    source_day_to(s[3], KIND_tcp_data, 8080, 1);
    source_day_to(s[4], KIND_tcp_syn, 22, 10); /* would be survey, but is a bot */
    source_day_to(s[4], KIND_tcp_syn, 23, 10);
    source_day_to(s[4], KIND_tcp_syn, 80, 10);
    source_day_shows(s[4], EVIDENCE_bot, "mirai", KIND_tcp_syn, 23, 10);
    s[4]->tools[TOOL_mirai] = 10;
    s[4]->notes[NOTE_assessable] = 10;
    source_day_to(s[5], KIND_tcp_syn, 443, 3);
    s[5]->origin.acknowledged = "Censys";
    source_day_to(s[6], KIND_udp, 1900, 2);
    s[6]->origin.bogon = "10.0.0.0/8";
    source_day_to(s[7], KIND_tcp_data, 37215, 2); /* bogon, but attacks */
    source_day_shows(s[7], EVIDENCE_payload, "iot-exploit", KIND_tcp_data, 37215, 2);
    s[7]->origin.bogon = "10.0.0.0/8";
    source_day_to(s[8], KIND_tcp_syn, 22, 4); /* a /64 that is survey as a whole */
    source_day_to(s[9], KIND_tcp_syn, 80, 4);
    source_day_to(s[10], KIND_udp, 53, 4);
    source_day_to(s[11], KIND_tcp_data, 80, 1); /* but for one that attacks */
    source_day_shows(s[11], EVIDENCE_payload, "iot-exploit", KIND_tcp_data, 80, 1);
    source_day_to(s[12], KIND_tcp_syn, 22, 4);
    source_day_to(s[13], KIND_tcp_syn, 22, 4);
}

/* Adds what a source's packets are to the facts. */
static void day_case_count(struct day_facts *f, const struct source_day *s)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        f->kinds[kind].packets += s->kinds[kind].packets;
        f->kinds[kind].bytes += s->kinds[kind].bytes;
        f->ledger.observed += s->kinds[kind].packets;
        f->ledger.offered += s->kinds[kind].packets;
    }
}

/* Facts of a day of UTC, observed throughout; of its packets one malformed one without a source. */
static void day_case_facts(struct day_facts *f, bool is_configured)
{
    const int64_t end = day_case_start + INT64_C(86400) * 1000000000;
    struct day_telescope *t;
    if (day_facts_init(f, DAY_CASE_DATE, day_case_start, end, "UTC") != 0 ||
        day_facts_add_telescope(f, "a", is_configured, 40, &t, NULL) != 0 ||
        day_facts_add_basis(f, DAY_RULES, "hand", "1", "00") != 0 ||
        day_facts_add_basis(f, DAY_LISTS, "list", "2026-01-01", "ab") != 0 ||
        day_facts_add_sensor(f, "s1") != 0)
        abort();
    day_telescope_observe(t, f, day_case_start, end);
    f->kinds[KIND_malformed] = (struct count){1, 60};
    f->ledger.offered = f->ledger.observed = 1;
}

static struct day_settings day_case_settings(const struct ruleset *rules)
{
    return (struct day_settings){.rules = rules,
                                 .survey = day_case_survey,
                                 .complete_coverage_milli = DAY_COMPLETE_COVERAGE,
                                 .complete_loss_milli = DAY_COMPLETE_LOSS};
}

#endif
