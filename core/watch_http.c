/* A server (http.h): the Header of its feed, the windows and Days of the newest day, then the feed itself as it grows.
 *
 * libcurl connects. Every answer is delimited Records, taken apart as they come: no more than one Record and what libcurl hands over
 * at once is held. Redirections are not followed, the token goes nowhere else. */
#include "core/watch_source.h"

#include "export/calendar.h"
#include "export/feed_header.h"
#include "export/http_query.h"
#include "export/record_split.h"
#include "export/record_window.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)
enum {
    BASE = 512,
    CONNECT_S = 10,
    SILENCE_S = 30, /* of an answer that has an end */
    FIRST_S = 30,   /* until it is said whose feed it is */
    WINDOWS_AT_ONCE = 10080,
    ALIVE_S = 30
};

/* What is asked, in turn. */
enum stage {
    STAGE_header,  /* the feed from its begin: its first record */
    STAGE_newest,  /* windows of the newest hour: which day it is */
    STAGE_windows, /* those of the day, again and again behind the last one */
    STAGE_days,    /* its Day, and the one before */
    STAGE_feed,    /* from the last window on: it must be the same there; has no end */
};

struct http {
    struct watch_source source;
    char base[BASE], token[HTTP_TOKEN];
    CURLM *multi;
    CURL *easy;
    bool is_asking;
    struct curl_slist *headers;
    char why[CURL_ERROR_SIZE];

    enum stage stage;
    uint64_t answered; /* records of this answer */
    int64_t newest_ns, begin_ns;
    bool has_newest;
    uint64_t last; /* seq of the last record taken; 0: none */
    uint32_t last_crc;
    bool is_behind_known; /* the feed that is read holds that record: of this connection */

    uint8_t *bytes; /* that came; [at, len) is not taken yet */
    size_t at, len, size;
    bool is_short_of_memory;
};

static bool http_is(const char *spec)
{
    return strncasecmp(spec, "http://", 7) == 0 || strncasecmp(spec, "https://", 8) == 0;
}

static void asking_end(struct http *h)
{
    if (h->is_asking)
        (void)curl_multi_remove_handle(h->multi, h->easy);
    h->is_asking = false;
    h->at = h->len = 0;
}

static void http_close(struct watch_source *s)
{
    struct http *h = (struct http *)s;
    asking_end(h);
    if (h->easy != NULL)
        curl_easy_cleanup(h->easy);
    if (h->multi != NULL)
        (void)curl_multi_cleanup(h->multi);
    curl_slist_free_all(h->headers);
    explicit_bzero(h->token, sizeof h->token);
    free(h->bytes);
    free(h);
}

/* ---- bytes */

static size_t bytes_take(char *from, size_t one, size_t count, void *context)
{
    struct http *h = context;
    long status = 0;
    (void)one;
    if (curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
        return count; /* what an error says beside its number is of no use */
    if (h->at > 0) {
        memmove(h->bytes, h->bytes + h->at, h->len - h->at);
        h->len -= h->at;
        h->at = 0;
    }
    if (h->len + count > h->size) {
        size_t size = (h->len + count) * 2;
        uint8_t *grown = realloc(h->bytes, size);
        if (grown == NULL) {
            h->is_short_of_memory = true;
            return 0;
        }
        h->bytes = grown;
        h->size = size;
    }
    memcpy(h->bytes + h->len, from, count);
    h->len += count;
    return count;
}

static int status_fault(struct http *h, long status, struct fault *fault)
{
    if (status == 401)
        return fault_set(fault, EACCES,
                         h->token[0] == '\0' ? "%s: wants a token: --token FILE, or YAMISCOPE_TOKEN"
                                             : "%s: refuses the token",
                         h->source.name);
    if (status == 403)
        return fault_set(fault, EACCES,
                         "%s: gives public readers results late and folded, no feed: watch needs "
                         "the token of an analyst or operator (--token FILE)",
                         h->source.name);
    if (status == 410)
        return fault_set(fault, ESTALE, "%s: what was read last is not kept any more",
                         h->source.name);
    if (status == 503)
        return fault_set(fault, EBUSY, "%s: is not ready (503)", h->source.name);
    return fault_set(fault, EPROTO, "%s: answers %ld: is no yamiscope", h->source.name, status);
}

/* ---- asking */

static void url_make(const struct http *h, char *url, size_t size)
{
    char since[64];
    int64_t s = h->begin_ns / NS;
    (void)snprintf(since, sizeof since, "%" PRId64, s < 0 ? 0 : s);
    switch (h->stage) {
    case STAGE_header:
        (void)snprintf(url, size, "%s/api/v1/feed?follow=no", h->base);
        break;
    case STAGE_newest:
        (void)snprintf(url, size, "%s/api/v1/windows?limit=%d", h->base, WINDOWS_AT_ONCE);
        break;
    case STAGE_windows:
        (void)snprintf(url, size, "%s/api/v1/windows?since=%s&after=%" PRIu64 "&limit=%d", h->base,
                       since, h->last, WINDOWS_AT_ONCE);
        break;
    case STAGE_days:
        (void)snprintf(url, size, "%s/api/v1/days?limit=2", h->base);
        break;
    case STAGE_feed:
        if (h->last == 0)
            (void)snprintf(url, size, "%s/api/v1/feed?after=end", h->base);
        else
            (void)snprintf(url, size, "%s/api/v1/feed?after=%" PRIu64, h->base, h->last - 1);
    }
}

static int ask(struct http *h, struct fault *fault)
{
    char url[BASE + 160];
    asking_end(h);
    url_make(h, url, sizeof url);
    h->why[0] = '\0';
    h->answered = 0;
    h->is_behind_known = h->stage != STAGE_feed || h->last == 0;
    if (curl_easy_setopt(h->easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_TIME,
                         h->stage == STAGE_feed ? 0L : (long)SILENCE_S) != CURLE_OK ||
        curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
        return fault_set(fault, ENOMEM, "%s: no memory to ask", h->source.name);
    h->is_asking = true;
    return 0;
}

static int errno_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return ECONNREFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return ETIMEDOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return EHOSTUNREACH;
    case CURLE_OUT_OF_MEMORY:
        return ENOMEM;
    default:
        return EIO;
    }
}

/* The answer has ended. 0: as it should; -errno. */
static int ended(struct http *h, CURLcode code, struct fault *fault)
{
    long status = 0;
    (void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (h->is_short_of_memory) {
        h->is_short_of_memory = false;
        return fault_set(fault, ENOMEM, "%s: %s", h->source.name, strerror(ENOMEM));
    }
    if (status != 0 && status != 200)
        return status_fault(h, status, fault);
    if (code != CURLE_OK)
        return fault_set(fault, errno_of(code), "%s: %.150s", h->source.name,
                         h->why[0] != '\0' ? h->why : curl_easy_strerror(code));
    if (h->at < h->len)
        return fault_set(fault, EPROTO, "%s: the answer ends within a record", h->source.name);
    return 0;
}

/* 1: a record; 0: nothing came for a while; 2: the answer has ended; -errno: it failed, and is over. */
enum { ENDED = 2 };
static int answer_next(struct http *h, struct record_view *view, struct fault *fault)
{
    struct fault why;
    size_t used;
    int running = 1, messages;
    for (bool has_waited = false;;) {
        int found = record_split(h->bytes + h->at, h->len - h->at, view, &used, &why);
        if (found < 0)
            return fault_set(fault, EPROTO, "%s: sends what is no feed: %s", h->source.name,
                             why.text);
        if (found > 0) {
            h->at += used;
            return 1;
        }
        CURLMsg *message = curl_multi_info_read(h->multi, &messages);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            int err = ended(h, message->data.result, fault);
            asking_end(h);
            return err < 0 ? err : ENDED;
        }
        size_t before = h->len - h->at;
        if (running == 0 || curl_multi_perform(h->multi, &running) != CURLM_OK)
            return fault_set(fault, EIO, "%s: the connection is gone", h->source.name);
        if (running == 0 || h->len - h->at != before)
            continue;
        if (has_waited)
            return 0;
        if (curl_multi_poll(h->multi, NULL, 0, WATCH_WAIT_MS, NULL) != CURLM_OK)
            return fault_set(fault, EIO, "%s: can't wait", h->source.name);
        has_waited = true;
    }
}

/* ---- opening */

static int token_read(struct http *h, const char *path, struct fault *fault)
{
    char line[HTTP_TOKEN + 2] = "";
    const char *given = path == NULL ? getenv("YAMISCOPE_TOKEN") : NULL;
    const char *from = path == NULL ? "YAMISCOPE_TOKEN" : path;
    if (path != NULL) {
        FILE *file = fopen(path, "re");
        if (file == NULL)
            return fault_set(fault, EINVAL, "--token: %s: %s", path, strerror(errno));
        bool has_line = fgets(line, sizeof line, file) != NULL;
        fclose(file);
        if (!has_line)
            return fault_set(fault, EINVAL, "--token: %s: holds no line", path);
        line[strcspn(line, "\r\n")] = '\0';
        given = line;
    }
    if (given == NULL)
        return 0;
    size_t len = strlen(given);
    int err = len == 0 || len >= HTTP_TOKEN ? -EINVAL : 0;
    for (size_t i = 0; i < len; i++)
        if (given[i] <= ' ' || given[i] > '~')
            err = -EINVAL;
    if (err == 0)
        memcpy(h->token, given, len + 1);
    explicit_bzero(line, sizeof line);
    return err < 0 ? fault_set(fault, EINVAL,
                               "%s: is no token: 1 to %d letters without blanks in its first line",
                               from, HTTP_TOKEN - 1)
                   : 0;
}

/* "http://host:port/path" without what a server's address has no use for. */
static int base_make(struct http *h, const char *spec, struct fault *fault)
{
    CURLU *url = curl_url();
    char *part = NULL, *whole = NULL;
    static const CURLUPart none[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                     CURLUPART_FRAGMENT};
    (void)snprintf(h->source.name, WATCH_NAME, "%.500s", spec);
    CURLUcode code = url == NULL ? CURLUE_OUT_OF_MEMORY : curl_url_set(url, CURLUPART_URL, spec, 0);
    int err = code == CURLUE_OK ? 0
                                : fault_set(fault, EINVAL, "%.160s: is no address: %s", spec,
                                            curl_url_strerror(code));
    for (size_t i = 0; err == 0 && i < sizeof none / sizeof *none; i++) {
        if (curl_url_get(url, none[i], &part, 0) == CURLUE_OK)
            err = fault_set(fault, EINVAL,
                            "an address of a server is http://HOST:PORT, without user, password, ? "
                            "and #; a token stands in a file (--token) or in YAMISCOPE_TOKEN");
        curl_free(part);
        part = NULL;
    }
    if (err == 0 && curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK)
        err = fault_set(fault, EINVAL, "%.160s: is no address", spec);
    size_t len = whole == NULL ? 0 : strlen(whole);
    while (len > 0 && whole[len - 1] == '/')
        len--;
    if (err == 0 && (len == 0 || len >= BASE))
        err = fault_set(fault, EINVAL, "%.160s: is no address", spec);
    if (err == 0) {
        memcpy(h->base, whole, len);
        (void)snprintf(h->source.name, WATCH_NAME, "%s", h->base);
    }
    curl_free(whole);
    curl_url_cleanup(url);
    return err;
}

static int curl_prepare(struct http *h, const struct watch_settings *s, struct fault *fault)
{
    bool is_done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
                   (h->multi = curl_multi_init()) != NULL && (h->easy = curl_easy_init()) != NULL;
    if (is_done)
        h->headers = curl_slist_append(NULL, "Accept: application/x-protobuf");
    is_done = is_done && h->headers != NULL &&
              curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "yamiscope") == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_TCP_KEEPIDLE, (long)ALIVE_S) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_TCP_KEEPINTVL, (long)ALIVE_S) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, bytes_take) == CURLE_OK &&
              curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h) == CURLE_OK;
    if (is_done && h->token[0] != '\0')
        is_done = curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) == CURLE_OK &&
                  curl_easy_setopt(h->easy, CURLOPT_XOAUTH2_BEARER, h->token) == CURLE_OK;
    if (is_done && s->tls_ca != NULL)
        is_done = curl_easy_setopt(h->easy, CURLOPT_CAINFO, s->tls_ca) == CURLE_OK;
    return is_done ? 0 : fault_set(fault, ENOMEM, "%s: libcurl can't be used", h->source.name);
}

/* The first record of the feed says whose it is. */
static int header_learn(struct http *h, struct fault *fault)
{
    struct record_view view;
    struct feed_header header;
    h->stage = STAGE_header;
    int err = ask(h, fault), found = 0;
    for (unsigned turn = 0; err == 0 && found == 0; turn++) {
        found = answer_next(h, &view, fault);
        if (found == 0 && turn * WATCH_WAIT_MS > FIRST_S * 1000)
            err = fault_set(fault, ETIMEDOUT, "%s: no answer in time", h->source.name);
    }
    err = err < 0 ? err : found < 0 ? found : 0;
    if (err == 0 && found == ENDED)
        err = fault_set(fault, ENODATA, "%s: the feed there is empty yet", h->source.name);
    if (err == 0 && (view.body_kind != RECORD_header ||
                     feed_header_take(&header, view.body, view.body_len, NULL) < 0))
        err = fault_set(fault, EPROTO, "%s: sends what is no feed", h->source.name);
    asking_end(h);
    if (err < 0)
        return err;
    memcpy(h->source.sensor, header.sensor, sizeof header.sensor);
    memcpy(h->source.zone, header.timezone, sizeof header.timezone);
    h->stage = STAGE_newest;
    return 0;
}

static int http_open(struct watch_source **out, const struct watch_settings *s, struct fault *fault)
{
    struct http *h = calloc(1, sizeof *h);
    if (h == NULL)
        return fault_set(fault, ENOMEM, "%s", strerror(ENOMEM));
    h->source.ops = &watch_http;
    int err = base_make(h, s->spec, fault);
    err = err < 0 ? err : token_read(h, s->token, fault);
    err = err < 0 ? err : curl_prepare(h, s, fault);
    err = err < 0 ? err : header_learn(h, fault);
    if (err < 0) {
        http_close(&h->source);
        return err;
    }
    *out = &h->source;
    return 0;
}

/* ---- records */

static void begin_anew(struct http *h)
{
    asking_end(h);
    h->stage = STAGE_newest;
    h->has_newest = false;
    h->last = 0;
}

/* What follows an answer that has ended. -errno and a fault: that of the feed has no end but by a failure. */
static int stage_next(struct http *h, struct fault *fault)
{
    switch (h->stage) {
    case STAGE_header:
    case STAGE_newest:
        h->stage = h->has_newest ? STAGE_windows : STAGE_days;
        h->begin_ns = h->has_newest ? watch_begin_ns(h->newest_ns) : 0;
        return 0;
    case STAGE_windows: /* an answer is cut at so many bytes: asked until nothing more comes */
        h->stage = h->answered > 0 ? STAGE_windows : STAGE_days;
        return 0;
    case STAGE_days:
        h->stage = STAGE_feed;
        return 0;
    default:
        return fault_set(fault, ECONNRESET, "%s: the server ended the feed", h->source.name);
    }
}

/* Whether the caller is to have it. */
static bool is_wanted(struct http *h, const struct record_view *view)
{
    int64_t start_ns;
    h->answered++;
    if (h->stage == STAGE_newest) {
        if (view->body_kind == RECORD_window &&
            record_window_start(view->body, view->body_len, &start_ns) &&
            start_ns < watch_now_ns() + 86400 * NS && (!h->has_newest || start_ns > h->newest_ns)) {
            h->newest_ns = start_ns;
            h->has_newest = true;
        }
        return false;
    }
    if (h->stage != STAGE_days && view->seq > h->last) {
        h->last = view->seq;
        h->last_crc = view->crc;
    }
    return true;
}

/* The first record of the feed is the last one that was taken; else another feed stands there now. 1: it is; 0: it need not be looked
 * at; -ESTALE and a fault. */
static int behind_check(struct http *h, const struct record_view *view, struct fault *fault)
{
    if (h->is_behind_known)
        return 0;
    h->is_behind_known = true;
    if (view->seq != h->last || view->crc != h->last_crc)
        return fault_set(fault, ESTALE, "%s: another feed stands there now", h->source.name);
    return 1;
}

static int http_next(struct watch_source *s, struct watch_record *to, struct fault *fault)
{
    struct http *h = (struct http *)s;
    struct record_view view;
    for (;;) {
        int found = h->is_asking ? 0 : ask(h, fault);
        if (found == 0)
            found = answer_next(h, &view, fault);
        if (found == ENDED)
            found = stage_next(h, fault);
        else if (found == 0)
            return h->stage == STAGE_feed ? 0
                                          : fault_set(fault, EAGAIN, "%s: reads", h->source.name);
        int behind = found == 1 ? behind_check(h, &view, fault) : 0;
        found = behind < 0 ? behind : found;
        if (found < 0) {
            asking_end(h);
            if (found == -ESTALE)
                begin_anew(h);
            return found;
        }
        if (found == 1 && behind == 0 && is_wanted(h, &view)) {
            *to = (struct watch_record){view.body_kind, view.seq, view.body, view.body_len};
            return 1;
        }
    }
}

static void http_interrupt(struct watch_source *s)
{
    (void)curl_multi_wakeup(((struct http *)s)->multi);
}

const struct watch_source_ops watch_http = {.is = http_is,
                                            .open = http_open,
                                            .next = http_next,
                                            .interrupt = http_interrupt,
                                            .close = http_close};
