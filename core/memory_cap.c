#include "core/memory_cap.h"

#include <stddef.h>

enum { SINGLE = 16, SINGLE_BITS = 4, STEP_BITS = 3 };

unsigned cap_step(uint64_t packets)
{
    if (packets < SINGLE)
        return (unsigned)packets;
    unsigned bits = 63u - (unsigned)__builtin_clzll(packets);
    unsigned part = packets >> (bits - STEP_BITS) & ((1 << STEP_BITS) - 1);
    return SINGLE + ((bits - SINGLE_BITS) << STEP_BITS) + part;
}

uint64_t cap_step_last(unsigned step)
{
    if (step < SINGLE)
        return step;
    unsigned bits = ((step - SINGLE) >> STEP_BITS) + SINGLE_BITS;
    uint64_t part = ((step - SINGLE) & ((1 << STEP_BITS) - 1)) + 1;
    uint64_t width = UINT64_C(1) << (bits - STEP_BITS);
    return (UINT64_C(1) << bits) + part * width -
           1; /* the last step's wraps to the greatest number */
}

void cap_weight_add(struct cap_weight *into, const struct cap_weight *from)
{
    uint64_t *sum = (uint64_t *)into;
    const uint64_t *add = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *into / sizeof *sum; i++)
        sum[i] += add[i];
}

/* The last step whose sources may give up something: with those below it they have half of all packets. */
static unsigned last_step(const struct cap_weight *w, bool is_full)
{
    uint64_t all = 0, below = 0;
    unsigned step = 0;
    if (is_full)
        return CAP_STEPS - 1;
    for (unsigned i = 0; i < CAP_STEPS; i++)
        all += w->at[i].packets;
    while ((below += w->at[step].packets) < all - all / 2)
        step++;
    return step;
}

void cap_decide(const struct cap_weight *w, uint64_t cap, bool is_full, struct cap_decision *d)
{
    uint64_t bytes = cap_bytes(&w->counts), target = cap - cap / 4, freed = 0;
    *d = (struct cap_decision){.is_full = is_full};
    if (bytes <= cap || (is_full && w->whole == 0))
        return;
    uint64_t need = bytes - target;
    unsigned last = last_step(w, is_full), step;
    d->has_ports = true;
    for (step = 0; (freed += w->at[step].ports_bytes) < need && step < last;)
        step++;
    d->ports_cut = cap_step_last(step);
    for (unsigned i = 0; i <= step; i++)
        d->packets += w->at[i].fresh_packets;
    if (freed >= need)
        return;
    d->has_rules = true;
    for (step = 0; (freed += w->at[step].rules_bytes) < need && step < last;)
        step++;
    d->rules_cut = cap_step_last(step);
    d->is_full = is_full || freed < need;
}
