/* channel: pointers from one thread to one other, in order.
 *
 * An rte_ring (single producer, single consumer; works without EAL) and a way to sleep: a reader
 * that finds it empty spins briefly, then waits in a futex. The writer never waits: a
 * channel is created with room for everything that circulates.
 *
 * Who reads from several channels gives them one bell, and waits for that.
 */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

#include <stdbool.h>

struct channel;
struct bell;

/* A reader's; must outlive its channels. NULL with errno. */
struct bell *bell_create(void);
void bell_destroy(struct bell *b); /* accepts NULL */

/* Sleeps until something was pushed into a channel of the bell, `timeout_ms` at most (below 0: for ever). May end early, and
 * does so at once where `is_there` says that something came meanwhile. */
void bell_wait(struct bell *b, int timeout_ms, bool (*is_there)(void *context), void *context);

/* Wakes who waits; any thread. */
void bell_ring(struct bell *b);

/* `room`: greatest number of pointers in it at once. `bell`: rung when something is pushed; NULL: one of its own. NULL
 * with errno. */
struct channel *channel_create(unsigned room, struct bell *bell);
void channel_destroy(struct channel *c); /* accepts NULL */

/* Adds a pointer; wakes the reader if it sleeps. */
void channel_push(struct channel *c, void *item);

/* Takes the oldest pointer, waiting for one. */
void *channel_pop(struct channel *c);

/* Takes the oldest pointer; NULL where there is none. */
void *channel_try_pop(struct channel *c);

/* Pointers in it; for the reader at least so many. */
unsigned channel_count(const struct channel *c);

#endif
