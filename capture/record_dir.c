#include "capture/record_dir.h"

#include "capture/live_clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const suffixes[] = {
    [RECORD_COMPLETE] = "", [RECORD_PART] = ".part", [RECORD_TORN] = ".torn"};

static const int64_t billion = 1000000000;

void record_name_format(const struct record_name *n, char *text)
{
    struct tm tm;
    time_t second = (time_t)n->second;
    (void)gmtime_r(&second, &tm);
    (void)snprintf(
        text, RECORD_NAME_MAX, "recording-%04d%02d%02dT%02d%02d%02dZ-%04u-link%" PRIu32 ".pcap%s%s",
        (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
        n->number % 10000, n->link_type, n->is_zstd ? ".zst" : "", suffixes[n->state]);
}

bool record_name_parse(const char *text, struct record_name *n)
{
    struct tm tm = {0};
    char again[RECORD_NAME_MAX];
    int used = 0;
    *n = (struct record_name){0};
    if (strlen(text) >= RECORD_NAME_MAX ||
        sscanf(text, "recording-%4d%2d%2dT%2d%2d%2dZ-%4u-link%" SCNu32 ".pcap%n", &tm.tm_year,
               &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n->number,
               &n->link_type, &used) != 8 ||
        used == 0)
        return false;
    tm.tm_year -= 1900, tm.tm_mon -= 1;
    n->second = (int64_t)timegm(&tm);
    const char *rest = text + used;
    if (strncmp(rest, ".zst", 4) == 0) {
        n->is_zstd = true;
        rest += 4;
    }
    if (strcmp(rest, suffixes[RECORD_PART]) == 0)
        n->state = RECORD_PART;
    else if (strcmp(rest, suffixes[RECORD_TORN]) == 0)
        n->state = RECORD_TORN;
    if (n->second < 0 || n->second > UINT32_MAX)
        return false;
    record_name_format(n, again);
    return strcmp(again, text) == 0;
}

/* The next name in the folder; NULL at the end. */
static const char *next_name(DIR *all)
{
    for (const struct dirent *e; (e = readdir(all));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            return e->d_name;
    }
    return NULL;
}

static DIR *list(const struct record_dir *d)
{
    int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
    if (!all && fd >= 0)
        (void)close(fd);
    return all;
}

/* What a process that died was writing. */
static void name_torn(const struct record_dir *d, const char *name, struct record_name n)
{
    char torn[RECORD_NAME_MAX];
    struct stat st;
    n.state = RECORD_TORN;
    record_name_format(&n, torn);
    if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
        if (st.st_size == 0)
            (void)unlinkat(d->fd, name, 0);
        else
            (void)renameat2(d->fd, name, d->fd, torn, RENAME_NOREPLACE);
    }
}

static int look_through(const struct record_dir *d, bool names_torn, struct fault *fault)
{
    char foreign[64] = "";
    struct record_name n;
    size_t ours = 0;
    DIR *all = list(d);
    if (!all)
        return fault_set(fault, errno, "%s: %s", d->path, strerror(errno));
    for (const char *name; (name = next_name(all));) {
        if (record_name_parse(name, &n)) {
            ours++;
            if (n.state == RECORD_PART && names_torn)
                name_torn(d, name, n);
        } else if (!*foreign && strcmp(name, "lost+found") != 0) {
            (void)snprintf(foreign, sizeof foreign, "%.60s", name);
        }
    }
    (void)closedir(all);
    if (*foreign && ours == 0)
        return fault_set(fault, EEXIST,
                         "%.120s: holds %s, which is no recording: record into a folder of its own",
                         d->path, foreign);
    return 0;
}

static int check_owner(const struct record_dir *d, uid_t user, struct fault *fault)
{
    struct stat st;
    if (fstat(d->fd, &st) < 0)
        return fault_set(fault, errno, "%s: %s", d->path, strerror(errno));
    if (st.st_uid != user)
        return fault_set(fault, EPERM, "%s: belongs to user %u and not to %u, who records", d->path,
                         (unsigned)st.st_uid, (unsigned)user);
    if ((st.st_mode & 07777) != 0700)
        return fault_set(fault, EPERM,
                         "%.80s: mode %04o; a recording is nobody else's: chmod 700 %.80s", d->path,
                         (unsigned)st.st_mode & 07777, d->path);
    return 0;
}

int record_dir_open(struct record_dir *d, const char *path, struct fault *fault)
{
    int rc = 0;
    d->fd = -1;
    if (!(d->path = strdup(path)))
        return fault_set(fault, ENOMEM, "%s: no memory", path);
    bool is_new = mkdir(path, 0700) == 0;
    if (is_new || errno == EEXIST)
        d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0)
        rc = fault_set(fault, errno, "%s: %s", path, strerror(errno));
    if (rc == 0 && is_new)
        (void)fchmod(d->fd, 0700); /* whatever the umask is */
    if (rc == 0)
        rc = check_owner(d, geteuid(), fault);
    if (rc == 0 && flock(d->fd, LOCK_EX | LOCK_NB) < 0)
        rc = errno == EWOULDBLOCK
                 ? fault_set(fault, EBUSY, "%s: another process records into it", path)
                 : fault_set(fault, errno, "%s: %s", path, strerror(errno));
    if (rc == 0)
        rc = look_through(d, true, fault);
    if (rc < 0)
        record_dir_close(d);
    return rc;
}

int record_dir_check(const char *path, uid_t user, struct fault *fault)
{
    struct record_dir d = {.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (d.fd < 0)
        return errno == ENOENT ? 0 : fault_set(fault, errno, "%s: %s", path, strerror(errno));
    int rc = (d.path = strdup(path)) ? check_owner(&d, user, fault)
                                     : fault_set(fault, ENOMEM, "%s: no memory", path);
    if (rc == 0)
        rc = look_through(&d, false, fault);
    record_dir_close(&d);
    return rc;
}

void record_dir_close(struct record_dir *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    free(d->path);
    d->fd = -1;
    d->path = NULL;
}

/* Retention. */

struct old_file {
    char name[RECORD_NAME_MAX];
    uint64_t bytes;
    int64_t written_ns;
};

struct old_files {
    struct old_file *at;
    size_t count, room;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct old_file *)a)->name, ((const struct old_file *)b)->name);
}

static int add_file(struct old_files *files, const char *name, const struct stat *st)
{
    if (files->count == files->room) {
        size_t room = files->room ? files->room * 2 : 64;
        struct old_file *at = realloc(files->at, room * sizeof *at);
        if (!at)
            return -ENOMEM;
        files->at = at;
        files->room = room;
    }
    struct old_file *f = &files->at[files->count++];
    (void)snprintf(f->name, sizeof f->name, "%.63s", name); /* parsed: it fits */
    f->bytes = (uint64_t)st->st_size;
    f->written_ns = (int64_t)st->st_mtim.tv_sec * billion + st->st_mtim.tv_nsec;
    return 0;
}

static int find_files(const struct record_dir *d, struct old_files *files)
{
    struct record_name n;
    struct stat st;
    int rc = 0;
    DIR *all = list(d);
    if (!all)
        return -errno;
    for (const char *name; rc == 0 && (name = next_name(all));) {
        if (record_name_parse(name, &n) && n.state != RECORD_PART &&
            fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            rc = add_file(files, name, &st);
    }
    (void)closedir(all);
    if (files->count > 0)
        qsort(files->at, files->count, sizeof *files->at, by_name);
    return rc;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The time that ages are counted to. */
static int64_t believed_ns(const struct old_files *files, int64_t now_ns, int64_t lived_ns)
{
    static const int64_t far_ns = CLOCK_FAR_S * INT64_C(1000000000),
                         believed = CLOCK_BELIEVED_S * INT64_C(1000000000);
    int64_t *times = lived_ns < believed ? calloc(files->count + 1, sizeof *times) : NULL;
    int64_t at_ns, since_ns = 0; /* since a step, without what others skipped */
    bool has_stepped = false;
    if (!times)
        return now_ns;
    for (size_t i = 0; i < files->count; i++)
        times[i] = files->at[i].written_ns;
    times[files->count] = now_ns;
    qsort(times, files->count + 1, sizeof *times, by_time);
    at_ns = times[0];
    for (size_t i = 1; i <= files->count; i++) {
        bool is_next = (__int128)times[i] - times[i - 1] <= far_ns;
        since_ns = !has_stepped ? 0 : is_next ? since_ns + times[i] - times[i - 1] : since_ns;
        has_stepped = (__int128)times[i] - at_ns > far_ns && since_ns < believed;
        at_ns = has_stepped ? at_ns : times[i];
    }
    free(times);
    return at_ns < now_ns ? at_ns : now_ns;
}

int record_dir_trim(const struct record_dir *d, int64_t keep_ns, uint64_t keep_bytes,
                    int64_t now_ns, int64_t lived_ns, uint64_t *left, struct fault *fault)
{
    struct old_files files = {0};
    uint64_t bytes = 0;
    int removed = 0, rc = find_files(d, &files);
    if (rc < 0)
        rc = fault_set(fault, -rc, "%s: %s", d->path, strerror(-rc));
    int64_t to_ns = believed_ns(&files, now_ns, lived_ns);
    for (size_t i = 0; i < files.count; i++)
        bytes += files.at[i].bytes;
    for (size_t i = 0; i < files.count; i++) {
        const struct old_file *f = &files.at[i];
        bool is_old = keep_ns > 0 && to_ns - f->written_ns > keep_ns;
        if (!is_old && (keep_bytes == 0 || bytes <= keep_bytes))
            continue;
        if (unlinkat(d->fd, f->name, 0) < 0 && errno != ENOENT) {
            rc = fault_set(fault, errno, "%.160s/%s: %s", d->path, f->name, strerror(errno));
            continue;
        }
        bytes -= f->bytes;
        removed++;
    }
    free(files.at);
    *left = bytes;
    return rc < 0 ? rc : removed;
}
