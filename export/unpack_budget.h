/* unpack_budget: a record may unpack to only so much.
 *
 * An empty message takes two bytes of a record and 80 of memory: the budget keeps a small file from
 * filling it. Frees are not counted back; a record unpacks in one go. One thread each.
 */
#ifndef EXPORT_UNPACK_BUDGET_H
#define EXPORT_UNPACK_BUDGET_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

struct unpack_budget {
    uint64_t used; /* bytes; the caller's to reset before each record */
    ProtobufCAllocator allocator;
};

/* `b` must stay where it is. */
void unpack_budget_init(struct unpack_budget *b);

/* Whether the last record failed for its budget. */
bool unpack_budget_is_out(const struct unpack_budget *b);

#endif
