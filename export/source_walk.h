/* source_walk: the source days of one segment, found by address without an index.
 *
 *   source_walk_begin -> source_walk_seek, or source_walk_at -> source_walk_next, ... -> source_walk_end
 *
 * Source days stand sorted by IP version and address, and a record can be told from anywhere in the file by the crc that it
 * continues (feed_cursor_land). So an address is found by halving the file: some 20 reads of 16 KB in a segment of a
 * gigabyte. Nothing on disk is believed: each record is held to its crc, its form and its place in the order. What is damaged on the way
 * is named in the reader's list, and the walk goes on behind it; damage elsewhere in the segment is not met.
 *
 * Memory: a cursor's. One thread per pool.
 */
#ifndef EXPORT_SOURCE_WALK_H
#define EXPORT_SOURCE_WALK_H

#include "export/feed_reader.h"
#include "export/source_key.h"

/* Embedded by the caller; must not move while it is in use. */
struct source_walk {
    struct feed_cursor cursor;
    uint8_t from[SOURCE_KEY]; /* sources before it are passed over */
    uint8_t key[SOURCE_KEY];  /* of the source day that was given last */
    bool has_key;
};

/* Opens the segment; a file that can't be read is damage. The caller ends the walk in any case. -ENOMEM, -EMFILE. */
int source_walk_begin(struct source_walk *w, struct feed_reader *r, size_t segment,
                      struct fault *fault);

/* The facts and settings of the segment's date, from its second record. 1: they are the caller's to fini; 0: they are damaged. */
int source_walk_facts(struct source_walk *w, struct day_facts *facts, struct day_settings *settings,
                      struct fault *fault);

/* From now on source_walk_next gives the first source day whose key is `key` or behind it, and those that follow. */
int source_walk_seek(struct source_walk *w, const uint8_t key[SOURCE_KEY], struct fault *fault);

/* The next source day: 1, w->key and its record, valid until the next call on any cursor of the pool; where it begins is
 * w->cursor.at. 0: there is none. -errno and a fault. */
int source_walk_next(struct source_walk *w, struct record_view *view, struct fault *fault);

/* The source day that begins at byte `at`: 1; 0: none does. The next one may stand anywhere. */
int source_walk_at(struct source_walk *w, uint64_t at, struct record_view *view,
                   struct fault *fault);

void source_walk_end(struct source_walk *w); /* accepts all zero */

#endif
