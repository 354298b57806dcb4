/* recorder: raw packets to rotating files.
 *
 * Receivers hand frames over by a copy into a frame_ring of their own each; one thread writes them to disk. A
 * receiver never waits: where its ring is full, the packet is not recorded, and counted as skipped. While
 * the disk takes nothing (full, failing), what was handed over waits in the rings and is tried again twice a
 * second; packets that came in between are skipped and counted, and what was written stays whole.
 *
 * Files (record_dir) are classic pcap with nanosecond times, one row of files per link type; compressed, they are a
 * zstd frame per block of at most 1 MiB, so that a torn file reads up to the tear. A file is cut where its packets
 * come to the next multiple of `span_ns` (UTC), before it would grow beyond `file_bytes`, or after it got nothing for as
 * long as a span. At most a second of packets is in no file yet: that much a killed process loses.
 *
 * Packets of one receiver stand in the order in which they came. Those of several interleave in pieces: times
 * step back by milliseconds there, and so at a cut by as much beyond it. A step back by more than a span cuts.
 *
 * Retention deletes the oldest complete files, never one that is being written, never what has not such a
 * name. It looks when a file is completed and every minute. Age counts from when a file was written last, by the system's clock.
 *
 * Who drops privileges does so before create: the folder must be the user's who records.
 *
 * Time comes from the packets; clocks only say when to flush and to delete. The writing thread takes no signals.
 */
#ifndef CAPTURE_RECORDER_H
#define CAPTURE_RECORDER_H

#include "capture/capture.h"

enum {
    RECORDER_SNAPLEN = 262144,   /* whole packets */
    RECORDER_FILE_MIN = 2 << 20, /* bytes: a block, and what a packet may be over it */
    RECORDER_LINK_TYPES = 16,    /* more are not recorded, and counted as skipped */
};

static const uint64_t RECORDER_BUFFER =
    64 << 20; /* half a second of a million small packets a second */
static const uint64_t RECORDER_FILE = 1 << 30; /* bytes */
static const int64_t RECORDER_SPAN_NS = INT64_C(3600000000000);
static const int64_t RECORDER_SPAN_MAX_NS = INT64_C(31622400000000000); /* 366 days */

/* 0 takes what stands in brackets. */
struct recorder_settings {
    const char *dir;     /* see record_dir_open */
    int64_t span_ns;     /* of packet time in a file [RECORDER_SPAN_NS]; a second to 366 days */
    uint64_t file_bytes; /* of a file, as stored [RECORDER_FILE]; at least RECORDER_FILE_MIN */
    int64_t keep_ns;     /* older files go [no limit]; at least a second (record_dir_trim) */
    uint64_t
        keep_bytes; /* all files, those being written included [no limit]; at least twice file_bytes */
    uint64_t
        buffer_bytes; /* of each receiver's ring [RECORDER_BUFFER], rounded up to a power of two of at least 1 MiB */
    uint32_t snaplen; /* bytes kept of a packet [RECORDER_SNAPLEN], at most that */
    int zstd_level;   /* 1 to 19; 0: not compressed */
    /* Called by the writing thread with a line that a person should read: the disk is full, there is room again, a
     * file could not be completed. Once where it begins, and once a minute at most. NULL: nobody listens. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct recorder;

/* Any thread, at any time. */
struct recorder_counts {
    uint64_t packets; /* in files */
    uint64_t bytes;   /* of files, as stored, since create */
    uint64_t files;   /* completed since create */
    uint64_t deleted; /* by retention */
    uint64_t skipped; /* packets not recorded, for whatever reason */
    int err;          /* errno of what keeps it from writing at the moment; 0: nothing */
};

/* Whether recorder_create takes these values (`dir` is not looked at): 0, or -EINVAL with the setting and its value. */
int recorder_check(const struct recorder_settings *settings, struct fault *fault);

/* Opens the folder and starts the writing thread. -EINVAL with the setting and its value, faults of
 * record_dir_open, -ENOMEM. Caller destroys. */
int recorder_create(struct recorder **out, const struct recorder_settings *settings,
                    unsigned receivers, struct fault *fault);

/* Hands frames over; what there is no room for is counted. Each receiver (0 to receivers - 1) is one thread. A copy,
 * no lock, no system call. */
void recorder_add(struct recorder *r, unsigned receiver, const struct frame *frames, size_t count);

/* Packets of a receiver for which its ring had no room. Any thread. */
uint64_t recorder_skipped(const struct recorder *r, unsigned receiver);

void recorder_counts(const struct recorder *r, struct recorder_counts *counts);

/* Writes all that was handed over and completes the files; nothing may be added from here on. What can't be written
 * becomes skipped, and its reason is returned, or why a file could not be completed. The counts can still be read. A second call does nothing. */
int recorder_finish(struct recorder *r, struct fault *fault);

/* Finishes where that was not done; accepts NULL. */
void recorder_destroy(struct recorder *r);

#endif
