/* http_state: what the files of http share. Nobody else includes it. */
#ifndef EXPORT_HTTP_STATE_H
#define EXPORT_HTTP_STATE_H

#include "export/http.h"
#include "export/http_past.h"
#include "export/http_query.h"
#include "export/http_token.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum { HTTP_CODES = 16, HTTP_CUTS = 4 };

/* Why a connection was cut off. */
enum http_cut { HTTP_CUT_request, HTTP_CUT_answer, HTTP_CUT_behind, HTTP_CUT_stalled };

enum http_stream { HTTP_STREAM_none, HTTP_STREAM_live, HTTP_STREAM_feed };

/* One TCP connection. */
struct http_connection {
    struct http_connection *next, *before;
    int fd;
    int64_t
        deadline_ns; /* monotonic; until then the request is to have come, or the answer to be taken */
    enum http_stream stream;
    bool is_answering;
    /* Of a stream: when what it is to send next came; INT64_MAX: it is up to date. */
    int64_t due_ns;
    bool is_cut;
};

struct http_asset {
    struct http_body *body;
    const char *type;
    char tag[32];
};

struct http {
    struct http_settings s;
    char url[128];
    bool is_loopback, has_tokens;
    struct http_tokens tokens;
    struct MHD_Daemon *daemon;
    char *tls_cert, *tls_key;
    struct http_follow *follow[2]; /* at once; late (NULL where nobody is a public reader) */
    struct http_past *past;
    struct http_asset assets[HTTP_ROUTE_COUNT];
    pthread_mutex_t lookup_lock;

    pthread_mutex_t lock; /* over the connections */
    pthread_cond_t ending;
    struct http_connection *connections;
    unsigned connection_count;
    pthread_t watcher;
    bool has_watcher, is_stopping;

    atomic_ullong requests[HTTP_ROUTE_COUNT][HTTP_CODES], cuts[HTTP_CUTS], sent_bytes;
    atomic_uint heavy; /* requests that read the disk, or wait to */
};

int64_t http_monotonic_ns(void);

/* ---- http_connection.c */
void http_connection_notify(void *context, struct MHD_Connection *c, void **socket_context,
                            enum MHD_ConnectionNotificationCode what);
struct http_connection *http_connection_of(struct MHD_Connection *c);
/* From now on the answer is to be taken within so much. `bytes`: of the answer. */
void http_connection_answers(struct http *h, struct http_connection *c, uint64_t bytes);
void http_connection_streams(struct http *h, struct http_connection *c, enum http_stream stream);
void http_connection_due(struct http *h, struct http_connection *c, int64_t due_ns);
/* The answer is sent, or will not be: the next request may come. */
void http_connection_done(struct http *h, struct http_connection *c);
bool http_connection_is_gone(const struct http_connection *c);
void http_cut_count(struct http *h, enum http_cut why);
int http_watcher_start(struct http *h, struct fault *fault);
void http_watcher_stop(struct http *h);
unsigned http_streams_count(struct http *h, enum http_stream stream);

/* ---- http_answer.c */
struct http_request {
    struct http *h;
    struct MHD_Connection *mhd;
    struct http_connection *connection;
    struct http_route route;
    enum http_reader reader;
};
enum MHD_Result http_answer_body(struct http_request *r, unsigned code, const char *type,
                                 struct http_body *body);
/* {"error": TEXT}, or nothing where TEXT is NULL. */
enum MHD_Result http_answer_error(struct http_request *r, unsigned code, const char *text);
enum MHD_Result http_answer_stream(struct http_request *r, struct MHD_Response *response,
                                   const char *type);
void http_headers_add(struct MHD_Response *response, const char *type);
const char *http_header(struct http_request *r, const char *name);
const char *http_argument(struct http_request *r, const char *name);
struct http_audience http_audience_of(struct http_request *r);

/* ---- http_stream.c */
enum MHD_Result http_answer_live(struct http_request *r);
enum MHD_Result http_answer_feed(struct http_request *r);

/* ---- http_api.c */
enum MHD_Result http_answer_api(struct http_request *r);
void http_health_print(struct http *h, FILE *out);

/* ---- http_metrics.c */
void http_metrics_print(struct http *h, FILE *out);
/* Where a code stands in http.requests. */
unsigned http_code_index(unsigned code);

/* ---- http_page.c */
int http_assets_make(struct http *h, struct fault *fault);
void http_assets_free(struct http *h);
enum MHD_Result http_answer_asset(struct http_request *r);

#endif
