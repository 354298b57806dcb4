/* A Day from protobuf; the bytes are a stranger's. */
#include "export/record_pack.h"
#include "export/unpack_budget.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CATEGORIES = RULES_MAX + 3 }; /* that ports can have: each is looked for among them */

/* A result that owns its facts. */
struct day_owned {
    struct day_result result;
    struct day_facts facts;
};

/* A result under construction: the first thing that fails stays. */
struct reader {
    struct day_result *r;
    struct fault *fault;
    int err;
};

static void refuse(struct reader *in, const char *what)
{
    if (in->err == 0)
        in->err = fault_set(in->fault, EBADMSG, "day: %s", what);
}

static void *rows_make(struct reader *in, size_t count, size_t size)
{
    void *rows = arena_alloc(&in->r->arena, count * size);
    if (rows == NULL && in->err == 0)
        in->err = fault_set(in->fault, ENOMEM, "day: no memory");
    return rows;
}

static const char *text_read(struct reader *in, const char *text)
{
    const char *copy = arena_text(&in->r->arena, text, strlen(text));
    if (copy == NULL && in->err == 0)
        in->err = fault_set(in->fault, ENOMEM, "day: no memory");
    return copy == NULL ? "" : copy;
}

static struct day_count count_read(struct reader *in, const Yamiscope__DayCount *m)
{
    if (m == NULL) {
        refuse(in, "a row has no count");
        return (struct day_count){0};
    }
    struct day_count c = {
        .packets = m->packets,
        .packets_ex = m->packets_ex,
        .sources = m->sources,
        .sources_ex = m->sources_ex,
        .sources64 = m->sources64 == 0 ? m->sources : m->sources64,
        .sources64_ex = m->sources64_ex == 0 ? m->sources_ex : m->sources64_ex,
    };
    if (c.packets_ex > c.packets || c.sources_ex > c.sources || c.sources > c.packets ||
        c.sources64 > c.sources || c.sources64_ex > c.sources_ex)
        refuse(in, "counts of a row do not contain each other");
    return c;
}

static struct day_class class_read(struct reader *in, const Yamiscope__DayClass *m)
{
    if (m == NULL)
        return (struct day_class){.name = ""};
    return (struct day_class){
        .name = text_read(in, m->name),
        .packets = m->packets,
        .scan_packets = m->scan_packets,
        .sources = m->sources,
        .scan_sources = m->scan_sources,
        .sources64 = m->sources64,
    };
}

static struct day_class *classes_read(struct reader *in, Yamiscope__DayClass *const *m,
                                      size_t count)
{
    struct day_class *rows = rows_make(in, count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < count; i++) {
        rows[i] = class_read(in, m[i]);
        if (i > 0 && strcmp(rows[i - 1].name, rows[i].name) >= 0)
            refuse(in, "its organisations or blocks are out of order");
    }
    return rows;
}

static void kinds_read(struct reader *in, const Yamiscope__Day *m)
{
    unsigned next = 0;
    for (size_t i = 0; i < m->n_kinds; i++) {
        unsigned kind = kind_find(m->kinds[i]->kind);
        if (kind == KIND_COUNT || kind < next) {
            refuse(in, "its kinds are unknown or out of order");
            return;
        }
        in->r->kinds[kind].bytes = m->kinds[i]->bytes;
        /* Packets without a source have no count of sources. */
        in->r->kinds[kind].count = count_read(in, m->kinds[i]->count);
        next = kind + 1;
    }
}

/* Rows whose names are a list of ours, all of them and in its order. */
static void named_read(struct reader *in, Yamiscope__DayMark *const *m, size_t count,
                       struct day_count *rows, size_t known, const char *(*name)(unsigned))
{
    if (count != known) {
        refuse(in, "its marks or notes are not those that this version knows");
        return;
    }
    for (unsigned i = 0; i < known; i++) {
        if (strcmp(m[i]->name, name(i)) != 0)
            refuse(in, "its marks or notes are unknown or out of order");
        rows[i] = count_read(in, m[i]->count);
    }
}

static const char *name_of_mark(unsigned mark) { return mark_name(mark); }
static const char *name_of_note(unsigned note) { return note_name(note); }

static void tools_read(struct reader *in, const Yamiscope__Day *m)
{
    unsigned next = 0;
    for (size_t i = 0; i < m->n_tools; i++) {
        while (next < TOOL_COUNT && strcmp(tool_name(next), m->tools[i]->tool) != 0)
            next++;
        if (next == TOOL_COUNT) {
            refuse(in, "its tools are unknown or out of order");
            return;
        }
        in->r->tools[next].matched = count_read(in, m->tools[i]->matched);
        in->r->tools[next++].used = count_read(in, m->tools[i]->used);
    }
}

static void categories_read(struct reader *in, const Yamiscope__Day *m)
{
    struct day_category *rows = rows_make(in, m->n_categories, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < m->n_categories; i++) {
        rows[i].name = text_read(in, m->categories[i]->name);
        rows[i].count = count_read(in, m->categories[i]->count);
        if (i > 0 && strcmp(rows[i - 1].name, rows[i].name) >= 0)
            refuse(in, "its categories are out of order");
    }
    in->r->categories = rows;
    in->r->category_count = m->n_categories;
}

static unsigned evidence_find(const char *name)
{
    unsigned evidence = 0;
    while (evidence < EVIDENCE_COUNT && strcmp(evidence_name(evidence), name) != 0)
        evidence++;
    return evidence;
}

static uint8_t iot_read(struct reader *in, const char *breadth)
{
    if (breadth[0] == '\0')
        return DAY_IOT_none;
    if (strcmp(breadth, "strict") == 0)
        return DAY_IOT_strict;
    if (strcmp(breadth, "shared") != 0)
        refuse(in, "breadth of a rule is unknown");
    return DAY_IOT_shared;
}

static void rules_read(struct reader *in, const Yamiscope__Day *m)
{
    struct day_rule *rows = rows_make(in, m->n_rule_counts, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < m->n_rule_counts; i++) {
        const Yamiscope__DayRule *row = m->rule_counts[i];
        unsigned evidence = evidence_find(row->evidence);
        if (evidence == EVIDENCE_COUNT)
            refuse(in, "evidence of a rule is unknown");
        rows[i].id = text_read(in, row->rule);
        rows[i].category = text_read(in, row->category);
        rows[i].evidence = (uint8_t)evidence;
        rows[i].iot = iot_read(in, row->breadth);
        rows[i].is_exploit = row->exploit;
        rows[i].count = count_read(in, row->count);
        int order = i == 0 ? -1 : strcmp(rows[i - 1].id, rows[i].id);
        if (order > 0 || (order == 0 && rows[i - 1].evidence >= rows[i].evidence))
            refuse(in, "its rules are out of order");
    }
    in->r->rules_by_evidence = rows;
    in->r->rule_count = m->n_rule_counts;
}

static bool columns_hold(const Yamiscope__DayPorts *m, bool has_ex)
{
    size_t rows = m->n_gap, ex = has_ex ? rows : 0;
    return rows > 0 && rows <= 65536 && m->n_packets == rows && m->n_sources == rows &&
           m->n_category == rows && m->n_iot == rows && m->n_packets_ex == ex &&
           m->n_sources_ex == ex &&
           ((m->n_sources64 == 0 && m->n_sources64_ex == 0) ||
            (m->n_sources64 == rows && m->n_sources64_ex == ex));
}

/* Rows of one protocol, appended to the result's. */
static void ports_read(struct reader *in, const Yamiscope__DayPorts *m, unsigned proto,
                       const char *const *names)
{
    bool has_64 = m->n_sources64 > 0;
    uint64_t port = 0;
    for (size_t i = 0; i < m->n_gap; i++) {
        uint64_t ex = m->n_packets_ex > 0 ? m->packets_ex[i] : 0;
        uint64_t sources_ex = m->n_sources_ex > 0 ? m->sources_ex[i] : 0;
        port += m->gap[i];
        if (port > UINT16_MAX || (i > 0 && m->gap[i] == 0) || m->category[i] >= m->n_categories ||
            m->iot[i] > DAY_IOT_shared) {
            refuse(in, "its ports are out of order or out of range");
            return;
        }
        const Yamiscope__DayCount count = {
            .packets = m->packets[i],
            .packets_ex = ex,
            .sources = m->sources[i],
            .sources_ex = sources_ex,
            .sources64 = has_64 ? m->sources64[i] : 0,
            .sources64_ex = m->n_sources64_ex > 0 ? m->sources64_ex[i] : 0,
        };
        in->r->ports[in->r->port_count++] = (struct day_port){
            .proto = (uint8_t)proto,
            .port = (uint16_t)port,
            .category = names[m->category[i]],
            .iot = (uint8_t)m->iot[i],
            .count = count_read(in, &count),
        };
    }
}

static void all_ports_read(struct reader *in, const Yamiscope__Day *m)
{
    unsigned next = 0;
    size_t rows = 0;
    for (size_t i = 0; i < m->n_ports; i++) {
        while (next < PORT_PROTO_COUNT && strcmp(window_proto_name(next), m->ports[i]->proto) != 0)
            next++;
        if (next++ >= PORT_PROTO_COUNT || !columns_hold(m->ports[i], m->ex_absent[0] == '\0') ||
            m->ports[i]->n_categories > CATEGORIES) {
            refuse(in, "its ports are no columns of one length, or of an unknown protocol");
            return;
        }
        rows += m->ports[i]->n_gap;
    }
    in->r->ports = rows_make(in, rows, sizeof *in->r->ports);
    for (size_t i = 0; i < m->n_ports && in->err == 0; i++) {
        const Yamiscope__DayPorts *from = m->ports[i];
        const char **names = rows_make(in, from->n_categories, sizeof *names);
        for (size_t c = 0; names != NULL && c < from->n_categories; c++)
            names[c] = text_read(in, from->categories[c]);
        if (in->err == 0)
            ports_read(in, from, strcmp(from->proto, "tcp") == 0 ? PORT_PROTO_TCP : PORT_PROTO_UDP,
                       names);
    }
}

static struct day_place *places_read(struct reader *in, Yamiscope__DayPlace *const *m, size_t count)
{
    struct day_place *rows = rows_make(in, count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < count; i++) {
        size_t len = strlen(m[i]->country);
        if (len != 0 && len != sizeof rows[i].country - 1)
            refuse(in, "a country is not two letters");
        else
            memcpy(rows[i].country, m[i]->country, len + 1);
        rows[i].asn = m[i]->asn;
        rows[i].name = text_read(in, m[i]->name);
        rows[i].total = count_read(in, m[i]->total);
        rows[i].scan = count_read(in, m[i]->scan);
        rows[i].iot_strict = count_read(in, m[i]->iot_strict);
        rows[i].iot_broad = count_read(in, m[i]->iot_broad);
        rows[i].iot_bot = count_read(in, m[i]->iot_bot);
        if (i > 0 && strcmp(rows[i - 1].country, rows[i].country) >= 0 &&
            rows[i - 1].asn >= rows[i].asn)
            refuse(in, "its countries or AS are out of order");
    }
    return rows;
}

static void coverage_read(struct reader *in, const Yamiscope__DayCoverage *m)
{
    struct day_result *r = in->r;
    if (m == NULL) {
        refuse(in, "it has no coverage");
        return;
    }
    r->watches = rows_make(in, m->n_watches, sizeof *r->watches);
    for (size_t i = 0; r->watches != NULL && i < m->n_watches; i++)
        r->watches[i] = (struct day_watch){
            .id = text_read(in, m->watches[i]->id),
            .is_configured = m->watches[i]->configured,
            .ipv4 = m->watches[i]->ipv4,
            .seconds = m->watches[i]->seconds,
        };
    r->watch_count = m->n_watches;
    r->seconds = m->seconds;
    r->ip4_packets = m->ip4_packets;
    r->ip4_packets_ex = m->ip4_packets_ex;
    r->ipv4 = m->ipv4;
    r->address_seconds = m->address_seconds;
    r->coverage_milli = m->coverage_milli;
    r->offered = m->offered;
    r->lost = m->lost;
}

static void day_read(struct reader *in, const Yamiscope__Day *m)
{
    struct day_result *r = in->r;
    r->is_mixed = m->mixed;
    r->is_exact = m->exact;
    r->is_complete = m->complete;
    r->ex_absent = text_read(in, m->ex_absent);
    if (strcmp(m->state, "final") != 0)
        refuse(in, "its state is not final");
    if ((m->survey != NULL) != (m->ex_absent[0] == '\0') ||
        (m->conflict != NULL) != (m->ex_absent[0] == '\0') || m->acknowledged == NULL ||
        m->bogon == NULL)
        refuse(in, "its survey scanners are not there or not absent");
    kinds_read(in, m);
    named_read(in, m->marks, m->n_marks, r->marks, SHARE_MARK_COUNT, name_of_mark);
    named_read(in, m->notes, m->n_notes, r->notes, NOTE_COUNT, name_of_note);
    tools_read(in, m);
    categories_read(in, m);
    rules_read(in, m);
    all_ports_read(in, m);
    r->countries = places_read(in, m->countries, m->n_countries);
    r->country_count = m->n_countries;
    r->ases = places_read(in, m->ases, m->n_ases);
    r->as_count = m->n_ases;
    r->survey = class_read(in, m->survey);
    r->conflict = class_read(in, m->conflict);
    r->acknowledged = class_read(in, m->acknowledged);
    r->bogon = class_read(in, m->bogon);
    r->organisations = classes_read(in, m->organisations, m->n_organisations);
    r->organisation_count = m->n_organisations;
    r->blocks = classes_read(in, m->blocks, m->n_blocks);
    r->block_count = m->n_blocks;
    coverage_read(in, m->coverage);
}

int unpack_day(struct day_result **out, const Yamiscope__Day *m, struct fault *fault)
{
    *out = NULL;
    struct day_owned *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return fault_set(fault, ENOMEM, "day: no memory");
    struct day_result *r = &owned->result;
    struct reader in = {.r = r, .fault = fault};
    r->facts = &owned->facts;
    in.err = unpack_facts(&owned->facts, m->facts, fault);
    if (in.err == 0)
        in.err = unpack_settings(&r->settings, m->settings, fault);
    if (in.err == 0)
        in.err = unpack_rules(&r->rules, &r->arena, m->rules, fault);
    if (in.err == 0)
        day_read(&in, m);
    if (in.err != 0)
        day_result_destroy(r);
    else
        *out = r;
    return in.err;
}

int record_unpack_day(struct day_result **out, const uint8_t *body, size_t len, struct fault *fault)
{
    struct unpack_budget budget;
    *out = NULL;
    unpack_budget_init(&budget);
    Yamiscope__Day *m = yamiscope__day__unpack(&budget.allocator, len, body);
    if (m == NULL)
        return fault_set(fault, EBADMSG, "day: %s",
                         unpack_budget_is_out(&budget) ? "unpacks to too much" : "is none");
    int err = unpack_day(out, m, fault);
    yamiscope__day__free_unpacked(m, &budget.allocator);
    return err;
}

void day_result_destroy(struct day_result *r)
{
    if (r == NULL)
        return;
    struct day_owned *owned = (struct day_owned *)r; /* its first member */
    day_facts_fini(&owned->facts);
    arena_fini(&r->arena);
    free(owned);
}
