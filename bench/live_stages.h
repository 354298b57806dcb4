/* live_stages: what each stage of a live capture costs by itself, ns per packet, on packets of its capture.
 *
 * receive: bursts that are thrown away. decode: every frame to an observation; classify: the labels of all of them; both as `explain` has
 * them. sort: what a receiver does in place of the two, frames to batches of briefs and observations. ring: batches that another
 * thread wrote, on another processor, read once. tally: all counting, days too, of sources that are known (the second pass over the
 * packets). CPU time; each over packets that the one before has prepared, in memory.
 */
#ifndef BENCH_LIVE_STAGES_H
#define BENCH_LIVE_STAGES_H

#include "capture/capture.h"
#include "classify/ruleset.h"
#include "classify/telescope_dates.h"
#include "core/survey_set.h"

struct live_stages_settings {
    struct capture *capture; /* gives packets for as long as it is asked */
    int (*enter)(struct fault *fault);
    void (*leave)(void);
    int cpu, other_cpu; /* of the stages, and of what writes for the ring */
    const struct ruleset *rules;
    const struct telescope_dates *telescope;
    const struct tally_survey *survey;
    uint32_t decap;
};

/* Prints them. 0 or -ENOMEM. */
int live_stages_print(const struct live_stages_settings *settings);

#endif
