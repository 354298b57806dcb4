#include "capture/archive_codec.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

/* Between members: gzip's own rule. Zero bytes may pad the end (tapes); another
 * member begins with the magic; anything else is foreign. */
enum place { AT_MAGIC, AT_MAGIC_2, IN_MEMBER, IN_PADDING };

struct gzip_state {
    struct inflate_state inflate;
    enum place place;
    bool had_member;
};

static void *gzip_create(struct fault *fault)
{
    struct gzip_state *s = calloc(1, sizeof *s);
    if (!s)
        fault_set(fault, ENOMEM, "no memory to decompress gzip");
    return s;
}

static const char *inflate_problem(int rc)
{
    switch (rc) {
    case ISAL_INVALID_BLOCK:
        return "a deflate block is invalid";
    case ISAL_INVALID_SYMBOL:
        return "a deflate symbol is invalid";
    case ISAL_INVALID_LOOKBACK:
        return "a deflate distance points before the beginning";
    case ISAL_INVALID_WRAPPER:
        return "the member's header is invalid";
    case ISAL_UNSUPPORTED_METHOD:
        return "the member is not compressed by deflate";
    case ISAL_INCORRECT_CHECKSUM:
        return "the member's checksum or length does not match";
    default:
        return "it does not inflate";
    }
}

static int inflate_some(struct gzip_state *s, const uint8_t *in, size_t in_len, struct codec_io *io,
                        size_t *used, struct fault *fault)
{
    struct inflate_state *z = &s->inflate;
    z->next_in = (uint8_t *)in;
    z->avail_in = (uint32_t)in_len;
    z->next_out = io->out;
    z->avail_out = (uint32_t)io->out_len;
    int rc = isal_inflate(z);
    *used = in_len - z->avail_in;
    io->out = z->next_out;
    io->out_len = z->avail_out;
    if (rc != ISAL_DECOMP_OK)
        return fault_set(fault, EBADMSG, "gzip stream is damaged: %s", inflate_problem(rc));
    if (z->block_state == ISAL_BLOCK_FINISH) {
        s->place = AT_MAGIC;
        s->had_member = true;
    }
    return 0;
}

static int begin_member(struct gzip_state *s, struct codec_io *io, struct fault *fault)
{
    static const uint8_t magic[2] = {0x1f, 0x8b};
    size_t used;
    /* The first member's state is set up whole; later ones keep no history. */
    isal_inflate_init(&s->inflate);
    s->inflate.crc_flag = ISAL_GZIP;
    s->place = IN_MEMBER;
    return inflate_some(s, magic, sizeof magic, io, &used, fault);
}

static int gzip_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct gzip_state *s = state;
    while (io->out_len) {
        if (s->place == IN_MEMBER) {
            size_t used, room = io->out_len;
            int rc = inflate_some(s, io->in, io->in_len, io, &used, fault);
            io->in += used;
            io->in_len -= used;
            if (rc || (s->place == IN_MEMBER && !used && io->out_len == room))
                return rc;
            continue;
        }
        if (!io->in_len)
            return 0;
        uint8_t byte = *io->in;
        if (s->place == AT_MAGIC && byte == 0x1f) {
            s->place = AT_MAGIC_2;
        } else if (s->place == AT_MAGIC_2 && byte == 0x8b) {
            int rc = begin_member(s, io, fault);
            if (rc)
                return rc;
        } else if (byte == 0 && s->had_member && s->place != AT_MAGIC_2) {
            s->place = IN_PADDING;
        } else {
            return fault_set(fault, EBADMSG, "what follows the last gzip member is no gzip data");
        }
        io->in++;
        io->in_len--;
    }
    return 0;
}

static bool gzip_complete(const void *state)
{
    const struct gzip_state *s = state;
    return s->place == AT_MAGIC || s->place == IN_PADDING;
}

const struct archive_codec archive_gzip = {
    .name = "gzip",
    .magic = {0x1f, 0x8b},
    .magic_len = 2,
    .create = gzip_create,
    .step = gzip_step,
    .complete = gzip_complete,
    .destroy = free,
};
