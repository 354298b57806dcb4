/* event_state: what the files of the engine share. Nobody else includes it. */
#ifndef CORE_EVENT_STATE_H
#define CORE_EVENT_STATE_H

#include "classify/verdict.h"
#include "core/event_engine.h"
#include "core/event_table.h"
#include "core/indicator_table.h"
#include "core/window_clock.h"
#include "export/calendar.h"

enum { SCALES = 8 };

/* What a set of briefs counts as. */
struct event_class {
    uint8_t what; /* enum event_what */
    uint8_t flags;
    uint16_t tools;
};
enum {
    CLASS_AMPLIFICATION = 1 << 0, /* counts as that, too */
    CLASS_PROOF = 1 << 1,         /* its payload is evidence */
    CLASS_SENSOR = 1 << 2,        /* it has no entry that says who was seen in a bin */
    CLASS_BIN_PORT = 1 << 3,      /* it is one of a port's */
};

/* A packet of a batch, on its way into the tables. */
struct event_packet {
    uint64_t key;
    int64_t ts_ns;
    uint32_t mixed;    /* destination, mixed */
    uint32_t wire_len; /* EVENT_PACKET_SIDE: the number of its side */
    uint32_t port_key; /* of a flood: IP protocol << 16 | port; else the source's */
    uint16_t tools;
    uint16_t next; /* of its key: 13 bits, and EVENT_PACKET_... */
};
static_assert(sizeof(struct event_packet) == 32, "two packets a cache line");
enum {
    EVENT_PACKETS = 1 << 13, /* at once */
    EVENT_PACKET_SIDE = 1 << 15,
    EVENT_PACKET_WATCHED = 1 << 14 /* its entry's network is watched */
};

/* What few packets have beside. */
struct event_side {
    const uint8_t *address6; /* of IPv6; else NULL */
    uint32_t wire_len;
    uint16_t proof; /* rule of its payload; RULE_NONE */
    uint16_t bin;   /* BIN_NONE: in none */
    bool has_port;  /* of a flood */
};

/* The packets of a key, in their order. */
struct event_chain {
    uint64_t key, hash;
    struct event_entry *entry; /* that it probably is; NULL: there was none */
    uint16_t first, last, bucket;
};

/* What is counted at once: batches of a shard. */
struct event_packets {
    uint32_t count, chain_count, side_count;
    unsigned shard;
    uint16_t bin; /* of packets that have no side */
    struct event_packet at[EVENT_PACKETS];
    struct event_side sides[EVENT_PACKETS];
    struct event_chain chains[EVENT_PACKETS];
    uint16_t buckets[2 * EVENT_PACKETS]; /* numbers of chains + 1 by hash; 0: free */
};

/* A window's bin, by slot. */
struct event_slot {
    struct event_sources *bin; /* NULL: none is counted */
    uint16_t number;
    int64_t start_ns;
    bool is_open;
};

struct event_engine {
    const struct event_settings *settings;
    const struct hash_key *key;
    const struct ruleset *rules;
    uint8_t rules_turn; /* how often they were others; never 0 */
    struct event_table tables[SHARDS];
    struct event_packets *packets;
    struct pool pool;
    struct event_class classes[BRIEF_SETS];
    unsigned verdict_sets;
    uint32_t inline_most; /* distinct destinations that an entry has room for */
    struct event_slot slots[WINDOW_SLOTS];
    struct event_sources *bins;         /* open, ascending */
    int64_t bin_span_ns, bins_until_ns; /* no bin before that time opens any more */
    int64_t now_ns, time_ns;            /* all before it is sealed; of what is told */
    struct event_told *told;            /* since the last seal; NULL: nothing */
    bool has_bins, has_watched;
    const struct watched *watched; /* the networks */
    uint8_t
        watched_turn; /* ENTRY_TURN of entries that were looked up in them; without watched networks 0, as all entries have */
    struct source_reach_table *reach; /* NULL: not counted */
    bool has_indicators;
    struct indicator_table *indicators; /* since they were told; NULL: none */
    struct calendar_day indicator_day;  /* that was asked for last */
    uint64_t withheld;                  /* indicators, since they were told */
    uint32_t whats;                     /* set of 1 << enum event_what that are counted */
};

enum { BIN_NONE = 0 }; /* numbers of bins have their top bit set */

/* A shard whose packets are written down, or counted. */
struct event_run {
    struct event_engine *engine;
    struct event_table *table;
    struct event_packets *packets;
    struct source_reach_table *reach;
    unsigned shard;
    uint8_t watched_turn;
    bool has_watched; /* one of the packets is EVENT_PACKET_WATCHED */
    uint32_t count, chains, sides;
    uint64_t hash; /* of the chain that is counted */
    struct event_side plain;
};

/* Takes up what waits of a shard; `bin`: of packets without a side. */
struct event_run event_run_of(struct event_engine *e, unsigned shard, uint16_t bin);

/* Counts all that is written down. */
void event_packets_count(struct event_run *r);

/* What a packet of a watched network stands for beside; WHAT_NONE. */
enum event_what event_watched_what(unsigned what);

/* The network of an entry's address. NULL: it is nobody's. */
struct watched_network;
const struct watched_network *event_network(const struct watched *networks, uint64_t key,
                                            const uint8_t address[16]);

/* An entry is over, or its packet begins another one: tells it where there is something to tell. The entry is reset. */
void event_close(struct event_engine *e, struct event_table *t, struct event_entry *entry,
                 bool gave_up);

/* The detail is looked at with the next seal: its entry may be an event. */
void event_may_be(struct event_engine *e, struct event_table *t, struct event_entry *entry);

/* What is told with the next seal. */
struct event_told *event_told_of(struct event_engine *e);

/* All that is to be looked at by then; all that is open ends. */
void event_tables_look(struct event_engine *e, int64_t now_ns);
void event_tables_end(struct event_engine *e);

/* ---- bins (event_sweep.c) ---- */

/* The number of the bin that begins then; it comes again after 227 days. */
uint16_t event_bin_number(const struct event_engine *e, int64_t start_ns);

/* The open bin of a number; NULL: there is none. */
struct event_sources *event_bin_of(const struct event_engine *e, uint16_t number);

/* What stands for a source in a bin. `address6`: of IPv6, else NULL. */
static inline uint64_t event_source_name(const struct hash_key *key, uint32_t address,
                                         const uint8_t *address6)
{
    return address6 ? hash_address(key, address6, 6) | 1 : (uint64_t)address + 1;
}

/* Notes a bin in an entry. */
void event_bin_mark(const struct event_engine *e, unsigned shard, struct event_entry *en,
                    uint16_t bin);

/* An entry is about to go: it counts in the bins that are open. */
void event_bins_count(const struct event_engine *e, unsigned shard, const struct event_entry *en);

/* A bin is over: all entries that were seen in it count, and what is left are numbers. */
void event_bin_sweep(const struct event_engine *e, struct event_sources *bin);

#endif
