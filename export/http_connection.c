/* Who is connected, and who is cut off because he does not send or take. Part of http. */
#include "export/http_state.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NS INT64_C(1000000000)
enum {
    REQUEST_S = 10,
    ANSWER_S = 60,
    STALL_S = 10,
    SLOWEST = 16 << 10,
    SEND_BUFFER = 128 << 10,
    LOOK_MS = 500
};

int64_t http_monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

static void begin(struct http *h, struct MHD_Connection *mhd, void **socket_context)
{
    struct http_connection *c = calloc(1, sizeof *c);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    int size = SEND_BUFFER;
    *socket_context = c;
    if (c == NULL || info == NULL) {
        free(c);
        *socket_context = NULL;
        return; /* requests on it are refused */
    }
    c->fd = info->connect_fd;
    c->due_ns = INT64_MAX;
    c->deadline_ns = http_monotonic_ns() + REQUEST_S * NS;
    /* What a stalled reader keeps in the kernel is bounded, too. */
    (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    pthread_mutex_lock(&h->lock);
    c->next = h->connections;
    if (c->next != NULL)
        c->next->before = c;
    h->connections = c;
    h->connection_count++;
    pthread_mutex_unlock(&h->lock);
}

static void end(struct http *h, void **socket_context)
{
    struct http_connection *c = *socket_context;
    if (c == NULL)
        return;
    pthread_mutex_lock(&h->lock);
    if (c->before != NULL)
        c->before->next = c->next;
    else
        h->connections = c->next;
    if (c->next != NULL)
        c->next->before = c->before;
    h->connection_count--;
    pthread_mutex_unlock(&h->lock);
    free(c);
    *socket_context = NULL;
}

void http_connection_notify(void *context, struct MHD_Connection *c, void **socket_context,
                            enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        begin(context, c, socket_context);
    else
        end(context, socket_context);
}

struct http_connection *http_connection_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void http_connection_answers(struct http *h, struct http_connection *c, uint64_t bytes)
{
    pthread_mutex_lock(&h->lock);
    c->is_answering = true;
    c->deadline_ns = http_monotonic_ns() + (ANSWER_S + (int64_t)(bytes / SLOWEST)) * NS;
    pthread_mutex_unlock(&h->lock);
    atomic_fetch_add_explicit(&h->sent_bytes, bytes, memory_order_relaxed);
}

void http_connection_streams(struct http *h, struct http_connection *c, enum http_stream stream)
{
    pthread_mutex_lock(&h->lock);
    c->is_answering = true;
    c->stream = stream;
    c->deadline_ns = INT64_MAX;
    c->due_ns = INT64_MAX;
    pthread_mutex_unlock(&h->lock);
}

void http_connection_due(struct http *h, struct http_connection *c, int64_t due_ns)
{
    pthread_mutex_lock(&h->lock);
    c->due_ns = due_ns;
    pthread_mutex_unlock(&h->lock);
}

void http_connection_done(struct http *h, struct http_connection *c)
{
    pthread_mutex_lock(&h->lock);
    c->is_answering = false;
    c->stream = HTTP_STREAM_none;
    c->due_ns = INT64_MAX;
    c->deadline_ns = http_monotonic_ns() + REQUEST_S * NS;
    pthread_mutex_unlock(&h->lock);
}

bool http_connection_is_gone(const struct http_connection *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void http_cut_count(struct http *h, enum http_cut why)
{
    atomic_fetch_add_explicit(&h->cuts[why], 1, memory_order_relaxed);
}

unsigned http_streams_count(struct http *h, enum http_stream stream)
{
    unsigned count = 0;
    pthread_mutex_lock(&h->lock);
    for (const struct http_connection *c = h->connections; c != NULL; c = c->next)
        count += c->stream == stream;
    pthread_mutex_unlock(&h->lock);
    return count;
}

/* Under the lock, which keeps the descriptor from being closed and used again. */
static void cut_off(struct http *h, struct http_connection *c, int64_t now_ns)
{
    bool is_stalled = c->stream != HTTP_STREAM_none && c->due_ns < now_ns - STALL_S * NS;
    if (c->is_cut || (now_ns < c->deadline_ns && !is_stalled))
        return;
    c->is_cut = true;
    http_cut_count(h, is_stalled        ? HTTP_CUT_stalled
                      : c->is_answering ? HTTP_CUT_answer
                                        : HTTP_CUT_request);
    (void)shutdown(c->fd, SHUT_RDWR);
}

static void *watch(void *context)
{
    struct http *h = context;
    pthread_mutex_lock(&h->lock);
    while (!h->is_stopping) {
        struct timespec until;
        int64_t now_ns = http_monotonic_ns(), end_ns = now_ns + LOOK_MS * INT64_C(1000000);
        for (struct http_connection *c = h->connections; c != NULL; c = c->next)
            cut_off(h, c, now_ns);
        until = (struct timespec){end_ns / NS, end_ns % NS};
        pthread_cond_timedwait(&h->ending, &h->lock, &until);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

int http_watcher_start(struct http *h, struct fault *fault)
{
    int err = pthread_create(&h->watcher, NULL, watch, h);
    h->has_watcher = err == 0;
    return err == 0 ? 0 : fault_set(fault, err, "a thread of the server: %s", strerror(err));
}

void http_watcher_stop(struct http *h)
{
    pthread_mutex_lock(&h->lock);
    h->is_stopping = true;
    pthread_cond_broadcast(&h->ending);
    pthread_mutex_unlock(&h->lock);
    if (h->has_watcher)
        pthread_join(h->watcher, NULL);
}
