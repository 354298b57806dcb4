#include "capture/record_stream.h"

#include "capture/pcap_format.h"

#include <errno.h>
#include <stdlib.h>

enum { BLOCK = 1 << 20 };

static const int64_t billion = 1000000000;

int record_writer_init(struct record_writer *w, int zstd_level, struct fault *fault)
{
    if (zstd_level == 0)
        return 0;
    w->packed_size = ZSTD_compressBound(PCAP_FILE_HEADER + BLOCK);
    w->packed = malloc(w->packed_size);
    w->zstd = ZSTD_createCCtx();
    if (!w->packed || !w->zstd)
        return fault_set(fault, ENOMEM, "%s: no memory to compress", w->dir.path);
    /* A checksum per frame: a damaged file says so itself. */
    if (zstd_level < 1 || zstd_level > 19 ||
        ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, zstd_level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1)))
        return fault_set(fault, EINVAL, "zstd level %d; 1 to 19", zstd_level);
    return 0;
}

void record_writer_fini(struct record_writer *w)
{
    (void)ZSTD_freeCCtx(w->zstd);
    free(w->packed);
    w->zstd = NULL;
    w->packed = NULL;
}

int record_stream_init(struct record_stream *s, uint32_t link_type)
{
    *s = (struct record_stream){.link_type = link_type, .file.fd = -1};
    s->block = malloc(PCAP_FILE_HEADER + BLOCK);
    return s->block ? 0 : -ENOMEM;
}

static int open_file(struct record_stream *s, struct record_writer *w, struct fault *fault)
{
    const struct record_name name = {
        .second = s->first_ns / billion,
        .link_type = s->link_type,
        .is_zstd = w->zstd != NULL,
    };
    pcap_put_file_header(s->block, s->link_type, w->snaplen);
    return record_file_create(&s->file, &w->dir, &name, fault);
}

static void complete_file(struct record_stream *s, struct record_writer *w)
{
    struct fault fault;
    bool is_empty = s->file.bytes == 0;
    if (s->file.fd < 0)
        return;
    if (record_file_complete(&s->file, &w->dir, &fault) < 0) {
        if (w->incomplete.err == 0)
            w->incomplete = fault;
        w->say(w->context, fault.text);
    } else if (!is_empty)
        w->files++;
    s->file.bytes = 0; /* of the next one, which is not open yet */
}

int record_stream_flush(struct record_stream *s, struct record_writer *w, struct fault *fault)
{
    if (s->used == 0)
        return 0;
    int rc = s->file.fd < 0 ? open_file(s, w, fault) : 0;
    if (rc < 0)
        return rc;
    size_t header = s->file.bytes == 0 ? PCAP_FILE_HEADER : 0;
    const uint8_t *at = s->block + PCAP_FILE_HEADER - header;
    size_t len = s->used + header;
    if (w->zstd) {
        len = ZSTD_compress2(w->zstd, w->packed, w->packed_size, at, len);
        if (ZSTD_isError(len))
            return fault_set(fault, EIO, "%s: zstd: %s", w->dir.path, ZSTD_getErrorName(len));
        at = w->packed;
    }
    rc = record_file_append(&s->file, &w->dir, at, len, fault);
    if (rc < 0) {
        /* A full disk may have room again; what else is wrong, another file may not have. */
        if ((rc != -ENOSPC && rc != -EDQUOT) || s->file.is_torn)
            complete_file(s, w);
        return rc;
    }
    w->packets += s->pending;
    w->bytes += len;
    s->used = 0;
    s->pending = 0;
    return 0;
}

int record_stream_complete(struct record_stream *s, struct record_writer *w, struct fault *fault)
{
    int rc = record_stream_flush(s, w, fault);
    if (rc < 0)
        return rc;
    complete_file(s, w);
    s->begin_ns = s->end_ns = 0;
    return 0;
}

/* Whether a packet belongs to another file than those before it. */
static bool is_cut(const struct record_stream *s, const struct record_writer *w, int64_t ts_ns,
                   size_t size)
{
    if (s->begin_ns == s->end_ns)
        return false;
    return ts_ns >= s->end_ns || ts_ns < s->begin_ns - w->span_ns ||
           s->file.bytes + PCAP_FILE_HEADER + s->used + size > w->file_bytes;
}

int record_stream_add(struct record_stream *s, struct record_writer *w, const struct frame *f,
                      int64_t now_ms, struct fault *fault)
{
    uint32_t caplen = f->caplen < w->snaplen ? f->caplen : w->snaplen;
    size_t size = PCAP_RECORD_HEADER + caplen;
    int rc = 0;
    if (is_cut(s, w, f->ts_ns, size))
        rc = record_stream_complete(s, w, fault);
    else if (s->used + size > BLOCK)
        rc = record_stream_flush(s, w, fault);
    if (rc < 0)
        return rc;
    if (s->begin_ns == s->end_ns) {
        s->first_ns = f->ts_ns;
        s->begin_ns = f->ts_ns - f->ts_ns % w->span_ns;
        s->end_ns = s->begin_ns + w->span_ns;
    }
    uint8_t *at = s->block + PCAP_FILE_HEADER + s->used;
    pcap_put_record_header(at, f->ts_ns, caplen, f->wire_len);
    memcpy(at + PCAP_RECORD_HEADER, f->data, caplen);
    s->used += size;
    if (s->pending++ == 0)
        s->pending_ms = now_ms;
    s->last_ms = now_ms;
    return 0;
}

uint64_t record_stream_fini(struct record_stream *s, struct record_writer *w)
{
    uint64_t lost = s->pending;
    complete_file(s, w);
    free(s->block);
    s->block = NULL;
    s->pending = 0;
    return lost;
}
