#include "core/source_indexer.h"

#include "export/source_index.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK (512 << 10)
enum {
    LOOK_S = 5,
    /* linux/ioprio.h, which not every system has: of one thread; the idle class */
    IOPRIO_WHO = 1,
    IOPRIO_IDLE = 3 << 13
};

struct source_indexer {
    const char *dir;
    pthread_t thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    uint32_t done; /* number of the last segment that was looked at; 0: none yet */
    bool has_begun;
    struct timespec changed; /* of the folder, when it was looked at */
};

/* The date's, if it has none that fits. */
static void date_index(struct source_indexer *x, struct feed_reader *r, size_t segment)
{
    struct source_index *index;
    struct fault why;
    int found = source_index_open(&index, r, segment);
    source_index_close(index);
    if (found == 0)
        (void)source_index_build(r, segment, &x->is_stopping, &why);
}

/* Dates whose Day is there: nothing more comes to their sources. */
static void dates_look(struct source_indexer *x, struct feed_reader *r)
{
    const struct feed_reader_segment *list;
    const struct feed_reader_date *dates;
    size_t count = feed_reader_dates(r, &dates);
    (void)feed_reader_segments(r, &list);
    uint32_t newest = x->done;
    for (size_t i = x->has_begun || count == 0 ? 0 : count - 1; i < count; i++) {
        if (dates[i].day == FEED_NO_SEGMENT || dates[i].sources == FEED_NO_SEGMENT ||
            list[dates[i].sources].number <= x->done)
            continue;
        date_index(x, r, dates[i].sources);
        if (atomic_load(&x->is_stopping))
            return;
        if (list[dates[i].sources].number > newest)
            newest = list[dates[i].sources].number;
    }
    x->done = newest;
    x->has_begun = true;
}

/* A new segment changes the folder. */
static bool has_changed(struct source_indexer *x)
{
    struct stat st;
    if (stat(x->dir, &st) < 0 ||
        (st.st_mtim.tv_sec == x->changed.tv_sec && st.st_mtim.tv_nsec == x->changed.tv_nsec))
        return false;
    x->changed = st.st_mtim;
    return true;
}

static void look(struct source_indexer *x)
{
    struct feed_reader *r = NULL;
    struct fault why;
    struct feed_pool *pool = feed_pool_create(2);
    if (pool != NULL && feed_reader_open(&r, x->dir, pool, &why) == 0)
        dates_look(x, r);
    feed_reader_close(r);
    feed_pool_destroy(pool);
}

/* Sleeps. False: it is time to end. */
static bool wait_more(struct source_indexer *x)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_S;
    pthread_mutex_lock(&x->lock);
    while (!atomic_load(&x->is_stopping) &&
           pthread_cond_timedwait(&x->stop, &x->lock, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&x->lock);
    return !atomic_load(&x->is_stopping);
}

static void *run(void *context)
{
    struct source_indexer *x = context;
    const struct sched_param none = {0};
    (void)sched_setscheduler(0, SCHED_IDLE, &none); /* of this thread: Linux's 0 is its own */
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO, 0, IOPRIO_IDLE);
    do
        if (has_changed(x))
            look(x);
    while (wait_more(x));
    return NULL;
}

int source_indexer_start(struct source_indexer **out, const char *dir, struct fault *fault)
{
    pthread_attr_t attributes;
    pthread_condattr_t monotonic;
    struct source_indexer *x = calloc(1, sizeof *x);
    *out = NULL;
    if (x == NULL)
        return fault_set(fault, ENOMEM, "%s: %s", dir, strerror(ENOMEM));
    x->dir = dir;
    pthread_mutex_init(&x->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&x->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    int err = pthread_create(&x->thread, &attributes, run, x);
    pthread_attr_destroy(&attributes);
    if (err != 0) {
        pthread_cond_destroy(&x->stop);
        pthread_mutex_destroy(&x->lock);
        free(x);
        return fault_set(fault, err, "%s: no thread for its indexes: %s", dir, strerror(err));
    }
    *out = x;
    return 0;
}

void source_indexer_stop(struct source_indexer *x)
{
    if (x == NULL)
        return;
    pthread_mutex_lock(&x->lock);
    atomic_store(&x->is_stopping, true);
    pthread_cond_signal(&x->stop);
    pthread_mutex_unlock(&x->lock);
    pthread_join(x->thread, NULL);
    pthread_cond_destroy(&x->stop);
    pthread_mutex_destroy(&x->lock);
    free(x);
}
