/* live_sources: what live captures from: interfaces and ports, by --from. Part of the command.
 *
 * Each capture becomes a receiver; a DPDK port has one for each of its queues. Processors: those of --receiver-cores and
 * --worker-cores in their order; else receivers that poll and workers beside them each get one of those that the
 * process may run on, as long as there is one for each, and all others float.
 */
#ifndef CORE_LIVE_SOURCES_H
#define CORE_LIVE_SOURCES_H

#include "core/config.h"
#include "core/core_list.h"
#include "core/live.h"

struct live_sources {
    struct live_clock clock;
    struct live_receiver_settings receivers[LIVE_RECEIVERS];
    char names[LIVE_RECEIVERS][64];  /* for people: "eth1", "0000:3b:00.0 queue 2" */
    char behind[LIVE_RECEIVERS][16]; /* the kernel's interface that a port stands on; empty: none */
    unsigned count;
    bool has_dpdk;
};

/* Whether receivers count what they receive: --workers 0. */
bool live_receivers_count(const struct config *c);

/* What `live` refuses of the options before it opens anything: there is no --from, --eal is wrong, receivers can't count. -EINVAL and a fault. */
int live_sources_check(const struct config *c, struct fault *fault);

/* One --from: whether it is well formed (-EINVAL), and its interface, of libpcap, there (-ENODEV) and up (-ENETDOWN): the last two are so now, on
 * this machine. */
int live_sources_look(const struct config *c, size_t i, struct fault *fault);

/* The processors that an option names; NULL: none. -EINVAL and a fault. */
int live_cores_read(struct core_list *list, const struct config *c, const char *option,
                    const char *text, struct fault *fault);

/* Opens all of them, in the main thread, before there are others. `say` gets lines for people: what was found and chosen. 0, or
 * -errno and a fault. Caller closes in any case. */
int live_sources_open(struct live_sources *s, const struct config *c, void (*say)(const char *line),
                      struct fault *fault);
void live_sources_close(struct live_sources *s); /* also of a zeroed one */

/* Whether all packets of a source come to one receiver, so that receivers can count by themselves. 0, or -EINVAL and a fault. */
int live_sources_deal(const struct live_sources *s, const struct config *c, struct fault *fault);

/* The processors of receivers (into s) and of `workers`. */
int live_sources_plan(struct live_sources *s, const struct config *c, unsigned workers,
                      int worker_cpus[SHARDS], void (*say)(const char *line), struct fault *fault);

/* The calling thread, and all that it makes from now on, leave the processors that receivers are bound to, where others
 * are left: a NIC's ring of 4,096 is full after 0.3 ms of minimum frames at 10 GbE, and the system may give another
 * thread more than that at once. After the plan, before feed, recorder and outlets are opened. */
void live_sources_step_aside(const struct live_sources *s);

#endif
