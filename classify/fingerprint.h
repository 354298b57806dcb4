/* fingerprint: which programs' packets look like this one.
 *
 * A packet *matches*; chance hits exist (1 in 65,536 for rules on the IP id), so a
 * source is said to *use* a tool only on several packets. All rules need the TCP header
 * readable and look at SYN without ACK, RST, FIN, except zmap; the packet's kind does not matter.
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
 */
#ifndef CLASSIFY_FINGERPRINT_H
#define CLASSIFY_FINGERPRINT_H

#include "capture/observation.h"
#include "classify/label.h"

#include <stdint.h>

enum {
    FINGERPRINT_ZMAP_ID = 54321,
    FINGERPRINT_NMAP_WINDOW = 1024,
    FINGERPRINT_MSS_1460 = 0x020405b4, /* option bytes 02 04 05 b4 */
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

/* Of any packet: a set of 1 << enum tool. */
static inline uint32_t fingerprint_tools(const struct observation *o)
{
    uint32_t is_syn = o->state & OBSERVATION_TCP_FLAGS &&
                      (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
    uint32_t tools = fingerprint_tools_tcp4(o, is_syn);
    return tools & (o->ip_version == 4 ? ~0u : 1u << TOOL_nmap);
}

/* Which header form a masscan SYN has, for explain: "window 1024, no options (to 2023-11)",
 * "window 1025, MSS 1460 (since 2023-11)", "other header". */
const char *fingerprint_masscan_form(const struct observation *o);

/* One row per fingerprint, in the order of enum tool, for `rules list`. */
struct fingerprint_text {
    const char *id, *rule, *source;
};
extern const struct fingerprint_text fingerprint_texts[];
extern const unsigned fingerprint_text_count;

#endif
