#include "core/tally_day.h"

#include "core/memory.h"
#include "core/tally_state.h"

#include <stdlib.h>
#include <string.h>

uint32_t source_number(const struct source_table *shard, const uint8_t address[16],
                       unsigned ip_version)
{
    struct observation o = {.ip_version = (uint8_t)ip_version};
    memcpy(o.src, address, sizeof o.src);
    uint64_t hash = hash_address(shard->key, o.src, o.ip_version);
    return source_find((struct source_table *)shard, hash, source_guess(shard, hash), &o);
}

uint32_t pair_source_look_up(const struct source_table *shard, const struct pair *pair)
{
    uint8_t address[16] = {0};
    uint32_t id = pair_id(pair->key);
    if (pair_is_ipv6(pair->key))
        return source_number(shard, shard->addresses6[id].bytes, 6);
    memcpy(address, &id, sizeof id);
    return source_number(shard, address, 4);
}

/* Where a date stands or would stand. */
static unsigned date_place(const struct tally *t, int32_t date)
{
    unsigned from = 0, to = t->day_count;
    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        if (t->days[middle]->of.date < date)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct tally_day *tally_day_at(struct tally *t, const struct calendar_day *of)
{
    unsigned at = date_place(t, of->date);
    if (at < t->day_count && t->days[at]->of.date == of->date)
        return t->days[at];
    t->days = memory_must(realloc(t->days, (t->day_count + 1) * sizeof(struct tally_day *)));
    memmove(&t->days[at + 1], &t->days[at], (t->day_count++ - at) * sizeof(struct tally_day *));
    t->days[at] = memory_must(calloc(1, sizeof(struct tally_day)));
    t->days[at]->of = *of;
    return t->days[at];
}

void tally_day_drop(struct tally *t, struct tally_day *day)
{
    unsigned at = date_place(t, day->of.date);
    memmove(&t->days[at], &t->days[at + 1], (--t->day_count - at) * sizeof(struct tally_day *));
    tally_day_destroy(day);
}

void tally_day_destroy(struct tally_day *day)
{
    for (unsigned shard = 0; day && shard < SHARDS; shard++)
        day_rows_fini(&day->rows[shard]);
    free(day);
}

struct tally_day **tally_days(const struct tally *t, unsigned *count)
{
    *count = t->day_count;
    return t->days;
}

bool tally_day_is_current(const struct tally *t, const struct tally_day *day)
{
    return t->current == day;
}

void tally_day_turn(struct tally *t, struct tally_day *next)
{
    if (t->current != next)
        t->counted_pairs = 0;
    t->current = next;
}

void tally_survey_turn(struct tally *t, int32_t date)
{
    t->basis = (struct tally_basis){.turn = t->basis.turn + 1, .has_day = true, .date = date};
}

void tally_survey_judge(struct tally *t, unsigned shard, int32_t date, struct survey_judge *judge)
{
    survey_judge_begin(judge, t->survey, date, &t->shards[shard], (t->basis.turn + 1) & 1);
}

void tally_survey_install(struct tally *t, struct survey_list *list)
{
    unsigned set = (t->basis.turn + 1) & 1;
    free(t->lists[set]);
    t->lists[set] = list;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        survey_list_apply(list, &t->shards[shard], set);
    tally_survey_turn(t, list->date);
}

void tally_survey_inherit(struct tally *t, struct tally *from)
{
    t->basis = from->basis;
    memcpy(t->lists, from->lists, sizeof t->lists);
    memset(from->lists, 0, sizeof from->lists);
}

void tally_survey_share(struct tally *t, const struct tally *from)
{
    t->basis = from->basis;
    for (unsigned set = 0; set < 2; set++)
        if (from->lists[set])
            t->lists[set] = memory_must(survey_list_copy(from->lists[set]));
}

uint32_t combo_number_slow(struct combos *c, uint32_t name)
{
    uint32_t at = combo_slot(name);
    for (; c->slots[at] != 0; at = (at + 1) % COMBO_SLOTS)
        if (combo_in(c->slots[at]) == name)
            return c->slots[at] >> COMBO_NAME_BITS;
    if (c->slots_used == COMBO_SLOTS / 2)
        return 0;
    uint32_t number = c->count == PAIR_COMBOS - 1 ? 0 : ++c->count;
    c->names[number] = number ? name : 0;
    c->slots[at] = name | number << COMBO_NAME_BITS;
    c->slots_used++;
    return number;
}

/* `is_scan`: the port counts. */
static struct day_row day_row_of(enum kind kind, bool is_scan, uint16_t port)
{
    return (struct day_row){
        .port = is_scan ? port : 0,
        .rule = RULE_NONE,
        .kind = (uint8_t)kind,
    };
}

struct day_row day_row_of_set(const struct tally *t, unsigned set, uint16_t port)
{
    struct brief b = {.set = (uint16_t)set, .port = port};
    struct day_row row;
    if (set_is_verdict(set)) {
        const struct label *label = &t->labels[set_verdict(set)];
        row = day_row_of((enum kind)label->kind, set_what(set) == BRIEF_UDP, port);
        row.rule = label->payload_rule;
        row.notes = label->flags;
        row.tools = (uint16_t)label_tools(label);
        return row;
    }
    row = day_row_of(brief_kind(&b), kind_is_scan(brief_kind(&b)), port);
    row.notes = (uint8_t)set_notes(set);
    row.tools = (uint16_t)set_tools(set);
    return row;
}

struct day_row day_row_of_pair(const struct tally *t, const struct pair *pair, uint32_t number)
{
    uint32_t name = t->combos.names[pair->state >> PAIR_COMBO & (PAIR_COMBOS - 1)];
    struct day_row row = day_row_of_set(t, name % BRIEF_SETS, pair_port(pair->key));
    row.source = number;
    row.packets = pair->state >> PAIR_COUNT;
    row.bytes = row.packets * (name >> COMBO_SET_BITS);
    row.first_ns = INT64_MAX;
    row.last_ns = INT64_MIN;
    return row;
}

void begun_pairs_fini(struct begun_pairs *b)
{
    free(b->names);
    *b = (struct begun_pairs){0};
}

/* ---- put aside ---- */

void tally_day_put_aside(struct tally *t, int64_t end_ns)
{
    if (!t->current)
        return;
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        t->asides[shard] = (struct day_aside){
            .end_ns = end_ns, .serial = t->open.newest, .begun = t->begun[shard]};
        t->begun[shard] = (struct begun_pairs){0};
    }
    t->aside_shards = ~UINT64_C(0);
    t->counted_pairs = 0;
}

static void aside_add(struct day_aside *a, const struct day_row *row)
{
    enum { FIRST_ROOM = 64 };
    if (a->count == a->room) {
        a->room = a->room ? a->room + a->room / 2 : FIRST_ROOM;
        a->rows = memory_must(realloc(a->rows, a->room * sizeof *a->rows));
    }
    a->rows[a->count++] = *row;
}

void day_pair_touch(struct tally *t, unsigned shard, struct pair *pair, uint32_t number)
{
    struct day_aside *a = &t->asides[shard];
    if (pair->state >> PAIR_COMBO == 0 || !pair_is_aside(a, pair, t->open.newest))
        return;
    struct day_row row = day_row_of_pair(t, pair, number);
    aside_add(a, &row);
    pair->state &= (UINT64_C(1) << PAIR_COMBO) - 1;
}

void day_times_touch(struct tally *t, unsigned shard, uint32_t number)
{
    struct source_table *table = &t->shards[shard];
    struct source_times *times = &table->times[number];
    struct day_aside *a = &t->asides[shard];
    if (times->last_ns >= a->end_ns || times->last_ns < times->first_ns)
        return;
    aside_add(a, &(struct day_row){
                     .source = number, .first_ns = times->first_ns, .last_ns = times->last_ns});
    *times = (struct source_times){INT64_MAX, INT64_MIN};
    if (!table->lasts || table->lasts[number].ports == 0)
        return;
    const struct source_last *last = &table->lasts[number];
    enum kind kind =
        last->proto == SOURCE_DAY_UDP ? KIND_udp : KIND_tcp_syn; /* says the protocol, no more */
    aside_add(a, &(struct day_row){.source = number,
                                   .kind = kind,
                                   .first_ns = last->ns,
                                   .last_ns = last->ns,
                                   .src_port = (uint16_t)(last->ports >> 16),
                                   .last_port = (uint16_t)last->ports});
    table->lasts[number].ports = 0;
}

void day_pairs_touch(struct tally *t, unsigned shard)
{
    const struct source_table *table = &t->shards[shard];
    for (size_t i = 0; i < (size_t)table->pair_groups * GROUP; i++)
        if (table->pairs[i].key)
            day_pair_touch(t, shard, &table->pairs[i], pair_source_number(table, &table->pairs[i]));
}

void day_aside_fini(struct tally *t, unsigned shard)
{
    begun_pairs_fini(&t->asides[shard].begun);
    free(t->asides[shard].rows);
    t->asides[shard] = (struct day_aside){0};
    t->aside_shards &= ~(UINT64_C(1) << shard);
}

/* ---- packets ---- */

static void begun_add(struct begun_pairs *b, const struct source_table *shard, uint64_t name)
{
    enum { FEW = 16 }; /* places of pairs that are looked at in the time of one that is looked up */
    if (b->is_over)
        return;
    if (b->count >= shard->pair_groups * GROUP / FEW + 1) {
        begun_pairs_fini(b);
        b->is_over = true;
        return;
    }
    if (b->count == b->room) {
        b->room = b->room ? b->room * 2 : 4;
        b->names = memory_must(realloc(b->names, b->room * sizeof *b->names));
    }
    b->names[b->count++] = name;
}

static void pair_begin(struct pair *pair, uint32_t combo)
{
    pair->state = (pair->state & ~(~UINT64_C(0) << PAIR_COMBO)) | (uint64_t)combo << PAIR_COMBO |
                  UINT64_C(1) << PAIR_COUNT;
}

void day_count_apart(const struct day_run *r, const struct brief *b, struct pair *pair,
                     uint32_t number, uint32_t combo)
{
    struct day_rows *rows = &r->day->rows[r->shard - r->tally->shards];
    uint64_t of_pair = pair->state >> PAIR_COMBO & (PAIR_COMBOS - 1);
    int64_t ts_ns = (int64_t)((uint64_t)r->base_ns + brief_time(b));
    if (r->is_current && combo != 0 && (of_pair == 0 || of_pair == combo)) {
        if (of_pair == combo) { /* it is full */
            struct day_row row = day_row_of_pair(r->tally, pair, number);
            day_rows_add(rows, r->tally->key, &row);
        }
        if (of_pair == 0) {
            r->tally->counted_pairs++;
            begun_add(&r->tally->begun[r->shard - r->tally->shards], r->shard,
                      pair_name(pair->key));
        }
        pair_begin(pair, combo);
        day_count_times(r, b, number);
        return;
    }
    struct day_row row = day_row_of_set(r->tally, b->set, b->port);
    row.source = number;
    row.src_port = brief_src_port(b);
    row.packets = 1;
    row.bytes = brief_wire_len(b);
    row.first_ns = row.last_ns = ts_ns;
    day_rows_add(rows, r->tally->key, &row);
}

void day_observe(struct tally *t, struct tally_day *day, unsigned shard, uint32_t number,
                 const struct observation *o, const struct label *label)
{
    bool has_port = o->state & OBSERVATION_PORTS, is_scan = kind_is_scan(label->kind);
    struct day_row row = {
        .source = number,
        .port = is_scan && has_port ? o->dst_port : 0,
        .rule = label->payload_rule,
        .kind = label->kind,
        .notes = (uint8_t)(label->flags | (is_scan && !has_port ? DAY_ROW_NO_PORT : 0)),
        .tools = (uint16_t)label_tools(label),
        .src_port = o->src_port,
        .packets = 1,
        .bytes = o->wire_len,
        .first_ns = o->ts_ns,
        .last_ns = o->ts_ns,
    };
    uint8_t outs = source_at(&t->shards[shard], number)->outs;
    if (outs & SOURCE_NO_PORTS)
        day_row_give_up(&row, outs & SOURCE_NO_RULES);
    day_rows_add(&day->rows[shard], t->key, &row);
}
