#include "core/source_table.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 64, FIRST_PAIRS = 64, FIRST_SOURCES = 32 };

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static uint32_t limit_of(uint32_t slots) { return (uint32_t)((uint64_t)slots * 3 / 4); }

int source_table_init(struct source_table *t, const struct hash_key *key)
{
    *t = (struct source_table){
        .key = key,
        .slots = calloc(FIRST_SLOTS, sizeof *t->slots),
        .slot_count = FIRST_SLOTS,
        .slot_limit = limit_of(FIRST_SLOTS),
        .pairs = calloc(FIRST_PAIRS, sizeof *t->pairs),
        .pair_slots = FIRST_PAIRS,
        .pair_limit = limit_of(FIRST_PAIRS),
    };
    if (t->slots && t->pairs)
        return 0;
    source_table_fini(t);
    return -ENOMEM;
}

void source_table_fini(struct source_table *t)
{
    for (uint32_t i = 0; i < t->block_count; i++)
        free(t->blocks[i]);
    free(t->blocks);
    free(t->slots);
    free(t->pairs);
    *t = (struct source_table){0};
}

static void slots_grow(struct source_table *t)
{
    uint32_t count = t->slot_count + t->slot_count / 2;
    free(t->slots);
    t->slots = must(calloc(count, sizeof *t->slots));
    t->slot_count = count;
    t->slot_limit = limit_of(count);
    for (uint32_t number = 0; number < t->source_count; number++) {
        const struct source *s = source_at(t, number);
        unsigned ip_version = s->kinds_ever & SOURCE_IS_IPV6 ? 6 : 4;
        uint64_t hash = hash_address(t->key, s->address, ip_version);
        uint32_t i = slot_home(t, hash);
        while (t->slots[i])
            if (++i == count)
                i = 0;
        t->slots[i] = (number + 1) << 8 | (uint32_t)(hash & 0xff);
    }
}

/* Room for one more source. The first block grows, so that a small capture touches little
 * memory; later ones are whole. */
static struct source *source_room(struct source_table *t)
{
    uint32_t number = t->source_count;
    if (number < SOURCE_BLOCK) {
        if (number == t->first_block_size) {
            uint32_t size = number ? number * 4 : FIRST_SOURCES;
            if (size > SOURCE_BLOCK)
                size = SOURCE_BLOCK;
            if (!t->blocks) {
                t->blocks = must(calloc(1, sizeof *t->blocks));
                t->block_count = 1;
            }
            struct source *block = must(aligned_alloc(64, size * sizeof *block));
            if (number)
                memcpy(block, t->blocks[0], number * sizeof *block);
            free(t->blocks[0]);
            t->blocks[0] = block;
            t->first_block_size = size;
        }
    } else if (number % SOURCE_BLOCK == 0) {
        t->blocks = must(realloc(t->blocks, (t->block_count + 1) * sizeof *t->blocks));
        t->blocks[t->block_count++] = must(aligned_alloc(64, SOURCE_BLOCK * sizeof(struct source)));
    }
    return source_at(t, number);
}

uint32_t source_insert(struct source_table *t, uint64_t hash, uint32_t slot,
                       const struct observation *o)
{
    uint32_t number = t->source_count;
    if (number + 1 >= UINT32_C(1) << SOURCE_BITS)
        abort(); /* a billion sources over all shards: memory ended long before */
    struct source *s = source_room(t);
    *s = (struct source){.first_ns = o->ts_ns, .last_ns = o->ts_ns};
    memcpy(s->address, o->src, sizeof s->address);
    s->kinds_ever = o->ip_version == 6 ? SOURCE_IS_IPV6 : 0;
    t->slots[slot] = (number + 1) << 8 | (uint32_t)(hash & 0xff);
    if (++t->source_count >= t->slot_limit)
        slots_grow(t);
    return number;
}

static void pairs_grow(struct source_table *t)
{
    struct pair *old = t->pairs;
    uint32_t     old_slots = t->pair_slots;

    t->pair_slots = old_slots + old_slots / 2;
    t->pair_limit = limit_of(t->pair_slots);
    t->pairs = must(calloc(t->pair_slots, sizeof *t->pairs));
    for (uint32_t k = 0; k < old_slots; k++) {
        if (old[k].key == 0)
            continue;
        uint32_t i = pair_home(t, old[k].key, old[k].port);
        while (t->pairs[i].key)
            if (++i == t->pair_slots)
                i = 0;
        t->pairs[i] = old[k];
    }
    free(old);
}

struct pair *pair_insert(struct source_table *t, uint32_t key, uint16_t port, uint32_t at)
{
    t->pairs[at] = (struct pair){.key = key, .port = port};
    if (++t->pair_count < t->pair_limit)
        return &t->pairs[at];
    pairs_grow(t);
    return pair_find(t, key, port);
}

uint64_t source_table_bytes(const struct source_table *t)
{
    uint64_t sources = t->block_count > 1 ? (uint64_t)t->block_count * SOURCE_BLOCK
                                          : t->first_block_size;
    return sources * sizeof(struct source) + t->slot_count * sizeof *t->slots +
           t->pair_slots * sizeof *t->pairs + t->block_count * sizeof *t->blocks;
}
