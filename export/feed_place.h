/* feed_place: where in a feed a sink goes on, told by the ids of the newest records that it has.
 *
 * Looks through the feed from its first record on; of windows only the first bytes are read (16 KB per record), source days are
 * passed over. So a sink's own cursor is enough, and no other is kept. Any thread.
 *
 * Where the first segments of a feed were deleted, ids are told by what is kept: late parts at its begin have lower ones than they had, and so has
 * all of it where the greatest start was a broken clock's. There the sink's newest is also known by its bytes, among the first
 * PLACE_FRONT records and as the last; and where it was deleted, all that is kept follows it.
 */
#ifndef EXPORT_FEED_PLACE_H
#define EXPORT_FEED_PLACE_H

#include "export/feed_header.h"
#include "export/feed_tail.h"
#include "export/sink.h"

enum { PLACE_STARTS = 16, PLACE_FRONT = 64 };

/* Starts of the newest windows, and what can be told by them. Begins as FEED_STARTS_NONE. */
struct feed_starts {
    int64_t greatest_ns;
    int64_t newest[PLACE_STARTS]; /* in turn */
    uint64_t count;               /* of all */
};
#define FEED_STARTS_NONE ((struct feed_starts){.greatest_ns = INT64_MIN})

void feed_starts_add(struct feed_starts *s, int64_t start_ns);

/* The lowest of the newest PLACE_STARTS; INT64_MIN: there are fewer. */
int64_t feed_starts_lowest(const struct feed_starts *s);

struct feed_place {
    struct feed_position position;  /* behind it something may stand that the sink lacks */
    struct feed_id ids[SINK_SORTS]; /* of the last records in front of it */
    struct feed_starts starts;      /* of the windows in front of it */
    struct feed_header header;      /* of its segment; span_ns 0: the feed has no segment yet */
    /* The sink's newest record is one of this feed, or it has none, or all of the feed is newer. */
    bool is_found[SINK_SORTS];
    bool is_gap; /* of windows, the last: what was between is not in the feed, or not any more */
};

/* Finds the place. -ESTALE and a fault that names both: the feed ends before what the sink has; or what the sink has last is
 * none of its records: another feed's, which must not be mixed. Then nothing is to be delivered. -ENOMEM, -errno. A folder without a segment, or none yet, is a
 * feed that begins. `sink`: for messages. */
int feed_place_find(struct feed_place *out, const char *dir,
                    const struct sink_cursor have[SINK_SORTS], const char *sink,
                    struct fault *fault);

#endif
