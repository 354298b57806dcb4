/* telescope: a telescope's own addresses where they come as sources.
 *
 * Nobody sends from dark addresses, so such a packet is forged for certain: by a land attack, or by who floods with
 * random sources of the destination's prefix. Its source is a secret all the same (a feed names sources), so in
 * whatever is counted the unspecified address of its IP version, 0.0.0.0 or ::, stands for it: all of a
 * telescope are one source, a bogon. What the address said is kept in two bits of the observation's state,
 * for spoof.h.
 *
 * An IPv6 address that has a dark IPv4 address in it tells it as well, and is covered, too. The forms are
 *
 *   ::A.B.C.D                    IPv4-compatible (RFC 4291, 2.5.5.1; deprecated)
 *   ::ffff:A.B.C.D               IPv4-mapped (RFC 4291, 2.5.5.2)
 *   ::ffff:0:A.B.C.D             IPv4-translated (RFC 2765, 2.1)
 *   64:ff9b::A.B.C.D             the well-known prefix of translators (RFC 6052, 2.1)
 *   2002:AABB:CCDD::/48          6to4 (RFC 3056, 2)
 *   2001:0:AABB:CCDD::/64        Teredo, its server; its client in the last 32 bits, inverted (RFC 4380, 4)
 *   .. 0:5efe:A.B.C.D            ISATAP, any prefix (RFC 5214, 6.1); 200:5efe, too
 *
 * Pure functions, any thread.
 */
#ifndef CLASSIFY_TELESCOPE_H
#define CLASSIFY_TELESCOPE_H

#include "capture/observation.h"
#include "classify/prefix_set.h"

#include <stdbool.h>
#include <stdint.h>

bool telescope_covers6(const struct prefix_set *telescope, const uint8_t address[16]);

/* Whether the address is the telescope's, or has one of its IPv4 addresses in it. Address as in struct observation. */
static inline bool telescope_covers(const struct prefix_set *telescope, const uint8_t address[16],
                                    unsigned ip_version)
{
    return ip_version == 6 ? telescope_covers6(telescope, address)
                           : prefix_set_holds(telescope, address, ip_version);
}

/* Puts the unspecified address in place of a source that the telescope covers, and sets OBSERVATION_DARK_SOURCE
 * and, where it was the destination too, OBSERVATION_SELF. Any other packet stays as it is. */
void telescope_hide_source(const struct prefix_set *telescope, struct observation *o);

#endif
