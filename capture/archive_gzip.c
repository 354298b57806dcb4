#include "capture/archive_codec.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

/* Between members: gzip's own rule. Zero bytes may pad the end (tapes); another
 * member begins with the magic; anything else is foreign. */
enum place { AT_MAGIC, AT_MAGIC_2, IN_HEADER, IN_MEMBER, IN_PADDING };

struct gzip_state {
    struct inflate_state inflate;
    /* isal_inflate would read a header itself, but only one that lies whole in its input. */
    struct isal_gzip_header header;
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
    case ISAL_INCORRECT_CHECKSUM:
        return "the member's checksum or length does not match";
    default:
        return "it does not inflate";
    }
}

static int refuse(struct codec_io *io, int rc, struct fault *fault)
{
    if (rc == ISAL_UNSUPPORTED_METHOD)
        return fault_set(fault, ENOTSUP, "the gzip member is not compressed by deflate");
    if (rc == ISAL_INVALID_WRAPPER)
        return fault_set(fault, EBADMSG, "gzip stream is damaged: a member's header is invalid");
    io->is_corrupt = true;
    return fault_set(fault, EBADMSG, "gzip stream is damaged: its data is corrupt: %s",
                     inflate_problem(rc));
}

static void begin_member(struct gzip_state *s)
{
    static uint8_t magic[2] = {0x1f, 0x8b};
    isal_inflate_init(&s->inflate);
    isal_gzip_header_init(&s->header);
    s->inflate.next_in = magic;
    s->inflate.avail_in = sizeof magic;
    (void)isal_read_gzip_header(&s->inflate, &s->header); /* wants more than that */
    s->place = IN_HEADER;
}

/* One call of the library. */
static int inflate_some(struct gzip_state *s, struct codec_io *io, struct fault *fault)
{
    struct inflate_state *z = &s->inflate;
    size_t in_len = io->in_len, out_len = io->out_len;
    z->next_in = (uint8_t *)io->in;
    z->avail_in = (uint32_t)in_len;
    z->next_out = io->out;
    z->avail_out = (uint32_t)out_len;
    int rc;
    if (s->place == IN_HEADER) {
        rc = isal_read_gzip_header(z, &s->header);
        if (rc == ISAL_DECOMP_OK) {
            s->place = IN_MEMBER;
            z->crc_flag = ISAL_GZIP_NO_HDR_VER;
        } else if (rc == ISAL_END_INPUT) {
            rc = ISAL_DECOMP_OK;
        }
    } else {
        rc = isal_inflate(z);
        if (rc == ISAL_DECOMP_OK && z->block_state == ISAL_BLOCK_FINISH) {
            s->place = AT_MAGIC;
            s->had_member = true;
        }
    }
    /* What is left is not always less than what was given, where the stream is damaged. */
    size_t used = z->avail_in <= in_len ? in_len - z->avail_in : in_len;
    size_t made = z->avail_out <= out_len ? out_len - z->avail_out : 0;
    io->in += used;
    io->in_len -= used;
    io->out += made;
    io->out_len -= made;
    if (s->place == AT_MAGIC)
        io->whole = io->in;
    if (rc != ISAL_DECOMP_OK)
        return refuse(io, rc, fault);
    return 0;
}

/* Takes the byte that stands between members. */
static int judge_between(struct gzip_state *s, uint8_t byte, struct fault *fault)
{
    if (s->place == AT_MAGIC && byte == 0x1f)
        s->place = AT_MAGIC_2;
    else if (s->place == AT_MAGIC_2 && byte == 0x8b)
        begin_member(s);
    else if (s->place != AT_MAGIC_2 && byte == 0 && s->had_member)
        s->place = IN_PADDING;
    else
        return fault_set(fault, EBADMSG, "what follows the last gzip member is no gzip data");
    return 0;
}

static int gzip_step(void *state, struct codec_io *io, struct fault *fault)
{
    struct gzip_state *s = state;
    while (io->out_len) {
        size_t in_len = io->in_len, out_len = io->out_len;
        int rc = 0;
        if (s->place == IN_HEADER || s->place == IN_MEMBER) {
            enum place before = s->place;
            rc = inflate_some(s, io, fault);
            if (s->place == before && io->in_len == in_len && io->out_len == out_len)
                return rc;
        } else if (in_len) {
            rc = judge_between(s, *io->in, fault);
            io->in++;
            io->in_len--;
        } else {
            return 0;
        }
        if (rc)
            return rc;
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
