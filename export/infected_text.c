/* The infected hosts of a day for a terminal: counts, by country and AS. */
#include "export/infected_print.h"

#include "export/calendar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct infected_place {
    const struct infected_host *host; /* any of it */
    uint64_t hosts, confirmed, fresh;
};

struct infected_places {
    struct infected_place *at;
    size_t count;
    bool by_as, has_before;
};

static int host_place(const void *a, const void *b, void *by_as)
{
    const struct infected_host *x = *(const struct infected_host *const *)a,
                               *y = *(const struct infected_host *const *)b;
    if (*(bool *)by_as)
        return x->asn < y->asn ? -1 : x->asn > y->asn;
    return strcmp(x->country, y->country);
}

/* Most hosts first; of equal ones as they stand in the list by place. */
static int place_order(const void *a, const void *b, void *by_as)
{
    const struct infected_place *x = a, *y = b;
    if (x->hosts != y->hosts)
        return x->hosts > y->hosts ? -1 : 1;
    return host_place(&x->host, &y->host, by_as);
}

static int places_make(struct infected_places *p, const struct infected_view *v)
{
    const struct infected_host **hosts = malloc((v->list->count + 1) * sizeof *hosts);
    size_t used = 0;
    p->at = malloc((v->list->count + 1) * sizeof *p->at);
    p->count = 0;
    if (hosts == NULL || p->at == NULL) {
        free(hosts);
        return -1;
    }
    for (size_t n = 0; n < v->list->count; n++)
        if (!v->has_asn || v->list->hosts[n].asn == v->asn)
            hosts[used++] = &v->list->hosts[n];
    qsort_r(hosts, used, sizeof *hosts, host_place, &p->by_as);
    for (size_t n = 0; n < used; n++) {
        if (n == 0 || host_place(&hosts[n - 1], &hosts[n], &p->by_as) != 0)
            p->at[p->count++] = (struct infected_place){.host = hosts[n]};
        struct infected_place *last = &p->at[p->count - 1];
        last->hosts++;
        last->confirmed += infected_is_confirmed(hosts[n]);
        last->fresh += hosts[n]->change == INFECTED_NEW;
    }
    free(hosts);
    qsort_r(p->at, p->count, sizeof *p->at, place_order, &p->by_as);
    return 0;
}

static void fill(const void *context, size_t index, struct text_row *row)
{
    const struct infected_places *p = context;
    const struct infected_place *at = &p->at[index];
    const struct infected_host *h = at->host;
    row->cell[0] = row->number[0];
    row->cell[1] = "";
    if (p->by_as) {
        snprintf(row->number[0], TEXT_NUMBER, h->asn ? "AS%" PRIu32 : "unknown", h->asn);
        row->cell[1] = h->as_name;
    } else {
        snprintf(row->number[0], TEXT_NUMBER, "%s", h->country[0] ? h->country : "unknown");
    }
    row->cell[2] = text_number(at->hosts, row->number[2]);
    row->cell[3] = text_number(at->confirmed, row->number[3]);
    row->cell[4] = p->has_before ? text_number(at->fresh, row->number[4]) : "-";
    row->bar = (double)at->hosts / (double)p->at[0].hosts;
}

static int table(const struct text *t, const struct infected_view *v, bool by_as)
{
    static const struct text_column columns[] = {{.heading = ""},
                                                 {.heading = "", .is_elastic = true},
                                                 {.heading = "addresses", .is_right = true},
                                                 {.heading = "confirmed", .is_right = true},
                                                 {.heading = "new", .is_right = true}};
    struct infected_places p = {.by_as = by_as, .has_before = v->before != NULL};
    if (places_make(&p, v) < 0) {
        free(p.at);
        return -1;
    }
    text_heading(t, by_as ? "By AS" : "By country", "");
    text_table(t, columns, 5, p.count < v->top ? p.count : v->top, fill, &p);
    if (p.count > v->top)
        fprintf(t->out, "  and %zu more\n", p.count - v->top);
    free(p.at);
    return 0;
}

static void line(const struct text *t, const char *words, uint64_t value)
{
    char number[TEXT_NUMBER];
    fprintf(t->out, "  %-44s %14s\n", words, text_number(value, number));
}

int infected_text(const struct text *t, const struct infected_view *v)
{
    struct infected_counts c = infected_count(v);
    char day[CALENDAR_DATE], heading[128];
    snprintf(heading, sizeof heading, "Infected hosts of %s", calendar_text(v->list->date, day));
    text_heading(t, heading, v->timezone);
    text_paragraph(t, TEXT_PLAIN, INFECTED_HEADING, 0);
    for (unsigned lack = INFECTED_UNCOUNTED; lack < INFECTED_LACKS; lack++)
        if (infected_lacks(v->list, lack))
            text_paragraph(t, TEXT_WARN, infected_lack_words(lack), 0);
    if (v->list->uncounted > 0)
        line(t, "sources of which addresses were not counted", v->list->uncounted);
    if (day_given_up_packets(&v->list->given_up) > 0)
        line(t, "packets of which detail is lost", day_given_up_packets(&v->list->given_up));
    if (v->list->damaged > 0)
        line(t, "damaged places", v->list->damaged);
    line(t, "addresses", c.hosts);
    line(t, "confirmed (Mirai, or an exploit over TCP)", c.confirmed);
    line(t, "suspected (strict IoT ports alone)", c.hosts - c.confirmed);
    if (v->before != NULL) {
        line(t, "new since the day before", c.fresh);
        line(t, "continuing", c.continuing);
        line(t, "gone", c.gone);
    } else {
        text_paragraph(t, TEXT_DIM, "The day before is not there: what is new is not known.", 0);
    }
    if (infected_before_lacks(v))
        text_paragraph(t, TEXT_WARN, INFECTED_BEFORE, 0);
    if (v->list->undecided > 0)
        line(t, "undecided, not among them", v->list->undecided);
    if (v->list->undecided > 0)
        text_paragraph(t, TEXT_WARN, INFECTED_LOWER_BOUND, 0);
    if (!v->list->has_survey)
        text_paragraph(t, TEXT_WARN,
                       "The telescope's size is not known: survey scanners may be among those that "
                       "are suspected.",
                       0);
    if (c.hosts == 0)
        return 0;
    return table(t, v, false) < 0 || table(t, v, true) < 0 ? -1 : 0;
}
