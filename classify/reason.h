/* reason: why a packet has its labels, in words. For `explain`.
 *
 * Names no address, sequence number, IP id or byte of a payload, so the text may be shown where a telescope is
 * configured (law 6). Of payloads it says what the rule looks for, in the rule's words.
 */
#ifndef CLASSIFY_REASON_H
#define CLASSIFY_REASON_H

#include "capture/observation.h"
#include "classify/label.h"
#include "classify/ruleset.h"

#include <stddef.h>

/* Writes one line without newline: the kind and what decided it, the rules with their evidence,
 * the tools with their form, the marks. Cut where `size` (> 0) is too small, always ended by a
 * zero. Returns the bytes that the whole text takes, as snprintf does. `label` is what
 * classify_batch wrote for `o`. */
int reason_text(const struct ruleset *set, const struct observation *o, const struct label *label,
                char *text, size_t size);

#endif
