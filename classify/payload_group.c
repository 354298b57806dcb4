#include "classify/payload_group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The ports' groups while rules come in one by one: a rule splits every group that it covers a part of. */
struct partition {
    uint16_t of[PORT_PROTO_COUNT][65536];
    unsigned count;
    struct part {
        uint16_t parent, rule; /* a part's rules: this one, and all of the parent */
        uint16_t split;        /* of the rule that split it last, the new part */
        uint16_t split_by;
        uint8_t group; /* at the end */
    } parts[65536];
};

/* Bytes that a payload must have for the rule to hold. */
static uint32_t rule_min_len(const struct rule_payload *payload)
{
    uint32_t shortest[RULE_CLAUSES_MAX], longest = 0;
    memset(shortest, 0xff, sizeof shortest);
    for (unsigned i = 0; i < payload->pattern_count; i++) {
        const struct rule_pattern *p = &payload->patterns[i];
        if (p->min_len < shortest[p->clause])
            shortest[p->clause] = p->min_len;
    }
    for (unsigned c = 0; c < payload->clause_count; c++)
        if (shortest[c] > longest)
            longest = shortest[c];
    return longest;
}

static bool is_any(const struct rule_payload *payload, unsigned proto)
{
    for (size_t r = 0; r < payload->ports.count; r++)
        if (payload->ports.at[r].is_any && payload->ports.at[r].proto == proto)
            return true;
    return false;
}

/* A rule's ports move from their parts to the parts that have the rule, too. */
static int split(struct partition *p, const struct port_range *range, uint16_t rule)
{
    for (unsigned port = range->first; port <= range->last; port++) {
        uint16_t *of = &p->of[range->proto][port];
        struct part *part = &p->parts[*of];
        if (*of && part->rule == rule)
            continue; /* named twice */
        if (part->split_by != rule + 1) {
            if (p->count == 65535)
                return -E2BIG;
            part->split_by = (uint16_t)(rule + 1);
            part->split = (uint16_t)p->count;
            p->parts[p->count++] = (struct part){.parent = *of, .rule = rule};
        }
        *of = part->split;
    }
    return 0;
}

static void add_rule(struct payload_groups *g, const struct ruleset *set, unsigned group,
                     unsigned rule)
{
    uint32_t len = rule_min_len(set->rules[rule].payload);
    g->rules[group][rule / 64] |= UINT64_C(1) << rule % 64;
    if (len < g->min_len[group])
        g->min_len[group] = len;
}

/* Parts that ports are left in become groups. */
static int number(struct payload_groups *g, const struct ruleset *set, struct partition *p)
{
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 65536; port++) {
            unsigned at = p->of[proto][port];
            struct part *part = &p->parts[at];
            if (at == 0)
                continue;
            if (part->group == 0) {
                if (g->count == PAYLOAD_GROUPS_MAX)
                    return -E2BIG;
                part->group = (uint8_t)g->count++;
                for (unsigned i = at; i; i = p->parts[i].parent)
                    add_rule(g, set, part->group, p->parts[i].rule);
            }
            g->of[proto][port] = part->group;
        }
    return 0;
}

int payload_groups_init(struct payload_groups *g, const struct ruleset *set)
{
    memset(g, 0, sizeof *g);
    memset(g->min_len, 0xff, sizeof g->min_len);
    g->rules = calloc(PAYLOAD_GROUPS_MAX, sizeof *g->rules);
    struct partition *p = calloc(1, sizeof *p);
    int err = g->rules && p ? 0 : -ENOMEM;
    if (err == 0) {
        g->count = PAYLOAD_GROUP_FIRST;
        p->count = 1;
    }
    for (size_t i = 0; i < set->rule_count && err == 0; i++) {
        const struct rule_payload *payload = set->rules[i].payload;
        for (unsigned proto = 0; payload && proto < PORT_PROTO_COUNT; proto++)
            if (is_any(payload, proto))
                add_rule(g, set, proto, (unsigned)i);
        for (size_t r = 0; payload && r < payload->ports.count && err == 0; r++)
            if (!is_any(payload, payload->ports.at[r].proto))
                err = split(p, &payload->ports.at[r], (uint16_t)i);
    }
    if (err == 0)
        err = number(g, set, p);
    free(p);
    return err;
}

void payload_groups_fini(struct payload_groups *g)
{
    free(g->rules);
    g->rules = NULL;
}

void payload_groups_want(const struct payload_groups *g, struct ruleset *set)
{
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++) {
        set->payload_any_min[proto] = g->min_len[proto];
        for (unsigned port = 0; port < 65536; port++)
            if (g->of[proto][port])
                set->payload_ports[proto][port / 64] |= UINT64_C(1) << port % 64;
    }
}
