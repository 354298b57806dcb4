/* page_embedded: style and script of the report's page, made by page_embed.py at build. */
#ifndef EXPORT_PAGE_EMBEDDED_H
#define EXPORT_PAGE_EMBEDDED_H

#include <stddef.h>

extern const unsigned char page_style[], page_script[]; /* UTF-8 */
extern const size_t page_style_len, page_script_len;

/* "sha256-...": the only inline style and script that the page lets a browser take. */
extern const char page_style_policy[], page_script_policy[];

#endif
