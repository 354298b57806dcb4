/* A second worker for a replay whose tables outgrow what one worker's cache holds: half of the shards move to it, once. Until then
 * it is not there: small captures pay nothing for it.
 *
 * Both stand still meanwhile: who sends them batches is who moves the shards. */
#include "core/memory.h"
#include "core/pipeline_state.h"
#include "core/tally_share.h"

#include <stdlib.h>

/* In a channel of windows: a second worker's come beside all behind it. */
struct window pipeline_shared_window;

/* Waits until the worker has counted all that was sent; all its batches but those being filled are then in `back`. Returns how many. */
static unsigned lane_still(struct lane *l, struct batch **back)
{
    unsigned count = 0;
    struct batch *mark = channel_pop(l->free_batches), *b;
    mark->mark.what = MARK_SHARE;
    channel_push(l->batches, mark);
    do
        back[count++] = b = channel_pop(l->free_batches);
    while (b->mark.what != MARK_SHARE);
    return count;
}

/* What the first worker was told of windows and days, and has of them. */
static void worker_stand_beside(struct worker *to, const struct worker *from)
{
    memcpy(to->opened, from->opened, sizeof to->opened);
    to->announced = from->announced;
    for (unsigned slot = 0; slot < WINDOW_SLOTS; slot++)
        if (tally_is_open(from->tally, slot))
            pipeline_open(to, slot);
    tally_stand_beside(to->tally, from->tally);
}

/* What it counts next comes in batches of the other lane. */
static struct batch *shard_move(struct pipeline *p, unsigned shard, struct worker *to)
{
    struct batch *left = p->sorter.shards[shard].batch;
    tally_shard_move(to->tally, p->worker_of[shard]->tally, shard);
    p->worker_of[shard] = to;
    sorter_begin(&p->sorter, shard, channel_pop(to->lane.free_batches));
    return left;
}

/* False: there is no memory for what it begins with, or no thread: one worker goes on. What is counted in two then takes some 75 MB
 * more, and where that can't be had the program ends, as ever. */
static bool worker_begin(struct worker *w, struct pipeline *p)
{
    unsigned batches = BATCHES_AHEAD / 2 + SHARDS / 2 * (1 + BATCHES_HELD);
    bool is_made = lane_init(&w->lane, batches, NULL) == 0 && pipeline_worker_init(w, p) == 0 &&
                   pthread_create(&w->thread, NULL, pipeline_worker, w) == 0;
    if (is_made)
        w->is_running = true;
    else
        pipeline_worker_fini(w), lane_fini(&w->lane);
    return is_made;
}

void pipeline_share(struct pipeline *p)
{
    struct worker *from = &p->workers[0], *to = &p->workers[1];
    struct lane *lane = &from->lane;
    p->is_shared = true;
    if (!worker_begin(to, p))
        return;
    sorter_flush(&p->sorter);
    struct batch **back = memory_must(calloc(lane->batch_count, sizeof(struct batch *)));
    unsigned count = lane_still(lane, back);
    worker_stand_beside(to, from);
    for (unsigned shard = 1; shard < SHARDS; shard += 2)
        back[count++] = shard_move(p, shard, to);
    while (count > 0)
        channel_push(lane->free_batches, back[--count]);
    free(back);
    channel_push(from->sealed, &pipeline_shared_window);
    p->worker_count++;
}
