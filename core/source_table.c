#include "core/source_table.h"

#include "core/memory.h"
#include "export/hll.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    FIRST_GROUPS = 16,
    FIRST_SOURCES = 32,
    GROW_DOUBLE_MAX = 256 * 1024,
    HUGE_PAGE = 2 << 20,
    LARGE = 2 * HUGE_PAGE,
};

static uint32_t limit_of(uint32_t groups) { return (uint32_t)((uint64_t)groups * GROUP * 3 / 4); }

/* Doubles while small: cheaper to fill. By half when the memory counts. */
static uint32_t grown(uint32_t groups, size_t entry)
{
    return (uint64_t)groups * GROUP * entry < GROW_DOUBLE_MAX ? groups * 2 : groups + groups / 2;
}

static size_t groups_size(uint32_t groups, size_t entry)
{
    return ((size_t)groups * GROUP * entry + 63) / 64 * 64;
}

static bool is_for_slab(const struct source_table *t, size_t size)
{
    return t->slab && size >= SLAB_LEAST && size <= SLAB_MOST;
}

/* Zeroed, on a cache line. A table of several MiB is on huge pages where the system has them: its packets come
 * from all over it. Smaller ones share some. */
static void *groups_alloc(const struct source_table *t, uint32_t groups, size_t entry)
{
    size_t size = groups_size(groups, entry);
    bool is_large = size >= LARGE, is_zero = false;
    void *p = is_for_slab(t, size) ? slab_alloc(t->slab, size, &is_zero)
                                   : aligned_alloc(is_large ? HUGE_PAGE : 64, size);
    if (p && is_large)
        (void)madvise(p, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    return p && !is_zero ? memset(p, 0, size) : p;
}

static void groups_free(const struct source_table *t, void *p, uint32_t groups, size_t entry)
{
    if (is_for_slab(t, groups_size(groups, entry)))
        slab_free(t->slab, p);
    else
        free(p);
}

/* Of sources; not cleared. */
static struct source *block_alloc(const struct source_table *t, uint32_t sources)
{
    bool is_zero;
    size_t size = sources * sizeof(struct source);
    return is_for_slab(t, size) ? slab_alloc(t->slab, size, &is_zero)
                                : memory_must(aligned_alloc(64, size));
}

static void block_free(const struct source_table *t, struct source *block, uint32_t sources)
{
    if (block && is_for_slab(t, sources * sizeof *block))
        slab_free(t->slab, block);
    else
        free(block);
}

int source_table_init(struct source_table *t, const struct hash_key *key, bool has_days,
                      struct slab *slab)
{
    *t = (struct source_table){
        .key = key,
        .slab = slab,
        .slot_groups = FIRST_GROUPS,
        .slot_limit = limit_of(FIRST_GROUPS),
        .pair_groups = FIRST_GROUPS,
        .pair_limit = limit_of(FIRST_GROUPS),
        .has_days = has_days,
    };
    t->slots = groups_alloc(t, FIRST_GROUPS, sizeof *t->slots);
    t->pairs = groups_alloc(t, FIRST_GROUPS, sizeof *t->pairs);
    if (t->slots && t->pairs)
        return 0;
    source_table_fini(t);
    return -ENOMEM;
}

void source_table_fini(struct source_table *t)
{
    for (uint32_t i = 0; i < t->block_count; i++)
        block_free(t, t->blocks[i], i == 0 ? t->first_block_size : SOURCE_BLOCK);
    free(t->blocks);
    free(t->addresses6);
    groups_free(t, t->slots, t->slot_groups, sizeof *t->slots);
    groups_free(t, t->pairs, t->pair_groups, sizeof *t->pairs);
    free(t->times);
    free(t->lasts);
    free(t->packed);
    *t = (struct source_table){0};
}

/* Puts a slot into the first group from `hash` on that has room. */
static void slot_put(struct source_table *t, uint64_t hash, uint32_t number)
{
    for (uint32_t g = slot_home(t, hash);; g = g + 1 == t->slot_groups ? 0 : g + 1)
        for (unsigned k = 0; k < GROUP; k++) {
            uint32_t *slot = &t->slots[(size_t)g * GROUP + k];
            if (*slot == 0) {
                *slot = (number + 1) << 8 | slot_tag(hash);
                return;
            }
        }
}

static void slots_grow(struct source_table *t)
{
    groups_free(t, t->slots, t->slot_groups, sizeof *t->slots);
    t->slot_groups = grown(t->slot_groups, sizeof *t->slots);
    t->slot_limit = limit_of(t->slot_groups);
    t->slots = memory_must(groups_alloc(t, t->slot_groups, sizeof *t->slots));
    for (uint32_t number = 0; number < t->source_count; number++) {
        uint8_t address[16];
        unsigned ip_version = source_address(t, source_at(t, number), address);
        slot_put(t, hash_address(t->key, address, ip_version), number);
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
                t->blocks = memory_must(calloc(1, sizeof *t->blocks));
                t->block_count = 1;
            }
            struct source *block = block_alloc(t, size);
            if (number)
                memcpy(block, t->blocks[0], number * sizeof *block);
            block_free(t, t->blocks[0], number);
            t->blocks[0] = block;
            t->first_block_size = size;
        }
    } else if (number % SOURCE_BLOCK == 0) {
        t->blocks = memory_must(realloc(t->blocks, (t->block_count + 1) * sizeof *t->blocks));
        t->blocks[t->block_count++] = block_alloc(t, SOURCE_BLOCK);
    }
    return source_at(t, number);
}

/* Keeps an IPv6 address; returns its place. */
static uint32_t address6_put(struct source_table *t, const uint8_t address[16])
{
    if (t->address6_count == t->address6_room) {
        t->address6_room = t->address6_room ? t->address6_room / 2 * 3 : 32;
        t->addresses6 =
            memory_must(realloc(t->addresses6, t->address6_room * sizeof *t->addresses6));
    }
    memcpy(t->addresses6[t->address6_count].bytes, address, sizeof *t->addresses6);
    return t->address6_count++;
}

static void times_grow(struct source_table *t)
{
    uint32_t from = t->times_room;
    t->times_room = from ? from + from / 2 : FIRST_SOURCES;
    t->times = memory_must(realloc(t->times, t->times_room * sizeof *t->times));
    for (uint32_t i = from; i < t->times_room; i++)
        t->times[i] = (struct source_times){INT64_MAX, INT64_MIN};
    if (t->lasts) {
        t->lasts = memory_must(realloc(t->lasts, t->times_room * sizeof *t->lasts));
        memset(&t->lasts[from], 0, (t->times_room - from) * sizeof *t->lasts);
    }
    if (t->packed) {
        t->packed = memory_must(realloc(t->packed, t->times_room * sizeof *t->packed));
        memset(&t->packed[from], 0, (t->times_room - from) * sizeof *t->packed);
    }
}

void source_lasts_make(struct source_table *t)
{
    t->lasts = memory_must(calloc(t->times_room, sizeof *t->lasts));
}

void source_packed_make(struct source_table *t)
{
    t->packed = memory_must(calloc(t->times_room, sizeof *t->packed));
}

static uint32_t source_insert(struct source_table *t, uint64_t hash, const struct observation *o)
{
    uint32_t number = t->source_count;
    if (number + 1 >= UINT32_C(1) << SOURCE_BITS)
        memory_ended(); /* a billion sources over all shards: it did long before */
    struct source *s = source_room(t);
    uint64_t sketch = hll_hash(o->src, o->ip_version == 6 ? 16 : 4);
    *s = (struct source){
        .id = o->ip_version == 6 ? address6_put(t, o->src) : address4(o->src),
        .kinds_ever = o->ip_version == 6 ? SOURCE_IS_IPV6 : 0,
        .sketch_index = (uint16_t)hll_index(sketch),
        .sketch_rank = hll_rank(sketch),
    };
    if (t->has_days && number == t->times_room)
        times_grow(t);
    slot_put(t, hash, number);
    if (++t->source_count >= t->slot_limit)
        slots_grow(t);
    return number;
}

uint32_t source_search(struct source_table *t, uint64_t hash, const struct observation *o)
{
    for (uint32_t g = slot_home(t, hash);; g = g + 1 == t->slot_groups ? 0 : g + 1) {
        const uint32_t *group = &t->slots[(size_t)g * GROUP];
        unsigned match = slots_matching(group, slot_tag(hash));
        for (; match; match &= match - 1) {
            uint32_t number = (group[__builtin_ctz(match)] >> 8) - 1;
            if (source_is(t, source_at(t, number), o))
                return number;
        }
        if (group[GROUP - 1] == 0) /* filled in order: the search ends in a group with room */
            return t->is_full ? SOURCE_NOT_KEPT : source_insert(t, hash, o);
    }
}

/* Where a new pair of this name belongs. */
static struct pair *pair_room(struct source_table *t, uint64_t key)
{
    struct pair *p = pair_home(t, key);
    struct pair *end = t->pairs + (size_t)t->pair_groups * GROUP;
    while (p->key)
        if (++p == end)
            p = t->pairs;
    return p;
}

static void pairs_move(struct source_table *t, uint32_t groups)
{
    struct pair *old = t->pairs;
    uint32_t old_groups = t->pair_groups;
    size_t old_count = (size_t)old_groups * GROUP;

    t->pair_groups = groups;
    t->pair_limit = limit_of(t->pair_groups);
    t->pairs = memory_must(groups_alloc(t, t->pair_groups, sizeof *t->pairs));
    for (size_t i = 0; i < old_count; i++)
        if (old[i].key)
            *pair_room(t, pair_name(old[i].key)) = old[i];
    groups_free(t, old, old_groups, sizeof *old);
}

static void pairs_grow(struct source_table *t)
{
    pairs_move(t, grown(t->pair_groups, sizeof *t->pairs));
}

void source_table_drop_pairs(struct source_table *t, uint32_t left)
{
    uint32_t groups = FIRST_GROUPS;
    while (limit_of(groups) <= left)
        groups = grown(groups, sizeof *t->pairs);
    t->pair_count = left;
    pairs_move(t, groups);
}

/* From the group on that the pair begins at, or from the one behind it. */
static inline struct pair *pair_find(const struct source_table *t, uint64_t key, bool is_behind)
{
    struct pair *group = pair_home(t, key), *end = t->pairs + (size_t)t->pair_groups * GROUP;
    if (is_behind) {
        if (group[GROUP - 1].key == 0)
            return NULL;
        group = group + GROUP == end ? t->pairs : group + GROUP;
    }
    for (;;) {
        int place = pair_place(group, key);
        if (place >= 0)
            return pair_at(group, place);
        if (group[GROUP - 1].key == 0) /* filled in order, as the slots are */
            return NULL;
        group = group + GROUP == end ? t->pairs : group + GROUP;
    }
}

struct pair *pair_find_on(const struct source_table *t, uint64_t key)
{
    return pair_find(t, key, true);
}

struct pair *pair_search(struct source_table *t, uint64_t key, bool *is_new)
{
    struct pair *found = pair_find(t, key, false);
    *is_new = !found;
    if (found)
        return found;
    if (++t->pair_count >= t->pair_limit)
        pairs_grow(t);
    struct pair *p = pair_room(t, key);
    p->key = key;
    return p;
}

void serial_ages_make(struct serial_ages *ages, const struct open_serials *open, unsigned is_open)
{
    enum { LAST = SERIAL_AGES - 1 };
    unsigned before = 0; /* open since before the last age */
    for (uint32_t age = 0; age < LAST; age++)
        ages->at[age] = serial_age_of(serials_since(open, open->newest - age), age > 0);
    for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++)
        before |= (unsigned)((is_open >> slot & 1) && open->newest - open->at[slot] >= LAST)
                  << slot;
    ages->at[LAST] =
        serial_age_of((1u << WINDOW_SLOTS) - 1, true); /* what nobody has open is over */
    ages->is_last_exact = before == 0;
}

void source_table_catch_up(struct source_table *t, const struct open_serials *open)
{
    for (size_t i = 0; i < (size_t)t->pair_groups * GROUP; i++)
        if (t->pairs[i].key) {
            uint32_t age = pair_age(t->pairs[i].state, open);
            unsigned gone = serials_since(open, open->newest - age);
            t->pairs[i].state = (t->pairs[i].state & ~serial_age_of(gone, age != 0).pair) |
                                open->newest % PAIR_SERIALS;
        }
}

uint64_t source_table_bytes(const struct source_table *t)
{
    uint64_t sources =
        t->block_count > 1 ? (uint64_t)t->block_count * SOURCE_BLOCK : t->first_block_size;
    return sources * sizeof(struct source) + (uint64_t)t->slot_groups * GROUP * sizeof *t->slots +
           (uint64_t)t->pair_groups * GROUP * sizeof *t->pairs +
           (uint64_t)t->times_room * (sizeof *t->times + (t->lasts ? sizeof *t->lasts : 0) +
                                      (t->packed ? sizeof *t->packed : 0)) +
           t->block_count * sizeof *t->blocks + (uint64_t)t->address6_room * sizeof *t->addresses6;
}
