/* archive: the bytes of one stored input, whatever it is compressed with.
 *
 * A plain file is read in blocks of 1 MiB into one buffer. (Measured with the
 * page cache warm, per 76-byte record walked: 7 ns by read, 9 to 12 ns through
 * a mapping, faulted or populated; and a file that shrinks under a mapping kills
 * the process.) gz (ISA-L, several members), zstd (several frames), xz, bz2 and
 * lz4 (several frames each) are decompressed by a thread of the archive's own
 * into a bounded number of blocks, so that an archive can be opened long before
 * it is read; so is what comes through a pipe. The compression is told by the
 * first bytes, never by the name. "-" is stdin. Where blocks end depends on the
 * data alone, not on the compression. One reader thread per archive.
 */
#ifndef CAPTURE_ARCHIVE_H
#define CAPTURE_ARCHIVE_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive;

/* Opens `path` and begins to decompress ahead. On failure returns -errno and the
 * fault says why; *out is NULL then. Faults of an archive leave out its name,
 * which stands beside them in a damage list. */
int archive_open(struct archive **out, const char *path, struct fault *fault);

/* Gives the next bytes. `keep` bytes at the end of the previous span were not
 * consumed and stand at the beginning of the new one, contiguous with what
 * follows. Returns the span's length (> keep), or `keep` at the end of the
 * data, or -errno where the data is damaged or can't be read (the fault says
 * what); all bytes before the damage were given by then, and `keep`
 * bytes are still valid at *data. The span is valid until the next call.
 * Memory grows with `keep` alone: the caller bounds it. */
int64_t archive_fill(struct archive *a, const uint8_t **data, size_t keep, struct fault *fault);

/* "plain", "gzip", "zstd", "xz", "bzip2", "lz4"; of a pipe known once the first
 * fill has returned, "plain" before. */
const char *archive_format(const struct archive *a);

/* Whether a thread of its own reads and decompresses it. */
bool archive_unpacks(const struct archive *a);

/* Byte of the stored file that what was last filled begins at (after a failed
 * fill: where it failed). Exact for plain files; a compressed one gives
 * the place where its block of decompressed data begins. */
uint64_t archive_stored_at(const struct archive *a);

/* Of a compressed input: the range of the stored file in which an error lies that shows in what was
 * last filled, or that made the last fill fail. `from`: where the last member or frame ended well
 * before it: an error inside one may go unnoticed for long. `to`: how far reading was. */
void archive_stored_range(const struct archive *a, uint64_t *from, uint64_t *to);

/* True where a fill has failed since the decompressor found the data corrupt, not cut short: data
 * given before may be wrong, too. */
bool archive_is_corrupt(const struct archive *a);

/* Closes, joins the thread, frees everything; accepts NULL. Does not wait for a
 * pipe to deliver. */
void archive_close(struct archive *a);

#endif
