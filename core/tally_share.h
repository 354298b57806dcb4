/* tally_share: what a tally counts of a shard goes on in another tally of the same run. Of a replay alone. Both stand still. */
#ifndef CORE_TALLY_SHARE_H
#define CORE_TALLY_SHARE_H

#include "core/tally.h"

/* `to`, which has counted nothing, goes on where `from` stands: it has windows open in the same slots (tally_open()) and the same
 * announcements behind it. */
void tally_stand_beside(struct tally *to, const struct tally *from);

/* Moves all that is counted of a shard beside windows. `from` must outlive `to`: tables stay where they are. */
void tally_shard_move(struct tally *to, struct tally *from, unsigned shard);

#endif
