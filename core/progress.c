#include "core/progress.h"

#include "export/feed_log.h"
#include "export/text.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct progress {
    void (*print)(const struct progress *p, double elapsed);
    const struct capture *capture; /* what `print` looks at: these two, */
    const atomic_ulong *packets;
    const struct feed_progress *feed; /* or this */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool is_over;
};

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_capture(const struct progress *p, double elapsed)
{
    uint64_t done, total;
    double packets = (double)atomic_load_explicit(p->packets, memory_order_relaxed);
    p->capture->ops->progress(p->capture, &done, &total);
    fprintf(stderr, "\r\033[K%.1f M packets, %.1f M/s", packets / 1e6, packets / elapsed / 1e6);
    if (total > 0 && done > 0) {
        double share = done < total ? (double)done / (double)total : 1;
        fprintf(stderr, ", %.0f %% of %.1f GB, %.0f s left", share * 100, (double)total / 1e9,
                elapsed * (1 - share) / share);
    }
    fflush(stderr);
}

static void print_feed(const struct progress *p, double elapsed)
{
    char a[TEXT_COUNTED], b[TEXT_COUNTED];
    unsigned long done = atomic_load_explicit(&p->feed->done, memory_order_relaxed);
    unsigned long total = atomic_load_explicit(&p->feed->total, memory_order_relaxed);
    if (done == 0 || total < done)
        return;
    double share = (double)done / (double)total;
    fprintf(stderr, "\r\033[K%s of %s segments, %.0f %%, %.0f s left", text_number(done, a),
            text_number(total, b), share * 100, elapsed * (1 - share) / share);
    fflush(stderr);
}

static void *progress_main(void *arg)
{
    struct progress *p = arg;
    double start = now_seconds();
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&p->lock);
    while (!p->is_over) {
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000)
            until.tv_nsec -= 1000000000, until.tv_sec++;
        pthread_cond_timedwait(&p->stop, &p->lock, &until);
        if (!p->is_over)
            p->print(p, now_seconds() - start);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static struct progress *start(const struct progress *what)
{
    struct progress *p = isatty(STDERR_FILENO) ? malloc(sizeof *p) : NULL;
    if (!p)
        return NULL;
    *p = *what;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->stop, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&p->thread, NULL, progress_main, p) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

struct progress *progress_start(const struct capture *capture, const atomic_ulong *packets)
{
    return start(
        &(struct progress){.print = print_capture, .capture = capture, .packets = packets});
}

struct progress *progress_start_feed(const struct feed_progress *feed)
{
    return start(&(struct progress){.print = print_feed, .feed = feed});
}

void progress_stop(struct progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_over = true;
    pthread_cond_signal(&p->stop);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    fputs("\r\033[K", stderr);
    pthread_cond_destroy(&p->stop);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
