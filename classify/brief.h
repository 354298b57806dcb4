/* brief: the packets of which a darknet mostly consists, in 16 bytes each.
 *
 * A packet has a brief when it is IPv4, inside the telescope, whole and not in fragments, with its fixed
 * headers caught, and one of
 *
 *   TCP with SYN without ACK, RST, FIN             kind tcp_syn
 *   TCP with RST, or with SYN and ACK without FIN  kind backscatter_tcp
 *   UDP but for NetBIOS, groups, and payloads that may have a form or a tool   kind udp
 *   ICMP                                           the kind of its type
 *
 * and shorter than 4 KiB, neither likely_spoofed by a default test nor a SYN with payload or of a tool behind
 * the first BRIEF_TOOLS. All that is counted of it follows from struct brief in capture/batch.h: source, port,
 * length, time, source port, and a number for what it is, what the rules say of its port and the tools that it matches.
 * decode() and classify_batch() say the same at greater length.
 */
#ifndef CLASSIFY_BRIEF_H
#define CLASSIFY_BRIEF_H

#include "capture/batch.h"
#include "capture/cursor.h"
#include "capture/decode.h"
#include "classify/fingerprint.h"
#include "classify/kind.h"
#include "classify/payload.h"
#include "classify/payload_tool.h"
#include "classify/ruleset.h"
#include "classify/spoof.h"

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
    BRIEF_ANSWER, /* backscatter_tcp */
    BRIEF_SYN,
    BRIEF_UDP,
    BRIEF_ICMP, /* in place of the port: the kind */
    BRIEF_WHATS
};

/* A brief's set, from the lowest bit: 2 of what it is, one that it is no answer, a zero, 6 of tools and 2 of what its
 * port is (enum port_aim; of an answer: which). */
enum {
    BRIEF_NO_ANSWER = 1 << 2,
    BRIEF_TOOL_SHIFT = 4,
    BRIEF_TOOLS = 6, /* the first of enum tool; what matches a later one has no brief */
    BRIEF_AIM_SHIFT = BRIEF_TOOL_SHIFT + BRIEF_TOOLS,
    BRIEF_SETS = 1 << (BRIEF_AIM_SHIFT + 2),
};
static_assert(BRIEF_WHATS == 4 && BRIEF_SETS <= 65536, "a brief's set has 16 bits");
static_assert((int)TOOL_hajime < BRIEF_TOOLS,
              "a brief has a bit for each tool that many packets match");

enum { ANSWER_ACCEPTS = 1, ANSWER_RESETS }; /* in place of an answer's aim */

static inline enum brief_what set_what(unsigned set) { return (enum brief_what)(set & 3); }
static inline unsigned set_aim(unsigned set) { return set >> BRIEF_AIM_SHIFT & 3; }

static inline unsigned set_tools(unsigned set)
{
    return set >> BRIEF_TOOL_SHIFT & ((1 << BRIEF_TOOLS) - 1);
}

static inline uint32_t brief_wire_len(const struct brief *b)
{
    return b->rest >> BRIEF_TIME_BITS & ((1 << BRIEF_LEN_BITS) - 1);
}

static inline uint64_t brief_time(const struct brief *b)
{
    return b->rest & ((UINT64_C(1) << BRIEF_TIME_BITS) - 1);
}

static inline uint16_t brief_src_port(const struct brief *b) { return (uint16_t)(b->rest >> 48); }

/* Time since `base_ns` and length as a brief has them; false: they have no room. */
static inline bool brief_rest(int64_t ts_ns, int64_t base_ns, uint32_t wire_len, uint64_t *rest)
{
    uint64_t since = (uint64_t)ts_ns - (uint64_t)base_ns;
    *rest = since | (uint64_t)wire_len << BRIEF_TIME_BITS;
    return (since >> BRIEF_TIME_BITS | wire_len >> BRIEF_LEN_BITS) == 0;
}

/* The set of TCP with these flags but for a SYN's aim and tools; 0: it has no brief. */
static inline unsigned brief_of_tcp(unsigned flags)
{
    enum {
        ASKS = BRIEF_SYN | BRIEF_NO_ANSWER,
        ACCEPTS = BRIEF_ANSWER | ANSWER_ACCEPTS << BRIEF_AIM_SHIFT,
        RESETS = BRIEF_ANSWER | ANSWER_RESETS << BRIEF_AIM_SHIFT,
        FLAGS = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK
    };
    static const uint16_t sets[FLAGS + 1] = {
        [TCP_SYN] = ASKS,
        [TCP_SYN | TCP_ACK] = ACCEPTS,
        [TCP_RST] = RESETS,
        [TCP_RST | TCP_FIN] = RESETS,
        [TCP_RST | TCP_SYN] = RESETS,
        [TCP_RST | TCP_SYN | TCP_FIN] = RESETS,
        [TCP_RST | TCP_ACK] = RESETS,
        [TCP_RST | TCP_ACK | TCP_FIN] = RESETS,
        [TCP_RST | TCP_ACK | TCP_SYN] = RESETS,
        [TCP_RST | TCP_ACK | TCP_SYN | TCP_FIN] = RESETS,
    };
    return sets[flags & FLAGS];
}

static inline bool set_is_syn(unsigned set) { return set & BRIEF_NO_ANSWER; } /* of TCP */

static inline unsigned brief_of_udp(const struct ruleset *rules, uint16_t port)
{
    unsigned aim = rules->port_aim[PORT_PROTO_UDP][port];
    return BRIEF_UDP | BRIEF_NO_ANSWER | aim << BRIEF_AIM_SHIFT;
}

static inline unsigned brief_of_icmp(void) { return BRIEF_ICMP | BRIEF_NO_ANSWER; }

static inline bool port_is_netbios(uint16_t port) { return (uint16_t)(port - 137) <= 1; }

/* False: a UDP packet to this destination, with such a payload, is plain udp. */
static inline bool udp_is_odd(uint16_t src_port, uint16_t dst_port, uint8_t first_of_dst,
                              uint32_t len, uint32_t first4)
{
    return port_is_netbios(dst_port) || udp_group_wants(first_of_dst) ||
           udp_form_wants(src_port, dst_port, len, first4) ||
           payload_tool_wants_udp(dst_port, len, first4);
}

/* The brief of an observation; false: it has none, or not with times from `base_ns` on. `payload` as of
 * kind_form(): without it a payload has no form and no tool. The telescope is not asked. */
static inline bool brief_from(const struct observation *o, const uint8_t *payload,
                              const struct ruleset *rules, int64_t base_ns, struct brief *b)
{
    enum {
        WHOLE = OBSERVATION_IP | OBSERVATION_TRANSPORT,
        ODD = OBSERVATION_MALFORMED | OBSERVATION_FRAGMENT | OBSERVATION_SNAPPED,
        PORTS = WHOLE | OBSERVATION_PORTS,
        FLAGS = PORTS | OBSERVATION_TCP_FLAGS,
    };
    uint32_t headers = observation_headers(o), is_syn = 0;
    uint16_t port = o->dst_port;
    unsigned set;
    if (spoof_applied(rules->spoof_tests, o))
        return false;
    if ((headers & HEADERS(FLAGS | ODD, 0xff, 0xff)) == HEADERS(FLAGS, 4, IPPROTO_NR_TCP)) {
        set = brief_of_tcp(o->tcp_flags);
        if (set == 0)
            return false;
        is_syn = set_is_syn(set);
        uint32_t later = is_syn ? fingerprint_later(o) : 0;
        if (is_syn && (o->payload_len > 0 || later >> BRIEF_TOOLS))
            return false;
        set |= later << BRIEF_TOOL_SHIFT;
        if (is_syn)
            set |= (unsigned)rules->port_aim[PORT_PROTO_TCP][port] << BRIEF_AIM_SHIFT;
    } else if ((headers & HEADERS(PORTS | ODD, 0xff, 0xff)) == HEADERS(PORTS, 4, IPPROTO_NR_UDP)) {
        uint32_t first4 = udp_first4(payload, o->payload_caught);
        if ((payload || o->payload_len == 0) &&
            udp_is_odd(o->src_port, port, o->dst[0], o->payload_len, first4))
            return false;
        if (port_is_netbios(port) || udp_group_wants(o->dst[0]))
            return false;
        if (payload && o->payload_caught > 0 &&
            payload_wanted(rules, PORT_PROTO_UDP, port, o->payload_caught))
            return false;
        set = brief_of_udp(rules, port);
    } else if ((headers & HEADERS(WHOLE | ODD, 0xff, 0xff)) == HEADERS(WHOLE, 4, IPPROTO_NR_ICMP)) {
        port = kind_of_icmp(4, o->icmp_type);
        set = brief_of_icmp();
    } else {
        return false;
    }
    bool has_room = brief_rest(o->ts_ns, base_ns, o->wire_len, &b->rest);
    b->rest |= (uint64_t)o->src_port << 48;
    memcpy(&b->src, o->src, sizeof b->src);
    b->port = port;
    b->set = (uint16_t)(set | fingerprint_tools_tcp4(o, is_syn) << BRIEF_TOOL_SHIFT);
    return has_room;
}

static inline uint32_t raw32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint16_t raw16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

enum {
    BRIEF_IP = 14, /* Ethernet without tags */
    BRIEF_TRANSPORT = BRIEF_IP + 20,
    BRIEF_UDP_END = BRIEF_TRANSPORT + 8, /* ICMP's, too */
    BRIEF_TCP_END = BRIEF_TRANSPORT + 20,
    BRIEF_OPTIONS_END = BRIEF_TCP_END + 4
};

/* `set` without the tools; `rest` without the source port. */
static inline void brief_write(struct brief *brief, const struct frame *f, uint16_t port,
                               unsigned set, const struct fingerprint *print, uint64_t rest)
{
    brief->src = raw32(f->data + 26);
    brief->port = port;
    brief->set = (uint16_t)(set | fingerprint_match(print) << BRIEF_TOOL_SHIFT);
    brief->rest = rest;
}

/* brief_read() of UDP and ICMP; `end`: of the packet, as it says. */
static __attribute__((noinline, unused)) bool brief_read_other(const struct frame *f,
                                                               uint32_t decap,
                                                               const struct ruleset *rules,
                                                               uint32_t end, uint64_t rest,
                                                               struct brief *brief)
{
    const uint8_t *b = f->data;
    uint16_t port = read_be16(b + 36);
    unsigned set;
    if (b[23] == IPPROTO_NR_UDP) {
        uint32_t length = read_be16(b + 38), caught = f->caplen - BRIEF_UDP_END;
        if (length < 8 || BRIEF_TRANSPORT + length > end || decap & DECAP_VXLAN ||
            raw16(b + 34) == 0)
            return false;
        caught = caught < length - 8 ? caught : length - 8;
        uint32_t first4 = udp_first4(b + BRIEF_UDP_END, caught);
        if (udp_is_odd(read_be16(b + 34), port, b[30], length - 8, first4) ||
            (caught > 0 && payload_wanted(rules, PORT_PROTO_UDP, port, caught)))
            return false;
        set = brief_of_udp(rules, port);
        rest |= (uint64_t)read_be16(b + 34) << 48;
    } else if (b[23] == IPPROTO_NR_ICMP) {
        if (BRIEF_UDP_END > end)
            return false;
        port = kind_of_icmp(4, b[34]);
        set = brief_of_icmp();
    } else {
        return false;
    }
    struct fingerprint print = {.is_zmap = read_be16(b + 18) == FINGERPRINT_ZMAP_ID};
    brief_write(brief, f, port, set, &print, rest);
    return true;
}

/* fingerprint_later() of a SYN from its frame; all fixed headers are there. */
static __attribute__((noinline, unused)) uint32_t brief_later(const struct frame *f,
                                                              uint32_t header, uint16_t window)
{
    const uint8_t *b = f->data;
    struct observation o;
    o.state = (uint16_t)(OBSERVATION_TCP_FLAGS | (b[20] & 0x40 ? OBSERVATION_DF : 0));
    o.ip_version = 4;
    o.tcp_flags = TCP_SYN;
    o.tos = b[15];
    o.ttl = b[22];
    o.ip_id = read_be16(b + 18);
    o.src_port = read_be16(b + 34);
    o.dst_port = read_be16(b + 36);
    o.tcp_seq = read_be32(b + 38);
    o.tcp_window = window;
    o.tcp_header_len = (uint8_t)header;
    o.tcp_layout = f->caplen >= BRIEF_TRANSPORT + header
                       ? tcp_layout_of(b + BRIEF_TCP_END, header - 20)
                       : TCP_LAYOUT_OTHER;
    memcpy(o.dst, b + 30, 4);
    return fingerprint_later(&o);
}

/* The same from a frame of Ethernet and IPv4 without options, at once. False: anything else, some
 * that have a brief among it; *brief may be written all the same. Every read lies below a fixed header's
 * end, which is checked first. */
static inline bool brief_read(const struct frame *f, uint32_t decap, const struct ruleset *rules,
                              int64_t base_ns, struct brief *brief)
{
    enum { LINK_ETHERNET = 1 };
    const uint8_t *b = f->data;
    uint64_t rest;
    if (f->link_type != LINK_ETHERNET || f->caplen < BRIEF_UDP_END || f->wire_len < f->caplen ||
        !brief_rest(f->ts_ns, base_ns, f->wire_len, &rest) || rules->spoof_tests & ~SPOOF_DEFAULT)
        return false;
    uint32_t end = BRIEF_IP + read_be16(b + 16);
    uint32_t fragment = raw32(b + 20) & 0xff00ffbf; /* all but DF, protocol; no TTL */
    if ((raw32(b + 12) & 0xffffff) != 0x450008 || end > f->wire_len || fragment & 0xffff)
        return false; /* the TOS doesn't matter */
    if (raw32(b + 26) == raw32(b + 30))
        return false; /* likely_spoofed, as is the reserved flag */
    if (fragment != (uint32_t)IPPROTO_NR_TCP << 24)
        return brief_read_other(f, decap, rules, end, rest, brief);
    if (f->caplen < BRIEF_TCP_END)
        return false;
    uint32_t header = (b[46] >> 4) * 4u;
    if (header < 20 || BRIEF_TRANSPORT + header > end)
        return false;
    unsigned set = brief_of_tcp(b[47]);
    if (set == 0 || raw16(b + 34) == 0)
        return false;
    uint16_t port = read_be16(b + 36);
    struct fingerprint print = {
        .is_syn = set_is_syn(set),
        .is_zmap = read_be16(b + 18) == FINGERPRINT_ZMAP_ID,
        .mixed = raw32(b + 30) ^ raw32(b + 38),
        .folded = (uint16_t)(raw16(b + 32) ^ raw16(b + 40) ^ raw16(b + 36) ^ raw16(b + 18)),
    };
    uint16_t window = read_be16(b + 48);
    if (print.is_syn) {
        if (__builtin_expect(BRIEF_TRANSPORT + header != end, 0))
            return false; /* it has payload */
        if (print.mixed == 0 || fingerprint_later_wants(window, header, b[20] & 0x40, port)) {
            uint32_t later = brief_later(f, header, window);
            if (later >> BRIEF_TOOLS)
                return false;
            set |= later << BRIEF_TOOL_SHIFT;
        }
    }
    if (__builtin_expect((header == 24) & (window == FINGERPRINT_NMAP_WINDOW), 0))
        print.is_nmap =
            f->caplen >= BRIEF_OPTIONS_END && read_be32(b + BRIEF_TCP_END) == FINGERPRINT_MSS_1460;
    set |= (rules->port_aim[PORT_PROTO_TCP][port] & -print.is_syn) << BRIEF_AIM_SHIFT;
    brief_write(brief, f, port, set, &print, rest | (uint64_t)read_be16(b + 34) << 48);
    return true;
}

/* Marks of a packet of a class of ports that matches these tools; `is_scan`: 0 or 1. A class has
 * marks for scan kinds alone; of those only tcp_syn matches mirai. */
static inline uint32_t class_marks(const struct port_class *class, uint32_t is_scan, uint32_t tools)
{
    uint32_t is_bot = class->marks >> MARK_iot_broad & tools >> TOOL_mirai & 1;
    return 1u << MARK_total | is_scan << MARK_scan | class->marks | is_bot << MARK_iot_bot |
           is_bot << MARK_iot_confirmed | tools << MARK_tool_mirai;
}

/* Of all packets with this set. */
static inline uint32_t set_marks(unsigned set)
{
    bool is_scan = set_what(set) == BRIEF_SYN || set_what(set) == BRIEF_UDP;
    unsigned aim = is_scan ? set_aim(set) : 0;
    struct port_class class = {
        .marks = (uint32_t)(aim & PORT_AIM_BROAD ? 1 << MARK_iot_broad : 0) |
                 (uint32_t)(aim & PORT_AIM_STRICT ? 1 << MARK_iot_strict : 0),
    };
    return class_marks(&class, is_scan, set_tools(set));
}

/* Of all packets with this set: a set of 1 << enum note, as in struct label. */
static inline unsigned set_notes(unsigned set)
{
    return set_what(set) == BRIEF_SYN ? 1 << NOTE_assessable : 0;
}

static inline enum kind brief_kind(const struct brief *b)
{
    static const uint8_t kinds[BRIEF_WHATS] = {
        [BRIEF_ANSWER] = KIND_backscatter_tcp, [BRIEF_SYN] = KIND_tcp_syn, [BRIEF_UDP] = KIND_udp};
    enum brief_what what = set_what(b->set);
    return (enum kind)(what == BRIEF_ICMP ? b->port : kinds[what]);
}

#endif
