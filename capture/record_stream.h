/* record_stream: the packets of one link type on their way into a row of files.
 *
 * Packets gather in a block, which goes to the file whole: nothing but whole packets is ever in a file, and a block
 * that could not be written is there to be tried again. One thread.
 */
#ifndef CAPTURE_RECORD_STREAM_H
#define CAPTURE_RECORD_STREAM_H

#include "capture/capture.h"
#include "capture/record_file.h"

#include <zstd.h>

/* What all streams of a recording share. */
struct record_writer {
    struct record_dir dir;
    int64_t span_ns;
    uint64_t file_bytes;
    uint32_t snaplen;
    ZSTD_CCtx *zstd; /* NULL: not compressed */
    uint8_t *packed; /* a block compressed */
    size_t packed_size;
    uint64_t packets, bytes, files; /* written; bytes as stored */
    struct fault incomplete;        /* the first file that could not be completed; err 0: none */
    void (*say)(void *context, const char *line); /* never NULL */
    void *context;
};

/* -EINVAL where zstd does not take the level, -ENOMEM. The rest of *w is set. */
int record_writer_init(struct record_writer *w, int zstd_level, struct fault *fault);
void record_writer_fini(struct record_writer *w); /* accepts one that is zeroed */

struct record_stream {
    uint32_t link_type;
    struct record_file file;
    int64_t first_ns;         /* of the first packet of this file */
    int64_t begin_ns, end_ns; /* span of its file; equal: no packet has come yet */
    uint8_t *block;           /* a file header, then records */
    size_t used;              /* bytes of records */
    uint64_t pending;         /* packets in the block */
    int64_t pending_ms;       /* when the first of them came */
    int64_t last_ms;          /* when the last packet came */
};

int record_stream_init(struct record_stream *s, uint32_t link_type); /* -ENOMEM */

/* Takes a packet whose time the format holds. -errno: it was not taken, may be tried again. */
int record_stream_add(struct record_stream *s, struct record_writer *w, const struct frame *f,
                      int64_t now_ms, struct fault *fault);

/* Writes the block; after -errno it is there as before. */
int record_stream_flush(struct record_stream *s, struct record_writer *w, struct fault *fault);

/* Flushes, and completes the file. -errno: the block could not be written, and all is as before. A file that
 * could not be completed is said, and is done with. */
int record_stream_complete(struct record_stream *s, struct record_writer *w, struct fault *fault);

/* Completes the file without the block where that can't be written. Returns how many packets that loses. */
uint64_t record_stream_fini(struct record_stream *s, struct record_writer *w);

#endif
