#include "export/text.h"

#include "classify/text_width.h"

#include <inttypes.h>
#include <string.h>

enum {
    GAP = 2,
    BAR_MIN = 6,
    BAR_MAX = 32,
    ELASTIC_MIN = 10,
    REPLACEMENT = 0xfffd,
    PARAGRAPH_MAX = 1000
};

const char *text_number(uint64_t value, char to[TEXT_NUMBER])
{
    char digits[TEXT_NUMBER];
    size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value), at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = digits[i];
    }
    to[at] = '\0';
    return to;
}

const char *text_decimal(double value, char to[TEXT_NUMBER])
{
    enum { DIGITS = 4, MOST = 20 };
    int decimals = DIGITS - 1;
    if (value >= 999.95 || value == (double)(uint64_t)value)
        return text_number((uint64_t)(value + 0.5), to);
    for (double left = value; left >= 9.9995; left /= 10)
        decimals--;
    for (double left = value; left < 0.99995 && decimals < MOST; left *= 10)
        decimals++;
    snprintf(to, TEXT_NUMBER, "%.*f", decimals, value);
    return to;
}

const char *text_counted(uint64_t value, const char *one, const char *many, char to[TEXT_COUNTED])
{
    char digits[TEXT_NUMBER];
    snprintf(to, TEXT_COUNTED, "%s %s", text_number(value, digits), value == 1 ? one : many);
    return to;
}

/* The character at *s; moves past it. What is no UTF-8 is one replacement per byte. */
static uint32_t character_next(const char **s)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)*s;
    unsigned more = at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
    uint32_t value = more == 0 ? at[0] : at[0] & (0x3fu >> more);

    *s += 1;
    if (at[0] < 0x80)
        return value;
    if (at[0] < 0xc0 || at[0] > 0xf4)
        return REPLACEMENT;
    for (unsigned i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return REPLACEMENT;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return REPLACEMENT;
    *s += more;
    return value;
}

/* Also what a terminal might obey: C0, DEL, C1, and marks that turn the writing direction. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Columns of the character from `from` to `to`; a replacement takes one. */
static unsigned shown_columns(const char *from, const char *to, uint32_t c)
{
    return is_control(c) ? 1 : (unsigned)text_width(from, (size_t)(to - from));
}

unsigned text_columns(const char *s)
{
    unsigned columns = 0;
    while (*s != '\0') {
        const char *from = s;
        uint32_t c = character_next(&s);
        columns += shown_columns(from, s, c);
    }
    return columns;
}

static void style_begin(const struct text *t, enum text_style style)
{
    static const char *const codes[] = {
        [TEXT_PLAIN] = "",       [TEXT_BOLD] = "\033[1m",     [TEXT_DIM] = "\033[2m",
        [TEXT_BAR] = "\033[36m", [TEXT_BAR_IOT] = "\033[33m", [TEXT_WARN] = "\033[31m"};
    if (t->is_color)
        fputs(codes[style], t->out);
}

static void style_end(const struct text *t, enum text_style style)
{
    if (t->is_color && style != TEXT_PLAIN)
        fputs("\033[0m", t->out);
}

static void spaces(const struct text *t, unsigned count) { fprintf(t->out, "%*s", (int)count, ""); }

unsigned text_print(const struct text *t, enum text_style style, const char *s, unsigned columns)
{
    bool is_cut = text_columns(s) > columns;
    unsigned room = is_cut && columns > 0 ? columns - 1 : columns, used = 0;

    if (columns == 0)
        return 0;
    style_begin(t, style);
    while (*s != '\0') {
        const char *from = s;
        uint32_t c = character_next(&s);
        bool is_plain = !is_control(c) && c != REPLACEMENT && (t->is_utf8 || c < 0x80);
        unsigned wide = shown_columns(from, s, c);
        if (used + wide > room)
            break;
        if (is_plain)
            fwrite(from, 1, (size_t)(s - from), t->out);
        else
            fprintf(t->out, "%.*s", (int)wide, "??");
        used += wide;
    }
    if (is_cut) {
        fputs(t->is_utf8 ? "…" : "~", t->out);
        used++;
    }
    style_end(t, style);
    return used;
}

unsigned text_bar(const struct text *t, enum text_style style, double ratio, unsigned columns)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned steps = t->is_utf8 ? 8 : 1;
    double exact = (ratio < 0 ? 0 : ratio > 1 ? 1 : ratio) * columns * steps;
    unsigned filled = (unsigned)(exact + 0.5), whole;

    if (filled == 0 && ratio > 0 && columns > 0)
        filled = 1;
    whole = filled / steps;
    style_begin(t, style);
    for (unsigned i = 0; i < whole; i++)
        fputs(t->is_utf8 ? "█" : "#", t->out);
    if (filled % steps != 0)
        fputs(eighths[filled % steps], t->out);
    style_end(t, style);
    return whole + (filled % steps != 0);
}

void text_heading(const struct text *t, const char *heading, const char *note)
{
    fputc('\n', t->out);
    unsigned used = text_print(t, TEXT_BOLD, heading, t->width);
    if (note[0] != '\0' && used + 3 < t->width) {
        spaces(t, GAP);
        used += GAP + text_print(t, TEXT_DIM, note, t->width - used - GAP);
    }
    if (used + GAP < t->width) {
        fputc(' ', t->out);
        style_begin(t, TEXT_DIM);
        for (used++; used < t->width; used++)
            fputs(t->is_utf8 ? "─" : "-", t->out);
        style_end(t, TEXT_DIM);
    }
    fputc('\n', t->out);
}

void text_paragraph(const struct text *t, enum text_style style, const char *words, unsigned indent)
{
    unsigned room = t->width > indent ? t->width - indent : 1;
    char line[4 * PARAGRAPH_MAX + 1];

    room = room < PARAGRAPH_MAX ? room : PARAGRAPH_MAX;
    while (*words != '\0') {
        size_t len = text_wrap(words, room);
        if (len >= sizeof line) /* characters that take no column */
            len = sizeof line - 1;
        memcpy(line, words, len);
        line[len] = '\0';
        text_print(t, style, line, room);
        words += len;
        words += strspn(words, " ");
        fputc('\n', t->out);
        if (*words != '\0')
            spaces(t, indent);
    }
}

/* How wide each column and the bar become; the elastic one gives way first. */
struct layout {
    unsigned width[TEXT_COLUMNS]; /* 0: left out */
    unsigned bar;                 /* 0: left out */
};

static void layout_fit(struct layout *l, const struct text *t, const struct text_column *columns,
                       size_t count)
{
    unsigned fixed = 0, *elastic = NULL;
    for (size_t i = 0; i < count; i++) {
        if (columns[i].is_elastic)
            elastic = &l->width[i];
        else
            fixed += GAP + l->width[i];
    }
    unsigned room = t->width > fixed ? t->width - fixed : 0;
    if (elastic != NULL) {
        /* Words before bars, but the shortest bar is left. */
        unsigned kept = t->has_no_bars ? GAP : 2 * GAP + BAR_MIN;
        unsigned most = room > kept ? room - kept : 0;
        if (*elastic > most)
            *elastic = most < ELASTIC_MIN ? 0 : most;
        if (*elastic > 0)
            room -= GAP + *elastic;
    }
    l->bar = room >= GAP + BAR_MIN && !t->has_no_bars ? room - GAP : 0;
    if (l->bar > BAR_MAX)
        l->bar = BAR_MAX;
}

static void cell_print(const struct text *t, const struct text_column *column,
                       enum text_style style, const char *s, unsigned width)
{
    unsigned columns = text_columns(s);
    spaces(t, GAP);
    if (column->is_right && columns < width)
        spaces(t, width - columns);
    unsigned used = text_print(t, style, s, width);
    if (!column->is_right)
        spaces(t, width - used);
}

void text_table(const struct text *t, const struct text_column *columns, size_t column_count,
                size_t rows, text_row_fill fill, const void *context)
{
    struct layout l = {0};
    struct text_row row;

    for (size_t c = 0; c < column_count; c++)
        l.width[c] = text_columns(columns[c].heading);
    for (size_t i = 0; i < rows; i++) {
        fill(context, i, &row);
        for (size_t c = 0; c < column_count; c++) {
            unsigned width = text_columns(row.cell[c]);
            if (l.width[c] < width)
                l.width[c] = width;
        }
    }
    layout_fit(&l, t, columns, column_count);

    for (size_t c = 0; c < column_count; c++)
        if (l.width[c] > 0)
            cell_print(t, &columns[c], TEXT_DIM, columns[c].heading, l.width[c]);
    fputc('\n', t->out);
    for (size_t i = 0; i < rows; i++) {
        fill(context, i, &row);
        for (size_t c = 0; c < column_count; c++)
            if (l.width[c] > 0)
                cell_print(t, &columns[c], columns[c].is_dim ? TEXT_DIM : TEXT_PLAIN, row.cell[c],
                           l.width[c]);
        if (l.bar > 0 && row.bar > 0) {
            spaces(t, GAP);
            text_bar(t, row.bar_style, row.bar, l.bar);
        }
        fputc('\n', t->out);
    }
}
