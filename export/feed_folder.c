#include "export/feed_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void take(struct feed_folder_segment *s, uint32_t number, const char *name)
{
    s->number = number;
    memcpy(s->name, name, strlen(name) + 1);
}

int feed_folder_near(int dir_fd, const char *dir, uint32_t number, struct feed_folder_near *out,
                     struct fault *fault)
{
    memset(out, 0, sizeof *out);
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        int err = errno;
        if (fd >= 0)
            (void)close(fd);
        return fault_set(fault, err, "%.180s: %s", dir, strerror(err));
    }
    errno = 0;
    for (const struct dirent *e; (e = readdir(entries)) != NULL; errno = 0) {
        uint64_t is = feed_segment_number(e->d_name);
        if (!feed_is_segment_name(e->d_name) || is == 0 || is > UINT32_MAX ||
            strlen(e->d_name) >= FEED_NAME)
            continue;
        if (out->first.number == 0 || is < out->first.number)
            take(&out->first, (uint32_t)is, e->d_name);
        if (is > out->last.number)
            take(&out->last, (uint32_t)is, e->d_name);
        if (is == number)
            take(&out->at, (uint32_t)is, e->d_name);
        if (is < number && is > out->before.number)
            take(&out->before, (uint32_t)is, e->d_name);
        if (is > number && (out->next.number == 0 || is < out->next.number))
            take(&out->next, (uint32_t)is, e->d_name);
    }
    int err = errno;
    closedir(entries);
    return err == 0 ? 0 : fault_set(fault, err, "%.180s: %s", dir, strerror(err));
}
