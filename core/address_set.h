/* address_set: exact set of addresses, for distinct destinations.
 *
 * IPv4: one container per /16, first an open-addressed table of 16-bit suffixes, from
 * 2,048 of them on a bitmap of 8 KiB (the idea of Roaring bitmaps, Chambi et al. 2016, with a table
 * in place of the sorted array since addresses come one by one). IPv6: an open-addressed table
 * with a keyed hash. One thread; sets of several threads are merged at the end. Aborts the
 * program where memory ends.
 */
#ifndef CORE_ADDRESS_SET_H
#define CORE_ADDRESS_SET_H

#include <stdbool.h>
#include <stdint.h>

/* The addresses of one /16. Suffix 0 has a flag of its own, since 0 marks a free slot. */
struct address_container {
    uint32_t count;
    uint32_t slots; /* of the table, a power of two; 0: a bitmap */
    bool has_zero;
    union {
        uint16_t *table;
        uint64_t *bitmap;
    };
};

/* Public for the inline call only. */
struct address_set {
    struct address_container *of[65536];
    struct address_rest *rest;
    uint64_t count4;
};

struct address_set *address_set_create(void);      /* NULL with errno */
void address_set_destroy(struct address_set *set); /* accepts NULL */

void address_set_insert(struct address_set *set, const uint8_t address[16], unsigned ip_version);

/* Address as in struct observation. */
static inline void address_set_add(struct address_set *set, const uint8_t address[16],
                                   unsigned ip_version)
{
    const struct address_container *c = set->of[address[0] << 8 | address[1]];
    unsigned suffix = (unsigned)address[2] << 8 | address[3];
    if (ip_version == 4 && c && c->slots == 0 && (c->bitmap[suffix / 64] >> (suffix % 64) & 1))
        return;
    address_set_insert(set, address, ip_version);
}

void address_set_merge(struct address_set *into, const struct address_set *from);
uint64_t address_set_count(const struct address_set *set);

#endif
