#include "export/event_list.h"

#include "export/event_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CELL = 96, WHAT = EVENT_WORDS + 32 };

struct row {
    int64_t first_ns;
    uint64_t number; /* in which it was added */
    char began[24], lasted[24], who[EVENT_ADDRESS], what[WHAT], rate[48], from[CELL];
    uint64_t packets;
    bool is_open, gave_up;
};

struct event_list {
    struct row *rows; /* a ring */
    size_t size;
    uint64_t count;
    uint64_t types[EVENT_TYPES], open[EVENT_TYPES];
};

struct event_list *event_list_create(size_t rows)
{
    struct event_list *t = calloc(1, sizeof *t);
    if (t == NULL || (t->rows = calloc(rows, sizeof *t->rows)) == NULL) {
        free(t);
        return NULL;
    }
    t->size = rows;
    return t;
}

void event_list_destroy(struct event_list *t)
{
    if (t != NULL)
        free(t->rows);
    free(t);
}

/* ---- cells ---- */

static const char *type_words(enum event_type type)
{
    static const char *const words[EVENT_TYPES] = {
        "scan", "attack", "amplification", "watched", "infected", "indicator", "new activity"};
    return words[type];
}

static void local_time(int64_t ns, char to[24])
{
    const int64_t second_ns = 1000000000;
    time_t seconds = (time_t)(ns / second_ns - (ns % second_ns < 0));
    struct tm tm;
    if (localtime_r(&seconds, &tm) == NULL || strftime(to, 24, "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(to, 24, "-");
}

/* "45 s", "12 min", "3.5 h", "2.0 d". */
static void lasted_text(const struct event *e, char to[24])
{
    double seconds = ((double)e->last_ns - (double)e->first_ns) / 1e9;
    if (e->type == EVENT_infected || e->type == EVENT_indicator)
        to[0] = '\0'; /* when its packets came, not how long it went on */
    else if (seconds < 120)
        snprintf(to, 24, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(to, 24, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(to, 24, "%.1f h", seconds / 3600);
    else
        snprintf(to, 24, "%.1f d", seconds / 86400);
}

static void who_text(const struct event *e, char to[EVENT_ADDRESS])
{
    if (e->ip_version != 0)
        (void)event_address(e, to);
    else
        snprintf(to, EVENT_ADDRESS, "%s", e->type == EVENT_indicator ? e->indicator.role : "");
}

static void rate_text(const struct event *e, char to[48])
{
    char number[TEXT_NUMBER];
    to[0] = '\0';
    if (e->has_rate)
        snprintf(to, 48, "%s/s", text_decimal(e->rate.value, number));
    else if (e->rate_max > 0)
        snprintf(to, 48, "%s/min here", text_number(e->rate_max, number));
}

static void from_text(const struct event *e, char to[CELL])
{
    if (e->origin == EVENT_ACKNOWLEDGED || e->origin == EVENT_BOGON)
        event_text(to, CELL, e->organisation);
    else if (e->asn != 0)
        snprintf(to, CELL, "%s%sAS%" PRIu32, e->country, e->country[0] == '\0' ? "" : " ", e->asn);
    else
        snprintf(to, CELL, "%s", e->country);
}

void event_list_add(struct event_list *t, const struct event *e)
{
    struct row *r = &t->rows[t->count % t->size];
    char words[EVENT_WORDS];
    r->first_ns = e->first_ns;
    r->number = t->count++;
    local_time(e->first_ns, r->began);
    lasted_text(e, r->lasted);
    who_text(e, r->who);
    snprintf(r->what, WHAT, "%s %s", type_words(e->type), event_words(e, words));
    rate_text(e, r->rate);
    from_text(e, r->from);
    r->packets = e->packets;
    r->is_open = e->phase != EVENT_ENDS;
    r->gave_up = e->gave_up;
    t->types[e->type]++;
    t->open[e->type] += r->is_open;
}

/* ---- the table ---- */

/* By their first column. */
static int row_compare(const void *one, const void *other)
{
    const struct row *a = one, *b = other;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void row_fill(const void *context, size_t index, struct text_row *row)
{
    const struct event_list *t = context;
    const struct row *r = &t->rows[index];
    row->cell[0] = r->began;
    row->cell[1] = row->number[1];
    snprintf(row->number[1], TEXT_NUMBER, "%.20s%s", r->lasted,
             r->is_open   ? " +"
             : r->gave_up ? " ?"
                          : "");
    row->cell[2] = r->who;
    row->cell[3] = r->what;
    row->cell[4] = text_number(r->packets, row->number[4]);
    row->cell[5] = r->rate;
    row->cell[6] = r->from;
    row->bar = 0;
    row->bar_style = TEXT_BAR;
}

static void counts_print(const struct event_list *t, const struct text *text)
{
    static const char *const many[EVENT_TYPES] = {
        "scans",          "attacks",    "amplifications", "of watched networks",
        "infected hosts", "indicators", "onsets"};
    static const char *const one[EVENT_TYPES] = {
        "scan",          "attack",    "amplification", "of a watched network",
        "infected host", "indicator", "onset"};
    bool is_first = true;
    for (unsigned type = 0; type < EVENT_TYPES; type++) {
        char number[TEXT_COUNTED];
        if (t->types[type] == 0)
            continue;
        fprintf(text->out, "%s%s", is_first ? "  " : ", ",
                text_counted(t->types[type], one[type], many[type], number));
        if (t->open[type] > 0)
            fprintf(text->out, " (%s not over)", text_number(t->open[type], number));
        is_first = false;
    }
    fputs(is_first ? "  no events\n" : "\n", text->out);
}

void event_list_print(struct event_list *t, const struct text *text, const char *title)
{
    static const struct text_column columns[] = {
        {.heading = "began"},
        {.heading = "lasted", .is_right = true},
        {.heading = "address"},
        {.heading = "what", .is_elastic = true},
        {.heading = "packets", .is_right = true},
        {.heading = "rate", .is_right = true},
        {.heading = "from", .is_dim = true},
    };
    size_t rows = t->count < t->size ? (size_t)t->count : t->size;
    char number[TEXT_COUNTED];
    struct text plain = *text;
    plain.has_no_bars = true;
    text_heading(text, title, "");
    counts_print(t, text);
    if (t->count == 0)
        return;
    fputc('\n', text->out);
    qsort(t->rows, rows, sizeof *t->rows, row_compare);
    text_table(&plain, columns, sizeof columns / sizeof *columns, rows, row_fill, t);
    if (t->count > rows)
        fprintf(text->out, "  and %s told before these (--top, --json)\n",
                text_counted(t->count - rows, "event", "events", number));
    fputs(
        "  +: not over. rate: packets a second for the whole Internet, estimated; here: most in a "
        "minute, as seen\n",
        text->out);
}
