/* feed_id: names of a feed's Windows, Days and Events that ascend, for readers that keep them in order.
 *
 * A function of the feed alone: `ms` is the greatest start so far in the feed (of a Day: the begin of its date; of an Event: the time it was told), in milliseconds
 * since 1970; `n` how many records of this sort there were since it was reached. Times before 1970 count as its
 * first millisecond. Written <ms>-<n>, as Redis writes the ids of a stream.
 *
 * Of a feed whose first segments were deleted the ids are the same from the first greater start on.
 */
#ifndef EXPORT_FEED_ID_H
#define EXPORT_FEED_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed_id {
    uint64_t ms, n; /* both 0: none */
};

enum { FEED_ID_TEXT = 44 };

/* < 0, 0, > 0. */
static inline int feed_id_order(struct feed_id a, struct feed_id b)
{
    return a.ms != b.ms ? (a.ms < b.ms ? -1 : 1) : (a.n > b.n) - (a.n < b.n);
}

static inline bool feed_id_is_none(struct feed_id id) { return id.ms == 0 && id.n == 0; }

/* The id of the record that follows the one of id `before` and begins at `start_ns`. */
static inline struct feed_id feed_id_next(struct feed_id before, int64_t start_ns)
{
    uint64_t ms = start_ns < 1000000 ? 1 : (uint64_t)start_ns / 1000000;
    return ms > before.ms ? (struct feed_id){ms, 0} : (struct feed_id){before.ms, before.n + 1};
}

/* Takes "<ms>-<n>", and nothing else. */
bool feed_id_parse(struct feed_id *out, const char *text, size_t len);

/* Returns `text`. */
const char *feed_id_text(struct feed_id id, char text[FEED_ID_TEXT]);

/* With its time for people: "1700000000000-2 (2023-11-14T22:13:20Z)". */
enum { FEED_ID_WORDS = 96 };
const char *feed_id_words(struct feed_id id, char words[FEED_ID_WORDS]);

#endif
