/* http_query: what a request says: its path, its numbers and times, what it accepts, its token.
 *
 * All of it is a stranger's. Pure functions, no allocation; any thread. Texts are those that the HTTP library has split and
 * unescaped.
 */
#ifndef EXPORT_HTTP_QUERY_H
#define EXPORT_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_route_id {
    HTTP_ROUTE_none,
    HTTP_ROUTE_page,
    HTTP_ROUTE_style,
    HTTP_ROUTE_script,
    HTTP_ROUTE_chart,
    HTTP_ROUTE_login,
    HTTP_ROUTE_windows,
    HTTP_ROUTE_days,
    HTTP_ROUTE_day,
    HTTP_ROUTE_port,
    HTTP_ROUTE_source,
    HTTP_ROUTE_events,
    HTTP_ROUTE_live,
    HTTP_ROUTE_feed,
    HTTP_ROUTE_health,
    HTTP_ROUTE_metrics,
    HTTP_ROUTE_healthz,
    HTTP_ROUTE_COUNT
};

enum { HTTP_SUBJECT = 64, HTTP_TOKEN = 128, HTTP_TOKEN_MIN = 16, HTTP_HOST = 64 };

struct http_route {
    enum http_route_id id;
    unsigned proto;             /* of a port: PORT_PROTO_* */
    uint16_t port;              /* of a port */
    int32_t date;               /* of a day: days since 1970-01-01 */
    bool is_today;              /* of a day: "today", the newest date */
    char subject[HTTP_SUBJECT]; /* of a source: an address, prefix or AS, not checked further */
    const char *
        problem; /* why what the path ends with can't be read; NULL: it can, as far as it is checked */
};

/* "days", for the metrics. */
const char *http_route_name(enum http_route_id id);

/* HTTP_ROUTE_none where there is no such path. */
struct http_route http_route_of(const char *path);

/* Decimal digits alone, at most `max`. */
bool http_number(const char *text, uint64_t max, uint64_t *value);

/* "1767225600", "1767225600.5" (up to 9 decimals), "2026-01-01T00:00:00Z", "2026-01-01" (its midnight, UTC). */
bool http_time(const char *text, int64_t *ns);

/* "2026-01-01": days since 1970-01-01; years 1970 to 2261. */
bool http_date(const char *text, int32_t *date);

/* Whether the header takes protobuf rather than JSON: it names application/x-protobuf or application/protobuf with a weight
 * above 0, and not JSON with a greater one. NULL: no. */
bool http_wants_protobuf(const char *accept);

/* Whether gzip is named with a weight above 0. */
bool http_wants_gzip(const char *accept_encoding);

/* What an Authorization header holds. Basic: the password, whoever the user. */
enum http_authorization {
    HTTP_AUTHORIZATION_NONE,
    HTTP_AUTHORIZATION_TOKEN,
    HTTP_AUTHORIZATION_BAD
};
enum http_authorization http_authorization(const char *header, char token[HTTP_TOKEN]);

/* Whether a Host header names this machine by an address or as localhost: another name that leads here is an attempt to
 * read a server on the loopback through a browser on it (DNS rebinding). */
bool http_host_is_plain(const char *host);

/* "127.0.0.1:8470", "[::1]:8470", "8470" (of 127.0.0.1). Port 0: any free one. */
bool http_listen(const char *text, char host[HTTP_HOST], uint16_t *port);

/* Whether `tag` (with its quotes) is in If-None-Match. */
bool http_has_tag(const char *if_none_match, const char *tag);

#endif
