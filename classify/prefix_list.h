/* prefix_list: prefixes as a person lists them: "PREFIX,PREFIX,..." or a file with one a line.
 *
 * Pure but for the file. One owner.
 */
#ifndef CLASSIFY_PREFIX_LIST_H
#define CLASSIFY_PREFIX_LIST_H

#include "capture/fault.h"
#include "classify/prefix.h"

#include <stddef.h>

/* Prefixes in the order in which they were read; all zero: none. */
struct prefix_list {
    struct prefix *at;
    size_t count, size;
};

/* -ENOMEM. */
int prefix_list_add(struct prefix_list *list, const struct prefix *prefix);
void prefix_list_fini(struct prefix_list *list); /* accepts all zero */

/* Reads what prefix_set_create() reads, or prefix_set_create_from(), and makes no set of it. Caller finishes in any
 * case. */
int prefix_list_read(struct prefix_list *out, const char *text, struct fault *fault);
int prefix_list_read_from(struct prefix_list *out, const char *name, const char *content,
                          size_t len, struct fault *fault);

/* The bytes of a plain file of at most 64 MiB; caller frees *content, NULL on failure. */
int prefix_file_read(const char *path, char **content, size_t *len, struct fault *fault);

#endif
