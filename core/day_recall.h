/* day_recall: what a date came to in some windows, from the windows themselves: for a part of the journal that no longer says it. */
#ifndef CORE_DAY_RECALL_H
#define CORE_DAY_RECALL_H

#include "core/day_journal.h"

/* The windows of the date whose records in the feed have a sequence number from `from` on and below `before`. What is damaged there, or
 * was never written, is not in *sums, nor anything of a memory cap. Sequence numbers and calendar days as in live_days. 0, or -errno and a
 * fault. Memory: a window. */
int day_recall(const char *feed_dir, int32_t date, uint64_t from, uint64_t before,
               struct journal_sums *sums, struct fault *fault);

/* The minutes of its day that a window lies in. */
struct calendar_day;
void day_recall_minutes(uint64_t minutes[DAY_MINUTE_WORDS], const struct calendar_day *of,
                        const struct window *w);

#endif
