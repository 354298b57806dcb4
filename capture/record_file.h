/* record_file: one file of a recording, which grows by whole pieces.
 *
 * Under .part until it is complete. A piece that could not be written whole is cut off again, so that
 * a full disk leaves no half packet behind. What is written is sent on its way to the disk every few
 * megabytes: completing a file, which waits until all of it is there, is then short. One thread.
 */
#ifndef CAPTURE_RECORD_FILE_H
#define CAPTURE_RECORD_FILE_H

#include "capture/record_dir.h"

struct record_file {
    int fd; /* -1: none is open */
    struct record_name name;
    char text[RECORD_NAME_MAX]; /* the name as it is now */
    uint64_t bytes;             /* in the file */
    uint64_t sent;              /* of which so many are on their way to the disk */
    bool is_torn;               /* ends in half a piece: nothing may follow */
};

/* Makes a file of the first free number, mode 0600, empty. `name`: without number and state. */
int record_file_create(struct record_file *f, const struct record_dir *d,
                       const struct record_name *name, struct fault *fault);

/* Appends all of it or nothing; after a failure the same may be tried again unless is_torn. The fault
 * names the file. */
int record_file_append(struct record_file *f, const struct record_dir *d, const void *bytes,
                       size_t len, struct fault *fault);

/* The file is on the disk whole, under its final name, when this returns 0. Closed in any case: one that could not
 * be completed, or is_torn, becomes .torn; an empty one is removed. */
int record_file_complete(struct record_file *f, const struct record_dir *d, struct fault *fault);

#endif
