/* status: one line that says how a capture goes.
 *
 * On a terminal it is rewritten in place, cut to its width, at most five times a second; elsewhere it is a line of its own each
 * time that `every_ns` is over. It goes to stderr and never waits: where that takes nothing, the line is left out. Time is the
 * caller's, any clock that does not step back. One thread at a time.
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Since the start, all of them; what is not known is STATUS_UNKNOWN. */
#define STATUS_UNKNOWN UINT64_MAX

struct status_counts {
    uint64_t offered, bytes; /* packets, and bytes of them on the wire */
    uint64_t dropped;        /* of offered, for any reason that is known */
    bool has_unknown_drops;  /* there are reasons that the backend can't see */
    uint64_t sources;        /* in the tables, now */
    uint64_t windows;        /* sealed */
    uint64_t windows_held;   /* of them not on disk yet, now */
    uint64_t
        record_skipped; /* packets that a recording did without; STATUS_UNKNOWN: nothing is recorded */
    unsigned links_down;       /* interfaces without a link, now */
    unsigned receivers_silent; /* that have not been heard of for a second, now */
    unsigned prefixes_silent;  /* of the telescope, now (core/telescope_watch.h) */
};

enum { STATUS_TEXT = 400, STATUS_REWRITE_NS = 200000000 };

/* The line, without an end; rates are those from `before` to `now`, `elapsed_ns` apart; 0: none is said. Returns `text`. */
const char *status_text(const struct status_counts *now, const struct status_counts *before,
                        int64_t elapsed_ns, char text[STATUS_TEXT]);

struct status {
    int fd;
    bool is_terminal, is_shown;
    int64_t every_ns;            /* where it is no terminal; 0: no lines */
    int64_t last_ns, counted_ns; /* when a line was due last; when `before` was */
    struct status_counts before;
    char text[STATUS_TEXT]; /* the last line, for a service manager */
};

void status_init(struct status *s, int fd, int64_t every_ns, int64_t now_ns);

/* Call at least five times a second, or as often as suits. True where a new line was made (s->text), shown or not. */
bool status_tick(struct status *s, const struct status_counts *counts, int64_t now_ns);

/* Wipes the line of a terminal: before anything else is written there, and at the end. */
void status_wipe(struct status *s);

#endif
