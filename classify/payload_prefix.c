#include "classify/payload_prefix.h"

#include "classify/payload_text.h"

#include <string.h>

/* Rows that are being made: what was read so far, in all its forms. */
struct rows {
    struct payload_prefix at[PAYLOAD_PREFIX_ROWS];
    unsigned count;
};

struct reader {
    const char *text;
    struct payload_classes *classes;
    bool is_end; /* behind \z nothing may follow */
};

/* 256 and the number of a set; -1: no room. */
static int class_number(struct payload_classes *classes, const uint64_t set[4])
{
    for (unsigned i = 0; i < classes->count; i++)
        if (memcmp(classes->at[i], set, sizeof classes->at[i]) == 0)
            return (int)(256 + i);
    if (classes->count == PAYLOAD_PREFIX_CLASSES)
        return -1;
    memcpy(classes->at[classes->count], set, sizeof classes->at[0]);
    return (int)(256 + classes->count++);
}

static int read_class(struct reader *r)
{
    uint64_t set[4];
    return payload_text_class(&r->text, set) ? class_number(r->classes, set) : -1;
}

enum { ANY = 0xffff }; /* a byte that is not looked at */

static bool rows_append(struct rows *rows, unsigned what)
{
    for (unsigned i = 0; i < rows->count; i++) {
        struct payload_prefix *p = &rows->at[i];
        if (what != ANY && p->test_count == PAYLOAD_PREFIX_TESTS)
            return false;
        if (what != ANY) {
            p->tests[p->test_count].at = p->len;
            p->tests[p->test_count++].what = (uint16_t)what;
        }
        if (p->len++ == UINT16_MAX / 2)
            return false;
    }
    return true;
}

static bool rows_add(struct rows *into, const struct rows *from)
{
    if (into->count + from->count > PAYLOAD_PREFIX_ROWS)
        return false;
    memcpy(&into->at[into->count], from->at, from->count * sizeof *from->at);
    into->count += from->count;
    return true;
}

/* "{2}", "{1,4}", "?" or nothing. */
static bool read_count(struct reader *r, unsigned *least, unsigned *most)
{
    enum { MOST = 256 };
    *least = *most = 1;
    if (*r->text == '?') {
        r->text++;
        *least = 0;
        return *r->text != '?' && *r->text != '+';
    }
    if (*r->text != '{')
        return *r->text != '*' && *r->text != '+';
    r->text++;
    unsigned *number = least;
    *least = *most = 0;
    bool has_digit = false;
    for (; *r->text != '}'; r->text++) {
        if (*r->text == ',' && has_digit && number == least) {
            number = most;
            has_digit = false;
        } else if (*r->text >= '0' && *r->text <= '9' && *number < MOST) {
            *number = *number * 10 + (unsigned)(*r->text - '0');
            has_digit = true;
        } else {
            return false;
        }
    }
    r->text++;
    if (number == least)
        *most = *least;
    return has_digit && *most >= *least && *r->text != '?' && *r->text != '+';
}

static bool read_sequence(struct reader *r, struct rows *rows, unsigned depth);

/* Alternatives, each on top of what was read before. */
static bool read_group(struct reader *r, struct rows *rows, unsigned depth)
{
    struct rows begin = *rows, all = {.count = 0};
    for (;;) {
        struct rows one = begin;
        if (!read_sequence(r, &one, depth + 1) || !rows_add(&all, &one))
            return false;
        if (*r->text == ')')
            break;
        if (*r->text++ != '|')
            return false;
    }
    r->text++;
    unsigned least, most;
    if (!read_count(r, &least, &most) || most != 1)
        return false;
    if (least == 0 && !rows_add(&all, &begin))
        return false;
    *rows = all;
    return true;
}

static bool read_atom(struct reader *r, struct rows *rows)
{
    unsigned least, most;
    int what = *r->text == '.'   ? ANY
               : *r->text == '[' ? read_class(r)
                                 : payload_text_byte(&r->text);
    r->text += what == ANY && *r->text == '.';
    if (what < 0 || !read_count(r, &least, &most))
        return false;
    for (unsigned i = 0; i < least; i++)
        if (!rows_append(rows, (unsigned)what))
            return false;
    struct rows longer = *rows;
    for (unsigned i = least; i < most; i++)
        if (!rows_append(&longer, (unsigned)what) || !rows_add(rows, &longer))
            return false;
    return true;
}

static bool read_sequence(struct reader *r, struct rows *rows, unsigned depth)
{
    enum { DEPTH = 4 };
    while (*r->text && *r->text != '|' && *r->text != ')') {
        if (depth > DEPTH || r->is_end)
            return false;
        if (strncmp(r->text, "\\z", 2) == 0) {
            for (unsigned i = 0; i < rows->count; i++)
                rows->at[i].is_whole = true;
            r->text += 2;
            r->is_end = true;
        } else if (strncmp(r->text, "(?:", 3) == 0) {
            r->text += 3;
            if (!read_group(r, rows, depth))
                return false;
        } else if (!read_atom(r, rows)) {
            return false;
        }
    }
    return true;
}

/* An end inside of an alternative, where the others go on, is not told from one behind it. */
unsigned payload_prefix_make(struct payload_prefix rows[PAYLOAD_PREFIX_ROWS],
                             struct payload_classes *classes, const char *expression)
{
    struct rows made = {.count = 1};
    struct reader r = {.text = expression + 1, .classes = classes};
    if (*expression != '^' || !read_sequence(&r, &made, 0) || *r.text)
        return 0;
    const char *end = strstr(expression, "\\z");
    if (end && end[2])
        return 0;
    memcpy(rows, made.at, made.count * sizeof *rows);
    return made.count;
}
