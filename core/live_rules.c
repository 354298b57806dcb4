/* Generations of rules: made by who offers them, taken by the keeper. */
#include "core/live_state.h"

#include <errno.h>
#include <stdlib.h>

struct live_offer {
    pthread_mutex_t
        lock; /* of `live`, which is being made or is going on; nobody with packets takes it */
    struct live *live;
    _Atomic(struct generation *) waiting;
};

/* ---- generations ---- */

static int each_make(struct generation *g, unsigned number)
{
    struct generation_receiver *r = &g->each[number];
    r->verdicts = calloc(1, sizeof *r->verdicts);
    r->scratch = g->of.rules->payload_off ? NULL : payload_scratch_create(g->of.rules);
    if (!r->verdicts || (!g->of.rules->payload_off && !r->scratch))
        return -ENOMEM;
    r->verdicts->of = g->verdicts;
    return 0;
}

static void generation_free(struct generation *g)
{
    for (unsigned i = 0; i < g->receivers; i++) {
        payload_scratch_destroy(g->each[i].scratch);
        free(g->each[i].verdicts);
    }
    for (unsigned i = 0; i < SHARDS; i++)
        tally_destroy(atomic_load_explicit(&g->fresh[i], memory_order_acquire));
    free(g->each);
    verdicts_destroy(g->verdicts);
    free(g);
}

struct generation *generation_create(const struct live *l, const struct live_rules *of)
{
    struct generation *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->of = *of;
    g->verdicts = verdicts_create();
    g->each = calloc(l->settings->receiver_count, sizeof *g->each);
    int err = g->verdicts && g->each ? 0 : -ENOMEM;
    g->receivers = err == 0 ? l->settings->receiver_count : 0;
    for (unsigned i = 0; i < g->receivers && err == 0; i++)
        err = each_make(g, i);
    if (err == 0)
        return g;
    generation_free(g);
    errno = -err;
    return NULL;
}

void generation_destroy(struct generation *g)
{
    if (!g)
        return;
    const struct live_rules of = g->of;
    generation_free(g);
    live_rules_release(&of);
}

/* ---- the way to a capture ---- */

struct live_offer *live_offer_create(void)
{
    struct live_offer *o = calloc(1, sizeof *o);
    if (o)
        (void)pthread_mutex_init(&o->lock, NULL);
    return o;
}

void live_offer_destroy(struct live_offer *o)
{
    if (!o)
        return;
    (void)pthread_mutex_destroy(&o->lock);
    free(o);
}

void live_offer_begin(struct live_offer *o, struct live *l)
{
    if (!o)
        return;
    (void)pthread_mutex_lock(&o->lock);
    o->live = l;
    (void)pthread_mutex_unlock(&o->lock);
}

void live_offer_end(struct live_offer *o)
{
    if (!o)
        return;
    (void)pthread_mutex_lock(&o->lock);
    o->live = NULL;
    (void)pthread_mutex_unlock(&o->lock);
    generation_destroy(live_offer_take(o));
}

struct generation *live_offer_take(struct live_offer *o)
{
    if (!o || !atomic_load_explicit(&o->waiting, memory_order_relaxed))
        return NULL;
    return atomic_exchange_explicit(&o->waiting, NULL, memory_order_acq_rel);
}

/* Tables for all workers, so that none has to make its own between two windows. */
static int fresh_make(struct generation *g, const struct live *l)
{
    for (unsigned i = 0; i < l->settings->base.workers; i++) {
        struct tally *t = live_tally_create(l, &g->of);
        if (!t)
            return -ENOMEM;
        atomic_store_explicit(&g->fresh[i], t, memory_order_relaxed);
    }
    return 0;
}

int live_offer_give(struct live_offer *o, const struct live_rules *rules)
{
    struct generation *g = NULL, *before = NULL;
    (void)pthread_mutex_lock(&o->lock);
    int err = o->live ? 0 : -ESRCH;
    if (err == 0) {
        g = generation_create(o->live, rules);
        err = g ? fresh_make(g, o->live) : -ENOMEM;
    }
    if (err == 0)
        before = atomic_exchange_explicit(&o->waiting, g, memory_order_acq_rel);
    else if (g)
        generation_free(g);
    (void)pthread_mutex_unlock(&o->lock);
    generation_destroy(before);
    return err;
}
