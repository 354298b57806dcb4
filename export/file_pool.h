/* file_pool: many files read with few descriptors open.
 *
 * A file is opened when it is read and stays open until its place is needed: of at most `max` open
 * files the one goes that was read longest ago. So 2,000 feeds are read side by side under the usual limit of
 * 1,024 descriptors. One thread per pool.
 */
#ifndef EXPORT_FILE_POOL_H
#define EXPORT_FILE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct file_pool;

/* A file of the pool; begins as all zero. It must not move between file_pool_read and file_pool_release. */
struct pooled_file {
    unsigned slot;
};

/* At most `max` files open at once, at least 1. NULL with errno. */
struct file_pool *file_pool_create(unsigned max);
void file_pool_destroy(struct file_pool *p); /* accepts NULL; closes what is open */

/* Reads `len` bytes at `offset` of the file named `path`, the same one at every call. 0; -ENODATA where it ends
 * before; -errno. */
int file_pool_read(struct file_pool *p, struct pooled_file *f, const char *path, void *to,
                   size_t len, uint64_t offset);

/* Bytes of the file now; -EINVAL where it is no regular file; -errno. */
int file_pool_size(struct file_pool *p, struct pooled_file *f, const char *path, uint64_t *size);

/* Closes it if it is open. */
void file_pool_release(struct file_pool *p, struct pooled_file *f);

/* Descriptors in use now; for tests. */
unsigned file_pool_open_count(const struct file_pool *p);

#endif
