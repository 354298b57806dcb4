#include "core/day_rows.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROWS = 16 };

void day_rows_fini(struct day_rows *rows)
{
    free(rows->at);
    free(rows->slots);
    *rows = (struct day_rows){0};
}

void day_row_merge(struct day_row *into, const struct day_row *from)
{
    uint32_t from_ports = (uint32_t)from->src_port << 16 | from->last_port;
    uint32_t into_ports = (uint32_t)into->src_port << 16 | into->last_port;
    bool is_later = from->last_ns > into->last_ns ||
                    (from->last_ns == into->last_ns && from_ports > into_ports);
    if (is_later) {
        into->last_ns = from->last_ns;
        into->src_port = from->src_port;
        into->last_port = from->last_port;
    }
    into->first_ns = from->first_ns < into->first_ns ? from->first_ns : into->first_ns;
    into->packets += from->packets;
    into->bytes += from->bytes;
}

/* The two numbers that make rows alike. */
static uint64_t name_low(const struct day_row *r)
{
    return r->source | (uint64_t)r->port << 32 | (uint64_t)r->rule << 48;
}

static uint64_t name_high(const struct day_row *r)
{
    return r->kind | (uint64_t)r->notes << 8 | (uint64_t)r->tools << 16;
}

static uint64_t row_hash(const struct hash_key *key, const struct day_row *r)
{
    return hash_fold(name_low(r) ^ key->b, name_high(r) ^ key->c);
}

static uint32_t *slot_of(const struct day_rows *rows, const struct hash_key *key,
                         const struct day_row *r)
{
    uint32_t at = (uint32_t)((row_hash(key, r) >> 32) * rows->slot_count >> 32);
    for (;; at = at + 1 == rows->slot_count ? 0 : at + 1) {
        uint32_t number = rows->slots[at];
        if (number == 0)
            return &rows->slots[at];
        const struct day_row *row = &rows->at[number - 1];
        if (name_low(row) == name_low(r) && name_high(row) == name_high(r))
            return &rows->slots[at];
    }
}

/* Half of the slots are in use at most. */
static void rows_grow(struct day_rows *rows, const struct hash_key *key)
{
    rows->room = rows->room ? rows->room * 2 : FIRST_ROWS;
    rows->at = memory_must(realloc(rows->at, rows->room * sizeof *rows->at));
    rows->slot_count = rows->room * 2;
    free(rows->slots);
    rows->slots = memory_must(calloc(rows->slot_count, sizeof *rows->slots));
    for (uint32_t i = 0; i < rows->count; i++)
        *slot_of(rows, key, &rows->at[i]) = i + 1;
}

void day_rows_add(struct day_rows *rows, const struct hash_key *key, const struct day_row *add)
{
    if (rows->count == rows->room)
        rows_grow(rows, key);
    uint32_t *slot = slot_of(rows, key, add);
    if (*slot) {
        day_row_merge(&rows->at[*slot - 1], add);
        return;
    }
    rows->at[rows->count++] = *add;
    *slot = rows->count;
}

bool day_rows_has(const struct day_rows *rows, const struct hash_key *key,
                  const struct day_row *row)
{
    return rows->count > 0 && *slot_of(rows, key, row) != 0;
}

void day_row_give_up(struct day_row *row, bool gives_up_rules)
{
    if (!kind_is_scan(row->kind) || row->notes & DAY_ROW_NO_PORT)
        return;
    bool is_evidence = day_row_is_evidence(row);
    row->notes |= DAY_ROW_PORT_GIVEN_UP;
    if (is_evidence && gives_up_rules) {
        row->notes |= DAY_ROW_RULE_GIVEN_UP;
        row->rule = RULE_NONE;
        row->last_port = row->port;
        row->port = 0;
    } else if (!is_evidence) {
        row->port = 0;
    }
}

uint64_t day_rows_bytes(const struct day_rows *rows)
{
    return rows->room * sizeof *rows->at + rows->slot_count * sizeof *rows->slots;
}
