/* watch_case: records for tests of the live view, and what a terminal may be sent. */
#ifndef TEST_WATCH_CASE_H
#define TEST_WATCH_CASE_H

#include "export/utf8.h"
#include "export/watch_text.h"

#include "classify/text_width.h"

#include <stdlib.h>
#include <string.h>

/* Whether `text` is lines of at most `columns`, none but the styles of text.h in them; *rows of them. Else where it is not. */
static inline const char *watch_case_fault(const char *text, size_t len, unsigned columns,
                                           size_t *rows)
{
    size_t used = 0;
    *rows = 0;
    for (size_t at = 0; at < len;) {
        const char *s = text + at;
        size_t n = utf8_length((const unsigned char *)s);
        if (*s == '\n') {
            ++*rows;
            used = 0;
            at++;
            continue;
        }
        if (*s == '\033') {
            size_t digits = s[1] == '[' ? strspn(s + 2, "0123456789") : 0;
            if (s[1] != '[' || s[2 + digits] != 'm')
                return s;
            at += 3 + digits;
            continue;
        }
        if (n == 0 || n > len - at || utf8_is_control((const unsigned char *)s, n))
            return s;
        used += text_width(s, n);
        if (used > columns)
            return s;
        at += n;
    }
    return len > 0 && text[len - 1] != '\n' ? text + len : NULL;
}

/* One frame as malloced text. */
static inline char *watch_case_print(const struct watch *w, const struct watch_frame *f,
                                     size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (out == NULL || watch_text(out, w, f) < 0 || fclose(out) != 0)
        abort();
    return text;
}

#endif
