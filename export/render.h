/* render: a summary for people (text) and for programs (json).
 *
 * Both write to a stream of the caller's; errors of the stream are the caller's to check.
 */
#ifndef EXPORT_RENDER_H
#define EXPORT_RENDER_H

#include "export/summary.h"

#include <stdbool.h>
#include <stdio.h>

/* How a time is said: seconds east of UTC, and what they are called ("JST"); "": UTC. */
struct render_zone {
    int32_t east_s;
    char name[16];
};

struct render_text_settings {
    unsigned width;                           /* columns; 0: 100 */
    bool is_color;                            /* ANSI colours */
    bool is_utf8;                             /* bars of block characters, else of # */
    unsigned top;                             /* rows of the tables of ports and rules; 0: 10 */
    bool is_japanese;                         /* device names */
    struct render_zone first_zone, last_zone; /* in force at the first and last packet */
};

void render_text(FILE *out, const struct summary *s, const struct render_text_settings *settings);

/* One object as DESIGN section 6 has it, ended by a newline. */
void render_json(FILE *out, const struct summary *s);

#endif
