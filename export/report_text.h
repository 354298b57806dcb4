/* report_text: what the parts of a report's text share. Only report_text*.c include it. */
#ifndef EXPORT_REPORT_TEXT_H
#define EXPORT_REPORT_TEXT_H

#include "export/report.h"
#include "export/report_words.h"
#include "export/words.h"

enum {
    REPORT_INDENT = 2,
    REPORT_LABEL = 22,
    REPORT_LINE = 640,
    REPORT_RANGE = 2 * TEXT_NUMBER + 8
};

struct report_page {
    struct text text;
    const struct report *r;
    const struct span *s;
    enum share_over
        over; /* that tables of scan packets are over: scan_ex_survey where there is one */
    size_t top;
    bool is_japanese;
};

/* "1,234", or "1,000 to 2,000" where only bounds are known. */
const char *report_range(const struct report_page *p, struct source_count c, char to[REPORT_RANGE]);

/* The columns of a count that `over` is about. */
uint64_t report_packets(const struct report_page *p, const struct span_count *c);
struct source_count report_sources(const struct report_page *p, const struct span_count *c);

const char *report_word(const struct report_page *p, enum word w);
void report_line(const struct report_page *p, const char *label, enum text_style style,
                 const char *words);
void report_note(const struct report_page *p, const char *words);

/* The last parts: who was taken out, places, coverage, basis, notes. */
void report_text_rest(const struct report_page *p);

#endif
