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
    if (!s->days || !tally_day_is_current(w->tally, NULL))
        return;
    struct calendar_day first = calendar_day_of(mark->start_ns);
    if (!calendar_splits(&first, mark->start_ns, s->window_span_ns))
        tally_day_turn(w->tally, tally_day_at(w->tally, &first));
}

/* Packs a shard's days; what fails is kept as the feed's error. The current one and the one that is judged may have
 * a window open: what comes of it later is a day begun anew. */
static void pack_days(struct worker *w, unsigned shard, const struct tally_day *but,
                      const int32_t *judged, struct survey_judge *judge)
{
    struct pipeline *p = w->pipeline;
    struct fault fault;
    unsigned count;
    struct tally_day **days = tally_days(w->tally, &count);
    for (unsigned i = 0; i < count; i++) {
        bool is_judged = judged && days[i]->of.date == *judged;
        bool is_current = tally_day_is_current(w->tally, days[i]);
        if (days[i] == but || (is_open(w, &days[i]->of) && !is_current && !is_judged))
            continue;
        int err = day_store_pack(p->settings->days, w->tally, days[i], shard, is_current,
                                 is_judged ? judge : NULL, &fault);
        if (err < 0)
            pipeline_feed_failed(p, err, &fault);
    }
}

/* The receiver goes on to a day: that before is packed, and all others that have no open window. Where the day before is judged, all
 * workers do so: what windows say depends on it. */
void pipeline_turn_day(struct worker *w, const struct batch_mark *mark)
{
    struct tally_day *next = tally_day_of(w->tally, mark->start_ns);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct survey_judge judge;
        if (w->pipeline->worker_of[shard] != w)
            continue;
        if (mark->is_judged)
            tally_survey_judge(w->tally, shard, &judge);
        pack_days(w, shard, next, mark->is_judged ? &mark->date : NULL, &judge);
        if (mark->is_judged)
            survey_judge_end(&judge);
    }
    tally_day_turn(w->tally, next);
    if (mark->is_judged)
        tally_survey_turn(w->tally, mark->date);
}

void pipeline_pack_days(struct worker *w, unsigned shard) { pack_days(w, shard, NULL, NULL, NULL); }
