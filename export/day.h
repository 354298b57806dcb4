/* day: the final result of one calendar day, computed from its source days and facts.
 *
 *   day_create -> for each date: day_begin, day_add (sources in their order), day_end -> day_result
 *
 * One thread. Memory is bounded whatever the number of sources (about 16 MB; a table of AS that
 * grows to DAY_AS_MAX rows beside it). Time is the records'. The same source days, facts, settings and rules give the same
 * result, byte for byte.
 *
 * What is taken out of `_ex_survey`, decided once per source and day; of several the first:
 *   bogon          the source can't be real
 *   acknowledged   listed as a research scanner
 *   survey         source_day_targets >= min_ports, and source_day_survey_packets >= max(min_packets,
 *                  packets_per_address * IPv4 addresses of the telescopes). IPv6: by /64, all its sources
 *                  together (taken out otherwise or not), with settings of its own and no size.
 * A source with evidence `bot`, or with payload evidence of a rule that is an exploit (struct rule), is
 * never taken out; where one of the three holds it is counted as survey_conflict, and not in that class. Its companions in a /64
 * go. Where the size of a telescope is unknown, all that is ex_survey is absent, with that reason; so are
 * survey and survey_conflict, while bogon and acknowledged sources are counted.
 *
 * Category of a scan packet (the pie; exactly one): payload evidence of a strict iot rule: iot; of another category's rule:
 * that category; else by its port: strict iot rule: iot; a service rule: its category; shared iot rule: iot; payload
 * evidence of a shared iot rule on a port without any rule: iot; else "other". Payload evidence of a
 * rule that the rule set does not know: "unknown". Packets without a known port: "unlisted".
 *
 * Numerators (overlapping), as classify/classify.h has them, from the rows:
 *   iot_strict     payload evidence of a strict iot rule; without payload evidence or with that of a shared
 *                  iot rule: the port has a strict iot rule
 *   iot_broad      iot_strict; payload evidence of a shared iot rule; without payload evidence: the
 *                  port has a shared iot rule
 *   iot_payload    payload evidence of a strict iot rule
 *   iot_bot        evidence bot, on a port of iot_broad
 *   iot_confirmed  iot_payload or iot_bot
 * A packet stands under its one strongest rule, so that one with payload evidence is none of iot_bot here.
 */
#ifndef EXPORT_DAY_H
#define EXPORT_DAY_H

#include "classify/ruleset.h"
#include "export/day_facts.h"
#include "export/share.h"
#include "export/source_day.h"

/* When a source is a survey scanner. The thresholds of NICTER are not published; these are
 * ours (REFERENCE 1.4 says what is known). */
struct survey_settings {
    uint32_t min_ports;                 /* 30; distinct (protocol, port) */
    uint64_t min_packets;               /* 1000 */
    uint32_t packets_per_address_milli; /* 1000: 1.0 packets per IPv4 address of the telescope */
    uint32_t min_ports6;                /* 30; of a /64 */
    uint64_t min_packets6;              /* 1000 */
};
extern const struct survey_settings survey_defaults;

/* The packets of tcp_syn and udp from which on an IPv4 source of telescopes with so many addresses is one:
 * max(min_packets, packets_per_address * addresses), the latter up to the next whole packet. */
uint64_t day_survey_min_packets(const struct survey_settings *s, uint64_t ipv4);

bool survey_settings_equal(const struct survey_settings *a, const struct survey_settings *b);

struct day_settings {
    const struct ruleset *rules; /* outlives the day */
    struct survey_settings survey;
    uint32_t complete_coverage_milli; /* 99500: percent * 1000 of the day that must be observed */
    uint32_t complete_loss_milli; /* 100: percent * 1000 of the offered packets that may be lost */
    /* Payload evidence of these ids means what they say, whatever `rules` has: a Day that is computed again under
     * other rules. id, category, breadth and is_exploit are read; they outlive the day. None: NULL, 0. */
    const struct rule *labelled;
    size_t labelled_count;
};
enum { DAY_COMPLETE_COVERAGE = 99500, DAY_COMPLETE_LOSS = 100 };

/* Packets and distinct sources, whole and without what is taken out. sources64: an IPv4 address or an
 * IPv6 /64 each. */
struct day_count {
    uint64_t packets, packets_ex, sources, sources_ex, sources64, sources64_ex;
};

struct day_kind {
    struct day_count count; /* packets also of those without a source */
    uint64_t bytes;
};

/* A slice of the pie by packets; by sources a bar: those with such a packet. */
struct day_category {
    const char *name;
    struct day_count count; /* of scan kinds */
};

/* Scan packets that a rule holds for, by the evidence. port: packets without payload evidence whose port has the
 * rule. bot: `id` is a tool; says who sends, and overlaps with the others. */
enum day_iot { DAY_IOT_none, DAY_IOT_strict, DAY_IOT_shared };

struct day_rule {
    const char *id, *category; /* category "unknown": the rule set does not know it; bot: "" */
    uint8_t evidence;
    uint8_t iot;     /* enum day_iot: the rule's breadth */
    bool is_exploit; /* of payload: struct rule */
    struct day_count count;
};

struct day_port {
    uint8_t proto; /* PORT_PROTO_* */
    uint16_t port;
    const char *category;   /* by its port alone; "other": no rule */
    uint8_t iot;            /* enum day_iot: breadth of the port's iot rule */
    struct day_count count; /* of scan kinds */
};

struct day_tool {
    struct day_count matched; /* packets that match, whatever their kind */
    struct day_count used;    /* of them, those of sources that use the tool (source_day_uses) */
};

/* Of a country or an AS. */
struct day_place {
    char country[3];  /* of a country; "" unknown */
    uint32_t asn;     /* of an AS; 0 unknown */
    const char *name; /* of an AS; of several the bytewise greatest; "" */
    struct day_count total, scan, iot_strict, iot_broad, iot_bot;
};

/* A class of sources, or one organisation or block in it. All packets, and those of scan kinds. */
struct day_class {
    const char *name;
    uint64_t packets, scan_packets;
    uint64_t sources, scan_sources; /* scan: with a scan packet */
    uint64_t sources64;
};

/* How much of the day a telescope was watched. */
struct day_watch {
    const char *id;
    bool is_configured;
    uint64_t ipv4, seconds;
};

struct day_result {
    const struct day_facts *facts;
    struct day_settings settings; /* settings.rules: NULL where it was read from a feed */
    struct day_basis rules;       /* the rule set that the result was computed under */
    bool is_mixed;    /* packets were labelled under several rule sets, or others than `rules` */
    bool is_exact;    /* nothing was given up or lost (facts->given_up) */
    bool is_complete; /* coverage and loss are within the settings */
    const char *ex_absent; /* why there is no ex_survey; "": there is one. Else its numbers are 0 */

    struct day_kind kinds[KIND_COUNT];
    struct day_count marks[SHARE_MARK_COUNT]; /* total, scan, iot_strict, ... */
    struct day_count notes[NOTE_COUNT]; /* likely_spoofed, amplification_request, assessable */
    struct day_tool tools[TOOL_COUNT];
    struct day_category *categories; /* with packets; by name */
    size_t category_count;
    struct day_rule *rules_by_evidence; /* with packets; by id, evidence */
    size_t rule_count;
    struct day_port *ports; /* with packets; by protocol, port */
    size_t port_count;
    struct day_place *countries; /* by country; where none is known one row "" */
    size_t country_count;
    struct day_place *ases; /* by number */
    size_t as_count;

    struct day_class survey, conflict, acknowledged, bogon; /* the three classes are disjoint */
    struct day_class *organisations, *blocks;               /* of the last two; by name */
    size_t organisation_count, block_count;

    struct day_watch *watches; /* by id */
    size_t watch_count;
    uint64_t seconds; /* of the day */
    /* Packets of IPv4 sources but those of kind outside, for packets per address; only where the
     * size is known: address_seconds = sum of ipv4 * seconds over the telescopes. */
    uint64_t ip4_packets, ip4_packets_ex;
    uint64_t ipv4, address_seconds; /* observed, as day_telescope_seconds() has it */
    uint32_t
        coverage_milli; /* percent * 1000, rounded down: by address-seconds; where a size is unknown
                                or 0 that of the telescope watched least; 0 without any */
    uint64_t offered, lost; /* of the ledger, without what a filter took out */
    struct arena arena;     /* of rows and texts */
};

enum {
    DAY_AS_MAX = 1 << 20,    /* AS of one day */
    DAY_NAMES_MAX = 1 << 14, /* rule ids that the rule set does not know; organisations; blocks */
};

struct day;

/* NULL with errno. */
struct day *day_create(const struct day_settings *settings);
void day_destroy(struct day *d); /* accepts NULL */

/* Begins a date. `facts` stays the caller's and must outlive the result. A result given before is no longer
 * valid. -ENOMEM. */
int day_begin(struct day *d, const struct day_facts *facts, struct fault *fault);

/* Counts a source of that date. `s` must hold (source_day_holds). -EINVAL and a fault: another date, or out
 * of order; -E2BIG: more AS or names than the maxima; -ENOMEM. After a failure only day_begin and
 * day_destroy are useful. */
int day_add(struct day *d, const struct source_day *s, struct fault *fault);

/* Asks for the memory of what day_add() will touch for a source's ports; some sources ahead it costs least. No other effect. */
void day_ahead(const struct day *d, const struct source_day *s);

/* The result, owned by `d`, valid until its next day_begin or its end. -EINVAL and a fault where source days
 * hold more packets of a kind than the facts; -ENOMEM. */
int day_end(struct day *d, const struct day_result **out, struct fault *fault);

/* Frees what record_unpack_day made; accepts NULL. */
void day_result_destroy(struct day_result *r);

/* A share by packets or by sources; 0 / 0 where it is absent. */
struct share day_share(const struct day_result *r, enum mark numerator, enum share_over denominator,
                       bool by_sources);

/* Why a share over this denominator is absent; "": it is there. */
const char *day_share_absent(const struct day_result *r, enum share_over denominator);

/* Packets per IPv4 address and day: plain (packets / addresses), or by address-seconds, extrapolated to the full day (a
 * telescope watched half the day counts twice as much). Negative: absent. */
double day_packets_per_address(const struct day_result *r, bool by_seconds, bool ex_survey);

#endif
