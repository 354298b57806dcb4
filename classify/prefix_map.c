#include "classify/prefix_map.h"

#include <errno.h>
#include <stdlib.h>

enum { BLOCKS = 65536, NEST_MAX = 129 };

struct range4 {
    uint32_t first, value; /* up to the next one's first */
};

struct range6 {
    unsigned __int128 first;
    uint32_t value;
};

struct prefix_map {
    struct range4 *ranges4; /* the first begins at 0.0.0.0 */
    struct range6 *ranges6;
    size_t count4, count6;
    uint32_t block[BLOCKS + 1]; /* of each /16: the range that its first address lies in */
};

/* Ranges of one IP version while they are made; at most two per prefix, and the first. */
struct cutter {
    struct prefix_map *map;
    unsigned ip_version;
    const struct prefix_value *open[NEST_MAX]; /* the innermost last */
    size_t depth;
};

/* From `first` on, `value` holds. */
static void cut(struct cutter *c, unsigned __int128 first, uint32_t value)
{
    struct prefix_map *m = c->map;
    if (c->ip_version == 4) {
        if (m->count4 && m->ranges4[m->count4 - 1].first == first)
            m->count4--;
        if (m->count4 && m->ranges4[m->count4 - 1].value == value)
            return;
        m->ranges4[m->count4++] = (struct range4){(uint32_t)first, value};
    } else {
        if (m->count6 && m->ranges6[m->count6 - 1].first == first)
            m->count6--;
        if (m->count6 && m->ranges6[m->count6 - 1].value == value)
            return;
        m->ranges6[m->count6++] = (struct range6){first, value};
    }
}

/* Closes what ends before `first`. */
static void close_before(struct cutter *c, unsigned __int128 first, int is_end)
{
    unsigned __int128 top = c->ip_version == 4 ? UINT32_MAX : ~(unsigned __int128)0;
    while (c->depth > 0) {
        unsigned __int128 last = prefix_last(&c->open[c->depth - 1]->prefix);
        if (!is_end && last >= first)
            return;
        c->depth--;
        if (last < top)
            cut(c, last + 1, c->depth ? c->open[c->depth - 1]->value : PREFIX_MAP_NONE);
    }
}

/* `rows` are sorted; those of one prefix by descending value. */
static void cut_all(struct prefix_map *map, unsigned ip_version, const struct prefix_value *rows,
                    size_t count)
{
    struct cutter c = {.map = map, .ip_version = ip_version};
    cut(&c, 0, PREFIX_MAP_NONE);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].prefix.ip_version != ip_version)
            continue;
        unsigned __int128 first = prefix_number(rows[i].prefix.address, ip_version);
        close_before(&c, first, 0);
        if (c.depth && prefix_compare(&c.open[c.depth - 1]->prefix, &rows[i].prefix) == 0)
            c.depth--;
        c.open[c.depth++] = &rows[i];
        cut(&c, first, rows[i].value);
    }
    close_before(&c, 0, 1);
}

static int compare_rows(const void *a, const void *b)
{
    const struct prefix_value *x = a, *y = b;
    int order = prefix_compare(&x->prefix, &y->prefix);
    return order ? order : (x->value < y->value) - (x->value > y->value);
}

static void index_blocks(struct prefix_map *map)
{
    uint32_t at = 0;
    for (uint32_t b = 0; b < BLOCKS; b++) {
        while (at + 1 < map->count4 && map->ranges4[at + 1].first <= b << 16)
            at++;
        map->block[b] = at;
    }
    map->block[BLOCKS] = (uint32_t)map->count4 - 1;
}

int prefix_map_create(struct prefix_map **out, struct prefix_value *rows, size_t count)
{
    struct prefix_map *map = calloc(1, sizeof *map);
    *out = NULL;
    if (!map)
        return -ENOMEM;
    map->ranges4 = calloc(2 * count + 1, sizeof *map->ranges4);
    map->ranges6 = calloc(2 * count + 1, sizeof *map->ranges6);
    if (!map->ranges4 || !map->ranges6) {
        prefix_map_destroy(map);
        return -ENOMEM;
    }
    if (count)
        qsort(rows, count, sizeof *rows, compare_rows);
    cut_all(map, 4, rows, count);
    cut_all(map, 6, rows, count);
    index_blocks(map);
    *out = map;
    return 0;
}

void prefix_map_destroy(struct prefix_map *map)
{
    if (!map)
        return;
    free(map->ranges4);
    free(map->ranges6);
    free(map);
}

/* The last range that begins at or before the address. */
static uint32_t find4(const struct prefix_map *map, uint32_t address)
{
    size_t low = map->block[address >> 16], high = map->block[(address >> 16) + 1];
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (map->ranges4[middle].first <= address)
            low = middle;
        else
            high = middle - 1;
    }
    return map->ranges4[low].value;
}

uint32_t prefix_map_find(const struct prefix_map *map, const uint8_t address[16],
                         unsigned ip_version)
{
    unsigned __int128 a = prefix_number(address, ip_version);
    if (ip_version != 6)
        return find4(map, (uint32_t)a);
    size_t low = 0, high = map->count6 - 1;
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (map->ranges6[middle].first <= a)
            low = middle;
        else
            high = middle - 1;
    }
    return map->ranges6[low].value;
}
