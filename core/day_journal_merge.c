/* The journal's own thread: reads what was there through, makes few files of many. */
#include "core/day_journal_state.h"
#include "core/day_part_mend.h"
#include "core/day_part_merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 19 };

void journal_hold(struct day_journal *j, struct journal_hold *hold, int32_t date)
{
    *hold = (struct journal_hold){true, date};
    while (j->job.is_active && j->job.date == date) {
        atomic_store(&j->job.is_cancelled, true);
        (void)pthread_cond_wait(&j->idle, &j->lock);
    }
}

void journal_release(struct day_journal *j, struct journal_hold *hold)
{
    (void)pthread_mutex_lock(&j->lock);
    hold->is_held = false;
    (void)pthread_cond_signal(&j->work);
    (void)pthread_mutex_unlock(&j->lock);
}

/* ---- what is to be merged ---- */

static bool is_held(const struct day_journal *j, int32_t date)
{
    return (j->reading.is_held && j->reading.date == date) ||
           (j->dropping.is_held && j->dropping.date == date);
}

/* 0 for 1 part, 1 from FAN on, 2 from FAN^2 on, ... */
static unsigned size_class(const struct journal_file *f)
{
    unsigned class = 0;
    for (uint64_t windows = f->info.windows; windows >= DAY_JOURNAL_FAN; class ++)
        windows /= DAY_JOURNAL_FAN;
    return class;
}

/* The first FAN neighbours of one class: what lies between their windows is theirs alone. */
static bool neighbours_find(const struct day_journal *j, const struct journal_date *d,
                            struct journal_file **files)
{
    size_t run = 0;
    for (size_t i = 0; i < d->count; i++) {
        const struct journal_file *f = d->files[i];
        if (f->is_bad || f->info.id.to > j->kept) {
            run = 0;
            continue;
        }
        run = run > 0 && size_class(d->files[i - 1]) == size_class(f) ? run + 1 : 1;
        if (run < DAY_JOURNAL_FAN)
            continue;
        memcpy(files, &d->files[i + 1 - run], run * sizeof(struct journal_file *));
        return true;
    }
    return false;
}

/* A file that is to be mended, or else to be read through. Not one that may yet be given again. */
static bool work_find(const struct day_journal *j, const struct journal_date *d,
                      struct journal_job *job)
{
    for (int is_check = 0; is_check < 2; is_check++)
        for (size_t i = 0; i < d->count; i++) {
            struct journal_file *f = d->files[i];
            if (f->info.id.to > j->kept || !(is_check ? f->is_unchecked : f->is_bad))
                continue;
            job->work = is_check ? JOURNAL_CHECK : JOURNAL_MEND;
            job->files[0] = f;
            return true;
        }
    return false;
}

/* Whether there is something to do now, into *job. */
static bool job_find(const struct day_journal *j, struct journal_job *job)
{
    for (size_t i = 0; i < j->date_count && j->added >= j->retry_at; i++) {
        const struct journal_date *d = j->dates[i];
        if (is_held(j, d->date))
            continue;
        job->date = d->date;
        if (work_find(j, d, job))
            return true;
        job->work = JOURNAL_MERGE;
        if (neighbours_find(j, d, job->files))
            return true;
    }
    return false;
}

static bool job_begin(struct day_journal *j)
{
    if (!job_find(j, &j->job))
        return false;
    j->job.is_active = true;
    atomic_store(&j->job.is_cancelled, j->is_ending);
    return true;
}

/* ---- mending ---- */

static void loss_say(const struct day_journal *j, const struct journal_file *f,
                     const struct day_part_loss *loss)
{
    char line[512];
    const char *name = strrchr(f->path, '/') + 1;
    if (!j->say)
        return;
    (void)snprintf(line, sizeof line,
                   "%.255s: of %.60s %" PRIu64
                   " packets are lost and count as given up (damaged); %s%s",
                   loss->first.text, name, loss->packets,
                   loss->aside[0] ? "it is kept as " : "it is gone", loss->aside);
    j->say(j->context, line);
}

int journal_file_mend(struct day_journal *j, struct journal_file *f,
                      const atomic_bool *is_cancelled, struct fault *fault)
{
    struct day_part_info mended;
    struct day_part_loss loss;
    int err = day_part_mend(&j->folder, f->path, &f->info, &mended, &loss, is_cancelled, fault);
    if (err < 0 || loss.places == 0)
        return err;
    (void)pthread_mutex_lock(&j->lock);
    day_part_info_fini(&f->info);
    f->info = mended;
    (void)pthread_mutex_unlock(&j->lock);
    loss_say(j, f, &loss);
    return 1;
}

/* ---- merging ---- */

static int files_merge(struct day_journal *j, struct day_part_reader *readers,
                       struct day_part_writer *w, uint32_t *failed, struct fault *fault)
{
    struct day_part_merge m;
    int err = day_part_merge_begin(&m, readers, DAY_JOURNAL_FAN, fault);
    if (err == 0)
        err = day_part_merge_write(&m, w, &j->job.is_cancelled, fault);
    *failed = m.failed;
    day_part_merge_end(&m);
    return err;
}

/* Writes the job's files as one; *out is it. Without the lock. */
static int job_run(struct day_journal *j, struct journal_file **out, uint32_t *failed,
                   struct fault *fault)
{
    struct journal_file **from = j->job.files;
    struct day_part_reader readers[DAY_JOURNAL_FAN];
    struct day_part_writer *w;
    struct journal_sums sums = {0};
    struct day_bases bases = {0};
    uint64_t windows = 0;
    const struct day_part_id id = {j->job.date, from[0]->info.id.from,
                                   from[DAY_JOURNAL_FAN - 1]->info.id.to};
    struct file_pool *pool = file_pool_create(DAY_JOURNAL_FAN);
    *out = journal_file_make(j, &id);
    if (!pool || !*out) {
        file_pool_destroy(pool);
        return fault_set(fault, ENOMEM, "%.200s: no memory to merge files", j->dir);
    }
    int err = 0;
    for (unsigned i = 0; i < DAY_JOURNAL_FAN && err == 0; i++)
        err = day_bases_merge(&bases, &from[i]->info.bases);
    err = err < 0 ? fault_set(fault, ENOMEM, "%.200s: no memory to merge files", j->dir)
                  : day_part_create(&w, &j->folder, &id, &bases, fault);
    for (unsigned i = 0; i < DAY_JOURNAL_FAN; i++) {
        day_part_reader_init(&readers[i], pool, from[i]->path, &from[i]->info);
        journal_sums_add(&sums, &from[i]->info.sums);
        windows += from[i]->info.windows;
    }
    if (err == 0) {
        err = files_merge(j, readers, w, failed, fault);
        if (err == 0)
            err = day_part_finish(w, windows, &sums, &(*out)->info, fault);
        else
            day_part_abandon(w);
    }
    for (unsigned i = 0; i < DAY_JOURNAL_FAN; i++)
        day_part_reader_fini(&readers[i]);
    file_pool_destroy(pool);
    day_bases_fini(&bases);
    return err;
}

/* The merged file takes the others' place. Under the lock. */
static void job_settle(struct day_journal *j, struct journal_file *merged)
{
    struct journal_date *d = journal_date_find(j, j->job.date);
    size_t at = 0;
    while (d->files[at] != j->job.files[0])
        at++;
    d->files[at] = merged;
    d->count -= DAY_JOURNAL_FAN - 1;
    memmove(&d->files[at + 1], &d->files[at + DAY_JOURNAL_FAN],
            (d->count - at - 1) * sizeof(struct journal_file *));
    if (j->trouble.err != EBADMSG)
        j->trouble.err = 0;
}

static void job_failed(struct day_journal *j, int err, uint32_t failed, const struct fault *fault)
{
    if (err == -ECANCELED)
        return;
    j->trouble = *fault;
    j->trouble.err = -err;
    j->trouble_date = j->job.date;
    if (err == -EBADMSG)
        j->job.files[failed]->is_bad = true; /* the others may go on at once */
    else
        j->retry_at = j->added + DAY_JOURNAL_FAN;
}

/* FAN files become one. Both of these with the lock, which they leave meanwhile. */
static void merge_do(struct day_journal *j)
{
    struct journal_file *merged;
    struct fault fault = {0};
    uint32_t failed = 0;
    (void)pthread_mutex_unlock(&j->lock);
    int err = job_run(j, &merged, &failed, &fault);
    (void)pthread_mutex_lock(&j->lock);
    if (err == 0)
        job_settle(j, merged);
    else
        job_failed(j, err, failed, &fault);
    (void)pthread_mutex_unlock(&j->lock);
    if (err < 0)
        journal_file_free(merged);
    for (unsigned i = 0; i < DAY_JOURNAL_FAN && err == 0; i++) {
        (void)unlink(j->job.files[i]->path); /* what stays is covered, and goes at the next open */
        journal_file_free(j->job.files[i]);
    }
    (void)pthread_mutex_lock(&j->lock);
}

/* A file is read through, or mended. */
static void file_do(struct day_journal *j)
{
    struct journal_file *f = j->job.files[0];
    struct fault fault = {0};
    bool is_check = j->job.work == JOURNAL_CHECK;
    (void)pthread_mutex_unlock(&j->lock);
    int err = is_check ? day_part_check(f->path, &f->info, &j->job.is_cancelled, &fault)
                       : journal_file_mend(j, f, &j->job.is_cancelled, &fault);
    (void)pthread_mutex_lock(&j->lock);
    if (is_check && err != -ECANCELED)
        f->is_unchecked = false; /* what can't be read now is read at the day's end */
    if (!is_check && err >= 0)
        f->is_bad = f->is_unchecked = false;
    if (err < 0)
        job_failed(j, err, 0, &fault);
}

static void job_do(struct day_journal *j)
{
    if (j->job.work == JOURNAL_MERGE)
        merge_do(j);
    else
        file_do(j);
    j->job.is_active = false;
    (void)pthread_cond_broadcast(&j->idle);
}

void *journal_thread(void *journal)
{
    struct day_journal *j = journal;
    (void)pthread_setname_np(pthread_self(), "journal");
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    (void)pthread_mutex_lock(&j->lock);
    while (!j->is_ending) {
        if (job_begin(j)) {
            job_do(j);
            continue;
        }
        (void)pthread_cond_broadcast(&j->idle);
        (void)pthread_cond_wait(&j->work, &j->lock);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* ---- for others to ask ---- */

static int trouble_copy(const struct day_journal *j, struct fault *fault)
{
    if (j->trouble.err != 0 && fault)
        *fault = j->trouble;
    return -j->trouble.err;
}

int day_journal_trouble(struct day_journal *j, struct fault *fault)
{
    (void)pthread_mutex_lock(&j->lock);
    int err = trouble_copy(j, fault);
    (void)pthread_mutex_unlock(&j->lock);
    return err;
}

/* Whether the thread has something to do. */
static bool is_due(const struct day_journal *j)
{
    struct journal_job job;
    return job_find(j, &job);
}

int day_journal_settle(struct day_journal *j, struct fault *fault)
{
    (void)pthread_mutex_lock(&j->lock);
    j->retry_at = 0;
    (void)pthread_cond_signal(&j->work);
    while (j->job.is_active || is_due(j))
        (void)pthread_cond_wait(&j->idle, &j->lock);
    int err = trouble_copy(j, fault);
    (void)pthread_mutex_unlock(&j->lock);
    return err;
}
