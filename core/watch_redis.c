/* The streams that `publish` keeps in a Redis: XREAD from the newest day's begin on, and then whatever is added.
 *
 * In a cluster MOVED is followed. A stream that was deleted or emptied behind our back is noticed while nothing comes. */
#include "core/watch_source.h"

#include "export/calendar.h"
#include "export/record.h"
#include "export/redis_link.h"
#include "export/redis_stream.h"
#include "export/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)
enum {
    AT_ONCE = 16, /* entries of a stream */
    DAYS = 2,
    MOVES = 5,
    SENSORS = 8,          /* that a message names */
    SCANS = 100000,       /* turns of looking for a sensor */
    IDLE_LOOKS = 20,      /* turns without anything before the streams are looked at */
    ENTRIES = 2 * AT_ONCE /* of one answer */
};
enum stream { WINDOWS, STREAM_DAYS, STREAMS };

struct entry {
    uint32_t kind;
    size_t at, len; /* of bytes */
};

struct redis {
    struct watch_source source;
    struct redis_url url;
    struct redis_link *link;
    struct redis_batch batch;
    char keys[STREAMS][WATCH_WORDS + 32];
    struct feed_id last[STREAMS];
    bool is_begun;
    unsigned idle;
    uint64_t count; /* stands for a record's number */

    uint8_t *bytes; /* messages of the last answer */
    size_t len, size;
    struct entry entries[ENTRIES];
    size_t entry_count, entry_given;
    bool is_short_of_memory;
};

static bool redis_is(const char *spec) { return redis_url_is(spec); }

static void redis_close(struct watch_source *s)
{
    struct redis *r = (struct redis *)s;
    redis_link_destroy(r->link);
    redis_batch_free(&r->batch);
    explicit_bzero(&r->url, sizeof r->url);
    free(r->bytes);
    free(r);
}

/* ---- one question */

struct asking {
    int (*take)(struct redis *r, const redisReply *reply);
    struct redis *redis;
    struct redis_host moved_to;
    bool is_moved;
    int err;
    char text[160];
};

static int answer_take(void *context, size_t command, const redisReply *reply)
{
    struct asking *a = context;
    (void)command;
    if (reply->type == REDIS_REPLY_ERROR) {
        a->err = redis_error(reply->str);
        a->is_moved = redis_redirect(reply->str, redis_link_host(a->redis->link), &a->moved_to);
        (void)snprintf(a->text, sizeof a->text, "%.150s", reply->str);
        return 0;
    }
    a->err = a->take(a->redis, reply);
    if (a->err < 0)
        (void)snprintf(a->text, sizeof a->text, "an answer that is none to what was asked");
    return 0;
}

static int link_open(struct redis *r, struct fault *fault)
{
    int err = 0;
    for (unsigned i = 0; i < r->url.host_count; i++) {
        err = redis_link_open(r->link, &r->url.hosts[i], fault);
        if (err == 0 || err == -EACCES || err == -ECANCELED)
            break;
    }
    return err < 0 ? fault_prefix(fault, r->source.name) : 0;
}

/* Sends the batch's one command, to where the key is. */
static int ask(struct redis *r, int (*take)(struct redis *r, const redisReply *reply),
               struct fault *fault)
{
    int err = redis_link_is_open(r->link) ? 0 : link_open(r, fault);
    for (unsigned moves = 0; err == 0; moves++) {
        struct asking a = {.take = take, .redis = r};
        if (!redis_batch_holds(&r->batch))
            return fault_set(fault, ENOMEM, "%s: %s", r->source.name, strerror(ENOMEM));
        err = redis_link_run(r->link, &r->batch, 0, r->batch.count, answer_take, &a, fault);
        if (err < 0)
            return fault_prefix(fault, r->source.name);
        if (a.err == 0)
            return 0;
        if (!a.is_moved || moves == MOVES) {
            redis_link_close(r->link);
            return fault_set(fault, -a.err, "%s: %s", r->source.name, a.text);
        }
        err = redis_link_open(r->link, &a.moved_to, fault);
    }
    return err;
}

/* ---- entries */

static void entry_keep(struct redis *r, uint32_t kind, const struct redis_entry *e)
{
    if (e->pb == NULL || r->entry_count == ENTRIES)
        return;
    if (r->len + e->len > r->size) {
        size_t size = (r->len + e->len) * 2;
        uint8_t *grown = realloc(r->bytes, size);
        if (grown == NULL) {
            r->is_short_of_memory = true;
            return;
        }
        r->bytes = grown;
        r->size = size;
    }
    memcpy(r->bytes + r->len, e->pb, e->len);
    r->entries[r->entry_count++] = (struct entry){kind, r->len, e->len};
    r->len += e->len;
}

static void entries_reset(struct redis *r) { r->len = r->entry_count = r->entry_given = 0; }

static void read_entry(void *context, const struct redis_entry *e)
{
    struct redis *r = context;
    for (unsigned i = 0; i < STREAMS; i++)
        if (e->key != NULL && strcmp(e->key, r->keys[i]) == 0 &&
            feed_id_order(e->id, r->last[i]) > 0) {
            r->last[i] = e->id;
            entry_keep(r, i == WINDOWS ? RECORD_window : RECORD_day, e);
        }
}

static int read_take(struct redis *r, const redisReply *reply)
{
    return redis_stream_read(reply, read_entry, r) ? 0 : -EPROTO;
}

static void day_entry(void *context, const struct redis_entry *e)
{
    struct redis *r = context;
    if (feed_id_order(e->id, r->last[STREAM_DAYS]) > 0)
        r->last[STREAM_DAYS] = e->id;
    entry_keep(r, RECORD_day, e);
}

static int days_take(struct redis *r, const redisReply *reply)
{
    return redis_stream_range(reply, day_entry, r) ? 0 : -EPROTO;
}

static void newest_entry(void *context, const struct redis_entry *e)
{
    ((struct redis *)context)->last[WINDOWS] = e->id;
}

static int newest_take(struct redis *r, const redisReply *reply)
{
    return redis_stream_range(reply, newest_entry, r) ? 0 : -EPROTO;
}

/* The last `count` entries of a stream. */
static int newest_ask(struct redis *r, enum stream stream, uint64_t count,
                      int (*take)(struct redis *r, const redisReply *reply), struct fault *fault)
{
    redis_batch_reset(&r->batch);
    redis_batch_begin(&r->batch, 6);
    redis_batch_text(&r->batch, "XREVRANGE");
    redis_batch_text(&r->batch, r->keys[stream]);
    redis_batch_text(&r->batch, "+");
    redis_batch_text(&r->batch, "-");
    redis_batch_text(&r->batch, "COUNT");
    redis_batch_number(&r->batch, count);
    return ask(r, take, fault);
}

/* ---- whose */

struct sensors {
    char at[SENSORS][WATCH_WORDS];
    size_t count;
    char cursor[32];
};
static _Thread_local struct sensors *looking; /* of the one question that is out */

static int scan_take(struct redis *r, const redisReply *reply)
{
    char sensor[WATCH_WORDS];
    (void)r;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[0]->len >= sizeof looking->cursor ||
        reply->element[1]->type != REDIS_REPLY_ARRAY)
        return -EPROTO;
    memcpy(looking->cursor, reply->element[0]->str, reply->element[0]->len + 1);
    for (size_t i = 0; i < reply->element[1]->elements; i++) {
        const redisReply *key = reply->element[1]->element[i];
        if (key->type != REDIS_REPLY_STRING ||
            !redis_stream_sensor(key->str, key->len, sensor, sizeof sensor))
            continue;
        size_t at = 0;
        while (at < looking->count && strcmp(looking->at[at], sensor) != 0)
            at++;
        if (at == looking->count && at < SENSORS)
            memcpy(looking->at[looking->count++], sensor, sizeof sensor);
    }
    return 0;
}

static int sensor_find(struct redis *r, struct fault *fault)
{
    struct sensors s = {.cursor = "0"};
    char names[128] = "";
    int err = 0;
    looking = &s;
    for (unsigned turn = 0; err == 0 && turn < SCANS && (turn == 0 || strcmp(s.cursor, "0") != 0);
         turn++) {
        redis_batch_reset(&r->batch);
        redis_batch_words(&r->batch, "SCAN", s.cursor, "MATCH", "yamiscope:{*}:windows", "COUNT",
                          "1000", NULL);
        err = ask(r, scan_take, fault);
    }
    looking = NULL;
    if (err < 0)
        return err;
    if (s.count == 0)
        return fault_set(fault, ENODATA,
                         "%s: holds no stream yamiscope:{SENSOR}:windows (of a cluster: name the "
                         "sensor, --sensor)",
                         r->source.name);
    for (size_t i = 0, len = 0; i < s.count; i++)
        len += (size_t)snprintf(names + len, len < sizeof names ? sizeof names - len : 0, "%s%.40s",
                                i > 0 ? ", " : "", s.at[i]);
    if (s.count > 1)
        return fault_set(fault, EINVAL, "%s: holds several sensors, --sensor names one: %s",
                         r->source.name, names);
    memcpy(r->source.sensor, s.at[0], sizeof s.at[0]);
    return 0;
}

static void keys_make(struct redis *r)
{
    snprintf(r->keys[WINDOWS], sizeof r->keys[0], "yamiscope:{%s}:windows", r->source.sensor);
    snprintf(r->keys[STREAM_DAYS], sizeof r->keys[0], "yamiscope:{%s}:days", r->source.sensor);
}

/* The zone is said by Days alone. */
static void zone_find(struct redis *r)
{
    for (size_t i = 0; i < r->entry_count; i++) {
        struct day_result *day;
        struct fault why;
        const struct entry *e = &r->entries[i];
        if (record_unpack_day(&day, r->bytes + e->at, e->len, &why) < 0)
            continue;
        (void)snprintf(r->source.zone, sizeof r->source.zone, "%s", day->facts->timezone);
        day_result_destroy(day);
        return;
    }
}

static int redis_learn(struct redis *r, const struct watch_settings *s, struct fault *fault)
{
    struct feed_id none = {0, 0};
    if (s->sensor != NULL)
        (void)snprintf(r->source.sensor, sizeof r->source.sensor, "%s", s->sensor);
    int err = s->sensor != NULL ? 0 : sensor_find(r, fault);
    if (err < 0)
        return err;
    keys_make(r);
    err = newest_ask(r, STREAM_DAYS, DAYS, days_take, fault);
    if (err == 0)
        zone_find(r);
    entries_reset(r);
    if (err == 0)
        err = newest_ask(r, WINDOWS, 1, newest_take, fault);
    if (err == 0 && feed_id_order(r->last[WINDOWS], none) == 0 &&
        feed_id_order(r->last[STREAM_DAYS], none) == 0)
        err = fault_set(fault, ENODATA, "%s: holds nothing of sensor '%.100s'", r->source.name,
                        r->source.sensor);
    return err;
}

static int redis_open(struct watch_source **out, const struct watch_settings *s,
                      struct fault *fault)
{
    struct redis *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault_set(fault, ENOMEM, "%s", strerror(ENOMEM));
    r->source.ops = &watch_redis;
    int err = redis_url_parse(&r->url, s->spec, fault);
    if (err == 0) {
        redis_url_name(&r->url, r->source.name);
        r->link = redis_link_create(&r->url);
        err = r->link == NULL ? fault_set(fault, errno, "%s: %s", r->source.name, strerror(errno))
                              : redis_learn(r, s, fault);
    }
    if (err < 0) {
        redis_close(&r->source);
        return err;
    }
    *out = &r->source;
    return 0;
}

/* ---- reading */

/* The Days first, as the source is asked for the first time or anew; then from where the newest day begins. */
static int redis_begin(struct redis *r, struct fault *fault)
{
    int64_t now_ns = watch_now_ns();
    memset(r->last, 0, sizeof r->last);
    entries_reset(r);
    int err = newest_ask(r, STREAM_DAYS, DAYS, days_take, fault);
    if (err == 0)
        err = newest_ask(r, WINDOWS, 1, newest_take, fault);
    if (err < 0)
        return err;
    /* Newest first is not their order. */
    for (size_t i = 0; i < r->entry_count / 2; i++) {
        struct entry e = r->entries[i];
        r->entries[i] = r->entries[r->entry_count - 1 - i];
        r->entries[r->entry_count - 1 - i] = e;
    }
    uint64_t most_ms = (uint64_t)now_ns / 1000000 + 86400000;
    uint64_t newest_ms = r->last[WINDOWS].ms > most_ms ? most_ms : r->last[WINDOWS].ms;
    int64_t begin_ns = watch_begin_ns((int64_t)newest_ms * 1000000);
    r->last[WINDOWS] =
        (struct feed_id){begin_ns < 1000000 ? 0 : (uint64_t)begin_ns / 1000000 - 1, UINT64_MAX};
    r->is_begun = true;
    return 0;
}

static int some_read(struct redis *r, struct fault *fault)
{
    char windows[FEED_ID_TEXT], days[FEED_ID_TEXT];
    entries_reset(r);
    redis_batch_reset(&r->batch);
    redis_batch_begin(&r->batch, 10);
    redis_batch_text(&r->batch, "XREAD");
    redis_batch_text(&r->batch, "COUNT");
    redis_batch_number(&r->batch, AT_ONCE);
    redis_batch_text(&r->batch, "BLOCK");
    redis_batch_number(&r->batch, WATCH_WAIT_MS);
    redis_batch_text(&r->batch, "STREAMS");
    redis_batch_text(&r->batch, r->keys[WINDOWS]);
    redis_batch_text(&r->batch, r->keys[STREAM_DAYS]);
    redis_batch_text(&r->batch, feed_id_text(r->last[WINDOWS], windows));
    redis_batch_text(&r->batch, feed_id_text(r->last[STREAM_DAYS], days));
    int err = ask(r, read_take, fault);
    if (err == 0 && r->is_short_of_memory) {
        r->is_short_of_memory = false;
        err = fault_set(fault, ENOMEM, "%s: %s", r->source.name, strerror(ENOMEM));
    }
    return err;
}

/* Nothing came for long: is the stream still the one that was read? Who emptied it begins it anew. */
static int still_there(struct redis *r, struct fault *fault)
{
    struct feed_id had = r->last[WINDOWS];
    r->last[WINDOWS] = (struct feed_id){0, 0};
    int err = newest_ask(r, WINDOWS, 1, newest_take, fault);
    struct feed_id has = r->last[WINDOWS];
    r->last[WINDOWS] = had;
    if (err < 0 || feed_id_order(has, had) >= 0 || had.n == UINT64_MAX)
        return err;
    r->is_begun = false;
    return fault_set(fault, ESTALE, "%s: the stream was emptied", r->source.name);
}

static int redis_next(struct watch_source *s, struct watch_record *to, struct fault *fault)
{
    struct redis *r = (struct redis *)s;
    int err = r->is_begun ? 0 : redis_begin(r, fault);
    if (err == 0 && r->entry_given == r->entry_count)
        err = some_read(r, fault);
    if (err < 0)
        return err;
    if (r->entry_given == r->entry_count)
        return ++r->idle % IDLE_LOOKS == 0 ? still_there(r, fault) : 0;
    const struct entry *e = &r->entries[r->entry_given++];
    *to = (struct watch_record){e->kind, ++r->count, r->bytes + e->at, e->len};
    r->idle = 0;
    return 1;
}

static void redis_interrupt(struct watch_source *s)
{
    redis_link_interrupt(((struct redis *)s)->link);
}

const struct watch_source_ops watch_redis = {.is = redis_is,
                                             .open = redis_open,
                                             .next = redis_next,
                                             .interrupt = redis_interrupt,
                                             .close = redis_close};
