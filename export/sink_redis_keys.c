#include "export/sink_redis_keys.h"

#include "export/calendar.h"
#include "export/event_print.h"
#include "export/record_event.h"
#include "export/share.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PAIRS = 256
}; /* of one ZADD: keeps each command short, so that Redis serves others in between */

static const int64_t second_ns = 1000000000;

int redis_keys_init(struct redis_keys *k, const char *sensor, const struct redis_url *url,
                    struct fault *fault)
{
    size_t len = strlen(sensor);
    bool is_sound = len > 0 && len <= REDIS_SENSOR;
    for (size_t i = 0; i < len; i++)
        is_sound &= (unsigned char)sensor[i] > ' ' && strchr("{}\x7f", sensor[i]) == NULL;
    if (!is_sound)
        return fault_set(fault, EINVAL,
                         "sensor '%.80s': its name stands in keys: 1 to %d bytes, no brace, space "
                         "or control character",
                         sensor, REDIS_SENSOR);
    *k = (struct redis_keys){
        .keep_s = {[SINK_WINDOWS] = url->keep_windows_s,
                   [SINK_DAYS] = url->keep_days_s,
                   [SINK_EVENTS] = url->keep_events_s},
        .keep_hours_s = url->keep_hours_s,
        .keep_days_s = url->keep_days_s,
    };
    memcpy(k->sensor, sensor, len);
    (void)snprintf(k->streams[SINK_WINDOWS], REDIS_KEY, "yamiscope:{%s}:windows", sensor);
    (void)snprintf(k->streams[SINK_DAYS], REDIS_KEY, "yamiscope:{%s}:days", sensor);
    (void)snprintf(k->streams[SINK_EVENTS], REDIS_KEY, "yamiscope-sources:{%s}:events", sensor);
    (void)snprintf(k->live, REDIS_KEY, "yamiscope:{%s}:live", sensor);
    return 0;
}

void redis_hll(const struct hll *h, uint8_t out[REDIS_HLL])
{
    /* Magic, 0 for dense, 3 bytes of nothing, 8 of a count whose top bit says that it does not hold. */
    static const uint8_t head[16] = {'H', 'Y', 'L', 'L', [15] = 0x80};
    memcpy(out, head, sizeof head);
    hll_dense(h, out + sizeof head);
}

/* ---- sums ---- */

static void expire(struct redis_batch *b, const char *key, uint64_t seconds)
{
    redis_batch_begin(b, 3);
    redis_batch_text(b, "EXPIRE");
    redis_batch_text(b, key);
    redis_batch_number(b, seconds);
}

/* Whether what ended then is kept no longer. */
static bool is_past(const struct sink_batch *batch, int64_t end_ns, uint64_t keep_s)
{
    int64_t age_ns;
    return batch->oldest_ns != INT64_MIN &&
           !__builtin_sub_overflow(batch->oldest_ns, end_ns, &age_ns) &&
           age_ns / second_ns > (int64_t)keep_s;
}

struct pair {
    uint64_t packets;
    uint16_t port;
    uint8_t proto;
};

static void pairs_tell(struct redis_batch *b, const char *key, const struct pair *pairs,
                       size_t count)
{
    if (count == 0)
        return;
    redis_batch_begin(b, 2 + 2 * count);
    redis_batch_text(b, "ZADD");
    redis_batch_text(b, key);
    for (size_t i = 0; i < count; i++) {
        char member[16];
        (void)snprintf(member, sizeof member, "%s/%u", window_proto_name(pairs[i].proto),
                       (unsigned)pairs[i].port);
        redis_batch_number(b, pairs[i].packets);
        redis_batch_text(b, member);
    }
}

static void ports_tell(struct redis_batch *b, const char *key, const struct hour_sum *h)
{
    struct pair pairs[PAIRS];
    size_t count = 0;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned word = 0; word < WINDOW_PORT_WORDS; word++)
            for (uint64_t left = h->new_ports[proto][word]; left != 0; left &= left - 1) {
                unsigned port = word * 64 + (unsigned)__builtin_ctzll(left);
                pairs[count++] =
                    (struct pair){h->scan[proto][port], (uint16_t)port, (uint8_t)proto};
                if (count == PAIRS) {
                    pairs_tell(b, key, pairs, count);
                    count = 0;
                }
            }
    pairs_tell(b, key, pairs, count);
}

static void hour_tell(const struct redis_keys *k, struct redis_batch *b, const struct hour_sum *h)
{
    char key[REDIS_KEY], hour[24];
    uint8_t sketch[REDIS_HLL];
    time_t seconds = (time_t)(h->start_ns / second_ns);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(hour, sizeof hour, "%Y%m%d%H", &tm) == 0)
        return;
    size_t before = b->count;
    (void)snprintf(key, sizeof key, "yamiscope:{%s}:ports:%s", k->sensor, hour);
    ports_tell(b, key, h);
    if (b->count > before)
        expire(b, key, k->keep_hours_s);
    for (unsigned mark = 0; mark < MARK_COUNT; mark++) {
        if (h->lacks_sketches || (h->new_marks >> mark & 1) == 0)
            continue;
        (void)snprintf(key, sizeof key, "yamiscope:{%s}:sources:%s:%s", k->sensor, mark_name(mark),
                       hour);
        redis_hll(&h->hll[mark], sketch);
        redis_batch_begin(b, 5);
        redis_batch_text(b, "SET");
        redis_batch_text(b, key);
        redis_batch_bytes(b, sketch, sizeof sketch);
        redis_batch_text(b, "EX");
        redis_batch_number(b, k->keep_hours_s);
    }
}

/* Fields of a hash: those that are there are set, the others taken away. */
struct fields {
    struct redis_batch *b;
    bool is_setting; /* else taking away */
    size_t count;    /* counted first, while b is NULL */
};

static void field_text(struct fields *f, bool is_there, const char *name, const char *value)
{
    if (is_there != f->is_setting)
        return;
    f->count++;
    if (f->b == NULL)
        return;
    redis_batch_text(f->b, name);
    if (f->is_setting)
        redis_batch_text(f->b, value);
}

static void field_number(struct fields *f, bool is_there, const char *before, const char *name,
                         const char *behind, uint64_t value)
{
    char text[24], field[96];
    (void)snprintf(field, sizeof field, "%s%s%s", before, name, behind);
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    field_text(f, is_there, field, text);
}

static void share_fields(struct fields *f, const struct date_sum *d)
{
    field_text(f, true, "state", d->is_final ? "final" : "provisional");
    field_number(f, true, "", "revision", "", d->revision);
    field_number(f, d->is_final || !d->lacks_sketches, "", "sources_exact", "", d->is_final);
    field_text(f, !d->has_ex, "ex_absent", d->ex_absent);
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        const char *name = mark_name(mark);
        uint64_t sources =
            d->is_final ? d->sources[mark] : (uint64_t)llround(hll_count(&d->hll[mark]));
        field_number(f, true, "", name, "", d->packets[mark]);
        field_number(f, d->has_ex, "", name, "_ex_survey", d->packets_ex[mark]);
        field_number(f, d->is_final || !d->lacks_sketches, "sources_", name, "", sources);
        field_number(f, d->has_ex && d->is_final, "sources_", name, "_ex_survey",
                     d->sources_ex[mark]);
    }
}

static void date_tell(const struct redis_keys *k, struct redis_batch *b, const struct date_sum *d)
{
    static const char *const names[] = {"HDEL", "HSET"};
    char key[REDIS_KEY];
    struct calendar_civil day = calendar_civil_of(d->date);
    (void)snprintf(key, sizeof key, "yamiscope:{%s}:share:%04d%02u%02u", k->sensor, day.year,
                   (unsigned)day.month, (unsigned)day.day);
    for (unsigned is_setting = 0; is_setting < 2; is_setting++) {
        struct fields counted = {.is_setting = is_setting};
        share_fields(&counted, d);
        if (counted.count == 0)
            continue;
        redis_batch_begin(b, 2 + counted.count * (is_setting ? 2 : 1));
        redis_batch_text(b, names[is_setting]);
        redis_batch_text(b, key);
        share_fields(&(struct fields){.b = b, .is_setting = is_setting}, d);
    }
    expire(b, key, k->keep_days_s);
}

void redis_keys_sums(const struct redis_keys *k, struct redis_batch *b,
                     const struct sink_batch *batch)
{
    const struct hour_sum *h;
    const struct date_sum *d;
    for (unsigned at = 0; (h = feed_sums_hour(batch->sums, &at)) != NULL;)
        if (!is_past(batch, h->start_ns, k->keep_hours_s))
            hour_tell(k, b, h);
    for (unsigned at = 0; (d = feed_sums_date(batch->sums, &at)) != NULL;)
        if (!is_past(batch, d->end_ns, k->keep_days_s))
            date_tell(k, b, d);
}

/* ---- entries ---- */

static void entry_counts(struct redis_batch *b, const struct sink_item *item)
{
    char field[64];
    for (unsigned mark = 0; mark < SHARE_MARK_COUNT; mark++) {
        redis_batch_text(b, mark_name(mark));
        redis_batch_number(b, item->packets[mark]);
        if (!item->has_ex)
            continue;
        (void)snprintf(field, sizeof field, "%s_ex_survey", mark_name(mark));
        redis_batch_text(b, field);
        redis_batch_number(b, item->packets_ex[mark]);
    }
}

/* The least id that is kept; 0: all are. */
static uint64_t ms_kept(const struct sink_batch *batch, uint64_t keep_s)
{
    int64_t oldest_ms = batch->oldest_ns / 1000000, keep_ms = (int64_t)keep_s * 1000;
    return batch->oldest_ns == INT64_MIN || oldest_ms <= keep_ms ? 0
                                                                 : (uint64_t)(oldest_ms - keep_ms);
}

/* XADD up to the entry's id, whose fields follow: so many names and values. */
static void entry_begin(const struct redis_keys *k, struct redis_batch *b,
                        const struct sink_batch *batch, const struct sink_item *item, bool exists,
                        size_t fields)
{
    const char *key = k->streams[item->sort];
    uint64_t kept = ms_kept(batch, k->keep_s[item->sort]);
    char id[FEED_ID_TEXT];
    redis_batch_begin(b, 3 + exists + (kept > 0 ? 3 : 0) + 2 * fields);
    redis_batch_text(b, "XADD");
    redis_batch_text(b, key);
    if (exists)
        redis_batch_text(b, "NOMKSTREAM");
    if (kept > 0) {
        redis_batch_text(b, "MINID");
        redis_batch_text(b, "=");
        redis_batch_number(b, kept);
    }
    redis_batch_text(b, feed_id_text(item->id, id));
    redis_batch_text(b, "pb");
    redis_batch_bytes(b, item->body, item->body_len);
}

static void pair_tell(struct redis_batch *b, const char *name, const char *value)
{
    redis_batch_text(b, name);
    redis_batch_text(b, value);
}

/* Who gave the item has unpacked it before. */
static void event_entry(const struct redis_keys *k, struct redis_batch *b,
                        const struct sink_batch *batch, const struct sink_item *item, bool exists)
{
    struct event e = {0};
    char id[EVENT_ID], address[EVENT_ADDRESS], number[24];
    (void)record_unpack_event(&e, item->body, item->body_len, NULL);
    bool has_proto = e.proto != EVENT_ANY_PROTO;
    entry_begin(k, b, batch, item, exists, 7 + (e.ip_version != 0) + has_proto + e.has_port);
    pair_tell(b, "id", event_id(&e, id));
    pair_tell(b, "type", event_type_name(e.type));
    pair_tell(b, "phase", event_phase_name(e.phase));
    redis_batch_text(b, "update");
    redis_batch_number(b, e.update);
    (void)snprintf(number, sizeof number, "%" PRId64, e.time_ns / second_ns);
    pair_tell(b, "time", number);
    redis_batch_text(b, "packets");
    redis_batch_number(b, e.packets);
    if (e.ip_version != 0)
        pair_tell(b, "address", event_address(&e, address));
    if (has_proto)
        pair_tell(b, "proto", event_proto_name(e.proto));
    if (e.has_port) {
        redis_batch_text(b, "port");
        redis_batch_number(b, e.port);
    }
    expire(b, k->streams[item->sort], k->keep_s[item->sort]);
}

void redis_keys_entry(const struct redis_keys *k, struct redis_batch *b,
                      const struct sink_batch *batch, const struct sink_item *item, bool exists)
{
    if (item->sort == SINK_EVENTS) {
        event_entry(k, b, batch, item, exists);
        return;
    }
    const char *key = k->streams[item->sort];
    char date[CALENDAR_DATE];
    bool is_window = item->sort == SINK_WINDOWS;
    size_t fields = (is_window ? 3 : 4) + SHARE_MARK_COUNT * (item->has_ex ? 2 : 1);

    entry_begin(k, b, batch, item, exists, fields);
    if (is_window) {
        char start[24];
        (void)snprintf(start, sizeof start, "%" PRId64, item->start_ns / second_ns);
        redis_batch_text(b, "start");
        redis_batch_text(b, start);
    } else {
        redis_batch_text(b, "date");
        redis_batch_text(b, calendar_text(item->date, date));
        redis_batch_text(b, "revision");
        redis_batch_number(b, item->revision);
    }
    redis_batch_text(b, "packets");
    redis_batch_number(b, item->packets[MARK_total]);
    entry_counts(b, item);
    expire(b, key, k->keep_s[item->sort]);
}

void redis_keys_after(const struct redis_keys *k, struct redis_batch *b,
                      const struct sink_batch *batch, size_t done)
{
    enum { DAY_S = 86400, ROWS_MORE = 1000 };
    const struct sink_item *newest = NULL;
    for (size_t i = 0; i < done; i++) {
        const struct sink_item *item = &batch->items[i];
        if (item->sort != SINK_WINDOWS)
            continue;
        newest = item;
        redis_batch_begin(b, 3);
        redis_batch_text(b, "PUBLISH");
        redis_batch_text(b, k->live);
        redis_batch_bytes(b, item->body, item->body_len);
    }
    if (newest == NULL || batch->oldest_ns == INT64_MIN || newest->span_ns < second_ns ||
        newest->id.ms / 1000 < (uint64_t)(batch->oldest_ns / second_ns) + DAY_S)
        return;
    redis_batch_begin(b, 5);
    redis_batch_text(b, "XTRIM");
    redis_batch_text(b, k->streams[SINK_WINDOWS]);
    redis_batch_text(b, "MAXLEN");
    redis_batch_text(b, "~");
    redis_batch_number(b, 2 * (k->keep_s[SINK_WINDOWS] / (uint64_t)(newest->span_ns / second_ns)) +
                              ROWS_MORE);
}
