/* feed_log.h has the manual: a feed on disk, verified. */
#include "capture/capture_file.h"
#include "export/feed_reader.h"
#include "export/feed_verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_verify(struct feed_verify *v, const char *path, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe does not hold it up */
    FILE *in = fd < 0 ? NULL : fdopen(fd, "rb");
    struct stat stat;
    int err;

    if (in == NULL) {
        err = fault_set(fault, errno, "%s: %s", feed_verify_shown(path), strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    if (fstat(fileno(in), &stat) != 0)
        err = fault_set(fault, errno, "%s: %s", feed_verify_shown(path), strerror(errno));
    else if (!S_ISREG(stat.st_mode))
        err = fault_set(fault, EINVAL, "%s: is no file", feed_verify_shown(path));
    else
        err = feed_verify_segment(v, path, in, (uint64_t)stat.st_size, fault);
    fclose(in);
    return err;
}

static int is_segment(const struct dirent *entry) { return feed_is_segment_name(entry->d_name); }

static int by_number(const struct dirent **a, const struct dirent **b)
{
    uint64_t x = feed_segment_number((*a)->d_name), y = feed_segment_number((*b)->d_name);
    if (x != y)
        return x < y ? -1 : 1;
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The names tell what is missing: what the feed says was deleted is passed over; without another the next segment holds by
 * itself, and is not to be blamed. */
static int missing_check(struct feed_verify *v, const struct feed_removed *removed, const char *dir,
                         const char *name, struct fault *fault)
{
    uint64_t number = feed_segment_number(name), next = feed_verify_last(v) + UINT64_C(1);
    if (number <= next || number > UINT32_MAX)
        return 0;
    const struct feed_removed_run *run =
        feed_removed_find(removed, (uint32_t)next, (uint32_t)number - 1);
    if (run != NULL)
        return feed_verify_skip(v, run, (uint32_t)number - 1, fault);
    if (number == next + 1)
        return fault_set(fault, EBADMSG, "%s: segment %06" PRIu64 " is missing in front of %s",
                         feed_verify_shown(dir), next, name);
    return fault_set(fault, EBADMSG,
                     "%s: segments %06" PRIu64 " to %06" PRIu64 " are missing in front of %s",
                     feed_verify_shown(dir), next, number - 1, name);
}

/* What the feed says was deleted, where anything is missing. A folder that can't be read says so later. */
static int removed_read(struct feed_removed *removed, const char *dir, struct fault *fault)
{
    struct feed_reader *r;
    struct fault none;
    struct feed_pool *pool = feed_pool_create(1);
    int err = pool == NULL ? -ENOMEM : feed_reader_open(&r, dir, pool, &none);
    if (err == 0) {
        const struct feed_removed *says = feed_reader_removed(r);
        for (size_t i = 0; i < says->run_count && err == 0; i++)
            err = feed_removed_add_run(removed, &says->runs[i]);
        feed_reader_close(r);
    }
    feed_pool_destroy(pool);
    return err == -ENOMEM ? fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(dir)) : 0;
}

static int folder_verify(struct feed_verify *v, const char *dir, struct feed_progress *progress,
                         struct fault *fault)
{
    struct feed_removed removed = {0};
    struct dirent **entries;
    char *path = NULL;
    int count = scandir(dir, &entries, is_segment, by_number);
    if (count < 0)
        return fault_set(fault, errno, "%s: %s", feed_verify_shown(dir), strerror(errno));

    int err = count > 0 ? 0 : fault_set(fault, ENOENT, "%s: holds no feed", feed_verify_shown(dir));
    if (err == 0)
        err = removed_read(&removed, dir, fault);
    if (progress != NULL)
        atomic_fetch_add_explicit(&progress->total, (unsigned long)count, memory_order_relaxed);
    for (int i = 0; i < count && err == 0; i++) {
        free(path);
        if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0) {
            path = NULL;
            err = fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(dir));
        } else {
            err = missing_check(v, &removed, dir, entries[i]->d_name, fault);
            err = err < 0 ? err : file_verify(v, path, fault);
        }
        if (progress != NULL)
            atomic_fetch_add_explicit(&progress->done, 1, memory_order_relaxed);
    }
    if (err == 0)
        err = feed_verify_end(v, fault);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    free(path);
    feed_removed_fini(&removed);
    return err;
}

int feed_log_verify_watched(const char *dir, const struct ruleset *rules, struct feed_check *check,
                            struct feed_progress *progress, struct fault *fault)
{
    struct stat stat_buffer;
    memset(check, 0, sizeof *check);
    if (stat(dir, &stat_buffer) != 0)
        return fault_set(fault, errno, "%s: %s", feed_verify_shown(dir), strerror(errno));
    bool is_folder = S_ISDIR(stat_buffer.st_mode);
    if (!is_folder && capture_file_is(dir))
        return fault_set(fault, EMEDIUMTYPE,
                         "%s: is a capture, no feed: `replay` reads captures, and writes feeds",
                         feed_verify_shown(dir));
    struct feed_verify *v = feed_verify_create(rules, !is_folder, check);
    if (v == NULL)
        return fault_set(fault, ENOMEM, "%s: no memory", feed_verify_shown(dir));
    int err = is_folder ? folder_verify(v, dir, progress, fault) : file_verify(v, dir, fault);
    if (err == 0 && !is_folder)
        err = feed_verify_end(v, fault);
    feed_verify_destroy(v);
    return err;
}

int feed_log_verify_rules(const char *dir, const struct ruleset *rules, struct feed_check *check,
                          struct fault *fault)
{
    return feed_log_verify_watched(dir, rules, check, NULL, fault);
}

int feed_log_verify(const char *dir, struct feed_check *check, struct fault *fault)
{
    return feed_log_verify_rules(dir, NULL, check, fault);
}
