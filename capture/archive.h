/* archive: the bytes of one stored input, whatever it is compressed with.
 *
 * Plain files are mapped; gz (ISA-L, several members), zstd (several frames),
 * xz, bz2 and lz4 (several frames each) are decompressed by a thread of the
 * archive's own into a bounded number of buffers, so that an archive can be
 * opened long before it is read. The compression is told by the first bytes,
 * never by the name. "-" is stdin, which may be compressed too.
 * One reader thread per archive.
 */
#ifndef CAPTURE_ARCHIVE_H
#define CAPTURE_ARCHIVE_H

#include "capture/fault.h"

#include <stddef.h>
#include <stdint.h>

struct archive;

/* Opens `path` and begins to decompress ahead. On failure returns -errno, the
 * fault names the file; *out is NULL then. */
int archive_open(struct archive **out, const char *path, struct fault *fault);

/* Gives the next bytes. `keep` bytes at the end of the previous span were not
 * consumed and stand at the beginning of the new one, contiguous with what
 * follows. Returns the span's length (> keep), or `keep` at the end of the
 * data, or -errno where the data is damaged (fault says what, and where in the
 * stored file); all bytes before the damage were given by then, and `keep`
 * bytes are still valid at *data. The span is valid until the next call.
 * Plain files give everything at once. */
int64_t archive_fill(struct archive *a, const uint8_t **data, size_t keep, struct fault *fault);

/* "plain", "gzip", "zstd", "xz", "bzip2", "lz4". */
const char *archive_format(const struct archive *a);

/* Bytes of the stored file taken so far and its size (0: unknown, a pipe).
 * Any thread. */
void archive_progress(const struct archive *a, uint64_t *done, uint64_t *total);

/* Joins the thread, frees everything; accepts NULL. */
void archive_close(struct archive *a);

#endif
