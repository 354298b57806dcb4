/* batch: up to 1,024 packets of one shard on their way from a receiver to one worker.
 *
 * One shard a batch: what the worker looks up for it lies in a 64th of its tables. What says all it
 * has to say in 16 bytes goes as a brief (most packets of a darknet), everything else as an
 * observation. Their order among each other is of no consequence; between batches it is kept.
 *
 * A batch is filled by one receiver, handed over whole through a ring, read by
 * one worker, and handed back. Nobody else sees it. A batch without
 * packets may carry a mark (see core/pipeline.c).
 */
#ifndef CAPTURE_BATCH_H
#define CAPTURE_BATCH_H

#include "capture/observation.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BATCH_MAX = 1024,         /* packets: the more of a shard at once, the better */
    BATCH_OBSERVATIONS = 256, /* observations among them */
    BATCH_PAYLOAD = 256,      /* bytes of payload that are kept of a packet, at most */
    BATCH_PAYLOADS = 1 << 16, /* of all */
    BATCH_PAYLOAD_UNIT = 8,
    SHARDS = 64, /* logical shards of the sources */
};

/* What a batch says about a window in place of observations; what it means is core's. */
struct batch_mark {
    uint32_t what; /* 0: no mark */
    uint32_t slot;
    uint32_t part;
    int64_t start_ns;
    uint64_t dropped[6];       /* packets of the window, by reason; */
    uint32_t unknown;          /* reasons that can't be seen */
    uint64_t unrecorded;       /* packets that a recorder did without */
    int64_t first_ns, last_ns; /* times of its packets, the earliest and the latest */
    bool is_late;              /* all its packets are */
    bool is_partial;           /* not all of its span was watched */
    bool ends_day;             /* the next window is of another day */
    bool is_judged;            /* a day is over, and becomes what windows stand on: */
    int32_t date;
};

/* One of the packets of which a darknet mostly consists, as classify/brief.h defines it. */
struct brief {
    uint32_t src;  /* IPv4, in network order */
    uint16_t port; /* of the destination; ICMP: the kind */
    uint16_t set;  /* what it is, what its port is, tools: a number of classify/brief.h */
    uint64_t
        rest; /* 36 bits: ns since the batch's brief_base_ns, 12: wire_len, 16: source port, ICMP: 0 */
};
static_assert(sizeof(struct brief) == 16, "four briefs a cache line");

enum { BRIEF_TIME_BITS = 36, BRIEF_LEN_BITS = 12 };

struct verdicts;

struct batch {
    uint32_t count;                  /* observations in `at` */
    uint32_t shard;                  /* of the sources of them all */
    uint32_t brief_count;            /* briefs in `briefs` */
    uint32_t brief_slot;             /* window slot of all briefs */
    uint32_t verdict_count;          /* of `verdicts`, when it was sent */
    uint32_t payload_used;           /* bytes, a multiple of BATCH_PAYLOAD_UNIT */
    int64_t brief_base_ns;           /* their times count from it */
    int64_t window_ns;               /* live: where the window of all its packets begins */
    uint32_t generation;             /* of the rules it was received under */
    void *home;                      /* where it goes back; core's */
    const struct verdicts *verdicts; /* that its briefs' sets may name (classify/verdict.h) */
    struct batch_mark mark;
    _Alignas(64) struct brief briefs[BATCH_MAX];
    uint64_t hash[BATCH_OBSERVATIONS]; /* of observations: keyed hash of the source */
    struct observation at[BATCH_OBSERVATIONS];
    _Alignas(64) uint8_t payload[BATCH_PAYLOADS]; /* payload_at is an offset here */
};
static_assert(sizeof(struct batch) / 64 % 2 == 1,
              "batches side by side begin in different sets of a cache");

/* Brings in a place of the batch that will be written soon: it lies in another core's cache. */
static inline void batch_prefetch(const void *at, size_t offset)
{
    __builtin_prefetch((const char *)at + offset, 1);
}

/* The shard of a keyed hash of a source: its top 6 bits. */
static inline unsigned batch_shard(uint64_t hash) { return (unsigned)(hash >> 58); }

#endif
