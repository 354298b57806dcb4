/* feed_folder: which segments lie in a feed's folder, looked up by number while a writer adds and retention
 * takes away. Any thread.
 */
#ifndef EXPORT_FEED_FOLDER_H
#define EXPORT_FEED_FOLDER_H

#include "capture/fault.h"
#include "export/feed_log.h"

#include <stdint.h>

struct feed_folder_segment {
    uint32_t number; /* 0: there is none */
    char name[FEED_NAME];
};

/* Segments around a number. */
struct feed_folder_near {
    struct feed_folder_segment first, before, at, next, last; /* before: the greatest below it */
};

/* Reads the folder once. `dir` names it in faults. Names that no writer gives are passed over. -errno. */
int feed_folder_near(int dir_fd, const char *dir, uint32_t number, struct feed_folder_near *out,
                     struct fault *fault);

#endif
