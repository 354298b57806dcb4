/* payload_finder: at which byte a payload shows a rule. For `explain`: payload.h says that it does, this says where.
 *
 * Off the packet path: a rule's patterns are compiled when it is first asked for (milliseconds), with Hyperscan's report of where a
 * match begins, which costs too much to have for every packet. One thread.
 */
#ifndef CLASSIFY_PAYLOAD_FINDER_H
#define CLASSIFY_PAYLOAD_FINDER_H

#include "classify/ruleset.h"

#include <stddef.h>
#include <stdint.h>

struct payload_finder;

/* `set` outlives it. NULL with errno. */
struct payload_finder *payload_finder_create(const struct ruleset *set);
void payload_finder_destroy(struct payload_finder *f); /* accepts NULL */

/* For each thing that the rule wants to be there, in its order: the first byte at which one of the patterns that show it begins;
 * UINT16_MAX: none does in these bytes, or Hyperscan can't say where. Returns how many; 0: the rule is not of payloads, or
 * built without Hyperscan. */
unsigned payload_finder_find(struct payload_finder *f, uint16_t rule, const uint8_t *bytes,
                             size_t len, uint16_t offsets[RULE_CLAUSES_MAX]);

#endif
