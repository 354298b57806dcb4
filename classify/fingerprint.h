/* fingerprint: which programs' packets look like this one.
 *
 * A packet *matches*; chance hits exist (1 in 65,536 for rules on the IP id), so a source is said to
 * *use* a tool by a rule of its own over its packets (fingerprint_uses). All rules need the TCP header
 * readable and look at SYN without ACK, RST, FIN, except zmap and what payload_tool.h says; the packet's kind
 * does not matter.
 *
 *   mirai    IPv4, sequence number == destination address
 *            (Mirai source, 2016: tcph->seq = iph->daddr)
 *   zmap     any IPv4 packet with identification 54321
 *            (ZMap before 4.1.0, 2024-03-21, which randomised it)
 *   masscan  IPv4, identification == low 16 bits of (destination ^ port ^ sequence), and not
 *            mirai (masscan source; all SYN of three pure traces agree). Two header forms are
 *            known: window 1024 without options (to 2023-11), window 1025 with MSS 1460 (since
 *            commit 4f89257)
 *   nmap     window 1024 and options exactly 02 04 05 b4 (nmap source, -sS)
 *   zmap4    what ZMap since 4.1.0 still sends alike: IPv4, no DF, TOS 0, TTL up to 64 (it starts there),
 *            window 65535, source port 32768 to 61000, the options of one of its four layouts
 *            (--probe-args: windows, linux, bsd, smallest-probes). No packet with identification 54321:
 *            that is zmap's. Not told: ZMap 4 with other source ports or TTL, ZMap's other modules, and a
 *            program that copied these headers
 *   hajime   window 14600 with options (the kernel connects), port 23, 5358, 5555, 7547 or 9000, and not
 *            mirai. Any old Linux sends such a SYN when it connects to such a port
 *   unicornscan  its default form (of 12 that -W names): IPv4, no DF, TOS 0, TTL above 128 (it starts
 *            at 255), window 4128, MSS 1460 alone, source port from 4096 on. It copies Cisco IOS, whose own
 *            connections look alike; unicornscan_step() tells the two apart over a source's packets
 *   mirai_variant  matches mirai in a header that the published source never sends: options, DF,
 *            TTL above 64, or a source port below 1024. A variant, or its packets rewritten on the way
 */
#ifndef CLASSIFY_FINGERPRINT_H
#define CLASSIFY_FINGERPRINT_H

#include "capture/observation.h"
#include "classify/label.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    FINGERPRINT_ZMAP_ID = 54321,
    FINGERPRINT_NMAP_WINDOW = 1024,
    FINGERPRINT_MSS_1460 = 0x020405b4, /* option bytes 02 04 05 b4 */
    FINGERPRINT_ZMAP4_WINDOW = 65535,
    FINGERPRINT_ZMAP4_FIRST_PORT = 32768,
    FINGERPRINT_ZMAP4_LAST_PORT = 61000,
    FINGERPRINT_HAJIME_WINDOW = 14600,
    FINGERPRINT_UNICORNSCAN_WINDOW = 4128,
    FINGERPRINT_PUBLISHED_TTL = 64,    /* Mirai's and ZMap's at the start */
    FINGERPRINT_PUBLISHED_PORT = 1024, /* Mirai's lowest source port */
};

/* What the fingerprints look at, of an IPv4 packet; each value in any byte order. */
struct fingerprint {
    uint32_t is_syn;  /* 0 or 1, as the others: TCP with SYN, without ACK, RST, FIN */
    uint32_t is_zmap; /* identification 54321 */
    uint32_t is_nmap; /* nmap's window and options */
    uint32_t mixed;   /* destination ^ sequence number */
    uint16_t folded;  /* the low 16 bits of that ^ destination port ^ identification */
};

/* No branches: random traffic would mispredict them. */
static inline uint32_t fingerprint_match(const struct fingerprint *f)
{
    uint32_t is_mirai = f->mixed == 0, is_masscan = (f->folded == 0) & !is_mirai;
    return (f->is_syn & is_mirai) << TOOL_mirai | f->is_zmap << TOOL_zmap |
           (f->is_syn & is_masscan) << TOOL_masscan | (f->is_syn & f->is_nmap) << TOOL_nmap;
}

static inline uint32_t fingerprint_tools_tcp4(const struct observation *o, uint32_t is_syn)
{
    uint32_t dst = (uint32_t)o->dst[0] << 24 | (uint32_t)o->dst[1] << 16 |
                   (uint32_t)o->dst[2] << 8 | o->dst[3];
    uint32_t mixed = dst ^ o->tcp_seq;
    struct fingerprint f = {
        .is_syn = is_syn,
        .is_zmap = o->ip_id == FINGERPRINT_ZMAP_ID,
        .is_nmap = (o->tcp_window == FINGERPRINT_NMAP_WINDOW) & (o->tcp_header_len == 24) &
                   (o->tcp_options == FINGERPRINT_MSS_1460),
        .mixed = mixed,
        .folded = (uint16_t)(mixed ^ o->dst_port ^ o->ip_id),
    };
    return fingerprint_match(&f);
}

/* The tools behind nmap that a SYN matches; none of another packet. */
uint32_t fingerprint_later(const struct observation *o);

/* The ports that Hajime scans. */
static inline bool fingerprint_hajime_port(uint16_t port)
{
    return (port == 23) | (port == 5358) | (port == 5555) | (port == 7547) | (port == 9000);
}

/* What the last bytes of a TCP header are in ZMap's layouts (TCP_LAYOUT_MSS and behind it): by the header's length
 * in words. */
enum { FINGERPRINT_LAYOUT = 24 };
struct fingerprint_layout {
    uint64_t mask[3],
        value[3]; /* as they lie in memory; a value outside the mask: none is so long */
};
extern const struct fingerprint_layout fingerprint_layouts[16];

/* Of `header_len` bytes at `tcp`, 20 to 60: 0 where they are one of them. Reads the last FINGERPRINT_LAYOUT, so 4 in
 * front of 20. */
static inline uint64_t fingerprint_layout_differs(const uint8_t *tcp, uint32_t header_len)
{
    const struct fingerprint_layout *l = &fingerprint_layouts[header_len / 4];
    const uint8_t *last = tcp + header_len - FINGERPRINT_LAYOUT;
    uint64_t word[3];
    memcpy(&word[0], last, 8);
    memcpy(&word[1], last + 8, 8);
    memcpy(&word[2], last + 16, 8);
    return ((word[0] & l->mask[0]) ^ l->value[0]) | ((word[1] & l->mask[1]) ^ l->value[1]) |
           ((word[2] & l->mask[2]) ^ l->value[2]);
}

/* What the later fingerprints look at, of an IPv4 SYN. */
struct fingerprint_syn {
    uint32_t window, src_port, dst_port, ttl;
    uint32_t tos;
    uint32_t df;         /* not 0: set */
    uint32_t header_len; /* bytes */
    uint32_t mixed;      /* destination ^ sequence number */
    uint32_t ip_id;
};

/* The three that follow say where a packet differs, and ask once: numbers of two values, many at a time, are
 * spilled as bytes and read back as words, which stalls. Not 0: */
static inline uint32_t below(uint32_t number, uint32_t limit) /* both below 2^31 */
{
    return (number - limit) >> 31;
}

static inline bool fingerprint_is_zmap4(const struct fingerprint_syn *s, uint64_t layout_differs)
{
    uint64_t differs = layout_differs | (s->window ^ FINGERPRINT_ZMAP4_WINDOW) | s->df | s->tos |
                       below(FINGERPRINT_PUBLISHED_TTL, s->ttl) |
                       below(s->src_port, FINGERPRINT_ZMAP4_FIRST_PORT) |
                       below(FINGERPRINT_ZMAP4_LAST_PORT, s->src_port);
    return (differs == 0) & (s->ip_id != FINGERPRINT_ZMAP_ID);
}

static inline bool fingerprint_is_hajime(const struct fingerprint_syn *s)
{
    return s->window == FINGERPRINT_HAJIME_WINDOW && s->header_len > 20 && s->mixed != 0 &&
           fingerprint_hajime_port((uint16_t)s->dst_port);
}

/* False: neither unicornscan nor mirai_variant. */
static inline bool fingerprint_is_rare(const struct fingerprint_syn *s)
{
    uint32_t differs = (s->header_len ^ 20) | s->df | below(FINGERPRINT_PUBLISHED_TTL, s->ttl) |
                       below(s->src_port, FINGERPRINT_PUBLISHED_PORT);
    return ((s->mixed == 0) & (differs != 0)) | (s->window == FINGERPRINT_UNICORNSCAN_WINDOW);
}

/* Of any packet, by its headers: a set of 1 << enum tool. */
static inline uint32_t fingerprint_tools(const struct observation *o)
{
    uint32_t is_syn = o->state & OBSERVATION_TCP_FLAGS &&
                      (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
    uint32_t tools = fingerprint_tools_tcp4(o, is_syn);
    tools &= o->ip_version == 4 ? ~0u : 1u << TOOL_nmap;
    return tools | (is_syn ? fingerprint_later(o) : 0);
}

/* Which header form a masscan SYN has, for explain: "window 1024, no options (to 2023-11)",
 * "window 1025, MSS 1460 (since 2023-11)", "other header". */
const char *fingerprint_masscan_form(const struct observation *o);

/* How far a match goes. */
enum confidence {
    CONFIDENCE_low,    /* others send the like: says "looks like" */
    CONFIDENCE_medium, /* one program is known to send it, and imitates another */
    CONFIDENCE_high,   /* chance alone, of the size that the rule states */
};

/* One row per fingerprint, in the order of enum tool, for `rules list`. */
struct fingerprint_text {
    const char *id, *rule, *source;
    const char *eligible;  /* the packets that could match */
    uint8_t confidence;    /* enum confidence */
    uint8_t min_packets;   /* a source uses the tool when so many of its packets match, */
    uint16_t min_permille; /* and of those that could so many of a thousand */
    const char *reason;    /* why these numbers */
};
extern const struct fingerprint_text fingerprint_texts[];
extern const unsigned fingerprint_text_count;

/* Whether a source uses a tool of whose fingerprint `matched` of its packets are, of `eligible` that
 * could be. Packets add: of days, shards, sensors. */
bool fingerprint_uses(enum tool tool, uint64_t matched, uint64_t eligible);

/* "low", "medium", "high" */
const char *confidence_name(enum confidence confidence);

/* Unicornscan's sequence numbers: seq ^ destination ^ (destination port << 16 + source port) is one number in a
 * run (its tcphash.h; the destination in the byte order of its machine, little-endian here). Two packets of a
 * source tell it whatever form its headers copy. A source needs 4 bytes, zero at first. */
struct unicornscan_state {
    uint32_t key : 24; /* of the last SYN */
    uint32_t last : 8; /* what it was sent to, folded, 1 to 255; 0: there was none */
};

/* Takes a SYN of the source over IPv4. True: it has the key of the last one and was not sent to
 * the same place (a repeated SYN has its own number again); by chance 1 in 2^24. */
bool unicornscan_step(struct unicornscan_state *state, const struct observation *o);

#endif
