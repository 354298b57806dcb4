/* live_days: the days of a live capture, from what workers pack with each window to Days in the feed.
 *
 * The journal (core/day_journal.h) has them until they are over. Then all parts are merged, the source days go to the feed in the
 * order of addresses, the Day behind them, and the survey scanners of the day come out as a list for windows of the next. Where the
 * feed has an earlier revision of the date (packets came too late for it), that is merged, too, and the new one supersedes
 * it. A day whose parts, or whose earlier revision, were made under several rule sets says so (`mixed`). Part of live; one thread, the exporter's.
 */
#ifndef CORE_LIVE_DAYS_H
#define CORE_LIVE_DAYS_H

#include "core/day_journal.h"
#include "core/day_store.h"
#include "core/survey_list.h"
#include "export/feed_log.h"

struct live_part;
struct live_parts;

struct live_days_settings {
    struct day_store_settings day; /* but for `dir` */
    const char *feed_dir;
    char *journal_dir;
    bool has_survey;     /* windows take out survey scanners: the telescope's size is known */
    uint64_t window_seq; /* of the feed's last window: parts behind it are of windows it has not */
    /* What was damaged, and what became of it (core/day_journal.h); any thread, may be NULL. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct live_days;

/* 0, or -errno and a fault. The settings must outlive it; caller closes in any case. */
int live_days_open(struct live_days **out, const struct live_days_settings *settings,
                   struct fault *fault);
void live_days_close(struct live_days *d); /* accepts NULL */

/* What comes from now on was labelled by these rules and lists, Days are computed by them; `day` (NULL: those before; but for `dir` and
 * `infected`) must outlive its use. Of a day it is the parts that say what its packets were labelled by. */
void live_days_turn(struct live_days *d, const struct day_store_settings *day);

/* A late window, which has no parts of its own: its ledger, and the rules of now, go to its day with the next parts, which have its
 * packets. */
void live_days_note(struct live_days *d, const struct window *w);

/* What all workers packed with a window, which is whole and of the rules of now: on disk when it returns. `seq`: of the record before the window's. 0, or
 * -errno and a fault: nothing of it is there, and it can be given again. */
int live_days_add(struct live_days *d, struct live_parts *const *parts, unsigned count,
                  const struct window *w, uint64_t seq, struct fault *fault);

/* All windows up to this record are safe in the feed. */
void live_days_kept(struct live_days *d, uint64_t seq);

/* Writes the Days of all dates before `date`. *survey (may be NULL) becomes the list of the last one, the caller's to free(),
 * where windows take out survey scanners. What is damaged of a date's parts is mended: its Day says what it
 * lacks. 0, or -errno and a fault, of the first that could not be written: it stays, for the next time, and holds up no later date; that reads
 * the parts first, so that no segment of the feed ends for nothing. *survey is that of the dates that were written, also then, where no later one's was given. */
int live_days_finish(struct live_days *d, int32_t date, struct feed_log *feed,
                     struct survey_list **survey, struct fault *fault);

/* The survey scanners of the last date in the feed before `date`; *survey is NULL where there is none. 0, or -errno and a fault. */
int live_days_survey(struct live_days *d, int32_t date, struct survey_list **survey,
                     struct fault *fault);

/* At the start: both for the dates before `today`. What stands in the way of a Day holds up no capture: it is said, and *due is `today`
 * where some are left to be tried again (live_settings), else 0. 0, or -EINVAL and a fault: another config than before. */
int live_days_begin(struct live_days *d, int32_t today, struct feed_log *feed,
                    struct survey_list **survey, int32_t *due, struct fault *fault);

#endif
