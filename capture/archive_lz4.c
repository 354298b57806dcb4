#include "capture/archive_codec.h"

#include <errno.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_BEGIN = 7 }; /* bytes of the shortest header */

struct lz4_state {
    LZ4F_dctx *context;
    bool inside;    /* a frame has begun and not ended */
    size_t expects; /* stored bytes: to the end of the next block and its successor's size */
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
    if (s && !LZ4F_isError(LZ4F_createDecompressionContext(&s->context, LZ4F_VERSION))) {
        s->expects = FRAME_BEGIN;
        return s;
    }
    lz4_destroy(s);
    fault_set(fault, ENOMEM, "no memory to decompress lz4");
    return NULL;
}

/* The library's numbers of errors are private to it; its names are not. */
static int refuse(struct codec_io *io, size_t rc, struct fault *fault)
{
    static const struct {
        const char *name, *words;
        bool is_corrupt;
    } problems[] = {
        {"ERROR_contentChecksum_invalid", "the frame's checksum does not match", true},
        {"ERROR_blockChecksum_invalid", "a block's checksum does not match", true},
        {"ERROR_decompressionFailed", "a block does not decompress", true},
        {"ERROR_frameSize_wrong", "the frame has another length than it says", true},
        {"ERROR_headerChecksum_invalid", "the checksum of a frame's header does not match", false},
        {"ERROR_frameType_unknown", "what follows is no lz4 frame", false},
        {"ERROR_headerVersion_wrong", "the version of a frame is not known", false},
        {"ERROR_reservedFlag_set", "a frame's header is invalid", false},
        {"ERROR_maxBlockSize_invalid", "a frame's or block's size is invalid", false},
    };
    const char *name = LZ4F_getErrorName(rc), *words = "it does not decompress";
    if (strcmp(name, "ERROR_allocation_failed") == 0)
        return fault_set(fault, ENOMEM, "no memory to decompress lz4");
    io->is_corrupt = true;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        if (strcmp(problems[i].name, name) == 0) {
            words = problems[i].words;
            io->is_corrupt = problems[i].is_corrupt;
        }
    }
    return fault_set(fault, EBADMSG, "lz4 stream is damaged: %s%s",
                     io->is_corrupt ? "its data is corrupt: " : "", words);
}

/* Gets no more at once than the library says that it needs next: of a call that fails it does not
 * say what it gave, so whatever stands before what is damaged is to have been given by calls before it. */
static int lz4_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct lz4_state *s = state;
    while (io->out_len && (io->in_len || s->inside)) {
        size_t taken = io->in_len < s->expects ? io->in_len : s->expects, given = io->out_len;
        const size_t offered = taken;
        size_t rc = LZ4F_decompress(s->context, io->out, &given, io->in, &taken, NULL);
        if (LZ4F_isError(rc)) {
            io->in += offered; /* how far it came, it does not say */
            io->in_len -= offered;
            return refuse(io, rc, fault);
        }
        io->in += taken;
        io->in_len -= taken;
        io->out += given;
        io->out_len -= given;
        s->inside = rc != 0;
        s->expects = s->inside ? rc : FRAME_BEGIN;
        if (!s->inside)
            io->whole = io->in;
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
