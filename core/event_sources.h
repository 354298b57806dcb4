/* event_sources: who was seen in a bin, as one worker counts it (core/event_bins.h).
 *
 * Distinct sources of each (protocol, port) and of the sensor, for sources whose shards are one worker's: so they add. One
 * thread at a time; the worker hands it over whole. Ends the program where memory ends.
 */
#ifndef CORE_EVENT_SOURCES_H
#define CORE_EVENT_SOURCES_H

#include "capture/batch.h"
#include "capture/hash.h"
#include "classify/ruleset.h"

#include <stdbool.h>
#include <stdint.h>

/* The sources of a shard: IPv4 addresses, of IPv6 64-bit hashes. */
struct event_source_set {
    uint64_t *at; /* open-addressed; 0: free */
    uint32_t room, count;
};

struct event_sources {
    struct event_sources *next; /* in whatever list it is */
    const struct hash_key *key;
    int64_t start_ns;
    uint64_t sources;
    bool is_inexact;
    uint32_t ports[PORT_PROTO_COUNT][65536];
    struct event_source_set sets[SHARDS];
};

/* `key` must outlive it. */
struct event_sources *event_sources_create(const struct hash_key *key, int64_t start_ns);
void event_sources_destroy(struct event_sources *s); /* accepts NULL */

/* What is left of a shard when all its sources are counted: numbers alone. */
void event_sources_close(struct event_sources *s, unsigned shard);

/* Counts a source of a shard by what stands for it: the IPv4 address + 1, of IPv6 a hash, which is not 0. */
void event_sources_add(struct event_sources *s, unsigned shard, uint64_t name);

/* Bytes by formula: a source takes 8 in a set that is a quarter to half full. None once it was given up. */
enum { EVENT_SOURCE_BYTES = 24 };
static inline uint64_t event_sources_bytes(const struct event_sources *s)
{
    return s->is_inexact ? 0 : s->sources * EVENT_SOURCE_BYTES;
}

/* For want of memory: who was seen is forgotten, and nobody is counted from now on; what was counted stays, as a lower bound. */
void event_sources_give_up(struct event_sources *s);

#endif
