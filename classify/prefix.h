/* prefix: one IPv4 or IPv6 prefix, read and written as text.
 *
 * Pure.
 */
#ifndef CLASSIFY_PREFIX_H
#define CLASSIFY_PREFIX_H

#include <stddef.h>
#include <stdint.h>

struct prefix {
    uint8_t address[16]; /* network order; IPv4: the first 4 bytes, the rest zero */
    uint8_t length;      /* 0 to 32, or to 128 */
    uint8_t ip_version;  /* 4, 6 */
};

enum prefix_fault {
    PREFIX_GOOD,
    PREFIX_NO_ADDRESS,
    PREFIX_LENGTH_IPV4,
    PREFIX_LENGTH_IPV6,
    PREFIX_HOST_BITS,
};

enum { PREFIX_TEXT = 64 }; /* bytes of any prefix as text, with its zero */

/* Reads "192.0.2.0/24", "2001:db8::/32" or a bare address (/32, /128). With PREFIX_HOST_BITS (bits behind
 * the length are set) *p is the prefix that the address lies in; with any other fault it is not set. */
enum prefix_fault prefix_parse(struct prefix *p, const char *word);

/* Why, for messages; static. */
const char *prefix_fault_text(enum prefix_fault fault);

/* "192.0.2.0/24". Returns `text`. */
const char *prefix_text(const struct prefix *p, char text[PREFIX_TEXT]);

/* IPv4 before IPv6, then by address, the shorter first; for qsort, too. */
int prefix_compare(const void *a, const void *b);

/* Sorts and takes out what stands twice; returns how many are left. */
size_t prefix_list_unique(struct prefix *prefixes, size_t count);

/* Distinct addresses of one IP version below `prefixes`, which are sorted (prefix_compare). A list that
 * holds ::/0 has 2^128, which does not fit and is returned as 0. */
unsigned __int128 prefix_list_size(const struct prefix *prefixes, size_t count,
                                   unsigned ip_version);

/* The address as a number; for IPv4 below 2^32. */
unsigned __int128 prefix_number(const uint8_t address[16], unsigned ip_version);

/* The last address of a prefix, as a number. */
unsigned __int128 prefix_last(const struct prefix *p);

#endif
