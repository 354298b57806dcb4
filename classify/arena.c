#include "classify/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 * 1024, ALIGN = _Alignof(max_align_t) };

struct arena_block {
    struct arena_block *next;
    _Alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > (size_t)1 << 30)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (!a->blocks || a->size - a->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        struct arena_block *block = calloc(1, sizeof *block + room);
        if (!block)
            return NULL;
        block->next = a->blocks;
        *a = (struct arena){block, 0, room};
    }
    void *at = a->blocks->bytes + a->used;
    a->used += size;
    return at;
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

void arena_fini(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    *a = (struct arena){0};
}
