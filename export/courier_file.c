#include "export/courier_state.h"
#include "export/path_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the last byte ends a line, or there is none. */
static bool is_whole(int fd, off_t size)
{
    char last;
    return size == 0 || (pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

static int line_append(int fd, const char *path, const struct courier_letter *letter)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    int err =
        st.st_size == 0 ? path_sync(path) : 0; /* so a file that has a byte is there for good */
    if (err < 0)
        return err;
    if (!is_whole(fd, st.st_size) && write(fd, "\n", 1) != 1)
        return errno ? -errno : -ENOSPC;
    for (size_t done = 0; done < letter->len + 1;) {
        ssize_t n = write(fd, letter->json + done, letter->len + 1 - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        done += (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int courier_write(const struct courier_spec *s, const struct courier_letter *letter,
                  const atomic_bool *is_stopped, struct fault *fault)
{
    const int how = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    (void)is_stopped;
    int fd = open(s->target, how | O_CREAT, 0600);
    int err = fd < 0 ? -errno : line_append(fd, s->target, letter);
    if (fd >= 0 && close(fd) < 0 && err == 0)
        err = -errno;
    return err == 0 ? 0 : fault_set(fault, -err, "%.150s: %s", s->name, strerror(-err));
}
