/* The file of what is open. */
#include "core/event_save.h"

#include "classify/ruleset.h"
#include "export/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 4, SENSOR = 256 };

struct head {
    char magic[8];
    uint32_t version, tools; /* tools: how many there are; entries have a number for each */
    int64_t end_ns;
    uint64_t entries_len, told_len, indicators_len;
    uint64_t offset, seq; /* in front of the window */
    uint32_t segment, crc;
    char sensor[SENSOR];
    uint64_t seen[PORT_PROTO_COUNT][65536 / 64];
};
static const char MAGIC[8] = {'Y', 'A', 'M', 'I', 'E', 'V', 'N', 'T'};

static int write_all(int fd, const void *bytes, size_t len)
{
    for (const char *at = bytes; len > 0;) {
        ssize_t done = write(fd, at, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        at += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Of all of the file. */
static uint32_t crc_of(const struct head *h, const uint8_t *entries, const uint8_t *told,
                       const uint8_t *indicators)
{
    uint32_t crc = record_crc(record_crc(0, h, sizeof *h), entries, h->entries_len);
    crc = record_crc(crc, told, h->told_len);
    return record_crc(crc, indicators, h->indicators_len);
}

static int file_fill(int fd, const struct event_file *file)
{
    struct head *h = calloc(1, sizeof *h);
    if (!h)
        return -ENOMEM;
    memcpy(h->magic, MAGIC, sizeof MAGIC);
    h->version = VERSION;
    h->tools = TOOL_COUNT;
    h->end_ns = file->end_ns;
    h->entries_len = file->entries_len;
    h->told_len = file->told_len;
    h->indicators_len = file->indicators_len;
    h->offset = file->before.offset, h->seq = file->before.seq;
    h->segment = file->before.segment, h->crc = file->before.crc;
    strncpy(h->sensor, file->sensor, SENSOR - 1);
    if (file->seen)
        memcpy(h->seen, file->seen, sizeof h->seen);
    uint32_t crc = crc_of(h, file->entries, file->told, file->indicators);
    int err = write_all(fd, h, sizeof *h);
    free(h);
    if (err == 0)
        err = write_all(fd, file->entries, file->entries_len);
    if (err == 0)
        err = write_all(fd, file->told, file->told_len);
    if (err == 0)
        err = write_all(fd, file->indicators, file->indicators_len);
    if (err == 0)
        err = write_all(fd, &crc, sizeof crc);
    return err == 0 && fsync(fd) < 0 ? -errno : err;
}

void event_file_name(const char *path, unsigned number, char name[4096])
{
    static const char *const ends[EVENT_FILES] = {"", ".new", ".last"};
    (void)snprintf(name, 4096, "%s%s", path, ends[number]);
}

/* Whichever moment it ends in, the one before is there, under either name, and one of the new names is whole or not there. */
int event_file_write(const char *path, const struct event_file *file, struct fault *fault)
{
    char fresh[4096], last[4096];
    event_file_name(path, 1, fresh);
    event_file_name(path, 2, last);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = fd < 0 ? -errno : file_fill(fd, file);
    if (fd >= 0 && close(fd) < 0 && err == 0)
        err = -errno;
    if (err == 0 && rename(path, last) < 0 && errno != ENOENT)
        err = -errno;
    if (err == 0 && rename(fresh, path) < 0)
        err = -errno;
    if (err < 0)
        (void)unlink(fresh);
    return err < 0 ? fault_set(fault, -err, "%s: %s", path, strerror(-err)) : 0;
}

int event_file_read(const char *name, const uint8_t *bytes, size_t len, struct event_file *file,
                    struct fault *fault)
{
    const struct head *h = (const struct head *)bytes;
    uint32_t crc;
    if (len < sizeof *h + sizeof crc || memcmp(h->magic, MAGIC, sizeof MAGIC) != 0)
        return fault_set(fault, EBADMSG, "%s: holds no open events", name);
    if (h->version != VERSION || h->tools != TOOL_COUNT)
        return fault_set(fault, EBADMSG, "%s: open events of another version of the program", name);
    if (h->told_len > len || h->entries_len > len || h->indicators_len > len ||
        h->entries_len + h->told_len + h->indicators_len != len - sizeof *h - sizeof crc ||
        h->sensor[SENSOR - 1] != '\0')
        return fault_set(fault, EBADMSG, "%s: byte %zu: the length is another one than said", name,
                         len);
    memcpy(&crc, bytes + len - sizeof crc, sizeof crc);
    const uint8_t *entries = bytes + sizeof *h, *told = entries + h->entries_len,
                  *indicators = told + h->told_len;
    if (crc != crc_of(h, entries, told, indicators))
        return fault_set(fault, EBADMSG, "%s: the checksum does not hold", name);
    *file = (struct event_file){
        .sensor = h->sensor,
        .end_ns = h->end_ns,
        .seen = h->seen,
        .entries = entries,
        .entries_len = h->entries_len,
        .told = told,
        .told_len = h->told_len,
        .indicators = indicators,
        .indicators_len = h->indicators_len,
        .before = {.segment = h->segment, .offset = h->offset, .seq = h->seq, .crc = h->crc},
    };
    return 0;
}
