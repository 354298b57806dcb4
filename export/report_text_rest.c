#include "export/damage_text.h"
#include "export/report_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* ---- who was taken out */

struct class_rows {
    const struct report_page *page;
    char range[REPORT_RANGE];
};

static void class_fill(const void *context, size_t index, struct text_row *row)
{
    struct class_rows *rows = (struct class_rows *)context;
    const struct report_page *p = rows->page;
    const struct span *s = p->s;
    const struct {
        enum word word;
        const struct span_class *class;
        bool is_known;
    } classes[] = {{WORD_class_survey, &s->survey, span_rows_have_ex(s)},
                   {WORD_class_acknowledged, &s->acknowledged, true},
                   {WORD_class_bogon, &s->bogon, true},
                   {WORD_class_conflict, &s->conflict, span_rows_have_ex(s)}};
    const struct span_class *class = classes[index].class;
    struct share total = {class->packets, s->marks[MARK_total].packets};
    struct share scan = {class->scan_packets, s->marks[MARK_scan].packets};

    row->cell[0] = report_word(p, classes[index].word);
    if (!classes[index].is_known) {
        for (unsigned i = 1; i < 5; i++)
            row->cell[i] = "-";
        row->bar = 0;
        return;
    }
    row->cell[1] = text_number(total.num, row->number[1]);
    row->cell[2] = share_text(total, row->number[2]);
    row->cell[3] = share_text(scan, row->number[3]);
    row->cell[4] = report_range(p, class->sources, rows->range);
    row->bar = share_ratio(total);
    row->bar_style = TEXT_BAR;
}

struct named_rows {
    const struct report_page *page;
    const struct span_row **at;
    char range[REPORT_RANGE];
};

static void named_fill(const void *context, size_t index, struct text_row *row)
{
    struct named_rows *rows = (struct named_rows *)context;
    const struct report_page *p = rows->page;
    const struct span_count *count = &rows->at[index]->count;
    struct share total = {count->packets, p->s->marks[MARK_total].packets};
    row->cell[0] = rows->at[index]->name;
    row->cell[1] = text_number(total.num, row->number[1]);
    row->cell[2] = share_text(total, row->number[2]);
    row->cell[3] = report_range(p, count->sources, rows->range);
    row->bar = share_ratio(total);
    row->bar_style = TEXT_BAR;
}

/* Who of them it was: organisations that say so, or blocks. */
static void named_print(const struct report_page *p, enum word w, const struct span_table *t)
{
    const struct text_column columns[] = {
        {"", .is_elastic = true},
        {report_word(p, WORD_packets), .is_right = true},
        {p->is_japanese ? "total比" : "of total", .is_right = true},
        {report_word(p, WORD_sources), .is_right = true}};
    size_t count;
    struct named_rows rows = {.page = p, .at = report_rows(t, false, &count)};
    if (count > 0) {
        char rest[2 * TEXT_NUMBER] = "";
        if (count > p->top)
            snprintf(rest, sizeof rest, "%zu / %zu", p->top, count);
        text_heading(&p->text, report_word(p, w), rest);
        text_table(&p->text, columns, 4, count < p->top ? count : p->top, named_fill, &rows);
    }
    free(rows.at);
}

static void classes_print(const struct report_page *p)
{
    const struct text_column columns[] = {
        {report_word(p, WORD_class)},
        {report_word(p, WORD_packets), .is_right = true},
        {p->is_japanese ? "total比" : "of total", .is_right = true},
        {p->is_japanese ? "scan比" : "of scan", .is_right = true},
        {report_word(p, WORD_sources), .is_right = true}};
    struct class_rows rows = {.page = p};

    if (p->s->days == 0)
        return;
    text_heading(&p->text, report_word(p, WORD_survey), "");
    text_table(&p->text, columns, 5, 4, class_fill, &rows);
    report_note(p, report_word(p, WORD_survey_note));
    if (p->s->lists.count == 0)
        report_line(p, report_word(p, WORD_lists), TEXT_WARN, report_word(p, WORD_no_lists));
    named_print(p, WORD_organisations, &p->s->organisations);
    named_print(p, WORD_blocks, &p->s->blocks);
}

/* ---- places */

struct place_rows {
    const struct report_page *page;
    const struct span_place **at;
    bool is_as;
    char name[256], range[REPORT_RANGE];
};

static bool place_is_unknown(const struct span_place *place, bool is_as)
{
    return is_as ? place->asn == 0 : place->country[0] == '\0';
}

static void place_fill(const void *context, size_t index, struct text_row *row)
{
    struct place_rows *rows = (struct place_rows *)context;
    const struct report_page *p = rows->page;
    const struct span_place *place = rows->at[index];
    struct share scan = {report_packets(p, &place->scan),
                         report_packets(p, &p->s->marks[MARK_scan])};
    struct share iot = {report_packets(p, &place->iot_strict), scan.num};

    if (rows->is_as)
        snprintf(rows->name, sizeof rows->name, "AS%" PRIu32 " %s", place->asn, place->name);
    else
        snprintf(rows->name, sizeof rows->name, "%s", place->country);
    row->cell[0] = place_is_unknown(place, rows->is_as) ? report_word(p, WORD_unknown) : rows->name;
    row->cell[1] = text_number(scan.num, row->number[1]);
    row->cell[2] = share_text(scan, row->number[2]);
    row->cell[3] = share_text(iot, row->number[3]);
    row->cell[4] = report_range(p, report_sources(p, &place->scan), rows->range);
    row->bar = share_ratio(scan);
    row->bar_style = TEXT_BAR;
}

static bool places_are_unknown(const struct span_table *t, bool is_as)
{
    return t->count == 0 || (t->count == 1 && place_is_unknown(&t->places[0], is_as));
}

static void places_table(const struct report_page *p, const struct span_table *t, bool is_as)
{
    char note[96];
    const struct text_column columns[] = {
        {report_word(p, is_as ? WORD_as : WORD_country), .is_elastic = is_as},
        {report_word(p, WORD_packets), .is_right = true},
        {report_word(p, WORD_share), .is_right = true},
        {p->is_japanese ? "うちiot_strict" : "its iot_strict", .is_right = true},
        {report_word(p, WORD_sources), .is_right = true}};
    size_t count;
    struct place_rows rows = {
        .page = p, .at = report_places(t, share_over_is_ex(p->over), &count), .is_as = is_as};

    if (count > 0) {
        snprintf(note, sizeof note,
                 p->is_japanese ? "分母 %s（iot_strictは行の scan が分母）"
                                : "of %s; its iot_strict: of the row's own scan packets",
                 share_over_name(p->over));
        text_heading(&p->text, report_word(p, is_as ? WORD_ases : WORD_countries), note);
        text_table(&p->text, columns, 5, count < p->top ? count : p->top, place_fill, &rows);
    }
    free(rows.at);
}

/* Where no database was given, a table would say nothing but that. */
static void places_print(const struct report_page *p)
{
    const struct span *s = p->s;
    bool has_countries = !places_are_unknown(&s->countries, false);
    bool has_ases = !places_are_unknown(&s->ases, true);

    if (s->days == 0)
        return;
    if (!has_countries && !has_ases) {
        text_heading(&p->text, report_word(p, WORD_places), "");
        report_note(p,
                    report_word(p, s->databases.count == 0 ? WORD_no_databases : WORD_no_places));
        return;
    }
    if (has_countries)
        places_table(p, &s->countries, false);
    else
        report_note(p, report_word(p, WORD_no_countries));
    if (has_ases)
        places_table(p, &s->ases, true);
    else
        report_note(p, report_word(p, WORD_no_ases));
}

/* ---- coverage */

static void per_address_print(const struct report_page *p)
{
    char line[REPORT_LINE], words[REPORT_WORDS];
    bool is_ja = p->is_japanese;
    if (report_per_address(p->s, false, is_ja, words)[0] == '\0') {
        snprintf(line, sizeof line, "%s: %s", report_word(p, WORD_absent),
                 report_reason(p->s->size_absent, is_ja, words));
        report_line(p, report_word(p, WORD_per_address), TEXT_PLAIN, line);
        return;
    }
    report_line(p, report_word(p, WORD_per_address), TEXT_PLAIN, words);
    if (report_per_address(p->s, true, is_ja, words)[0] != '\0') {
        snprintf(line, sizeof line, "_ex_survey: %s", words);
        report_line(p, "", TEXT_PLAIN, line);
    }
    if (report_full_days(p->s, is_ja, words)[0] != '\0') {
        snprintf(line, sizeof line, "%s: %s", report_word(p, WORD_per_address_full), words);
        report_line(p, "", TEXT_DIM, line);
    }
}

static void flaws_print(const struct report_page *p)
{
    char line[REPORT_LINE], date[SPAN_DATE], percent[SHARE_TEXT], words[REPORT_WORDS];
    char observed[TEXT_NUMBER];
    const struct span *s = p->s;
    for (size_t i = 0; i < s->flaw_count; i++) {
        const struct span_flaw *f = &s->flaws[i];
        span_date_text(f->date, date);
        if (i == p->top) {
            snprintf(line, sizeof line, "+ %zu", s->flaw_count - i);
            report_line(p, "", TEXT_WARN, line);
            return;
        }
        report_given_up(&f->given_up, p->is_japanese, words);
        snprintf(line, sizeof line, "%s: %s %s, %s %s%s%s", date, report_word(p, WORD_observed),
                 report_observed(f->observed, observed), report_word(p, WORD_lost),
                 share_text((struct share){f->lost, f->offered}, percent),
                 words[0] == '\0' ? "" : "; ", words);
        report_line(p, i == 0 ? report_word(p, WORD_incomplete_days) : "", TEXT_WARN, line);
    }
}

static const char *moment(int64_t ns, char to[TEXT_NUMBER])
{
    time_t seconds = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
    struct tm tm;
    if (localtime_r(&seconds, &tm) == NULL ||
        strftime(to, TEXT_NUMBER, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(to, TEXT_NUMBER, "?");
    return to;
}

static void gaps_print(const struct report_page *p, const struct outages *o)
{
    char line[REPORT_LINE], a[TEXT_NUMBER], b[TEXT_NUMBER];
    for (size_t i = 0; i < o->gap_count; i++) {
        const struct feed_gap *gap = &o->gaps[i];
        const char *sensor = gap->sensor == NULL ? "" : gap->sensor;
        if (i == p->top) {
            snprintf(line, sizeof line, "+ %s", text_number(o->gap_count - i + o->gaps_more, a));
            report_line(p, "", TEXT_WARN, line);
            return;
        }
        snprintf(line, sizeof line, "%s%s%s: %s%s%.100s%s", moment(gap->from_ns, a),
                 report_word(p, WORD_to), moment(gap->to_ns, b),
                 feed_gap_words(gap->reason, p->is_japanese), sensor[0] == '\0' ? "" : " (", sensor,
                 sensor[0] == '\0' ? "" : ")");
        report_line(p, i == 0 ? report_word(p, WORD_outages) : "", TEXT_WARN, line);
    }
}

static void count_line(const struct report_page *p, enum word label, uint64_t count, uint64_t of)
{
    char line[REPORT_LINE], a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (count == 0)
        return;
    snprintf(line, sizeof line, "%s%s%s", text_number(count, a),
             of == 0          ? ""
             : p->is_japanese ? " / "
                              : " of ",
             of == 0 ? "" : text_number(of, b));
    report_line(p, report_word(p, label), TEXT_WARN, line);
}

static void outages_print(const struct report_page *p)
{
    const struct outages *o = p->r->outages;
    if (o == NULL || o->windows == 0)
        report_line(p, report_word(p, WORD_outages), TEXT_DIM,
                    report_word(p, o == NULL ? WORD_outages_unread : WORD_no_windows));
    else if (o->gap_count == 0)
        report_line(p, report_word(p, WORD_outages), TEXT_PLAIN, report_word(p, WORD_outages_none));
    else
        gaps_print(p, o);
    if (o == NULL)
        return;
    count_line(p, WORD_partial, o->partial, o->windows);
    count_line(p, WORD_recorder, o->given_up.recorder_packets, 0);
    count_line(p, WORD_unwritten, o->given_up.windows, 0);
}

static void coverage_print(const struct report_page *p)
{
    const struct span *s = p->s;
    char line[REPORT_LINE], a[TEXT_NUMBER], b[TEXT_NUMBER], percent[SHARE_TEXT];

    text_heading(&p->text, report_word(p, WORD_coverage), "");
    if (s->days > 0) {
        snprintf(line, sizeof line, p->is_japanese ? "%s / %s" : "%s of %s",
                 text_number(s->days, a), text_number(s->calendar_days, b));
        report_line(p, report_word(p, WORD_days),
                    s->days == s->calendar_days ? TEXT_PLAIN : TEXT_WARN, line);
        report_line(p, report_word(p, WORD_observed), TEXT_PLAIN,
                    report_observed(report_observed_of(s), a));
    }
    snprintf(line, sizeof line, "%s (%s / %s)",
             share_text((struct share){s->lost, s->offered}, percent), text_number(s->lost, a),
             text_number(s->offered, b));
    report_line(p, report_word(p, WORD_lost), TEXT_PLAIN, line);
    per_address_print(p);
    for (size_t i = 0; i < s->watch_count; i++) {
        const struct span_watch *w = &s->watches[i];
        snprintf(line, sizeof line, "%.100s: %s%s%s",
                 w->id[0] == '\0' ? report_word(p, WORD_no_id) : w->id,
                 !w->is_configured ? report_word(p, WORD_size_unknown)
                 : w->ipv4 == 0    ? report_word(p, WORD_ipv6_alone)
                                   : text_number(w->ipv4, a),
                 w->is_configured && w->ipv4 > 0 ? " " : "",
                 w->is_configured && w->ipv4 > 0 ? report_word(p, WORD_addresses) : "");
        report_line(p, i == 0 ? report_word(p, WORD_telescope) : "", TEXT_PLAIN, line);
    }
    flaws_print(p);
    outages_print(p);
}

/* ---- basis */

static void bases_print(const struct report_page *p, enum word label, const struct span_bases *b)
{
    char line[REPORT_LINE], a[TEXT_NUMBER], built[TEXT_NUMBER];
    for (size_t i = 0; i < b->count; i++) {
        const struct day_basis *basis = &b->at[i].basis;
        snprintf(line, sizeof line, "%.120s%s%.60s%s%.16s; %s %s", basis->name,
                 basis->version[0] == '\0' ? "" : " ",
                 label == WORD_databases ? report_built(basis->version, built) : basis->version,
                 basis->sha256[0] == '\0' ? "" : ", sha256 ", basis->sha256,
                 text_number(b->at[i].days, a), word_unit(UNIT_day, b->at[i].days, p->is_japanese));
        report_line(p, i == 0 ? report_word(p, label) : "", TEXT_PLAIN, line);
    }
}

static void ledger_print(const struct report_page *p)
{
    const struct window_ledger *l = &p->s->ledger;
    char line[REPORT_LINE], a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], dropped[LEDGER_TEXT];
    bool is_held = ledger_holds(l);
    ledger_dropped_text(l, p->is_japanese ? " + " : ", ", p->is_japanese, dropped);
    if (p->is_japanese) /* a sum of all its parts */
        snprintf(line, sizeof line, "到達 %s = 観測 %s + %s%s", text_number(l->offered, a),
                 text_number(l->observed, b), dropped, is_held ? "" : ": DOES NOT HOLD");
    else
        snprintf(line, sizeof line, "offered %s = observed %s + dropped %s (%s)%s",
                 text_number(l->offered, a), text_number(l->observed, b),
                 text_number(ledger_dropped(l), c), dropped, is_held ? "" : ": DOES NOT HOLD");
    report_line(p, report_word(p, WORD_ledger), is_held ? TEXT_PLAIN : TEXT_WARN, line);
}

static void basis_print(const struct report_page *p)
{
    const struct span *s = p->s;
    const struct survey_settings *survey = &s->survey_settings;
    char line[REPORT_LINE];

    text_heading(&p->text, report_word(p, WORD_basis), "");
    ledger_print(p);
    report_line(p, report_word(p, WORD_timezone), TEXT_PLAIN, p->r->timezone);
    bases_print(p, WORD_rules_computed, &s->computed);
    bases_print(p, WORD_rules_labelled, &s->rules_labelled);
    if (s->is_mixed)
        report_line(p, "", TEXT_WARN, report_word(p, WORD_mixed));
    bases_print(p, WORD_lists, &s->lists);
    bases_print(p, WORD_databases, &s->databases);
    bases_print(p, WORD_sensors, &s->sensors);
    if (s->days > 0) {
        snprintf(line, sizeof line,
                 "min_ports %" PRIu32 ", min_packets %" PRIu64 ", packets_per_address %.3f; IPv6: "
                 "min_ports %" PRIu32 ", min_packets %" PRIu64 "%s",
                 survey->min_ports, survey->min_packets,
                 (double)survey->packets_per_address_milli / 1000, survey->min_ports6,
                 survey->min_packets6, s->is_survey_mixed ? "; MIXED" : "");
        report_line(p, report_word(p, WORD_survey_settings), TEXT_PLAIN, line);
    }
    snprintf(line, sizeof line, "%s %s, sha256 %.16s", p->r->rules->name, p->r->rules->version,
             p->r->rules->sha256);
    report_line(p, report_word(p, WORD_rules_in_force), TEXT_PLAIN, line);
    for (size_t i = 0; i < p->r->notes.count; i++)
        report_line(p, i == 0 ? report_word(p, WORD_notes) : "", TEXT_WARN,
                    p->is_japanese ? p->r->notes.at[i].ja : p->r->notes.at[i].en);
    for (size_t i = 0; p->r->damaged != NULL && i < p->r->damaged->count; i++) {
        const struct damage *d = &p->r->damaged->at[i];
        char place[DAMAGE_PLACE];
        snprintf(line, sizeof line, "%.200s: %s%.200s", d->file, damage_place(d, place), d->what);
        report_line(p, damage_kind_label(d->kind), TEXT_WARN, line);
    }
}

void report_text_rest(const struct report_page *p)
{
    classes_print(p);
    places_print(p);
    coverage_print(p);
    basis_print(p);
}
