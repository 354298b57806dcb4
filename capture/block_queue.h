/* block_queue: blocks of bytes from one producer thread to one consumer thread.
 *
 * A bounded number of blocks of 1 MiB is in flight; both sides sleep where they
 * have to wait. Every block has room in front, so that the consumer can put the
 * unconsumed tail of its predecessor before it. Blocks are made as they are
 * needed and the one given back last is used first, while it is still in the cache.
 */
#ifndef CAPTURE_BLOCK_QUEUE_H
#define CAPTURE_BLOCK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BLOCK_SIZE = 1 << 20,        /* bytes; more costs cache, less costs wake-ups */
    BLOCK_HEADROOM = 288 * 1024, /* holds any cut-off pcap record */
    BLOCKS_IN_FLIGHT = 16,
};

struct block {
    struct block *next;
    size_t len;         /* bytes used of `bytes` */
    uint64_t stored_at; /* byte of the stored file that it begins at */
    uint64_t stored_to; /* and up to which was read for it */
    uint64_t whole_to;  /* where in the stored file the last member ended well before it */
    uint8_t *bytes;     /* BLOCK_SIZE, with BLOCK_HEADROOM in front */
};

struct block_queue;

/* A block of the caller's own; NULL without memory. */
struct block *block_create(void);
void block_destroy(struct block *b); /* accepts NULL */

struct block_queue *block_queue_create(void); /* NULL without memory */

/* Producer: an empty block, waits for one; NULL once the consumer has stopped the
 * queue, or without memory (then *no_memory). */
struct block *block_queue_take(struct block_queue *q, bool *no_memory);
/* Producer: hands a block on. */
void block_queue_put(struct block_queue *q, struct block *b);
/* Producer: nothing follows what was put. */
void block_queue_finish(struct block_queue *q);

/* Consumer: the next full block, waits for it; NULL at the end. */
struct block *block_queue_next(struct block_queue *q);
/* Consumer: gives a block back; accepts NULL. */
void block_queue_return(struct block_queue *q, struct block *b);
/* Consumer: wants no more; the producer's take returns NULL from now on. */
void block_queue_stop(struct block_queue *q);

/* Frees the queue and the blocks in it; both sides are done. Accepts NULL. */
void block_queue_destroy(struct block_queue *q);

#endif
