#include "core/memory.h"

#include <stddef.h>
#include <unistd.h>

/* jemalloc's, where it is linked. */
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
    __attribute__((weak));

void memory_ended(void)
{
    static const char message[] = "yamiscope: memory has ended\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written; /* there is nobody else to tell */
    _exit(1);
}

void memory_begin(void)
{
    unsigned arenas;
    size_t size = sizeof arenas;
    if (!mallctl || mallctl("opt.narenas", &arenas, &size, NULL, 0) != 0)
        return;
    while (arenas-- > 0) /* the first, this thread's own, comes last */
        if (mallctl("thread.arena", NULL, NULL, &arenas, sizeof arenas) != 0)
            memory_ended();
}
