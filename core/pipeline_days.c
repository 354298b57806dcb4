/* What workers do with the days that they count. */
#include "core/pipeline_state.h"
#include "core/tally_day.h"

/* Whether a window of the day began and is not over: what all workers know alike. */
static bool is_open(const struct worker *w, const struct calendar_day *of)
{
    for (uint32_t left = w->announced; left; left &= left - 1) {
        int64_t start_ns = w->opened[__builtin_ctz(left)].start_ns;
        __int128 end = (__int128)start_ns + w->pipeline->settings->window_span_ns;
        if (start_ns < of->end_ns && end > of->start_ns)
            return true;
    }
    return false;
}

void pipeline_announce(struct worker *w, const struct batch_mark *mark)
{
    const struct pipeline_settings *s = w->pipeline->settings;
    uint32_t slot = UINT32_C(1) << mark->slot;
    if (mark->what == MARK_SEAL) {
        w->announced &= ~slot;
        return;
    }
    w->announced |= slot;
    if (!(s->days || s->packs_days) || !tally_day_is_current(w->tally, NULL))
        return;
    struct calendar_day first = calendar_day_of(mark->start_ns);
    if (!calendar_splits(&first, mark->start_ns, s->window_span_ns))
        tally_day_turn(w->tally, tally_day_at(w->tally, &first));
}

static void failed(struct worker *w, int err, const struct fault *fault)
{
    if (err < 0)
        pipeline_feed_failed(w->pipeline, err, fault);
}

/* Whether a day stays as it is when the current one turns. The current one and the one that is judged do not, even if a
 * window is open: what comes of it later is a day begun anew. */
static bool is_kept(const struct worker *w, const struct tally_day *day,
                    const struct batch_mark *mark)
{
    bool is_judged = mark->is_judged && day->of.date == mark->date;
    return is_open(w, &day->of) && !tally_day_is_current(w->tally, day) && !is_judged;
}

/* Packs a shard's days that are over; what fails is kept as the feed's error. `judge` is NULL where no day is
 * judged. */
static void pack_days(struct worker *w, unsigned shard, const struct tally_day *next,
                      const struct batch_mark *mark, struct survey_judge *judge)
{
    struct day_store *store = w->pipeline->settings->days;
    struct fault fault;
    unsigned count;
    bool was_judged = false;
    struct tally_day **days = tally_days(w->tally, &count);
    for (unsigned i = 0; i < count; i++) {
        bool is_judged = judge && days[i]->of.date == mark->date;
        if (days[i] == next || (mark && is_kept(w, days[i], mark)))
            continue;
        failed(w,
               day_store_pack(store, w->tally, days[i], shard,
                              tally_day_is_current(w->tally, days[i]), is_judged ? judge : NULL,
                              &fault),
               &fault);
        was_judged |= is_judged;
    }
    if (judge && !was_judged)
        failed(w, day_store_judge(store, mark->date, shard, judge, &fault), &fault);
}

/* Days that were packed and have no window open are gone: there may be thousands in a capture. */
static void days_drop(struct worker *w, const struct tally_day *next)
{
    unsigned count;
    struct tally_day **days = tally_days(w->tally, &count);
    for (unsigned i = count; i-- > 0;) {
        if (days[i] == next || is_open(w, &days[i]->of))
            continue;
        day_store_add_lone(w->pipeline->settings->days, days[i]);
        tally_day_drop(w->tally, days[i]);
    }
}

/* The receiver goes on to a day: that before is packed, and all others that have no open window. Where the day before is
 * judged, it is so on all its packets so far, whenever they were packed. */
void pipeline_turn_day(struct worker *w, const struct batch_mark *mark)
{
    struct tally_day *next = tally_day_of(w->tally, mark->start_ns);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct survey_judge judge;
        if (w->pipeline->worker_of[shard] != w)
            continue;
        if (mark->is_judged)
            tally_survey_judge(w->tally, shard, mark->date, &judge);
        pack_days(w, shard, next, mark, mark->is_judged ? &judge : NULL);
        if (mark->is_judged)
            survey_judge_end(&judge);
    }
    tally_day_turn(w->tally, next);
    days_drop(w, next);
    if (mark->is_judged)
        tally_survey_turn(w->tally, mark->date);
}

void pipeline_pack_days(struct worker *w, unsigned shard) { pack_days(w, shard, NULL, NULL, NULL); }
