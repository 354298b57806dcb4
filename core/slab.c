#include "core/slab.h"

#include "core/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, BLOCK_MOST = 8 << 20, PIECES = 64 };

static size_t block_size(size_t piece)
{
    size_t size = (piece * PIECES + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    return size < BLOCK_MOST ? size : BLOCK_MOST;
}

void slab_init(struct slab *s)
{
    *s = (struct slab){0};
    pthread_mutex_init(&s->lock, NULL);
}

void slab_fini(struct slab *s)
{
    for (size_t i = 0; i < s->count; i++)
        (void)munmap(s->blocks[i].at, block_size(s->blocks[i].piece));
    slab_trim(s);
    free(s->blocks);
    pthread_mutex_destroy(&s->lock);
}

void slab_trim(struct slab *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->spare_count > 0)
        (void)munmap(s->spares[--s->spare_count], BLOCK_MOST);
    pthread_mutex_unlock(&s->lock);
}

/* On a huge page's boundary. */
static uint8_t *block_map(size_t size)
{
    uint8_t *p =
        mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p = memory_must(p == MAP_FAILED ? NULL : p);
    size_t before = -(uintptr_t)p % HUGE_PAGE;
    if (before > 0)
        (void)munmap(p, before);
    (void)munmap(p + before + size, HUGE_PAGE - before);
    (void)madvise(p + before, size, MADV_HUGEPAGE); /* a kernel without them refuses */
    return p + before;
}

/* One with room. */
static struct slab_block *block_find(struct slab *s, size_t piece)
{
    for (size_t i = s->count; i-- > 0;)
        if (s->blocks[i].piece == piece && s->blocks[i].taken < s->blocks[i].room)
            return &s->blocks[i];
    s->blocks = memory_must(realloc(s->blocks, (s->count + 1) * sizeof *s->blocks));
    size_t size = block_size(piece), room = size / piece;
    struct slab_block *b = &s->blocks[s->count++];
    *b = (struct slab_block){.piece = piece, .room = room < PIECES ? (unsigned)room : PIECES};
    if (size == BLOCK_MOST && s->spare_count > 0) {
        b->at = s->spares[--s->spare_count];
        b->fresh = b->room;
    } else {
        b->at = block_map(size);
    }
    return b;
}

/* An empty one goes. */
static void block_drop(struct slab *s, struct slab_block *b)
{
    size_t size = block_size(b->piece);
    if (size == BLOCK_MOST && s->spare_count < SLAB_SPARES)
        s->spares[s->spare_count++] = b->at;
    else
        (void)munmap(b->at, size);
    *b = s->blocks[--s->count];
}

void *slab_alloc(struct slab *s, size_t size, bool *is_zero)
{
    assert(size >= SLAB_LEAST && size <= SLAB_MOST && size % 64 == 0);
    pthread_mutex_lock(&s->lock);
    struct slab_block *b = block_find(s, size);
    unsigned piece = (unsigned)__builtin_ctzll(~b->is_taken);
    *is_zero = piece >= b->fresh;
    b->fresh = *is_zero ? piece + 1 : b->fresh;
    b->is_taken |= UINT64_C(1) << piece;
    b->taken++;
    uint8_t *at = b->at + piece * size;
    pthread_mutex_unlock(&s->lock);
    return at;
}

void slab_free(struct slab *s, void *piece)
{
    size_t i = 0;
    pthread_mutex_lock(&s->lock);
    while ((uintptr_t)piece - (uintptr_t)s->blocks[i].at >= block_size(s->blocks[i].piece))
        i++;
    struct slab_block *b = &s->blocks[i];
    b->is_taken &= ~(UINT64_C(1) << ((size_t)((uint8_t *)piece - b->at) / b->piece));
    if (--b->taken == 0)
        block_drop(s, b);
    pthread_mutex_unlock(&s->lock);
}
