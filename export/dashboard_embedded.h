/* dashboard_embedded: the files of the dashboard, made by page_embed.py at build. UTF-8. */
#ifndef EXPORT_DASHBOARD_EMBEDDED_H
#define EXPORT_DASHBOARD_EMBEDDED_H

#include <stddef.h>

extern const unsigned char dashboard_page[], dashboard_style[], dashboard_script[],
    dashboard_chart[];
extern const size_t dashboard_page_len, dashboard_style_len, dashboard_script_len,
    dashboard_chart_len;

#endif
