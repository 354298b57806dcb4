#include "core/tally.h"

#include "core/key_set.h"
#include "core/memory.h"
#include "core/tally_cap.h"
#include "core/tally_state.h"
#include "export/pages.h"

#include <errno.h>
#include <stdlib.h>

struct tally *tally_create(const struct hash_key *key, const struct ruleset *rules,
                           const struct telescope_dates *telescope, bool has_days,
                           const struct tally_survey *survey)
{
    struct tally *t = pages_map(sizeof *t);
    if (!t)
        return NULL;
    slab_init(&t->slab);
    t->key = key;
    t->rules = rules;
    t->telescope = telescope;
    t->has_days = has_days;
    t->survey = has_days ? survey : NULL;
    tally_sets_init(t);
    t->scratch = rules->payload_off ? NULL : payload_scratch_create(rules);
    t->shown = has_days ? calloc(SHARDS, sizeof *t->shown) : NULL;
    int err = (rules->payload_off || t->scratch) && (!has_days || t->shown) ? 0 : -ENOMEM;
    for (unsigned i = 0; i < SHARDS && !err; i++)
        err = source_table_init(&t->shards[i], key, has_days, &t->slab);
    for (unsigned i = 0; i < WINDOW_SLOTS && !err; i++) {
        t->slots[i].rows = pages_map(ROWS_SIZE);
        t->slots[i].sketches = calloc(1, sizeof *t->slots[i].sketches);
        err = t->slots[i].rows && t->slots[i].sketches ? 0 : -ENOMEM;
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
    for (unsigned i = 0; i < SHARDS; i++) {
        source_table_fini(&t->shards[i]);
        begun_pairs_fini(&t->begun[i]);
        day_aside_fini(t, i);
        if (t->shown)
            key_set_fini(&t->shown[i]);
    }
    slab_fini(&t->slab);
    free(t->shown);
    for (unsigned i = 0; i < WINDOW_SLOTS; i++) {
        pages_unmap(t->slots[i].rows, ROWS_SIZE);
        free(t->slots[i].sketches);
    }
    payload_scratch_destroy(t->scratch);
    free(t->lists[0]);
    free(t->lists[1]);
    for (unsigned i = 0; i < t->day_count; i++)
        tally_day_destroy(t->days[i]);
    free(t->days);
    pages_unmap(t, sizeof *t);
}

static const struct calendar_day *day_of(struct tally *t, int64_t ts_ns)
{
    struct calendar_day *last = &t->last_day;
    if (last->start_ns == last->end_ns || !calendar_holds(last->start_ns, last->end_ns, ts_ns))
        *last = calendar_day_of(ts_ns);
    return last;
}

struct tally_day *tally_day_of(struct tally *t, int64_t ts_ns)
{
    return tally_day_at(t, day_of(t, ts_ns));
}

bool tally_is_open(const struct tally *t, unsigned slot) { return t->slots[slot].window != NULL; }

void tally_announce(struct tally *t, unsigned slot) { t->slots[slot].basis = t->basis; }

void tally_open(struct tally *t, unsigned slot, struct window *w)
{
    struct tally_slot *ts = &t->slots[slot];
    ts->window = w;
    t->open.at[slot] = ++t->open.newest;
    unsigned is_open = 0;
    for (unsigned i = 0; i < WINDOW_SLOTS; i++)
        is_open |= (unsigned)tally_is_open(t, i) << i;
    serial_ages_make(&t->ages, &t->open, is_open);
    if (t->open.newest % (PAIR_SERIALS / 2) == 0)
        for (unsigned i = 0; i < SHARDS; i++) {
            if (day_is_aside(t, i))
                day_pairs_touch(t, i);
            source_table_catch_up(&t->shards[i], &t->open);
        }
    if (!t->has_days)
        return;
    ts->is_two_days = calendar_splits(day_of(t, w->start_ns), w->start_ns, w->span_ns);
    ts->day = ts->is_two_days ? NULL : tally_day_of(t, w->start_ns);
    if (!t->current)
        t->current = ts->day;
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

/* Moves what briefs came to for a port into the window's row. */
static void port_drain(struct window *w, enum brief_what what, uint16_t port,
                       const struct row *from)
{
    bool is_udp = (what | BRIEF_ASKS) == BRIEF_UDP;
    struct port_count *row = window_port(w, is_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP, port);
    uint64_t is_scan = (what & BRIEF_ASKS) != 0;
    row->packets += from->packets;
    row->bytes += from->bytes;
    row->scan += from->packets * is_scan;
    row->scan_bytes += from->bytes * is_scan;
    row->syn += what == BRIEF_SYN ? from->packets : 0;
    row->sources.low += from->sources;
}

static void kind_add(struct window *w, enum kind kind, const struct count *add)
{
    w->kinds[kind].packets += add->packets;
    w->kinds[kind].bytes += add->bytes;
    w->totals.ip4 += add->packets;
}

enum { ROW_WORDS = ROWS / 64 };

/* Whoever had so many rows in use has them all over their pages, and goes on with huge ones. */
static void rows_may_be_many(struct rows *rows)
{
    enum { MANY = 16384 };
    if (rows->are_many || rows->used_count < MANY)
        return;
    rows->are_many = true;
    pages_make_huge(rows->at, sizeof rows->at);
}

/* Sorts the numbers of rows in use. */
static void rows_sort(struct rows *rows)
{
    rows_may_be_many(rows);
    for (uint32_t i = 0; i < rows->used_count; i++) {
        uint32_t row = rows->used[i];
        rows->is_used[row / 64] |= UINT64_C(1) << row % 64;
        rows->words[row / 64 / 64] |= UINT64_C(1) << row / 64 % 64;
    }
    rows->used_count = 0;
}

/* The first word of rows in use from `word` on; ROW_WORDS: there is none. */
static uint32_t rows_next_word(const struct rows *rows, uint32_t word)
{
    for (; word < ROW_WORDS; word = (word / 64 + 1) * 64) {
        uint64_t left = rows->words[word / 64] >> word % 64;
        if (left)
            return word + (uint32_t)__builtin_ctzll(left);
    }
    return ROW_WORDS;
}

/* In the order of ports, for the sake of whoever reads the window's rows. */
void tally_rows_drain(struct tally_slot *ts)
{
    struct rows *rows = ts->rows;
    struct window *w = ts->window;
    struct count all[BRIEF_WHATS] = {0};

    rows_sort(rows);
    for (uint32_t word = rows_next_word(rows, 0); word < ROW_WORDS;
         word = rows_next_word(rows, word + 1)) {
        for (uint64_t left = rows->is_used[word]; left; left &= left - 1) {
            uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left);
            enum brief_what what = (enum brief_what)(i >> 16);
            struct row *from = &rows->at[i];
            struct count count = {from->packets, from->bytes};
            all[what].packets += count.packets;
            all[what].bytes += count.bytes;
            if (what == BRIEF_ICMP)
                kind_add(w, (enum kind)(i % 65536), &count);
            else
                port_drain(w, what, (uint16_t)i, from);
            *from = (struct row){0};
        }
        rows->is_used[word] = 0;
    }
    memset(rows->words, 0, sizeof rows->words);
    kind_add(w, KIND_backscatter_tcp, &all[BRIEF_ANSWER]);
    kind_add(w, KIND_tcp_syn, &all[BRIEF_SYN]);
    kind_add(w, KIND_udp, &all[BRIEF_UDP]);
    w->totals.tcp += all[BRIEF_ANSWER].packets + all[BRIEF_SYN].packets;
    w->totals.tcp_syn += all[BRIEF_SYN].packets;
    w->totals.udp += all[BRIEF_UDP].packets + all[BRIEF_UDP_OTHER].packets;
    w->totals.icmp += all[BRIEF_ICMP].packets;
    ts->undrained = 0;
}

static void sketches_drain(struct tally_slot *ts)
{
    struct sketches *sketches = ts->sketches;
    for (uint32_t i = 0; i < sketches->used_count; i++) {
        uint16_t index = sketches->used[i];
        for (unsigned m = 0; m < MARK_COUNT; m++)
            ts->window->hll[m].at[index] = sketches->at[index][m];
        sketches->at[index] = (sketch_row){0};
    }
    sketches->used_count = 0;
}

/* The sets that briefs may have, one after the other. */
static unsigned sets_in_use(const struct tally *t) { return PLAIN_SETS + t->verdict_sets; }

static unsigned set_in_use(const struct tally *t, unsigned i)
{
    if (i < PLAIN_SETS)
        return plain_set(i);
    unsigned verdict = i - PLAIN_SETS;
    return set_of_verdict(verdict, t->labels[verdict].kind == KIND_udp);
}

/* What a verdict says beside marks: a kind that is no udp, a rule. */
static void verdict_drain(struct window *w, const struct label *label, const struct count *count)
{
    if (label->kind != KIND_udp)
        kind_add(w, (enum kind)label->kind, count);
    if (label->payload_rule != RULE_NONE)
        window_payload_rule(w, label, count);
}

/* Briefs by set to packets by marks and flags. */
void tally_briefs_drain(const struct tally *t, struct tally_slot *ts)
{
    struct window_totals *totals = &ts->window->totals;
    for (unsigned i = 0; i < sets_in_use(t); i++) {
        unsigned set = set_in_use(t, i);
        struct count count = {ts->briefs[set] >> SET_BYTE_BITS,
                              ts->briefs[set] & ((UINT64_C(1) << SET_BYTE_BITS) - 1)};
        if (count.packets == 0)
            continue;
        ts->briefs[set] = 0;
        for (unsigned left = t->set_marks[set]; left; left &= left - 1)
            ts->marks[__builtin_ctz(left)] += count.packets;
        if (set_is_verdict(set))
            verdict_drain(ts->window, &t->labels[set_verdict(set)], &count);
        else if (set_what(set) == BRIEF_ANSWER)
            *(set_aim(set) == ANSWER_ACCEPTS ? &totals->tcp_synack : &totals->tcp_rst) +=
                count.packets;
    }
}

/* What a port rule counts is what its ports count: nothing to do per packet. */
static void port_seal(const struct ruleset *rules, struct window *w, unsigned proto,
                      struct port_count *row)
{
    const struct port_class *c = &rules->classes[rules->port_class[proto][row->port]];
    row->sources.high += row->sources.low;
    for (unsigned i = 0; i < 2 && row->scan; i++)
        if (c->rules[i] != RULE_NONE) {
            w->rules[c->rules[i]][EVIDENCE_port].packets += row->scan;
            w->rules[c->rules[i]][EVIDENCE_port].bytes += row->scan_bytes;
        }
}

/* What is taken out of _ex_survey. Two sets were made since the window opened: the one that it stood on is
 * another by now, so nothing is. */
static void out_seal(const struct tally *t, struct tally_slot *ts)
{
    struct window *w = ts->window;
    const struct tally_basis *basis = &ts->basis;
    bool is_whole = t->basis.turn - basis->turn < 2;
    for (unsigned i = 0; i < sets_in_use(t); i++) {
        unsigned set = set_in_use(t, i);
        for (unsigned left = ts->briefs_out[set] ? t->set_marks[set] : 0; left; left &= left - 1)
            if (__builtin_ctz(left) < SHARE_MARK_COUNT)
                ts->marks_out[__builtin_ctz(left)] += ts->briefs_out[set];
    }
    for (unsigned m = 0; m < SHARE_MARK_COUNT && is_whole; m++) {
        w->mark_packets_out[m] = ts->marks_out[m];
        w->mark_sources_out[m] = (struct source_count){ts->sources_out[m], ts->sources_out[m]};
    }
    w->basis = (struct window_basis){
        .has_ex = true,
        .has_survey = is_whole && basis->has_day,
        .lacks_survey = !is_whole || !basis->has_day,
        .first = is_whole ? basis->date : 0,
        .last = is_whole ? basis->date : 0,
    };
    memset(ts->briefs_out, 0, sizeof ts->briefs_out);
    memset(ts->marks_out, 0, sizeof ts->marks_out);
    memset(&ts->sources_out, 0, sizeof ts->sources_out);
}

struct window *tally_seal(struct tally *t, unsigned slot)
{
    struct tally_slot *ts = &t->slots[slot];
    struct window *w = ts->window;

    tally_rows_drain(ts);
    sketches_drain(ts);
    for (unsigned set = 0; set < HEADER_SETS; set++)
        if (ts->headers[set])
            headers_add(&w->totals, set, ts->headers[set]);
    tally_briefs_drain(t, ts);
    for (unsigned m = 0; m < MARK_COUNT; m++) {
        w->mark_packets[m] += ts->marks[m];
        w->mark_sources[m].low += ts->sources[m];
    }
    for (unsigned k = 0; k < KIND_COUNT; k++)
        w->totals.packets += w->kinds[k].packets, w->totals.bytes += w->kinds[k].bytes;
    w->totals.snapped = ts->snapped;
    if (t->survey)
        out_seal(t, ts);
    else
        w->basis.lacks_ex = true;
    for (unsigned m = 0; m < MARK_COUNT; m++)
        w->mark_sources[m].high = w->mark_sources[m].low;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (uint32_t i = 0; i < w->port_used[proto]; i++)
            port_seal(t->rules, w, proto, &w->ports[proto][i]);
    tally_cap_seal(t, ts, w);
    memset(ts->headers, 0, sizeof ts->headers);
    memset(ts->marks, 0, sizeof ts->marks);
    memset(&ts->sources, 0, sizeof ts->sources);
    ts->snapped = 0;
    ts->window = NULL;
    return w;
}

/* Sources per rule, of scan packets to its ports: pairs know ports, not payloads. Each source's pairs name rules;
 * a source counts once per rule however many of its ports the rule has. `seen` holds, per source of the shard, a set of rules. */
static void rules_add(const struct tally *t, const struct source_table *shard,
                      struct tally_sources *sum)
{
    size_t words = (t->rules->rule_count + 63) / 64;
    if (words == 0 || shard->source_count == 0)
        return;
    size_t size = shard->source_count * words * sizeof(uint64_t);
    uint64_t *seen = memory_must(malloc(size));
    memset(seen, 0, size); /* not calloc(): pages that are read first are faulted in twice */
    for (size_t i = 0; i < (size_t)shard->pair_groups * GROUP; i++) {
        const struct pair *p = &shard->pairs[i];
        if (!p->key || !pair_is_scan(p))
            continue;
        unsigned proto = pair_proto(p->key) - PAIR_TCP;
        unsigned class = t->rules->port_class[proto][pair_port(p->key)];
        if (class == 0)
            continue;
        const struct port_class *c = &t->rules->classes[class];
        uint64_t *set = &seen[pair_source_number(shard, p) * words];
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

void tally_sources_add(const struct tally *t, unsigned shard, struct tally_sources *sum)
{
    const struct source_table *table = &t->shards[shard];
    sum->sources += table->source_count;
    sum->pairs += table->pair_count;
    sum->table_bytes += source_table_bytes(table);
    for (uint32_t number = 0; number < table->source_count; number++) {
        const struct source *s = source_at(table, number);
        for (unsigned m = 0; m < MARK_COUNT; m++)
            sum->marks[m] += s->marks_ever >> m & 1;
        for (unsigned k = 0; k < KIND_COUNT; k++)
            sum->kinds[k] += s->kinds_ever >> k & 1;
    }
    rules_add(t, table, sum);
}

void tally_port_sources_add(const struct tally *t, struct tally_sources *sum)
{
    sum->pairs -= t->icmp_pairs;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 65536; port++)
            if (t->port_sources[proto][port] != 0) /* else its memory may never have been touched */
                sum->ports[proto][port] += t->port_sources[proto][port];
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned i = 0; i < WINDOW_PORT_WORDS; i++)
            sum->inexact[proto][i] |= t->inexact[proto][i];
    for (size_t i = 0; i < t->rules->rule_count; i++)
        sum->rules[i] += t->gone_rules[i];
}

void tally_payload_sources_add(const struct tally *t, unsigned shard, struct tally_sources *sum)
{
    const struct key_set *shown = t->shown ? &t->shown[shard] : NULL;
    for (uint64_t i = 0; shown && shown->keys && i <= shown->mask; i++)
        if (shown->keys[i])
            sum->payload_rules[shown_rule(shown->keys[i])]++;
}
