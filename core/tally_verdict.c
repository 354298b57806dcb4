/* The packet path of the tally: briefs whose payload has to be looked at first. */
#include "core/tally_state.h"

/* What a set's packets show, as their pair keeps it: bits of PAIR_BRIEFS and PAIR_TOOLS. */
static uint8_t shows_of_udp(enum kind kind, uint32_t marks)
{
    enum {
        TOLD = 1 << MARK_total | 1 << MARK_scan | 1 << MARK_iot_strict | 1 << MARK_iot_broad |
               1 << MARK_iot_payload | 1 << MARK_iot_confirmed | 1 << MARK_tool_zmap
    };
    return (uint8_t)((marks & ~(uint32_t)TOLD ? PAIR_UDP_MORE : 0) |
                     (kind == KIND_udp ? PAIR_UDP_SCAN : 0) |
                     (kind == KIND_backscatter_udp ? PAIR_UDP_BACKSCATTER : 0) |
                     (kind == KIND_stray ? PAIR_UDP_STRAY : 0) |
                     (marks >> MARK_iot_strict & 1 ? PAIR_UDP_STRICT : 0) |
                     (marks >> MARK_iot_broad & 1 ? PAIR_UDP_BROAD : 0) |
                     (marks >> MARK_iot_payload & 1 ? PAIR_UDP_PAYLOAD : 0) |
                     (marks >> MARK_tool_zmap & 1 ? PAIR_UDP_ZMAP : 0));
}

void tally_sets_init(struct tally *t)
{
    for (unsigned i = 0; i < PLAIN_SETS; i++) {
        unsigned set = plain_set(i);
        bool is_udp = set_what(set) == BRIEF_UDP;
        t->set_marks[set] = (uint16_t)set_marks(set);
        t->set_shows[set] = is_udp ? shows_of_udp(KIND_udp, set_marks(set))
                                   : (uint8_t)(set_tools(set) << (PAIR_TOOLS - PAIR_BRIEFS) |
                                               (set & BRIEF_ASKS ? 2u : 1u));
        if (set_what(set) == BRIEF_SYN && set_tools(set) >> TOOL_mirai & 1)
            t->evidence.at[set / 64] |= UINT64_C(1) << set % 64;
    }
}

/* Sets of verdicts that are new. */
static void sets_add(struct tally *t)
{
    for (; t->verdict_sets < t->verdicts.count; t->verdict_sets++) {
        const struct label *label = &t->verdicts.at[t->verdict_sets];
        unsigned set = set_of_verdict(t->verdict_sets, label->kind == KIND_udp);
        t->set_marks[set] = (uint16_t)label->marks;
        t->set_shows[set] = shows_of_udp((enum kind)label->kind, label->marks);
        if (label->payload_rule != RULE_NONE)
            t->evidence.at[set / 64] |= UINT64_C(1) << set % 64;
    }
}

/* There are more labels than numbers: the packet is counted by itself, as its observation would be. */
static void count_alone(struct tally *t, const struct batch *b, const struct brief *brief,
                        const struct label *label)
{
    struct observation o = {
        .ts_ns = (int64_t)((uint64_t)b->brief_base_ns + brief_time(brief)),
        .wire_len = brief_wire_len(brief),
        .src_port = brief_src_port(brief),
        .dst_port = brief->port,
        .state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS,
        .ip_version = 4,
        .ip_proto = IPPROTO_NR_UDP,
        .slot = (uint8_t)b->brief_slot,
    };
    memcpy(o.src, &brief->src, sizeof brief->src);
    tally_observation(t, b->shard, hash_u64(t->key, brief->src), SOURCE_NO_GUESS, &o, label);
}

/* What open briefs need comes from the cache of another core. */
static inline void open_prefetch(const struct batch *b, uint32_t i)
{
    const struct brief_open *open = &b->open[i];
    const uint8_t *payload = b->payload + open->at * BATCH_PAYLOAD_UNIT;
    __builtin_prefetch(payload);
    __builtin_prefetch(payload + open->caught);
    __builtin_prefetch(&b->briefs[open->brief], 1);
}

void tally_settle(struct tally *t, struct batch *b)
{
    enum { AHEAD = 8 };
    struct count *counts = t->slots[b->brief_slot].verdicts;
    uint16_t gone[BATCH_OPEN]; /* counted by themselves */
    unsigned gone_count = 0;

    for (uint32_t i = 0; i < AHEAD && i < b->open_count; i++)
        open_prefetch(b, i);
    for (uint32_t i = 0; i < b->open_count; i++) {
        const struct brief_open *open = &b->open[i];
        struct brief *brief = &b->briefs[open->brief];
        struct udp_payload payload = {b->payload + open->at * BATCH_PAYLOAD_UNIT, open->caught,
                                      open->len};
        struct label label;
        if (i + AHEAD < b->open_count)
            open_prefetch(b, i + AHEAD);
        uint16_t set = verdict_set(&t->verdicts, t->rules, t->scratch, brief, &payload, &label);
        if (__builtin_expect(set == VERDICT_NO_SET, 0)) {
            count_alone(t, b, brief, &label);
            gone[gone_count++] = open->brief;
            continue;
        }
        brief->set = set;
        counts[set_verdict(set)].packets++;
        counts[set_verdict(set)].bytes += brief_wire_len(brief);
    }
    while (gone_count > 0) /* the last first: what comes in its place is not gone */
        b->briefs[gone[--gone_count]] = b->briefs[--b->brief_count];
    b->open_count = 0;
    if (t->verdict_sets < t->verdicts.count)
        sets_add(t);
}
