/* slab: tables of 32 KB to 4 MB, some of one size at a time, in huge pages.
 *
 * What is looked at in random order costs more in page tables than in caches, but a table that is smaller than a huge page can't have
 * one for itself. Here those of one size share blocks that ask the system for huge pages. The tables of all shards grow through the same
 * sizes at about the same time, so the blocks of a size are soon empty when it is outgrown. A few of them wait for the next size, as fresh
 * pages cost more than clearing these (on a virtual machine whose host has to find them, some twenty times as much); the others are given
 * back. Ends the program where memory ends (core/memory.h). Any thread.
 */
#ifndef CORE_SLAB_H
#define CORE_SLAB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLAB_LEAST = 32 << 10, SLAB_MOST = 4 << 20, SLAB_SPARES = 8 };

struct slab_block {
    uint8_t *at;
    size_t piece;         /* size of each */
    unsigned fresh;       /* pieces from this one on were never used */
    unsigned room, taken; /* pieces; in use */
    uint64_t is_taken;
};

struct slab {
    pthread_mutex_t lock;
    struct slab_block *blocks;
    size_t count;
    uint8_t *spares[SLAB_SPARES]; /* empty blocks of the greatest size, 8 MB */
    unsigned spare_count;
};

void slab_init(struct slab *s);
void slab_fini(struct slab *s); /* frees all */

/* A piece of `size` bytes, a multiple of 64 between the two above, on a cache line. *is_zero: it is all zero. */
void *slab_alloc(struct slab *s, size_t size, bool *is_zero);
void slab_free(struct slab *s, void *piece);

/* Gives back what waits: nothing of the next size is to come. */
void slab_trim(struct slab *s);

#endif
