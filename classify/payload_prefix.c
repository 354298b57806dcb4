#include "classify/payload_prefix.h"

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

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* A byte of a class or outside one, escaped or not; -1: another construct. */
static int read_byte(struct reader *r, bool is_class)
{
    static const char names[] = "nrt", bytes[] = "\n\r\t";
    char c = *r->text;
    if (c == '\0')
        return -1;
    if (c != '\\') {
        if (!is_class && strchr("^$.[]|()?*+{}", c))
            return -1;
        r->text++;
        return (unsigned char)c;
    }
    c = r->text[1];
    if (c == 'x') {
        int high = hex_of(r->text[2]), low = high < 0 ? -1 : hex_of(r->text[3]);
        r->text += 4;
        return low < 0 ? -1 : high << 4 | low;
    }
    const char *at = c ? strchr(names, c) : NULL;
    bool is_plain = c && strchr("\\^$.[]|()?*+{}-/\"'<>=:;,#&@!%~` _", c);
    r->text += 2;
    return at ? bytes[at - names] : is_plain ? (unsigned char)c : -1;
}

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
    uint64_t set[4] = {0};
    r->text++;
    bool is_not = *r->text == '^';
    r->text += is_not;
    while (*r->text != ']') {
        int first = *r->text == '[' ? -1 : read_byte(r, true), last = first;
        if (first >= 0 && r->text[0] == '-' && r->text[1] != ']') {
            r->text++;
            last = read_byte(r, true);
        }
        if (first < 0 || last < first)
            return -1;
        for (int byte = first; byte <= last; byte++)
            set[byte / 64] |= UINT64_C(1) << byte % 64;
    }
    r->text++;
    if ((set[0] | set[1] | set[2] | set[3]) == 0)
        return -1; /* a bracket that stands first is a byte */
    for (unsigned i = 0; i < 4 && is_not; i++)
        set[i] = ~set[i];
    return class_number(r->classes, set);
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
    int what = *r->text == '.' ? ANY : *r->text == '[' ? read_class(r) : read_byte(r, false);
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
