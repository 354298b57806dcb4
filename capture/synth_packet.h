/* synth_packet: Ethernet, IP, TCP, UDP and ICMP headers, written with right checksums.
 *
 * Builds from the inside out: the transport is written at synth_packet_transport(),
 * then synth_packet_finish puts IP and link header before it. Any thread, each with its own
 * packet.
 */
#ifndef CAPTURE_SYNTH_PACKET_H
#define CAPTURE_SYNTH_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum {
    SYNTH_FRAME_MAX = 640, /* largest frame */
    SYNTH_LINK_MAX = 18,   /* Ethernet with one tag */
    SYNTH_PAYLOAD_MAX = 480,
};

struct synth_packet {
    uint8_t src[16], dst[16]; /* IPv4: the first 4 bytes, the rest zero */
    uint8_t ip_version;
    uint8_t proto; /* IANA number; ICMP is turned into ICMPv6 by the forms */
    uint8_t ttl;
    uint8_t router_alert; /* IPv4: 4 bytes of option (RFC 2113) */
    uint16_t id;          /* IPv4 */
    uint16_t fragment;    /* IPv4: flags and offset as in the header */
    uint16_t vlan;        /* 0: untagged */
    uint16_t claim;       /* bytes that the IP length says beyond the frame's end */
    uint16_t length;      /* transport bytes, header and payload */
    uint8_t *bytes;       /* SYNTH_FRAME_MAX */
};

struct synth_tcp {
    uint32_t seq, ack;
    uint16_t src_port, dst_port, window;
    uint8_t flags;
    uint8_t option_len; /* multiple of 4 */
    const uint8_t *options;
    const void *payload;
    uint16_t payload_len;
};

static inline void synth_put16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static inline void synth_put32(uint8_t *at, uint32_t v)
{
    synth_put16(at, (uint16_t)(v >> 16));
    synth_put16(at + 2, (uint16_t)v);
}

static inline uint32_t synth_get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Where the transport header goes. */
uint8_t *synth_packet_transport(const struct synth_packet *p);

/* Each writes header, payload and checksum at the transport and sets proto and length. */
void synth_packet_tcp(struct synth_packet *p, const struct synth_tcp *tcp);
void synth_packet_udp(struct synth_packet *p, uint16_t src_port, uint16_t dst_port,
                      const void *payload, uint16_t payload_len);
/* `rest`: bytes 4 to 7 of the header. ICMPv6 where the packet is IPv6. `payload` may stand at
 * its place already. */
void synth_packet_icmp(struct synth_packet *p, uint8_t type, uint8_t code, uint32_t rest,
                       const void *payload, uint16_t payload_len);

/* An IPv4 or IPv6 header at `at` for the fields of *p and `length` bytes behind it; returns its
 * size. */
size_t synth_packet_ip(const struct synth_packet *p, uint8_t *at, size_t length);

/* Link and IP header; returns the frame's length. The frame begins at p->bytes. */
size_t synth_packet_finish(struct synth_packet *p);

/* Internet checksum (RFC 1071) over `len` bytes and, where `pseudo`, the pseudo header of *p:
 * ready to be stored with synth_put16. */
uint16_t synth_packet_checksum(const struct synth_packet *p, const uint8_t *at, size_t len,
                               int pseudo);

#endif
