/* html_page: the page that shows a day or a report: one source (page/), served or whole in one file.
 *
 * page/page.html with its marks filled in. Served, its style and scripts are files of their own, and it asks /api/v1 for its
 * numbers; in a file they stand in it, with the numbers as a JSON block (element `data`: view_json.h and report_html.c say what), and
 * its policy lets nothing else run and no request out. Either way the words that C knows stand in it as JSON (element `words`).
 *
 * Pure but for the stream, whose errors are the caller's to check. Text that is filled in is escaped for its place.
 */
#ifndef EXPORT_HTML_PAGE_H
#define EXPORT_HTML_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct html_page {
    bool is_japanese;  /* the language it begins in, without JavaScript */
    const char *title; /* NULL: "yamiscope" */
    const char *data;  /* JSON; NULL: it is served */
    const char *text;  /* what shows without JavaScript; NULL: where the numbers are served */
};

void html_page_print(FILE *out, const struct html_page *p);

/* The parts that are served beside it: UTF-8. */
extern const unsigned char page_style[], page_script[], page_chart[];
extern const size_t page_style_len, page_script_len, page_chart_len;

#endif
