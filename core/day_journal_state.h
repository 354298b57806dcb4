/* day_journal_state: what a journal is made of. Its files alone include it.
 *
 * Lists change under the lock; files are read and written without it. A listed file stays where it is until its
 * date is dropped or a merge takes its place, and neither happens while the date is read.
 */
#ifndef CORE_DAY_JOURNAL_STATE_H
#define CORE_DAY_JOURNAL_STATE_H

#include "core/day_part.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct journal_file {
    struct day_part_info info;
    char *path;
    bool is_bad;       /* it was found damaged: no merge takes it until it is mended */
    bool is_unchecked; /* it was there when the journal was opened, and nobody read it since */
};

struct journal_date {
    int32_t date;
    struct journal_file **files; /* by windows */
    size_t count, room;
};

/* A date that is not merged meanwhile. */
struct journal_hold {
    bool is_held;
    int32_t date;
};

/* What the thread does with files: FAN of them become one; one is read through, or mended. */
enum journal_work { JOURNAL_MERGE, JOURNAL_CHECK, JOURNAL_MEND };

/* Work that is going on. */
struct journal_job {
    bool is_active;
    enum journal_work work;
    int32_t date;
    struct journal_file *files[DAY_JOURNAL_FAN]; /* of a merge all, else one */
    atomic_bool is_cancelled;
};

struct day_journal {
    struct day_part_folder folder;
    char *dir, *sensor, *timezone;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;   /* for the thread; for who waits for it */
    struct journal_date **dates; /* ascending */
    size_t date_count, date_room;
    int32_t *date_list; /* what day_journal_dates gave */
    uint64_t kept;
    bool is_ending;
    struct journal_hold reading, dropping;
    struct journal_job job;
    void (*say)(void *context, const char *line); /* or NULL */
    int (*recall)(void *context, int32_t date, uint64_t from, uint64_t before,
                  struct journal_sums *sums, struct fault *fault); /* or NULL */
    void *context;
    struct fault trouble; /* of the last merge; err 0: it went well */
    int32_t trouble_date;
    uint64_t added;    /* parts */
    uint64_t retry_at; /* no merge before so many of them */
    pthread_t thread;
    bool has_thread;
};

/* Under the lock. NULL: the date has no files. */
struct journal_date *journal_date_find(const struct day_journal *j, int32_t date);

/* Under the lock: no job of the date begins until it is released; one that goes on is ended and waited for. */
void journal_hold(struct day_journal *j, struct journal_hold *hold, int32_t date);
void journal_release(struct day_journal *j, struct journal_hold *hold); /* takes the lock */

void journal_file_free(struct journal_file *f); /* accepts NULL */

/* A file of these windows, without what it says; NULL: no memory. */
struct journal_file *journal_file_make(const struct day_journal *j, const struct day_part_id *id);

/* Puts a file in its place; the lock is the caller's. -ENOMEM. */
int journal_file_list(struct day_journal *j, struct journal_file *file);

/* Makes the list what the folder has, and the folder what it ought to be. 0, or -errno and a fault. */
int journal_folder_read(struct day_journal *j, uint64_t last, struct fault *fault);

/* Deletes a date's files from the folder, all or none. */
int journal_folder_drop(struct day_journal *j, const struct journal_date *d, struct fault *fault);

/* Mends a file that nobody else uses, without the lock, and says so. 1; 0: it is whole after all; -errno and a fault. */
int journal_file_mend(struct day_journal *j, struct journal_file *f,
                      const atomic_bool *is_cancelled, struct fault *fault);

/* The merging thread, of a struct day_journal. */
void *journal_thread(void *journal);

#endif
