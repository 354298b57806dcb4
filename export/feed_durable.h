/* feed_durable: up to where a feed that is being written is safe on disk, for readers in the same process.
 *
 * The writer says it after each fdatasync; readers (feed_tail) give nothing behind it, so that no sink ever sees a
 * window that a power cut could take back. One writer, any number of readers. Embedded by whoever outlives both.
 */
#ifndef EXPORT_FEED_DURABLE_H
#define EXPORT_FEED_DURABLE_H

#include <stdatomic.h>
#include <stdint.h>

/* Begins as all zero: nothing is safe yet. */
struct feed_durable {
    _Atomic uint64_t seq;  /* of the last record that is */
    _Atomic uint32_t turn; /* goes on with each change; what waiters sleep on */
};

/* Moves on to `seq` and wakes all that wait. */
void feed_durable_set(struct feed_durable *d, uint64_t seq);

/* Ends all waits once, without a change: at shutdown. */
void feed_durable_wake(struct feed_durable *d);

/* Sleeps until `turn`, which the caller read before it looked at seq, is no longer the present one, at most
 * `timeout_ms` (below 0: for ever). May return early. */
void feed_durable_wait(struct feed_durable *d, uint32_t turn, int timeout_ms);

#endif
