#include "export/file_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct slot {
    struct pooled_file *owner; /* NULL: free */
    int fd;
    uint64_t used; /* when last, by the pool's count of reads */
};

struct file_pool {
    unsigned max;
    uint64_t reads;
    struct slot slots[];
};

struct file_pool *file_pool_create(unsigned max)
{
    struct file_pool *p = calloc(1, sizeof *p + (max + 1) * sizeof p->slots[0]);
    if (p != NULL)
        p->max = max == 0 ? 1 : max;
    return p;
}

static void slot_close(struct slot *slot)
{
    if (slot->owner != NULL)
        close(slot->fd);
    slot->owner = NULL;
}

void file_pool_destroy(struct file_pool *p)
{
    for (unsigned i = 0; p != NULL && i < p->max; i++)
        slot_close(&p->slots[i]);
    free(p);
}

/* A free slot, or that of the file that was read longest ago. */
static struct slot *slot_take(struct file_pool *p)
{
    struct slot *oldest = &p->slots[0];
    for (unsigned i = 0; i < p->max; i++) {
        if (p->slots[i].owner == NULL)
            return &p->slots[i];
        if (p->slots[i].used < oldest->used)
            oldest = &p->slots[i];
    }
    slot_close(oldest);
    return oldest;
}

/* The file's descriptor, opened if need be; -errno. A pipe does not hold the open up. */
static int descriptor(struct file_pool *p, struct pooled_file *f, const char *path)
{
    struct slot *slot = f->slot < p->max ? &p->slots[f->slot] : NULL;
    if (slot == NULL || slot->owner != f) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            return -errno;
        slot = slot_take(p);
        slot->owner = f;
        slot->fd = fd;
        f->slot = (unsigned)(slot - p->slots);
    }
    slot->used = ++p->reads;
    return slot->fd;
}

int file_pool_read(struct file_pool *p, struct pooled_file *f, const char *path, void *to,
                   size_t len, uint64_t offset)
{
    int fd = descriptor(p, f, path);
    if (fd < 0)
        return fd;
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, (char *)to + done, len - done, (off_t)(offset + done));
        if (n > 0)
            done += (size_t)n;
        else if (n == 0)
            return -ENODATA;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

int file_pool_size(struct file_pool *p, struct pooled_file *f, const char *path, uint64_t *size)
{
    struct stat stat;
    int fd = descriptor(p, f, path);
    if (fd < 0)
        return fd;
    if (fstat(fd, &stat) != 0)
        return -errno;
    if (!S_ISREG(stat.st_mode))
        return -EINVAL;
    *size = (uint64_t)stat.st_size;
    return 0;
}

void file_pool_release(struct file_pool *p, struct pooled_file *f)
{
    if (f->slot < p->max && p->slots[f->slot].owner == f)
        slot_close(&p->slots[f->slot]);
}

unsigned file_pool_open_count(const struct file_pool *p)
{
    unsigned count = 0;
    for (unsigned i = 0; i < p->max; i++)
        count += p->slots[i].owner != NULL;
    return count;
}
