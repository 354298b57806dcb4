#include "capture/archive_codec.h"

#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bzip2_state {
    bz_stream stream;
    bool inside; /* a stream has begun and not ended */
};

static void *bzip2_create(struct fault *fault)
{
    struct bzip2_state *s = calloc(1, sizeof *s);
    if (!s)
        fault_set(fault, ENOMEM, "no memory to decompress bzip2");
    return s;
}

static int begin_stream(struct bzip2_state *s, struct fault *fault)
{
    memset(&s->stream, 0, sizeof s->stream);
    if (BZ2_bzDecompressInit(&s->stream, 0, 0) != BZ_OK)
        return fault_set(fault, ENOMEM, "no memory to decompress bzip2");
    s->inside = true;
    return 0;
}

static int refuse(struct codec_io *io, int rc, struct fault *fault)
{
    if (rc == BZ_MEM_ERROR)
        return fault_set(fault, ENOMEM, "no memory to decompress bzip2");
    io->is_corrupt = rc != BZ_DATA_ERROR_MAGIC;
    return fault_set(fault, EBADMSG, "bzip2 stream is damaged: %s",
                     io->is_corrupt ? "its data is corrupt: it fits no code or no checksum"
                                    : "what follows is no bzip2 stream");
}

static int bzip2_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct bzip2_state *s = state;
    bz_stream *z = &s->stream;
    while (io->out_len) {
        if (!s->inside && !io->in_len)
            return 0;
        int rc = s->inside ? 0 : begin_stream(s, fault);
        if (rc)
            return rc;
        size_t in_before = io->in_len, out_before = io->out_len;
        z->next_in = (char *)io->in;
        z->avail_in = (unsigned)io->in_len;
        z->next_out = (char *)io->out;
        z->avail_out = (unsigned)io->out_len;
        rc = BZ2_bzDecompress(z);
        io->in = (const uint8_t *)z->next_in;
        io->in_len = z->avail_in;
        io->out = (uint8_t *)z->next_out;
        io->out_len = z->avail_out;
        if (rc == BZ_STREAM_END) {
            BZ2_bzDecompressEnd(z);
            s->inside = false;
            io->whole = io->in;
        } else if (rc != BZ_OK) {
            return refuse(io, rc, fault);
        } else if (io->in_len == in_before && io->out_len == out_before) {
            return 0;
        }
    }
    return 0;
}

static bool bzip2_complete(const void *state)
{
    return !((const struct bzip2_state *)state)->inside;
}

static void bzip2_destroy(void *state)
{
    struct bzip2_state *s = state;
    if (s && s->inside)
        BZ2_bzDecompressEnd(&s->stream);
    free(s);
}

const struct archive_codec archive_bzip2 = {
    .name = "bzip2",
    .magic = {'B', 'Z', 'h'},
    .magic_len = 3,
    .create = bzip2_create,
    .step = bzip2_step,
    .complete = bzip2_complete,
    .destroy = bzip2_destroy,
};
