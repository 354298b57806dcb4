#include "export/day_check.h"

#include "export/calendar.h"
#include "export/message_compare.h"
#include "export/record_pack.h"
#include "export/saturate.h"
#include "export/unpack_budget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATES_MAX = 1 << 17 }; /* of one feed */

struct revision {
    int32_t date;
    uint32_t revision; /* the last one */
};

struct day_check {
    const struct ruleset *rules; /* or NULL */
    struct ruleset *none;        /* a set without rules, made where they are not known */
    struct day_check_header header;
    struct unpack_budget budget;
    char why[200];
    int32_t date;

    bool is_open, is_known, has_payload; /* known: the Day is computed under `rules` */
    bool was_computed, was_restated;
    struct day_facts facts;
    struct day_settings settings;
    struct day_basis basis;
    struct day *day;
    struct source_day_buffer source;

    struct revision *revisions; /* by date */
    size_t revision_count;
};

/* What a rule set decides; and, where there is payload evidence, who is kept. */
static const char *const by_rules[] = {"rules",       "mixed",     "marks",    "shares",
                                       "categories",  "iot",       "category", "iot_strict",
                                       "rule_counts", "iot_broad", "iot_bot",  NULL};
static const char *const by_rules_and_payload[] = {
    "rules",      "mixed",          "marks",         "shares",   "categories",   "iot",
    "category",   "iot_strict",     "iot_broad",     "iot_bot",  "rule_counts",  "packets_ex",
    "sources_ex", "sources64_ex",   "survey",        "conflict", "acknowledged", "bogon",
    "blocks",     "ip4_packets_ex", "organisations", NULL};

__attribute__((format(printf, 2, 3))) static int refuse(struct day_check *c, const char *format,
                                                        ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(c->why, sizeof c->why, "day %" PRId32 ": %s", c->date, what);
    return -EBADMSG;
}

static int refuse_fault(struct day_check *c, const struct fault *fault)
{
    return fault->err == ENOMEM ? -ENOMEM : refuse(c, "%s", fault->text);
}

struct day_check *day_check_create(const struct ruleset *rules)
{
    struct day_check *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->rules = rules;
    c->header.timezone = "";
    unpack_budget_init(&c->budget);
    return c;
}

static const struct ruleset *rules_none(struct day_check *c)
{
    if (c->none == NULL)
        c->none = calloc(1, sizeof *c->none);
    for (unsigned i = 0; c->none != NULL && i < 256; i++)
        c->none->classes[i] = (struct port_class){.rules = {RULE_NONE, RULE_NONE}};
    return c->none;
}

static void day_close(struct day_check *c)
{
    day_destroy(c->day);
    c->day = NULL;
    if (c->is_open)
        day_facts_fini(&c->facts);
    c->is_open = false;
}

void day_check_abandon(struct day_check *c) { day_close(c); }

void day_check_destroy(struct day_check *c)
{
    if (c == NULL)
        return;
    day_close(c);
    source_day_buffer_free(&c->source);
    free(c->revisions);
    free(c->none);
    free(c);
}

void day_check_header(struct day_check *c, const struct day_check_header *h) { c->header = *h; }

/* What both DayBegin and Day must agree with the Header on. */
static int header_holds(struct day_check *c, const struct day_facts *facts,
                        const struct day_settings *settings)
{
    if (!c->header.has_days)
        return refuse(c, "the Header knows of no days");
    if (!survey_settings_equal(&settings->survey, &c->header.survey))
        return refuse(c, "its survey settings are not the Header's");
    if (strcmp(facts->timezone, c->header.timezone) != 0)
        return refuse(c, "its zone is %.60s, the Header's %.60s", facts->timezone,
                      c->header.timezone);
    return 0;
}

int day_check_begin(struct day_check *c, const uint8_t *body, size_t len)
{
    struct fault fault = {0};
    if (c->is_open)
        return refuse(c, "its Day is missing");
    int err = record_unpack_day_begin(&c->facts, &c->settings, &c->basis, body, len, &fault);
    c->is_open = true;
    c->date = c->facts.date;
    if (err != 0)
        return refuse_fault(c, &fault);
    if (!c->header.has_sources)
        return refuse(c, "source days, of which the Header knows nothing");
    err = header_holds(c, &c->facts, &c->settings);
    if (err != 0)
        return err;
    c->is_known = c->rules != NULL && strcmp(c->rules->sha256, c->basis.sha256) == 0;
    c->has_payload = false;
    c->settings.rules = c->is_known ? c->rules : rules_none(c);
    c->day = c->settings.rules == NULL ? NULL : day_create(&c->settings);
    if (c->day == NULL || day_begin(c->day, &c->facts, &fault) != 0)
        return -ENOMEM;
    return 0;
}

int day_check_source(struct day_check *c, const uint8_t *body, size_t len)
{
    struct fault fault = {0};
    if (!c->is_open)
        return refuse(c, "a source day outside its date");
    if (record_unpack_source_day(&c->source, body, len, &fault) != 0)
        return refuse_fault(c, &fault);
    const struct source_day *s = &c->source.day;
    if (!calendar_holds(c->facts.start_ns, c->facts.end_ns, s->first_ns) ||
        !calendar_holds(c->facts.start_ns, c->facts.end_ns, s->last_ns))
        return refuse(c, "a source has packets of %" PRId64 " to %" PRId64 " ns, outside the day",
                      s->first_ns, s->last_ns);
    for (size_t i = 0; i < s->evidence_count; i++)
        c->has_payload |= s->evidence[i].evidence == EVIDENCE_payload;
    return day_add(c->day, s, &fault) == 0 ? 0 : refuse_fault(c, &fault);
}

static int must_equal(struct day_check *c, const char *a_name, uint64_t a, const char *b_name,
                      uint64_t b)
{
    return a == b ? 0 : refuse(c, "%s %" PRIu64 " is not %s %" PRIu64, a_name, a, b_name, b);
}

static int must_not_exceed(struct day_check *c, unsigned a, unsigned b, const struct day_result *r)
{
    const struct day_count *x = &r->marks[a], *y = &r->marks[b];
    if (x->packets <= y->packets && x->packets_ex <= y->packets_ex && x->sources <= y->sources &&
        x->sources_ex <= y->sources_ex && x->sources64 <= y->sources64)
        return 0;
    return refuse(c, "%s exceeds %s", mark_name(a), mark_name(b));
}

/* A Day against itself: kinds, pie, ports, numerators. */
static int day_holds(struct day_check *c, const struct day_result *r)
{
    static const uint8_t within[][2] = {{MARK_scan, MARK_total},
                                        {MARK_iot_broad, MARK_scan},
                                        {MARK_iot_strict, MARK_iot_broad},
                                        {MARK_iot_payload, MARK_iot_strict},
                                        {MARK_iot_bot, MARK_iot_broad},
                                        {MARK_iot_payload, MARK_iot_confirmed},
                                        {MARK_iot_bot, MARK_iot_confirmed},
                                        {MARK_iot_confirmed, MARK_iot_broad}};
    uint64_t total = 0, scan = 0, pie = 0, pie_ex = 0, ports = 0, countries = 0, ases = 0;
    const struct day_facts *f = r->facts;
    int err = 0;
    for (unsigned kind = 0; kind < KIND_COUNT && err == 0; kind++) {
        uint64_t packets = r->kinds[kind].count.packets;
        saturate_add(&total, packets);
        if (kind_is_scan(kind))
            saturate_add(&scan, packets);
        err = must_equal(c, kind_name(kind), packets, "the facts'", f->kinds[kind].packets);
        if (err == 0)
            err = must_equal(c, "bytes of a kind", r->kinds[kind].bytes, "the facts'",
                             f->kinds[kind].bytes);
    }
    for (size_t i = 0; i < r->category_count; i++) {
        saturate_add(&pie, r->categories[i].count.packets);
        saturate_add(&pie_ex, r->categories[i].count.packets_ex);
        if (strcmp(r->categories[i].name, "unlisted") == 0)
            saturate_add(&ports, r->categories[i].count.packets);
    }
    for (size_t i = 0; i < r->port_count; i++)
        saturate_add(&ports, r->ports[i].count.packets);
    for (size_t i = 0; i < r->country_count; i++)
        saturate_add(&countries, r->countries[i].total.packets);
    for (size_t i = 0; i < r->as_count; i++)
        saturate_add(&ases, r->ases[i].total.packets);
    const struct day_count *marks = r->marks;
    if (err != 0 || (err = must_equal(c, "total", marks[MARK_total].packets, "its kinds", total)) ||
        (err = must_equal(c, "scan", marks[MARK_scan].packets, "its kinds", scan)) ||
        (err = must_equal(c, "sum of the categories", pie, "scan", scan)) ||
        (err = must_equal(c, "sum of the categories ex survey", pie_ex, "scan ex survey",
                          marks[MARK_scan].packets_ex)) ||
        (err = must_equal(c, "ports and unlisted", ports, "scan", scan)) ||
        (err = must_equal(c, "sum of the countries", countries, "sum of the AS", ases)))
        return err;
    for (size_t i = 0; i < sizeof within / sizeof within[0] && err == 0; i++)
        err = must_not_exceed(c, within[i][0], within[i][1], r);
    return err;
}

/* One date may come again, with a greater revision. */
static int revision_take(struct day_check *c, const struct day_facts *f)
{
    size_t at = c->revision_count;
    while (at > 0 && c->revisions[at - 1].date >= f->date)
        at--;
    if (at < c->revision_count && c->revisions[at].date == f->date) {
        if (f->revision <= c->revisions[at].revision)
            return refuse(c, "revision %" PRIu32 " behind revision %" PRIu32, f->revision,
                          c->revisions[at].revision);
        c->revisions[at].revision = f->revision;
        return 0;
    }
    if (c->revision_count >= DATES_MAX)
        return refuse(c, "more dates than are kept");
    struct revision *grown = realloc(c->revisions, (c->revision_count + 1) * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    memmove(grown + at + 1, grown + at, (c->revision_count - at) * sizeof *grown);
    grown[at] = (struct revision){f->date, f->revision};
    c->revisions = grown;
    c->revision_count++;
    return 0;
}

static int must_match(struct day_check *c, const char *what, const ProtobufCMessage *is,
                      const ProtobufCMessage *should, const char *const *skip)
{
    char difference[128];
    if (message_equal(is, should, skip, difference, sizeof difference))
        return 0;
    return refuse(c, "%s: %s", what, difference);
}

/* The Day of the source days that were read. */
static int day_recompute(struct day_check *c, const Yamiscope__Day *m, struct packer *p)
{
    const struct day_result *computed;
    struct fault fault = {0};
    const char *const *skip = c->is_known ? NULL : c->has_payload ? by_rules_and_payload : by_rules;
    Yamiscope__DayFacts *facts = pack_facts(p, &c->facts);
    Yamiscope__DaySettings *settings = pack_settings(p, &c->settings);
    Yamiscope__RuleSet *rules = pack_rules(p, c->basis.name, c->basis.version, c->basis.sha256);
    if (p->has_failed)
        return -ENOMEM;
    int err = must_match(c, "facts", &m->facts->base, &facts->base, NULL);
    if (err == 0)
        err = must_match(c, "settings", &m->settings->base, &settings->base, NULL);
    if (err == 0)
        err = must_match(c, "rules", &m->rules->base, &rules->base, NULL);
    if (err != 0)
        return err;
    if (day_end(c->day, &computed, &fault) != 0)
        return refuse_fault(c, &fault);
    Yamiscope__Day *should = pack_day(p, computed);
    if (should == NULL)
        return -ENOMEM;
    err = must_match(c, "Day, and its source days", &m->base, &should->base, skip);
    c->was_computed = err == 0;
    c->was_restated = err == 0 && c->is_known;
    return err;
}

static int day_read(struct day_check *c, const Yamiscope__Day *m, struct day_result **r,
                    struct packer *p)
{
    struct fault fault = {0};
    if (unpack_day(r, m, &fault) != 0)
        return refuse_fault(c, &fault);
    Yamiscope__Day *again = pack_day(p, *r);
    if (again == NULL)
        return -ENOMEM;
    int err = must_match(c, "its own numbers", &m->base, &again->base, NULL);
    if (err == 0)
        err = header_holds(c, (*r)->facts, &(*r)->settings);
    if (err == 0)
        err = day_holds(c, *r);
    return err;
}

int day_check_day(struct day_check *c, const uint8_t *body, size_t len, bool is_alone)
{
    struct packer p = {0};
    struct day_result *r = NULL;
    c->was_computed = c->was_restated = false;
    c->budget.used = 0;
    Yamiscope__Day *m = yamiscope__day__unpack(&c->budget.allocator, len, body);
    if (m == NULL)
        return refuse(c, unpack_budget_is_out(&c->budget) ? "unpacks to too much" : "is none");
    if (m->facts != NULL)
        c->date = m->facts->date;
    int err = day_read(c, m, &r, &p);
    if (err == 0 && c->is_open != c->header.has_sources && !is_alone)
        err = refuse(c, "its source days are missing");
    if (err == 0)
        err = revision_take(c, r->facts);
    if (err == 0 && c->is_open)
        err = day_recompute(c, m, &p);
    day_result_destroy(r);
    day_close(c);
    arena_fini(&p.arena);
    yamiscope__day__free_unpacked(m, &c->budget.allocator);
    return err;
}

const char *day_check_why(const struct day_check *c) { return c->why; }
int32_t day_check_date(const struct day_check *c) { return c->date; }
bool day_check_is_open(const struct day_check *c) { return c->is_open; }
bool day_check_was_computed(const struct day_check *c) { return c->was_computed; }
bool day_check_was_restated(const struct day_check *c) { return c->was_restated; }
