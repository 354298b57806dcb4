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

/* Waits until all workers have done what the last mark said; adds up what they counted. */
static struct cap_counts tell_all(struct pipeline *p)
{
    struct cap_counts sum = {0};
    for (unsigned i = 0; i < p->settings->workers; i++) {
        const struct worker *w = channel_pop(p->workers[i].told);
        sum.sources += w->counts.sources;
        sum.pairs += w->counts.pairs;
        sum.rows += w->counts.rows;
    }
    return sum;
}

static void given_up_note(struct pipeline *p, const struct cap_decision *d)
{
    struct summary_given_up *all = &p->result->given_up;
    all->ports |= d->has_ports;
    all->rules |= d->has_rules;
    all->sources |= d->is_full;
    all->packets += d->packets;
    if (d->has_ports && all->ports_packets < d->ports_cut)
        all->ports_packets = d->ports_cut;
}

/* Looks at all tables; gives up something where they are beyond the cap. */
static void weigh(struct pipeline *p)
{
    struct pipeline_cap *cap = &p->cap;
    struct cap_weight *sum = memory_must(calloc(1, sizeof *sum));
    struct cap_decision d;

    pipeline_send_mark(p, (struct batch_mark){.what = MARK_WEIGH});
    struct cap_counts most = tell_all(p);
    for (unsigned i = 0; i < p->settings->workers; i++)
        cap_weight_add(sum, p->workers[i].weight);
    cap_decide(sum, p->settings->memory_cap, cap->decision.is_full, &d);
    cap->is_known = true;
    cap->bytes = cap_bytes(&sum->counts);
    cap->bytes_most = cap_bytes(&most);
    cap->is_spent = cap->decision.is_full && sum->whole == 0;
    free(sum);
    if (!d.has_ports)
        return;
    cap->decision = d;
    cap->is_known = false;
    given_up_note(p, &d);
    pipeline_send_mark(p, (struct batch_mark){.what = MARK_GIVE_UP});
    (void)tell_all(p);
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
    bool is_needed = p->settings->days || p->settings->memory_cap > 0;
    p->cap.next = is_needed ? EVERY : UINT64_MAX;
}

void pipeline_cap_turn(struct pipeline *p)
{
    struct pipeline_cap *cap = &p->cap;
    if (!cap->is_asked) {
        pipeline_send_mark(p, (struct batch_mark){.what = MARK_COUNT_TABLES});
        cap->asked = cap->next;
        cap->next += DELAY;
    } else {
        struct cap_counts counts = tell_all(p);
        cap->pairs = counts.pairs;
        if (is_beyond(p, cap_bytes(&counts)))
            weigh(p);
        cap->next += EVERY - DELAY;
    }
    cap->is_asked = !cap->is_asked;
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
