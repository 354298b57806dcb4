#include "export/report_html.h"

#include "export/json_string.h"
#include "export/page_embedded.h"
#include "export/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 10 };

void html_text(FILE *out, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
        size_t len = utf8_length(s);
        if (len == 0 || utf8_is_control(s, len)) {
            fputs("\xef\xbf\xbd", out);
            s += len == 0 ? 1 : len;
            continue;
        }
        if (*s == '&')
            fputs("&amp;", out);
        else if (*s == '<')
            fputs("&lt;", out);
        else if (*s == '>')
            fputs("&gt;", out);
        else if (*s == '"')
            fputs("&quot;", out);
        else if (*s == '\'')
            fputs("&#39;", out);
        else
            fwrite(s, 1, len, out);
        s += len;
    }
}

void html_unit(FILE *out, enum unit unit, uint64_t count)
{
    html_both(out, word_unit(unit, count, false), word_unit(unit, count, true));
}

void html_both(FILE *out, const char *en, const char *ja)
{
    if (strcmp(en, ja) == 0) {
        html_text(out, en);
        return;
    }
    fputs("<span lang=\"en\">", out);
    html_text(out, en);
    fputs("</span><span lang=\"ja\">", out);
    html_text(out, ja);
    fputs("</span>", out);
}

void html_say(FILE *out, enum word w) { html_both(out, word(w, false), word(w, true)); }

void html_reason(FILE *out, const char *why)
{
    char en[REPORT_WORDS], ja[REPORT_WORDS];
    html_both(out, report_reason(why, false, en), report_reason(why, true, ja));
}

void html_basis_of(FILE *out, const struct window_basis *basis)
{
    char en[REPORT_WORDS], ja[REPORT_WORDS];
    html_both(out, report_basis(basis, false, en), report_basis(basis, true, ja));
}

static void tip(FILE *out, const char *name, const char *en, const char *ja)
{
    fprintf(out,
            "<span class=\"tip\" tabindex=\"0\"><code>%s</code><span class=\"says\" "
            "role=\"tooltip\">",
            name);
    html_both(out, en, ja);
    fputs("</span></span>", out);
}

void html_over(FILE *out, enum share_over over)
{
    tip(out, share_over_name(over), word_denominator(over, false), word_denominator(over, true));
}

void html_mark(FILE *out, enum mark mark)
{
    tip(out, mark_name(mark), word_numerator(mark, false), word_numerator(mark, true));
}

void html_share(FILE *out, struct share share, enum share_over over)
{
    char percent[SHARE_TEXT];
    fputs("<b>", out);
    html_text(out, share_text(share, percent));
    fputs("</b> <span lang=\"en\">of </span>", out);
    html_over(out, over);
    fputs("<span lang=\"ja\"> に対して</span>", out);
}

void html_cell_number(FILE *out, uint64_t value)
{
    char number[TEXT_NUMBER];
    fprintf(out, "<td class=\"n\">%s</td>", text_number(value, number));
}

void html_cell_range(FILE *out, struct source_count c)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (source_count_is_exact(c))
        html_cell_number(out, c.low);
    else
        fprintf(out, "<td class=\"n\">%s–%s</td>", text_number(c.low, a), text_number(c.high, b));
}

void html_cell_percent(FILE *out, struct share share)
{
    char percent[SHARE_TEXT];
    fputs("<td class=\"n p\">", out);
    html_text(out, share_text(share, percent));
    fputs("</td>", out);
}

/* Attributes, no style: the page's policy takes no inline style. */
void html_cell_bar(FILE *out, double ratio, bool is_iot)
{
    double width = (ratio < 0 ? 0 : ratio > 1 ? 1 : ratio) * 100;
    fprintf(out,
            "<td class=\"b\" aria-hidden=\"true\"><svg viewBox=\"0 0 100 8\" "
            "preserveAspectRatio=\"none\"><rect class=\"%s\" width=\"%.2f\" "
            "height=\"8\"/></svg></td>",
            is_iot ? "iot" : "bar", width > 0 && width < 0.4 ? 0.4 : width);
}

void html_cell_absent(FILE *out, const char *why)
{
    fputs("<td class=\"n absent\" title=\"", out);
    html_text(out, why);
    fputs("\">–</td>", out);
}

void html_head(FILE *out, enum word w, bool is_right)
{
    fprintf(out, "<th scope=\"col\"%s>", is_right ? " class=\"n\"" : "");
    html_say(out, w);
    fputs("</th>", out);
}

void html_head_over(FILE *out, enum share_over over)
{
    fputs("<th scope=\"col\" class=\"n\"><span lang=\"en\">% of </span><span lang=\"ja\">% / "
          "</span>",
          out);
    html_over(out, over);
    fputs("</th>", out);
}

void html_section(FILE *out, const char *id, enum word heading)
{
    fprintf(out, "<section id=\"%s\"><h2>", id);
    html_say(out, heading);
    fputs("</h2>\n", out);
}

void html_note(FILE *out, enum word w)
{
    fputs("<p class=\"note\">", out);
    html_say(out, w);
    fputs("</p>\n", out);
}

void html_table_begin(FILE *out, const char *id)
{
    fprintf(out, "<div class=\"scroll\"><table id=\"%s\"><thead><tr>", id);
}

void html_table_body(FILE *out) { fputs("</tr></thead><tbody>\n", out); }
void html_table_end(FILE *out) { fputs("</tbody></table></div>\n", out); }
void html_head_bar(FILE *out) { fputs("<th class=\"b\" aria-hidden=\"true\"></th>", out); }

uint64_t html_packets(const struct html *h, const struct span_count *c)
{
    return share_over_is_ex(h->over) ? c->packets_ex : c->packets;
}

struct source_count html_sources(const struct html *h, const struct span_count *c)
{
    return share_over_is_ex(h->over) ? c->sources_ex : c->sources;
}

/* ---- data of the charts */

static void data_list(FILE *out, const char *name, const struct html *h, const struct span_table *t)
{
    size_t count;
    const struct span_row **rows = report_rows(t, share_over_is_ex(h->over), &count);
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",{\"name\":" : "{\"name\":", out);
        json_string(out, rows[i]->name);
        struct source_count sources = html_sources(h, &rows[i]->count);
        fprintf(out, ",\"packets\":%" PRIu64 ",\"low\":%" PRIu64 ",\"high\":%" PRIu64 "}",
                html_packets(h, &rows[i]->count), sources.low, sources.high);
    }
    fputs("]", out);
    free(rows);
}

static void data_points(FILE *out, const struct html *h)
{
    struct window_basis basis;
    const char *absent;
    enum share_over over = report_points_over(h->r->points, h->r->point_count, &basis, &absent);
    bool is_ex = share_over_is_ex(over);
    fprintf(out, ",\"points_over\":\"%s\",\"points\":[", share_over_name(over));
    for (size_t i = 0; i < h->r->point_count; i++) {
        const struct report_point *p = &h->r->points[i];
        const uint64_t *packets = is_ex ? p->packets_ex : p->packets;
        fputs(i > 0 ? ",{\"label\":" : "{\"label\":", out);
        json_string(out, p->label);
        fprintf(out, ",\"complete\":%s,\"has\":%s,\"kinds\":[",
                p->is_complete || p->is_provisional ? "true" : "false",
                !is_ex || p->has_ex ? "true" : "false");
        for (unsigned k = 0; k < KIND_COUNT; k++)
            fprintf(out, "%s%" PRIu64, k > 0 ? "," : "", p->kinds[k]);
        fputs("],\"marks\":[", out);
        for (unsigned m = 0; m < SHARE_MARK_COUNT; m++)
            fprintf(out, "%s%" PRIu64, m > 0 ? "," : "", packets[m]);
        fprintf(out, "],\"coverage\":%" PRIu32 "}", p->coverage_milli);
    }
    fputs("]", out);
}

static void data_words(FILE *out)
{
    static const struct {
        const char *name;
        enum word word;
    } list[] = {{"packets", WORD_packets},
                {"sources", WORD_sources},
                {"incomplete", WORD_incomplete},
                {"other", WORD_other}};
    fputs(",\"words\":{", out);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        fprintf(out, "%s\"%s\":[", i > 0 ? "," : "", list[i].name);
        json_string(out, word(list[i].word, false));
        fputs(",", out);
        json_string(out, word(list[i].word, true));
        fputs("]", out);
    }
    fputs("}", out);
}

static void data_fill(FILE *out, const struct html *h)
{
    fprintf(out, "{\"over\":\"%s\",\"scan\":%" PRIu64 ",\"kinds\":[", share_over_name(h->over),
            html_packets(h, &h->s->marks[MARK_scan]));
    for (unsigned i = 0; i < KIND_COUNT; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", kind_name(i));
    fputs("],\"marks\":[", out);
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", mark_name(i));
    fprintf(out, "],\"whole_over\":\"%s\",\"whole\":[", share_over_name(h->marks_over));
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        fprintf(out, "%s%" PRIu64, i > 0 ? "," : "",
                span_share(h->s, i, h->marks_over).packets.num);
    fputs("]", out);
    data_list(out, "categories", h, &h->s->categories);
    data_points(out, h);
    data_words(out);
    fputs("}", out);
}

/* In a script element nothing is escaped but by JSON itself: no `<` of a name may end it. */
static void data_print(const struct html *h)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return;
    data_fill(memory, h);
    if (fclose(memory) != 0) {
        free(text);
        return;
    }
    fputs("<script type=\"application/json\" id=\"data\">", h->out);
    for (size_t i = 0, len; i < size; i += len) {
        const unsigned char *s = (const unsigned char *)text + i;
        len = utf8_length(s); /* JSON is nothing else */
        len += len == 0;
        if (len > 1 && utf8_is_control(s, len))
            fputs("\\ufffd", h->out);
        else if (*s == '<' || *s == '>' || *s == '&')
            fprintf(h->out, "\\u%04x", *s);
        else
            fwrite(s, 1, len, h->out);
    }
    fputs("</script>\n", h->out);
    free(text);
}

/* ---- head and foot */

static void head_print(const struct html *h)
{
    FILE *out = h->out;
    bool ja = h->r->is_japanese;
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n"
            "<link rel=\"icon\" href=\"data:,\">\n<title>",
            ja ? "ja" : "en", page_style_policy, page_script_policy);
    html_text(out, h->s->label);
    fprintf(out, " · %s · yamiscope</title>\n<style>", word(WORD_report, ja));
    fwrite(page_style, 1, page_style_len, out);
    fputs("</style>\n</head>\n<body>\n", out);
    fprintf(out,
            "<input type=\"radio\" name=\"lang\" id=\"lang-en\" aria-label=\"English\"%s>"
            "<input type=\"radio\" name=\"lang\" id=\"lang-ja\" aria-label=\"日本語\"%s>\n",
            ja ? "" : " checked", ja ? " checked" : "");
    fputs("<div class=\"langs\" aria-hidden=\"true\"><label for=\"lang-en\">English</label>"
          "<label for=\"lang-ja\">日本語</label></div>\n",
          out);
}

static void badge(FILE *out, const char *class, enum word w)
{
    fprintf(out, "<span class=\"badge %s\">", class);
    html_say(out, w);
    fputs("</span>\n", out);
}

/* "2026-01-01/2026-01-31" is for programs. */
static void label_print(FILE *out, const char *label)
{
    const char *slash = strchr(label, '/');
    char from[SPAN_LABEL];
    if (slash == NULL) {
        html_text(out, label);
        return;
    }
    snprintf(from, sizeof from, "%.*s", (int)(slash - label), label);
    html_text(out, from);
    fputs(" – ", out);
    html_text(out, slash + 1);
}

static void title_print(const struct html *h)
{
    FILE *out = h->out;
    const struct span *s = h->s;
    fputs("<header><p class=\"brand\">yamiscope <span aria-hidden=\"true\">闇</span></p><h1>", out);
    html_say(out, WORD_report);
    fputs(" <span class=\"label\">", out);
    label_print(out, s->label);
    fputs("</span></h1>\n<p class=\"badges\">", out);
    badge(out, s->is_provisional ? "warn" : "good",
          s->is_provisional ? WORD_provisional : WORD_final);
    if (s->days > 0) {
        badge(out, s->is_complete ? "good" : "warn",
              s->is_complete ? WORD_complete : WORD_incomplete);
        fprintf(out, "<span class=\"badge\">%" PRIu64 " / %" PRIu64 " ", s->days, s->calendar_days);
        html_unit(out, UNIT_day, s->calendar_days);
        fputs("</span>\n", out);
    }
    if (s->is_mixed)
        badge(out, "warn", WORD_mixed);
    if (!s->is_exact)
        badge(out, "warn", WORD_inexact);
    if (s->restated_days > 0)
        badge(out, "warn", WORD_restated);
    fputs("<span class=\"badge\">", out);
    html_text(out, h->r->timezone);
    fputs("</span></p>\n", out);
    if (h->r->notes.count > 0 || !s->is_exact) {
        char en[REPORT_WORDS], ja[REPORT_WORDS];
        fputs("<ul class=\"notes\">", out);
        if (!s->is_exact) {
            fputs("<li>", out);
            html_both(out, report_given_up(&s->given_up, false, en),
                      report_given_up(&s->given_up, true, ja));
            fputs(". ", out);
            html_say(out, WORD_inexact_note);
            fputs("</li>", out);
        }
        for (size_t i = 0; i < h->r->notes.count; i++) {
            fputs("<li>", out);
            html_both(out, h->r->notes.at[i].en, h->r->notes.at[i].ja);
            fputs("</li>", out);
        }
        fputs("</ul>\n", out);
    }
    fputs("</header>\n", out);
}

/* ---- the few numbers first */

static void card_share(const struct html *h, enum mark mark)
{
    FILE *out = h->out;
    char percent[SHARE_TEXT], a[TEXT_NUMBER], b[TEXT_NUMBER];
    struct share share = span_share(h->s, mark, h->marks_over).packets;
    fputs("<div class=\"card iot\"><h3>", out);
    html_mark(out, mark);
    fputs("</h3><p class=\"big\">", out);
    if (share.den > 0)
        html_text(out, report_share_sign(h->s, h->marks_over, false));
    html_text(out, share_text(share, percent));
    fputs("</p><p><span lang=\"en\">of </span>", out);
    html_over(out, h->marks_over);
    fputs("<span lang=\"ja\"> に対する割合</span></p>", out);
    fprintf(out, "<p class=\"dim\">%s / %s ", text_number(share.num, a), text_number(share.den, b));
    html_unit(out, UNIT_packet, share.den);
    fputs("</p></div>\n", out);
}

static void card_packets(const struct html *h)
{
    FILE *out = h->out;
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    struct source_count sources = h->s->marks[MARK_total].sources;
    char en[REPORT_WORDS], ja[REPORT_WORDS];

    fputs("<div class=\"card\"><h3>", out);
    html_say(out, WORD_packets);
    fprintf(out, "</h3><p class=\"big\">%s</p><p>",
            text_number(h->s->marks[MARK_total].packets, a));
    if (report_per_address(h->s, false, false, en)[0] != '\0') {
        html_say(out, WORD_per_address);
        fputs(": ", out);
        html_both(out, en, report_per_address(h->s, false, true, ja));
    } else {
        html_reason(out, h->s->size_absent);
    }
    fprintf(out, "</p><p class=\"dim\">%s", text_number(sources.low, a));
    if (!source_count_is_exact(sources))
        fprintf(out, "–%s", text_number(sources.high, b));
    fputc(' ', out);
    html_unit(out, UNIT_source, sources.high);
    fputs("</p></div>\n", out);
}

static void card_survey(const struct html *h)
{
    FILE *out = h->out;
    char percent[SHARE_TEXT], a[TEXT_NUMBER], b[TEXT_NUMBER];
    struct share share = span_survey_share(h->s, SHARE_OVER_total);
    fputs("<div class=\"card\"><h3>", out);
    html_say(out, WORD_survey_share);
    fputs("</h3>", out);
    if (!span_rows_have_ex(h->s)) {
        fputs("<p class=\"big\">–</p><p>", out);
        if (span_has_ex(h->s))
            html_say(out, WORD_survey_windows);
        else
            html_reason(out, h->s->ex_absent);
        fputs("</p></div>\n", out);
        return;
    }
    fputs("<p class=\"big\">", out);
    html_text(out, share_text(share, percent));
    fputs("</p><p><span lang=\"en\">of </span>", out);
    html_over(out, SHARE_OVER_total);
    fputs("<span lang=\"ja\"> に対する割合</span></p>", out);
    fprintf(out, "<p class=\"dim\">%s / %s ", text_number(share.num, a), text_number(share.den, b));
    html_unit(out, UNIT_packet, share.den);
    fputs("</p></div>\n", out);
}

void report_html(FILE *out, const struct report *r)
{
    struct html h = {
        .out = out,
        .r = r,
        .s = r->whole,
        .over = span_rows_have_ex(r->whole) ? SHARE_OVER_scan_ex_survey : SHARE_OVER_scan,
        .marks_over = span_has_ex(r->whole) ? SHARE_OVER_scan_ex_survey : SHARE_OVER_scan,
        .top = r->top == 0 ? TOP : r->top,
    };
    head_print(&h);
    fputs("<main>\n", out);
    title_print(&h);
    fputs("<div class=\"cards\">\n", out);
    card_packets(&h);
    card_share(&h, MARK_iot_strict);
    card_share(&h, MARK_iot_broad);
    card_survey(&h);
    fputs("</div>\n<noscript><p class=\"dim\">", out);
    html_say(out, WORD_chart_needs);
    fputs("</p></noscript>\n", out);
    html_shares(&h);
    html_categories(&h);
    html_series(&h);
    html_ports(&h);
    html_evidence(&h);
    html_kinds(&h);
    html_tools(&h);
    html_classes(&h);
    html_places(&h);
    html_coverage(&h);
    html_basis(&h);
    html_definitions(&h);
    fputs("</main>\n<footer>yamiscope ", out);
    html_text(out, r->program);
    fputs("</footer>\n", out);
    data_print(&h);
    fputs("<script>", out);
    fwrite(page_script, 1, page_script_len, out);
    fputs("</script>\n</body>\n</html>\n", out);
}
