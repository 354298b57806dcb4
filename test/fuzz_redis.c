/* A server that answers anything: the input is its replies to what a sink asks and delivers. (ASK is taken apart, but not
 * followed: it would name hosts of the fuzzer's choice.) The first byte's lowest bit: deliver without asking; the next: every byte
 * behind it stands for a reply of the table. */
#include "export/calendar.h"
#include "export/redis_link.h"
#include "export/sink_redis.h"
#include "export/window.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 100000 }; /* a socket holds as much */

static struct feed_sums *sums_make(void)
{
    struct feed_sums *sums = feed_sums_create("/nonexistent");
    struct window *w = window_create();
    struct fault fault;
    if (sums == NULL || w == NULL || calendar_zone("UTC") < 0)
        abort();
    w->start_ns = INT64_C(1700000040) * 1000000000;
    w->mark_sources[MARK_scan].high = 1;
    hll_add(&w->hll[MARK_scan], 12345);
    for (unsigned port = 1; port < 400; port++)
        window_port(w, PORT_PROTO_TCP, (uint16_t)port)->scan = port;
    if (feed_sums_add(sums, w, 1, INT64_MIN, &fault) < 0)
        abort();
    window_destroy(w);
    return sums;
}

#define ID "$15\r\n1700000040000-0\r\n"
static const char *const replies[] = {
    ":1\r\n",
    "+OK\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "$0\r\n\r\n",
    ID,
    "*4\r\n$6\r\nlength\r\n:1\r\n$17\r\nlast-generated-id\r\n" ID,
    "*4\r\n$17\r\nlast-generated-id\r\n:1\r\n$1\r\nx\r\n*0\r\n",
    "*3\r\n$1\r\na\r\n:1\r\n$17\r\nlast-generated-id\r\n",
    "*1\r\n*2\r\n" ID "*2\r\n$2\r\npb\r\n$2\r\n\x08\x02\r\n",
    "*1\r\n*2\r\n" ID "*3\r\n$2\r\npb\r\n:1\r\n$2\r\npb\r\n",
    "*1\r\n*2\r\n" ID ":1\r\n",
    "*1\r\n*1\r\n" ID,
    "*1\r\n:1\r\n",
    "-ERR no such key\r\n",
    "-MOVED 1 h:1\r\n",
    "-OOM\r\n",
    "-LOADING\r\n",
    "-NOAUTH\r\n",
    "-READONLY\r\n",
    "-ERR The ID specified in XADD is\r\n",
    "-\r\n",
    "*1000000000\r\n",
    "$1000000000\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    ":99999999999999999999\r\n",
    "%1\r\n",
};

static size_t replies_make(char *bytes, const uint8_t *data, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < size; i++) {
        const char *reply = replies[data[i] % (sizeof replies / sizeof *replies)];
        if (len + strlen(reply) > INPUT_MAX)
            break;
        memcpy(bytes + len, reply, strlen(reply));
        len += strlen(reply);
    }
    return len;
}

/* "ASK " as the server would say it: something else. */
static void asks_mask(char *bytes, size_t len)
{
    for (size_t i = 0; i + 4 <= len; i++)
        if (memcmp(bytes + i, "ASK ", 4) == 0) {
            char text[64] = {0};
            struct redis_host from = {.port = 0}, to;
            memcpy(text, bytes + i, len - i < sizeof text - 1 ? len - i : sizeof text - 1);
            (void)redis_redirect(text, &from, &to);
            bytes[i + 2] = 'X';
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct feed_sums *sums;
    static char bytes[INPUT_MAX];
    static const uint8_t body[] = {8, 2};
    struct sink_item items[2] = {
        {.sort = SINK_WINDOWS, .id = {1700000040000, 0}, .body = body, .body_len = sizeof body},
        {.sort = SINK_DAYS, .id = {1700000040000, 1}, .body = body, .body_len = sizeof body}};
    struct sink_cursor have[SINK_SORTS];
    struct sink *sink;
    struct fault fault;
    int pair[2];
    size_t done;

    if (size < 1 || size > INPUT_MAX)
        return 0;
    if (sums == NULL)
        sums = sums_make();
    if (sink_redis_open(&sink, "unix:///nonexistent/socket?timeout=1s", "s", &fault) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        abort();
    size_t len = size - 1;
    if ((data[0] & 2) != 0)
        len = replies_make(bytes, data + 1, len);
    else
        memcpy(bytes, data + 1, len);
    asks_mask(bytes, len);
    ssize_t sent = send(pair[1], bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent;
    shutdown(pair[1], SHUT_WR);
    struct sink_batch batch = {
        .items = items, .count = 2, .sums = sums, .oldest_ns = INT64_C(1700000040) * 1000000000};
    if (sink_redis_adopt(sink, pair[0], &fault) < 0)
        abort();
    if ((data[0] & 1) != 0 || sink->ops->ask(sink, have, &fault) == 0)
        (void)sink->ops->deliver(sink, &batch, &done, &fault);
    sink->ops->close(sink);
    close(pair[1]);
    return 0;
}
