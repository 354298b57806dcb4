#include "core/address_set.h"

#include "capture/hash.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_MAX = 2048, /* suffixes in a table of twice as many slots: as large as the bitmap then */
    BITMAP_WORDS = 65536 / 64,
    WAITING = 16, /* IPv6 addresses looked up together */
};

struct address6 {
    uint64_t low, high;
};

/* IPv6. New ones wait until there are some: the places of all are asked of memory at once. */
struct address_rest {
    struct hash_key key;
    struct address6 *at; /* the zero address has a flag */
    uint64_t size, count;
    bool has_zero;
    unsigned waiting_count;
    struct address6 waiting[WAITING];
};

static const uint64_t empty[BITMAP_WORDS];

struct address_set *address_set_create(void)
{
    struct address_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->rest = calloc(1, sizeof *set->rest);
    if (!set->rest) {
        free(set);
        return NULL;
    }
    struct hash_key key;
    hash_key_init(&key);
    set->spread = (uint32_t)key.a; /* odd */
    hash_key_init(&set->rest->key);
    for (unsigned i = 0; i < 65536; i++)
        set->bitmaps[i] = empty;
    return set;
}

void address_set_destroy(struct address_set *set)
{
    if (!set)
        return;
    for (unsigned i = 0; i < 65536; i++) {
        if (set->of[i])
            free(set->of[i]->table);
        free(set->of[i]);
    }
    free(set->rest->at);
    free(set->rest);
    free(set);
}

/* Multiplicative hashing (Dietzfelbinger et al. 1997): whoever chooses the addresses does not
 * know the multiplier. Slots are a power of two. */
static inline uint32_t table_at(uint32_t spread, uint16_t suffix, uint32_t slots)
{
    return (uint32_t)((uint64_t)(spread * suffix) * slots >> 32);
}

static bool table_add(uint32_t spread, uint16_t *table, uint32_t slots, uint16_t suffix)
{
    uint32_t i = table_at(spread, suffix, slots);
    for (; table[i]; i = (i + 1) & (slots - 1))
        if (table[i] == suffix)
            return false;
    table[i] = suffix;
    return true;
}

static void container_to_bitmap(struct address_container *c)
{
    uint64_t *bitmap = memory_must(calloc(BITMAP_WORDS, sizeof *bitmap));
    for (uint32_t i = 0; i < c->slots; i++)
        if (c->table[i])
            bitmap[c->table[i] / 64] |= UINT64_C(1) << (c->table[i] % 64);
    if (c->has_zero)
        bitmap[0] |= 1;
    free(c->table);
    c->bitmap = bitmap;
    c->slots = 0;
}

static void container_grow(uint32_t spread, struct address_container *c)
{
    if (c->count >= TABLE_MAX) {
        container_to_bitmap(c);
        return;
    }
    uint32_t slots = c->slots * 2;
    uint16_t *table = memory_must(calloc(slots, sizeof *table));
    for (uint32_t i = 0; i < c->slots; i++)
        if (c->table[i])
            table_add(spread, table, slots, c->table[i]);
    free(c->table);
    c->table = table;
    c->slots = slots;
}

static bool container_add(uint32_t spread, struct address_container *c, uint16_t suffix)
{
    if (c->slots == 0) {
        uint64_t bit = UINT64_C(1) << (suffix % 64);
        uint64_t *word = &c->bitmap[suffix / 64];
        bool is_new = !(*word & bit);
        *word |= bit;
        c->count += is_new;
        return is_new;
    }
    bool is_new;
    if (suffix == 0) {
        is_new = !c->has_zero;
        c->has_zero = true;
    } else {
        is_new = table_add(spread, c->table, c->slots, suffix);
    }
    if (is_new && ++c->count * 2 >= c->slots)
        container_grow(spread, c);
    return is_new;
}

static void add4(struct address_set *set, uint16_t prefix, uint16_t suffix)
{
    struct address_container *c = set->of[prefix];
    if (!c) {
        c = set->of[prefix] = memory_must(calloc(1, sizeof *c));
        c->slots = 16;
        c->table = memory_must(calloc(c->slots, sizeof *c->table));
    }
    set->count4 += container_add(set->spread, c, suffix);
    if (c->slots == 0)
        set->bitmaps[prefix] = c->bitmap;
}

static uint64_t home6(const struct address_rest *r, struct address6 a)
{
    return hash_fold(hash_u64(&r->key, a.low) ^ a.high, r->key.c) & (r->size - 1);
}

static struct address6 *find6(const struct address_rest *r, struct address6 a)
{
    uint64_t i = home6(r, a);
    while ((r->at[i].low | r->at[i].high) && (r->at[i].low != a.low || r->at[i].high != a.high))
        i = (i + 1) & (r->size - 1);
    return &r->at[i];
}

static void grow6(struct address_rest *r)
{
    struct address_rest old = *r;
    r->size = old.size ? old.size * 2 : 64;
    r->at = memory_must(calloc(r->size, sizeof *r->at));
    for (uint64_t i = 0; i < old.size; i++)
        if (old.at[i].low | old.at[i].high)
            *find6(r, old.at[i]) = old.at[i];
    free(old.at);
}

static void add6(struct address_rest *r, struct address6 a)
{
    if (!(a.low | a.high)) {
        r->has_zero = true;
        return;
    }
    if (r->count * 2 >= r->size)
        grow6(r);
    struct address6 *slot = find6(r, a);
    r->count += !(slot->low | slot->high);
    *slot = a;
}

static void add_waiting(struct address_rest *r)
{
    for (unsigned i = 0; i < r->waiting_count; i++)
        add6(r, r->waiting[i]);
    r->waiting_count = 0;
}

void address_set_insert4(struct address_set *set, uint32_t address)
{
    add4(set, (uint16_t)(address >> 16), (uint16_t)address);
}

void address_set_insert6(struct address_set *set, const uint8_t address[16])
{
    struct address6 a;
    struct address_rest *r = set->rest;
    memcpy(&a, address, sizeof a);
    if (r->size > 0)
        __builtin_prefetch(&r->at[home6(r, a)], 1);
    r->waiting[r->waiting_count++] = a;
    if (r->waiting_count == WAITING)
        add_waiting(r);
}

static void container_merge(struct address_set *into, uint16_t prefix,
                            const struct address_container *from)
{
    if (from->slots == 0) {
        for (unsigned suffix = 0; suffix < 65536; suffix++)
            if (from->bitmap[suffix / 64] >> (suffix % 64) & 1)
                add4(into, prefix, (uint16_t)suffix);
        return;
    }
    if (from->has_zero)
        add4(into, prefix, 0);
    for (uint32_t i = 0; i < from->slots; i++)
        if (from->table[i])
            add4(into, prefix, from->table[i]);
}

void address_set_merge(struct address_set *into, struct address_set *from)
{
    add_waiting(from->rest);
    for (unsigned prefix = 0; prefix < 65536; prefix++)
        if (from->of[prefix])
            container_merge(into, (uint16_t)prefix, from->of[prefix]);
    for (uint64_t i = 0; i < from->rest->size; i++)
        if (from->rest->at[i].low | from->rest->at[i].high)
            add6(into->rest, from->rest->at[i]);
    into->rest->has_zero |= from->rest->has_zero;
}

uint64_t address_set_count(struct address_set *set)
{
    add_waiting(set->rest);
    return set->count4 + set->rest->count + set->rest->has_zero;
}
