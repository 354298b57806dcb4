/* event_check: whether the events of a feed stand in their order: what feed_log_verify holds them to.
 *
 * Events between two other records ascend (event_compare). The records of one id begin with update 0 and count up by one, of one type, one
 * first_ns and times that do not go back, up to the one that ends it; nothing of it follows. None is told before the window that ends at its time.
 * Memory: 48 bytes for each event that has begun and not ended. One thread each.
 */
#ifndef EXPORT_EVENT_CHECK_H
#define EXPORT_EVENT_CHECK_H

#include "export/event.h"

struct event_check;

struct event_check *event_check_create(void);    /* NULL with errno */
void event_check_destroy(struct event_check *c); /* accepts NULL */

/* A record that is no event stands in between. */
void event_check_between(struct event_check *c);

/* From here on an event may have begun where nothing is read: segments were deleted, or one is read alone. */
void event_check_hole(struct event_check *c);

/* A window up to `end_ns` was there. */
void event_check_window(struct event_check *c, int64_t end_ns);

/* The next event. NULL, or words that say what does not hold. *is_out: memory is. */
const char *event_check_take(struct event_check *c, const struct event *e, bool *is_out);

/* Events that have begun and not ended. */
size_t event_check_open(const struct event_check *c);

#endif
