/* batch: up to 256 observations of one shard on their way from a receiver to one worker.
 *
 * One shard a batch: what the worker looks up for it lies in a 64th of its tables, so few pages are
 * walked and few lines are lost between.
 *
 * A batch is filled by one receiver, handed over whole through a ring, read by
 * one worker, and handed back. Nobody else sees it. A batch without
 * observations may carry a mark (see core/pipeline.c).
 */
#ifndef CAPTURE_BATCH_H
#define CAPTURE_BATCH_H

#include "capture/observation.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BATCH_MAX = 256,           /* observations */
    BATCH_PAYLOAD = 64 * 1024, /* bytes of payload area */
    SHARDS = 64,               /* logical shards of the sources */
};

/* What a batch says about a window in place of observations; what it means is core's. */
struct batch_mark {
    uint32_t what; /* 0: no mark */
    uint32_t slot;
    uint32_t part;
    uint32_t serial;
    int64_t start_ns;
    uint64_t filtered; /* packets of the window that a filter took out */
    bool is_late;      /* all its packets are */
};

struct batch {
    uint32_t count;        /* observations in `at` */
    uint32_t shard;        /* of the sources of them all */
    uint32_t payload_used; /* bytes used of `payload` */
    uint32_t generation;   /* of the rules it was received under */
    struct batch_mark mark;
    uint64_t hash[BATCH_MAX]; /* keyed hash of the source; the top 6 bits are the shard */
    struct observation at[BATCH_MAX];
    uint8_t payload[BATCH_PAYLOAD];
};

static inline unsigned batch_shard(uint64_t hash) { return (unsigned)(hash >> 58); }

#endif
