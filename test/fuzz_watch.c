/* What a server or a Redis sends to a live view. The first byte: its lowest two bits say whether the rest is a stream of
 * Records as it stands, one that gets right lengths and checksums (forge.h), or answers of a Redis; the others choose the frame.
 * Whatever comes, a frame is lines that fit, and nothing in it is obeyed by a terminal. */
#include "export/calendar.h"
#include "export/record_split.h"
#include "export/redis_stream.h"
#include "export/watch.h"

#include "forge.h"
#include "sample_window.h"
#include "watch_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct watch *w;

static void split_take(const uint8_t *data, size_t size)
{
    struct record_view view;
    struct fault fault;
    size_t used;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, data, size);
    for (size_t at = 0; record_split(exact + at, size - at, &view, &used, &fault) > 0; at += used) {
        if (used > size - at || view.body < exact + at ||
            view.body + view.body_len > exact + at + used)
            abort();
        watch_take(w, view.body_kind, view.seq, view.body, view.body_len);
    }
    free(exact);
}

/* Each chunk: a length, then a record without its crc. */
static void forged_take(const uint8_t *data, size_t size)
{
    struct forge f = {0};
    while (size > 2) {
        size_t len = (size_t)data[0] | (size_t)data[1] << 8;
        len = len > size - 2 ? size - 2 : len;
        forge_bytes(&f, data + 2, len);
        data += 2 + len;
        size -= 2 + len;
    }
    if (f.len > 0)
        split_take(f.data, f.len);
    free(f.data);
}

static void entry_take(void *context, const struct redis_entry *e)
{
    (void)context;
    if (e->pb == NULL)
        return;
    watch_take(w, RECORD_window, e->id.n, e->pb, e->len);
    watch_take(w, RECORD_day, e->id.n, e->pb, e->len);
}

static void replies_take(const uint8_t *data, size_t size)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    char sensor[16];
    if (reader == NULL || redisReaderFeed(reader, (const char *)data, size) != REDIS_OK)
        abort();
    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL) {
        const redisReply *r = reply;
        (void)redis_stream_read(r, entry_take, NULL);
        (void)redis_stream_range(r, entry_take, NULL);
        if (r->type == REDIS_REPLY_STRING)
            (void)redis_stream_sensor(r->str, r->len, sensor, sizeof sensor);
        freeReplyObject(reply);
        reply = NULL;
    }
    redisReaderFree(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned columns[] = {1, 30, 61, 80, 100, 140, 133, 400};
    static const unsigned rows[] = {0, 4, 24, 60};
    size_t len, lines;
    if (size < 2 || size > 1 << 20)
        return 0;
    if (w == NULL && (calendar_zone("UTC") < 0 || (w = watch_create(sample_ruleset())) == NULL))
        abort();
    watch_clear(w);
    w->now_ns = INT64_C(1780000000) * 1000000000;
    if (data[0] % 4 == 3)
        replies_take(data + 2, size - 2);
    else if (data[0] % 4 == 2)
        forged_take(data + 2, size - 2);
    else
        split_take(data + 2, size - 2);
    struct watch_frame f = {.columns = columns[data[0] >> 2 & 7],
                            .rows = rows[data[0] >> 5 & 3],
                            .is_color = (data[0] & 0x80) != 0,
                            .is_utf8 = (data[1] & 1) != 0,
                            .is_japanese = (data[1] & 2) != 0,
                            .over = (data[1] >> 2) % (SHARE_OVER_COUNT + 1),
                            .source = "",
                            .link = (data[1] >> 5) % 3,
                            .why = "",
                            .now_ns = w->now_ns};
    char *text = watch_case_print(w, &f, &len);
    if (watch_case_fault(text, len, f.columns, &lines) != NULL || (f.rows > 0 && lines != f.rows))
        abort();
    free(text);
    return 0;
}
