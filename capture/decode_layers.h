/* decode_layers: what the parts of decode share. Nobody else includes it, but
 * the test that compares the fast path with the general one.
 *
 * The general path is a walk: each layer reads its own header and names the
 * next. Any header that can't be read ends it.
 */
#ifndef CAPTURE_DECODE_LAYERS_H
#define CAPTURE_DECODE_LAYERS_H

#include "capture/cursor.h"
#include "capture/decode.h"

enum layer {
    LAYER_END,
    LAYER_ETHERNET,
    LAYER_TYPE, /* whatever `type` of the walk says, as an EtherType */
    LAYER_LLC,
    LAYER_MPLS,
    LAYER_PPP,      /* protocol field first */
    LAYER_PPP_HDLC, /* may begin with address and control, FF 03 */
    LAYER_IP4,
    LAYER_IP6,
    LAYER_PROTO, /* what `proto` of the walk says, as an IP protocol */
};

struct walk {
    struct cursor c;
    struct observation *o;
    uint32_t decap;
    uint16_t type;
    uint8_t proto;
    bool ip_seen;        /* *o holds an IP layer, readable or not */
    bool behind_ah;      /* between AH and a tunnel: nothing more to note of this layer */
    uint8_t tags;        /* VLAN tags taken off */
    uint8_t tunnels;     /* tunnels entered */
    uint16_t link_state; /* of the link layers since the last IP layer */
};

enum { /* EtherTypes that more than one part knows */
       TYPE_IP4 = 0x0800,
       TYPE_IP6 = 0x86dd,
       TYPE_MPLS = 0x8847,
       TYPE_MPLS_MULTICAST = 0x8848,
       TYPE_ETHERNET = 0x6558,
       TYPE_NSH = 0x894f,
};

/* decode_link.c */
enum layer link_first(struct walk *w, uint32_t link_type);
enum layer link_ethernet(struct walk *w);
enum layer link_type(struct walk *w);
enum layer link_llc(struct walk *w);
enum layer link_mpls(struct walk *w);
enum layer link_ppp(struct walk *w);
enum layer link_ppp_hdlc(struct walk *w);

/* decode_ip.c */
enum layer ip_version4(struct walk *w);
enum layer ip_version6(struct walk *w);
enum layer ip_protocol(struct walk *w);

/* decode_tunnel.c: the layer inside, or LAYER_END where there is no tunnel that
 * was asked for; the observation stays as it is then. */
enum layer tunnel_enter(struct walk *w);
/* What a GRE header with this protocol type and these flags leads to. */
enum layer tunnel_gre_payload(struct walk *w, uint16_t type, uint16_t flags);

/* decode.c: decode without its fast path; same results. */
void decode_general(const struct frame *f, uint32_t decap, struct observation *o);

/* The state of a header that needs n bytes and does not find them. */
static inline uint16_t walk_missing(const struct walk *w, uint32_t n)
{
    return n > cursor_on_wire(&w->c) ? OBSERVATION_MALFORMED : OBSERVATION_SNAPPED;
}

/* A link header of n bytes, moving behind it. NULL: it is not all there, noted. */
static inline const uint8_t *link_take(struct walk *w, uint32_t n)
{
    const uint8_t *bytes = cursor_take(&w->c, n);
    if (!bytes)
        w->link_state |= walk_missing(w, n);
    return bytes;
}

/* Draws the ends in to a length that a link header claims; more than the wire
 * had is noted. */
static inline void link_limit(struct walk *w, uint32_t n)
{
    if (n > cursor_on_wire(&w->c))
        w->link_state |= OBSERVATION_MALFORMED;
    cursor_limit(&w->c, n);
}

/* Whether these flags are a SYN's that asks: without ACK, RST, FIN. */
static inline bool tcp_asks(uint16_t flags)
{
    return (flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

#endif
