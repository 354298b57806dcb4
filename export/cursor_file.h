/* cursor_file: how far a sink has delivered a feed, kept over restarts.
 *
 * A text file of a few lines: the sensor, the segment that was the first when the cursor was begun, with the crc of its
 * Header, the position, and a crc of it all. It is replaced whole (a second file, synced, renamed), so it holds the old or the
 * new position at any moment. One thread per cursor.
 */
#ifndef EXPORT_CURSOR_FILE_H
#define EXPORT_CURSOR_FILE_H

#include "capture/fault.h"
#include "export/feed_tail.h"

struct cursor_file;

/* Opens or begins the cursor `path` for the feed in `dir`, which may be empty. *position is what it holds; all zero: nothing
 * yet. -EINVAL and a fault: it is damaged, or another feed's (another sensor, or the first segment is another one). -errno.
 * Whether the position itself is still kept is feed_tail_open's to say. */
int cursor_file_open(struct cursor_file **out, const char *path, const char *dir,
                     struct feed_position *position, struct fault *fault);

/* Replaces the position; safe on disk when it returns 0. -errno and a fault: the file holds what it held. */
int cursor_file_write(struct cursor_file *c, const struct feed_position *position,
                      struct fault *fault);

void cursor_file_close(struct cursor_file *c); /* accepts NULL */

/* The position alone, for who deletes segments. -ENOENT: there is no such file; -EINVAL as above. */
int cursor_file_peek(const char *path, struct feed_position *position, struct fault *fault);

#endif
