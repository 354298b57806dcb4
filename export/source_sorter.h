/* source_sorter: source days of one date, put in order, however many there are.
 *
 *   source_sorter_create -> source_sorter_add, ... -> source_sorter_next, ... -> source_sorter_destroy
 *
 * What does not fit into the memory given goes in sorted runs to a file without a name, which are then merged. No two
 * may have one address. One owner.
 */
#ifndef EXPORT_SOURCE_SORTER_H
#define EXPORT_SOURCE_SORTER_H

#include "capture/fault.h"
#include "export/source_day.h"

#include <stddef.h>

struct source_sorter;

enum {
    SORTER_MEMORY = 64 << 20
}; /* bytes of records that suit any machine; a run of 700,000 usual ones */

/* `dir`: where the file goes, if one is needed; outlives the sorter. NULL with errno. */
struct source_sorter *source_sorter_create(size_t memory, const char *dir);
void source_sorter_destroy(struct source_sorter *s); /* accepts NULL */

/* A copy is kept. -ENOMEM, -errno and a fault (a full disk). */
int source_sorter_add(struct source_sorter *s, const struct source_day *day, struct fault *fault);

/* The next one in order: 1; 0: there is none, and others may be added. None may be added in between. -errno and a fault. */
int source_sorter_next(struct source_sorter *s, struct source_day_buffer *day, struct fault *fault);

#endif
