/* telescope_index: from an IPv4 address to the number of the telescope's prefix that it counts for, once per packet.
 *
 * By tables of the /16, the /24 and the address, so that the number of prefixes costs nothing: a binary search among 16
 * takes five times as long, for its branches that nobody can foretell. Built once, then read by any thread. Takes 256 KiB, and 1 KiB
 * for each /16 and each /24 whose addresses differ.
 */
#ifndef CLASSIFY_TELESCOPE_INDEX_H
#define CLASSIFY_TELESCOPE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define TELESCOPE_NONE  UINT32_MAX
#define TELESCOPE_TABLE (UINT32_C(1) << 31)

struct telescope_range4 {
    uint32_t first, last, number; /* number: of the prefix, below TELESCOPE_TABLE */
};

/* Public for the inline call only. */
struct telescope_index {
    /* Of each /16: its prefix's number, TELESCOPE_NONE, or TELESCOPE_TABLE and a table of its /24, whose
     * entries are the same of addresses. */
    uint32_t *top;
    uint32_t (*tables)[256];
    size_t table_count, table_room;
};

/* `ranges` are apart. -ENOMEM. Caller finishes in any case. */
int telescope_index_init(struct telescope_index *x, const struct telescope_range4 *ranges,
                         size_t count);
void telescope_index_fini(struct telescope_index *x); /* accepts all zero */

/* The number, or TELESCOPE_NONE. `address` in host order. */
static inline uint32_t telescope_index_find(const struct telescope_index *x, uint32_t address)
{
    uint32_t found = x->top[address >> 16];
    if (found & TELESCOPE_TABLE && found != TELESCOPE_NONE)
        found = x->tables[found & ~TELESCOPE_TABLE][address >> 8 & 255];
    if (found & TELESCOPE_TABLE && found != TELESCOPE_NONE)
        found = x->tables[found & ~TELESCOPE_TABLE][address & 255];
    return found;
}

#endif
