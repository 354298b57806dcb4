/* rules_text: a rule set for people and for programs: what is in force, and what every word means.
 *
 * Commands call it; errors of the stream are the caller's to check.
 */
#ifndef CLASSIFY_RULES_TEXT_H
#define CLASSIFY_RULES_TEXT_H

#include "classify/ruleset.h"

#include <stdbool.h>
#include <stdio.h>

/* Writes the rules, the kinds with their definitions and what is not told yet, the fingerprints
 * with their sources, and the marks and shares: tables for 100 columns, or one JSON object. */
void rules_list(FILE *out, const struct ruleset *set, bool is_json);

#endif
