/* fingerprint: which programs' packets look like this one.
 *
 * A packet *matches*; chance hits exist (1 in 65,536 for rules on the IP id), so a
 * source is said to *use* a tool only on several packets. All rules need the outermost TCP
 * header readable and look at SYN without ACK, RST, FIN, except zmap.
 *
 *   mirai    IPv4, sequence number == destination address (Mirai source, 2016: tcph->seq = iph->daddr)
 *   zmap     any IPv4 packet with identification 54321 (ZMap before 4.1.0, 2024-03-21, which randomised it)
 *   masscan  IPv4, identification == low 16 bits of (destination ^ port ^ sequence), and not mirai
 *            (masscan source; all SYN of three pure traces agree). Two header forms are known: window 1024
 *            without options (to 2023-11), window 1025 with MSS 1460 (since commit 4f89257)
 *   nmap     window 1024 and options exactly 02 04 05 b4 (nmap source, -sS)
 */
#ifndef CLASSIFY_FINGERPRINT_H
#define CLASSIFY_FINGERPRINT_H

#include "capture/observation.h"

#include <stdint.h>

/* Set of 1 << enum tool. */
uint8_t fingerprint_tools(const struct observation *o);

/* Which header form a masscan SYN has, for explain: "window 1024, no options (to 2023-11)",
 * "window 1025, MSS 1460 (since 2023-11)", "other header". */
const char *fingerprint_masscan_form(const struct observation *o);

/* One row per fingerprint, for `rules list`. */
struct fingerprint_text {
    const char *id, *rule, *source;
};
extern const struct fingerprint_text fingerprint_texts[];
extern const unsigned fingerprint_text_count;

#endif
