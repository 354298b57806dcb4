/* decode_check: what holds for every observation of decode, whatever the bytes. For its test
 * and its fuzz target. */
#ifndef TEST_DECODE_CHECK_H
#define TEST_DECODE_CHECK_H

#include "capture/decode_layers.h"

#include <string.h>

/* NULL, or what does not hold. */
static inline const char *decode_check(const struct frame *f, const struct observation *o)
{
    static const uint8_t none[16];
    unsigned s = o->state;
    bool ports = o->ip_proto == IPPROTO_NR_TCP || o->ip_proto == IPPROTO_NR_UDP;
    bool icmp = o->ip_proto == IPPROTO_NR_ICMP || o->ip_proto == IPPROTO_NR_ICMPV6;
    if (o->ts_ns != f->ts_ns || o->wire_len != f->wire_len)
        return "time and length are the frame's";
    if ((uint64_t)o->payload_at + o->payload_caught > f->caplen)
        return "the payload lies within what was caught";
    if (o->payload_caught > o->payload_len)
        return "no more payload than the lengths say";
    if (((s & OBSERVATION_IP) != 0) != (o->ip_version != 0))
        return "IP says that there is a version";
    if (!(s & OBSERVATION_IP) &&
        (memcmp(o->src, none, 16) || memcmp(o->dst, none, 16) || o->ip_proto ||
         s & (OBSERVATION_TRANSPORT | OBSERVATION_FRAGMENT | OBSERVATION_MORE)))
        return "nothing without an IP header";
    if (o->ip_version == 4 && (memcmp(o->src + 4, none, 12) || memcmp(o->dst + 4, none, 12)))
        return "an IPv4 address has 4 bytes";
    if (s & OBSERVATION_FRAGMENT && s & (OBSERVATION_TRANSPORT | OBSERVATION_PORTS))
        return "a later fragment has no transport header";
    if (s & OBSERVATION_TRANSPORT && !ports && !icmp)
        return "a transport is TCP, UDP, ICMP or ICMPv6";
    if (s & OBSERVATION_PORTS && !(s & OBSERVATION_TRANSPORT && ports))
        return "ports are of TCP and UDP";
    if (!(s & OBSERVATION_PORTS) && (o->src_port || o->dst_port))
        return "ports only where they are valid";
    if (s & OBSERVATION_TCP_FLAGS && !(s & OBSERVATION_PORTS && o->tcp_header_len >= 20))
        return "flags are of a TCP header of 20 bytes or more";
    if (((s & OBSERVATION_TCP_FLAGS) != 0) != ((s & OBSERVATION_TCP_WINDOW) != 0))
        return "window and flags come together";
    if (o->ip_proto == IPPROTO_NR_UDP && o->udp_length &&
        !(s & OBSERVATION_MORE &&
          (o->udp_length >= o->payload_len + 8 || s & OBSERVATION_MALFORMED)))
        return "a datagram longer than the packet goes on in fragments";
    if (s & OBSERVATION_TCP_OPTIONS && !(s & OBSERVATION_TCP_FLAGS && o->tcp_header_len >= 24))
        return "options lie behind the fixed header";
    if (s & OBSERVATION_QUOTED && !(icmp && o->payload_len))
        return "ICMP quotes in its payload";
    if (o->payload_len && !(s & OBSERVATION_TRANSPORT))
        return "payload is behind a transport header";
    if (o->vlan_depth > DECODE_DEPTH)
        return "tags to a depth of 8";
    return NULL;
}

#endif
