/* share: a numerator over a denominator, and what both mean.
 *
 * Numerators are the marks from MARK_iot_strict up to SHARE_MARK_COUNT, denominators those
 * below DENOMINATOR_COUNT. Pure functions; any thread.
 */
#ifndef EXPORT_SHARE_H
#define EXPORT_SHARE_H

#include "classify/label.h"

#include <stddef.h>
#include <stdint.h>

enum { SHARE_TEXT = 16 }; /* holds every share_text */

struct share {
    uint64_t num, den;
};

/* Share of two marks, from a count per mark (packets or distinct sources). */
struct share share_of(const uint64_t counts[MARK_COUNT], enum mark numerator,
                      enum mark denominator);

/* num / den between 0 and 1; 0 where den is 0. */
double share_ratio(struct share s);

/* Percent with one decimal, "36.8 %"; "-" where den is 0. What is not none never reads as 0.0 and
 * what is not all never as 100.0: "<0.1 %", ">99.9 %". Returns `text`. */
const char *share_text(struct share s, char text[SHARE_TEXT]);

/* One line of words for what a numerator or denominator counts. */
const char *share_definition(enum mark mark);

#endif
