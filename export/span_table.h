/* span_table: the tables of a span, sorted arrays that are merged. Only span*.c include it.
 *
 * Each call merges rows that are sorted and distinct; texts are copied into the span's arena.
 */
#ifndef EXPORT_SPAN_TABLE_H
#define EXPORT_SPAN_TABLE_H

#include "export/span.h"

/* By name, then number. */
int span_row_order(const void *a, const void *b);
/* By country, then number. */
int span_place_order(const void *a, const void *b);

/* Adds rows, which are counted once each: packets add, sources get bounds. -ENOMEM: `t` is as before. */
int span_rows_merge(struct span *s, struct span_table *t, const struct span_row *rows,
                    size_t count);
int span_places_merge(struct span *s, struct span_table *t, const struct span_place *places,
                      size_t count);

/* What is added to a count that stands for other days or windows. */
void span_count_add(struct span_count *into, const struct span_count *from);
struct span_count span_count_of(const struct day_count *c);

/* A name that is there once, however often it is added: on so many more days. -ENOMEM. */
int span_bases_add(struct span *s, struct span_bases *b, const struct day_basis *basis,
                   uint64_t days);

#endif
