/* One source day added to a Day. */
#include "export/day_state.h"
#include "export/saturate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the rows of a source add up to. */
struct sums {
    uint64_t packets, scan, strict, broad, payload, bot;
};

static unsigned place_of(unsigned kind)
{
    return kind == KIND_tcp_syn ? 0 : kind == KIND_tcp_data ? 1 : 2;
}

static unsigned proto_of(unsigned kind)
{
    return kind == KIND_udp ? PORT_PROTO_UDP : PORT_PROTO_TCP;
}

static void cell_await(struct day *d, struct cell *c)
{
    if (d->pending_count == d->pending_size) {
        size_t size = d->pending_size == 0 ? 1024 : d->pending_size * 2;
        struct cell **pending = realloc(d->pending, size * sizeof(struct cell *));
        if (pending == NULL) {
            d->err = -ENOMEM;
            return;
        }
        d->pending = pending;
        d->pending_size = size;
    }
    d->pending[d->pending_count++] = c;
}

/* Adds packets of the source being added. */
static void cell_add(struct day *d, struct cell *c, uint64_t packets)
{
    bool is_new = c->source != d->source;
    saturate_add(&c->count.packets, packets);
    if (is_new) {
        c->source = d->source;
        c->count.sources++;
        c->count.sources64 += c->group != d->group;
        c->group = d->group;
    }
    if (d->fate == FATE_in) {
        saturate_add(&c->count.packets_ex, packets);
        c->count.sources_ex +=
            c->source_ex != d->source; /* in a span, some days of it may be out */
        c->source_ex = d->source;
        c->count.sources64_ex += c->group_ex != d->group;
        c->group_ex = d->group;
    } else if (d->fate == FATE_pending) {
        if (c->pending_sources == 0)
            cell_await(d, c);
        saturate_add(&c->pending_packets, packets);
        c->pending_sources += is_new;
    }
}

static void class_add(struct day *d, struct class_cell *c, const struct group_class *what)
{
    saturate_add(&c->count.packets, what->packets);
    saturate_add(&c->count.scan_packets, what->scan_packets);
    if (!d->is_span) {
        c->count.sources += what->sources;
        c->count.scan_sources += what->scan_sources;
    } else if (what->sources > 0) { /* one source, perhaps again */
        c->count.sources += c->source != d->source;
        c->source = d->source;
        if (what->scan_sources > 0) {
            c->count.scan_sources += c->source_scan != d->source;
            c->source_scan = d->source;
        }
    }
    c->count.sources64 += what->sources > 0 && c->group != d->group;
    if (what->sources > 0)
        c->group = d->group;
}

static void group_class_add(struct group_class *into, const struct group_class *what)
{
    saturate_add(&into->packets, what->packets);
    saturate_add(&into->scan_packets, what->scan_packets);
    into->sources += what->sources;
    into->scan_sources += what->scan_sources;
}

void day_group_end(struct day *d)
{
    if (!d->is_group_open)
        return;
    const struct survey_settings *s = &d->settings.survey;
    bool is_survey =
        d->has_ex && d->group_targets >= s->min_ports6 && d->group_packets >= s->min_packets6;

    if (is_survey) {
        class_add(d, &d->survey, &d->group_survey);
        class_add(d, &d->conflict, &d->group_kept);
    }
    for (size_t i = 0; i < d->pending_count; i++) {
        struct cell *c = d->pending[i];
        if (!is_survey) {
            saturate_add(&c->count.packets_ex, c->pending_packets);
            c->count.sources_ex += c->pending_sources;
            c->count.sources64_ex += c->group_ex != d->group;
            c->group_ex = d->group;
        }
        c->pending_packets = c->pending_sources = 0;
    }
    d->pending_count = 0;
    for (uint32_t i = 0; i < d->group_targets; i++)
        d->group_bits[d->group_target[i] / 64] = 0;
    d->group_targets = 0;
    d->group_packets = 0;
    d->group_survey = d->group_kept = (struct group_class){0};
    d->is_group_open = false;
}

/* The /64 of an IPv6 source: what it is told by. */
void day_group_take(struct day *d, const struct source_day *s)
{
    saturate_add(&d->group_packets, source_day_survey_packets(s));
    for (size_t i = 0; i < s->port_count; i++) {
        if (s->ports[i].kind == KIND_tcp_data)
            continue;
        uint32_t target = proto_of(s->ports[i].kind) << 16 | s->ports[i].port;
        uint64_t bit = UINT64_C(1) << target % 64;
        if (d->group_bits[target / 64] & bit)
            continue;
        d->group_bits[target / 64] |= bit;
        d->group_target[d->group_targets++] = target;
    }
}

/* Its number and, where it begins one, its group's. -EINVAL: not the next one. */
static int source_begin(struct day *d, const struct source_day *s, struct fault *fault)
{
    if (s->date != d->facts->date)
        return fault_set(fault, EINVAL, "a source of day %" PRId32 " on day %" PRId32, s->date,
                         d->facts->date);
    if (d->has_last && source_day_order(&d->last, s) >= 0)
        return fault_set(fault, EINVAL,
                         "a source of day %" PRId32 " is out of order or twice there", s->date);
    bool is_same = d->has_last && s->ip_version == 6 && d->last.ip_version == 6 &&
                   memcmp(d->last.address, s->address, 8) == 0;
    if (!is_same) {
        day_group_end(d);
        d->group++;
    }
    d->is_group_open = s->ip_version == 6;
    d->has_last = true;
    d->last.date = s->date;
    d->last.ip_version = s->ip_version;
    memcpy(d->last.address, s->address, sizeof d->last.address);
    d->source++;
    return 0;
}

/* Whether the source showed what no survey scanner shows. */
static bool is_attacker(struct day *d, const struct source_day *s)
{
    for (size_t i = 0; i < s->evidence_count; i++) {
        if (s->evidence[i].evidence == EVIDENCE_bot)
            return true;
        const struct name_row *name = day_name(d, NAME_payload, s->evidence[i].rule);
        if (name != NULL && name->rule != NULL && name->rule->is_exploit)
            return true;
    }
    return false;
}

static bool is_survey4(const struct day *d, const struct source_day *s)
{
    return d->has_ex && source_day_targets(s) >= d->settings.survey.min_ports &&
           source_day_survey_packets(s) >= d->survey_min_packets;
}

static bool is_said(const char *text) { return text != NULL && text[0] != '\0'; }

/* Decides what becomes of the source, and counts it in its class. */
static void source_judge(struct day *d, const struct source_day *s, const struct sums *sums)
{
    const struct group_class one = {sums->packets, sums->scan, 1, sums->scan > 0};
    bool is_bogon = is_said(s->origin.bogon), is_listed = is_said(s->origin.acknowledged);
    bool is_survey = s->ip_version == 4 ? is_survey4(d, s) : d->is_span && d->is_survey64;
    bool is_open = s->ip_version == 6 && !d->is_span; /* its /64 decides, when it is over */
    struct name_row *name = NULL;

    d->span_class = DAY_SPAN_ordinary;
    if (is_open)
        day_group_take(d, s);
    if (is_attacker(d, s)) {
        d->fate = FATE_in;
        if (is_bogon || is_listed || is_survey) {
            class_add(d, &d->conflict, &one);
            d->span_class = DAY_SPAN_conflict;
        } else if (is_open)
            group_class_add(&d->group_kept, &one);
        return;
    }
    d->fate = FATE_out;
    d->span_class = is_bogon    ? DAY_SPAN_bogon
                    : is_listed ? DAY_SPAN_acknowledged
                    : is_survey ? DAY_SPAN_survey
                                : DAY_SPAN_ordinary;
    if (is_bogon) {
        class_add(d, &d->bogon, &one);
        name = day_name(d, NAME_block, s->origin.bogon);
    } else if (is_listed) {
        class_add(d, &d->acknowledged, &one);
        name = day_name(d, NAME_organisation, s->origin.acknowledged);
    } else if (is_survey) {
        class_add(d, &d->survey, &one);
    } else if (is_open) {
        group_class_add(&d->group_survey, &one);
        d->fate = FATE_pending;
    } else {
        d->fate = FATE_in;
    }
    if (name != NULL)
        class_add(d, &name->class, &one);
}

/* Packets of a port that no payload says more of. */
static void port_add(struct day *d, struct sums *sums, unsigned kind, uint16_t port,
                     uint64_t packets, uint64_t payload)
{
    const struct ruleset *set = d->settings.rules;
    unsigned index = set->port_class[proto_of(kind)][port];
    const struct port_class *class = &set->classes[index];

    d->has_port[proto_of(kind)][port / 64] |= UINT64_C(1) << port % 64;
    cell_add(d, &d->ports[proto_of(kind)][port], packets);
    packets -= payload;
    if (packets == 0)
        return;
    cell_add(d, &d->categories[d->class_category[index]], packets);
    for (unsigned i = 0; i < 2; i++)
        if (class->rules[i] != RULE_NONE)
            cell_add(d, &d->rules[class->rules[i]], packets);
    if (d->class_iot[index] == DAY_IOT_strict)
        saturate_add(&sums->strict, packets);
    if (d->class_iot[index] != DAY_IOT_none)
        saturate_add(&sums->broad, packets);
}

static void payload_add(struct day *d, struct sums *sums, const struct source_day_evidence *row)
{
    unsigned index = d->settings.rules->port_class[proto_of(row->kind)][row->port];
    struct name_row *name = day_name(d, NAME_payload, row->rule);
    if (name == NULL)
        return;
    const struct rule *rule = name->rule;
    unsigned category = rule == NULL ? CATEGORY_unknown : day_category_of(d, rule);

    cell_add(d, &name->cell, row->packets);
    if (rule != NULL && day_rule_is_iot(rule)) {
        bool is_strict = rule->breadth == BREADTH_strict;
        if (is_strict)
            saturate_add(&sums->payload, row->packets);
        else if (index != 0)
            category = d->class_category[index];
        if (is_strict || d->class_iot[index] == DAY_IOT_strict)
            saturate_add(&sums->strict, row->packets);
        saturate_add(&sums->broad, row->packets);
    }
    cell_add(d, &d->categories[category], row->packets);
}

static void bot_add(struct day *d, struct sums *sums, const struct source_day_evidence *row)
{
    unsigned index = d->settings.rules->port_class[proto_of(row->kind)][row->port];
    struct name_row *name = day_name(d, NAME_bot, row->rule);
    if (name != NULL)
        cell_add(d, &name->cell, row->packets);
    if (d->class_iot[index] != DAY_IOT_none)
        saturate_add(&sums->bot, row->packets);
}

static struct evidence_at *evidence_at(struct day *d, unsigned kind, uint16_t port)
{
    return &d->evidence_at[place_of(kind)][port];
}

/* Rows to ports, rules, categories. A port that only evidence rows still tell is as good as
 * listed; so many less are unlisted. */
static void rows_add(struct day *d, const struct source_day *s, struct sums *sums)
{
    uint64_t beyond = 0;
    for (size_t i = 0; i < s->evidence_count; i++) {
        const struct source_day_evidence *row = &s->evidence[i];
        struct evidence_at *at = evidence_at(d, row->kind, row->port);
        saturate_add(&at->all, row->packets);
        if (row->evidence == EVIDENCE_payload) {
            saturate_add(&at->payload, row->packets);
            payload_add(d, sums, row);
        } else {
            bot_add(d, sums, row);
        }
    }
    for (size_t i = 0; i < s->port_count; i++) {
        const struct source_day_port *row = &s->ports[i];
        uint64_t packets = row->packets, payload = 0;
        if (s->evidence_count > 0) {
            struct evidence_at *at = evidence_at(d, row->kind, row->port);
            if (at->all > packets) {
                saturate_add(&beyond, at->all - packets);
                packets = at->all;
            }
            payload = at->payload;
            *at = (struct evidence_at){0};
        }
        port_add(d, sums, row->kind, row->port, packets, payload);
    }
    for (size_t i = 0; i < s->evidence_count; i++) {
        const struct source_day_evidence *row = &s->evidence[i];
        struct evidence_at *at = evidence_at(d, row->kind, row->port);
        if (at->all == 0)
            continue;
        saturate_add(&beyond, at->all);
        port_add(d, sums, row->kind, row->port, at->all, at->payload);
        *at = (struct evidence_at){0};
    }
    if (s->unlisted_ports > beyond)
        cell_add(d, &d->categories[CATEGORY_unlisted], s->unlisted_ports - beyond);
}

static void marks_add(struct day *d, const struct sums *sums)
{
    uint64_t packets[SHARE_MARK_COUNT] = {
        [MARK_total] = sums->packets,         [MARK_scan] = sums->scan,
        [MARK_iot_strict] = sums->strict,     [MARK_iot_broad] = sums->broad,
        [MARK_iot_payload] = sums->payload,   [MARK_iot_bot] = sums->bot,
        [MARK_iot_confirmed] = sums->payload,
    };
    saturate_add(&packets[MARK_iot_confirmed], sums->bot);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++)
        if (packets[mark] > 0)
            cell_add(d, &d->marks[mark], packets[mark]);
}

static void place_add(struct day *d, struct place_cells *to, const struct sums *sums)
{
    const uint64_t packets[PLACE_CELLS] = {
        [PLACE_total] = sums->packets,     [PLACE_scan] = sums->scan,
        [PLACE_iot_strict] = sums->strict, [PLACE_iot_broad] = sums->broad,
        [PLACE_iot_bot] = sums->bot,
    };
    for (unsigned i = 0; i < PLACE_CELLS; i++)
        if (packets[i] > 0)
            cell_add(d, &to->at[i], packets[i]);
}

static void rest_add(struct day *d, const struct source_day *s, const struct sums *sums)
{
    const char *c = s->origin.country;
    unsigned country =
        c[0] == '\0' ? COUNTRIES - 1 : (unsigned)(c[0] - 'A') * 26 + (unsigned)(c[1] - 'A');
    place_add(d, &d->countries[country], sums);
    struct as_row *as = day_as(d, s->origin.asn, s->origin.as_name);
    if (as != NULL)
        place_add(d, &as->cells, sums);

    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (s->kinds[i].packets > 0)
            cell_add(d, &d->kinds[i], s->kinds[i].packets);
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        if (s->notes[i] > 0)
            cell_add(d, &d->notes[i], s->notes[i]);
    for (unsigned i = 0; i < TOOL_COUNT; i++)
        if (s->tools[i] > 0) {
            cell_add(d, &d->tools[i], s->tools[i]);
            if (source_day_uses(s, i))
                cell_add(d, &d->tools_used[i], s->tools[i]);
        }
    uint64_t outside = s->kinds[KIND_outside].packets;
    if (s->ip_version == 4 && sums->packets > outside)
        cell_add(d, &d->ip4, sums->packets - outside);
}

void day_ahead(const struct day *d, const struct source_day *s)
{
    enum { AHEAD = 16 };
    for (size_t i = 0; i < s->port_count && i < AHEAD; i++) {
        unsigned proto = proto_of(s->ports[i].kind);
        const char *cell = (const char *)&d->ports[proto][s->ports[i].port];
        __builtin_prefetch(&d->settings.rules->port_class[proto][s->ports[i].port]);
        __builtin_prefetch(cell, 1);
        __builtin_prefetch(cell + sizeof(struct cell) - 1, 1);
    }
    /* a compiler drops calls of what does nothing but ask for memory */
    __asm__ volatile("" ::: "memory");
}

int day_count_source(struct day *d, const struct source_day *s, struct fault *fault)
{
    day_ahead(d, s); /* comes while it is judged, where nobody asked before */
    struct sums sums = {.packets = source_day_packets(s), .scan = source_day_scan(s)};
    source_judge(d, s, &sums);
    rows_add(d, s, &sums);
    marks_add(d, &sums);
    rest_add(d, s, &sums);
    if (d->err == 0)
        return 0;
    return fault_set(fault, -d->err,
                     d->err == -E2BIG ? "day %" PRId32 " has more names or AS than are kept"
                                      : "day %" PRId32 ": no memory",
                     d->facts->date);
}

int day_add(struct day *d, const struct source_day *s, struct fault *fault)
{
    int err = source_begin(d, s, fault);
    return err != 0 ? err : day_count_source(d, s, fault);
}
