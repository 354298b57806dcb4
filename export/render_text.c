#include "capture/capture_filter.h"
#include "classify/fingerprint.h"
#include "export/calendar.h"
#include "export/render_page.h"
#include "export/share.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 100, WIDTH_MIN = 40, TOP = 10, PERCENT_COLUMNS = 8, HINT = 512 };

static const char *const kind_words[KIND_COUNT] = {
    [KIND_tcp_syn] = "asks for a connection",
    [KIND_tcp_data] = "TCP data out of the blue",
    [KIND_tcp_other] = "other TCP flags",
    [KIND_udp] = "UDP",
    [KIND_icmp] = "ICMP requests",
    [KIND_backscatter_tcp] = "answers to forged TCP",
    [KIND_backscatter_icmp] = "ICMP replies and errors",
    [KIND_backscatter_udp] = "answers of reflectors",
    [KIND_stray] = "pollution that is no scan",
    [KIND_fragment] = "later fragments",
    [KIND_other_ip] = "other IP protocols",
    [KIND_non_ip] = "no IP",
    [KIND_malformed] = "broken headers",
    [KIND_outside] = "not to the telescope",
};

static void bytes_format(double bytes, char to[64])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit < 6; unit++)
        bytes /= 1000;
    snprintf(to, 64, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void headpage_line(const struct page *p)
{
    const struct summary *s = p->s;
    const struct window_totals *t = &s->total->totals;
    char line[PAGE_LINE], a[TEXT_COUNTED], b[TEXT_COUNTED], c[TEXT_COUNTED];

    snprintf(line, sizeof line, "%s from %s to %s",
             text_counted(t->packets, "packet", "packets", a),
             text_counted(s->sources, "source", "sources", b),
             text_counted(s->destinations, "destination", "destinations", c));
    fputc('\n', p->text.out);
    text_paragraph(&p->text, TEXT_BOLD, line, 0);
    fputc('\n', p->text.out);
}

static void date_format(int64_t ts_ns, int32_t east_s, char to[48])
{
    int64_t part_ns = ts_ns % 1000000000, seconds = ts_ns / 1000000000 - (part_ns < 0);
    time_t shown = (time_t)(seconds + east_s);
    struct tm tm;
    char date[32];
    gmtime_r(&shown, &tm);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(to, 48, "%s.%03u", date,
             (unsigned)(part_ns + (part_ns < 0 ? 1000000000 : 0)) / 1000000);
}

/* "UTC", "JST (UTC+09:00)". */
static void zone_format(const struct render_zone *zone, char to[48])
{
    unsigned minutes = (unsigned)(zone->east_s < 0 ? -zone->east_s : zone->east_s) / 60;
    if (zone->name[0] == '\0' || (zone->east_s == 0 && strcmp(zone->name, "UTC") == 0))
        snprintf(to, 48, "UTC");
    else
        snprintf(to, 48, "%s (UTC%c%02u:%02u)", zone->name, zone->east_s < 0 ? '-' : '+',
                 minutes / 60, minutes % 60);
}

/* First and last time; where a clock change lies between them, each with its own zone. */
static void times_print(const struct page *p, uint64_t ns)
{
    const struct window_totals *t = &p->s->total->totals;
    const struct render_zone *from = &p->settings->first_zone, *to = &p->settings->last_zone;
    char line[PAGE_LINE], first[48], last[48], first_zone[48], last_zone[48], span[64];

    date_format(t->first_ns, from->east_s, first);
    date_format(t->last_ns, to->east_s, last);
    zone_format(from, first_zone);
    zone_format(to, last_zone);
    page_span(ns, span);
    bool is_same_day = strncmp(first, last, 10) == 0;
    bool is_same_zone = strcmp(first_zone, last_zone) == 0;
    snprintf(line, sizeof line, "%s%s%s to %s %s, %s", first, is_same_zone ? "" : " ",
             is_same_zone ? "" : first_zone, is_same_day ? last + 11 : last, last_zone, span);
    page_line(p, "time", TEXT_PLAIN, line);
}

static void when_print(const struct page *p)
{
    const struct window_totals *t = &p->s->total->totals;
    char line[PAGE_LINE], bytes[64], digits[TEXT_NUMBER];
    uint64_t ns = (uint64_t)t->last_ns - (uint64_t)t->first_ns;

    times_print(p, ns);
    bytes_format((double)t->bytes, bytes);
    if (ns >= 1000000) {
        double rate = (double)t->packets / ((double)ns / 1e9);
        if (rate < 1000)
            snprintf(line, sizeof line, "%.1f packets/s, %s on the wire", rate, bytes);
        else
            snprintf(line, sizeof line, "%s packets/s, %s on the wire",
                     text_number((uint64_t)(rate + 0.5), digits), bytes);
    } else {
        snprintf(line, sizeof line, "%s on the wire", bytes);
    }
    page_line(p, "rate", TEXT_PLAIN, line);
}

static void telescope_print(const struct page *p)
{
    const struct summary *s = p->s;
    char line[PAGE_LINE], ipv4[TEXT_COUNTED], ipv6[TEXT_COUNTED];

    text_counted(s->telescope_ipv4, "IPv4 address", "IPv4 addresses", ipv4);
    text_counted(s->telescope_ipv6_prefixes, "IPv6 prefix", "IPv6 prefixes", ipv6);
    if (!s->telescope_configured)
        snprintf(line, sizeof line, "not configured: every destination counts as inside");
    else if (s->telescope_ipv6_prefixes == 0)
        snprintf(line, sizeof line, "%s", ipv4);
    else if (s->telescope_ipv4 == 0)
        snprintf(line, sizeof line, "%s", ipv6);
    else
        snprintf(line, sizeof line, "%s, %s", ipv4, ipv6);
    if (s->telescope_spans > 1)
        strcat(line, " on the last day; it changes by date");
    page_line(p, "telescope", TEXT_PLAIN, line);
}

static void headers_print(const struct page *p)
{
    const struct window_totals *t = &p->s->total->totals;
    const struct {
        const char *name;
        uint64_t count;
    } headers[] = {
        {"IPv4", t->ip4}, {"IPv6", t->ip6}, {"TCP", t->tcp}, {"UDP", t->udp}, {"ICMP", t->icmp}};
    char line[PAGE_LINE], digits[TEXT_NUMBER];
    const char *separator = p->text.is_utf8 ? " · " : "; ";
    size_t at = 0;

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].count > 0)
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s %s", at == 0 ? "" : separator,
                                   headers[i].name, text_number(headers[i].count, digits));
    if (at > 0)
        page_line(p, "headers", TEXT_PLAIN, line);
    telescope_print(p);
}

/* ---- what the packets are */

struct kind_rows {
    const struct page *page;
    unsigned kind[KIND_COUNT];
};

static void kind_fill(const void *context, size_t index, struct text_row *row)
{
    const struct kind_rows *rows = context;
    const struct summary *s = rows->page->s;
    unsigned kind = rows->kind[index];
    struct share share = {s->total->kinds[kind].packets, s->total->totals.packets};

    row->cell[0] = kind_name(kind);
    row->cell[1] = kind_words[kind];
    row->cell[2] = text_number(share.num, row->number[2]);
    row->cell[3] = share_text(share, row->number[3]);
    row->cell[4] = text_number(s->kind_sources[kind], row->number[4]);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

static void kinds_print(const struct page *p)
{
    static const struct text_column columns[] = {{"kind"},
                                                 {"", .is_elastic = true, .is_dim = true},
                                                 {"packets", .is_right = true},
                                                 {"of total", .is_right = true},
                                                 {"sources", .is_right = true}};
    const struct summary *s = p->s;
    struct kind_rows rows = {.page = p};
    size_t count = 0;
    char line[PAGE_LINE], a[TEXT_COUNTED];

    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (s->total->kinds[kind].packets > 0)
            rows.kind[count++] = kind;
    text_heading(&p->text, "What the packets are", "");
    text_table(&p->text, columns, 5, count, kind_fill, &rows);
    if (s->total->totals.snapped > 0) {
        snprintf(line, sizeof line, "%s cut by the snap length before what decides the kind",
                 text_counted(s->total->totals.snapped, "header", "headers", a));
        page_note(p, line);
    }
}

/* ---- shares */

struct share_columns {
    unsigned den;      /* columns of "of scan" */
    unsigned fraction; /* columns of "num / den" */
    unsigned bar;
    bool is_stacked; /* packets and sources under each other */
};

static void fraction_format(struct share share, char to[2 * TEXT_NUMBER + 4])
{
    char num[TEXT_NUMBER], den[TEXT_NUMBER];
    snprintf(to, 2 * TEXT_NUMBER + 4, "%s / %s", text_number(share.num, num),
             text_number(share.den, den));
}

static struct share_columns share_measure(const struct page *p)
{
    enum { BAR_MIN = 4, BAR_MAX = 16, WORDS = 12 };
    struct share_columns c = {.den = 3 + 5};
    const struct summary *s = p->s;
    char fraction[2 * TEXT_NUMBER + 4];

    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++) {
        for (unsigned den = 0; den < DENOMINATOR_COUNT; den++) {
            fraction_format(share_of(s->total->mark_packets, num, den), fraction);
            if (c.fraction < strlen(fraction))
                c.fraction = (unsigned)strlen(fraction);
        }
    }
    unsigned fixed = 2 * PAGE_INDENT + c.den, half = 2 + PERCENT_COLUMNS + 1 + 2 + c.fraction;
    c.is_stacked = fixed + 2 * (half + BAR_MIN) > p->text.width;
    unsigned used = c.is_stacked ? fixed + WORDS + half : fixed + 2 * half;
    unsigned room = p->text.width > used ? p->text.width - used : 0;
    c.bar = c.is_stacked ? room : room / 2;
    c.bar = c.bar > BAR_MAX ? BAR_MAX : c.bar < BAR_MIN ? 0 : c.bar;
    return c;
}

static void share_half(const struct page *p, const struct share_columns *c, struct share share)
{
    char percent[SHARE_TEXT], fraction[2 * TEXT_NUMBER + 4];
    fraction_format(share, fraction);
    share_text(share, percent);
    fprintf(p->text.out, "  %*s", (int)(PERCENT_COLUMNS - strlen(percent)), "");
    text_print(&p->text, TEXT_BOLD, percent, PERCENT_COLUMNS);
    fputc(' ', p->text.out);
    unsigned bar = text_bar(&p->text, TEXT_BAR_IOT, share_ratio(share), c->bar);
    fprintf(p->text.out, "%*s", (int)(c->bar - bar + 2 + c->fraction), fraction);
}

static void share_print(const struct page *p, const struct share_columns *c, unsigned num,
                        unsigned den)
{
    struct share packets = share_of(p->s->total->mark_packets, num, den);
    struct share sources = share_of(p->s->mark_sources, num, den);
    FILE *out = p->text.out;

    fprintf(out, "%*sof %-*s", 2 * PAGE_INDENT, "", (int)c->den - 3, mark_name(den));
    if (c->is_stacked)
        fprintf(out, "%-12s", "  by packets");
    share_half(p, c, packets);
    if (c->is_stacked)
        fprintf(out, "\n%*s%-12s", (int)(2 * PAGE_INDENT + c->den), "", "  by sources");
    share_half(p, c, sources);
    fputc('\n', out);
}

/* The heads of the two halves, above their fractions' right ends. */
static void share_heads(const struct page *p, const struct share_columns *c)
{
    unsigned half = 2 + PERCENT_COLUMNS + 1 + c->bar + 2 + c->fraction;
    char heads[PAGE_LINE];
    snprintf(heads, sizeof heads, "%*s%*s%*s", (int)(2 * PAGE_INDENT + c->den), "", (int)half,
             "by packets", (int)half, "by sources");
    text_print(&p->text, TEXT_DIM, heads, p->text.width);
    fputc('\n', p->text.out);
}

/* Whom the provisional shares leave out. */
static void survey_out_print(const struct page *p)
{
    const struct window_basis *b = &p->s->total->basis;
    const char *known = p->s->list_count > 0
                            ? "bogons and acknowledged scanners"
                            : "bogons (no list of acknowledged scanners was given)";
    char line[PAGE_LINE], first[CALENDAR_DATE], last[CALENDAR_DATE];
    bool is_one = b->first == b->last;
    if (b->has_survey)
        snprintf(line, sizeof line,
                 "left out: %s; of each window the survey scanners of the day before (%s%s%s)%s",
                 known, calendar_text(b->first, first), is_one ? "" : " to ",
                 is_one ? "" : calendar_text(b->last, last),
                 b->lacks_survey ? ", none while the first day was not over" : "");
    else
        snprintf(line, sizeof line,
                 "left out: %s; no survey scanners, who are known when a day is over", known);
    page_line(p, "", TEXT_DIM, line);
}

/* Of what is not shown in full: replay adds windows, whose survey scanners are those of the day before. */
static void survey_print(const struct page *p)
{
    const struct window *w = p->s->total;
    const char *absent = summary_ex_absent(p->s);
    char line[PAGE_LINE], words[SHARE_WORDS], fraction[2 * TEXT_NUMBER + 4];
    if (absent[0] != '\0') {
        snprintf(line, sizeof line, "absent: %s", absent);
        page_line(p, "ex_survey", TEXT_DIM, line);
        return;
    }
    struct share share =
        share_of_ex(w->mark_packets, w->mark_packets_out, MARK_iot_strict, MARK_scan);
    fraction_format(share, fraction);
    snprintf(line, sizeof line, "provisional: iot_strict %s (%s packets)",
             share_words(share, SHARE_OVER_scan_ex_survey, words), fraction);
    page_line(p, "ex_survey", TEXT_DIM, line);
    survey_out_print(p);
}

static void shares_print(const struct page *p)
{
    enum { SHARE_LABEL = 15 }; /* "iot_confirmed" */
    struct share_columns c = share_measure(p);

    text_heading(&p->text, "How much of it aims at IoT devices", "");
    if (!c.is_stacked)
        share_heads(p, &c);
    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++) {
        fprintf(p->text.out, "%*s", PAGE_INDENT, "");
        unsigned used = text_print(&p->text, TEXT_BOLD, mark_name(num), SHARE_LABEL);
        fprintf(p->text.out, "%*s", (int)(SHARE_LABEL - used), "");
        text_paragraph(&p->text, TEXT_PLAIN, share_definition(num), PAGE_INDENT + SHARE_LABEL);
        for (unsigned den = DENOMINATOR_COUNT; den-- > 0;)
            share_print(p, &c, num, den);
    }
    fputc('\n', p->text.out);
    for (unsigned den = DENOMINATOR_COUNT; den-- > 0;)
        page_line(p, mark_name(den), TEXT_DIM, share_definition(den));
    page_line(
        p, "evidence", TEXT_DIM,
        "the destination port, or the payload where it shows a rule; for iot_bot the sender's "
        "fingerprint too: what a packet aims at, not what it hit. Survey scanners are not taken "
        "out above; the final shares without them are those of days: yamiscope report.");
    survey_print(p);
}

/* ---- ports */

static const char *rule_device(const struct page *p, const struct rule *rule)
{
    bool is_japanese = p->is_japanese && rule->device_ja != NULL && rule->device_ja[0] != '\0';
    return is_japanese ? rule->device_ja : rule->device_en;
}

/* "iot", "web, iot (shared)", "-": a port that IoT shares goes by the service's own rule first. */
static const char *rule_category(const struct rule *iot, const struct rule *service,
                                 char to[TEXT_NUMBER])
{
    if (iot == NULL && service == NULL)
        return "-";
    if (iot == NULL)
        return service->category;
    if (iot->breadth == BREADTH_strict)
        return "iot (strict)";
    snprintf(to, TEXT_NUMBER, "%.14s%siot (shared)", service == NULL ? "" : service->category,
             service == NULL ? "" : ", ");
    return to;
}

static void port_fill(const void *context, size_t index, struct text_row *row)
{
    const struct page *p = context;
    const struct summary *s = p->s;
    const struct summary_port *port = &s->ports[s->scan_ports[index]];
    const struct port_class *class =
        &s->rules->classes[s->rules->port_class[port->proto][port->port]];
    const struct rule *rules[2] = {NULL, NULL};
    uint64_t all = s->total->mark_packets[MARK_scan];

    for (unsigned i = 0; i < 2; i++)
        if (class->rules[i] != RULE_NONE)
            rules[i] = &s->rules->rules[class->rules[i]];
    bool is_iot = rules[0] != NULL && rules[0]->breadth == BREADTH_strict;
    const struct rule *named = is_iot || rules[1] == NULL ? rules[0] : rules[1];
    snprintf(row->number[0], TEXT_NUMBER, "%s/%u", window_proto_name(port->proto), port->port);
    row->cell[0] = row->number[0];
    row->cell[1] = named == NULL ? "" : rule_device(p, named);
    row->cell[2] = rule_category(rules[0], rules[1], row->number[2]);
    row->cell[3] = text_number(port->scan, row->number[3]);
    row->cell[4] = share_text((struct share){port->scan, all}, row->number[4]);
    row->cell[5] = text_number(port->sources, row->number[5]);
    row->bar = (double)port->scan / (double)s->ports[s->scan_ports[0]].scan;
    row->bar_style = is_iot ? TEXT_BAR_IOT : TEXT_BAR;
}

/* What the table of ports leaves out: rows beyond its length, ports that nobody scanned. */
static void ports_rest_print(const struct page *p, size_t rows)
{
    const struct summary *s = p->s;
    size_t unscanned = s->port_count - s->scan_port_count;
    uint64_t scan = 0, other = 0;
    char line[PAGE_LINE], a[TEXT_COUNTED], b[TEXT_COUNTED];

    for (size_t i = rows; i < s->scan_port_count; i++)
        scan += s->ports[s->scan_ports[i]].scan;
    for (size_t i = 0; i < s->port_count; i++)
        other += s->ports[i].scan == 0 ? s->ports[i].packets : 0;
    if (rows < s->scan_port_count) {
        snprintf(line, sizeof line, "and %s with %s",
                 text_counted(s->scan_port_count - rows, "further port", "further ports", a),
                 text_counted(scan, "scan packet", "scan packets", b));
        page_note(p, line);
    }
    if (unscanned > 0) {
        snprintf(line, sizeof line, "%s got no scan packet, but %s of other kinds",
                 text_counted(unscanned, "port", "ports", a),
                 text_counted(other, "packet", "packets", b));
        page_note(p, line);
    }
}

static void ports_print(const struct page *p)
{
    static const struct text_column columns[] = {{"port"},
                                                 {"what answers there", .is_elastic = true},
                                                 {"category"},
                                                 {"packets", .is_right = true},
                                                 {"of scan", .is_right = true},
                                                 {"sources", .is_right = true}};
    const struct summary *s = p->s;
    size_t rows = s->scan_port_count < p->top ? s->scan_port_count : p->top;

    if (s->port_count == 0)
        return;
    text_heading(&p->text, "Ports", "scan packets to each; sources: of any packet there");
    if (rows > 0)
        text_table(&p->text, columns, 6, rows, port_fill, p);
    ports_rest_print(p, rows);
}

/* ---- rules */

static void rule_fill(const void *context, size_t index, struct text_row *row)
{
    const struct page *p = context;
    const struct summary_rule *count = &p->s->by_rule[index];
    const struct rule *rule = &p->s->rules->rules[count->rule];
    struct share share = {count->packets, p->s->total->mark_packets[MARK_scan]};
    bool is_iot = strcmp(rule->category, "iot") == 0;

    row->cell[0] = rule->id;
    row->cell[1] = rule_device(p, rule);
    row->cell[2] = !is_iot ? "" : rule->breadth == BREADTH_strict ? "strict" : "shared";
    row->cell[3] = text_number(count->packets, row->number[3]);
    row->cell[4] = share_text(share, row->number[4]);
    row->cell[5] = rule->ports[0] ? text_number(count->port_sources, row->number[5]) : "-";
    row->cell[6] =
        count->has_payload_sources ? text_number(count->payload_sources, row->number[6]) : "-";
    row->bar = (double)count->packets / (double)p->s->by_rule[0].packets;
    row->bar_style = is_iot && rule->breadth == BREADTH_strict ? TEXT_BAR_IOT : TEXT_BAR;
}

static void rules_print(const struct page *p)
{
    static const struct text_column columns[] = {{"rule"},
                                                 {"what answers there", .is_elastic = true},
                                                 {"breadth"},
                                                 {"packets", .is_right = true},
                                                 {"of scan", .is_right = true},
                                                 {"at ports", .is_right = true},
                                                 {"shown", .is_right = true}};
    size_t count = p->s->by_rule_count, rows = count < p->top ? count : p->top;
    char line[PAGE_LINE], a[TEXT_COUNTED];

    if (rows == 0)
        return;
    text_heading(&p->text, "Rules", "scan packets, by payload where it shows a rule, else by port");
    text_table(&p->text, columns, 7, rows, rule_fill, p);
    if (rows < count) {
        snprintf(line, sizeof line, "and %s",
                 text_counted(count - rows, "further rule", "further rules", a));
        page_note(p, line);
    }
    page_note(p, "a port that has an iot rule and a service's counts in both rows; "
                 "breadth is for iot rules; at ports: sources of all scan packets to its ports; "
                 "shown: of those whose payload shows it");
}

/* ---- tools */

static void tool_fill(const void *context, size_t index, struct text_row *row)
{
    const struct page *p = context;
    unsigned mark = SHARE_MARK_COUNT + (unsigned)index;
    struct share share = share_of(p->s->total->mark_packets, mark, MARK_total);

    row->cell[0] = mark_name(mark);
    row->cell[1] = confidence_name((enum confidence)fingerprint_texts[index].confidence);
    row->cell[2] = text_number(share.num, row->number[2]);
    row->cell[3] = share_text(share, row->number[3]);
    row->cell[4] = text_number(p->s->mark_sources[mark], row->number[4]);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

static void tools_print(const struct page *p)
{
    static const struct text_column columns[] = {{"tool"},
                                                 {"confidence"},
                                                 {"packets", .is_right = true},
                                                 {"of total", .is_right = true},
                                                 {"sources", .is_right = true}};
    text_heading(&p->text, "Tools", "packets that match a fingerprint; single ones do by chance");
    text_table(&p->text, columns, 5, TOOL_COUNT, tool_fill, p);
}

/* No packet could be read: of which input, where it is one, and for what reason. */
static const char *unread_text(const struct damage_list *damaged, char to[HINT])
{
    const struct damage *first = &damaged->at[0];
    bool is_unread = true;
    for (size_t i = 0; i < damaged->count; i++)
        is_unread &= damaged->at[i].kind == DAMAGE_UNREAD;
    if (damaged->count > 1)
        return is_unread
                   ? "No packet could be read: none of the inputs could be opened, see below."
                   : "No packet could be read: the inputs are damaged or no captures, see below.";
    snprintf(to, HINT, "No packet could be read: %s: %s.",
             strlen(first->file) < HINT / 2 ? first->file : "the input", first->what);
    return to;
}

/* Nothing was counted: say why. */
static void hint_print(const struct page *p)
{
    const struct summary *s = p->s;
    const char *why = "The inputs hold no packets.";
    char text[HINT];
    if (s->total->ledger.filtered > 0)
        why = "The filter took out every packet there was.";
    else if (s->damaged != NULL && s->damaged->count > 0)
        why = unread_text(s->damaged, text);
    else if (s->inputs == 0)
        why = "There was nothing to read.";
    fputc('\n', p->text.out);
    text_print(&p->text, TEXT_BOLD, "No packets", p->text.width);
    fprintf(p->text.out, "\n\n%*s", PAGE_INDENT, "");
    text_paragraph(&p->text, TEXT_PLAIN, why, PAGE_INDENT);
    if (s->total->ledger.filtered > 0) {
        fprintf(p->text.out, "%*s", PAGE_INDENT, "");
        text_paragraph(&p->text, TEXT_PLAIN, filter_sees, PAGE_INDENT);
    }
}

void render_text(FILE *out, const struct summary *s, const struct render_text_settings *settings)
{
    unsigned width = settings->width == 0 ? WIDTH : settings->width;
    struct page page = {
        .text = {.out = out,
                 .width = width < WIDTH_MIN ? WIDTH_MIN : width,
                 .is_color = settings->is_color,
                 .is_utf8 = settings->is_utf8},
        .s = s,
        .settings = settings,
        .top = settings->top == 0 ? TOP : settings->top,
        .is_japanese = settings->is_japanese && settings->is_utf8,
    };

    if (s->total->totals.packets == 0) {
        hint_print(&page);
    } else {
        headpage_line(&page);
        when_print(&page);
        headers_print(&page);
        kinds_print(&page);
        shares_print(&page);
        ports_print(&page);
        rules_print(&page);
        tools_print(&page);
    }
    page_basis(&page);
}
