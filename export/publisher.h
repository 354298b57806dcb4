/* publisher: tells one sink what a feed says, in a thread of its own.
 *
 *   publisher_start -> publisher_read (any thread, any time) -> publisher_wait (where it ends by itself) -> publisher_stop
 *
 * It asks the sink what it has, finds that place in the feed (feed_place.h), and follows the feed from there on (feed_tail.h):
 * Windows, Days and Events, up to PUBLISHER_ITEMS at a time while it catches up, one at a time when it has. After any failure it waits
 * (100 ms, doubling up to 30 s), asks again, and goes on; so a sink that was down for a day catches up, and one
 * that was restarted empty is told all that is kept. It only reads the feed's files: nothing waits for it.
 *
 * Memory: 25 MB beside what the sink needs. The zone in force (calendar.h) must be the feed's.
 */
#ifndef EXPORT_PUBLISHER_H
#define EXPORT_PUBLISHER_H

#include "capture/fault.h"
#include "export/feed_durable.h"
#include "export/sink.h"

#include <stdbool.h>
#include <stdint.h>

enum { PUBLISHER_ITEMS = 64, PUBLISHER_BYTES = 8 << 20 };

struct publisher_settings {
    const char *dir;   /* the feed's folder; copied */
    struct sink *sink; /* the publisher's from publisher_start on, whether that succeeds or not */
    struct feed_durable *durable; /* of a feed that is being written by this process; NULL: none */
    bool is_finite;       /* ends when all that is there is delivered, or when the sink refuses */
    uint64_t patience_ms; /* finite: and after so long without progress; 0: never */
    /* What is worth saying, in words, from the publisher's thread: it can't deliver, it can again. May be NULL. */
    void (*say)(void *context, const char *text);
    void *context;
};

/* clang-format off */
#define PUBLISHER_PHASES(X) \
    X(starting)  /* asks the sink, looks for its place */ \
    X(sending)   /* there is more to deliver */ \
    X(current)   /* all is delivered */ \
    X(waiting)   /* something failed; it will try again */ \
    X(refused)   /* someone must do something about it; it tries again as well */ \
    X(ended)
#define PUBLISHER_PHASE_(name) PUBLISHER_##name,
enum publisher_phase { PUBLISHER_PHASES(PUBLISHER_PHASE_) PUBLISHER_PHASE_COUNT };
/* clang-format on */

const char *publisher_phase_name(enum publisher_phase phase);

struct publisher_state {
    enum publisher_phase phase;
    uint64_t items[SINK_SORTS]; /* delivered since the start */
    uint64_t bytes;             /* of their messages */
    uint64_t errors;            /* failures since the start */
    uint64_t
        resent; /* times that the sink had less than it was told: restarted empty, or from an older copy */
    uint64_t
        gaps; /* times that the feed had not, or not any more, what follows what the sink has */
    struct feed_id last[SINK_SORTS]; /* the newest that the sink has */
    int64_t
        delivered_ns;  /* end of the latest window that it has; INT64_MIN: none is known. The sink's
                                   lag is what has been sealed since */
    char problem[256]; /* of the last failure, while it lasts; "" */
    char note[160];    /* of the sink: what did not work though it delivers; "" */
};

struct publisher;

/* -ENOMEM, -errno of the thread; the sink is closed then. */
int publisher_start(struct publisher **out, const struct publisher_settings *settings,
                    struct fault *fault);

/* A copy. Never waits for the sink. */
void publisher_read(struct publisher *p, struct publisher_state *out);

const char *publisher_name(const struct publisher *p); /* the sink's */

/* Until it ended by itself, at most `timeout_ms`: true; *err is 0 (all was delivered) or what it gave up for, with the fault. */
bool publisher_wait(struct publisher *p, int timeout_ms, int *err, struct fault *fault);

/* Interrupts the sink, ends the thread, closes the sink, frees. What is delivered stays. Accepts NULL. */
void publisher_stop(struct publisher *p);

#endif
