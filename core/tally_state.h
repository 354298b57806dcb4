/* tally_state: what the two files of the tally share. Nobody else includes it. */
#ifndef CORE_TALLY_STATE_H
#define CORE_TALLY_STATE_H

#include "classify/verdict.h"
#include "core/source_table.h"
#include "core/tally.h"
#include "core/tally_day.h"

static_assert(BRIEF_TOOLS <= 6, "a pair keeps 6 tools");
static_assert(MARK_total == 0, "every set of marks has it");

/* What is counted by the headers alone: (IP version, transport, flags) in 6 bits. */
enum { HEADER_SETS = 64 };
enum { FLAGS_other, FLAGS_syn, FLAGS_synack, FLAGS_rst };
enum { TRANSPORT_none, TRANSPORT_tcp, TRANSPORT_udp, TRANSPORT_icmp };

/* What briefs add to a port (ICMP: to a kind). 16 bytes in place of the window's row of 64, so that all ports of
 * a darknet stay in the L2 cache; all else that the window says of briefs is computed from
 * these rows when it is sealed. */
struct row {
    uint32_t packets, sources;
    uint64_t bytes;
};
static_assert(sizeof(struct row) == 16, "four rows a cache line");

/* What briefs without a verdict may have for a set. */
enum { PLAIN_SETS = 1 << (BRIEF_AIM_SHIFT + 2 - 1) };
static inline unsigned plain_set(unsigned i) { return (i & ~7u) << 1 | (i & 7); }

/* By brief_row(). */
enum { ROWS = BRIEF_WHATS << 16 };
struct rows {
    struct row at[ROWS];
    uint32_t
        used[ROWS +
             1]; /* numbers of those in use; one more, which is written whether it counts or not */
    uint32_t used_count;
    bool are_many; /* were, once */
    uint64_t is_used[ROWS /
                     64]; /* the same when they are drained: bit i % 64 of word i / 64 for row i; */
    uint64_t words[ROWS / 64 / 64]; /* a bit for each word that is not 0 */
};

/* Whole huge pages, so that the system puts them on such. */
enum { ROWS_SIZE = (sizeof(struct rows) + (2 << 20) - 1) / (2 << 20) * (2 << 20) };

/* The sketches of all marks, register by register: what a source adds to them lies in one line. */
typedef uint8_t sketch_row __attribute__((vector_size(16)));
static_assert(MARK_COUNT <= sizeof(sketch_row), "a byte for each mark");

struct sketches {
    sketch_row at[HLL_REGISTERS];
    uint16_t used[HLL_REGISTERS + 1]; /* one more, which is written whether it counts or not */
    uint32_t used_count;
};

/* A number for each mark, added to all at once. A window has less than 2^32 sources. */
typedef uint32_t mark_counts __attribute__((vector_size(64)));
static_assert(MARK_COUNT <= sizeof(mark_counts) / sizeof(uint32_t), "a number for each mark");

/* What a window stands on: the survey set that was made last. */
struct tally_basis {
    uint32_t turn; /* sets that were made; its bit 0: which of the two */
    bool has_day;
    int32_t date; /* of which day */
};

/* What a memory cap takes from a window, beside what its ports' rows say. */
struct tally_loss {
    struct window_given_up given_up;
    uint64_t marks[MARK_COUNT];           /* packets whose source is not kept, by mark; */
    uint64_t marks_out[SHARE_MARK_COUNT]; /* of them, taken out of _ex_survey */
};

/* A window being filled; all zero where the slot is free. Sets are counted as sets and taken apart when it
 * is sealed. */
struct tally_slot {
    struct window *window;
    struct rows *rows;
    uint64_t undrained; /* briefs in the rows: before what counts them is full, they are drained */
    uint64_t headers[HEADER_SETS]; /* of all but briefs */
    uint64_t briefs[BRIEF_SETS];   /* by their set */
    uint64_t marks[MARK_COUNT];    /* other packets by mark */
    mark_counts sources;           /* distinct sources by mark */
    struct sketches *sketches;
    uint64_t snapped;
    struct tally_basis basis;        /* stays until the next announcement */
    uint64_t briefs_out[BRIEF_SETS]; /* of those above: taken out of _ex_survey */
    uint64_t marks_out[SHARE_MARK_COUNT];
    mark_counts sources_out;
    struct tally_loss loss;
    struct tally_day
        *day; /* that holds the window; NULL: days are not counted, or it lies in two */
    bool is_two_days;
};

struct key_set;
struct source_reach_table;

struct tally {
    const struct hash_key *key;
    const struct ruleset *rules;
    const struct telescope_dates *telescope;
    const struct tally_survey *survey; /* NULL: what is taken out is not counted */
    struct tally_basis basis;          /* of windows that open now */
    struct survey_list *lists[2];      /* live: who is taken out under set 0, 1; NULL: not known */
    struct payload_scratch *scratch;   /* NULL: payload rules are off */
    struct open_serials open;
    struct serial_ages ages; /* of now */
    struct tally_slot slots[WINDOW_SLOTS];
    struct slab slab; /* of the tables of all shards */
    struct source_table shards[SHARDS];
    uint16_t set_marks[BRIEF_SETS];
    uint8_t set_shows[BRIEF_SETS];                  /* what pairs keep of it */
    uint8_t set_kinds[BRIEF_SETS];                  /* KIND_COUNT: its port says it */
    const struct label *labels;                     /* of verdicts, by number */
    unsigned verdict_sets;                          /* verdicts that the two above have */
    uint64_t port_sources[PORT_PROTO_COUNT][65536]; /* of the whole run */
    uint64_t icmp_pairs;                            /* pairs of no port */
    uint64_t gone_rules[RULES_MAX];                 /* sources by rule that gave up their pairs */
    uint64_t
        inexact[PORT_PROTO_COUNT]
               [WINDOW_PORT_WORDS]; /* ports with sources that are not in port_sources, perhaps */
    bool has_days;
    struct tally_day **days; /* that have packets */
    unsigned day_count;
    uint64_t counted_pairs;           /* that count packets of the current day */
    struct begun_pairs begun[SHARDS]; /* some of them, by name */
    struct day_aside asides[SHARDS];
    uint64_t aside_shards;        /* set of those that have something */
    struct tally_day *current;    /* whose briefs are counted beside their pairs; NULL: none */
    struct calendar_day last_day; /* that was asked for */
    struct combos combos;
    struct evidence_sets evidence;
    struct source_reach_table *reach; /* the worker's; NULL: addresses are not counted */
    struct key_set *
        shown; /* by shard: shown_key() of what sources showed on days that are packed, not live; NULL: no days */
};

/* A source and a payload rule that it showed. */
static inline uint64_t shown_key(uint32_t number, uint16_t rule)
{
    return (uint64_t)number * RULES_MAX + rule + 1;
}
static inline uint16_t shown_rule(uint64_t key) { return (uint16_t)((key - 1) % RULES_MAX); }

/* Packets count under their strongest evidence: the rules of their port, which are added up when the window is
 * sealed, have so many less. */
static inline void window_payload_rule(struct window *w, const struct label *label,
                                       const struct count *count)
{
    struct count *rule = &w->rules[label->payload_rule][EVIDENCE_payload];
    rule->packets += count->packets;
    rule->bytes += count->bytes;
    for (unsigned i = 0; i < 2; i++)
        if (label->rules[i] != RULE_NONE) {
            struct count *by_port = &w->rules[label->rules[i]][EVIDENCE_port];
            by_port->packets -= count->packets;
            by_port->bytes -= count->bytes;
        }
}

static inline unsigned set_kind(const struct tally *t, const struct brief *b)
{
    unsigned kind = t->set_kinds[b->set % BRIEF_SETS];
    return kind == KIND_COUNT ? b->port : kind;
}

/* Fills the tables of sets without a verdict. */
void tally_sets_init(struct tally *t);

/* Takes the verdicts that a batch's briefs may have, as far as they are new. */
void tally_verdicts(struct tally *t, const struct batch *b);

/* Counts a packet by itself; `guess` as of source_guess(). */
void tally_observation(struct tally *t, unsigned shard, uint64_t hash, uint32_t guess,
                       const struct observation *o, const struct label *label);

/* Counts a batch's briefs. */
void tally_briefs(struct tally *t, const struct batch *b);

static inline bool day_is_aside(const struct tally *t, unsigned shard)
{
    return __builtin_expect(t->aside_shards >> shard & 1, 0);
}

static inline bool is_syn(const struct observation *o)
{
    return (o->state & OBSERVATION_TCP_FLAGS) &&
           (o->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

static inline unsigned proto_of(const struct observation *o)
{
    return o->ip_proto == IPPROTO_NR_TCP ? PORT_PROTO_TCP : PORT_PROTO_UDP;
}

/* All but the source; returns the row. */
static inline struct port_count *count_port_packet(struct tally_slot *ts,
                                                   const struct observation *o, bool is_scan)
{
    unsigned proto = proto_of(o);
    struct port_count *row = window_port(ts->window, proto, o->dst_port);
    row->packets++;
    row->bytes += o->wire_len;
    row->syn += proto == PORT_PROTO_TCP && is_syn(o);
    row->scan += is_scan;
    row->scan_bytes += is_scan ? o->wire_len : 0;
    return row;
}

/* Of what is counted by set: the lower bits are bytes, those above packets. */
enum { SET_BYTE_BITS = 40 };
void tally_briefs_drain(const struct tally *t, struct tally_slot *ts);

/* Moves what the briefs came to into the window. */
void tally_rows_drain(struct tally_slot *ts);

#endif
