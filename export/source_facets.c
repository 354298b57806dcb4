/* Who was at a port: sums of sources. source_index.h has the manual. */
#include "export/saturate.h"
#include "export/source_index_format.h"

#include <errno.h>
#include <stdlib.h>

int port_facets_init(struct port_facets *f, size_t top)
{
    *f = (struct port_facets){.top_max = top < FACETS_TOP_MAX ? top : FACETS_TOP_MAX};
    f->top = malloc((f->top_max + 1) * sizeof *f->top);
    return f->top == NULL ? -ENOMEM : 0;
}

void port_facets_fini(struct port_facets *f)
{
    free(f->rules);
    free(f->top);
    arena_fini(&f->texts);
    *f = (struct port_facets){0};
}

/* Whether `a` stands behind `b` in the list. */
static bool is_less(const struct facet_source *a, const struct facet_source *b)
{
    return a->packets != b->packets ? a->packets < b->packets : a->at > b->at;
}

/* The least on top. */
static void heap_down(struct facet_source *heap, size_t count)
{
    for (size_t at = 0, least; (least = 2 * at + 1) < count; at = least) {
        if (least + 1 < count && is_less(&heap[least + 1], &heap[least]))
            least++;
        if (!is_less(&heap[least], &heap[at]))
            return;
        struct facet_source moved = heap[at];
        heap[at] = heap[least];
        heap[least] = moved;
    }
}

static void top_add(struct port_facets *f, struct facet_source s)
{
    if (f->top_count < f->top_max) {
        size_t at = f->top_count++;
        for (; at > 0 && is_less(&s, &f->top[(at - 1) / 2]); at = (at - 1) / 2)
            f->top[at] = f->top[(at - 1) / 2];
        f->top[at] = s;
    } else if (f->top_max > 0 && is_less(&f->top[0], &s)) {
        f->top[0] = s;
        heap_down(f->top, f->top_count);
    }
}

static void facet_add(struct facet *f, uint64_t packets)
{
    saturate_add(&f->packets, packets);
    f->sources++;
}

void facets_count(struct port_facets *f, uint64_t at, uint64_t packets, unsigned country,
                  uint32_t tools)
{
    facet_add(&f->all, packets);
    facet_add(&f->countries[country < SOURCE_COUNTRIES ? country : 0], packets);
    for (; tools != 0; tools &= tools - 1) {
        unsigned tool = (unsigned)__builtin_ctz(tools);
        if (tool < TOOL_COUNT)
            facet_add(&f->tools[tool], packets);
    }
    top_add(f, (struct facet_source){at, packets});
}

int facets_rule_add(struct port_facets *f, const char *rule, unsigned evidence, uint64_t packets,
                    uint64_t sources)
{
    size_t i = 0;
    while (i < f->rule_count &&
           (f->rules[i].evidence != evidence || strcmp(f->rules[i].rule, rule) != 0))
        i++;
    if (i == f->rule_count) {
        struct facet_rule *grown = realloc(f->rules, (i + 1) * sizeof *grown);
        const char *text = arena_text(&f->texts, rule, strlen(rule));
        f->rules = grown == NULL ? f->rules : grown;
        if (grown == NULL || text == NULL)
            return -ENOMEM;
        f->rules[f->rule_count++] =
            (struct facet_rule){.rule = text, .evidence = (uint8_t)evidence};
    }
    saturate_add(&f->rules[i].count.packets, packets);
    f->rules[i].count.sources += sources;
    return 0;
}

int port_facets_add(struct port_facets *f, unsigned proto, uint16_t port, uint64_t at,
                    const struct source_day *s, const struct source_targets *targets)
{
    const struct source_target *target = source_targets_find(targets, proto, port);
    if (target == NULL)
        return 0;
    facets_count(f, at, target->packets, source_country(s->origin.country),
                 source_targets_tools(s));
    size_t end = 0;
    for (size_t i = 0; s->evidence_count > 0 && i < targets->hit_count; i++) {
        const struct source_hit *hit = &targets->hits[i];
        if (hit->proto != proto || hit->port != port)
            continue;
        if (i >= end) {
            end = i;
            f->shown += source_targets_shown(targets, &end) >= target->packets;
        }
        if (facets_rule_add(f, hit->rule, hit->evidence, hit->packets, 1) != 0)
            return -ENOMEM;
    }
    return 0;
}

static int top_order(const void *a, const void *b) { return is_less(a, b) ? 1 : -1; }

static int rule_order(const void *a, const void *b)
{
    const struct facet_rule *x = a, *y = b;
    return x->evidence != y->evidence ? x->evidence - y->evidence : strcmp(x->rule, y->rule);
}

void port_facets_end(struct port_facets *f)
{
    if (f->top_count > 0)
        qsort(f->top, f->top_count, sizeof *f->top, top_order);
    if (f->rule_count > 0)
        qsort(f->rules, f->rule_count, sizeof *f->rules, rule_order);
}
