#include "core/day_make.h"

#include "core/memory.h"

#include <string.h>

void day_make_basis(struct day_facts *f, const struct day_store_settings *s)
{
    const struct ruleset *rules = s->day.rules;
    int err = day_facts_add_basis(f, DAY_RULES, rules->name, rules->version, rules->sha256);
    for (size_t i = 0; i < s->list_count && err == 0; i++)
        err = day_facts_add_basis(f, DAY_LISTS, s->lists[i].name, s->lists[i].version,
                                  s->lists[i].sha256);
    for (size_t i = 0; i < s->database_count && err == 0; i++)
        err = day_facts_add_basis(f, DAY_DATABASES, s->databases[i].name, s->databases[i].version,
                                  s->databases[i].sha256);
    if (err < 0)
        memory_ended();
}

uint64_t day_make_ipv4(const struct day_store_settings *settings, int32_t date)
{
    return settings->telescope
               ? prefix_set_ipv4_size(telescope_dates_on(settings->telescope, date)->set)
               : 0;
}

int day_make_facts(struct day_facts *f, const struct day_store_settings *settings,
                   const struct calendar_day *of, const struct journal_sums *sums,
                   uint32_t revision, struct fault *fault)
{
    struct day_telescope *telescope;
    int err = day_facts_init(f, of->date, of->start_ns, of->end_ns, settings->timezone);
    if (err < 0)
        return fault_set(fault, -err, "a day of zone %s: %s", settings->timezone, strerror(-err));
    f->revision = revision;
    f->given_up = sums->given_up;
    memcpy(f->kinds, sums->kinds, sizeof f->kinds);
    f->ledger = sums->ledger;
    f->ledger.late = 0;
    if (day_facts_add_sensor(f, settings->sensor) < 0)
        memory_ended();
    err = day_facts_add_telescope(f, settings->telescope_id, settings->telescope != NULL,
                                  day_make_ipv4(settings, of->date), &telescope, fault);
    if (err == 0)
        memcpy(telescope->minutes, sums->minutes, sizeof telescope->minutes);
    return err;
}

void day_make_origin(const struct origins *origins, struct source_day *d, struct origin *found)
{
    origins_find(origins, d->address, d->ip_version, found);
    struct source_day_origin *o = &d->origin;
    *o = (struct source_day_origin){.acknowledged = "", .bogon = "", .as_name = ""};
    if (found->class == ORIGIN_acknowledged)
        o->acknowledged = origins_organisation(origins, found->organisation)->name;
    if (found->bogon)
        o->bogon = found->bogon->prefix;
    memcpy(o->country, found->country, sizeof o->country);
    o->asn = found->as.number;
    o->as_name = found->as.name;
}

bool day_make_is_attacker(const struct ruleset *rules, const struct source_day *d)
{
    for (size_t i = 0; i < d->evidence_count; i++) {
        if (d->evidence[i].evidence == EVIDENCE_bot)
            return true;
        for (size_t k = 0; k < rules->rule_count; k++)
            if (rules->rules[k].is_exploit && strcmp(rules->rules[k].id, d->evidence[i].rule) == 0)
                return true;
    }
    return false;
}
