/* prefix_map: from an address to the value of the longest prefix that holds it.
 *
 * Built once, then read by any thread; a look-up takes no lock and allocates nothing. Prefixes nest or are
 * apart, so they are cut into ranges that are apart, sorted by their first address; IPv4 begins its
 * search at an index by /16, IPv6 is a binary search.
 */
#ifndef CLASSIFY_PREFIX_MAP_H
#define CLASSIFY_PREFIX_MAP_H

#include "classify/prefix.h"

#define PREFIX_MAP_NONE UINT32_MAX

struct prefix_map;

struct prefix_value {
    struct prefix prefix;
    uint32_t value; /* below PREFIX_MAP_NONE */
};

/* Makes a map of `rows`, which are put in another order. Of two rows with one prefix the smaller value holds. 0 or
 * -ENOMEM (*out is NULL). Caller destroys. */
int prefix_map_create(struct prefix_map **out, struct prefix_value *rows, size_t count);
void prefix_map_destroy(struct prefix_map *map); /* accepts NULL */

/* The value, or PREFIX_MAP_NONE. Address as in struct observation; ip_version 4 or 6. */
uint32_t prefix_map_find(const struct prefix_map *map, const uint8_t address[16],
                         unsigned ip_version);

#endif
