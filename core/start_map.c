#include "core/start_map.h"

#include "capture/hash.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stdlib.h>

struct start {
    int64_t start_ns;
    uint32_t calls;
    bool is_used;
};

struct start_map {
    struct hash_key key;
    struct start *at;
    uint64_t size, used; /* size: a power of two */
};

struct start_map *start_map_create(void)
{
    struct start_map *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    hash_key_init(&m->key);
    m->size = 64;
    m->at = calloc(m->size, sizeof *m->at);
    if (!m->at) {
        free(m);
        return NULL;
    }
    return m;
}

void start_map_destroy(struct start_map *m)
{
    if (!m)
        return;
    free(m->at);
    free(m);
}

static struct start *start_find(const struct start_map *m, int64_t start_ns)
{
    uint64_t i = hash_u64(&m->key, (uint64_t)start_ns) & (m->size - 1);
    while (m->at[i].is_used && m->at[i].start_ns != start_ns)
        i = (i + 1) & (m->size - 1);
    return &m->at[i];
}

static void start_map_grow(struct start_map *m)
{
    struct start_map old = *m;
    m->size *= 2;
    m->at = memory_must(calloc(m->size, sizeof *m->at));
    for (uint64_t i = 0; i < old.size; i++)
        if (old.at[i].is_used)
            *start_find(m, old.at[i].start_ns) = old.at[i];
    free(old.at);
}

uint32_t start_map_next(struct start_map *m, int64_t start_ns)
{
    if (m->used * 2 >= m->size)
        start_map_grow(m);
    struct start *s = start_find(m, start_ns);
    if (!s->is_used) {
        *s = (struct start){.start_ns = start_ns, .is_used = true};
        m->used++;
    }
    return s->calls++;
}

void start_map_back(struct start_map *m, int64_t start_ns) { start_find(m, start_ns)->calls--; }
