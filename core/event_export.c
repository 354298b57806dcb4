#include "core/event_export.h"

#include "core/memory.h"
#include "export/record_event.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* A bin that is not over, as windows have it. */
struct bin_sum {
    struct bin_sum *next;
    int64_t start_ns, first_ns; /* first: of its windows */
    bool is_partial;
    uint64_t packets;
    uint64_t ports[PORT_PROTO_COUNT][65536];
};

/* A bin that is over: what it holds, and its rows behind it. */
struct bin_over {
    struct bin_over *next;
    struct event_bin bin;
    struct event_bin_row rows[];
};

struct event_export {
    const struct event_settings *settings;
    const struct ruleset *rules;
    const struct origins *origins; /* NULL: unknown */
    int64_t span_ns;
    struct bin_sum *sums; /* ascending */
    struct bin_over *over, **last_over;
    int64_t end_ns; /* of the bin that was over last */
    bool has_end;
    uint64_t seen[PORT_PROTO_COUNT][65536 / 64]; /* ports that were in a bin */
    struct event_indicators *indicators;         /* NULL: they are not looked for */
};

struct event_export *event_export_create(const struct event_settings *settings,
                                         const struct ruleset *rules)
{
    struct event_export *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->settings = settings;
    x->rules = rules;
    x->origins = settings->origins;
    x->span_ns = event_bin_span(settings->window_span_ns);
    x->last_over = &x->over;
    if (event_settings_has(settings, EVENT_indicator) &&
        !(x->indicators = event_indicators_create(settings))) {
        free(x);
        return NULL;
    }
    return x;
}

void event_export_rules(struct event_export *x, const struct ruleset *rules,
                        const struct origins *origins)
{
    x->rules = rules;
    x->origins = origins;
}

void event_export_destroy(struct event_export *x)
{
    if (!x)
        return;
    for (struct bin_sum *s = x->sums; s;) {
        struct bin_sum *next = s->next;
        free(s);
        s = next;
    }
    for (struct bin_over *o = x->over; o;) {
        struct bin_over *next = o->next;
        free(o);
        o = next;
    }
    event_indicators_destroy(x->indicators);
    free(x);
}

/* ---- bins ---- */

static int64_t start_of(const struct event_export *x, int64_t ts_ns)
{
    int64_t rest = ts_ns % x->span_ns;
    rest += rest < 0 ? x->span_ns : 0;
    return ts_ns < INT64_MIN + rest ? INT64_MIN : ts_ns - rest;
}

static struct bin_sum *sum_find(struct event_export *x, int64_t start_ns)
{
    struct bin_sum **at = &x->sums;
    while (*at && (*at)->start_ns < start_ns)
        at = &(*at)->next;
    if (*at && (*at)->start_ns == start_ns)
        return *at;
    struct bin_sum *sum = memory_must(calloc(1, sizeof *sum));
    sum->start_ns = start_ns;
    sum->first_ns = INT64_MAX;
    sum->next = *at;
    *at = sum;
    return sum;
}

void event_export_window(struct event_export *x, const struct window *w)
{
    int64_t start_ns = start_of(x, w->start_ns);
    if (!x->settings->take_bin || w->ledger.late > 0 || (x->has_end && start_ns < x->end_ns))
        return;
    struct bin_sum *sum = sum_find(x, start_ns);
    sum->first_ns = w->start_ns < sum->first_ns ? w->start_ns : sum->first_ns;
    sum->is_partial |= w->is_partial;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (kind != KIND_outside && kind != KIND_non_ip && kind != KIND_malformed)
            sum->packets += w->kinds[kind].packets;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (uint32_t i = 0; i < w->port_used[proto]; i++)
            sum->ports[proto][w->ports[proto][i].port] += w->ports[proto][i].scan;
}

/* The last of all ends with the time. */
static int64_t end_of(const struct event_export *x, int64_t start_ns)
{
    int64_t end_ns;
    return __builtin_add_overflow(start_ns, x->span_ns, &end_ns) ? INT64_MAX : end_ns;
}

static void over_add(struct event_export *x, struct bin_over *over)
{
    over->next = NULL;
    *x->last_over = over;
    x->last_over = &over->next;
    x->end_ns = end_of(x, over->bin.start_ns);
    x->has_end = true;
}

/* Zero is not missing; but a hole of more than a day is. */
static void holes_add(struct event_export *x, int64_t start_ns)
{
    const int64_t day_ns = INT64_C(86400) * 1000000000;
    int64_t hole_ns;
    if (!x->has_end || __builtin_sub_overflow(start_ns, x->end_ns, &hole_ns) || hole_ns > day_ns)
        return;
    while (x->end_ns < start_ns) {
        struct bin_over *over = memory_must(calloc(1, sizeof *over));
        over->bin = (struct event_bin){.start_ns = x->end_ns, .span_ns = x->span_ns};
        over_add(x, over);
    }
}

static void rows_fill(struct event_export *x, const struct bin_sum *sum,
                      const struct event_sources *sources, struct bin_over *over)
{
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 65536; port++) {
            uint64_t *seen = &x->seen[proto][port / 64], bit = UINT64_C(1) << port % 64;
            if (sum->ports[proto][port] == 0)
                continue;
            over->rows[over->bin.row_count++] = (struct event_bin_row){
                .port = (uint16_t)port,
                .proto = (uint8_t)proto,
                .is_never_seen = !(*seen & bit),
                .packets = sum->ports[proto][port],
                .sources = sources->ports[proto][port],
            };
            *seen |= bit;
        }
    over->bin.rows = over->rows;
}

/* A bin is over, with the sums of all workers. */
static void bin_over(struct event_export *x, const struct event_sources *sources, int64_t now_ns)
{
    struct bin_sum *sum = sum_find(x, sources->start_ns);
    size_t rows = 0;
    for (unsigned i = 0; i < PORT_PROTO_COUNT * 65536; i++)
        rows += (&sum->ports[0][0])[i] > 0;
    holes_add(x, sources->start_ns);
    struct bin_over *over = memory_must(calloc(1, sizeof *over + rows * sizeof *over->rows));
    over->bin = (struct event_bin){
        .start_ns = sources->start_ns,
        .span_ns = x->span_ns,
        .is_partial = sum->is_partial || end_of(x, sources->start_ns) > now_ns ||
                      (!x->has_end && sum->first_ns > sum->start_ns),
        .is_inexact = sources->is_inexact,
        .packets = sum->packets,
        .sources = sources->sources,
    };
    rows_fill(x, sum, sources, over);
    over_add(x, over);
    struct bin_sum **at = &x->sums;
    while (*at != sum)
        at = &(*at)->next;
    *at = sum->next;
    free(sum);
}

/* Adds up the bins of all workers, which are the same ones, and hands them on. */
static void bins_take(struct event_export *x, struct event_told *const *told, unsigned count)
{
    struct event_sources *sum = NULL;
    unsigned first = 0;
    while (first < count && !(told[first] && told[first]->bins))
        first++;
    if (first == count)
        return;
    for (struct event_sources *bin = told[first]->bins; bin; bin = bin->next) {
        sum = bin;
        for (unsigned i = first + 1; i < count; i++) {
            struct event_sources *other = told[i] ? told[i]->bins : NULL;
            while (other && other->start_ns != bin->start_ns)
                other = other->next;
            if (!other)
                continue;
            sum->sources += other->sources;
            sum->is_inexact |= other->is_inexact;
            for (unsigned k = 0; k < PORT_PROTO_COUNT * 65536; k++)
                (&sum->ports[0][0])[k] += (&other->ports[0][0])[k];
        }
        bin_over(x, sum, told[first]->now_ns);
    }
}

void event_export_bins(struct event_export *x)
{
    while (x->over) {
        struct bin_over *over = x->over;
        x->over = over->next;
        x->settings->take_bin(x->settings->take_context, &over->bin);
        free(over);
    }
    x->last_over = &x->over;
}

const uint64_t (*event_export_seen(const struct event_export *x))[65536 / 64] { return x->seen; }

void event_export_set_seen(struct event_export *x, const uint64_t (*seen)[65536 / 64])
{
    memcpy(x->seen, seen, sizeof x->seen);
}

/* ---- events ---- */

/* Who it is. Whether it is a survey scanner is known when its day is over. */
static void origin_fill(const struct event_export *x, struct event *e)
{
    static const uint8_t classes[ORIGIN_COUNT] = {[ORIGIN_ordinary] = EVENT_ORDINARY,
                                                  [ORIGIN_acknowledged] = EVENT_ACKNOWLEDGED,
                                                  [ORIGIN_survey] = EVENT_SURVEY,
                                                  [ORIGIN_bogon] = EVENT_BOGON};
    struct origin origin;
    if (!x->origins || e->ip_version == 0)
        return;
    origins_find(x->origins, e->address, e->ip_version, &origin);
    e->origin = (enum event_origin)classes[origin.class];
    event_text(e->country, sizeof e->country, origin.country);
    e->asn = origin.as.number;
    event_text(e->as_name, sizeof e->as_name, origin.as.number ? origin.as.name : "");
    if (origin.organisation != ORIGIN_NO_ORGANISATION)
        event_text(e->organisation, sizeof e->organisation,
                   origins_organisation(x->origins, origin.organisation)->name);
    else if (origin.bogon)
        event_text(e->organisation, sizeof e->organisation, origin.bogon->name);
}

/* Entries that were closed for want of memory, and bins that are over and were given up. */
static uint64_t told_gave_up(struct event_told *const *told, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += told[i] ? told[i]->gave_up : 0;
    /* All workers have the same bins, and are asked to give up between the same two. */
    unsigned first = 0;
    while (first < count && !(told[first] && told[first]->bins))
        first++;
    for (struct event_sources *bin = first < count ? told[first]->bins : NULL; bin; bin = bin->next)
        sum += bin->is_inexact;
    return sum;
}

/* An event by what it is sorted by. */
struct event_place {
    uint64_t id; /* as a number that sorts as its bytes do */
    uint32_t update;
    uint8_t type;
    const struct event_line *line; /* NULL: it is an indicator's; */
    const struct indicator_line *indicator;
};

static int place_order(const void *a, const void *b)
{
    const struct event_place *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->update < y->update ? -1 : x->update > y->update;
}

/* Sorts by place_order: ids are hashes, so that the upper bits of many tell nearly all about them; what they leave
 * is sorted as it may be, since strangers may choose ids. */
static void places_sort(struct event_place *places, size_t count)
{
    enum { FEW = 256, PER_BUCKET = 4, BITS_MOST = 16 };
    unsigned bits = 0;
    if (count < FEW) {
        qsort(places, count, sizeof *places, place_order);
        return;
    }
    while (bits < BITS_MOST && (size_t)PER_BUCKET << (bits + 1) <= count)
        bits++;
    size_t buckets = (size_t)EVENT_TYPES << bits;
    struct event_place *from = memory_must(malloc(count * sizeof *from));
    size_t *ends = memory_must(calloc(buckets + 1, sizeof *ends)); /* first where each begins */
    memcpy(from, places, count * sizeof *from);
    for (size_t i = 0; i < count; i++)
        ends[((size_t)from[i].type << bits) + (from[i].id >> (64 - bits)) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        ends[i + 1] += ends[i];
    for (size_t i = 0; i < count; i++)
        places[ends[((size_t)from[i].type << bits) + (from[i].id >> (64 - bits))]++] = from[i];
    for (size_t i = 0; i < buckets; i++) {
        size_t begin = i > 0 ? ends[i - 1] : 0;
        if (ends[i] - begin > 1)
            qsort(places + begin, ends[i] - begin, sizeof *places, place_order);
    }
    free(ends);
    free(from);
}

/* All are told at one time: that of the window. */
static void places_fill(const struct event_export *x, struct event_batch *out)
{
    struct event e;
    memset(&e, 0, sizeof e);
    for (unsigned i = 0; i < out->told_count; i++) {
        const struct event_told *told = out->told[i];
        for (size_t k = 0; told && k < told->count; k++) {
            const struct event_line *line = &told->lines[k];
            event_line_identify(line, x->settings->sensor, &e);
            uint64_t id;
            memcpy(&id, e.id, sizeof id);
            out->places[out->count++] = (struct event_place){
                .id = be64toh(id), .update = line->update, .type = (uint8_t)e.type, .line = line};
        }
    }
    for (size_t k = 0; k < out->indicators.count; k++) {
        const struct indicator_line *line = &out->indicators.lines[k];
        uint64_t id;
        indicator_line_expand(line, x->settings->sensor, 0, &e);
        memcpy(&id, e.id, sizeof id);
        out->places[out->count++] = (struct event_place){.id = be64toh(id),
                                                         .update = line->entry.update,
                                                         .type = (uint8_t)e.type,
                                                         .indicator = line};
    }
    places_sort(out->places, out->count);
}

void event_export_take(struct event_export *x, struct event_told *const *told, unsigned count,
                       struct event_batch *out)
{
    size_t events = 0;
    *out = (struct event_batch){.told_count = count};
    for (unsigned i = 0; i < count; i++)
        events += told[i] ? told[i]->count : 0;
    uint64_t gave_up = told_gave_up(told, count);
    bins_take(x, told, count);
    if (x->indicators)
        event_indicators_take(x->indicators, told, count, &out->indicators);
    events += out->indicators.count;
    gave_up += out->indicators.gave_up;
    out->told = memory_must(malloc(count * sizeof(struct event_told *)));
    memcpy(out->told, told, count * sizeof(struct event_told *));
    if (events == 0) {
        event_batch_fini(out);
        out->gave_up = gave_up;
        return;
    }
    out->gave_up = gave_up;
    out->places = memory_must(malloc(events * sizeof *out->places));
    places_fill(x, out);
}

void event_batch_fini(struct event_batch *b)
{
    for (unsigned i = 0; b->told && i < b->told_count; i++)
        event_told_destroy(b->told[i]);
    free(b->told);
    free(b->places);
    indicator_told_fini(&b->indicators);
    *b = (struct event_batch){0};
}

void event_export_rest(struct event_export *x, struct event_told *const *told, unsigned count)
{
    if (x->indicators)
        event_indicators_take(x->indicators, told, count, NULL);
}

struct event_indicators *event_export_indicators(const struct event_export *x)
{
    return x->indicators;
}

static int64_t batch_time(const struct event_batch *b)
{
    unsigned i = 0;
    while (!b->told[i]) /* the same of all workers */
        i++;
    return b->told[i]->time_ns;
}

/* What makes the events of a batch, one at a time. */
struct making {
    const struct event_export *export;
    const struct event_batch *batch;
    int64_t time_ns;
    struct event event;
};

static void making_init(struct making *m, const struct event_export *x, const struct event_batch *b)
{
    m->export = x;
    m->batch = b;
    m->time_ns = batch_time(b);
}

/* Lines lie where workers told them, places in the order of the feed: they are asked for ahead. */
static const struct event *event_make(void *context, size_t i)
{
    enum { AHEAD = 8 };
    struct making *m = context;
    const struct event_batch *b = m->batch;
    const struct event_place *place = &b->places[i];
    uint64_t id = htobe64(place->id);
    if (i + AHEAD < b->count && place[AHEAD].line) {
        __builtin_prefetch(place[AHEAD].line);
        __builtin_prefetch((const char *)(place[AHEAD].line + 1) - 1);
    }
    if (place->line)
        event_line_expand_as(place->line, (const uint8_t *)&id, m->export->settings,
                             m->export->rules, m->time_ns, &m->event);
    else
        indicator_line_expand(place->indicator, m->export->settings->sensor, m->time_ns, &m->event);
    origin_fill(m->export, &m->event);
    return &m->event;
}

void event_batch_records(struct event_export *x, const struct event_batch *b,
                         struct event_bytes *out)
{
    struct record_buffer record = {0};
    struct making m;
    if (b->appended == b->count)
        return;
    making_init(&m, x, b);
    for (size_t i = b->appended; i < b->count; i++) {
        uint32_t crc = 0;
        record.len = 0;
        if (record_pack_event(&record, i + 1, &crc, event_make(&m, i)) < 0)
            memory_ended();
        event_bytes_add(out, record.data, record.len);
    }
    record_buffer_free(&record);
}

int event_batch_append(struct event_export *x, struct event_batch *b, struct feed_log *feed,
                       struct fault *fault)
{
    struct making m;
    if (b->appended == b->count)
        return 0;
    making_init(&m, x, b);
    return feed_log_append_events(feed, event_make, &m, b->count, &b->appended, fault);
}
