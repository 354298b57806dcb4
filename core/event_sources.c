#include "core/event_sources.h"

#include "core/memory.h"

#include <stdlib.h>

struct event_sources *event_sources_create(const struct hash_key *key, int64_t start_ns)
{
    struct event_sources *s = memory_must(calloc(1, sizeof *s));
    s->key = key;
    s->start_ns = start_ns;
    return s;
}

void event_sources_close(struct event_sources *s, unsigned shard)
{
    free(s->sets[shard].at);
    s->sets[shard] = (struct event_source_set){0};
}

void event_sources_destroy(struct event_sources *s)
{
    if (!s)
        return;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        event_sources_close(s, shard);
    free(s);
}

static bool place(const struct hash_key *key, struct event_source_set *set, uint64_t name)
{
    uint32_t i = (uint32_t)hash_fold(name ^ key->b, key->c) & (set->room - 1);
    for (; set->at[i] != 0; i = (i + 1) & (set->room - 1))
        if (set->at[i] == name)
            return false;
    set->at[i] = name;
    return true;
}

static void grow(const struct hash_key *key, struct event_source_set *set)
{
    enum { LEAST = 64 };
    struct event_source_set old = *set;
    set->room = old.room ? 2 * old.room : LEAST;
    set->at = memory_must(calloc(set->room, sizeof *set->at));
    for (uint32_t i = 0; i < old.room; i++)
        if (old.at[i] != 0)
            place(key, set, old.at[i]);
    free(old.at);
}

void event_sources_add(struct event_sources *s, unsigned shard, uint64_t name)
{
    struct event_source_set *set = &s->sets[shard];
    if (s->is_inexact)
        return;
    if (set->count * 2 >= set->room)
        grow(s->key, set);
    bool is_new = place(s->key, set, name);
    set->count += is_new;
    s->sources += is_new;
}

void event_sources_give_up(struct event_sources *s)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        event_sources_close(s, shard);
    s->is_inexact = true;
}
