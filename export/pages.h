/* pages: large memory that is there only where it is touched.
 *
 * Zeroed, on a page; without huge pages, so that what is touched here and there does not become
 * all of it.
 */
#ifndef EXPORT_PAGES_H
#define EXPORT_PAGES_H

#include <stddef.h>

/* NULL with errno. */
void *pages_map(size_t size);

/* A part of it that is used all over goes on with huge pages, where the system has some; it is the same then. */
void pages_make_huge(void *p, size_t size);

/* `p` of pages_map(), with the same size; accepts NULL. */
void pages_unmap(void *p, size_t size);

#endif
