#include "capture/decode.h"
#include "export/calendar.h"
#include "export/damage_text.h"
#include "export/json_string.h"
#include "export/render.h"
#include "export/share.h"

#include <inttypes.h>
#include <string.h>

/* Only iot rules have a breadth; null elsewhere, as in the list of rules. */
static const char *breadth_text(const struct rule *rule)
{
    if (strcmp(rule->category, "iot") != 0)
        return "null";
    return rule->breadth == BREADTH_strict ? "\"strict\"" : "\"shared\"";
}

/* Seconds with 9 decimals, as a string; null where there is no time. */
static void time_print(FILE *out, bool is_known, int64_t ts_ns)
{
    uint64_t ns = ts_ns < 0 ? -(uint64_t)ts_ns : (uint64_t)ts_ns;
    if (!is_known)
        fputs("null", out);
    else
        fprintf(out, "\"%s%" PRIu64 ".%09" PRIu64 "\"", ts_ns < 0 ? "-" : "", ns / 1000000000,
                ns % 1000000000);
}

static void count_print(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "  \"%s\": %" PRIu64 ",\n", name, value);
}

/* Beside distinct sources: a memory cap began, and they are at least that many. */
static const char *exact_text(bool is_inexact) { return is_inexact ? ", \"exact\": false" : ""; }

static void totals_print(FILE *out, const struct summary *s)
{
    const struct window_totals *t = &s->total->totals;
    count_print(out, "packets", t->packets);
    count_print(out, "bytes", t->bytes);
    fputs("  \"first_ts\": ", out);
    time_print(out, t->packets > 0, t->first_ns);
    fputs(",\n  \"last_ts\": ", out);
    time_print(out, t->packets > 0, t->last_ns);
    fputs(",\n", out);
    count_print(out, "ip4", t->ip4);
    count_print(out, "ip6", t->ip6);
    count_print(out, "tcp", t->tcp);
    count_print(out, "udp", t->udp);
    count_print(out, "icmp", t->icmp);
    count_print(out, "tcp_syn", t->tcp_syn);
    count_print(out, "tcp_synack", t->tcp_synack);
    count_print(out, "tcp_rst", t->tcp_rst);
    count_print(out, "snapped", t->snapped);
    fprintf(out, "  \"sources\": %" PRIu64 "%s,\n", s->sources, exact_text(s->given_up.sources));
    count_print(out, "destinations", s->destinations);
}

static void kinds_print(FILE *out, const struct summary *s)
{
    fputs("  \"kinds\": {", out);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        fprintf(out, "%s\"%s\": %" PRIu64, kind > 0 ? ", " : "", kind_name(kind),
                s->total->kinds[kind].packets);
    fputs("},\n  \"kind_sources\": {", out);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        fprintf(out, "%s\"%s\": %" PRIu64, kind > 0 ? ", " : "", kind_name(kind),
                s->kind_sources[kind]);
    fprintf(out, "%s},\n", exact_text(s->given_up.sources));
}

static void tools_print(FILE *out, const char *name, const uint64_t counts[MARK_COUNT],
                        bool is_inexact)
{
    fprintf(out, "  \"%s\": {", name);
    for (unsigned tool = 0; tool < TOOL_COUNT; tool++)
        fprintf(out, "%s\"%s\": %" PRIu64, tool > 0 ? ", " : "", tool_name(tool),
                counts[SHARE_MARK_COUNT + tool]);
    fprintf(out, "%s},\n", exact_text(is_inexact));
}

static void ports_print(FILE *out, const struct summary *s)
{
    fputs("  \"ports\": [", out);
    for (size_t i = 0; i < s->port_count; i++) {
        const struct summary_port *p = &s->ports[i];
        fprintf(out,
                "%s\n    {\"proto\": \"%s\", \"port\": %u, \"packets\": %" PRIu64
                ", \"syn\": %" PRIu64 ", \"sources\": %" PRIu64 "%s, \"bytes\": %" PRIu64
                ", \"scan\": %" PRIu64 "}",
                i > 0 ? "," : "", window_proto_name(p->proto), p->port, p->packets, p->syn,
                p->sources, exact_text(p->is_inexact), p->bytes, p->scan);
    }
    fprintf(out, "%s],\n", s->port_count > 0 ? "\n  " : "");
}

static void text_or_null_print(FILE *out, const char *text)
{
    if (text == NULL)
        fputs("null", out);
    else
        json_string(out, text);
}

static void share_print(FILE *out, const char *name, struct share share, bool is_inexact)
{
    fprintf(out, "\"%s\": {\"num\": %" PRIu64 ", \"den\": %" PRIu64 "%s}", name, share.num,
            share.den, exact_text(is_inexact));
}

/* Provisional; distinct sources of windows do not add up. */
static void share_ex_print(FILE *out, const struct summary *s, unsigned num, enum share_over over)
{
    const struct window *w = s->total;
    fprintf(out, ", \"%s\": {", share_over_name(over));
    if (summary_ex_absent(s)[0] == '\0')
        share_print(out, "packets",
                    share_of_ex(w->mark_packets, w->mark_packets_out, num, share_over_mark(over)),
                    s->given_up.ports || s->given_up.sources);
    else
        fputs("\"packets\": null", out);
    fputs(", \"sources\": null}", out);
}

static void shares_print(FILE *out, const struct summary *s)
{
    fputs("  \"shares\": {", out);
    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++) {
        fprintf(out, "%s\n    \"%s\": {", num > DENOMINATOR_COUNT ? "," : "", mark_name(num));
        for (unsigned den = 0; den < DENOMINATOR_COUNT; den++) {
            fprintf(out, "%s\"%s\": {", den > 0 ? ", " : "", mark_name(den));
            share_print(out, "packets", share_of(s->total->mark_packets, num, den), false);
            fputs(", ", out);
            share_print(out, "sources", share_of(s->mark_sources, num, den), s->given_up.sources);
            fputs("}", out);
        }
        share_ex_print(out, s, num, SHARE_OVER_total_ex_survey);
        share_ex_print(out, s, num, SHARE_OVER_scan_ex_survey);
        fputs("}", out);
    }
    fputs("\n  },\n", out);
}

/* What the shares over _ex_survey stand on. */
static void survey_print(FILE *out, const struct summary *s)
{
    const struct window_basis *b = &s->total->basis;
    const char *absent = summary_ex_absent(s);
    char first[CALENDAR_DATE], last[CALENDAR_DATE];

    fputs("  \"ex_survey\": {\"state\": \"provisional\", \"absent\": ", out);
    text_or_null_print(out, absent[0] == '\0' ? NULL : absent);
    fprintf(out,
            ", \"sources_absent\": \"distinct sources of several windows do not add\", "
            "\"lists\": %zu},\n  \"survey_basis\": ",
            s->list_count);
    if (absent[0] != '\0') {
        fputs("null,\n", out);
        return;
    }
    fputs("{\"first\": ", out);
    text_or_null_print(out, b->has_survey ? calendar_text(b->first, first) : NULL);
    fputs(", \"last\": ", out);
    text_or_null_print(out, b->has_survey ? calendar_text(b->last, last) : NULL);
    fprintf(out, ", \"without\": %s},\n", b->lacks_survey ? "true" : "false");
}

static void evidence_print(FILE *out, const char *evidence, const struct count *count)
{
    fprintf(out, "\"by_%s\": {\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 "}, ", evidence,
            count->packets, count->bytes);
}

static void rules_print(FILE *out, const struct summary *s)
{
    fputs("  \"by_rule\": [", out);
    for (size_t i = 0; i < s->by_rule_count; i++) {
        const struct summary_rule *row = &s->by_rule[i];
        const struct rule *rule = &s->rules->rules[row->rule];
        fprintf(out, "%s\n    {\"id\": ", i > 0 ? "," : "");
        json_string(out, rule->id);
        fputs(", \"category\": ", out);
        json_string(out, rule->category);
        fprintf(out, ", \"breadth\": %s, \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ",\n     ",
                breadth_text(rule), row->packets, row->bytes);
        evidence_print(out, "port", &row->by[EVIDENCE_port]);
        evidence_print(out, "payload", &row->by[EVIDENCE_payload]);
        if (rule->ports[0] != '\0')
            fprintf(out, "\"port_sources\": %" PRIu64, row->port_sources);
        else
            fputs("\"port_sources\": null", out);
        if (row->has_payload_sources)
            fprintf(out, ", \"payload_sources\": %" PRIu64, row->payload_sources);
        else
            fputs(", \"payload_sources\": null", out);
        fprintf(out, "%s}", exact_text(row->is_inexact));
    }
    fprintf(out, "%s],\n  \"rules\": {\"name\": ", s->by_rule_count > 0 ? "\n  " : "");
    json_string(out, s->rules->name);
    fputs(", \"version\": ", out);
    json_string(out, s->rules->version);
    fputs(", \"sha256\": ", out);
    json_string(out, s->rules->sha256);
    fputs("},\n", out);
}

static void telescope_print(FILE *out, const struct summary *s)
{
    if (s->telescope_configured)
        fprintf(out,
                "  \"telescope\": {\"configured\": true, \"ipv4\": %" PRIu64
                ", \"ipv6_prefixes\": %" PRIu64 ", \"changes_by_date\": %s},\n",
                s->telescope_ipv4, s->telescope_ipv6_prefixes,
                s->telescope_spans > 1 ? "true" : "false");
    else
        fputs("  \"telescope\": {\"configured\": false, \"ipv4\": null, "
              "\"ipv6_prefixes\": null},\n",
              out);
}

/* A span as a number of seconds, exactly. */
static void seconds_print(FILE *out, int64_t ns)
{
    char fraction[12];
    snprintf(fraction, sizeof fraction, ".%09" PRId64, ns % 1000000000);
    size_t len = strlen(fraction);
    while (fraction[len - 1] == '0')
        len--;
    fprintf(out, "%" PRId64 "%.*s", ns / 1000000000, len > 1 ? (int)len : 0, fraction);
}

/* What was asked for, so that the answer says of what it is one. */
static void settings_print(FILE *out, const struct summary *s)
{
    const struct summary_settings *settings = &s->settings;
    const char *comma = "";

    fputs("  \"settings\": {\"filter\": ", out);
    text_or_null_print(out, settings->hides_filter ? NULL : settings->filter);
    if (settings->hides_filter && settings->filter != NULL)
        fputs(", \"filter_hidden\": true", out);
    fputs(", \"decap\": [", out);
    for (uint32_t bit = 1; decode_decap_name(bit) != NULL; bit <<= 1) {
        if (!(settings->decap & bit))
            continue;
        fprintf(out, "%s\"%s\"", comma, decode_decap_name(bit));
        comma = ", ";
    }
    fputs("], \"window_s\": ", out);
    seconds_print(out, settings->window_ns);
    fputs(", \"lateness_s\": ", out);
    seconds_print(out, settings->lateness_ns);
    fputs(",\n    \"timezone\": ", out);
    text_or_null_print(out, settings->timezone);
    fputs(", \"sensor\": ", out);
    text_or_null_print(out, settings->sensor);
    fputs(", \"telescope_id\": ", out);
    text_or_null_print(out, settings->telescope_id);
    fprintf(out, ", \"top\": %u, \"paths\": [", settings->top);
    for (size_t i = 0; i < settings->path_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        json_string(out, settings->paths[i]);
    }
    fputs("]},\n", out);
}

/* Archives have no NIC and no kernel queue: those reasons are truly zero in a replay. Live, one that the backend can't see is
 * "unknown". */
static void ledger_print(FILE *out, const struct summary *s)
{
    const struct window_ledger *l = &s->total->ledger;
    const struct window_given_up *g = &s->total->given_up;
    char dropped[LEDGER_JSON], bounds[LEDGER_JSON];
    fprintf(out,
            "  \"ledger\": {\"offered\": %" PRIu64 ", \"observed\": %" PRIu64 ",\n"
            "    \"dropped\": {%s},\n",
            l->offered, l->observed, ledger_json(l, ", ", ": ", dropped));
    if (l->unknown != 0)
        fprintf(out, "    \"lower_bounds\": %s,\n", ledger_json_bounds(l, bounds));
    fprintf(out,
            "    \"late\": %" PRIu64 ",\n"
            "    \"given_up\": {\"recorder_packets\": %" PRIu64 ", \"windows\": %" PRIu64
            ", \"source_detail\": %" PRIu64 ", \"events\": %" PRIu64 "}},\n",
            l->late, g->recorder_packets, g->windows, s->given_up.packets, g->events);
}

/* Which steps the memory cap came to, in their order. */
static void memory_print(FILE *out, const struct summary *s)
{
    const struct summary_given_up *g = &s->given_up;
    fprintf(out, "  \"memory\": {\"cap\": %" PRIu64 ", \"given_up\": [%s%s%s]",
            s->settings.memory_cap, g->ports ? "\"ports\"" : "", g->rules ? ", \"rules\"" : "",
            g->sources ? ", \"sources\"" : "");
    if (g->ports && g->ports_packets < UINT64_MAX)
        fprintf(out, ", \"sources_up_to_packets\": %" PRIu64, g->ports_packets);
    fputs("},\n", out);
    if (s->has_indicators)
        fprintf(out, "  \"indicators_withheld\": %" PRIu64 ",\n", s->indicators_withheld);
}

static void damaged_print(FILE *out, const struct summary *s)
{
    size_t count = s->damaged == NULL ? 0 : s->damaged->count;
    fputs("  \"damaged\": [", out);
    for (size_t i = 0; i < count; i++) {
        const struct damage *d = &s->damaged->at[i];
        fprintf(out, "%s\n    {\"file\": ", i > 0 ? "," : "");
        json_string(out, d->file);
        fprintf(out, ", \"kind\": \"%s\", \"offset\": %" PRIu64, damage_kind_name(d->kind),
                d->offset);
        if (d->offset_to > d->offset)
            fprintf(out, ", \"to\": %" PRIu64, d->offset_to);
        fputs(", \"what\": ", out);
        json_string(out, d->what);
        fputs("}", out);
    }
    fprintf(out, "%s]\n", count > 0 ? "\n  " : "");
}

void render_json(FILE *out, const struct summary *s)
{
    fputs("{\n", out);
    totals_print(out, s);
    kinds_print(out, s);
    tools_print(out, "tools", s->total->mark_packets, false);
    tools_print(out, "tool_sources", s->mark_sources, s->given_up.sources);
    ports_print(out, s);
    shares_print(out, s);
    survey_print(out, s);
    ledger_print(out, s);
    memory_print(out, s);
    rules_print(out, s);
    telescope_print(out, s);
    settings_print(out, s);
    count_print(out, "inputs", s->inputs);
    count_print(out, "windows", s->windows);
    count_print(out, "window_parts", s->window_parts);
    damaged_print(out, s);
    fputs("}\n", out);
}
