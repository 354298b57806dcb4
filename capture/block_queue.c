#include "capture/block_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct block_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* one producer, one consumer: at most one of them waits */
    struct block *full, **full_tail;
    struct block *empty; /* last returned first */
    unsigned made;
    bool finished, stopped;
};

struct block *block_create(void)
{
    struct block *b = malloc(sizeof *b + BLOCK_HEADROOM + BLOCK_SIZE);
    if (!b)
        return NULL;
    b->next = NULL;
    b->len = 0;
    b->stored_at = b->stored_to = b->whole_to = 0;
    b->bytes = (uint8_t *)(b + 1) + BLOCK_HEADROOM;
    return b;
}

void block_destroy(struct block *b) { free(b); }

struct block_queue *block_queue_create(void)
{
    struct block_queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->full_tail = &q->full;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    return q;
}

struct block *block_queue_take(struct block_queue *q, bool *no_memory)
{
    struct block *b = NULL;
    *no_memory = false;
    pthread_mutex_lock(&q->lock);
    while (!q->stopped && !q->empty && q->made == BLOCKS_IN_FLIGHT)
        pthread_cond_wait(&q->changed, &q->lock);
    if (!q->stopped && q->empty) {
        b = q->empty;
        q->empty = b->next;
    } else if (!q->stopped) {
        b = block_create();
        *no_memory = !b;
        q->made += b != NULL;
    }
    pthread_mutex_unlock(&q->lock);
    return b;
}

void block_queue_put(struct block_queue *q, struct block *b)
{
    b->next = NULL;
    pthread_mutex_lock(&q->lock);
    *q->full_tail = b;
    q->full_tail = &b->next;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void block_queue_finish(struct block_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->finished = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

struct block *block_queue_next(struct block_queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (!q->full && !q->finished)
        pthread_cond_wait(&q->changed, &q->lock);
    struct block *b = q->full;
    if (b) {
        q->full = b->next;
        if (!q->full)
            q->full_tail = &q->full;
    }
    pthread_mutex_unlock(&q->lock);
    return b;
}

void block_queue_return(struct block_queue *q, struct block *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&q->lock);
    b->next = q->empty;
    q->empty = b;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void block_queue_stop(struct block_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopped = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static void free_list(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        block_destroy(b);
        b = next;
    }
}

void block_queue_destroy(struct block_queue *q)
{
    if (!q)
        return;
    free_list(q->full);
    free_list(q->empty);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
