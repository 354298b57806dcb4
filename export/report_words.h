/* report_words: sentences of a report that are made of what a span says, in English and Japanese.
 *
 * Pure functions; any thread. Texts are UTF-8 and cut where they do not fit.
 */
#ifndef EXPORT_REPORT_WORDS_H
#define EXPORT_REPORT_WORDS_H

#include "export/span.h"
#include "export/text.h"

enum { REPORT_WORDS = 600, REPORT_DATES = 64 };

/* Why something is absent (span.h: ex_absent, size_absent) in that language: what is not known here stays as it is.
 * Returns `to`. */
const char *report_reason(const char *why, bool is_japanese, char to[REPORT_WORDS]);

/* Whom shares over _ex_survey leave out that are made of windows: that they are provisional, and on which days they
 * stand. Returns `to`. */
const char *report_basis(const struct window_basis *basis, bool is_japanese, char to[REPORT_WORDS]);

/* The days alone, for a cell: "2026-03-07", "2026-03-07 to 2026-03-08", "none", "none, 2026-03-07". Returns `to`. */
const char *report_basis_dates(const struct window_basis *basis, bool is_japanese,
                               char to[REPORT_DATES]);

/* What detail is not there, and why: "not exact: the source days of 1,204 packets were damaged";
 * "" where all is. Returns `to`. */
const char *report_given_up(const struct day_given_up *g, bool is_japanese, char to[REPORT_WORDS]);

/* What stands before a share of a span that is not exact, as WORD_inexact_note says; "" where it is. */
const char *report_share_sign(const struct span *s, enum share_over over, bool by_sources);

/* "121.9 = 124,809 IPv4 packets / 1,024 addresses" (the mean of the days' where these differ); "" where it is
 * absent. Returns `to`. */
const char *report_per_address(const struct span *s, bool ex_survey, bool is_japanese,
                               char to[REPORT_WORDS]);

/* The same by address-seconds: "130.0 (93.744 % was observed)"; "" where it is absent or all was observed. Returns `to`. */
const char *report_full_days(const struct span *s, bool is_japanese, char to[REPORT_WORDS]);

/* A share of time, rounded to three digits: "4.167 %"; what is not all never reads as 100. Returns `to`. */
const char *report_observed(double share, char to[TEXT_NUMBER]);

/* The share of a span's days that was observed. */
double report_observed_of(const struct span *s);

#endif
