/* day_bases: what a day's packets were labelled by, as the bytes that a journal keeps of it.
 *
 * Rule sets, lists, databases (struct day_basis), each once. Adds up over parts of a day (law 3), so that a Day over two rule
 * sets says so whatever happened to the process in between. Of outside bytes nothing is believed before day_bases_hold().
 * Where memory ends it is an error; one owner.
 */
#ifndef CORE_DAY_BASES_H
#define CORE_DAY_BASES_H

#include "export/day_facts.h"

enum {
    /* Bytes: some 400 rule sets or lists of one day. What has no room is left out: the day is mixed without it. */
    DAY_BASES_MAX = 60000,
};

/* Begins as all zero. An entry: one byte enum day_basis_kind, then name, version and sha256, a zero behind each. */
struct day_bases {
    uint8_t *bytes;
    size_t len;
};

void day_bases_fini(struct day_bases *b); /* to all zero */

/* Nothing happens where it is there. -ENOMEM. */
int day_bases_add(struct day_bases *b, enum day_basis_kind kind, const struct day_basis *basis);

/* All of `from`. -ENOMEM. */
int day_bases_merge(struct day_bases *into, const struct day_bases *from);

/* Whether bytes are entries, from the first to the last. */
bool day_bases_hold(const uint8_t *bytes, size_t len);

/* Into facts. -ENOMEM. */
int day_bases_tell(const struct day_bases *b, struct day_facts *facts);

#endif
