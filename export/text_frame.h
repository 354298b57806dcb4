/* text_frame: a screen put together of parts that text.h printed: under each other, side by side, cut to its size.
 *
 * A part is lines of text with styles (SGR sequences of text.h and nothing else that a terminal obeys). Columns are counted as
 * text.h counts them. One owner.
 */
#ifndef EXPORT_TEXT_FRAME_H
#define EXPORT_TEXT_FRAME_H

#include <stddef.h>
#include <stdio.h>

struct text_part {
    char *bytes;
    size_t len;
    FILE *out; /* between begin and end */
};

/* Print to part->out in between. -ENOMEM; the caller finishes in any case. */
int text_part_begin(struct text_part *part);
int text_part_end(struct text_part *part);
void text_part_fini(struct text_part *part); /* accepts all zero */

/* Lines of a part. */
size_t text_part_rows(const struct text_part *part);

/* Prints lines [from, from + rows) of it, at most `columns` wide. Returns how many there were. */
size_t text_part_print(FILE *out, const struct text_part *part, size_t from, size_t rows,
                       unsigned columns);

/* Prints the first `rows` lines of both next to each other: the left one in `left` columns, the right one in what `columns` leaves.
 * Returns how many. */
size_t text_part_print_beside(FILE *out, const struct text_part *l, const struct text_part *r,
                              size_t rows, unsigned left, unsigned columns);

#endif
