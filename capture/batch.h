/* batch: up to 256 observations on their way from a receiver to one worker.
 *
 * A batch is filled by one receiver, handed over whole through a ring, read by
 * one worker, and handed back. Nobody else sees it. A batch without
 * observations may carry a mark (see core/pipeline.h).
 */
#ifndef CAPTURE_BATCH_H
#define CAPTURE_BATCH_H

#include "capture/observation.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BATCH_MAX     = 256,       /* observations */
    BATCH_PAYLOAD = 64 * 1024, /* bytes of payload area */
    SHARDS        = 64,        /* logical shards of the sources */
};

struct batch {
    uint32_t count;        /* observations in `at` */
    uint32_t payload_used; /* bytes used of `payload` */
    uint32_t generation;   /* of the rules it was received under */
    uint32_t mark;         /* 0: observations; else one of core's marks */
    int64_t  mark_start_ns; /* the mark's window, where it has one */
    uint32_t mark_part;
    uint32_t mark_slot;
    uint64_t mark_order;    /* position of the sealed window in the feed */
    uint64_t hash[BATCH_MAX]; /* keyed hash of the source; the top 6 bits are the shard */
    struct observation at[BATCH_MAX];
    uint8_t  payload[BATCH_PAYLOAD];
};

static inline unsigned batch_shard(uint64_t hash) { return (unsigned)(hash >> 58); }

#endif
