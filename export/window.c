#include "export/window.h"

#include "export/pages.h"
#include "export/saturate.h"

#include <assert.h>
#include <string.h>

enum { ROW_BYTES = 64, PREFETCH_ROWS = 8 };

static_assert(sizeof(struct port_count) == ROW_BYTES, "a port's counts fill one cache line");

struct window *window_create(void) { return pages_map(sizeof(struct window)); }

void window_destroy(struct window *w) { pages_unmap(w, sizeof *w); }

/* Whoever is in the sketch of a mark is in that of all sources, even where it was counted there in another shard of the window. */
static bool has_sketch(const struct window *w, unsigned mark)
{
    bool is_there = w->mark_sources[mark].high > 0;
    for (unsigned other = 0; mark == MARK_total && other < MARK_COUNT; other++)
        is_there |= w->mark_sources[other].high > 0;
    return is_there;
}

void window_hll_blocks(const struct window *w, struct hll_blocks *blocks)
{
    memset(blocks, 0, sizeof *blocks);
    if (has_sketch(w, MARK_total))
        hll_blocks_find(blocks, &w->hll[MARK_total]);
}

static void sketches_clear(struct window *w)
{
    struct hll_blocks blocks;
    window_hll_blocks(w, &blocks);
    for (unsigned mark = 0; mark < MARK_COUNT; mark++)
        if (has_sketch(w, mark))
            hll_blocks_clear(&blocks, &w->hll[mark]);
}

void window_drop_sketches(struct window *w)
{
    sketches_clear(w);
    w->lacks_sketches = true;
}

void window_clear(struct window *w)
{
    sketches_clear(w);
    memset(w->port_used, 0, sizeof w->port_used);
    w->start_ns = w->span_ns = 0;
    w->part = 0;
    w->is_partial = false;
    w->lacks_sketches = false;
    memset(&w->ledger, 0, sizeof w->ledger);
    memset(&w->given_up, 0, sizeof w->given_up);
    memset(&w->totals, 0, sizeof w->totals);
    memset(w->kinds, 0, sizeof w->kinds);
    memset(w->mark_packets, 0, sizeof w->mark_packets);
    memset(w->mark_sources, 0, sizeof w->mark_sources);
    memset(&w->basis, 0, sizeof w->basis);
    memset(w->mark_packets_out, 0, sizeof w->mark_packets_out);
    memset(w->mark_sources_out, 0, sizeof w->mark_sources_out);
    memset(w->rules, 0, sizeof w->rules);
}

static void count_merge(struct count *into, const struct count *from)
{
    into->packets += from->packets;
    into->bytes += from->bytes;
}

/* Most windows leave most rules alone, and a rule's counts are a cache line. */
static void rule_merge(struct count into[EVIDENCE_COUNT], const struct count from[EVIDENCE_COUNT])
{
    uint64_t any = 0;
    for (unsigned evidence = 0; evidence < EVIDENCE_COUNT; evidence++)
        any |= from[evidence].packets | from[evidence].bytes;
    for (unsigned evidence = 0; any && evidence < EVIDENCE_COUNT; evidence++)
        count_merge(&into[evidence], &from[evidence]);
}

static void source_count_merge(struct source_count *into, const struct source_count *from,
                               enum window_merge how)
{
    if (how == WINDOW_SHARDS)
        into->low += from->low;
    else if (into->low < from->low)
        into->low = from->low;
    into->high += from->high;
}

static void time_merge(struct window *into, const struct window *from)
{
    if (from->span_ns == 0)
        return;
    if (into->span_ns == 0) {
        into->start_ns = from->start_ns;
        into->span_ns = from->span_ns;
        into->part = from->part;
        return;
    }
    /* Times may stand at the ends of the type, where start + span is beyond it. */
    __int128 end = (__int128)into->start_ns + into->span_ns;
    __int128 from_end = (__int128)from->start_ns + from->span_ns;
    if (end < from_end)
        end = from_end;
    if (into->start_ns > from->start_ns)
        into->start_ns = from->start_ns;
    __int128 span = end - into->start_ns;
    into->span_ns = span > INT64_MAX ? INT64_MAX : (int64_t)span;
    if (into->part > from->part)
        into->part = from->part;
}

static void totals_merge(struct window_totals *into, const struct window_totals *from)
{
    if (from->packets > 0) {
        if (into->packets == 0 || into->first_ns > from->first_ns)
            into->first_ns = from->first_ns;
        if (into->packets == 0 || into->last_ns < from->last_ns)
            into->last_ns = from->last_ns;
    }
    into->packets += from->packets;
    into->bytes += from->bytes;
    into->ip4 += from->ip4;
    into->ip6 += from->ip6;
    into->tcp += from->tcp;
    into->udp += from->udp;
    into->icmp += from->icmp;
    into->tcp_syn += from->tcp_syn;
    into->tcp_synack += from->tcp_synack;
    into->tcp_rst += from->tcp_rst;
    into->snapped += from->snapped;
}

static void given_up_merge(struct window_given_up *into, const struct window_given_up *from)
{
    into->ports += from->ports;
    into->sources += from->sources;
    saturate_add(&into->recorder_packets, from->recorder_packets);
    saturate_add(&into->windows, from->windows);
    saturate_add(&into->events, from->events);
}

void window_basis_merge(struct window_basis *into, const struct window_basis *from)
{
    if (from->has_survey) {
        if (!into->has_survey || into->first > from->first)
            into->first = from->first;
        if (!into->has_survey || into->last < from->last)
            into->last = from->last;
    }
    into->has_ex |= from->has_ex;
    into->lacks_ex |= from->lacks_ex;
    into->has_survey |= from->has_survey;
    into->lacks_survey |= from->lacks_survey;
}

static void ports_merge(struct window *into, const struct window *from, unsigned proto,
                        enum window_merge how)
{
    const struct port_count *rows = from->ports[proto];
    uint32_t used = from->port_used[proto];

    for (uint32_t i = 0; i < used; i++) {
        if (i + PREFETCH_ROWS < used)
            __builtin_prefetch(
                &into->ports[proto][into->port_row[proto][rows[i + PREFETCH_ROWS].port]], 1);
        const struct port_count *row = &rows[i];
        struct port_count *sum = window_port(into, proto, row->port);
        sum->packets += row->packets;
        sum->bytes += row->bytes;
        sum->syn += row->syn;
        sum->scan += row->scan;
        source_count_merge(&sum->sources, &row->sources, how);
    }
}

void window_merge(struct window *into, const struct window *from, enum window_merge how)
{
    time_merge(into, from);
    ledger_merge(&into->ledger, &from->ledger);
    given_up_merge(&into->given_up, &from->given_up);
    into->is_partial |= from->is_partial;
    totals_merge(&into->totals, &from->totals);
    struct hll_blocks blocks;
    window_hll_blocks(from, &blocks);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        count_merge(&into->kinds[kind], &from->kinds[kind]);
    for (unsigned mark = 0; mark < MARK_COUNT; mark++) {
        into->mark_packets[mark] += from->mark_packets[mark];
        source_count_merge(&into->mark_sources[mark], &from->mark_sources[mark], how);
        if (has_sketch(from, mark))
            hll_blocks_merge(&blocks, &into->hll[mark], &from->hll[mark]);
    }
    if (into->lacks_sketches || from->lacks_sketches)
        window_drop_sketches(into);
    window_basis_merge(&into->basis, &from->basis);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        into->mark_packets_out[mark] += from->mark_packets_out[mark];
        source_count_merge(&into->mark_sources_out[mark], &from->mark_sources_out[mark], how);
    }
    for (unsigned rule = 0; rule < RULES_MAX; rule++)
        rule_merge(into->rules[rule], from->rules[rule]);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        ports_merge(into, from, proto, how);
}

const char *window_proto_name(unsigned proto)
{
    static const char *const names[PORT_PROTO_COUNT] = {"tcp", "udp"};
    return names[proto];
}

void window_port_bits(const struct window *w, unsigned proto, uint64_t bits[WINDOW_PORT_WORDS])
{
    memset(bits, 0, WINDOW_PORT_WORDS * sizeof bits[0]);
    for (uint32_t i = 0; i < w->port_used[proto]; i++) {
        uint16_t port = w->ports[proto][i].port;
        bits[port / 64] |= UINT64_C(1) << port % 64;
    }
}
