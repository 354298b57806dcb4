#include "export/report.h"

#include <inttypes.h>
#include <string.h>

/* RFC 4180: quoted where it must be. A cell that a spreadsheet would take for a formula gets a quote
 * mark in front: names come from lists and databases of strangers. */
static void cell(FILE *out, const char *text)
{
    if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL) {
        fputs("\"'", out);
    } else if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    } else {
        fputc('"', out);
    }
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void row_begin(FILE *out, const struct span *s, const char *quantity, const char *name)
{
    char time[TEXT_NUMBER];
    cell(out, s->label);
    fprintf(out, ",%s", report_time(s->start_ns, time));
    fprintf(out, ",%s,%s,%s,%s,", report_time(s->end_ns, time),
            s->is_provisional ? "provisional" : "final", s->is_complete ? "yes" : "no", quantity);
    cell(out, name);
}

static void row(FILE *out, const struct span *s, const char *quantity, const char *name,
                const char *by, const char *over, uint64_t num, uint64_t den)
{
    row_begin(out, s, quantity, name);
    fprintf(out, ",%s,%s,%" PRIu64 ",%" PRIu64 "\r\n", by, over, num, den);
}

/* A share by packets and by sources; nothing where it is absent. */
static void both_rows(FILE *out, const struct span *s, const char *quantity, const char *name,
                      struct span_share share, enum share_over over)
{
    const char *den = share_over_name(over);
    struct source_count a = share.sources_num, b = share.sources_den;

    if (share.absent[0] != '\0')
        return;
    row(out, s, quantity, name, "packets", den, share.packets.num, share.packets.den);
    if (source_count_is_exact(a) && source_count_is_exact(b)) {
        row(out, s, quantity, name, "sources", den, a.low, b.low);
    } else {
        row(out, s, quantity, name, "sources_low", den, a.low, b.low);
        row(out, s, quantity, name, "sources_high", den, a.high, b.high);
    }
}

static void count_over(FILE *out, const struct span *s, const char *quantity, const char *name,
                       const struct span_count *c, enum share_over over)
{
    both_rows(out, s, quantity, name, span_share_of(s, c, over), over);
}

static void count_both(FILE *out, const struct span *s, const char *quantity, const char *name,
                       const struct span_count *c, enum mark mark)
{
    count_over(out, s, quantity, name, c, mark == MARK_scan ? SHARE_OVER_scan : SHARE_OVER_total);
    count_over(out, s, quantity, name, c,
               mark == MARK_scan ? SHARE_OVER_scan_ex_survey : SHARE_OVER_total_ex_survey);
}

static void lists(FILE *out, const struct span *s)
{
    char name[256];
    for (size_t i = 0; i < s->categories.count; i++)
        count_both(out, s, "category", s->categories.rows[i].name, &s->categories.rows[i].count,
                   MARK_scan);
    for (size_t i = 0; i < s->rules.count; i++) {
        const struct span_row *r = &s->rules.rows[i];
        snprintf(name, sizeof name, "%s:%s", evidence_name(r->number), r->name);
        count_both(out, s, "rule", name, &r->count, MARK_scan);
    }
    for (size_t i = 0; i < s->ports.count; i++)
        count_both(out, s, "port", report_port(&s->ports.rows[i], name), &s->ports.rows[i].count,
                   MARK_scan);
    for (size_t i = 0; i < s->countries.count; i++) {
        const struct span_place *p = &s->countries.places[i];
        count_both(out, s, "country", p->country[0] == '\0' ? "unknown" : p->country, &p->scan,
                   MARK_scan);
    }
    for (size_t i = 0; i < s->ases.count; i++) {
        const struct span_place *p = &s->ases.places[i];
        snprintf(name, sizeof name, "%" PRIu32, p->asn);
        count_both(out, s, "as", p->asn == 0 ? "unknown" : name, &p->scan, MARK_scan);
    }
}

static void class(FILE *out, const struct span *s, const char *quantity, const char *name,
                  const struct span_class *c)
{
    struct span_count total = {.packets = c->packets, .sources = c->sources};
    struct span_count scan = {.packets = c->scan_packets, .sources = c->scan_sources};
    count_over(out, s, quantity, name, &total, SHARE_OVER_total);
    count_over(out, s, quantity, name, &scan, SHARE_OVER_scan);
}

/* Organisations and blocks: their columns ex are those of scan kinds. */
static void members(FILE *out, const struct span *s, const char *quantity,
                    const struct span_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct span_count *c = &t->rows[i].count;
        struct span_class member = {c->packets, c->packets_ex, c->sources, c->sources_ex};
        class(out, s, quantity, t->rows[i].name, &member);
    }
}

static void classes(FILE *out, const struct span *s)
{
    if (s->days == 0)
        return;
    class(out, s, "class", "acknowledged", &s->acknowledged);
    class(out, s, "class", "bogon", &s->bogon);
    members(out, s, "organisation", &s->organisations);
    members(out, s, "bogon_block", &s->blocks);
    if (!span_rows_have_ex(s))
        return;
    class(out, s, "class", "survey", &s->survey);
    class(out, s, "class", "survey_conflict", &s->conflict);
    for (unsigned over = 0; over < DENOMINATOR_COUNT; over++) {
        struct share share = span_survey_share(s, over);
        row(out, s, "survey_share", "survey", "packets", share_over_name(over), share.num,
            share.den);
    }
}

/* Over the addresses where all days have as many; over their sum, and over what was observed of it. */
static void per_address(FILE *out, const struct span *s, const char *name, uint64_t packets)
{
    if (s->address_days % s->days == 0)
        row(out, s, "packets_per_address", name, "packets", "addresses", packets,
            s->address_days / s->days);
    row(out, s, "packets_per_address", name, "packets", "address_days", packets, s->address_days);
    if (s->address_seconds <= UINT64_MAX)
        row(out, s, "packets_per_address", name, "packets", "address_seconds_observed", packets,
            (uint64_t)s->address_seconds);
}

static void coverage(FILE *out, const struct span *s)
{
    const struct {
        const char *name;
        uint64_t packets;
    } gone[] = {{"damaged", s->given_up.damaged},
                {"sources", s->given_up.sources},
                {"ports", s->given_up.ports},
                {"rules", s->given_up.rules}};

    for (size_t i = 0; i < s->watch_count; i++)
        row(out, s, "coverage", s->watches[i].id, "seconds", "seconds_of_days",
            s->watches[i].seconds, s->seconds);
    row(out, s, "lost", "packets", "packets", "offered", s->lost, s->offered);
    if (s->days == 0)
        return;
    if (s->has_size) {
        per_address(out, s, "ipv4", s->ip4_packets);
        if (span_rows_have_ex(s))
            per_address(out, s, "ipv4_ex_survey", s->ip4_packets_ex);
    }
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (gone[i].packets > 0)
            row(out, s, "given_up", gone[i].name, "packets", share_over_name(SHARE_OVER_total),
                gone[i].packets, s->marks[MARK_total].packets);
}

static void ledger(FILE *out, const struct span *s)
{
    const struct window_ledger *l = &s->ledger;
    row(out, s, "ledger", "observed", "packets", "offered", l->observed, l->offered);
    for (unsigned i = 0; i < DROP_COUNT; i++) /* what is not known at all is left out: no 0 */
        if (!(l->unknown >> i & 1) || ledger_drop(l, i) > 0)
            row(out, s, "ledger", ledger_drop_name(i),
                l->unknown >> i & 1 ? "packets_low" : "packets", "offered", ledger_drop(l, i),
                l->offered);
    if (s->days == 0) /* a day has no order */
        row(out, s, "ledger", "late", "packets", "offered", l->late, l->offered);
}

/* In place of rows that are not there, why: 0 of 0. */
static void absent(FILE *out, const struct span *s)
{
    if (span_has_ex(s))
        return;
    row(out, s, "absent", s->ex_absent, "packets", share_over_name(SHARE_OVER_total_ex_survey), 0,
        0);
    row(out, s, "absent", s->ex_absent, "packets", share_over_name(SHARE_OVER_scan_ex_survey), 0,
        0);
}

/* What shares over _ex_survey of windows stand on: how many windows take out the survey scanners of these dates, how
 * many none since no day was over, how many do not say it (then there are no such shares). */
static void survey_basis(FILE *out, const struct span *s)
{
    char dates[2 * SPAN_DATE + 2], last[SPAN_DATE];
    span_date_text(s->basis.first, dates);
    if (s->basis.last != s->basis.first) {
        span_date_text(s->basis.last, last);
        size_t len = strlen(dates);
        snprintf(dates + len, sizeof dates - len, "/%s", last);
    }
    if (s->windows_with > 0)
        row(out, s, "survey_basis", dates, "windows", "windows", s->windows_with, s->windows);
    if (s->windows_without > 0)
        row(out, s, "survey_basis", "without", "windows", "windows", s->windows_without,
            s->windows);
    if (s->windows_absent > 0)
        row(out, s, "survey_basis", "absent", "windows", "windows", s->windows_absent, s->windows);
}

void report_csv_begin(FILE *out)
{
    fputs("span,start,end,state,complete,quantity,name,by,over,num,den\r\n", out);
}

void report_csv_span(FILE *out, const struct span *s)
{
    for (unsigned i = 0; i < KIND_COUNT; i++)
        count_both(out, s, "kind", kind_name(i), &s->kinds[i], MARK_total);
    for (unsigned i = 0; i < NOTE_COUNT && s->days > 0; i++)
        count_both(out, s, "note", note_name(i), &s->notes[i], MARK_total);
    if (s->days > 0)
        count_both(out, s, "assessable", "assessable", &s->notes[NOTE_assessable], MARK_scan);
    for (unsigned num = DENOMINATOR_COUNT; num < SHARE_MARK_COUNT; num++)
        for (unsigned over = 0; over < SHARE_OVER_COUNT; over++)
            both_rows(out, s, "share", mark_name(num), span_share(s, num, over), over);
    absent(out, s);
    survey_basis(out, s);
    for (unsigned i = 0; i < TOOL_COUNT; i++) {
        count_both(out, s, "tool_matched", tool_name(i), &s->tools[i], MARK_total);
        if (s->days > 0)
            count_both(out, s, "tool_used", tool_name(i), &s->tools_used[i], MARK_total);
    }
    lists(out, s);
    classes(out, s);
    coverage(out, s);
    ledger(out, s);
}
