#include "core/day_pack.h"

#include "core/key_set.h"
#include "core/memory.h"
#include "core/source_reach.h"
#include "core/tally_state.h"

#include <stdlib.h>

/* A source with rows: the places of its rows in `order`. */
struct sheaf_source {
    uint32_t number, from, to;
};

/* All rows of a shard's day, by source. */
struct sheaf {
    struct day_row *rows;
    uint32_t count, room;
    uint32_t *order;              /* of rows, by source */
    struct sheaf_source *sources; /* by address */
    uint32_t source_count;
};

static const uint64_t PAIR_COUNTS = ~UINT64_C(0) << PAIR_COMBO;

/* Room for so many more. */
static void rows_grow(struct sheaf *s, uint32_t more)
{
    s->room += more;
    s->rows = memory_must(realloc(s->rows, (size_t)s->room * sizeof *s->rows));
}

/* What a pair counts becomes a row. */
static void pair_gather(struct sheaf *s, const struct tally *t, const struct source_table *shard,
                        const struct day_aside *aside, struct pair *pair)
{
    if (__builtin_expect((pair->state & PAIR_COUNTS) == 0, 1))
        return;
    if (aside && !pair_is_aside(aside, pair, t->open.newest))
        return;
    if (s->count == s->room)
        rows_grow(s, s->room);
    s->rows[s->count++] = day_row_of_pair(t, pair, pair_source_number(shard, pair));
    pair->state &= ~PAIR_COUNTS;
}

/* Few pairs are looked up, many are found by looking at all, once: at 10 million sources that is half a second's packets. */
static void rows_gather(struct sheaf *s, const struct tally *t, struct source_table *shard,
                        struct day_rows *rows, struct begun_pairs *begun,
                        const struct day_aside *aside)
{
    uint32_t moved = aside ? aside->count : 0;
    rows_grow(s, rows->count + moved + (begun ? begun->count : 0) + 1024);
    if (begun && begun->is_over) {
        for (size_t i = 0; i < (size_t)shard->pair_groups * GROUP; i++)
            pair_gather(s, t, shard, aside, &shard->pairs[i]);
    } else if (begun) {
        enum { AHEAD = 16 };
        for (uint32_t i = 0; i < begun->count; i++) {
            if (i + AHEAD < begun->count)
                __builtin_prefetch(pair_home(shard, begun->names[i + AHEAD]), 1);
            struct pair *pair = pair_look_up(shard, begun->names[i]);
            if (pair)
                pair_gather(s, t, shard, aside, pair);
        }
    }
    if (s->room - s->count < rows->count + moved)
        rows_grow(s, rows->count + moved);
    if (rows->count > 0)
        memcpy(s->rows + s->count, rows->at, rows->count * sizeof *rows->at);
    s->count += rows->count;
    if (moved > 0)
        memcpy(s->rows + s->count, aside->rows, moved * sizeof *aside->rows);
    s->count += moved;
    day_rows_fini(rows);
    if (begun)
        begun_pairs_fini(begun);
}

/* Counting sort by source. */
static void order_many(struct sheaf *s, uint32_t source_count)
{
    uint32_t *to = memory_must(calloc(source_count + 1, sizeof *to));
    for (uint32_t i = 0; i < s->count; i++)
        to[s->rows[i].source + 1]++;
    for (uint32_t number = 0; number < source_count; number++)
        to[number + 1] += to[number];
    for (uint32_t i = 0; i < s->count; i++)
        s->order[to[s->rows[i].source]++] = i;
    free(to);
}

static int compare_sources(const void *a, const void *b, void *rows)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint32_t source_x = ((const struct day_row *)rows)[x].source;
    uint32_t source_y = ((const struct day_row *)rows)[y].source;
    return source_x != source_y ? (source_x < source_y ? -1 : 1) : (x < y ? -1 : x > y);
}

static void rows_by_source(struct sheaf *s, uint32_t source_count)
{
    enum {
        FEW = 16
    }; /* rows sort faster by themselves than an array of so many sources is cleared */
    s->order = memory_must(malloc((s->count + 1) * sizeof *s->order));
    if (s->count > source_count / FEW) {
        order_many(s, source_count);
    } else {
        for (uint32_t i = 0; i < s->count; i++)
            s->order[i] = i;
        qsort_r(s->order, s->count, sizeof *s->order, compare_sources, s->rows);
    }
    uint32_t most = s->count < source_count ? s->count : source_count;
    s->sources = memory_must(malloc((most + 1) * sizeof *s->sources));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t number = s->rows[s->order[i]].source;
        struct sheaf_source *last = &s->sources[s->source_count - (s->source_count > 0)];
        if (s->source_count == 0 || last->number != number)
            s->sources[s->source_count++] = (struct sheaf_source){number, i, i + 1};
        else
            last->to = i + 1;
    }
}

struct address_key {
    uint32_t address4, place; /* among the sources */
};

static int compare_addresses4(const void *a, const void *b)
{
    uint32_t x = ((const struct address_key *)a)->address4;
    uint32_t y = ((const struct address_key *)b)->address4;
    return x < y ? -1 : x > y;
}

/* IPv4 by three passes of 11 bits (LSD radix sort); few by comparing. */
static void sort_addresses4(struct address_key *keys, uint32_t count)
{
    enum { BITS = 11, BUCKETS = 1 << BITS, FEW = 256 };
    if (count < FEW) {
        qsort(keys, count, sizeof *keys, compare_addresses4);
        return;
    }
    struct address_key *other = memory_must(malloc((count + 1) * sizeof *other));
    struct address_key *from = keys, *to = other;
    for (unsigned shift = 0; shift < 33; shift += BITS) {
        uint32_t at[BUCKETS] = {0};
        for (uint32_t i = 0; i < count; i++)
            at[from[i].address4 >> shift & (BUCKETS - 1)]++;
        uint32_t sum = 0;
        for (unsigned k = 0; k < BUCKETS; k++) {
            uint32_t size = at[k];
            at[k] = sum;
            sum += size;
        }
        for (uint32_t i = 0; i < count; i++)
            to[at[from[i].address4 >> shift & (BUCKETS - 1)]++] = from[i];
        struct address_key *t = from;
        from = to, to = t;
    }
    memcpy(keys, from, from == keys ? 0 : count * sizeof *keys);
    free(other);
}

static int compare_addresses6(const void *a, const void *b, void *shard)
{
    const struct source_table *t = shard;
    uint8_t x[16], y[16];
    source_address(t, source_at(t, ((const struct sheaf_source *)a)->number), x);
    source_address(t, source_at(t, ((const struct sheaf_source *)b)->number), y);
    return memcmp(x, y, sizeof x);
}

/* IPv4 before IPv6. */
static void sources_by_address(struct sheaf *s, struct source_table *shard)
{
    struct address_key *keys = memory_must(malloc((s->source_count + 1) * sizeof *keys));
    struct sheaf_source *sorted = memory_must(malloc((s->source_count + 1) * sizeof *sorted));
    uint32_t count4 = 0, at = 0;
    for (uint32_t i = 0; i < s->source_count; i++) {
        const struct source *source = source_at(shard, s->sources[i].number);
        if (!(source->kinds_ever & SOURCE_IS_IPV6))
            keys[count4++] = (struct address_key){__builtin_bswap32(source->id), i};
    }
    sort_addresses4(keys, count4);
    for (; at < count4; at++)
        sorted[at] = s->sources[keys[at].place];
    for (uint32_t i = 0; i < s->source_count && at < s->source_count; i++)
        if (source_at(shard, s->sources[i].number)->kinds_ever & SOURCE_IS_IPV6)
            sorted[at++] = s->sources[i];
    qsort_r(sorted + count4, s->source_count - count4, sizeof *sorted, compare_addresses6, shard);
    free(s->sources);
    s->sources = sorted;
    free(keys);
}

/* Room for the rows of one source day. */
struct room {
    struct source_day_port *ports;
    struct source_day_evidence *evidence;
    size_t size;
};

static void add_port(struct source_day *d, const struct day_row *r)
{
    if (r->notes & (DAY_ROW_NO_PORT | DAY_ROW_PORT_GIVEN_UP))
        d->unlisted_ports += r->packets;
    else
        d->ports[d->port_count++] = (struct source_day_port){r->kind, r->port, r->packets};
}

/* A packet with evidence: perhaps the last one. */
static void add_last(struct source_day *d, int64_t ns, uint32_t ports, unsigned proto)
{
    uint64_t last = (uint64_t)d->evidence_src_port << 24 | (uint64_t)d->evidence_dst_port << 8 |
                    d->evidence_proto;
    if (ns < d->evidence_ns || (ns == d->evidence_ns && ((uint64_t)ports << 8 | proto) <= last))
        return;
    d->evidence_proto = (uint8_t)proto;
    d->evidence_ns = ns;
    d->evidence_src_port = (uint16_t)(ports >> 16);
    d->evidence_dst_port = (uint16_t)ports;
}

static unsigned evidence_proto(const struct day_row *r)
{
    return r->kind == KIND_udp ? SOURCE_DAY_UDP : SOURCE_DAY_TCP;
}

/* Of evidence that no rule is known of any more. */
static void add_unlisted_evidence(struct source_day *d, const struct day_row *r)
{
    d->unlisted_evidence += r->packets;
    if (r->first_ns <= r->last_ns)
        add_last(d, r->last_ns, (uint32_t)r->src_port << 16 | r->last_port, evidence_proto(r));
}

/* Returns whether it is what no survey scanner shows. */
static bool add_evidence(const struct tally *t, struct source_day *d, const struct day_row *r)
{
    bool is_bot = r->rule == RULE_NONE && r->kind == KIND_tcp_syn && r->tools >> TOOL_mirai & 1;
    if (r->notes & DAY_ROW_RULE_GIVEN_UP) {
        add_unlisted_evidence(d, r);
        return false;
    }
    if (r->rule == RULE_NONE && !is_bot)
        return false;
    d->evidence[d->evidence_count++] = (struct source_day_evidence){
        .rule = is_bot ? tool_name(TOOL_mirai) : t->rules->rules[r->rule].id,
        .evidence = is_bot ? EVIDENCE_bot : EVIDENCE_payload,
        .kind = r->kind,
        .port = r->port,
        .packets = r->packets,
    };
    if (r->first_ns <= r->last_ns)
        add_last(d, r->last_ns, (uint32_t)r->src_port << 16 | r->port, evidence_proto(r));
    return is_bot || t->rules->rules[r->rule].is_exploit;
}

/* Likewise. */
static bool add_row(const struct tally *t, struct source_day *d, const struct day_row *r)
{
    d->first_ns = r->first_ns < d->first_ns ? r->first_ns : d->first_ns;
    d->last_ns = r->last_ns > d->last_ns ? r->last_ns : d->last_ns;
    d->kinds[r->kind].packets += r->packets;
    d->kinds[r->kind].bytes += r->bytes;
    for (unsigned left = r->tools; left; left &= left - 1)
        d->tools[__builtin_ctz(left)] += r->packets;
    for (unsigned note = 0; note < NOTE_COUNT; note++)
        d->notes[note] += r->notes >> note & 1 ? r->packets : 0;
    if (!kind_is_scan(r->kind))
        return false;
    add_port(d, r);
    return add_evidence(t, d, r);
}

static int compare_ports(const void *a, const void *b) { return source_day_port_order(a, b); }
static int compare_evidence(const void *a, const void *b)
{
    return source_day_evidence_order(a, b);
}

/* Sorts the rows and adds up those that are alike. */
static void rows_unite(struct source_day *d)
{
    size_t count = 0;
    if (d->port_count > 1)
        qsort(d->ports, d->port_count, sizeof *d->ports, compare_ports);
    for (size_t i = 0; i < d->port_count; i++)
        if (count > 0 && source_day_port_order(&d->ports[count - 1], &d->ports[i]) == 0)
            d->ports[count - 1].packets += d->ports[i].packets;
        else
            d->ports[count++] = d->ports[i];
    d->port_count = count;
    if (d->evidence_count > 1)
        qsort(d->evidence, d->evidence_count, sizeof *d->evidence, compare_evidence);
    count = 0;
    for (size_t i = 0; i < d->evidence_count; i++)
        if (count > 0 && source_day_evidence_order(&d->evidence[count - 1], &d->evidence[i]) == 0)
            d->evidence[count - 1].packets += d->evidence[i].packets;
        else
            d->evidence[count++] = d->evidence[i];
    d->evidence_count = count;
}

/* Of what is counted in pairs; what lies behind it is none of this. */
static void add_times(struct source_day *d, const struct source_table *shard, uint32_t number,
                      int64_t end_ns)
{
    struct source_times *times = &shard->times[number];
    if (times->last_ns >= end_ns)
        return;
    d->first_ns = times->first_ns < d->first_ns ? times->first_ns : d->first_ns;
    d->last_ns = times->last_ns > d->last_ns ? times->last_ns : d->last_ns;
    *times = (struct source_times){INT64_MAX, INT64_MIN};
    if (shard->lasts && shard->lasts[number].ports != 0) {
        add_last(d, shard->lasts[number].ns, shard->lasts[number].ports,
                 shard->lasts[number].proto);
        shard->lasts[number].ports = 0;
    }
}

/* What a shard's day is packed with. */
struct packing {
    struct day_given_up *given_up;
    const struct tally *t;
    struct source_table *table;
    unsigned shard;
    int32_t date;
    bool is_current, is_live;
    const struct day_aside *aside; /* NULL: nothing is */
    struct sheaf sheaf;
    struct room room;
};

/* Times of a source that were moved. */
static void moved_take(struct source_day *d, const struct day_row *r)
{
    d->first_ns = r->first_ns < d->first_ns ? r->first_ns : d->first_ns;
    d->last_ns = r->last_ns > d->last_ns ? r->last_ns : d->last_ns;
    uint32_t ports = (uint32_t)r->src_port << 16 | r->last_port;
    if (ports != 0) /* of its last evidence */
        add_last(d, r->last_ns, ports, evidence_proto(r));
}

/* What a replay says at its end: live has no end, and so would only grow. */
static void shown_take(struct packing *p, const struct day_row *r)
{
    struct key_set *shown = &p->t->shown[p->shard];
    if (p->is_live || r->rule == RULE_NONE || !kind_is_scan(r->kind) ||
        r->notes & DAY_ROW_RULE_GIVEN_UP)
        return;
    if (key_set_reserve(shown, 1) < 0)
        memory_ended();
    key_set_add(shown, shown_key(r->source, r->rule));
}

static bool row_take(struct packing *p, struct source_day *d, const struct day_row *r)
{
    if (r->packets == 0) {
        moved_take(d, r);
        return false;
    }
    shown_take(p, r);
    p->given_up->ports += r->notes & DAY_ROW_PORT_GIVEN_UP ? r->packets : 0;
    p->given_up->rules += r->notes & DAY_ROW_RULE_GIVEN_UP ? r->packets : 0;
    return add_row(p->t, d, r);
}

/* What the memory cap goes by when the day is in the journal (core/tally_cap.c). */
static void packed_add(struct source_table *table, uint32_t number, const struct source_day *d)
{
    uint64_t packets = source_day_packets(d);
    if (!table->packed)
        source_packed_make(table);
    uint32_t *sum = &table->packed[number];
    *sum = packets < UINT32_MAX - *sum ? *sum + (uint32_t)packets : UINT32_MAX;
}

/* The day of one source; returns whether it showed what no survey scanner shows. */
static bool source_fill(struct packing *p, const struct sheaf_source *of, struct source_day *d)
{
    struct room *room = &p->room;
    uint32_t number = of->number, from = of->from, to = of->to;
    bool is_attacker = false;
    if (to - from > room->size) {
        room->size = to - from;
        room->ports = memory_must(realloc(room->ports, room->size * sizeof *room->ports));
        room->evidence = memory_must(realloc(room->evidence, room->size * sizeof *room->evidence));
    }
    *d = (struct source_day){
        .date = p->date,
        .first_ns = INT64_MAX,
        .last_ns = INT64_MIN,
        .evidence_ns = INT64_MIN,
        .ports = room->ports,
        .evidence = room->evidence,
    };
    d->ip_version = (uint8_t)source_address(p->table, source_at(p->table, number), d->address);
    for (uint32_t i = from; i < to; i++)
        is_attacker |= row_take(p, d, &p->sheaf.rows[p->sheaf.order[i]]);
    if (p->is_current)
        add_times(d, p->table, number, p->aside ? p->aside->end_ns : INT64_MAX);
    rows_unite(d);
    if (p->t->reach)
        source_reach_take(p->t->reach, p->shard, d);
    return is_attacker;
}

/* Sources in the order of addresses lie all over the shard: what the one so far ahead needs is asked for, in two steps. Always
 * inline: a compiler drops calls of what does nothing but ask for memory. */
static inline __attribute__((always_inline)) void source_prefetch(const struct packing *p,
                                                                  uint32_t i)
{
    enum { FAR = 24, NEAR = 12, AT_MOST = 8 };
    const struct sheaf *s = &p->sheaf;
    if (i + FAR < s->source_count)
        __builtin_prefetch(&s->order[s->sources[i + FAR].from]);
    if (i + NEAR >= s->source_count)
        return;
    const struct sheaf_source *near = &s->sources[i + NEAR];
    for (uint32_t k = near->from; k < near->to && k < near->from + AT_MOST; k++) {
        const struct day_row *row = &s->rows[s->order[k]];
        __builtin_prefetch(row);
        __builtin_prefetch((const char *)(row + 1) - 1);
    }
    __builtin_prefetch(source_at(p->table, near->number));
    if (p->is_current)
        __builtin_prefetch(&p->table->times[near->number], 1);
    if (p->table->lasts)
        __builtin_prefetch(&p->table->lasts[near->number], 1);
    if (p->table->packed)
        __builtin_prefetch(&p->table->packed[near->number], 1);
}

/* Of rows and of what `begun` names, where it is the current day's. */
static int pack(struct packing *p, struct day_rows *rows, struct begun_pairs *begun,
                struct survey_judge *judge, source_day_take take, void *context)
{
    struct sheaf *s = &p->sheaf;
    int err = 0;

    bool has_pairs = p->is_current && (begun->count > 0 || begun->is_over);
    if (rows->count == 0 && !has_pairs && !(p->aside && p->aside->count > 0))
        return 0;
    rows_gather(s, p->t, p->table, rows, has_pairs ? begun : NULL, p->aside);
    rows_by_source(s, p->table->source_count);
    sources_by_address(s, p->table);
    for (uint32_t i = 0; i < s->source_count && err == 0; i++) {
        struct source_day d;
        source_prefetch(p, i);
        bool is_attacker = source_fill(p, &s->sources[i], &d);
        if (p->is_live)
            packed_add(p->table, s->sources[i].number, &d);
        if (judge)
            survey_judge_take(judge, s->sources[i].number, &d, is_attacker);
        err = take(context, &d);
    }
    free(s->rows);
    free(s->order);
    free(s->sources);
    free(p->room.ports);
    free(p->room.evidence);
    return err;
}

int day_pack(const struct tally *t, struct tally_day *day, unsigned shard, bool is_current,
             struct survey_judge *judge, struct day_given_up *given_up, source_day_take take,
             void *context)
{
    struct packing p = {
        .given_up = given_up,
        .t = t,
        .table = (struct source_table *)&t->shards[shard],
        .date = day->of.date,
        .shard = shard,
        .is_current = is_current,
    };
    return pack(&p, &day->rows[shard], (struct begun_pairs *)&t->begun[shard], judge, take,
                context);
}

int day_pack_aside(struct tally *t, int32_t date, unsigned shard, struct day_rows *rows,
                   bool is_current, struct day_given_up *given_up, source_day_take take,
                   void *context)
{
    struct packing p = {
        .given_up = given_up,
        .t = t,
        .table = &t->shards[shard],
        .shard = shard,
        .date = date,
        .is_current = is_current,
        .is_live = true,
        .aside = is_current ? &t->asides[shard] : NULL,
    };
    int err = pack(&p, rows, &t->asides[shard].begun, NULL, take, context);
    if (is_current)
        day_aside_fini(t, shard);
    return err;
}
