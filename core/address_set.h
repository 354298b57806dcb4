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

#include <stdint.h>

struct address_set;

struct address_set *address_set_create(void); /* NULL with errno */
void address_set_destroy(struct address_set *set); /* accepts NULL */

/* Address as in struct observation. */
void address_set_add(struct address_set *set, const uint8_t address[16], unsigned ip_version);

void address_set_merge(struct address_set *into, const struct address_set *from);
uint64_t address_set_count(const struct address_set *set);

#endif
