/* event_infected: infected hosts of a date as events, made while its source days go to the feed (export/infected.h has what they are).
 *
 *   event_infected_begin -> event_infected_add (each source day, in order) -> event_infected_end, behind the Day
 *
 * Where the Day is in the feed already, and its writer was killed behind it, what was told is left out (event_infected_told).
 *
 * One event per host and date, told with the time of the date's last packet, so that replay and live tell the same. Whether a host is new is told
 * against the date before: as it was made last, or, of a live capture that was started since, as the feed has it; where neither is there, it is
 * not known. A date that becomes final again tells its hosts again, under the same ids: readers keep the last.
 *
 * One thread: who finishes dates. Memory: 184 bytes per host, 17 for those of the date before. Ends the program where
 * memory ends.
 */
#ifndef CORE_EVENT_INFECTED_H
#define CORE_EVENT_INFECTED_H

#include "export/day_facts.h"
#include "export/feed_log.h"
#include "export/infected.h"

struct event_infected;

/* All outlive it. NULL with errno. */
struct event_infected *event_infected_create(const struct ruleset *rules, const char *sensor);
/* The feed in `dir` may have the date before. */
void event_infected_look_back(struct event_infected *x, const char *dir);
void event_infected_destroy(struct event_infected *x); /* accepts NULL */

/* `rules`: of the date, until all of it is told. */
void event_infected_begin(struct event_infected *x, const struct ruleset *rules,
                          const struct day_facts *facts, const struct survey_settings *survey);
int event_infected_add(struct event_infected *x, const struct source_day *s, struct fault *fault);

/* Before event_infected_end: it leaves out the event of this id, which the feed has. */
void event_infected_told(struct event_infected *x, const uint8_t id[8]);

/* Appends them. 0, or -errno and a fault: those that are there stay. */
int event_infected_end(struct event_infected *x, struct feed_log *feed, struct fault *fault);

/* Goes on where that, or this, failed, before another date begins. */
int event_infected_rest(struct event_infected *x, struct feed_log *feed, struct fault *fault);

/* The feed took all of them back (feed_log_sync): event_infected_rest() begins with the first. */
void event_infected_again(struct event_infected *x);

#endif
