/* brief: the packets of which a darknet mostly consists, in 16 bytes each.
 *
 * A packet has a brief when it is IPv4, inside the telescope, whole and not in fragments, with its fixed
 * headers caught, and one of
 *
 *   TCP with SYN without ACK, RST, FIN             kind tcp_syn
 *   TCP with RST, or with SYN and ACK without FIN  kind backscatter_tcp
 *   UDP but for NetBIOS                            kind udp
 *   ICMP                                           the kind of its type
 *
 * All that is counted of it follows from struct brief in capture/batch.h: addresses, port, length, and a
 * number for what it is, the class of its port and the tools that it matches. decode() and
 * classify_batch() say the same at greater length.
 */
#ifndef CLASSIFY_BRIEF_H
#define CLASSIFY_BRIEF_H

#include "capture/batch.h"
#include "capture/cursor.h"
#include "capture/decode.h"
#include "classify/fingerprint.h"
#include "classify/kind.h"
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

/* What it is. */
enum brief_what {
    BRIEF_ANSWER, /* backscatter_tcp; in place of a class: 1 SYN and ACK, 0 RST */
    BRIEF_SYN,
    BRIEF_UDP,
    BRIEF_ICMP, /* class 0; in place of the port: the kind */
    BRIEF_WHATS
};

/* A brief's set. */
enum {
    BRIEF_TOOLS = 1 << TOOL_COUNT,  /* sets of tools: the lowest bits */
    BRIEF_CLASS_SHIFT = TOOL_COUNT, /* then 8 bits of the port's class */
    BRIEF_WHAT_SHIFT = TOOL_COUNT + 8,
    BRIEF_SETS = BRIEF_WHATS << BRIEF_WHAT_SHIFT,
};
static_assert(BRIEF_SETS <= 65536, "a brief's set has 16 bits");

static inline unsigned brief_set(enum brief_what what, uint32_t class, uint32_t tools)
{
    return tools | class << BRIEF_CLASS_SHIFT | (uint32_t)what << BRIEF_WHAT_SHIFT;
}

static inline enum brief_what set_what(unsigned set)
{
    return (enum brief_what)(set >> BRIEF_WHAT_SHIFT);
}

static inline unsigned set_class(unsigned set) { return set >> BRIEF_CLASS_SHIFT & 0xff; }
static inline unsigned set_tools(unsigned set) { return set % BRIEF_TOOLS; }

/* TCP with these flags; BRIEF_SETS: it has no brief. */
static inline unsigned brief_of_tcp(const struct ruleset *rules, unsigned flags,
                                    const struct fingerprint *print)
{
    static_assert(BRIEF_ANSWER == 0 && BRIEF_SYN == 1, "a bit tells them apart");
    uint32_t is_syn = (flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
    uint32_t is_reset = (flags & TCP_RST) != 0;
    uint32_t is_accepted = (flags & (TCP_SYN | TCP_ACK | TCP_FIN)) == (TCP_SYN | TCP_ACK);
    if (!(is_syn | is_reset | is_accepted))
        return BRIEF_SETS;
    uint32_t class = rules->port_class[PORT_PROTO_TCP][print->dst_port];
    return brief_set((enum brief_what)is_syn, is_syn ? class : !is_reset,
                     fingerprint_match(print, is_syn));
}

static inline unsigned brief_of_udp(const struct ruleset *rules, const struct fingerprint *print)
{
    return brief_set(BRIEF_UDP, rules->port_class[PORT_PROTO_UDP][print->dst_port],
                     fingerprint_match(print, 0));
}

static inline unsigned brief_of_icmp(const struct fingerprint *print)
{
    return brief_set(BRIEF_ICMP, 0, fingerprint_match(print, 0));
}

static inline bool port_is_netbios(uint16_t port) { return (uint16_t)(port - 137) <= 1; }

/* The brief of an observation; false: it has none. The telescope is not asked. */
static inline bool brief_from(const struct observation *o, const struct ruleset *rules,
                              struct brief *b)
{
    enum {
        WHOLE = OBSERVATION_IP | OBSERVATION_TRANSPORT,
        ODD = OBSERVATION_MALFORMED | OBSERVATION_FRAGMENT | OBSERVATION_SNAPPED,
        PORTS = WHOLE | OBSERVATION_PORTS,
        FLAGS = PORTS | OBSERVATION_TCP_FLAGS,
    };
    uint32_t headers = observation_headers(o);
    struct fingerprint print = fingerprint_of(o);
    unsigned set;
    b->port = o->dst_port;
    if ((headers & HEADERS(FLAGS | ODD, 0xff, 0xff)) == HEADERS(FLAGS, 4, IPPROTO_NR_TCP)) {
        set = brief_of_tcp(rules, o->tcp_flags, &print);
        if (set == BRIEF_SETS)
            return false;
    } else if ((headers & HEADERS(PORTS | ODD, 0xff, 0xff)) == HEADERS(PORTS, 4, IPPROTO_NR_UDP)) {
        if (port_is_netbios(b->port))
            return false;
        set = brief_of_udp(rules, &print);
    } else if ((headers & HEADERS(WHOLE | ODD, 0xff, 0xff)) == HEADERS(WHOLE, 4, IPPROTO_NR_ICMP)) {
        b->port = kind_of_icmp(4, o->icmp_type);
        set = brief_of_icmp(&print);
    } else {
        return false;
    }
    memcpy(&b->src, o->src, sizeof b->src);
    b->dst = print.dst;
    b->wire_len = o->wire_len;
    b->set = (uint16_t)set;
    return true;
}

/* The same from a frame of Ethernet and IPv4 without options, at once. False: anything else, some
 * that have a brief among it. Every read lies below a fixed header's end, which is checked first. */
static inline bool brief_read(const struct frame *f, uint32_t decap, const struct ruleset *rules,
                              struct brief *brief)
{
    enum {
        LINK_ETHERNET = 1,
        IP = 14,
        TRANSPORT = IP + 20,
        UDP_END = TRANSPORT + 8, /* ICMP's, too */
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
    unsigned set;
    brief->port = print.dst_port;
    fragment &= 0xff00ff3f;
    if (fragment == (uint32_t)IPPROTO_NR_TCP << 24) {
        if (f->caplen < TCP_END)
            return false;
        uint32_t header = (b[46] >> 4) * 4u;
        if (header < 20 || TRANSPORT + header > end)
            return false;
        print.tcp_seq = read_be32(b + 38);
        print.tcp_window = read_be16(b + 48);
        print.tcp_header_len = (uint8_t)header;
        if (header > 20 && f->caplen >= OPTIONS_END)
            print.tcp_options = read_be32(b + TCP_END);
        set = brief_of_tcp(rules, b[47], &print);
        if (set == BRIEF_SETS)
            return false;
    } else if (fragment == (uint32_t)IPPROTO_NR_UDP << 24) {
        uint32_t length = read_be16(b + 38);
        if (length < 8 || TRANSPORT + length > end || decap & DECAP_VXLAN ||
            port_is_netbios(print.dst_port))
            return false;
        set = brief_of_udp(rules, &print);
    } else if (fragment == (uint32_t)IPPROTO_NR_ICMP << 24) {
        if (UDP_END > end)
            return false;
        brief->port = kind_of_icmp(4, b[34]);
        set = brief_of_icmp(&print);
    } else {
        return false;
    }
    memcpy(&brief->src, b + 26, sizeof brief->src);
    brief->dst = print.dst;
    brief->wire_len = f->wire_len;
    brief->set = (uint16_t)set;
    return true;
}

/* Marks of a packet of a class of ports that matches these tools; `is_scan`: 0 or 1. A class has
 * marks for scan kinds alone; of those only tcp_syn matches mirai. */
static inline uint32_t class_marks(const struct port_class *class, uint32_t is_scan, uint32_t tools)
{
    uint32_t is_bot = class->marks >> MARK_iot_broad & tools >> TOOL_mirai & 1;
    return 1u << MARK_total | is_scan << MARK_scan | class->marks | is_bot << MARK_iot_bot |
           tools << MARK_tool_mirai;
}

/* Of all packets with this set. */
static inline uint32_t set_marks(const struct ruleset *rules, unsigned set)
{
    bool is_scan = set_what(set) == BRIEF_SYN || set_what(set) == BRIEF_UDP;
    return class_marks(&rules->classes[is_scan ? set_class(set) : 0], is_scan, set_tools(set));
}

static inline enum kind brief_kind(const struct brief *b)
{
    static const uint8_t kinds[BRIEF_WHATS] = {
        [BRIEF_ANSWER] = KIND_backscatter_tcp, [BRIEF_SYN] = KIND_tcp_syn, [BRIEF_UDP] = KIND_udp};
    enum brief_what what = set_what(b->set);
    return (enum kind)(what == BRIEF_ICMP ? b->port : kinds[what]);
}

#endif
