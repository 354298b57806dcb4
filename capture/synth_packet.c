#include "capture/synth_packet.h"

#include "capture/observation.h"

#include <endian.h>
#include <string.h>

enum { ETHERNET = 14, VLAN_TAG = 4, IP4 = 20, IP6 = 40, ROUTER_ALERT = 4 };

static size_t link_size(const struct synth_packet *p)
{
    return ETHERNET + (p->vlan ? VLAN_TAG : 0);
}

static size_t ip_size(const struct synth_packet *p)
{
    return p->ip_version == 6 ? IP6 : IP4 + (p->router_alert ? ROUTER_ALERT : 0);
}

uint8_t *synth_packet_transport(const struct synth_packet *p)
{
    return p->bytes + link_size(p) + ip_size(p);
}

/* Sums 32-bit words as they lie in memory: the sum of 16-bit words does not depend on byte
 * order (RFC 1071, 2), so only the result is turned. */
static uint64_t sum_add(uint64_t sum, const uint8_t *at, size_t len)
{
    uint32_t word;
    for (; len >= 4; at += 4, len -= 4) {
        memcpy(&word, at, 4);
        sum += word;
    }
    word = 0;
    memcpy(&word, at, len);
    return sum + word;
}

static uint16_t sum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~be16toh((uint16_t)sum);
}

uint16_t synth_packet_checksum(const struct synth_packet *p, const uint8_t *at, size_t len,
                               int pseudo)
{
    uint64_t sum = sum_add(0, at, len);
    if (pseudo) {
        size_t address = p->ip_version == 6 ? 16 : 4;
        sum = sum_add(sum, p->src, address);
        sum = sum_add(sum, p->dst, address);
        sum += htobe16((uint16_t)len);
        sum += htobe16(p->proto);
    }
    return sum_fold(sum);
}

void synth_packet_tcp(struct synth_packet *p, const struct synth_tcp *tcp)
{
    uint8_t *t = synth_packet_transport(p);
    size_t header = 20u + tcp->option_len;
    p->proto = IPPROTO_NR_TCP;
    p->length = (uint16_t)(header + tcp->payload_len);
    synth_put16(t, tcp->src_port);
    synth_put16(t + 2, tcp->dst_port);
    synth_put32(t + 4, tcp->seq);
    synth_put32(t + 8, tcp->ack);
    t[12] = (uint8_t)(header << 2);
    t[13] = tcp->flags;
    synth_put16(t + 14, tcp->window);
    synth_put32(t + 16, 0);
    if (tcp->option_len)
        memcpy(t + 20, tcp->options, tcp->option_len);
    if (tcp->payload_len)
        memcpy(t + header, tcp->payload, tcp->payload_len);
    synth_put16(t + 16, synth_packet_checksum(p, t, p->length, 1));
}

void synth_packet_udp(struct synth_packet *p, uint16_t src_port, uint16_t dst_port,
                      const void *payload, uint16_t payload_len)
{
    uint8_t *t = synth_packet_transport(p);
    p->proto = IPPROTO_NR_UDP;
    p->length = (uint16_t)(8 + payload_len);
    synth_put16(t, src_port);
    synth_put16(t + 2, dst_port);
    synth_put16(t + 4, p->length);
    synth_put16(t + 6, 0);
    if (payload_len)
        memcpy(t + 8, payload, payload_len);
    uint16_t sum = synth_packet_checksum(p, t, p->length, 1);
    synth_put16(t + 6, sum ? sum : 0xffff); /* 0 would mean: no checksum */
}

void synth_packet_icmp(struct synth_packet *p, uint8_t type, uint8_t code, uint32_t rest,
                       const void *payload, uint16_t payload_len)
{
    uint8_t *t = synth_packet_transport(p);
    p->proto = p->ip_version == 6 ? IPPROTO_NR_ICMPV6 : IPPROTO_NR_ICMP;
    p->length = (uint16_t)(8 + payload_len);
    t[0] = type;
    t[1] = code;
    synth_put16(t + 2, 0);
    synth_put32(t + 4, rest);
    if (payload_len && payload != t + 8)
        memcpy(t + 8, payload, payload_len);
    synth_put16(t + 2, synth_packet_checksum(p, t, p->length, p->ip_version == 6));
}

size_t synth_packet_ip(const struct synth_packet *p, uint8_t *at, size_t length)
{
    if (p->ip_version == 6) {
        synth_put32(at, UINT32_C(6) << 28);
        synth_put16(at + 4, (uint16_t)(length + p->claim));
        at[6] = p->proto;
        at[7] = p->ttl;
        memcpy(at + 8, p->src, 16);
        memcpy(at + 24, p->dst, 16);
        return IP6;
    }
    size_t header = ip_size(p);
    at[0] = (uint8_t)(0x40 | header / 4);
    at[1] = 0;
    synth_put16(at + 2, (uint16_t)(header + length + p->claim));
    synth_put16(at + 4, p->id);
    synth_put16(at + 6, p->fragment);
    at[8] = p->ttl;
    at[9] = p->proto;
    synth_put16(at + 10, 0);
    memcpy(at + 12, p->src, 4);
    memcpy(at + 16, p->dst, 4);
    if (p->router_alert)
        synth_put32(at + 20, UINT32_C(0x94040000));
    synth_put16(at + 10, synth_packet_checksum(p, at, header, 0));
    return header;
}

size_t synth_packet_finish(struct synth_packet *p)
{
    /* Locally administered addresses: the telescope's port, then the router before it. */
    static const uint8_t macs[12] = {0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02};
    uint8_t *at = p->bytes;
    memcpy(at, macs, sizeof macs);
    if (p->vlan) {
        synth_put16(at + 12, 0x8100);
        synth_put16(at + 14, p->vlan);
        at += VLAN_TAG;
    }
    synth_put16(at + 12, p->ip_version == 6 ? 0x86dd : 0x0800);
    size_t header = synth_packet_ip(p, at + ETHERNET, p->length);
    return link_size(p) + header + p->length;
}
