#include "classify/payload_width.h"

#include "classify/payload_text.h"

/* Of what was read: bytes at least, and places of bytes once all counts are written out. */
struct extent {
    unsigned width, size;
};

struct reader {
    const char *text;
    unsigned depth;
    unsigned anchors; /* that were read */
    bool has_begun;   /* bytes may stand before: no ^ here */
    bool is_over;     /* an end may stand before: no byte here */
};

struct count {
    unsigned least, most;
    bool is_endless; /* most: what is written out, then */
};

enum { DEPTH_MAX = 4, COUNT_MAX = 255, PLACES_MAX = 512 };

static bool read_number(struct reader *r, unsigned *number)
{
    const char *begin = r->text;
    for (*number = 0; *r->text >= '0' && *r->text <= '9'; r->text++) {
        *number = *number * 10 + (unsigned)(*r->text - '0');
        if (*number > COUNT_MAX)
            return false;
    }
    return r->text > begin;
}

/* "{2}", "{2,}", "{1,4}", "*", "+", "?" or nothing. */
static bool read_count(struct reader *r, struct count *c)
{
    char kind = *r->text;
    *c = (struct count){1, 1, false};
    if (kind != '*' && kind != '+' && kind != '?' && kind != '{')
        return true;
    r->text++;
    if (kind != '{') {
        *c = (struct count){kind == '+', 1, kind != '?'};
    } else {
        if (!read_number(r, &c->least))
            return false;
        c->most = c->least;
        if (*r->text == ',') {
            c->is_endless = *++r->text == '}';
            if (!c->is_endless && !read_number(r, &c->most))
                return false;
        }
        if (c->most == 0 || c->most < c->least || *r->text++ != '}')
            return false;
    }
    return *r->text != '?' && *r->text != '+' && *r->text != '*' && *r->text != '{';
}

static bool read_alternatives(struct reader *r, struct extent *e);

static bool read_group(struct reader *r, struct extent *e)
{
    r->text += 3;
    if (++r->depth > DEPTH_MAX || !read_alternatives(r, e) || *r->text != ')')
        return false;
    r->depth--;
    r->text++;
    return true;
}

static bool read_part(struct reader *r, struct extent *e)
{
    uint64_t set[4];
    *e = (struct extent){1, 1};
    if (*r->text == '(')
        return r->text[1] == '?' && r->text[2] == ':' && read_group(r, e);
    if (r->is_over)
        return false;
    r->has_begun = true;
    if (*r->text == '[')
        return payload_text_class(&r->text, set) && (set[0] | set[1] | set[2] | set[3]) != 0;
    if (*r->text != '.')
        return payload_text_byte(&r->text) >= 0;
    r->text++;
    return true;
}

/* A part with its count. */
static bool read_counted(struct reader *r, struct extent *e)
{
    unsigned anchors = r->anchors;
    struct count c;
    bool is_anchor = false;
    if (*r->text == '^') {
        if (r->has_begun)
            return false;
        r->text++;
        is_anchor = true;
    } else if (r->text[0] == '\\' && r->text[1] == 'z') {
        r->text += 2;
        r->is_over = is_anchor = true;
    }
    if (is_anchor) {
        r->anchors++;
        *e = (struct extent){0};
    } else if (!read_part(r, e)) {
        return false;
    }
    const char *before = r->text;
    if (!read_count(r, &c))
        return false;
    if (r->text > before && (r->anchors > anchors || e->width == 0))
        return false; /* how often an anchor, or nothing, holds: let others say */
    e->width *= c.least;
    e->size *= c.most;
    return e->size <= PLACES_MAX;
}

static bool read_sequence(struct reader *r, struct extent *e)
{
    *e = (struct extent){0};
    if (*r->text == '\0' || *r->text == '|' || *r->text == ')')
        return false;
    while (*r->text && *r->text != '|' && *r->text != ')') {
        struct extent part;
        if (!read_counted(r, &part))
            return false;
        e->width += part.width;
        e->size += part.size;
        if (e->size > PLACES_MAX)
            return false;
    }
    return true;
}

static bool read_alternatives(struct reader *r, struct extent *e)
{
    bool had_begun = r->has_begun, has_begun = false, was_over = r->is_over, is_over = false;
    for (bool is_first = true;; is_first = false) {
        struct extent one;
        r->has_begun = had_begun;
        r->is_over = was_over;
        if (!read_sequence(r, &one))
            return false;
        has_begun |= r->has_begun;
        is_over |= r->is_over;
        e->width = is_first || one.width < e->width ? one.width : e->width;
        e->size = is_first ? one.size : e->size + one.size;
        if (e->size > PLACES_MAX)
            return false;
        if (*r->text != '|')
            break;
        r->text++;
    }
    r->has_begun = has_begun;
    r->is_over = is_over;
    return true;
}

bool payload_width(const char *expression, unsigned *width)
{
    struct reader r = {.text = expression};
    struct extent e = {0};
    if (!read_alternatives(&r, &e) || *r.text || e.width == 0)
        return false;
    *width = e.width;
    return true;
}
