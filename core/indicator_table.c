#include "core/indicator_table.h"

#include "core/memory.h"
#include "export/hll.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

struct indicator_table *indicator_table_create(uint32_t most)
{
    struct indicator_table *t = memory_must(calloc(1, sizeof *t));
    t->room = FIRST_ROOM;
    t->at = memory_must(calloc(t->room, sizeof(struct indicator_entry *)));
    t->most = most;
    t->cut = UINT64_MAX;
    hash_key_init(&t->key);
    return t;
}

void indicator_entry_destroy(struct indicator_entry *e)
{
    distinct_fini(&e->sources, NULL);
    free(e);
}

void indicator_table_destroy(struct indicator_table *t)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; i < t->room; i++)
        if (t->at[i] != NULL)
            indicator_entry_destroy(t->at[i]);
    free(t->at);
    free(t);
}

static uint64_t hash_of(int32_t date, unsigned kind, unsigned role, const char *value)
{
    uint8_t bytes[8 + INDICATOR_VALUE] = {0};
    uint32_t unsigned_date = (uint32_t)date;
    size_t len = strnlen(value, INDICATOR_VALUE - 1);
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(unsigned_date >> 8 * i);
    bytes[4] = (uint8_t)kind;
    bytes[5] = (uint8_t)role;
    memcpy(bytes + 8, value, len);
    return hll_hash(bytes, 8 + len);
}

void indicator_entry_hash(struct indicator_entry *e)
{
    e->hash = hash_of(e->date, e->kind, e->role, e->value);
}

static bool is_same(const struct indicator_entry *e, uint64_t hash, int32_t date, unsigned kind,
                    unsigned role, const char *value)
{
    return e->hash == hash && e->date == date && e->kind == kind && e->role == role &&
           strcmp(e->value, value) == 0;
}

/* The place of what is so named, or the one that is free for it. */
static struct indicator_entry **place_of(const struct indicator_table *t, uint64_t hash,
                                         int32_t date, unsigned kind, unsigned role,
                                         const char *value)
{
    uint32_t i = (uint32_t)hash_u64(&t->key, hash) & (t->room - 1);
    while (t->at[i] != NULL && !is_same(t->at[i], hash, date, kind, role, value))
        i = (i + 1) & (t->room - 1);
    return &t->at[i];
}

static struct indicator_entry **place_of_entry(const struct indicator_table *t,
                                               const struct indicator_entry *e)
{
    return place_of(t, e->hash, e->date, e->kind, e->role, e->value);
}

/* All entries into a table of that room. */
static void rebuild(struct indicator_table *t, uint32_t room)
{
    struct indicator_entry **old = t->at;
    uint32_t count = t->room;
    t->at = memory_must(calloc(room, sizeof(struct indicator_entry *)));
    t->room = room;
    for (uint32_t i = 0; i < count; i++)
        if (old[i] != NULL)
            *place_of_entry(t, old[i]) = old[i];
    free(old);
}

static void grow(struct indicator_table *t)
{
    if (2 * t->count >= t->room)
        rebuild(t, 2 * t->room);
}

void indicator_table_sift(struct indicator_table *t,
                          bool (*goes)(void *context, struct indicator_entry *e), void *context)
{
    uint32_t before = t->count;
    for (uint32_t i = 0; i < t->room; i++) {
        if (t->at[i] == NULL || !goes(context, t->at[i]))
            continue;
        indicator_entry_destroy(t->at[i]);
        t->at[i] = NULL;
        t->count--;
    }
    if (t->count != before)
        rebuild(t, t->room); /* holes end a search */
}

/* ---- the bound ---- */

static int hash_order(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static bool is_beyond(void *context, struct indicator_entry *e)
{
    struct indicator_table *t = context;
    if (e->hash <= t->cut)
        return false;
    t->left_out += e->packets;
    return true;
}

void indicator_table_cut(struct indicator_table *t)
{
    if (t->count <= t->most)
        return;
    uint64_t *hashes = memory_must(malloc(t->count * sizeof *hashes));
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->room; i++)
        if (t->at[i] != NULL)
            hashes[count++] = t->at[i]->hash;
    qsort(hashes, count, sizeof *hashes, hash_order);
    t->cut = hashes[t->most - 1];
    free(hashes);
    indicator_table_sift(t, is_beyond, t);
}

static bool is_taken(struct indicator_table *t, uint64_t hash, uint64_t packets)
{
    if (hash <= t->cut)
        return true;
    t->left_out += packets;
    return false;
}

/* ---- counting ---- */

/* By which of the first packets an entry says where it came: the earliest, then the least rule, port, protocol. */
static bool is_before(const struct indicator_entry *x, const struct indicator_entry *y)
{
    int order = strcmp(x->rule, y->rule);
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns;
    if (order != 0)
        return order < 0;
    return x->port != y->port ? x->port < y->port : x->proto < y->proto;
}

static void first_take(struct indicator_entry *e, const struct indicator_entry *from)
{
    if (e->is_begun || !is_before(from, e))
        return;
    e->first_ns = from->first_ns;
    e->port = from->port;
    e->proto = from->proto;
    memcpy(e->rule, from->rule, sizeof e->rule);
}

static void source_add(struct indicator_entry *e, uint32_t source)
{
    if ((source & distinct_mask(&e->sources)) == 0)
        distinct_add(&e->sources, NULL, source);
}

void indicator_table_add(struct indicator_table *t, const struct indicator_sighting *s)
{
    const struct indicator *i = s->indicator;
    uint64_t hash = hash_of(s->date, i->kind, i->role, i->value);
    if (!is_taken(t, hash, 1))
        return;
    struct indicator_entry **place = place_of(t, hash, s->date, i->kind, i->role, i->value);
    struct indicator_entry first = {.first_ns = s->ts_ns, .port = s->port, .proto = s->proto};
    event_text(first.rule, sizeof first.rule, s->rule);
    if (*place == NULL) {
        struct indicator_entry *e = memory_must(calloc(1, sizeof *e));
        *e = first;
        e->hash = hash;
        e->date = s->date;
        e->day_end_ns = s->day_end_ns;
        e->last_ns = s->ts_ns;
        e->kind = i->kind;
        e->role = i->role;
        strcpy(e->value, i->value); /* behind it zeros: what is saved says nothing else */
        *place = e;
        t->count++;
    }
    struct indicator_entry *e = *place;
    first_take(e, &first);
    e->last_ns = s->ts_ns > e->last_ns ? s->ts_ns : e->last_ns;
    e->packets++;
    e->bytes += s->wire_len;
    source_add(e, s->source);
    grow(t);
    if (t->count > 2 * t->most)
        indicator_table_cut(t);
}

struct indicator_entry *indicator_table_put(struct indicator_table *t, struct indicator_entry *e)
{
    struct indicator_entry **place = place_of_entry(t, e);
    if (*place != NULL)
        return *place;
    *place = e;
    t->count++;
    grow(t);
    return NULL;
}

void indicator_table_merge(struct indicator_table *into, struct indicator_table *from)
{
    for (uint32_t i = 0; i < from->room; i++) {
        struct indicator_entry *e = from->at[i], *there;
        from->at[i] = NULL;
        if (e == NULL)
            continue;
        if (!is_taken(into, e->hash, e->packets)) {
            indicator_entry_destroy(e);
        } else if ((there = indicator_table_put(into, e)) != NULL) {
            first_take(there, e);
            there->last_ns = e->last_ns > there->last_ns ? e->last_ns : there->last_ns;
            there->packets += e->packets;
            there->bytes += e->bytes;
            distinct_merge(&there->sources, NULL, &e->sources);
            indicator_entry_destroy(e);
        }
    }
    into->left_out += from->left_out;
    from->count = 0;
    from->left_out = 0;
}
