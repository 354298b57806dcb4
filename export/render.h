/* render: a summary for people (text) and for programs (json).
 *
 * Both write to a stream of the caller's; errors of the stream are the caller's to check.
 */
#ifndef EXPORT_RENDER_H
#define EXPORT_RENDER_H

#include "export/summary.h"

#include <stdbool.h>
#include <stdio.h>

struct render_text_settings {
    unsigned width;   /* columns; 0: 100 */
    bool is_color;    /* ANSI colours */
    bool is_utf8;     /* bars of block characters, else of # */
    unsigned top;     /* rows per table; 0: 10 */
    bool is_japanese; /* device names */
};

void render_text(FILE *out, const struct summary *s, const struct render_text_settings *settings);

/* One object as DESIGN section 6 has it, ended by a newline. */
void render_json(FILE *out, const struct summary *s);

#endif
