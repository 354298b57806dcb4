/* http_follow: a feed followed for readers over HTTP: the two newest days at hand, each new window as an event.
 *
 *   http_follow_start -> any thread: events, days, counts -> http_follow_stop
 *
 * A thread of its own reads the feed: first what is there of the two newest dates that hold windows, then what comes. One
 * follows at once; another, for readers without a token, stays `delay_ns` behind the end of each window, so that nothing
 * that it hands out knows of anything newer (law 6).
 *
 * What is damaged is passed over where the feed goes on behind it, and said by the counts: of what is there at the start the rest of a
 * segment, but for the last one. What comes later, and the last one, is followed up to the damage (is_stuck). Memory: two views
 * (http_view.h), a window of 9 MB as far as touched, and the last HTTP_EVENTS events.
 */
#ifndef EXPORT_HTTP_FOLLOW_H
#define EXPORT_HTTP_FOLLOW_H

#include "export/event.h"
#include "export/feed_durable.h"
#include "export/http_body.h"
#include "export/http_view.h"

#include <stdbool.h>

struct http_follow;

enum { HTTP_EVENTS = 256, HTTP_EVENT_PORTS = 20, HTTP_TOLD = 200 };

struct http_follow_settings {
    const char *feed; /* folder */
    const struct ruleset *rules;
    const char *program;
    int64_t (*now_ns)(void *context); /* UTC; any thread */
    void *context;
    uint64_t delay_ns;
    unsigned min_sources;         /* 0: nothing is folded */
    struct feed_durable *durable; /* NULL: what is in the files may be given */
};

/* All texts are the caller's and outlive it. calendar_zone() is set. -ENOMEM, -EAGAIN and a fault. */
int http_follow_start(struct http_follow **out, const struct http_follow_settings *s,
                      struct fault *fault);
void http_follow_stop(struct http_follow *f); /* accepts NULL; nobody uses it any more */

/* From the next segment on, windows are named by other rules; they outlive it. Any thread. */
void http_follow_rules(struct http_follow *f, const struct ruleset *rules);
bool http_follow_uses(struct http_follow *f, const struct ruleset *rules); /* now, or later */

/* Ends all waits for good: those that wait for events get -ESHUTDOWN from now on. */
void http_follow_wake(struct http_follow *f);

/* Sleeps until what was in the feed at the start is read; at most `timeout_ms`. Whether it is. */
bool http_follow_ready(struct http_follow *f, int timeout_ms);

/* The event `*index`, with a reference that is the caller's: 1, and *index goes on by one. 0: none came within `timeout_ms`.
 * -ESTALE: it was dropped already, the reader is too far behind. -ESHUTDOWN.
 * An event is text as server-sent events have it: "id: SEQ", "event: window", "day" or "events", "data: JSON".
 * The last: an array of events (event_print.h) that were told together, at most HTTP_TOLD; the id is the last one's. Not from a follower that folds (min_sources)
 * or stays behind: its readers may not see addresses. */
int http_follow_event(struct http_follow *f, uint64_t *index, int timeout_ms,
                      struct http_body **out);

/* Index of the first event behind the record `seq` that is still there; UINT64_MAX: of the one that comes next. *lost: the last record behind
 * `seq` that was an event or would have been, and is no more at hand; 0: there is none. */
uint64_t http_follow_index(struct http_follow *f, uint64_t seq, uint64_t *lost);

/* When the event `index` came, on the monotonic clock; INT64_MAX: it has not. */
int64_t http_follow_event_ns(struct http_follow *f, uint64_t index);

/* The dates at hand, newest first. Returns how many: 0 to 2. */
unsigned http_follow_dates(struct http_follow *f, int32_t dates[2]);

/* A date at hand, as JSON. `frame` lacks sensor, and of the newest date before, which are filled in. *out is the caller's reference; it is made at most
 * once for each change. -ENOENT: the date is not at hand; -ENOMEM. */
int http_follow_day(struct http_follow *f, int32_t date, const struct http_view_frame *frame,
                    struct http_body **out);

/* What was read. Sums count from the start of the process on, what was there of the two dates included, each record once. */
struct http_follow_counts {
    uint64_t seq;     /* of the last record */
    uint64_t changes; /* goes on when something of a date that is not at hand came */
    uint64_t windows, parts, days;
    uint64_t events[EVENT_TYPES][EVENT_PHASES]; /* records */
    uint64_t damaged;                           /* records that could not be used */
    uint64_t kinds[KIND_COUNT], kind_bytes[KIND_COUNT], marks[MARK_COUNT];
    struct window_ledger ledger;
    int64_t
        since_ns; /* least start of the windows that are counted, but of further parts; means something where there are any */
    int64_t
        last_end_ns; /* greatest end of a window, but of those dated ahead by a broken clock; 0: none */
    bool is_stuck; /* the feed can't be read on */
    char why[256]; /* then */
    char sensor[128];
};
void http_follow_count(struct http_follow *f, struct http_follow_counts *to);

#endif
