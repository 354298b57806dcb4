/* The packet path of the tally: what is done for every observation. */
#include "core/tally.h"

#include "classify/probe.h"
#include "core/tally_state.h"

/* Probes per stage. Three stages are on their way at once: pairs of one come in while the
 * one before is counted and the one before that shows what is new of its sources. With so few, what
 * is asked of memory fits the processor's queue (a dozen lines and more). */
enum { STAGE = 16, STAGES = 3 };

/* Observations that are read ahead: they lie in another core's cache. */
enum { READ_AHEAD = 24 };

/* Other packets at a time. */
enum { OTHERS = 64 };

/* A row's 32 bits hold any number of packets up to here and one more batch. */
static const uint64_t UNDRAINED_MAX = UINT32_MAX - BATCH_MAX;

static inline bool is_syn(const struct observation *o)
{
    return (o->state & OBSERVATION_TCP_FLAGS) &&
           (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
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

/* ---- a source and its pairs: both paths ---- */

/* Forgets what the source was seen in that is sealed since. */
static inline void source_catch_up(struct source *s, const struct open_serials *open)
{
    for (unsigned since = serials_since(open, s->serial); since; since &= since - 1)
        s->marks[__builtin_ctz(since)] = 0;
    s->serial = open->newest;
}

/* 0xff for each mark of the set. */
static inline sketch_row row_of_marks(unsigned marks)
{
    typedef uint64_t two __attribute__((vector_size(16)));
    const uint64_t each = UINT64_C(0x0101010101010101);
    const sketch_row bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    sketch_row spread = (sketch_row)(two){(marks & 0xff) * each, (marks >> 8) * each};
    return (sketch_row)((spread & bits) == bits);
}

/* Marks that the source has not had in this window yet. */
static inline void source_mark(struct tally_slot *ts, struct source *s, unsigned slot,
                               unsigned fresh)
{
    s->marks[slot] |= (uint16_t)fresh;
    s->marks_ever |= (uint16_t)fresh;
    ts->sources[fresh]++;
    struct sketches *sketches = ts->sketches;
    sketch_row *row = &sketches->at[s->sketch_index];
    sketch_row is_less = (sketch_row)(*row < s->sketch_rank) & row_of_marks(fresh);
    if ((*row)[MARK_total] == 0)
        sketches->used[sketches->used_count++] = s->sketch_index;
    *row = (*row & ~is_less) | (is_less & s->sketch_rank);
}

static inline void count_source(struct tally *t, struct source *s, unsigned slot, unsigned kind,
                                unsigned marks)
{
    if (s->serial != t->open.newest)
        source_catch_up(s, &t->open);
    s->kinds_ever |= (uint16_t)(1u << kind);
    unsigned fresh = marks & ~(unsigned)s->marks[slot];
    if (fresh)
        source_mark(&t->slots[slot], s, slot, fresh);
}

/* Counts the pair's packet; returns whether it is its first in the window. */
static inline bool count_pair(struct tally *t, struct pair *p, unsigned slot, bool is_scan)
{
    if (p->serial != t->open.newest) {
        p->windows &= (uint8_t)~serials_since(&t->open, p->serial);
        p->serial = t->open.newest;
        p->shown = 0;
    }
    bool is_new = !(p->windows >> slot & 1);
    p->windows |= (uint8_t)(1u << slot);
    p->key |= (uint64_t)(is_scan ? PAIR_IS_SCAN : 0) << PAIR_TOP;
    return is_new;
}

/* Finds the pair of a source or adds it. */
static struct pair *find_pair(struct tally *t, struct source_table *shard, uint64_t key,
                              uint32_t number)
{
    struct pair *p = pair_search(shard, key);
    if (p->serial == 0) {
        t->port_sources[pair_is_udp(key) ? PORT_PROTO_UDP : PORT_PROTO_TCP][pair_port(key)]++;
        pair_set_source(p, number);
    }
    return p;
}

/* ---- probes ---- */

/* A stage: probes of one shard and one window. */
struct probes {
    struct source_table *shard;
    unsigned slot;
    unsigned count, fresh_count, strange_count;
    uint32_t groups;        /* of the shard's pairs; with another number the pointers are void */
    uint8_t fresh[STAGE];   /* those whose pair has not shown all this in this window before */
    uint8_t strange[STAGE]; /* those whose pair is not at home: new, or to be searched for */
    const struct observation *o[STAGE];
    uint64_t hash[STAGE];
    uint16_t marks[STAGE];
    uint16_t tools[STAGE];
    uint64_t key[STAGE];
    struct pair *pair[STAGE]; /* first its home, then itself */
};

static_assert(BATCH_MAX <= 256 && MARK_COUNT <= 16, "a set of marks fits 16 bits");

/* Counts a probe and brings its pair in. */
static inline void probe_add(struct tally *t, struct probes *p,
                             const struct observation *o, uint64_t hash, enum probe probe)
{
    struct tally_slot *ts = &t->slots[p->slot];
    unsigned proto = probe == PROBE_tcp ? PORT_PROTO_TCP : PORT_PROTO_UDP, k = p->count++;
    uint32_t tools = probe_tools(o, probe);
    uint32_t marks = probe_marks(t->rules, proto, o->dst_port, tools);
    uint64_t key = pair_key(address4(o->src), false, proto == PORT_PROTO_UDP, o->dst_port);
    struct pair *home = pair_home(p->shard, key);

    __builtin_prefetch(home, 1);
    __builtin_prefetch(&ts->rows[proto].at[o->dst_port], 1);
    p->o[k] = o;
    p->hash[k] = hash;
    p->marks[k] = (uint16_t)marks;
    p->tools[k] = (uint16_t)tools;
    p->key[k] = key;
    p->pair[k] = home;
    ts->marks[marks]++;
    address_set_add(t->destinations, o->dst, 4);
}

/* Whether the pair has shown all that this probe shows in this window before. */
static inline bool pair_has_shown(const struct pair *p, uint32_t serial, unsigned slot,
                                  uint32_t tools)
{
    uint32_t other = (p->serial ^ serial) | (((uint32_t)(p->key >> PAIR_TOP) ^ slot) & PAIR_SLOT);
    return (other | ((PAIR_PROBED | tools) & ~(uint32_t)p->shown)) == 0;
}

/* Pairs have moved since the stage began. */
static __attribute__((noinline)) void probes_again(struct probes *p)
{
    for (unsigned k = 0; k < p->count; k++)
        p->pair[k] = pair_home(p->shard, p->key[k]);
    p->groups = p->shard->pair_groups;
}

/* Adds each to its port, picks out those that need more and brings in what they need. */
static inline void probes_count(struct tally *t, struct probes *p)
{
    const unsigned slot = p->slot;
    struct tally_slot *ts = &t->slots[slot];
    const uint32_t serial = t->open.newest;
    int64_t first_ns = ts->window->totals.first_ns, last_ns = ts->window->totals.last_ns;

    if (p->groups != p->shard->pair_groups)
        probes_again(p);
    p->fresh_count = p->strange_count = 0;
    for (unsigned k = 0; k < p->count; k++) {
        const struct observation *o = p->o[k];
        unsigned match = pairs_matching(p->pair[k], p->key[k]);
        struct pair *pair = pair_of(p->pair[k], match | 16);
        p->pair[k] = pair;
        p->strange[p->strange_count] = p->fresh[p->fresh_count] = (uint8_t)k;
        p->strange_count += match == 0;
        p->fresh_count += match != 0 && !pair_has_shown(pair, serial, slot, p->tools[k]);

        unsigned proto = pair_is_udp(p->key[k]) ? PORT_PROTO_UDP : PORT_PROTO_TCP;
        struct rows *rows = &ts->rows[proto];
        struct row *row = &rows->at[o->dst_port];
        if (row->packets == 0)
            rows->used[rows->used_count++] = o->dst_port;
        row->packets++;
        row->bytes += o->wire_len;
        first_ns = o->ts_ns < first_ns ? o->ts_ns : first_ns;
        last_ns = o->ts_ns > last_ns ? o->ts_ns : last_ns;
    }
    ts->window->totals.first_ns = first_ns;
    ts->window->totals.last_ns = last_ns;
    ts->undrained += p->count;
    for (unsigned i = 0; i < p->fresh_count; i++) {
        unsigned k = p->fresh[i];
        uint32_t number = pair_source(p->pair[k]);
        if (number != PAIR_NO_SOURCE)
            __builtin_prefetch(source_at(p->shard, number), 1);
    }
    for (unsigned i = 0; i < p->strange_count; i++) {
        uint64_t hash = p->hash[p->strange[i]];
        source_prefetch_slot(p->shard, hash);
    }
}

/* What a probe of a known source and pair shows that is new. */
static inline void probe_show(struct tally *t, const struct probes *p, unsigned k,
                              struct source *source, struct pair *pair)
{
    const unsigned slot = p->slot;
    bool is_udp = pair_is_udp(p->key[k]);
    count_source(t, source, slot, is_udp ? KIND_udp : KIND_tcp_syn, p->marks[k]);
    bool is_new = count_pair(t, pair, slot, true);
    if ((pair->key >> PAIR_TOP & PAIR_SLOT) != slot) {
        pair_set_slot(pair, slot);
        pair->shown = 0;
    }
    pair->shown |= (uint8_t)(PAIR_PROBED | p->tools[k]);
    struct rows *rows = &t->slots[slot].rows[is_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP];
    rows->at[pair_port(p->key[k])].sources += is_new;
}

/* Those whose pair is known. */
static inline void probes_show(struct tally *t, struct probes *p)
{
    for (unsigned i = 0; i < p->fresh_count; i++) {
        unsigned k = p->fresh[i];
        uint32_t number = pair_source(p->pair[k]);
        if (__builtin_expect(number != PAIR_NO_SOURCE, 1))
            probe_show(t, p, k, source_at(p->shard, number), p->pair[k]);
        else
            p->strange[p->strange_count++] = (uint8_t)k;
    }
}

/* Those whose pair is to be searched for; new ones may move pairs. */
static __attribute__((noinline)) void probes_search(struct tally *t, struct probes *p)
{
    uint32_t guess[STAGE];

    for (unsigned i = 0; i < p->strange_count; i++) {
        uint64_t hash = p->hash[p->strange[i]];
        guess[i] = source_guess(p->shard, hash);
    }
    for (unsigned i = 0; i < p->strange_count; i++) {
        unsigned k = p->strange[i];
        uint32_t number = source_find(p->shard, p->hash[k], guess[i], p->o[k]);
        struct pair *pair = find_pair(t, p->shard, p->key[k], number);
        probe_show(t, p, k, source_at(p->shard, number), pair);
    }
}

static inline void probes_finish(struct tally *t, struct probes *p)
{
    if (p->groups != p->shard->pair_groups) { /* what was found has moved */
        memcpy(&p->strange[p->strange_count], p->fresh, p->fresh_count);
        p->strange_count += p->fresh_count;
        p->fresh_count = 0;
    }
    probes_show(t, p);
    if (p->strange_count > 0)
        probes_search(t, p);
}

/* ---- everything else ---- */

/* Counts that need no source. */
static inline void count_packet(struct tally_slot *ts, const struct observation *o,
                                const struct label *label)
{
    struct window *w = ts->window;
    ts->headers[header_set(o)]++;
    ts->marks[label->marks]++;
    ts->snapped += (o->state & OBSERVATION_SNAPPED) != 0;
    if (w->totals.first_ns > o->ts_ns)
        w->totals.first_ns = o->ts_ns;
    if (w->totals.last_ns < o->ts_ns)
        w->totals.last_ns = o->ts_ns;
    w->kinds[label->kind].packets++;
    w->kinds[label->kind].bytes += o->wire_len;
}

static inline void count_port(struct tally *t, struct source_table *shard, uint32_t number,
                              const struct observation *o, bool is_scan)
{
    const struct source *s = source_at(shard, number);
    unsigned proto = o->ip_proto == IPPROTO_NR_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP;
    uint64_t key = pair_key(s->id, s->kinds_ever & SOURCE_IS_IPV6, proto == PORT_PROTO_UDP,
                            o->dst_port);
    bool is_new = count_pair(t, find_pair(t, shard, key, number), o->slot, is_scan);
    struct port_count *row = window_port(t->slots[o->slot].window, proto, o->dst_port);
    row->packets++;
    row->bytes += o->wire_len;
    row->syn += proto == PORT_PROTO_TCP && is_syn(o);
    row->scan += is_scan;
    row->scan_bytes += is_scan ? o->wire_len : 0;
    row->sources.low += is_new;
}

/* The packets of a batch that are no probes. */
static void others_count(struct tally *t, const struct batch *b, const uint8_t *at, unsigned count)
{
    struct source_table *shard = &t->shards[b->shard];
    uint32_t guess[OTHERS];

    for (unsigned i = 0; i < count; i++)
        source_prefetch_slot(shard, b->hash[at[i]]);
    for (unsigned i = 0; i < count; i++) {
        const struct observation *o = &b->at[at[i]];
        guess[i] = source_guess(shard, b->hash[at[i]]);
        if (o->state & OBSERVATION_PORTS) {
            bool is_udp = o->ip_proto != IPPROTO_NR_TCP;
            uint64_t key = pair_key(address4(o->src), false, is_udp, o->dst_port);
            __builtin_prefetch(pair_home(shard, key), 1); /* of IPv4 */
            __builtin_prefetch(&t->slots[o->slot].window->ports[is_udp][o->dst_port], 1);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        const struct observation *o = &b->at[at[i]];
        struct label label;
        classify_batch(t->rules, t->telescope, o, 1, &label);
        count_packet(&t->slots[o->slot], o, &label);
        if (!(o->state & OBSERVATION_IP))
            continue;
        uint32_t number = source_find(shard, b->hash[at[i]], guess[i], o);
        count_source(t, source_at(shard, number), o->slot, label.kind, label.marks);
        address_set_add(t->destinations, o->dst, o->ip_version);
        if (o->state & OBSERVATION_PORTS)
            count_port(t, shard, number, o, kind_is_scan(label.kind));
    }
}

/* ---- batches ---- */

/* Observations of a batch, by their places. */
struct places {
    unsigned count;
    uint8_t at[BATCH_MAX];
};

/* The next stage: the next probes of this window. Probes of other windows are left for another pass. */
static inline __attribute__((always_inline)) unsigned stage_fill(
    struct tally *t, const struct prefix_set *telescope, const struct batch *b, unsigned slot,
    const struct places *todo, unsigned from, struct probes *p, struct places *left,
    struct places *others)
{
    p->slot = slot;
    p->shard = &t->shards[b->shard];
    p->count = 0;
    p->groups = p->shard->pair_groups;
    for (; from < todo->count && p->count < STAGE; from++) {
        unsigned at = todo->at[from];
        const struct observation *o = &b->at[at];
        __builtin_prefetch((const char *)(o + READ_AHEAD));
        __builtin_prefetch((const char *)(o + READ_AHEAD) + 64);
        enum probe probe = probe_of(o);
        if (probe == PROBE_none || (telescope && !prefix_set_holds(telescope, o->dst, 4)))
            others->at[others->count++] = (uint8_t)at;
        else if (o->slot != slot)
            left->at[left->count++] = (uint8_t)at;
        else
            probe_add(t, p, o, b->hash[at], probe);
    }
    return from;
}

/* One window's probes, in three stages at once. */
static inline __attribute__((always_inline)) void window_pass(
    struct tally *t, const struct prefix_set *telescope, const struct batch *b, unsigned slot,
    const struct places *todo, struct places *left, struct places *others)
{
    struct probes stages[STAGES];
    struct probes *fill = &stages[0], *count = &stages[1], *finish = &stages[2];

    count->count = finish->count = 0;
    for (unsigned from = 0; from < todo->count || count->count || finish->count;) {
        from = stage_fill(t, telescope, b, slot, todo, from, fill, left, others);
        if (count->count)
            probes_count(t, count);
        if (finish->count)
            probes_finish(t, finish);
        struct probes *free = finish;
        finish = count, count = fill, fill = free;
    }
}

/* One instance with and one without a telescope, so that the loop asks for none. */
static inline __attribute__((always_inline)) void batch_count(struct tally *t,
                                                              const struct prefix_set *telescope,
                                                              const struct batch *b)
{
    struct places todo, left, others = {.count = 0};

    todo.count = b->count;
    for (unsigned i = 0; i < BATCH_MAX; i++)
        todo.at[i] = (uint8_t)i;
    while (todo.count > 0) {
        left.count = 0;
        window_pass(t, telescope, b, b->at[todo.at[0]].slot, &todo, &left, &others);
        todo.count = left.count;
        memcpy(todo.at, left.at, left.count);
    }
    for (unsigned from = 0; from < others.count; from += OTHERS) {
        unsigned count = others.count - from < OTHERS ? others.count - from : OTHERS;
        others_count(t, b, others.at + from, count);
    }
}

void tally_batch(struct tally *t, const struct batch *b)
{
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        if (t->slots[i].undrained > UNDRAINED_MAX)
            tally_rows_drain(&t->slots[i]);
    if (t->telescope)
        batch_count(t, t->telescope, b);
    else
        batch_count(t, NULL, b);
}
