#include "capture/pcap_writer.h"

#include "capture/pcap_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, RECORD = PCAP_RECORD_HEADER };

struct pcap_writer {
    int fd;
    int err; /* 0, or what failed: the file's end is then unknown */
    uint32_t snaplen;
    size_t used;
    char *path;
    uint8_t *buffer;
};

static int write_all(struct pcap_writer *w, const uint8_t *at, size_t len, struct fault *fault)
{
    while (len) {
        ssize_t n = write(w->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            w->err = errno;
            return fault_set(fault, w->err, "%s: %s", w->path, strerror(w->err));
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int flush(struct pcap_writer *w, struct fault *fault)
{
    size_t used = w->used;
    w->used = 0;
    return write_all(w, w->buffer, used, fault);
}

int pcap_writer_open(struct pcap_writer **out, const char *path, uint32_t link_type,
                     uint32_t snaplen, struct fault *fault)
{
    *out = NULL;
    struct pcap_writer *w = calloc(1, sizeof *w);
    if (w) {
        w->buffer = malloc(BUFFER);
        w->path = strdup(strcmp(path, "-") ? path : "stdout");
        w->snaplen = snaplen;
        w->fd = -1;
    }
    if (!w || !w->buffer || !w->path) {
        (void)pcap_writer_close(w, NULL);
        return fault_set(fault, ENOMEM, "%s: no memory for the buffer", path);
    }
    w->fd = strcmp(path, "-") ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                              : STDOUT_FILENO;
    if (w->fd < 0) {
        int err = fault_set(fault, errno, "%s: %s", path, strerror(errno));
        (void)pcap_writer_close(w, NULL);
        return err;
    }
    pcap_put_file_header(w->buffer, link_type, snaplen);
    w->used = PCAP_FILE_HEADER;
    *out = w;
    return 0;
}

int pcap_writer_add(struct pcap_writer *w, const struct frame *frames, size_t count,
                    struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        const struct frame *f = &frames[i];
        uint32_t caplen = f->caplen < w->snaplen ? f->caplen : w->snaplen;
        if (!pcap_holds_time(f->ts_ns))
            return fault_set(fault, ERANGE, "%s: time %lld s does not fit a pcap file", w->path,
                             (long long)(f->ts_ns / 1000000000));
        if (w->used + RECORD + caplen > BUFFER && w->used) {
            int err = flush(w, fault);
            if (err)
                return err;
        }
        uint8_t *at = w->buffer + w->used;
        pcap_put_record_header(at, f->ts_ns, caplen, f->wire_len);
        w->used += RECORD;
        if (caplen <= BUFFER - RECORD) {
            memcpy(at + RECORD, f->data, caplen);
            w->used += caplen;
        } else { /* larger than the buffer: past it */
            int err = flush(w, fault);
            if (!err)
                err = write_all(w, f->data, caplen, fault);
            if (err)
                return err;
        }
    }
    return 0;
}

int pcap_writer_close(struct pcap_writer *w, struct fault *fault)
{
    if (!w)
        return 0;
    int err = -w->err;
    if (!err && w->fd >= 0)
        err = flush(w, fault);
    if (w->fd >= 0 && w->fd != STDOUT_FILENO && close(w->fd) && !err)
        err = fault_set(fault, errno, "%s: %s", w->path, strerror(errno));
    free(w->buffer);
    free(w->path);
    free(w);
    return err;
}
