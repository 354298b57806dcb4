#include "core/address_set.h"

#include "capture/hash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_MAX = 2048, /* suffixes in a table of twice as many slots: as large as the bitmap then */
    BITMAP_WORDS = 65536 / 64,
};

/* The addresses of one /16. Suffix 0 has a flag of its own, since 0 marks a free slot. */
struct container {
    uint32_t count;
    uint32_t slots; /* of the table, a power of two; 0: a bitmap */
    bool     has_zero;
    union {
        uint16_t *table;
        uint64_t *bitmap;
    };
};

struct address6 {
    uint64_t low, high;
};

struct address_set {
    struct container *of[65536];
    uint64_t          count4;
    struct hash_key   key;
    struct address6  *at6; /* zero address: has_zero6 */
    uint64_t          size6, count6;
    bool              has_zero6;
};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

struct address_set *address_set_create(void)
{
    struct address_set *set = calloc(1, sizeof *set);
    if (set)
        hash_key_init(&set->key);
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
    free(set->at6);
    free(set);
}

/* Fibonacci hashing: suffixes of one /16 come from one telescope, not from an enemy's choice; a
 * table never holds more than TABLE_MAX of them in any case. */
static inline uint32_t table_at(uint16_t suffix, uint32_t slots)
{
    return (uint32_t)((uint16_t)(suffix * 40503u) * (uint64_t)slots >> 16);
}

static bool table_add(uint16_t *table, uint32_t slots, uint16_t suffix)
{
    uint32_t i = table_at(suffix, slots);
    for (; table[i]; i = (i + 1) & (slots - 1))
        if (table[i] == suffix)
            return false;
    table[i] = suffix;
    return true;
}

static void container_to_bitmap(struct container *c)
{
    uint64_t *bitmap = must(calloc(BITMAP_WORDS, sizeof *bitmap));
    for (uint32_t i = 0; i < c->slots; i++)
        if (c->table[i])
            bitmap[c->table[i] / 64] |= UINT64_C(1) << (c->table[i] % 64);
    if (c->has_zero)
        bitmap[0] |= 1;
    free(c->table);
    c->bitmap = bitmap;
    c->slots = 0;
}

static void container_grow(struct container *c)
{
    if (c->count >= TABLE_MAX) {
        container_to_bitmap(c);
        return;
    }
    uint32_t  slots = c->slots * 2;
    uint16_t *table = must(calloc(slots, sizeof *table));
    for (uint32_t i = 0; i < c->slots; i++)
        if (c->table[i])
            table_add(table, slots, c->table[i]);
    free(c->table);
    c->table = table;
    c->slots = slots;
}

static bool container_add(struct container *c, uint16_t suffix)
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
        is_new = table_add(c->table, c->slots, suffix);
    }
    if (is_new && ++c->count * 2 >= c->slots)
        container_grow(c);
    return is_new;
}

static void add4(struct address_set *set, uint16_t prefix, uint16_t suffix)
{
    struct container *c = set->of[prefix];
    if (!c) {
        c = set->of[prefix] = must(calloc(1, sizeof *c));
        c->slots = 16;
        c->table = must(calloc(c->slots, sizeof *c->table));
    }
    set->count4 += container_add(c, suffix);
}

static struct address6 *find6(const struct address_set *set, struct address6 a)
{
    uint64_t i = hash_fold(hash_u64(&set->key, a.low) ^ a.high, set->key.c) & (set->size6 - 1);
    while ((set->at6[i].low | set->at6[i].high) &&
           (set->at6[i].low != a.low || set->at6[i].high != a.high))
        i = (i + 1) & (set->size6 - 1);
    return &set->at6[i];
}

static void grow6(struct address_set *set)
{
    struct address_set old = *set;
    set->size6 = old.size6 ? old.size6 * 2 : 64;
    set->at6 = must(calloc(set->size6, sizeof *set->at6));
    for (uint64_t i = 0; i < old.size6; i++)
        if (old.at6[i].low | old.at6[i].high)
            *find6(set, old.at6[i]) = old.at6[i];
    free(old.at6);
}

static void add6(struct address_set *set, struct address6 a)
{
    if (!(a.low | a.high)) {
        set->has_zero6 = true;
        return;
    }
    if (set->count6 * 2 >= set->size6)
        grow6(set);
    struct address6 *slot = find6(set, a);
    set->count6 += !(slot->low | slot->high);
    *slot = a;
}

void address_set_add(struct address_set *set, const uint8_t address[16], unsigned ip_version)
{
    if (ip_version == 6) {
        struct address6 a;
        memcpy(&a, address, sizeof a);
        add6(set, a);
    } else {
        add4(set, (uint16_t)(address[0] << 8 | address[1]),
             (uint16_t)(address[2] << 8 | address[3]));
    }
}

static void container_merge(struct address_set *into, uint16_t prefix, const struct container *from)
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

void address_set_merge(struct address_set *into, const struct address_set *from)
{
    for (unsigned prefix = 0; prefix < 65536; prefix++)
        if (from->of[prefix])
            container_merge(into, (uint16_t)prefix, from->of[prefix]);
    for (uint64_t i = 0; i < from->size6; i++)
        if (from->at6[i].low | from->at6[i].high)
            add6(into, from->at6[i]);
    into->has_zero6 |= from->has_zero6;
}

uint64_t address_set_count(const struct address_set *set)
{
    return set->count4 + set->count6 + set->has_zero6;
}
