/* day_earlier: what a feed has of a date already: the last revision of its Day, and its source days one by one.
 *
 *   day_earlier_begin -> day_earlier_next, while there is one -> day_earlier_end
 *
 * Part of live_days; one thread, the exporter's.
 */
#ifndef CORE_DAY_EARLIER_H
#define CORE_DAY_EARLIER_H

#include "export/day.h"
#include "export/feed_reader.h"

struct day_earlier {
    struct feed_pool *pool;
    struct feed_reader *reader;
    struct feed_cursor cursor;
    struct source_day_buffer next; /* the source day at hand, where has_next */
    struct day_result *day;        /* NULL: there is none; its record is number */
    uint64_t day_seq;
    size_t day_segment;
    bool has_cursor, has_next;
};

/* Opens what the feed in `dir` has of a date, the first source day at hand; nothing where it has no Day of it. 0, or -errno and a fault;
 * caller ends it in any case. */
int day_earlier_begin(struct day_earlier *e, const char *dir, int32_t date, struct fault *fault);
void day_earlier_end(struct day_earlier *e); /* also of a zeroed one */

/* Goes on to the next source day. 0, or -errno and a fault. */
int day_earlier_next(struct day_earlier *e, struct fault *fault);

/* Calls `take` with each event of an infected host of the date that stands behind its Day. 0, or -errno and a fault. */
int day_earlier_infected(struct day_earlier *e, int32_t date,
                         void (*take)(void *context, const struct event *infected), void *context,
                         struct fault *fault);

#endif
