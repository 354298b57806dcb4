/* arena: many small things that are freed together.
 *
 * One owner. Begins as {0}; memory comes zeroed and aligned for any type.
 */
#ifndef CLASSIFY_ARENA_H
#define CLASSIFY_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first */
    size_t used, size;          /* of the newest block */
};

/* Valid until arena_fini; NULL where memory is out. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of `len` bytes with a zero behind it. */
char *arena_text(struct arena *a, const char *text, size_t len);

void arena_fini(struct arena *a);

#endif
