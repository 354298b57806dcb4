#include "export/span_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void saturate(uint64_t *into, uint64_t value)
{
    if (__builtin_add_overflow(*into, value, into))
        *into = UINT64_MAX;
}

static void sources_add(struct source_count *into, struct source_count from)
{
    if (into->low < from.low)
        into->low = from.low;
    saturate(&into->high, from.high);
}

void span_count_add(struct span_count *into, const struct span_count *from)
{
    saturate(&into->packets, from->packets);
    saturate(&into->packets_ex, from->packets_ex);
    sources_add(&into->sources, from->sources);
    sources_add(&into->sources_ex, from->sources_ex);
}

struct span_count span_count_of(const struct day_count *c)
{
    return (struct span_count){
        c->packets, c->packets_ex, {c->sources, c->sources}, {c->sources_ex, c->sources_ex}};
}

int span_row_order(const void *a, const void *b)
{
    const struct span_row *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->number < y->number ? -1 : x->number > y->number;
}

int span_place_order(const void *a, const void *b)
{
    const struct span_place *x = a, *y = b;
    int order = strcmp(x->country, y->country);
    return order != 0 ? order : x->asn < y->asn ? -1 : x->asn > y->asn;
}

/* A copy that the span owns; NULL becomes "". Where memory ends, s->err is set and "" is as good. */
static const char *text_keep(struct span *s, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return "";
    const char *copy = arena_text(&s->arena, text, strlen(text));
    if (copy == NULL)
        s->err = -ENOMEM;
    return copy == NULL ? "" : copy;
}

/* How one kind of row is handled. */
struct row_kind {
    size_t size;
    int (*order)(const void *a, const void *b);
    void (*add)(struct span *s, void *into, const void *from);
    void (*keep)(struct span *s, void *row);
};

static void row_add(struct span *s, void *into, const void *from)
{
    const struct span_row *row = from;
    struct span_row *to = into;
    (void)s;
    span_count_add(&to->count, &row->count);
    /* The last day's word on a port or a rule: a rule set may have changed. */
    if (row->iot != to->iot)
        to->iot = row->iot;
    if (strcmp(row->category, to->category) != 0)
        to->category = text_keep(s, row->category);
}

static void row_keep(struct span *s, void *at)
{
    struct span_row *row = at;
    row->name = text_keep(s, row->name);
    row->category = text_keep(s, row->category);
}

static void place_add(struct span *s, void *into, const void *from)
{
    const struct span_place *place = from;
    struct span_place *to = into;
    span_count_add(&to->total, &place->total);
    span_count_add(&to->scan, &place->scan);
    span_count_add(&to->iot_strict, &place->iot_strict);
    span_count_add(&to->iot_broad, &place->iot_broad);
    span_count_add(&to->iot_bot, &place->iot_bot);
    if (strcmp(place->name, to->name) > 0)
        to->name = text_keep(s, place->name);
}

static void place_keep(struct span *s, void *at)
{
    struct span_place *place = at;
    place->name = text_keep(s, place->name);
}

static const struct row_kind row_kind = {sizeof(struct span_row), span_row_order, row_add,
                                         row_keep};
static const struct row_kind place_kind = {sizeof(struct span_place), span_place_order, place_add,
                                           place_keep};

/* How many of the first `count` rows come not behind a row, which is looked for from their end. */
static size_t rows_until(const char *at, size_t count, const void *row, const struct row_kind *kind)
{
    size_t step = 1;
    while (step <= count && kind->order(at + (count - step) * kind->size, row) > 0)
        step *= 2;
    size_t low = step <= count ? count - step + 1 : 0, high = count - step / 2;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kind->order(at + middle * kind->size, row) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Whether the last of so many rows is the row. */
static bool is_last(const char *at, size_t count, const void *row, const struct row_kind *kind)
{
    return count > 0 && kind->order(at + (count - 1) * kind->size, row) == 0;
}

/* In place, from the end: most rows of a window were in windows before. */
static int table_merge(struct span *s, struct span_table *t, const void *rows, size_t count,
                       const struct row_kind *kind)
{
    const size_t size = kind->size;
    size_t fresh = 0, i = t->count;
    char *at = t->at;

    for (size_t j = count; j-- > 0;) {
        const char *row = (const char *)rows + j * size;
        i = rows_until(at, i, row, kind);
        if (is_last(at, i, row, kind))
            i--;
        else
            fresh++;
    }
    if (fresh > 0 && (at = realloc(at, (t->count + fresh) * size)) == NULL)
        return -ENOMEM;
    t->at = at;
    i = t->count;
    t->count += fresh;
    for (size_t j = count; j-- > 0;) {
        const char *row = (const char *)rows + j * size;
        size_t until = rows_until(at, i, row, kind);
        bool is_known = is_last(at, until, row, kind);
        size_t from = until - is_known;
        memmove(at + (from + fresh) * size, at + from * size, (i - from) * size);
        if (is_known) {
            kind->add(s, at + (from + fresh) * size, row);
        } else {
            char *to = at + (from + --fresh) * size;
            memcpy(to, row, size);
            kind->keep(s, to);
        }
        i = from;
    }
    return s->err;
}

int span_rows_merge(struct span *s, struct span_table *t, const struct span_row *rows, size_t count)
{
    return count == 0 ? 0 : table_merge(s, t, rows, count, &row_kind);
}

int span_places_merge(struct span *s, struct span_table *t, const struct span_place *places,
                      size_t count)
{
    return count == 0 ? 0 : table_merge(s, t, places, count, &place_kind);
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

int span_bases_add(struct span *s, struct span_bases *b, const struct day_basis *basis,
                   uint64_t days)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct day_basis *is = &b->at[i].basis;
        if (is_same(is->name, basis->name) && is_same(is->version, basis->version) &&
            is_same(is->sha256, basis->sha256)) {
            b->at[i].days += days;
            return 0;
        }
    }
    struct span_basis *at = realloc(b->at, (b->count + 1) * sizeof *at);
    if (at == NULL)
        return -ENOMEM;
    b->at = at;
    at[b->count++] = (struct span_basis){
        {text_keep(s, basis->name), text_keep(s, basis->version), text_keep(s, basis->sha256)},
        days};
    return s->err;
}
