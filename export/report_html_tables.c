/* The tables of shares, what is aimed at, and what packets are. */
#include "export/report_html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const enum share_over over_order[SHARE_OVER_COUNT] = {
    SHARE_OVER_scan_ex_survey, SHARE_OVER_scan, SHARE_OVER_total_ex_survey, SHARE_OVER_total};

static void figure(FILE *out, const char *id, enum word caption, const char *class)
{
    fprintf(out, "<figure class=\"chart %s\"><figcaption>", class);
    html_say(out, caption);
    fprintf(out,
            "</figcaption><div class=\"canvas\"><canvas id=\"%s\" role=\"img\" "
            "aria-label=\"%s\"></canvas></div></figure>\n",
            id, word(caption, false));
}

/* ---- shares */

/* A share of numbers that are not exact says so. */
static void cell_signed(const struct html *h, struct share share, enum share_over over,
                        bool by_sources)
{
    char percent[SHARE_TEXT];
    fputs("<td class=\"n p\">", h->out);
    if (share.den > 0)
        html_text(h->out, report_share_sign(h->s, over, by_sources));
    html_text(h->out, share_text(share, percent));
    fputs("</td>", h->out);
}

static void share_row(const struct html *h, enum mark mark, enum share_over over)
{
    FILE *out = h->out;
    struct span_share share = span_share(h->s, mark, over);
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    bool is_exact =
        source_count_is_exact(share.sources_num) && source_count_is_exact(share.sources_den);

    fprintf(out, "<tr data-share=\"%s/%s\"><td class=\"over\"><span lang=\"en\">of </span>",
            mark_name(mark), share_over_name(over));
    html_over(out, over);
    fputs("</td>", out);
    if (share.absent[0] != '\0') {
        fputs("<td class=\"absent\" colspan=\"5\">", out);
        html_say(out, WORD_absent);
        fputs(": ", out);
        html_reason(out, share.absent);
        fputs("</td></tr>\n", out);
        return;
    }
    cell_signed(h, share.packets, over, false);
    html_cell_bar(out, share_ratio(share.packets), true);
    fprintf(out, "<td class=\"n dim\">%s / %s</td>", text_number(share.packets.num, a),
            text_number(share.packets.den, b));
    if (is_exact) {
        cell_signed(h, (struct share){share.sources_num.low, share.sources_den.low}, over, true);
        fprintf(out, "<td class=\"n dim\">%s / %s</td>", text_number(share.sources_num.low, a),
                text_number(share.sources_den.low, b));
    } else {
        fprintf(out, "<td class=\"n\">–</td><td class=\"n dim\">%s–%s / ",
                text_number(share.sources_num.low, a), text_number(share.sources_num.high, b));
        fprintf(out, "%s–%s</td>", text_number(share.sources_den.low, a),
                text_number(share.sources_den.high, b));
    }
    fputs("</tr>\n", out);
}

/* Belongs to iot_confirmed: what is not assessable can't be confirmed. */
static void assessable_row(const struct html *h)
{
    FILE *out = h->out;
    struct span_share share = span_share_of(h->s, &h->s->notes[NOTE_assessable], h->over);
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (h->s->days == 0 || share.absent[0] != '\0')
        return;
    fputs("<tr><td class=\"over\">", out);
    html_say(out, WORD_assessable);
    fputs("<span lang=\"en\"> of</span> ", out);
    html_over(out, h->over);
    fputs("</td>", out);
    html_cell_percent(out, share.packets);
    html_cell_bar(out, share_ratio(share.packets), false);
    fprintf(out, "<td class=\"n dim\">%s / %s</td><td colspan=\"2\"></td></tr>\n",
            text_number(share.packets.num, a), text_number(share.packets.den, b));
}

void html_shares(const struct html *h)
{
    FILE *out = h->out;
    html_section(out, "shares", WORD_shares);
    html_note(out, WORD_shares_note);
    html_table_begin(out, "table-shares");
    html_head(out, WORD_denominator, false);
    html_head(out, WORD_by_packets, true);
    html_head_bar(out);
    html_head(out, WORD_num_den, true);
    html_head(out, WORD_by_sources, true);
    html_head(out, WORD_num_den, true);
    fputs("</tr></thead>\n", out);
    for (unsigned mark = DENOMINATOR_COUNT; mark < SHARE_MARK_COUNT; mark++) {
        fprintf(out,
                "<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"6\"><div "
                "class=\"group-head\"><code>%s</code> "
                "<span class=\"def\">",
                mark_name(mark));
        html_both(out, word_numerator(mark, false), word_numerator(mark, true));
        fputs("</span></div></th></tr>\n", out);
        for (unsigned i = 0; i < SHARE_OVER_COUNT; i++)
            share_row(h, mark, over_order[i]);
        if (mark == MARK_iot_confirmed)
            assessable_row(h);
        fputs("</tbody>\n", out);
    }
    fputs("</table></div>\n", out);
    if (h->s->basis.has_ex && span_has_ex(h->s)) {
        fputs("<p class=\"note\" id=\"survey-basis\">", out);
        html_basis_of(out, &h->s->basis);
        fputs("</p>\n", out);
    }
    if (!h->s->has_sources)
        html_note(out, WORD_bounds);
    fputs("</section>\n", out);
}

/* ---- categories */

/* Packets, their share of h->over, a bar, sources. */
static void count_cells(const struct html *h, const struct span_count *c, bool is_iot)
{
    struct share share = {html_packets(h, c),
                          html_packets(h, &h->s->marks[share_over_mark(h->over)])};
    html_cell_number(h->out, share.num);
    html_cell_percent(h->out, share);
    html_cell_bar(h->out, share_ratio(share), is_iot);
    html_cell_range(h->out, html_sources(h, c));
}

static void count_heads(const struct html *h)
{
    html_head(h->out, WORD_packets, true);
    html_head_over(h->out, h->over);
    html_head_bar(h->out);
    html_head(h->out, WORD_sources, true);
}

void html_categories(const struct html *h)
{
    FILE *out = h->out;
    size_t count;
    const struct span_row **rows =
        report_rows(&h->s->categories, share_over_is_ex(h->over), &count);
    if (count == 0) {
        free(rows);
        return;
    }
    html_section(out, "categories", WORD_categories);
    html_note(out, WORD_categories_note);
    fputs("<p class=\"note\">", out);
    html_say(out, WORD_denominator);
    fputs(": ", out);
    html_over(out, h->over);
    fputs("</p><div class=\"pair\">", out);
    figure(out, "chart-pie", WORD_by_packets, "pie");
    figure(out, "chart-sources", WORD_by_sources, "");
    fputs("</div>\n", out);
    html_note(out, WORD_categories_sources);
    html_table_begin(out, "table-categories");
    html_head(out, WORD_category, false);
    count_heads(h);
    html_table_body(out);
    for (size_t i = 0; i < count; i++) {
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, rows[i]->name);
        fputs("</th>", out);
        count_cells(h, &rows[i]->count, strcmp(rows[i]->name, "iot") == 0);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    figure(out, "chart-overlapping", WORD_overlapping, "wide short");
    html_note(out, WORD_overlapping_note);
    fputs("</section>\n", out);
    free(rows);
}

/* ---- series */

/* What the table of points is over, and stands on. */
struct series {
    enum share_over over;
    struct window_basis basis; /* of those that windows made */
    const char *absent;
};

static void point_row(const struct html *h, const struct series *series,
                      const struct report_point *p)
{
    FILE *out = h->out;
    bool is_ex = share_over_is_ex(series->over);
    char en[REPORT_DATES], ja[REPORT_DATES], number[TEXT_NUMBER];
    const uint64_t *packets = is_ex ? p->packets_ex : p->packets;
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, p->label);
    if (!p->is_complete && !p->is_provisional) {
        fputs(" <span class=\"warn\">", out);
        html_say(out, WORD_incomplete);
        fputs("</span>", out);
    }
    fputs("</th>", out);
    html_cell_number(out, p->packets[MARK_total]);
    html_cell_range(out, p->sources);
    if (p->per_address >= 0)
        fprintf(out, "<td class=\"n\">%s</td>", text_decimal(p->per_address, number));
    else
        html_cell_absent(out, "");
    if (p->has_survey)
        html_cell_percent(out, p->survey);
    else
        html_cell_absent(out, "");
    for (unsigned i = 0; i < 2; i++) {
        if (is_ex && !p->has_ex)
            html_cell_absent(out, p->ex_absent);
        else
            html_cell_percent(out,
                              (struct share){packets[i == 0 ? MARK_iot_strict : MARK_iot_broad],
                                             packets[MARK_scan]});
    }
    if (series->basis.has_ex && p->has_ex && p->is_provisional) {
        fputs("<td class=\"n\">", out);
        html_both(out, report_basis_dates(&p->basis, false, en),
                  report_basis_dates(&p->basis, true, ja));
        fputs("</td>", out);
    } else if (series->basis.has_ex) {
        html_cell_absent(out, p->ex_absent);
    }
    fputs("</tr>\n", out);
}

/* Below the charts: the denominator, and whom it leaves out where windows say it. */
static void series_notes(const struct html *h, const struct series *series)
{
    FILE *out = h->out;
    fputs("<p class=\"note\">", out);
    html_say(out, WORD_denominator);
    fputs(": ", out);
    html_over(out, series->over);
    fputs("</p>\n", out);
    if (series->basis.has_ex) {
        fputs("<p class=\"note\">", out);
        html_basis_of(out, &series->basis);
        fputs("</p>\n", out);
    }
    if (series->absent[0] != '\0') {
        fputs("<p class=\"note\"><code>_ex_survey</code> ", out);
        html_say(out, WORD_absent);
        fputs(": ", out);
        html_reason(out, series->absent);
        fputs("</p>\n", out);
    }
}

void html_series(const struct html *h)
{
    FILE *out = h->out;
    struct series series;
    if (h->r->point_count == 0)
        return;
    series.over =
        report_points_over(h->r->points, h->r->point_count, &series.basis, &series.absent);
    html_section(out, "series", WORD_series);
    figure(out, "chart-kinds", WORD_series_kinds, "wide");
    figure(out, "chart-shares", WORD_series_shares, "wide");
    series_notes(h, &series);
    fputs("<details><summary>", out);
    html_say(out, WORD_span);
    fprintf(out, " × %zu</summary>", h->r->point_count);
    html_table_begin(out, "table-series");
    html_head(out, WORD_span, false);
    html_head(out, WORD_packets, true);
    html_head(out, WORD_sources, true);
    html_head(out, WORD_per_address, true);
    fputs("<th scope=\"col\" class=\"n\">", out);
    html_say(out, WORD_survey_share);
    fputs(" / ", out);
    html_over(out, SHARE_OVER_total);
    fputs("</th>", out);
    for (unsigned i = 0; i < 2; i++) {
        fputs("<th scope=\"col\" class=\"n\">", out);
        html_mark(out, i == 0 ? MARK_iot_strict : MARK_iot_broad);
        fputs(" / ", out);
        html_over(out, series.over);
        fputs("</th>", out);
    }
    if (series.basis.has_ex)
        html_head(out, WORD_survey_basis, true);
    html_table_body(out);
    for (size_t i = 0; i < h->r->point_count; i++)
        point_row(h, &series, &h->r->points[i]);
    html_table_end(out);
    fputs("</details></section>\n", out);
}

/* ---- ports */

static void port_row(const struct html *h, const struct span_row *row)
{
    FILE *out = h->out;
    char port[TEXT_NUMBER];
    fprintf(out, "<tr><th scope=\"row\" class=\"port\">%s</th><td>", report_port(row, port));
    html_both(out, report_device(h->r->rules, row, false), report_device(h->r->rules, row, true));
    fputs("</td><td>", out);
    html_text(out, row->category);
    fputs("</td><td>", out);
    if (row->iot != DAY_IOT_none)
        html_say(out, row->iot == DAY_IOT_strict ? WORD_iot_strict : WORD_iot_shared);
    fputs("</td>", out);
    count_cells(h, &row->count, row->iot == DAY_IOT_strict);
    fputs("</tr>\n", out);
}

void html_ports(const struct html *h)
{
    FILE *out = h->out;
    size_t count;
    const struct span_row **rows = report_rows(&h->s->ports, share_over_is_ex(h->over), &count);
    size_t shown = count < h->top ? count : h->top;
    struct span_count rest = {0};
    char number[TEXT_NUMBER];

    if (shown == 0) {
        free(rows);
        return;
    }
    html_section(out, "ports", WORD_ports);
    html_note(out, WORD_ports_note);
    html_table_begin(out, "table-ports");
    html_head(out, WORD_port, false);
    html_head(out, WORD_device, false);
    html_head(out, WORD_category, false);
    html_head(out, WORD_iot, false);
    count_heads(h);
    html_table_body(out);
    for (size_t i = 0; i < shown; i++)
        port_row(h, rows[i]);
    for (size_t i = shown; i < count; i++) {
        rest.packets += rows[i]->count.packets;
        rest.packets_ex += rows[i]->count.packets_ex;
    }
    if (shown < count) {
        struct share share = {html_packets(h, &rest), html_packets(h, &h->s->marks[MARK_scan])};
        fprintf(out, "<tr class=\"rest\"><th scope=\"row\" colspan=\"4\">%s ",
                text_number(count - shown, number));
        html_say(out, WORD_more_ports);
        fputs("</th>", out);
        html_cell_number(out, share.num);
        html_cell_percent(out, share);
        html_cell_bar(out, share_ratio(share), false);
        fputs("<td></td></tr>\n", out);
    }
    html_table_end(out);
    fputs("</section>\n", out);
    free(rows);
}

/* ---- evidence */

static void rule_row(const struct html *h, const struct span_row *row)
{
    static const enum word by[] = {WORD_none, WORD_evidence_port, WORD_evidence_bot,
                                   WORD_evidence_payload};
    FILE *out = h->out;
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, row->name);
    fputs("</th><td>", out);
    html_say(out, by[row->number % 4]);
    fputs("</td><td>", out);
    html_text(out, row->category);
    fputs("</td>", out);
    count_cells(h, &row->count, strcmp(row->category, "iot") == 0);
    fputs("</tr>\n", out);
}

void html_evidence(const struct html *h)
{
    FILE *out = h->out;
    size_t count;
    const struct span_row **rows = report_rows(&h->s->rules, share_over_is_ex(h->over), &count);
    struct span_share assessable = span_share_of(h->s, &h->s->notes[NOTE_assessable], h->over);
    char a[TEXT_NUMBER], b[TEXT_NUMBER];

    html_section(out, "evidence", WORD_evidence);
    html_note(out, WORD_evidence_note);
    if (h->s->days > 0 && assessable.absent[0] == '\0') {
        fputs("<p id=\"assessable\"><b>", out);
        html_say(out, WORD_assessable);
        fputs("</b> ", out);
        html_share(out, assessable.packets, h->over);
        fprintf(out, " (%s / %s): ", text_number(assessable.packets.num, a),
                text_number(assessable.packets.den, b));
        html_say(out, WORD_assessable_note);
        fputs("</p>\n", out);
    }
    html_table_begin(out, "table-evidence");
    html_head(out, WORD_rule, false);
    html_head(out, WORD_evidence, false);
    html_head(out, WORD_category, false);
    count_heads(h);
    html_table_body(out);
    size_t most = h->top * 3; /* payload rules are rare, and what readers look for here */
    for (size_t i = 0; i < count; i++)
        if (i < most || rows[i]->number != EVIDENCE_port)
            rule_row(h, rows[i]);
    html_table_end(out);
    fputs("</section>\n", out);
    free(rows);
}

/* ---- kinds, tools */

void html_kinds(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    html_section(out, "kinds", WORD_kinds);
    html_table_begin(out, "table-kinds");
    html_head(out, WORD_kind, false);
    html_head(out, WORD_meaning, false);
    html_head(out, WORD_packets, true);
    html_head_over(out, SHARE_OVER_total);
    html_head_bar(out);
    if (s->days > 0)
        html_head(out, WORD_sources, true);
    html_table_body(out);
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        struct share share = {s->kinds[i].packets, s->marks[MARK_total].packets};
        if (share.num == 0)
            continue;
        fprintf(out, "<tr><th scope=\"row\">%s</th><td>", kind_name(i));
        html_both(out, word_kind(i, false), word_kind(i, true));
        fputs("</td>", out);
        html_cell_number(out, share.num);
        html_cell_percent(out, share);
        html_cell_bar(out, share_ratio(share), false);
        if (s->days > 0)
            html_cell_range(out, s->kinds[i].sources);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    fputs("</section>\n", out);
}

void html_tools(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    html_section(out, "tools", WORD_tools);
    html_note(out, WORD_tools_note);
    html_table_begin(out, "table-tools");
    html_head(out, WORD_tool, false);
    html_head(out, WORD_matched, true);
    html_head_over(out, SHARE_OVER_total);
    html_head(out, WORD_used, true);
    html_head_over(out, SHARE_OVER_total);
    html_head_bar(out);
    html_head(out, WORD_sources, true);
    html_table_body(out);
    for (unsigned i = 0; i < TOOL_COUNT; i++) {
        struct share matched = {s->tools[i].packets, s->marks[MARK_total].packets};
        struct share used = {s->tools_used[i].packets, matched.den};
        fprintf(out, "<tr><th scope=\"row\">%s</th>", tool_name(i));
        html_cell_number(out, matched.num);
        html_cell_percent(out, matched);
        if (s->days > 0) {
            html_cell_number(out, used.num);
            html_cell_percent(out, used);
        } else {
            html_cell_absent(out, "");
            html_cell_absent(out, "");
        }
        html_cell_bar(out, share_ratio(s->days > 0 ? used : matched), false);
        html_cell_range(out, s->days > 0 ? s->tools_used[i].sources : s->tools[i].sources);
        fputs("</tr>\n", out);
    }
    html_table_end(out);
    fputs("</section>\n", out);
}
