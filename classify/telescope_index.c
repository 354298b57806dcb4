#include "classify/telescope_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The table that an entry of *top or of a table stands for; begun where there is none. There is room. */
static uint32_t *table_of(struct telescope_index *x, uint32_t *entry)
{
    if (!(*entry & TELESCOPE_TABLE) || *entry == TELESCOPE_NONE) {
        uint32_t at = (uint32_t)x->table_count++;
        for (unsigned i = 0; i < 256; i++)
            x->tables[at][i] = *entry;
        *entry = TELESCOPE_TABLE | at;
    }
    return x->tables[*entry & ~TELESCOPE_TABLE];
}

/* Room for what one range may begin: two tables at either end. */
static int tables_reserve(struct telescope_index *x)
{
    enum { MORE = 4 };
    if (x->table_count + MORE <= x->table_room)
        return 0;
    size_t room = x->table_room ? x->table_room * 2 : 16;
    void *grown = realloc(x->tables, room * sizeof *x->tables);
    if (!grown)
        return -ENOMEM;
    x->tables = grown;
    x->table_room = room;
    return 0;
}

/* Writes a number for [first, last], which lies in one /16. */
static void table_fill(struct telescope_index *x, uint32_t first, uint32_t last, uint32_t number)
{
    uint32_t *top = &x->top[first >> 16];
    if (last - first == 0xffff) {
        *top = number;
        return;
    }
    uint32_t *table = table_of(x, top);
    for (uint64_t from = first; from <= last; from = (from | 0xff) + 1) {
        uint32_t to = (uint32_t)(from | 0xff) < last ? (uint32_t)(from | 0xff) : last;
        if (to - from == 0xff) {
            table[from >> 8 & 255] = number;
            continue;
        }
        uint32_t *leaf = table_of(x, &table[from >> 8 & 255]);
        for (uint64_t address = from; address <= to; address++)
            leaf[address & 255] = number;
    }
}

int telescope_index_init(struct telescope_index *x, const struct telescope_range4 *ranges,
                         size_t count)
{
    *x = (struct telescope_index){.top = malloc(65536 * sizeof *x->top)};
    if (!x->top)
        return -ENOMEM;
    memset(x->top, 0xff, 65536 * sizeof *x->top);
    for (size_t i = 0; i < count; i++) {
        const struct telescope_range4 *r = &ranges[i];
        for (uint64_t from = r->first; from <= r->last; from = (from | 0xffff) + 1) {
            uint32_t end = (uint32_t)(from | 0xffff);
            if (tables_reserve(x) != 0)
                return -ENOMEM;
            table_fill(x, (uint32_t)from, end < r->last ? end : r->last, r->number);
        }
    }
    return 0;
}

void telescope_index_fini(struct telescope_index *x)
{
    free(x->top);
    free(x->tables);
    *x = (struct telescope_index){0};
}
