/* rules_embedded: classify/rules/ inside the program; rules_embed.py writes the source. */
#ifndef CLASSIFY_RULES_EMBEDDED_H
#define CLASSIFY_RULES_EMBEDDED_H

#include "classify/ruleset.h"

/* Sorted by name. */
extern const struct rule_source rules_embedded[];
extern const size_t rules_embedded_count;

#endif
