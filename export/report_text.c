#include "export/report_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 100, WIDTH_MIN = 40, TOP = 10 };

const char *report_word(const struct report_page *p, enum word w)
{
    return word(w, p->is_japanese);
}

const char *report_range(const struct report_page *p, struct source_count c, char to[REPORT_RANGE])
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (source_count_is_exact(c))
        snprintf(to, REPORT_RANGE, "%s", text_number(c.low, a));
    else
        snprintf(to, REPORT_RANGE, "%s%s%s", text_number(c.low, a), report_word(p, WORD_to),
                 text_number(c.high, b));
    return to;
}

uint64_t report_packets(const struct report_page *p, const struct span_count *c)
{
    return share_over_is_ex(p->over) ? c->packets_ex : c->packets;
}

struct source_count report_sources(const struct report_page *p, const struct span_count *c)
{
    return share_over_is_ex(p->over) ? c->sources_ex : c->sources;
}

void report_line(const struct report_page *p, const char *label, enum text_style style,
                 const char *words)
{
    fprintf(p->text.out, "%*s", REPORT_INDENT, "");
    unsigned used = text_print(&p->text, TEXT_DIM, label, REPORT_LABEL);
    fprintf(p->text.out, "%*s", (int)(REPORT_LABEL - used) + 1, "");
    text_paragraph(&p->text, style, words, REPORT_INDENT + REPORT_LABEL + 1);
}

void report_note(const struct report_page *p, const char *words)
{
    fprintf(p->text.out, "%*s", REPORT_INDENT, "");
    text_paragraph(&p->text, TEXT_DIM, words, REPORT_INDENT);
}

static void heading_over(const struct report_page *p, enum word w)
{
    char note[96];
    snprintf(note, sizeof note, p->is_japanese ? "分母 %s" : "of %s", share_over_name(p->over));
    text_heading(&p->text, report_word(p, w), note);
}

/* ---- head */

static void head_print(const struct report_page *p)
{
    const struct span *s = p->s;
    char line[REPORT_LINE], a[TEXT_NUMBER], b[REPORT_RANGE], words[REPORT_WORDS];

    const struct span_count *total = &s->marks[MARK_total];
    bool has_hours = !s->is_provisional && p->r->point_count > 0 && p->r->points[0].is_provisional;
    snprintf(line, sizeof line, "%s: %s %s, %s %s; %s%s%s%s%s%s%s", s->label,
             text_number(total->packets, a), word_unit(UNIT_packet, total->packets, p->is_japanese),
             report_range(p, total->sources, b),
             word_unit(UNIT_source, total->sources.high, p->is_japanese),
             report_word(p, s->is_provisional ? WORD_provisional : WORD_final),
             s->is_provisional ? "" : ", ",
             s->is_provisional ? ""
                               : report_word(p, s->is_complete ? WORD_complete : WORD_incomplete),
             s->is_exact ? "" : ", ", s->is_exact ? "" : report_word(p, WORD_inexact),
             has_hours ? "; " : "", has_hours ? report_word(p, WORD_hours_provisional) : "");
    fputc('\n', p->text.out);
    text_paragraph(&p->text, TEXT_BOLD, line, 0);
    if (!s->has_sources)
        report_note(p, report_word(p, WORD_bounds));
    if (!s->is_exact) {
        report_note(p, report_given_up(&s->given_up, p->is_japanese, words));
        report_note(p, report_word(p, WORD_inexact_note));
    }
}

/* ---- series */

struct series {
    const struct report_page *page;
    enum share_over over; /* of every point */
    uint64_t most;
    char dates[REPORT_DATES]; /* of the row being filled */
};

static void series_fill(const void *context, size_t index, struct text_row *row)
{
    struct series *series = (struct series *)context;
    const struct report_page *p = series->page;
    const struct report_point *point = &p->r->points[index];
    const uint64_t *packets = share_over_is_ex(series->over) ? point->packets_ex : point->packets;
    bool is_absent = share_over_is_ex(series->over) && !point->has_ex;

    row->cell[0] = point->label;
    row->cell[1] = !point->is_complete ? report_word(p, WORD_incomplete)
                   : point->is_exact   ? ""
                                       : report_word(p, WORD_inexact);
    if (point->is_provisional)
        row->cell[1] = point->has_ex
                           ? report_basis_dates(&point->basis, p->is_japanese, series->dates)
                           : report_word(p, WORD_absent);
    row->cell[2] = text_number(point->packets[MARK_total], row->number[2]);
    for (unsigned i = 0; i < 2; i++) {
        struct share share = {packets[i == 0 ? MARK_iot_strict : MARK_iot_broad],
                              packets[MARK_scan]};
        row->cell[3 + i] = is_absent ? "-" : share_text(share, row->number[3 + i]);
    }
    row->cell[5] = point->has_survey ? share_text(point->survey, row->number[5]) : "-";
    row->cell[6] = "-";
    if (point->per_address >= 0) {
        row->cell[6] = text_decimal(point->per_address, row->number[6]);
    }
    row->bar = series->most == 0 ? 0 : (double)point->packets[MARK_total] / (double)series->most;
    row->bar_style = TEXT_BAR;
}

/* Below the table: whom windows left out, or why they left out nobody. */
static void series_notes(const struct report_page *p, const struct window_basis *basis,
                         const char *absent)
{
    char line[REPORT_LINE], words[REPORT_WORDS];
    if (basis->has_ex)
        report_note(p, report_basis(basis, p->is_japanese, words));
    if (absent[0] == '\0')
        return;
    snprintf(line, sizeof line, "_ex_survey %s: %s", report_word(p, WORD_absent),
             report_reason(absent, p->is_japanese, words));
    report_note(p, line);
}

static void series_print(const struct report_page *p)
{
    if (p->r->point_count == 0)
        return;
    bool is_windows = p->r->points[0].is_provisional;
    const struct text_column columns[] = {
        {report_word(p, WORD_span)},
        {is_windows ? report_word(p, WORD_survey_basis) : "", .is_elastic = true, .is_dim = true},
        {report_word(p, WORD_packets), .is_right = true},
        {"iot_strict", .is_right = true},
        {"iot_broad", .is_right = true},
        {p->is_japanese ? "調査/total" : "survey of total", .is_right = true},
        {p->is_japanese ? "/アドレス" : "per address", .is_right = true},
    };
    struct series series = {.page = p};
    struct window_basis basis;
    const char *absent;
    char note[128];

    series.over = report_points_over(p->r->points, p->r->point_count, &basis, &absent);
    for (size_t i = 0; i < p->r->point_count; i++)
        if (series.most < p->r->points[i].packets[MARK_total])
            series.most = p->r->points[i].packets[MARK_total];
    snprintf(note, sizeof note,
             p->is_japanese ? "%s%siot_strict, iot_broad の分母 %s"
                            : "%s%siot_strict and iot_broad of %s",
             is_windows ? report_word(p, WORD_provisional) : "", is_windows ? "; " : "",
             share_over_name(series.over));
    text_heading(&p->text, report_word(p, WORD_series), note);
    /* Windows have not the last two. */
    text_table(&p->text, columns, is_windows ? 5 : 7, p->r->point_count, series_fill, &series);
    series_notes(p, &basis, absent);
}

/* ---- shares */

static const enum share_over over_order[SHARE_OVER_COUNT] = {
    SHARE_OVER_scan_ex_survey, SHARE_OVER_scan, SHARE_OVER_total_ex_survey, SHARE_OVER_total};

struct share_rows {
    const struct report_page *page;
    bool by_sources;
    char fraction[2 * REPORT_RANGE + 4]; /* of the row being filled */
};

/* A share of numbers that are not exact says so. */
static const char *signed_text(const struct report_page *p, struct share share,
                               enum share_over over, bool by_sources, char to[TEXT_NUMBER])
{
    char percent[SHARE_TEXT];
    snprintf(to, TEXT_NUMBER, "%s%s",
             share.den == 0 ? "" : report_share_sign(p->s, over, by_sources),
             share_text(share, percent));
    return to;
}

/* A share of sources known by bounds only is no share: its numbers stand there, no percent. */
static void share_fill(const void *context, size_t index, struct text_row *row)
{
    struct share_rows *rows = (struct share_rows *)context;
    const struct report_page *p = rows->page;
    enum mark mark = DENOMINATOR_COUNT + (unsigned)(index / SHARE_OVER_COUNT);
    enum share_over over = over_order[index % SHARE_OVER_COUNT];
    struct span_share share = span_share(p->s, mark, over);
    char a[REPORT_RANGE], b[REPORT_RANGE];
    bool is_exact =
        source_count_is_exact(share.sources_num) && source_count_is_exact(share.sources_den);

    row->cell[0] = index % SHARE_OVER_COUNT == 0 ? mark_name(mark) : "";
    row->cell[1] = share_over_name(over);
    row->bar_style = TEXT_BAR_IOT;
    row->bar = 0;
    if (share.absent[0] != '\0') {
        row->cell[2] = "-";
        row->cell[3] = report_word(p, WORD_absent);
        return;
    }
    struct share shown = share.packets;
    if (rows->by_sources)
        shown = (struct share){share.sources_num.low, share.sources_den.low};
    if (rows->by_sources && !is_exact)
        shown = (struct share){0, 0};
    row->cell[2] = signed_text(p, shown, over, rows->by_sources, row->number[2]);
    row->bar = share_ratio(shown);
    if (rows->by_sources)
        snprintf(rows->fraction, sizeof rows->fraction, "%s / %s",
                 report_range(p, share.sources_num, a), report_range(p, share.sources_den, b));
    else
        snprintf(rows->fraction, sizeof rows->fraction, "%s / %s",
                 text_number(share.packets.num, a), text_number(share.packets.den, b));
    row->cell[3] = rows->fraction;
}

/* Belongs to iot_confirmed: what is not assessable can't be confirmed. */
static void assessable_print(const struct report_page *p)
{
    struct span_share assessable = span_share_of(p->s, &p->s->notes[NOTE_assessable], p->over);
    char line[REPORT_LINE], words[SHARE_WORDS], a[TEXT_NUMBER], b[TEXT_NUMBER];

    if (p->s->days == 0 || assessable.absent[0] != '\0')
        return;
    snprintf(line, sizeof line, "%s (%s / %s): %s", share_words(assessable.packets, p->over, words),
             text_number(assessable.packets.num, a), text_number(assessable.packets.den, b),
             report_word(p, WORD_assessable_note));
    report_line(p, report_word(p, WORD_assessable), TEXT_PLAIN, line);
}

static void shares_print(const struct report_page *p)
{
    const struct text_column columns[] = {{report_word(p, WORD_numerator)},
                                          {report_word(p, WORD_denominator), .is_dim = true},
                                          {report_word(p, WORD_share), .is_right = true},
                                          {report_word(p, WORD_num_den), .is_right = true}};
    char words[REPORT_WORDS];
    for (unsigned i = 0; i < 2; i++) {
        struct share_rows rows = {.page = p, .by_sources = i == 1};
        text_heading(&p->text, report_word(p, WORD_shares),
                     report_word(p, i == 0 ? WORD_by_packets : WORD_by_sources));
        text_table(&p->text, columns, 4, (SHARE_MARK_COUNT - DENOMINATOR_COUNT) * SHARE_OVER_COUNT,
                   share_fill, &rows);
        if (i == 0)
            assessable_print(p);
    }
    for (unsigned i = DENOMINATOR_COUNT; i < SHARE_MARK_COUNT; i++)
        report_line(p, mark_name(i), TEXT_DIM, word_numerator(i, p->is_japanese));
    for (unsigned i = 0; i < SHARE_OVER_COUNT; i++)
        report_line(p, share_over_name(over_order[i]), TEXT_DIM,
                    word_denominator(over_order[i], p->is_japanese));
    if (!span_has_ex(p->s))
        report_line(p, "_ex_survey", TEXT_WARN,
                    report_reason(p->s->ex_absent, p->is_japanese, words));
    else if (p->s->basis.has_ex)
        report_line(p, "_ex_survey", TEXT_WARN, report_basis(&p->s->basis, p->is_japanese, words));
}

/* ---- tables of rows */

struct rows {
    const struct report_page *page;
    const struct span_row **at;
    char range[REPORT_RANGE]; /* of the row being filled */
};

/* Packets, their share and sources into three cells from `cell` on. */
static void row_count(struct rows *rows, struct text_row *row, unsigned cell,
                      const struct span_count *c)
{
    const struct report_page *p = rows->page;
    struct share share = {report_packets(p, c),
                          report_packets(p, &p->s->marks[share_over_mark(p->over)])};
    row->cell[cell] = text_number(share.num, row->number[cell]);
    row->cell[cell + 1] = share_text(share, row->number[cell + 1]);
    row->cell[cell + 2] = report_range(p, report_sources(p, c), rows->range);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

static void category_fill(const void *context, size_t index, struct text_row *row)
{
    struct rows *rows = (struct rows *)context;
    row->cell[0] = rows->at[index]->name;
    row_count(rows, row, 1, &rows->at[index]->count);
    if (strcmp(row->cell[0], "iot") == 0)
        row->bar_style = TEXT_BAR_IOT;
}

static void categories_print(const struct report_page *p)
{
    const struct text_column columns[] = {{report_word(p, WORD_category)},
                                          {report_word(p, WORD_packets), .is_right = true},
                                          {report_word(p, WORD_share), .is_right = true},
                                          {report_word(p, WORD_sources), .is_right = true}};
    size_t count;
    struct rows rows = {.page = p,
                        .at = report_rows(&p->s->categories, share_over_is_ex(p->over), &count)};
    if (count == 0) {
        free(rows.at);
        return;
    }
    heading_over(p, WORD_categories);
    text_table(&p->text, columns, 4, count, category_fill, &rows);
    report_note(p, report_word(p, WORD_categories_note));
    free(rows.at);
}

struct kind_rows {
    const struct report_page *page;
    unsigned kind[KIND_COUNT];
};

static void kind_fill(const void *context, size_t index, struct text_row *row)
{
    const struct kind_rows *rows = context;
    const struct report_page *p = rows->page;
    unsigned kind = rows->kind[index];
    struct share share = {p->s->kinds[kind].packets, p->s->marks[MARK_total].packets};
    row->cell[0] = kind_name(kind);
    row->cell[1] = word_kind(kind, p->is_japanese);
    row->cell[2] = text_number(share.num, row->number[2]);
    row->cell[3] = share_text(share, row->number[3]);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

static void kinds_print(const struct report_page *p)
{
    const struct text_column columns[] = {{report_word(p, WORD_kind)},
                                          {"", .is_elastic = true, .is_dim = true},
                                          {report_word(p, WORD_packets), .is_right = true},
                                          {report_word(p, WORD_share), .is_right = true}};
    struct kind_rows rows = {.page = p};
    size_t count = 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (p->s->kinds[kind].packets > 0)
            rows.kind[count++] = kind;
    text_heading(&p->text, report_word(p, WORD_kinds), p->is_japanese ? "分母 total" : "of total");
    text_table(&p->text, columns, 4, count, kind_fill, &rows);
}

static void port_fill(const void *context, size_t index, struct text_row *row)
{
    static const enum word iot[] = {WORD_none, WORD_iot_strict, WORD_iot_shared};
    struct rows *rows = (struct rows *)context;
    const struct report_page *p = rows->page;
    const struct span_row *port = rows->at[index];

    row->cell[0] = report_port(port, row->number[0]);
    row->cell[1] = report_device(p->r->rules, port, p->is_japanese);
    row->cell[2] = port->category;
    row->cell[3] = port->iot == DAY_IOT_none ? "" : report_word(p, iot[port->iot % 3]);
    row_count(rows, row, 4, &port->count);
    row->bar_style = port->iot == DAY_IOT_strict ? TEXT_BAR_IOT : TEXT_BAR;
}

static void ports_print(const struct report_page *p)
{
    const struct text_column columns[] = {{report_word(p, WORD_port)},
                                          {report_word(p, WORD_device), .is_elastic = true},
                                          {report_word(p, WORD_category)},
                                          {"IoT"},
                                          {report_word(p, WORD_packets), .is_right = true},
                                          {report_word(p, WORD_share), .is_right = true},
                                          {report_word(p, WORD_sources), .is_right = true}};
    size_t all;
    struct rows rows = {.page = p,
                        .at = report_rows(&p->s->ports, share_over_is_ex(p->over), &all)};
    size_t count = all < p->top ? all : p->top;
    uint64_t rest = 0;
    char line[REPORT_LINE], a[TEXT_NUMBER], b[TEXT_NUMBER];

    if (count > 0) {
        heading_over(p, WORD_ports);
        text_table(&p->text, columns, 7, count, port_fill, &rows);
        for (size_t i = count; i < all; i++)
            rest += report_packets(p, &rows.at[i]->count);
        snprintf(line, sizeof line, "%s: %s, %s %s", report_word(p, WORD_more_ports),
                 text_number(all - count, a), text_number(rest, b),
                 word_unit(UNIT_packet, rest, p->is_japanese));
        report_note(p, line);
    }
    free(rows.at);
}

static void rule_fill(const void *context, size_t index, struct text_row *row)
{
    static const enum word by[] = {WORD_none, WORD_evidence_port, WORD_evidence_bot,
                                   WORD_evidence_payload};
    struct rows *rows = (struct rows *)context;
    const struct span_row *rule = rows->at[index];

    row->cell[0] = rule->name;
    row->cell[1] = report_word(rows->page, by[rule->number % 4]);
    row->cell[2] = rule->category;
    row_count(rows, row, 3, &rule->count);
    if (strcmp(rule->category, "iot") == 0)
        row->bar_style = TEXT_BAR_IOT;
}

static void evidence_print(const struct report_page *p)
{
    const struct text_column columns[] = {{report_word(p, WORD_rule), .is_elastic = true},
                                          {report_word(p, WORD_evidence)},
                                          {report_word(p, WORD_category)},
                                          {report_word(p, WORD_packets), .is_right = true},
                                          {report_word(p, WORD_share), .is_right = true},
                                          {report_word(p, WORD_sources), .is_right = true}};
    size_t all;
    struct rows rows = {.page = p,
                        .at = report_rows(&p->s->rules, share_over_is_ex(p->over), &all)};
    size_t count = all < p->top ? all : p->top;

    if (count > 0) {
        heading_over(p, WORD_evidence);
        text_table(&p->text, columns, 6, count, rule_fill, &rows);
    }
    free(rows.at);
    assessable_print(p);
}

static void tool_fill(const void *context, size_t index, struct text_row *row)
{
    struct rows *rows = (struct rows *)context;
    const struct report_page *p = rows->page;
    const struct span_count *matched = &p->s->tools[index], *used = &p->s->tools_used[index];
    bool has_used = p->s->days > 0;
    struct share share = {matched->packets, p->s->marks[MARK_total].packets};
    struct share used_share = {used->packets, share.den};

    row->cell[0] = tool_name(index);
    row->cell[1] = text_number(share.num, row->number[1]);
    row->cell[2] = share_text(share, row->number[2]);
    row->cell[3] = has_used ? text_number(used_share.num, row->number[3]) : "-";
    row->cell[4] = has_used ? share_text(used_share, row->number[4]) : "-";
    row->cell[5] = report_range(p, has_used ? used->sources : matched->sources, rows->range);
    row->bar = share_ratio(has_used ? used_share : share);
    row->bar_style = TEXT_BAR;
}

static void tools_print(const struct report_page *p)
{
    const struct text_column columns[] = {{report_word(p, WORD_tool)},
                                          {report_word(p, WORD_matched), .is_right = true},
                                          {report_word(p, WORD_share), .is_right = true},
                                          {report_word(p, WORD_used), .is_right = true},
                                          {report_word(p, WORD_share), .is_right = true},
                                          {report_word(p, WORD_sources), .is_right = true}};
    struct rows rows = {.page = p};
    text_heading(&p->text, report_word(p, WORD_tools), p->is_japanese ? "分母 total" : "of total");
    text_table(&p->text, columns, 6, TOOL_COUNT, tool_fill, &rows);
}

void report_text(FILE *out, const struct report *r, const struct report_text_settings *settings)
{
    unsigned width = settings->width == 0 ? WIDTH : settings->width;
    struct report_page page = {
        .text = {.out = out,
                 .width = width < WIDTH_MIN ? WIDTH_MIN : width,
                 .is_color = settings->is_color,
                 .is_utf8 = settings->is_utf8},
        .r = r,
        .s = r->whole,
        .over = span_rows_have_ex(r->whole) ? SHARE_OVER_scan_ex_survey : SHARE_OVER_scan,
        .top = r->top == 0 ? TOP : r->top,
        .is_japanese = r->is_japanese && settings->is_utf8,
    };

    head_print(&page);
    series_print(&page);
    if (r->whole->marks[MARK_total].packets > 0) {
        shares_print(&page);
        categories_print(&page);
        ports_print(&page);
        evidence_print(&page);
        kinds_print(&page);
        tools_print(&page);
    }
    report_text_rest(&page);
}
