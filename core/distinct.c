#include "core/distinct.h"

#include "core/memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Of a table of that room: two to which power its bytes are. */
static unsigned size_of(uint32_t room) { return (unsigned)__builtin_ctz(room) + 2; }

static uint32_t *table_alloc(struct pool *pool, uint32_t room)
{
    return pool ? pool_alloc(pool, size_of(room))
                : memory_must(aligned_alloc(64, room * sizeof(uint32_t)));
}

static void table_free(const struct distinct *d, struct pool *pool)
{
    if (!pool)
        free(d->at);
    else if (d->room > 0)
        pool_free(pool, d->at, size_of(d->room));
}

void distinct_fini(struct distinct *d, struct pool *pool)
{
    table_free(d, pool);
    *d = (struct distinct){0};
}

/* Where the number is, or belongs; NULL: the only line is full. The lowest bits are 0 in all that is kept: the place is told by the highest. */
static inline uint32_t *seek(const struct distinct *d, uint32_t mixed)
{
    uint32_t *line = distinct_line(d, mixed);
    unsigned place;
    while ((place = distinct_place(line, mixed)) == DISTINCT_LINE) {
        if (d->room == DISTINCT_LINE)
            return NULL;
        line += DISTINCT_LINE;
        if (line == d->at + d->room)
            line = d->at;
    }
    return &line[place];
}

/* Keeps what has none of the mask's bits, in a table of that room. */
static void rebuild(struct distinct *d, struct pool *pool, uint32_t room)
{
    const struct distinct old = *d;
    uint32_t mask = distinct_mask(d);
    d->at = table_alloc(pool, room);
    memset(d->at, 0, room * sizeof *d->at);
    d->room = (uint16_t)room;
    d->count = 0;
    for (uint32_t i = 0; i < old.room; i++)
        if (old.at[i] != 0 && (old.at[i] & mask) == 0) {
            *seek(d, old.at[i]) = old.at[i];
            d->count++;
        }
    table_free(&old, pool);
}

static inline bool is_full(const struct distinct *d)
{
    return d->room == DISTINCT_LINE ? d->count == DISTINCT_LINE : d->count * 4 >= d->room * 3;
}

void distinct_add(struct distinct *d, struct pool *pool, uint32_t mixed)
{
    if (mixed == 0) {
        d->has_zero = true;
        return;
    }
    if (d->room == 0)
        rebuild(d, pool, DISTINCT_LINE);
    uint32_t *place = seek(d, mixed);
    if (place && *place == mixed)
        return;
    if (is_full(d)) {
        rebuild(d, pool, 2 * d->room);
        place = seek(d, mixed);
    }
    *place = mixed;
    d->count++;
    while (d->count > DISTINCT_MOST) {
        d->bits++;
        rebuild(d, pool, d->room);
    }
}

void distinct_merge(struct distinct *d, struct pool *pool, const struct distinct *from)
{
    if (from->bits > d->bits) {
        d->bits = from->bits;
        if (d->room > 0)
            rebuild(d, pool, d->room);
    }
    d->has_zero |= from->has_zero;
    for (uint32_t i = 0; i < from->room; i++)
        if (from->at[i] != 0 && (from->at[i] & distinct_mask(d)) == 0)
            distinct_add(d, pool, from->at[i]);
}
