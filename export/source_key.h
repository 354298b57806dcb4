/* source_key: by what a source day stands in its order, from the first bytes of its record.
 *
 * For readers that merge many streams: a key is peeked at, the record is read when its turn comes. The bytes are
 * a stranger's; record_unpack_source_day tells whether the record is what the key says. Pure.
 */
#ifndef EXPORT_SOURCE_KEY_H
#define EXPORT_SOURCE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOURCE_KEY = 17 }; /* IP version (4 or 6), address: sources of a date ascend by memcmp */

/* The key from the first `len` bytes of a SourceDay's body. False: there is none. */
bool source_key_parse(const uint8_t *body, size_t len, uint8_t key[SOURCE_KEY]);

#endif
