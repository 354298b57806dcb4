/* source_table: one shard of the exact table of sources.
 *
 * Everything that is counted by *distinct source* comes from here: sources of the run, of each
 * mark, kind and rule, and of every (protocol, port), for the whole run and for each open
 * window. Three arrays a shard, and where days are counted one beside them:
 *
 *   slots    4 bytes each: 24 bits of source number + 1, 8 bits of hash
 *   sources  32 bytes each, dense, in blocks that never move; the addresses of IPv6 beside them
 *   pairs    16 bytes each, (source, protocol, port), four to a cache line; (source, kind of ICMP)
 *            stands among them, so that it is looked up in the same way
 *   times    16 bytes for each source: first and last packet of the current day that is counted in a pair
 *
 * A pair is named by the IPv4 address itself, so a packet whose pair has shown all of this before in
 * its window touches no other line.
 *
 * Slots and pairs are open-addressed by groups of four, which are compared at once: whether an
 * entry stands first or fourth in its group is then no branch to be mispredicted, and nearly all
 * stand in their home group. At 3/4 full small tables double and large ones grow by half, so 10
 * million sources with two ports each take at most 1.3 GB.
 *
 * Windows: each entry remembers in which of the (at most 8) open windows it was seen, one bit
 * or one 16-bit set of marks per slot, and the opening serial at its last touch. Bits of slots that were
 * opened since belong to windows that are gone and are cleared on touch; so nothing
 * is ever swept, and the first packet of an entry in a window is told exactly, in any order of time.
 *
 * One worker owns a shard; no other thread touches it. Lookups are split into stages, so that a
 * batch can prefetch. Ends the program where memory ends (core/memory.h).
 */
#ifndef CORE_SOURCE_TABLE_H
#define CORE_SOURCE_TABLE_H

#include "capture/hash.h"
#include "capture/observation.h"
#include "classify/label.h"
#include "core/slab.h"
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
    uint32_t id;     /* IPv4: the address as in struct observation; IPv6: its place in addresses6 */
    uint32_t serial; /* newest window opening at the last touch */
    uint64_t
        marks[WINDOW_SLOTS / 4]; /* seen in the window of each slot: 16 bits, four slots a word */
    uint16_t marks_ever;
    uint16_t kinds_ever;   /* bits of enum kind; the top bit: IPv6 */
    uint16_t sketch_index; /* of its register in a HyperLogLog, and its rank there */
    uint8_t sketch_rank;
    uint8_t outs; /* below: whether windows take it out of _ex_survey (core/survey_set.h) */
};
static_assert(sizeof(struct source) == 32, "two sources a cache line");

enum { SOURCE_IS_IPV6 = 1 << 15 };

enum {                           /* bits of outs */
       SOURCE_OUTS = 3,          /* taken out under set 0, 1 */
       SOURCE_LISTED = 1 << 2,   /* bogon or acknowledged */
       SOURCE_NO_PORTS = 1 << 3, /* it gave up its pairs of ports (core/memory_cap.h) */
       SOURCE_NO_RULES = 1 << 4  /* and what its evidence is */
};

/* Two numbers, so that each question about a pair is one comparison. */
struct pair {
    uint64_t
        key; /* as pair_key() makes it, and the lowest 13 bits of the source's number; 0: free */
    uint64_t state; /* the fields below */
};
static_assert(sizeof(struct pair) == 16, "four pairs a cache line");

enum {                    /* bits of state */
       PAIR_SERIAL = 0,   /* 16: of serial as in struct source, the lowest */
       PAIR_WINDOWS = 16, /* 8: seen in the window of slot i */
       PAIR_BRIEFS =
           24, /* 8: what briefs of the window in PAIR_SLOT have shown: of UDP PAIR_UDP_*, of
                             others that there were answers, others, */
       PAIR_TOOLS = 26,   /* and 6 tools that they matched */
       PAIR_SLOT = 32,    /* 3 */
       PAIR_IS_SCAN = 35, /* at least one packet of a scan kind */
       PAIR_SOURCE = 36,  /* 7: the rest of the source's number */
       PAIR_OUTS = 43,    /* 2: of its source */
       PAIR_COMBO =
           45, /* 7: what packets of the current day are counted here; 0: none (core/tally_day.h) */
       PAIR_COUNT = 52,    /* 12: how many */
       PAIR_NAME_BITS = 51 /* of key */
};
enum {                         /* of UDP */
       PAIR_UDP_MORE = 1 << 0, /* what is kept nowhere: no pair has shown it */
       PAIR_UDP_SCAN = 1 << 1, /* kinds */
       PAIR_UDP_BACKSCATTER = 1 << 2,
       PAIR_UDP_STRAY = 1 << 3,
       PAIR_UDP_STRICT = 1 << 4, /* marks */
       PAIR_UDP_BROAD = 1 << 5,
       PAIR_UDP_PAYLOAD = 1 << 6,
       PAIR_UDP_ZMAP = 1 << 7
};
enum {
    PAIR_SERIALS = 1 << 16,
    PAIR_NO_SOURCE = (1 << 20) - 1, /* the source's number is greater than 20 bits */
    PAIR_COMBOS = 1 << (PAIR_COUNT - PAIR_COMBO),
    PAIR_COUNT_MAX = (1 << 12) - 1,
};
static_assert(WINDOW_SLOTS <= 8, "a pair keeps one of 8 slots");

enum {
    SOURCE_BITS = 24,
    SOURCE_BLOCK = 1024, /* sources per block */
    GROUP = 4,           /* entries that are compared at once */
};

struct address6 {
    uint8_t bytes[16];
};

struct source_times {
    int64_t first_ns, last_ns; /* INT64_MAX, INT64_MIN: none */
};

/* The last packet of the current day with evidence above port that is counted in a pair; of several at one time the
 * greatest ports. */
struct source_last {
    int64_t ns;     /* means nothing where ports are 0 */
    uint32_t ports; /* source port << 16 | destination port */
    uint8_t proto;  /* enum source_day_proto */
};

struct source_table {
    const struct hash_key *key;
    struct slab *slab; /* NULL: small tables have pages of their own */
    bool has_days;
    bool is_full;               /* new sources are not kept (core/memory_cap.h) */
    struct source_times *times; /* by number */
    struct source_last *lasts;  /* by number, with as much room; NULL: no evidence was seen yet */
    uint32_t *
        packed; /* by number, likewise: packets of days that were packed with their windows; NULL: none was */
    uint32_t times_room;
    uint32_t *slots;
    uint32_t slot_groups, slot_limit; /* limit: grow at so many sources */
    uint32_t source_count;
    uint32_t block_count, first_block_size;
    struct source **blocks;
    struct address6 *addresses6;
    uint32_t address6_count, address6_room;
    struct pair *pairs;
    uint32_t pair_count, pair_groups, pair_limit;
};

/* `key` and `slab` (or NULL) must outlive the table. `has_days`: with times. 0 or -ENOMEM. */
int source_table_init(struct source_table *t, const struct hash_key *key, bool has_days,
                      struct slab *slab);
void source_table_fini(struct source_table *t); /* also of a zeroed one */

/* Serials of the windows that are open in each slot, and the newest of all; below 2^31. */
struct open_serials {
    uint32_t newest;
    uint32_t at[WINDOW_SLOTS];
};

/* Set of slots that were opened after `serial`. */
static inline unsigned serials_since(const struct open_serials *open, uint32_t serial)
{
#ifdef __AVX2__
    __m256i after = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)open->at),
                                       _mm256_set1_epi32((int)serial)); /* below 2^31 */
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(after));
#else
    unsigned set = 0;
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        set |= (unsigned)(open->at[i] > serial) << i;
    return set;
#endif
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

static inline uint32_t address4(const uint8_t address[16])
{
    uint32_t id;
    memcpy(&id, address, sizeof id);
    return id;
}

static inline bool source_is(const struct source_table *t, const struct source *s,
                             const struct observation *o)
{
    if (o->ip_version == 6)
        return s->kinds_ever & SOURCE_IS_IPV6 &&
               !memcmp(t->addresses6[s->id].bytes, o->src, sizeof(struct address6));
    return s->id == address4(o->src) && !(s->kinds_ever & SOURCE_IS_IPV6);
}

/* The address as in struct observation; returns the IP version. */
static inline unsigned source_address(const struct source_table *t, const struct source *s,
                                      uint8_t address[16])
{
    if (s->kinds_ever & SOURCE_IS_IPV6) {
        memcpy(address, t->addresses6[s->id].bytes, 16);
        return 6;
    }
    memset(address, 0, 16);
    memcpy(address, &s->id, sizeof s->id);
    return 4;
}

enum { SOURCE_NOT_KEPT = UINT32_MAX };

/* The source by a full search; it is added where it is new, or SOURCE_NOT_KEPT where the table is full. */
uint32_t source_search(struct source_table *t, uint64_t hash, const struct observation *o);

/* Stage 3: the number of the observation's source, or SOURCE_NOT_KEPT. */
static inline uint32_t source_find(struct source_table *t, uint64_t hash, uint32_t guess,
                                   const struct observation *o)
{
    if (__builtin_expect(guess != SOURCE_NO_GUESS && source_is(t, source_at(t, guess), o), 1))
        return guess;
    return source_search(t, hash, o);
}

/* What names a pair: the source's id, the port, the protocol, the IP version. */
enum pair_what {
    PAIR_TCP = 1,
    PAIR_UDP,
    PAIR_ICMP,     /* no pair of a port: in its place the kind */
    PAIR_IPV6 = 4, /* beside one of them */
};

static inline uint64_t pair_key(uint32_t id, unsigned what, uint16_t port)
{
    return id | (uint64_t)port << 32 | (uint64_t)what << 48;
}

static inline uint64_t pair_name(uint64_t key)
{
    return key << (64 - PAIR_NAME_BITS) >> (64 - PAIR_NAME_BITS);
}

static inline bool pair_is_scan(const struct pair *p) { return p->state >> PAIR_IS_SCAN & 1; }

/* The number of the pair's source; PAIR_NO_SOURCE: look it up. */
static inline uint32_t pair_source(const struct pair *p)
{
    return (uint32_t)(p->key >> PAIR_NAME_BITS | (p->state >> PAIR_SOURCE & 127) << 13);
}

static inline void pair_set_source(struct pair *p, uint32_t number)
{
    if (number > PAIR_NO_SOURCE)
        number = PAIR_NO_SOURCE;
    p->key = pair_name(p->key) | (uint64_t)number << PAIR_NAME_BITS;
    p->state &= ~(UINT64_C(127) << PAIR_SOURCE);
    p->state |= (uint64_t)(number >> 13) << PAIR_SOURCE;
}

/* What a source or a pair forgets that was touched last so many openings ago: bits of slots that were opened since belong to
 * windows that are sealed. */
struct serial_age {
    uint64_t marks[WINDOW_SLOTS / 4]; /* of a source */
    uint64_t pair;                    /* of its state */
};
enum { SERIAL_AGES = 16 };

/* Of the last ages, and of all that are greater: as long as no window is open longer than that, the same. */
struct serial_ages {
    struct serial_age at[SERIAL_AGES];
    bool is_last_exact;
};

/* 0xffff in each of four slots of the set. */
static inline uint64_t slots_mask(unsigned four)
{
    const uint64_t each = UINT64_C(0x0001000100010001);
    return (four * UINT64_C(0x0000200040008001) & each) * 0xffff;
}

/* Where these slots were opened since; the serial is another one or not. */
static inline struct serial_age serial_age_of(unsigned gone, bool is_old)
{
    uint64_t briefs = is_old ? UINT64_C(0xff) << PAIR_BRIEFS : 0;
    return (struct serial_age){.marks = {slots_mask(gone & 15), slots_mask(gone >> 4)},
                               .pair =
                                   (uint64_t)gone << PAIR_WINDOWS | briefs | (PAIR_SERIALS - 1)};
}

/* A window was opened; `is_open`: set of slots. */
void serial_ages_make(struct serial_ages *ages, const struct open_serials *open, unsigned is_open);

/* The age of what was touched last at the serial that was the newest `age` openings ago. */
static inline struct serial_age serial_age_at(const struct serial_ages *ages,
                                              const struct open_serials *open, uint32_t age)
{
    uint32_t number = age < SERIAL_AGES - 1 ? age : SERIAL_AGES - 1;
    if (__builtin_expect(!ages->is_last_exact, 0) && number == SERIAL_AGES - 1)
        return serial_age_of(serials_since(open, open->newest - age), true);
    return ages->at[number];
}

/* Of a pair that was touched last in this state. The 16 bits of its serial are enough, as all pairs catch up within 2^15
 * openings (source_table_catch_up). */
static inline uint32_t pair_age(uint64_t state, const struct open_serials *open)
{
    return (open->newest - (uint32_t)state) % PAIR_SERIALS;
}

static inline uint32_t pair_id(uint64_t key) { return (uint32_t)key; }
static inline uint16_t pair_port(uint64_t key) { return (uint16_t)(key >> 32); }
static inline unsigned pair_proto(uint64_t key) { return key >> 48 & 3; } /* enum pair_what */
static inline bool pair_is_ipv6(uint64_t key) { return key >> 48 & PAIR_IPV6; }

/* Stage 3b: the group that the pair begins at; the caller brings it in.
 *
 * The hottest line there is, so two steps, which cost least together: a fold, and the low half of a product. After the fold alone, keys in a row
 * or in several (sources side by side, each to some ports) crowd: a row times a constant is a row again, and fills runs of
 * groups wherever the constant is near a fraction of small terms. Of 1,500 keys 50 had more than twice the groups of random pairs looked
 * at, and the worst 170 times as many (a shard of 20,000 pairs, 3/4 full); after both steps none differed from random. The product alone is multiply-shift (Dietzfelbinger, Hagerup, Katajainen, Penttonen 1997): of any two
 * values, whoever chose them, 2 in 2^32 keys at most put them side by side in the upper 32 bits. That bounds how many share a group, but
 * not the runs of a table that goes on to the next group: rows are its bad case, too (Patrascu and Thorup, On the k-Independence
 * Required by Linear Probing, 2010). So the fold takes the row apart, by a secret that has no part in the product's, and the
 * product spreads what the fold left alike in its upper bits. test_flood holds it to pairs at random. */
static inline struct pair *pair_home(const struct source_table *t, uint64_t key)
{
    uint64_t hash = hash_fold(key ^ t->key->b, t->key->a) * t->key->c;
    return &t->pairs[(uint64_t)((__uint128_t)hash * t->pair_groups >> 64) * GROUP];
}

/* A key's name, in the upper bits; the rest is zero. */
static inline uint64_t pair_top(uint64_t key) { return key << (64 - PAIR_NAME_BITS); }

/* Which pairs of a group have this name: one at most. 0: none; else pair_place_in() says which. */
static inline unsigned pair_match(const struct pair *group, uint64_t top)
{
#ifdef __AVX2__
    const __m256i *two = (const __m256i *)group;
    __m256i names = _mm256_unpacklo_epi64(_mm256_loadu_si256(two), _mm256_loadu_si256(two + 1));
    names = _mm256_slli_epi64(names, 64 - PAIR_NAME_BITS);
    __m256i same = _mm256_cmpeq_epi64(names, _mm256_set1_epi64x((long long)top));
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(same)); /* pairs 0 2 1 3 */
#else
    unsigned set = 0;
    for (unsigned i = 0; i < GROUP; i++)
        set |= (unsigned)(pair_top(group[i].key) == top) << (i == 1 ? 2 : i == 2 ? 1 : i);
    return set;
#endif
}

/* In bytes; of none the first pair's. */
static inline int pair_place_in(unsigned match)
{
    static const uint8_t place[16] = {[1] = 0, [2] = 32, [4] = 16, [8] = 48};
    return place[match];
}

/* Where in its group the pair stands, in bytes; negative: it does not stand there. */
static inline int pair_place(const struct pair *group, uint64_t key)
{
    unsigned match = pair_match(group, pair_top(key));
    return match ? pair_place_in(match) : -1;
}

static inline struct pair *pair_at(struct pair *group, int place)
{
    return (struct pair *)((char *)group + place);
}

/* The pair, which is not in its home group; NULL: it is not there. */
struct pair *pair_find_on(const struct source_table *t, uint64_t key);

/* Makes t->lasts. */
void source_lasts_make(struct source_table *t);

/* Makes t->packed. */
void source_packed_make(struct source_table *t);

/* The pair by a full search; it is added where it is new (*is_new, its state 0 then), which may move all
 * pairs of the shard. */
struct pair *pair_search(struct source_table *t, uint64_t key, bool *is_new);

/* Takes out the pairs whose key was set to 0, and what room they leave: `left` stay. No pair was searched for
 * in between. */
void source_table_drop_pairs(struct source_table *t, uint32_t left);

/* All pairs catch up; to be called before serials run 2^15 ahead of the last time. */
void source_table_catch_up(struct source_table *t, const struct open_serials *open);

/* Bytes of memory by formula, for figures and caps. */
uint64_t source_table_bytes(const struct source_table *t);

#endif
