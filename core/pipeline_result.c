/* What a run came to, of what its workers counted. */
#include "core/pipeline_state.h"

#include <stdlib.h>

static void days_merge(struct day_store *days, struct tally *t)
{
    unsigned count;
    struct tally_day **of = tally_days(t, &count);
    for (unsigned i = 0; i < count; i++)
        day_store_add_lone(days, of[i]);
}

static void sources_merge(struct tally_sources *into, const struct worker *w)
{
    /* Nothing but counters, so they add as an array. */
    enum { COUNTERS = offsetof(struct tally_sources, ports) / sizeof(uint64_t) };
    uint64_t *sum = (uint64_t *)into;
    const uint64_t *add = (const uint64_t *)w->sources;
    for (size_t i = 0; i < COUNTERS; i++)
        sum[i] += add[i];
    tally_port_sources_add(w->tally, into);
}

void pipeline_result_fill(struct pipeline *p)
{
    for (unsigned i = 0; i < p->worker_count; i++)
        sources_merge(p->result->sources, &p->workers[i]);
    for (unsigned i = 0; p->settings->days && i < p->worker_count; i++)
        days_merge(p->settings->days, p->workers[i].tally);
    if (p->sorter.destinations)
        p->result->destinations = address_set_count(p->sorter.destinations);
    const struct event_indicators *indicators =
        p->events ? event_export_indicators(p->events) : NULL;
    p->result->indicators_withheld = indicators ? event_indicators_withheld(indicators) : 0;
    pipeline_cap_note(p);
    const struct window_given_up *later = &p->result->total->given_up;
    p->result->given_up.packets += later->ports + later->sources;
}

void pipeline_result_fini(struct pipeline_result *result)
{
    window_destroy(result->total);
    free(result->sources);
    *result = (struct pipeline_result){0};
}
