#include "export/text_frame.h"

#include "classify/text_width.h"
#include "export/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 3 };

int text_part_begin(struct text_part *part)
{
    *part = (struct text_part){0};
    part->out = open_memstream(&part->bytes, &part->len);
    return part->out == NULL ? -ENOMEM : 0;
}

int text_part_end(struct text_part *part)
{
    bool is_lost = part->out == NULL || ferror(part->out) != 0;
    if (part->out != NULL && fclose(part->out) != 0)
        is_lost = true;
    part->out = NULL;
    return is_lost || part->bytes == NULL ? -ENOMEM : 0;
}

void text_part_fini(struct text_part *part)
{
    if (part->out != NULL)
        (void)fclose(part->out);
    free(part->bytes);
    *part = (struct text_part){0};
}

/* Bytes of the line at `at`, without its end. */
static size_t line_length(const struct text_part *part, size_t at)
{
    const char *end = memchr(part->bytes + at, '\n', part->len - at);
    return end == NULL ? part->len - at : (size_t)(end - part->bytes) - at;
}

/* Goes to the next line. False: there is none. */
static bool line_next(const struct text_part *part, size_t *at)
{
    *at += line_length(part, *at) + 1;
    return *at < part->len;
}

size_t text_part_rows(const struct text_part *part)
{
    size_t rows = 0;
    for (size_t at = 0; at < part->len; rows++)
        at += line_length(part, at) + 1;
    return rows;
}

/* Bytes of the style at `s`, 0: there is none. text.h writes "\033[", digits, "m". */
static size_t style_length(const char *s, size_t len)
{
    size_t i = 2;
    if (len < 3 || s[0] != '\033' || s[1] != '[')
        return 0;
    while (i < len && s[i] >= '0' && s[i] <= '9')
        i++;
    return i < len && s[i] == 'm' ? i + 1 : 0;
}

/* Prints as much of a line as `columns` hold; how many it took. */
static unsigned line_print(FILE *out, const char *s, size_t len, unsigned columns)
{
    unsigned used = 0;
    bool is_styled = false;
    for (size_t at = 0; at < len;) {
        size_t n = style_length(s + at, len - at);
        if (n > 0) {
            is_styled = memcmp(s + at, "\033[0m", n) != 0;
        } else {
            n = utf8_length((const unsigned char *)s + at);
            n = n == 0 || n > len - at ? 1 : n;
            unsigned wide = (unsigned)text_width(s + at, n);
            if (used + wide > columns)
                break;
            used += wide;
        }
        fwrite(s + at, 1, n, out);
        at += n;
    }
    if (is_styled)
        fputs("\033[0m", out);
    return used;
}

size_t text_part_print(FILE *out, const struct text_part *part, size_t from, size_t rows,
                       unsigned columns)
{
    size_t at = 0, row = 0, printed = 0;
    if (part->len == 0)
        return 0;
    do {
        if (row++ < from)
            continue;
        if (printed == rows)
            break;
        (void)line_print(out, part->bytes + at, line_length(part, at), columns);
        fputc('\n', out);
        printed++;
    } while (line_next(part, &at));
    return printed;
}

size_t text_part_print_beside(FILE *out, const struct text_part *l, const struct text_part *r,
                              size_t rows, unsigned left, unsigned columns)
{
    size_t l_at = 0, r_at = 0, printed = 0;
    bool has_l = l->len > 0, has_r = r->len > 0;
    unsigned right = columns > left + GAP ? columns - left - GAP : 0;
    for (; printed < rows && (has_l || has_r); printed++) {
        unsigned used = has_l ? line_print(out, l->bytes + l_at, line_length(l, l_at), left) : 0;
        size_t len = has_r ? line_length(r, r_at) : 0;
        if (len > 0) {
            fprintf(out, "%*s", (int)(left - used + GAP), "");
            (void)line_print(out, r->bytes + r_at, len, right);
        }
        fputc('\n', out);
        has_l = has_l && line_next(l, &l_at);
        has_r = has_r && line_next(r, &r_at);
    }
    return printed;
}
