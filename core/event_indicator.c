#include "core/event_indicator.h"

#include "core/event_state.h"
#include "core/memory.h"
#include "export/calendar.h"
#include "export/hll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct event_indicators {
    const struct event_settings *settings;
    struct indicator_table *open;
    uint64_t withheld;
};

/* What is dark on any day, not on the packet's alone. */
static bool is_dark(const void *context, const uint8_t address[16], unsigned ip_version)
{
    const struct telescope_dates *telescope = context;
    return prefix_set_holds(telescope->ever, address, ip_version);
}

static void dark_set(struct indicator_from *from, const struct event_settings *s)
{
    from->is_dark = s->telescope != NULL ? is_dark : NULL;
    from->context = s->telescope;
}

/* ---- a worker's ---- */

static const struct calendar_day *day_of(struct event_engine *e, int64_t ts_ns)
{
    if (!calendar_holds(e->indicator_day.start_ns, e->indicator_day.end_ns, ts_ns))
        e->indicator_day = calendar_day_of(ts_ns);
    return &e->indicator_day;
}

/* Who sent it, in a number. */
static uint32_t source_of(const struct observation *o)
{
    uint32_t address;
    memcpy(&address, o->src, sizeof address);
    return o->ip_version == 6 ? (uint32_t)hll_hash(o->src, sizeof o->src) : distinct_mix(address);
}

static void sightings_add(struct event_engine *e, const struct observation *o, const char *rule,
                          const struct indicators *found)
{
    const struct calendar_day *day = day_of(e, o->ts_ns);
    if (e->indicators == NULL)
        e->indicators = indicator_table_create(e->settings->indicators);
    for (unsigned n = 0; n < found->count; n++) {
        const struct indicator_sighting sighting = {
            .indicator = &found->at[n],
            .date = day->date,
            .day_end_ns = day->end_ns,
            .ts_ns = o->ts_ns,
            .wire_len = o->wire_len,
            .source = source_of(o),
            .port = o->dst_port,
            .proto = o->ip_proto == IPPROTO_NR_TCP ? EVENT_TCP : EVENT_UDP,
            .rule = rule,
        };
        indicator_table_add(e->indicators, &sighting);
    }
}

void event_indicator_count(struct event_engine *e, const struct batch *b, uint32_t i,
                           const struct label *label)
{
    const struct observation *o = &b->at[i];
    const struct rule *rule = &e->rules->rules[label->payload_rule];
    struct indicators found;
    bool is_wanted = rule->is_exploit || o->ip_proto == IPPROTO_NR_TCP;
    if (!is_wanted || o->payload_caught == 0 || o->state & OBSERVATION_DARK_SOURCE)
        return;
    size_t len = o->payload_caught + b->more[i];
    struct indicator_from from = {
        .ip_version = o->ip_version,
        .is_telnet = rule->is_exploit && o->ip_proto == IPPROTO_NR_TCP,
        .is_cut = o->payload_len > len,
    };
    memcpy(from.dst, o->dst, sizeof from.dst);
    dark_set(&from, e->settings);
    indicators_find(&found, b->payload + o->payload_at, len, &from);
    e->withheld += found.withheld;
    if (found.count > 0)
        sightings_add(e, o, rule->id, &found);
}

/* ---- the exporter's ---- */

struct event_indicators *event_indicators_create(const struct event_settings *settings)
{
    struct event_indicators *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->settings = settings;
    x->open = indicator_table_create(settings->indicators);
    return x;
}

void event_indicators_destroy(struct event_indicators *x)
{
    if (x == NULL)
        return;
    indicator_table_destroy(x->open);
    free(x);
}

uint64_t event_indicators_withheld(const struct event_indicators *x) { return x->withheld; }

void indicator_told_fini(struct indicator_told *t)
{
    free(t->lines);
    *t = (struct indicator_told){0};
}

/* ---- telling ---- */

static void tell(struct indicator_entry *e, enum event_phase phase, bool gave_up, int64_t now_ns,
                 struct indicator_told *out)
{
    if (out->count == out->room) {
        out->room = out->room > 0 ? 2 * out->room : 16;
        out->lines = memory_must(realloc(out->lines, out->room * sizeof *out->lines));
    }
    struct indicator_line *line = &out->lines[out->count++];
    *line = (struct indicator_line){.entry = *e,
                                    .sources = distinct_count(&e->sources),
                                    .phase = (uint8_t)phase,
                                    .gave_up = gave_up};
    line->entry.sources = (struct distinct){0};
    e->is_begun = true;
    e->update++;
    e->told_ns = now_ns;
    e->told_packets = e->packets;
}

struct looking {
    const struct event_settings *settings;
    struct indicator_told *out;
    int64_t now_ns;
    bool is_last;
};

/* Tells what is to be told of an entry; true: it is over. */
static bool look_at(void *context, struct indicator_entry *e)
{
    const struct looking *l = context;
    bool is_over = l->is_last || l->now_ns >= e->day_end_ns;
    int64_t every_ns = l->settings->every_ns;
    if (is_over)
        tell(e, EVENT_ENDS, false, l->now_ns, l->out);
    else if (!e->is_begun)
        tell(e, EVENT_BEGINS, false, l->now_ns, l->out);
    else if (e->packets > e->told_packets && l->now_ns - every_ns >= e->told_ns)
        tell(e, EVENT_GOES_ON, false, l->now_ns, l->out);
    return is_over;
}

/* ---- the bound ---- */

struct size {
    uint64_t packets, hash;
    int64_t last_ns;
};

static int size_order(const void *a, const void *b)
{
    const struct size *x = a, *y = b;
    if (x->packets != y->packets)
        return x->packets < y->packets ? -1 : 1;
    if (x->last_ns != y->last_ns)
        return x->last_ns < y->last_ns ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

struct giving_up {
    struct size least; /* of those that stay */
    struct indicator_told *out;
    int64_t now_ns;
};

static bool gives_up(void *context, struct indicator_entry *e)
{
    struct giving_up *g = context;
    const struct size size = {e->packets, e->hash, e->last_ns};
    if (size_order(&size, &g->least) >= 0)
        return false;
    if (e->is_begun)
        tell(e, EVENT_ENDS, true, g->now_ns, g->out);
    g->out->gave_up++;
    return true;
}

static void bound(struct event_indicators *x, int64_t now_ns, struct indicator_told *out)
{
    struct indicator_table *t = x->open;
    uint32_t count = 0, goes = t->count - x->settings->indicators / 4 * 3;
    if (t->count <= x->settings->indicators)
        return;
    struct size *sizes = memory_must(malloc(t->count * sizeof *sizes));
    for (uint32_t i = 0; i < t->room; i++)
        if (t->at[i] != NULL)
            sizes[count++] = (struct size){t->at[i]->packets, t->at[i]->hash, t->at[i]->last_ns};
    qsort(sizes, count, sizeof *sizes, size_order);
    struct giving_up g = {.least = sizes[goes], .out = out, .now_ns = now_ns};
    free(sizes);
    indicator_table_sift(t, gives_up, &g);
}

/* ---- seals ---- */

void event_indicators_take(struct event_indicators *x, struct event_told *const *told,
                           unsigned count, struct indicator_told *out)
{
    struct indicator_table *fresh = NULL;
    const struct event_told *any = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (told[i] == NULL)
            continue;
        any = any == NULL || told[i]->looks ? told[i] : any;
        x->withheld += told[i]->withheld;
        if (told[i]->indicators == NULL)
            continue;
        if (fresh == NULL)
            fresh = told[i]->indicators;
        else
            indicator_table_merge(fresh, told[i]->indicators);
    }
    if (fresh != NULL) {
        indicator_table_cut(fresh);
        if (out != NULL)
            out->gave_up += fresh->left_out;
        fresh->left_out = 0;
        indicator_table_merge(x->open, fresh); /* whose cut is none */
    }
    if (out == NULL || any == NULL || !any->looks)
        return;
    bound(x, any->now_ns, out);
    struct looking l = {x->settings, out, any->now_ns, any->is_last};
    indicator_table_sift(x->open, look_at, &l);
}

void indicator_line_expand(const struct indicator_line *line, const char *sensor, int64_t time_ns,
                           struct event *out)
{
    const struct indicator_entry *e = &line->entry;
    memset(out, 0, sizeof *out);
    out->type = EVENT_indicator;
    out->phase = (enum event_phase)line->phase;
    out->update = e->update;
    out->time_ns = time_ns;
    out->first_ns = e->first_ns;
    out->last_ns = e->last_ns;
    out->packets = e->packets;
    out->bytes = e->bytes;
    out->proto = (enum event_proto)e->proto;
    out->has_port = true;
    out->port = e->port;
    out->gave_up = line->gave_up;
    out->indicator.kind = event_indicator_kind(indicator_kind_name((enum indicator_kind)e->kind));
    out->indicator.role = event_indicator_role(indicator_role_name((enum indicator_role)e->role));
    event_text(out->indicator.value, sizeof out->indicator.value, e->value);
    event_text(out->indicator.rule, sizeof out->indicator.rule, e->rule);
    out->indicator.sources = line->sources;
    event_identify(out, sensor);
}

/* ---- over restarts ---- */

/* An open indicator; its sources' numbers behind it. Sources are no secret here: the journal of days beside has them, too. */
struct saved_indicator {
    int64_t day_end_ns, first_ns, last_ns, told_ns;
    uint64_t packets, bytes, told_packets;
    int32_t date;
    uint32_t update, sources;
    uint16_t port;
    uint8_t proto, kind, role, is_begun, bits, has_zero;
    uint8_t reserved[4];
    char rule[EVENT_NAME], value[INDICATOR_VALUE];
};
static_assert(sizeof(struct saved_indicator) == 400, "no hole in it");

void event_indicators_save(const struct event_indicators *x, struct event_bytes *out)
{
    for (uint32_t i = 0; i < x->open->room; i++) {
        const struct indicator_entry *e = x->open->at[i];
        if (e == NULL)
            continue;
        const struct distinct *sources = &e->sources;
        struct saved_indicator saved = {
            .day_end_ns = e->day_end_ns,
            .first_ns = e->first_ns,
            .last_ns = e->last_ns,
            .told_ns = e->told_ns,
            .packets = e->packets,
            .bytes = e->bytes,
            .told_packets = e->told_packets,
            .date = e->date,
            .update = e->update,
            .sources = sources->count,
            .port = e->port,
            .proto = e->proto,
            .kind = e->kind,
            .role = e->role,
            .is_begun = e->is_begun,
            .bits = sources->bits,
            .has_zero = sources->has_zero,
        };
        memcpy(saved.rule, e->rule, sizeof saved.rule);
        memcpy(saved.value, e->value, sizeof saved.value);
        event_bytes_add(out, &saved, sizeof saved);
        for (uint32_t k = 0; k < sources->room; k++)
            if (sources->at[k] != 0)
                event_bytes_add(out, &sources->at[k], sizeof sources->at[k]);
    }
}

/* Text, and nothing behind it. */
static bool is_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    if (len == 0 || len == size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (i < len ? text[i] < ' ' || text[i] > '~' : text[i] != 0)
            return false;
    return true;
}

/* What no indicator that was written can be. */
static bool is_possible(const struct saved_indicator *s)
{
    static const uint8_t zeros[sizeof s->reserved];
    return s->first_ns <= s->last_ns && s->packets > 0 && s->told_packets <= s->packets &&
           s->sources <= DISTINCT_MOST && s->kind < INDICATOR_KINDS && s->role < INDICATOR_ROLES &&
           (s->proto == EVENT_TCP || s->proto == EVENT_UDP) && s->is_begun <= 1 &&
           s->has_zero <= 1 && s->bits < 32 && (s->update > 0) == s->is_begun &&
           memcmp(s->reserved, zeros, sizeof zeros) == 0 && is_text(s->rule, sizeof s->rule) &&
           is_text(s->value, sizeof s->value);
}

/* Whether it names what is dark now, though it was not when it was saved. */
static bool is_secret(const struct event_indicators *x, const struct saved_indicator *s)
{
    struct indicator_from from = {0};
    char plain[INDICATOR_VALUE];
    dark_set(&from, x->settings);
    return indicator_mentions_dark(
        indicator_refang(plain, sizeof plain, (enum indicator_kind)s->kind, s->value), &from);
}

static struct indicator_entry *entry_make(const struct saved_indicator *s, const uint8_t *sources)
{
    struct indicator_entry *e = memory_must(calloc(1, sizeof *e));
    *e = (struct indicator_entry){
        .day_end_ns = s->day_end_ns,
        .first_ns = s->first_ns,
        .last_ns = s->last_ns,
        .told_ns = s->told_ns,
        .packets = s->packets,
        .bytes = s->bytes,
        .told_packets = s->told_packets,
        .date = s->date,
        .update = s->update,
        .port = s->port,
        .proto = s->proto,
        .kind = s->kind,
        .role = s->role,
        .is_begun = s->is_begun,
        .sources = {.bits = s->bits, .has_zero = s->has_zero},
    };
    memcpy(e->rule, s->rule, sizeof e->rule);
    memcpy(e->value, s->value, sizeof e->value);
    for (uint32_t i = 0; i < s->sources; i++) {
        uint32_t source;
        memcpy(&source, sources + i * sizeof source, sizeof source);
        if (source != 0 && (source & distinct_mask(&e->sources)) == 0)
            distinct_add(&e->sources, NULL, source);
    }
    indicator_entry_hash(e);
    return e;
}

int event_indicators_restore(struct event_indicators *x, const uint8_t **at, const uint8_t *end)
{
    struct saved_indicator s;
    if ((size_t)(end - *at) < sizeof s)
        return -EBADMSG;
    memcpy(&s, *at, sizeof s);
    if (!is_possible(&s) || (size_t)(end - *at) - sizeof s < s.sources * sizeof(uint32_t))
        return -EBADMSG;
    const uint8_t *sources = *at + sizeof s;
    *at = sources + s.sources * sizeof(uint32_t);
    if (is_secret(x, &s)) {
        x->withheld++;
        return 0;
    }
    struct indicator_entry *e = entry_make(&s, sources);
    if (indicator_table_put(x->open, e) != NULL)
        indicator_entry_destroy(e);
    return 0;
}
