/* kind: what an observation is evidence of.
 *
 * The first that holds: malformed, non_ip, outside, fragment, then by protocol
 * backscatter, stray, the rest. A table gives every ICMP and ICMPv6 type its kind.
 * backscatter_udp and the P2P forms of stray are not told yet: those packets are
 * `udp`, and `rules list` says so.
 */
#ifndef CLASSIFY_KIND_H
#define CLASSIFY_KIND_H

#include "capture/observation.h"
#include "classify/label.h"

#include <stdbool.h>

/* `inside`: whether the destination belongs to the telescope (true where none is
 * configured). */
enum kind kind_of(const struct observation *o, bool inside);

/* By the table; `ip_version` tells ICMP (4) from ICMPv6 (6). */
enum kind kind_of_icmp(unsigned ip_version, uint8_t type);

#endif
