/* The facts and settings of a day, to protobuf and back. */
#include "export/record_ledger.h"
#include "export/record_pack.h"
#include "export/unpack_budget.h"

#include <errno.h>
#include <string.h>

enum { ROWS_MAX = 4096 }; /* telescopes, sensors, lists, ... of one day */

void *pack_make(struct packer *p, size_t size)
{
    void *m = arena_alloc(&p->arena, size);
    p->has_failed |= m == NULL;
    return m;
}

void *pack_rows(struct packer *p, size_t count, size_t size)
{
    char **rows = pack_make(p, count * sizeof *rows);
    char *at = pack_make(p, count * size);
    if (rows == NULL || at == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        rows[i] = at + i * size;
    return rows;
}

char *pack_text(const char *s) { return s == NULL ? "" : (char *)(uintptr_t)s; }

Yamiscope__RuleSet *pack_rules(struct packer *p, const char *name, const char *version,
                               const char *sha256)
{
    Yamiscope__RuleSet *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__rule_set__init(m);
    m->name = pack_text(name);
    m->version = pack_text(version);
    m->sha256 = pack_text(sha256);
    return m;
}

Yamiscope__Basis **pack_basis(struct packer *p, const struct day_basis *rows, size_t count)
{
    Yamiscope__Basis **m = pack_rows(p, count, sizeof **m);
    for (size_t i = 0; m != NULL && i < count; i++) {
        yamiscope__basis__init(m[i]);
        m[i]->name = pack_text(rows[i].name);
        m[i]->version = pack_text(rows[i].version);
        m[i]->sha256 = pack_text(rows[i].sha256);
    }
    return m;
}

Yamiscope__SurveySettings *pack_survey(struct packer *p, const struct survey_settings *s)
{
    Yamiscope__SurveySettings *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__survey_settings__init(m);
    m->min_ports = s->min_ports;
    m->min_packets = s->min_packets;
    m->packets_per_address_milli = s->packets_per_address_milli;
    m->min_ports6 = s->min_ports6;
    m->min_packets6 = s->min_packets6;
    return m;
}

Yamiscope__DaySettings *pack_settings(struct packer *p, const struct day_settings *s)
{
    Yamiscope__DaySettings *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__day_settings__init(m);
    m->survey = pack_survey(p, &s->survey);
    m->complete_coverage_milli = s->complete_coverage_milli;
    m->complete_loss_milli = s->complete_loss_milli;
    return m;
}

static bool is_observed(const struct day_telescope *t, uint32_t minute)
{
    return minute < DAY_MINUTES && t->minutes[minute / 64] >> minute % 64 & 1;
}

/* The minutes as runs. */
static void minutes_pack(struct packer *p, const struct day_telescope *t,
                         Yamiscope__DayTelescope *m)
{
    m->minute_gap = pack_make(p, DAY_MINUTES * sizeof *m->minute_gap);
    m->minute_run = pack_make(p, DAY_MINUTES * sizeof *m->minute_run);
    if (p->has_failed)
        return;
    for (uint32_t minute = 0, end = 0; minute < DAY_MINUTES; minute++) {
        uint32_t first = minute;
        while (is_observed(t, minute))
            minute++;
        if (minute == first)
            continue;
        m->minute_gap[m->n_minute_gap++] = first - end;
        m->minute_run[m->n_minute_run++] = minute - first;
        end = minute;
    }
}

static void telescopes_pack(struct packer *p, const struct day_facts *f, Yamiscope__DayFacts *m)
{
    m->telescopes = pack_rows(p, f->telescope_count, sizeof **m->telescopes);
    for (size_t i = 0; m->telescopes != NULL && i < f->telescope_count; i++) {
        yamiscope__day_telescope__init(m->telescopes[i]);
        m->telescopes[i]->id = pack_text(f->telescopes[i].id);
        m->telescopes[i]->configured = f->telescopes[i].is_configured;
        m->telescopes[i]->ipv4 = f->telescopes[i].ipv4;
        minutes_pack(p, &f->telescopes[i], m->telescopes[i]);
    }
    m->n_telescopes = f->telescope_count;
}

static void kinds_pack(struct packer *p, const struct day_facts *f, Yamiscope__DayFacts *m)
{
    m->kinds = pack_rows(p, KIND_COUNT, sizeof **m->kinds);
    for (unsigned kind = 0; m->kinds != NULL && kind < KIND_COUNT; kind++) {
        if (f->kinds[kind].packets == 0)
            continue;
        Yamiscope__KindCount *row = m->kinds[m->n_kinds++];
        yamiscope__kind_count__init(row);
        row->kind = pack_text(kind_name(kind));
        row->packets = f->kinds[kind].packets;
        row->bytes = f->kinds[kind].bytes;
    }
}

static void basis_pack(struct packer *p, const struct day_facts *f, Yamiscope__DayFacts *m)
{
    const struct day_basis *rules = f->basis[DAY_RULES];
    m->n_rules = f->basis_count[DAY_RULES];
    m->rules = pack_make(p, m->n_rules * sizeof(Yamiscope__RuleSet *));
    for (size_t i = 0; m->rules != NULL && i < m->n_rules; i++)
        m->rules[i] = pack_rules(p, rules[i].name, rules[i].version, rules[i].sha256);
    m->n_lists = f->basis_count[DAY_LISTS];
    m->lists = pack_basis(p, f->basis[DAY_LISTS], m->n_lists);
    m->n_databases = f->basis_count[DAY_DATABASES];
    m->databases = pack_basis(p, f->basis[DAY_DATABASES], m->n_databases);
    m->n_sensors = f->sensor_count;
    m->sensors = pack_make(p, f->sensor_count * sizeof *m->sensors);
    for (size_t i = 0; m->sensors != NULL && i < f->sensor_count; i++)
        m->sensors[i] = pack_text(f->sensors[i]);
}

Yamiscope__DayFacts *pack_facts(struct packer *p, const struct day_facts *f)
{
    Yamiscope__DayFacts *m = pack_make(p, sizeof *m);
    struct ledger_message *ledger = pack_make(p, sizeof *ledger);
    Yamiscope__GivenUp *given_up = pack_make(p, sizeof *given_up);
    if (p->has_failed)
        return NULL;
    yamiscope__day_facts__init(m);
    m->date = f->date;
    m->start_ns = f->start_ns;
    m->end_ns = f->end_ns;
    m->timezone = pack_text(f->timezone);
    m->revision = f->revision;
    ledger_pack(ledger, &f->ledger);
    m->ledger = &ledger->of;
    if (!day_facts_is_exact(f)) {
        yamiscope__given_up__init(given_up);
        given_up->ports = f->given_up.ports;
        given_up->rules = f->given_up.rules;
        given_up->sources = f->given_up.sources;
        given_up->damaged = f->given_up.damaged;
        m->given_up = given_up;
    }
    kinds_pack(p, f, m);
    telescopes_pack(p, f, m);
    basis_pack(p, f, m);
    return m;
}

int record_pack_day_begin(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                          const struct day_facts *facts, const struct day_settings *settings)
{
    struct packer p = {0};
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;
    Yamiscope__DayBegin begin = YAMISCOPE__DAY_BEGIN__INIT;
    const struct ruleset *rules = settings->rules;

    begin.facts = pack_facts(&p, facts);
    begin.settings = pack_settings(&p, settings);
    begin.rules = pack_rules(&p, rules->name, rules->version, rules->sha256);
    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_DAY_BEGIN;
    record.day_begin = &begin;
    int err = p.has_failed ? -ENOMEM : record_append(b, &record, crc);
    arena_fini(&p.arena);
    return err;
}

unsigned kind_find(const char *name)
{
    unsigned kind = 0;
    while (kind < KIND_COUNT && strcmp(kind_name(kind), name) != 0)
        kind++;
    return kind;
}

static int refuse(struct fault *fault, const char *what)
{
    return fault_set(fault, EBADMSG, "day: %s", what);
}

static int no_memory(struct fault *fault) { return fault_set(fault, ENOMEM, "day: no memory"); }

static int minutes_unpack(struct day_telescope *t, const Yamiscope__DayTelescope *m,
                          struct fault *fault)
{
    uint64_t end = 0;
    if (m->n_minute_gap != m->n_minute_run)
        return refuse(fault, "minutes of a telescope are no columns of one length");
    for (size_t i = 0; i < m->n_minute_gap; i++) {
        uint64_t first = end + m->minute_gap[i];
        end = first + m->minute_run[i];
        if (end > DAY_MINUTES || m->minute_run[i] == 0 || (i > 0 && m->minute_gap[i] == 0))
            return refuse(fault, "minutes of a telescope overlap or lie beyond the day");
        for (uint64_t minute = first; minute < end; minute++)
            t->minutes[minute / 64] |= UINT64_C(1) << minute % 64;
    }
    return 0;
}

static int telescopes_unpack(struct day_facts *f, const Yamiscope__DayFacts *m, struct fault *fault)
{
    for (size_t i = 0; i < m->n_telescopes; i++) {
        const Yamiscope__DayTelescope *row = m->telescopes[i];
        struct day_telescope *t;
        int err = day_facts_add_telescope(f, row->id, row->configured, row->ipv4, &t, fault);
        if (err == -ENOMEM)
            return err;
        if (err != 0 || f->telescope_count != i + 1 || t != &f->telescopes[i] ||
            (!row->configured && row->ipv4 != 0))
            return refuse(fault, "its telescopes are not distinct and in order, or have a size "
                                 "without being configured");
        if ((err = minutes_unpack(t, row, fault)) != 0)
            return err;
    }
    return 0;
}

/* A row that is added must become the last one: sorted and distinct. */
static int basis_unpack(struct day_facts *f, enum day_basis_kind kind, const char *name,
                        const char *version, const char *sha256, struct fault *fault)
{
    size_t before = f->basis_count[kind];
    if (day_facts_add_basis(f, kind, name, version, sha256) != 0)
        return no_memory(fault);
    const struct day_basis *last = &f->basis[kind][f->basis_count[kind] - 1];
    if (f->basis_count[kind] != before + 1 || strcmp(last->name, name) != 0 ||
        strcmp(last->version, version) != 0 || strcmp(last->sha256, sha256) != 0)
        return refuse(fault, "its rule sets, lists or databases are not distinct and in order");
    return 0;
}

static int names_unpack(struct day_facts *f, const Yamiscope__DayFacts *m, struct fault *fault)
{
    int err = 0;
    for (size_t i = 0; i < m->n_rules && err == 0; i++)
        err = basis_unpack(f, DAY_RULES, m->rules[i]->name, m->rules[i]->version,
                           m->rules[i]->sha256, fault);
    for (size_t i = 0; i < m->n_lists && err == 0; i++)
        err = basis_unpack(f, DAY_LISTS, m->lists[i]->name, m->lists[i]->version,
                           m->lists[i]->sha256, fault);
    for (size_t i = 0; i < m->n_databases && err == 0; i++)
        err = basis_unpack(f, DAY_DATABASES, m->databases[i]->name, m->databases[i]->version,
                           m->databases[i]->sha256, fault);
    for (size_t i = 0; i < m->n_sensors && err == 0; i++) {
        if (day_facts_add_sensor(f, m->sensors[i]) != 0)
            return no_memory(fault);
        if (f->sensor_count != i + 1 || strcmp(f->sensors[i], m->sensors[i]) != 0)
            return refuse(fault, "its sensors are not distinct and in order");
    }
    return err;
}

static int kinds_unpack(struct day_facts *f, const Yamiscope__DayFacts *m, struct fault *fault)
{
    uint64_t sum = 0;
    unsigned next = 0;
    for (size_t i = 0; i < m->n_kinds; i++) {
        unsigned kind = kind_find(m->kinds[i]->kind);
        if (kind == KIND_COUNT || kind < next || m->kinds[i]->packets == 0)
            return refuse(fault, "its kinds are unknown, out of order or without packets");
        f->kinds[kind] = (struct count){m->kinds[i]->packets, m->kinds[i]->bytes};
        if (__builtin_add_overflow(sum, m->kinds[i]->packets, &sum))
            return refuse(fault, "its kinds have more packets than can be");
        next = kind + 1;
    }
    const struct window_ledger *l = &f->ledger;
    if (sum != l->observed)
        return refuse(fault, "the sum of its kinds is not what was observed");
    if (ledger_dropped(l) == UINT64_MAX || __builtin_add_overflow(sum, ledger_dropped(l), &sum) ||
        sum != l->offered)
        return refuse(fault, "offered is not observed + dropped");
    return l->late <= l->observed ? 0 : refuse(fault, "more is late than was observed");
}

int unpack_facts(struct day_facts *f, const Yamiscope__DayFacts *m, struct fault *fault)
{
    *f = (struct day_facts){.timezone = ""};
    if (m == NULL || m->ledger == NULL)
        return refuse(fault, "no facts or no ledger");
    int err = day_facts_init(f, m->date, m->start_ns, m->end_ns, m->timezone);
    if (err == -ENOMEM)
        return no_memory(fault);
    if (err != 0)
        return refuse(fault, "its begin and end are no day");
    if (m->revision == 0)
        return refuse(fault, "it has no revision");
    if (m->n_telescopes > ROWS_MAX || m->n_rules > ROWS_MAX || m->n_lists > ROWS_MAX ||
        m->n_databases > ROWS_MAX || m->n_sensors > ROWS_MAX)
        return refuse(fault, "more telescopes, lists or sensors than are kept");
    f->revision = m->revision;
    if (!ledger_unpack(&f->ledger, m->ledger))
        return refuse(fault, "its unknown reasons of drops are not known ones, in order");
    if (m->given_up != NULL)
        f->given_up = (struct day_given_up){m->given_up->ports, m->given_up->rules,
                                            m->given_up->sources, m->given_up->damaged};
    err = kinds_unpack(f, m, fault);
    if (err == 0)
        err = telescopes_unpack(f, m, fault);
    return err != 0 ? err : names_unpack(f, m, fault);
}

int unpack_settings(struct day_settings *s, const Yamiscope__DaySettings *m, struct fault *fault)
{
    if (m == NULL || m->survey == NULL)
        return refuse(fault, "it has no settings");
    *s = (struct day_settings){
        .survey =
            {
                .min_ports = m->survey->min_ports,
                .min_packets = m->survey->min_packets,
                .packets_per_address_milli = m->survey->packets_per_address_milli,
                .min_ports6 = m->survey->min_ports6,
                .min_packets6 = m->survey->min_packets6,
            },
        .complete_coverage_milli = m->complete_coverage_milli,
        .complete_loss_milli = m->complete_loss_milli,
    };
    return 0;
}

int unpack_rules(struct day_basis *rules, struct arena *arena, const Yamiscope__RuleSet *m,
                 struct fault *fault)
{
    if (m == NULL)
        return refuse(fault, "it names no rule set");
    rules->name = arena_text(arena, m->name, strlen(m->name));
    rules->version = arena_text(arena, m->version, strlen(m->version));
    rules->sha256 = arena_text(arena, m->sha256, strlen(m->sha256));
    bool is_kept = rules->name != NULL && rules->version != NULL && rules->sha256 != NULL;
    return is_kept ? 0 : no_memory(fault);
}

int record_unpack_day_begin(struct day_facts *facts, struct day_settings *settings,
                            struct day_basis *rules, const uint8_t *body, size_t len,
                            struct fault *fault)
{
    struct unpack_budget budget;
    *facts = (struct day_facts){.timezone = ""};
    unpack_budget_init(&budget);
    Yamiscope__DayBegin *m = yamiscope__day_begin__unpack(&budget.allocator, len, body);
    if (m == NULL)
        return refuse(fault, unpack_budget_is_out(&budget) ? "unpacks to too much" : "is none");
    int err = unpack_facts(facts, m->facts, fault);
    if (err == 0)
        err = unpack_settings(settings, m->settings, fault);
    if (err == 0)
        err = unpack_rules(rules, &facts->arena, m->rules, fault);
    yamiscope__day_begin__free_unpacked(m, &budget.allocator);
    return err;
}
