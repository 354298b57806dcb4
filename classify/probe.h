/* probe: the packets of which a darknet mostly consists, told in a few comparisons.
 *
 * A probe is an IPv4 packet, inside the telescope, whole and not in fragments, with its fixed headers
 * caught, that is TCP with SYN without ACK, RST, FIN (kind tcp_syn) or UDP but for NetBIOS
 * (kind udp). All that is counted of it follows from struct probe in capture/batch.h: addresses,
 * port, length, and a number for its protocol, the class of its port and the tools that it
 * matches. decode() and classify_batch() say the same at greater length.
 */
#ifndef CLASSIFY_PROBE_H
#define CLASSIFY_PROBE_H

#include "capture/batch.h"
#include "capture/cursor.h"
#include "capture/decode.h"
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

enum {
    PROBE_TOOLS = 1 << TOOL_COUNT,  /* sets of tools: the lowest bits of a probe's set */
    PROBE_CLASS_SHIFT = TOOL_COUNT, /* then 8 bits of the port's class */
    PROBE_UDP = 256 << TOOL_COUNT,  /* then the protocol */
    PROBE_SETS = 2 * PROBE_UDP,
};
static_assert(PROBE_SETS <= 65536, "a probe's set has 16 bits");

static inline uint16_t probe_set(const struct ruleset *rules, unsigned proto, uint16_t port,
                                 uint32_t tools)
{
    uint32_t class = rules->port_class[proto][port];
    return (uint16_t)(tools | class << PROBE_CLASS_SHIFT |
                      (proto == PORT_PROTO_UDP ? PROBE_UDP : 0));
}

static inline bool probe_is_netbios(uint16_t port) { return (uint16_t)(port - 137) <= 1; }

/* The probe that an observation is; false: it is none. The telescope is not asked. */
static inline bool probe_from(const struct observation *o, const struct ruleset *rules,
                              struct probe *p)
{
    enum {
        PORTS = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS,
        ODD = OBSERVATION_MALFORMED | OBSERVATION_FRAGMENT | OBSERVATION_SNAPPED,
        FLAGS = OBSERVATION_TCP_FLAGS,
    };
    uint32_t headers = observation_headers(o);
    bool is_tcp = (headers & HEADERS(PORTS | ODD | FLAGS, 0xff, 0xff)) ==
                      HEADERS(PORTS | FLAGS, 4, IPPROTO_NR_TCP) &&
                  (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
    bool is_udp =
        (headers & HEADERS(PORTS | ODD, 0xff, 0xff)) == HEADERS(PORTS, 4, IPPROTO_NR_UDP) &&
        !probe_is_netbios(o->dst_port);
    if (!is_tcp && !is_udp)
        return false;
    memcpy(&p->src, o->src, sizeof p->src);
    memcpy(&p->dst, o->dst, sizeof p->dst);
    p->dst = __builtin_bswap32(p->dst);
    p->wire_len = o->wire_len;
    p->port = o->dst_port;
    p->set = probe_set(rules, is_tcp ? PORT_PROTO_TCP : PORT_PROTO_UDP, p->port,
                       fingerprint_tools_tcp4(o, is_tcp));
    return true;
}

/* The same from a frame of Ethernet and IPv4 without options, at once. False: anything else, some
 * probes among it. Every read lies below a fixed header's end, which is checked first. */
static inline bool probe_read(const struct frame *f, uint32_t decap, const struct ruleset *rules,
                              struct probe *p)
{
    enum {
        LINK_ETHERNET = 1,
        IP = 14,
        TRANSPORT = IP + 20,
        UDP_END = TRANSPORT + 8,
        TCP_END = TRANSPORT + 20,
        OPTIONS_END = TCP_END + 4
    };
    const uint8_t *b = f->data;
    if (f->link_type != LINK_ETHERNET || f->caplen < UDP_END || f->wire_len < f->caplen)
        return false;
    uint64_t type;     /* EtherType, version and length, TOS, total length, id */
    uint32_t fragment; /* flags and offset, TTL, protocol */
    memcpy(&type, b + 12, sizeof type);
    memcpy(&fragment, b + 20, sizeof fragment);
    uint32_t total = read_be16(b + 16), end = IP + total;
    if ((type & 0xffffff) != 0x450008 || end > f->wire_len)
        return false;
    struct fingerprint print = {
        .dst = read_be32(b + 30),
        .dst_port = read_be16(b + 36),
        .ip_id = read_be16(b + 18),
    };
    unsigned proto = PORT_PROTO_TCP;
    fragment &= 0xff00ff3f;
    if (fragment == (uint32_t)IPPROTO_NR_TCP << 24) {
        if (f->caplen < TCP_END)
            return false;
        uint32_t header = (b[46] >> 4) * 4u;
        if (header < 20 || TRANSPORT + header > end ||
            (b[47] & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
            return false;
        print.tcp_seq = read_be32(b + 38);
        print.tcp_window = read_be16(b + 48);
        print.tcp_header_len = (uint8_t)header;
        if (header > 20 && f->caplen >= OPTIONS_END)
            print.tcp_options = read_be32(b + TCP_END);
    } else if (fragment == (uint32_t)IPPROTO_NR_UDP << 24) {
        uint32_t length = read_be16(b + 38);
        if (length < 8 || TRANSPORT + length > end || decap & DECAP_VXLAN ||
            probe_is_netbios(print.dst_port))
            return false;
        proto = PORT_PROTO_UDP;
    } else {
        return false;
    }
    memcpy(&p->src, b + 26, sizeof p->src);
    p->dst = print.dst;
    p->wire_len = f->wire_len;
    p->port = print.dst_port;
    p->set = probe_set(rules, proto, p->port, fingerprint_match(&print, proto == PORT_PROTO_TCP));
    return true;
}

/* Marks of a packet of a class of ports that matches these tools; `is_scan`: 0 or 1. A class has marks for scan
 * kinds alone; of those only tcp_syn matches mirai. */
static inline uint32_t class_marks(const struct port_class *class, uint32_t is_scan, uint32_t tools)
{
    uint32_t is_bot = class->marks >> MARK_iot_broad & tools >> TOOL_mirai & 1;
    return 1u << MARK_total | is_scan << MARK_scan | class->marks | is_bot << MARK_iot_bot |
           tools << MARK_tool_mirai;
}

#endif
