/* brief: the packets of which a darknet mostly consists, in 16 bytes each.
 *
 * A packet has a brief when it is IPv4, inside the telescope, whole and not in fragments, with its fixed
 * headers caught, and one of
 *
 *   TCP with SYN without ACK, RST, FIN             kind tcp_syn
 *   TCP with RST, or with SYN and ACK without FIN  kind backscatter_tcp
 *   UDP but for NetBIOS and groups                 kind udp, or what its payload says
 *   ICMP                                           the kind of its type
 *
 * and shorter than 4 KiB, neither likely_spoofed by a default test nor a SYN with payload or of a tool behind
 * the first BRIEF_TOOLS. All that is counted of it follows from struct brief in capture/batch.h: source, port,
 * length, time, source port, and a number, its set, for what it is, what the rules say of its port and the tools
 * that it matches. Where a UDP payload may say more (a form, a tool, a rule), the brief is open: whoever reads it looks at
 * the payload and gives the brief the number of its verdict (classify/verdict.h) for a set. decode() and
 * classify_batch() say the same at greater length.
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

/* What it is: its protocol, and whether it asks. */
enum brief_what {
    BRIEF_TCP = 1,
    BRIEF_ANSWER = BRIEF_TCP, /* backscatter_tcp */
    BRIEF_UDP_OTHER,          /* UDP that is no scan; a verdict says what */
    BRIEF_ASKS = 4,
    BRIEF_SYN = BRIEF_TCP | BRIEF_ASKS,
    BRIEF_UDP = BRIEF_UDP_OTHER | BRIEF_ASKS,
    BRIEF_ICMP = 3 | BRIEF_ASKS, /* in place of the port: the kind */
    BRIEF_WHATS = 8
};

/* A brief's set, from the lowest bit: 3 of what it is; one that says verdict; then of a verdict its number, of all
 * others 6 of tools and 2 of what the port is (enum port_aim; of an answer: which). */
enum {
    BRIEF_IS_VERDICT = 1 << 3,
    BRIEF_TOOL_SHIFT = 4,
    BRIEF_TOOLS =
        6, /* the first of enum tool; what matches a later one has no brief without a verdict */
    BRIEF_AIM_SHIFT = BRIEF_TOOL_SHIFT + BRIEF_TOOLS,
    BRIEF_VERDICT_SHIFT = BRIEF_TOOL_SHIFT,
    BRIEF_VERDICTS = 512,
    BRIEF_SETS = BRIEF_VERDICTS << BRIEF_VERDICT_SHIFT,
};
static_assert(1 << (BRIEF_AIM_SHIFT + 2) <= BRIEF_SETS && BRIEF_SETS <= 65536,
              "a brief's set has 16 bits");
static_assert((int)TOOL_hajime < BRIEF_TOOLS,
              "a brief has a bit for each tool that many packets match");

enum { ANSWER_ACCEPTS = 1, ANSWER_RESETS }; /* in place of an answer's aim */

static inline enum brief_what set_what(unsigned set) { return (enum brief_what)(set & 7); }
static inline bool set_is_verdict(unsigned set) { return set & BRIEF_IS_VERDICT; }
static inline unsigned set_verdict(unsigned set) { return set >> BRIEF_VERDICT_SHIFT; }

/* Of a UDP packet with that verdict. */
static inline uint16_t set_of_verdict(unsigned verdict, bool is_scan)
{
    return (uint16_t)((is_scan ? BRIEF_UDP : BRIEF_UDP_OTHER) | BRIEF_IS_VERDICT |
                      verdict << BRIEF_VERDICT_SHIFT);
}

/* The rest is of sets without a verdict. */
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
        ASKS = BRIEF_SYN,
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

static inline bool set_is_syn(unsigned set) { return set & BRIEF_ASKS; } /* of TCP */

static inline unsigned brief_of_udp(const struct ruleset *rules, uint16_t port)
{
    unsigned aim = ruleset_port_aim(rules, PORT_PROTO_UDP, port);
    return BRIEF_UDP | aim << BRIEF_AIM_SHIFT;
}

static inline bool port_is_netbios(uint16_t port) { return (uint16_t)(port - 137) <= 1; }

/* Whether a packet has a brief. */
enum brief_found {
    BRIEF_NONE,
    BRIEF_WHOLE,
    BRIEF_OPEN, /* its payload may say more */
};

/* Of udp_answer_from[] and udp_request_to[]. Ports are any, and the two are larger than what they leave of a cache: where bits say that
 * there is nothing, port 0 is asked. No branch. */
static inline unsigned brief_udp_answer(const struct ruleset *rules, uint16_t src_port)
{
    uint64_t is_there = rules->udp_from[src_port / 64] >> src_port % 64 & 1;
    return udp_answer_from[src_port & -is_there];
}

static inline unsigned brief_udp_request(const struct ruleset *rules, uint16_t dst_port)
{
    uint64_t is_there = rules->udp_to[dst_port / 64] >> dst_port % 64 & 1;
    return udp_request_to[dst_port & -is_there];
}

/* Of a UDP packet to no group and no NetBIOS port: whether its payload may say more than its ports. */
static inline enum brief_found brief_of_payload(const struct ruleset *rules, uint16_t src_port,
                                                uint16_t dst_port, const struct udp_payload *p)
{
    uint32_t first4 = udp_first4(p->at, p->caught);
    uint64_t is_likely =
        (rules->udp_from[src_port / 64] >> src_port % 64 & 1) |
        (rules->udp_to[dst_port / 64] >> dst_port % 64 & 1) |
        (p->caught > 0 && payload_wanted(rules, PORT_PROTO_UDP, dst_port, p->caught)) |
        udp_stray_wants(p->len, first4) | payload_tool_wants_udp_anywhere(first4);
    if (!is_likely)
        return BRIEF_WHOLE; /* the large tables stay where they are */
    unsigned answer = brief_udp_answer(rules, src_port),
             request = brief_udp_request(rules, dst_port);
    return udp_form_wants_of(answer, request, p->len, first4) ||
                   payload_tool_wants_udp(dst_port, p->len, first4) ||
                   (p->caught > 0 && payload_wanted(rules, PORT_PROTO_UDP, dst_port, p->caught))
               ? BRIEF_OPEN
               : BRIEF_WHOLE;
}

/* The brief of an observation; BRIEF_NONE: it has none, or not with times from `base_ns` on. `payload` as of
 * kind_form(): without it a payload says nothing. The telescope is not asked. */
static inline enum brief_found brief_from(const struct observation *o, const uint8_t *payload,
                                          const struct ruleset *rules, int64_t base_ns,
                                          struct brief *b)
{
    enum {
        WHOLE = OBSERVATION_IP | OBSERVATION_TRANSPORT,
        ODD = OBSERVATION_MALFORMED | OBSERVATION_FRAGMENT | OBSERVATION_MORE | OBSERVATION_SNAPPED,
        PORTS = WHOLE | OBSERVATION_PORTS,
        FLAGS = PORTS | OBSERVATION_TCP_FLAGS,
    };
    uint32_t headers = observation_headers(o), is_syn = 0;
    uint16_t port = o->dst_port;
    enum brief_found found = BRIEF_WHOLE;
    unsigned set;
    if (spoof_applied(rules->spoof_tests, o))
        return BRIEF_NONE;
    if ((headers & HEADERS(FLAGS | ODD, 0xff, 0xff)) == HEADERS(FLAGS, 4, IPPROTO_NR_TCP)) {
        set = brief_of_tcp(o->tcp_flags);
        if (set == 0)
            return BRIEF_NONE;
        is_syn = set_is_syn(set);
        uint32_t later = is_syn ? fingerprint_later(o) : 0;
        if (is_syn && (o->payload_len > 0 || later >> BRIEF_TOOLS))
            return BRIEF_NONE;
        set |= later << BRIEF_TOOL_SHIFT;
        if (is_syn)
            set |= ruleset_port_aim(rules, PORT_PROTO_TCP, port) << BRIEF_AIM_SHIFT;
    } else if ((headers & HEADERS(PORTS | ODD, 0xff, 0xff)) == HEADERS(PORTS, 4, IPPROTO_NR_UDP)) {
        struct udp_payload p = {payload, o->payload_caught, o->payload_len};
        if (port_is_netbios(port) || udp_group_wants(o->dst[0]))
            return BRIEF_NONE;
        if (payload || p.len == 0)
            found = brief_of_payload(rules, o->src_port, port, &p);
        set = brief_of_udp(rules, port);
    } else if ((headers & HEADERS(WHOLE | ODD, 0xff, 0xff)) == HEADERS(WHOLE, 4, IPPROTO_NR_ICMP)) {
        port = kind_of_icmp(4, o->icmp_type);
        set = BRIEF_ICMP;
    } else {
        return BRIEF_NONE;
    }
    bool has_room = brief_rest(o->ts_ns, base_ns, o->wire_len, &b->rest);
    b->rest |= (uint64_t)o->src_port << 48;
    memcpy(&b->src, o->src, sizeof b->src);
    b->port = port;
    b->set = (uint16_t)(set | fingerprint_tools_tcp4(o, is_syn) << BRIEF_TOOL_SHIFT);
    return has_room ? found : BRIEF_NONE;
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

static inline uint32_t raw_be32(const uint8_t *p) { return __builtin_bswap32(raw32(p)); }

enum {
    BRIEF_IP = 14, /* Ethernet without tags */
    BRIEF_TRANSPORT = BRIEF_IP + 20,
    BRIEF_UDP_END = BRIEF_TRANSPORT + 8, /* ICMP's, too */
    BRIEF_TCP_END = BRIEF_TRANSPORT + 20,
    BRIEF_OPTIONS_END = BRIEF_TCP_END + 4
};

/* `set` without the tools. Two stores: what is written in small parts can't be read at once soon after. */
static inline void brief_write(struct brief *brief, const struct frame *f, uint32_t port,
                               unsigned set, uint32_t tools, uint64_t rest)
{
    uint64_t name = raw32(f->data + 26) | (uint64_t)port << 32 |
                    (uint64_t)(set | tools << BRIEF_TOOL_SHIFT) << 48;
    memcpy(brief, &name, sizeof name);
    brief->rest = rest;
}

/* The payload of a UDP packet that has a brief by brief_read(). */
static inline struct udp_payload brief_payload(const struct frame *f)
{
    uint32_t len = read_be16(f->data + 38) - 8u, caught = f->caplen - BRIEF_UDP_END;
    return (struct udp_payload){f->data + BRIEF_UDP_END, caught < len ? caught : len, len};
}

/* brief_read() of UDP and ICMP; `end`: of the packet, as it says. */
static __attribute__((noinline, unused)) enum brief_found brief_read_other(
    const struct frame *f, uint32_t decap, const struct ruleset *rules, uint32_t end, uint64_t rest,
    struct brief *brief)
{
    const uint8_t *b = f->data;
    uint16_t port = read_be16(b + 36);
    enum brief_found found = BRIEF_WHOLE;
    unsigned set;
    if (b[23] == IPPROTO_NR_UDP) {
        uint32_t length = read_be16(b + 38);
        uint16_t src_port = read_be16(b + 34);
        if (length < 8 || BRIEF_TRANSPORT + length > end || decap & DECAP_VXLAN || src_port == 0 ||
            port_is_netbios(port) || udp_group_wants(b[30]))
            return BRIEF_NONE;
        struct udp_payload payload = brief_payload(f);
        found = brief_of_payload(rules, src_port, port, &payload);
        set = brief_of_udp(rules, port);
        rest |= (uint64_t)src_port << 48;
    } else if (b[23] == IPPROTO_NR_ICMP) {
        if (BRIEF_UDP_END > end)
            return BRIEF_NONE;
        port = kind_of_icmp(4, b[34]);
        set = BRIEF_ICMP;
    } else {
        return BRIEF_NONE;
    }
    uint32_t is_zmap = read_be16(b + 18) == FINGERPRINT_ZMAP_ID;
    brief_write(brief, f, port, set, is_zmap << TOOL_zmap, rest);
    return found;
}

/* The same from a frame of Ethernet and IPv4 without options, at once. BRIEF_NONE: anything else, some
 * that have a brief among it; *brief may be written all the same. Every read lies below a fixed header's
 * end, which is checked first, or ends where the options do. Nothing that differs from packet to packet is a branch: random
 * traffic would mispredict it. */
static inline enum brief_found brief_read(const struct frame *f, uint32_t decap,
                                          const struct ruleset *rules, int64_t base_ns,
                                          struct brief *brief)
{
    enum { LINK_ETHERNET = 1 };
    const uint8_t *b = f->data;
    uint64_t rest;
    if (f->link_type != LINK_ETHERNET || f->caplen < BRIEF_UDP_END || f->wire_len < f->caplen ||
        !brief_rest(f->ts_ns, base_ns, f->wire_len, &rest) || rules->spoof_tests & ~SPOOF_DEFAULT)
        return BRIEF_NONE;
    uint32_t kept = raw32(b + 20), fragment = kept & 0xff00ffbf; /* all but DF; protocol; no TTL */
    uint32_t begin = raw32(b + 12), length_id = raw_be32(b + 16);
    uint32_t end = BRIEF_IP + (length_id >> 16);
    if ((begin & 0xffffff) != 0x450008 || end > f->wire_len || fragment & 0xffff)
        return BRIEF_NONE; /* the TOS doesn't matter */
    if (raw32(b + 26) == raw32(b + 30))
        return BRIEF_NONE; /* likely_spoofed, as is the reserved flag */
    if (fragment != (uint32_t)IPPROTO_NR_TCP << 24)
        return brief_read_other(f, decap, rules, end, rest, brief);
    if (f->caplen < BRIEF_TCP_END)
        return BRIEF_NONE;
    uint32_t ports = raw_be32(b + 34), state = raw_be32(b + 46); /* offset, flags, window */
    uint32_t header = state >> 28 << 2, behind = BRIEF_TRANSPORT + header;
    uint32_t is_zmap = (length_id & 0xffff) == FINGERPRINT_ZMAP_ID;
    unsigned set = brief_of_tcp(state >> 16);
    if (header < 20 || behind > end || set == 0 || ports >> 16 == 0)
        return BRIEF_NONE;
    rest |= (uint64_t)(ports & 0xffff0000) << 32;
    if (!set_is_syn(set)) {
        brief_write(brief, f, ports & 0xffff, set, is_zmap << TOOL_zmap, rest);
        return BRIEF_WHOLE;
    }
    struct fingerprint_syn syn = {
        .window = state & 0xffff,
        .src_port = ports >> 16,
        .dst_port = ports & 0xffff,
        .ttl = kept >> 16 & 0xff,
        .tos = begin >> 24,
        .df = kept & 0x40,
        .header_len = header,
        .mixed = raw32(b + 30) ^ raw32(b + 38),
        .ip_id = length_id & 0xffff,
    };
    if (__builtin_expect(behind != end, 0) || __builtin_expect(fingerprint_is_rare(&syn), 0))
        return BRIEF_NONE; /* it has payload, or may match a later tool */
    uint64_t layout =
        fingerprint_layout_differs(b + BRIEF_TRANSPORT, behind <= f->caplen ? header : 20);
    struct fingerprint print = {
        .is_syn = 1,
        .is_zmap = is_zmap,
        .mixed = syn.mixed,
        .folded = (uint16_t)(syn.mixed >> 16 ^ raw16(b + 36) ^ raw16(b + 18)),
    };
    if (__builtin_expect((header == 24) & (syn.window == FINGERPRINT_NMAP_WINDOW), 0))
        print.is_nmap =
            f->caplen >= BRIEF_OPTIONS_END && read_be32(b + BRIEF_TCP_END) == FINGERPRINT_MSS_1460;
    uint32_t tools = fingerprint_match(&print) | (uint32_t)fingerprint_is_zmap4(&syn, layout)
                                                     << TOOL_zmap4;
    if (__builtin_expect(fingerprint_is_hajime(&syn), 0))
        tools |= 1 << TOOL_hajime;
    set |= ruleset_port_aim(rules, PORT_PROTO_TCP, (uint16_t)syn.dst_port) << BRIEF_AIM_SHIFT;
    brief_write(brief, f, syn.dst_port, set, tools, rest);
    return BRIEF_WHOLE;
}

/* Marks of a packet of a class of ports that matches these tools; `is_scan`: 0 or 1. A class has
 * marks for scan kinds alone; of those only tcp_syn matches mirai. */
static inline uint32_t class_marks(const struct port_class *class, uint32_t is_scan, uint32_t tools)
{
    uint32_t is_bot = class->marks >> MARK_iot_broad & tools >> TOOL_mirai & 1;
    return 1u << MARK_total | is_scan << MARK_scan | class->marks | is_bot << MARK_iot_bot |
           is_bot << MARK_iot_confirmed | tools << MARK_tool_mirai;
}

/* Of all packets with this set, which is no verdict's. */
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

/* The same: a set of 1 << enum note, as in struct label. */
static inline unsigned set_notes(unsigned set)
{
    return set_what(set) == BRIEF_SYN ? 1 << NOTE_assessable : 0;
}

/* Of a brief without a verdict. */
static inline enum kind brief_kind(const struct brief *b)
{
    static const uint8_t kinds[BRIEF_WHATS] = {
        [BRIEF_ANSWER] = KIND_backscatter_tcp, [BRIEF_SYN] = KIND_tcp_syn, [BRIEF_UDP] = KIND_udp};
    enum brief_what what = set_what(b->set);
    return (enum kind)(what == BRIEF_ICMP ? b->port : kinds[what]);
}

#endif
