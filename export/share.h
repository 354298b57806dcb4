/* share: a numerator over a denominator, and what both mean.
 *
 * Numerators are the marks from MARK_iot_strict up to SHARE_MARK_COUNT, denominators those below
 * DENOMINATOR_COUNT, and both without survey scanners (enum share_over). No share is printed without
 * its denominator's name. Pure functions; any thread.
 */
#ifndef EXPORT_SHARE_H
#define EXPORT_SHARE_H

#include "classify/label.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARE_TEXT = 16 }; /* holds every share_text */

struct share {
    uint64_t num, den;
};

/* What a share is over. The numerator goes with it: over an _ex_survey denominator it is counted without
 * the same sources. */
/* clang-format off */
#define SHARE_OVERS(X) X(total) X(scan) X(total_ex_survey) X(scan_ex_survey)
#define SHARE_OVER_(name) SHARE_OVER_##name,
enum share_over { SHARE_OVERS(SHARE_OVER_) SHARE_OVER_COUNT };
/* clang-format on */

const char *share_over_name(enum share_over over); /* "scan_ex_survey" */
const char *share_over_definition(enum share_over over);
enum mark share_over_mark(enum share_over over); /* MARK_total, MARK_scan */
bool share_over_is_ex(enum share_over over);     /* without survey scanners */

/* Share of two marks, from a count per mark (packets or distinct sources). */
struct share share_of(const uint64_t counts[MARK_COUNT], enum mark numerator,
                      enum mark denominator);

/* The same without what is taken out of each. */
struct share share_of_ex(const uint64_t counts[MARK_COUNT], const uint64_t out[SHARE_MARK_COUNT],
                         enum mark numerator, enum mark denominator);

/* num / den between 0 and 1; 0 where den is 0. */
double share_ratio(struct share s);

/* Percent with one decimal, "36.8 %"; "-" where den is 0. What is not none never reads as 0.0 and
 * what is not all never as 100.0: "<0.1 %", ">99.9 %". Returns `text`. */
const char *share_text(struct share s, char text[SHARE_TEXT]);

/* One line of words for what a numerator or denominator counts. */
const char *share_definition(enum mark mark);

enum { SHARE_WORDS = 64 }; /* holds every share_words */

/* Percent and denominator together, "36.8 % of scan_ex_survey"; "- of scan" where den is 0. Returns `words`. */
const char *share_words(struct share s, enum share_over over, char words[SHARE_WORDS]);

#endif
