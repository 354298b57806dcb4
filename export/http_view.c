#include "export/http_view.h"

#include "export/json_string.h"
#include "export/pages.h"
#include "export/record.h"
#include "export/report.h"
#include "export/span_table.h"
#include "export/view_json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS       INT64_C(1000000000)
#define POINT_NS (900 * NS) /* a phone shows about a hundred */
enum { POINTS = HTTP_VIEW_POINTS, SKETCHES = 4 };

/* Whose distinct sources the points say. */
static const enum mark sketched[SKETCHES] = {MARK_total, MARK_scan, MARK_iot_strict,
                                             MARK_iot_broad};

struct point {
    uint64_t windows, windows_ex; /* that say what is taken out of _ex_survey */
    uint64_t partial;             /* not all of their span was watched */
    uint64_t kinds[KIND_COUNT], marks[SHARE_MARK_COUNT], marks_ex[SHARE_MARK_COUNT];
    bool is_stale; /* the estimates are to be made again */
    double estimates[SKETCHES];
    struct hll hll[SKETCHES];
};

struct http_view {
    struct calendar_day day;
    const struct ruleset *rules;
    struct span *windows, *final; /* final: NULL until there is a Day */
    uint32_t revision;
    uint64_t seq;
    bool is_stale;
    double estimates[MARK_COUNT];
    struct hll hll[MARK_COUNT];
    struct point *points;   /* POINTS of them */
    struct outages outages; /* of its windows; gaps are the frame's */
};

struct http_view *http_view_create(const struct calendar_day *day, const struct ruleset *rules)
{
    char label[SPAN_LABEL];
    struct http_view *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->day = *day;
    v->rules = rules;
    span_label(SPAN_day, day->date, label);
    v->windows = span_create(SPAN_day, label);
    v->points = pages_map(POINTS * sizeof *v->points);
    if (v->windows == NULL || v->points == NULL) {
        http_view_destroy(v);
        errno = ENOMEM;
        return NULL;
    }
    return v;
}

void http_view_destroy(struct http_view *v)
{
    if (v == NULL)
        return;
    span_destroy(v->windows);
    span_destroy(v->final);
    pages_unmap(v->points, POINTS * sizeof *v->points);
    free(v);
}

const struct calendar_day *http_view_day(const struct http_view *v) { return &v->day; }
uint64_t http_view_seq(const struct http_view *v) { return v->seq; }

bool http_view_is_empty(const struct http_view *v)
{
    return v->windows->windows == 0 && v->final == NULL;
}

static void point_add(struct point *p, const struct window *w)
{
    p->windows++;
    p->partial += w->is_partial && w->part == 0;
    p->is_stale = true;
    for (unsigned i = 0; i < KIND_COUNT; i++)
        p->kinds[i] += w->kinds[i].packets;
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        p->marks[i] += w->mark_packets[i];
    for (unsigned i = 0; i < SKETCHES; i++)
        hll_merge(&p->hll[i], &w->hll[sketched[i]]);
    if (!window_has_ex(w))
        return;
    p->windows_ex++;
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        p->marks_ex[i] += w->mark_packets[i] - w->mark_packets_out[i];
}

int http_view_add(struct http_view *v, const struct window *w, uint64_t seq)
{
    int64_t into = w->start_ns - v->day.start_ns;
    int64_t at = into < 0 ? 0 : into / POINT_NS;
    point_add(&v->points[at < POINTS ? at : POINTS - 1], w);
    for (unsigned i = 0; i < MARK_COUNT; i++)
        hll_merge(&v->hll[i], &w->hll[i]);
    outages_add_window(&v->outages, w);
    v->is_stale = true;
    v->seq = seq;
    int err = span_add_window(v->windows, w, v->rules, true);
    return err < 0 ? err : span_end(v->windows);
}

int http_view_final(struct http_view *v, const uint8_t *body, size_t len, uint64_t seq,
                    struct fault *fault)
{
    struct day_result *day;
    char label[SPAN_LABEL];
    int err = record_unpack_day(&day, body, len, fault);
    if (err < 0)
        return err;
    span_label(SPAN_day, v->day.date, label);
    struct span *s = span_create(SPAN_day, label);
    if (s == NULL || span_add_day(s, day, false) < 0 || span_end(s) < 0) {
        span_destroy(s);
        day_result_destroy(day);
        return fault_set(fault, ENOMEM, "no memory for a day");
    }
    v->revision = day->facts->revision;
    day_result_destroy(day);
    span_destroy(v->final);
    v->final = s;
    v->seq = seq;
    return 0;
}

/* ---- printing */

static const struct span *best(const struct http_view *v)
{
    return v->final != NULL ? v->final : v->windows;
}

const struct span *http_view_span(const struct http_view *v) { return best(v); }
uint32_t http_view_revision(const struct http_view *v)
{
    return v->final == NULL ? 0 : v->revision;
}

void http_view_points(const struct http_view *v, struct http_view_point to[HTTP_VIEW_POINTS])
{
    for (unsigned i = 0; i < POINTS; i++)
        to[i] = (struct http_view_point){v->points[i].windows, v->points[i].marks[MARK_total]};
}

static void estimates_make(struct http_view *v)
{
    for (unsigned i = 0; v->is_stale && i < MARK_COUNT; i++)
        v->estimates[i] = hll_count(&v->hll[i]);
    v->is_stale = false;
}

static void estimates_print(FILE *out, struct http_view *v)
{
    if (v->final != NULL || v->windows->windows == 0) {
        fputs("\"estimates\":null,\n", out);
        return;
    }
    estimates_make(v);
    fputs("\"estimates\":{", out);
    for (unsigned i = 0; i < MARK_COUNT; i++)
        fprintf(out, "%s\"%s\":%.0f", i > 0 ? "," : "", mark_name(i), round(v->estimates[i]));
    fputs("},\n", out);
}

double http_view_estimate(struct http_view *v, enum mark mark)
{
    if (v->final != NULL || v->windows->windows == 0)
        return -1;
    estimates_make(v);
    return v->estimates[mark] == 0 && v->windows->marks[MARK_total].sources.high > 0
               ? -1
               : v->estimates[mark];
}

static void point_print(FILE *out, const struct http_view *v, unsigned at)
{
    struct point *p = &v->points[at];
    for (unsigned i = 0; p->is_stale && i < SKETCHES; i++)
        p->estimates[i] = round(hll_count(&p->hll[i]));
    p->is_stale = false;
    fprintf(out, "{\"start\":%" PRId64 ",\"windows\":%" PRIu64 ",\"partial\":%" PRIu64,
            (v->day.start_ns + at * POINT_NS) / NS, p->windows, p->partial);
    view_json_numbers(out, "kinds", p->kinds, KIND_COUNT);
    view_json_numbers(out, "marks", p->marks, SHARE_MARK_COUNT);
    if (p->windows_ex == p->windows)
        view_json_numbers(out, "marks_ex", p->marks_ex, SHARE_MARK_COUNT);
    else
        fputs(",\"marks_ex\":null", out);
    fputs(",\"sources\":[", out);
    for (unsigned i = 0; i < SKETCHES; i++)
        fprintf(out, "%s%.0f", i > 0 ? "," : "", p->estimates[i]);
    fputs("]}", out);
}

static void points_print(FILE *out, const struct http_view *v)
{
    const char *comma = "";
    fprintf(out, "\"points\":{\"seconds\":%d,", (int)(POINT_NS / NS));
    view_json_names(out);
    fputs(",\"source_marks\":[", out);
    for (unsigned i = 0; i < SKETCHES; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", mark_name(sketched[i]));
    fputs("],\"at\":[", out);
    for (unsigned i = 0; i < POINTS; i++) {
        if (v->points[i].windows == 0)
            continue;
        fputs(comma, out);
        point_print(out, v, i);
        comma = ",\n";
    }
    fputs("]},\n", out);
}

static const char *state_of(const struct http_view *v)
{
    return v->final != NULL ? "final" : "provisional";
}

static int number_order(const void *key, const void *row)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct span_row *)row)->number;
    return (a > b) - (a < b);
}

static void before_print(FILE *out, const struct http_view *v, const struct span *listed,
                         unsigned min_sources)
{
    char date[SPAN_DATE], port[TEXT_NUMBER];
    const char *comma = "";
    if (v == NULL || http_view_is_empty(v)) {
        fputs("\"before\":null}\n", out);
        return;
    }
    const struct span *s = best(v);
    span_date_text(v->day.date, date);
    fprintf(out,
            "\"before\":{\"date\":\"%s\",\"state\":\"%s\",\"over\":\"scan\",\"scan\":%" PRIu64
            ",\"ports\":{",
            date, state_of(v), s->marks[MARK_scan].packets);
    for (size_t i = 0; i < listed->ports.count; i++) {
        const struct span_row *row = s->ports.count == 0
                                         ? NULL
                                         : bsearch(&listed->ports.rows[i].number, s->ports.rows,
                                                   s->ports.count, sizeof *row, number_order);
        if (min_sources > 0 && (row == NULL || !span_cut_takes(&row->count, min_sources)))
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, comma, report_port(&listed->ports.rows[i], port),
                row == NULL ? 0 : row->count.packets);
        comma = ",";
    }
    fputs("}}}\n", out);
}

static void date_print(FILE *out, const char *name, bool is_known, int32_t date)
{
    char text[SPAN_DATE];
    if (is_known)
        fprintf(out, "\"%s\":\"%s\",", name, (span_date_text(date, text), text));
    else
        fprintf(out, "\"%s\":null,", name);
}

static void head_print(FILE *out, const struct http_view *v, const struct http_view_frame *f)
{
    fputc('{', out);
    date_print(out, "date", true, v->day.date);
    fprintf(out, "\"state\":\"%s\",\"revision\":%" PRIu32 ",\"seq\":%" PRIu64, state_of(v),
            v->revision, v->seq);
    fprintf(out, ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"folded\":%s,\n",
            v->day.start_ns / NS, v->day.end_ns / NS, f->min_sources > 0 ? "true" : "false");
    date_print(out, "previous", f->has_previous, f->previous);
    date_print(out, "next", f->has_next, f->next);
    fputs("\"timezone\":", out);
    json_string(out, f->timezone);
    fputs(",\"sensor\":", out);
    json_string(out, f->sensor);
    fputs(",\"program\":", out);
    json_string(out, f->program);
    fputs(",\n", out);
}

int http_view_labelled(struct http_view *v, const struct day_basis *rules)
{
    struct span *s = v->windows;
    int err = span_bases_add(s, &s->computed, rules, 0);
    return err < 0 ? err : span_bases_add(s, &s->rules_labelled, rules, 0);
}

void http_view_rules(struct http_view *v, const struct ruleset *rules) { v->rules = rules; }

int http_view_print(FILE *out, struct http_view *v, const struct http_view_frame *f)
{
    struct span_cut cut;
    size_t top = f->top == 0 || f->top > SPAN_CUT_ALL ? SPAN_CUT_ALL : f->top;
    struct outages outages = v->outages; /* with the gaps, which stay the frame's */
    if (f->gaps != NULL) {
        outages.gaps = f->gaps->gaps;
        outages.gap_count = f->gaps->gap_count;
        outages.gaps_more = f->gaps->gaps_more;
    }
    int err = span_cut_init(&cut, best(v), top, f->min_sources);
    if (err == 0) {
        struct view_span span = {.rules = v->rules,
                                 .whole = best(v),
                                 .shown = &cut.span,
                                 .min_sources = f->min_sources,
                                 .outages = &outages,
                                 .from_ns = v->day.start_ns,
                                 .to_ns = v->day.end_ns};
        head_print(out, v, f);
        view_json_span(out, &span);
        estimates_print(out, v);
        points_print(out, v);
        before_print(out, f->before, &cut.span, f->min_sources);
    }
    span_cut_fini(&cut);
    return err;
}

static void shares_print(FILE *out, const struct span *s)
{
    for (unsigned n = DENOMINATOR_COUNT; n < SHARE_MARK_COUNT; n++) {
        fprintf(out, "%s\"%s\":{", n > DENOMINATOR_COUNT ? "," : "", mark_name(n));
        for (unsigned over = 0; over < SHARE_OVER_COUNT; over++) {
            struct span_share share = span_share(s, n, over);
            fprintf(out, "%s\"%s\":", over > 0 ? "," : "", share_over_name(over));
            if (share.absent[0] != '\0')
                fputs("null", out);
            else
                fprintf(out,
                        "{\"packets\":{\"num\":%" PRIu64 ",\"den\":%" PRIu64
                        "},\"sources\":{\"num\":%" PRIu64 ",\"den\":%" PRIu64 "}}",
                        share.packets.num, share.packets.den, share.sources_num.low,
                        share.sources_den.low);
        }
        fputc('}', out);
    }
}

void http_view_print_line(FILE *out, const struct http_view *v)
{
    const struct span *s = v->final;
    fputc('{', out);
    date_print(out, "date", true, v->day.date);
    fprintf(out,
            "\"state\":\"%s\",\"revision\":%" PRIu32
            ",\"complete\":%s,\"exact\":%s,\"start\":%" PRId64 ",\"end\":%" PRId64
            ",\"packets\":%" PRIu64 ",\"sources\":%" PRIu64 ",\"ex_survey_absent\":",
            state_of(v), v->revision, s->is_complete ? "true" : "false",
            s->is_exact ? "true" : "false", v->day.start_ns / NS, v->day.end_ns / NS,
            s->marks[MARK_total].packets, s->marks[MARK_total].sources.low);
    if (span_has_ex(s))
        fputs("null", out);
    else
        json_string(out, s->ex_absent);
    fputs(",\"shares\":{", out);
    shares_print(out, s);
    fputs("}}", out);
}
