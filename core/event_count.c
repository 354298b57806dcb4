/* The packet path of the engine: what is done for every packet, key by key. */
#include "core/event_state.h"
#include "core/source_reach.h"
#include "core/watched.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* The packets of some batches of a shard are written down first (core/event_batch.c), each behind the one before of its key: in 8,192 of a
 * darknet less than half are of another key, so entries are found, and brought in, half as often. Then these chains go in groups through
 * stages: their entries are asked for, what these have beside themselves, and what that has in turn; the last one counts. What depends on
 * the order of packets of several keys comes behind that. */
enum { GROUP_OF = 16 };

/* ---- bins ---- */

/* An entry was seen in a bin: its sources are counted when the bin is over (core/event_sweep.c), by what its entries remember. */
static inline void bin_mark(const struct event_run *r, struct event_entry *en, uint16_t bin)
{
    if (bin != BIN_NONE)
        event_bin_mark(r->engine, r->shard, en, bin);
}

/* ---- entries ---- */

static struct event_detail *detail_of(struct event_run *r, struct event_entry *en)
{
    return en->detail ? event_detail_at(r->table, en->detail)
                      : event_detail_make(r->table, en, r->hash);
}

/* A scan has a set: one of enough destinations is looked at with the next seal. */
static __attribute__((noinline)) void set_grew(struct event_run *r, struct event_entry *en)
{
    if (!what_is_scan(event_key_what(en->key)) ||
        distinct_count(&en->set) < r->engine->settings->scan_min_destinations)
        return;
    en->destinations = EVENT_SET_LISTED;
    if (!detail_of(r, en)->is_listed)
        event_may_be(r->engine, r->table, en);
}

/* Adds a destination; one may be there. */
static inline void destination_add(struct event_run *r, struct event_entry *en, uint32_t mixed)
{
    if (!event_has_set(en) || mixed == 0 || !distinct_add_here(&en->set, mixed))
        event_destination_add(r->table, en, mixed, r->engine->inline_most);
    if (en->destinations == EVENT_HAS_SET)
        set_grew(r, en);
}

/* Whether the entry, which has no set, has this destination. */
static inline bool destination_is_known(const struct event_entry *en, uint32_t mixed)
{
#ifdef __AVX2__
    enum { BEHIND = 3 }; /* the entry's other half, and the destinations behind three words of it */
    __m256i half = _mm256_load_si256((const __m256i *)en + 1);
    __m256i same = _mm256_cmpeq_epi32(half, _mm256_set1_epi32((int)mixed));
    unsigned set = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same)) >> BEHIND;
    return set & ((1u << en->destinations) - 1);
#else
    bool is_known = false;
    for (unsigned i = 0; i < en->destinations; i++)
        is_known |= en->dst[i] == mixed;
    return is_known;
#endif
}

static inline void destination_count(struct event_run *r, struct event_entry *en, uint32_t mixed)
{
    if (event_has_set(en) ? (mixed & en->mask) == 0 : !destination_is_known(en, mixed))
        destination_add(r, en, mixed);
}

/* A packet of a flood; of one alone nothing is kept but what the entry has room for. */
static __attribute__((noinline)) void flood_count(struct event_run *r, struct event_entry *en,
                                                  const struct event_packet *p, bool has_port)
{
    struct event_table *t = r->table;
    if (!en->detail && en->packets == 0) {
        en->dst[0] = p->mixed;
        en->dst[1] = p->port_key;
        en->destinations = 1;
        en->flags = (uint8_t)((en->flags & ~ENTRY_HAS_PORT) | (has_port ? ENTRY_HAS_PORT : 0));
        return;
    }
    struct event_detail *d;
    if (!en->detail) {
        uint32_t first_port = en->dst[1];
        d = event_detail_make(t, en, r->hash);
        event_flood_add(t, d, en->first_ns, first_port, en->flags & ENTRY_HAS_PORT);
    }
    d = event_detail_at(t, en->detail);
    event_flood_add(t, d, p->ts_ns, p->port_key, has_port);
    destination_count(r, en, p->mixed);
    if (!d->is_listed && en->packets + 1 >= r->engine->settings->dos_min_packets)
        event_may_be(r->engine, t, en);
}

/* 2^32 packets or bytes. */
static __attribute__((noinline)) void carry(struct event_run *r, struct event_entry *en,
                                            uint32_t wire_len)
{
    struct event_detail *d = detail_of(r, en);
    d->packets_carry += en->packets == 0;
    d->bytes_carry += en->bytes < wire_len;
}

/* Evidence of another rule than the last packet's. */
static void proof_count(const struct event_run *r, struct event_detail *d, uint16_t rule)
{
    unsigned at = event_proof_add(d->odd, r->engine->rules->rules[rule].id);
    if (at == EVENT_EVIDENCE)
        return;
    d->proof_turn = r->engine->rules_turn;
    d->proof_rule = rule;
    d->proof_at = (uint8_t)at;
}

/* A packet that is not like the others: its tools, or its payload is evidence. */
static __attribute__((noinline)) void odd_count(struct event_run *r, struct event_entry *en,
                                                const struct event_packet *p, uint16_t proof)
{
    struct event_detail *d = detail_of(r, en);
    struct event_odd *odd = event_odd_of(r->table, d);
    if (p->tools != en->tools) {
        odd->packets++;
        for (unsigned left = p->tools; left; left &= left - 1)
            odd->tools[__builtin_ctz(left)]++;
    }
    if (proof == RULE_NONE)
        return;
    if (d->proof_turn == r->engine->rules_turn && d->proof_rule == proof)
        odd->proofs[d->proof_at].packets++;
    else
        proof_count(r, d, proof);
    odd->unproved += p->tools >> TOOL_mirai & 1;
}

static void entry_begin(struct event_run *r, struct event_entry *en, const struct event_packet *p)
{
    en->first_ns = en->last_ns = p->ts_ns;
    en->tools = p->tools;
    en->flags = 0;
    if (what_is_watched(event_key_what(en->key))) {
        (void)detail_of(r, en);
        event_may_be(r->engine, r->table, en);
    }
}

/* The packet's entry is not the one that was guessed, or is of IPv6, or there is none. */
static struct event_entry *entry_open(struct event_run *r, uint64_t key,
                                      const struct event_packet *p, const uint8_t *address6)
{
    struct event_entry *en = event_find(r->table, key, r->hash, address6);
    if (!en) {
        en = event_add(r->table, key, r->hash, address6);
        entry_begin(r, en, p);
    }
    return en;
}

/* Where the packet lies so far from its entry that it begins another one. */
static inline void entry_go_on(struct event_run *r, struct event_entry *en,
                               const struct event_packet *p)
{
    uint64_t idle_ns = (uint64_t)r->table->idle_ns[event_key_what(en->key)];
    bool is_on = (uint64_t)p->ts_ns - (uint64_t)en->first_ns + idle_ns <=
                 (uint64_t)en->last_ns - (uint64_t)en->first_ns + 2 * idle_ns;
    if (__builtin_expect(is_on, 1))
        return;
    event_close(r->engine, r->table, en, false);
    entry_begin(r, en, p);
}

static inline const struct event_side *side_of(const struct event_run *r,
                                               const struct event_packet *p)
{
    return p->next & EVENT_PACKET_SIDE ? &r->packets->sides[p->wire_len] : &r->plain;
}

/* What infected hosts are told by. */
static inline void reach_count(const struct event_run *r, const struct event_packet *p)
{
    unsigned what = event_key_what(p->key);
    uint16_t port = event_key_port(p->key);
    bool is_mirai = what == WHAT_SYN && p->tools >> TOOL_mirai & 1;
    if ((what != WHAT_SYN && what != WHAT_DATA) ||
        (!is_mirai &&
         !(ruleset_port_aim(r->engine->rules, PORT_PROTO_TCP, port) & PORT_AIM_STRICT)))
        return;
    const struct reach_packet packet = {
        .key = source_reach_key(r->engine->reach, (uint32_t)p->key, side_of(r, p)->address6),
        .ts_ns = p->ts_ns,
        .dst = p->mixed,
        .ports = (p->port_key & 0xffff) << 16 | port,
        .is_mirai = is_mirai,
    };
    source_reach_add(r->engine->reach, r->shard, &packet);
}

/* Whether the entry is of a watched network's address, where that is not known yet. */
static __attribute__((noinline)) bool watched_look(struct event_run *r, struct event_entry *en,
                                                   const uint8_t *address6)
{
    const struct event_engine *e = r->engine;
    if ((en->flags & ENTRY_TURN) != r->watched_turn) {
        uint8_t address[16] = {0};
        uint32_t address4 = (uint32_t)en->key;
        bool is_watched = event_watched_what(event_key_what(en->key)) != WHAT_NONE;
        memcpy(address, address6 ? address6 : (const uint8_t *)&address4,
               address6 ? sizeof address : sizeof address4);
        is_watched = is_watched && event_network(e->watched, en->key, address);
        en->flags = (uint8_t)((en->flags & ENTRY_HAS_PORT) | r->watched_turn |
                              (is_watched ? ENTRY_WATCHED : 0));
    }
    return en->flags & ENTRY_WATCHED;
}

/* Counts a packet of the entry. */
static inline void packet_count(struct event_run *r, struct event_entry *en, struct event_packet *p,
                                bool is_flood, const struct event_side *side, uint32_t wire_len)
{
    entry_go_on(r, en, p);
    if (is_flood)
        flood_count(r, en, p, side->has_port);
    else
        destination_count(r, en, p->mixed);
    en->first_ns = p->ts_ns < en->first_ns ? p->ts_ns : en->first_ns;
    en->last_ns = p->ts_ns > en->last_ns ? p->ts_ns : en->last_ns;
    en->packets++;
    en->bytes += wire_len;
    if (__builtin_expect((en->packets == 0) | (en->bytes < wire_len), 0))
        carry(r, en, wire_len);
    if (__builtin_expect((p->tools != en->tools) | (side->proof != RULE_NONE), 0))
        odd_count(r, en, p, side->proof);
    if (__builtin_expect(side->bin != en->bins >> EVENT_BIN_SHIFT, 0))
        bin_mark(r, en, side->bin);
    if (__builtin_expect((en->flags & (ENTRY_WATCHED | ENTRY_TURN)) != r->watched_turn, 0) &&
        watched_look(r, en, side->address6)) {
        p->next |= EVENT_PACKET_WATCHED;
        r->has_watched = true;
    }
}

/* A watched network's address did something: it is an entry of its own. */
static void watched_take(struct event_run *r, const struct event_packet *p)
{
    struct event_packet seen = *p;
    struct event_side side = *side_of(r, p);
    unsigned what = event_watched_what(event_key_what(p->key));
    if (!(p->next & EVENT_PACKET_SIDE))
        side.wire_len = p->wire_len;
    side.bin = BIN_NONE;
    seen.key = event_key((uint32_t)p->key, 0, what, side.address6 != NULL);
    r->hash = event_hash(r->table->key, seen.key);
    struct event_entry *en = entry_open(r, seen.key, p, side.address6);
    packet_count(r, en, &seen, false, &side, side.wire_len);
}

/* ---- packets by key ---- */

/* Always inline, here and below: a compiler drops calls of what does nothing but ask for memory. */
static inline __attribute__((always_inline)) void chain_find(const struct event_run *r,
                                                             struct event_chain *c)
{
    c->entry = event_guess(r->table, c->hash);
    if (c->entry)
        __builtin_prefetch(c->entry, 1);
}

static inline __attribute__((always_inline)) void chain_look(const struct event_run *r,
                                                             const struct event_chain *c)
{
    const struct event_entry *en = c->entry;
    if (!en || en->key != c->key)
        return;
    if (event_has_set(en)) {
        const struct event_packet *p = &r->packets->at[c->first];
        if ((p->mixed & en->mask) == 0)
            __builtin_prefetch(distinct_line(&en->set, p->mixed), 1);
        p = &r->packets->at[c->last];
        if ((p->mixed & en->mask) == 0)
            __builtin_prefetch(distinct_line(&en->set, p->mixed), 1);
    }
    if (en->detail && (what_is_flood(event_key_what(c->key)) ||
                       r->packets->at[c->first].next & EVENT_PACKET_SIDE))
        __builtin_prefetch(event_detail_at(r->table, en->detail), 1);
}

static inline __attribute__((always_inline)) void chain_rest(const struct event_run *r,
                                                             const struct event_chain *c)
{
    const struct event_entry *en = c->entry;
    if (!what_is_flood(event_key_what(c->key)) || !en || en->key != c->key || !en->detail)
        return;
    const struct event_detail *d = event_detail_at(r->table, en->detail);
    if (d->flood)
        __builtin_prefetch(&d->flood->newest, 1);
}

static inline void chain_count_if(struct event_run *r, const struct event_chain *c, bool is_flood)
{
    bool is6 = event_key_is_ipv6(c->key);
    struct event_entry *en = c->entry;
    uint32_t next = c->first;
    if (!is6 && (!en || en->key != c->key))
        en = entry_open(r, c->key, &r->packets->at[next], NULL);
    for (bool is_last = false; !is_last;) {
        struct event_packet *p = &r->packets->at[next];
        const struct event_side *side = side_of(r, p);
        uint32_t wire_len = side == &r->plain ? p->wire_len : side->wire_len;
        is_last = next == c->last;
        next = p->next % EVENT_PACKETS;
        if (is6)
            en = entry_open(r, c->key, p, side->address6);
        packet_count(r, en, p, is_flood, side, wire_len);
    }
}

/* An instance for each. */
static inline void chain_count(struct event_run *r, const struct event_chain *c)
{
    r->hash = c->hash;
    r->packets->buckets[c->bucket] = 0;
    if (what_is_flood(event_key_what(c->key)))
        chain_count_if(r, c, true);
    else
        chain_count_if(r, c, false);
}

void event_packets_count(struct event_run *r)
{
    struct event_chain *chains = r->packets->chains;
    uint32_t found = 0, looked = 0, rested = 0, counted = 0;
    while (counted < r->chains) {
        for (; counted < rested; counted++)
            chain_count(r, &chains[counted]);
        for (; rested < looked; rested++)
            chain_rest(r, &chains[rested]);
        for (; looked < found; looked++)
            chain_look(r, &chains[looked]);
        uint32_t end = found + GROUP_OF < r->chains ? found + GROUP_OF : r->chains;
        for (; found < end; found++)
            chain_find(r, &chains[found]);
    }
    for (uint32_t i = 0; (r->has_watched || r->reach) && i < r->count; i++) {
        const struct event_packet *p = &r->packets->at[i];
        if (p->next & EVENT_PACKET_WATCHED)
            watched_take(r, p);
        if (r->reach)
            reach_count(r, p);
    }
    r->has_watched = false;
    r->count = r->chains = r->sides = 0;
}

struct event_run event_run_of(struct event_engine *e, unsigned shard, uint16_t bin)
{
    return (struct event_run){
        .engine = e,
        .table = &e->tables[shard],
        .packets = e->packets,
        .reach = e->reach,
        .shard = shard,
        .watched_turn = e->watched_turn,
        .count = e->packets->count,
        .chains = e->packets->chain_count,
        .sides = e->packets->side_count,
        .plain = {.proof = RULE_NONE, .bin = bin, .has_port = true},
    };
}

void event_engine_count(struct event_engine *e)
{
    struct event_run r = event_run_of(e, e->packets->shard, e->packets->bin);
    event_packets_count(&r);
    e->packets->count = e->packets->chain_count = e->packets->side_count = 0;
}
