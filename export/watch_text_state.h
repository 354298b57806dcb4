/* watch_text_state: what the files of watch_text share. Nobody else includes it. */
#ifndef EXPORT_WATCH_TEXT_STATE_H
#define EXPORT_WATCH_TEXT_STATE_H

#include "export/report.h"
#include "export/text_frame.h"
#include "export/watch_text.h"
#include "export/words.h"

enum { WATCH_LINE = 320, WATCH_PARTS = 6 };

struct watch_page {
    const struct watch *w;
    const struct watch_frame *f;
    const struct span *s; /* of the newest day; NULL: there is none */
    enum share_over over; /* of the shares */
    bool by_ex;           /* rows of tables are over scan_ex_survey, else scan */
    bool is_japanese;
};

/* Stands for en or ja. */
const char *watch_say(const struct watch_page *p, const char *en, const char *ja);

/* A printer with the frame's ways, `columns` wide. */
struct text watch_ink(const struct watch_page *p, FILE *out, unsigned columns);

/* "12:34" or, with seconds and zone, "12:34:56 JST" of the zone in force. */
const char *watch_clock(int64_t ns, bool is_long, char to[64]);

/* One line of a style, cut to the width. */
void watch_line(const struct text *t, enum text_style style, const char *words);

/* The parts. */
void watch_print_head(const struct watch_page *p, const struct text *t);
void watch_print_rates(const struct watch_page *p, const struct text *t);
void watch_print_shares(const struct watch_page *p, const struct text *t);
void watch_print_ports(const struct watch_page *p, const struct text *t, size_t rows);
void watch_print_tools(const struct watch_page *p, const struct text *t, bool is_line);
void watch_print_kinds(const struct watch_page *p, const struct text *t);
void watch_print_status(const struct watch_page *p, const struct text *t);

/* How many lines the tables have below their heading. */
size_t watch_tool_rows(const struct watch_page *p);
size_t watch_kind_rows(const struct watch_page *p);

#endif
