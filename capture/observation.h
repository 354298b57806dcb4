/* observation: what one packet said, in 80 bytes.
 *
 * `decode` fills it, nothing changes it afterwards but the receiver
 * (slot, payload_at, payload_caught; the source where it is the telescope's own). Numbers are in host order, addresses in network
 * order. A field is zero where the packet does not hold it; the state bits
 * say which headers were there. Fields describe the layer that is counted:
 * the outermost IP header, or the innermost one reached where `decap` was
 * asked for.
 */
#ifndef CAPTURE_OBSERVATION_H
#define CAPTURE_OBSERVATION_H

#include <assert.h>
#include <stdint.h>

/* Which headers were there, and what was odd about them. */
enum observation_state {
    OBSERVATION_IP = 1 << 0,        /* addresses are valid; ip_version says which */
    OBSERVATION_TRANSPORT = 1 << 1, /* first fragment or whole packet, of TCP, UDP, ICMP or ICMPv6,
                                         and the packet held some of that header on the wire; what of
                                         it was caught the bits below say */
    OBSERVATION_FRAGMENT = 1 << 2,  /* fragment offset > 0: no transport header */
    OBSERVATION_MORE = 1 << 3,      /* more fragments follow */
    OBSERVATION_MALFORMED = 1 << 4, /* a header says more than the packet held on the wire */
    OBSERVATION_SNAPPED = 1 << 5,   /* cut by the snap length before what decides the kind */
    OBSERVATION_TCP_FLAGS =
        1 << 6, /* tcp_flags, tcp_seq, tcp_header_len are valid: 16 bytes are there
                                         and the header claims its fixed 20 at least */
    OBSERVATION_UNWRAPPED = 1 << 7,    /* at least one tunnel was taken off */
    OBSERVATION_DF = 1 << 8,           /* IPv4: don't fragment */
    OBSERVATION_QUOTED = 1 << 9,       /* the payload is an ICMP error's quoted packet */
    OBSERVATION_TCP_WINDOW = 1 << 10,  /* tcp_window is valid; comes with TCP_FLAGS */
    OBSERVATION_TCP_OPTIONS = 1 << 11, /* tcp_options holds the first 4 option bytes */
    OBSERVATION_PORTS = 1 << 12,    /* src_port and dst_port are valid (TCP, UDP; 4 bytes there) */
    OBSERVATION_RESERVED = 1 << 13, /* IPv4: the flag that RFC 791 reserves is set */
    OBSERVATION_DARK_SOURCE =
        1 << 14,                /* src was an address of the telescope, and is the unspecified one
                                          (classify/telescope.h) */
    OBSERVATION_SELF = 1 << 15, /* comes with DARK_SOURCE: it was dst */
};

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

enum { /* IANA protocol numbers that have a kind of their own */
       IPPROTO_NR_ICMP = 1,
       IPPROTO_NR_IGMP = 2,
       IPPROTO_NR_TCP = 6,
       IPPROTO_NR_UDP = 17,
       IPPROTO_NR_ICMPV6 = 58,
};

/* What the options of a SYN are, byte for byte but for time stamps; the forms that a tool is known by. */
enum tcp_layout {
    TCP_LAYOUT_OTHER,   /* anything else, options that were not caught, no SYN */
    TCP_LAYOUT_NONE,    /* no options */
    TCP_LAYOUT_MSS,     /* MSS 1460 */
    TCP_LAYOUT_WINDOWS, /* MSS 1460, NOP, window scale 8, NOP, NOP, SACK permitted */
    TCP_LAYOUT_LINUX,   /* MSS 1460, SACK permitted, time stamps, NOP, window scale 7 */
    TCP_LAYOUT_BSD, /* MSS 1460, NOP, window scale 6, NOP, NOP, time stamps, SACK permitted, end */
};

struct observation {
    int64_t ts_ns;   /* capture time, ns since 1970-01-01 UTC */
    uint8_t src[16]; /* IPv4: the first 4 bytes, the rest zero */
    uint8_t dst[16];
    uint32_t wire_len; /* bytes on the wire, link header included */
    uint32_t tcp_seq;
    uint32_t tcp_options; /* first 4 option bytes as one big-endian number */
    uint16_t src_port;    /* TCP and UDP */
    uint16_t dst_port;
    uint16_t ip_id; /* IPv4 only */
    union {
        uint16_t tcp_window; /* as in the header, not scaled */
        uint16_t udp_length; /* UDP: 0, but of a first fragment what its header states,
                                if that is more than the packet holds */
    };
    uint16_t tcp_flags;      /* 12 bits, low 8 as TCP_* */
    uint16_t payload_len;    /* transport payload by the IP lengths, never by caplen;
                                0 where there is no transport header */
    uint32_t payload_at;     /* offset of the payload: in the frame after decode, in the
                                batch's payload area once batched */
    uint16_t payload_caught; /* payload bytes that are there (frame), then copied (batch) */
    uint16_t state;          /* enum observation_state */
    uint8_t ip_version;      /* 4, 6; 0: no readable IP header */
    uint8_t ip_proto;        /* transport, behind IPv6 extension headers */
    uint8_t ttl;             /* or hop limit */
    uint8_t tcp_header_len;  /* bytes, as claimed */
    union {
        uint8_t icmp_type;  /* ICMP and ICMPv6 */
        uint8_t tcp_layout; /* TCP: enum tcp_layout; UDP: 0 */
    };
    union {
        uint8_t icmp_code; /* ICMP and ICMPv6 */
        uint8_t tos;       /* every other packet: type of service, or traffic class */
    };
    uint8_t vlan_depth; /* tags taken off, all layers */
    uint8_t slot;       /* window slot (set by the receiver) */
};

static_assert(sizeof(struct observation) == 80, "an observation is 80 bytes");

#endif
