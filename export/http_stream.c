/* Answers that don't end: server-sent events, and the feed itself. Part of http.
 *
 * Each is pulled by its connection's thread. What it is to send next, and since when, is said to the connection, so that
 * the watcher cuts off who does not take it. */
#include "export/http_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)
enum {
    HEALTH_S = 5,
    BEAT_S = 15,
    WAIT_MS = 500,
    BLOCK = 16 << 10,
    SLOW_S = 60,
    READY_MS = 20000,
    SLOWEST = 4 << 10
};

struct stream {
    struct http *h;
    struct http_connection *connection;
    struct http_follow *follow;
    bool has_health, is_following;
    uint64_t index;         /* of the next event */
    struct http_body *body; /* that is being sent */
    size_t sent;
    int64_t beat_ns; /* when something is to be said, come what may */
    struct feed_tail *tail;
    struct feed_tail_record record;
    bool has_record;
    size_t record_sent;
    int64_t began_ns, behind_ns; /* behind: since when there was always something to send */
    uint64_t behind_bytes;       /* sent since */
};

static void stream_free(void *context)
{
    struct stream *s = context;
    http_body_release(s->body);
    feed_tail_close(s->tail);
    free(s);
}

static bool is_ending(struct stream *s)
{
    pthread_mutex_lock(&s->h->lock);
    bool ending = s->h->is_stopping || s->connection->is_cut;
    pthread_mutex_unlock(&s->h->lock);
    return ending || http_connection_is_gone(s->connection);
}

/* ---- events */

static void beat(struct stream *s)
{
    struct http_memory m;
    s->beat_ns = http_monotonic_ns() + (s->has_health ? HEALTH_S : BEAT_S) * NS;
    if (http_memory_begin(&m) < 0)
        return;
    if (s->has_health) {
        fputs("event: health\ndata: ", m.out);
        http_health_print(s->h, m.out);
        fputs("\n\n", m.out);
    } else {
        fputs(": \n\n", m.out);
    }
    s->body = http_memory_end(&m);
    if (s->body != NULL)
        s->body->at_ns = http_monotonic_ns();
    s->sent = 0;
}

/* What a reader who goes on behind `seq` does not get here. */
static void gap_say(struct stream *s, uint64_t seq, uint64_t lost)
{
    struct http_memory m;
    if (http_memory_begin(&m) < 0)
        return;
    fprintf(m.out,
            "id: %" PRIu64 "\nevent: gap\ndata: {\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}\n\n",
            lost, seq + 1, lost);
    s->body = http_memory_end(&m);
    if (s->body != NULL)
        s->body->at_ns = http_monotonic_ns();
}

/* 1: there is something to send; 0: not yet; -errno: it is over. */
static int event_next(struct stream *s)
{
    int64_t left_ms = (s->beat_ns - http_monotonic_ns()) / 1000000;
    if (left_ms <= 0) {
        beat(s);
        return s->body != NULL;
    }
    s->sent = 0;
    int found = http_follow_event(s->follow, &s->index, left_ms < WAIT_MS ? (int)left_ms : WAIT_MS,
                                  &s->body);
    if (found == -ESTALE)
        http_cut_count(s->h, HTTP_CUT_behind);
    return found;
}

static ssize_t live_read(void *context, uint64_t pos, char *to, size_t max)
{
    struct stream *s = context;
    (void)pos;
    while (s->body == NULL) {
        http_connection_due(s->h, s->connection, INT64_MAX);
        if (is_ending(s) || event_next(s) < 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t len = s->body->len - s->sent < max ? s->body->len - s->sent : max;
    memcpy(to, s->body->bytes + s->sent, len);
    s->sent += len;
    /* Until the library asks again, this much is on its way. Who goes on behind an old record has time from when he came. */
    int64_t at_ns = s->body->at_ns > s->began_ns ? s->body->at_ns : s->began_ns;
    http_connection_due(s->h, s->connection, at_ns);
    atomic_fetch_add_explicit(&s->h->sent_bytes, len, memory_order_relaxed);
    if (s->sent == s->body->len) {
        http_body_release(s->body);
        s->body = NULL;
    }
    return (ssize_t)len;
}

static struct stream *stream_create(struct http_request *r)
{
    struct stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->h = r->h;
    s->connection = r->connection;
    s->follow = http_audience_of(r).follow;
    s->has_health = r->reader >= HTTP_ANALYST;
    s->began_ns = s->behind_ns = http_monotonic_ns();
    return s;
}

/* Behind which record the stream begins: `after`, or what a browser that connects again says. False: it is no number. */
static bool after_read(struct http_request *r, uint64_t *seq)
{
    const char *after = http_argument(r, "after"), *last = http_header(r, "Last-Event-ID");
    *seq = UINT64_MAX;
    if (after != NULL && strcmp(after, "end") == 0)
        return true;
    if (after != NULL)
        return http_number(after, UINT64_MAX - 1, seq);
    return last == NULL || last[0] == '\0' || http_number(last, UINT64_MAX - 1, seq);
}

enum MHD_Result http_answer_live(struct http_request *r)
{
    uint64_t seq;
    if (!after_read(r, &seq))
        return http_answer_error(r, 400, "after: is no number of a record");
    /* What was there before is no event. */
    if (!http_follow_ready(http_audience_of(r).follow, READY_MS))
        return http_answer_error(r, 503, "the feed is being read");
    struct http_audience a = http_audience_of(r);
    struct fault fault = {0};
    int err = seq == UINT64_MAX ? 0 : http_past_after(r->h->past, seq, &a, &fault);
    if (err < 0)
        return http_answer_error(r, err == -ERANGE ? 410 : 503,
                                 err == -ERANGE ? fault.text : "the feed can't be read there");
    struct stream *s = stream_create(r);
    if (s == NULL)
        return http_answer_error(r, 503, "no memory");
    uint64_t lost;
    s->index = http_follow_index(s->follow, seq, &lost);
    s->beat_ns = http_monotonic_ns();
    if (lost > 0)
        gap_say(s, seq, lost);
    else if (s->has_health)
        beat(s);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, live_read, s, stream_free);
    if (response == NULL) {
        stream_free(s);
        return http_answer_error(r, 503, "no memory");
    }
    http_connection_streams(r->h, r->connection, HTTP_STREAM_live);
    return http_answer_stream(r, response, "text/event-stream; charset=utf-8");
}

/* ---- the feed */

/* 1: there is a record; 0: not yet; -1: it is over. */
static int record_next(struct stream *s)
{
    struct fault fault;
    int found = feed_tail_next(s->tail, &s->record, &fault);
    if (found > 0)
        return 1;
    if (found < 0 || !s->is_following)
        return -1; /* what is damaged ends the stream: its reader knows where */
    feed_tail_wait(s->tail, WAIT_MS);
    s->behind_ns = http_monotonic_ns();
    s->behind_bytes = 0;
    return 0;
}

/* Whether a reader that is behind takes too little to ever catch up. */
static bool is_slow(struct stream *s, size_t len)
{
    int64_t seconds = (http_monotonic_ns() - s->behind_ns) / NS;
    s->behind_bytes += len;
    if (seconds < SLOW_S || s->behind_bytes / (uint64_t)seconds >= SLOWEST)
        return false;
    http_cut_count(s->h, HTTP_CUT_stalled);
    return true;
}

static ssize_t feed_read(void *context, uint64_t pos, char *to, size_t max)
{
    struct stream *s = context;
    size_t len = 0;
    (void)pos;
    while (len < max) {
        if (!s->has_record) {
            if (len > 0) {
                struct fault fault;
                if (feed_tail_next(s->tail, &s->record, &fault) <= 0)
                    break; /* first send what there is */
            } else {
                http_connection_due(s->h, s->connection, INT64_MAX);
                int found = is_ending(s) ? -1 : record_next(s);
                if (found < 0)
                    return MHD_CONTENT_READER_END_OF_STREAM;
                if (found == 0)
                    continue;
            }
            s->has_record = true;
            s->record_sent = 0;
        }
        size_t left = s->record.delimited_len - s->record_sent;
        size_t part = left < max - len ? left : max - len;
        memcpy(to + len, s->record.delimited + s->record_sent, part);
        s->record_sent += part;
        len += part;
        s->has_record = s->record_sent < s->record.delimited_len;
    }
    http_connection_due(s->h, s->connection, http_monotonic_ns());
    atomic_fetch_add_explicit(&s->h->sent_bytes, len, memory_order_relaxed);
    return is_slow(s, len) ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)len;
}

static int tail_open(struct http_request *r, struct stream *s, uint64_t seq, struct fault *fault)
{
    struct feed_position at = {0};
    struct http_follow_counts counts;
    if (seq == UINT64_MAX) {
        http_follow_count(s->follow, &counts);
        seq = counts.seq;
    }
    int err = http_past_position(r->h->past, seq, &at, fault);
    if (err == 0 && seq > 0 && at.offset == 0)
        err = feed_tail_open_behind(&s->tail, r->h->s.feed, &at, fault);
    else if (err == 0)
        err = feed_tail_open(&s->tail, r->h->s.feed, seq == 0 ? NULL : &at, fault);
    if (err == 0 && r->h->s.durable != NULL)
        feed_tail_limit(s->tail, r->h->s.durable);
    return err;
}

enum MHD_Result http_answer_feed(struct http_request *r)
{
    struct fault fault = {0};
    uint64_t seq;
    const char *follow = http_argument(r, "follow");
    if (!after_read(r, &seq))
        return http_answer_error(r, 400, "after: is neither a number of a record nor end");
    if (http_argument(r, "after") == NULL)
        seq = 0;
    if (follow != NULL && strcmp(follow, "no") != 0 && strcmp(follow, "yes") != 0)
        return http_answer_error(r, 400, "follow: is neither yes nor no");
    if (seq == UINT64_MAX && !http_follow_ready(r->h->follow[0], READY_MS))
        return http_answer_error(r, 503, "the feed is being read");
    struct stream *s = stream_create(r);
    if (s == NULL)
        return http_answer_error(r, 503, "no memory");
    s->is_following = follow == NULL || strcmp(follow, "yes") == 0;
    int err = tail_open(r, s, seq, &fault);
    if (err < 0) {
        stream_free(s);
        return http_answer_error(r, err == -ERANGE || err == -ESTALE ? 410 : 503,
                                 err == -ERANGE ? fault.text : "the feed can't be read there");
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, feed_read, s, stream_free);
    if (response == NULL) {
        stream_free(s);
        return http_answer_error(r, 503, "no memory");
    }
    http_connection_streams(r->h, r->connection, HTTP_STREAM_feed);
    return http_answer_stream(r, response, "application/x-protobuf; delimited=true");
}
