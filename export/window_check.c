#include "export/window_check.h"

#include "export/record_ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HLL_RANK_MAX = 64 - 14 + 1 };

/* Writes the reason; returns false, so that a rule can `return refuse(...)`. */
__attribute__((format(printf, 2, 3))) static bool refuse(struct window_check *c, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    return false;
}

static void add_up(uint64_t *sum, uint64_t value)
{
    if (__builtin_add_overflow(*sum, value, sum))
        *sum = UINT64_MAX;
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    add_up(&a, b);
    return a;
}

static bool must_equal(struct window_check *c, const char *a_name, uint64_t a, const char *b_name,
                       uint64_t b)
{
    if (a == b)
        return true;
    return refuse(c, "%s %" PRIu64 " is not %s %" PRIu64, a_name, a, b_name, b);
}

static bool must_not_exceed(struct window_check *c, const char *a_name, uint64_t a,
                            const char *b_name, uint64_t b)
{
    if (a <= b)
        return true;
    return refuse(c, "%s %" PRIu64 " exceeds %s %" PRIu64, a_name, a, b_name, b);
}

static bool ledger_is_sound(struct window_check *c, const Yamiscope__Window *w)
{
    struct window_ledger *l = &c->ledger;
    if (!ledger_unpack(l, w->ledger))
        return refuse(c, "unknown reasons of drops are not known ones, each once and in order");
    uint64_t accounted = sum_of(l->observed, ledger_dropped(l));
    if (l->filtered > 0 && !c->is_filtered)
        return refuse(c, "%" PRIu64 " packets filtered, where the header knows of no filter",
                      l->filtered);
    return must_equal(c, "offered", l->offered, "observed + dropped", accounted) &&
           must_equal(c, "observed", l->observed, "total packets", w->totals->packets) &&
           must_not_exceed(c, "late", l->late, "observed", l->observed);
}

static bool times_hold(struct window_check *c, const Yamiscope__Window *w)
{
    const Yamiscope__Totals *t = w->totals;
    /* The grid is the epoch's; the very first window of the type begins at its end. */
    if (w->span_ns > 0 && w->start_ns % w->span_ns != 0 && w->start_ns != INT64_MIN)
        return refuse(c, "start %" PRId64 " ns is no multiple of the span", w->start_ns);
    if (c->is_any_span && w->span_ns <= 0)
        return refuse(c, "a span of %" PRId64 " ns", w->span_ns);
    if (!c->is_any_span && w->span_ns != c->span_ns)
        return refuse(c, "span %" PRId64 " ns is not the header's %" PRId64 " ns", w->span_ns,
                      c->span_ns);
    if (t->packets == 0) {
        if (t->first_ns != 0 || t->last_ns != 0)
            return refuse(c, "packet times without packets");
        return true;
    }
    /* first - start can exceed the type. */
    __int128 end = (__int128)w->start_ns + w->span_ns;
    if (t->first_ns > t->last_ns)
        return refuse(c, "first packet %" PRId64 " ns is after the last %" PRId64 " ns",
                      t->first_ns, t->last_ns);
    if (t->first_ns < w->start_ns || t->last_ns >= end)
        return refuse(
            c, "packets of %" PRId64 " to %" PRId64 " ns lie outside the window at %" PRId64 " ns",
            t->first_ns, t->last_ns, w->start_ns);
    if (t->packets == 1 && t->first_ns != t->last_ns)
        return refuse(c, "one packet with two times");
    return true;
}

static bool totals_hold(struct window_check *c, const Yamiscope__Window *w)
{
    const Yamiscope__Totals *t = w->totals;
    uint64_t ip = sum_of(t->ip4, t->ip6), transports = sum_of(t->tcp, sum_of(t->udp, t->icmp));
    uint64_t flags = sum_of(t->tcp_syn, sum_of(t->tcp_synack, t->tcp_rst));
    return must_not_exceed(c, "ip4 + ip6", ip, "total packets", t->packets) &&
           must_not_exceed(c, "tcp + udp + icmp", transports, "ip4 + ip6", ip) &&
           must_not_exceed(c, "tcp_syn + tcp_synack + tcp_rst", flags, "tcp", t->tcp) &&
           must_not_exceed(c, "snapped", t->snapped, "total packets", t->packets);
}

static bool kinds_hold(struct window_check *c, const Yamiscope__Window *w)
{
    uint64_t packets = 0, bytes = 0;
    unsigned next = 0;

    memset(c->kinds, 0, sizeof c->kinds);
    for (size_t i = 0; i < w->n_kinds; i++) {
        const Yamiscope__KindCount *row = w->kinds[i];
        while (next < KIND_COUNT && strcmp(row->kind, kind_name(next)) != 0)
            next++;
        if (next == KIND_COUNT)
            return refuse(c, "kind \"%.40s\" is unknown or out of order", row->kind);
        if (row->packets == 0)
            return refuse(c, "kind %s without packets", row->kind);
        c->kinds[next++] = row->packets;
        add_up(&packets, row->packets);
        add_up(&bytes, row->bytes);
    }
    return must_equal(c, "sum of the kinds' packets", packets, "observed", w->ledger->observed) &&
           must_equal(c, "sum of the kinds' bytes", bytes, "total bytes", w->totals->bytes) &&
           must_not_exceed(c, "kind tcp_syn", c->kinds[KIND_tcp_syn], "tcp_syn of the headers",
                           w->totals->tcp_syn);
}

/* Into the sketch of a mark, which is clear. */
static bool sketch_read(struct window_check *c, unsigned mark, const Yamiscope__Hll *from)
{
    struct hll *to = &c->hll[mark];
    struct hll_blocks *blocks = &c->blocks[mark];
    if (from == NULL)
        return true;
    if (from->dense.len != 0) {
        if (from->dense.len != HLL_DENSE || from->n_index != 0 || from->value.len != 0)
            return refuse(c, "hll with a dense form of %zu bytes beside %zu sparse registers",
                          from->dense.len, from->n_index);
        hll_from_dense(to, from->dense.data);
        memset(blocks, 0xff, sizeof *blocks);
    } else {
        if (from->n_index == 0 || from->n_index != from->value.len)
            return refuse(c, "hll with %zu register numbers and %zu values", from->n_index,
                          from->value.len);
        uint64_t at = 0;
        for (size_t i = 0; i < from->n_index; i++) {
            at += from->index[i];
            if (at >= HLL_REGISTERS || (i > 0 && from->index[i] == 0))
                return refuse(c, "hll register %" PRIu64 " is twice there or beyond the last", at);
            if (from->value.data[i] == 0)
                return refuse(c, "hll register %" PRIu64 " is listed without a value", at);
            hll_blocks_add(blocks, (uint32_t)at);
            to->at[at] = from->value.data[i];
        }
    }
    for (uint32_t block = 0; (block = hll_blocks_next(blocks, block)) < HLL_BLOCKS; block++)
        for (uint32_t i = block * HLL_BLOCK; i < (block + 1) * HLL_BLOCK; i++)
            if (to->at[i] > HLL_RANK_MAX)
                return refuse(c, "hll register %" PRIu32 " holds %u, more than %d", i, to->at[i],
                              HLL_RANK_MAX);
    return true;
}

static uint64_t registers_used(const struct window_check *c, unsigned mark)
{
    uint64_t used = 0;
    for (uint32_t i = 0; (i = hll_blocks_next(&c->blocks[mark], i)) < HLL_BLOCKS; i++) {
        const uint8_t *at = &c->hll[mark].at[(size_t)i * HLL_BLOCK];
        for (size_t k = 0; k < HLL_BLOCK; k++)
            used += at[k] != 0;
    }
    return used;
}

/* The sources of a mark: its bounds, and its sketch against them. */
static bool sources_hold(struct window_check *c, unsigned mark, const Yamiscope__SourceCount *from)
{
    if (from == NULL)
        return refuse(c, "mark %s has no sources", mark_name(mark));
    if (from->low > from->high)
        return refuse(c, "mark %s has from %" PRIu64 " to %" PRIu64 " sources", mark_name(mark),
                      from->low, from->high);
    if (from->high > c->marks[mark])
        return refuse(c, "mark %s has %" PRIu64 " sources in %" PRIu64 " packets", mark_name(mark),
                      from->high, c->marks[mark]);
    if (!sketch_read(c, mark, from->hll))
        return false;
    uint64_t used = registers_used(c, mark);
    bool must_be_used = from->high > 0 && !c->is_without_sketches;
    if (used > from->high || (used == 0) == must_be_used)
        return refuse(c, "mark %s has %" PRIu64 " hll registers for %" PRIu64 " sources",
                      mark_name(mark), used, from->high);
    c->sources[mark] = (struct source_count){.low = from->low, .high = from->high};
    return true;
}

/* What is taken out of a mark is some of it. */
static bool out_holds(struct window_check *c, unsigned mark, const Yamiscope__MarkCount *row,
                      bool has_ex)
{
    const Yamiscope__SourceCount *sources = row->sources_out;
    uint64_t low = sources == NULL ? 0 : sources->low, high = sources == NULL ? 0 : sources->high;

    if ((!has_ex || row->tool) && (row->packets_out > 0 || sources != NULL))
        return refuse(c, "mark %s says what is taken out, where nothing is", mark_name(mark));
    if (row->packets_out > row->packets)
        return refuse(c, "mark %s has %" PRIu64 " packets, and %" PRIu64 " are taken out",
                      mark_name(mark), row->packets, row->packets_out);
    if ((sources != NULL) != (row->packets_out > 0) || (sources != NULL && sources->hll != NULL) ||
        low > high || (high == 0) != (row->packets_out == 0) || high > row->packets_out ||
        low > c->sources[mark].low || high > c->sources[mark].high)
        return refuse(c,
                      "mark %s: %" PRIu64 " to %" PRIu64 " sources with %" PRIu64
                      " packets are taken out of %" PRIu64 " to %" PRIu64,
                      mark_name(mark), low, high, row->packets_out, c->sources[mark].low,
                      c->sources[mark].high);
    if (mark < SHARE_MARK_COUNT) {
        c->marks_out[mark] = row->packets_out;
        c->sources_out[mark] = (struct source_count){low, high};
    }
    return true;
}

/* Where `a` is within `b`, so is what is taken out of it, and what stays. */
static bool out_within(struct window_check *c, unsigned a, unsigned b)
{
    const struct source_count *x = &c->sources_out[a], *y = &c->sources_out[b];
    if (c->marks_out[a] > c->marks_out[b] || x->low > y->low || x->high > y->high)
        return refuse(c, "what is taken out of %s exceeds what is of %s", mark_name(a),
                      mark_name(b));
    if (c->marks[a] - c->marks_out[a] > c->marks[b] - c->marks_out[b] ||
        c->sources[a].high - x->high > c->sources[b].high - y->high)
        return refuse(c, "what is left of %s exceeds what is of %s", mark_name(a), mark_name(b));
    return true;
}

/* No register of `a` is greater than that of `b`. */
static bool sketch_within(const struct window_check *c, unsigned a, unsigned b)
{
    for (uint32_t i = 0; (i = hll_blocks_next(&c->blocks[a], i)) < HLL_BLOCKS; i++) {
        const uint8_t *x = &c->hll[a].at[(size_t)i * HLL_BLOCK];
        const uint8_t *y = &c->hll[b].at[(size_t)i * HLL_BLOCK];
        unsigned greater = 0; /* without a branch, so that it becomes vectors */
        for (size_t k = 0; k < HLL_BLOCK; k++)
            greater |= x[k] > y[k];
        if (greater)
            return false;
    }
    return true;
}

/* Every packet and source of `a` is one of `b` too. */
static bool mark_within(struct window_check *c, unsigned a, unsigned b)
{
    if (c->marks[a] > c->marks[b])
        return refuse(c, "%s packets %" PRIu64 " exceed %s %" PRIu64, mark_name(a), c->marks[a],
                      mark_name(b), c->marks[b]);
    if (c->sources[a].low > c->sources[b].low || c->sources[a].high > c->sources[b].high)
        return refuse(c, "%s sources %" PRIu64 " exceed %s %" PRIu64, mark_name(a),
                      c->sources[a].high, mark_name(b), c->sources[b].high);
    if (!sketch_within(c, a, b))
        return refuse(c, "hll of %s holds a source that %s does not", mark_name(a), mark_name(b));
    return a >= SHARE_MARK_COUNT || b >= SHARE_MARK_COUNT || out_within(c, a, b);
}

static bool basis_holds(struct window_check *c, const Yamiscope__SurveyBasis *b)
{
    if (b == NULL)
        return true;
    if (!b->some && !b->without)
        return refuse(c, "survey_basis says neither some nor without");
    if (b->some ? b->first > b->last : b->first != 0 || b->last != 0)
        return refuse(c, "survey_basis is from day %" PRId32 " to %" PRId32, b->first, b->last);
    return true;
}

static bool given_up_holds(struct window_check *c, const Yamiscope__Window *w)
{
    const Yamiscope__GivenUp *g = w->given_up;
    if (g == NULL)
        return true;
    if (g->rules != 0 || g->damaged != 0 ||
        (g->ports == 0 && g->sources == 0 && g->recorder_packets == 0 && g->windows == 0 &&
         g->events == 0))
        return refuse(c, "given_up says nothing, or of rules or damage");
    return must_not_exceed(c, "given_up of ports", g->ports, "tcp + udp",
                           sum_of(w->totals->tcp, w->totals->udp)) &&
           must_not_exceed(c, "given_up of sources", g->sources, "total packets",
                           w->totals->packets);
}

static bool marks_hold(struct window_check *c, const Yamiscope__Window *w)
{
    unsigned next = 0;

    memset(c->marks, 0, sizeof c->marks);
    memset(c->sources, 0, sizeof c->sources);
    for (unsigned mark = 0; mark < MARK_COUNT; mark++)
        hll_blocks_clear(&c->blocks[mark], &c->hll[mark]);
    memset(c->blocks, 0, sizeof c->blocks);
    for (size_t i = 0; i < w->n_marks; i++) {
        const Yamiscope__MarkCount *row = w->marks[i];
        while (next >= SHARE_MARK_COUNT && next < MARK_COUNT &&
               strcmp(row->mark, mark_name(next)) != 0)
            next++;
        if (next == MARK_COUNT || strcmp(row->mark, mark_name(next)) != 0)
            return refuse(c, "mark \"%.40s\" is unknown or out of order", row->mark);
        if (row->tool != (next >= SHARE_MARK_COUNT) || (row->tool && row->packets == 0))
            return refuse(c, "mark %s is a tool without packets, or not what it says", row->mark);
        c->marks[next] = row->packets;
        if (!sources_hold(c, next, row->sources) ||
            !out_holds(c, next, row, w->survey_basis != NULL))
            return false;
        next++;
    }
    if (next < SHARE_MARK_COUNT)
        return refuse(c, "mark %s is missing", mark_name(next));

    uint64_t scan =
        sum_of(c->kinds[KIND_tcp_syn], sum_of(c->kinds[KIND_tcp_data], c->kinds[KIND_udp]));
    if (!must_equal(c, "mark total", c->marks[MARK_total], "observed", w->ledger->observed) ||
        !must_equal(c, "mark scan", c->marks[MARK_scan], "kinds tcp_syn + tcp_data + udp", scan))
        return false;
    for (unsigned mark = SHARE_MARK_COUNT; mark < MARK_COUNT; mark++)
        if (!mark_within(c, mark, MARK_total))
            return false;
    return mark_within(c, MARK_scan, MARK_total) && mark_within(c, MARK_iot_broad, MARK_scan) &&
           mark_within(c, MARK_iot_strict, MARK_iot_broad) &&
           mark_within(c, MARK_iot_bot, MARK_iot_broad) &&
           mark_within(c, MARK_iot_bot, MARK_tool_mirai) &&
           mark_within(c, MARK_iot_payload, MARK_iot_strict) &&
           mark_within(c, MARK_iot_payload, MARK_iot_confirmed) &&
           mark_within(c, MARK_iot_bot, MARK_iot_confirmed) &&
           mark_within(c, MARK_iot_confirmed, MARK_iot_broad);
}

static bool columns_are_equal(const Yamiscope__PortTable *t, bool is_tcp)
{
    size_t rows = t->n_gap;
    return rows > 0 && t->n_packets == rows && t->n_bytes == rows && t->n_scan == rows &&
           t->n_sources == rows && t->n_syn == (is_tcp ? rows : 0) &&
           (t->n_sources_high == 0 || t->n_sources_high == rows);
}

/* Adds a row's scan packets to the rules that hold for its port. */
static void row_to_rules(struct window_check *c, unsigned proto, uint32_t port, uint64_t scan)
{
    const struct port_class *class = &c->rules->classes[c->rules->port_class[proto][port]];
    for (unsigned i = 0; i < 2; i++)
        if (class->rules[i] != RULE_NONE)
            add_up(&c->by_port[class->rules[i]], scan);
    if (class->marks & 1u << MARK_iot_strict)
        add_up(&c->strict_by_port, scan);
    if (class->marks & 1u << MARK_iot_broad)
        add_up(&c->broad_by_port, scan);
}

static bool port_table_holds(struct window_check *c, const Yamiscope__PortTable *t, unsigned proto)
{
    struct window_check_ports *sum = &c->ports[proto];
    const char *name = window_proto_name(proto);
    uint64_t port = 0;
    bool is_merged = t->n_sources_high == 0;

    if (!columns_are_equal(t, proto == PORT_PROTO_TCP))
        return refuse(c, "columns of the %s ports differ in length", name);
    for (size_t i = 0; i < t->n_gap; i++) {
        uint64_t syn = t->n_syn > 0 ? t->syn[i] : 0;
        uint64_t high = t->n_sources_high > 0 ? t->sources_high[i] : t->sources[i];
        port += t->gap[i];
        if (port > UINT16_MAX || (i > 0 && t->gap[i] == 0))
            return refuse(c, "port %s/%" PRIu64 " is twice there or beyond the last", name, port);
        if (t->packets[i] == 0)
            return refuse(c, "port %s/%" PRIu64 " without packets", name, port);
        if (syn > t->packets[i] || t->scan[i] > t->packets[i])
            return refuse(c,
                          "port %s/%" PRIu64 ": syn %" PRIu64 ", scan %" PRIu64
                          " and packets %" PRIu64 " do not contain each other",
                          name, port, syn, t->scan[i], t->packets[i]);
        if (t->sources[i] > high || high > t->packets[i])
            return refuse(
                c, "port %s/%" PRIu64 ": %" PRIu64 " to %" PRIu64 " sources in %" PRIu64 " packets",
                name, port, t->sources[i], high, t->packets[i]);
        is_merged |= high != t->sources[i];
        add_up(&sum->packets, t->packets[i]);
        add_up(&sum->bytes, t->bytes[i]);
        add_up(&sum->syn, syn);
        add_up(&sum->scan, t->scan[i]);
        if (c->rules != NULL)
            row_to_rules(c, proto, (uint32_t)port, t->scan[i]);
    }
    if (!is_merged)
        return refuse(c, "sources_high of the %s ports equals sources throughout", name);
    return true;
}

static bool ports_hold(struct window_check *c, const Yamiscope__Window *w)
{
    const Yamiscope__Totals *t = w->totals;
    unsigned next = 0;

    memset(c->ports, 0, sizeof c->ports);
    memset(c->by_port, 0, sizeof c->by_port);
    c->strict_by_port = c->broad_by_port = 0;
    for (size_t i = 0; i < w->n_ports; i++) {
        while (next < PORT_PROTO_COUNT && strcmp(w->ports[i]->proto, window_proto_name(next)) != 0)
            next++;
        if (next == PORT_PROTO_COUNT)
            return refuse(c, "ports of \"%.40s\" are unknown or out of order", w->ports[i]->proto);
        if (!port_table_holds(c, w->ports[i], next++))
            return false;
    }
    const struct window_check_ports *tcp = &c->ports[PORT_PROTO_TCP],
                                    *udp = &c->ports[PORT_PROTO_UDP];
    /* A header cut before its ports is counted, without a row. */
    return must_not_exceed(c, "packets of the tcp ports", tcp->packets, "tcp", t->tcp) &&
           must_not_exceed(c, "packets of the udp ports", udp->packets, "udp", t->udp) &&
           must_not_exceed(c, "bytes of the ports", sum_of(tcp->bytes, udp->bytes), "total bytes",
                           t->bytes) &&
           must_equal(c, "syn of the tcp ports", tcp->syn, "tcp_syn of the headers",
                      w->totals->tcp_syn) &&
           must_equal(c, "scan of the tcp ports", tcp->scan, "kinds tcp_syn + tcp_data",
                      sum_of(c->kinds[KIND_tcp_syn], c->kinds[KIND_tcp_data])) &&
           must_not_exceed(c, "scan of the udp ports", udp->scan, "kind udp", c->kinds[KIND_udp]) &&
           /* A packet cut before its ports is a scan packet without a row. */
           must_not_exceed(c, "kind udp", c->kinds[KIND_udp], "scan of the udp ports + snapped",
                           sum_of(udp->scan, t->snapped));
}

/* The index of a rule's row of an evidence, looked for from `row` on and then from the begin; n_rules: it has none. */
static size_t rule_row(const Yamiscope__Window *w, const char *id, enum evidence evidence,
                       size_t row)
{
    for (size_t i = 0; i < w->n_rules; i++) {
        size_t at = row + i < w->n_rules ? row + i : row + i - w->n_rules;
        if (strcmp(w->rules[at]->rule, id) == 0 &&
            strcmp(w->rules[at]->evidence, evidence_name(evidence)) == 0)
            return at;
    }
    return w->n_rules;
}

/* By id, then evidence. */
static bool rules_ascend(const Yamiscope__Window *w)
{
    for (size_t i = 1; i < w->n_rules; i++) {
        int order = strcmp(w->rules[i - 1]->rule, w->rules[i]->rule);
        if (order == 0) /* "payload" comes before "port" in bytes and behind it in rows */
            order = strcmp(w->rules[i]->evidence, w->rules[i - 1]->evidence);
        if (order >= 0)
            return false;
    }
    return true;
}

/* Within what packets with payload evidence can change, in either direction. */
static bool must_be_near(struct window_check *c, const char *what, uint64_t value, uint64_t by_port)
{
    uint64_t apart = value > by_port ? value - by_port : by_port - value;
    if (apart > c->payload_packets)
        return refuse(c, "%s %" PRIu64 " is not its ports' rows %" PRIu64, what, value, by_port);
    return true;
}

/* Rows against the rule set, where it is known: what the port rows give each rule, less what had payload evidence.
 * The rows are in its order, or, of a merge that had another set at hand, in that of their ids. */
static bool rules_by_port(struct window_check *c, const Yamiscope__Window *w)
{
    const struct ruleset *set = c->rules;
    size_t next = 0, matched = 0;
    bool is_ordered = true;

    for (size_t rule = 0; rule < set->rule_count; rule++)
        for (enum evidence e = EVIDENCE_port; e < EVIDENCE_COUNT; e++) {
            uint64_t by_port = c->by_port[rule];
            if (e == EVIDENCE_bot || (e == EVIDENCE_port ? by_port : c->payload_packets) == 0)
                continue; /* it has no row */
            size_t row = rule_row(w, set->rules[rule].id, e, next);
            uint64_t packets = row < w->n_rules ? w->rules[row]->packets : 0;
            if (e == EVIDENCE_port && (packets > by_port || by_port - packets > c->payload_packets))
                return refuse(c, "rule %s has %" PRIu64 " packets, its ports' rows %" PRIu64,
                              set->rules[rule].id, packets, by_port);
            if (row == w->n_rules)
                continue;
            is_ordered &= row == next;
            next = row + 1;
            matched++;
        }
    if (matched != w->n_rules || (!is_ordered && !rules_ascend(w)))
        return refuse(c,
                      "%zu of %zu rules are unknown or without packets, or they are out of order",
                      w->n_rules - matched, w->n_rules);
    return must_be_near(c, "iot_strict", c->marks[MARK_iot_strict], c->strict_by_port) &&
           must_be_near(c, "iot_broad", c->marks[MARK_iot_broad], c->broad_by_port);
}

static bool rules_hold(struct window_check *c, const Yamiscope__Window *w)
{
    uint64_t by_port = sum_of(c->ports[PORT_PROTO_TCP].scan, c->ports[PORT_PROTO_UDP].scan);
    uint64_t bytes = sum_of(c->ports[PORT_PROTO_TCP].bytes, c->ports[PORT_PROTO_UDP].bytes);

    c->rule_packets = c->payload_packets = 0;
    if (w->n_rules > 2 * RULES_MAX)
        return refuse(c, "%zu rules", w->n_rules);
    for (size_t i = 0; i < w->n_rules; i++) {
        const Yamiscope__RuleCount *row = w->rules[i];
        bool is_payload = strcmp(row->evidence, evidence_name(EVIDENCE_payload)) == 0;
        if (!is_payload && strcmp(row->evidence, evidence_name(EVIDENCE_port)) != 0)
            return refuse(c, "rule %.40s: evidence \"%.40s\" is unknown", row->rule, row->evidence);
        if (row->rule[0] == '\0' || row->packets == 0)
            return refuse(c, "rule \"%.40s\" without a name or packets", row->rule);
        if (row->packets > by_port || row->bytes > bytes)
            return refuse(c, "rule %.40s exceeds the scan packets or bytes of all ports",
                          row->rule);
        add_up(&c->rule_packets, row->packets);
        if (is_payload)
            add_up(&c->payload_packets, row->packets);
    }
    if (!must_not_exceed(c, "packets with payload evidence", c->payload_packets,
                         "scan packets of ports", by_port))
        return false;
    /* A packet has at most an iot rule and a rule of its service; one of iot_broad has the former. */
    if (!must_not_exceed(c, "sum of the rules", c->rule_packets, "twice the scan packets of ports",
                         sum_of(by_port, by_port)) ||
        !must_not_exceed(c, "iot_broad", c->marks[MARK_iot_broad], "sum of the rules",
                         c->rule_packets))
        return false;
    return c->rules == NULL || rules_by_port(c, w);
}

bool window_check(struct window_check *c, const Yamiscope__Window *w)
{
    if (w->ledger == NULL || w->totals == NULL)
        return refuse(c, "window without ledger or totals");
    c->is_without_sketches = w->without_sketches;
    return ledger_is_sound(c, w) && times_hold(c, w) && totals_hold(c, w) && kinds_hold(c, w) &&
           given_up_holds(c, w) && basis_holds(c, w->survey_basis) && marks_hold(c, w) &&
           ports_hold(c, w) && rules_hold(c, w);
}
