#include "export/pages.h"

#include <sys/mman.h>

void *pages_map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    (void)madvise(p, size, MADV_NOHUGEPAGE); /* a kernel without huge pages refuses: as well */
    return p;
}

void pages_make_huge(void *p, size_t size)
{
    enum { COLLAPSE = 25 }; /* MADV_COLLAPSE since Linux 6.1, which glibc 2.36 has no name for */
    (void)madvise(p, size, MADV_HUGEPAGE);
    (void)madvise(p, size, COLLAPSE); /* an older kernel refuses, and does so by and by */
}

void pages_unmap(void *p, size_t size)
{
    if (p)
        (void)munmap(p, size);
}
