/* The packet path of the engine: what is done for every packet. */
#include "core/event_indicator.h"
#include "core/event_state.h"
#include "core/source_reach.h"
#include "core/watched.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* A packet is counted so many behind the one whose entry is asked for; in between what the entry has beside itself is asked for, and
 * what that has in turn. */
enum { LAG_DETAIL = 12, LAG_REST = 20, LAG = 28, RING = 64 };

struct run {
    struct event_engine *engine;
    struct event_table *table;
    unsigned shard;
    uint32_t head, tail;
    struct event_packet ring[RING];
};

/* ---- bins ---- */

/* An entry was seen in a bin: its sources are counted when the bin is over (core/event_sweep.c), by what its entries remember. */
static inline void bin_mark(const struct run *r, struct event_entry *en, uint16_t bin)
{
    if (bin != BIN_NONE)
        event_bin_mark(r->engine, r->shard, en, bin);
}

/* A packet that has no entry. */
static void sensor_count(const struct run *r, uint16_t bin, uint32_t address,
                         const uint8_t *address6)
{
    struct event_sources *of = bin == BIN_NONE ? NULL : event_bin_of(r->engine, bin);
    if (of)
        event_sources_add(of, r->shard, event_source_name(r->engine->key, address, address6));
}

/* ---- entries ---- */

static struct event_detail *detail_of(struct run *r, struct event_entry *en, uint64_t hash)
{
    return en->detail ? event_detail_at(r->table, en->detail)
                      : event_detail_make(r->table, en, hash);
}

/* Adds a destination; a scan of enough is looked at with the next seal. */
static inline void destination_add(struct run *r, struct event_entry *en,
                                   const struct event_packet *p)
{
    event_destination_add(r->table, en, p->mixed, r->engine->inline_most);
    if (en->destinations != EVENT_HAS_SET || !what_is_scan(event_key_what(en->key)) ||
        distinct_count(&en->set) < r->engine->settings->scan_min_destinations)
        return;
    en->destinations = EVENT_SET_LISTED;
    if (!detail_of(r, en, p->hash)->is_listed)
        event_may_be(r->engine, r->table, en);
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

static inline void destination_count(struct run *r, struct event_entry *en,
                                     const struct event_packet *p)
{
    if (event_has_set(en) ? (p->mixed & en->mask) == 0 : !destination_is_known(en, p->mixed))
        destination_add(r, en, p);
}

/* A packet of a flood; of one alone nothing is kept but what the entry has room for. */
static __attribute__((noinline)) void flood_count(struct run *r, struct event_entry *en,
                                                  const struct event_packet *p)
{
    struct event_table *t = r->table;
    if (!en->detail && en->packets == 0) {
        en->dst[0] = p->mixed;
        en->dst[1] = p->port_key;
        en->destinations = 1;
        en->flags = (uint8_t)((en->flags & ~ENTRY_HAS_PORT) | (p->has_port ? ENTRY_HAS_PORT : 0));
        return;
    }
    struct event_detail *d;
    if (!en->detail) {
        uint32_t first_port = en->dst[1];
        d = event_detail_make(t, en, p->hash);
        event_flood_add(t, d, en->first_ns, first_port, en->flags & ENTRY_HAS_PORT);
    }
    d = event_detail_at(t, en->detail);
    event_flood_add(t, d, p->ts_ns, p->port_key, p->has_port);
    destination_count(r, en, p);
    if (!d->is_listed && en->packets + 1 >= r->engine->settings->dos_min_packets)
        event_may_be(r->engine, t, en);
}

/* 2^32 packets or bytes. */
static __attribute__((noinline)) void carry(struct run *r, struct event_entry *en,
                                            const struct event_packet *p)
{
    struct event_detail *d = detail_of(r, en, p->hash);
    d->packets_carry += en->packets == 0;
    d->bytes_carry += en->bytes < p->wire_len;
}

/* Evidence of another rule than the last packet's. */
static void proof_count(const struct run *r, struct event_detail *d, uint16_t rule)
{
    unsigned at = event_proof_add(d->odd, r->engine->rules->rules[rule].id);
    if (at == EVENT_EVIDENCE)
        return;
    d->proof_turn = r->engine->rules_turn;
    d->proof_rule = rule;
    d->proof_at = (uint8_t)at;
}

/* A packet that is not like the others: its tools, or its payload is evidence. */
static __attribute__((noinline)) void odd_count(struct run *r, struct event_entry *en,
                                                const struct event_packet *p)
{
    struct event_detail *d = detail_of(r, en, p->hash);
    struct event_odd *odd = event_odd_of(r->table, d);
    if (p->tools != en->tools) {
        odd->packets++;
        for (unsigned left = p->tools; left; left &= left - 1)
            odd->tools[__builtin_ctz(left)]++;
    }
    if (p->proof == RULE_NONE)
        return;
    if (d->proof_turn == r->engine->rules_turn && d->proof_rule == p->proof)
        odd->proofs[d->proof_at].packets++;
    else
        proof_count(r, d, p->proof);
    odd->unproved += p->tools >> TOOL_mirai & 1;
}

static void entry_begin(struct run *r, struct event_entry *en, const struct event_packet *p)
{
    unsigned what = event_key_what(p->key);
    en->first_ns = en->last_ns = p->ts_ns;
    en->tools = p->tools;
    en->flags = 0;
    if (what_is_watched(what)) {
        (void)detail_of(r, en, p->hash);
        event_may_be(r->engine, r->table, en);
    }
}

/* The packet's entry does not stand at home, or is of IPv6, or over, or there is none. */
static __attribute__((noinline)) struct event_entry *entry_open(struct run *r,
                                                                const struct event_packet *p)
{
    struct event_entry *en = event_find(r->table, p->key, p->hash, p->address6);
    if (!en) {
        en = event_add(r->table, p->key, p->hash, p->address6);
        entry_begin(r, en, p);
        return en;
    }
    uint64_t idle_ns = (uint64_t)r->table->idle_ns[event_key_what(p->key)];
    if ((uint64_t)p->ts_ns - (uint64_t)en->first_ns + idle_ns >
        (uint64_t)en->last_ns - (uint64_t)en->first_ns + 2 * idle_ns) {
        event_close(r->engine, r->table, en, false);
        entry_begin(r, en, p);
    }
    return en;
}

/* What infected hosts are told by. */
static inline void reach_count(const struct run *r, const struct event_packet *p)
{
    unsigned what = event_key_what(p->key);
    uint16_t port = event_key_port(p->key);
    bool is_mirai = what == WHAT_SYN && p->tools >> TOOL_mirai & 1;
    if ((what != WHAT_SYN && what != WHAT_DATA) ||
        (!is_mirai &&
         !(ruleset_port_aim(r->engine->rules, PORT_PROTO_TCP, port) & PORT_AIM_STRICT)))
        return;
    const struct reach_packet packet = {
        .key = source_reach_key(r->engine->reach, (uint32_t)p->key, p->address6),
        .ts_ns = p->ts_ns,
        .dst = p->mixed,
        .ports = (p->port_key & 0xffff) << 16 | port,
        .is_mirai = is_mirai,
    };
    source_reach_add(r->engine->reach, r->shard, &packet);
}

/* The entry is of a watched network's address, or that is not known yet. */
static void watched_look(struct run *r, struct event_entry *en, const struct event_packet *p);

static inline void take(struct run *r, const struct event_packet *p)
{
    struct event_entry *en = &r->table->entries[p->place];
    uint64_t idle_ns = (uint64_t)r->table->idle_ns[event_key_what(p->key)];
    bool is_there = (en->key == p->key) & !p->address6 &
                    ((uint64_t)p->ts_ns - (uint64_t)en->first_ns + idle_ns <=
                     (uint64_t)en->last_ns - (uint64_t)en->first_ns + 2 * idle_ns);
    if (__builtin_expect(!is_there, 0))
        en = entry_open(r, p);
    if (what_is_flood(event_key_what(p->key)))
        flood_count(r, en, p);
    else
        destination_count(r, en, p);
    en->first_ns = p->ts_ns < en->first_ns ? p->ts_ns : en->first_ns;
    en->last_ns = p->ts_ns > en->last_ns ? p->ts_ns : en->last_ns;
    en->packets++;
    en->bytes += p->wire_len;
    if (__builtin_expect((en->packets == 0) | (en->bytes < p->wire_len), 0))
        carry(r, en, p);
    if (__builtin_expect((p->tools != en->tools) | (p->proof != RULE_NONE), 0))
        odd_count(r, en, p);
    if (p->bin != en->bins >> EVENT_BIN_SHIFT)
        bin_mark(r, en, p->bin);
    if (__builtin_expect((en->flags & (ENTRY_WATCHED | ENTRY_TURN)) != r->engine->watched_turn, 0))
        watched_look(r, en, p);
    if (r->engine->reach)
        reach_count(r, p);
}

/* A watched network's address did something: it is an entry of its own. */
static void watched_take(struct run *r, const struct event_packet *p)
{
    struct event_packet seen = *p;
    unsigned what = event_watched_what(event_key_what(p->key));
    seen.key = event_key((uint32_t)p->key, 0, what, p->address6 != NULL);
    seen.hash = event_hash(r->table->key, seen.key);
    seen.bin = BIN_NONE;
    take(r, &seen);
}

static __attribute__((noinline)) void watched_look(struct run *r, struct event_entry *en,
                                                   const struct event_packet *p)
{
    const struct event_engine *e = r->engine;
    if ((en->flags & ENTRY_TURN) != e->watched_turn) {
        uint8_t address[16] = {0};
        uint32_t address4 = (uint32_t)p->key;
        bool is_watched = event_watched_what(event_key_what(p->key)) != WHAT_NONE;
        memcpy(address, p->address6 ? p->address6 : (const uint8_t *)&address4,
               p->address6 ? sizeof address : sizeof address4);
        is_watched = is_watched && event_network(e->watched, p->key, address);
        en->flags = (uint8_t)((en->flags & ENTRY_HAS_PORT) | e->watched_turn |
                              (is_watched ? ENTRY_WATCHED : 0));
    }
    if (en->flags & ENTRY_WATCHED)
        watched_take(r, p);
}

/* ---- packets in their order ---- */

/* Where the next packet is to be written. */
static inline struct event_packet *packet_next(struct run *r) { return &r->ring[r->head % RING]; }

/* Finds the packet's entry, which has come in, and asks for what it has beside itself. Places that hold no packet yet ask for
 * nothing. */
static inline void detail_ask(const struct run *r, struct event_packet *p)
{
    struct event_table *t = r->table;
    struct event_entry *en = event_home(t, p->hash);
    while (en->key != p->key && en->key != 0)
        en = ++en == t->entries + t->room ? t->entries : en;
    p->place = (uint32_t)(en - t->entries);
    if (event_has_set(en)) {
        if ((p->mixed & en->mask) == 0)
            __builtin_prefetch(distinct_line(&en->set, p->mixed), 1);
    }
    if ((what_is_flood(event_key_what(p->key)) | (p->proof != RULE_NONE)) && en->detail)
        __builtin_prefetch(event_detail_at(t, en->detail), 1);
}

/* Always inline: a compiler drops calls of what does nothing but ask for memory. */
static inline __attribute__((always_inline)) void rest_ask(const struct run *r,
                                                           const struct event_packet *p)
{
    if (!what_is_flood(event_key_what(p->key)) & (p->proof == RULE_NONE))
        return;
    const struct event_entry *en = &r->table->entries[p->place];
    if (en->key != p->key || !en->detail)
        return;
    const struct event_detail *d = event_detail_at(r->table, en->detail);
    if (d->flood)
        __builtin_prefetch(&d->flood->newest, 1);
    if (p->proof != RULE_NONE && d->odd)
        __builtin_prefetch(&d->odd->proofs[d->proof_at].packets, 1);
}

/* It is written: its entry comes in, and an earlier one is counted. */
static inline void packet_put(struct run *r, struct event_packet *p)
{
    p->hash = event_hash(r->table->key, p->key);
    __builtin_prefetch(event_home(r->table, p->hash), 1);
    r->head++;
    detail_ask(r, &r->ring[(r->head - LAG_DETAIL) % RING]);
    rest_ask(r, &r->ring[(r->head - LAG_REST) % RING]);
    if (r->head - r->tail > LAG)
        take(r, &r->ring[r->tail++ % RING]);
}

static inline void brief_put(struct run *r, const struct batch *b, uint32_t i, uint16_t bin)
{
    const struct brief *brief = &b->briefs[i];
    const struct event_engine *e = r->engine;
    const struct event_class class = e->classes[brief->set % BRIEF_SETS];
    if (class.what == WHAT_NONE) {
        if (bin != BIN_NONE && class.flags & CLASS_SENSOR)
            sensor_count(r, bin, brief->src, NULL);
        return;
    }
    bool is_flood = what_is_flood(class.what);
    struct event_packet *p = packet_next(r);
    p->key = event_key(brief->src, is_flood ? 0 : brief->port, class.what, false);
    p->ts_ns = (int64_t)((uint64_t)b->brief_base_ns + brief_time(brief));
    p->wire_len = brief_wire_len(brief);
    p->mixed = distinct_mix(b->dst[i]);
    p->port_key = (uint32_t)(class.what == WHAT_DOS_TCP ? IPPROTO_NR_TCP : IPPROTO_NR_UDP) << 16 |
                  brief_src_port(brief);
    p->tools = class.tools;
    p->bin = bin;
    p->has_port = true;
    p->address6 = NULL;
    p->proof = RULE_NONE;
    if (__builtin_expect(class.flags & CLASS_PROOF, 0))
        p->proof = b->verdicts->at[set_verdict(brief->set)].payload_rule;
    packet_put(r, p);
    if (__builtin_expect(class.flags & CLASS_AMPLIFICATION, 0)) {
        struct event_packet request = *p; /* its place may be used by now, not overwritten */
        p = packet_next(r);
        *p = request;
        p->key = event_key(brief->src, 0, WHAT_AMPLIFICATION, false);
        p->port_key = (uint32_t)IPPROTO_NR_UDP << 16 | brief->port;
        p->proof = RULE_NONE;
        p->bin = BIN_NONE;
        packet_put(r, p);
    }
}

/* What an observation counts as. */
static unsigned what_of(const struct observation *o, const struct label *label)
{
    bool has_ports = o->state & OBSERVATION_PORTS;
    switch (label->kind) {
    case KIND_tcp_syn:
        return has_ports ? WHAT_SYN : WHAT_NONE;
    case KIND_tcp_data:
        return has_ports ? WHAT_DATA : WHAT_NONE;
    case KIND_udp:
        return has_ports ? WHAT_UDP : WHAT_NONE;
    case KIND_backscatter_tcp:
        return WHAT_DOS_TCP;
    case KIND_backscatter_udp:
        return WHAT_DOS_UDP;
    default:
        return WHAT_NONE;
    }
}

static bool kind_is_of_sensor(unsigned kind)
{
    return kind != KIND_outside && kind != KIND_non_ip && kind != KIND_malformed;
}

static void observation_put(struct run *r, const struct batch *b, uint32_t i,
                            const struct label *label)
{
    const struct event_engine *e = r->engine;
    const struct observation *o = &b->at[i];
    if (!kind_is_of_sensor(label->kind))
        return;
    if (__builtin_expect(e->has_indicators && label->payload_rule != RULE_NONE, 0))
        event_indicator_count(r->engine, b, i, label);
    unsigned what = o->state & OBSERVATION_DARK_SOURCE ? WHAT_NONE : what_of(o, label);
    uint16_t bin = e->slots[o->slot].number;
    bool is6 = o->ip_version == 6;
    uint32_t address;
    memcpy(&address, o->src, sizeof address);
    if (!(e->whats >> what & 1)) {
        sensor_count(r, bin, address, is6 ? o->src : NULL);
        return;
    }
    struct event_packet packet = {
        .key = event_key(is6 ? (uint32_t)b->hash[i] : address,
                         what_is_flood(what) ? 0 : o->dst_port, what, is6),
        .ts_ns = o->ts_ns,
        .wire_len = o->wire_len,
        .mixed = distinct_mix(batch_destination(o)),
        .port_key = (uint32_t)o->ip_proto << 16 | o->src_port,
        .tools = (uint16_t)label_tools(label),
        .bin = bin,
        .has_port = o->state & OBSERVATION_PORTS,
        .proof = what_is_scan(what) ? label->payload_rule : RULE_NONE,
        .address6 = is6 ? o->src : NULL,
    };
    *packet_next(r) = packet;
    packet_put(r, packet_next(r));
    if (label->flags & LABEL_AMPLIFICATION_REQUEST && e->whats >> WHAT_AMPLIFICATION & 1) {
        packet.key = event_key((uint32_t)packet.key, 0, WHAT_AMPLIFICATION, is6);
        packet.port_key = (uint32_t)o->ip_proto << 16 | o->dst_port;
        packet.proof = RULE_NONE;
        packet.bin = BIN_NONE;
        *packet_next(r) = packet;
        packet_put(r, packet_next(r));
    }
}

static void note_put(struct run *r, const struct batch_note *n)
{
    bool is6 = n->ip_version == 6;
    uint32_t address;
    if (!(r->engine->whats >> WHAT_DOS_ICMP & 1))
        return;
    memcpy(&address, n->address, sizeof address);
    *packet_next(r) = (struct event_packet){
        .key = event_key(is6 ? (uint32_t)n->hash : address, 0, WHAT_DOS_ICMP, is6),
        .ts_ns = n->ts_ns,
        .wire_len = n->wire_len,
        .mixed = distinct_mix(n->dst),
        .port_key = (uint32_t)n->ip_proto << 16 | n->port,
        .has_port = n->ip_proto != 0,
        .proof = RULE_NONE,
        .address6 = is6 ? n->address : NULL,
    };
    packet_put(r, packet_next(r));
}

/* What verdicts of UDP payloads count as, as far as they are new. */
static void verdicts_learn(struct event_engine *e, const struct batch *b)
{
    for (; e->verdict_sets < b->verdict_count; e->verdict_sets++) {
        const struct label *label = &b->verdicts->at[e->verdict_sets];
        unsigned what = label->kind == KIND_udp               ? WHAT_UDP
                        : label->kind == KIND_backscatter_udp ? WHAT_DOS_UDP
                                                              : WHAT_NONE;
        bool asks =
            label->flags & LABEL_AMPLIFICATION_REQUEST && e->whats >> WHAT_AMPLIFICATION & 1;
        e->classes[set_of_verdict(e->verdict_sets, label->kind == KIND_udp)] = (struct event_class){
            .what = (uint8_t)(e->whats >> what & 1 ? what : WHAT_NONE),
            .flags =
                (uint8_t)(CLASS_SENSOR | (asks ? CLASS_AMPLIFICATION : 0) |
                          (label->payload_rule != RULE_NONE && what == WHAT_UDP ? CLASS_PROOF : 0)),
            .tools = (uint16_t)label_tools(label),
        };
    }
}

void event_engine_batch(struct event_engine *e, const struct batch *b, const struct label *labels)
{
    struct run r;
    r.engine = e, r.table = &e->tables[b->shard], r.shard = b->shard, r.head = r.tail = 0;
    for (unsigned i = 0; i < RING; i++)
        r.ring[i] = (struct event_packet){.proof = RULE_NONE};
    uint32_t brief = 0, observation = 0, note = 0;
    uint16_t bin = b->brief_count > 0 ? e->slots[b->brief_slot].number : BIN_NONE;
    verdicts_learn(e, b);
    for (;;) {
        uint32_t next = b->brief_count; /* briefs up to here come first */
        if (observation < b->count && b->before[observation] < next)
            next = b->before[observation];
        if (note < b->note_count && b->notes[note].briefs < next)
            next = b->notes[note].briefs;
        for (; brief < next; brief++)
            brief_put(&r, b, brief, bin);
        bool has_note = note < b->note_count && b->notes[note].briefs == brief &&
                        b->notes[note].observations <= observation;
        if (has_note)
            note_put(&r, &b->notes[note++]);
        else if (observation < b->count)
            observation_put(&r, b, observation, &labels[observation]), observation++;
        else if (note < b->note_count)
            note_put(&r, &b->notes[note++]);
        else
            break;
    }
    for (unsigned i = 1; i <= LAG; i++) { /* as if more came */
        if (i < LAG_DETAIL)
            detail_ask(&r, &r.ring[(r.head + i - LAG_DETAIL) % RING]);
        if (i < LAG_REST)
            rest_ask(&r, &r.ring[(r.head + i - LAG_REST) % RING]);
    }
    while (r.tail != r.head)
        take(&r, &r.ring[r.tail++ % RING]);
}
