#include "export/render.h"
#include "export/share.h"
#include "export/text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    WIDTH = 100,
    WIDTH_MIN = 40,
    TOP = 10,
    INDENT = 2,
    LABEL = 12,
    LINE = 512,
    PERCENT_COLUMNS = 8
};

struct page {
    struct text text;
    const struct summary *s;
    size_t top;
    bool is_japanese;
};

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

static void label_print(const struct page *p, const char *label)
{
    fprintf(p->text.out, "%*s", INDENT, "");
    unsigned used = text_print(&p->text, TEXT_DIM, label, LABEL);
    fprintf(p->text.out, "%*s", (int)(LABEL - used), "");
}

/* A label, then words to the right of it. */
static void line_print(const struct page *p, const char *label, enum text_style style,
                       const char *words)
{
    label_print(p, label);
    text_paragraph(&p->text, style, words, INDENT + LABEL);
}

/* "1 packet", "2 packets". */
static const char *counted(uint64_t value, const char *noun, char to[64])
{
    char digits[TEXT_NUMBER];
    snprintf(to, 64, "%s %s%s", text_number(value, digits), noun, value == 1 ? "" : "s");
    return to;
}

static void date_format(int64_t ts_ns, char to[48])
{
    int64_t seconds = ts_ns / 1000000000 - (ts_ns % 1000000000 < 0);
    time_t time = (time_t)seconds;
    struct tm utc;
    char date[32];
    gmtime_r(&time, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc);
    snprintf(to, 48, "%s.%03u", date,
             (unsigned)((uint64_t)(ts_ns - seconds * 1000000000) / 1000000));
}

static void span_format(uint64_t ns, char to[64])
{
    uint64_t s = ns / 1000000000;
    if (s < 60)
        snprintf(to, 64, "%.3f s", (double)ns / 1e9);
    else if (s < 3600)
        snprintf(to, 64, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(to, 64, "%" PRIu64 " h %02" PRIu64 " min %02" PRIu64 " s", s / 3600, s / 60 % 60,
                 s % 60);
    else
        snprintf(to, 64, "%" PRIu64 " d %02" PRIu64 " h %02" PRIu64 " min", s / 86400,
                 s / 3600 % 24, s / 60 % 60);
}

static void bytes_format(double bytes, char to[64])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit < 6; unit++)
        bytes /= 1000;
    snprintf(to, 64, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void headline_print(const struct page *p)
{
    const struct summary *s = p->s;
    const struct window_totals *t = &s->total->totals;
    char line[LINE], a[64], b[64], c[64];

    snprintf(line, sizeof line, "%s from %s to %s", counted(t->packets, "packet", a),
             counted(s->sources, "source", b), counted(s->destinations, "destination", c));
    fputc('\n', p->text.out);
    text_paragraph(&p->text, TEXT_BOLD, line, 0);
    fputc('\n', p->text.out);
}

static void when_print(const struct page *p)
{
    const struct window_totals *t = &p->s->total->totals;
    char line[LINE], first[48], last[48], span[64], bytes[64], digits[TEXT_NUMBER];
    uint64_t ns = (uint64_t)t->last_ns - (uint64_t)t->first_ns;

    date_format(t->first_ns, first);
    date_format(t->last_ns, last);
    span_format(ns, span);
    bool is_same_day = strncmp(first, last, 10) == 0;
    snprintf(line, sizeof line, "%s to %s UTC, %s", first, is_same_day ? last + 11 : last, span);
    line_print(p, "time", TEXT_PLAIN, line);

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
    line_print(p, "rate", TEXT_PLAIN, line);
}

static void headers_print(const struct page *p)
{
    const struct window_totals *t = &p->s->total->totals;
    const struct {
        const char *name;
        uint64_t count;
    } headers[] = {
        {"IPv4", t->ip4}, {"IPv6", t->ip6}, {"TCP", t->tcp}, {"UDP", t->udp}, {"ICMP", t->icmp}};
    char line[LINE], digits[TEXT_NUMBER];
    const char *separator = p->text.is_utf8 ? " · " : "; ";
    size_t at = 0;

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].count > 0)
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s %s", at == 0 ? "" : separator,
                                   headers[i].name, text_number(headers[i].count, digits));
    if (at > 0)
        line_print(p, "headers", TEXT_PLAIN, line);
    if (p->s->telescope_configured)
        snprintf(line, sizeof line, "%s IPv4 addresses", text_number(p->s->telescope_ipv4, digits));
    else
        snprintf(line, sizeof line, "not configured: every destination counts as inside");
    line_print(p, "telescope", TEXT_PLAIN, line);
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
    char line[LINE], a[64];

    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (s->total->kinds[kind].packets > 0)
            rows.kind[count++] = kind;
    text_heading(&p->text, "What the packets are", "");
    text_table(&p->text, columns, 5, count, kind_fill, &rows);
    if (s->total->totals.snapped > 0) {
        snprintf(line, sizeof line, "%s cut by the snap length before what decides the kind",
                 counted(s->total->totals.snapped, "header", a));
        fprintf(p->text.out, "%*s", INDENT, "");
        text_paragraph(&p->text, TEXT_DIM, line, INDENT);
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
    unsigned fixed = 2 * INDENT + c.den, half = 2 + PERCENT_COLUMNS + 1 + 2 + c.fraction;
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

    fprintf(out, "%*sof %-*s", 2 * INDENT, "", (int)c->den - 3, mark_name(den));
    if (c->is_stacked)
        fprintf(out, "%-12s", "  by packets");
    share_half(p, c, packets);
    if (c->is_stacked)
        fprintf(out, "\n%*s%-12s", (int)(2 * INDENT + c->den), "", "  by sources");
    share_half(p, c, sources);
    fputc('\n', out);
}

/* The heads of the two halves, above their fractions' right ends. */
static void share_heads(const struct page *p, const struct share_columns *c)
{
    unsigned half = 2 + PERCENT_COLUMNS + 1 + c->bar + 2 + c->fraction;
    char heads[LINE];
    snprintf(heads, sizeof heads, "%*s%*s%*s", (int)(2 * INDENT + c->den), "", (int)half,
             "by packets", (int)half, "by sources");
    text_print(&p->text, TEXT_DIM, heads, p->text.width);
    fputc('\n', p->text.out);
}

static void shares_print(const struct page *p)
{
    struct share_columns c = share_measure(p);

    text_heading(&p->text, "How much of it aims at IoT devices", "");
    if (!c.is_stacked)
        share_heads(p, &c);
    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++) {
        fprintf(p->text.out, "%*s", INDENT, "");
        unsigned used = text_print(&p->text, TEXT_BOLD, mark_name(num), LABEL);
        fprintf(p->text.out, "%*s", (int)(LABEL - used), "");
        text_paragraph(&p->text, TEXT_PLAIN, share_definition(num), INDENT + LABEL);
        for (unsigned den = DENOMINATOR_COUNT; den-- > 0;)
            share_print(p, &c, num, den);
    }
    fputc('\n', p->text.out);
    for (unsigned den = DENOMINATOR_COUNT; den-- > 0;)
        line_print(p, mark_name(den), TEXT_DIM, share_definition(den));
    line_print(
        p, "evidence", TEXT_DIM,
        "the destination port, for iot_bot the sender's fingerprint too: what a packet aims at, "
        "not what it hit. Survey scanners are not taken out.");
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
    const struct summary_port *port = &s->ports[index];
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
    row->cell[3] = text_number(port->packets, row->number[3]);
    row->cell[4] = share_text((struct share){port->scan, all}, row->number[4]);
    row->cell[5] = text_number(port->sources, row->number[5]);
    row->bar = (double)port->packets / (double)s->ports[0].packets;
    row->bar_style = is_iot ? TEXT_BAR_IOT : TEXT_BAR;
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
    size_t rows = s->port_count < p->top ? s->port_count : p->top;
    uint64_t rest = 0;
    char line[LINE], a[64], b[64];

    if (rows == 0)
        return;
    text_heading(&p->text, "Ports", "of scan: their scan packets over all scan packets");
    text_table(&p->text, columns, 6, rows, port_fill, p);
    for (size_t i = rows; i < s->port_count; i++)
        rest += s->ports[i].packets;
    if (rest > 0) {
        snprintf(line, sizeof line, "and %s with %s",
                 counted(s->port_count - rows, "further port", a), counted(rest, "packet", b));
        fprintf(p->text.out, "%*s", INDENT, "");
        text_paragraph(&p->text, TEXT_DIM, line, INDENT);
    }
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
    row->cell[5] = text_number(count->sources, row->number[5]);
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
                                                 {"sources", .is_right = true}};
    size_t most = (p->top + 1) / 2, rows = p->s->by_rule_count < most ? p->s->by_rule_count : most;

    if (rows == 0)
        return;
    text_heading(&p->text, "Rules", "all their ports together; breadth is for iot rules");
    text_table(&p->text, columns, 6, rows, rule_fill, p);
}

/* ---- tools */

static void tool_fill(const void *context, size_t index, struct text_row *row)
{
    const struct page *p = context;
    unsigned mark = SHARE_MARK_COUNT + (unsigned)index;
    struct share share = share_of(p->s->total->mark_packets, mark, MARK_total);

    row->cell[0] = mark_name(mark);
    row->cell[1] = text_number(share.num, row->number[1]);
    row->cell[2] = share_text(share, row->number[2]);
    row->cell[3] = text_number(p->s->mark_sources[mark], row->number[3]);
    row->bar = share_ratio(share);
    row->bar_style = TEXT_BAR;
}

static void tools_print(const struct page *p)
{
    static const struct text_column columns[] = {{"tool"},
                                                 {"packets", .is_right = true},
                                                 {"of total", .is_right = true},
                                                 {"sources", .is_right = true}};
    text_heading(&p->text, "Tools", "packets that match a fingerprint; single ones do by chance");
    text_table(&p->text, columns, 4, TOOL_COUNT, tool_fill, p);
}

/* ---- where it comes from */

static void ledger_print(const struct page *p)
{
    const struct window_ledger *l = &p->s->total->ledger;
    uint64_t dropped = l->filtered + l->ring_full;
    bool is_held =
        l->offered == l->observed + dropped && l->observed == p->s->total->totals.packets;
    char line[LINE], a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER], e[TEXT_NUMBER];

    snprintf(line, sizeof line, "offered %s = observed %s + dropped %s (filter %s, full ring %s)%s",
             text_number(l->offered, a), text_number(l->observed, b), text_number(dropped, c),
             text_number(l->filtered, d), text_number(l->ring_full, e),
             is_held ? "" : ": DOES NOT HOLD");
    line_print(p, "ledger", is_held ? TEXT_PLAIN : TEXT_WARN, line);
    if (l->late > 0) {
        snprintf(line, sizeof line, "%s of the observed came after their window was sealed",
                 text_number(l->late, a));
        line_print(p, "late", TEXT_PLAIN, line);
    }
}

static void damage_print(const struct page *p, const struct damage *d)
{
    char line[LINE], digits[TEXT_NUMBER];
    label_print(p, "damaged");
    text_print(&p->text, TEXT_WARN, d->file, p->text.width - INDENT - LABEL);
    fprintf(p->text.out, "\n%*s", INDENT + LABEL, "");
    snprintf(line, sizeof line, "byte %s: %.400s", text_number(d->offset, digits), d->what);
    text_paragraph(&p->text, TEXT_PLAIN, line, INDENT + LABEL);
}

static void inputs_print(const struct page *p)
{
    const struct summary *s = p->s;
    size_t damaged = s->damaged == NULL ? 0 : s->damaged->count;
    char line[LINE], a[64], b[64], span[64];
    int at = snprintf(line, sizeof line, "%s, %s damaged", counted(s->inputs, "file", a),
                      damaged == 0 ? "none" : text_number(damaged, b));

    if (s->seconds > 0) {
        span_format((uint64_t)(s->seconds * 1e9), span);
        at += snprintf(line + at, sizeof line - (size_t)at, ", read in %s", span);
        if (s->total->ledger.offered > 0 && s->seconds >= 0.001)
            snprintf(line + at, sizeof line - (size_t)at, " (%.2f million packets/s)",
                     (double)s->total->ledger.offered / s->seconds / 1e6);
    }
    line_print(p, "inputs", TEXT_PLAIN, line);
    for (size_t i = 0; i < damaged; i++)
        damage_print(p, &s->damaged->at[i]);
}

static void origin_print(const struct page *p)
{
    const struct summary *s = p->s;
    char line[LINE], a[64], b[64];

    text_heading(&p->text, "What it rests on", "");
    ledger_print(p);
    inputs_print(p);
    snprintf(line, sizeof line, "%s %s, sha256 %.16s", s->rules->name, s->rules->version,
             s->rules->sha256);
    line_print(p, "rule set", TEXT_PLAIN, line);
    int at = snprintf(line, sizeof line, "%s", text_number(s->windows, a));
    if (s->window_parts > 0)
        snprintf(line + at, sizeof line - (size_t)at,
                 ", %s of them later parts (packets out of order)",
                 text_number(s->window_parts, b));
    line_print(p, "windows", TEXT_PLAIN, line);
    line_print(p, "feed", TEXT_PLAIN,
               s->feed_dir == NULL ? "none written (-o DIR writes one)" : s->feed_dir);
}

/* Nothing was counted: say why. */
static void hint_print(const struct page *p)
{
    const struct summary *s = p->s;
    const char *why = "The inputs hold no packets.";
    if (s->total->ledger.filtered > 0)
        why = "The filter took out every packet there was.";
    else if (s->damaged != NULL && s->damaged->count > 0)
        why = "No packet could be read: the inputs are damaged or no captures, see below.";
    else if (s->inputs == 0)
        why = "There was nothing to read.";
    fputc('\n', p->text.out);
    text_print(&p->text, TEXT_BOLD, "No packets", p->text.width);
    fprintf(p->text.out, "\n\n%*s", INDENT, "");
    text_paragraph(&p->text, TEXT_PLAIN, why, INDENT);
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
        .top = settings->top == 0 ? TOP : settings->top,
        .is_japanese = settings->is_japanese && settings->is_utf8,
    };

    if (s->total->totals.packets == 0) {
        hint_print(&page);
    } else {
        headline_print(&page);
        when_print(&page);
        headers_print(&page);
        kinds_print(&page);
        shares_print(&page);
        ports_print(&page);
        rules_print(&page);
        tools_print(&page);
    }
    origin_print(&page);
}
