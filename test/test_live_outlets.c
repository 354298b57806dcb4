/* Who hears of a live capture, when it ends. */
#include "core/live_outlets.h"
#include "core/setup.h"
#include "export/feed_log.h"

#include "event_case.h"
#include "live_case.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum { SINKS = 4, PATIENCE_MS = 60000 };

/* ---- the program's: nothing is looked up here, nobody reads what is said */

const struct http_lookup serve_lookup;

int64_t serve_now_ns(void *context)
{
    (void)context;
    return time_of(CLOCK_REALTIME);
}

void serve_say(void *context, const char *text)
{
    (void)context;
    (void)text;
}

/* ---- a feed and its sinks */

/* A feed with an event, which sinks are to tell. */
static void feed_make(const char *dir, const struct ruleset *rules)
{
    const struct feed_identity identity = {.sensor = "test",
                                           .telescope_id = "",
                                           .timezone = "UTC",
                                           .filter = "",
                                           .window_span_ns = SPAN_NS,
                                           .rules = rules};
    struct event e = event_case(EVENT_scan, 1, 1, SPAN_NS, 0, EVENT_ENDS);
    struct window *w = window_create();
    struct feed_log *feed;
    struct fault fault;
    w->span_ns = SPAN_NS;
    if (feed_log_create(&feed, dir, &identity, &fault) < 0 ||
        feed_log_append(feed, w, &fault) < 0 || feed_log_append_event(feed, &e, &fault) < 0 ||
        feed_log_finish(feed, &fault) < 0)
        fail_msg("%s", fault.text);
    window_destroy(w);
}

static int local(struct sockaddr_in *at, int port)
{
    *at = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Who takes what sinks tell, and never answers. */
static int receiver_open(int *port)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int fd = local(&at, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, SINKS), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

/* Waits until one of them has hung up. */
static void hung_up(const int *sinks)
{
    char bytes[4096];
    for (;;) {
        struct pollfd all[SINKS];
        for (unsigned i = 0; i < SINKS; i++)
            all[i] = (struct pollfd){.fd = sinks[i], .events = POLLIN};
        assert_true(poll(all, SINKS, PATIENCE_MS) > 0);
        for (unsigned i = 0; i < SINKS; i++)
            if (all[i].revents && recv(sinks[i], bytes, sizeof bytes, 0) <= 0)
                return;
    }
}

/* Whether anybody answers there. */
static bool answers(int port)
{
    static const char ask[] = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in at;
    char byte;
    int fd = local(&at, port);
    bool is_there = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                    send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == sizeof ask - 1 &&
                    recv(fd, &byte, 1, 0) == 1;
    (void)close(fd);
    return is_there;
}

static void *outlets_close(void *outlets)
{
    live_outlets_close(outlets);
    return NULL;
}

/* What tells of sinks over HTTP ends before the first of them. */
static void http_ends_before_sinks(void **state)
{
    static struct live_outlets o = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static const struct live_sources sources;
    char dir[] = "/tmp/live.XXXXXX", text[SINKS + 3][128];
    char *words[1 + SINKS + 3] = {"live"};
    int port, sinks[SINKS], receiver = receiver_open(&port);
    struct ruleset *rules;
    struct config c;
    struct fault fault;
    pthread_t thread;
    (void)state;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    assert_non_null(mkdtemp(dir));
    feed_make(dir, rules);
    for (unsigned i = 0; i < SINKS; i++)
        (void)snprintf(text[i], sizeof text[i], "--to=webhook:http://127.0.0.1:%d/%u#timeout=60s",
                       port, i);
    (void)snprintf(text[SINKS], sizeof text[0], "--out=%s", dir);
    (void)snprintf(text[SINKS + 1], sizeof text[0], "--listen=127.0.0.1:0");
    (void)snprintf(text[SINKS + 2], sizeof text[0], "--no-sources");
    for (unsigned i = 0; i < SINKS + 3; i++)
        words[1 + i] = text[i];
    if (config_init(&c, COMMAND_LIVE, 1 + SINKS + 3, words, &fault) < 0 ||
        live_outlets_open(&o, &c, rules, &sources, UINT64_MAX, &fault) < 0)
        fail_msg("%s", fault.text);
    for (unsigned i = 0; i < SINKS; i++)
        assert_true((sinks[i] = accept(receiver, NULL, NULL)) >= 0);
    int http_port = atoi(strrchr(http_url(o.http), ':') + 1);
    assert_true(answers(http_port));
    assert_int_equal(pthread_create(&thread, NULL, outlets_close, &o), 0);
    hung_up(sinks);
    assert_false(answers(http_port));
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (unsigned i = 0; i < SINKS; i++)
        (void)close(sinks[i]);
    (void)close(receiver);
    config_fini(&c);
    ruleset_destroy(rules);
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(http_ends_before_sinks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
