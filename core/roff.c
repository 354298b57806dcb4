#include "core/roff.h"

#include <stdbool.h>
#include <string.h>

enum { WIDTH = 76 };

/* How a character stands in roff's source where that is not as it is. */
static const char *escape(char c)
{
    static const struct {
        char c;
        const char *is;
    } escapes[] = {
        {'\\', "\\e"},  {'-', "\\-"},    {'~', "\\(ti"}, {'^', "\\(ha"},
        {'`', "\\(ga"}, {'\'', "\\(aq"}, /* else a curly one on paper and in UTF-8 */
    };
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (escapes[i].c == c)
            return escapes[i].is;
    return NULL;
}

/* Prints a character; how wide it is in the source. */
static size_t character(FILE *out, char c)
{
    const char *is = escape(c);
    if (is)
        fputs(is, out);
    else
        putc(c, out);
    return is ? strlen(is) : 1;
}

/* Prints a word, and how wide that was. */
static size_t print_word(FILE *out, const char *word, size_t len, bool begins, bool *is_code)
{
    size_t width = 0;
    if (begins && word[0] == '.') {
        fputs("\\&", out);
        width += 2;
    }
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '`' && (*is_code || strchr(word + i + 1, '`'))) {
            *is_code = !*is_code;
            fputs(*is_code ? "\\fB" : "\\fR", out);
            width += 3;
        } else {
            width += character(out, word[i]);
        }
    }
    return width;
}

void roff_text(FILE *out, const char *text)
{
    size_t column = 0;
    bool is_code = false;
    for (const char *c = text; *c;) {
        size_t len = strcspn(c, " \n");
        if (len > 0) {
            bool breaks = column > 0 && column + 1 + len > WIDTH;
            if (column > 0)
                putc(breaks ? '\n' : ' ', out);
            column = breaks || column == 0 ? 0 : column + 1;
            column += print_word(out, c, len, column == 0, &is_code);
            c += len;
        } else if (c[0] == '\n' && c[1] == '\n' && c[2] != '\0') {
            fputs("\n.PP\n", out);
            column = 0;
            c += 2;
        } else {
            c++;
        }
    }
}

void roff_line(FILE *out, const char *text)
{
    if (text[0] == '.')
        fputs("\\&", out);
    for (const char *c = text; *c; c++)
        character(out, *c);
}

void roff_font(FILE *out, char font, const char *text, size_t len)
{
    fprintf(out, "\\f%c", font);
    for (size_t i = 0; i < len; i++)
        character(out, text[i]);
    fputs("\\fR", out);
}

void roff_arguments(FILE *out, const char *arguments)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    for (const char *at = arguments; *at;) {
        size_t len = strcspn(at, " ");
        bool is_typed = at[0] == '-' || strcspn(at, small) < len;
        roff_font(out, is_typed ? 'B' : 'I', at, len);
        at += len;
        if (*at == ' ') {
            putc(' ', out);
            at++;
        }
    }
}
