/* sink_redis: tells a Redis, alone or a cluster, what a feed says. Redis 6.2 or newer.
 *
 * Keys: sink_redis_keys.h. What it has is the last id of its two streams, as the server knows it: no other cursor is
 * kept, so a server that was restarted empty, or from an older copy, is told all that it lacks.
 *
 * Delivery is in two steps. First the sums of hours and dates, as they are behind the batch, all at once; when every answer
 * is good, the entries one by one, each when the one before it is there: were they sent at once, one that fails (a full
 * memory) and one behind it that does not would leave a hole for ever, since ids only ascend. If one of us dies between, the
 * sums are told again with the same values. An entry is added to a stream that is there (NOMKSTREAM), unless there was none: who
 * deletes it is told all again.
 *
 * Cluster: MOVED is followed and the new node asked what it has; ASK (the slot is moving) per command. Other errors of
 * the server are told apart by redis_error. One thread but for interrupt (sink.h).
 */
#ifndef EXPORT_SINK_REDIS_H
#define EXPORT_SINK_REDIS_H

#include "export/sink.h"

/* `spec`: redis_url.h. As sink_open. */
int sink_redis_open(struct sink **out, const char *spec, const char *sensor, struct fault *fault);

/* Makes a connected socket its connection, for tests. Its end is the sink's to close. */
int sink_redis_adopt(struct sink *s, int fd, struct fault *fault);

#endif
