/* sink_redis_keys: the keys of a sensor in Redis, and the commands that write them. Part of sink_redis.
 *
 * SENSOR stands in braces, so that a cluster keeps all keys of a sensor in one slot. All values are absolute. Times in
 * keys: hours UTC, days the feed's zone.
 *
 *   yamiscope:{SENSOR}:windows                  stream, an entry per Window record; its id is the record's feed_id.
 *                                               pb: the Window message; start: seconds since 1970; packets; then packets of
 *                                               each denominator and numerator by its name (total, scan, iot_strict, ...), and
 *                                               NAME_ex_survey where the window knows who is taken out
 *   yamiscope:{SENSOR}:days                     stream, an entry per Day record, ids likewise. pb: the Day message; date
 *                                               (YYYY-MM-DD); revision; packets and the rest as above
 *   yamiscope:{SENSOR}:ports:YYYYMMDDHH         sorted set: tcp/23 -> packets of scan kinds in that hour
 *   yamiscope:{SENSOR}:share:YYYYMMDD           hash: state (provisional, final); revision (0: provisional); NAME: packets;
 *                                               sources_NAME: distinct sources; NAME_ex_survey, sources_NAME_ex_survey (final
 *                                               alone), or ex_absent: why they are not there; sources_exact: 0 while
 *                                               sources are an estimate (HyperLogLog), 1
 *   yamiscope:{SENSOR}:sources:LABEL:YYYYMMDDHH HyperLogLog of the distinct sources in that hour; LABEL: total, scan,
 *                                               iot_strict, iot_broad, iot_bot, iot_payload, iot_confirmed, or a tool's name
 *   yamiscope:{SENSOR}:live                     channel: the Window message of each entry, as it is added; who must not
 *                                               miss one reads the stream
 *
 *   yamiscope-sources:{SENSOR}:events           stream, an entry per Event record: each time that an event is told; ids likewise.
 *                                               pb: the Event message; id (16 hex digits), type, phase, update; time: seconds
 *                                               since 1970; packets; address, proto, port where it has them
 *
 * The last holds addresses of sources and victims; no other key does, so that an ACL can part them. A user who may not have it is told
 * all else.
 */
#ifndef EXPORT_SINK_REDIS_KEYS_H
#define EXPORT_SINK_REDIS_KEYS_H

#include "export/redis_batch.h"
#include "export/redis_url.h"
#include "export/sink.h"

enum {
    REDIS_KEY = 192, /* holds every key */
    REDIS_SENSOR = 64,
    /* Bytes of a HyperLogLog as Redis keeps it: its header and the registers. */
    REDIS_HLL = 16 + HLL_DENSE,
};

struct redis_keys {
    char sensor[REDIS_SENSOR + 1];
    char streams[SINK_SORTS][REDIS_KEY];
    char live[REDIS_KEY];
    uint64_t keep_s[SINK_SORTS]; /* of the streams */
    uint64_t keep_hours_s, keep_days_s;
};

/* -EINVAL and a fault: the name can't stand in a key: empty, longer than REDIS_SENSOR, or with a brace, space or control. */
int redis_keys_init(struct redis_keys *k, const char *sensor, const struct redis_url *url,
                    struct fault *fault);

/* A sketch as Redis has it, its cached count marked as to be computed. */
void redis_hll(const struct hll *h, uint8_t out[REDIS_HLL]);

/* Commands that tell all that is new in a batch's sums, but for hours and dates that are kept no longer. */
void redis_keys_sums(const struct redis_keys *k, struct redis_batch *b,
                     const struct sink_batch *batch);

/* XADD and EXPIRE of one item. `exists`: the stream is there, and if it is not any more nothing must be added. */
void redis_keys_entry(const struct redis_keys *k, struct redis_batch *b,
                      const struct sink_batch *batch, const struct sink_item *item, bool exists);

/* What follows entries that were added, [0, done): the live channel; where a broken clock has put all ids of the stream ahead,
 * so that trimming by id does not reach them, a bound on its length. */
void redis_keys_after(const struct redis_keys *k, struct redis_batch *b,
                      const struct sink_batch *batch, size_t done);

#endif
