#include "export/cursor_file.h"
#include "export/path_sync.h"
#include "export/yamiscope.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SENSOR_SHOWN = 128, FILE_MAX = 1024 };

/* What tells a feed from another. */
struct origin {
    char sensor[SENSOR_SHOWN]; /* printable, cut */
    uint32_t segment, crc;     /* the first that is kept; of its Header. 0: the feed is empty */
};

struct cursor_file {
    char *path, *beside, *dir;
    struct origin origin;
};

/* Spaces and what is not printable would break the file's lines. */
static void sensor_take(struct origin *o, const char *sensor)
{
    size_t len = 0;
    for (; sensor[len] != '\0' && len + 1 < sizeof o->sensor; len++)
        o->sensor[len] = sensor[len] > ' ' && sensor[len] != 0x7f ? sensor[len] : '_';
    o->sensor[len] = '\0';
    if (strcmp(o->sensor, "-") == 0) /* as the file has one without a name */
        o->sensor[0] = '\0';
}

/* Of the feed as it is now. A segment of 0: it is empty. */
static int origin_read(struct origin *o, const char *dir, struct fault *fault)
{
    struct feed_tail *tail;
    struct feed_tail_record r;
    memset(o, 0, sizeof *o);
    int err = feed_tail_open(&tail, dir, NULL, fault);
    if (err != 0)
        return err;
    err = feed_tail_next(tail, &r, fault);
    if (err > 0) {
        Yamiscope__Header *h = yamiscope__header__unpack(NULL, r.body_len, r.body);
        sensor_take(o, h == NULL ? "" : h->sensor);
        if (h != NULL)
            yamiscope__header__free_unpacked(h, NULL);
        o->segment = r.segment;
        o->crc = feed_tail_position(tail)->crc;
    }
    feed_tail_close(tail);
    return err < 0 ? err : 0;
}

static int text_parse(const char *path, const char *text, size_t len, struct origin *o,
                      struct feed_position *p, struct fault *fault)
{
    uint32_t crc;
    enum { LAST = 14 }; /* "\ncrc 12345678\n" */
    const char *last = len < LAST ? NULL : text + len - LAST;
    memset(o, 0, sizeof *o);
    memset(p, 0, sizeof *p);
    if (last == NULL || text[len - 1] != '\n' || sscanf(last, "\ncrc %8" SCNx32, &crc) != 1 ||
        record_crc(0, text, (size_t)(last + 1 - text)) != crc)
        return fault_set(fault, EINVAL, "%.200s: a damaged cursor", path);
    if (sscanf(text,
               "yamiscope cursor 1\nsensor %127s\nfirst %" SCNu32 " %" SCNx32 "\n"
               "segment %" SCNu32 "\noffset %" SCNu64 "\nseq %" SCNu64 "\nchain %" SCNx32 "\n",
               o->sensor, &o->segment, &o->crc, &p->segment, &p->offset, &p->seq, &p->crc) != 7)
        return fault_set(fault, EINVAL, "%.200s: no cursor that this version knows", path);
    if (strcmp(o->sensor, "-") == 0)
        o->sensor[0] = '\0';
    return 0;
}

static int file_read(const char *path, struct origin *o, struct feed_position *p,
                     struct fault *fault)
{
    char text[FILE_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t len = fd < 0 ? -1 : read(fd, text, FILE_MAX);
    int err = len < 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    if (len < 0)
        return fault_set(fault, err, "%.200s: %s", path, strerror(err));
    text[len] = '\0';
    return text_parse(path, text, (size_t)len, o, p, fault);
}

int cursor_file_peek(const char *path, struct feed_position *position, struct fault *fault)
{
    struct origin o;
    return file_read(path, &o, position, fault);
}

/* Whether the cursor is of this feed, as far as what is kept tells; its position's crc tells the rest. */
static int origin_check(const char *path, const char *dir, const struct origin *o,
                        struct fault *fault)
{
    struct origin is;
    int err = origin_read(&is, dir, fault);
    if (err != 0)
        return err;
    if (is.segment == 0)
        return fault_set(fault, EINVAL, "%.100s: is a cursor of a feed; %.100s holds none", path,
                         dir);
    if (strcmp(o->sensor, is.sensor) != 0)
        return fault_set(fault, EINVAL,
                         "%.80s: is a cursor of sensor %.40s; %.60s is of sensor %.40s", path,
                         o->sensor, dir, is.sensor);
    if (is.segment < o->segment || (is.segment == o->segment && is.crc != o->crc))
        return fault_set(fault, EINVAL,
                         "%.80s: is a cursor of another feed than %.60s: the first segment was "
                         "%06" PRIu32 " (%08" PRIx32 "), now it is %06" PRIu32 " (%08" PRIx32 ")",
                         path, dir, o->segment, o->crc, is.segment, is.crc);
    return 0;
}

int cursor_file_open(struct cursor_file **out, const char *path, const char *dir,
                     struct feed_position *position, struct fault *fault)
{
    struct cursor_file *c = calloc(1, sizeof *c);
    *out = NULL;
    memset(position, 0, sizeof *position);
    if (c == NULL || (c->path = strdup(path)) == NULL || (c->dir = strdup(dir)) == NULL ||
        asprintf(&c->beside, "%s.new", path) < 0) {
        cursor_file_close(c);
        return fault_set(fault, ENOMEM, "%.200s: no memory", path);
    }
    struct fault none;
    int err = file_read(path, &c->origin, position, &none);
    if (err == -ENOENT) {
        err = 0;
    } else if (err != 0) {
        if (fault != NULL)
            *fault = none;
    } else if (position->segment != 0) {
        err = origin_check(path, dir, &c->origin, fault);
    }
    if (err != 0) {
        memset(position, 0, sizeof *position);
        cursor_file_close(c);
        return err;
    }
    *out = c;
    return 0;
}

static int text_write(const struct cursor_file *c, const char *text, size_t len)
{
    int fd = open(c->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    int err = 0;
    for (size_t done = 0; done < len && err == 0;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            err = n == 0 ? -ENOSPC : -errno;
    }
    if (err == 0 && fdatasync(fd) != 0)
        err = -errno;
    if (close(fd) != 0 && err == 0)
        err = -errno;
    if (err == 0 && rename(c->beside, c->path) != 0)
        err = -errno;
    if (err != 0)
        (void)unlink(c->beside);
    return err;
}

int cursor_file_write(struct cursor_file *c, const struct feed_position *position,
                      struct fault *fault)
{
    char text[FILE_MAX];
    struct origin is;
    if (c->origin.segment == 0) { /* the feed was empty, or the cursor is new */
        int err = origin_read(&is, c->dir, fault);
        if (err != 0)
            return err;
        c->origin = is;
    }
    int len =
        snprintf(text, sizeof text,
                 "yamiscope cursor 1\nsensor %s\nfirst %" PRIu32 " %08" PRIx32 "\n"
                 "segment %" PRIu32 "\noffset %" PRIu64 "\nseq %" PRIu64 "\nchain %08" PRIx32 "\n",
                 c->origin.sensor[0] == '\0' ? "-" : c->origin.sensor, c->origin.segment,
                 c->origin.crc, position->segment, position->offset, position->seq, position->crc);
    len += snprintf(text + len, sizeof text - (size_t)len, "crc %08" PRIx32 "\n",
                    record_crc(0, text, (size_t)len));
    int err = text_write(c, text, (size_t)len);
    if (err == 0)
        err = path_sync(c->path);
    return err == 0 ? 0
                    : fault_set(fault, -err, "%.200s: can't write the cursor: %s", c->path,
                                strerror(-err));
}

void cursor_file_close(struct cursor_file *c)
{
    if (c == NULL)
        return;
    free(c->path);
    free(c->beside);
    free(c->dir);
    free(c);
}
