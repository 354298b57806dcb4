/* synth_day: what the days of a cast must come out as, by address and by the rule that takes sources out.
 *
 * Counted from the generator's intents (capture_cast.h), never from packets; only which ports aim at IoT is
 * looked up, in the rule set in force. A day is in the caller's days, a packet in that of its timestamp,
 * however late it comes. What is counted (issue, DESIGN.md, section 3):
 *   survey       at least 30 (protocol, port) over tcp_syn and udp, and as many packets of these kinds as the rule
 *                asks (synth_cast.h); IPv6: of a whole /64
 *   acknowledged in a prefix of the cast's list
 *   bogon        in a block of IANA's registries
 *   conflict     one of these three, but sent Mirai's SYN or an exploit that day; stays in
 * Each source has one role at most: conflict, bogon, acknowledged, survey, the first that holds.
 * `_ex` counts are without sources that are one of the three and no conflict. Memory: some 200 bytes per source
 * of two days, 12 to 32 per source and port. One thread.
 */
#ifndef CORE_SYNTH_DAY_H
#define CORE_SYNTH_DAY_H

#include "capture/capture_cast.h"
#include "classify/ruleset.h"

#include <stdio.h>

/* Denominators, then numerators, each of which lies in scan. */
#define SYNTH_DAY_SETS(X) \
    X(total) X(scan) X(iot_strict) X(iot_broad) X(iot_payload) X(iot_bot) X(iot_confirmed)
#define SYNTH_DAY_SET_(name) DAY_##name,
enum synth_day_set { SYNTH_DAY_SETS(SYNTH_DAY_SET_) DAY_SETS };
enum { DAY_DENOMINATORS = DAY_iot_strict };

/* Why a source is listed; one at most. */
enum synth_day_role {
    ROLE_survey = 1 << 0,
    ROLE_acknowledged = 1 << 1,
    ROLE_bogon = 1 << 2,
    ROLE_conflict = 1 << 3,
};
enum { DAY_ROLES = 4 };

/* One source on one day; an entry with IP version 64 is a /64 as a whole. */
struct synth_day_source {
    uint8_t address[16];
    uint8_t ip_version, origin, role;
    bool has_evidence;
    uint8_t kept; /* of a /64: sets (1 << set) of its sources that stay in */
    uint16_t group;
    uint32_t subnet;  /* IPv6: index of the entry of its /64 */
    uint32_t ports;   /* (protocol, port) over tcp_syn and udp */
    uint64_t syn_udp; /* packets of these kinds */
    uint64_t packets[DAY_SETS];
};

struct synth_day_count {
    uint64_t packets, packets_ex, sources, sources_ex;
    uint64_t sources64, sources64_ex; /* an IPv4 address or an IPv6 /64 each; of one day */
};

struct synth_day_port {
    uint8_t kind; /* tcp_syn, tcp_data, udp */
    uint16_t port;
    uint64_t packets, packets_ex, sources, sources_ex;
};

struct synth_day_result {
    uint64_t packets, bytes, late, amplification;
    uint64_t ip4; /* packets of IPv4 sources */
    uint64_t kinds[KIND_COUNT], tools[TOOL_COUNT], group_packets[SYNTH_GROUPS_MAX];
    struct synth_day_count sets[DAY_SETS];
    struct {
        uint64_t packets, sources;
    } roles[DAY_ROLES];               /* by bit; survey, acknowledged, bogon: without conflicts */
    uint64_t subnets, survey_subnets; /* IPv6 /64 */
    struct synth_day_source
        *sources; /* by IP version, address; those with a role where not detailed */
    size_t source_count;
    struct synth_day_port *ports; /* by kind, port */
    size_t port_count;
};

struct synth_day_settings {
    const struct ruleset *rules;   /* must outlive the answers */
    const struct synth_cast *cast; /* likewise */
    size_t days;
    bool is_detailed; /* all sources and ports of each day, not of all days together alone */
};

struct synth_days;

int synth_days_create(struct synth_days **out, const struct synth_day_settings *settings,
                      struct fault *fault);
void synth_days_destroy(struct synth_days *a); /* accepts NULL */

/* Counts packets; a day is over when one of the day after next comes. -ENOMEM with a fault. */
int synth_days_add(struct synth_days *a, const struct cast_intent *intents, size_t count,
                   struct fault *fault);

/* The last days are over, too. -ENOMEM with a fault. */
int synth_days_end(struct synth_days *a, struct fault *fault);

/* After the end. All days together: sources are distinct over them; `_ex` are those that on some day were not
 * taken out; no list of sources, ports without sources. */
const struct synth_day_result *synth_days_of(const struct synth_days *a, size_t day);
const struct synth_day_result *synth_days_total(const struct synth_days *a);

/* What the answers say of the capture itself. */
struct synth_days_facts {
    const struct capture_cast_settings *traffic;
    const struct synth_cast *cast;
    const struct ruleset *rules;
    const char *timezone;
    int32_t date;       /* of the first day, since 1970-01-01 */
    uint64_t addresses; /* IPv4 addresses of the telescope */
};

/* One JSON object, README says what is in it. After the end. */
void synth_days_print(const struct synth_days *a, const struct synth_days_facts *facts, FILE *out);

#endif
