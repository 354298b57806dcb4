/* text: tables and bars for a terminal.
 *
 * Columns are counted as a terminal shows them: East Asian characters take two. Whatever
 * a string holds (file names are a stranger's), no control character of it reaches the
 * terminal. Writes to a stream of the caller's; no allocation.
 */
#ifndef EXPORT_TEXT_H
#define EXPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct text {
    FILE *out;
    unsigned width; /* columns of the terminal */
    bool is_color, is_utf8;
    bool has_no_bars; /* tables leave their room to words */
};

enum text_style { TEXT_PLAIN, TEXT_BOLD, TEXT_DIM, TEXT_BAR, TEXT_BAR_IOT, TEXT_WARN };

enum { TEXT_NUMBER = 32, TEXT_COUNTED = 96, TEXT_COLUMNS = 8 };

/* 1234567 -> "1,234,567". Returns `to`. */
const char *text_number(uint64_t value, char to[TEXT_NUMBER]);

/* Four digits that count, and all before the point: "226,000", "121.9", "0.00002906", "0". `value` is from 0 to
 * 2^64. Returns `to`. */
const char *text_decimal(double value, char to[TEXT_NUMBER]);

/* "1 packet", "2,000 packets". Returns `to`. */
const char *text_counted(uint64_t value, const char *one, const char *many, char to[TEXT_COUNTED]);

/* Columns that `s` takes. */
unsigned text_columns(const char *s);

/* Prints `s`, cut to `columns` where it is longer. Returns the columns it took. */
unsigned text_print(const struct text *t, enum text_style style, const char *s, unsigned columns);

/* Prints a bar of `ratio` (0 to 1) of `columns`; what is not zero shows. Returns the columns it took. */
unsigned text_bar(const struct text *t, enum text_style style, double ratio, unsigned columns);

/* A blank line, then the heading and a rule to the right end; `note` stands behind it, "" is none. */
void text_heading(const struct text *t, const char *heading, const char *note);

/* Words, broken into lines; the first begins at column `indent` (the caller is there already), so
 * do the others. Ends the line. */
void text_paragraph(const struct text *t, enum text_style style, const char *words,
                    unsigned indent);

struct text_column {
    const char *heading;
    bool is_right;   /* numbers */
    bool is_elastic; /* is cut, or left out, where the width is short; at most one column */
    bool is_dim;
};

/* One row, filled on demand: text of the caller's, or numbers written to `number`. */
struct text_row {
    const char *cell[TEXT_COLUMNS];
    char number[TEXT_COLUMNS][TEXT_NUMBER];
    double bar; /* 0 to 1 */
    enum text_style bar_style;
};

typedef void (*text_row_fill)(const void *context, size_t index, struct text_row *row);

/* Prints headings and rows; a bar takes what is left of the width (at most 32 columns). Each row is
 * filled twice: to measure and to print. */
void text_table(const struct text *t, const struct text_column *columns, size_t column_count,
                size_t rows, text_row_fill fill, const void *context);

#endif
