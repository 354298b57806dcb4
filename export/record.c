#include "export/record.h"

#include "capture/decode.h"
#include "export/record_bytes.h"
#include "export/record_ledger.h"
#include "export/record_pack.h"
#include "export/record_ports.h"

#include <endian.h>
#include <errno.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <string.h>

enum { DECAP_MAX = 4 };

/* Everything that a Window message points to. */
struct record_scratch {
    Yamiscope__KindCount kind[KIND_COUNT], *kinds[KIND_COUNT];
    Yamiscope__MarkCount mark[MARK_COUNT], *marks[MARK_COUNT];
    Yamiscope__SourceCount source[MARK_COUNT], source_out[SHARE_MARK_COUNT];
    Yamiscope__Hll hll[MARK_COUNT];
    Yamiscope__RuleCount rule[2 * RULES_MAX], *rules[2 * RULES_MAX]; /* evidence port, payload */
    uint32_t hll_gap[MARK_COUNT][HLL_REGISTERS];
    uint8_t hll_value[MARK_COUNT][HLL_REGISTERS]; /* or the dense form */
    struct record_ports *ports;
    ProtobufCMessageUnknownField port_tables[PORT_PROTO_COUNT];
};

uint32_t record_crc(uint32_t crc, const void *bytes, size_t len)
{
    uint32_t before = htole32(crc);
    /* ISA-L neither inverts at the start nor at the end; its arguments are not const. */
    uint32_t sum = crc32_iscsi((unsigned char *)&before, sizeof before, ~UINT32_C(0));
    return ~crc32_iscsi((unsigned char *)(uintptr_t)bytes, (int)len, sum);
}

int record_reserve(struct record_buffer *b, size_t more)
{
    size_t need = b->len + more;
    if (need <= b->size)
        return 0;
    size_t size = b->size < 4096 ? 4096 : b->size;
    while (size < need)
        size *= 2;
    uint8_t *data = realloc(b->data, size);
    if (data == NULL)
        return -ENOMEM;
    b->data = data;
    b->size = size;
    return 0;
}

/* The record's own crc stays zero, which proto3 leaves out. */
int record_append(struct record_buffer *b, const Yamiscope__Record *record, uint32_t *crc)
{
    size_t body = yamiscope__record__get_packed_size(record);
    if (body > RECORD_MAX - RECORD_CRC)
        return -EMSGSIZE;
    int err = record_reserve(b, VARINT_MOST + body + RECORD_CRC);
    if (err != 0)
        return err;

    uint8_t *at = b->data + b->len;
    at += varint_put(at, body + RECORD_CRC);
    yamiscope__record__pack(record, at);
    *crc = record_crc(*crc, at, body);
    at += body;
    *at++ = RECORD_CRC_TAG;
    uint32_t crc_le = htole32(*crc);
    memcpy(at, &crc_le, sizeof crc_le);
    b->len = (size_t)(at + sizeof crc_le - b->data);
    return 0;
}

/* protobuf-c's strings are not const; packing does not write to them. */
static char *text(const char *s) { return s == NULL ? "" : (char *)(uintptr_t)s; }

static Yamiscope__Telescope **pack_telescopes(struct packer *p, const struct feed_telescope *rows,
                                              size_t count)
{
    Yamiscope__Telescope **m = pack_rows(p, count, sizeof **m);
    for (size_t i = 0; m != NULL && i < count; i++) {
        yamiscope__telescope__init(m[i]);
        m[i]->id = text(rows[i].id);
        m[i]->configured = rows[i].is_configured;
        m[i]->ipv4 = rows[i].ipv4;
        m[i]->sizes = pack_rows(p, rows[i].size_count, sizeof **m[i]->sizes);
        m[i]->n_sizes = m[i]->sizes != NULL ? rows[i].size_count : 0;
        for (size_t k = 0; k < m[i]->n_sizes; k++) {
            yamiscope__telescope_size__init(m[i]->sizes[k]);
            m[i]->sizes[k]->from = rows[i].sizes[k].from;
            m[i]->sizes[k]->ipv4 = rows[i].sizes[k].ipv4;
        }
    }
    return m;
}

int record_pack_header(struct record_buffer *b, uint64_t seq, uint32_t *crc,
                       const struct feed_identity *identity, uint32_t segment,
                       enum feed_begin begin)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } decaps[DECAP_MAX] = {
        {DECAP_GRE, "gre"}, {DECAP_ERSPAN, "erspan"}, {DECAP_VXLAN, "vxlan"}, {DECAP_IPIP, "ipip"}};
    char *decap[DECAP_MAX];
    struct packer p = {0};
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;
    Yamiscope__Header header = YAMISCOPE__HEADER__INIT;
    Yamiscope__RuleSet rules = YAMISCOPE__RULE_SET__INIT;

    header.format = RECORD_FORMAT;
    header.sensor = text(identity->sensor);
    header.telescope_id = text(identity->telescope_id);
    header.telescope_ipv4 = identity->telescope_ipv4;
    header.telescope_configured = identity->telescope_configured;
    header.window_span_ns = identity->window_span_ns;
    header.lateness_ns = identity->lateness_ns;
    header.timezone = text(identity->timezone);
    header.filter = text(identity->filter);
    header.filtered = identity->filtered;
    header.decap = decap;
    for (size_t i = 0; i < DECAP_MAX; i++)
        if (identity->decap & decaps[i].bit)
            decap[header.n_decap++] = text(decaps[i].name);
    rules.name = text(identity->rules->name);
    rules.version = text(identity->rules->version);
    rules.sha256 = text(identity->rules->sha256);
    header.rules = &rules;
    header.segment = segment;
    header.begin = (Yamiscope__Begin)begin;
    header.program = text(identity->program);
    header.anonymised = text(identity->anonymised);
    header.sources = identity->has_sources;
    header.n_lists = identity->list_count;
    header.lists = pack_basis(&p, identity->lists, identity->list_count);
    header.n_databases = identity->database_count;
    header.databases = pack_basis(&p, identity->databases, identity->database_count);
    header.n_telescopes = identity->telescope_count;
    header.telescopes = pack_telescopes(&p, identity->telescopes, identity->telescope_count);
    if (identity->survey != NULL)
        header.survey = pack_survey(&p, identity->survey);
    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_HEADER;
    record.header = &header;
    int err = p.has_failed ? -ENOMEM : record_append(b, &record, crc);
    arena_fini(&p.arena);
    return err;
}

int record_pack_close(struct record_buffer *b, uint64_t seq, uint32_t *crc, uint64_t records,
                      bool finished, bool abandoned)
{
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;
    Yamiscope__Close close = YAMISCOPE__CLOSE__INIT;

    close.records = records;
    close.finished = finished;
    close.abandoned = abandoned;
    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_CLOSE;
    record.close = &close;
    return record_append(b, &record, crc);
}

int record_view(struct record_view *out, const uint8_t *record, size_t len)
{
    uint64_t tag, size;
    *out = (struct record_view){0};
    if (len <= RECORD_CRC || record[len - RECORD_CRC] != RECORD_CRC_TAG)
        return -EBADMSG;
    const uint8_t *at = record, *end = record + len - RECORD_CRC;
    if (*at == (1 << 3 | 0)) {
        at++;
        if (!varint_get(&at, end, &out->seq))
            return -EBADMSG;
    }
    if (!varint_get(&at, end, &tag) || (tag & 7) != 2 || tag >> 3 < 2 || tag >> 3 > 14 ||
        !varint_get(&at, end, &size) || size != (uint64_t)(end - at))
        return -EBADMSG;
    out->body_kind = (uint32_t)(tag >> 3);
    out->body = at;
    out->body_len = size;
    out->crc_over = len - RECORD_CRC;
    memcpy(&out->crc, end + 1, sizeof out->crc);
    out->crc = le32toh(out->crc);
    return 0;
}

static void kinds_fill(struct record_scratch *s, const struct window *w, Yamiscope__Window *out)
{
    out->kinds = s->kinds;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (w->kinds[kind].packets == 0)
            continue;
        Yamiscope__KindCount *row = s->kinds[out->n_kinds] = &s->kind[out->n_kinds];
        yamiscope__kind_count__init(row);
        row->kind = text(kind_name(kind));
        row->packets = w->kinds[kind].packets;
        row->bytes = w->kinds[kind].bytes;
        out->n_kinds++;
    }
}

/* Lists the registers that are set, until the list is no smaller than the dense form; *sparse gets its bytes. */
static uint32_t registers_list(const struct hll *h, const struct hll_blocks *blocks, uint32_t *gap,
                               uint8_t *value, size_t *sparse)
{
    uint32_t used = 0, before = 0;

    *sparse = 0;
    for (uint32_t block = 0; (block = hll_blocks_next(blocks, block)) < HLL_BLOCKS; block++)
        for (uint32_t i = block * HLL_BLOCK; i < (block + 1) * HLL_BLOCK; i++) {
            uint64_t eight;
            if (i % sizeof eight == 0) {
                memcpy(&eight, &h->at[i], sizeof eight);
                if (eight == 0) {
                    i += sizeof eight - 1;
                    continue;
                }
            }
            if (*sparse >= HLL_DENSE)
                return used;
            if (h->at[i] == 0)
                continue;
            gap[used] = i - before;
            *sparse += gap[used] < 0x80 ? 2 : 3;
            value[used++] = h->at[i];
            before = i;
        }
    return used;
}

/* The smaller of the two forms; NULL where no register is set. */
static Yamiscope__Hll *hll_fill(struct record_scratch *s, unsigned mark, const struct hll *h,
                                const struct hll_blocks *blocks)
{
    Yamiscope__Hll *out = &s->hll[mark];
    uint32_t *gap = s->hll_gap[mark];
    uint8_t *value = s->hll_value[mark];
    size_t sparse;
    uint32_t used = registers_list(h, blocks, gap, value, &sparse);

    if (used == 0)
        return NULL;
    yamiscope__hll__init(out);
    if (sparse < HLL_DENSE) {
        out->index = gap;
        out->n_index = used;
        out->value = (ProtobufCBinaryData){.data = value, .len = used};
    } else {
        hll_dense(h, value);
        out->dense = (ProtobufCBinaryData){.data = value, .len = HLL_DENSE};
    }
    return out;
}

/* What of the mark is taken out of _ex_survey. */
static void out_fill(struct record_scratch *s, const struct window *w, unsigned mark,
                     Yamiscope__MarkCount *row)
{
    if (!window_has_ex(w) || w->mark_packets_out[mark] == 0)
        return;
    row->packets_out = w->mark_packets_out[mark];
    row->sources_out = &s->source_out[mark];
    yamiscope__source_count__init(row->sources_out);
    row->sources_out->low = w->mark_sources_out[mark].low;
    row->sources_out->high = w->mark_sources_out[mark].high;
}

static void marks_fill(struct record_scratch *s, const struct window *w, Yamiscope__Window *out)
{
    struct hll_blocks blocks;

    window_hll_blocks(w, &blocks);
    out->marks = s->marks;
    for (unsigned mark = 0; mark < MARK_COUNT; mark++) {
        bool is_tool = mark >= SHARE_MARK_COUNT;
        if (is_tool && w->mark_packets[mark] == 0)
            continue;
        Yamiscope__MarkCount *row = s->marks[out->n_marks++] = &s->mark[mark];
        yamiscope__mark_count__init(row);
        row->mark = text(mark_name(mark));
        row->tool = is_tool;
        row->packets = w->mark_packets[mark];
        row->sources = &s->source[mark];
        yamiscope__source_count__init(row->sources);
        row->sources->low = w->mark_sources[mark].low;
        row->sources->high = w->mark_sources[mark].high;
        if (w->mark_sources[mark].high > 0)
            row->sources->hll = hll_fill(s, mark, &w->hll[mark], &blocks);
        if (!is_tool)
            out_fill(s, w, mark, row);
    }
}

static void basis_fill(const struct window_basis *from, Yamiscope__SurveyBasis *to)
{
    to->first = from->first;
    to->last = from->last;
    to->some = from->has_survey;
    to->without = from->lacks_survey;
}

static void rules_fill(struct record_scratch *s, const struct window *w,
                       const struct ruleset *rules, Yamiscope__Window *out)
{
    out->rules = s->rules;
    for (size_t i = 0; i < rules->rule_count && i < RULES_MAX; i++) {
        for (unsigned evidence = EVIDENCE_port; evidence < EVIDENCE_COUNT; evidence++) {
            const struct count *count = &w->rules[i][evidence];
            if (count->packets == 0)
                continue;
            Yamiscope__RuleCount *row = s->rules[out->n_rules] = &s->rule[out->n_rules];
            yamiscope__rule_count__init(row);
            row->rule = text(rules->rules[i].id);
            row->evidence = text(evidence_name((enum evidence)evidence));
            row->packets = count->packets;
            row->bytes = count->bytes;
            out->n_rules++;
        }
    }
}

static void totals_fill(const struct window_totals *from, Yamiscope__Totals *to)
{
    to->packets = from->packets;
    to->bytes = from->bytes;
    if (from->packets > 0) {
        to->first_ns = from->first_ns;
        to->last_ns = from->last_ns;
    }
    to->ip4 = from->ip4;
    to->ip6 = from->ip6;
    to->tcp = from->tcp;
    to->udp = from->udp;
    to->icmp = from->icmp;
    to->tcp_syn = from->tcp_syn;
    to->tcp_synack = from->tcp_synack;
    to->tcp_rst = from->tcp_rst;
    to->snapped = from->snapped;
}

int record_pack_window(struct record_buffer *b, uint64_t seq, uint32_t *crc, const struct window *w,
                       const struct ruleset *rules)
{
    Yamiscope__Record record = YAMISCOPE__RECORD__INIT;
    Yamiscope__Window window = YAMISCOPE__WINDOW__INIT;
    struct ledger_message ledger;
    Yamiscope__Totals totals = YAMISCOPE__TOTALS__INIT;
    Yamiscope__SurveyBasis basis = YAMISCOPE__SURVEY_BASIS__INIT;
    Yamiscope__GivenUp given_up = YAMISCOPE__GIVEN_UP__INIT;

    if (b->scratch == NULL && (b->scratch = calloc(1, sizeof *b->scratch)) == NULL)
        return -ENOMEM;
    struct record_scratch *s = b->scratch;
    if (s->ports == NULL && (s->ports = record_ports_create()) == NULL)
        return -ENOMEM;
    int tables = record_ports_write(s->ports, w, s->port_tables);
    if (tables < 0)
        return tables;
    window.base.n_unknown_fields = (unsigned)tables;
    window.base.unknown_fields = s->port_tables;
    window.start_ns = w->start_ns;
    window.span_ns = w->span_ns;
    window.part = w->part;
    window.partial = w->is_partial;
    window.without_sketches = w->lacks_sketches;
    ledger_pack(&ledger, &w->ledger);
    window.ledger = &ledger.of;
    window.totals = &totals;
    totals_fill(&w->totals, &totals);
    kinds_fill(s, w, &window);
    marks_fill(s, w, &window);
    rules_fill(s, w, rules, &window);
    basis_fill(&w->basis, &basis);
    window.survey_basis = window_has_ex(w) ? &basis : NULL;
    given_up.ports = w->given_up.ports;
    given_up.sources = w->given_up.sources;
    given_up.recorder_packets = w->given_up.recorder_packets;
    given_up.windows = w->given_up.windows;
    given_up.events = w->given_up.events;
    window.given_up = window_gave_up(w) ? &given_up : NULL;
    record.seq = seq;
    record.body_case = YAMISCOPE__RECORD__BODY_WINDOW;
    record.window = &window;
    return record_append(b, &record, crc);
}

void record_buffer_free(struct record_buffer *b)
{
    free(b->data);
    if (b->scratch != NULL)
        record_ports_destroy(b->scratch->ports);
    free(b->scratch);
    *b = (struct record_buffer){0};
}
