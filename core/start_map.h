/* start_map: how many records a window start has had.
 *
 * An open-addressed table of 16 bytes per window of the run; one thread.
 */
#ifndef CORE_START_MAP_H
#define CORE_START_MAP_H

#include <stdint.h>

struct start_map;

struct start_map *start_map_create(void);    /* NULL with errno */
void start_map_destroy(struct start_map *m); /* accepts NULL */

/* The number of calls for this start so far: 0, 1, 2, ... Ends the program where not even
 * this little memory is left (core/memory.h). */
uint32_t start_map_next(struct start_map *m, int64_t start_ns);

/* The last call for this start, of which there was one, counts no more: its record was not written. */
void start_map_back(struct start_map *m, int64_t start_ns);

#endif
