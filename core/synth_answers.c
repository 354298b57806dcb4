#include "core/synth_answers.h"

#include "core/key_set.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct synth_answers {
    const struct ruleset *rules;
    uint32_t *seen;    /* per source: kinds, then marks above them, that it had */
    uint64_t *reached; /* one bit per destination */
    struct key_set pairs;
    struct synth_totals totals;
};

static_assert(KIND_COUNT + MARK_COUNT <= 32, "seen holds a bit for each");

const uint8_t synth_kind_by_sort[SYNTH_SORT_COUNT] = {
    [SYNTH_TCP_SYN] = KIND_tcp_syn,
    [SYNTH_TCP_SYNACK] = KIND_backscatter_tcp,
    [SYNTH_TCP_RST] = KIND_backscatter_tcp,
    [SYNTH_TCP_DATA] = KIND_tcp_data,
    [SYNTH_TCP_OTHER] = KIND_tcp_other,
    [SYNTH_UDP] = KIND_udp,
    [SYNTH_UDP_ANSWER] = KIND_backscatter_udp,
    [SYNTH_UDP_P2P] = KIND_stray,
    [SYNTH_ICMP_PROBE] = KIND_icmp,
    [SYNTH_ICMP_ANSWER] = KIND_backscatter_icmp,
    [SYNTH_IGMP] = KIND_stray,
    [SYNTH_FRAGMENT] = KIND_fragment,
    [SYNTH_OTHER_IP] = KIND_other_ip,
    [SYNTH_MALFORMED_UDP] = KIND_malformed,
};

static const struct {
    uint8_t tool;
    uint8_t mark;
} tool_marks[] = {
    {SYNTH_MIRAI, MARK_tool_mirai},     {SYNTH_ZMAP, MARK_tool_zmap},
    {SYNTH_MASSCAN, MARK_tool_masscan}, {SYNTH_NMAP, MARK_tool_nmap},
    {SYNTH_ZMAP4, MARK_tool_zmap4},     {SYNTH_HAJIME, MARK_tool_hajime},
};

/* Source, protocol and port in one number that is never 0. */
static uint64_t pair_key(const struct synth_intent *i)
{
    unsigned proto = i->header == SYNTH_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP;
    return ((uint64_t)i->source << 17 | proto << 16 | i->dst_port) + 1;
}

int synth_answers_create(struct synth_answers **out, const struct ruleset *rules, uint64_t sources,
                         uint64_t destinations, struct fault *fault)
{
    *out = NULL;
    struct synth_answers *a = calloc(1, sizeof *a);
    if (a) {
        a->rules = rules;
        a->seen = calloc(sources, sizeof *a->seen);
        a->reached = calloc(destinations / 64 + 1, sizeof *a->reached);
    }
    if (!a || !a->seen || !a->reached || key_set_reserve(&a->pairs, 0)) {
        synth_answers_destroy(a);
        return fault_set(fault, ENOMEM, "answers: no memory for %" PRIu64 " sources", sources);
    }
    *out = a;
    return 0;
}

void synth_answers_destroy(struct synth_answers *a)
{
    if (!a)
        return;
    free(a->seen);
    free(a->reached);
    key_set_fini(&a->pairs);
    free(a);
}

static void count_header(struct synth_totals *t, const struct synth_intent *i)
{
    if (!t->packets || i->ts_ns < t->first_ns)
        t->first_ns = i->ts_ns;
    if (!t->packets || i->ts_ns > t->last_ns)
        t->last_ns = i->ts_ns;
    t->packets++;
    t->bytes += i->wire_len;
    t->ip4 += i->ip_version == 4;
    t->ip6 += i->ip_version == 6;
    t->tcp += i->header == SYNTH_TCP;
    t->udp += i->header == SYNTH_UDP_HEADER;
    t->icmp += i->header == SYNTH_ICMP;
    t->tcp_syn += i->sort == SYNTH_TCP_SYN;
    t->tcp_synack += i->sort == SYNTH_TCP_SYNACK;
    t->tcp_rst += i->sort == SYNTH_TCP_RST;
}

/* Set of 1 << enum mark. */
static uint32_t marks_of(const struct ruleset *rules, const struct synth_intent *i, enum kind kind)
{
    uint32_t marks = 1u << MARK_total;
    for (unsigned t = 0; t < sizeof tool_marks / sizeof tool_marks[0]; t++)
        if (i->tools & tool_marks[t].tool)
            marks |= 1u << tool_marks[t].mark;
    if (!kind_is_scan(kind))
        return marks;
    unsigned proto = i->header == SYNTH_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP;
    marks |= 1u << MARK_scan | rules->classes[rules->port_class[proto][i->dst_port]].marks;
    if (kind == KIND_tcp_syn && (marks & 1u << MARK_iot_broad) && (i->tools & SYNTH_MIRAI))
        marks |= 1u << MARK_iot_bot | 1u << MARK_iot_confirmed;
    return marks;
}

static void count_port(struct synth_answers *a, const struct synth_intent *i, enum kind kind)
{
    unsigned proto = i->header == SYNTH_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP;
    struct synth_port *row = &a->totals.ports[proto][i->dst_port];
    row->packets++;
    row->bytes += i->wire_len;
    row->syn += kind == KIND_tcp_syn;
    row->scan += kind_is_scan(kind);
    if (key_set_add(&a->pairs, pair_key(i))) {
        a->totals.pairs++;
        row->sources++;
    }
}

static void count_packet(struct synth_answers *a, const struct synth_intent *i)
{
    struct synth_totals *t = &a->totals;
    enum kind kind = (enum kind)synth_kind_by_sort[i->sort];
    uint32_t marks = marks_of(a->rules, i, kind);
    count_header(t, i);
    t->kinds[kind]++;
    for (unsigned m = 0; m < MARK_COUNT; m++)
        t->marks[m] += marks >> m & 1;
    uint32_t had = 1u << kind | marks << KIND_COUNT, first = had & ~a->seen[i->source];
    if (first) {
        a->seen[i->source] |= had;
        t->kind_sources[kind] += first >> kind & 1;
        for (unsigned m = 0; m < MARK_COUNT; m++)
            t->mark_sources[m] += first >> (KIND_COUNT + m) & 1;
    }
    uint64_t *word = &a->reached[i->destination / 64], bit = UINT64_C(1) << i->destination % 64;
    t->destinations += !(*word & bit);
    *word |= bit;
    if (i->header == SYNTH_TCP || i->header == SYNTH_UDP_HEADER)
        count_port(a, i, kind);
}

int synth_answers_add(struct synth_answers *a, const struct synth_intent *intents, size_t count,
                      struct fault *fault)
{
    if (key_set_reserve(&a->pairs, count))
        return fault_set(fault, ENOMEM,
                         "answers: no memory for %" PRIu64 " (source, protocol, port)",
                         a->pairs.count);
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(&a->pairs.keys[random_mix(pair_key(&intents[i])) & a->pairs.mask]);
        __builtin_prefetch(&a->seen[intents[i].source]);
    }
    for (size_t i = 0; i < count; i++)
        count_packet(a, &intents[i]);
    a->totals.sources = a->totals.mark_sources[MARK_total];
    return 0;
}

const struct synth_totals *synth_answers_totals(const struct synth_answers *a)
{
    return &a->totals;
}
