/* source_table: one shard of the exact table of sources.
 *
 * Everything that is counted by *distinct source* comes from here: sources of the run, of each
 * mark, kind and rule, and of every (protocol, port), for the whole run and for each open
 * window. Three arrays a shard:
 *
 *   slots    4 bytes each: 24 bits of source number + 1, 8 bits of hash
 *   sources  64 bytes each, dense, in blocks that never move
 *   pairs    16 bytes each, (source, protocol, port), four to a cache line
 *
 * Slots and pairs are open-addressed by groups of four, which are compared at once: whether an
 * entry stands first or fourth in its group is then no branch to be mispredicted, and nearly all
 * stand in their home group. Tables grow by half at 3/4 full, so 10 million sources with two ports each take at most 1.4 GB.
 *
 * Windows: each entry remembers in which of the (at most 8) open windows it was seen, one bit
 * or one 16-bit set of marks per slot, and the opening serial at its last touch. Bits of slots that were
 * opened since belong to windows that are gone and are cleared on touch; so nothing
 * is ever swept, and the first packet of an entry in a window is told exactly, in any order of time.
 *
 * One worker owns a shard; no other thread touches it. Lookups are split into stages, so that a
 * batch can prefetch. Aborts the program where memory ends.
 */
#ifndef CORE_SOURCE_TABLE_H
#define CORE_SOURCE_TABLE_H

#include "capture/hash.h"
#include "capture/observation.h"
#include "classify/label.h"
#include "core/window_clock.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

static_assert(MARK_COUNT <= 16, "a source keeps 16 marks per window");
static_assert(KIND_COUNT <= 15, "a source keeps 15 kinds and the IP version in 16 bits");

struct source {
    uint8_t address[16]; /* as in struct observation */
    int64_t first_ns, last_ns;
    uint16_t marks[WINDOW_SLOTS]; /* seen in the window of that slot */
    uint64_t bytes;               /* on the wire */
    uint32_t serial;              /* newest window opening at the last touch */
    uint16_t marks_ever;
    uint16_t kinds_ever; /* bits of enum kind; the top bit: IPv6 */
};
static_assert(sizeof(struct source) == 64, "a source is one cache line");

enum { SOURCE_IS_IPV6 = 1 << 15 };

struct pair {
    uint32_t key; /* source number, PAIR_UDP, PAIR_USED; 0: free */
    uint16_t port;
    uint8_t windows;  /* seen in the window of slot i */
    uint8_t is_scan;  /* at least one packet of a scan kind */
    uint32_t serial;  /* as in struct source */
    uint32_t packets; /* of all kinds; stays at its greatest value */
};
static_assert(sizeof(struct pair) == 16, "four pairs a cache line");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "key and port are compared as one number");

enum {
    SOURCE_BITS = 24,
    PAIR_UDP = 1 << 24,
    PAIR_USED = 1 << 25,
    SOURCE_BLOCK = 4096, /* sources per block */
    GROUP = 4,           /* entries that are compared at once */
};

struct source_table {
    const struct hash_key *key;
    uint32_t *slots;
    uint32_t slot_groups, slot_limit; /* limit: grow at so many sources */
    uint32_t source_count;
    uint32_t block_count, first_block_size;
    struct source **blocks;
    struct pair *pairs;
    uint32_t pair_count, pair_groups, pair_limit;
};

/* `key` must outlive the table. 0 or -ENOMEM. */
int source_table_init(struct source_table *t, const struct hash_key *key);
void source_table_fini(struct source_table *t); /* also of a zeroed one */

/* Serials of the windows that are open in each slot, and the newest of all. */
struct open_serials {
    uint32_t newest;
    uint32_t at[WINDOW_SLOTS];
};

/* Set of slots that were opened after `serial`. */
static inline unsigned serials_since(const struct open_serials *open, uint32_t serial)
{
    unsigned set = 0;
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        set |= (unsigned)(open->at[i] > serial) << i;
    return set;
}

static inline struct source *source_at(const struct source_table *t, uint32_t number)
{
    return &t->blocks[number / SOURCE_BLOCK][number % SOURCE_BLOCK];
}

static inline uint32_t slot_home(const struct source_table *t, uint64_t hash)
{
    return (uint32_t)(((hash << 6 >> 32) * t->slot_groups) >> 32);
}

/* Never 0, so that no free slot has it. */
static inline uint32_t slot_tag(uint64_t hash)
{
    uint32_t tag = (uint32_t)hash & 0xff;
    return tag + (tag == 0);
}

/* Stage 1: brings in the line of slots that `hash` begins at. */
static inline void source_prefetch_slot(const struct source_table *t, uint64_t hash)
{
    __builtin_prefetch(&t->slots[(size_t)slot_home(t, hash) * GROUP]);
}

/* Set of the slots of a group that hold this tag. */
static inline unsigned slots_matching(const uint32_t *group, uint32_t tag)
{
#ifdef __AVX2__
    __m128i tags = _mm_and_si128(_mm_load_si128((const __m128i *)group), _mm_set1_epi32(0xff));
    __m128i same = _mm_cmpeq_epi32(tags, _mm_set1_epi32((int)tag));
    return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(same));
#else
    unsigned set = 0;
    for (unsigned k = 0; k < GROUP; k++)
        set |= (unsigned)((group[k] & 0xff) == tag) << k;
    return set;
#endif
}

enum { SOURCE_NO_GUESS = UINT32_MAX };

/* Stage 2: the number of the source that it probably is, brought in; or SOURCE_NO_GUESS. */
static inline uint32_t source_guess(const struct source_table *t, uint64_t hash)
{
    const uint32_t *group = &t->slots[(size_t)slot_home(t, hash) * GROUP];
    unsigned match = slots_matching(group, slot_tag(hash));
    if (!match)
        return SOURCE_NO_GUESS;
    uint32_t number = (group[__builtin_ctz(match)] >> 8) - 1;
    __builtin_prefetch(source_at(t, number), 1);
    return number;
}

static inline bool source_is(const struct source *s, const struct observation *o)
{
    return !memcmp(s->address, o->src, 16) &&
           !(s->kinds_ever & SOURCE_IS_IPV6) == (o->ip_version != 6);
}

/* The source by a full search; it is added where it is new. */
uint32_t source_search(struct source_table *t, uint64_t hash, const struct observation *o);

/* Stage 3: the number of the observation's source. */
static inline uint32_t source_find(struct source_table *t, uint64_t hash, uint32_t guess,
                                   const struct observation *o)
{
    if (__builtin_expect(guess != SOURCE_NO_GUESS && source_is(source_at(t, guess), o), 1))
        return guess;
    return source_search(t, hash, o);
}

/* What names a pair: the first 6 bytes of struct pair. */
static inline uint64_t pair_key(uint32_t number, bool is_udp, uint16_t port)
{
    return number | (is_udp ? PAIR_UDP : 0) | PAIR_USED | (uint64_t)port << 32;
}

/* Stage 3b: the group that the pair begins at; the caller brings it in. */
static inline struct pair *pair_home(const struct source_table *t, uint64_t key)
{
    uint64_t hash = hash_fold(key ^ t->key->b, t->key->a);
    return &t->pairs[(((hash >> 32) * t->pair_groups) >> 32) * GROUP];
}

/* Set of the pairs of a group that are this one. */
static inline unsigned pairs_matching(const struct pair *group, uint64_t key)
{
#ifdef __AVX2__
    const __m256i *two = (const __m256i *)group;
    __m256i names = _mm256_unpacklo_epi64(_mm256_loadu_si256(two), _mm256_loadu_si256(two + 1));
    names = _mm256_slli_epi64(names, 16); /* pairs 0 2 1 3 */
    __m256i same = _mm256_cmpeq_epi64(names, _mm256_set1_epi64x((long long)(key << 16)));
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(same));
#else
    unsigned set = 0;
    for (unsigned k = 0; k < GROUP; k++) {
        const struct pair *p = &group[(k & 1) * 2 + (k >> 1)];
        set |= (unsigned)(p->key == (uint32_t)key && p->port == (uint16_t)(key >> 32)) << k;
    }
    return set;
#endif
}

/* The pair that a set of pairs_matching() names: its bits stand for 0, 2, 1, 3. */
static inline struct pair *pair_of(struct pair *group, unsigned match)
{
    unsigned k = (unsigned)__builtin_ctz(match);
    return &group[(k & 1) * 2 + (k >> 1)];
}

/* The pair by a full search; it is added where it is new (packets == 0 then), which may move all
 * pairs of the shard. */
struct pair *pair_search(struct source_table *t, uint64_t key);

/* Bytes of memory by formula, for figures and caps. */
uint64_t source_table_bytes(const struct source_table *t);

#endif
