#include "core/day_pack.h"

#include "core/memory.h"
#include "core/tally_state.h"

#include <stdlib.h>

/* All rows of a shard's day, and where those of each source begin. */
struct sheaf {
    struct day_row *rows;
    uint32_t count;
    uint32_t *from;    /* by source number, one more than there are: its first place in `order` */
    uint32_t *order;   /* rows by source */
    uint32_t *sources; /* numbers of sources with rows, by address */
    uint32_t source_count;
};

static void rows_gather(struct sheaf *s, const struct tally *t, struct source_table *shard,
                        struct day_rows *rows, bool is_current)
{
    const uint64_t is_counted = ~UINT64_C(0) << PAIR_COMBO;
    size_t places = is_current ? (size_t)shard->pair_groups * GROUP : 0;
    uint32_t counted = 0;
    for (size_t i = 0; i < places; i++)
        counted += (shard->pairs[i].state & is_counted) != 0;
    s->rows = memory_must(malloc((rows->count + counted + 1) * sizeof *s->rows));
    for (size_t i = 0; i < places; i++) {
        struct pair *pair = &shard->pairs[i];
        if ((pair->state & is_counted) == 0)
            continue;
        uint32_t number = pair_source_number(shard, pair);
        s->rows[s->count++] = day_row_of_pair(t, pair, number);
        pair->state &= ~is_counted;
    }
    if (rows->count > 0)
        memcpy(s->rows + s->count, rows->at, rows->count * sizeof *rows->at);
    s->count += rows->count;
    day_rows_fini(rows);
}

/* Counting sort by source. */
static void rows_by_source(struct sheaf *s, uint32_t source_count)
{
    s->from = memory_must(calloc(source_count + 2, sizeof *s->from));
    s->order = memory_must(malloc((s->count + 1) * sizeof *s->order));
    s->sources = memory_must(malloc((source_count + 1) * sizeof *s->sources));
    uint32_t *end = s->from + 1; /* while it is filled: where a source's next row goes */
    for (uint32_t i = 0; i < s->count; i++)
        end[s->rows[i].source + 1]++;
    for (uint32_t number = 0; number < source_count; number++) {
        if (end[number + 1] > 0)
            s->sources[s->source_count++] = number;
        end[number + 1] += end[number];
    }
    for (uint32_t i = 0; i < s->count; i++)
        s->order[end[s->rows[i].source]++] = i;
}

struct address_key {
    uint32_t address4, number;
};

static int compare_addresses4(const void *a, const void *b)
{
    const struct address_key *x = a, *y = b;
    return x->address4 < y->address4 ? -1 : x->address4 > y->address4;
}

/* IPv4 by three passes of 11 bits (LSD radix sort). A quiet day has few in each shard, and the buckets would cost
 * more than they do. */
static void sort_addresses4(struct address_key *keys, uint32_t count)
{
    enum { BITS = 11, BUCKETS = 1 << BITS, FEW = BUCKETS / 8 };
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
    source_address(t, source_at(t, *(const uint32_t *)a), x);
    source_address(t, source_at(t, *(const uint32_t *)b), y);
    return memcmp(x, y, sizeof x);
}

/* IPv4 before IPv6. */
static void sources_by_address(struct sheaf *s, struct source_table *shard)
{
    struct address_key *keys = memory_must(malloc((s->source_count + 1) * sizeof *keys));
    uint32_t count4 = 0, count6 = 0;
    for (uint32_t i = 0; i < s->source_count; i++) {
        uint32_t number = s->sources[i];
        const struct source *source = source_at(shard, number);
        if (source->kinds_ever & SOURCE_IS_IPV6)
            s->sources[count6++] = number; /* never ahead of i */
        else
            keys[count4++] = (struct address_key){__builtin_bswap32(source->id), number};
    }
    sort_addresses4(keys, count4);
    memmove(s->sources + count4, s->sources, count6 * sizeof *s->sources);
    for (uint32_t i = 0; i < count4; i++)
        s->sources[i] = keys[i].number;
    qsort_r(s->sources + count4, count6, sizeof *s->sources, compare_addresses6, shard);
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
static void add_last(struct source_day *d, int64_t ns, uint32_t ports)
{
    uint32_t last = (uint32_t)d->evidence_src_port << 16 | d->evidence_dst_port;
    if (ns < d->evidence_ns || (ns == d->evidence_ns && ports <= last))
        return;
    d->evidence_ns = ns;
    d->evidence_src_port = (uint16_t)(ports >> 16);
    d->evidence_dst_port = (uint16_t)ports;
}

/* Of evidence that no rule is known of any more. */
static void add_unlisted_evidence(struct source_day *d, const struct day_row *r)
{
    d->unlisted_evidence += r->packets;
    if (r->first_ns <= r->last_ns)
        add_last(d, r->last_ns, (uint32_t)r->src_port << 16 | r->last_port);
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
        add_last(d, r->last_ns, (uint32_t)r->src_port << 16 | r->port);
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

/* Of what is counted in pairs. */
static void add_times(struct source_day *d, const struct source_table *shard, uint32_t number)
{
    struct source_times *times = &shard->times[number];
    d->first_ns = times->first_ns < d->first_ns ? times->first_ns : d->first_ns;
    d->last_ns = times->last_ns > d->last_ns ? times->last_ns : d->last_ns;
    *times = (struct source_times){INT64_MAX, INT64_MIN};
    if (shard->lasts && shard->lasts[number].ports != 0) {
        add_last(d, shard->lasts[number].ns, shard->lasts[number].ports);
        shard->lasts[number].ports = 0;
    }
}

/* What a shard's day is packed with. */
struct packing {
    struct day_given_up *given_up;
    const struct tally *t;
    struct tally_day *day;
    struct source_table *table;
    bool is_current;
    struct sheaf sheaf;
    struct room room;
};

static bool row_take(struct packing *p, struct source_day *d, const struct day_row *r)
{
    p->given_up->ports += r->notes & DAY_ROW_PORT_GIVEN_UP ? r->packets : 0;
    p->given_up->rules += r->notes & DAY_ROW_RULE_GIVEN_UP ? r->packets : 0;
    return add_row(p->t, d, r);
}

/* The day of one source; returns whether it showed what no survey scanner shows. */
static bool source_fill(struct packing *p, uint32_t number, struct source_day *d)
{
    struct room *room = &p->room;
    uint32_t from = p->sheaf.from[number], to = p->sheaf.from[number + 1];
    bool is_attacker = false;
    if (to - from > room->size) {
        room->size = to - from;
        room->ports = memory_must(realloc(room->ports, room->size * sizeof *room->ports));
        room->evidence = memory_must(realloc(room->evidence, room->size * sizeof *room->evidence));
    }
    *d = (struct source_day){
        .date = p->day->of.date,
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
        add_times(d, p->table, number);
    rows_unite(d);
    return is_attacker;
}

int day_pack(const struct tally *t, struct tally_day *day, unsigned shard, bool is_current,
             struct survey_judge *judge, struct day_given_up *given_up, source_day_take take,
             void *context)
{
    struct packing p = {
        .given_up = given_up,
        .t = t,
        .day = day,
        .table = (struct source_table *)&t->shards[shard],
        .is_current = is_current,
    };
    struct sheaf *s = &p.sheaf;
    int err = 0;

    rows_gather(s, t, p.table, &day->rows[shard], is_current);
    rows_by_source(s, p.table->source_count);
    sources_by_address(s, p.table);
    for (uint32_t i = 0; i < s->source_count && err == 0; i++) {
        struct source_day d;
        bool is_attacker = source_fill(&p, s->sources[i], &d);
        if (judge)
            survey_judge_take(judge, s->sources[i], &d, is_attacker);
        err = take(context, &d);
    }
    free(s->rows);
    free(s->from);
    free(s->order);
    free(s->sources);
    free(p.room.ports);
    free(p.room.evidence);
    return err;
}
