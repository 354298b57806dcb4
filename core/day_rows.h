/* day_rows: what the packets of one shard's sources came to on one day, those that are not counted in place.
 *
 * A row adds up the packets that are alike in all that a day asks of them; each packet is in
 * exactly one. Most packets of a darknet repeat (source, port) and are counted beside the pair
 * (core/source_table.h); rows take the rest: other days than the current one, kinds without
 * briefs, packets with payload evidence, pairs whose packets differ.
 * One thread. Ends the program where memory ends (core/memory.h).
 */
#ifndef CORE_DAY_ROWS_H
#define CORE_DAY_ROWS_H

#include "capture/hash.h"
#include "classify/label.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

struct day_row {
    uint32_t source; /* its number in the shard */
    uint16_t port;   /* destination port of scan kinds, else 0 */
    uint16_t rule;   /* the payload rule, RULE_NONE */
    uint8_t kind;
    uint8_t notes;     /* set of 1 << enum note, and DAY_ROW_NO_PORT */
    uint16_t tools;    /* set of 1 << enum tool */
    uint16_t src_port; /* of the latest packet; of several at that time the greatest */
    uint16_t
        last_port; /* where the rule is given up: destination port of the latest packet, likewise */
    uint64_t packets, bytes;
    int64_t first_ns, last_ns;
};
static_assert(sizeof(struct day_row) == 48, "a row's size is counted on");

enum {                           /* in notes, of scan kinds: */
       DAY_ROW_NO_PORT = 1 << 7, /* no port is there */
       DAY_ROW_PORT_GIVEN_UP =
           1 << 6, /* `port` is 0, or stays for the sake of the evidence alone */
       DAY_ROW_RULE_GIVEN_UP = 1 << 5, /* there was evidence above `port`; no rule says which */
};
static_assert(NOTE_COUNT <= 5, "notes have room below");

struct day_rows {
    struct day_row *at; /* in the order in which they came */
    uint32_t *slots;    /* by hash: number of a row + 1 */
    uint32_t count, room, slot_count;
};

/* Begins as all zero. */
void day_rows_fini(struct day_rows *rows);

/* Adds up with the row that is alike, which becomes one where there is none. */
void day_rows_add(struct day_rows *rows, const struct hash_key *key, const struct day_row *add);

/* Whether a row is there that is alike. */
bool day_rows_has(const struct day_rows *rows, const struct hash_key *key,
                  const struct day_row *row);

/* Whether its packets have evidence above `port`. */
static inline bool day_row_is_evidence(const struct day_row *row)
{
    bool is_bot = row->kind == KIND_tcp_syn && row->tools >> TOOL_mirai & 1;
    return (row->rule != RULE_NONE || is_bot) && !(row->notes & DAY_ROW_RULE_GIVEN_UP);
}

/* What is left of a row whose source no longer lists ports, or rules either (core/memory_cap.h). */
void day_row_give_up(struct day_row *row, bool gives_up_rules);

/* `into` takes the packets of a row that is alike. */
void day_row_merge(struct day_row *into, const struct day_row *from);

/* Bytes of memory by formula. */
uint64_t day_rows_bytes(const struct day_rows *rows);

#endif
