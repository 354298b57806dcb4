/* channel: pointers from one thread to one other, in order.
 *
 * An rte_ring (single producer, single consumer; works without EAL) and a way to sleep: a reader
 * that finds it empty spins briefly, then waits in a futex. The writer never waits: a
 * channel is created with room for everything that circulates.
 */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

struct channel;

/* `room`: greatest number of pointers in it at once. NULL with errno. */
struct channel *channel_create(unsigned room);
void channel_destroy(struct channel *c); /* accepts NULL */

/* Adds a pointer; wakes the reader if it sleeps. */
void channel_push(struct channel *c, void *item);

/* Takes the oldest pointer, waiting for one. */
void *channel_pop(struct channel *c);

/* Takes the oldest pointer; NULL where there is none. */
void *channel_try_pop(struct channel *c);

#endif
