/* prefix_set: a set of IPv4 and IPv6 prefixes, asked once per packet.
 *
 * Built once, then read by any thread. IPv4 is answered from a two-level bitmap (a
 * /16 is all in, all out, or has 64 Ki bits), so the number of prefixes costs nothing;
 * IPv6 by binary search over merged ranges.
 */
#ifndef CLASSIFY_PREFIX_SET_H
#define CLASSIFY_PREFIX_SET_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prefix_set;

/* Reads "PREFIX,PREFIX,..." or, where `text` names a readable file, one prefix a
 * line (# begins a comment). A bare address is a /32 or /128; host bits set are refused
 * with the value (and line). Overlaps are merged. On failure -errno and a fault; *out
 * is NULL. */
int prefix_set_create(struct prefix_set **out, const char *text, struct fault *fault);
void prefix_set_destroy(struct prefix_set *set); /* accepts NULL */

/* Address as in struct observation. */
bool prefix_set_holds(const struct prefix_set *set, const uint8_t address[16], unsigned ip_version);

/* Number of IPv4 addresses in the set (0 to 2^32). */
uint64_t prefix_set_ipv4_size(const struct prefix_set *set);

#endif
