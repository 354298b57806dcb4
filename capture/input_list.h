/* input_list: the inputs that a row of paths stands for.
 *
 * A folder stands for all regular files below it, entries sorted by name (bytes,
 * files and folders alike) at each level. Names that begin with a dot are left
 * out, as shells do: they are other programs' unfinished or hidden files. Links to files are followed
 * inside folders, links to folders only where the user named them. What can't be
 * looked up stands in the list with the reason, at its place in the row.
 */
#ifndef CAPTURE_INPUT_LIST_H
#define CAPTURE_INPUT_LIST_H

#include "capture/fault.h"

#include <stddef.h>
#include <stdint.h>

struct input {
    char *path;
    uint64_t size; /* stored bytes; 0 where unknown */
    char *problem; /* NULL: looks readable; else why there is nothing to read */
    int err;       /* of the problem, positive */
};

struct input_list {
    struct input *at;
    size_t count, room;
};

/* Expands `paths` into the list, which is empty before. -EINVAL with the fault for a second "-", -ENOMEM; the
 * list has to be finished in any case. */
int input_list_init(struct input_list *list, const char *const *paths, size_t path_count,
                    struct fault *fault);

void input_list_fini(struct input_list *list);

#endif
