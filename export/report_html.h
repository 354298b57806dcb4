/* report_html: what the parts of a report's page share. Only report_html*.c include it.
 *
 * Whatever comes from a feed goes through html_text: names are a stranger's.
 */
#ifndef EXPORT_REPORT_HTML_H
#define EXPORT_REPORT_HTML_H

#include "export/report.h"
#include "export/report_words.h"
#include "export/words.h"

struct html {
    FILE *out;
    const struct report *r;
    const struct span *s;
    enum share_over over;       /* of tables of scan packets: scan_ex_survey where there is one */
    enum share_over marks_over; /* likewise, of numerators */
    size_t top;
};

/* Text for people, between tags or in a quoted attribute. */
void html_text(FILE *out, const char *text);

/* A word in both languages, of which the page shows one. */
void html_say(FILE *out, enum word w);
void html_unit(FILE *out, enum unit unit, uint64_t count);
void html_both(FILE *out, const char *en, const char *ja);

/* Why something is absent, and whom provisional shares leave out. */
void html_reason(FILE *out, const char *why);
void html_basis_of(FILE *out, const struct window_basis *basis);

/* The name of a denominator or numerator, its definition a hover or a tab away. */
void html_over(FILE *out, enum share_over over);
void html_mark(FILE *out, enum mark mark);

/* "36.8 % of scan_ex_survey", in the words of both languages. */
void html_share(FILE *out, struct share share, enum share_over over);

/* Cells of a table. A percentage stands only below a head that names its denominator. */
void html_cell_number(FILE *out, uint64_t value);
void html_cell_range(FILE *out, struct source_count c);
void html_cell_percent(FILE *out, struct share share);
void html_cell_bar(FILE *out, double ratio, bool is_iot);
void html_cell_absent(FILE *out, const char *why);

/* Heads of columns: of a number, of a share over a denominator, of a bar. */
void html_head(FILE *out, enum word w, bool is_right);
void html_head_over(FILE *out, enum share_over over);

void html_section(FILE *out, const char *id, enum word heading);

uint64_t html_packets(const struct html *h, const struct span_count *c);
struct source_count html_sources(const struct html *h, const struct span_count *c);

/* Parts of tables. */
void html_note(FILE *out, enum word w);
void html_table_begin(FILE *out, const char *id); /* its heads follow */
void html_table_body(FILE *out);
void html_table_end(FILE *out);
void html_head_bar(FILE *out);

/* The tables. */
void html_shares(const struct html *h);
void html_categories(const struct html *h);
void html_series(const struct html *h);
void html_ports(const struct html *h);
void html_evidence(const struct html *h);
void html_kinds(const struct html *h);
void html_tools(const struct html *h);
void html_classes(const struct html *h);
void html_places(const struct html *h);
void html_coverage(const struct html *h);
void html_basis(const struct html *h);
void html_definitions(const struct html *h);

#endif
