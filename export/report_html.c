/* The page of a report: its data, as the page takes a day's over HTTP.
 *
 * JSON: {label, state, date null, revision 0, seq 0, start, end (seconds since 1970), folded false, previous null, next null,
 *   timezone, sensor "", program, what view_json.h says, estimates null, before null,
 *   points {per ("hour", ...), seconds (0: spans differ), kinds, marks, source_marks [names], absent, basis (each [en, ja] or null), over,
 *     at [{label, start, windows, partial 0, state, complete, kinds, marks, marks_ex (or null), sources [of source_marks, null where
 *     not exact], low, high (of total), survey ({num, den} or null), per_address (or null), ex_absent ([en, ja] or null),
 *     basis (dates, [en, ja] or null), coverage_milli}]},
 *   report {lang, has_outages (they were looked for), rules {name, version, sha256}, notes [[en, ja]], damaged [{file, place, what}]}}
 */
#include "export/damage_text.h"
#include "export/html_page.h"
#include "export/json_string.h"
#include "export/report.h"
#include "export/report_words.h"
#include "export/view_json.h"
#include "export/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)
enum { TOP = 10, SOURCE_MARKS = 4, TEXT_WIDTH = 100 };

static const enum mark source_marks[SOURCE_MARKS] = {MARK_total, MARK_scan, MARK_iot_strict,
                                                     MARK_iot_broad};

static void named(FILE *out, const char *before, const char *name, const char *text)
{
    fprintf(out, "%s\"%s\":", before, name);
    json_string(out, text);
}

static void said(FILE *out, const char *name, const char *en, const char *ja)
{
    fprintf(out, ",\"%s\":", name);
    if (en[0] == '\0')
        fputs("null", out);
    else
        view_json_pair(out, en, ja);
}

static void reason(FILE *out, const char *name, const char *why)
{
    char en[REPORT_WORDS], ja[REPORT_WORDS];
    said(out, name, report_reason(why, false, en), report_reason(why, true, ja));
}

/* ---- points */

static void point_sources(FILE *out, const struct report_point *p)
{
    fputs(",\"sources\":[", out);
    for (unsigned i = 0; i < SOURCE_MARKS; i++) {
        struct source_count c = p->sources[source_marks[i]];
        fputs(i > 0 ? "," : "", out);
        if (source_count_is_exact(c))
            fprintf(out, "%" PRIu64, c.low);
        else
            fputs("null", out);
    }
    fprintf(out, "],\"low\":%" PRIu64 ",\"high\":%" PRIu64, p->sources[MARK_total].low,
            p->sources[MARK_total].high);
}

static void point_print(FILE *out, const struct report_point *p)
{
    char en[REPORT_DATES], ja[REPORT_DATES];
    bool has_basis = p->basis.has_ex && p->has_ex && p->is_provisional;
    named(out, "{", "label", p->label);
    fprintf(out,
            ",\"start\":%" PRId64 ",\"windows\":%" PRIu64
            ",\"partial\":0,\"state\":\"%s\",\"complete\":%s",
            p->start_ns / NS, p->windows, p->is_provisional ? "provisional" : "final",
            p->is_complete || p->is_provisional ? "true" : "false");
    view_json_numbers(out, "kinds", p->kinds, KIND_COUNT);
    view_json_numbers(out, "marks", p->packets, SHARE_MARK_COUNT);
    if (p->has_ex)
        view_json_numbers(out, "marks_ex", p->packets_ex, SHARE_MARK_COUNT);
    else
        fputs(",\"marks_ex\":null", out);
    point_sources(out, p);
    if (p->has_survey)
        fprintf(out, ",\"survey\":{\"num\":%" PRIu64 ",\"den\":%" PRIu64 "}", p->survey.num,
                p->survey.den);
    else
        fputs(",\"survey\":null", out);
    if (p->per_address >= 0)
        fprintf(out, ",\"per_address\":%.17g", p->per_address);
    else
        fputs(",\"per_address\":null", out);
    reason(out, "ex_absent", p->has_ex ? "" : p->ex_absent);
    said(out, "basis", has_basis ? report_basis_dates(&p->basis, false, en) : "",
         has_basis ? report_basis_dates(&p->basis, true, ja) : "");
    fprintf(out, ",\"coverage_milli\":%" PRIu32 "}", p->coverage_milli);
}

static void points_print(FILE *out, const struct report *r)
{
    struct window_basis basis;
    const char *absent;
    char en[REPORT_WORDS], ja[REPORT_WORDS];
    enum share_over over = report_points_over(r->points, r->point_count, &basis, &absent);
    fprintf(out, "\"points\":{\"per\":\"%s\",\"seconds\":%d,\"over\":\"%s\",",
            span_unit_name(r->per), r->per == SPAN_hour ? 3600 : 0, share_over_name(over));
    view_json_names(out);
    fputs(",\"source_marks\":[", out);
    for (unsigned i = 0; i < SOURCE_MARKS; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", mark_name(source_marks[i]));
    fputs("]", out);
    reason(out, "absent", absent);
    said(out, "basis", basis.has_ex ? report_basis(&basis, false, en) : "",
         basis.has_ex ? report_basis(&basis, true, ja) : "");
    fputs(",\"at\":[", out);
    for (size_t i = 0; i < r->point_count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        point_print(out, &r->points[i]);
    }
    fputs("]},\n", out);
}

/* ---- all of it */

static void own_print(FILE *out, const struct report *r)
{
    char place[DAMAGE_PLACE];
    fprintf(out, "\"report\":{\"lang\":\"%s\",\"has_outages\":%s,\"rules\":",
            r->is_japanese ? "ja" : "en", r->outages != NULL ? "true" : "false");
    named(out, "{", "name", r->rules->name);
    named(out, ",", "version", r->rules->version);
    named(out, ",", "sha256", r->rules->sha256);
    fputs("},\"notes\":[", out);
    for (size_t i = 0; i < r->notes.count; i++) {
        fputs(i > 0 ? "," : "", out);
        view_json_pair(out, r->notes.at[i].en, r->notes.at[i].ja);
    }
    fputs("],\"damaged\":[", out);
    for (size_t i = 0; r->damaged != NULL && i < r->damaged->count; i++) {
        const struct damage *d = &r->damaged->at[i];
        named(out, i > 0 ? ",{" : "{", "file", d->file);
        named(out, ",", "place", damage_place(d, place));
        named(out, ",", "what", d->what);
        fputc('}', out);
    }
    fputs("]}}\n", out);
}

static int data_print(FILE *out, const struct report *r)
{
    static const struct outages none;
    const struct span *s = r->whole;
    struct span_cut cut;
    int err = span_cut_init(&cut, s, r->top == 0 ? TOP : r->top, 0);
    if (err == 0) {
        struct view_span view = {.rules = r->rules,
                                 .whole = s,
                                 .shown = &cut.span,
                                 .outages = r->outages == NULL ? &none : r->outages,
                                 .from_ns = INT64_MIN,
                                 .to_ns = INT64_MAX};
        named(out, "{", "label", s->label);
        fprintf(out,
                ",\"state\":\"%s\",\"date\":null,\"revision\":0,\"seq\":0,\"start\":%" PRId64
                ",\"end\":%" PRId64 ",\"folded\":false,\"previous\":null,\"next\":null",
                s->is_provisional ? "provisional" : "final", s->start_ns / NS, s->end_ns / NS);
        named(out, ",", "timezone", r->timezone);
        named(out, ",", "sensor", "");
        named(out, ",", "program", r->program);
        fputs(",\n", out);
        view_json_span(out, &view);
        fputs("\"estimates\":null,\"before\":null,\n", out);
        points_print(out, r);
        own_print(out, r);
    }
    span_cut_fini(&cut);
    return err;
}

/* What `print` writes, as a text that is the caller's to free. NULL: memory ended. */
static char *memory_of(const struct report *r, int (*print)(FILE *out, const struct report *r))
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return NULL;
    int err = print(memory, r);
    if (fclose(memory) != 0 || err < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int text_print_all(FILE *out, const struct report *r)
{
    report_text(out, r, &(struct report_text_settings){.width = TEXT_WIDTH, .is_utf8 = true});
    return 0;
}

int report_html(FILE *out, const struct report *r)
{
    char title[SPAN_LABEL + 128];
    char *data = memory_of(r, data_print), *text = memory_of(r, text_print_all);
    int err = data == NULL || text == NULL ? -ENOMEM : 0;
    snprintf(title, sizeof title, "%s · %s · yamiscope", r->whole->label,
             word(WORD_report, r->is_japanese));
    if (err == 0)
        html_page_print(
            out, &(struct html_page){
                     .is_japanese = r->is_japanese, .title = title, .data = data, .text = text});
    free(data);
    free(text);
    return err;
}
