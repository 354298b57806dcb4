#include "capture/synth_form.h"

#include "capture/observation.h"
#include "capture/synth_payload.h"

#include <stdbool.h>
#include <string.h>

enum { ZMAP_ID = 54321, DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000 };

/* A packet under construction. */
struct build {
    struct synth_packet *p;
    const struct synth_traits *traits;
    struct random_stream *random;
    struct synth_intent *intent;
    uint16_t port;
    uint64_t bits; /* random for this packet: bits 0-15 the source port, 16-31 the identification,
                      32-63 variants */
};

/* One way to write a SYN. */
struct syn_form {
    uint16_t window;               /* 0: any */
    uint16_t port_low, port_count; /* source ports */
    uint8_t ttl;
    bool dont_fragment;
    uint8_t tool; /* enum synth_tool, 0: none */
    uint8_t option_len;
    uint8_t timestamp_at; /* offset of TSval in the options; 0: none */
    uint8_t options[24];
};

/* ZMap, masscan, nmap and Mirai as their sources write them; the systems' stacks as they are
 * commonly seen. */
/* clang-format off */
static const struct syn_form syn_forms[FORM_SYN_COUNT] = {
    [FORM_MIRAI]        = {0, 1024, 64511, 64, false, SYNTH_MIRAI, 0, 0, {0}},
    [FORM_ZMAP_CLASSIC] = {65535, 32768, 28233, 255, false, SYNTH_ZMAP, 0, 0, {0}},
    [FORM_ZMAP_MSS]     = {65535, 32768, 28233, 64, false, 0, 4, 0, {2, 4, 5, 0xb4}},
    [FORM_MASSCAN_OLD]  = {1024, 40000, 20000, 255, false, SYNTH_MASSCAN, 0, 0, {0}},
    [FORM_MASSCAN_NEW]  = {1025, 40000, 20000, 255, false, SYNTH_MASSCAN, 4, 0, {2, 4, 5, 0xb4}},
    [FORM_NMAP]         = {1024, 33000, 30000, 50, false, SYNTH_NMAP, 4, 0, {2, 4, 5, 0xb4}},
    [FORM_LINUX]        = {64240, 32768, 28232, 64, true, 0, 20, 8,
                           {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7}},
    [FORM_WINDOWS]      = {8192, 49152, 16384, 128, true, 0, 12, 0,
                           {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2}},
    [FORM_WINDOWS_OLD]  = {65535, 1025, 3976, 128, true, 0, 8, 0, {2, 4, 5, 0xb4, 1, 1, 4, 2}},
    [FORM_BSD]          = {65535, 49152, 16384, 64, true, 0, 24, 12,
                           {2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0}},
    [FORM_EMBEDDED]     = {14600, 32768, 28232, 64, true, 0, 20, 8,
                           {2, 4, 5, 0xac, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 3}},
    [FORM_FLOOD]        = {16384, 1024, 64511, 255, false, 0, 0, 0, {0}},
};
/* clang-format on */

static uint16_t any_source_port(const struct build *b)
{
    return (uint16_t)(1024 + (b->bits & 0xffff) % 64512);
}

/* 5 to 30 hops away, always the same for a source. */
static uint8_t ttl_after(const struct build *b, unsigned initial)
{
    return (uint8_t)(initial - 5 - (b->traits->detail >> 56) % 26);
}

static unsigned system_ttl(const struct build *b)
{
    static const uint8_t initial[4] = {64, 64, 128, 255};
    return initial[b->traits->detail >> 54 & 3];
}

/* An identification that is not ZMap's and not `forbidden`. */
static void any_id(struct build *b, int forbidden)
{
    uint16_t id = (uint16_t)(b->bits >> 16);
    while (id == ZMAP_ID || id == forbidden)
        id = (uint16_t)random_next(b->random);
    b->p->id = id;
}

static void intend(struct build *b, enum synth_sort sort, enum synth_header header, uint16_t port)
{
    b->intent->sort = (uint8_t)sort;
    b->intent->header = (uint8_t)header;
    b->intent->dst_port = port;
}

/* Sequence and identification of a SYN: those the tool's rule asks for, and for all others none
 * that any rule would take for a tool's. */
static uint32_t syn_numbers(struct build *b, uint8_t tool)
{
    uint32_t seq = (uint32_t)random_next(b->random);
    if (b->p->ip_version != 4)
        return seq;
    uint32_t dst = synth_get32(b->p->dst), key = dst ^ b->port;
    switch (tool) {
    case SYNTH_MIRAI: /* masscan's rule is not asked of it */
        any_id(b, -1);
        return dst;
    case SYNTH_ZMAP:
        while (seq == dst || (uint16_t)(key ^ seq) == ZMAP_ID)
            seq = (uint32_t)random_next(b->random);
        b->p->id = ZMAP_ID;
        return seq;
    case SYNTH_MASSCAN:
        while (seq == dst || (uint16_t)(key ^ seq) == ZMAP_ID)
            seq = (uint32_t)random_next(b->random);
        b->p->id = (uint16_t)(key ^ seq);
        return seq;
    default:
        while (seq == dst)
            seq = (uint32_t)random_next(b->random);
        any_id(b, (uint16_t)(key ^ seq));
        return seq;
    }
}

/* The tool of a SYN over IPv4 whose headers alone are what its rule asks for. */
static uint8_t headers_tool(const struct build *b)
{
    uint16_t port = b->port;
    bool is_hajime = port == 23 || port == 5358 || port == 5555 || port == 7547 || port == 9000;
    if (b->p->ip_version != 4)
        return 0;
    if (b->traits->program->form == FORM_ZMAP_MSS)
        return SYNTH_ZMAP4;
    return b->traits->program->form == FORM_EMBEDDED && is_hajime ? SYNTH_HAJIME : 0;
}

static void build_syn(struct build *b)
{
    const struct syn_form *form = &syn_forms[b->traits->program->form];
    uint8_t options[24];
    uint64_t detail = b->traits->detail;
    struct synth_tcp tcp = {
        .seq = syn_numbers(b, form->tool),
        .src_port = (uint16_t)(form->port_low + (b->bits & 0xffff) % form->port_count),
        .dst_port = b->port,
        .window = form->window,
        .flags = TCP_SYN,
        .option_len = form->option_len,
        .options = form->options,
    };
    if (!form->window)
        tcp.window = (uint16_t)(b->bits >> 32);
    else if (b->traits->program->form == FORM_LINUX && (detail >> 52 & 1))
        tcp.window = 29200; /* before Linux 4.20 */
    else if (b->traits->program->form == FORM_WINDOWS && (detail >> 52 & 1))
        tcp.window = 64240; /* Windows 10 */
    if (form->timestamp_at) {
        memcpy(options, form->options, sizeof options);
        synth_put32(options + form->timestamp_at, (uint32_t)(b->bits >> 32));
        tcp.options = options;
    }
    b->p->ttl = ttl_after(b, form->ttl);
    b->p->fragment = form->dont_fragment ? DONT_FRAGMENT : 0;
    b->intent->tools = form->tool | headers_tool(b);
    intend(b, SYNTH_TCP_SYN, SYNTH_TCP, b->port);
    synth_packet_tcp(b->p, &tcp);
}

/* Puts a payload's bytes, with an id of its own where it has one, into a UDP packet. */
static void put_payload(struct build *b, const struct synth_payload *payload, uint16_t src_port)
{
    uint8_t bytes[SYNTH_PAYLOAD_MAX];
    memcpy(bytes, payload->bytes, payload->len);
    if (payload->id_at != SYNTH_PAYLOAD_NO_ID)
        synth_put16(bytes + payload->id_at, (uint16_t)(b->bits >> 40));
    synth_packet_udp(b->p, src_port, b->port, bytes, payload->len);
}

/* UDP that only a cast has; `port` is the reflector's own in what it sends. */
static void build_udp_cast(struct build *b)
{
    static const struct synth_payload empty = {0, 0, "", SYNTH_PAYLOAD_NO_ID};
    enum synth_form form = (enum synth_form)b->traits->program->form;
    uint16_t service = b->port, src_port = any_source_port(b);
    const struct synth_payload *payload = &empty;
    enum synth_sort sort = SYNTH_UDP;
    b->p->ttl = ttl_after(b, system_ttl(b));
    any_id(b, -1);
    if (form == FORM_EXPLOIT_UDP) {
        payload = synth_payload_exploit_udp(service);
        b->intent->meant = SYNTH_MEANT_IOT | SYNTH_MEANT_EXPLOIT;
    } else if (form == FORM_AMPLIFY) {
        payload = synth_payload_amplify(service);
        b->intent->meant = SYNTH_MEANT_AMPLIFY;
    } else if (form == FORM_REFLECTED) {
        payload = synth_payload_reflected(service);
        sort = SYNTH_UDP_ANSWER;
        b->port = src_port;
        src_port = service;
    }
    intend(b, sort, SYNTH_UDP_HEADER, b->port);
    put_payload(b, payload, src_port);
}

static void build_udp(struct build *b)
{
    b->p->ttl = ttl_after(b, system_ttl(b));
    any_id(b, -1);
    if (b->traits->program->form == FORM_UDP_ZMAP) {
        b->p->id = ZMAP_ID;
        b->intent->tools = SYNTH_ZMAP;
        b->p->ttl = ttl_after(b, 255);
    }
    intend(b, SYNTH_UDP, SYNTH_UDP_HEADER, b->port);
    put_payload(b, synth_payload_probe(b->port), any_source_port(b));
}

static void build_udp_answer(struct build *b)
{
    b->p->ttl = ttl_after(b, system_ttl(b));
    any_id(b, -1);
    if (b->traits->program->form == FORM_DHT) {
        intend(b, SYNTH_UDP_P2P, SYNTH_UDP_HEADER, b->port);
        put_payload(b, synth_payload_dht(), 6881);
    } else {
        intend(b, SYNTH_UDP_ANSWER, SYNTH_UDP_HEADER, b->port);
        put_payload(b, synth_payload_dns_answer((unsigned)(b->traits->detail >> 50)), 53);
    }
}

/* `ping` of Unix (56 bytes that count up) and of Windows (the alphabet), ZMap's 8 bytes. */
static void build_ping(struct build *b)
{
    static const char windows[] = "abcdefghijklmnopqrstuvwabcdefghi";
    uint8_t counting[56];
    bool six = b->p->ip_version == 6, reply = b->traits->program->form == FORM_ECHO_REPLY;
    uint8_t type = six ? (reply ? 129 : 128) : (reply ? 0 : 8);
    uint32_t rest = (uint32_t)(b->bits >> 32);
    any_id(b, -1);
    for (unsigned i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)i;
    intend(b, reply ? SYNTH_ICMP_ANSWER : SYNTH_ICMP_PROBE, SYNTH_ICMP, 0);
    if (b->traits->program->form == FORM_PING_ZMAP) {
        b->p->id = ZMAP_ID;
        b->intent->tools = SYNTH_ZMAP;
        b->p->ttl = ttl_after(b, 255);
        synth_packet_icmp(b->p, type, 0, rest, counting, 8);
    } else if (b->traits->detail >> 52 & 1) {
        b->p->ttl = ttl_after(b, 128);
        synth_packet_icmp(b->p, type, 0, rest, windows, sizeof windows - 1);
    } else {
        b->p->ttl = ttl_after(b, 64);
        synth_packet_icmp(b->p, type, 0, rest, counting, sizeof counting);
    }
}

/* A victim answers SYNs that carried a telescope address as their forged source. */
static void build_tcp_answer(struct build *b)
{
    static const uint16_t services[8] = {80, 443, 80, 443, 22, 25565, 53, 8080};
    static const uint8_t options[4] = {2, 4, 5, 0xb4};
    bool rst = b->traits->program->form == FORM_RST;
    struct synth_tcp tcp = {
        .seq = rst ? 0 : (uint32_t)random_next(b->random),
        .ack = (uint32_t)(b->bits >> 32),
        .src_port = services[b->traits->detail >> 50 & 7],
        .dst_port = b->port,
        .window = rst ? 0 : 29200,
        .flags = rst ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK,
        .option_len = rst ? 0 : sizeof options,
        .options = options,
    };
    b->p->ttl = ttl_after(b, system_ttl(b));
    b->p->fragment = DONT_FRAGMENT; /* and no identification, as Linux does */
    intend(b, rst ? SYNTH_TCP_RST : SYNTH_TCP_SYNACK, SYNTH_TCP, b->port);
    synth_packet_tcp(b->p, &tcp);
}

/* Port unreachable or time exceeded, about a packet that the telescope never sent. */
static void build_icmp_error(struct build *b)
{
    uint8_t *quote = synth_packet_transport(b->p) + 8;
    struct synth_packet quoted = {
        .ip_version = b->p->ip_version,
        .proto = IPPROTO_NR_TCP,
        .ttl = 1,
        .id = 0x1234,
        .fragment = DONT_FRAGMENT,
    };
    memcpy(quoted.src, b->p->dst, sizeof quoted.src);
    memcpy(quoted.dst, b->p->src, sizeof quoted.dst);
    bool six = b->p->ip_version == 6, exceeded = b->traits->detail >> 52 & 1;
    /* IPv4 errors quote 8 transport bytes (RFC 792); those of ICMPv6 all of the packet, here a
     * bare SYN. */
    uint16_t header = (uint16_t)synth_packet_ip(&quoted, quote, 20);
    uint8_t *tcp = quote + header;
    memset(tcp, 0, 20);
    synth_put16(tcp, any_source_port(b));
    synth_put16(tcp + 2, 80);
    synth_put32(tcp + 4, (uint32_t)(b->bits >> 32));
    tcp[12] = 0x50;
    tcp[13] = TCP_SYN;
    synth_put16(tcp + 16, synth_packet_checksum(&quoted, tcp, 20, 1));
    b->p->ttl = ttl_after(b, system_ttl(b));
    any_id(b, -1);
    intend(b, SYNTH_ICMP_ANSWER, SYNTH_ICMP, 0);
    uint8_t type = exceeded ? (six ? 3 : 11) : (six ? 1 : 3);
    uint8_t code = exceeded ? 0 : (six ? 4 : 3);
    synth_packet_icmp(b->p, type, code, 0, quote, (uint16_t)(header + (six ? 20 : 8)));
}

static void build_tcp_data(struct build *b)
{
    bool is_exploit = b->traits->program->form == FORM_EXPLOIT_TCP;
    const struct synth_payload *payload =
        is_exploit ? synth_payload_exploit_tcp(b->port) : synth_payload_tcp(b->port);
    struct synth_tcp tcp = {
        .seq = (uint32_t)random_next(b->random),
        .ack = (uint32_t)(b->bits >> 32),
        .src_port = any_source_port(b),
        .dst_port = b->port,
        .window = 502,
        .flags = TCP_PSH | TCP_ACK,
        .payload = payload->bytes,
        .payload_len = payload->len,
    };
    b->p->ttl = ttl_after(b, 64);
    any_id(b, -1);
    intend(b, SYNTH_TCP_DATA, SYNTH_TCP, b->port);
    if (is_exploit) /* Android's debugger merely says hello */
        b->intent->meant =
            b->port == 5555 ? SYNTH_MEANT_IOT : SYNTH_MEANT_IOT | SYNTH_MEANT_EXPLOIT;
    synth_packet_tcp(b->p, &tcp);
}

static void build_tcp_odd(struct build *b)
{
    static const uint8_t flags[4] = {TCP_ACK, TCP_FIN, 0, TCP_FIN | TCP_PSH | TCP_URG};
    struct synth_tcp tcp = {
        .seq = (uint32_t)random_next(b->random),
        .src_port = any_source_port(b),
        .dst_port = b->port,
        .window = 1024,
        .flags = flags[b->traits->detail >> 50 & 3],
    };
    b->p->ttl = ttl_after(b, 64);
    any_id(b, -1);
    intend(b, SYNTH_TCP_OTHER, SYNTH_TCP, b->port);
    synth_packet_tcp(b->p, &tcp);
}

/* Either half of a datagram of 192 bytes that was cut in two. */
static void build_fragment(struct build *b)
{
    static const uint8_t zeros[96];
    uint8_t *t = synth_packet_transport(b->p);
    b->p->ttl = ttl_after(b, 64);
    any_id(b, -1);
    if (b->bits >> 32 & 1) {
        intend(b, SYNTH_UDP, SYNTH_UDP_HEADER, b->port);
        synth_packet_udp(b->p, any_source_port(b), b->port, zeros, 88);
        synth_put16(t + 4, 192);
        synth_put16(t + 6, 0); /* no checksum: it would be over both halves */
        b->p->fragment = MORE_FRAGMENTS;
    } else {
        intend(b, SYNTH_FRAGMENT, SYNTH_NO_PORTS, 0);
        memcpy(t, zeros, sizeof zeros);
        b->p->proto = IPPROTO_NR_UDP;
        b->p->length = sizeof zeros;
        b->p->fragment = 96 / 8;
    }
}

static void build_igmp(struct build *b)
{
    b->p->router_alert = 1; /* which moves the transport */
    uint8_t *t = synth_packet_transport(b->p);
    b->p->proto = IPPROTO_NR_IGMP;
    b->p->ttl = 1;
    b->p->length = 8;
    any_id(b, -1);
    intend(b, SYNTH_IGMP, SYNTH_NO_PORTS, 0);
    synth_put32(t, UINT32_C(0x11640000)); /* RFC 2236: general query, 10 s */
    synth_put32(t + 4, 0);
    synth_put16(t + 2, synth_packet_checksum(b->p, t, 8, 0));
}

static void build_esp(struct build *b)
{
    uint8_t *t = synth_packet_transport(b->p);
    b->p->proto = 50; /* RFC 4303: SPI, sequence, what nobody can read */
    b->p->ttl = ttl_after(b, 64);
    b->p->length = 40;
    any_id(b, -1);
    intend(b, SYNTH_OTHER_IP, SYNTH_NO_PORTS, 0);
    synth_put32(t, (uint32_t)b->traits->detail | 0x100);
    synth_put32(t + 4, (uint32_t)(b->bits >> 32));
    for (unsigned i = 8; i < 40; i += 4)
        synth_put32(t + i, (uint32_t)random_next(b->random));
}

/* UDP whose IP length, or whose own length, says more than came. */
static void build_malformed(struct build *b)
{
    uint8_t *t = synth_packet_transport(b->p);
    b->p->ttl = ttl_after(b, 64);
    any_id(b, -1);
    intend(b, SYNTH_MALFORMED_UDP, SYNTH_UDP_HEADER, b->port);
    put_payload(b, synth_payload_probe(0), any_source_port(b));
    synth_put16(t + 4, (uint16_t)(b->p->length + 40));
    synth_put16(t + 6, 0);
    if (b->bits >> 32 & 1)
        b->p->claim = 40;
}

size_t synth_form_build(struct synth_packet *p, const struct synth_traits *traits, uint16_t port,
                        struct random_stream *random, struct synth_intent *intent)
{
    struct build b = {.p = p,
                      .traits = traits,
                      .random = random,
                      .intent = intent,
                      .port = port,
                      .bits = random_next(random)};
    p->id = p->fragment = p->claim = 0;
    p->router_alert = 0;
    intent->tools = intent->meant = 0;
    switch ((enum synth_form)traits->program->form) {
    case FORM_UDP:
    case FORM_UDP_ZMAP:
        build_udp(&b);
        break;
    case FORM_PING:
    case FORM_PING_ZMAP:
    case FORM_ECHO_REPLY:
        build_ping(&b);
        break;
    case FORM_SYNACK:
    case FORM_RST:
        build_tcp_answer(&b);
        break;
    case FORM_ICMP_ERROR:
        build_icmp_error(&b);
        break;
    case FORM_DNS_ANSWER:
    case FORM_DHT:
        build_udp_answer(&b);
        break;
    case FORM_UDP_EMPTY:
    case FORM_EXPLOIT_UDP:
    case FORM_AMPLIFY:
    case FORM_REFLECTED:
        build_udp_cast(&b);
        break;
    case FORM_TCP_DATA:
    case FORM_EXPLOIT_TCP:
        build_tcp_data(&b);
        break;
    case FORM_TCP_ODD:
        build_tcp_odd(&b);
        break;
    case FORM_FRAGMENT:
        build_fragment(&b);
        break;
    case FORM_IGMP:
        build_igmp(&b);
        break;
    case FORM_ESP:
        build_esp(&b);
        break;
    case FORM_MALFORMED:
        build_malformed(&b);
        break;
    default:
        build_syn(&b);
        break;
    }
    return synth_packet_finish(p);
}
