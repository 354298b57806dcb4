/* page_embedded: the parts of the page, made by page_embed.py at build. UTF-8. */
#ifndef EXPORT_PAGE_EMBEDDED_H
#define EXPORT_PAGE_EMBEDDED_H

#include "export/html_page.h"

extern const unsigned char page_html[];
extern const size_t page_html_len;

/* "sha256-...": the only inline style and scripts that the page lets a browser take. */
extern const char page_style_policy[], page_script_policy[], page_chart_policy[];

#endif
