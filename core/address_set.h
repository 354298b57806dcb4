/* address_set: exact set of addresses, for distinct destinations.
 *
 * IPv4: one container per /16, first an open-addressed table of 16-bit suffixes, from
 * 2,048 of them on a bitmap of 8 KiB (the idea of Roaring bitmaps, Chambi et al. 2016, with a table
 * in place of the sorted array since addresses come one by one). IPv6: an open-addressed table.
 * Both kinds of tables have a hash keyed at random per set. One thread; sets of several threads are merged at the end. Ends the
 * program where memory ends (core/memory.h).
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
    const uint64_t
        *bitmaps[65536]; /* of all /16; one that is empty where there is a table or nothing */
    struct address_container *of[65536];
    struct address_rest *rest;
    uint64_t count4;
    uint32_t spread; /* key of the tables of suffixes: an odd multiplier */
};

struct address_set *address_set_create(void);      /* NULL with errno */
void address_set_destroy(struct address_set *set); /* accepts NULL */

void address_set_insert4(struct address_set *set, uint32_t address);
void address_set_insert6(struct address_set *set, const uint8_t address[16]);

/* The IPv4 address as a number. */
static inline void address_set_add4(struct address_set *set, uint32_t address)
{
    const uint64_t *bitmap = set->bitmaps[address >> 16];
    if (__builtin_expect(bitmap[(address & 0xffff) / 64] >> (address % 64) & 1, 1))
        return;
    address_set_insert4(set, address);
}

/* Address as in struct observation. */
static inline void address_set_add(struct address_set *set, const uint8_t address[16],
                                   unsigned ip_version)
{
    if (ip_version == 6)
        address_set_insert6(set, address);
    else
        address_set_add4(set, (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                                  (uint32_t)address[2] << 8 | address[3]);
}

void address_set_merge(struct address_set *into, struct address_set *from);
uint64_t address_set_count(struct address_set *set);

#endif
