/* day_check: do the records of calendar days hold, by themselves and against each other?
 *
 * Given the bodies of DayBegin, SourceDay and Day in the feed's order. A Day is computed again from its
 * source days and compared field by field; without them it is held to itself. The records are a
 * stranger's. Memory is bounded as that of struct day, and 8 bytes for each date. One thread per state.
 */
#ifndef EXPORT_DAY_CHECK_H
#define EXPORT_DAY_CHECK_H

#include "export/day.h"
#include "export/yamiscope.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct day_check;

/* What the Header in force says. */
struct day_check_header {
    const char *timezone;
    bool has_days, has_sources;
    struct survey_settings survey;
};

/* `rules` may be NULL; used where a Day says that it was computed under them. They outlive the state. NULL with errno. */
struct day_check *day_check_create(const struct ruleset *rules);
void day_check_destroy(struct day_check *c); /* accepts NULL */

/* Copied but for the zone, which must stay. */
void day_check_header(struct day_check *c, const struct day_check_header *h);

/* Each: 0, -EBADMSG (day_check_why() says what does not hold) or -ENOMEM. */
int day_check_begin(struct day_check *c, const uint8_t *body, size_t len);
int day_check_source(struct day_check *c, const uint8_t *body, size_t len);
/* `is_alone`: what stands before the Day is not known. */
int day_check_day(struct day_check *c, const uint8_t *body, size_t len, bool is_alone);

const char *day_check_why(const struct day_check *c);
int32_t day_check_date(const struct day_check *c); /* of the last DayBegin or Day */
/* The DayBegin that is open gets no Day: its writer died, or the Day was deleted. */
void day_check_abandon(struct day_check *c);

bool day_check_is_open(const struct day_check *c);      /* a DayBegin waits for its Day */
bool day_check_was_computed(const struct day_check *c); /* the last Day, from its source days */
bool day_check_was_restated(const struct day_check *c); /* and under the rules that were given */

#endif
