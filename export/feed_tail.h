/* feed_tail: a feed followed record by record while it may still be written.
 *
 *   feed_tail_open -> feed_tail_next until 0 -> feed_tail_wait -> feed_tail_next ... -> feed_tail_close
 *
 * For sinks: each has a tail of its own and keeps its position in a cursor_file. A record that is not yet whole at the end
 * of the last segment is not there yet; anywhere else it is damage. Every record is held to the chain of checksums,
 * from the position's on. The writer may take back what it could not finish, a segment too: nothing half-written is remembered,
 * and a Header is given only once the record behind it is whole. Segments that retention took away between others are
 * passed over and said.
 *
 * One thread per tail. 256 KB, or the largest record; one descriptor, and one more once it has waited.
 */
#ifndef EXPORT_FEED_TAIL_H
#define EXPORT_FEED_TAIL_H

#include "capture/fault.h"
#include "export/feed_durable.h"
#include "export/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed_tail;

/* Behind a record: where the next one begins. All zero: the first record that is kept. */
struct feed_position {
    uint32_t segment; /* number */
    uint64_t offset;  /* bytes into it */
    uint64_t seq;     /* of the record before */
    uint32_t crc;     /* its crc, which the next one's continues */
};

struct feed_tail_record {
    uint32_t kind; /* enum record_body */
    uint64_t seq;
    const uint8_t *body; /* the message's bytes */
    size_t body_len;
    const uint8_t *delimited; /* varint length and Record, as they stand in the file */
    size_t delimited_len;
    uint32_t segment; /* where it stands */
    uint64_t offset;
    uint32_t
        missing; /* segments that are not there in front of this one; its chain begins anew then */
};

/* Follows the feed in the folder `dir` from behind `from` on; NULL: from the first record that is kept. The folder may hold
 * no segment yet. -ESTALE: the position is in a segment that was deleted, and records behind it with it; the fault names the
 * first that is kept. -EINVAL: the position is none of this feed's. -ENOENT, -errno. */
int feed_tail_open(struct feed_tail **out, const char *dir, const struct feed_position *from,
                   struct fault *fault);

/* As feed_tail_open, for a position that was -ESTALE: from the first record on that is kept behind it. That one says how many segments are
 * `missing`, the position's own among them. */
int feed_tail_open_behind(struct feed_tail **out, const char *dir, const struct feed_position *from,
                          struct fault *fault);

/* From now on gives no record behind what `durable` says, which must outlive the tail. */
void feed_tail_limit(struct feed_tail *t, struct feed_durable *durable);

/* 1: *r is the next whole record, valid until the next call on the tail. 0: nothing more at the moment. -EBADMSG: the record
 * is damaged, the fault names file and byte; -ESTALE as above; -errno: can't be read. After a failure the position is as
 * before, and the next call tries again. */
int feed_tail_next(struct feed_tail *t, struct feed_tail_record *r, struct fault *fault);

/* Behind the last record given: a durable cursor. Valid until the next call. All zero: nothing was given yet. */
const struct feed_position *feed_tail_position(const struct feed_tail *t);

/* Whether the last record given is a Close that says that the feed ends there (live may continue it all the same). */
bool feed_tail_is_finished(const struct feed_tail *t);

/* Sleeps until there may be more, at most `timeout_ms` (below 0: for ever; then only feed_durable_wake or a change
 * of the folder ends it). By feed_durable where a limit is set, else by inotify, else it looks every 200 ms. */
void feed_tail_wait(struct feed_tail *t, int timeout_ms);

void feed_tail_close(struct feed_tail *t); /* accepts NULL */

#endif
