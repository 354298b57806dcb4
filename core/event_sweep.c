/* Who was seen in a bin: entries note their bins, and count when a bin is over. A source and port that sends a thousand packets in a bin
 * costs what one packet costs, and what is counted at random places is asked for shard by shard. */
#include "core/event_state.h"

uint16_t event_bin_number(const struct event_engine *e, int64_t start_ns)
{
    return (uint16_t)((uint64_t)(start_ns / e->bin_span_ns) % EVENT_BIN_NUMBERS |
                      EVENT_BIN_NUMBERS);
}

struct event_sources *event_bin_of(const struct event_engine *e, uint16_t number)
{
    for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++)
        if (e->slots[slot].is_open && e->slots[slot].number == number)
            return e->slots[slot].bin;
    return NULL;
}

static int bins_apart(uint16_t x, uint16_t y) { return (int16_t)((uint16_t)(x - y) << 1) >> 1; }

static inline bool bin_has(const struct event_entry *en, uint16_t bin)
{
    uint16_t newest = (uint16_t)(en->bins >> EVENT_BIN_SHIFT);
    int behind = bins_apart(newest, bin);
    return en->bins != 0 && behind >= 0 && behind < EVENT_BIN_BITS &&
           ((uint16_t)en->bins >> behind & 1);
}

/* TCP has two kinds of scans to one port, which counts a source once: with its SYNs. */
static bool syn_has(const struct event_engine *e, unsigned shard, const struct event_entry *en,
                    uint16_t bin)
{
    const struct event_table *t = &e->tables[shard];
    uint64_t key = (en->key & ~(UINT64_C(15) << 48)) | (uint64_t)WHAT_SYN << 48;
    const struct event_entry *syn =
        event_find(t, key, event_hash(t->key, key), event_address6(t, en));
    return syn && bin_has(syn, bin);
}

static inline void entry_count(const struct event_engine *e, unsigned shard,
                               const struct event_entry *en, struct event_sources *bin,
                               uint16_t number)
{
    unsigned what = event_key_what(en->key);
    if (bin->is_inexact)
        return;
    const uint8_t *address6 = event_address6(&e->tables[shard], en);
    event_sources_add(bin, shard, event_source_name(e->key, (uint32_t)en->key, address6));
    if (!what_is_scan(what) || (what == WHAT_DATA && syn_has(e, shard, en, number)))
        return;
    bin->ports[what == WHAT_UDP ? PORT_PROTO_UDP : PORT_PROTO_TCP][event_key_port(en->key)]++;
}

void event_bins_count(const struct event_engine *e, unsigned shard, const struct event_entry *en)
{
    for (struct event_sources *bin = e->bins; bin; bin = bin->next) {
        uint16_t number = event_bin_number(e, bin->start_ns);
        if (bin_has(en, number))
            entry_count(e, shard, en, bin, number);
    }
}

void event_bin_mark(const struct event_engine *e, unsigned shard, struct event_entry *en,
                    uint16_t bin)
{
    uint16_t newest = (uint16_t)(en->bins >> EVENT_BIN_SHIFT), seen = (uint16_t)en->bins;
    int ahead = bins_apart(bin, newest);
    if (en->bins == 0) {
        seen = 1;
        newest = bin;
    } else if (ahead >= EVENT_BIN_BITS || ahead <= -EVENT_BIN_BITS) {
        event_bins_count(e, shard, en); /* what it forgets */
        seen = 1;
        newest = bin;
    } else if (ahead > 0) {
        struct event_entry forgets = *en;
        forgets.bins &= ~((UINT32_C(1) << (EVENT_BIN_BITS - ahead)) - 1);
        if ((uint16_t)forgets.bins != 0)
            event_bins_count(e, shard, &forgets);
        seen = (uint16_t)(seen << ahead | 1);
        newest = bin;
    } else {
        seen = (uint16_t)(seen | 1 << -ahead);
    }
    en->bins = (uint32_t)newest << EVENT_BIN_SHIFT | seen;
}

void event_bin_sweep(const struct event_engine *e, struct event_sources *bin)
{
    const uint16_t number = event_bin_number(e, bin->start_ns);
    for (unsigned shard = 0; shard < SHARDS && !bin->is_inexact; shard++) {
        const struct event_table *t = &e->tables[shard];
        for (uint32_t i = 1; i < t->entry_count; i++) {
            const struct event_entry *en = event_entry_at(t, i);
            if (en->key != 0 && bin_has(en, number))
                entry_count(e, shard, en, bin, number);
        }
        event_sources_close(bin, shard);
    }
}
