/* synth_mix: who sends in a synthetic darknet, with what program, to which ports.
 *
 * A source is an index (its rank: 0 sends most under the heavy-tailed profile); its
 * traits are a function of seed and index alone, so no table of sources exists.
 * The shares are modelled on public darknet reports: survey scanners are few sources
 * and half of the packets, port 23 leads what the others send.
 */
#ifndef CAPTURE_SYNTH_MIX_H
#define CAPTURE_SYNTH_MIX_H

#include <stdbool.h>
#include <stdint.h>

/* Programs and their packets; synth_form.c has the bytes. */
enum synth_form {
    /* TCP SYN */
    FORM_MIRAI,
    FORM_ZMAP_CLASSIC,
    FORM_ZMAP_MSS,
    FORM_MASSCAN_OLD,
    FORM_MASSCAN_NEW,
    FORM_NMAP,
    FORM_LINUX,
    FORM_WINDOWS,
    FORM_WINDOWS_OLD,
    FORM_BSD,
    FORM_EMBEDDED,
    FORM_FLOOD, /* a packet generator: no options, an initial TTL of 255 */
    FORM_SYN_COUNT,
    /* other scanning */
    FORM_UDP = FORM_SYN_COUNT,
    FORM_UDP_ZMAP,
    FORM_PING,
    FORM_PING_ZMAP,
    /* answers to packets that were never sent */
    FORM_SYNACK,
    FORM_RST,
    FORM_ICMP_ERROR,
    FORM_ECHO_REPLY,
    FORM_DNS_ANSWER,
    /* the rest */
    FORM_DHT,
    FORM_TCP_DATA,
    FORM_TCP_ODD,
    FORM_FRAGMENT,
    FORM_IGMP,
    FORM_ESP,
    FORM_MALFORMED,
    /* only where a cast (synth_cast.h) has them */
    FORM_UDP_EMPTY,   /* UDP without payload */
    FORM_EXPLOIT_UDP, /* by port: an IoT exploit, or its vendor's protocol */
    FORM_EXPLOIT_TCP,
    FORM_AMPLIFY,   /* by port: a request that a reflector would answer at length */
    FORM_REFLECTED, /* the port is the reflector's own; goes to an ephemeral one */
};

/* Which ports a program is after. */
enum synth_ports {
    PORTS_MIRAI,
    PORTS_IOT,
    PORTS_LINUX,
    PORTS_WINDOWS,
    PORTS_SURVEY,
    PORTS_UDP,
    PORTS_TABLES,
    PORTS_EPHEMERAL = PORTS_TABLES, /* answers go to the port that was spoofed */
    PORTS_NONE,
};

/* How many ports a source of the program uses. */
enum synth_spread { SPREAD_FEW, SPREAD_SOME, SPREAD_SURVEY };

struct synth_program {
    uint8_t form, ports, spread, ip_version;
    uint16_t head, tail; /* weight among the few sources that send most, among the rest */
};

enum { MIX_TABLE = 1024 };

struct synth_mix {
    uint64_t seed;
    uint64_t sources;
    uint64_t head;             /* sources of rank below this belong to the head */
    uint32_t ports_per_source; /* 0: by spread */
    uint64_t octave_total;     /* see synth_mix_rank */
    uint8_t head_program[MIX_TABLE], tail_program[MIX_TABLE];
    uint16_t ports[PORTS_TABLES][MIX_TABLE]; /* 0: any port */
};

struct synth_traits {
    const struct synth_program *program;
    uint64_t detail;     /* bits for everything that a source keeps */
    uint32_t port_count; /* at least 1; 1 where the program has no ports */
    uint8_t main_share;  /* of 256 packets, how many go to port slot 0 */
};

/* `with_ipv6`: whether the telescope has IPv6; without, IPv4 takes that share. */
void synth_mix_init(struct synth_mix *mix, uint64_t seed, uint64_t sources,
                    uint32_t ports_per_source, bool with_ipv6);

/* Draws a source for one packet: the first 16 ranks alike, then as many packets to each
 * doubling of the rank (a power law with exponent 1). */
uint32_t synth_mix_rank(const struct synth_mix *mix, uint64_t random);

void synth_mix_traits(const struct synth_mix *mix, uint32_t source, struct synth_traits *traits);

/* The destination port in a source's slot (0 to port_count - 1). With ports_per_source, the
 * ports of one source's slots differ. */
uint16_t synth_mix_port(const struct synth_mix *mix, const struct synth_traits *traits,
                        uint32_t slot);

#endif
