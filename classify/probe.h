/* probe: the packets of which a darknet mostly consists, told apart by one comparison.
 *
 * A probe is an IPv4 packet, inside the telescope, whole and not in later fragments, with its ports, that is TCP
 * with SYN without ACK, RST, FIN (kind tcp_syn) or UDP but for NetBIOS broadcasts (kind udp).
 * All that classification says of it follows from its protocol, its destination port and
 * the tools that it matches; classify_batch() says the same at greater length.
 */
#ifndef CLASSIFY_PROBE_H
#define CLASSIFY_PROBE_H

#include "classify/fingerprint.h"
#include "classify/ruleset.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* state, ip_version and ip_proto are read as one number. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian machine");
static_assert(offsetof(struct observation, ip_version) == offsetof(struct observation, state) + 2 &&
                  offsetof(struct observation, ip_proto) == offsetof(struct observation, state) + 3,
              "state, ip_version and ip_proto are one number");

static inline uint32_t observation_headers(const struct observation *o)
{
    uint32_t headers;
    memcpy(&headers, &o->state, sizeof headers);
    return headers;
}

#define HEADERS(state, version, proto) \
    ((uint32_t)(state) | (uint32_t)(version) << 16 | (uint32_t)(proto) << 24)

/* What a probe is by its headers; 0: none. The telescope is not asked. */
enum probe { PROBE_none, PROBE_tcp, PROBE_udp };

/* Whether it is one of this protocol. */
static inline bool probe_is(const struct observation *o, enum probe probe)
{
    enum {
        PORTS = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS,
        ODD = OBSERVATION_MALFORMED | OBSERVATION_FRAGMENT | OBSERVATION_SNAPPED,
        FLAGS = OBSERVATION_TCP_FLAGS,
    };
    uint32_t headers = observation_headers(o);
    if (probe == PROBE_tcp)
        return ((headers & HEADERS(PORTS | ODD | FLAGS, 0xff, 0xff)) ==
                HEADERS(PORTS | FLAGS, 4, IPPROTO_NR_TCP)) &
               ((o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN);
    return ((headers & HEADERS(PORTS | ODD, 0xff, 0xff)) == HEADERS(PORTS, 4, IPPROTO_NR_UDP)) &
           ((uint16_t)(o->dst_port - 137) > 1); /* NetBIOS: kind.h has the whole rule */
}

static inline enum probe probe_of(const struct observation *o)
{
    return probe_is(o, PROBE_tcp) ? PROBE_tcp : probe_is(o, PROBE_udp) ? PROBE_udp : PROBE_none;
}

/* Marks of a packet of a class of ports that matches these tools; `is_scan`: 0 or 1. A class has marks for scan
 * kinds alone; of those only tcp_syn matches mirai. */
static inline uint32_t class_marks(const struct port_class *class, uint32_t is_scan, uint32_t tools)
{
    uint32_t is_bot = class->marks >> MARK_iot_broad & tools >> TOOL_mirai & 1;
    return 1u << MARK_total | is_scan << MARK_scan | class->marks | is_bot << MARK_iot_bot |
           tools << MARK_tool_mirai;
}

/* The set of tools that a probe matches. */
static inline uint32_t probe_tools(const struct observation *o, enum probe probe)
{
    return fingerprint_tools_tcp4(o, probe == PROBE_tcp);
}

#endif
