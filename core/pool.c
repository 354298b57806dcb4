#include "core/pool.h"

#include "core/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BLOCK = 1 << 21 };

static void block_add(struct pool *p)
{
    p->blocks = memory_must(realloc(p->blocks, (p->block_count + 1) * sizeof *p->blocks));
    void *block = memory_must(aligned_alloc(BLOCK, BLOCK));
    (void)madvise(block, BLOCK, MADV_HUGEPAGE);
    p->blocks[p->block_count++] = block;
    p->used = 0;
}

void *pool_alloc(struct pool *p, unsigned size)
{
    assert(size >= POOL_LEAST && size <= POOL_MOST);
    void *piece = p->free[size];
    if (piece) {
        p->free[size] = *(void **)piece;
        return piece;
    }
    if (p->block_count == 0 || p->used + ((size_t)1 << size) > BLOCK)
        block_add(p);
    piece = (char *)p->blocks[p->block_count - 1] + p->used;
    p->used += (size_t)1 << size;
    return piece;
}

void pool_free(struct pool *p, void *piece, unsigned size)
{
    if (!piece)
        return;
    *(void **)piece = p->free[size];
    p->free[size] = piece;
}

void pool_fini(struct pool *p)
{
    for (size_t i = 0; i < p->block_count; i++)
        free(p->blocks[i]);
    free(p->blocks);
    *p = (struct pool){0};
}
