/* capture: where packets come from.
 *
 * A backend is one const struct capture_ops; it yields frames in bursts. Only
 * backends read clocks. One thread calls all functions of one capture.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One packet as captured. `data` belongs to the capture and is valid until
 * the next burst. */
struct frame {
    const uint8_t *data;
    uint32_t caplen;    /* bytes at data */
    uint32_t wire_len;  /* bytes it had on the wire; never below caplen */
    int64_t ts_ns;      /* ns since 1970-01-01 UTC, saturated at the type's ends */
    uint32_t link_type; /* LINKTYPE_ number (tcpdump.org registry) */
};

enum { FRAME_BURST = 64 };

enum damage_kind {
    DAMAGE_BROKEN,  /* a capture whose bytes are not right: cut, altered, impossible */
    DAMAGE_FOREIGN, /* no capture at all */
    DAMAGE_UNREAD,  /* can't be opened or read on, or of a kind that is not read */
    DAMAGE_KINDS,
};

/* What is wrong with an input, in the words that a person needs. */
struct damage {
    char *file;      /* as the user named it; "-" for stdin */
    uint64_t offset; /* byte in the file as stored; of a compressed one where the range begins */
    char *what;      /* cause and value, one line */
    enum damage_kind kind;
    uint64_t offset_to; /* of a compressed file: up to where the error may lie; else as offset */
    size_t input;       /* number of the input in the row, from 0: several may be wrong with one */
};

/* Grows as inputs turn out to be damaged; owned by the capture. */
struct damage_list {
    struct damage *at;
    size_t count;
};

/* What a backend can say of the packets it did not hand over; -1: unknown. */
struct capture_drops {
    int64_t nic_missed, nic_nombuf, nic_error, kernel;
};

struct capture;

struct capture_ops {
    const char *name;
    /* Fills up to `max` frames; returns how many. 0: the end (or, live, nothing
     * at the moment). Frames of the previous burst become invalid. */
    size_t (*burst)(struct capture *c, struct frame *frames, size_t max);
    /* Inputs found damaged so far; valid until close. */
    const struct damage_list *(*damaged)(const struct capture *c);
    void (*drops)(const struct capture *c, struct capture_drops *drops);
    /* Bytes of input taken so far and in all; total 0: unknown. For the progress
     * line; may be called from any thread. */
    void (*progress)(const struct capture *c, uint64_t *done, uint64_t *total);
    /* Sleeps until there may be frames, `timeout_ms` at most; for who found nothing in a burst. May end
     * early. NULL: a backend to be polled, or one that never has nothing. */
    void (*wait)(struct capture *c, int timeout_ms);
    int64_t slack_ns; /* live: a frame's time may lie so far before the burst that has it */
    void (*close)(struct capture *c); /* accepts NULL */
};

/* Every backend's struct begins with this. */
struct capture {
    const struct capture_ops *ops;
};

#endif
