/* Tallies of a worker: the one it counts in, and those for what is late for windows of earlier rules. */
#include "core/day_pack.h"
#include "core/live_state.h"
#include "core/memory.h"
#include "core/tally_state.h"

#include <stdlib.h>
#include <string.h>

struct tally *live_tally_create(const struct live *l, const struct live_rules *rules)
{
    const struct pipeline_settings *base = &l->settings->base;
    return tally_create(&l->pipeline.sorter.key, rules->rules, base->telescope, base->packs_days,
                        rules->survey);
}

/* ---- another tally ---- */

static struct tally *fresh_take(struct live_worker *l, struct generation *g)
{
    unsigned number = (unsigned)(l->worker - l->worker->pipeline->workers);
    struct tally *t = atomic_exchange_explicit(&g->fresh[number], NULL, memory_order_acq_rel);
    return t ? t : memory_must(live_tally_create(l->live, &g->of));
}

/* What windows stand on goes with it; those that began a moment before are counted in it. */
void live_tally_swap(struct live_worker *l, struct generation *g)
{
    struct worker *w = l->worker;
    struct tally *over = w->tally, *next = fresh_take(l, g);
    tally_survey_inherit(next, over);
    next->reach = over->reach;
    w->tally = next;
    l->generation = g;
    if (w->events)
        event_engine_rules(w->events, g->of.rules);
    if (w->events && g->of.watched)
        event_engine_watched(w->events, g->of.watched);
    for (uint32_t left = w->announced; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctz(left);
        tally_announce(next, slot);
        pipeline_announce(w, &w->opened[slot]);
    }
    if (l->packing)
        l->packing->over = over;
    else
        channel_push(l->over, over);
}

/* ---- late packets ---- */

struct tally *live_late_tally(struct live_worker *l, struct generation *g)
{
    struct late_tally *late = l->late_tallies;
    if (g == l->generation)
        return l->worker->tally;
    while (late && late->generation != g)
        late = late->next;
    if (!late) {
        late = memory_must(calloc(1, sizeof *late));
        *late = (struct late_tally){l->late_tallies, g,
                                    memory_must(live_tally_create(l->live, &g->of))};
        tally_survey_share(late->tally, l->worker->tally);
        late->tally->reach = l->worker->tally->reach;
        l->late_tallies = late;
    }
    return late->tally;
}

void live_late_destroy(struct late_tally *late)
{
    for (struct late_tally *next; late; late = next) {
        next = late->next;
        tally_destroy(late->tally);
        free(late);
    }
}

/* Packs all that a tally counted of all days, in front of a list. */
static struct live_part *all_pack(const struct live_worker *l, struct tally *t,
                                  struct live_part *before)
{
    unsigned count;
    struct live_part *first = before;
    struct tally_day **days = tally_days(t, &count);
    for (unsigned i = 0; i < count; i++) {
        struct live_part *part = live_part_begin(t, days[i]);
        part->next = first;
        first = part;
    }
    tally_day_put_aside(t, l->open_ns);
    for (struct live_part *part = first; part != before; part = part->next)
        for (unsigned shard = 0; shard < SHARDS; shard++)
            if (l->worker->pipeline->worker_of[shard] == l->worker)
                live_part_pack(part, t, shard);
    return first;
}

void live_late_pack(struct live_worker *l)
{
    struct late_tally *late = l->late_tallies;
    l->late_tallies = NULL;
    if (!l->packing) {
        live_late_destroy(late);
        return;
    }
    for (const struct late_tally *of = late; of; of = of->next)
        l->packing->others = all_pack(l, of->tally, l->packing->others);
    l->packing->late = late;
}
