/* report_words: sentences of a report that are made of what a span says, in English and Japanese.
 *
 * Pure functions; any thread. Texts are UTF-8 and cut where they do not fit.
 */
#ifndef EXPORT_REPORT_WORDS_H
#define EXPORT_REPORT_WORDS_H

#include "export/window.h"

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

#endif
