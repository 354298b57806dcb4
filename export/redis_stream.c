#include "export/redis_stream.h"

#include <string.h>

enum { KEY = 256 };

static bool is_text(const redisReply *r)
{
    return r != NULL && (r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS);
}

static bool is_array(const redisReply *r) { return r != NULL && r->type == REDIS_REPLY_ARRAY; }

/* [id, [field, value, ...]] */
static void entry_take(const redisReply *r, const char *key, redis_entry_take take, void *context)
{
    struct redis_entry e = {.key = key};
    if (!is_array(r) || r->elements != 2 || !is_text(r->element[0]) || !is_array(r->element[1]) ||
        !feed_id_parse(&e.id, r->element[0]->str, r->element[0]->len))
        return;
    const redisReply *fields = r->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const redisReply *name = fields->element[i], *value = fields->element[i + 1];
        if (is_text(name) && name->len == 2 && memcmp(name->str, "pb", 2) == 0 && is_text(value)) {
            e.pb = (const uint8_t *)value->str;
            e.len = value->len;
        }
    }
    take(context, &e);
}

static bool entries_take(const redisReply *r, const char *key, redis_entry_take take, void *context)
{
    if (!is_array(r))
        return false;
    for (size_t i = 0; i < r->elements; i++)
        entry_take(r->element[i], key, take, context);
    return true;
}

bool redis_stream_range(const redisReply *reply, redis_entry_take take, void *context)
{
    return reply != NULL &&
           (reply->type == REDIS_REPLY_NIL || entries_take(reply, NULL, take, context));
}

bool redis_stream_read(const redisReply *reply, redis_entry_take take, void *context)
{
    if (reply == NULL || (reply->type != REDIS_REPLY_NIL && !is_array(reply)))
        return false;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *stream = reply->element[i];
        char key[KEY];
        if (!is_array(stream) || stream->elements != 2 || !is_text(stream->element[0]) ||
            stream->element[0]->len >= sizeof key)
            return false;
        memcpy(key, stream->element[0]->str, stream->element[0]->len);
        key[stream->element[0]->len] = '\0';
        if (!entries_take(stream->element[1], key, take, context))
            return false;
    }
    return true;
}

bool redis_stream_sensor(const char *key, size_t len, char *sensor, size_t size)
{
    static const char front[] = "yamiscope:{", back[] = "}:windows";
    const size_t f = sizeof front - 1, b = sizeof back - 1;
    if (len <= f + b || len - f - b >= size || memcmp(key, front, f) != 0 ||
        memcmp(key + len - b, back, b) != 0 || memchr(key + f, '}', len - f - b) != NULL)
        return false;
    memcpy(sensor, key + f, len - f - b);
    sensor[len - f - b] = '\0';
    return strlen(sensor) == len - f - b;
}
