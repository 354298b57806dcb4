#include "core/event_engine.h"

#include "core/event_state.h"
#include "core/memory.h"
#include "core/source_reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is counted ---- */

static uint32_t whats_of(const struct event_settings *s, bool has_bins, bool has_watched)
{
    uint32_t scans = 1u << WHAT_SYN | 1u << WHAT_DATA | 1u << WHAT_UDP,
             floods = 1u << WHAT_DOS_TCP | 1u << WHAT_DOS_UDP | 1u << WHAT_DOS_ICMP,
             amplification = 1u << WHAT_AMPLIFICATION, whats = 0;
    if (event_settings_has(s, EVENT_scan) || has_bins || has_watched)
        whats |= scans;
    if (event_settings_has(s, EVENT_dos) || has_watched)
        whats |= floods;
    if (event_settings_has(s, EVENT_amplification) || has_watched)
        whats |= amplification;
    return whats;
}

/* Sets without a verdict. */
static void classes_fill(struct event_engine *e)
{
    for (unsigned set = 0; set < BRIEF_SETS; set++) {
        enum brief_what is = set_what(set);
        unsigned what = is == BRIEF_SYN      ? WHAT_SYN
                        : is == BRIEF_UDP    ? WHAT_UDP
                        : is == BRIEF_ANSWER ? WHAT_DOS_TCP
                                             : WHAT_NONE;
        if (!set_is_verdict(set))
            e->classes[set] = (struct event_class){
                .what = (uint8_t)(e->whats >> what & 1 ? what : WHAT_NONE),
                .flags = CLASS_SENSOR,
                .tools = (uint16_t)set_tools(set),
            };
    }
}

static void idles_fill(const struct event_engine *e, struct event_table *t)
{
    const struct event_settings *s = e->settings;
    t->keep_ns = e->has_bins ? 2 * e->bin_span_ns : 0;
    for (unsigned what = 0; what < WHATS; what++)
        t->idle_ns[what] = what_is_watched(what) ? s->watched_quiet_ns
                           : what_is_scan(what)  ? s->scan_idle_ns
                                                 : s->dos_idle_ns;
}

struct event_engine *event_engine_create(const struct event_settings *settings,
                                         const struct hash_key *key, const struct ruleset *rules)
{
    struct event_engine *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->settings = settings;
    e->key = key;
    e->rules = rules;
    e->rules_turn = 1;
    e->now_ns = e->bins_until_ns = e->time_ns = INT64_MIN;
    e->has_bins = settings->take_bin != NULL;
    e->bin_span_ns = event_bin_span(settings->window_span_ns);
    e->has_watched = event_settings_has(settings, EVENT_watched) && settings->watched;
    e->watched = e->has_watched ? settings->watched : NULL;
    e->watched_turn = e->has_watched ? ENTRY_TURN_ONE : 0;
    e->has_indicators = event_settings_has(settings, EVENT_indicator);
    e->whats = whats_of(settings, e->has_bins, e->has_watched);
    if (event_settings_has(settings, EVENT_infected))
        e->whats |= 1u << WHAT_SYN | 1u << WHAT_DATA;
    e->inline_most = settings->scan_min_destinations - 1 < EVENT_DESTINATIONS
                         ? (uint32_t)settings->scan_min_destinations - 1
                         : EVENT_DESTINATIONS;
    classes_fill(e);
    e->packets = calloc(1, sizeof *e->packets);
    if (!e->packets) {
        free(e);
        return NULL;
    }
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        if (event_table_init(&e->tables[shard], key, &e->pool) < 0) {
            event_engine_destroy(e);
            errno = ENOMEM;
            return NULL;
        }
        idles_fill(e, &e->tables[shard]);
    }
    return e;
}

void event_engine_rules(struct event_engine *e, const struct ruleset *rules)
{
    if (e->rules == rules)
        return;
    e->rules = rules;
    e->rules_turn = (uint8_t)(e->rules_turn % UINT8_MAX + 1);
}

void event_engine_destroy(struct event_engine *e)
{
    if (!e)
        return;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        event_table_fini(&e->tables[shard]);
    pool_fini(&e->pool);
    free(e->packets);
    source_reach_destroy(e->reach);
    indicator_table_destroy(e->indicators);
    for (struct event_sources *s = e->bins; s;) {
        struct event_sources *next = s->next;
        event_sources_destroy(s);
        s = next;
    }
    event_told_destroy(e->told);
    free(e);
}

struct source_reach_table *event_engine_reach(struct event_engine *e)
{
    if (event_settings_has(e->settings, EVENT_infected) && !e->reach)
        e->reach = memory_must(source_reach_create(e->key));
    return e->reach;
}

enum event_what event_watched_what(unsigned what)
{
    if (what == WHAT_SYN || what == WHAT_DATA)
        return WHAT_INFECTED;
    if (what >= WHAT_DOS_TCP && what <= WHAT_DOS_ICMP)
        return WHAT_UNDER_ATTACK;
    return what == WHAT_AMPLIFICATION ? WHAT_SPOOFED : WHAT_NONE;
}

/* ---- bins ---- */

static int64_t bin_start(const struct event_engine *e, int64_t start_ns)
{
    int64_t rest = start_ns % e->bin_span_ns;
    rest += rest < 0 ? e->bin_span_ns : 0;
    return start_ns < INT64_MIN + rest ? INT64_MIN : start_ns - rest;
}

/* The open bin that begins then, made where there is none; the list ascends. */
static struct event_sources *bin_open(struct event_engine *e, int64_t start_ns)
{
    struct event_sources **at = &e->bins;
    while (*at && (*at)->start_ns < start_ns)
        at = &(*at)->next;
    if (*at && (*at)->start_ns == start_ns)
        return *at;
    struct event_sources *bin = event_sources_create(e->key, start_ns);
    bin->next = *at;
    *at = bin;
    return bin;
}

void event_engine_open(struct event_engine *e, unsigned slot, int64_t start_ns, bool is_late)
{
    struct event_slot *s = &e->slots[slot];
    *s = (struct event_slot){.start_ns = start_ns};
    int64_t begin_ns = bin_start(e, start_ns);
    if (!e->has_bins || is_late || begin_ns < e->bins_until_ns)
        return;
    s->is_open = true;
    s->bin = bin_open(e, begin_ns);
    s->number = event_bin_number(e, begin_ns);
}

/* The last of all ends with the time. */
static int64_t bin_end(const struct event_engine *e, const struct event_sources *bin)
{
    int64_t end_ns;
    return __builtin_add_overflow(bin->start_ns, e->bin_span_ns, &end_ns) ? INT64_MAX : end_ns;
}

/* Bins that end by then are over; `all`: of a run that ends. */
static void bins_close(struct event_engine *e, int64_t now_ns, bool all)
{
    struct event_sources **last = NULL;
    while (e->bins && (all || bin_end(e, e->bins) <= now_ns)) {
        struct event_sources *bin = e->bins;
        e->bins = bin->next;
        bin->next = NULL;
        for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++)
            if (e->slots[slot].bin == bin)
                e->slots[slot] = (struct event_slot){0};
        event_bin_sweep(e, bin);
        for (last = &event_told_of(e)->bins; *last;)
            last = &(*last)->next;
        *last = bin;
        e->bins_until_ns = bin_end(e, bin);
    }
}

/* ---- seals ---- */

/* When what is told now was told: at the end of its window, which a broken clock may have put far ahead. Never goes back. */
static void time_set(struct event_engine *e, int64_t end_ns, int64_t watermark_ns)
{
    bool is_ahead =
        watermark_ns != INT64_MIN && end_ns > watermark_ns &&
        (uint64_t)end_ns - (uint64_t)watermark_ns > (uint64_t)e->settings->window_span_ns;
    int64_t time_ns = is_ahead ? watermark_ns : end_ns;
    e->time_ns = time_ns > e->time_ns ? time_ns : e->time_ns;
}

static struct event_told *told_take(struct event_engine *e)
{
    struct event_told *told = e->told;
    e->told = NULL;
    if (!told)
        return NULL;
    told->now_ns = e->now_ns;
    told->time_ns = e->time_ns;
    return told;
}

/* What was seen of indicators goes to the exporter, who asks for it even where there is nothing: what it has may be over. */
static void indicators_give(struct event_engine *e, bool looks, bool is_last)
{
    if (!e->has_indicators)
        return;
    struct event_told *told = event_told_of(e);
    told->indicators = e->indicators;
    told->withheld = e->withheld;
    told->looks = looks;
    told->is_last = is_last;
    e->indicators = NULL;
    e->withheld = 0;
}

struct event_told *event_engine_seal(struct event_engine *e, const struct event_seal *seal)
{
    int64_t now_ns = seal->end_ns < seal->watermark_ns ? seal->end_ns : seal->watermark_ns;
    e->slots[seal->slot] = (struct event_slot){0};
    time_set(e, seal->end_ns, seal->watermark_ns);
    bool is_on = !seal->is_late && now_ns > e->now_ns;
    if (is_on)
        e->now_ns = now_ns;
    if (seal->is_last) {
        e->time_ns = seal->end_ns > e->time_ns ? seal->end_ns : e->time_ns;
        event_tables_end(e);
    } else if (is_on) {
        event_tables_look(e, now_ns);
    }
    if (e->has_bins)
        bins_close(e, e->now_ns, seal->is_last);
    if (is_on || seal->is_last)
        indicators_give(e, true, seal->is_last);
    if (e->settings->saves && is_on)
        event_save(e, false, &event_told_of(e)->state);
    return told_take(e);
}

struct event_told *event_engine_last(struct event_engine *e)
{
    event_save(e, true, &event_told_of(e)->state);
    indicators_give(e, false, false);
    return told_take(e);
}

struct event_table *event_engine_table(struct event_engine *e, unsigned shard)
{
    return &e->tables[shard];
}

/* ---- memory ---- */

static uint64_t bins_bytes(const struct event_engine *e)
{
    uint64_t bytes = 0;
    for (const struct event_sources *bin = e->bins; bin; bin = bin->next)
        bytes += event_sources_bytes(bin);
    return bytes;
}

uint64_t event_engine_bytes(const struct event_engine *e)
{
    uint64_t bytes = 0;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        bytes +=
            (uint64_t)e->tables[shard].count * EVENT_ENTRY_BYTES + e->tables[shard].detail_bytes;
    return bytes + bins_bytes(e);
}

void event_engine_weigh(const struct event_engine *e, struct event_weight *sum)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct event_table *t = &e->tables[shard];
        for (uint32_t number = 1; number < t->entry_count; number++) {
            const struct event_entry *en = event_entry_at(t, number);
            if (en->key == 0 || event_is_idle(t, en, t->now_ns))
                continue;
            uint64_t bytes = EVENT_ENTRY_BYTES + event_beside_bytes(t, en);
            sum->at[cap_step(event_packets(t, en))] += bytes;
            sum->bytes += bytes;
        }
    }
    sum->bins += bins_bytes(e);
    sum->bytes += bins_bytes(e);
}

struct giving_up {
    struct event_engine *engine;
    struct event_table *table;
    int step;
};

static bool goes(void *context, struct event_entry *en)
{
    struct giving_up *g = context;
    bool is_idle = event_is_idle(g->table, en, g->table->now_ns);
    if ((int)cap_step(event_packets(g->table, en)) > g->step)
        return false;
    if (!is_idle)
        event_told_of(g->engine)->gave_up++;
    event_close(g->engine, g->table, en, !is_idle);
    return true;
}

void event_engine_give_up(struct event_engine *e, int step)
{
    for (struct event_sources *bin = e->bins; bin; bin = bin->next) {
        event_bin_sweep(e, bin); /* what was seen until now */
        event_sources_give_up(bin);
    }
    for (unsigned shard = 0; shard < SHARDS && step != EVENT_NO_STEP; shard++) {
        struct giving_up g = {e, &e->tables[shard], step};
        event_table_sift(&e->tables[shard], goes, &g);
    }
}
