#include "capture/archive_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { FRAME_BEGIN = 5 }; /* bytes that tell a frame's header's size, or a skippable frame's */

struct zstd_state {
    ZSTD_DCtx *context;
    bool inside;    /* a frame has begun and not ended */
    size_t expects; /* stored bytes: to the end of the next block, header or checksum */
};

static void zstd_destroy(void *state)
{
    struct zstd_state *s = state;
    if (s)
        ZSTD_freeDCtx(s->context);
    free(s);
}

static void *zstd_create(struct fault *fault)
{
    struct zstd_state *s = calloc(1, sizeof *s);
    if (s && (s->context = ZSTD_createDCtx())) {
        s->expects = FRAME_BEGIN;
        return s;
    }
    zstd_destroy(s);
    fault_set(fault, ENOMEM, "no memory to decompress zstd");
    return NULL;
}

static int refuse(struct codec_io *io, size_t rc, struct fault *fault)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);
    switch (code) {
    case ZSTD_error_memory_allocation:
        return fault_set(fault, ENOMEM, "no memory to decompress zstd");
    case ZSTD_error_frameParameter_windowTooLarge:
        return fault_set(fault, ENOTSUP, "the zstd frame wants a window of more than 128 MiB");
    case ZSTD_error_dictionary_wrong:
        return fault_set(fault, ENOTSUP, "the zstd frame wants a dictionary");
    case ZSTD_error_prefix_unknown:
        return fault_set(fault, EBADMSG, "zstd stream is damaged: what follows is no zstd frame");
    default:
        io->is_corrupt = true;
        return fault_set(fault, EBADMSG, "zstd stream is damaged: its data is corrupt: %s",
                         code == ZSTD_error_checksum_wrong ? "the frame's checksum does not match"
                         : code == ZSTD_error_corruption_detected ? "a block does not decompress"
                                                                  : ZSTD_getErrorName(rc));
    }
}

/* Gets no more at once than the library says that it needs next: of a call that fails it does not
 * say what it gave, so whatever stands before what is damaged is to have been given by calls before it.
 * Frames that want a window of more than 128 MiB (zstd's own limit, --long above 27) are refused by the library: a file must not choose how much memory it gets. */
static int zstd_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct zstd_state *s = state;
    while (io->out_len) {
        ZSTD_inBuffer in = {io->in, io->in_len < s->expects ? io->in_len : s->expects, 0};
        ZSTD_outBuffer out = {io->out, io->out_len, 0};
        if (!s->inside && !in.size)
            return 0;
        size_t rc = ZSTD_decompressStream(s->context, &out, &in);
        if (ZSTD_isError(rc))
            in.pos = in.size; /* how far it came, it does not say */
        io->in += in.pos;
        io->in_len -= in.pos;
        io->out += out.pos;
        io->out_len -= out.pos;
        if (ZSTD_isError(rc))
            return refuse(io, rc, fault);
        s->inside = rc != 0;
        s->expects = s->inside ? rc : FRAME_BEGIN;
        if (!s->inside)
            io->whole = io->in;
        if (!in.pos && !out.pos)
            return 0;
    }
    return 0;
}

static bool zstd_complete(const void *state) { return !((const struct zstd_state *)state)->inside; }

const struct archive_codec archive_zstd = {
    .name = "zstd",
    .magic = {0x28, 0xb5, 0x2f, 0xfd},
    .magic_len = 4,
    .create = zstd_create,
    .step = zstd_step,
    .complete = zstd_complete,
    .destroy = zstd_destroy,
};
