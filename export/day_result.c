/* A Day's tables become its result; and what is asked of a result. */
#include "export/day_state.h"
#include "export/saturate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct day_count count_of(const struct day *d, const struct cell *c)
{
    struct day_count count = c->count;
    if (!d->has_ex)
        count.packets_ex = count.sources_ex = count.sources64_ex = 0;
    return count;
}

/* Packets without a source day stay in whatever is taken out. */
static void rest_count(const struct day *d, struct day_count *count, uint64_t rest)
{
    saturate_add(&count->packets, rest);
    if (d->has_ex)
        saturate_add(&count->packets_ex, rest);
}

static int kinds_build(struct day *d, uint64_t *rest_scan, struct fault *fault)
{
    struct day_result *r = &d->result;
    uint64_t rest = 0;
    *rest_scan = 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        uint64_t known = d->kinds[kind].count.packets, all = d->facts->kinds[kind].packets;
        if (known > all)
            return fault_set(fault, EINVAL,
                             "day %" PRId32 ": its sources have %" PRIu64
                             " packets of kind %s, the day %" PRIu64,
                             d->facts->date, known, kind_name(kind), all);
        r->kinds[kind].count = count_of(d, &d->kinds[kind]);
        r->kinds[kind].bytes = d->facts->kinds[kind].bytes;
        rest_count(d, &r->kinds[kind].count, all - known);
        saturate_add(&rest, all - known);
        if (kind_is_scan(kind))
            saturate_add(rest_scan, all - known);
    }
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++)
        r->marks[mark] = count_of(d, &d->marks[mark]);
    rest_count(d, &r->marks[MARK_total], rest);
    rest_count(d, &r->marks[MARK_scan], *rest_scan);
    for (unsigned note = 0; note < NOTE_COUNT; note++)
        r->notes[note] = count_of(d, &d->notes[note]);
    for (unsigned tool = 0; tool < TOOL_COUNT; tool++)
        r->tools[tool] =
            (struct day_tool){count_of(d, &d->tools[tool]), count_of(d, &d->tools_used[tool])};
    return 0;
}

static int category_order(const void *a, const void *b)
{
    const struct day_category *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int categories_build(struct day *d, uint64_t rest_scan)
{
    struct day_result *r = &d->result;
    r->categories = arena_alloc(&r->arena, d->category_count * sizeof *r->categories);
    if (r->categories == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < d->category_count; i++) {
        struct day_count count = count_of(d, &d->categories[i]);
        if (i == CATEGORY_unlisted)
            rest_count(d, &count, rest_scan);
        if (count.packets > 0)
            r->categories[r->category_count++] = (struct day_category){d->category_names[i], count};
    }
    qsort(r->categories, r->category_count, sizeof *r->categories, category_order);
    return 0;
}

static int rule_order(const void *a, const void *b)
{
    const struct day_rule *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order != 0 ? order : (x->evidence > y->evidence) - (x->evidence < y->evidence);
}

/* The breadth of an iot rule. */
static uint8_t iot_of(const struct rule *rule)
{
    if (rule == NULL || !day_rule_is_iot(rule))
        return DAY_IOT_none;
    return rule->breadth == BREADTH_strict ? DAY_IOT_strict : DAY_IOT_shared;
}

static int rules_build(struct day *d)
{
    const struct ruleset *set = d->settings.rules;
    struct day_result *r = &d->result;
    r->rules_by_evidence =
        arena_alloc(&r->arena, (set->rule_count + d->name_count) * sizeof *r->rules_by_evidence);
    if (r->rules_by_evidence == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < set->rule_count; i++)
        if (d->rules[i].count.packets > 0)
            r->rules_by_evidence[r->rule_count++] =
                (struct day_rule){.id = set->rules[i].id,
                                  .category = set->rules[i].category,
                                  .evidence = EVIDENCE_port,
                                  .iot = iot_of(&set->rules[i]),
                                  .count = count_of(d, &d->rules[i])};
    for (size_t i = 0; i < d->name_size; i++) {
        const struct name_row *name = d->names[i];
        if (name == NULL || name->cell.count.packets == 0)
            continue;
        const char *category = name->kind == NAME_bot ? ""
                               : name->rule == NULL   ? "unknown"
                                                      : name->rule->category;
        r->rules_by_evidence[r->rule_count++] =
            (struct day_rule){.id = name->text,
                              .category = category,
                              .evidence = name->kind == NAME_bot ? EVIDENCE_bot : EVIDENCE_payload,
                              .iot = iot_of(name->rule),
                              .is_exploit = name->rule != NULL && name->rule->is_exploit,
                              .count = count_of(d, &name->cell)};
    }
    qsort(r->rules_by_evidence, r->rule_count, sizeof *r->rules_by_evidence, rule_order);
    return 0;
}

static int ports_build(struct day *d)
{
    struct day_result *r = &d->result;
    size_t count = 0;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned word = 0; word < 65536 / 64; word++)
            count += (size_t)__builtin_popcountll(d->has_port[proto][word]);
    r->ports = arena_alloc(&r->arena, count * sizeof *r->ports);
    if (r->ports == NULL)
        return -ENOMEM;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned word = 0; word < 65536 / 64; word++)
            for (uint64_t left = d->has_port[proto][word]; left != 0; left &= left - 1) {
                unsigned port = word * 64 + (unsigned)__builtin_ctzll(left);
                const struct cell *cell = &d->ports[proto][port];
                unsigned class = d->settings.rules->port_class[proto][port];
                if (cell->count.packets > 0)
                    r->ports[r->port_count++] = (struct day_port){
                        .proto = (uint8_t)proto,
                        .port = (uint16_t)port,
                        .category = d->category_names[d->class_category[class]],
                        .iot = d->class_iot[class],
                        .count = count_of(d, cell),
                    };
            }
    return 0;
}

static void place_fill(const struct day *d, const struct place_cells *from, struct day_place *to)
{
    to->total = count_of(d, &from->at[PLACE_total]);
    to->scan = count_of(d, &from->at[PLACE_scan]);
    to->iot_strict = count_of(d, &from->at[PLACE_iot_strict]);
    to->iot_broad = count_of(d, &from->at[PLACE_iot_broad]);
    to->iot_bot = count_of(d, &from->at[PLACE_iot_bot]);
}

static int as_order(const void *a, const void *b)
{
    const struct day_place *x = a, *y = b;
    return (x->asn > y->asn) - (x->asn < y->asn);
}

static int places_build(struct day *d)
{
    struct day_result *r = &d->result;
    r->countries = arena_alloc(&r->arena, COUNTRIES * sizeof *r->countries);
    r->ases = arena_alloc(&r->arena, d->as_count * sizeof *r->ases);
    if (r->countries == NULL || r->ases == NULL)
        return -ENOMEM;
    /* "" first, then the letters. */
    for (unsigned i = 0; i < COUNTRIES; i++) {
        unsigned at = i == 0 ? COUNTRIES - 1 : i - 1;
        if (d->countries[at].at[PLACE_total].count.packets == 0)
            continue;
        struct day_place *row = &r->countries[r->country_count++];
        place_fill(d, &d->countries[at], row);
        row->name = "";
        if (i > 0) {
            row->country[0] = (char)('A' + at / 26);
            row->country[1] = (char)('A' + at % 26);
        }
    }
    for (size_t i = 0; i < d->as_size; i++) {
        const struct as_row *as = d->ases[i];
        if (as == NULL)
            continue;
        struct day_place *row = &r->ases[r->as_count++];
        place_fill(d, &as->cells, row);
        row->asn = as->asn;
        row->name = as->name == NULL ? "" : as->name;
    }
    qsort(r->ases, r->as_count, sizeof *r->ases, as_order);
    return 0;
}

static int class_order(const void *a, const void *b)
{
    const struct day_class *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static struct day_class class_of(const struct class_cell *c, const char *name)
{
    struct day_class count = c->count;
    count.name = name;
    return count;
}

static int classes_build(struct day *d)
{
    struct day_result *r = &d->result;
    r->organisations = arena_alloc(&r->arena, d->name_count * sizeof *r->organisations);
    r->blocks = arena_alloc(&r->arena, d->name_count * sizeof *r->blocks);
    if (r->organisations == NULL || r->blocks == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < d->name_size; i++) {
        const struct name_row *name = d->names[i];
        if (name != NULL && name->kind == NAME_organisation)
            r->organisations[r->organisation_count++] = class_of(&name->class, name->text);
        if (name != NULL && name->kind == NAME_block)
            r->blocks[r->block_count++] = class_of(&name->class, name->text);
    }
    qsort(r->organisations, r->organisation_count, sizeof *r->organisations, class_order);
    qsort(r->blocks, r->block_count, sizeof *r->blocks, class_order);
    if (!d->has_ex)
        d->survey = d->conflict = (struct class_cell){0};
    r->survey = class_of(&d->survey, "survey");
    r->conflict = class_of(&d->conflict, "survey_conflict");
    r->acknowledged = class_of(&d->acknowledged, "acknowledged");
    r->bogon = class_of(&d->bogon, "bogon");
    return 0;
}

static int coverage_build(struct day *d)
{
    enum { MILLI = 100000 };
    const struct day_facts *f = d->facts;
    struct day_result *r = &d->result;
    const char *unknown;
    uint64_t least = UINT64_MAX;
    bool is_known = day_facts_ipv4(f, &r->ipv4, &unknown);

    r->watches = arena_alloc(&r->arena, f->telescope_count * sizeof *r->watches);
    if (r->watches == NULL)
        return -ENOMEM;
    r->seconds = day_facts_seconds(f);
    unsigned __int128 sum = 0;
    for (size_t i = 0; i < f->telescope_count; i++) {
        const struct day_telescope *t = &f->telescopes[i];
        uint64_t seconds = day_telescope_seconds(t, f);
        r->watches[r->watch_count++] =
            (struct day_watch){t->id, t->is_configured, t->ipv4, seconds};
        sum += (unsigned __int128)t->ipv4 * seconds;
        if (least > seconds)
            least = seconds;
    }
    if (!is_known)
        r->ipv4 = 0;
    else
        r->address_seconds = sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
    if (is_known && r->ipv4 > 0)
        r->coverage_milli = (uint32_t)(sum * MILLI / ((unsigned __int128)r->ipv4 * r->seconds));
    else if (f->telescope_count > 0)
        r->coverage_milli = (uint32_t)(least * MILLI / r->seconds);
    struct day_count ip4 = count_of(d, &d->ip4);
    r->ip4_packets = ip4.packets;
    r->ip4_packets_ex = ip4.packets_ex;
    r->lost = ledger_lost(&f->ledger);
    r->offered = ledger_wanted(&f->ledger);
    bool is_kept = (unsigned __int128)r->lost * MILLI <=
                   (unsigned __int128)r->offered * d->settings.complete_loss_milli;
    r->is_complete = r->coverage_milli >= d->settings.complete_coverage_milli && is_kept;
    return 0;
}

/* Under what the result was computed, and why something is absent. */
static int basis_build(struct day *d)
{
    const struct day_facts *f = d->facts;
    const struct ruleset *set = d->settings.rules;
    struct day_result *r = &d->result;
    const char *unknown;
    uint64_t ipv4;
    char why[128] = "";

    r->facts = f;
    r->settings = d->settings;
    r->rules = (struct day_basis){set->name, set->version, set->sha256};
    r->is_mixed = f->basis_count[DAY_RULES] > 1;
    for (size_t i = 0; i < f->basis_count[DAY_RULES]; i++)
        r->is_mixed |= strcmp(f->basis[DAY_RULES][i].sha256, set->sha256) != 0;
    r->is_exact = day_facts_is_exact(f);
    if (!day_facts_ipv4(f, &ipv4, &unknown))
        snprintf(why, sizeof why,
                 unknown[0] == '\0' ? "the telescope's size is unknown"
                                    : "the size of telescope %.60s is unknown",
                 unknown);
    r->ex_absent = arena_text(&r->arena, why, strlen(why));
    return r->ex_absent == NULL ? -ENOMEM : 0;
}

int day_result_build(struct day *d, struct fault *fault)
{
    uint64_t rest_scan;
    arena_fini(&d->result.arena);
    memset(&d->result, 0, sizeof d->result);
    int err = kinds_build(d, &rest_scan, fault);
    if (err != 0)
        return err;
    if (basis_build(d) == 0 && categories_build(d, rest_scan) == 0 && rules_build(d) == 0 &&
        ports_build(d) == 0 && places_build(d) == 0 && classes_build(d) == 0 &&
        coverage_build(d) == 0)
        return 0;
    return fault_set(fault, ENOMEM, "day %" PRId32 ": no memory for its result", d->facts->date);
}

int day_end(struct day *d, const struct day_result **out, struct fault *fault)
{
    *out = NULL;
    day_group_end(d);
    int err = day_result_build(d, fault);
    if (err == 0)
        *out = &d->result;
    return err;
}

static uint64_t count_by(const struct day_count *c, bool is_ex, bool by_sources)
{
    if (by_sources)
        return is_ex ? c->sources_ex : c->sources;
    return is_ex ? c->packets_ex : c->packets;
}

struct share day_share(const struct day_result *r, enum mark numerator, enum share_over denominator,
                       bool by_sources)
{
    bool is_ex = share_over_is_ex(denominator);
    if (day_share_absent(r, denominator)[0] != '\0')
        return (struct share){0, 0};
    return (struct share){
        count_by(&r->marks[numerator], is_ex, by_sources),
        count_by(&r->marks[share_over_mark(denominator)], is_ex, by_sources),
    };
}

const char *day_share_absent(const struct day_result *r, enum share_over denominator)
{
    return share_over_is_ex(denominator) ? r->ex_absent : "";
}

double day_packets_per_address(const struct day_result *r, bool by_seconds, bool ex_survey)
{
    double packets = (double)(ex_survey ? r->ip4_packets_ex : r->ip4_packets);
    if (r->ipv4 == 0 || r->address_seconds == 0 || (ex_survey && r->ex_absent[0] != '\0'))
        return -1.0;
    if (by_seconds)
        return packets / (double)r->address_seconds * (double)r->seconds;
    return packets / (double)r->ipv4;
}
