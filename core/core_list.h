/* core_list: processors by their numbers, "2,4-7", as a plan for threads or lcores.
 */
#ifndef CORE_CORE_LIST_H
#define CORE_CORE_LIST_H

#include "capture/fault.h"

#include <stddef.h>

enum { CORES_MAX = 1024 };

struct core_list {
    unsigned at[CORES_MAX]; /* in the order given, distinct */
    size_t count;
};

/* 0, or -EINVAL and a fault with the word: no number, a range that goes down, a core twice, one from CORES_MAX on. Pure. */
int core_list_parse(struct core_list *list, const char *text, struct fault *fault);

/* Whether this process may run on all of them; -EINVAL and a fault that names the first one that it may not. */
int core_list_check(const struct core_list *list, struct fault *fault);

#endif
