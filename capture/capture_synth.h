/* capture_synth: seeded darknet traffic whose answers are known.
 *
 * A capture backend like any other, and beside each frame its *intent*: what the
 * generator meant that packet to be, from which answers are counted without
 * decoding anything. The same settings give the same frames on every machine.
 * Memory does not grow with packets or sources: everything about a source
 * (address, program, ports) is computed from its index.
 *
 * What is promised:
 *   - exactly `sources` distinct source addresses where packets >= sources (the
 *     first `packets` of them otherwise); none lies in the telescope;
 *   - no packet matches a tool's rule by chance: an identification or sequence
 *     number that would is drawn again;
 *   - timestamps ascend (but for disorder_ns) within [start, start + span).
 * The mix (programs, ports, payloads, sizes) is in synth_mix.c and synth_form.c.
 */
#ifndef CAPTURE_CAPTURE_SYNTH_H
#define CAPTURE_CAPTURE_SYNTH_H

#include "capture/capture.h"

/* A prefix of the telescope; address as in struct observation. */
struct synth_prefix {
    uint8_t address[16]; /* host bits zero */
    uint8_t bits;        /* IPv4: 8 to 32; IPv6: 16 to 128 */
    uint8_t ip_version;  /* 4, 6 */
};

enum synth_profile {
    SYNTH_HEAVY_TAILED, /* few sources send most; first appearances spread over the span */
    SYNTH_UNIFORM,      /* every source once (per port), then each packet from any source */
};

struct capture_synth_settings {
    uint64_t packets;          /* at least 1 */
    uint64_t sources;          /* 1 to 2^30 */
    int64_t start_ns, span_ns; /* since 1970-01-01 UTC, >= 0; span at least 1 */
    uint64_t seed;
    uint32_t ports_per_source; /* 0: as each source's program does. 1 to 65536: exactly that many
                                  (protocol, port) per source where packets suffice; the mix is
                                  then without sources that have no ports */
    int64_t disorder_ns;       /* each timestamp is set back by up to this, never before start */
    uint16_t vlan;             /* 1 to 4094: tagged frames; 0: none */
    enum synth_profile profile;
    const struct synth_prefix *telescope; /* at least one IPv4 prefix, no overlaps */
    size_t telescope_count;
};

/* What a packet is meant to be. Each is finer than a kind, so that later kinds
 * need no new traffic. */
enum synth_sort {
    SYNTH_TCP_SYN,
    SYNTH_TCP_SYNACK,
    SYNTH_TCP_RST,
    SYNTH_TCP_DATA,
    SYNTH_TCP_OTHER,
    SYNTH_UDP,         /* a probe, first fragments included */
    SYNTH_UDP_ANSWER,  /* a DNS response */
    SYNTH_UDP_P2P,     /* BitTorrent DHT */
    SYNTH_ICMP_PROBE,  /* echo request */
    SYNTH_ICMP_ANSWER, /* echo reply or error */
    SYNTH_IGMP,
    SYNTH_FRAGMENT,
    SYNTH_OTHER_IP,
    SYNTH_MALFORMED_UDP, /* whole UDP header; IP or UDP length beyond the wire */
    SYNTH_SORT_COUNT,
};

enum synth_tool {
    SYNTH_MIRAI = 1 << 0,
    SYNTH_ZMAP = 1 << 1,
    SYNTH_MASSCAN = 1 << 2,
    SYNTH_NMAP = 1 << 3,
    SYNTH_ZMAP4 = 1 << 4,
    SYNTH_HAJIME = 1 << 5,
};

/* What a packet's payload is meant to be, beside its sort. */
enum synth_meant {
    SYNTH_MEANT_IOT = 1 << 0, /* an exploit, login or vendor protocol that only IoT devices have */
    SYNTH_MEANT_EXPLOIT = 1 << 1, /* an exploit or its login; IOT is set, too */
    SYNTH_MEANT_AMPLIFY = 1 << 2, /* a request whose source is the victim */
};

enum synth_header { SYNTH_NO_PORTS, SYNTH_TCP, SYNTH_UDP_HEADER, SYNTH_ICMP };

struct synth_intent {
    int64_t ts_ns;
    uint32_t source; /* 0 to sources - 1 */
    uint32_t wire_len;
    uint64_t destination; /* 0 to capture_synth_destinations() - 1 */
    uint16_t dst_port;    /* TCP and UDP headers */
    uint8_t sort;         /* enum synth_sort */
    uint8_t header;       /* enum synth_header: the transport header that is there */
    uint8_t tools;        /* set of enum synth_tool whose rule the packet matches */
    uint8_t ip_version;
    uint8_t meant; /* set of enum synth_meant */
};

/* Returns 0, -EINVAL with the setting and its value in the fault, -ENOMEM. *out is NULL on
 * failure; else close through its ops. `telescope` is copied. */
int capture_synth_create(struct capture **out, const struct capture_synth_settings *settings,
                         struct fault *fault);

/* Intents of the last burst, in its order; valid until the next. */
const struct synth_intent *capture_synth_intents(const struct capture *c);

/* Number of addresses that packets may be sent to: all of an IPv4 prefix, up to 65,536 of
 * an IPv6 prefix. */
uint64_t capture_synth_destinations(const struct capture *c);

#endif
