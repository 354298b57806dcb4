/* Spans from windows: provisional, packets exact, sources in bounds. */
#include "export/span_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct span_count count_of(uint64_t packets, struct source_count sources)
{
    return (struct span_count){.packets = packets, .sources = sources};
}

/* The category that a port's rules give it, as the pie has it, and its breadth. */
static void port_class_say(const struct ruleset *rules, unsigned proto, uint16_t port,
                           struct span_row *row)
{
    const struct port_class *class = &rules->classes[rules->port_class[proto][port]];
    const struct rule *iot = class->rules[0] == RULE_NONE ? NULL : &rules->rules[class->rules[0]];
    const struct rule *own = class->rules[1] == RULE_NONE ? NULL : &rules->rules[class->rules[1]];
    row->iot = iot == NULL                      ? DAY_IOT_none
               : iot->breadth == BREADTH_strict ? DAY_IOT_strict
                                                : DAY_IOT_shared;
    const struct rule *says = row->iot != DAY_IOT_strict && own != NULL ? own : iot;
    row->category = says == NULL ? "other" : says->category;
}

static int ports_add(struct span *s, const struct window *w, const struct ruleset *rules)
{
    size_t most = w->port_used[PORT_PROTO_TCP] + w->port_used[PORT_PROTO_UDP], count = 0;
    bool is_sorted = true; /* as records are */
    struct span_row *rows = malloc((most + 1) * sizeof *rows);
    if (rows == NULL)
        return -ENOMEM;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (uint32_t i = 0; i < w->port_used[proto]; i++) {
            const struct port_count *p = &w->ports[proto][i];
            if (p->scan == 0)
                continue;
            struct span_row row = {.name = "",
                                   .number = proto << 16 | p->port,
                                   .count = count_of(p->scan, p->sources)};
            port_class_say(rules, proto, p->port, &row);
            is_sorted = is_sorted && (count == 0 || rows[count - 1].number < row.number);
            rows[count++] = row;
        }
    if (!is_sorted)
        qsort(rows, count, sizeof *rows, span_row_order);
    int err = span_rows_merge(s, &s->ports, rows, count);
    free(rows);
    return err;
}

static int rules_add(struct span *s, const struct window *w, const struct ruleset *rules)
{
    struct span_row *rows = malloc((rules->rule_count * EVIDENCE_COUNT + 1) * sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < rules->rule_count; i++)
        for (unsigned e = 0; e < EVIDENCE_COUNT; e++)
            if (w->rules[i][e].packets > 0)
                rows[count++] = (struct span_row){
                    rules->rules[i].id, rules->rules[i].category, e, 0,
                    /* A window has no sources by rule: not even bounds but 0 and all packets. */
                    count_of(w->rules[i][e].packets,
                             (struct source_count){0, w->rules[i][e].packets})};
    qsort(rows, count, sizeof *rows, span_row_order);
    int err = span_rows_merge(s, &s->rules, rows, count);
    free(rows);
    return err;
}

/* Of a window's sources some are taken out in one part or sensor of it and not in another: then all that is
 * known is that they are no more than its sources. */
static struct span_count mark_of(const struct window *w, unsigned mark)
{
    struct source_count in = w->mark_sources[mark], out = w->mark_sources_out[mark];
    struct span_count c = count_of(w->mark_packets[mark], in);
    bool is_one = source_count_is_exact(in) && source_count_is_exact(out);
    if (!window_has_ex(w))
        return c;
    c.packets_ex = w->mark_packets[mark] - w->mark_packets_out[mark];
    c.sources_ex.low = in.low > out.high ? in.low - out.high : 0;
    c.sources_ex.high = is_one ? c.sources_ex.low : in.high;
    return c;
}

static void basis_add(struct span *s, const struct window *w)
{
    bool has_ex = window_has_ex(w);
    s->windows_absent += !has_ex;
    s->windows_with += has_ex && w->basis.has_survey;
    s->windows_without += has_ex && w->basis.lacks_survey;
    window_basis_merge(&s->basis, &w->basis);
}

int span_add_window(struct span *s, const struct window *w, const struct ruleset *rules,
                    bool has_ports)
{
    struct span_count c;
    int64_t end_ns;

    if (__builtin_add_overflow(w->start_ns, w->span_ns, &end_ns))
        end_ns = INT64_MAX;
    if (s->windows == 0 || w->start_ns < s->start_ns)
        s->start_ns = w->start_ns;
    if (s->windows == 0 || end_ns > s->end_ns)
        s->end_ns = end_ns;
    if (s->windows++ == 0) /* not for each of half a million */
        snprintf(s->size_absent, sizeof s->size_absent,
                 "made from windows: the seconds observed are known when the day is over");
    s->is_provisional = true;
    s->has_size = false;

    for (unsigned i = 0; i < KIND_COUNT; i++) {
        /* Likewise without sources. */
        c = count_of(w->kinds[i].packets, (struct source_count){0, w->kinds[i].packets});
        span_count_add(&s->kinds[i], &c);
        s->kind_bytes[i] += w->kinds[i].bytes;
    }
    basis_add(s, w);
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++) {
        c = mark_of(w, i);
        span_count_add(&s->marks[i], &c);
    }
    for (unsigned i = 0; i < TOOL_COUNT; i++) {
        c = count_of(w->mark_packets[SHARE_MARK_COUNT + i], w->mark_sources[SHARE_MARK_COUNT + i]);
        span_count_add(&s->tools[i], &c);
    }
    ledger_merge(&s->ledger, &w->ledger);
    s->offered = ledger_wanted(&s->ledger);
    s->lost = ledger_lost(&s->ledger);
    int err = rules_add(s, w, rules);
    if (err == 0 && has_ports)
        err = ports_add(s, w, rules);
    if (err < 0)
        s->err = err;
    return err;
}
