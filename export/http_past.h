/* http_past: what readers over HTTP ask of a feed's files: windows of a time, days, where a cursor stands.
 *
 * Each answer is read from disk when it is asked for, one at a time: requests wait for each other here, never the follower nor
 * capture. What is damaged is left out. Nothing newer is given than what `follow` has read, so that readers without
 * a token get nothing before its time (law 6).
 *
 * Memory: one window or Day, the answer (at most HTTP_ANSWER bytes), the last answers of days, and a line per Day listed.
 */
#ifndef EXPORT_HTTP_PAST_H
#define EXPORT_HTTP_PAST_H

#include "export/event_filter.h"
#include "export/feed_tail.h"
#include "export/http_follow.h"

struct http_past;

enum {
    HTTP_ANSWER = 32 << 20,
    HTTP_WINDOWS_MAX = 10080,
    HTTP_EVENTS_MAX = 100000,
    HTTP_DAYS_MAX = 4000
};

/* For whom: what they may see. */
struct http_audience {
    struct http_follow *follow;
    bool is_public; /* no addresses; what follows is set */
    uint64_t delay_ns;
    unsigned min_sources; /* 0: nothing is folded */
};

/* The texts outlive it. NULL with errno. */
struct http_past *http_past_create(const char *feed, const struct ruleset *rules,
                                   const char *program, const char *zone,
                                   int64_t (*now_ns)(void *context), void *context);
void http_past_destroy(struct http_past *p); /* accepts NULL */

/* From now on windows are named by other rules; they outlive it. Any thread. */
void http_past_rules(struct http_past *p, const struct ruleset *rules);
bool http_past_uses(struct http_past *p, const struct ruleset *rules);

struct http_windows_query {
    int64_t since_ns, until_ns; /* of windows' starts: [since, until) */
    uint64_t after;             /* behind this record */
    uint64_t limit;             /* windows */
    size_t top;                 /* rows of ports, of JSON */
    bool is_protobuf;
};

/* JSON {state "provisional", sensor, timezone, seq (of the last record that is looked at), windows [...] in the feed's order, next}:
 * `next` is what `after` goes on with where there is more, else null. Protobuf: delimited Records. -ERANGE as http_past_after; -ENOMEM, -errno
 * and a fault. */
int http_past_windows(struct http_past *p, const struct http_windows_query *q,
                      const struct http_audience *a, struct http_body **out, struct fault *fault);

struct http_events_query {
    struct event_filter filter;
    uint64_t after; /* behind this record */
    uint64_t limit; /* events; not of public readers */
    bool has_updates, is_protobuf;
    bool is_newest; /* of more than `limit` those that were told last, not first */
};

/* JSON {sensor, timezone, seq, events [objects of event_print.h, `seq` in front], next}: each event once, as it stands, in the order they were
 * told, or with has_updates every record; `next` as above. With is_newest `earlier` beside seq: so many stand before them. Protobuf: delimited
 * Records.
 *
 * Public readers: {sensor, timezone, delay_seconds, min_sources, events [{hour, type, proto, port, events, open}], other [{hour, type,
 * events}]}: how many began in an hour (RFC 3339, UTC), by port; a row stands for at least min_sources distinct addresses, ports of fewer
 * are in `other`, and what is too few even there is left out. No address, no id (one can be computed from the
 * other), no packets, no watched networks, no indicators. Only the types, times and ports of the filter count. -EACCES and a fault: protobuf, or another
 * filter. -ENOMEM, -errno and a fault. */
int http_past_events(struct http_past *p, const struct http_events_query *q,
                     const struct http_audience *a, struct http_body **out, struct fault *fault);

struct http_days_query {
    int32_t from, to; /* dates, both included */
    uint64_t limit;   /* the newest so many */
    bool is_protobuf;
};

/* JSON {timezone, days [...]} by date: lines as http_view_print_line writes them; {date, state "provisional"} where there are
 * windows alone. Protobuf: the Days as delimited Records, the newest that HTTP_ANSWER bytes hold. */
int http_past_days(struct http_past *p, const struct http_days_query *q,
                   const struct http_audience *a, struct http_body **out, struct fault *fault);

/* One day as http_view_print writes it; INT32_MAX: the newest. -ENOENT and a fault: the feed has nothing of that date that these readers may see. */
int http_past_day(struct http_past *p, int32_t date, size_t top, const struct http_audience *a,
                  struct http_body **out, struct fault *fault);

/* Whether these readers can go on behind the record `seq` (0: from what is kept). -ERANGE and a fault: they can't, since the next one is not kept any
 * more, or they were given no such record: so say windows, events, the feed and live. -errno. */
int http_past_after(struct http_past *p, uint64_t seq, const struct http_audience *a,
                    struct fault *fault);

/* The position behind the record `seq`; 0: the feed's begin. Its offset is 0 where that was the last one of a segment that was deleted: for
 * feed_tail_open_behind. -ERANGE and a fault that names what there is: it is not there. */
int http_past_position(struct http_past *p, uint64_t seq, struct feed_position *at,
                       struct fault *fault);

#endif
