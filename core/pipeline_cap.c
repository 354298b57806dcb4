/* What the workers' tables come to, and what they give up beyond the memory cap. */
#include "core/memory.h"
#include "core/pipeline_state.h"
#include "core/tally_cap.h"

#include <stdlib.h>
#include <string.h>

enum {
    EVERY = 1 << 20, /* packets, from one question to the next */
    DELAY =
        1
        << 17, /* packets, from a question to its answer: all workers have come to it by then, and nobody waits */
    NEW_SHARE = 16,        /* of packets, whose pair is new: a guess, since the last answer */
    PAIRS_PER_PACKET = 16, /* looking at a pair costs that much less than counting a packet */
};

/* ---- workers ---- */

void pipeline_cap_work(struct worker *w, unsigned what)
{
    switch (what) {
    case MARK_COUNT_TABLES:
        w->counts = (struct cap_counts){0};
        tally_cap_count(w->tally, &w->counts);
        w->event_bytes = w->events ? event_engine_bytes(w->events) : 0;
        break;
    case MARK_EVENTS_WEIGH:
        if (!w->event_weight)
            w->event_weight = memory_must(malloc(sizeof *w->event_weight));
        *w->event_weight = (struct event_weight){0};
        event_engine_weigh(w->events, w->event_weight);
        break;
    case MARK_EVENTS_GIVE_UP:
        event_engine_give_up(w->events, w->pipeline->cap.events_step);
        break;
    case MARK_WEIGH:
        if (!w->weight)
            w->weight = memory_must(malloc(sizeof *w->weight));
        *w->weight = (struct cap_weight){0};
        w->counts = (struct cap_counts){0};
        tally_cap_weigh(w->tally, w->weight);
        tally_cap_count(w->tally, &w->counts);
        break;
    default:
        tally_cap_give_up(w->tally, &w->pipeline->cap.decision);
    }
    channel_push(w->told, w);
}

/* ---- receiver ---- */

static void ask_all(struct pipeline *p, unsigned what, enum cap_state state)
{
    pipeline_send_mark(p, (struct batch_mark){.what = what});
    p->cap.state = state;
}

/* Waits until all workers have done what the last mark said; adds up what they counted. */
static struct cap_counts tell_all(struct pipeline *p)
{
    struct cap_counts sum = {0};
    for (unsigned i = 0; i < p->worker_count; i++) {
        const struct worker *w = channel_pop(p->workers[i].told);
        sum.sources += w->counts.sources;
        sum.pairs += w->counts.pairs;
        sum.rows += w->counts.rows;
        sum.shown += w->counts.shown;
    }
    return sum;
}

void pipeline_cap_note(struct pipeline *p)
{
    struct summary_given_up *all = &p->result->given_up;
    const struct cap_decision *d = &p->cap.decision;
    if (!p->cap.is_deciding)
        return;
    p->cap.is_deciding = false;
    all->ports |= d->has_ports;
    all->rules |= d->has_rules;
    all->sources |= d->is_full;
    all->packets += d->packets;
    if (d->has_ports && all->ports_packets < d->ports_cut)
        all->ports_packets = d->ports_cut;
}

/* Whether the tables may be beyond the cap now, which are `most` by the counts asked for. They are what they were
 * when they were weighed and what came to the counts since, at most; in between, every packet adds one of each. So whether
 * they are looked at may depend on workers; what is found then does not. */
static bool is_beyond(const struct pipeline *p, uint64_t most)
{
    const struct pipeline_cap *cap = &p->cap;
    uint64_t bound = most;
    if (cap->is_known && cap->bytes + (most - cap->bytes_most) < bound)
        bound = cap->bytes + (most - cap->bytes_most);
    return p->settings->memory_cap > 0 && !cap->is_spent &&
           bound + (uint64_t)DELAY * CAP_PACKET_BYTES > p->settings->memory_cap;
}

void pipeline_cap_begin(struct pipeline *p)
{
    bool is_needed = p->settings->days || p->settings->memory_cap > 0 ||
                     p->settings->share_at > 0 ||
                     (p->settings->events && p->settings->events->memory > 0);
    p->cap.next = is_needed ? EVERY : UINT64_MAX;
}

/* All tables were looked at: something is to be given up where they are beyond the cap. */
static void weighed(struct pipeline *p, const struct cap_counts *most)
{
    struct pipeline_cap *cap = &p->cap;
    struct cap_weight *sum = memory_must(calloc(1, sizeof *sum));
    struct cap_decision d;

    for (unsigned i = 0; i < p->worker_count; i++)
        cap_weight_add(sum, p->workers[i].weight);
    cap_decide(sum, p->settings->memory_cap, cap->decision.is_full, &d);
    cap->is_known = true;
    cap->bytes = cap_bytes(&sum->counts);
    cap->bytes_most = cap_bytes(most);
    cap->is_spent = cap->decision.is_full && sum->whole == 0;
    free(sum);
    if (!d.has_ports)
        return;
    cap->decision = d;
    cap->is_known = false;
    cap->is_deciding = true;
    ask_all(p, MARK_GIVE_UP, CAP_GIVING_UP);
}

/* Whether open events may be beyond their cap, or come to be while it is looked at. */
static bool events_are_beyond(const struct pipeline *p)
{
    uint64_t bytes = (uint64_t)DELAY * EVENT_PACKET_BYTES;
    if (!p->settings->events || p->settings->events->memory == 0)
        return false;
    for (unsigned i = 0; i < p->worker_count; i++)
        bytes += p->workers[i].event_bytes;
    return bytes > p->settings->events->memory;
}

/* All open events were looked at. Where they are beyond their cap, bins go, then those with the fewest packets are closed, so many that at most 3/4 of it
 * are left in use. */
static void events_weighed(struct pipeline *p)
{
    struct event_weight sum = {0};
    uint64_t cap = p->settings->events->memory;
    for (unsigned i = 0; i < p->worker_count; i++) {
        sum.bytes += p->workers[i].event_weight->bytes;
        sum.bins += p->workers[i].event_weight->bins;
        for (unsigned step = 0; step < CAP_STEPS; step++)
            sum.at[step] += p->workers[i].event_weight->at[step];
    }
    if (sum.bytes <= cap)
        return;
    int step = EVENT_NO_STEP;
    for (uint64_t left = sum.bytes - sum.bins; left > cap / 4 * 3 && step < CAP_STEPS - 1;)
        left -= sum.at[++step];
    p->cap.events_step = step;
    ask_all(p, MARK_EVENTS_GIVE_UP, CAP_GIVING_UP);
}

static void forget(struct pipeline_cap *cap)
{
    cap->decision = (struct cap_decision){0};
    cap->is_spent = cap->is_known = cap->is_stale = false;
}

/* Waits for the answers and does what follows from them: there is another question, or none (CAP_IDLE). */
static void answers_take(struct pipeline *p)
{
    struct pipeline_cap *cap = &p->cap;
    enum cap_state of = cap->state;
    struct cap_counts counts = tell_all(p);

    cap->state = CAP_IDLE;
    pipeline_cap_note(p);
    if (cap->is_stale) {
        forget(cap);
    } else if (of == CAP_COUNTING) {
        cap->pairs = counts.pairs;
        cap->sources = counts.sources;
        cap->has_events = events_are_beyond(p);
        if (is_beyond(p, cap_bytes(&counts)))
            ask_all(p, MARK_WEIGH, CAP_WEIGHING);
    } else if (of == CAP_WEIGHING) {
        weighed(p, &counts);
    } else if (of == CAP_EVENTS_WEIGHING) {
        events_weighed(p);
    }
    if (cap->state == CAP_IDLE && cap->has_events) {
        cap->has_events = false;
        ask_all(p, MARK_EVENTS_WEIGH, CAP_EVENTS_WEIGHING);
    }
}

static void count_begin(struct pipeline *p)
{
    ask_all(p, MARK_COUNT_TABLES, CAP_COUNTING);
    p->cap.asked = p->cap.next;
    p->cap.next += DELAY;
}

void pipeline_cap_turn(struct pipeline *p)
{
    struct pipeline_cap *cap = &p->cap;
    if (cap->state == CAP_IDLE) {
        count_begin(p);
        return;
    }
    while (cap->state != CAP_IDLE)
        answers_take(p);
    cap->next += EVERY - DELAY;
    const struct pipeline_settings *s = p->settings;
    if (s->share_at > 0 && cap->sources >= s->share_at && !p->is_shared && !s->events &&
        !cap->decision.is_full) /* tables that no longer grow are not worth it */
        pipeline_share(p);
}

void pipeline_cap_poll(struct pipeline *p, uint64_t received)
{
    struct pipeline_cap *cap = &p->cap;
    p->sorted = received;
    if (cap->state == CAP_IDLE) {
        if (cap->next <= received)
            count_begin(p);
        return;
    }
    for (unsigned i = 0; i < p->worker_count; i++)
        if (channel_count(p->workers[i].told) == 0)
            return;
    answers_take(p);
    if (cap->state == CAP_IDLE)
        cap->next = cap->asked + EVERY;
}

void pipeline_cap_day_over(struct pipeline *p)
{
    if (p->cap.state == CAP_IDLE)
        forget(&p->cap);
    else /* workers may be reading the decision */
        p->cap.is_stale = true;
}

bool pipeline_cap_day(struct pipeline *p, bool is_judged)
{
    struct pipeline_cap *cap = &p->cap;
    uint64_t pairs = cap->pairs + (p->sorted - cap->asked) / NEW_SHARE;
    if (!is_judged && p->sorted - cap->turned < pairs / PAIRS_PER_PACKET)
        return false;
    cap->turned = p->sorted;
    cap->is_known = false;
    return true;
}
