#include "export/span.h"

#include "export/span_table.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const unit_names[SPAN_UNIT_COUNT] = {
    [SPAN_all] = "all",     [SPAN_hour] = "hour", [SPAN_day] = "day",
    [SPAN_month] = "month", [SPAN_year] = "year", [SPAN_fiscal_year] = "fiscal-year",
};

const char *span_unit_name(enum span_unit unit) { return unit_names[unit]; }

enum span_unit span_unit_find(const char *name)
{
    unsigned unit = 0;
    while (unit < SPAN_UNIT_COUNT && strcmp(unit_names[unit], name) != 0)
        unit++;
    return unit;
}

/* ---- calendar */

static int32_t date_of(int64_t year, unsigned month)
{
    return calendar_date_of((struct calendar_civil){(int32_t)year, (uint8_t)month, 1});
}

static int32_t fiscal_year(struct calendar_civil c) { return c.month < 4 ? c.year - 1 : c.year; }

int32_t span_first_date(enum span_unit unit, int32_t date)
{
    struct calendar_civil c = calendar_civil_of(date);
    return unit == SPAN_month         ? date_of(c.year, c.month)
           : unit == SPAN_year        ? date_of(c.year, 1)
           : unit == SPAN_fiscal_year ? date_of(fiscal_year(c), 4)
                                      : date;
}

int32_t span_next_date(enum span_unit unit, int32_t date)
{
    struct calendar_civil c = calendar_civil_of(date);
    return unit == SPAN_month         ? date_of((int64_t)c.year + (c.month == 12), c.month % 12 + 1)
           : unit == SPAN_year        ? date_of((int64_t)c.year + 1, 1)
           : unit == SPAN_fiscal_year ? date_of((int64_t)fiscal_year(c) + 1, 4)
                                      : date + 1;
}

void span_date_text(int32_t date, char text[SPAN_DATE]) { calendar_text(date, text); }

void span_label(enum span_unit unit, int32_t date, char label[SPAN_LABEL])
{
    struct calendar_civil c = calendar_civil_of(date);
    if (unit == SPAN_month)
        snprintf(label, SPAN_LABEL, "%04" PRId32 "-%02u", c.year, c.month);
    else if (unit == SPAN_year)
        snprintf(label, SPAN_LABEL, "%04" PRId32, c.year);
    else if (unit == SPAN_fiscal_year)
        snprintf(label, SPAN_LABEL, "FY%04" PRId32, fiscal_year(c));
    else
        calendar_text(date, label);
}

/* ---- life */

struct span *span_create(enum span_unit unit, const char *label)
{
    struct span *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->unit = unit;
    snprintf(s->label, sizeof s->label, "%s", label);
    s->is_exact = s->has_size = true;
    return s;
}

void span_destroy(struct span *s)
{
    if (s == NULL)
        return;
    struct span_table *const tables[] = {&s->categories,    &s->rules,  &s->ports,
                                         &s->organisations, &s->blocks, &s->countries,
                                         &s->ases};
    struct span_bases *const bases[] = {&s->computed, &s->rules_labelled, &s->lists, &s->databases,
                                        &s->sensors};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        free(tables[i]->at);
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        free(bases[i]->at);
    free(s->flaws);
    free(s->watches);
    arena_fini(&s->arena);
    free(s);
}

/* ---- a day */

static void counts_add(struct span *s, const struct day_result *day)
{
    struct span_count c;
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        c = span_count_of(&day->kinds[i].count);
        span_count_add(&s->kinds[i], &c);
        s->kind_bytes[i] += day->kinds[i].bytes;
    }
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++) {
        c = span_count_of(&day->marks[i]);
        span_count_add(&s->marks[i], &c);
    }
    for (unsigned i = 0; i < NOTE_COUNT; i++) {
        c = span_count_of(&day->notes[i]);
        span_count_add(&s->notes[i], &c);
    }
    for (unsigned i = 0; i < TOOL_COUNT; i++) {
        c = span_count_of(&day->tools[i].matched);
        span_count_add(&s->tools[i], &c);
        c = span_count_of(&day->tools[i].used);
        span_count_add(&s->tools_used[i], &c);
    }
}

static struct span_row class_row(const struct day_class *c)
{
    return (struct span_row){c->name,
                             "",
                             0,
                             0,
                             {c->packets,
                              c->scan_packets,
                              {c->sources, c->sources},
                              {c->scan_sources, c->scan_sources}}};
}

static struct span_place place_of(const struct day_place *p)
{
    struct span_place place = {.name = p->name == NULL ? "" : p->name,
                               .asn = p->asn,
                               .total = span_count_of(&p->total),
                               .scan = span_count_of(&p->scan),
                               .iot_strict = span_count_of(&p->iot_strict),
                               .iot_broad = span_count_of(&p->iot_broad),
                               .iot_bot = span_count_of(&p->iot_bot)};
    memcpy(place.country, p->country, sizeof place.country);
    return place;
}

static int places_add(struct span *s, const struct day_result *day)
{
    size_t most = day->country_count > day->as_count ? day->country_count : day->as_count;
    struct span_place *places = malloc((most + 1) * sizeof *places);
    if (places == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < day->country_count; i++)
        places[i] = place_of(&day->countries[i]);
    int err = span_places_merge(s, &s->countries, places, day->country_count);
    for (size_t i = 0; i < day->as_count; i++)
        places[i] = place_of(&day->ases[i]);
    if (err == 0)
        err = span_places_merge(s, &s->ases, places, day->as_count);
    free(places);
    return err;
}

static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

static int rows_add(struct span *s, const struct day_result *day)
{
    size_t most =
        max_size(max_size(day->category_count, day->rule_count),
                 max_size(max_size(day->port_count, day->organisation_count), day->block_count));
    struct span_row *rows = malloc((most + 1) * sizeof *rows);
    if (rows == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < day->category_count; i++)
        rows[i] = (struct span_row){day->categories[i].name, "", 0, 0,
                                    span_count_of(&day->categories[i].count)};
    int err = span_rows_merge(s, &s->categories, rows, day->category_count);
    for (size_t i = 0; i < day->rule_count; i++) {
        const struct day_rule *r = &day->rules_by_evidence[i];
        rows[i] = (struct span_row){r->id, r->category, r->evidence, 0, span_count_of(&r->count)};
    }
    err = err < 0 ? err : span_rows_merge(s, &s->rules, rows, day->rule_count);
    for (size_t i = 0; i < day->port_count; i++) {
        const struct day_port *p = &day->ports[i];
        rows[i] = (struct span_row){"", p->category, (uint32_t)p->proto << 16 | p->port, p->iot,
                                    span_count_of(&p->count)};
    }
    err = err < 0 ? err : span_rows_merge(s, &s->ports, rows, day->port_count);
    for (size_t i = 0; i < day->organisation_count; i++)
        rows[i] = class_row(&day->organisations[i]);
    err = err < 0 ? err : span_rows_merge(s, &s->organisations, rows, day->organisation_count);
    for (size_t i = 0; i < day->block_count; i++)
        rows[i] = class_row(&day->blocks[i]);
    err = err < 0 ? err : span_rows_merge(s, &s->blocks, rows, day->block_count);
    free(rows);
    return err;
}

static void class_add(struct span_class *into, const struct day_class *c)
{
    struct span_count count = {into->packets, into->scan_packets, into->sources,
                               into->scan_sources};
    struct span_row row = class_row(c);
    span_count_add(&count, &row.count);
    *into = (struct span_class){count.packets, count.packets_ex, count.sources, count.sources_ex};
}

static int bases_add(struct span *s, const struct day_result *day)
{
    struct span_bases *const to[DAY_BASIS_COUNT] = {
        [DAY_RULES] = &s->rules_labelled, [DAY_LISTS] = &s->lists, [DAY_DATABASES] = &s->databases};
    int err = span_bases_add(s, &s->computed, &day->rules, 1);
    for (unsigned kind = 0; kind < DAY_BASIS_COUNT; kind++)
        for (size_t i = 0; err == 0 && i < day->facts->basis_count[kind]; i++)
            err = span_bases_add(s, to[kind], &day->facts->basis[kind][i], 1);
    for (size_t i = 0; err == 0 && i < day->facts->sensor_count; i++)
        err =
            span_bases_add(s, &s->sensors, &(struct day_basis){day->facts->sensors[i], "", ""}, 1);
    return err;
}

static int watches_add(struct span *s, const struct day_result *day)
{
    for (size_t i = 0; i < day->watch_count; i++) {
        const struct day_watch *w = &day->watches[i];
        size_t at = 0;
        while (at < s->watch_count && strcmp(s->watches[at].id, w->id) != 0)
            at++;
        if (at == s->watch_count) {
            struct span_watch *more = realloc(s->watches, (at + 1) * sizeof *more);
            char *id = arena_text(&s->arena, w->id, strlen(w->id));
            if (more != NULL)
                s->watches = more;
            if (more == NULL || id == NULL)
                return -ENOMEM;
            more[s->watch_count++] = (struct span_watch){.id = id};
        }
        s->watches[at].is_configured = w->is_configured;
        s->watches[at].ipv4 = w->ipv4;
        s->watches[at].seconds += w->seconds;
    }
    return 0;
}

/* As day_result.c has it, but for the digits: by address-seconds; where no size is known of the telescope observed least. */
static double observed_of(const struct day_result *day)
{
    double least = 1;
    if (day->seconds == 0)
        return 0;
    if (day->ipv4 > 0)
        return (double)day->address_seconds / ((double)day->ipv4 * (double)day->seconds);
    for (size_t i = 0; i < day->watch_count; i++)
        least = fmin(least, (double)day->watches[i].seconds / (double)day->seconds);
    return day->watch_count > 0 ? least : 0;
}

static int flaw_add(struct span *s, const struct day_result *day)
{
    if (day->is_complete && day->is_exact)
        return 0;
    if (s->flaw_count == s->flaw_size) {
        size_t size = s->flaw_size == 0 ? 16 : s->flaw_size * 2;
        struct span_flaw *flaws = realloc(s->flaws, size * sizeof *flaws);
        if (flaws == NULL)
            return -ENOMEM;
        s->flaws = flaws;
        s->flaw_size = size;
    }
    s->flaws[s->flaw_count++] = (struct span_flaw){.date = day->facts->date,
                                                   .coverage_milli = day->coverage_milli,
                                                   .observed = observed_of(day),
                                                   .offered = day->offered,
                                                   .lost = day->lost,
                                                   .is_incomplete = !day->is_complete,
                                                   .given_up = day->facts->given_up};
    return 0;
}

/* `why` with its date, the first that there is. */
static void reason_set(char to[160], int32_t date, const char *why)
{
    char text[SPAN_DATE];
    if (why[0] == '\0' || to[0] != '\0')
        return;
    span_date_text(date, text);
    snprintf(to, 160, "%s: %s", text, why);
}

/* Why a day has no IPv4 address to count by. */
static const char *size_absent(const struct day_result *day)
{
    if (day->watch_count == 0)
        return "no telescope is named";
    for (size_t i = 0; i < day->watch_count; i++)
        if (!day->watches[i].is_configured)
            return "the size of a telescope is not known";
    return "no IPv4 address was dark";
}

static void coverage_add(struct span *s, const struct day_result *day)
{
    s->offered += day->offered;
    s->lost += day->lost;
    s->seconds += day->seconds;
    s->observed_seconds += observed_of(day) * (double)day->seconds;
    s->coverage_sum += (uint64_t)day->coverage_milli * day->seconds;
    reason_set(s->ex_absent, day->facts->date, day->ex_absent);
    if (day->ipv4 == 0) {
        s->has_size = false;
        reason_set(s->size_absent, day->facts->date, size_absent(day));
    }
    s->ip4_packets += day->ip4_packets;
    s->ip4_packets_ex += day->ip4_packets_ex;
    s->address_seconds += day->address_seconds;
    s->address_days += day->ipv4;
}

static void facts_add(struct span *s, const struct day_result *day)
{
    const struct day_facts *f = day->facts;
    ledger_merge(&s->ledger, &f->ledger);
    day_given_up_add(&s->given_up, &f->given_up);
}

int span_add_day(struct span *s, const struct day_result *day, bool is_restated)
{
    const struct day_facts *f = day->facts;
    assert(s->days == 0 || s->last_date < f->date);
    if (s->days == 0) {
        s->start_ns = f->start_ns;
        s->first_date = f->date;
        s->survey_settings = day->settings.survey;
    } else if (!survey_settings_equal(&s->survey_settings, &day->settings.survey)) {
        s->is_survey_mixed = true;
    }
    s->end_ns = f->end_ns;
    s->last_date = f->date;
    s->days++;
    s->restated_days += is_restated;
    s->is_mixed |= day->is_mixed;
    s->is_exact &= day->is_exact;
    counts_add(s, day);
    class_add(&s->survey, &day->survey);
    class_add(&s->conflict, &day->conflict);
    class_add(&s->acknowledged, &day->acknowledged);
    class_add(&s->bogon, &day->bogon);
    coverage_add(s, day);
    facts_add(s, day);
    int err = rows_add(s, day);
    err = err < 0 ? err : places_add(s, day);
    err = err < 0 ? err : bases_add(s, day);
    err = err < 0 ? err : watches_add(s, day);
    err = err < 0 ? err : flaw_add(s, day);
    if (err < 0)
        s->err = err;
    return err;
}

int span_end(struct span *s)
{
    if (s->days > 0) {
        bool is_whole = s->unit == SPAN_all || s->unit == SPAN_hour;
        int32_t from = is_whole ? s->first_date : span_first_date(s->unit, s->first_date);
        int32_t to = is_whole ? s->last_date + 1 : span_next_date(s->unit, s->first_date);
        s->calendar_days = (uint64_t)((int64_t)to - from);
        s->is_mixed |= s->computed.count > 1;
        s->has_sources |= s->days == 1;
    }
    if (s->windows_absent > 0)
        snprintf(s->ex_absent, sizeof s->ex_absent,
                 "%s do not say what they take out: the telescope's size is not known, or days "
                 "were not counted",
                 s->windows_absent == s->windows ? "the windows" : "some of the windows");
    s->is_complete = s->days > 0 && s->days == s->calendar_days;
    for (size_t i = 0; i < s->flaw_count; i++)
        s->is_complete &= !s->flaws[i].is_incomplete;
    s->coverage_milli = s->seconds > 0 ? (uint32_t)(s->coverage_sum / s->seconds) : 0;
    return s->err;
}

/* ---- what is computed from it */

static struct span_share share_over_of(const struct span *s, const struct span_count *c,
                                       enum share_over over)
{
    const struct span_count *den = &s->marks[share_over_mark(over)];
    if (!share_over_is_ex(over))
        return (struct span_share){{c->packets, den->packets}, c->sources, den->sources, ""};
    if (s->ex_absent[0] != '\0')
        return (struct span_share){.absent = s->ex_absent};
    return (struct span_share){
        {c->packets_ex, den->packets_ex}, c->sources_ex, den->sources_ex, ""};
}

struct span_share span_share(const struct span *s, enum mark numerator, enum share_over over)
{
    return share_over_of(s, &s->marks[numerator], over);
}

struct span_share span_share_of(const struct span *s, const struct span_count *c,
                                enum share_over over)
{
    if (share_over_is_ex(over) && span_has_ex(s) && !span_rows_have_ex(s))
        return (struct span_share){
            .absent = "made from windows: they say what is taken out of the IoT shares alone"};
    return share_over_of(s, c, over);
}

struct share span_survey_share(const struct span *s, enum share_over over)
{
    if (!span_rows_have_ex(s))
        return (struct share){0, 0};
    bool is_scan = share_over_mark(over) == MARK_scan;
    return (struct share){is_scan ? s->survey.scan_packets : s->survey.packets,
                          s->marks[share_over_mark(over)].packets};
}

double span_packets_per_address(const struct span *s, bool by_seconds, bool ex_survey)
{
    if (s->days == 0 || !s->has_size || (ex_survey && s->ex_absent[0] != '\0'))
        return -1;
    double packets = (double)(ex_survey ? s->ip4_packets_ex : s->ip4_packets);
    if (!by_seconds)
        return packets * (double)s->days / (double)s->address_days;
    return s->address_seconds == 0 ? -1 : packets * (double)s->seconds / (double)s->address_seconds;
}
