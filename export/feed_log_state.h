/* feed_log_state: what feed_log.c and feed_log_continue.c share. */
#ifndef EXPORT_FEED_LOG_STATE_H
#define EXPORT_FEED_LOG_STATE_H

#include "export/feed_log.h"

#include <sys/types.h>

/* Where the feed ends, and what it takes to come back there. */
struct feed_log_end {
    uint32_t segment; /* number of the open or last one */
    uint64_t seq;     /* of the last record */
    uint32_t crc;     /* of the last record */
    uint64_t records; /* in the open segment */
    off_t size;       /* bytes of whole records in it */
};

/* A segment of windows. */
struct feed_log_windows {
    uint32_t segment; /* 0: none yet */
    int64_t first_ns; /* start of its first window */
};

struct feed_log {
    const struct feed_identity *identity;
    char *dir;
    int dir_fd, fd;          /* fd: the open segment, -1 where there is none */
    char name[FEED_NAME];    /* of the open segment */
    struct feed_log_end end; /* of what was written */
    struct feed_log_end
        safe;          /* of what is on disk; same segment as `end`, or the one before it ended */
    bool is_name_safe; /* the folder on disk has the open segment */
    off_t begun;       /* bytes of the open segment that the disk was told to write */
    enum feed_segment kind; /* of the open segment */
    int64_t first_ns;       /* of a segment of windows: start of its first */
    int32_t date;           /* of one of source days */
    bool is_events;         /* and it began with an event: no window is to stand in it */
    bool is_left;           /* the open segment is what a writer before this one left */
    struct feed_log_windows windows, windows_before; /* the last one; the one before it */
    enum feed_begin begun_as;                        /* of the open segment */
    enum feed_begin begin;                           /* of the next segment */
    struct source_day last;                          /* the last source day: date and address */
    bool is_dirty;             /* behind end.size stands what could not be taken back yet */
    bool is_stuck;             /* the open segment is to be removed, and could not be */
    bool is_finished;          /* no segment is open; the last one says that the feed ends there */
    bool is_date_open;         /* source days were begun, their Day is not written */
    bool is_date_day;          /* the Day written last ended such a date */
    bool is_date_lost;         /* they could not be synced: they may not be what was written */
    char date_name[FEED_NAME]; /* of their segment */
    struct feed_log_end before_date;
    uint64_t pending;      /* records in the buffer, not written yet: source days alone */
    uint32_t pending_crc;  /* of the last of them */
    struct feed_gap *gaps; /* that wait for the next window */
    size_t gap_count;
    int64_t continued_end_ns;     /* no window of the feed as it was continued ends behind it */
    uint32_t continued_last;      /* its last segment; 0: it was begun */
    struct feed_durable *durable; /* or NULL */
    struct record_buffer buffer;
};

/* A log for the folder, which is made if missing and kept from other writers. No segment is open. */
int feed_log_open(struct feed_log **out, const char *dir, const struct feed_identity *identity,
                  struct fault *fault);

/* "DIR/NAME: WHAT: strerror(err)", of the open segment. */
int feed_log_fault(const struct feed_log *log, struct fault *fault, int err, const char *what);

#endif
