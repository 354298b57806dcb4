/* bogon: sources that can't be real on the Internet.
 *
 * The table is IANA's registries of special-purpose addresses (RFC 6890), IPv4 and IPv6, each block a row, with what
 * their column "Globally Reachable" says; the longest block that holds an address decides:
 *
 *   False    a bogon: private use, loopback, documentation, benchmarking, reserved, ...
 *   True     none, also inside a block that is: 192.0.0.9/32, AS112, 64:ff9b::/96, ORCHIDv2, ...
 *   N/A      one only where `extra` is asked for: 6to4 (2002::/16), its relays (192.88.99.0/24), Teredo (2001::/32).
 *            They name no network of their own, but packets with such sources do come.
 *
 * Beside the registries: multicast is no source (RFC 1122, 3.2.1.3; RFC 4291, 2.7), and of IPv6 only 2000::/3 is
 * global unicast (IANA's IPv6 address space registry; RFC 4291, 2.4). Deprecated ORCHID (2001:10::/28, N/A since
 * its term ended in 2014) counts as the block around it, 2001::/23: False.
 *
 * Pure; any thread.
 */
#ifndef CLASSIFY_BOGON_H
#define CLASSIFY_BOGON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bogon_reach { BOGON_NEVER, BOGON_ALWAYS, BOGON_EXTRA }; /* True, False, N/A */

struct bogon {
    const char *prefix; /* "192.168.0.0/16" */
    const char *name;   /* the registry's, "Private-Use" */
    const char *rfc;    /* "RFC 1918" */
    enum bogon_reach reach;
};

/* The block that makes the address a bogon, or NULL. `has_extra`: blocks of N/A count, too. Address as in struct
 * observation; any ip_version but 4 and 6 is none. */
const struct bogon *bogon_find(const uint8_t address[16], unsigned ip_version, bool has_extra);

/* The table, for listing: those of IPv4 first, the longest prefix first. */
const struct bogon *bogon_table(size_t *count);

#endif
