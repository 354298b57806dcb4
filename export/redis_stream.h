/* redis_stream: entries of our streams as a Redis gives them, for who reads them.
 *
 * What a server answers is a stranger's: any shape of it is taken, what is no entry passed over. Pure functions.
 */
#ifndef EXPORT_REDIS_STREAM_H
#define EXPORT_REDIS_STREAM_H

#include "export/feed_id.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_entry {
    const char *key; /* of the stream; NULL: the answer does not say (XRANGE) */
    struct feed_id id;
    const uint8_t *pb; /* its message, of the reply; NULL: it has none */
    size_t len;
};

typedef void (*redis_entry_take)(void *context, const struct redis_entry *entry);

/* Every entry of an answer to XREAD, or to XRANGE and XREVRANGE. False: it is none of these (nil, no entries, is one). */
bool redis_stream_read(const redisReply *reply, redis_entry_take take, void *context);
bool redis_stream_range(const redisReply *reply, redis_entry_take take, void *context);

/* The sensor in the key of a stream of windows, "yamiscope:{SENSOR}:windows": copied to `sensor` of `size` bytes. False: it is no such
 * key, or there is no room. */
bool redis_stream_sensor(const char *key, size_t len, char *sensor, size_t size);

#endif
