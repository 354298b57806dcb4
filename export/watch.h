/* watch: what a live view of a feed shows: the newest day, the day before, the last windows.
 *
 *   watch_create -> watch_take per record -> watch_text (watch_text.h), any number of times
 *
 * Records come from a feed's files, a Redis or a server: all of them are a stranger's and held to what record_window.h and
 * record.h know. Windows of a day may come in any order (law 3), each once. A Day may come again. Older dates than the two newest
 * are passed over; what a broken clock dates more than a day ahead of `now_ns` is counted and left out.
 *
 * calendar_zone() is the feed's. Memory: two http_view and a window. One owner at a time; reads no clock.
 */
#ifndef EXPORT_WATCH_H
#define EXPORT_WATCH_H

#include "export/http_view.h"
#include "export/record_window.h"

enum { WATCH_WINDOWS = 512, WATCH_TEXT = 128 };

/* A window with all its parts. */
struct watch_window {
    int64_t start_ns, span_ns;
    uint64_t packets, bytes, lost;
    uint64_t marks[SHARE_MARK_COUNT], marks_ex[SHARE_MARK_COUNT];
    bool has_ex; /* marks_ex means something */
    bool is_partial;
};

struct watch {
    const struct ruleset *rules;
    int64_t now_ns;                             /* UTC, the caller's to keep */
    char sensor[WATCH_TEXT], zone[WATCH_TEXT];  /* "": not known */
    struct http_view *views[2];                 /* newest first; NULL: none */
    struct watch_window windows[WATCH_WINDOWS]; /* the last ones, by start */
    unsigned window_count;
    uint64_t taken, damaged, ahead; /* windows; records that do not hold; that were left out */
    char damage[256];               /* the last one */
    bool is_closed;                 /* the feed says that it ends here */

    struct record_window *unpacker;
    struct window *window;
    struct rule_names names;
};

/* `rules` outlive it. NULL with errno. */
struct watch *watch_create(const struct ruleset *rules);
void watch_destroy(struct watch *w); /* accepts NULL */

/* Forgets all that was taken: it comes again. */
void watch_clear(struct watch *w);

/* Takes a record: `kind` is its enum record_body, `body` the message's bytes. Others than Header, Window, Day and Close are passed
 * over; what does not hold is counted. */
void watch_take(struct watch *w, uint32_t kind, uint64_t seq, const uint8_t *body, size_t len);

/* The newest window with packets or without; NULL: there is none. */
const struct watch_window *watch_newest(const struct watch *w);

#endif
