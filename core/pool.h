/* pool: many small pieces of memory that come and go, in huge pages.
 *
 * What is looked at in random order costs more in page tables than in caches: pieces lie in blocks of 2 MB that ask the system for
 * huge pages. Sizes are powers of two from 64 bytes on; what was freed is used again for the same size. Pieces begin at a cache line and
 * are not cleared. One thread; ends the program where memory ends (core/memory.h).
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stddef.h>

enum { POOL_LEAST = 6, POOL_MOST = 16 }; /* 2 to the power of */

/* Begins as all zero. */
struct pool {
    void *free[POOL_MOST + 1];
    void **blocks;            /* all of them */
    size_t block_count, used; /* used: of the last one */
};

/* A piece of 2^`size` bytes. */
void *pool_alloc(struct pool *p, unsigned size);
void pool_free(struct pool *p, void *piece, unsigned size); /* accepts NULL */

/* Frees all. */
void pool_fini(struct pool *p);

#endif
