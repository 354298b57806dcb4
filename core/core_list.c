#include "core/core_list.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool has(const struct core_list *list, unsigned core)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i] == core)
            return true;
    return false;
}

/* Digits at *text, behind which it stands then; -1: there are none, or too many. */
static long number_read(const char **text)
{
    char *end;
    if (**text < '0' || **text > '9')
        return -1;
    unsigned long number = strtoul(*text, &end, 10);
    *text = end;
    return number < CORES_MAX ? (long)number : -1;
}

int core_list_parse(struct core_list *list, const char *text, struct fault *fault)
{
    const char *at = text;
    list->count = 0;
    for (;;) {
        const char *word = at;
        long first = number_read(&at), last = first;
        if (first >= 0 && *at == '-') {
            at++;
            last = number_read(&at);
        }
        if (first < 0 || last < first || (*at && *at != ','))
            return fault_set(fault, EINVAL, "'%.*s': expected processors below %d, such as 2,4-7",
                             (int)strcspn(word, ","), word, CORES_MAX);
        for (long core = first; core <= last; core++) {
            if (has(list, (unsigned)core))
                return fault_set(fault, EINVAL, "processor %ld a second time", core);
            list->at[list->count++] = (unsigned)core;
        }
        if (!*at)
            return 0;
        at++;
    }
}

int core_list_check(const struct core_list *list, struct fault *fault)
{
    cpu_set_t *set = CPU_ALLOC(CORES_MAX);
    size_t size = CPU_ALLOC_SIZE(CORES_MAX);
    int err = 0;
    if (!set)
        return fault_set(fault, ENOMEM, "processors: %s", strerror(ENOMEM));
    CPU_ZERO_S(size, set);
    if (sched_getaffinity(0, size, set) < 0)
        err = fault_set(fault, errno, "processors: %s", strerror(errno));
    for (size_t i = 0; i < list->count && err == 0; i++)
        if (!CPU_ISSET_S(list->at[i], size, set))
            err = fault_set(fault, EINVAL,
                            "processor %u is not there, or not for this process (taskset, "
                            "CPUAffinity=)",
                            list->at[i]);
    CPU_FREE(set);
    return err;
}
