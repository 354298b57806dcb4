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

enum { PREFIX_SET_OUT, PREFIX_SET_IN, PREFIX_SET_WORDS = 65536 / 64 };

struct prefix_range {
    unsigned __int128 first, last; /* addresses as numbers (classify/prefix.h) */
};

struct prefix_set {
    uint32_t block[65536];              /* of each IPv4 /16: index into bits */
    uint64_t (*bits)[PREFIX_SET_WORDS]; /* [OUT] all 0, [IN] all 1, then one per mixed /16 */
    size_t block_count;
    struct prefix_range *ranges6; /* ascending, neither touching nor overlapping */
    size_t range6_count;
    uint64_t ipv4_size;
    uint64_t ipv6_prefixes;
};

/* Reads "PREFIX,PREFIX,..." or, where `text` names a file, one prefix a line (# begins a
 * comment). A bare address is a /32 or /128; host bits set are refused
 * with the value (and line). Overlaps are merged. A set without any prefix is refused. On
 * failure -errno and a fault; *out is NULL. */
int prefix_set_create(struct prefix_set **out, const char *text, struct fault *fault);

/* The same from the content of such a file; `name` stands in messages. */
int prefix_set_create_from(struct prefix_set **out, const char *name, const char *content,
                           size_t len, struct fault *fault);

/* Ranges of one IP version; at most those of prefixes that a file can hold. */
struct prefix_ranges {
    struct prefix_range *at;
    size_t count;
};

/* A set of ranges of IPv4 [0] and IPv6 [1], which may overlap, and may be none at all: then nothing is in it.
 * They are copied. -ENOMEM (*out is NULL). */
int prefix_set_create_ranges(struct prefix_set **out, const struct prefix_ranges ranges[2]);
void prefix_set_destroy(struct prefix_set *set); /* accepts NULL */

/* Sorts ranges in place; joins what overlaps or touches. */
void prefix_ranges_merge(struct prefix_ranges *ranges);

bool prefix_set_holds6(const struct prefix_set *set, const uint8_t address[16]);

/* Address as in struct observation. */
static inline bool prefix_set_holds(const struct prefix_set *set, const uint8_t address[16],
                                    unsigned ip_version)
{
    if (ip_version == 6)
        return prefix_set_holds6(set, address);
    unsigned low = (unsigned)address[2] << 8 | address[3];
    const uint64_t *bits = set->bits[set->block[(unsigned)address[0] << 8 | address[1]]];
    return bits[low >> 6] >> (low & 63) & 1;
}

/* Number of IPv4 addresses in the set (0 to 2^32). */
static inline uint64_t prefix_set_ipv4_size(const struct prefix_set *set) { return set->ipv4_size; }

/* The fewest prefixes that hold the set's IPv6 addresses and no others. */
static inline uint64_t prefix_set_ipv6_prefixes(const struct prefix_set *set)
{
    return set->ipv6_prefixes;
}

#endif
