#include "core/tally_cap.h"

#include "core/key_set.h"
#include "core/memory.h"
#include "core/tally_state.h"

#include <stdlib.h>

/* ---- what there is ---- */

void tally_cap_count(const struct tally *t, struct cap_counts *sum)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        sum->sources += t->shards[shard].source_count;
        sum->pairs += t->shards[shard].pair_count;
        sum->shown += t->shown ? t->shown[shard].count : 0;
        for (unsigned i = 0; i < t->day_count; i++)
            sum->rows += t->days[i]->rows[shard].count;
    }
    sum->pairs -= t->icmp_pairs;
    sum->rows += t->counted_pairs;
}

/* A source while its shard is weighed. */
struct weighed {
    uint64_t packets; /* of the days that are not over, those in the journal, too */
    uint32_t pairs;
    uint32_t port_rows, evidence_rows;   /* that list a port; that have evidence */
    uint16_t port_kinds, evidence_kinds; /* sets of their kinds */
};

static void weigh_row(struct weighed *w, const struct day_row *row)
{
    if (!kind_is_scan(row->kind))
        return;
    if (day_row_is_evidence(row)) {
        w->evidence_rows++;
        w->evidence_kinds |= (uint16_t)(1 << row->kind);
    } else if (!(row->notes & (DAY_ROW_NO_PORT | DAY_ROW_PORT_GIVEN_UP))) {
        w->port_rows++;
        w->port_kinds |= (uint16_t)(1 << row->kind);
    }
}

static bool pair_is_of_port(const struct pair *p) { return pair_proto(p->key) != PAIR_ICMP; }

static bool pair_counts(const struct pair *p) { return p->state >> PAIR_COMBO != 0; }

/* Packets of the current day in a pair; returns whether they would be a row that is not there. What is no scan has
 * one row for all its ports, so `apart` keeps those. */
static bool weigh_counted(const struct tally *t, const struct day_rows *rows,
                          struct day_rows *apart, struct weighed *w, const struct pair *pair,
                          uint32_t number)
{
    struct day_row row = day_row_of_pair(t, pair, number);
    uint32_t before = apart->count;
    w->packets += row.packets;
    if (day_rows_has(rows, t->key, &row))
        return false;
    if (!kind_is_scan(row.kind)) {
        day_rows_add(apart, t->key, &row);
        return apart->count > before;
    }
    weigh_row(w, &row);
    return true;
}

/* A shard's sources; caller frees. */
static struct weighed *weigh_shard(const struct tally *t, unsigned shard, struct cap_counts *counts)
{
    static const struct day_rows no_rows;
    const struct source_table *table = &t->shards[shard];
    const struct day_rows *current = t->current ? &t->current->rows[shard] : &no_rows;
    struct weighed *all = memory_must(calloc(table->source_count + 1u, sizeof *all));
    struct day_rows apart = {0};

    for (size_t i = 0; i < (size_t)table->pair_groups * GROUP; i++) {
        const struct pair *pair = &table->pairs[i];
        if (pair->key == 0)
            continue;
        uint32_t number = pair_source_number(table, pair);
        all[number].pairs += pair_is_of_port(pair);
        counts->pairs += pair_is_of_port(pair);
        if (pair_counts(pair))
            counts->rows += weigh_counted(t, current, &apart, &all[number], pair, number);
    }
    day_rows_fini(&apart);
    for (unsigned day = 0; day < t->day_count; day++) {
        const struct day_rows *rows = &t->days[day]->rows[shard];
        for (uint32_t i = 0; i < rows->count; i++) {
            all[rows->at[i].source].packets += rows->at[i].packets;
            weigh_row(&all[rows->at[i].source], &rows->at[i]);
        }
        counts->rows += rows->count;
    }
    for (uint32_t i = 0; day_is_aside(t, shard) && i < t->asides[shard].count; i++)
        all[t->asides[shard].rows[i].source].packets += t->asides[shard].rows[i].packets;
    for (uint32_t number = 0; table->packed && number < table->source_count; number++)
        all[number].packets += table->packed[number];
    counts->sources += table->source_count;
    counts->shown += t->shown ? t->shown[shard].count : 0;
    return all;
}

/* Rows that go when a source's rows become one for each of their kinds; there may be some more of them. */
static uint64_t rows_saved(uint32_t rows, uint16_t kinds)
{
    return (rows - (uint64_t)__builtin_popcount(kinds)) * CAP_ROW_BYTES;
}

void tally_cap_weigh(const struct tally *t, struct cap_weight *sum)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct source_table *table = &t->shards[shard];
        if (table->source_count == 0)
            continue;
        struct weighed *all = weigh_shard(t, shard, &sum->counts);
        for (uint32_t number = 0; number < table->source_count; number++) {
            const struct weighed *w = &all[number];
            struct cap_step *step = &sum->at[cap_step(w->packets)];
            uint8_t outs = source_at(table, number)->outs;
            sum->whole += !(outs & SOURCE_NO_PORTS) || !(outs & SOURCE_NO_RULES);
            step->packets += w->packets;
            if (!(outs & SOURCE_NO_PORTS)) {
                step->fresh_packets += w->packets;
                step->ports_bytes +=
                    (uint64_t)w->pairs * CAP_PAIR_BYTES + rows_saved(w->port_rows, w->port_kinds);
            }
            if (!(outs & SOURCE_NO_RULES))
                step->rules_bytes += rows_saved(w->evidence_rows, w->evidence_kinds);
        }
        free(all);
    }
}

/* ---- giving up ---- */

/* Marks the sources that give up something now; in *drops those that lose their pairs. False: there are none. */
static bool sources_mark(struct source_table *table, const struct weighed *all,
                         const struct cap_decision *d, uint8_t *drops)
{
    bool is_any = false;
    for (uint32_t number = 0; number < table->source_count; number++) {
        struct source *source = source_at(table, number);
        unsigned outs = source->outs;
        if (d->has_ports && all[number].packets <= d->ports_cut)
            outs |= SOURCE_NO_PORTS;
        if (d->has_rules && all[number].packets <= d->rules_cut)
            outs |= SOURCE_NO_PORTS | SOURCE_NO_RULES;
        drops[number] = (outs & ~(unsigned)source->outs & SOURCE_NO_PORTS) != 0;
        is_any |= outs != source->outs;
        source->outs = (uint8_t)outs;
    }
    return is_any;
}

static void row_add(struct tally *t, const struct source_table *table, struct day_rows *rows,
                    const struct day_row *from)
{
    uint8_t outs = source_at(table, from->source)->outs;
    struct day_row row = *from;
    if (outs & SOURCE_NO_PORTS)
        day_row_give_up(&row, outs & SOURCE_NO_RULES);
    day_rows_add(rows, t->key, &row);
}

/* The rules that a source's pairs name, each once; `seen`: a set of rules for each source. */
static void pair_rules_keep(struct tally *t, const struct pair *pair, uint64_t *seen)
{
    if (!pair_is_scan(pair))
        return;
    unsigned proto = pair_proto(pair->key) - PAIR_TCP;
    const struct port_class *c =
        &t->rules->classes[t->rules->port_class[proto][pair_port(pair->key)]];
    for (unsigned k = 0; k < 2; k++) {
        uint16_t rule = c->rules[k];
        if (rule == RULE_NONE || seen[rule / 64] >> rule % 64 & 1)
            continue;
        seen[rule / 64] |= UINT64_C(1) << rule % 64;
        t->gone_rules[rule]++;
    }
}

/* Takes a shard's pairs of these sources out; what they count becomes rows of the current day. */
static void pairs_drop(struct tally *t, unsigned shard, const uint8_t *drops)
{
    struct source_table *table = &t->shards[shard];
    size_t words = (t->rules->rule_count + 63) / 64;
    uint64_t *seen = memory_must(calloc((size_t)table->source_count * words + 1, sizeof *seen));
    uint32_t left = 0;
    for (size_t i = 0; i < (size_t)table->pair_groups * GROUP; i++) {
        struct pair *pair = &table->pairs[i];
        if (pair->key == 0)
            continue;
        uint32_t number = pair_source_number(table, pair);
        if (!drops[number] || !pair_is_of_port(pair)) {
            left++;
            continue;
        }
        pair_rules_keep(t, pair, &seen[number * words]);
        if (pair_counts(pair)) {
            struct day_row row = day_row_of_pair(t, pair, number);
            row_add(t, table, &t->current->rows[shard], &row);
            t->counted_pairs--;
        }
        pair->key = 0;
    }
    free(seen);
    source_table_drop_pairs(table, left);
}

/* Rows of sources that gave up detail become fewer. */
static void rows_renew(struct tally *t, const struct source_table *table, struct day_rows *rows)
{
    struct day_rows old = *rows;
    *rows = (struct day_rows){0};
    for (uint32_t i = 0; i < old.count; i++)
        row_add(t, table, rows, &old.at[i]);
    day_rows_fini(&old);
}

void tally_cap_give_up(struct tally *t, const struct cap_decision *d)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct source_table *table = &t->shards[shard];
        struct cap_counts counts = {0};
        table->is_full = d->is_full;
        if (table->source_count == 0)
            continue;
        struct weighed *all = weigh_shard(t, shard, &counts);
        uint8_t *drops = memory_must(calloc(table->source_count, 1));
        bool is_any = sources_mark(table, all, d, drops);
        free(all);
        if (is_any) {
            pairs_drop(t, shard, drops);
            for (unsigned day = 0; day < t->day_count; day++)
                rows_renew(t, table, &t->days[day]->rows[shard]);
        }
        free(drops);
    }
    slab_trim(&t->slab);
}

/* ---- packets behind it ---- */

void tally_cap_port(struct tally *t, struct port_count *row, unsigned proto)
{
    row->sources.high++;
    t->inexact[proto][row->port / 64] |= UINT64_C(1) << row->port % 64;
}

/* The window's row of a brief's port; its packet comes to it with the briefs' rows. */
static void brief_port(struct tally *t, struct tally_slot *ts, const struct brief *b)
{
    unsigned proto = (set_what(b->set) | BRIEF_ASKS) == BRIEF_UDP ? PORT_PROTO_UDP : PORT_PROTO_TCP;
    tally_cap_port(t, window_port(ts->window, proto, b->port), proto);
}

void tally_cap_brief(struct tally *t, struct tally_slot *ts, struct source_table *shard,
                     uint32_t number, const struct brief *b, const struct day_run *run)
{
    uint8_t outs = source_at(shard, number)->outs;
    brief_port(t, ts, b);
    ts->loss.given_up.ports++;
    ts->briefs_out[b->set % BRIEF_SETS] += outs >> (ts->basis.turn & 1) & 1;
    if (!run->day)
        return;
    struct day_row row = day_row_of_set(t, b->set, b->port);
    row.source = number;
    row.src_port = brief_src_port(b);
    row.packets = 1;
    row.bytes = brief_wire_len(b);
    row.first_ns = row.last_ns = (int64_t)((uint64_t)run->base_ns + brief_time(b));
    row_add(t, shard, &run->day->rows[shard - t->shards], &row);
}

static void lone_day(struct tally_day *day, unsigned kind, uint32_t wire_len)
{
    if (!day)
        return;
    day->lone_kinds[kind].packets++;
    day->lone_kinds[kind].bytes += wire_len;
    day->given_up_sources++;
}

/* Counts the marks of a packet whose source is not kept; sketches know who it is in any case. */
static void lone_marks(struct tally_slot *ts, const uint8_t address[16], unsigned ip_version,
                       unsigned marks)
{
    uint64_t hash = hll_hash(address, ip_version == 6 ? 16 : 4);
    uint16_t index = (uint16_t)hll_index(hash);
    uint8_t rank = hll_rank(hash);
    sketch_row *row = &ts->sketches->at[index];
    if ((*row)[MARK_total] == 0)
        ts->sketches->used[ts->sketches->used_count++] = index;
    for (unsigned left = marks; left; left &= left - 1) {
        unsigned mark = (unsigned)__builtin_ctz(left);
        ts->loss.marks[mark]++;
        (*row)[mark] = (*row)[mark] < rank ? rank : (*row)[mark];
    }
    ts->loss.given_up.sources++;
}

static bool lone_is_out(const struct tally *t, struct tally_slot *ts, const uint8_t address[16],
                        unsigned ip_version, unsigned marks)
{
    if (!t->survey || !survey_lists(t->survey, address, ip_version))
        return false;
    for (unsigned left = marks & ((1 << SHARE_MARK_COUNT) - 1); left; left &= left - 1)
        ts->loss.marks_out[__builtin_ctz(left)]++;
    return true;
}

void tally_cap_lone_brief(struct tally *t, struct tally_slot *ts, const struct brief *b,
                          struct tally_day *day)
{
    uint8_t address[16] = {0};
    unsigned marks = t->set_marks[b->set % BRIEF_SETS];
    memcpy(address, &b->src, sizeof b->src);
    if (set_what(b->set) != BRIEF_ICMP)
        brief_port(t, ts, b);
    lone_day(day, set_kind(t, b), brief_wire_len(b));
    lone_marks(ts, address, 4, marks);
    ts->briefs_out[b->set % BRIEF_SETS] += lone_is_out(t, ts, address, 4, marks);
}

void tally_cap_lone(struct tally *t, struct tally_slot *ts, const struct observation *o,
                    const struct label *label, struct tally_day *day)
{
    if (o->state & OBSERVATION_PORTS)
        tally_cap_port(t, count_port_packet(ts, o, kind_is_scan(label->kind)), proto_of(o));
    lone_day(day, label->kind, o->wire_len);
    lone_marks(ts, o->src, o->ip_version, label->marks);
    if (!lone_is_out(t, ts, o->src, o->ip_version, label->marks))
        return;
    for (unsigned left = label->marks & ((1 << SHARE_MARK_COUNT) - 1); left; left &= left - 1)
        ts->marks_out[__builtin_ctz(left)]++;
}

void tally_cap_seal(const struct tally *t, struct tally_slot *ts, struct window *w)
{
    const struct tally_loss *loss = &ts->loss;
    bool has_out = t->survey && t->basis.turn - ts->basis.turn < 2;
    w->given_up = loss->given_up;
    if (loss->given_up.sources > 0) {
        for (unsigned mark = 0; mark < MARK_COUNT; mark++)
            w->mark_sources[mark].high += loss->marks[mark];
        for (unsigned mark = 0; mark < SHARE_MARK_COUNT && has_out; mark++)
            w->mark_sources_out[mark].high += loss->marks_out[mark];
    }
    ts->loss = (struct tally_loss){0};
}
