#include "export/http_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MEMORY = 32 << 10,
    STACK = 256 << 10,
    BACKLOG = 128,
    PEM_MAX = 1 << 20,
    TEXT_MAX = 512,
    GZIP_FROM = 600
};

/* ---- answers */

const char *http_header(struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

const char *http_argument(struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->mhd, MHD_GET_ARGUMENT_KIND, name);
}

struct http_audience http_audience_of(struct http_request *r)
{
    struct http *h = r->h;
    if (r->reader >= HTTP_ANALYST)
        return (struct http_audience){.follow = h->follow[0]};
    return (struct http_audience){.follow = h->follow[1],
                                  .is_public = true,
                                  .delay_ns = h->s.publish_delay_ns,
                                  .min_sources = h->s.publish_min_sources};
}

void http_headers_add(struct MHD_Response *response, const char *type)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
         "'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Vary", "Accept, Accept-Encoding, Authorization"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (type != NULL)
        MHD_add_response_header(response, "Content-Type", type);
}

static enum MHD_Result queue(struct http_request *r, unsigned code, struct MHD_Response *response)
{
    unsigned at = http_code_index(code);
    atomic_fetch_add_explicit(&r->h->requests[r->route.id][at], 1, memory_order_relaxed);
    enum MHD_Result done = MHD_queue_response(r->mhd, code, response);
    MHD_destroy_response(response);
    return done;
}

static void body_free(void *context) { http_body_release(context); }

enum MHD_Result http_answer_body(struct http_request *r, unsigned code, const char *type,
                                 struct http_body *body)
{
    const struct http_asset *asset = &r->h->assets[r->route.id];
    struct http_body *sent = body;
    bool is_gzip =
        code == 200 && body->len >= GZIP_FROM && http_wants_gzip(http_header(r, "Accept-Encoding"));
    if (is_gzip && (sent = http_body_gzip(body)) == NULL) {
        is_gzip = false;
        sent = body;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        sent->len, sent->bytes, body_free, http_body_take(body));
    if (response == NULL) {
        http_body_release(body);
        return MHD_NO;
    }
    http_headers_add(response, type);
    MHD_add_response_header(response, "Cache-Control",
                            asset->body == NULL ? "no-store" : "no-cache");
    if (asset->body != NULL)
        MHD_add_response_header(response, "ETag", asset->tag);
    if (is_gzip)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    if (code == 503)
        MHD_add_response_header(response, "Retry-After", "5");
    http_connection_answers(r->h, r->connection, sent->len);
    return queue(r, code, response);
}

enum MHD_Result http_answer_error(struct http_request *r, unsigned code, const char *text)
{
    struct http_memory m;
    if (http_memory_begin(&m) < 0)
        return MHD_NO;
    if (text != NULL) {
        fputs("{\"error\":\"", m.out);
        for (const char *c = text; *c != '\0' && c - text < TEXT_MAX; c++)
            fputc(*c < ' ' || *c > '~' || *c == '"' || *c == '\\' ? '?' : *c, m.out);
        fputs("\"}\n", m.out);
    }
    struct http_body *body = http_memory_end(&m);
    if (body == NULL)
        return MHD_NO;
    enum MHD_Result done = http_answer_body(r, code, "application/json; charset=utf-8", body);
    http_body_release(body);
    return done;
}

enum MHD_Result http_answer_stream(struct http_request *r, struct MHD_Response *response,
                                   const char *type)
{
    http_headers_add(response, type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return queue(r, 200, response);
}

/* An answer without a body and with one header. */
static enum MHD_Result bare_answer(struct http_request *r, unsigned code, const char *name,
                                   const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return MHD_NO;
    http_headers_add(response, NULL);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, name, value);
    http_connection_answers(r->h, r->connection, 0);
    return queue(r, code, response);
}

/* ---- who asks, and what for */

static enum http_reader reader_of(struct http_request *r)
{
    const struct http *h = r->h;
    char token[HTTP_TOKEN];
    switch (http_authorization(http_header(r, "Authorization"), token)) {
    case HTTP_AUTHORIZATION_TOKEN:
        return http_tokens_find(&h->tokens, token);
    case HTTP_AUTHORIZATION_NONE:
        if (h->s.is_public_open)
            return HTTP_PUBLIC;
        return h->has_tokens ? HTTP_NOBODY : HTTP_OPERATOR;
    default:
        return HTTP_NOBODY;
    }
}

static enum http_reader reader_needed(enum http_route_id route)
{
    switch (route) {
    case HTTP_ROUTE_port:
    case HTTP_ROUTE_source:
    case HTTP_ROUTE_feed:
    case HTTP_ROUTE_health:
        return HTTP_ANALYST;
    case HTTP_ROUTE_metrics:
        return HTTP_OPERATOR;
    default:
        return HTTP_PUBLIC;
    }
}

struct arguments {
    const char *known;
    const char *wrong;   /* the first that is wrong; NULL: none */
    const char *problem; /* what is wrong with it */
    uint64_t seen;       /* by their place in `known` */
};

static enum MHD_Result argument_look(void *context, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    struct arguments *a = context;
    const char *at = a->known;
    size_t len = strlen(key);
    (void)kind;
    while (at != NULL && !(strncmp(at, key, len) == 0 && at[len] == ' ')) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    uint64_t bit = at == NULL ? 0 : UINT64_C(1) << (at - a->known) % 64;
    a->problem = len == 0 || at == NULL ? "is not known here"
                 : value == NULL        ? "has no value"
                 : (a->seen & bit) != 0 ? "stands twice"
                                        : NULL;
    a->wrong = a->problem == NULL ? NULL : key;
    a->seen |= bit;
    return a->wrong == NULL ? MHD_YES : MHD_NO;
}

static const char *arguments_known(enum http_route_id route)
{
    switch (route) {
    case HTTP_ROUTE_windows:
        return "since until after limit ports ";
    case HTTP_ROUTE_events: /* each begins within the first 64 bytes */
        return "since until after limit type phase network port updates newest min-rate ";
    case HTTP_ROUTE_days:
        return "since until limit ";
    case HTTP_ROUTE_day:
        return "top ";
    case HTTP_ROUTE_port:
    case HTTP_ROUTE_source:
        return "since until ";
    case HTTP_ROUTE_live:
        return "after ";
    case HTTP_ROUTE_feed:
        return "after follow ";
    case HTTP_ROUTE_page:
        return "day lang "; /* the page's own */
    default:
        return NULL;
    }
}

/* A stranger's name of an argument is repeated where it is a word. */
static enum MHD_Result argument_refuse(struct http_request *r, const struct arguments *a)
{
    char text[256];
    size_t len =
        strspn(a->wrong, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    bool is_word = len > 0 && len <= 40 && a->wrong[len] == '\0';
    bool has_any = a->known != NULL && a->known[0] != '\0';
    snprintf(text, sizeof text, "%s: %s%s%.*s", is_word ? a->wrong : "a part of the question",
             a->problem, has_any ? "; there are: " : "", has_any ? (int)strlen(a->known) - 1 : 0,
             has_any ? a->known : "");
    return http_answer_error(r, 400, text);
}

static enum MHD_Result route_answer(struct http_request *r)
{
    struct arguments a = {.known = arguments_known(r->route.id)};
    MHD_get_connection_values(r->mhd, MHD_GET_ARGUMENT_KIND, argument_look, &a);
    if (a.wrong != NULL)
        return argument_refuse(r, &a);
    if (r->route.problem != NULL)
        return http_answer_error(r, 400, r->route.problem);
    switch (r->route.id) {
    case HTTP_ROUTE_none:
        return http_answer_error(r, 404, "there is nothing here");
    case HTTP_ROUTE_page:
    case HTTP_ROUTE_style:
    case HTTP_ROUTE_script:
    case HTTP_ROUTE_chart:
        return http_answer_asset(r);
    case HTTP_ROUTE_login:
        return bare_answer(r, 302, "Location", "/");
    case HTTP_ROUTE_live:
        return http_answer_live(r);
    case HTTP_ROUTE_feed:
        return http_answer_feed(r);
    default:
        return http_answer_api(r);
    }
}

static enum MHD_Result request_answer(struct http_request *r, const char *method)
{
    struct http *h = r->h;
    bool is_local = h->is_loopback && !h->has_tokens && !h->s.is_public_open;
    r->reader = reader_of(r);
    bool has_none = http_header(r, "Authorization") == NULL;
    bool is_open = r->route.id == HTTP_ROUTE_healthz && has_none;
    bool asks_login = r->route.id == HTTP_ROUTE_login && has_none && !is_local;
    if ((r->reader == HTTP_NOBODY && !is_open) || asks_login)
        return bare_answer(r, 401, "WWW-Authenticate",
                           "Basic realm=\"yamiscope\", charset=\"UTF-8\"");
    if (is_local && !http_host_is_plain(http_header(r, "Host")))
        return http_answer_error(r, 421, "ask for this server by its address or as localhost");
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return bare_answer(r, 405, "Allow", "GET, HEAD");
    if (!is_open && r->reader < reader_needed(r->route.id))
        return http_answer_error(r, 403, "these readers may not see that");
    return route_answer(r);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **state)
{
    static int seen;
    struct http_request r = {.h = context, .mhd = mhd, .connection = http_connection_of(mhd)};
    (void)version;
    (void)upload;
    if (r.connection == NULL || *upload_len > 0)
        return MHD_NO;
    bool is_plain = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (*state == NULL && http_header(&r, "Transfer-Encoding") != NULL)
        return MHD_NO; /* with a Content-Length beside it, others might see another end of it */
    if (*state == NULL && is_plain) {
        *state = &seen; /* the headers are there; the request may have more */
        return MHD_YES;
    }
    /* It has come: from now on the time is ours, then that of the answer. */
    http_connection_answers(r.h, r.connection, 0);
    r.route = http_route_of(url);
    return request_answer(&r, method);
}

/* As libmicrohttpd does by itself, but that no text ends early: %00 becomes what stands in no question. */
static size_t unescape(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context;
    (void)mhd;
    for (char *at = text; (at = strstr(at, "%00")) != NULL;)
        at[1] = '1', at[2] = 'f';
    return MHD_http_unescape(text);
}

static void completed(void *context, struct MHD_Connection *mhd, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct http_connection *c = http_connection_of(mhd);
    (void)code;
    *state = NULL;
    if (c != NULL)
        http_connection_done(context, c);
}

/* ---- start and end */

/* Where to listen. */
struct endpoint {
    char host[HTTP_HOST];
    bool is_six;
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } a;
};

/* Who may read there, too. Sets is_loopback. */
static int place_read(struct http *h, struct endpoint *p, struct fault *fault)
{
    uint16_t port;
    *p = (struct endpoint){0};
    if (!http_listen(h->s.listen, p->host, &port))
        return fault_set(fault, EINVAL,
                         "%s: is no address and port such as 127.0.0.1:8470 or [::1]:8470",
                         h->s.listen);
    p->is_six = strchr(p->host, ':') != NULL;
    p->len = p->is_six ? sizeof p->a.six : sizeof p->a.four;
    if (p->is_six) {
        p->a.six.sin6_family = AF_INET6;
        p->a.six.sin6_port = htons(port);
        inet_pton(AF_INET6, p->host, &p->a.six.sin6_addr);
        h->is_loopback = IN6_IS_ADDR_LOOPBACK(&p->a.six.sin6_addr);
    } else {
        p->a.four.sin_family = AF_INET;
        p->a.four.sin_port = htons(port);
        inet_pton(AF_INET, p->host, &p->a.four.sin_addr);
        h->is_loopback = ntohl(p->a.four.sin_addr.s_addr) >> 24 == 127;
    }
    if (!h->is_loopback && !h->has_tokens && !h->s.is_public_open)
        return fault_set(
            fault, EINVAL,
            "%.60s: not the loopback: say who may read: --tokens FILE, or --public (in "
            "a config: tokens, public)",
            h->s.listen);
    return 0;
}

/* A listening socket; -errno and a fault. Sets url. */
static int listen_open(struct http *h, struct endpoint *p, struct fault *fault)
{
    int on = 1, fd = socket(p->a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (p->is_six && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        bind(fd, &p->a.any, p->len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, &p->a.any, &p->len) < 0) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        return fault_set(fault, err, "%s: %s", h->s.listen, strerror(err));
    }
    snprintf(h->url, sizeof h->url, p->is_six ? "%s://[%s]:%u/" : "%s://%s:%u/",
             h->s.tls_cert != NULL ? "https" : "http", p->host,
             ntohs(p->is_six ? p->a.six.sin6_port : p->a.four.sin_port));
    return fd;
}

static char *pem_read(const char *path, struct fault *fault)
{
    FILE *in = fopen(path, "re");
    char *text = in == NULL ? NULL : malloc(PEM_MAX + 1);
    if (text == NULL) {
        fault_set(fault, errno, "%s: %s", path, strerror(errno));
        if (in != NULL)
            fclose(in);
        return NULL;
    }
    size_t len = fread(text, 1, PEM_MAX, in);
    text[len] = '\0';
    bool is_pem = !ferror(in) && strstr(text, "-----BEGIN ") != NULL;
    fclose(in);
    if (is_pem)
        return text;
    fault_set(fault, EINVAL, "%s: is no PEM file", path);
    explicit_bzero(text, len);
    free(text);
    return NULL;
}

static int settings_read(struct http *h, struct fault *fault)
{
    struct http_settings *s = &h->s;
    s->connections = s->connections == 0 ? HTTP_CONNECTIONS : s->connections;
    if ((s->tls_cert == NULL) != (s->tls_key == NULL))
        return fault_set(fault, EINVAL, "TLS needs both a certificate and its key");
    if (s->tls_cert != NULL && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return fault_set(fault, EINVAL, "%s: this libmicrohttpd has no TLS", s->tls_cert);
    if (s->tls_cert != NULL && ((h->tls_cert = pem_read(s->tls_cert, fault)) == NULL ||
                                (h->tls_key = pem_read(s->tls_key, fault)) == NULL))
        return -fault->err;
    if (s->tokens == NULL)
        return 0;
    h->has_tokens = true;
    return http_tokens_read(&h->tokens, s->tokens, fault);
}

static int readers_start(struct http *h, struct fault *fault)
{
    const struct http_settings *s = &h->s;
    struct http_follow_settings f = {.feed = s->feed,
                                     .rules = s->rules,
                                     .program = s->program,
                                     .now_ns = s->ops->now_ns,
                                     .context = s->context,
                                     .durable = s->durable};
    int err = http_follow_start(&h->follow[0], &f, fault);
    bool has_public = s->is_public_open || h->tokens.at[HTTP_PUBLIC][0] != '\0';
    if (err == 0 && has_public) {
        f.delay_ns = s->publish_delay_ns;
        f.min_sources = s->publish_min_sources;
        err = http_follow_start(&h->follow[1], &f, fault);
    }
    if (err < 0)
        return err;
    h->past =
        http_past_create(s->feed, s->rules, s->program, s->timezone, s->ops->now_ns, s->context);
    return h->past == NULL ? fault_set(fault, ENOMEM, "no memory for a server") : 0;
}

void http_rules(struct http *h, const struct ruleset *rules)
{
    for (unsigned i = 0; i < 2; i++)
        if (h->follow[i] != NULL)
            http_follow_rules(h->follow[i], rules);
    http_past_rules(h->past, rules);
}

/* A look-up that is going on may have begun with any. */
bool http_uses(struct http *h, const struct ruleset *rules)
{
    if (pthread_mutex_trylock(&h->lookup_lock) != 0)
        return true;
    pthread_mutex_unlock(&h->lookup_lock);
    for (unsigned i = 0; i < 2; i++)
        if (h->follow[i] != NULL && http_follow_uses(h->follow[i], rules))
            return true;
    return http_past_uses(h->past, rules);
}

static int daemon_start(struct http *h, int fd, struct fault *fault)
{
    unsigned per_address = h->is_loopback ? 0 : (h->s.connections + 3) / 4;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC | (h->tls_cert != NULL ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, h->tls_cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, h->tls_key},
                                   {MHD_OPTION_END, 0, NULL}};
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        h->s.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        completed, h, MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, h, MHD_OPTION_ARRAY,
        h->tls_cert != NULL ? tls : tls + 2, MHD_OPTION_END);
    if (h->daemon != NULL)
        return 0;
    close(fd);
    return h->tls_cert != NULL
               ? fault_set(fault, EINVAL, "%s, %s: no server could be started with them",
                           h->s.tls_cert, h->s.tls_key)
               : fault_set(fault, errno == 0 ? EIO : errno, "%s: no server could be started",
                           h->s.listen);
}

int http_start(struct http **out, const struct http_settings *s, struct fault *fault)
{
    struct http *h = calloc(1, sizeof *h);
    pthread_condattr_t attr;
    *out = NULL;
    if (h == NULL)
        return fault_set(fault, ENOMEM, "no memory for a server");
    h->s = *s;
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->lookup_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->ending, &attr);
    pthread_condattr_destroy(&attr);
    struct endpoint place;
    int err = settings_read(h, fault), fd = -1;
    err = err < 0 ? err : place_read(h, &place, fault);
    if (err == 0 && (fd = listen_open(h, &place, fault)) < 0)
        err = fd;
    err = err < 0 ? err : http_assets_make(h, fault);
    err = err < 0 ? err : readers_start(h, fault);
    err = err < 0 ? err : http_watcher_start(h, fault);
    if (err == 0)
        err = daemon_start(h, fd, fault);
    else if (fd >= 0)
        close(fd);
    if (err < 0) {
        http_stop(h);
        return err;
    }
    *out = h;
    return 0;
}

const char *http_url(const struct http *h) { return h->url; }

static void secret_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void secrets_free(struct http *h)
{
    secret_free(h->tls_cert);
    secret_free(h->tls_key);
    explicit_bzero(&h->tokens, sizeof h->tokens);
}

int http_check(const struct http_settings *s, struct fault *fault)
{
    struct http *h = calloc(1, sizeof *h);
    struct endpoint place;
    if (h == NULL)
        return fault_set(fault, ENOMEM, "no memory for a server");
    h->s = *s;
    int err = settings_read(h, fault);
    err = err < 0 ? err : place_read(h, &place, fault);
    secrets_free(h);
    free(h);
    return err;
}

void http_stop(struct http *h)
{
    if (h == NULL)
        return;
    http_watcher_stop(h);
    for (unsigned i = 0; i < 2; i++)
        if (h->follow[i] != NULL)
            http_follow_wake(h->follow[i]);
    if (h->daemon != NULL)
        MHD_stop_daemon(h->daemon);
    for (unsigned i = 0; i < 2; i++)
        http_follow_stop(h->follow[i]);
    http_past_destroy(h->past);
    http_assets_free(h);
    secrets_free(h);
    pthread_cond_destroy(&h->ending);
    pthread_mutex_destroy(&h->lock);
    pthread_mutex_destroy(&h->lookup_lock);
    free(h);
}
