/* archive_codec: one kind of compression, as a stream decoder.
 *
 * Each is one const struct in archive_codec_all; a state belongs to one thread.
 */
#ifndef CAPTURE_ARCHIVE_CODEC_H
#define CAPTURE_ARCHIVE_CODEC_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a step may take and where it may write; a step moves both forward. */
struct codec_io {
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t out_len;
    bool last;            /* nothing follows `in` */
    const uint8_t *whole; /* set to where in `in` a member or frame ended well; NULL before */
    bool is_corrupt;      /* set with -EBADMSG where bytes given before may be wrong, too */
};

struct archive_codec {
    const char *name;
    uint8_t magic[6];
    uint8_t magic_len;
    /* NULL with a fault where memory lacks. */
    void *(*create)(struct fault *fault);
    /* Decodes until `in` is used up or `out` is full; -EBADMSG and a fault where the
     * stream is damaged (what was decoded before it is in `out`), in words that say how that
     * is known; -ENOTSUP, -ENOMEM where it can't be decoded. */
    int (*step)(void *state, struct codec_io *io, struct fault *fault);
    /* True where the stored data may end here. */
    bool (*complete)(const void *state);
    void (*destroy)(void *state);
};

extern const struct archive_codec archive_gzip, archive_zstd, archive_xz, archive_bzip2,
    archive_lz4;

/* The bytes that tell a codec. */
enum { ARCHIVE_MAGIC_MAX = 6 };

#endif
