/* http: a feed over HTTP: the dashboard, JSON and protobuf for programs, server-sent events, metrics.
 *
 *   http_start -> (threads of its own serve) -> http_stop
 *
 *   /                        the dashboard; /page.js, /page.css, /chart.js
 *   /login                   asks a browser for a token, then leads to /
 *   /api/v1/windows          ?since= &until= (seconds since 1970, or 2026-01-01T00:00:00Z; without: the newest hour) &after=SEQ
 *                            &limit= (60) &ports= (20 rows; JSON): http_past_windows
 *   /api/v1/events           ?since= &until= (without: the newest 24 h) &type= &phase= &network= &port= &min-rate= &after=SEQ &limit= (1000)
 *                            &updates=1 &newest=1: http_past_events
 *   /api/v1/days             ?since= &until= (dates) &limit= (31): http_past_days
 *   /api/v1/days/DATE        or /today, ?top= (20): http_past_day
 *   /api/v1/ports/tcp/23     ?since= &until= (dates), /api/v1/sources/ADDR|PREFIX|AS: by http_lookup
 *   /api/v1/live             server-sent events (http_follow.h); Last-Event-ID or ?after=SEQ go on behind a record; "health" every 5 s
 *   /api/v1/feed             delimited Records, from the first one that is kept on, ?after=SEQ behind one, ?after=end new ones;
 *                            keeps streaming (?follow=no: ends where the feed does)
 *   /api/v1/health           what this process does: capture, drops, sinks
 *   /metrics                 Prometheus
 *   /healthz                 200 "ok", or 503 and why; says nothing of traffic
 *
 * windows, events and days are delimited protobuf where Accept asks for it. Answers that end are gzipped where Accept-Encoding
 * asks for it; streams are not.
 *
 * Readers (http_token.h). Without tokens and on a loopback address everybody on the machine is the operator, but only under an
 * address or `localhost` as the Host (no rebinding of names). With tokens: `Authorization: Bearer TOKEN`, or Basic with the
 * token as password. A wrong token gets 401 and nothing else, on any path; so does none, unless `is_public_open`: it is a public
 * reader then. A reader without the right gets 403: public ones for sources, ports, feed and health; all but operators for metrics. Elsewhere
 * than on the loopback http_start refuses to be without tokens or is_public_open.
 *
 * Limits: `connections` in all, a quarter of them per address; 16 KB of request line and headers; 10 s for a request to
 * come and between requests; 60 s and 16 KB/s to take an answer; a subscriber that has not taken an event or record 10 s after it
 * was to be sent, or is HTTP_EVENTS behind, is cut off. Per connection a thread with a stack of 256 KB (as far as touched), 32 KB of
 * buffers and 128 KB in the kernel; answers are shared.
 */
#ifndef EXPORT_HTTP_H
#define EXPORT_HTTP_H

#include "capture/fault.h"
#include "classify/ruleset.h"
#include "export/feed_durable.h"
#include "export/ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct http;

enum { HTTP_SINKS = 16, HTTP_CONNECTIONS = 512 };

/* What this process does beside serving; zeroed before it is asked for. */
struct http_sink {
    char name[64];
    bool is_up;
    double lag_s; /* behind the feed's end; negative: not known */
    uint64_t delivered, failed;
};
struct http_health {
    bool is_capturing;
    double rate_pps, rate_bps;   /* now */
    struct window_ledger ledger; /* since the start; all reasons */
    uint64_t given_up;           /* records that could not be written, beside the ledger */
    struct http_sink sinks[HTTP_SINKS];
    size_t sink_count;
};

/* Called from any thread, several at once. */
struct http_ops {
    int64_t (*now_ns)(void *context); /* UTC: what is late, what is today */
    /* False: not well, and why. NULL: always well. */
    bool (*is_healthy)(void *context, char why[128]);
    void (*health)(void *context, struct http_health *to); /* NULL: it only serves */
    /* Further metrics in the form of http_metrics.h. NULL: none. */
    void (*metrics)(void *context, FILE *out);
};

/* Look-ups of one source or port: each prints one JSON object. One question at a time. -EINVAL, -ENOENT and a fault that
 * is shown to the reader; -errno. `dates`: [from, to] where has_dates. */
struct http_lookup_dates {
    bool has;
    int32_t from, to;
};
struct http_lookup {
    int (*source)(void *context, const char *subject, const struct http_lookup_dates *dates,
                  FILE *out, struct fault *fault);
    int (*port)(void *context, unsigned proto, uint16_t port, const struct http_lookup_dates *dates,
                FILE *out, struct fault *fault);
};

/* Texts, rules, ops and context outlive the server. */
struct http_settings {
    const char *feed;     /* folder; need not hold a segment yet */
    const char *timezone; /* the feed's; calendar_zone() is set to it */
    const char *program;  /* version */
    const struct ruleset *rules;
    const char *listen; /* "127.0.0.1:8470", "[::]:443", "8470"; port 0: any */
    const char *tokens; /* file; NULL: none */
    bool is_public_open;
    const char *tls_cert, *tls_key; /* PEM files; both or none (NULL) */
    uint64_t publish_delay_ns;      /* law 6: 1 h */
    unsigned publish_min_sources;   /* law 6: 3 */
    unsigned connections;           /* 0: HTTP_CONNECTIONS */
    struct feed_durable
        *durable; /* of a feed written by this process; NULL: by another or by none */
    const struct http_ops *ops;
    const struct http_lookup *lookup;             /* NULL: none; the routes say so */
    void *context;                                /* of both */
    void (*say)(void *context, const char *text); /* what is worth a line of log; NULL: nowhere */
};

/* What of these settings http_start refuses before it listens: the address, files, tokens, who may read. 0, or -errno and a fault. */
int http_check(const struct http_settings *s, struct fault *fault);

/* -EINVAL: settings; -EADDRINUSE, -EACCES, -ENOMEM, -errno; each with a fault. */
int http_start(struct http **out, const struct http_settings *s, struct fault *fault);

/* "http://127.0.0.1:8470/", with the port that was taken. Valid as long as the server. */
const char *http_url(const struct http *h);

/* From now on what is told of ports and rules is told by these, which outlive the server; of windows that come from the next segment on,
 * which begins where they are in force. Any thread. */
void http_rules(struct http *h, const struct ruleset *rules);

/* Whether rules are still looked at that were given before those of now; where that can't be said at once: true. Any thread. */
bool http_uses(struct http *h, const struct ruleset *rules);

/* Cuts off all connections; accepts NULL. */
void http_stop(struct http *h);

#endif
