#include "capture/archive_codec.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

enum { MEMORY_MAX = 256 << 20 }; /* xz -9 takes 65 MiB */

struct xz_state {
    lzma_stream stream;
    bool ended;
};

static void *xz_create(struct fault *fault)
{
    struct xz_state *s = calloc(1, sizeof *s);
    if (!s || lzma_stream_decoder(&s->stream, MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK) {
        free(s);
        fault_set(fault, ENOMEM, "no memory to decompress xz");
        return NULL;
    }
    return s;
}

static int refuse(struct codec_io *io, lzma_ret rc, struct fault *fault)
{
    switch (rc) {
    case LZMA_FORMAT_ERROR:
        return fault_set(fault, EBADMSG, "xz stream is damaged: what follows is no xz stream");
    case LZMA_MEMLIMIT_ERROR:
        return fault_set(fault, ENOTSUP, "the xz stream wants more than 256 MiB of memory");
    case LZMA_MEM_ERROR:
        return fault_set(fault, ENOMEM, "no memory to decompress xz");
    case LZMA_OPTIONS_ERROR:
        return fault_set(fault, ENOTSUP, "the xz stream uses options that are not known");
    default:
        io->is_corrupt = true;
        return fault_set(fault, EBADMSG,
                         "xz stream is damaged: its data is corrupt (it fits no code or no "
                         "checksum), or no xz stream follows it");
    }
}

static int xz_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct xz_state *s = state;
    lzma_stream *z = &s->stream;
    if (s->ended)
        return 0;
    z->next_in = io->in;
    z->avail_in = io->in_len;
    z->next_out = io->out;
    z->avail_out = io->out_len;
    lzma_ret rc;
    do
        rc = lzma_code(z, io->last ? LZMA_FINISH : LZMA_RUN);
    while (rc == LZMA_OK && z->avail_out && (z->avail_in || io->last));
    io->in = z->next_in;
    io->in_len = z->avail_in;
    io->out = z->next_out;
    io->out_len = z->avail_out;
    s->ended = rc == LZMA_STREAM_END;
    /* LZMA_BUF_ERROR: it wants more than there is, which is the caller's to know. */
    if (rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR)
        return 0;
    return refuse(io, rc, fault);
}

static bool xz_complete(const void *state) { return ((const struct xz_state *)state)->ended; }

static void xz_destroy(void *state)
{
    struct xz_state *s = state;
    if (s)
        lzma_end(&s->stream);
    free(s);
}

const struct archive_codec archive_xz = {
    .name = "xz",
    .magic = {0xfd, '7', 'z', 'X', 'Z', 0},
    .magic_len = 6,
    .create = xz_create,
    .step = xz_step,
    .complete = xz_complete,
    .destroy = xz_destroy,
};
