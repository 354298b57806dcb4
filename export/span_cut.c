#include "export/span_cut.h"

#include "export/report.h"

#include <errno.h>
#include <stdlib.h>

static int rows_cut(struct span_cut *cut, struct span_table *t, size_t top, bool by_ex,
                    unsigned min_sources)
{
    size_t with, count = t->count, kept = 0; /* also rows that have no packets ex_survey */
    const struct span_row **rows = report_rows(t, by_ex, &with);
    struct span_row *copies = malloc(((count < top ? count : top) + 1) * sizeof *copies);
    if (rows == NULL || copies == NULL) {
        free(rows);
        free(copies);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count && kept < top; i++)
        if (span_cut_takes(&rows[i]->count, min_sources))
            copies[kept++] = *rows[i];
    free(rows);
    *t = (struct span_table){.rows = copies, .count = kept};
    cut->owned[cut->owned_count++] = *t;
    return 0;
}

static int places_cut(struct span_cut *cut, struct span_table *t, size_t top, bool by_ex,
                      unsigned min_sources)
{
    size_t with, count = t->count, kept = 0;
    const struct span_place **rows = report_places(t, by_ex, &with);
    struct span_place *copies = malloc(((count < top ? count : top) + 1) * sizeof *copies);
    if (rows == NULL || copies == NULL) {
        free(rows);
        free(copies);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count && kept < top; i++)
        if (span_cut_takes(&rows[i]->total, min_sources))
            copies[kept++] = *rows[i];
    free(rows);
    *t = (struct span_table){.places = copies, .count = kept};
    cut->owned[cut->owned_count++] = *t;
    return 0;
}

void span_cut_fini(struct span_cut *cut)
{
    for (size_t i = 0; i < cut->owned_count; i++)
        free(cut->owned[i].at);
}

int span_cut_init(struct span_cut *cut, const struct span *s, size_t top, unsigned min_sources)
{
    bool by_ex = span_rows_have_ex(s);
    *cut = (struct span_cut){.span = *s};
    struct span *c = &cut->span;
    for (unsigned i = 0; i < TOOL_COUNT; i++)
        if (!span_cut_takes(&s->tools[i], min_sources))
            c->tools[i] = c->tools_used[i] = (struct span_count){0};
    int err = rows_cut(cut, &c->categories, SPAN_CUT_ALL, by_ex, min_sources);
    err = err < 0 ? err : rows_cut(cut, &c->ports, top, by_ex, min_sources);
    err = err < 0 ? err
                  : rows_cut(cut, &c->rules, top > SPAN_CUT_RULES ? top : SPAN_CUT_RULES, by_ex,
                             min_sources);
    err = err < 0 ? err : rows_cut(cut, &c->organisations, top, false, min_sources);
    err = err < 0 ? err : rows_cut(cut, &c->blocks, top, false, min_sources);
    err = err < 0 ? err : places_cut(cut, &c->countries, top, by_ex, min_sources);
    err = err < 0 ? err : places_cut(cut, &c->ases, top, by_ex, min_sources);
    return err;
}
