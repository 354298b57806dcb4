#include "export/view_json.h"

#include "export/json_string.h"
#include "export/report.h"
#include "export/report_words.h"

#include <inttypes.h>
#include <string.h>

void view_json_pair(FILE *out, const char *en, const char *ja)
{
    fputc('[', out);
    json_string(out, en);
    fputc(',', out);
    json_string(out, ja);
    fputc(']', out);
}

void view_json_numbers(FILE *out, const char *name, const uint64_t *at, unsigned count)
{
    fprintf(out, ",\"%s\":[", name);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%s%" PRIu64, i > 0 ? "," : "", at[i]);
    fputc(']', out);
}

void view_json_names(FILE *out)
{
    fputs("\"kinds\":[", out);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", kind_name(i));
    fputs("],\"marks\":[", out);
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", mark_name(i));
    fputs("]", out);
}

static void ports_print(FILE *out, const struct view_span *v)
{
    char port[TEXT_NUMBER];
    const struct span *s = v->shown;
    uint64_t packets = s->marks[MARK_scan].packets, packets_ex = s->marks[MARK_scan].packets_ex;
    size_t ports_ex = 0;
    const char *comma = "";
    for (size_t i = 0; i < v->whole->ports.count; i++)
        ports_ex += v->whole->ports.rows[i].count.packets_ex > 0;
    for (size_t i = 0; i < s->ports.count; i++) {
        ports_ex -= s->ports.rows[i].count.packets_ex > 0;
        packets -= s->ports.rows[i].count.packets;
        packets_ex -= s->ports.rows[i].count.packets_ex;
    }
    fputs("\"ports_other\":{\"ports\":", out);
    if (v->min_sources == 0)
        fprintf(out, "%zu", v->whole->ports.count - s->ports.count);
    else
        fputs("null", out);
    fputs(",\"ports_ex_survey\":", out);
    if (v->min_sources == 0 && span_rows_have_ex(s))
        fprintf(out, "%zu", ports_ex);
    else
        fputs("null", out);
    fprintf(out, ",\"packets\":%" PRIu64 ",\"packets_ex_survey\":", packets);
    if (span_rows_have_ex(s))
        fprintf(out, "%" PRIu64, packets_ex);
    else
        fputs("null", out);
    fputs("},\n\"devices\":{", out);
    for (size_t i = 0; i < s->ports.count; i++) {
        const struct span_row *row = &s->ports.rows[i];
        const char *en = report_device(v->rules, row, false);
        if (en[0] == '\0')
            continue;
        fprintf(out, "%s\"%s\":[", comma, report_port(row, port));
        comma = ",";
        json_string(out, en);
        fputc(',', out);
        json_string(out, report_device(v->rules, row, true));
        fputc(']', out);
    }
    fputs("},\n", out);
}

/* The pie of a day that is not over: windows know categories by their ports alone. */
static void categories_print(FILE *out, const struct view_span *v)
{
    struct {
        const char *name;
        uint64_t packets;
    } list[RULES_MAX];
    const struct span *s = v->whole;
    size_t count = 0, at;
    if (s->days > 0) {
        fputs("\"categories_by_port\":null,\n", out);
        return;
    }
    for (size_t i = 0; i < s->ports.count; i++) {
        const struct span_row *row = &s->ports.rows[i];
        const char *name = span_cut_takes(&row->count, v->min_sources) ? row->category : "other";
        for (at = 0; at < count && strcmp(list[at].name, name) != 0;)
            at++;
        if (at == RULES_MAX)
            continue;
        if (at == count) {
            list[count].name = name;
            list[count++].packets = 0;
        }
        list[at].packets += row->count.packets;
    }
    fputs("\"categories_by_port\":[", out);
    for (at = 0; at < count; at++) {
        fputs(at > 0 ? ",{\"category\":" : "{\"category\":", out);
        json_string(out, list[at].name);
        fprintf(out, ",\"packets\":%" PRIu64 "}", list[at].packets);
    }
    fputs("],\n", out);
}

/* ---- sentences */

static void said(FILE *out, const char *name, const char *en, const char *ja)
{
    fprintf(out, "\"%s\":", name);
    if (en[0] == '\0')
        fputs("null", out);
    else
        view_json_pair(out, en, ja);
    fputc(',', out);
}

static void said_print(FILE *out, const struct span *s)
{
    char en[REPORT_WORDS], ja[REPORT_WORDS], observed[TEXT_NUMBER];
    bool is_basis = s->basis.has_ex && span_has_ex(s) && s->days == 0;
    fputs("\"said\":{", out);
    said(out, "ex_absent", report_reason(s->ex_absent, false, en),
         report_reason(s->ex_absent, true, ja));
    said(out, "size_absent", report_reason(s->has_size ? "" : s->size_absent, false, en),
         report_reason(s->size_absent, true, ja));
    said(out, "basis", is_basis ? report_basis(&s->basis, false, en) : "",
         is_basis ? report_basis(&s->basis, true, ja) : "");
    for (unsigned ex = 0; ex < 2; ex++)
        said(out, ex ? "per_address_ex" : "per_address",
             s->days == 0 ? "" : report_per_address(s, ex, false, en),
             s->days == 0 ? "" : report_per_address(s, ex, true, ja));
    said(out, "full_days", s->days == 0 ? "" : report_full_days(s, false, en),
         s->days == 0 ? "" : report_full_days(s, true, ja));
    said(out, "given_up", s->is_exact ? "" : report_given_up(&s->given_up, false, en),
         s->is_exact ? "" : report_given_up(&s->given_up, true, ja));
    fprintf(out, "\"observed\":\"%s\",\"flaws\":[",
            s->days == 0 ? "" : report_observed(report_observed_of(s), observed));
    for (size_t i = 0; i < s->flaw_count; i++) {
        const struct span_flaw *f = &s->flaws[i];
        fprintf(out, "%s{\"observed\":\"%s\",\"given_up\":", i > 0 ? "," : "",
                report_observed(f->observed, observed));
        if (day_given_up_packets(&f->given_up) == 0)
            fputs("null}", out);
        else
            view_json_pair(out, report_given_up(&f->given_up, false, en),
                           report_given_up(&f->given_up, true, ja)),
                fputc('}', out);
    }
    fputs("]},\n", out);
}

void view_json_span(FILE *out, const struct view_span *v)
{
    struct report report = {.rules = v->rules};
    fputs("\"span\":", out);
    report_json_span(out, &report, v->shown, 0);
    fputs(",\n", out);
    ports_print(out, v);
    categories_print(out, v);
    said_print(out, v->shown);
    fputs("\"outages\":", out);
    outages_json(out, v->outages, v->from_ns, v->to_ns);
    fputs(",\n", out);
}
