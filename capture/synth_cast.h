/* synth_cast: who sends what, every day the same, so that each day's answer is known beforehand.
 *
 * A cast is groups of sources and their acts. An act says how many packets the group's sources
 * send together in the whole period, in what form, to which ports, at what time of the day; the
 * period's packets are spread over its days, a day's over the sources in turn, as evenly as integers
 * allow. So a source's packets and ports of a day are exact, whatever the seed; the seed chooses
 * addresses and what is in the packets. One thread.
 */
#ifndef CAPTURE_SYNTH_CAST_H
#define CAPTURE_SYNTH_CAST_H

#include "capture/synth_address.h"
#include "capture/synth_mix.h"

enum synth_pool {
    POOL_PUBLIC,            /* addresses that may be anybody's */
    POOL_ACKNOWLEDGED,      /* in the prefixes of the cast's list */
    POOL_ACKNOWLEDGED_NONE, /* likewise, in one that is nobody's (RFC 5737) */
    POOL_BOGON,             /* in blocks that IANA registers as not globally reachable */
    POOL_RANDOM,            /* each packet another public address: no sources of their own */
    POOL_RANDOM_0,          /* likewise, and its last octet 0 */
    POOL_RANDOM_255,
    POOL_PUBLIC6, /* each in a /64 of its own */
    POOL_ACKNOWLEDGED6,
    POOL_BOGON6,
    POOL_SUBNET6,    /* all in one /64 */
    POOL_COMPANION6, /* in the /64 of the group before */
};

enum synth_when {
    WHEN_ALL_DAY,
    WHEN_FIRST_SECOND,  /* from the day's first nanosecond to its first second's last */
    WHEN_LAST_SECOND,   /* likewise, to the day's last nanosecond */
    WHEN_LATE,          /* all day, delivered SYNTH_LATE_NS late */
    WHEN_LATE_MIDNIGHT, /* 10 to 5 minutes before midnight, delivered when it is past */
};

static const int64_t SYNTH_LATE_NS = INT64_C(600) * 1000000000;

/* Origins as a list or a registry has them; set. */
enum synth_origin { SYNTH_ACKNOWLEDGED = 1 << 0, SYNTH_BOGON = 1 << 1 };

/* Ports by slot: the list's, or first, first + step, ... */
struct synth_port_range {
    const uint16_t *list; /* static; NULL: first and step */
    uint16_t first, step;
    uint32_t count; /* at least 1; sources go through them in turn */
};

struct synth_group {
    const char *name;      /* static */
    uint32_t first, count; /* its sources: indexes into sources; none in a POOL_RANDOM* */
    uint8_t pool;
    uint8_t origin; /* set of enum synth_origin */
    uint8_t ip_version;
};

struct synth_act {
    struct synth_program program; /* form and IP version */
    uint8_t when;
    uint16_t group;
    uint64_t packets; /* of all sources in the whole period */
    struct synth_port_range ports;
};

/* A prefix of the list of acknowledged scanners. */
struct synth_listed {
    uint8_t address[16], bits, ip_version;
};

enum { SYNTH_GROUPS_MAX = 64, SYNTH_ACTS_MAX = 96, SYNTH_LISTED_MAX = 8 };

struct synth_cast {
    struct synth_address *address; /* whose telescope and seed count; outlives the cast */
    struct synth_group groups[SYNTH_GROUPS_MAX];
    struct synth_act acts[SYNTH_ACTS_MAX];
    struct synth_listed listed[SYNTH_LISTED_MAX]; /* acknowledged */
    size_t group_count, act_count, listed_count;
    uint8_t (*sources)[16];
    uint32_t source_count;
    uint64_t period_days;
    uint32_t public_next;   /* numbers of synth_address_source not given away yet */
    uint32_t bogon_next[2]; /* IPv4, IPv6: likewise, of bogons */
};

/* `address` is initialised, and changed: one first octet is kept for the list. -ENOMEM or 0; finish in any
 * case. */
int synth_cast_init(struct synth_cast *cast, struct synth_address *address, uint64_t period_days);
void synth_cast_fini(struct synth_cast *cast);

/* Adds a group, without acts yet. Its number; -ENOMEM; -ENOENT: of IPv6, and the telescope has none. */
int synth_cast_group(struct synth_cast *cast, const char *name, enum synth_pool pool,
                     uint32_t count);

/* Adds an act of `group`: `packets` in the whole period. */
void synth_cast_act(struct synth_cast *cast, int group, enum synth_form form, enum synth_when when,
                    uint64_t packets, const struct synth_port_range *ports);

/* Packets of an act on the period's n-th day, from 0. */
uint64_t synth_cast_packets(const struct synth_cast *cast, const struct synth_act *act, uint64_t n);

/* Draws an address for a group of POOL_RANDOM*; last octets 0 and 255 in their own pools alone. */
void synth_cast_draw(const struct synth_cast *cast, enum synth_pool pool,
                     struct random_stream *random, uint8_t address[16]);

/* What the survey rule asks of an IPv4 source, by its settings' defaults (DESIGN.md, section 3, origin; issue):
 * 30 (protocol, port), 1.0 packets per IPv4 address of the telescope, never under 1,000. Of an IPv6 /64: 30 and
 * 1,000. */
enum { SYNTH_SURVEY_PORTS = 30, SYNTH_SURVEY_PACKETS = 1000 };
static inline uint64_t synth_survey_packets(const struct synth_address *a)
{
    return a->count4 > SYNTH_SURVEY_PACKETS ? a->count4 : SYNTH_SURVEY_PACKETS;
}

/* Fills an initialised cast with the profile `days` (synth_cast_days.c has its table). 0 or -ENOMEM. */
int synth_cast_days(struct synth_cast *cast);

#endif
