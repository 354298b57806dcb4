/* The tables of who was taken out, places, coverage, and what all of it rests on. */
#include "export/damage_text.h"
#include "export/report_html.h"

#include <inttypes.h>
#include <stdlib.h>

static void class_row(const struct html *h, enum word w, bool is_known, const struct span_class *c)
{
    FILE *out = h->out;
    struct share total = {c->packets, h->s->marks[MARK_total].packets};
    struct share scan = {c->scan_packets, h->s->marks[MARK_scan].packets};
    fputs("<tr><th scope=\"row\">", out);
    html_say(out, w);
    fputs("</th>", out);
    if (!is_known) {
        fputs("<td class=\"absent\" colspan=\"5\">", out);
        html_say(out, WORD_absent);
        fputs(": ", out);
        html_reason(out, h->s->ex_absent);
        fputs("</td></tr>\n", out);
        return;
    }
    html_cell_number(out, total.num);
    html_cell_percent(out, total);
    html_cell_bar(out, share_ratio(total), false);
    html_cell_percent(out, scan);
    html_cell_range(out, c->sources);
    fputs("</tr>\n", out);
}

/* Organisations or blocks. */
static void members(const struct html *h, const char *id, enum word w, const struct span_table *t)
{
    FILE *out = h->out;
    size_t count;
    const struct span_row **rows = report_rows(t, false, &count);
    if (count > 0) {
        fprintf(out, "<details><summary>");
        html_say(out, w);
        fprintf(out, " × %zu</summary>", count);
        html_table_begin(out, id);
        html_head(out, w, false);
        html_head(out, WORD_packets, true);
        html_head_over(out, SHARE_OVER_total);
        html_head(out, WORD_sources, true);
        html_table_body(out);
        for (size_t i = 0; i < count; i++) {
            fputs("<tr><th scope=\"row\">", out);
            html_text(out, rows[i]->name);
            fputs("</th>", out);
            html_cell_number(out, rows[i]->count.packets);
            html_cell_percent(
                out, (struct share){rows[i]->count.packets, h->s->marks[MARK_total].packets});
            html_cell_range(out, rows[i]->count.sources);
            fputs("</tr>\n", out);
        }
        html_table_end(out);
        fputs("</details>\n", out);
    }
    free(rows);
}

void html_classes(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    if (s->days == 0)
        return;
    html_section(out, "survey", WORD_survey);
    html_note(out, WORD_survey_note);
    if (s->lists.count == 0) {
        fputs("<p class=\"warn\">", out);
        html_say(out, WORD_no_lists);
        fputs("</p>\n", out);
    }
    html_table_begin(out, "table-survey");
    html_head(out, WORD_class, false);
    html_head(out, WORD_packets, true);
    html_head_over(out, SHARE_OVER_total);
    html_head_bar(out);
    html_head_over(out, SHARE_OVER_scan);
    html_head(out, WORD_sources, true);
    html_table_body(out);
    class_row(h, WORD_class_survey, span_rows_have_ex(s), &s->survey);
    class_row(h, WORD_class_acknowledged, true, &s->acknowledged);
    class_row(h, WORD_class_bogon, true, &s->bogon);
    class_row(h, WORD_class_conflict, span_rows_have_ex(s), &s->conflict);
    html_table_end(out);
    members(h, "table-organisations", WORD_organisations, &s->organisations);
    members(h, "table-blocks", WORD_blocks, &s->blocks);
    fputs("</section>\n", out);
}

/* ---- places */

static void place_row(const struct html *h, const struct span_place *place, bool is_as)
{
    FILE *out = h->out;
    struct share scan = {html_packets(h, &place->scan), html_packets(h, &h->s->marks[MARK_scan])};
    fputs("<tr><th scope=\"row\">", out);
    if (is_as ? place->asn == 0 : place->country[0] == '\0')
        html_say(out, WORD_unknown);
    else if (is_as)
        fprintf(out, "AS%" PRIu32 " ", place->asn);
    html_text(out, is_as ? place->name : place->country);
    fputs("</th>", out);
    html_cell_number(out, scan.num);
    html_cell_percent(out, scan);
    html_cell_bar(out, share_ratio(scan), false);
    html_cell_percent(out, (struct share){html_packets(h, &place->iot_strict), scan.num});
    html_cell_range(out, html_sources(h, &place->scan));
    fputs("</tr>\n", out);
}

static void places_table(const struct html *h, const char *id, const struct span_table *t,
                         bool is_as)
{
    FILE *out = h->out;
    size_t count;
    const struct span_place **rows = report_places(t, share_over_is_ex(h->over), &count);
    html_table_begin(out, id);
    html_head(out, is_as ? WORD_as : WORD_country, false);
    html_head(out, WORD_packets, true);
    html_head_over(out, h->over);
    html_head_bar(out);
    fputs("<th scope=\"col\" class=\"n\">", out);
    html_mark(out, MARK_iot_strict);
    html_both(out, " of the row's packets", " / 行のパケット");
    fputs("</th>", out);
    html_head(out, WORD_sources, true);
    html_table_body(out);
    for (size_t i = 0; i < count && i < h->top; i++)
        place_row(h, rows[i], is_as);
    html_table_end(out);
    free(rows);
}

void html_places(const struct html *h)
{
    const struct span *s = h->s;
    bool has_countries = s->countries.count > 1 ||
                         (s->countries.count == 1 && s->countries.places[0].country[0] != '\0');
    bool has_ases = s->ases.count > 1 || (s->ases.count == 1 && s->ases.places[0].asn != 0);
    if (!has_countries && !has_ases)
        return;
    html_section(h->out, "places", WORD_places);
    if (has_countries)
        places_table(h, "table-countries", &s->countries, false);
    if (has_ases)
        places_table(h, "table-ases", &s->ases, true);
    fputs("</section>\n", h->out);
}

/* ---- coverage */

static void term(FILE *out, enum word w)
{
    fputs("<dt>", out);
    html_say(out, w);
    fputs("</dt><dd>", out);
}

static void flaws(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    char date[SPAN_DATE], en[REPORT_WORDS], ja[REPORT_WORDS];
    if (s->flaw_count == 0)
        return;
    fprintf(out, "<details%s><summary>", s->flaw_count <= h->top ? " open" : "");
    html_say(out, WORD_incomplete_days);
    fprintf(out, " × %zu</summary>", s->flaw_count);
    html_table_begin(out, "table-incomplete");
    html_head(out, WORD_date, false);
    html_head(out, WORD_observed, true);
    html_head(out, WORD_lost, true);
    html_head(out, WORD_state, false);
    html_table_body(out);
    for (size_t i = 0; i < s->flaw_count; i++) {
        const struct span_flaw *f = &s->flaws[i];
        span_date_text(f->date, date);
        fprintf(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%.3f %%</td>", date,
                (double)f->coverage_milli / 1000);
        html_cell_percent(out, (struct share){f->lost, f->offered});
        fputs("<td>", out);
        html_say(out, f->is_incomplete ? WORD_incomplete : WORD_complete);
        if (day_given_up_packets(&f->given_up) > 0) {
            fputs("; ", out);
            html_both(out, report_given_up(&f->given_up, false, en),
                      report_given_up(&f->given_up, true, ja));
        }
        fputs("</td></tr>\n", out);
    }
    html_table_end(out);
    fputs("</details>\n", out);
}

static void per_address(const struct html *h)
{
    FILE *out = h->out;
    char en[REPORT_WORDS], ja[REPORT_WORDS];
    term(out, WORD_per_address);
    if (report_per_address(h->s, false, false, en)[0] == '\0') {
        html_reason(out, h->s->size_absent);
        fputs("</dd>", out);
        return;
    }
    html_both(out, en, report_per_address(h->s, false, true, ja));
    if (report_per_address(h->s, true, false, en)[0] != '\0') {
        fputs("<br><code>_ex_survey</code> ", out);
        html_both(out, en, report_per_address(h->s, true, true, ja));
    }
    fputs("</dd>", out);
    if (report_full_days(h->s, false, en)[0] != '\0') {
        term(out, WORD_per_address_full);
        html_both(out, en, report_full_days(h->s, true, ja));
        fputs("</dd>", out);
    }
}

void html_coverage(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    char percent[SHARE_TEXT], a[TEXT_NUMBER], b[TEXT_NUMBER];

    html_section(out, "coverage", WORD_coverage);
    html_note(out, WORD_coverage_note);
    if (s->days > 0 && h->r->point_count > 1)
        fputs(
            "<figure class=\"chart wide short\"><div class=\"canvas\"><canvas "
            "id=\"chart-coverage\" role=\"img\" aria-label=\"coverage\"></canvas></div></figure>\n",
            out);
    fputs("<dl>", out);
    if (s->days > 0) {
        term(out, WORD_days);
        fprintf(out, "%" PRIu64 " / %" PRIu64 " ", s->days, s->calendar_days);
        html_unit(out, UNIT_day, s->calendar_days);
        fputs("</dd>", out);
        term(out, WORD_observed);
        fprintf(out, "%.3f %%</dd>", (double)s->coverage_milli / 1000);
    }
    term(out, WORD_lost);
    html_text(out, share_text((struct share){s->lost, s->offered}, percent));
    html_both(out, " of the packets offered", "（到達パケットに対して）");
    fprintf(out, " (%s / %s)</dd>", text_number(s->lost, a), text_number(s->offered, b));
    per_address(h);
    for (size_t i = 0; i < s->watch_count; i++) {
        term(out, WORD_telescope);
        if (s->watches[i].id[0] == '\0')
            html_say(out, WORD_no_id);
        else
            html_text(out, s->watches[i].id);
        fputs(": ", out);
        if (s->watches[i].is_configured)
            fprintf(out, "%s ", text_number(s->watches[i].ipv4, a));
        html_say(out, s->watches[i].is_configured ? WORD_addresses : WORD_size_unknown);
        fputs("</dd>", out);
    }
    fputs("</dl>\n", out);
    flaws(h);
    fputs("</section>\n", out);
}

/* ---- basis */

static void bases(FILE *out, enum word w, const struct span_bases *b)
{
    char built[TEXT_NUMBER];
    for (size_t i = 0; i < b->count; i++) {
        const struct day_basis *basis = &b->at[i].basis;
        term(out, w);
        html_text(out, basis->name);
        fputc(' ', out);
        html_text(out, w == WORD_databases ? report_built(basis->version, built) : basis->version);
        if (basis->sha256[0] != '\0') {
            fputs(" <code class=\"hash\">", out);
            html_text(out, basis->sha256);
            fputs("</code>", out);
        }
        fprintf(out, " · %" PRIu64 " ", b->at[i].days);
        html_unit(out, UNIT_day, b->at[i].days);
        fputs("</dd>\n", out);
    }
}

static void damage(const struct html *h)
{
    for (size_t i = 0; h->r->damaged != NULL && i < h->r->damaged->count; i++) {
        const struct damage *d = &h->r->damaged->at[i];
        char place[DAMAGE_PLACE];
        term(h->out, WORD_damaged);
        html_text(h->out, d->file);
        fputs(": ", h->out);
        html_text(h->out, damage_place(d, place));
        html_text(h->out, d->what);
        fputs("</dd>\n", h->out);
    }
}

void html_basis(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    const struct window_ledger *l = &s->ledger;
    char a[TEXT_NUMBER], b[TEXT_NUMBER], dropped[LEDGER_TEXT];

    html_section(out, "basis", WORD_basis);
    fputs("<dl>", out);
    term(out, WORD_ledger);
    for (unsigned ja = 0; ja < 2; ja++) {
        fprintf(out, "<span lang=\"%s\">", ja ? "ja" : "en");
        fprintf(out, ja ? "到達 %s = 観測 %s + %s" : "offered %s = observed %s + %s",
                text_number(l->offered, a), text_number(l->observed, b),
                ledger_dropped_text(l, " + ", ja, dropped));
        fputs("</span>", out);
    }
    fputs("</dd>\n", out);
    bases(out, WORD_rules_computed, &s->computed);
    bases(out, WORD_rules_labelled, &s->rules_labelled);
    bases(out, WORD_lists, &s->lists);
    bases(out, WORD_databases, &s->databases);
    bases(out, WORD_sensors, &s->sensors);
    if (s->days > 0) {
        const struct survey_settings *survey = &s->survey_settings;
        term(out, WORD_survey_settings);
        fprintf(out,
                "min_ports %" PRIu32 ", min_packets %" PRIu64 ", packets_per_address %.3f; IPv6 "
                "/64: min_ports %" PRIu32 ", min_packets %" PRIu64 "</dd>\n",
                survey->min_ports, survey->min_packets,
                (double)survey->packets_per_address_milli / 1000, survey->min_ports6,
                survey->min_packets6);
    }
    term(out, WORD_rules_in_force);
    html_text(out, h->r->rules->name);
    fputc(' ', out);
    html_text(out, h->r->rules->version);
    fputs(" <code class=\"hash\">", out);
    html_text(out, h->r->rules->sha256);
    fputs("</code></dd>\n", out);
    damage(h);
    fputs("</dl></section>\n", out);
}

void html_definitions(const struct html *h)
{
    FILE *out = h->out;
    html_section(out, "definitions", WORD_definitions);
    fputs("<dl>", out);
    for (unsigned i = 0; i < SHARE_OVER_COUNT; i++) {
        fprintf(out, "<dt><code>%s</code></dt><dd>", share_over_name(i));
        html_both(out, word_denominator(i, false), word_denominator(i, true));
        fputs("</dd>\n", out);
    }
    for (unsigned i = DENOMINATOR_COUNT; i < SHARE_MARK_COUNT; i++) {
        fprintf(out, "<dt><code>%s</code></dt><dd>", mark_name(i));
        html_both(out, word_numerator(i, false), word_numerator(i, true));
        fputs("</dd>\n", out);
    }
    fputs("</dl></section>\n", out);
}
