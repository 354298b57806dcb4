/* render_page: what the parts of the text of a summary share.
 *
 * Each part prints itself to the page's stream; no allocation.
 */
#ifndef EXPORT_RENDER_PAGE_H
#define EXPORT_RENDER_PAGE_H

#include "export/render.h"
#include "export/text.h"

enum { PAGE_INDENT = 2, PAGE_LABEL = 12, PAGE_LINE = 512 };

struct page {
    struct text text;
    const struct summary *s;
    const struct render_text_settings *settings;
    size_t top; /* rows of the tables that are cut */
    bool is_japanese;
};

/* A label, then words to the right of it; ends the line. */
void page_line(const struct page *p, const char *label, enum text_style style, const char *words);

/* The same for what must stay in one line (a path): cut where the line ends. */
void page_name(const struct page *p, const char *label, enum text_style style, const char *name);

/* Dim words below a table. */
void page_note(const struct page *p, const char *words);

/* How long something took: "1.500 s", "59 min 59 s", "2 d 03 h 10 min". */
void page_span(uint64_t ns, char to[64]);

/* The last part, "What it rests on": ledger, inputs, settings, rule set, windows, feed. */
void page_basis(const struct page *p);

#endif
