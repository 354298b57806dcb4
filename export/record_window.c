#include "export/record_window.h"

#include "export/unpack_budget.h"
#include "export/window_check.h"
#include "export/yamiscope.pb-c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_MAX = 16 << 20, /* bytes; both protocols' 65,536 rows at their widest take 8 MB */
};

struct record_window {
    struct window_check check;
    struct unpack_budget budget;
};

/* ---- names of rules ---- */

int rule_names_init(struct rule_names *n, const struct ruleset *fixed)
{
    memset(n, 0, sizeof *n);
    n->is_sorted = true;
    if (fixed != NULL) {
        n->is_fixed = true;
        n->set.rules = fixed->rules;
        n->set.rule_count = fixed->rule_count;
        return 0;
    }
    n->rules = calloc(RULES_MAX, sizeof *n->rules);
    n->set.rules = n->rules;
    return n->rules == NULL ? -ENOMEM : 0;
}

void rule_names_fini(struct rule_names *n)
{
    free(n->rules);
    arena_fini(&n->set.arena);
    memset(n, 0, sizeof *n);
}

void rule_names_change(struct rule_names *n, const struct ruleset *fixed)
{
    rule_names_fini(n);
    (void)rule_names_init(n, fixed); /* allocates nothing for a fixed set */
}

int rule_names_find(struct rule_names *n, const char *id, unsigned hint)
{
    const struct ruleset *set = &n->set;
    for (size_t i = 0; i < set->rule_count; i++) {
        size_t at = (hint + i) % set->rule_count;
        if (strcmp(set->rules[at].id, id) == 0)
            return (int)at;
    }
    if (n->is_fixed)
        return RULE_NONE;
    if (set->rule_count == RULES_MAX)
        return RULES_MAX;
    char *text = arena_text(&n->set.arena, id, strlen(id));
    if (text == NULL)
        return -ENOMEM;
    n->is_sorted = false;
    n->rules[set->rule_count].id = text;
    return (int)n->set.rule_count++;
}

static int by_id(const void *a, const void *b, void *context)
{
    const struct rule *rules = context;
    return strcmp(rules[*(const uint16_t *)a].id, rules[*(const uint16_t *)b].id);
}

int rule_names_sort(struct rule_names *n, struct window *w)
{
    struct sorting {
        uint16_t order[RULES_MAX];
        struct rule rules[RULES_MAX];
        struct count counts[RULES_MAX][EVIDENCE_COUNT];
    } * s;
    size_t count = n->set.rule_count;
    if (n->is_sorted)
        return 0;
    if ((s = malloc(sizeof *s)) == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        s->order[i] = (uint16_t)i;
    qsort_r(s->order, count, sizeof *s->order, by_id, n->rules);
    memcpy(s->counts, w->rules, sizeof s->counts);
    memcpy(s->rules, n->rules, count * sizeof *s->rules);
    for (size_t i = 0; i < count; i++) {
        memcpy(w->rules[i], s->counts[s->order[i]], sizeof w->rules[i]);
        n->rules[i] = s->rules[s->order[i]];
    }
    n->is_sorted = true;
    free(s);
    return 0;
}

/* ---- a window ---- */

struct record_window *record_window_create(void)
{
    struct record_window *u = calloc(1, sizeof *u);
    if (u != NULL)
        unpack_budget_init(&u->budget);
    return u;
}

void record_window_destroy(struct record_window *u) { free(u); }

void record_window_expect(struct record_window *u, int64_t span_ns, bool is_filtered)
{
    u->check.span_ns = span_ns;
    u->check.is_filtered = is_filtered;
    u->check.is_any_span = false;
}

void record_window_expect_any(struct record_window *u)
{
    u->check.is_any_span = u->check.is_filtered = true;
}

static void totals_take(struct window_totals *to, const Yamiscope__Totals *from)
{
    *to = (struct window_totals){
        .packets = from->packets,
        .bytes = from->bytes,
        .first_ns = from->first_ns,
        .last_ns = from->last_ns,
        .ip4 = from->ip4,
        .ip6 = from->ip6,
        .tcp = from->tcp,
        .udp = from->udp,
        .icmp = from->icmp,
        .tcp_syn = from->tcp_syn,
        .tcp_synack = from->tcp_synack,
        .tcp_rst = from->tcp_rst,
        .snapped = from->snapped,
    };
}

static void ports_take(struct window *w, unsigned proto, const Yamiscope__PortTable *t)
{
    uint32_t port = 0;
    for (size_t i = 0; i < t->n_gap; i++) {
        port += t->gap[i];
        struct port_count *row = window_port(w, proto, (uint16_t)port);
        row->packets = t->packets[i];
        row->bytes = t->bytes[i];
        row->syn = t->n_syn > 0 ? t->syn[i] : 0;
        row->scan = t->scan[i];
        row->sources.low = t->sources[i];
        row->sources.high = t->n_sources_high > 0 ? t->sources_high[i] : t->sources[i];
    }
}

/* Rows of one rule add up: a sound record has each once. */
static int rules_take(struct window *w, struct rule_names *names, const Yamiscope__Window *from,
                      struct fault *fault)
{
    unsigned hint = 0;
    for (size_t i = 0; i < from->n_rules; i++) {
        const Yamiscope__RuleCount *row = from->rules[i];
        int at = rule_names_find(names, row->rule, hint);
        if (at < 0)
            return fault_set(fault, ENOMEM, "no memory for a window");
        if (at == RULES_MAX)
            return fault_set(fault, E2BIG, "more than %d rules together", RULES_MAX);
        if (at == RULE_NONE) {
            names->unknown_packets += row->packets;
            continue;
        }
        unsigned evidence = EVIDENCE_COUNT - 1;
        while (evidence > 0 && strcmp(evidence_name(evidence), row->evidence) != 0)
            evidence--; /* the check lets pass no other */
        w->rules[at][evidence].packets += row->packets;
        w->rules[at][evidence].bytes += row->bytes;
        hint = (unsigned)at + 1;
    }
    return 0;
}

/* Of a record that holds. */
static void out_take(struct window *w, const Yamiscope__Window *from)
{
    const Yamiscope__SurveyBasis *basis = from->survey_basis;
    w->basis = (struct window_basis){.has_ex = basis != NULL, .lacks_ex = basis == NULL};
    if (basis == NULL)
        return;
    w->basis.has_survey = basis->some;
    w->basis.lacks_survey = basis->without;
    w->basis.first = basis->first;
    w->basis.last = basis->last;
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) { /* they are the first, all of them */
        const Yamiscope__MarkCount *row = from->marks[mark];
        w->mark_packets_out[mark] = row->packets_out;
        if (row->sources_out != NULL)
            w->mark_sources_out[mark] =
                (struct source_count){row->sources_out->low, row->sources_out->high};
    }
}

/* Of a record that holds, whose kinds and marks the check has by their numbers. */
static int window_take(struct record_window *u, struct window *w, struct rule_names *names,
                       const Yamiscope__Window *from, struct fault *fault)
{
    const struct window_check *c = &u->check;
    w->start_ns = from->start_ns;
    w->span_ns = from->span_ns;
    w->part = from->part;
    w->is_partial = from->partial;
    w->lacks_sketches = from->without_sketches;
    w->ledger = c->ledger;
    if (from->given_up != NULL)
        w->given_up = (struct window_given_up){.ports = from->given_up->ports,
                                               .sources = from->given_up->sources,
                                               .recorder_packets = from->given_up->recorder_packets,
                                               .windows = from->given_up->windows,
                                               .events = from->given_up->events};
    totals_take(&w->totals, from->totals);
    for (size_t i = 0, kind = 0; i < from->n_kinds; i++, kind++) {
        while (c->kinds[kind] == 0) /* the check has seen them in this order, with packets */
            kind++;
        w->kinds[kind].packets = from->kinds[i]->packets;
        w->kinds[kind].bytes = from->kinds[i]->bytes;
    }
    memcpy(w->mark_packets, c->marks, sizeof w->mark_packets);
    memcpy(w->mark_sources, c->sources, sizeof w->mark_sources);
    for (unsigned mark = 0; mark < MARK_COUNT; mark++)
        hll_blocks_merge(&c->blocks[mark], &w->hll[mark], &c->hll[mark]);
    out_take(w, from);
    for (size_t i = 0; i < from->n_ports; i++)
        for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
            if (strcmp(from->ports[i]->proto, window_proto_name(proto)) == 0)
                ports_take(w, proto, from->ports[i]);
    return rules_take(w, names, from, fault);
}

int record_unpack_window(struct record_window *u, struct window *w, struct rule_names *names,
                         const uint8_t *body, size_t len, struct fault *fault)
{
    if (len > BODY_MAX)
        return fault_set(fault, EBADMSG, "a window of %zu bytes, more than %d", len, BODY_MAX);
    u->budget.used = 0;
    Yamiscope__Window *from = yamiscope__window__unpack(&u->budget.allocator, len, body);
    if (from == NULL)
        return fault_set(fault, EBADMSG, "%s",
                         unpack_budget_is_out(&u->budget) ? "a window that unpacks to too much"
                                                          : "is no Window");
    int err = window_check(&u->check, from) ? window_take(u, w, names, from, fault)
                                            : fault_set(fault, EBADMSG, "%s", u->check.why);
    yamiscope__window__free_unpacked(from, &u->budget.allocator);
    return err;
}

bool record_window_start(const uint8_t *body, size_t len, int64_t *start_ns)
{
    enum { START_TAG = 1 << 3, LOOKED_AT = 16 };
    uint64_t value = 0;
    *start_ns = 0;
    if (len == 0 || body[0] != START_TAG) /* proto3 leaves a 0 out */
        return true;
    for (size_t i = 1; i < len && i < LOOKED_AT && i <= 10; i++) {
        value |= (uint64_t)(body[i] & 0x7f) << (7 * (i - 1));
        if (body[i] < 0x80) {
            *start_ns = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return false;
}
