#include "core/day_journal_state.h"

#include "core/day_part_mend.h"
#include "core/day_part_merge.h"
#include "export/saturate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MAX_FILES = 256 };

void journal_sums_add(struct journal_sums *into, const struct journal_sums *from)
{
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        saturate_add(&into->kinds[i].packets, from->kinds[i].packets);
        saturate_add(&into->kinds[i].bytes, from->kinds[i].bytes);
    }
    day_given_up_add(&into->given_up, &from->given_up);
    ledger_merge(&into->ledger, &from->ledger);
    for (unsigned i = 0; i < DAY_MINUTE_WORDS; i++)
        into->minutes[i] |= from->minutes[i];
}

/* ---- lists ---- */

void journal_file_free(struct journal_file *f)
{
    if (!f)
        return;
    free(f->path);
    day_part_info_fini(&f->info);
    free(f);
}

struct journal_file *journal_file_make(const struct day_journal *j, const struct day_part_id *id)
{
    char name[DAY_PART_NAME];
    struct journal_file *f = calloc(1, sizeof *f);
    day_part_name(id, name);
    if (f && asprintf(&f->path, "%s/%s", j->dir, name) < 0) {
        free(f);
        return NULL;
    }
    if (f)
        f->info.id = *id;
    return f;
}

/* Where a date stands or would stand. */
static size_t date_place(const struct day_journal *j, int32_t date)
{
    size_t at = j->date_count;
    while (at > 0 && j->dates[at - 1]->date >= date)
        at--;
    return at;
}

struct journal_date *journal_date_find(const struct day_journal *j, int32_t date)
{
    size_t at = date_place(j, date);
    return at < j->date_count && j->dates[at]->date == date ? j->dates[at] : NULL;
}

static struct journal_date *date_make(struct day_journal *j, int32_t date)
{
    struct journal_date *d = journal_date_find(j, date);
    if (d)
        return d;
    if (j->date_count == j->date_room) {
        size_t room = j->date_room ? 2 * j->date_room : 4;
        struct journal_date **grown = realloc(j->dates, room * sizeof(struct journal_date *));
        if (!grown)
            return NULL;
        j->dates = grown;
        j->date_room = room;
    }
    d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->date = date;
    size_t at = date_place(j, date);
    memmove(&j->dates[at + 1], &j->dates[at], (j->date_count - at) * sizeof(struct journal_date *));
    j->dates[at] = d;
    j->date_count++;
    return d;
}

static void date_free(struct journal_date *d)
{
    for (size_t i = 0; i < d->count; i++)
        journal_file_free(d->files[i]);
    free(d->files);
    free(d);
}

/* A date without files is none. */
static void date_forget(struct day_journal *j, struct journal_date *d)
{
    size_t at = date_place(j, d->date);
    j->date_count--;
    memmove(&j->dates[at], &j->dates[at + 1], (j->date_count - at) * sizeof(struct journal_date *));
    date_free(d);
}

int journal_file_list(struct day_journal *j, struct journal_file *file)
{
    struct journal_date *d = date_make(j, file->info.id.date);
    if (!d)
        return -ENOMEM;
    if (d->count == d->room) {
        size_t room = d->room ? 2 * d->room : DAY_JOURNAL_FAN;
        struct journal_file **grown = realloc(d->files, room * sizeof(struct journal_file *));
        if (!grown) {
            if (d->count == 0)
                date_forget(j, d);
            return -ENOMEM;
        }
        d->files = grown;
        d->room = room;
    }
    size_t at = d->count;
    while (at > 0 && d->files[at - 1]->info.id.from > file->info.id.from)
        at--;
    memmove(&d->files[at + 1], &d->files[at], (d->count - at) * sizeof(struct journal_file *));
    d->files[at] = file;
    d->count++;
    return 0;
}

/* ---- opening ---- */

static int folder_fault(const struct day_journal *j, int err, const char *what, struct fault *fault)
{
    return fault_set(fault, err, "%.200s: %s%s%s", j->dir, what, *what ? ": " : "", strerror(err));
}

/* The folder's own entry is to outlive a power cut. */
static void parent_sync(const char *dir)
{
    char *parent;
    if (asprintf(&parent, "%s/..", dir) < 0)
        return;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(parent);
}

static int folder_open(struct day_journal *j, struct fault *fault)
{
    struct stat is;
    bool is_new = mkdir(j->dir, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return folder_fault(j, errno, "can't make the folder", fault);
    if (is_new)
        parent_sync(j->dir);
    j->folder.fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->folder.fd < 0 || fstat(j->folder.fd, &is) != 0)
        return folder_fault(j, errno, "", fault);
    if (is.st_mode & 077)
        return fault_set(fault, EINVAL,
                         "%.180s: is open to others (mode %03o): it holds addresses of sources; "
                         "chmod 700",
                         j->dir, is.st_mode & 0777u);
    if (flock(j->folder.fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return fault_set(fault, EBUSY, "%.180s: another process writes this journal", j->dir);
    return folder_fault(j, errno, "can't lock it", fault);
}

static int thread_begin(struct day_journal *j, struct fault *fault)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&j->thread, NULL, journal_thread, j);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    j->has_thread = err == 0;
    return err == 0 ? 0 : folder_fault(j, err, "a thread to merge files", fault);
}

int day_journal_open(struct day_journal **out, const struct day_journal_settings *settings,
                     struct fault *fault)
{
    *out = NULL;
    if (strlen(settings->sensor) > DAY_PART_TEXT || strlen(settings->timezone) > DAY_PART_TEXT)
        return fault_set(fault, EINVAL, "%.180s: the name of sensor or zone is too long",
                         settings->dir);
    struct day_journal *j = calloc(1, sizeof *j);
    if (!j)
        return fault_set(fault, ENOMEM, "%.200s: no memory", settings->dir);
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->work, NULL);
    (void)pthread_cond_init(&j->idle, NULL);
    j->kept = settings->last;
    j->say = settings->say;
    j->recall = settings->recall;
    j->context = settings->context;
    j->dir = strdup(settings->dir);
    j->sensor = strdup(settings->sensor);
    j->timezone = strdup(settings->timezone);
    j->folder = (struct day_part_folder){j->dir, -1, j->sensor, j->timezone};
    int err = 0;
    if (!j->dir || !j->sensor || !j->timezone)
        err = fault_set(fault, ENOMEM, "%.200s: no memory", settings->dir);
    if (err == 0)
        err = folder_open(j, fault);
    if (err == 0)
        err = journal_folder_read(j, settings->last, fault);
    if (err == 0)
        err = thread_begin(j, fault);
    if (err == 0)
        *out = j;
    else
        day_journal_close(j);
    return err;
}

void day_journal_close(struct day_journal *j)
{
    if (!j)
        return;
    (void)pthread_mutex_lock(&j->lock);
    j->is_ending = true;
    atomic_store(&j->job.is_cancelled, true);
    (void)pthread_cond_signal(&j->work);
    (void)pthread_mutex_unlock(&j->lock);
    if (j->has_thread)
        (void)pthread_join(j->thread, NULL);
    if (j->folder.fd >= 0)
        (void)close(j->folder.fd);
    for (size_t i = 0; i < j->date_count; i++)
        date_free(j->dates[i]);
    (void)pthread_cond_destroy(&j->idle);
    (void)pthread_cond_destroy(&j->work);
    (void)pthread_mutex_destroy(&j->lock);
    free(j->dates);
    free(j->date_list);
    free(j->dir);
    free(j->sensor);
    free(j->timezone);
    free(j);
}

/* ---- adding ---- */

/* Merges the shards' runs into one file. */
static int part_write(const struct day_journal *j, const struct journal_part *part,
                      const struct day_part_id *id, struct day_part_info *info, struct fault *fault)
{
    struct day_part_reader *readers;
    struct day_part_writer *w;
    struct day_part_merge m;
    char name[64];
    uint32_t count = 0;
    size_t room = 0;
    (void)snprintf(name, sizeof name, "a part of window %" PRIu64, part->number);
    for (const struct journal_part *p = part; p; p = p->more)
        room += SHARDS;
    readers = malloc(room * sizeof *readers);
    if (!readers)
        return fault_set(fault, ENOMEM, "%.200s: no memory for a part", j->dir);
    for (const struct journal_part *p = part; p; p = p->more)
        for (unsigned i = 0; i < SHARDS; i++)
            if (p->lens[i] > 0)
                day_part_reader_init_memory(&readers[count++], name, part->date, p->runs[i],
                                            p->lens[i]);
    int err = day_part_create(&w, &j->folder, id, &part->bases, fault);
    if (err < 0) {
        free(readers);
        return err;
    }
    err = day_part_merge_begin(&m, readers, count, fault);
    if (err == 0)
        err = day_part_merge_write(&m, w, NULL, fault);
    day_part_merge_end(&m);
    free(readers);
    if (err == 0)
        return day_part_finish(w, 1, &part->sums, info, fault);
    day_part_abandon(w);
    if (err == -EBADMSG) { /* the caller's bytes: nothing on disk is damaged */
        err = -EINVAL;
        if (fault)
            fault->err = EINVAL;
    }
    return err;
}

/* A part that was added before and whose window did not get into the feed, say because another date's part of it failed, makes
 * room. It may go at once: until it is there again the feed has not its window. */
static int again_remove(struct day_journal *j, struct journal_date *d, const char *name,
                        struct fault *fault)
{
    struct journal_file *last = d->files[d->count - 1];
    if (j->reading.is_held && j->reading.date == d->date)
        return fault_set(fault, EAGAIN, "%.150s/%s: is being read", j->dir, name);
    if (unlink(last->path) != 0 && errno != ENOENT)
        return fault_set(fault, errno, "%.150s/%s: can't replace it: %s", j->dir, name,
                         strerror(errno));
    journal_file_free(last);
    if (--d->count == 0)
        date_forget(j, d);
    return 0;
}

/* Whether the number may follow what the date has. */
static int number_check(struct day_journal *j, int32_t date, uint64_t number, const char *name,
                        struct fault *fault)
{
    int err = 0;
    (void)pthread_mutex_lock(&j->lock);
    struct journal_date *d = journal_date_find(j, date);
    const struct day_part_id *last = d ? &d->files[d->count - 1]->info.id : NULL;
    if (last && last->from == number && number > j->kept)
        err = again_remove(j, d, name, fault);
    else if (last && last->to >= number)
        err = fault_set(fault, EINVAL, "%.150s/%s: the date has later windows", j->dir, name);
    (void)pthread_mutex_unlock(&j->lock);
    return err;
}

uint64_t day_journal_last(struct day_journal *j, int32_t date)
{
    (void)pthread_mutex_lock(&j->lock);
    const struct journal_date *d = journal_date_find(j, date);
    uint64_t last = d ? d->files[d->count - 1]->info.id.to : 0;
    (void)pthread_mutex_unlock(&j->lock);
    return last;
}

int day_journal_add(struct day_journal *j, const struct journal_part *part, struct fault *fault)
{
    const struct day_part_id id = {part->date, part->number, part->number};
    char name[DAY_PART_NAME];
    day_part_name(&id, name);
    if (!day_part_name_parse(name, &(struct day_part_id){0}))
        return fault_set(fault, EINVAL, "%.150s/%s: a date or window that no file can have", j->dir,
                         name);
    int err = number_check(j, part->date, part->number, name, fault);
    if (err < 0)
        return err;
    struct journal_file *f = journal_file_make(j, &id);
    if (!f)
        return fault_set(fault, ENOMEM, "%.150s/%s: no memory", j->dir, name);
    err = part_write(j, part, &id, &f->info, fault);
    (void)pthread_mutex_lock(&j->lock);
    if (err == 0 && journal_file_list(j, f) < 0) {
        err = fault_set(fault, ENOMEM, "%.150s/%s: no memory", j->dir, name);
        (void)unlink(f->path);
    }
    j->added += err == 0;
    (void)pthread_cond_signal(&j->work);
    (void)pthread_mutex_unlock(&j->lock);
    if (err < 0)
        journal_file_free(f);
    return err;
}

void day_journal_kept(struct day_journal *j, uint64_t number)
{
    (void)pthread_mutex_lock(&j->lock);
    j->kept = number > j->kept ? number : j->kept;
    (void)pthread_cond_signal(&j->work);
    (void)pthread_mutex_unlock(&j->lock);
}

/* ---- reading ---- */

const int32_t *day_journal_dates(struct day_journal *j, size_t *count)
{
    (void)pthread_mutex_lock(&j->lock);
    free(j->date_list);
    *count = j->date_count;
    j->date_list = calloc(*count + 1, sizeof *j->date_list);
    for (size_t i = 0; i < *count && j->date_list; i++)
        j->date_list[i] = j->dates[i]->date;
    *count = j->date_list ? *count : 0;
    (void)pthread_mutex_unlock(&j->lock);
    return j->date_list;
}

/* What is read: the date's files as they are when it begins. */
struct reading {
    struct journal_file **files;
    struct day_part_reader *readers;
    size_t count;
    struct journal_file *failed; /* that was found damaged */
};

/* From here on nothing is done with the date's files; reading_end() gives it free again. */
static int reading_begin(struct day_journal *j, int32_t date, struct reading *r,
                         struct journal_sums *sums)
{
    *r = (struct reading){0};
    (void)pthread_mutex_lock(&j->lock);
    journal_hold(j, &j->reading, date);
    const struct journal_date *d = journal_date_find(j, date);
    r->count = d ? d->count : 0;
    r->files = calloc(r->count + 1, sizeof(struct journal_file *));
    for (size_t i = 0; i < r->count && r->files; i++) {
        r->files[i] = d->files[i];
        r->failed = d->files[i]->is_bad ? d->files[i] : r->failed;
        journal_sums_add(sums, &d->files[i]->info.sums);
    }
    (void)pthread_mutex_unlock(&j->lock);
    r->readers = calloc(r->count + 1, sizeof *r->readers);
    return r->files && r->readers ? 0 : -ENOMEM;
}

static void reading_end(struct day_journal *j, struct reading *r)
{
    for (size_t i = 0; i < r->count && r->readers; i++)
        day_part_reader_fini(&r->readers[i]);
    free(r->readers);
    free(r->files);
    (void)pthread_mutex_lock(&j->lock);
    if (r->failed)
        r->failed->is_bad = true;
    (void)pthread_mutex_unlock(&j->lock);
    journal_release(j, &j->reading);
}

/* What a reader's caller gets; its own errors are none of the files'. */
struct taking {
    int (*take)(void *context, struct source_day *d);
    void *context;
    int err;
};

static int take_one(void *context, struct source_day *d)
{
    struct taking *t = context;
    t->err = t->take(t->context, d);
    return t->err;
}

static int reading_run(struct reading *r, struct file_pool *pool, struct taking *t,
                       struct fault *fault)
{
    struct day_part_merge m;
    for (size_t i = 0; i < r->count; i++)
        day_part_reader_init(&r->readers[i], pool, r->files[i]->path, &r->files[i]->info);
    int err = day_part_merge_begin(&m, r->readers, (uint32_t)r->count, fault);
    if (err == 0)
        err = day_part_merge_take(&m, take_one, t, fault);
    if ((err == -EBADMSG || err == -ENOENT) && t->err == 0)
        r->failed = r->files[m.failed];
    day_part_merge_end(&m);
    return err;
}

int day_journal_read(struct day_journal *j, int32_t date,
                     int (*take)(void *context, struct source_day *d), void *context,
                     struct journal_sums *sums, struct fault *fault)
{
    struct taking taking = {take, context, 0};
    struct journal_sums own = {0};
    struct reading r;
    struct file_pool *pool = file_pool_create(OPEN_MAX_FILES);
    int err = reading_begin(j, date, &r, &own);
    if (err < 0 || !pool)
        err = folder_fault(j, ENOMEM, "", fault);
    else if (r.failed)
        err = fault_set(fault, EBADMSG, "%.200s: is damaged, and not mended yet", r.failed->path);
    else if (take)
        err = reading_run(&r, pool, &taking, fault);
    reading_end(j, &r);
    file_pool_destroy(pool);
    if (err == 0 && sums)
        *sums = own;
    return err;
}

/* ---- mending ---- */

/* 1: it was damaged and is mended; 0: it is whole; -errno. */
static int file_check(struct day_journal *j, struct journal_file *f, struct fault *fault)
{
    int err = f->is_bad ? -EBADMSG : day_part_check(f->path, &f->info, NULL, fault);
    if (err == -EBADMSG || err == -EIO || err == -ENOENT)
        err = journal_file_mend(j, f, NULL, fault);
    if (err >= 0)
        f->is_bad = f->is_unchecked = false;
    return err;
}

int day_journal_mend(struct day_journal *j, int32_t date, struct fault *fault)
{
    int err = 0, mended = 0;
    (void)pthread_mutex_lock(&j->lock);
    journal_hold(j, &j->dropping, date);
    const struct journal_date *d = journal_date_find(j, date);
    (void)pthread_mutex_unlock(&j->lock);
    for (size_t i = 0; d && i < d->count && err >= 0; i++) {
        err = file_check(j, d->files[i], fault);
        mended += err > 0;
    }
    journal_release(j, &j->dropping);
    return err < 0 ? err : mended;
}

int day_journal_bases(struct day_journal *j, int32_t date, struct day_bases *bases,
                      struct fault *fault)
{
    int err = 0;
    *bases = (struct day_bases){0};
    (void)pthread_mutex_lock(&j->lock);
    const struct journal_date *d = journal_date_find(j, date);
    for (size_t i = 0; d && i < d->count && err == 0; i++)
        err = day_bases_merge(bases, &d->files[i]->info.bases);
    (void)pthread_mutex_unlock(&j->lock);
    return err < 0 ? folder_fault(j, ENOMEM, "", fault) : 0;
}

int day_journal_drop(struct day_journal *j, int32_t date, struct fault *fault)
{
    int err = 0;
    (void)pthread_mutex_lock(&j->lock);
    journal_hold(j, &j->dropping, date);
    struct journal_date *d = journal_date_find(j, date);
    (void)pthread_mutex_unlock(&j->lock);
    if (d)
        err = journal_folder_drop(j, d, fault);
    (void)pthread_mutex_lock(&j->lock);
    if (d && err == 0) {
        date_forget(j, d);
        if (j->trouble_date == date)
            j->trouble.err = 0;
    }
    (void)pthread_mutex_unlock(&j->lock);
    journal_release(j, &j->dropping);
    return err;
}
