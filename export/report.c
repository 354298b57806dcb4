#include "export/report.h"
#include "export/calendar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void report_point_of(struct report_point *p, const struct span *s)
{
    *p = (struct report_point){
        .is_provisional = s->is_provisional,
        .is_complete = s->is_complete,
        .has_ex = span_has_ex(s),
        .has_survey = span_rows_have_ex(s),
        .basis = s->basis,
        .days = s->days,
        .calendar_days = s->calendar_days,
        .start_ns = s->start_ns,
        .end_ns = s->end_ns,
        .windows = s->windows,
        .survey = span_survey_share(s, SHARE_OVER_total),
        .per_address = span_packets_per_address(s, false, false),
        .is_exact = s->is_exact,
        .coverage_milli = s->coverage_milli,
        .offered = s->offered,
        .lost = s->lost,
    };
    memcpy(p->label, s->label, sizeof p->label);
    memcpy(p->ex_absent, s->ex_absent, sizeof p->ex_absent);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        p->kinds[i] = s->kinds[i].packets;
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++) {
        p->packets[i] = s->marks[i].packets;
        p->packets_ex[i] = s->marks[i].packets_ex;
        p->sources[i] = s->marks[i].sources;
    }
}

enum share_over report_points_over(const struct report_point *points, size_t count,
                                   struct window_basis *basis, const char **absent)
{
    enum share_over over = SHARE_OVER_scan;
    *basis = (struct window_basis){0};
    *absent = "";
    for (size_t i = 0; i < count; i++) {
        if (points[i].has_ex) {
            over = SHARE_OVER_scan_ex_survey;
            window_basis_merge(basis, &points[i].basis);
        } else if ((*absent)[0] == '\0') {
            *absent = points[i].ex_absent;
        }
    }
    return over;
}

static int row_order(const void *a, const void *b)
{
    const struct span_row *x = *(const struct span_row *const *)a;
    const struct span_row *y = *(const struct span_row *const *)b;
    if (x->count.packets != y->count.packets)
        return x->count.packets > y->count.packets ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int row_ex_order(const void *a, const void *b)
{
    const struct span_row *x = *(const struct span_row *const *)a;
    const struct span_row *y = *(const struct span_row *const *)b;
    if (x->count.packets_ex != y->count.packets_ex)
        return x->count.packets_ex > y->count.packets_ex ? -1 : 1;
    return row_order(a, b);
}

const struct span_row **report_rows(const struct span_table *t, bool by_ex, size_t *count)
{
    *count = 0;
    const struct span_row **rows = malloc((t->count + 1) * sizeof *rows);
    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < t->count; i++)
        rows[i] = &t->rows[i];
    qsort(rows, t->count, sizeof *rows, by_ex ? row_ex_order : row_order);
    while (*count < t->count &&
           (by_ex ? rows[*count]->count.packets_ex : rows[*count]->count.packets) > 0)
        ++*count;
    return rows;
}

static int place_order(const void *a, const void *b)
{
    const struct span_place *x = *(const struct span_place *const *)a;
    const struct span_place *y = *(const struct span_place *const *)b;
    if (x->scan.packets != y->scan.packets)
        return x->scan.packets > y->scan.packets ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int place_ex_order(const void *a, const void *b)
{
    const struct span_place *x = *(const struct span_place *const *)a;
    const struct span_place *y = *(const struct span_place *const *)b;
    if (x->scan.packets_ex != y->scan.packets_ex)
        return x->scan.packets_ex > y->scan.packets_ex ? -1 : 1;
    return place_order(a, b);
}

const struct span_place **report_places(const struct span_table *t, bool by_ex, size_t *count)
{
    *count = 0;
    const struct span_place **places = malloc((t->count + 1) * sizeof *places);
    if (places == NULL)
        return NULL;
    for (size_t i = 0; i < t->count; i++)
        places[i] = &t->places[i];
    qsort(places, t->count, sizeof *places, by_ex ? place_ex_order : place_order);
    while (*count < t->count &&
           (by_ex ? places[*count]->scan.packets_ex : places[*count]->scan.packets) > 0)
        ++*count;
    return places;
}

const char *report_port(const struct span_row *row, char to[TEXT_NUMBER])
{
    snprintf(to, TEXT_NUMBER, "%s/%u", window_proto_name(row->number >> 16), row->number & 0xffff);
    return to;
}

const char *report_device(const struct ruleset *rules, const struct span_row *row, bool is_japanese)
{
    const struct port_class *class =
        &rules->classes[rules->port_class[row->number >> 16][row->number & 0xffff]];
    const struct rule *iot = class->rules[0] == RULE_NONE ? NULL : &rules->rules[class->rules[0]];
    const struct rule *own = class->rules[1] == RULE_NONE ? NULL : &rules->rules[class->rules[1]];
    const struct rule *says =
        iot != NULL && (iot->breadth == BREADTH_strict || own == NULL) ? iot : own;
    if (says == NULL)
        return "";
    bool has_japanese = says->device_ja != NULL && says->device_ja[0] != '\0';
    return is_japanese && has_japanese ? says->device_ja : says->device_en;
}

const char *report_built(const char *version, char to[TEXT_NUMBER])
{
    enum { DAY_SECONDS = 86400, DIGITS_MAX = 12 };
    size_t digits = strspn(version, "0123456789");
    snprintf(to, TEXT_NUMBER, "%s", version);
    if (digits > 0 && digits <= DIGITS_MAX && version[digits] == '\0')
        calendar_text((int32_t)(strtoll(version, NULL, 10) / DAY_SECONDS), to);
    return to;
}

const char *report_time(int64_t ns, char to[TEXT_NUMBER])
{
    uint64_t positive = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    snprintf(to, TEXT_NUMBER, "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "", positive / 1000000000,
             positive % 1000000000);
    return to;
}

const char *report_wide(unsigned __int128 value, char to[48])
{
    char digits[48];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + (unsigned)(value % 10));
    while ((value /= 10) > 0);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    to[count] = '\0';
    return to;
}
