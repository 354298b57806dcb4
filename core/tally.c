#include "core/tally.h"

#include "core/source_table.h"

#include <errno.h>
#include <stdlib.h>

/* Packets per batch stage: what is prefetched in one must still be in the L1 cache in the next. */
enum { STAGE = 32 };

static_assert(MARK_COUNT <= 12, "the sets of marks are counted in one table");

/* What is counted by the headers alone: (IP version, transport, flags) in 6 bits. */
enum { HEADER_SETS = 64 };

/* What nearly all packets add to a port: SYN and UDP probes. 16 bytes in place of the window's
 * row of 64, so that all ports of a darknet stay in the L2 cache. */
struct row {
    uint32_t packets, bytes; /* bytes below 2^31 */
    uint32_t sources;
    uint32_t is_used; /* it is on the list */
};
static_assert(sizeof(struct row) == 16, "four rows a cache line");

struct rows {
    struct row at[65536];
    uint16_t used[65536];
    uint32_t used_count;
};

/* A window being filled. Sets are counted as sets and taken apart when it is sealed. */
struct tally_slot {
    struct window *window;
    struct rows *rows; /* by protocol; empty where the slot is free */
    uint64_t headers[HEADER_SETS];
    uint64_t marks[1 << MARK_COUNT];
    uint64_t snapped;
};

struct tally {
    const struct hash_key *key;
    const struct ruleset *rules;
    const struct prefix_set *telescope;
    struct address_set *destinations;
    struct open_serials open;
    struct tally_slot slots[WINDOW_SLOTS];
    struct source_table shards[SHARDS];
    uint64_t port_sources[PORT_PROTO_COUNT][65536]; /* of the whole run */
};

/* One stage's worth of observations on their way through; for each, where its source and its pair
 * are, as far as that is known by then. */
struct stage {
    const struct observation *o;
    const struct label *labels;
    const uint64_t *hash;
    unsigned count;
    uint32_t number[STAGE]; /* of the source */
    struct source_table *shard[STAGE];
    struct pair *group[STAGE]; /* the pair's home; NULL: no ports */
    uint64_t key[STAGE];
};

static inline bool is_syn(const struct observation *o)
{
    return (o->state & OBSERVATION_TCP_FLAGS) &&
           (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

enum { FLAGS_other, FLAGS_syn, FLAGS_synack, FLAGS_rst };
enum { TRANSPORT_none, TRANSPORT_tcp, TRANSPORT_udp, TRANSPORT_icmp };

struct tally *tally_create(const struct hash_key *key, const struct ruleset *rules,
                           const struct prefix_set *telescope)
{
    struct tally *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->key = key;
    t->rules = rules;
    t->telescope = telescope;
    t->destinations = address_set_create();
    int err = t->destinations ? 0 : -ENOMEM;
    for (unsigned i = 0; i < SHARDS && !err; i++)
        err = source_table_init(&t->shards[i], key);
    for (unsigned i = 0; i < WINDOW_SLOTS && !err; i++) {
        t->slots[i].rows = calloc(PORT_PROTO_COUNT, sizeof *t->slots[i].rows);
        err = t->slots[i].rows ? 0 : -ENOMEM;
    }
    if (!err)
        return t;
    tally_destroy(t);
    errno = -err;
    return NULL;
}

void tally_destroy(struct tally *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < SHARDS; i++)
        source_table_fini(&t->shards[i]);
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        free(t->slots[i].rows);
    address_set_destroy(t->destinations);
    free(t);
}

void tally_open(struct tally *t, unsigned slot, uint32_t serial, struct window *w)
{
    t->slots[slot] = (struct tally_slot){.window = w, .rows = t->slots[slot].rows};
    w->totals.first_ns = INT64_MAX;
    w->totals.last_ns = INT64_MIN;
    t->open.at[slot] = serial;
    t->open.newest = serial;
}

static inline unsigned header_set(const struct observation *o)
{
    static const uint8_t transports[256] = {
        [IPPROTO_NR_TCP] = TRANSPORT_tcp,
        [IPPROTO_NR_UDP] = TRANSPORT_udp,
        [IPPROTO_NR_ICMP] = TRANSPORT_icmp,
        [IPPROTO_NR_ICMPV6] = TRANSPORT_icmp,
    };
    static const uint8_t flags[TCP_ACK + TCP_RST + TCP_SYN + TCP_FIN + 1] = {
        [TCP_SYN] = FLAGS_syn,
        [TCP_SYN | TCP_ACK] = FLAGS_synack,
        [TCP_RST] = FLAGS_rst,
        [TCP_RST | TCP_FIN] = FLAGS_rst,
        [TCP_RST | TCP_SYN] = FLAGS_rst,
        [TCP_RST | TCP_SYN | TCP_FIN] = FLAGS_rst,
        [TCP_RST | TCP_ACK] = FLAGS_rst,
        [TCP_RST | TCP_ACK | TCP_FIN] = FLAGS_rst,
        [TCP_RST | TCP_ACK | TCP_SYN] = FLAGS_rst,
        [TCP_RST | TCP_ACK | TCP_SYN | TCP_FIN] = FLAGS_rst,
    };
    unsigned is_there = (o->state & OBSERVATION_TRANSPORT) != 0;
    return o->ip_version >> 1 | (unsigned)transports[o->ip_proto] * is_there << 2 |
           (unsigned)flags[o->tcp_flags & (TCP_ACK | TCP_RST | TCP_SYN | TCP_FIN)] << 4;
}

static void headers_add(struct window_totals *totals, unsigned set, uint64_t packets)
{
    unsigned version = set & 3, transport = set >> 2 & 3, flags = set >> 4;
    totals->ip4 += version == 4 >> 1 ? packets : 0;
    totals->ip6 += version == 6 >> 1 ? packets : 0;
    totals->tcp += transport == TRANSPORT_tcp ? packets : 0;
    totals->udp += transport == TRANSPORT_udp ? packets : 0;
    totals->icmp += transport == TRANSPORT_icmp ? packets : 0;
    totals->tcp_syn += flags == FLAGS_syn ? packets : 0;
    totals->tcp_synack += flags == FLAGS_synack ? packets : 0;
    totals->tcp_rst += flags == FLAGS_rst ? packets : 0;
}

/* Moves a row into the window's. */
static void row_drain(struct window *w, unsigned proto, uint16_t port, struct row *from)
{
    struct port_count *row = window_port(w, proto, port);
    row->packets += from->packets;
    row->bytes += from->bytes;
    row->scan += from->packets;
    row->scan_bytes += from->bytes;
    row->syn += proto == PORT_PROTO_TCP ? from->packets : 0;
    row->sources.low += from->sources;
    *from = (struct row){.is_used = from->is_used};
}

static void rows_drain(struct window *w, unsigned proto, struct rows *rows)
{
    for (uint32_t i = 0; i < rows->used_count; i++) {
        struct row *row = &rows->at[rows->used[i]];
        if (row->packets)
            row_drain(w, proto, rows->used[i], row);
        row->is_used = 0;
    }
    rows->used_count = 0;
}

/* What a port rule counts is what its ports count: nothing to do per packet. */
static void port_seal(const struct ruleset *rules, struct window *w, unsigned proto, uint16_t port)
{
    struct port_count *row = &w->ports[proto][port];
    const struct port_class *c = &rules->classes[rules->port_class[proto][port]];
    row->sources.high = row->sources.low;
    for (unsigned i = 0; i < 2 && row->scan; i++)
        if (c->rules[i] != RULE_NONE) {
            w->rules[c->rules[i]][EVIDENCE_port].packets += row->scan;
            w->rules[c->rules[i]][EVIDENCE_port].bytes += row->scan_bytes;
        }
}

struct window *tally_seal(struct tally *t, unsigned slot)
{
    struct tally_slot *ts = &t->slots[slot];
    struct window *w = ts->window;

    for (unsigned set = 0; set < HEADER_SETS; set++)
        if (ts->headers[set])
            headers_add(&w->totals, set, ts->headers[set]);
    for (unsigned set = 0; set < 1u << MARK_COUNT; set++)
        for (unsigned m = 0; ts->marks[set] && m < MARK_COUNT; m++)
            if (set >> m & 1)
                w->mark_packets[m] += ts->marks[set];
    for (unsigned k = 0; k < KIND_COUNT; k++)
        w->totals.packets += w->kinds[k].packets, w->totals.bytes += w->kinds[k].bytes;
    w->totals.snapped = ts->snapped;
    if (w->totals.packets == 0)
        w->totals.first_ns = w->totals.last_ns = 0;
    for (unsigned m = 0; m < MARK_COUNT; m++)
        w->mark_sources[m].high = w->mark_sources[m].low;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
        rows_drain(w, proto, &ts->rows[proto]);
        for (uint32_t i = 0; i < w->port_used[proto]; i++)
            port_seal(t->rules, w, proto, w->port_list[proto][i]);
    }
    ts->window = NULL;
    return w;
}

static inline unsigned proto_of(const struct observation *o)
{
    return o->ip_proto == IPPROTO_NR_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP;
}

/* Counts that need no source. */
static inline void count_packet(struct tally_slot *ts, const struct observation *o,
                                const struct label *label)
{
    struct window *w = ts->window;
    /* Four packets in five are this set, and need not be looked up. */
    unsigned syn = o->ip_version >> 1 | TRANSPORT_tcp << 2 | FLAGS_syn << 4;

    ts->headers[label->kind == KIND_tcp_syn ? syn : header_set(o)]++;
    ts->marks[label->marks]++;
    ts->snapped += (o->state & OBSERVATION_SNAPPED) != 0;
    if (w->totals.first_ns > o->ts_ns)
        w->totals.first_ns = o->ts_ns;
    if (w->totals.last_ns < o->ts_ns)
        w->totals.last_ns = o->ts_ns;
    w->kinds[label->kind].packets++;
    w->kinds[label->kind].bytes += o->wire_len;
}

/* Forgets what the source was seen in that is sealed since. */
static __attribute__((noinline)) void source_catch_up(struct source *s,
                                                      const struct open_serials *open)
{
    unsigned since = serials_since(open, s->serial);
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        if (since >> i & 1)
            s->marks[i] = 0;
    s->serial = open->newest;
}

/* Marks that the source has not had in this window yet. */
static __attribute__((noinline)) void source_mark(struct source *s, struct window *w,
                                                  unsigned fresh, unsigned slot)
{
    unsigned ip_version = s->kinds_ever & SOURCE_IS_IPV6 ? 6 : 4;
    uint64_t hash = hll_hash(s->address, ip_version == 6 ? 16 : 4);
    s->marks[slot] |= (uint16_t)fresh;
    s->marks_ever |= (uint16_t)fresh;
    for (; fresh; fresh &= fresh - 1) {
        unsigned m = (unsigned)__builtin_ctz(fresh);
        w->mark_sources[m].low++;
        hll_add(&w->hll[m], hash);
    }
}

static inline void count_source(const struct tally *t, struct window *w, struct source *s,
                                const struct observation *o, const struct label *label)
{
    if (s->serial != t->open.newest)
        source_catch_up(s, &t->open);
    if (o->ts_ns < s->first_ns)
        s->first_ns = o->ts_ns;
    if (o->ts_ns > s->last_ns)
        s->last_ns = o->ts_ns;
    s->bytes += o->wire_len;
    s->kinds_ever |= (uint16_t)(1u << label->kind);
    unsigned fresh = label->marks & ~(unsigned)s->marks[o->slot];
    if (fresh)
        source_mark(s, w, fresh, o->slot);
}

/* Returns whether the row was seen in this window by the pair before. */
static inline bool count_pair(struct pair *p, const struct open_serials *open, unsigned slot,
                              bool is_scan)
{
    if (p->serial != open->newest) {
        p->windows &= (uint8_t)~serials_since(open, p->serial);
        p->serial = open->newest;
    }
    bool was_seen = p->windows >> slot & 1;
    p->windows |= (uint8_t)(1u << slot);
    p->is_scan |= is_scan;
    p->packets += p->packets != UINT32_MAX;
    return was_seen;
}

/* The pair is not in its home group: it may be new, and the shard's pairs may move for it. */
static __attribute__((noinline)) struct pair *stage_pair_search(struct stage *s, unsigned i)
{
    struct source_table *shard = s->shard[i];
    uint32_t groups = shard->pair_groups;
    struct pair *p = pair_search(shard, s->key[i]);
    if (shard->pair_groups != groups)
        for (unsigned k = i + 1; k < s->count; k++)
            if (s->group[k] && s->shard[k] == shard)
                s->group[k] = pair_home(shard, s->key[k]);
    return p;
}

/* The packets that a row of 16 bytes has no room for: answers, data, odd flags. */
static __attribute__((noinline)) void count_port_other(struct window *w, unsigned proto,
                                                       const struct observation *o, bool is_scan,
                                                       bool is_new)
{
    struct port_count *row = window_port(w, proto, o->dst_port);
    row->packets++;
    row->bytes += o->wire_len;
    row->syn += proto == PORT_PROTO_TCP && is_syn(o);
    row->scan += is_scan;
    row->scan_bytes += is_scan ? o->wire_len : 0;
    row->sources.low += is_new;
}

static inline void count_port(struct tally *t, struct tally_slot *ts, struct stage *s, unsigned i)
{
    const struct observation *o = &s->o[i];
    unsigned proto = proto_of(o), kind = s->labels[i].kind;
    unsigned match = pairs_matching(s->group[i], s->key[i]);
    struct pair *p =
        __builtin_expect(match != 0, 1) ? pair_of(s->group[i], match) : stage_pair_search(s, i);
    if (p->packets == 0)
        t->port_sources[proto][o->dst_port]++;
    bool is_new = !count_pair(p, &t->open, o->slot, kind_is_scan(kind));
    if ((kind != KIND_tcp_syn && kind != KIND_udp) || o->wire_len >> 31) {
        count_port_other(ts->window, proto, o, kind_is_scan(kind), is_new);
        return;
    }
    struct rows *rows = &ts->rows[proto];
    struct row *row = &rows->at[o->dst_port];
    if (!row->is_used) {
        row->is_used = 1;
        rows->used[rows->used_count++] = o->dst_port;
    }
    row->packets++;
    row->bytes += o->wire_len;
    row->sources += is_new;
    if (row->bytes >> 31)
        row_drain(ts->window, proto, o->dst_port, row);
}

/* Where everything is. Each loop asks for memory that the next one needs. */
static void stage_find(struct tally *t, struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        s->shard[i] = &t->shards[batch_shard(s->hash[i])];
        source_prefetch_slot(s->shard[i], s->hash[i]);
    }
    for (unsigned i = 0; i < s->count; i++)
        s->number[i] = source_guess(s->shard[i], s->hash[i]);
    for (unsigned i = 0; i < s->count; i++) {
        const struct observation *o = &s->o[i];
        s->group[i] = NULL;
        if (!(o->state & OBSERVATION_IP))
            continue;
        s->number[i] = source_find(s->shard[i], s->hash[i], s->number[i], o);
        if (!(o->state & OBSERVATION_PORTS))
            continue;
        unsigned proto = proto_of(o);
        s->key[i] = pair_key(s->number[i], proto == PORT_PROTO_UDP, o->dst_port);
        s->group[i] = pair_home(s->shard[i], s->key[i]);
        __builtin_prefetch(s->group[i], 1);
        __builtin_prefetch(&t->slots[o->slot].rows[proto].at[o->dst_port], 1);
    }
}

static void stage_count(struct tally *t, struct stage *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        const struct observation *o = &s->o[i];
        struct tally_slot *ts = &t->slots[o->slot];
        count_packet(ts, o, &s->labels[i]);
        if (!(o->state & OBSERVATION_IP))
            continue;
        struct source *source = source_at(s->shard[i], s->number[i]);
        count_source(t, ts->window, source, o, &s->labels[i]);
        address_set_add(t->destinations, o->dst, o->ip_version);
        if (s->group[i])
            count_port(t, ts, s, i);
    }
}

/* The next stage's observations lie in another core's cache: they come while this one is counted. */
static void observations_prefetch(const struct batch *b, uint32_t from)
{
    uint32_t to = b->count - from < STAGE ? b->count : from + STAGE;
    for (const char *p = (const char *)&b->at[from]; p < (const char *)&b->at[to]; p += 64)
        __builtin_prefetch(p);
    for (const char *p = (const char *)&b->hash[from]; p < (const char *)&b->hash[to]; p += 64)
        __builtin_prefetch(p);
}

void tally_batch(struct tally *t, const struct batch *b)
{
    struct label labels[STAGE];
    struct stage s;

    s.labels = labels;
    observations_prefetch(b, 0);
    for (uint32_t from = 0; from < b->count; from += STAGE) {
        s.o = b->at + from;
        s.hash = b->hash + from;
        s.count = b->count - from < STAGE ? b->count - from : STAGE;
        classify_batch(t->rules, t->telescope, s.o, s.count, labels);
        if (from + STAGE < b->count)
            observations_prefetch(b, from + STAGE);
        stage_find(t, &s);
        stage_count(t, &s);
    }
}

/* Sources per rule: each source's pairs name rules; a source counts once per rule however many of
 * its ports the rule has. `seen` holds, per source of the shard, a set of rules. */
static void rules_add(const struct tally *t, const struct source_table *shard,
                      struct tally_sources *sum)
{
    size_t words = (t->rules->rule_count + 63) / 64;
    if (words == 0 || shard->source_count == 0)
        return;
    uint64_t *seen = calloc(shard->source_count * words, sizeof *seen);
    if (!seen)
        abort();
    for (size_t i = 0; i < (size_t)shard->pair_groups * GROUP; i++) {
        const struct pair *p = &shard->pairs[i];
        if (!p->key || !p->is_scan)
            continue;
        unsigned proto = p->key & PAIR_UDP ? PORT_PROTO_UDP : PORT_PROTO_TCP;
        const struct port_class *c = &t->rules->classes[t->rules->port_class[proto][p->port]];
        uint64_t *set = &seen[(size_t)(p->key & ((1u << SOURCE_BITS) - 1)) * words];
        for (unsigned k = 0; k < 2; k++) {
            uint16_t rule = c->rules[k];
            if (rule == RULE_NONE || (set[rule / 64] >> rule % 64 & 1))
                continue;
            set[rule / 64] |= UINT64_C(1) << rule % 64;
            sum->rules[rule]++;
        }
    }
    free(seen);
}

static void shard_add(const struct tally *t, const struct source_table *shard,
                      struct tally_sources *sum)
{
    sum->sources += shard->source_count;
    sum->pairs += shard->pair_count;
    sum->table_bytes += source_table_bytes(shard);
    for (uint32_t number = 0; number < shard->source_count; number++) {
        const struct source *s = source_at(shard, number);
        for (unsigned m = 0; m < MARK_COUNT; m++)
            sum->marks[m] += s->marks_ever >> m & 1;
        for (unsigned k = 0; k < KIND_COUNT; k++)
            sum->kinds[k] += s->kinds_ever >> k & 1;
    }
    rules_add(t, shard, sum);
}

void tally_sources_add(const struct tally *t, struct tally_sources *sum)
{
    for (unsigned i = 0; i < SHARDS; i++)
        shard_add(t, &t->shards[i], sum);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 65536; port++)
            sum->ports[proto][port] += t->port_sources[proto][port];
}

const struct address_set *tally_destinations(const struct tally *t) { return t->destinations; }
