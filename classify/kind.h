/* kind: what an observation is evidence of.
 *
 * The first rule that holds gives the kind; "there" means that the capture holds the bytes.
 *
 *    1 malformed         a header says more than the packet held on the wire (state MALFORMED)
 *    2 non_ip            no readable IPv4 or IPv6 header (ARP, LLDP, an IP header cut short)
 *    3 outside           a telescope is configured and the destination address is not in it
 *    4 fragment          fragment offset > 0
 *   TCP (protocol 6); flags that are not there count as 0, payload by the IP lengths
 *    5 backscatter_tcp   RST, or SYN and ACK together, whatever other flags are set
 *    6 tcp_syn           SYN without ACK, RST, FIN
 *    7 tcp_data          ACK without SYN, RST, and payload > 0; FIN is allowed
 *    8 tcp_other         every other TCP packet: FIN, NULL, XMAS, bare ACK, SYN+FIN, no flags there
 *   UDP (protocol 17)
 *    9 backscatter_udp   an answer by source port and form (udp_form.h), to no control group of one link
 *   10 stray             NetBIOS broadcast: IPv4, source port = destination port = 137 or 138,
 *                        destination ends in .255 (255.255.255.255 included; nobody here knows
 *                        the sender's subnet); to a control group of one link; peer-to-peer by form
 *                        (both udp_form.h)
 *   11 udp               every other UDP packet, ports there or not
 *   ICMP (protocol 1 in IPv4) and ICMPv6 (58 in IPv6)
 *   12 icmp              type and code not there
 *   13 by the type       the table of kind_icmp.c: backscatter_icmp, stray or icmp
 *   The rest
 *   14 stray             IGMP (protocol 2)
 *   15 other_ip          every other protocol, ICMP in IPv6 and ICMPv6 in IPv4 among them
 *
 * The ICMP table in short (every type has its row and IANA's name in kind_icmp.c):
 *
 *   ICMP    backscatter_icmp  0 3 4 5 11 12 14 16 18 30 31 34 36 38 40 43
 *           stray             9 10 (router discovery: link-local)
 *           icmp              every other type, unassigned ones too
 *   ICMPv6  backscatter_icmp  0-127 (RFC 4443: a clear top bit means error) 129 140 145 147 161
 *           stray             130-137 141-143 148 149 151-153 155 157-159 (MLD, NDP, SEND,
 *                             multicast router discovery, RPL, MPL: link-local control)
 *           icmp              every other type
 *
 * Pure functions, any thread.
 */
#ifndef CLASSIFY_KIND_H
#define CLASSIFY_KIND_H

#include "capture/observation.h"
#include "classify/label.h"
#include "classify/udp_form.h"

#include <stdbool.h>

/* A type of ICMP: the name in IANA's registry and the kind. */
struct kind_icmp_type {
    const char *name;
    uint8_t kind; /* enum kind */
};

/* [0] ICMP, [1] ICMPv6; by type. */
extern const struct kind_icmp_type kind_icmp_types[2][256];

/* By [payload > 0] and the low 5 flag bits (FIN SYN RST PSH ACK): enum kind. */
extern const uint8_t kind_tcp_table[2][32];

/* By the table; `ip_version` tells ICMP (4) from ICMPv6 (6). */
static inline enum kind kind_of_icmp(unsigned ip_version, uint8_t type)
{
    return (enum kind)kind_icmp_types[ip_version == 6][type].kind;
}

/* A type of 0 may also mean that there is none: decode says SNAPPED, or sets no TRANSPORT. */
static inline bool kind_has_icmp_type(const struct observation *o)
{
    return (o->state & (OBSERVATION_TRANSPORT | OBSERVATION_SNAPPED)) == OBSERVATION_TRANSPORT;
}

static inline bool kind_is_netbios_broadcast(const struct observation *o)
{
    return (o->dst_port == 137 || o->dst_port == 138) && o->src_port == o->dst_port &&
           o->ip_version == 4 && o->dst[3] == 255;
}

/* The kind of a TCP packet that none of rules 1 to 4 holds for. */
static inline enum kind kind_of_tcp(const struct observation *o)
{
    return (enum kind)kind_tcp_table[o->payload_len > 0][o->tcp_flags & 0x1f];
}

/* The form of a UDP packet's payload; UDP_FORM_NONE of every other packet. `payload`: its
 * payload_caught bytes; NULL: they are not at hand, and no form is told but of an empty payload. */
static inline enum udp_form_id kind_form(const struct observation *o, const uint8_t *payload)
{
    enum { PORTS = OBSERVATION_PORTS, CUT = OBSERVATION_SNAPPED | OBSERVATION_MALFORMED };
    if (o->ip_proto != IPPROTO_NR_UDP || (o->state & (PORTS | CUT)) != PORTS ||
        (!payload && o->payload_len))
        return UDP_FORM_NONE;
    /* Lengths that a form has inside are of the datagram, also where its first fragment is all there is. */
    uint32_t len = o->udp_length ? o->udp_length - 8u : o->payload_len;
    return udp_form_of(o->src_port, o->dst_port,
                       &(struct udp_payload){payload, o->payload_caught, len});
}

/* The kind of a UDP packet by its form alone. */
static inline enum kind kind_of_form(enum udp_form_id form)
{
    static const uint8_t kinds[] = {[UDP_PLAIN] = KIND_udp,
                                    [UDP_ANSWER] = KIND_backscatter_udp,
                                    [UDP_STRAY] = KIND_stray,
                                    [UDP_ASKS] = KIND_udp};
    return (enum kind)kinds[udp_forms[form].class];
}

/* The kind of a UDP packet that none of rules 1 to 4 holds for. */
static inline enum kind kind_of_udp(const struct observation *o, enum udp_form_id form)
{
    if (udp_group_of(o) || kind_is_netbios_broadcast(o))
        return KIND_stray;
    return kind_of_form(form);
}

/* `form`: as kind_form() says. `inside`: whether the destination belongs to the telescope (true where none
 * is configured). */
static inline enum kind kind_of(const struct observation *o, enum udp_form_id form, bool inside)
{
    if (o->state & OBSERVATION_MALFORMED)
        return KIND_malformed;
    if (o->ip_version == 0)
        return KIND_non_ip;
    if (!inside)
        return KIND_outside;
    if (o->state & OBSERVATION_FRAGMENT)
        return KIND_fragment;
    if (o->ip_proto == IPPROTO_NR_TCP)
        return kind_of_tcp(o);
    if (o->ip_proto == IPPROTO_NR_UDP)
        return kind_of_udp(o, form);
    if (o->ip_proto == (o->ip_version == 4 ? IPPROTO_NR_ICMP : IPPROTO_NR_ICMPV6))
        return kind_has_icmp_type(o) ? kind_of_icmp(o->ip_version, o->icmp_type) : KIND_icmp;
    return o->ip_proto == IPPROTO_NR_IGMP ? KIND_stray : KIND_other_ip;
}

/* One line that defines the kind, and what of it is not told yet (NULL: nothing is left out). */
const char *kind_definition(enum kind kind);
const char *kind_limit(enum kind kind);

#endif
