/* Shares, ports, tools and kinds. Part of watch_text. */
#include "export/report_words.h"
#include "export/watch_text_state.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = (int)KIND_COUNT > (int)TOOL_COUNT ? (int)KIND_COUNT : (int)TOOL_COUNT };
enum { NUMERATORS = SHARE_MARK_COUNT - DENOMINATOR_COUNT, WITH_NUMBERS = 100, WITH_BEFORE = 62 };

/* ---- shares */

struct share_rows {
    const struct watch_page *page;
    const struct span *before; /* final; NULL: not known */
    bool has_numbers, has_before;
    char numbers[2 * TEXT_NUMBER + 4]; /* of the row being filled */
};

/* Of the newest window. False: it does not know whom to leave out. */
static bool now_share(const struct watch_page *p, enum mark mark, struct share *out)
{
    const struct watch_window *n = watch_newest(p->w);
    bool is_ex = share_over_is_ex(p->over);
    if (n == NULL || (is_ex && !n->has_ex))
        return false;
    const uint64_t *at = is_ex ? n->marks_ex : n->marks;
    *out = (struct share){at[mark], at[share_over_mark(p->over)]};
    return true;
}

static void share_fill(const void *context, size_t index, struct text_row *row)
{
    struct share_rows *rows = (struct share_rows *)context;
    const struct watch_page *p = rows->page;
    enum mark mark = DENOMINATOR_COUNT + (unsigned)index;
    struct span_share share = span_share(p->s, mark, p->over);
    struct share now;
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    unsigned cell = 0;
    row->cell[cell++] = mark_name(mark);
    row->cell[cell++] = share_over_name(p->over);
    row->cell[cell] = now_share(p, mark, &now) ? share_text(now, row->number[cell]) : "-";
    cell++;
    bool is_there = share.absent[0] == '\0';
    row->cell[cell] = is_there ? share_text(share.packets, row->number[cell]) : "-";
    cell++;
    if (rows->has_numbers) {
        snprintf(rows->numbers, sizeof rows->numbers, "%s / %s", text_number(share.packets.num, a),
                 text_number(share.packets.den, b));
        row->cell[cell++] = is_there ? rows->numbers : word(WORD_absent, p->is_japanese);
    }
    if (rows->has_before) {
        struct span_share before = span_share(rows->before, mark, p->over);
        row->cell[cell] =
            before.absent[0] == '\0' ? share_text(before.packets, row->number[cell]) : "-";
    }
    row->bar = is_there ? share_ratio(share.packets) : 0;
    row->bar_style = TEXT_BAR_IOT;
}

/* The day before, where it is final. */
static const struct span *before_of(const struct watch_page *p)
{
    struct http_view *v = p->w->views[1];
    if (v == NULL || http_view_revision(v) == 0 ||
        http_view_day(v)->date != http_view_day(p->w->views[0])->date - 1)
        return NULL;
    return http_view_span(v);
}

void watch_print_shares(const struct watch_page *p, const struct text *t)
{
    struct share_rows rows = {.page = p, .before = before_of(p)};
    char note[REPORT_WORDS + 128], dates[REPORT_DATES], before[CALENDAR_DATE + 16] = "";
    bool is_final = http_view_revision(p->w->views[0]) > 0;
    rows.has_numbers = t->width >= WITH_NUMBERS;
    rows.has_before = rows.before != NULL && t->width >= WITH_BEFORE;
    if (rows.has_before)
        snprintf(before, sizeof before, "%s %s", watch_say(p, "final", "確定"),
                 rows.before->label + (strlen(rows.before->label) > 5 ? 5 : 0));
    struct text_column columns[TEXT_COLUMNS] = {
        {word(WORD_numerator, p->is_japanese)},
        {word(WORD_denominator, p->is_japanese), .is_elastic = true, .is_dim = true},
        {watch_say(p, "now", "現在"), .is_right = true},
        {watch_say(p, "day", "当日"), .is_right = true}};
    unsigned count = 4;
    if (rows.has_numbers)
        columns[count++] =
            (struct text_column){word(WORD_num_den, p->is_japanese), .is_right = true};
    if (rows.has_before)
        columns[count++] = (struct text_column){before, .is_right = true, .is_dim = true};
    int len = snprintf(note, sizeof note, "%s %s, %s", watch_say(p, "packets, of", "パケット 分母"),
                       share_over_name(p->over),
                       word(is_final ? WORD_final : WORD_provisional, p->is_japanese));
    if (!is_final && share_over_is_ex(p->over) && span_has_ex(p->s))
        snprintf(note + len, sizeof note - (size_t)len, "; %s %s",
                 word(WORD_survey_basis, p->is_japanese),
                 report_basis_dates(&p->s->basis, p->is_japanese, dates));
    char narrow[64];
    snprintf(narrow, sizeof narrow, "IoT / %s", share_over_name(p->over));
    if (t->width < WITH_BEFORE) /* the denominator comes first where there is little room */
        text_heading(t, narrow, word(is_final ? WORD_final : WORD_provisional, p->is_japanese));
    else
        text_heading(t, word(WORD_shares, p->is_japanese), note);
    text_table(t, columns, count, NUMERATORS, share_fill, &rows);
    if (share_over_is_ex(p->over) && !span_has_ex(p->s))
        watch_line(t, TEXT_WARN, p->s->ex_absent);
}

/* ---- tables of the day's packets */

struct rows {
    const struct watch_page *page;
    const struct span_row **at;
    unsigned index[ROWS_MOST];
    uint64_t den;
    bool is_wide;
    char range[2 * TEXT_NUMBER + 8];
};

static const char *range_text(const struct watch_page *p, struct source_count c, char *to,
                              size_t size)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (source_count_is_exact(c))
        snprintf(to, size, "%s", text_number(c.low, a));
    else
        snprintf(to, size, "%s%s%s", text_number(c.low, a), word(WORD_to, p->is_japanese),
                 text_number(c.high, b));
    return to;
}

static void port_fill(const void *context, size_t index, struct text_row *row)
{
    static const enum word iot[] = {WORD_none, WORD_iot_strict, WORD_iot_shared};
    struct rows *rows = (struct rows *)context;
    const struct watch_page *p = rows->page;
    const struct span_row *port = rows->at[index];
    struct share share = {p->by_ex ? port->count.packets_ex : port->count.packets, rows->den};
    row->cell[0] = report_port(port, row->number[0]);
    row->cell[1] = report_device(p->w->rules, port, p->is_japanese);
    row->cell[2] = port->iot == DAY_IOT_none ? "" : word(iot[port->iot % 3], p->is_japanese);
    row->cell[3] = text_number(share.num, row->number[3]);
    row->cell[4] = share_text(share, row->number[4]);
    if (rows->is_wide)
        row->cell[5] = range_text(p, p->by_ex ? port->count.sources_ex : port->count.sources,
                                  rows->range, sizeof rows->range);
    row->bar = share_ratio(share);
    row->bar_style = port->iot == DAY_IOT_strict ? TEXT_BAR_IOT : TEXT_BAR;
}

void watch_print_ports(const struct watch_page *p, const struct text *t, size_t top)
{
    const struct text_column columns[] = {{word(WORD_port, p->is_japanese)},
                                          {word(WORD_device, p->is_japanese), .is_elastic = true},
                                          {"IoT"},
                                          {word(WORD_packets, p->is_japanese), .is_right = true},
                                          {word(WORD_share, p->is_japanese), .is_right = true},
                                          {word(WORD_sources, p->is_japanese), .is_right = true}};
    enum share_over over = p->by_ex ? SHARE_OVER_scan_ex_survey : SHARE_OVER_scan;
    const struct span_count *scan = &p->s->marks[MARK_scan];
    char note[64];
    size_t all;
    struct rows rows = {.page = p,
                        .at = report_rows(&p->s->ports, p->by_ex, &all),
                        .den = p->by_ex ? scan->packets_ex : scan->packets,
                        .is_wide = t->width >= 72};
    snprintf(note, sizeof note, "%s %s", watch_say(p, "of", "分母"), share_over_name(over));
    text_heading(t, word(WORD_ports, p->is_japanese), note);
    text_table(t, columns, rows.is_wide ? 6 : 5, all < top ? all : top, port_fill, &rows);
    free(rows.at);
}

static size_t indexes_sort(unsigned *index, const struct span_count *counts, unsigned count)
{
    size_t kept = 0;
    for (unsigned i = 0; i < count; i++) {
        if (counts[i].packets == 0)
            continue;
        size_t at = kept++;
        for (; at > 0 && counts[index[at - 1]].packets < counts[i].packets; at--)
            index[at] = index[at - 1];
        index[at] = i;
    }
    return kept;
}

static void tool_fill(const void *context, size_t index, struct text_row *row)
{
    struct rows *rows = (struct rows *)context;
    const struct span_count *c = &rows->page->s->tools[rows->index[index]];
    struct share share = {c->packets, rows->den};
    row->cell[0] = tool_name(rows->index[index]);
    row->cell[1] = text_number(share.num, row->number[1]);
    row->cell[2] = share_text(share, row->number[2]);
    if (rows->is_wide)
        row->cell[3] = range_text(rows->page, c->sources, rows->range, sizeof rows->range);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

size_t watch_tool_rows(const struct watch_page *p)
{
    unsigned index[TOOL_COUNT];
    return indexes_sort(index, p->s->tools, TOOL_COUNT);
}

static void tools_line(const struct watch_page *p, const struct text *t, struct rows *rows,
                       size_t count)
{
    char line[WATCH_LINE], share[SHARE_TEXT];
    int len = snprintf(line, sizeof line, "%s (%s)%s", word(WORD_tools, p->is_japanese),
                       watch_say(p, "of total", "分母 total"), count == 0 ? ": -" : ":");
    for (size_t i = 0; i < count && (size_t)len < sizeof line; i++)
        len += snprintf(
            line + len, sizeof line - (size_t)len, "%s %s %s", i > 0 ? "," : "",
            tool_name(rows->index[i]),
            share_text((struct share){p->s->tools[rows->index[i]].packets, rows->den}, share));
    watch_line(t, TEXT_PLAIN, line);
}

void watch_print_tools(const struct watch_page *p, const struct text *t, bool is_line)
{
    const struct text_column columns[] = {{word(WORD_tool, p->is_japanese)},
                                          {word(WORD_matched, p->is_japanese), .is_right = true},
                                          {word(WORD_share, p->is_japanese), .is_right = true},
                                          {word(WORD_sources, p->is_japanese), .is_right = true}};
    struct rows rows = {
        .page = p, .den = p->s->marks[MARK_total].packets, .is_wide = t->width >= 72};
    size_t count = indexes_sort(rows.index, p->s->tools, TOOL_COUNT);
    if (is_line) {
        tools_line(p, t, &rows, count);
        return;
    }
    text_heading(t, word(WORD_tools, p->is_japanese), watch_say(p, "of total", "分母 total"));
    text_table(t, columns, rows.is_wide ? 4 : 3, count, tool_fill, &rows);
}

static void kind_fill(const void *context, size_t index, struct text_row *row)
{
    struct rows *rows = (struct rows *)context;
    unsigned kind = rows->index[index];
    struct share share = {rows->page->s->kinds[kind].packets, rows->den};
    row->cell[0] = kind_name(kind);
    row->cell[1] = word_kind(kind, rows->page->is_japanese);
    row->cell[2] = text_number(share.num, row->number[2]);
    row->cell[3] = share_text(share, row->number[3]);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

size_t watch_kind_rows(const struct watch_page *p)
{
    unsigned index[KIND_COUNT];
    return indexes_sort(index, p->s->kinds, KIND_COUNT);
}

void watch_print_kinds(const struct watch_page *p, const struct text *t)
{
    const struct text_column columns[] = {{word(WORD_kind, p->is_japanese)},
                                          {"", .is_elastic = true, .is_dim = true},
                                          {word(WORD_packets, p->is_japanese), .is_right = true},
                                          {word(WORD_share, p->is_japanese), .is_right = true}};
    struct rows rows = {.page = p, .den = p->s->marks[MARK_total].packets};
    size_t count = indexes_sort(rows.index, p->s->kinds, KIND_COUNT);
    text_heading(t, word(WORD_kinds, p->is_japanese), watch_say(p, "of total", "分母 total"));
    text_table(t, columns, 4, count, kind_fill, &rows);
}
