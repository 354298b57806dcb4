/* span_cut: a span whose tables hold the rows that a page shows.
 *
 * The tables are copies, in order of their packets (ex_survey where there are such); texts stay the span's, which must outlive
 * it. One owner.
 */
#ifndef EXPORT_SPAN_CUT_H
#define EXPORT_SPAN_CUT_H

#include "export/span.h"

enum { SPAN_CUT_ALL = 65536, SPAN_CUT_RULES = 200 };

struct span_cut {
    struct span span;
    struct span_table owned[7];
    size_t owned_count;
};

/* Each table gets `top` rows at most; rules SPAN_CUT_RULES at least, since payload rules are rare and are looked for; categories
 * all. `min_sources` above 0: rows of fewer sources are left out (law 6). -ENOMEM: fini it all the same. */
int span_cut_init(struct span_cut *cut, const struct span *s, size_t top, unsigned min_sources);
void span_cut_fini(struct span_cut *cut);

/* Whether readers may see a row. */
static inline bool span_cut_takes(const struct span_count *c, unsigned min_sources)
{
    return min_sources == 0 || c->sources.low >= min_sources;
}

#endif
