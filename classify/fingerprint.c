#include "classify/fingerprint.h"

const char *fingerprint_masscan_form(const struct observation *o)
{
    if (o->tcp_window == 1024 && o->tcp_header_len == 20)
        return "window 1024, no options (to 2023-11)";
    if (o->tcp_window == 1025 && o->tcp_header_len == 24 && o->tcp_options == FINGERPRINT_MSS_1460)
        return "window 1025, MSS 1460 (since 2023-11)";
    return "other header";
}

/* Rows end with the options of tcp_layout_of(), eight bytes a word, the first one lowest; time stamps may be any. */
#define BYTES(a, b, c, d) \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24)
#define WORD(low, high) ((uint64_t)(low) | (uint64_t)(high) << 32)
#define MSS             BYTES(2, 4, 5, 0xb4)
#define ALL             BYTES(0xff, 0xff, 0xff, 0xff)
#define NO_LAYOUT  \
    {              \
        {0}, { 1 } \
    }
const struct fingerprint_layout fingerprint_layouts[16] = {
    [0 ... 5] = NO_LAYOUT,
    [6] = {{0, 0, WORD(0, ALL)}, {0, 0, WORD(0, MSS)}},
    [7] = NO_LAYOUT,
    [8] = {{0, WORD(0, ALL), WORD(ALL, ALL)},
           {0, WORD(0, MSS), WORD(BYTES(1, 3, 3, 8), BYTES(1, 1, 4, 2))}},
    [9] = NO_LAYOUT,
    [10] = {{WORD(0, ALL), WORD(ALL, 0), WORD(0, ALL)},
            {WORD(0, MSS), WORD(BYTES(4, 2, 8, 10), 0), WORD(0, BYTES(1, 3, 3, 7))}},
    [11] = {{WORD(ALL, ALL), WORD(ALL, 0), WORD(0, ALL)},
            {WORD(MSS, BYTES(1, 3, 3, 6)), WORD(BYTES(1, 1, 8, 10), 0),
             WORD(0, BYTES(4, 2, 0, 0))}},
    [12 ... 15] = NO_LAYOUT,
};

static uint32_t number_of(const uint8_t address[4])
{
    return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 |
           address[3];
}

/* No DF, TOS 0. */
static bool is_bare(const struct observation *o)
{
    return !(o->state & OBSERVATION_DF) && o->tos == 0;
}

static bool is_zmap4(const struct observation *o)
{
    return o->tcp_window == FINGERPRINT_ZMAP4_WINDOW && o->tcp_layout >= TCP_LAYOUT_MSS &&
           is_bare(o) && o->ttl <= FINGERPRINT_PUBLISHED_TTL &&
           o->src_port >= FINGERPRINT_ZMAP4_FIRST_PORT &&
           o->src_port <= FINGERPRINT_ZMAP4_LAST_PORT && o->ip_id != FINGERPRINT_ZMAP_ID;
}

static bool is_hajime(const struct observation *o)
{
    return o->tcp_window == FINGERPRINT_HAJIME_WINDOW && o->tcp_header_len > 20 &&
           fingerprint_hajime_port(o->dst_port) && o->tcp_seq != number_of(o->dst);
}

static bool is_unicornscan(const struct observation *o)
{
    enum { HALF_TTL = 128, FIRST_PORT = 4096 };
    return o->tcp_window == FINGERPRINT_UNICORNSCAN_WINDOW && o->tcp_layout == TCP_LAYOUT_MSS &&
           is_bare(o) && o->ttl > HALF_TTL && o->src_port >= FIRST_PORT;
}

static bool is_mirai_variant(const struct observation *o)
{
    bool is_published = o->tcp_header_len == 20 && !(o->state & OBSERVATION_DF) &&
                        o->ttl <= FINGERPRINT_PUBLISHED_TTL &&
                        o->src_port >= FINGERPRINT_PUBLISHED_PORT;
    return o->tcp_seq == number_of(o->dst) && !is_published;
}

uint32_t fingerprint_later(const struct observation *o)
{
    bool is_syn = o->state & OBSERVATION_TCP_FLAGS &&
                  (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
    if (!is_syn || o->ip_version != 4)
        return 0;
    return (uint32_t)is_zmap4(o) << TOOL_zmap4 | (uint32_t)is_hajime(o) << TOOL_hajime |
           (uint32_t)is_unicornscan(o) << TOOL_unicornscan |
           (uint32_t)is_mirai_variant(o) << TOOL_mirai_variant;
}

#define SYN4 "SYN over IPv4"
#define TWO_OF_ID                                                                             \
    "two chance hits among ten packets of a source: 1 in 10^8; a source that counts its ids " \
    "comes past once in 65,536"

const struct fingerprint_text fingerprint_texts[] = {
    [TOOL_mirai] = {"mirai", "IPv4 SYN, sequence number = destination address",
                    "Mirai source (2016), scanner.c: tcph->seq = iph->daddr; chance 1 in 2^32",
                    SYN4, CONFIDENCE_high, 1, 0,
                    "10^9 SYN a day give one chance hit in four days; no share, since an infected "
                    "device and those behind its address send other packets, too"},
    [TOOL_zmap] = {"zmap", "any IPv4 packet with identification 54321",
                   "ZMap source before 4.1.0 (2024-03-21), which randomised it; chance 1 in 65,536",
                   "any packet over IPv4", CONFIDENCE_high, 2, 100, TWO_OF_ID},
    [TOOL_masscan] =
        {"masscan",
         "IPv4 SYN, identification = low 16 bits of (destination ^ port ^ sequence), not mirai; "
         "forms: window 1024 without options (to 2023-11), window 1025 with MSS 1460 (since)",
         "masscan source, commit 4f89257 for the second form; chance 1 in 65,536", SYN4,
         CONFIDENCE_high, 2, 100, TWO_OF_ID},
    [TOOL_nmap] = {"nmap",
                   "SYN, window 1024, options exactly 02 04 05 b4 (MSS 1460); nmap's own "
                   "probe payloads",
                   "nmap source, -sS probes, nmap-service-probes, nmap-payloads", "SYN",
                   CONFIDENCE_medium, 3, 500,
                   "a program may copy the header; a scan is many packets alike"},
    [TOOL_zmap4] =
        {"zmap4",
         "IPv4 SYN, no DF, TOS 0, TTL <= 64, window 65535, from port 32768 to 61000, options of "
         "one "
         "of four layouts, identification not 54321; not told: other ports, TTL, probe modules, "
         "and whoever copies these headers",
         "ZMap source since 4.1.0, packet.c, module_tcp_synscan.c", SYN4, CONFIDENCE_low, 5, 800,
         "stacks with window 65535 set DF; a source that sends nothing else is hardly a stack"},
    [TOOL_hajime] =
        {"hajime",
         "IPv4 SYN, window 14600 with options, to port 23, 5358, 5555, 7547 or 9000, sequence "
         "number not the destination; not told from other programs on an old Linux",
         "analyses of Hajime (2016-2018), not confirmed by its source", SYN4, CONFIDENCE_low, 10,
         900, "Linux 2.6.39 to 3.x has this window: only a source that does nothing else is one"},
    [TOOL_unicornscan] =
        {"unicornscan",
         "IPv4 SYN, no DF, TOS 0, TTL > 128, window 4128, MSS 1460 alone, from port 4096 on; its "
         "default, which copies Cisco IOS; other forms are told by source, over two packets",
         "Unicornscan 0.4.7 source, init_packet.c, send_packet.c, tcphash.h", SYN4,
         CONFIDENCE_medium, 3, 500, "a router connects to few dark addresses, a scanner to many"},
    [TOOL_mirai_variant] =
        {"mirai_variant",
         "mirai in a header that the published source never sends: options, DF, TTL > 64 or a "
         "source port below 1024",
         "Mirai source (2016), scanner.c; every other header is a variant's, or rewritten", SYN4,
         CONFIDENCE_medium, 2, 0, "one packet may have been rewritten on its way"},
    [TOOL_probe] = {"probe", "payload of a scanner's own probe (masscan, ZGrab, ZMap): see explain",
                    "sources of the scanners, by row", "packets with payload", CONFIDENCE_high, 1,
                    0, "the program's own bytes, 11 and more"},
};
const unsigned fingerprint_text_count = sizeof fingerprint_texts / sizeof fingerprint_texts[0];
_Static_assert(sizeof fingerprint_texts / sizeof fingerprint_texts[0] == TOOL_COUNT,
               "one per tool");

bool fingerprint_uses(enum tool tool, uint64_t matched, uint64_t eligible)
{
    const struct fingerprint_text *t = &fingerprint_texts[tool];
    /* In 128 bits no product of counts overflows. */
    return matched >= t->min_packets &&
           (__uint128_t)matched * 1000 >= (__uint128_t)eligible * t->min_permille;
}

const char *confidence_name(enum confidence confidence)
{
    static const char *const names[] = {"low", "medium", "high"};
    return names[confidence];
}

bool unicornscan_step(struct unicornscan_state *state, const struct observation *o)
{
    uint32_t place = number_of(o->dst), ports = (uint32_t)o->dst_port << 16 | o->src_port;
    uint32_t key = o->tcp_seq ^ __builtin_bswap32(place) ^ ports;
    uint32_t folded = (place ^ ports) * 2654435761u >> 24;
    struct unicornscan_state now = {.key = (key * 2654435761u) >> 8,
                                    .last = folded + (folded == 0)};
    bool is_same = state->last != 0 && state->key == now.key && state->last != now.last;
    *state = now;
    return is_same;
}
