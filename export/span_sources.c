/* Exact distinct sources of a span, from its source days' sums. */
#include "export/span_table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Which numbers may be taken: those that no rule decides, or all. Whether a source is taken out depends on
 * rules, too: an exploit keeps it in. */
static void count_take(struct span_count *to, const struct day_count *from, bool is_all)
{
    to->sources = (struct source_count){from->sources, from->sources};
    if (is_all)
        to->sources_ex = (struct source_count){from->sources_ex, from->sources_ex};
}

static void counts_take(struct span *s, const struct day_result *sums, bool is_all)
{
    for (unsigned i = 0; i < KIND_COUNT; i++)
        count_take(&s->kinds[i], &sums->kinds[i].count, is_all);
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        if (is_all || i < DENOMINATOR_COUNT)
            count_take(&s->marks[i], &sums->marks[i], is_all);
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        count_take(&s->notes[i], &sums->notes[i], is_all);
    for (unsigned i = 0; i < TOOL_COUNT; i++) {
        count_take(&s->tools[i], &sums->tools[i].matched, is_all);
        count_take(&s->tools_used[i], &sums->tools[i].used, is_all);
    }
}

static void rows_take(struct span *s, const struct day_result *sums, bool is_all)
{
    size_t j = 0;
    for (size_t i = 0; is_all && i < s->categories.count; i++) {
        struct span_row *row = &s->categories.rows[i];
        while (j < sums->category_count && strcmp(sums->categories[j].name, row->name) < 0)
            j++;
        if (j < sums->category_count && strcmp(sums->categories[j].name, row->name) == 0)
            count_take(&row->count, &sums->categories[j].count, true);
    }
    j = 0;
    for (size_t i = 0; i < s->rules.count; i++) {
        struct span_row *row = &s->rules.rows[i];
        struct span_row at = {.name = ""};
        for (; j < sums->rule_count; j++) {
            at.name = sums->rules_by_evidence[j].id;
            at.number = sums->rules_by_evidence[j].evidence;
            if (span_row_order(&at, row) >= 0)
                break;
        }
        if (j < sums->rule_count && span_row_order(&at, row) == 0 &&
            (is_all || row->number != EVIDENCE_port))
            count_take(&row->count, &sums->rules_by_evidence[j].count, is_all);
    }
    j = 0;
    for (size_t i = 0; i < s->ports.count; i++) {
        struct span_row *row = &s->ports.rows[i];
        for (; j < sums->port_count; j++)
            if (((uint32_t)sums->ports[j].proto << 16 | sums->ports[j].port) >= row->number)
                break;
        if (j < sums->port_count &&
            ((uint32_t)sums->ports[j].proto << 16 | sums->ports[j].port) == row->number)
            count_take(&row->count, &sums->ports[j].count, is_all);
    }
}

static void places_take(struct span_table *t, const struct day_place *from, size_t count,
                        bool is_all)
{
    size_t j = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct span_place *place = &t->places[i];
        struct span_place at = {.name = ""};
        for (; j < count; j++) {
            memcpy(at.country, from[j].country, sizeof at.country);
            at.asn = from[j].asn;
            if (span_place_order(&at, place) >= 0)
                break;
        }
        if (j == count || span_place_order(&at, place) != 0)
            continue;
        count_take(&place->total, &from[j].total, is_all);
        count_take(&place->scan, &from[j].scan, is_all);
        if (!is_all)
            continue;
        count_take(&place->iot_strict, &from[j].iot_strict, true);
        count_take(&place->iot_broad, &from[j].iot_broad, true);
        count_take(&place->iot_bot, &from[j].iot_bot, true);
    }
}

static void class_take(struct span_class *to, const struct day_class *from)
{
    to->sources = (struct source_count){from->sources, from->sources};
    to->scan_sources = (struct source_count){from->scan_sources, from->scan_sources};
}

static void members_take(struct span_table *t, const struct day_class *from, size_t count)
{
    size_t j = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct span_count *c = &t->rows[i].count;
        while (j < count && strcmp(from[j].name, t->rows[i].name) < 0)
            j++;
        if (j == count || strcmp(from[j].name, t->rows[i].name) != 0)
            continue;
        c->sources = (struct source_count){from[j].sources, from[j].sources};
        c->sources_ex = (struct source_count){from[j].scan_sources, from[j].scan_sources};
    }
}

/* Every day was computed under this very rule set. */
static bool is_under(const struct span *s, const struct ruleset *rules)
{
    return s->computed.count == 1 && strcmp(s->computed.at[0].basis.sha256, rules->sha256) == 0;
}

int span_add_sources(struct span *s, const struct day_result *sums, const struct ruleset *rules,
                     struct fault *fault)
{
    bool is_all = is_under(s, rules);
    /* The greatest numbers that no packet without a source is in. */
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (sums->kinds[i].count.packets > s->kinds[i].packets)
            return fault_set(
                fault, EINVAL,
                "%s: its source days have %" PRIu64 " packets of kind %s, its days %" PRIu64,
                s->label, sums->kinds[i].count.packets, kind_name(i), s->kinds[i].packets);
    for (unsigned i = DENOMINATOR_COUNT; is_all && i < SHARE_MARK_COUNT; i++)
        if (sums->marks[i].packets != s->marks[i].packets ||
            (s->ex_absent[0] == '\0' && sums->marks[i].packets_ex != s->marks[i].packets_ex))
            return fault_set(fault, EINVAL,
                             "%s: its source days have %" PRIu64 " packets of %s (%" PRIu64
                             " ex_survey), its days %" PRIu64 " (%" PRIu64 ")",
                             s->label, sums->marks[i].packets, mark_name(i),
                             sums->marks[i].packets_ex, s->marks[i].packets,
                             s->marks[i].packets_ex);
    counts_take(s, sums, is_all);
    rows_take(s, sums, is_all);
    places_take(&s->countries, sums->countries, sums->country_count, is_all);
    places_take(&s->ases, sums->ases, sums->as_count, is_all);
    if (is_all) {
        class_take(&s->survey, &sums->survey);
        class_take(&s->conflict, &sums->conflict);
        class_take(&s->acknowledged, &sums->acknowledged);
        class_take(&s->bogon, &sums->bogon);
        members_take(&s->organisations, sums->organisations, sums->organisation_count);
        members_take(&s->blocks, sums->blocks, sums->block_count);
    }
    s->has_sources = is_all;
    return 0;
}
