#include "capture/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEND = 8 << 20, NUMBERS = 10000 };

static int refuse(const struct record_file *f, const struct record_dir *d, struct fault *fault)
{
    return fault_set(fault, errno, "%.160s/%s: %s", d->path, f->text, strerror(errno));
}

/* Whether a file of this name is there in any state. */
static bool is_taken(const struct record_dir *d, struct record_name name)
{
    char text[RECORD_NAME_MAX];
    for (name.state = RECORD_COMPLETE; name.state <= RECORD_TORN; name.state++) {
        record_name_format(&name, text);
        if (faccessat(d->fd, text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return true;
    }
    return false;
}

int record_file_create(struct record_file *f, const struct record_dir *d,
                       const struct record_name *name, struct fault *fault)
{
    *f = (struct record_file){.fd = -1, .name = *name};
    f->name.state = RECORD_PART;
    for (unsigned number = 0; number < NUMBERS; number++) {
        f->name.number = number;
        record_name_format(&f->name, f->text);
        if (is_taken(d, f->name))
            continue;
        f->fd = openat(d->fd, f->text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (f->fd >= 0)
            return 0;
        if (errno != EEXIST)
            return refuse(f, d, fault);
    }
    errno = EEXIST;
    return refuse(f, d, fault);
}

static void send_on(struct record_file *f)
{
    if (f->bytes - f->sent < SEND)
        return;
    (void)sync_file_range(f->fd, (off_t)f->sent, (off_t)(f->bytes - f->sent),
                          SYNC_FILE_RANGE_WRITE);
    f->sent = f->bytes;
}

int record_file_append(struct record_file *f, const struct record_dir *d, const void *bytes,
                       size_t len, struct fault *fault)
{
    const uint8_t *at = bytes;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(f->fd, at + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int err = n < 0 ? errno : ENOSPC;
            if (done > 0 && (ftruncate(f->fd, (off_t)f->bytes) < 0 ||
                             lseek(f->fd, (off_t)f->bytes, SEEK_SET) < 0))
                f->is_torn = true;
            errno = err;
            return refuse(f, d, fault);
        }
        done += (size_t)n;
    }
    f->bytes += len;
    send_on(f);
    return 0;
}

/* Gives the file its final name. One of that name that somebody put there is not overwritten. */
static int give_name(struct record_file *f, const struct record_dir *d, enum record_state state)
{
    char text[RECORD_NAME_MAX];
    f->name.state = state;
    record_name_format(&f->name, text);
    if (renameat2(d->fd, f->text, d->fd, text, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL) /* file systems that don't know the flag */
        return -1;
    return faccessat(d->fd, text, F_OK, AT_SYMLINK_NOFOLLOW) == 0
               ? (errno = EEXIST, -1)
               : renameat(d->fd, f->text, d->fd, text);
}

int record_file_complete(struct record_file *f, const struct record_dir *d, struct fault *fault)
{
    int rc = 0;
    if (f->bytes == 0 && !f->is_torn) {
        (void)close(f->fd);
        f->fd = -1;
        (void)unlinkat(d->fd, f->text, 0);
        return 0;
    }
    if (fsync(f->fd) < 0)
        rc = refuse(f, d, fault);
    if (close(f->fd) < 0 && rc == 0)
        rc = refuse(f, d, fault);
    f->fd = -1;
    if (rc == 0 && !f->is_torn) {
        if (give_name(f, d, RECORD_COMPLETE) < 0 || fsync(d->fd) < 0)
            rc = refuse(f, d, fault);
    } else if (give_name(f, d, RECORD_TORN) < 0 && rc == 0) {
        rc = refuse(f, d, fault);
    }
    return rc;
}
