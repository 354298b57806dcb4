/* What happens on a port: its days, its hours, and who was there. */
#include "export/event_filter.h"
#include "export/lookup_state.h"
#include "export/port_row.h"
#include "export/record_window.h"
#include "export/saturate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_ns = INT64_C(3600) * INT64_C(1000000000);

struct asking {
    struct lookup *l;
    unsigned proto;
    uint16_t port;
    struct lookup_port *out;
    size_t day_size, hour_size;
    int64_t hours_from, hours_to; /* of windows; [from, to) */
};

/* ---- rows ---- */

static void bounds_add(struct source_count *into, uint64_t sources)
{
    if (into->low < sources)
        into->low = sources;
    saturate_add(&into->high, sources);
}

static struct lookup_port_row *row_of(struct asking *a, struct lookup_port_rows *rows,
                                      const char *name, const char *category, unsigned evidence)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i].evidence == evidence && strcmp(rows->at[i].name, name) == 0)
            return &rows->at[i];
    struct lookup_port_row *grown = realloc(rows->at, (rows->count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    rows->at = grown;
    const char *kept = arena_text(&a->l->texts, name, strlen(name));
    const char *kept_category = arena_text(&a->l->texts, category, strlen(category));
    if (kept == NULL || kept_category == NULL)
        return NULL;
    grown[rows->count] = (struct lookup_port_row){
        .name = kept, .category = kept_category, .evidence = (uint8_t)evidence};
    return &grown[rows->count++];
}

static int row_add(struct asking *a, struct lookup_port_rows *rows, const char *name,
                   const char *category, unsigned evidence, const struct facet *count)
{
    if (count->packets == 0)
        return 0;
    struct lookup_port_row *row = row_of(a, rows, name, category, evidence);
    if (row == NULL)
        return -ENOMEM;
    saturate_add(&row->packets, count->packets);
    bounds_add(&row->sources, count->sources);
    return 0;
}

static int row_order(const void *x, const void *y)
{
    const struct lookup_port_row *a = x, *b = y;
    if (a->packets != b->packets)
        return a->packets < b->packets ? 1 : -1;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : a->evidence - b->evidence;
}

static void rows_sort(struct lookup_port_rows *rows)
{
    if (rows->count > 0)
        qsort(rows->at, rows->count, sizeof *rows->at, row_order);
}

/* ---- days ---- */

/* The port on a date, from its Day. 1; 0: it can't be read. */
static int day_read(struct asking *a, size_t date, struct lookup_port_day *day, struct fault *fault)
{
    struct feed_reader *reader;
    const struct feed_reader_date *place = report_feeds_place(a->l->feeds, date, &reader);
    struct feed_cursor c;
    struct record_view view;
    struct port_row row = {0};
    struct port_row_day says;
    int found = feed_cursor_begin(&c, reader, place->day, fault);
    *day = (struct lookup_port_day){.date = place->date};
    while (found >= 0 && (found = feed_cursor_next(&c, &view, fault)) > 0)
        if (view.body_kind == RECORD_day)
            break;
    if (found > 0) {
        int there = port_row_day(&says, view.body, view.body_len)
                        ? port_row_of_day(&row, view.body, view.body_len, a->proto, a->port)
                        : -EBADMSG;
        if (there < 0)
            found = feed_cursor_refuse(&c, "is no Day") < 0 ? lookup_no_memory(fault) : 0;
        day->packets = row.column[PORT_ROW_packets];
        day->packets_ex = row.column[PORT_ROW_day_packets_ex];
        day->sources = row.column[PORT_ROW_day_sources];
        day->sources_ex = row.column[PORT_ROW_day_sources_ex];
        if (there >= 0) {
            day->has_ex = says.has_ex;
            day->is_exact = says.is_exact;
            day->is_complete = says.is_complete;
        }
        int rest = there < 0 ? 0 : 1; /* what stands behind it may be damaged, too */
        while (rest > 0)
            rest = feed_cursor_next(&c, &view, fault);
        found = rest < 0 ? rest : found;
    }
    feed_cursor_end(&c);
    return found;
}

/* All Days: the first one ever, the series of what was asked about, the day before its last one. */
static int days_read(struct asking *a, struct fault *fault)
{
    struct lookup_port *out = a->out;
    size_t dates = report_feeds_count(a->l->feeds);
    struct lookup_port_day before = {0};
    bool has_before = false;
    out->dates = dates;
    for (size_t i = 0; i < dates; i++) {
        struct lookup_port_day day;
        int32_t date = report_feeds_date(a->l->feeds, i);
        out->feed_first = i == 0 ? date : out->feed_first;
        out->feed_last = date;
        int found = day_read(a, i, &day, fault);
        if (found < 0)
            return found;
        lookup_step(a->l, 1);
        if (found == 0)
            continue;
        if (!out->has_first && day.packets > 0) {
            out->has_first = true;
            out->first_date = date;
        }
        if (lookup_wants(a->l, date)) {
            out->days[out->day_count++] = day;
            out->has_before = has_before && before.date == date - 1;
            out->before = before;
        }
        before = day;
        has_before = true;
    }
    if (out->day_count > 0)
        out->last = &out->days[out->day_count - 1];
    return 0;
}

/* ---- who was there ---- */

/* Reads all source days of a date: what is whole of them. 0 or -errno. */
static int facets_scan(struct asking *a, struct feed_reader *r, size_t segment,
                       struct port_facets *f, struct fault *fault)
{
    static const uint8_t first[SOURCE_KEY];
    struct lookup *l = a->l;
    struct source_walk w;
    struct record_view view;
    int found = source_walk_begin(&w, r, segment, fault);
    if (found == 0)
        found = source_walk_seek(&w, first, fault);
    while (found == 0 && (found = source_walk_next(&w, &view, fault)) > 0) {
        found = lookup_unpack(l, &w, &view, fault);
        w.cursor.is_ended = false;
        if (found > 0 &&
            (source_targets_fill(&l->targets, &l->source.day) != 0 ||
             port_facets_add(f, a->proto, a->port, w.cursor.at, &l->source.day, &l->targets) != 0))
            found = lookup_no_memory(fault);
        found = found < 0 ? found : 0;
    }
    source_walk_end(&w);
    port_facets_end(f);
    return found < 0 ? found : 0;
}

/* From the index, which must agree with the Day; made again where it does not. 1; 0: there is no index that does. */
static int facets_find(struct asking *a, struct feed_reader *r, size_t segment,
                       const struct day_port *says, struct port_facets *f, struct fault *fault)
{
    const uint64_t packets = says == NULL ? 0 : says->count.packets;
    const uint64_t sources = says == NULL ? 0 : says->count.sources;
    for (unsigned try = 0; try < 2; try++) {
        struct source_index *ix;
        int found = lookup_index(a->l, r, segment, try > 0, &ix, fault);
        if (found <= 0)
            return found;
        found = source_index_port(ix, a->proto, a->port, f);
        source_index_close(ix);
        if (found == -ENOMEM)
            return lookup_no_memory(fault);
        if (found >= 0 && f->all.packets == packets && f->all.sources == sources)
            return 1;
        port_facets_fini(f);
        if (port_facets_init(f, a->l->settings.top) != 0)
            return lookup_no_memory(fault);
    }
    return 0;
}

/* What is told by the port alone: packets that show no rule by their payload, under the port's rules as far as the Day has them. */
static int port_rules_add(struct asking *a, const struct day_result *day, uint64_t left,
                          const struct port_facets *f)
{
    const struct rule *const rules[] = {a->out->iot, a->out->service};
    const struct facet count = {left, f->shown < f->all.sources ? f->all.sources - f->shown : 0};
    int err = 0;
    for (size_t i = 0; err == 0 && i < 2; i++)
        for (size_t k = 0; rules[i] != NULL && err == 0 && k < day->rule_count; k++)
            if (day->rules_by_evidence[k].evidence == EVIDENCE_port &&
                strcmp(day->rules_by_evidence[k].id, rules[i]->id) == 0)
                err = row_add(a, &a->out->rules, rules[i]->id, day->rules_by_evidence[k].category,
                              EVIDENCE_port, &count);
    return err;
}

/* The pie: payload evidence by its rule's category, the rest by the port, as a Day has it (day.h). */
static int categories_add(struct asking *a, const struct day_result *day,
                          const struct day_port *says, const struct port_facets *f)
{
    uint64_t left = f->all.packets;
    const char *own = says == NULL ? "other" : says->category;
    int err = 0;
    for (size_t i = 0; err == 0 && i < f->rule_count; i++) {
        const struct facet_rule *rule = &f->rules[i];
        const struct day_rule *is = NULL;
        for (size_t k = 0; rule->evidence == EVIDENCE_payload && k < day->rule_count; k++)
            if (day->rules_by_evidence[k].evidence == EVIDENCE_payload &&
                strcmp(day->rules_by_evidence[k].id, rule->rule) == 0)
                is = &day->rules_by_evidence[k];
        err = row_add(a, &a->out->rules, rule->rule, is == NULL ? "" : is->category, rule->evidence,
                      &rule->count);
        if (err != 0 || rule->evidence != EVIDENCE_payload)
            continue;
        bool is_shared = is != NULL && is->iot == DAY_IOT_shared;
        const char *category = is == NULL                               ? "unknown"
                               : is_shared && strcmp(own, "other") != 0 ? own
                                                                        : is->category;
        uint64_t packets = rule->count.packets < left ? rule->count.packets : left;
        left -= packets;
        err = row_add(a, &a->out->categories, category, "", 0, &(struct facet){packets, 0});
    }
    err = err != 0 ? err : port_rules_add(a, day, left, f);
    return err != 0 ? err : row_add(a, &a->out->categories, own, "", 0, &(struct facet){left, 0});
}

/* The most active sources of a date among those of all dates. */
static int top_take(struct asking *a, const struct source_walk *w, uint64_t packets)
{
    struct lookup_port *out = a->out;
    size_t max = a->l->settings.top, at = out->top_count;
    const struct source_day *s = &a->l->source.day;
    uint64_t most = 0;
    (void)w;
    while (at > 0 && out->top[at - 1].packets < packets)
        at--;
    if (at >= max)
        return 0;
    size_t behind = out->top_count - at;
    if (out->top_count == max)
        behind--;
    else
        out->top_count++;
    memmove(&out->top[at + 1], &out->top[at], behind * sizeof *out->top);
    struct lookup_port_source *row = &out->top[at];
    *row = (struct lookup_port_source){.date = s->date, .packets = packets};
    lookup_row_of(&row->row, s);
    lookup_row_port(&row->row, s, &most);
    return 0;
}

static int top_add(struct asking *a, struct feed_reader *r, size_t segment,
                   const struct port_facets *f, struct fault *fault)
{
    struct source_walk w;
    struct record_view view;
    int found = source_walk_begin(&w, r, segment, fault);
    for (size_t i = 0; found >= 0 && i < f->top_count; i++) {
        found = source_walk_at(&w, f->top[i].at, &view, fault);
        if (found > 0)
            found = lookup_unpack(a->l, &w, &view, fault);
        if (found > 0)
            found = top_take(a, &w, f->top[i].packets);
        a->out->is_detail_whole &= found == 0;
    }
    source_walk_end(&w);
    return found < 0 ? found : 0;
}

static int facets_take(struct asking *a, const struct day_result *day, const struct day_port *says,
                       const struct port_facets *f)
{
    struct lookup_port *out = a->out;
    int err = 0;
    saturate_add(&out->packets, f->all.packets);
    bounds_add(&out->sources, f->all.sources);
    for (unsigned i = 0; err == 0 && i < SOURCE_COUNTRIES; i++) {
        char country[3];
        source_country_text(i, country);
        err = row_add(a, &out->countries, country, "", 0, &f->countries[i]);
    }
    for (unsigned i = 0; err == 0 && i < TOOL_COUNT; i++)
        err = row_add(a, &out->tools, tool_name(i), "", 0, &f->tools[i]);
    return err != 0 ? err : categories_add(a, day, says, f);
}

static const struct day_port *day_port_find(const struct day_result *day, unsigned proto,
                                            uint16_t port)
{
    for (size_t i = 0; i < day->port_count; i++)
        if (day->ports[i].proto == proto && day->ports[i].port == port)
            return &day->ports[i];
    return NULL;
}

/* One date in detail. */
static int detail_read(struct asking *a, size_t date, struct fault *fault)
{
    struct feed_reader *reader;
    const struct feed_reader_date *place = report_feeds_place(a->l->feeds, date, &reader);
    const struct day_result *day;
    struct port_facets f;
    bool is_restated;
    int found = report_feeds_day(a->l->feeds, date, &day, &is_restated, fault);
    if (found < 0)
        return found;
    a->hours_from = found > 0 ? day->facts->start_ns : 0;
    a->hours_to = found > 0 ? day->facts->end_ns : 0;
    a->out->is_detail_whole &= found > 0;
    if (place->sources == FEED_NO_SEGMENT || found == 0) {
        a->out->detail_without++;
        return 0;
    }
    a->out->detail_dates++;
    const struct day_port *says = day_port_find(day, a->proto, a->port);
    if (port_facets_init(&f, a->l->settings.top) != 0)
        return lookup_no_memory(fault);
    bool is_plain = a->l->settings.country == NULL && a->l->settings.as == NULL;
    found = is_plain ? facets_find(a, reader, place->sources, says, &f, fault) : 0;
    if (found == 0)
        found = facets_scan(a, reader, place->sources, &f, fault);
    if (found >= 0) {
        a->out->is_detail_whole &= f.all.packets == (says == NULL ? 0 : says->count.packets) &&
                                   f.all.sources == (says == NULL ? 0 : says->count.sources);
        found = facets_take(a, day, says, &f) != 0 ? lookup_no_memory(fault)
                                                   : top_add(a, reader, place->sources, &f, fault);
    }
    port_facets_fini(&f);
    return found < 0 ? found : 0;
}

static int details_read(struct asking *a, struct fault *fault)
{
    size_t dates = report_feeds_count(a->l->feeds), count = 0;
    int err = 0;
    a->out->is_detail_whole = true;
    for (size_t i = 0; err == 0 && i < dates; i++) {
        int32_t date = report_feeds_date(a->l->feeds, i);
        if (a->l->settings.has_span ? !lookup_wants(a->l, date) : i + 1 < dates)
            continue;
        a->out->detail_from = count == 0 ? date : a->out->detail_from;
        a->out->detail_to = date;
        count++;
        err = detail_read(a, i, fault);
        lookup_step(a->l, 1);
    }
    if (count > 1)
        a->hours_from = a->hours_to = 0;
    rows_sort(&a->out->countries);
    rows_sort(&a->out->tools);
    rows_sort(&a->out->rules);
    rows_sort(&a->out->categories);
    return err;
}

/* ---- hours ---- */

static int hour_add(struct asking *a, int64_t start_ns, const struct port_row *row)
{
    struct lookup_port *out = a->out;
    int64_t since = start_ns - a->hours_from;
    int64_t hour = a->hours_from + since - since % hour_ns;
    if (since % hour_ns < 0 && __builtin_sub_overflow(hour, hour_ns, &hour))
        hour = INT64_MIN; /* the type's first hour is cut */
    size_t at = out->hour_count;
    while (at > 0 && out->hours[at - 1].start_ns > hour)
        at--;
    if (at == 0 || out->hours[at - 1].start_ns != hour) {
        if (out->hour_count == a->hour_size) {
            size_t size = a->hour_size == 0 ? 32 : a->hour_size * 2;
            struct lookup_port_hour *grown = realloc(out->hours, size * sizeof *grown);
            if (grown == NULL)
                return -ENOMEM;
            out->hours = grown;
            a->hour_size = size;
        }
        memmove(&out->hours[at + 1], &out->hours[at], (out->hour_count - at) * sizeof *out->hours);
        out->hours[at++] = (struct lookup_port_hour){.start_ns = hour};
        out->hour_count++;
    }
    struct lookup_port_hour *h = &out->hours[at - 1];
    uint64_t low = row->column[PORT_ROW_sources];
    uint64_t high = row->has[PORT_ROW_sources_high] ? row->column[PORT_ROW_sources_high] : low;
    saturate_add(&h->packets, row->column[PORT_ROW_packets]);
    saturate_add(&h->bytes, row->column[PORT_ROW_bytes]);
    saturate_add(&h->syn, row->column[PORT_ROW_syn]);
    saturate_add(&h->scan, row->column[PORT_ROW_scan]);
    if (h->sources.low < low)
        h->sources.low = low;
    saturate_add(&h->sources.high, high);
    return 0;
}

/* Whether a window that begins there is asked about. Windows do not cross a day's begin. */
static bool hours_hold(const struct asking *a, int64_t start_ns)
{
    return a->hours_to == 0 || (start_ns >= a->hours_from && start_ns < a->hours_to);
}

static int segment_hours(struct asking *a, struct feed_reader *r, size_t segment,
                         struct fault *fault)
{
    struct feed_cursor c;
    struct record_view view;
    int found = feed_cursor_begin(&c, r, segment, fault);
    while (found >= 0 && (found = feed_cursor_next(&c, &view, fault)) > 0) {
        struct port_row row;
        int64_t start_ns;
        if (view.body_kind != RECORD_window)
            continue;
        int there = record_window_start(view.body, view.body_len, &start_ns)
                        ? hours_hold(a, start_ns)
                        : -EBADMSG;
        if (there > 0)
            there = port_row_of_window(&row, view.body, view.body_len, a->proto, a->port);
        if (there < 0 && feed_cursor_refuse(&c, "is no Window") < 0)
            found = -ENOMEM;
        if (there > 0)
            found = hour_add(a, start_ns, &row);
        if (found == -ENOMEM)
            lookup_no_memory(fault);
    }
    feed_cursor_end(&c);
    return found < 0 ? found : 0;
}

/* Of one date; of all there is where there are no Days. */
static int hours_read(struct asking *a, struct fault *fault)
{
    enum {
        BACK_S = 25 * 3600
    }; /* a segment takes windows up to a day before its first one's hour */
    static const int64_t second_ns = 1000000000;
    struct feed_reader *const *readers;
    size_t count = report_feeds_readers(a->l->feeds, &readers);
    int err = 0;
    if (a->hours_to == 0 && a->out->dates > 0)
        return 0;
    for (size_t i = 0; err == 0 && i < count; i++) {
        const struct feed_reader_segment *list;
        size_t segments = feed_reader_segments(readers[i], &list);
        for (size_t k = 0; err == 0 && k < segments; k++) {
            bool is_near = a->hours_to == 0 || (list[k].at >= a->hours_from / second_ns - 3600 &&
                                                list[k].at <= a->hours_to / second_ns + BACK_S);
            if (list[k].kind == FEED_WINDOWS && is_near)
                err = segment_hours(a, readers[i], k, fault);
        }
    }
    return err;
}

/* ---- whole ---- */

void lookup_port_clear(struct lookup_port *p)
{
    free(p->days);
    free(p->hours);
    free(p->countries.at);
    free(p->tools.at);
    free(p->rules.at);
    free(p->categories.at);
    free(p->top);
    lookup_events_clear(&p->events);
    *p = (struct lookup_port){0};
}

static void rules_name(struct asking *a)
{
    const struct ruleset *set = a->l->settings.rules;
    const struct port_class *class = &set->classes[set->port_class[a->proto][a->port]];
    struct lookup_port *out = a->out;
    out->iot = class->rules[0] == RULE_NONE ? NULL : &set->rules[class->rules[0]];
    out->service = class->rules[1] == RULE_NONE ? NULL : &set->rules[class->rules[1]];
    const struct rule *says =
        out->iot != NULL && (out->iot->breadth == BREADTH_strict || out->service == NULL)
            ? out->iot
            : out->service;
    out->category = says == NULL ? "other" : says->category;
    out->device_en = says == NULL || says->device_en == NULL ? "" : says->device_en;
    out->device_ja = says == NULL || says->device_ja == NULL ? "" : says->device_ja;
}

int lookup_port(struct lookup *l, unsigned proto, uint16_t port, const struct lookup_port **out,
                struct fault *fault)
{
    size_t dates = report_feeds_count(l->feeds);
    struct asking a = {.l = l, .proto = proto, .port = port, .out = &l->by_port};
    *out = NULL;
    lookup_port_clear(a.out);
    arena_fini(&l->texts);
    l->texts = (struct arena){0};
    a.out->proto = (uint8_t)proto;
    a.out->port = port;
    rules_name(&a);
    a.out->days = calloc(dates + 1, sizeof *a.out->days);
    a.out->top = calloc(l->settings.top + 1, sizeof *a.out->top);
    if (a.out->days == NULL || a.out->top == NULL)
        return lookup_no_memory(fault);
    if (l->progress != NULL)
        atomic_fetch_add_explicit(&l->progress->total, dates + 1, memory_order_relaxed);
    int err = days_read(&a, fault);
    if (err == 0)
        err = details_read(&a, fault);
    if (err == 0)
        err = hours_read(&a, fault);
    const struct event_filter events = {
        .has_port = true, .proto = proto == PORT_PROTO_TCP ? EVENT_TCP : EVENT_UDP, .port = port};
    if (err == 0)
        err = lookup_events_find(l, &events, 0, &a.out->events, fault);
    if (err == 0)
        *out = a.out;
    return err;
}
