#include "export/http_window.h"

#include "export/calendar.h"
#include "export/json_string.h"
#include "export/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

Yamiscope__Window *http_window_unpack(const uint8_t *body, size_t len)
{
    return yamiscope__window__unpack(NULL, len, body);
}

/* ---- JSON */

struct row {
    const char *proto;
    uint32_t port;
    uint64_t packets, bytes, syn, scan, low, high;
};

static int row_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->scan != y->scan)
        return x->scan > y->scan ? -1 : 1;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    int order = strcmp(x->proto, y->proto);
    return order != 0 ? order : (x->port > y->port) - (x->port < y->port);
}

/* All rows of all protocols; malloced. */
static struct row *rows_make(const Yamiscope__Window *w, size_t *count)
{
    size_t most = 0;
    *count = 0;
    for (size_t t = 0; t < w->n_ports; t++)
        most += w->ports[t]->n_gap;
    struct row *rows = calloc(most + 1, sizeof *rows);
    for (size_t t = 0; rows != NULL && t < w->n_ports; t++) {
        const Yamiscope__PortTable *p = w->ports[t];
        uint32_t port = 0;
        for (size_t i = 0; i < p->n_gap; i++) {
            port += p->gap[i];
            rows[(*count)++] =
                (struct row){.proto = p->proto,
                             .port = port,
                             .packets = p->packets[i],
                             .bytes = p->bytes[i],
                             .syn = p->n_syn > 0 ? p->syn[i] : 0,
                             .scan = p->scan[i],
                             .low = p->sources[i],
                             .high = p->n_sources_high > 0 ? p->sources_high[i] : p->sources[i]};
        }
    }
    if (rows != NULL)
        qsort(rows, *count, sizeof *rows, row_order);
    return rows;
}

static int ports_print(FILE *out, const Yamiscope__Window *w, size_t top)
{
    size_t count;
    struct row *rows = rows_make(w, &count);
    uint64_t packets = 0, bytes = 0, syn = 0, scan = 0;
    if (rows == NULL)
        return -ENOMEM;
    fputs(",\"ports\":[", out);
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        if (i >= top) {
            packets += r->packets;
            bytes += r->bytes;
            syn += r->syn;
            scan += r->scan;
            continue;
        }
        fprintf(out,
                "%s{\"proto\":\"%s\",\"port\":%" PRIu32 ",\"packets\":%" PRIu64
                ",\"bytes\":%" PRIu64 ",\"syn\":%" PRIu64 ",\"scan\":%" PRIu64
                ",\"sources_low\":%" PRIu64 ",\"sources_high\":%" PRIu64 "}",
                i > 0 ? "," : "", r->proto, r->port, r->packets, r->bytes, r->syn, r->scan, r->low,
                r->high);
    }
    free(rows);
    for (size_t t = 0; t < w->n_ports; t++)
        if (w->ports[t]->rest != NULL) {
            packets += w->ports[t]->rest->packets;
            bytes += w->ports[t]->rest->bytes;
            syn += w->ports[t]->rest->syn;
            scan += w->ports[t]->rest->scan;
        }
    fprintf(out,
            "],\"ports_other\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"syn\":%" PRIu64
            ",\"scan\":%" PRIu64 "}",
            packets, bytes, syn, scan);
    return 0;
}

static const Yamiscope__MarkCount *mark_find(const Yamiscope__Window *w, const char *name)
{
    for (size_t i = 0; i < w->n_marks; i++)
        if (!w->marks[i]->tool && strcmp(w->marks[i]->mark, name) == 0)
            return w->marks[i];
    return NULL;
}

static void exact_print(FILE *out, const Yamiscope__SourceCount *s)
{
    fputs(",\"sources\":", out);
    if (s != NULL && s->low == s->high)
        fprintf(out, "%" PRIu64, s->low);
    else
        fputs("null", out);
}

static void marks_print(FILE *out, const Yamiscope__Window *w, bool is_tools)
{
    const char *comma = "";
    fprintf(out, ",\"%s\":{", is_tools ? "tools" : "marks");
    for (size_t i = 0; i < w->n_marks; i++) {
        const Yamiscope__MarkCount *m = w->marks[i];
        if (m->tool != is_tools)
            continue;
        fputs(comma, out);
        comma = ",";
        json_string(out, m->mark);
        fprintf(out, ":{\"packets\":%" PRIu64, m->packets);
        if (!is_tools && w->survey_basis != NULL)
            fprintf(out, ",\"packets_ex_survey\":%" PRIu64, m->packets - m->packets_out);
        else if (!is_tools)
            fputs(",\"packets_ex_survey\":null", out);
        fprintf(out, ",\"sources_low\":%" PRIu64 ",\"sources_high\":%" PRIu64,
                m->sources == NULL ? 0 : m->sources->low,
                m->sources == NULL ? 0 : m->sources->high);
        exact_print(out, m->sources);
        fputs("}", out);
    }
    fputs("}", out);
}

static void shares_print(FILE *out, const Yamiscope__Window *w)
{
    fputs(",\"shares\":{", out);
    for (unsigned n = DENOMINATOR_COUNT; n < SHARE_MARK_COUNT; n++) {
        const Yamiscope__MarkCount *num = mark_find(w, mark_name(n));
        fprintf(out, "%s\"%s\":{", n > DENOMINATOR_COUNT ? "," : "", mark_name(n));
        for (unsigned over = 0; over < SHARE_OVER_COUNT; over++) {
            const Yamiscope__MarkCount *den = mark_find(w, mark_name(share_over_mark(over)));
            bool is_ex = share_over_is_ex(over);
            fprintf(out, "%s\"%s\":", over > 0 ? "," : "", share_over_name(over));
            if (num == NULL || den == NULL || (is_ex && w->survey_basis == NULL))
                fputs("null", out);
            else
                fprintf(out, "{\"num\":%" PRIu64 ",\"den\":%" PRIu64 "}",
                        num->packets - (is_ex ? num->packets_out : 0),
                        den->packets - (is_ex ? den->packets_out : 0));
        }
        fputs("}", out);
    }
    fputs("}", out);
}

static void kinds_print(FILE *out, const Yamiscope__Window *w)
{
    fputs(",\"kinds\":{", out);
    for (size_t i = 0; i < w->n_kinds; i++) {
        fputs(i > 0 ? "," : "", out);
        json_string(out, w->kinds[i]->kind);
        fprintf(out, ":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", w->kinds[i]->packets,
                w->kinds[i]->bytes);
    }
    fputs("},\"rules\":[", out);
    for (size_t i = 0; i < w->n_rules; i++) {
        fputs(i > 0 ? ",{\"rule\":" : "{\"rule\":", out);
        json_string(out, w->rules[i]->rule);
        fputs(",\"evidence\":", out);
        json_string(out, w->rules[i]->evidence);
        fprintf(out, ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", w->rules[i]->packets,
                w->rules[i]->bytes);
    }
    fputs("]", out);
}

static void totals_print(FILE *out, const Yamiscope__Window *w)
{
    static const Yamiscope__Totals nothing = YAMISCOPE__TOTALS__INIT;
    static const Yamiscope__Ledger empty = YAMISCOPE__LEDGER__INIT;
    const Yamiscope__Totals *t = w->totals == NULL ? &nothing : w->totals;
    const Yamiscope__Ledger *l = w->ledger == NULL ? &empty : w->ledger;
    char time[TEXT_NUMBER];
    fprintf(out, ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64, t->packets, t->bytes);
    if (t->packets > 0 && t->first_ns != 0) {
        fprintf(out, ",\"first_ts\":\"%s\"", report_time(t->first_ns, time));
        fprintf(out, ",\"last_ts\":\"%s\"", report_time(t->last_ns, time));
    } else {
        fputs(",\"first_ts\":null,\"last_ts\":null", out);
    }
    fprintf(out,
            ",\"ip4\":%" PRIu64 ",\"ip6\":%" PRIu64 ",\"tcp\":%" PRIu64 ",\"udp\":%" PRIu64
            ",\"icmp\":%" PRIu64 ",\"tcp_syn\":%" PRIu64 ",\"tcp_synack\":%" PRIu64
            ",\"tcp_rst\":%" PRIu64 ",\"snapped\":%" PRIu64,
            t->ip4, t->ip6, t->tcp, t->udp, t->icmp, t->tcp_syn, t->tcp_synack, t->tcp_rst,
            t->snapped);
    struct window_ledger ledger = {.filtered = l->filtered,
                                   .ring_full = l->ring_full,
                                   .nic_missed = l->nic_missed,
                                   .nic_nombuf = l->nic_nombuf,
                                   .nic_error = l->nic_error,
                                   .kernel = l->kernel};
    char dropped[LEDGER_JSON];
    for (size_t i = 0; i < l->n_unknown; i++)
        ledger.unknown |= 1u << (unsigned)l->unknown[i] % DROP_COUNT;
    fprintf(out,
            ",\"ledger\":{\"offered\":%" PRIu64 ",\"observed\":%" PRIu64
            ",\"dropped\":{%s},\"late\":%" PRIu64 "}",
            l->offered, l->observed, ledger_json(&ledger, ",", ":", dropped), l->late);
}

static void basis_print(FILE *out, const Yamiscope__SurveyBasis *b)
{
    char date[CALENDAR_DATE];
    fputs(",\"survey_basis\":", out);
    if (b == NULL) {
        fputs("null", out);
        return;
    }
    if (b->some) {
        fprintf(out, "{\"first\":\"%s\"", calendar_text(b->first, date));
        fprintf(out, ",\"last\":\"%s\"", calendar_text(b->last, date));
    } else {
        fputs("{\"first\":null,\"last\":null", out);
    }
    fprintf(out, ",\"without\":%s}", b->without ? "true" : "false");
}

int http_window_json(FILE *out, const Yamiscope__Window *w, uint64_t seq, size_t top)
{
    char time[TEXT_NUMBER];
    fprintf(out,
            "{\"seq\":%" PRIu64 ",\"start\":\"%s\",\"span_s\":%g,\"part\":%" PRIu32
            ",\"state\":\"provisional\",\"partial\":%s,\"exact\":%s",
            seq, report_time(w->start_ns, time), (double)w->span_ns / 1e9, w->part,
            w->partial ? "true" : "false",
            w->given_up == NULL || (w->given_up->ports == 0 && w->given_up->sources == 0)
                ? "true"
                : "false");
    totals_print(out, w);
    basis_print(out, w->survey_basis);
    kinds_print(out, w);
    marks_print(out, w, false);
    marks_print(out, w, true);
    shares_print(out, w);
    int err = ports_print(out, w, top);
    fputs("}", out);
    return err;
}
