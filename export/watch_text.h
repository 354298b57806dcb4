/* watch_text: one frame of the live view, as lines for a terminal.
 *
 * Whatever a feed or server says of itself, nothing of it but text reaches the terminal (text.h). Rates are of the newest window;
 * counts of the newest day, provisional from its windows until its Day is there. Every share stands beside the name of its
 * denominator. What finds no room is left out from below: kinds, tools (first as a line), ports; then what is lowest. Pure but for
 * the zone (calendar.h): the time is the caller's.
 */
#ifndef EXPORT_WATCH_TEXT_H
#define EXPORT_WATCH_TEXT_H

#include "export/share.h"
#include "export/watch.h"

#include <stdio.h>

enum watch_link {
    WATCH_READING, /* what is there already */
    WATCH_LIVE,
    WATCH_LOST, /* the source is away; `why` */
};

struct watch_frame {
    unsigned columns, rows; /* rows 0: no bound */
    bool is_color, is_utf8, is_japanese;
    unsigned top;         /* rows of ports at most; 0: 10, or as many as find room */
    enum share_over over; /* SHARE_OVER_COUNT: scan_ex_survey where there is one, else scan */
    const char *source;   /* as it was named */
    enum watch_link link;
    const char *why;     /* the source is away, and what becomes of it; "" */
    int64_t now_ns;      /* UTC */
    bool is_interactive; /* keys are named */
};

/* At most `rows` lines, each at most `columns` wide and ended by a newline. -ENOMEM. */
int watch_text(FILE *out, const struct watch *w, const struct watch_frame *f);

#endif
