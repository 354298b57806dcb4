#include "export/redis_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_HIREDIS_SSL
#include <hiredis/hiredis_ssl.h>
#endif

enum {
    CHUNK = 64 << 10
}; /* bytes handed to hiredis at once, which moves what is left of them after each write */

#if HIREDIS_MAJOR >= 1
typedef void *(*array_make)(const redisReadTask *, size_t);
#else
typedef void *(*array_make)(const redisReadTask *, int);
#endif

struct redis_link {
    const struct redis_url *url;
    struct redis_host host;
    redisContext *redis; /* NULL: not connected */
    redisReplyObjectFunctions functions;
    array_make array_inner;
    uint64_t timeout_ms;
    size_t reply_bytes; /* read since the last whole reply */
    int wake_fd;
    atomic_bool is_interrupted;
#ifdef HAVE_HIREDIS_SSL
    redisSSLContext *tls;
#endif
};

struct redis_link *redis_link_create(const struct redis_url *url)
{
    struct redis_link *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->url = url;
    l->timeout_ms = url->timeout_ms;
    l->host = url->hosts[0];
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0) {
        free(l);
        return NULL;
    }
    return l;
}

void redis_link_destroy(struct redis_link *l)
{
    if (l == NULL)
        return;
    redis_link_close(l);
#ifdef HAVE_HIREDIS_SSL
    if (l->tls != NULL)
        redisFreeSSLContext(l->tls);
#endif
    close(l->wake_fd);
    free(l);
}

void redis_link_close(struct redis_link *l)
{
    if (l->redis != NULL)
        redisFree(l->redis);
    l->redis = NULL;
}

bool redis_link_is_open(const struct redis_link *l) { return l->redis != NULL; }
const struct redis_host *redis_link_host(const struct redis_link *l) { return &l->host; }
void redis_link_patience(struct redis_link *l, uint64_t timeout_ms) { l->timeout_ms = timeout_ms; }

void redis_link_interrupt(struct redis_link *l)
{
    const uint64_t one = 1;
    atomic_store(&l->is_interrupted, true);
    ssize_t written = write(l->wake_fd, &one, sizeof one); /* full: it wakes already */
    (void)written;
}

/* Any failure leaves a connection of unknown state: it ends here. */
static int failed(struct redis_link *l, int err, const char *what, struct fault *fault)
{
    const struct redis_host *only = l->url->host_count == 1 ? &l->url->hosts[0] : NULL;
    if (only != NULL && only->port == l->host.port && strcmp(only->name, l->host.name) == 0)
        fault_set(fault, err, "%s", what); /* the sink's name says where */
    else
        fault_set(fault, err, "%.200s:%u: %s", l->host.name, (unsigned)l->host.port, what);
    redis_link_close(l);
    return -err;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Until the socket can do one of `events`. */
static int socket_wait(struct redis_link *l, short events, uint64_t until_ms, struct fault *fault)
{
    for (;;) {
        struct pollfd fds[] = {{l->redis->fd, events, 0}, {l->wake_fd, POLLIN, 0}};
        uint64_t now = now_ms();
        if (atomic_load(&l->is_interrupted))
            return failed(l, ECANCELED, "stopped", fault);
        if (now >= until_ms)
            return failed(l, ETIMEDOUT, "no answer in time", fault);
        uint64_t left = until_ms - now;
        int n = poll(fds, 2, left < 60000 ? (int)left : 60000);
        if (n < 0 && errno != EINTR)
            return failed(l, errno, strerror(errno), fault);
        if (n > 0 && fds[0].revents != 0)
            return 0;
    }
}

/* ---- replies are bounded ---- */

#if HIREDIS_MAJOR >= 1
static void *array_bounded(const redisReadTask *task, size_t rows)
#else
static void *array_bounded(const redisReadTask *task, int rows)
#endif
{
    const struct redis_link *l = task->privdata;
    if (rows > REDIS_REPLY_ROWS)
        return NULL;
    return l->array_inner(task, rows);
}

static void replies_bound(struct redis_link *l)
{
    redisReader *reader = l->redis->reader;
    l->functions = *reader->fn;
    l->array_inner = l->functions.createArray;
    l->functions.createArray = array_bounded;
    reader->fn = &l->functions;
    reader->privdata = l;
    l->reply_bytes = 0;
}

/* ---- connecting ---- */

#ifdef HAVE_HIREDIS_SSL
/* The handshake blocks, bounded by the socket's timeout: without it hiredis does not say what it waits for. */
static int tls_begin(struct redis_link *l, struct fault *fault)
{
    const struct redis_url *u = l->url;
    const struct timeval limit = {.tv_sec = (time_t)(l->timeout_ms / 1000) + 1};
    const struct timeval none = {0};
    redisSSLContextError why = REDIS_SSL_CTX_NONE;
    int fd = l->redis->fd, flags = fcntl(fd, F_GETFL);
    if (l->tls == NULL) {
        redisInitOpenSSL();
        l->tls = redisCreateSSLContext(u->ca[0] ? u->ca : NULL, u->ca[0] ? NULL : "/etc/ssl/certs",
                                       u->cert[0] ? u->cert : NULL, u->key[0] ? u->key : NULL,
                                       l->host.name, &why);
    }
    if (l->tls == NULL)
        return failed(l, EINVAL, redisSSLContextGetError(why), fault);
    (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (redisInitiateSSLWithContext(l->redis, l->tls) != REDIS_OK) {
        char why_not[160];
        (void)snprintf(why_not, sizeof why_not, "TLS: %s", l->redis->errstr);
        return failed(l, EPROTO, why_not, fault);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    (void)fcntl(fd, F_SETFL, flags);
    return 0;
}
#endif

static int connect_begin(struct redis_link *l, struct fault *fault)
{
    l->redis = l->host.port == 0 ? redisConnectUnixNonBlock(l->host.name)
                                 : redisConnectNonBlock(l->host.name, l->host.port);
    if (l->redis == NULL)
        return failed(l, ENOMEM, "no memory", fault);
    if (l->redis->err != 0) {
        char why[128];
        int err = l->redis->err == REDIS_ERR_IO && errno != 0 ? errno : EHOSTUNREACH;
        (void)snprintf(why, sizeof why, "%s", l->redis->errstr);
        return failed(l, err, why, fault);
    }
    int err = socket_wait(l, POLLOUT, now_ms() + l->timeout_ms, fault), why = 0;
    socklen_t len = sizeof why;
    if (err < 0)
        return err;
    if (getsockopt(l->redis->fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
        why = errno;
    if (why != 0)
        return failed(l, why, strerror(why), fault);
    if (l->host.port != 0)
        (void)redisEnableKeepAlive(l->redis);
    replies_bound(l);
    return 0;
}

struct greeting {
    char text[160];
    int err;
};

static int greeting_take(void *context, size_t command, const redisReply *reply)
{
    struct greeting *g = context;
    if (reply->type == REDIS_REPLY_ERROR && g->err == 0) {
        (void)snprintf(g->text, sizeof g->text, "%s: %.120s", command == 0 ? "hello" : "SELECT",
                       reply->str);
        g->err = redis_error(reply->str);
    }
    return 0;
}

/* Whom we are, and where. */
static int greet(struct redis_link *l, struct fault *fault)
{
    const struct redis_url *u = l->url;
    struct redis_batch b = {0};
    struct greeting greeting = {.err = 0};
    char db[16];
    if (u->password[0] != 0 && u->user[0] != 0)
        redis_batch_words(&b, "AUTH", u->user, u->password, NULL);
    else if (u->password[0] != 0)
        redis_batch_words(&b, "AUTH", u->password, NULL);
    else
        redis_batch_words(&b, "PING", NULL);
    (void)snprintf(db, sizeof db, "%u", u->db);
    if (u->db != 0)
        redis_batch_words(&b, "SELECT", db, NULL);
    int err = !redis_batch_holds(&b)
                  ? failed(l, ENOMEM, "no memory", fault)
                  : redis_link_run(l, &b, 0, b.count, greeting_take, &greeting, fault);
    explicit_bzero(b.bytes, b.len);
    redis_batch_free(&b);
    if (err == 0 && greeting.err < 0)
        err = failed(l, -greeting.err, greeting.text, fault);
    return err;
}

int redis_link_open(struct redis_link *l, const struct redis_host *host, struct fault *fault)
{
    redis_link_close(l);
    if (host != &l->host)
        l->host = *host;
    int err = connect_begin(l, fault);
#ifdef HAVE_HIREDIS_SSL
    if (err == 0 && l->url->is_tls)
        err = tls_begin(l, fault);
#endif
    return err < 0 ? err : greet(l, fault);
}

int redis_link_adopt(struct redis_link *l, int fd, struct fault *fault)
{
    redis_link_close(l);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    l->redis = redisConnectFd(fd);
    if (l->redis == NULL) {
        close(fd);
        return failed(l, ENOMEM, "no memory", fault);
    }
    l->redis->flags &= ~REDIS_BLOCK;
    replies_bound(l);
    return 0;
}

/* ---- commands and answers ---- */

struct run {
    const uint8_t *at, *end; /* not yet handed to hiredis */
    bool is_pending;         /* it has some that it did not write yet */
    size_t answers, count;
};

/* A server that went away makes a write raise SIGPIPE (hiredis writes with write(2)): for this thread it is an error. */
static void pipe_signal_block(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static void pipe_signal_restore(const sigset_t *before)
{
    if (sigismember(before, SIGPIPE) == 0) {
        const struct timespec none = {0};
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        while (sigtimedwait(&set, NULL, &none) == SIGPIPE)
            continue;
        pthread_sigmask(SIG_SETMASK, before, NULL);
    }
}

static int redis_failed(struct redis_link *l, struct fault *fault)
{
    char why[128];
    int err = l->redis->err == REDIS_ERR_IO && errno != 0 ? errno
              : l->redis->err == REDIS_ERR_EOF            ? ECONNRESET
                                                          : EPROTO;
    (void)snprintf(why, sizeof why, "%s", l->redis->errstr);
    return failed(l, err, why, fault);
}

static int some_write(struct redis_link *l, struct run *run, struct fault *fault)
{
    int done = 0;
    if (!run->is_pending && run->at < run->end) {
        size_t len = (size_t)(run->end - run->at) < CHUNK ? (size_t)(run->end - run->at) : CHUNK;
        if (redisAppendFormattedCommand(l->redis, (const char *)run->at, len) != REDIS_OK)
            return failed(l, ENOMEM, "no memory", fault);
        run->at += len;
        run->is_pending = true;
    }
    if (redisBufferWrite(l->redis, &done) != REDIS_OK)
        return redis_failed(l, fault);
    run->is_pending = !done;
    return 0;
}

static int some_read(struct redis_link *l, struct run *run, size_t from, redis_take take,
                     void *context, struct fault *fault)
{
    size_t before = l->redis->reader->len;
    if (redisBufferRead(l->redis) != REDIS_OK)
        return redis_failed(l, fault);
    l->reply_bytes += l->redis->reader->len - before;
    if (l->reply_bytes > REDIS_REPLY_BYTES)
        return failed(l, EPROTO, "an answer without end", fault);
    for (void *reply = NULL; run->answers < run->count; reply = NULL) {
        if (redisGetReplyFromReader(l->redis, &reply) != REDIS_OK)
            return redis_failed(l, fault);
        if (reply == NULL)
            break;
        int err = take(context, from + run->answers++, reply);
        freeReplyObject(reply);
        l->reply_bytes = 0;
        if (err != 0) {
            if (run->answers < run->count)
                redis_link_close(l);
            return err;
        }
    }
    return 0;
}

int redis_link_run(struct redis_link *l, const struct redis_batch *b, size_t from, size_t count,
                   redis_take take, void *context, struct fault *fault)
{
    if (count == 0)
        return 0;
    if (l->redis == NULL)
        return fault_set(fault, ENOTCONN, "not connected");
    const struct redis_command *last = &b->commands[from + count - 1];
    struct run run = {.at = b->bytes + b->commands[from].at,
                      .end = b->bytes + last->at + last->len,
                      .count = count};
    uint64_t until = now_ms() + l->timeout_ms;
    sigset_t before;
    int err = 0;
    pipe_signal_block(&before);
    while (err == 0 && run.answers < run.count) {
        bool is_writing = run.is_pending || run.at < run.end;
        err = socket_wait(l, (short)(POLLIN | (is_writing ? POLLOUT : 0)), until, fault);
        if (err < 0)
            break;
        struct pollfd fd = {l->redis->fd, (short)(POLLIN | (is_writing ? POLLOUT : 0)), 0};
        (void)poll(&fd, 1, 0);
        if (fd.revents & POLLOUT)
            err = some_write(l, &run, fault);
        if (err == 0 && fd.revents & (POLLIN | POLLHUP | POLLERR))
            err = some_read(l, &run, from, take, context, fault);
        if (fd.revents != 0)
            until = now_ms() + l->timeout_ms;
    }
    pipe_signal_restore(&before);
    return err;
}

/* ---- what a server says ---- */

int redis_error(const char *text)
{
    static const struct {
        const char *begin;
        int err;
    } known[] = {
        {"MOVED ", ERESTART},
        {"ASK ", EXDEV},
        {"TRYAGAIN", EAGAIN},
        {"CLUSTERDOWN", EAGAIN},
        {"LOADING", EAGAIN},
        {"BUSY", EAGAIN},
        {"MASTERDOWN", EAGAIN},
        {"READONLY", EROFS},
        {"MISCONF", EROFS},
        {"NOREPLICAS", EROFS},
        {"OOM", ENOSPC},
        {"NOAUTH", EACCES},
        {"WRONGPASS", EACCES},
        {"NOPERM", EACCES},
        {"ERR invalid password", EACCES},
        {"ERR Client sent AUTH", EACCES},
        {"ERR AUTH ", EACCES},
        {"DENIED", EACCES},
        {"WRONGTYPE", EINVAL},
        {"ERR DB index", EINVAL},
        {"ERR invalid DB index", EINVAL},
        {"ERR SELECT is not allowed", EINVAL},
        {"ERR unknown", ENOTSUP},
        {"ERR syntax", ENOTSUP},
        {"ERR wrong number of arguments", ENOTSUP},
        {"ERR Invalid stream ID", ENOTSUP}, /* NOMKSTREAM, MINID: before 6.2 */
        {"ERR The ID specified in XADD", ERESTART},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(text, known[i].begin, strlen(known[i].begin)) == 0)
            return -known[i].err;
    return -EIO;
}

bool redis_redirect(const char *text, const struct redis_host *from, struct redis_host *to)
{
    const char *at = strncmp(text, "MOVED ", 6) == 0 ? text + 6
                     : strncmp(text, "ASK ", 4) == 0 ? text + 4
                                                     : NULL;
    const char *space = at != NULL ? strchr(at, ' ') : NULL;
    const char *colon = space != NULL ? strrchr(space, ':') : NULL;
    char *end;
    if (colon == NULL || colon[1] < '0' || colon[1] > '9')
        return false;
    unsigned long port = strtoul(colon + 1, &end, 10);
    size_t len = (size_t)(colon - space - 1);
    if (port == 0 || port > 65535 || (*end != 0 && *end != ' ') || len >= REDIS_TEXT)
        return false;
    if (len == 0 || (len == 1 && space[1] == '?')) {
        if (from->port == 0)
            return false; /* a socket's path is no host */
        memcpy(to->name, from->name, sizeof to->name);
    } else {
        memcpy(to->name, space + 1, len);
        to->name[len] = 0;
    }
    to->port = (uint16_t)port;
    return true;
}
