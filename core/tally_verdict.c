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
        t->set_kinds[set] = set_what(set) == BRIEF_ICMP
                                ? (uint8_t)KIND_COUNT
                                : (uint8_t)brief_kind(&(struct brief){.set = (uint16_t)set});
        t->set_shows[set] = is_udp ? shows_of_udp(KIND_udp, set_marks(set))
                                   : (uint8_t)(set_tools(set) << (PAIR_TOOLS - PAIR_BRIEFS) |
                                               (set & BRIEF_ASKS ? 2u : 1u));
        if (set_what(set) == BRIEF_SYN && set_tools(set) >> TOOL_mirai & 1)
            t->evidence.at[set / 64] |= UINT64_C(1) << set % 64;
    }
}

void tally_verdicts(struct tally *t, const struct batch *b)
{
    t->labels = b->verdicts->at;
    for (; t->verdict_sets < b->verdict_count; t->verdict_sets++) {
        const struct label *label = &t->labels[t->verdict_sets];
        unsigned set = set_of_verdict(t->verdict_sets, label->kind == KIND_udp);
        t->set_marks[set] = (uint16_t)label->marks;
        t->set_kinds[set] = label->kind;
        t->set_shows[set] = shows_of_udp((enum kind)label->kind, label->marks);
        if (label->payload_rule != RULE_NONE)
            t->evidence.at[set / 64] |= UINT64_C(1) << set % 64;
    }
}
