/* record_dir: the folder of a recording, and the names in it.
 *
 *   recording-20261121T164211Z-0000-link1.pcap       complete
 *   recording-20261121T164211Z-0000-link1.pcap.zst   the same, compressed
 *   ....part                                         being written
 *   ....torn                                         was being written when its process died, or could not be
 *                                                    completed: reads up to the tear
 *
 * The time is that of the first packet, in UTC; 0000 counts files of the same second; link1 is the LINKTYPE_ number
 * of its packets. So the order of names is the order of time.
 *
 * The folder is the owner's alone, mode 0700: a recording holds what the telescope hides, addresses and strangers'
 * payloads. One process at a time records into it (flock). What has another name is not ours: it is never
 * counted, moved or deleted. One thread.
 */
#ifndef CAPTURE_RECORD_DIR_H
#define CAPTURE_RECORD_DIR_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum record_state { RECORD_COMPLETE, RECORD_PART, RECORD_TORN };

enum { RECORD_NAME_MAX = 64 }; /* bytes of a name, its end included */

struct record_name {
    int64_t second;  /* since 1970-01-01 UTC, at most 2^32 - 1 */
    unsigned number; /* 0 to 9999 */
    uint32_t link_type;
    bool is_zstd;
    enum record_state state;
};

/* Writes the name into RECORD_NAME_MAX bytes. */
void record_name_format(const struct record_name *n, char *text);
/* False where it is not exactly what record_name_format writes for some *n. */
bool record_name_parse(const char *text, struct record_name *n);

struct record_dir {
    int fd; /* locked while it is open */
    char *path;
};

/* Opens the folder, or makes it (its parent must be there). Files that a dead process left as .part become
 * .torn, empty ones are removed. -EPERM where mode or owner are others than 0700 and ours; -EEXIST where it holds foreign files
 * and not one of ours (lost+found aside): it was meant for something else; -EBUSY where another process records
 * into it; another -errno where it can't be used. */
int record_dir_open(struct record_dir *d, const char *path, struct fault *fault);

/* Whether `user` could open it so, as far as can be seen; changes nothing. 0 also where there is none yet. */
int record_dir_check(const char *path, uid_t user, struct fault *fault);

/* Deletes complete and torn files: all that were last written more than keep_ns ago, and the oldest by name until what is left has
 * at most keep_bytes; 0: no such limit. `now_ns`: CLOCK_REALTIME. *left: bytes that stay. Returns how many were
 * deleted; -errno where the folder can't be read or a file not be deleted (the others are, still).
 *
 * Where the clock was set far ahead (capture/live_clock.h: between two files, or since the last one, in the order they were written), ages count
 * to the time before, until files span CLOCK_BELIEVED_S behind it, or the caller lived through so much: `lived_ns`, by a clock that is
 * not set, since CLOCK_REALTIME last stepped far ahead, or since the start. */
int record_dir_trim(const struct record_dir *d, int64_t keep_ns, uint64_t keep_bytes,
                    int64_t now_ns, int64_t lived_ns, uint64_t *left, struct fault *fault);

void record_dir_close(
    struct record_dir *d); /* accepts one that failed to open, or is zeroed but for fd -1 */

#endif
