#include "export/sink_redis.h"

#include "export/record.h"
#include "export/redis_link.h"
#include "export/sink_redis_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOWER_MAX = 3
}; /* silence may last up to 2^3 times as long as asked for, after as many timeouts */

struct sink_redis {
    struct sink sink;
    struct redis_url url;
    struct redis_keys keys;
    struct redis_link *link, *aside; /* the node that has the slot; the one it is moving to */
    struct redis_host host;          /* of the first; used where has_host: MOVED named it */
    bool has_host;
    unsigned next_seed;
    unsigned slower;
    bool exists[SINK_SORTS]; /* the stream is there */
    struct redis_batch batch, asked;
};

static struct sink_redis *of(struct sink *s) { return (struct sink_redis *)s; }

static int no_memory(struct fault *fault) { return fault_set(fault, ENOMEM, "no memory"); }

/* ---- commands ---- */

/* What one run of commands is about; `take` sees every answer that is neither MOVED nor ASK. */
struct commands {
    struct sink_redis *s;
    const struct redis_batch *b;
    redis_take take;
    void *context;
    struct fault *fault;
    size_t ask[64]; /* commands that another node is to be asked for */
    size_t ask_count;
    bool is_too_many;
    struct redis_host ask_host;
    size_t aside_of; /* command of the batch that stands behind ASKING */
};

static int moved(struct commands *c, const char *text)
{
    struct redis_host to;
    if (redis_redirect(text, redis_link_host(c->s->link), &to)) {
        c->s->host = to;
        c->s->has_host = true;
        return fault_set(c->fault, ERESTART, "the slot has moved to %.100s:%u", to.name,
                         (unsigned)to.port);
    }
    return fault_set(c->fault, EPROTO, "%.100s", text);
}

static int answer_take(void *context, size_t command, const redisReply *reply)
{
    struct commands *c = context;
    int kind = reply->type == REDIS_REPLY_ERROR ? redis_error(reply->str) : 0;
    struct redis_host to;
    if (kind == -ERESTART && strncmp(reply->str, "MOVED ", 6) == 0)
        return moved(c, reply->str);
    if (kind != -EXDEV)
        return c->take(c->context, command, reply);
    if (!redis_redirect(reply->str, redis_link_host(c->s->link), &to))
        return fault_set(c->fault, EPROTO, "%.100s", reply->str);
    if (c->ask_count > 0 && (to.port != c->ask_host.port || strcmp(to.name, c->ask_host.name) != 0))
        return fault_set(c->fault, EAGAIN, "the slot is moving to two nodes");
    c->ask_host = to;
    if (c->ask_count < sizeof c->ask / sizeof *c->ask)
        c->ask[c->ask_count++] = command;
    else
        c->is_too_many = true;
    return 0;
}

static int aside_take(void *context, size_t command, const redisReply *reply)
{
    struct commands *c = context;
    int kind = reply->type == REDIS_REPLY_ERROR ? redis_error(reply->str) : 0;
    if (command % 2 == 0) /* ASKING */
        return kind == 0 ? 0 : fault_set(c->fault, EAGAIN, "ASKING: %.100s", reply->str);
    if (kind == -EXDEV || (kind == -ERESTART && strncmp(reply->str, "MOVED ", 6) == 0))
        return fault_set(c->fault, EAGAIN, "the slot is moving: %.100s", reply->str);
    return c->take(c->context, c->aside_of + command / 2, reply);
}

/* The commands that the slot's next node has to answer, each behind an ASKING. */
static int aside_run(struct commands *c, size_t command)
{
    struct sink_redis *s = c->s;
    struct redis_batch *b = &s->asked;
    const struct redis_host *now = redis_link_host(s->aside);
    if (!redis_link_is_open(s->aside) || now->port != c->ask_host.port ||
        strcmp(now->name, c->ask_host.name) != 0) {
        int err = redis_link_open(s->aside, &c->ask_host, c->fault);
        if (err < 0)
            return err;
    }
    redis_batch_reset(b);
    redis_batch_words(b, "ASKING", NULL);
    redis_batch_copy(b, c->b, command);
    c->aside_of = command;
    return redis_batch_holds(b) ? redis_link_run(s->aside, b, 0, b->count, aside_take, c, c->fault)
                                : no_memory(c->fault);
}

/* Runs commands [from, from + count), on the node that has the slot, or where that says. In slices, so that what has to
 * be asked elsewhere is asked in order. */
static int commands_run(struct sink_redis *s, const struct redis_batch *b, size_t from,
                        size_t count, redis_take take, void *context, struct fault *fault)
{
    struct commands c = {.s = s, .b = b, .take = take, .context = context, .fault = fault};
    const size_t slice_max = sizeof c.ask / sizeof *c.ask;
    int err = redis_batch_holds(b) ? 0 : no_memory(fault);
    for (size_t end = from + count; err == 0 && from < end;) {
        size_t slice = end - from < slice_max ? end - from : slice_max;
        c.ask_count = 0;
        err = redis_link_run(s->link, b, from, slice, answer_take, &c, fault);
        for (size_t i = 0; err == 0 && i < c.ask_count; i++)
            err = aside_run(&c, c.ask[i]);
        from += slice;
    }
    return err;
}

/* ---- connecting ---- */

/* Whoever answered last; else the hosts that were given, in turn. */
static int connected(struct sink_redis *s, struct fault *fault)
{
    int err = -ENOTCONN;
    uint64_t patience = s->url.timeout_ms << s->slower;
    redis_link_patience(s->link, patience);
    redis_link_patience(s->aside, patience);
    if (redis_link_is_open(s->link))
        return 0;
    if (s->has_host) {
        s->has_host = false;
        err = redis_link_open(s->link, &s->host, fault);
    }
    for (unsigned i = 0; err < 0 && err != -ECANCELED && i < s->url.host_count; i++) {
        const struct redis_host *host = &s->url.hosts[s->next_seed++ % s->url.host_count];
        err = redis_link_open(s->link, host, fault);
        if (err == 0)
            s->next_seed--; /* once more next time */
    }
    return err;
}

/* Whatever failed: the fault says of which server. */
static int ended(struct sink_redis *s, int err, struct fault *fault)
{
    if (err < 0)
        (void)fault_prefix(fault, s->sink.name);
    if (err == -ERESTART || err == -EROFS) /* another node has the slot, or is the primary now */
        redis_link_close(s->link);
    if (err == -EROFS)
        s->next_seed++;
    if (err == -ETIMEDOUT && s->slower < SLOWER_MAX)
        s->slower++;
    return err;
}

/* ---- asking ---- */

struct asking {
    struct sink_redis *s;
    struct sink_cursor *have;
    struct fault *fault;
};

static bool is_text(const redisReply *r, const char *text)
{
    return (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS) &&
           strcmp(r->str, text) == 0;
}

static int odd(struct fault *fault, const struct redis_batch *b, size_t command)
{
    char text[REDIS_COMMAND_TEXT];
    return fault_set(fault, EPROTO, "%s: an answer of another form",
                     redis_batch_describe(b, command, text));
}

static int refused(struct fault *fault, const struct redis_batch *b, size_t command,
                   const char *why)
{
    char text[REDIS_COMMAND_TEXT];
    int err = redis_error(why);
    return fault_set(fault, err == -EXDEV ? EAGAIN : -err, "%s: %.120s",
                     redis_batch_describe(b, command, text), why);
}

/* Whether the user may not have the stream of events, which holds addresses. */
static bool is_events_refusal(struct asking *a, size_t command, const redisReply *r)
{
    if (command / 2 != SINK_EVENTS || r->type != REDIS_REPLY_ERROR ||
        strncmp(r->str, "NOPERM", 6) != 0)
        return false;
    (void)snprintf(a->s->sink.untold, sizeof a->s->sink.untold,
                   "%.80s: this user may not have it: events are not told",
                   a->s->keys.streams[SINK_EVENTS]);
    a->have[SINK_EVENTS] = (struct sink_cursor){.is_unwanted = true};
    return true;
}

/* XINFO STREAM: names and values in turn. */
static int info_take(struct asking *a, size_t command, const redisReply *r)
{
    struct sink_cursor *have = &a->have[command / 2];
    if (is_events_refusal(a, command, r))
        return 0;
    if (r->type == REDIS_REPLY_ERROR && strncmp(r->str, "ERR no such key", 15) == 0)
        return 0;
    if (r->type == REDIS_REPLY_ERROR)
        return refused(a->fault, &a->s->batch, command, r->str);
    for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i + 1 < r->elements; i += 2) {
        const redisReply *value = r->element[i + 1];
        if (!is_text(r->element[i], "last-generated-id"))
            continue;
        if (value->type != REDIS_REPLY_STRING ||
            !feed_id_parse(&have->last, value->str, value->len))
            break;
        a->s->exists[command / 2] = true;
        return 0;
    }
    return odd(a->fault, &a->s->batch, command);
}

/* XREVRANGE + - COUNT 1: [[id, [field, value, ...]]], or nothing. */
static int last_take(struct asking *a, size_t command, const redisReply *r)
{
    struct sink_cursor *have = &a->have[command / 2];
    struct feed_id id;
    if (is_events_refusal(a, command, r))
        return 0;
    if (r->type == REDIS_REPLY_ERROR)
        return refused(a->fault, &a->s->batch, command, r->str);
    if (r->type == REDIS_REPLY_NIL || (r->type == REDIS_REPLY_ARRAY && r->elements == 0))
        return 0;
    const redisReply *entry = r->type == REDIS_REPLY_ARRAY ? r->element[0] : r;
    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
        entry->element[0]->type != REDIS_REPLY_STRING ||
        entry->element[1]->type != REDIS_REPLY_ARRAY ||
        !feed_id_parse(&id, entry->element[0]->str, entry->element[0]->len))
        return odd(a->fault, &a->s->batch, command);
    if (feed_id_order(id, have->last) != 0)
        return 0; /* entries behind it were deleted: the cursor is the last id all the same */
    const redisReply *fields = entry->element[1];
    have->has_crc = true;
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (is_text(fields->element[i], "pb") && fields->element[i + 1]->type == REDIS_REPLY_STRING)
            have->crc = record_crc(0, fields->element[i + 1]->str, fields->element[i + 1]->len);
    return 0;
}

static int ask_take(void *context, size_t command, const redisReply *reply)
{
    return command % 2 == 0 ? info_take(context, command, reply)
                            : last_take(context, command, reply);
}

static int redis_ask(struct sink *sink, struct sink_cursor have[SINK_SORTS], struct fault *fault)
{
    struct sink_redis *s = of(sink);
    struct asking asking = {.s = s, .have = have, .fault = fault};
    struct redis_batch *b = &s->batch;
    memset(have, 0, SINK_SORTS * sizeof *have);
    memset(s->exists, 0, sizeof s->exists);
    s->sink.untold[0] = 0;
    have[SINK_EVENTS].is_unwanted = s->keys.keep_s[SINK_EVENTS] == 0;
    redis_batch_reset(b);
    for (unsigned sort = 0; sort < SINK_SORTS && !have[sort].is_unwanted; sort++) {
        redis_batch_words(b, "XINFO", "STREAM", s->keys.streams[sort], NULL);
        redis_batch_words(b, "XREVRANGE", s->keys.streams[sort], "+", "-", "COUNT", "1", NULL);
    }
    int err = connected(s, fault);
    if (err == 0)
        err = commands_run(s, b, 0, b->count, ask_take, &asking, fault);
    return ended(s, err, fault);
}

/* ---- delivering ---- */

struct delivering {
    struct sink_redis *s;
    struct fault *fault;
    int err; /* the first that a command of the sums came to; the others are read all the same */
    bool was_added;
};

static int sums_take(void *context, size_t command, const redisReply *reply)
{
    struct delivering *d = context;
    if (reply->type == REDIS_REPLY_ERROR && d->err == 0)
        d->err = refused(d->fault, &d->s->batch, command, reply->str);
    return 0;
}

static int entry_take(void *context, size_t command, const redisReply *reply)
{
    struct delivering *d = context;
    if (reply->type == REDIS_REPLY_ERROR && d->err == 0)
        d->err = refused(d->fault, &d->s->batch, command, reply->str);
    else if (command == 0 && reply->type == REDIS_REPLY_NIL)
        d->err = fault_set(d->fault, ERESTART, "the stream is gone");
    else if (command == 0 && reply->type != REDIS_REPLY_STRING && d->err == 0)
        d->err = odd(d->fault, &d->s->batch, command);
    else if (command == 0 && d->err == 0)
        d->was_added = true;
    return 0;
}

/* What follows is worth a note, no more. */
static int after_take(void *context, size_t command, const redisReply *reply)
{
    struct delivering *d = context;
    char text[REDIS_COMMAND_TEXT];
    if (reply->type != REDIS_REPLY_ERROR)
        return 0;
    d->err = redis_error(reply->str);
    (void)snprintf(d->s->sink.note, sizeof d->s->sink.note, "%.60s: %.90s",
                   redis_batch_describe(&d->s->batch, command, text), reply->str);
    return 0;
}

static int sums_deliver(struct sink_redis *s, const struct sink_batch *batch, struct fault *fault)
{
    struct delivering d = {.s = s, .fault = fault};
    redis_batch_reset(&s->batch);
    redis_keys_sums(&s->keys, &s->batch, batch);
    int err = commands_run(s, &s->batch, 0, s->batch.count, sums_take, &d, fault);
    return err < 0 ? err : d.err;
}

static int entry_deliver(struct sink_redis *s, const struct sink_batch *batch,
                         const struct sink_item *item, size_t *done, struct fault *fault)
{
    struct delivering d = {.s = s, .fault = fault};
    redis_batch_reset(&s->batch);
    redis_keys_entry(&s->keys, &s->batch, batch, item, s->exists[item->sort]);
    int err = commands_run(s, &s->batch, 0, s->batch.count, entry_take, &d, fault);
    if (d.was_added) {
        s->exists[item->sort] = true;
        ++*done;
    }
    return err < 0 ? err : d.err;
}

static int redis_deliver(struct sink *sink, const struct sink_batch *batch, size_t *done,
                         struct fault *fault)
{
    struct sink_redis *s = of(sink);
    *done = 0;
    int err = redis_link_is_open(s->link)
                  ? sums_deliver(s, batch, fault)
                  : fault_set(fault, ERESTART, "not connected: must be asked first");
    while (err == 0 && *done < batch->count)
        err = entry_deliver(s, batch, &batch->items[*done], done, fault);
    if (*done > 0 && redis_link_is_open(s->link)) {
        struct delivering d = {.s = s, .fault = fault};
        struct fault unsaid;
        redis_batch_reset(&s->batch);
        redis_keys_after(&s->keys, &s->batch, batch, *done);
        (void)commands_run(s, &s->batch, 0, s->batch.count, after_take, &d, &unsaid);
        if (s->batch.count > 0 && d.err == 0)
            s->sink.note[0] = 0;
    }
    if (err == 0 && s->slower > 0)
        s->slower--;
    return ended(s, err, fault);
}

/* ---- life ---- */

static void redis_interrupt(struct sink *sink)
{
    redis_link_interrupt(of(sink)->link);
    redis_link_interrupt(of(sink)->aside);
}

static void redis_close(struct sink *sink)
{
    struct sink_redis *s = of(sink);
    redis_link_destroy(s->link);
    redis_link_destroy(s->aside);
    redis_batch_free(&s->batch);
    redis_batch_free(&s->asked);
    explicit_bzero(s->url.password, sizeof s->url.password);
    free(s);
}

static const struct sink_ops redis_ops = {
    .ask = redis_ask,
    .deliver = redis_deliver,
    .interrupt = redis_interrupt,
    .close = redis_close,
};

int sink_redis_open(struct sink **out, const char *spec, const char *sensor, struct fault *fault)
{
    struct sink_redis *s = calloc(1, sizeof *s);
    int err = s == NULL ? no_memory(fault) : redis_url_parse(&s->url, spec, fault);
    if (err == 0)
        err = redis_keys_init(&s->keys, sensor, &s->url, fault);
    if (err == 0) {
        s->sink.ops = &redis_ops;
        (void)redis_url_name(&s->url, s->sink.name);
        s->link = redis_link_create(&s->url);
        s->aside = redis_link_create(&s->url);
        err = s->link != NULL && s->aside != NULL ? 0 : no_memory(fault);
    }
    *out = err == 0 ? &s->sink : NULL;
    if (err < 0 && s != NULL)
        redis_close(&s->sink);
    return err;
}

int sink_redis_adopt(struct sink *sink, int fd, struct fault *fault)
{
    return redis_link_adopt(of(sink)->link, fd, fault);
}
