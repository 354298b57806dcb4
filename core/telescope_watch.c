#include "core/telescope_watch.h"

#include "export/hll.h"
#include "export/pages.h"

#include <stdlib.h>
#include <string.h>

static bool is_ipv6(const struct telescope_watch *w, uint32_t number)
{
    return w->telescope->prefixes[number].prefix.ip_version == 6;
}

/* Bytes of one set of a prefix, a whole number of cache lines. */
static uint64_t set_bytes(const struct telescope_watch *w, uint32_t number)
{
    if (is_ipv6(w, number))
        return HLL_REGISTERS;
    uint64_t bits = UINT64_C(1) << (32 - w->telescope->prefixes[number].prefix.length);
    return (bits + 511) / 512 * 64;
}

/* How many prefixes, from the first, have room. */
static uint32_t room_plan(struct telescope_watch *w, uint64_t bytes_max)
{
    uint32_t number = 0;
    for (; number < w->telescope->prefix_count; number++) {
        uint64_t bytes = 2 * set_bytes(w, number);
        if (bytes > bytes_max - w->room_bytes)
            break;
        w->room_bytes += bytes;
    }
    return number;
}

struct telescope_watch *telescope_watch_create(const struct telescope_dates *telescope,
                                               uint64_t bytes_max)
{
    struct telescope_watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->telescope = telescope;
    w->span = telescope->spans;
    w->date = INT32_MIN;
    w->counters = calloc(telescope->prefix_count, sizeof *w->counters);
    uint32_t with_room = room_plan(w, bytes_max);
    w->room = w->room_bytes > 0 ? pages_map(w->room_bytes) : NULL;
    if (!w->counters || (w->room_bytes > 0 && !w->room)) {
        w->room_bytes = w->room ? w->room_bytes : 0;
        telescope_watch_destroy(w);
        return NULL;
    }
    char *at = w->room;
    for (uint32_t number = 0; number < telescope->prefix_count; number++) {
        struct telescope_counter *c = &w->counters[number];
        const struct prefix *p = &telescope->prefixes[number].prefix;
        atomic_init(&c->last_ns, INT64_MIN);
        c->first = is_ipv6(w, number) ? 0 : (uint32_t)prefix_number(p->address, 4);
        for (unsigned set = 0; set < 2 && number < with_room; set++) {
            if (is_ipv6(w, number))
                c->registers[set] = (uint8_t *)at;
            else
                c->bits[set] = (atomic_ullong *)(void *)at;
            at += set_bytes(w, number);
        }
    }
    return w;
}

void telescope_watch_destroy(struct telescope_watch *w)
{
    if (!w)
        return;
    if (w->room)
        pages_unmap(w->room, w->room_bytes);
    free(w->counters);
    free(w);
}

/* ---- the receiver ---- */

void telescope_watch_turn(struct telescope_watch *w, int32_t date)
{
    if (date == w->date)
        return;
    bool is_first = w->date == INT32_MIN;
    w->date = date;
    if (is_first)
        return;
    if (atomic_load_explicit(&w->other, memory_order_acquire) != WATCH_CLEAN) {
        atomic_store_explicit(&w->is_mixed, true, memory_order_relaxed);
        return;
    }
    unsigned current = atomic_load_explicit(&w->current, memory_order_relaxed);
    atomic_store_explicit(&w->is_mixed, false, memory_order_relaxed);
    atomic_store_explicit(&w->current, current ^ 1, memory_order_release);
    atomic_store_explicit(&w->other, WATCH_DIRTY, memory_order_release);
}

void telescope_watch_hit6(struct telescope_watch *w, struct telescope_counter *c,
                          const uint8_t address[16])
{
    uint8_t *registers = c->registers[atomic_load_explicit(&w->current, memory_order_relaxed)];
    if (!registers)
        return;
    uint64_t hash = hll_hash(address, 16);
    uint8_t *at = &registers[hll_index(hash)], rank = hll_rank(hash);
    if (__atomic_load_n(at, __ATOMIC_RELAXED) < rank)
        __atomic_store_n(at, rank, __ATOMIC_RELAXED);
}

/* ---- who reads ---- */

static void set_clean(struct telescope_watch *w, uint32_t number, unsigned set)
{
    struct telescope_counter *c = &w->counters[number];
    uint64_t words = set_bytes(w, number) / sizeof *c->bits[set];
    for (uint64_t i = 0; c->bits[set] && i < words; i++)
        if (atomic_load_explicit(&c->bits[set][i], memory_order_relaxed))
            atomic_store_explicit(&c->bits[set][i], 0, memory_order_relaxed);
    for (size_t i = 0; c->registers[set] && i < HLL_REGISTERS; i++)
        __atomic_store_n(&c->registers[set][i], 0, __ATOMIC_RELAXED);
}

void telescope_watch_clean(struct telescope_watch *w)
{
    unsigned dirty = WATCH_DIRTY;
    if (!atomic_compare_exchange_strong(&w->other, &dirty, WATCH_CLEANING))
        return;
    unsigned other = atomic_load_explicit(&w->current, memory_order_acquire) ^ 1;
    for (uint32_t number = 0; number < w->telescope->prefix_count; number++)
        set_clean(w, number, other);
    atomic_store_explicit(&w->other, WATCH_CLEAN, memory_order_release);
}

/* The set that a receiver writes now. */
static unsigned current_of(const struct telescope_watch *w)
{
    return atomic_load_explicit(&w->current, memory_order_acquire);
}

static uint64_t hits4(struct telescope_watch *const *watches, size_t count, uint32_t number)
{
    uint64_t words = set_bytes(watches[0], number) / sizeof(uint64_t), hits = 0;
    for (uint64_t i = 0; i < words; i++) {
        uint64_t all = 0;
        for (size_t k = 0; k < count; k++) {
            const struct telescope_counter *c = &watches[k]->counters[number];
            all |= atomic_load_explicit(&c->bits[current_of(watches[k])][i], memory_order_relaxed);
        }
        hits += (uint64_t)__builtin_popcountll(all);
    }
    return hits;
}

static uint64_t hits6(struct telescope_watch *const *watches, size_t count, uint32_t number)
{
    struct hll all = {0};
    for (size_t k = 0; k < count; k++) {
        const uint8_t *from = watches[k]->counters[number].registers[current_of(watches[k])];
        for (size_t i = 0; i < HLL_REGISTERS; i++) {
            uint8_t rank = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
            all.at[i] = all.at[i] < rank ? rank : all.at[i];
        }
    }
    return (uint64_t)(hll_count(&all) + 0.5);
}

static bool has_hits(const struct telescope_watch *w, uint32_t number)
{
    const struct telescope_counter *c = &w->counters[number];
    return (c->bits[0] || c->registers[0]) &&
           !atomic_load_explicit(&w->is_mixed, memory_order_relaxed);
}

/* Whether a prefix is dark on the date, and how many IPv4 addresses count for it. */
static void dark_fill(const struct telescope_dates *t, uint32_t number, int32_t date,
                      struct telescope_watch_row *row)
{
    const struct telescope_span *s = telescope_dates_on(t, date);
    for (size_t i = 0; i < s->range4_count; i++)
        if (s->ranges4[i].number == number) {
            row->addresses += (uint64_t)s->ranges4[i].last - s->ranges4[i].first + 1;
            row->is_dark = true;
        }
    for (size_t i = 0; i < s->range6_count; i++)
        row->is_dark |= s->ranges6[i].number == number;
}

/* All but the hits. */
static void row_begin(struct telescope_watch *const *watches, size_t count, uint32_t number,
                      int32_t date, struct telescope_watch_row *row)
{
    *row = (struct telescope_watch_row){.last_ns = INT64_MIN, .hits = HITS_UNKNOWN};
    for (size_t k = 0; k < count; k++) {
        const struct telescope_counter *c = &watches[k]->counters[number];
        int64_t last_ns = atomic_load_explicit(&c->last_ns, memory_order_relaxed);
        row->packets += atomic_load_explicit(&c->packets, memory_order_relaxed);
        row->last_ns = row->last_ns > last_ns ? row->last_ns : last_ns;
    }
    if (count > 0)
        dark_fill(watches[0]->telescope, number, date, row);
}

void telescope_watch_read(struct telescope_watch *const *watches, size_t count, uint32_t number,
                          int32_t date, struct telescope_watch_row *row)
{
    row_begin(watches, count, number, date, row);
    bool is_known = count > 0;
    for (size_t k = 0; k < count; k++)
        is_known &= has_hits(watches[k], number);
    if (!is_known)
        return;
    row->hits = is_ipv6(watches[0], number) ? HITS_ABOUT : HITS_EXACT;
    row->hit =
        row->hits == HITS_ABOUT ? hits6(watches, count, number) : hits4(watches, count, number);
}

unsigned telescope_watch_silent(struct telescope_watch *const *watches, size_t count, int32_t date,
                                int64_t since_ns)
{
    unsigned silent = 0;
    for (uint32_t number = 0; count > 0 && number < watches[0]->telescope->prefix_count; number++) {
        struct telescope_watch_row row;
        row_begin(watches, count, number, date, &row);
        silent += row.is_dark && row.last_ns < since_ns;
    }
    return silent;
}
