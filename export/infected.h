/* infected: the hosts of one day that are infected, or suspected to be, told from its source days.
 *
 *   infected_create -> infected_begin -> infected_add (in their order) -> infected_end -> its list -> infected_destroy
 *
 *   confirmed   packets with the Mirai feature: at least 3, to at least 2 addresses (REFERENCE.md 3.1: a chance hit is one packet in 2^32);
 *               or an exploit's payload over TCP (struct rule: is_exploit), which needs a handshake or aims at a known hole
 *   suspected   at least 10 addresses of the telescope over TCP, all of its scan packets to ports of strict iot rules, no scanner's tool, and
 *               none of its ports unlisted. What such a scanner is, is not proven
 *
 * Never listed as acknowledged, never a survey scanner of the day, never a bogon; never on UDP alone: its source may be spoofed. Counts of
 * addresses are the low ones of struct source_reach, so what is listed is certain; how many hosts might be beside them is counted
 * (undecided), and how many sources say nothing of addresses (uncounted: they are of an older feed).
 *
 * An address is not a device: behind one may be many (carrier NAT), and one device has several in a day (dynamic addresses).
 *
 * Memory: 160 bytes per listed host (of payload 290), INFECTED_MAX of them; 17 MB more where the day has IPv6 sources. One thread. No clock.
 */
#ifndef EXPORT_INFECTED_H
#define EXPORT_INFECTED_H

#include "classify/arena.h"
#include "classify/ruleset.h"
#include "export/day.h"
#include "export/event.h"
#include "export/source_day.h"

enum { INFECTED_MAX = 4 << 20 };

enum infected_reason { INFECTED_MIRAI, INFECTED_PAYLOAD, INFECTED_PORTS, INFECTED_REASONS };
enum infected_change { INFECTED_UNKNOWN, INFECTED_NEW, INFECTED_CONTINUING, INFECTED_GONE };

/* Packets over TCP of one exploit. */
struct infected_rule {
    const char *id;
    uint64_t packets;
};

struct infected_host {
    uint8_t address[16], ip_version;
    uint8_t reason; /* enum infected_reason; PORTS: suspected */
    uint8_t
        change; /* enum infected_change, against the day before; unknown where that is not there */
    uint8_t proto; /* of the last evidence packet: enum source_day_proto */
    uint16_t src_port, dst_port;
    struct source_reach reach; /* over TCP */
    int64_t first_ns, last_ns; /* of all its packets of the day */
    int64_t evidence_ns;     /* of the last evidence packet; of suspected: the last one over TCP */
    bool attacks;            /* of suspected: it can't be a survey scanner */
    bool has_evidence;       /* false: it is not known (an older feed) */
    uint64_t packets, bytes; /* of scan kinds over TCP */
    uint64_t
        evidence; /* with the Mirai feature, or of exploits over TCP; of suspected: as packets */
    /* payload: its exploits, at most EVENT_EVIDENCE: first the one with the most packets to the port of the last evidence packet, so the one that
     * this packet shows where it alone goes there; then most packets first, then by id. Else none. */
    const struct infected_rule *rules;
    unsigned rule_count;
    char country[3];
    uint32_t asn;
    const char *as_name; /* "" unknown */
};

struct infected_list {
    int32_t date;
    struct infected_host *hosts; /* by IP version, address */
    size_t count, confirmed;
    uint64_t sources;             /* of the day */
    uint64_t undecided;           /* would be listed if the high counts of addresses were true */
    uint64_t uncounted;           /* might be listed, but their addresses were not counted */
    bool has_survey;              /* the telescope's size is known: survey scanners could be told */
    struct day_given_up given_up; /* as the date's facts have it: packets */
    uint64_t damaged; /* places in the date's source days, or its facts, that could not be read */
};

/* Why the list may not be all there was. */
enum infected_lack {
    INFECTED_UNDECIDED, /* hosts may be missing; of a merged day */
    INFECTED_UNCOUNTED, /* likewise; of an older feed */
    INFECTED_GIVEN_UP,  /* likewise; for memory */
    INFECTED_DAMAGED,   /* likewise, and of one that is suspected rows of other ports may be lost */
    INFECTED_LACKS
};

/* "undecided", "uncounted", "given_up", "damaged". */
const char *infected_lack_name(enum infected_lack lack);

/* Whether a list lacks something for this reason. */
bool infected_lacks(const struct infected_list *list, enum infected_lack lack);
bool infected_list_is_exact(const struct infected_list *list);

static inline bool infected_is_confirmed(const struct infected_host *h)
{
    return h->reason != INFECTED_PORTS;
}

/* Whether the count of addresses is exact; else there were so many or more. From SOURCE_REACH_MAX on it never is. */
static inline bool infected_is_exact(const struct infected_host *h)
{
    return h->reach.low == h->reach.high && h->reach.low > 0 && h->reach.low < SOURCE_REACH_MAX;
}

/* "mirai", "payload", "ports"; "new", "continuing", "gone", "". */
const char *infected_reason_name(enum infected_reason reason);
const char *infected_change_name(enum infected_change change);

struct infected;

/* `rules` says what an exploit and a strict port is; outlives it. -ENOMEM. */
int infected_create(struct infected **out, const struct ruleset *rules);
void infected_destroy(struct infected *i); /* accepts NULL */

/* A date, and when a source of it is a survey scanner (day.h): `has_ex` and `ipv4` as day_facts_ipv4. Forgets the one before. -ENOMEM. */
int infected_begin(struct infected *i, int32_t date, const struct survey_settings *survey,
                   bool has_ex, uint64_t ipv4);

/* What the date's facts say is lost, and in how many places they or its source days are damaged: behind infected_begin, before infected_end. */
void infected_lost(struct infected *i, const struct day_given_up *given_up, uint64_t damaged);

/* A source day of that date, in the order of source_day_order; nothing of it is pointed to afterwards. -ENOMEM; -E2BIG: more than INFECTED_MAX
 * hosts; -EINVAL: out of order. */
int infected_add(struct infected *i, const struct source_day *s, struct fault *fault);

/* The list, owned by `i`, valid until its next date or its end. -ENOMEM. */
int infected_end(struct infected *i, const struct infected_list **out, struct fault *fault);

/* Fills `change` of a list that infected_end gave against the list of the day before, and makes *gone: indexes of the hosts of `before` that are no
 * longer there, so many; the caller frees it. -ENOMEM. */
int infected_compare(struct infected_list *list, const struct infected_list *before, size_t **gone,
                     size_t *gone_count);

/* The event of a host, told at the day's end `time_ns`; its id is the caller's to make (event_identify). */
void infected_event(struct event *e, const struct infected_host *h, int32_t date, int64_t time_ns);

#endif
