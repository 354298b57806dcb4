#include "export/unpack_budget.h"

#include <stdlib.h>

enum {
    BUDGET = 512 << 20, /* bytes that one record may unpack to */
    OVERHEAD = 32,      /* bytes an allocation costs beside its own */
};

static void *budget_alloc(void *data, size_t size)
{
    struct unpack_budget *b = data;
    b->used += size + OVERHEAD;
    return b->used > BUDGET ? NULL : malloc(size);
}

static void budget_free(void *data, void *pointer)
{
    (void)data;
    free(pointer);
}

void unpack_budget_init(struct unpack_budget *b)
{
    *b = (struct unpack_budget){
        .allocator = {.alloc = budget_alloc, .free = budget_free, .allocator_data = b}};
}

bool unpack_budget_is_out(const struct unpack_budget *b) { return b->used > BUDGET; }
