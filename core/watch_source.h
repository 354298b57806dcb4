/* watch_source: where `watch` gets the records of a feed: its files, a Redis, a server.
 *
 *   watch_source_open -> calendar_zone(source->zone) -> next, until it is enough -> close
 *
 * Gives what there is of the newest day first, then what comes. Each source keeps its own place: after a failure the next call
 * of `next` tries again from there. One thread; interrupt: any.
 */
#ifndef CORE_WATCH_SOURCE_H
#define CORE_WATCH_SOURCE_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WATCH_WAIT_MS = 250,
    WATCH_NAME = 600,
    WATCH_WORDS = 256,
    /* Of windows before the newest one so many are there for the series, whatever the day. */
    WATCH_SERIES_S = 2 * 3600
};

struct watch_settings {
    const char *spec;   /* a folder, redis://..., http://... */
    const char *sensor; /* whose keys in Redis; NULL: the only one there is */
    const char *
        token; /* file whose first line is the token of a server; NULL: the variable YAMISCOPE_TOKEN, or none */
    const char *tls_ca; /* file of who may have signed a server's certificate; NULL: the system's */
};

struct watch_record {
    uint32_t kind; /* enum record_body */
    uint64_t seq;
    const uint8_t *body; /* valid until the next call */
    size_t len;
};

struct watch_source {
    const struct watch_source_ops *ops;
    char name[WATCH_NAME];                       /* for messages: without password */
    char sensor[WATCH_WORDS], zone[WATCH_WORDS]; /* a stranger's text; zone "": not known */
};

struct watch_source_ops {
    bool (*is)(const char *spec);
    /* Connects and learns whose feed it is. -EINVAL: the spec, or what it names, is wrong; -ENOENT, -ENOTDIR; -EACCES: who asks may
     * not; -errno; all with a fault. */
    int (*open)(struct watch_source **out, const struct watch_settings *s, struct fault *fault);
    /* 1 and *r. 0: nothing for now: it has waited up to WATCH_WAIT_MS, and what was there at first has been given. -EAGAIN: the
     * same, but it is still at what was there. -ESTALE: its place is gone: what was given comes again. Else the source is away: -errno; both with a fault. */
    int (*next)(struct watch_source *s, struct watch_record *r, struct fault *fault);
    /* A call that waits returns soon. */
    void (*interrupt)(struct watch_source *s);
    void (*close)(struct watch_source *s);
};

extern const struct watch_source_ops watch_feed, watch_redis, watch_http;

int watch_source_open(struct watch_source **out, const struct watch_settings *s,
                      struct fault *fault);

/* UTC, in nanoseconds since 1970. */
int64_t watch_now_ns(void);

/* Where reading begins: the begin of the day that holds a window's start, or WATCH_SERIES_S before it. */
int64_t watch_begin_ns(int64_t newest_ns);

#endif
