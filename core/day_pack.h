/* day_pack: what a shard counted of a day, as source days in the order of addresses.
 *
 * The counts beside the pairs (of the current day), the rows and the first times come together here; nothing of
 * the day is left in the shard afterwards. Any thread, one per shard at a time.
 */
#ifndef CORE_DAY_PACK_H
#define CORE_DAY_PACK_H

#include "core/survey_set.h"
#include "core/tally_day.h"
#include "export/source_day.h"

/* Takes a source day, valid during the call; may change it. 0 or -errno, which ends the packing. */
typedef int (*source_day_take)(void *context, struct source_day *s);

/* `is_current`: the shard's counts and firsts are this day's. `judge` (may be NULL) gets every source, too. What its
 * sources gave up is added to *given_up. 0 or what `take` returned. */
int day_pack(const struct tally *t, struct tally_day *day, unsigned shard, bool is_current,
             struct survey_judge *judge, struct day_given_up *given_up, source_day_take take,
             void *context);

/* The same of what was put aside (core/tally_day.h), while the tally's thread counts on, which is the caller: a day's rows, which
 * are freed, and where it is the current one what the shard has aside, which has nothing afterwards. */
int day_pack_aside(struct tally *t, int32_t date, unsigned shard, struct day_rows *rows,
                   bool is_current, struct day_given_up *given_up, source_day_take take,
                   void *context);

#endif
