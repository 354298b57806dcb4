/* indicator_table: indicators of days, and what was counted of each.
 *
 * An indicator (classify/indicator.h) of a date is one entry: who names one again on another date begins another. Each worker has a table of what
 * came since the last seal, the exporter one of all that is open; one merges into the other, in any order to the same end.
 *
 * Bounded: of `most` entries at most, and twice that while it fills. Beyond it those go whose hash is the greatest, and whoever has a hash beyond the
 * least that went is no longer taken: so what is kept, and counted whole, is a function of what came alone (a bottom-k sample; Cohen and
 * Kaplan, Summarizing data using bottom-k sketches, 2007), not of the order nor of how it was spread over tables. Hashes of what is kept
 * have no key: a sender may choose values that stay. What went is said as a number of sightings.
 *
 * One thread. Ends the program where memory ends. Bytes: 500 an entry, up to 4 KiB more for its sources.
 */
#ifndef CORE_INDICATOR_TABLE_H
#define CORE_INDICATOR_TABLE_H

#include "capture/hash.h"
#include "classify/indicator.h"
#include "core/distinct.h"
#include "export/event.h"

#include <assert.h>

static_assert((int)INDICATOR_VALUE <= (int)EVENT_TEXT, "a value has room in an event");

struct indicator_entry {
    uint64_t hash;      /* of date, kind, role, value */
    int64_t day_end_ns; /* of its date */
    int64_t first_ns, last_ns;
    uint64_t packets, bytes; /* that it was in */
    struct distinct sources; /* on the heap; of addresses mixed, of IPv6 hashed */
    int32_t date;
    uint16_t
        port; /* of its first packet: destination port, protocol, rule; of several that are first the least in that order backwards */
    uint8_t proto; /* enum event_proto */
    uint8_t kind, role;
    char rule[EVENT_NAME];
    char value[INDICATOR_VALUE];
    /* The exporter's: what was told of it. From then on first_ns, port, proto and rule stay. */
    bool is_begun;
    uint32_t update; /* of the next telling */
    int64_t told_ns;
    uint64_t told_packets;
};

struct indicator_table {
    struct indicator_entry **at; /* open-addressed; NULL: free */
    uint32_t room, count, most;
    uint64_t cut;        /* greater hashes are not taken */
    uint64_t left_out;   /* sightings of what is not kept */
    struct hash_key key; /* of places */
};

/* A packet that an indicator was in. */
struct indicator_sighting {
    const struct indicator *indicator;
    int32_t date;
    int64_t day_end_ns, ts_ns;
    uint32_t wire_len;
    uint32_t source; /* mixed */
    uint16_t port;
    uint8_t proto;
    const char *rule;
};

struct indicator_table *indicator_table_create(uint32_t most);
void indicator_table_destroy(struct indicator_table *t); /* accepts NULL */

void indicator_table_add(struct indicator_table *t, const struct indicator_sighting *s);

/* Adds what another table has, and what it left out; that one is empty then. */
void indicator_table_merge(struct indicator_table *into, struct indicator_table *from);

/* Only `most` are left. */
void indicator_table_cut(struct indicator_table *t);

/* Puts an entry in that is not there, whatever its hash; takes it over. The entry that is there instead; NULL: it was put. */
struct indicator_entry *indicator_table_put(struct indicator_table *t, struct indicator_entry *e);

/* Drops the entries that a function says are to go. */
void indicator_table_sift(struct indicator_table *t,
                          bool (*goes)(void *context, struct indicator_entry *e), void *context);

/* Sets an entry's hash by what it is. */
void indicator_entry_hash(struct indicator_entry *e);
void indicator_entry_destroy(struct indicator_entry *e);

#endif
