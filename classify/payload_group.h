/* payload_group: which payload rules a port wants.
 *
 * Group 0 and 1 hold the rules of any TCP and any UDP port; every other one is a different set of
 * rules that some ports name, without those of any port. Not on the packet path but `of` and `min_len`.
 */
#ifndef CLASSIFY_PAYLOAD_GROUP_H
#define CLASSIFY_PAYLOAD_GROUP_H

#include "classify/ruleset.h"

#include <stdbool.h>
#include <stdint.h>

enum { PAYLOAD_GROUP_FIRST = PORT_PROTO_COUNT, PAYLOAD_GROUPS_MAX = 256 };

struct payload_groups {
    uint8_t of[PORT_PROTO_COUNT][65536]; /* 0: the port names none */
    unsigned count;
    uint32_t min_len[PAYLOAD_GROUPS_MAX]; /* no rule of the group holds for fewer bytes */
    uint64_t (*rules)[RULES_MAX / 64];    /* by group: bits */
};

/* 0; -E2BIG: more groups than there may be; -ENOMEM. Finish in any case. */
int payload_groups_init(struct payload_groups *g, const struct ruleset *set);
void payload_groups_fini(struct payload_groups *g);

/* Whether the rule is in the group. */
static inline bool payload_groups_has(const struct payload_groups *g, unsigned group, unsigned rule)
{
    return g->rules[group][rule / 64] >> rule % 64 & 1;
}

/* Writes set->payload_ports and set->payload_any_min. */
void payload_groups_want(const struct payload_groups *g, struct ruleset *set);

#endif
