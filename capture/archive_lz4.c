#include "capture/archive_codec.h"

#include <errno.h>
#include <lz4frame.h>
#include <stdlib.h>

struct lz4_state {
    LZ4F_dctx *context;
    bool inside; /* a frame has begun and not ended */
};

static void lz4_destroy(void *state)
{
    struct lz4_state *s = state;
    if (s)
        LZ4F_freeDecompressionContext(s->context);
    free(s);
}

static void *lz4_create(struct fault *fault)
{
    struct lz4_state *s = calloc(1, sizeof *s);
    if (s && !LZ4F_isError(LZ4F_createDecompressionContext(&s->context, LZ4F_VERSION)))
        return s;
    lz4_destroy(s);
    fault_set(fault, ENOMEM, "no memory to decompress lz4");
    return NULL;
}

static int lz4_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct lz4_state *s = state;
    while (io->out_len && (io->in_len || s->inside)) {
        size_t taken = io->in_len, given = io->out_len;
        size_t rc = LZ4F_decompress(s->context, io->out, &given, io->in, &taken, NULL);
        if (LZ4F_isError(rc))
            return fault_set(fault, EBADMSG, "lz4 stream is damaged: %s", LZ4F_getErrorName(rc));
        io->in += taken;
        io->in_len -= taken;
        io->out += given;
        io->out_len -= given;
        s->inside = rc != 0;
        if (!taken && !given)
            return 0;
    }
    return 0;
}

static bool lz4_complete(const void *state) { return !((const struct lz4_state *)state)->inside; }

const struct archive_codec archive_lz4 = {
    .name = "lz4",
    .magic = {0x04, 0x22, 0x4d, 0x18},
    .magic_len = 4,
    .create = lz4_create,
    .step = lz4_step,
    .complete = lz4_complete,
    .destroy = lz4_destroy,
};
