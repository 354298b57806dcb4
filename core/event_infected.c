#include "core/event_infected.h"

#include "core/memory.h"
#include "export/infected_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct told {
    uint8_t id[8];
    size_t host;
};

struct event_infected {
    struct infected *hosts;
    const struct ruleset *rules; /* of `date` */
    const char *sensor, *dir;
    int32_t date;
    int64_t last_ns; /* of its packets */
    const struct infected_list *list;
    struct told *told; /* its hosts in the order of the feed; NULL: it was not ended */
    size_t told_count, appended;
    uint8_t (*there)[8]; /* ids that the feed has already */
    size_t there_count, there_size;
    /* Of the date before: its hosts' addresses, in order, beside a version each. */
    bool has_before;
    int32_t before_date;
    uint8_t (*before)[17];
    size_t before_count;
};

struct event_infected *event_infected_create(const struct ruleset *rules, const char *sensor)
{
    struct event_infected *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    if (infected_create(&x->hosts, rules) < 0) {
        free(x);
        return NULL;
    }
    x->rules = rules;
    x->sensor = sensor;
    return x;
}

void event_infected_look_back(struct event_infected *x, const char *dir) { x->dir = dir; }

void event_infected_destroy(struct event_infected *x)
{
    if (x == NULL)
        return;
    infected_destroy(x->hosts);
    free(x->told);
    free(x->there);
    free(x->before);
    free(x);
}

static void key_of(const struct infected_host *h, uint8_t key[17])
{
    key[0] = h->ip_version;
    memcpy(key + 1, h->address, 16);
}

static void before_take(struct event_infected *x, const struct infected_list *list)
{
    free(x->before);
    x->before = memory_must(malloc((list->count + 1) * sizeof *x->before));
    for (size_t i = 0; i < list->count; i++)
        key_of(&list->hosts[i], x->before[i]);
    x->before_count = list->count;
    x->before_date = list->date;
    x->has_before = true;
}

/* The date that was told last is the one before. */
static void told_end(struct event_infected *x)
{
    if (x->told)
        before_take(x, x->list);
    free(x->told);
    x->told = NULL;
}

/* Rules of a live capture come and go: others may lie where they lay. */
static void rules_take(struct event_infected *x, const struct ruleset *rules)
{
    if (rules == x->rules && x->dir == NULL)
        return;
    infected_destroy(x->hosts);
    if (infected_create(&x->hosts, rules) < 0)
        memory_ended();
    x->rules = rules;
}

void event_infected_begin(struct event_infected *x, const struct ruleset *rules,
                          const struct day_facts *facts, const struct survey_settings *survey)
{
    const char *unknown;
    uint64_t ipv4 = 0;
    bool has_ex = day_facts_ipv4(facts, &ipv4, &unknown);
    told_end(x);
    rules_take(x, rules);
    x->date = facts->date;
    x->last_ns = INT64_MIN;
    x->there_count = 0;
    if (infected_begin(x->hosts, facts->date, survey, has_ex, ipv4) < 0)
        memory_ended();
}

int event_infected_add(struct event_infected *x, const struct source_day *s, struct fault *fault)
{
    if (x->last_ns < s->last_ns)
        x->last_ns = s->last_ns;
    return infected_add(x->hosts, s, fault);
}

/* ---- the date before ---- */

static int key_order(const void *a, const void *b) { return memcmp(a, b, 17); }

/* As the feed has it; what can't be read is not there. */
static void before_read(struct event_infected *x)
{
    struct report_feeds *feeds;
    struct infected *hosts;
    const struct infected_list *list;
    struct fault fault;
    char *dirs[] = {(char *)(uintptr_t)x->dir};
    if (x->dir == NULL || (x->has_before && x->before_date == x->date - 1) ||
        report_feeds_open(&feeds, dirs, 1, x->rules, false, &fault) < 0)
        return;
    if (infected_create(&hosts, x->rules) < 0)
        memory_ended();
    for (size_t i = 0; i < report_feeds_count(feeds); i++)
        if (report_feeds_date(feeds, i) == x->date - 1 &&
            infected_read(hosts, feeds, i, &list, &fault) > 0)
            before_take(x, list);
    infected_destroy(hosts);
    report_feeds_close(feeds);
}

/* What its day before says of a host. */
static enum infected_change change_of(const struct event_infected *x, const struct infected_host *h)
{
    uint8_t key[17];
    if (!x->has_before || x->before_date != x->date - 1)
        return INFECTED_UNKNOWN;
    key_of(h, key);
    return bsearch(key, x->before, x->before_count, sizeof key, key_order) != NULL
               ? INFECTED_CONTINUING
               : INFECTED_NEW;
}

/* ---- telling ---- */

static void event_make(const struct event_infected *x, struct infected_host h, struct event *e)
{
    h.change = change_of(x, &h);
    infected_event(e, &h, x->date, x->last_ns);
    event_identify(e, x->sensor);
}

static int told_order(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    int order = memcmp(x->id, y->id, sizeof x->id);
    return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

void event_infected_told(struct event_infected *x, const uint8_t id[8])
{
    if (x->there_count == x->there_size) {
        x->there_size = x->there_size ? 2 * x->there_size : 64;
        x->there = memory_must(realloc(x->there, x->there_size * sizeof *x->there));
    }
    memcpy(x->there[x->there_count++], id, sizeof *x->there);
}

static int id_order(const void *a, const void *b) { return memcmp(a, b, 8); }

static bool is_there(const struct event_infected *x, const uint8_t id[8])
{
    return x->there_count > 0 &&
           bsearch(id, x->there, x->there_count, sizeof *x->there, id_order) != NULL;
}

/* The hosts in the order of their events. */
static void told_sort(struct event_infected *x)
{
    const struct infected_list *list = x->list;
    struct event e;
    x->told = memory_must(malloc((list->count + 1) * sizeof *x->told));
    x->told_count = x->appended = 0;
    if (x->there_count > 0)
        qsort(x->there, x->there_count, sizeof *x->there, id_order);
    for (size_t i = 0; i < list->count; i++) {
        event_make(x, list->hosts[i], &e);
        if (is_there(x, e.id))
            continue;
        memcpy(x->told[x->told_count].id, e.id, sizeof e.id);
        x->told[x->told_count++].host = i;
    }
    qsort(x->told, x->told_count, sizeof *x->told, told_order);
}

int event_infected_end(struct event_infected *x, struct feed_log *feed, struct fault *fault)
{
    int err = infected_end(x->hosts, &x->list, fault);
    if (err < 0)
        return err;
    before_read(x);
    told_sort(x);
    return event_infected_rest(x, feed, fault);
}

int event_infected_rest(struct event_infected *x, struct feed_log *feed, struct fault *fault)
{
    struct event e;
    int err = 0;
    while (err == 0 && x->told && x->appended < x->told_count) {
        event_make(x, x->list->hosts[x->told[x->appended].host], &e);
        err = feed_log_append_event(feed, &e, fault);
        x->appended += err == 0;
    }
    return err;
}

void event_infected_again(struct event_infected *x) { x->appended = 0; }
