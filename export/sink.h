/* sink: someone who is told what a feed says.
 *
 * A publisher (publisher.h), one per sink and the only one to call it, asks what the sink has, then delivers Windows, Days and Events
 * in the feed's order. What a sink has is the sink's own cursor: it holds also after either of the two died. All that is
 * delivered is absolute, so that delivering again changes nothing.
 */
#ifndef EXPORT_SINK_H
#define EXPORT_SINK_H

#include "capture/fault.h"
#include "classify/label.h"
#include "export/feed_id.h"
#include "export/feed_sums.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The newest record of a sort that a sink has. */
struct sink_cursor {
    struct feed_id last; /* none: it has nothing, all that is kept is to be sent */
    bool has_crc;        /* the record itself was there to read: */
    uint32_t crc;        /* record_crc(0, its bytes) */
    bool is_unwanted;    /* it takes none of this sort; all else is zero */
};

enum sink_sort { SINK_WINDOWS, SINK_DAYS, SINK_EVENTS, SINK_SORTS };

/* A Window, Day or Event record. Of an event all behind start_ns is zero. */
struct sink_item {
    enum sink_sort sort;
    struct feed_id id;
    const uint8_t *body; /* the message's bytes */
    size_t body_len;
    int64_t start_ns; /* of the window, of the date; of an event time_ns */
    int64_t span_ns;
    uint32_t part; /* of the window */
    int32_t date;  /* of the day */
    uint32_t revision;
    uint64_t packets[SHARE_MARK_COUNT];    /* of each denominator and numerator */
    uint64_t packets_ex[SHARE_MARK_COUNT]; /* the same over _ex_survey */
    bool has_ex;
};

struct sink_batch {
    const struct sink_item *items; /* in the feed's order */
    size_t count;
    const struct feed_sums
        *sums; /* as they are behind the last item; what is new in them is to be told */
    int64_t
        oldest_ns; /* what began before this need not be kept for its own sake: the lowest of the newest 16 starts of
                          windows, so that one broken clock decides nothing; INT64_MIN: fewer were seen */
};

struct sink {
    const struct sink_ops *ops;
    char name[512];   /* for messages: no password in it */
    char note[160];   /* what of a delivery that succeeded did not work; "" */
    char untold[160]; /* why it takes no events, where nobody asked for that; "" */
};

/* All: 0 or -errno and a fault. Of these errors the publisher tells apart:
 *   -ERESTART  the sink's place has changed, or what it has: ask it again, at once
 *   -EACCES, -EINVAL, -ENOTSUP  someone must do something about it: a password, a key of another type
 *   others     it will pass: try again later */
struct sink_ops {
    /* Connects where need be, and says what the sink has. */
    int (*ask)(struct sink *s, struct sink_cursor have[SINK_SORTS], struct fault *fault);
    /* Returns when what is delivered is there; *done: so many items, from the first on, are, also after a failure. */
    int (*deliver)(struct sink *s, const struct sink_batch *batch, size_t *done,
                   struct fault *fault);
    /* From any thread: a call that waits returns soon, and so do all later ones. */
    void (*interrupt)(struct sink *s);
    void (*close)(struct sink *s);
};

/* Whether someone must do something about it: of the sink as above, or of the feed's place. */
static inline bool sink_error_is_for_people(int err)
{
    return err == -EACCES || err == -EINVAL || err == -ENOTSUP || err == -ESTALE ||
           err == -EBADMSG || err == -ENOENT || err == -E2BIG;
}

/* Makes the sink that a text names (redis://..., ...), for the feed of this sensor; connects to nothing. -EINVAL and a
 * fault naming the text. The publisher closes it. */
int sink_open(struct sink **out, const char *spec, const char *sensor, struct fault *fault);

#endif
