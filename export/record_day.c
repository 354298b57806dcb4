/* A Day to protobuf. */
#include "export/record_pack.h"

#include <errno.h>
#include <string.h>

static Yamiscope__DayCount *count_pack(struct packer *p, const struct day_count *c)
{
    Yamiscope__DayCount *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__day_count__init(m);
    m->packets = c->packets;
    m->packets_ex = c->packets_ex;
    m->sources = c->sources;
    m->sources_ex = c->sources_ex;
    m->sources64 = c->sources64 == c->sources ? 0 : c->sources64;
    m->sources64_ex = c->sources64_ex == c->sources_ex ? 0 : c->sources64_ex;
    return m;
}

static Yamiscope__DayClass *class_pack(struct packer *p, const struct day_class *c)
{
    Yamiscope__DayClass *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__day_class__init(m);
    m->name = pack_text(c->name);
    m->packets = c->packets;
    m->scan_packets = c->scan_packets;
    m->sources = c->sources;
    m->scan_sources = c->scan_sources;
    m->sources64 = c->sources64;
    return m;
}

static Yamiscope__DayClass **classes_pack(struct packer *p, const struct day_class *rows,
                                          size_t count)
{
    Yamiscope__DayClass **m = pack_make(p, count * sizeof *m);
    for (size_t i = 0; m != NULL && i < count; i++)
        m[i] = class_pack(p, &rows[i]);
    return m;
}

static Yamiscope__DayMark *mark_pack(struct packer *p, const char *name, const struct day_count *c)
{
    Yamiscope__DayMark *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__day_mark__init(m);
    m->name = pack_text(name);
    m->count = count_pack(p, c);
    return m;
}

static void kinds_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    m->kinds = pack_rows(p, KIND_COUNT, sizeof **m->kinds);
    for (unsigned kind = 0; m->kinds != NULL && kind < KIND_COUNT; kind++) {
        if (r->kinds[kind].count.packets == 0)
            continue;
        Yamiscope__DayKind *row = m->kinds[m->n_kinds++];
        yamiscope__day_kind__init(row);
        row->kind = pack_text(kind_name(kind));
        row->count = count_pack(p, &r->kinds[kind].count);
        row->bytes = r->kinds[kind].bytes;
    }
}

static void marks_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    m->marks = pack_make(p, SHARE_MARK_COUNT * sizeof *m->marks);
    m->notes = pack_make(p, NOTE_COUNT * sizeof *m->notes);
    m->categories = pack_make(p, r->category_count * sizeof *m->categories);
    if (p->has_failed)
        return;
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++)
        m->marks[m->n_marks++] = mark_pack(p, mark_name(mark), &r->marks[mark]);
    for (unsigned note = 0; note < NOTE_COUNT; note++)
        m->notes[m->n_notes++] = mark_pack(p, note_name(note), &r->notes[note]);
    for (size_t i = 0; i < r->category_count; i++)
        m->categories[m->n_categories++] =
            mark_pack(p, r->categories[i].name, &r->categories[i].count);
}

static void shares_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    enum { ROWS = (SHARE_MARK_COUNT - DENOMINATOR_COUNT) * SHARE_OVER_COUNT };
    m->shares = pack_rows(p, ROWS, sizeof **m->shares);
    if (m->shares == NULL)
        return;
    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++)
        for (unsigned over = 0; over < SHARE_OVER_COUNT; over++) {
            Yamiscope__DayShare *row = m->shares[m->n_shares++];
            struct share packets = day_share(r, num, over, false);
            struct share sources = day_share(r, num, over, true);
            yamiscope__day_share__init(row);
            row->numerator = pack_text(mark_name(num));
            row->denominator = pack_text(share_over_name(over));
            row->packets_num = packets.num;
            row->packets_den = packets.den;
            row->sources_num = sources.num;
            row->sources_den = sources.den;
            row->absent = pack_text(day_share_absent(r, over));
        }
}

static void tools_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    m->tools = pack_rows(p, TOOL_COUNT, sizeof **m->tools);
    for (unsigned tool = 0; m->tools != NULL && tool < TOOL_COUNT; tool++) {
        if (r->tools[tool].matched.packets == 0)
            continue;
        Yamiscope__DayTool *row = m->tools[m->n_tools++];
        yamiscope__day_tool__init(row);
        row->tool = pack_text(tool_name(tool));
        row->matched = count_pack(p, &r->tools[tool].matched);
        row->used = count_pack(p, &r->tools[tool].used);
    }
}

static void rules_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    m->rule_counts = pack_rows(p, r->rule_count, sizeof **m->rule_counts);
    for (size_t i = 0; m->rule_counts != NULL && i < r->rule_count; i++) {
        const struct day_rule *rule = &r->rules_by_evidence[i];
        Yamiscope__DayRule *row = m->rule_counts[m->n_rule_counts++];
        yamiscope__day_rule__init(row);
        row->rule = pack_text(rule->id);
        row->category = pack_text(rule->category);
        row->evidence = pack_text(evidence_name(rule->evidence));
        row->count = count_pack(p, &rule->count);
        if (rule->iot != DAY_IOT_none)
            row->breadth = pack_text(rule->iot == DAY_IOT_strict ? "strict" : "shared");
        row->exploit = rule->is_exploit;
    }
}

/* The columns of one protocol's rows, [from, from + count). */
static void ports_pack(struct packer *p, const struct day_port *from, size_t count, bool has_ex,
                       Yamiscope__DayPorts *m)
{
    yamiscope__day_ports__init(m);
    m->proto = pack_text(window_proto_name(from->proto));
    uint64_t *columns = pack_make(p, 6 * count * sizeof *columns);
    uint32_t *numbers = pack_make(p, 3 * count * sizeof *numbers);
    m->categories = pack_make(p, count * sizeof *m->categories);
    if (p->has_failed)
        return;
    m->packets = columns;
    m->packets_ex = columns + count;
    m->sources = columns + 2 * count;
    m->sources_ex = columns + 3 * count;
    m->sources64 = columns + 4 * count;
    m->sources64_ex = columns + 5 * count;
    m->gap = numbers;
    m->category = numbers + count;
    m->iot = numbers + 2 * count;
    bool has_64 = false;
    for (size_t i = 0; i < count; i++) {
        const struct day_port *row = &from[i];
        size_t category = 0;
        m->gap[i] = i == 0 ? row->port : (uint32_t)(row->port - row[-1].port);
        m->packets[i] = row->count.packets;
        m->packets_ex[i] = row->count.packets_ex;
        m->sources[i] = row->count.sources;
        m->sources_ex[i] = row->count.sources_ex;
        m->sources64[i] = row->count.sources64;
        m->sources64_ex[i] = row->count.sources64_ex;
        has_64 |= row->count.sources64 != row->count.sources ||
                  row->count.sources64_ex != row->count.sources_ex;
        while (category < m->n_categories && strcmp(m->categories[category], row->category) != 0)
            category++;
        if (category == m->n_categories)
            m->categories[m->n_categories++] = pack_text(row->category);
        m->category[i] = (uint32_t)category;
        m->iot[i] = row->iot;
    }
    m->n_gap = m->n_packets = m->n_sources = m->n_category = m->n_iot = count;
    m->n_packets_ex = m->n_sources_ex = has_ex ? count : 0;
    m->n_sources64 = has_64 ? count : 0;
    m->n_sources64_ex = has_64 && has_ex ? count : 0;
}

static void all_ports_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    size_t tcp = 0;
    m->ports = pack_rows(p, PORT_PROTO_COUNT, sizeof **m->ports);
    if (m->ports == NULL)
        return;
    while (tcp < r->port_count && r->ports[tcp].proto == PORT_PROTO_TCP)
        tcp++;
    bool has_ex = r->ex_absent[0] == '\0';
    if (tcp > 0)
        ports_pack(p, r->ports, tcp, has_ex, m->ports[m->n_ports++]);
    if (tcp < r->port_count)
        ports_pack(p, r->ports + tcp, r->port_count - tcp, has_ex, m->ports[m->n_ports++]);
}

static Yamiscope__DayPlace **places_pack(struct packer *p, const struct day_place *rows,
                                         size_t count)
{
    Yamiscope__DayPlace **m = pack_rows(p, count, sizeof **m);
    for (size_t i = 0; m != NULL && i < count; i++) {
        yamiscope__day_place__init(m[i]);
        m[i]->country = pack_text(rows[i].country);
        m[i]->asn = rows[i].asn;
        m[i]->name = pack_text(rows[i].name);
        m[i]->total = count_pack(p, &rows[i].total);
        m[i]->scan = count_pack(p, &rows[i].scan);
        m[i]->iot_strict = count_pack(p, &rows[i].iot_strict);
        m[i]->iot_broad = count_pack(p, &rows[i].iot_broad);
        m[i]->iot_bot = count_pack(p, &rows[i].iot_bot);
    }
    return m;
}

static void coverage_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    Yamiscope__DayCoverage *c = pack_make(p, sizeof *c);
    if (c == NULL)
        return;
    yamiscope__day_coverage__init(c);
    m->coverage = c;
    c->watches = pack_rows(p, r->watch_count, sizeof **c->watches);
    for (size_t i = 0; c->watches != NULL && i < r->watch_count; i++) {
        yamiscope__day_watch__init(c->watches[i]);
        c->watches[i]->id = pack_text(r->watches[i].id);
        c->watches[i]->configured = r->watches[i].is_configured;
        c->watches[i]->ipv4 = r->watches[i].ipv4;
        c->watches[i]->seconds = r->watches[i].seconds;
    }
    c->n_watches = r->watch_count;
    c->seconds = r->seconds;
    c->ip4_packets = r->ip4_packets;
    c->ip4_packets_ex = r->ip4_packets_ex;
    c->ipv4 = r->ipv4;
    c->address_seconds = r->address_seconds;
    c->coverage_milli = r->coverage_milli;
    c->offered = r->offered;
    c->lost = r->lost;
}

static void day_pack(struct packer *p, const struct day_result *r, Yamiscope__Day *m)
{
    m->facts = pack_facts(p, r->facts);
    m->settings = pack_settings(p, &r->settings);
    m->rules = pack_rules(p, r->rules.name, r->rules.version, r->rules.sha256);
    m->mixed = r->is_mixed;
    m->exact = r->is_exact;
    m->complete = r->is_complete;
    m->ex_absent = pack_text(r->ex_absent);
    m->state = "final";
    kinds_pack(p, r, m);
    marks_pack(p, r, m);
    shares_pack(p, r, m);
    tools_pack(p, r, m);
    rules_pack(p, r, m);
    all_ports_pack(p, r, m);
    m->countries = places_pack(p, r->countries, r->country_count);
    m->n_countries = r->country_count;
    m->ases = places_pack(p, r->ases, r->as_count);
    m->n_ases = r->as_count;
    if (r->ex_absent[0] == '\0') {
        m->survey = class_pack(p, &r->survey);
        m->conflict = class_pack(p, &r->conflict);
    }
    m->acknowledged = class_pack(p, &r->acknowledged);
    m->bogon = class_pack(p, &r->bogon);
    m->organisations = classes_pack(p, r->organisations, r->organisation_count);
    m->n_organisations = r->organisation_count;
    m->blocks = classes_pack(p, r->blocks, r->block_count);
    m->n_blocks = r->block_count;
    coverage_pack(p, r, m);
}

Yamiscope__Day *pack_day(struct packer *p, const struct day_result *r)
{
    Yamiscope__Day *m = pack_make(p, sizeof *m);
    if (m == NULL)
        return NULL;
    yamiscope__day__init(m);
    day_pack(p, r, m);
    return p->has_failed ? NULL : m;
}

int record_pack_day(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                    const struct day_result *r)
{
    struct packer p = {0};
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;

    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_DAY;
    record.day = pack_day(&p, r);
    int err = record.day == NULL ? -ENOMEM : record_append(b, &record, crc);
    arena_fini(&p.arena);
    return err;
}
