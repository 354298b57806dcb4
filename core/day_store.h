/* day_store: the source days of a replay until its end, and the Days made of them.
 *
 * A worker packs what a shard counted of a day whenever the capture goes on to another day: a run
 * (core/day_runs.h). Captures need not be in the order of time, so a date may have any number of runs; at the
 * end they are merged, each date becomes final once, and its source days and Day go to the feed.
 * Any thread may add; finishing is one thread's.
 */
#ifndef CORE_DAY_STORE_H
#define CORE_DAY_STORE_H

#include "classify/origin.h"
#include "classify/telescope_dates.h"
#include "core/day_minutes.h"
#include "core/day_pack.h"
#include "export/day.h"
#include "export/feed_log.h"

struct day_store;
struct event_infected;

struct day_store_settings {
    struct day_settings day;
    const struct origins *origins;
    const struct day_basis *lists, *databases; /* that the origins were made of */
    size_t list_count, database_count;
    const char *telescope_id, *sensor, *timezone;
    const struct telescope_dates *telescope; /* NULL: none configured */
    struct event_infected *infected; /* tells infected hosts of each date; NULL: nobody does */
    const char *dir;                 /* where the file without a name may lie */
};

/* Settings and what they point to must outlive the store. NULL with errno. */
struct day_store *day_store_create(const struct day_store_settings *settings);
void day_store_destroy(struct day_store *s); /* accepts NULL */

/* Packs what a shard counted of a day: nothing of it is left there. `judge` (may be NULL) gets each source with all that
 * was packed of it, now and before. 0, or -errno and a fault (a full disk); what was added before stays. */
int day_store_pack(struct day_store *s, const struct tally *t, struct tally_day *day,
                   unsigned shard, bool is_current, struct survey_judge *judge,
                   struct fault *fault);

/* A judge gets each source of a date with all that was packed of it; where the tally has nothing of that day. */
int day_store_judge(struct day_store *s, int32_t date, unsigned shard, struct survey_judge *judge,
                    struct fault *fault);

/* Adds what a worker counted of packets without a source; takes it out of `day`. */
void day_store_add_lone(struct day_store *s, struct tally_day *day);

/* Makes the Days of all dates, in order, from the runs and from what the receiver saw. `feed` (may be NULL) gets them;
 * `take` (may be NULL) sees each, valid during the call. 0, or -errno and a fault. */
int day_store_finish(struct day_store *s, const struct day_minutes *watch, struct feed_log *feed,
                     int (*take)(void *context, const struct day_result *day), void *context,
                     struct fault *fault);

#endif
