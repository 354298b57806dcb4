#include "capture/decode.h"

#include "capture/decode_layers.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

static void decode_walk(struct walk *w, enum layer layer)
{
    while (layer != LAYER_END) {
        switch (layer) {
        case LAYER_ETHERNET:
            layer = link_ethernet(w);
            break;
        case LAYER_TYPE:
            layer = link_type(w);
            break;
        case LAYER_LLC:
            layer = link_llc(w);
            break;
        case LAYER_MPLS:
            layer = link_mpls(w);
            break;
        case LAYER_PPP:
            layer = link_ppp(w);
            break;
        case LAYER_PPP_HDLC:
            layer = link_ppp_hdlc(w);
            break;
        case LAYER_IP4:
            layer = ip_version4(w);
            break;
        case LAYER_IP6:
            layer = ip_version6(w);
            break;
        case LAYER_PROTO:
            layer = ip_protocol(w);
            break;
        case LAYER_END:
            break;
        }
    }
}

void decode_general(const struct frame *f, uint32_t decap, struct observation *o)
{
    struct walk w = {
        .c = {f->data, 0, f->caplen, f->wire_len > f->caplen ? f->wire_len : f->caplen},
        .o = o,
        .decap = decap,
    };
    *o = (struct observation){.ts_ns = f->ts_ns, .wire_len = f->wire_len};
    decode_walk(&w, link_first(&w, f->link_type));
    if (!w.ip_seen)
        o->state = w.link_state;
    o->vlan_depth = w.tags;
}

enum {
    FAST_LINK_TYPE = 1,
    FAST_IP = 14,                  /* Ethernet II, no tag */
    FAST_TRANSPORT = FAST_IP + 20, /* IPv4 without options */
    FAST_TCP = FAST_TRANSPORT + 20,
    FAST_UDP = FAST_TRANSPORT + 8,
    FAST_ICMP = FAST_TRANSPORT + 8,
};

/* What nearly every packet of a telescope is: Ethernet, IPv4 without options and
 * not in fragments, TCP, UDP or ICMP, lengths that fit, the fixed headers all caught.
 * False: anything else, *o untouched or to be written again. One check here covers every read. */
static bool decode_fast(const struct frame *f, uint32_t decap, struct observation *o)
{
    const uint8_t *b = f->data;
    if (f->link_type != FAST_LINK_TYPE || f->caplen < FAST_UDP || f->wire_len < f->caplen)
        return false;
    if (b[12] != 0x08 || b[13] != 0x00 || b[FAST_IP] != 0x45 || (b[20] & 0x3f) || b[21])
        return false;
    uint32_t total = read_be16(b + 16), end = FAST_IP + total;
    uint8_t proto = b[23];
    uint16_t flags = (uint16_t)((b[20] & 0x40) << 2 | (b[20] & 0x80) << 6);
    uint16_t state = (uint16_t)(OBSERVATION_IP | OBSERVATION_TRANSPORT | flags);
    uint32_t payload_at, payload_end = end;
    if (end > f->wire_len)
        return false;
    *o = (struct observation){.ts_ns = f->ts_ns, .wire_len = f->wire_len};
    if (proto == IPPROTO_NR_TCP || proto == IPPROTO_NR_UDP) {
        state |= OBSERVATION_PORTS;
        o->src_port = read_be16(b + 34);
        o->dst_port = read_be16(b + 36);
    }
    if (proto == IPPROTO_NR_TCP) {
        if (f->caplen < FAST_TCP)
            return false;
        uint32_t header = (b[46] >> 4) * 4u;
        payload_at = FAST_TRANSPORT + header;
        if (header < 20 || payload_at > end)
            return false;
        state |= OBSERVATION_TCP_FLAGS | OBSERVATION_TCP_WINDOW;
        o->tcp_seq = read_be32(b + 38);
        o->tcp_header_len = (uint8_t)header;
        o->tcp_flags = read_be16(b + 46) & 0x0fff;
        o->tcp_window = read_be16(b + 48);
        o->tos = b[15];
        if (header > 20 && f->caplen >= FAST_TCP + 4) {
            o->tcp_options = read_be32(b + FAST_TCP);
            state |= OBSERVATION_TCP_OPTIONS;
        }
        if (tcp_asks(o->tcp_flags) && f->caplen >= payload_at)
            o->tcp_layout = tcp_layout_of(b + FAST_TCP, header - 20);
    } else if (proto == IPPROTO_NR_UDP) {
        uint32_t length = read_be16(b + 38);
        o->tos = b[15];
        payload_at = FAST_UDP;
        payload_end = FAST_TRANSPORT + length;
        if (length < 8 || payload_end > end || decap & DECAP_VXLAN)
            return false;
    } else if (proto == IPPROTO_NR_ICMP) {
        payload_at = FAST_ICMP;
        if (payload_at > end)
            return false;
        o->icmp_type = b[34];
        o->icmp_code = b[35];
        if (end > payload_at && decode_icmp_quotes(proto, b[34]))
            state |= OBSERVATION_QUOTED;
    } else {
        return false;
    }
    memcpy(o->src, b + 26, 4);
    memcpy(o->dst, b + 30, 4);
    o->ip_id = read_be16(b + 18);
    o->ttl = b[22];
    o->ip_proto = proto;
    o->ip_version = 4;
    o->state = state;
    uint32_t caught = payload_end < f->caplen ? payload_end : f->caplen;
    o->payload_len = (uint16_t)(payload_end - payload_at);
    o->payload_at = payload_at < f->caplen ? payload_at : f->caplen;
    o->payload_caught = (uint16_t)(caught > payload_at ? caught - payload_at : 0);
    return true;
}

void decode(const struct frame *f, uint32_t decap, struct observation *o)
{
    if (!decode_fast(f, decap, o))
        decode_general(f, decap, o);
}

bool decode_quoted(const uint8_t *bytes, size_t len, struct observation *o)
{
    enum { LINK_RAW = 101, IP_MAX = 40 + 65535 }; /* as long as any packet it may be cut from */
    uint32_t caught = len < IP_MAX ? (uint32_t)len : IP_MAX;
    decode_general(&(struct frame){bytes, caught, IP_MAX, 0, LINK_RAW}, 0, o);
    o->wire_len = caught;
    return o->ip_version != 0;
}

const char *decode_link_name(uint32_t link_type, char *text, size_t size)
{
    /* Where a file's number is not the DLT_ that libpcap names. */
    static const struct {
        uint32_t link_type;
        int dlt;
    } moved[] = {{14, DLT_RAW},         {100, DLT_ATM_RFC1483}, {101, DLT_RAW},
                 {102, DLT_SLIP_BSDOS}, {103, DLT_PPP_BSDOS},   {106, DLT_ATM_CLIP}};
    int dlt = link_type <= INT32_MAX ? (int)link_type : -1;
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
        if (moved[i].link_type == link_type)
            dlt = moved[i].dlt;
    const char *name = dlt >= 0 ? pcap_datalink_val_to_name(dlt) : NULL;
    if (name)
        (void)snprintf(text, size, "%s", name);
    else
        (void)snprintf(text, size, "LINKTYPE %u", (unsigned)link_type);
    return text;
}

static const struct {
    const char *name;
    uint32_t bits;
} decap_words[] = {
    {"gre", DECAP_GRE},
    {"erspan", DECAP_ERSPAN},
    {"vxlan", DECAP_VXLAN},
    {"ipip", DECAP_IPIP},
    {"all", DECAP_GRE | DECAP_ERSPAN | DECAP_VXLAN | DECAP_IPIP},
    {"none", 0},
};
enum { DECAP_WORDS = sizeof decap_words / sizeof *decap_words };

const char *decode_decap_name(uint32_t bit)
{
    for (size_t i = 0; i < DECAP_WORDS; i++)
        if (decap_words[i].bits == bit)
            return bit ? decap_words[i].name : NULL;
    return NULL;
}

int decode_decap_parse(const char *text, uint32_t *decap, struct fault *fault)
{
    uint32_t set = 0;
    for (const char *word = text;; word++) {
        size_t length = strcspn(word, ","), i;
        for (i = 0; i < DECAP_WORDS; i++)
            if (strlen(decap_words[i].name) == length &&
                !strncmp(decap_words[i].name, word, length))
                break;
        if (i == DECAP_WORDS)
            return fault_set(fault, EINVAL,
                             "'%.*s' is not one of gre, erspan, vxlan, ipip, all, none",
                             (int)(length < 64 ? length : 64), word);
        set |= decap_words[i].bits;
        word += length;
        if (!*word)
            break;
    }
    *decap = set;
    return 0;
}
