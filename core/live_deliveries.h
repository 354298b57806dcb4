/* live_deliveries: alerts of watched networks on their way to the organisations that have a delivery (core/watched.h).
 *
 * Each has a courier of its own (export/courier.h), with a cursor that is named by the organisation: it gets its own alerts, all of them,
 * in order, at least once, wherever others are down; another delivery of it goes on where the one before stopped. The first one begins with the
 * first alert that is kept. An organisation that is left out of the file gets nothing more from then on, also not the end of what was open.
 * Part of the command; any thread. Ends the program where memory ends.
 */
#ifndef CORE_LIVE_DELIVERIES_H
#define CORE_LIVE_DELIVERIES_H

#include "core/watched.h"
#include "export/courier.h"

struct live_deliveries;

/* `dir`: the feed's; `durable` as in courier_settings. `say` gets lines for people. All outlive it. NULL with errno. */
struct live_deliveries *live_deliveries_create(const char *dir, struct feed_durable *durable,
                                               void (*say)(void *context, const char *line),
                                               void *context);
void live_deliveries_destroy(
    struct live_deliveries *d); /* ends all within a second; accepts NULL */

/* Those of these networks (NULL: none) from now on; a courier whose spec is as before goes on, but for one with a secret, which is read again.
 * Returns when the others have ended. -errno and a fault of the first that can't begin; all others have. `networks` is not looked at behind it. */
int live_deliveries_set(struct live_deliveries *d, const struct watched *networks,
                        struct fault *fault);

struct live_deliveries_state {
    unsigned organisations, failing;
    uint64_t arrived, given_up, errors; /* of all since the start */
};

void live_deliveries_read(struct live_deliveries *d, struct live_deliveries_state *out);

#endif
