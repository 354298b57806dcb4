/* The packet path of the engine: what is done for every packet. */
#include "core/event_indicator.h"
#include "core/event_state.h"
#include "core/source_reach.h"
#include "core/watched.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* Packets go in groups through stages: their slots are asked for; their entries; what these have beside themselves; what that has in
 * turn; then they are counted. All but the last do nothing but ask for memory, some groups ahead. */
enum { GROUP_MAX = 16, STAGES = 5, RING = 128 };
static_assert(RING >= STAGES * GROUP_MAX + 4, "a group may be some packets longer");

struct run {
    struct event_engine *engine;
    struct event_table *table;
    struct source_reach_table *reach;
    unsigned shard;
    uint8_t watched_turn;
    uint32_t head, found, looked, rested,
        tail; /* packets that came so far; ran through each stage */
    _Alignas(64) struct event_packet ring[RING];
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

/* A scan has a set: one of enough destinations is looked at with the next seal. */
static __attribute__((noinline)) void set_grew(struct run *r, struct event_entry *en,
                                               const struct event_packet *p)
{
    if (!what_is_scan(event_key_what(en->key)) ||
        distinct_count(&en->set) < r->engine->settings->scan_min_destinations)
        return;
    en->destinations = EVENT_SET_LISTED;
    if (!detail_of(r, en, p->hash)->is_listed)
        event_may_be(r->engine, r->table, en);
}

/* Adds a destination; one may be there. */
static inline void destination_add(struct run *r, struct event_entry *en,
                                   const struct event_packet *p)
{
    if (!event_has_set(en) || p->mixed == 0 || !distinct_add_here(&en->set, p->mixed))
        event_destination_add(r->table, en, p->mixed, r->engine->inline_most);
    if (en->destinations == EVENT_HAS_SET)
        set_grew(r, en, p);
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
    unsigned what = p->what;
    en->first_ns = en->last_ns = p->ts_ns;
    en->tools = p->tools;
    en->flags = 0;
    if (what_is_watched(what)) {
        (void)detail_of(r, en, p->hash);
        event_may_be(r->engine, r->table, en);
    }
}

/* Whether a packet belongs to an entry of its key: it lies not so far from it that it begins another one. */
static inline bool is_on(const struct event_entry *en, int64_t ts_ns, int64_t idle_ns)
{
    return (uint64_t)ts_ns - (uint64_t)en->first_ns + (uint64_t)idle_ns <=
           (uint64_t)en->last_ns - (uint64_t)en->first_ns + 2 * (uint64_t)idle_ns;
}

/* The packet's entry is not the one that was guessed, or is of IPv6, or over, or there is none. */
static __attribute__((noinline)) struct event_entry *entry_open(struct run *r,
                                                                const struct event_packet *p)
{
    struct event_entry *en = event_find(r->table, p->key, p->hash, p->address6);
    if (!en) {
        en = event_add(r->table, p->key, p->hash, p->address6);
        entry_begin(r, en, p);
        return en;
    }
    if (!is_on(en, p->ts_ns, r->table->idle_ns[p->what])) {
        event_close(r->engine, r->table, en, false);
        entry_begin(r, en, p);
    }
    return en;
}

/* What infected hosts are told by. */
static inline void reach_count(const struct run *r, const struct event_packet *p)
{
    uint16_t port = event_key_port(p->key);
    bool is_mirai = p->what == WHAT_SYN && p->tools >> TOOL_mirai & 1;
    if ((p->what != WHAT_SYN && p->what != WHAT_DATA) ||
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
    struct event_entry *en = p->entry;
    if (__builtin_expect(!en || en->key != p->key || p->address6 ||
                             !is_on(en, p->ts_ns, r->table->idle_ns[p->what]),
                         0))
        en = entry_open(r, p);
    if (__builtin_expect(what_is_flood(p->what), 0))
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
    if (__builtin_expect(p->bin != en->bins >> EVENT_BIN_SHIFT, 0))
        bin_mark(r, en, p->bin);
    if (__builtin_expect((en->flags & (ENTRY_WATCHED | ENTRY_TURN)) != r->watched_turn, 0))
        watched_look(r, en, p);
    if (r->reach)
        reach_count(r, p);
}

/* A watched network's address did something: it is an entry of its own. */
static void watched_take(struct run *r, const struct event_packet *p)
{
    struct event_packet seen = *p;
    unsigned what = event_watched_what(p->what);
    seen.key = event_key((uint32_t)p->key, 0, what, p->address6 != NULL);
    seen.what = (uint8_t)what;
    seen.hash = event_hash(r->table->key, seen.key);
    seen.entry = event_guess(r->table, seen.hash);
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

/* It is written: its slot comes in. */
static inline void packet_put(struct run *r, struct event_packet *p)
{
    p->hash = event_hash(r->table->key, p->key);
    __builtin_prefetch(&r->table->slots[event_home(r->table, p->hash)]);
    r->head++;
}

static inline void packet_find(const struct run *r, struct event_packet *p)
{
    p->entry = event_guess(r->table, p->hash);
    if (p->entry)
        __builtin_prefetch(p->entry, 1);
}

/* Whether there is more of it than a count and a destination. */
static inline bool is_deep(const struct event_packet *p)
{
    return what_is_flood(p->what) | (p->proof != RULE_NONE);
}

/* Always inline, here and below: a compiler drops calls of what does nothing but ask for memory. */
static inline __attribute__((always_inline)) void packet_look(const struct run *r,
                                                              const struct event_packet *p)
{
    const struct event_entry *en = p->entry;
    if (!en)
        return;
    if (event_has_set(en) && (p->mixed & en->mask) == 0)
        __builtin_prefetch(distinct_line(&en->set, p->mixed), 1);
    if (is_deep(p) && en->key == p->key && en->detail)
        __builtin_prefetch(event_detail_at(r->table, en->detail), 1);
}

static inline __attribute__((always_inline)) void packet_rest(const struct run *r,
                                                              const struct event_packet *p)
{
    if (!is_deep(p) || !p->entry || p->entry->key != p->key || !p->entry->detail)
        return;
    const struct event_detail *d = event_detail_at(r->table, p->entry->detail);
    if (d->flood)
        __builtin_prefetch(&d->flood->newest, 1);
    if (p->proof != RULE_NONE && d->odd)
        __builtin_prefetch(&d->odd->proofs[d->proof_at].packets, 1);
}

/* A group is written, or the last one: every group goes on a stage. */
static void groups_go_on(struct run *r)
{
    uint32_t found = r->found, looked = r->looked, rested = r->rested;
    for (; r->tail != rested; r->tail++)
        take(r, &r->ring[r->tail % RING]);
    for (; r->rested != looked; r->rested++)
        packet_rest(r, &r->ring[r->rested % RING]);
    for (; r->looked != found; r->looked++)
        packet_look(r, &r->ring[r->looked % RING]);
    for (; r->found != r->head; r->found++)
        packet_find(r, &r->ring[r->found % RING]);
}

/* What of a brief's first 8 bytes, address, port and set, is in the key, by what it counts as; what is in the key beside, and in port_key
 * beside the source's port. */
struct brief_form {
    uint64_t mask, key;
    uint32_t port_key;
};
#define FORM(what, port, proto)                      \
    [what] = {                                       \
        .mask = UINT32_MAX | (uint64_t)(port) << 32, \
        .key = (uint64_t)(what) << 48,               \
        .port_key = (uint32_t)(proto) << 16,         \
    }
static const struct brief_form forms[WHATS] = {
    FORM(WHAT_SYN, UINT16_MAX, IPPROTO_NR_UDP),
    FORM(WHAT_UDP, UINT16_MAX, IPPROTO_NR_UDP),
    FORM(WHAT_DOS_TCP, 0, IPPROTO_NR_TCP),
    FORM(WHAT_DOS_UDP, 0, IPPROTO_NR_UDP),
};

static __attribute__((noinline)) void amplification_put(struct run *r, const struct brief *brief)
{
    const struct event_packet request = r->ring[(r->head - 1) % RING];
    struct event_packet *p = packet_next(r);
    *p = request;
    p->key = event_key(brief->src, 0, WHAT_AMPLIFICATION, false);
    p->what = WHAT_AMPLIFICATION;
    p->port_key = (uint32_t)IPPROTO_NR_UDP << 16 | brief->port;
    p->proof = RULE_NONE;
    p->bin = BIN_NONE;
    packet_put(r, p);
}

static inline void brief_put(struct run *r, const struct batch *b, uint32_t i, uint16_t bin)
{
    static_assert(offsetof(struct brief, src) == 0 && offsetof(struct brief, port) == 4,
                  "they lie in a brief as in a key");
    const struct brief *brief = &b->briefs[i];
    const struct event_class class = r->engine->classes[brief->set % BRIEF_SETS];
    const struct brief_form *form = &forms[class.what % WHATS];
    uint64_t head;
    if (__builtin_expect(class.what == WHAT_NONE, 0)) {
        if (bin != BIN_NONE && class.flags & CLASS_SENSOR)
            sensor_count(r, bin, brief->src, NULL);
        return;
    }
    memcpy(&head, brief, sizeof head);
    struct event_packet *p = packet_next(r);
    p->key = (head & form->mask) | form->key;
    p->ts_ns = (int64_t)((uint64_t)b->brief_base_ns + brief_time(brief));
    p->address6 = NULL;
    p->wire_len = brief_wire_len(brief);
    p->mixed = distinct_mix(b->dst[i]);
    p->port_key = form->port_key | brief_src_port(brief);
    p->tools = class.tools;
    p->bin = bin;
    p->proof = RULE_NONE;
    p->what = class.what;
    p->has_port = true;
    packet_put(r, p);
    if (__builtin_expect(class.flags & (CLASS_PROOF | CLASS_AMPLIFICATION), 0)) {
        if (class.flags & CLASS_PROOF)
            p->proof = b->verdicts->at[set_verdict(brief->set)].payload_rule;
        if (class.flags & CLASS_AMPLIFICATION)
            amplification_put(r, brief);
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
        .what = (uint8_t)what,
    };
    *packet_next(r) = packet;
    packet_put(r, packet_next(r));
    if (label->flags & LABEL_AMPLIFICATION_REQUEST && e->whats >> WHAT_AMPLIFICATION & 1) {
        packet.key = event_key((uint32_t)packet.key, 0, WHAT_AMPLIFICATION, is6);
        packet.what = WHAT_AMPLIFICATION;
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
        .what = WHAT_DOS_ICMP,
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
    r.engine = e, r.table = &e->tables[b->shard], r.shard = b->shard;
    r.reach = e->reach, r.watched_turn = e->watched_turn;
    r.head = r.found = r.looked = r.rested = r.tail = 0;
    uint32_t brief = 0, observation = 0, note = 0;
    uint16_t bin = b->brief_count > 0 ? e->slots[b->brief_slot].number : BIN_NONE;
    verdicts_learn(e, b);
    for (;;) {
        uint32_t next = b->brief_count; /* briefs up to here come first */
        if (observation < b->count && b->before[observation] < next)
            next = b->before[observation];
        if (note < b->note_count && b->notes[note].briefs < next)
            next = b->notes[note].briefs;
        while (brief < next) {
            for (; brief < next && r.head - r.found < GROUP_MAX; brief++)
                brief_put(&r, b, brief, bin);
            if (r.head - r.found >= GROUP_MAX)
                groups_go_on(&r);
        }
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
        if (r.head - r.found >= GROUP_MAX)
            groups_go_on(&r);
    }
    while (r.tail != r.head)
        groups_go_on(&r);
}
