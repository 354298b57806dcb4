/* live_links: whether what is captured from is there. Part of the command.
 *
 * An interface that is set down or taken away, a port whose cable is out, gives no packet and no error: what a darknet that nobody
 * scans looks like. So all of them are looked at with each tick, and every change is said.
 *
 * DPDK's drivers for interfaces of the kernel (iface=) say of themselves that they are up whatever becomes of it: there the kernel is asked, by the
 * number that the interface had. They stay with that one: another of its name is not theirs.
 *
 * One thread; the results are data.
 */
#ifndef CORE_LIVE_LINKS_H
#define CORE_LIVE_LINKS_H

#include "core/live_sources.h"

enum live_link {
    LIVE_LINK_UP,
    LIVE_LINK_DOWN,   /* set down, or without a cable: goes on when it is up */
    LIVE_LINK_GONE,   /* goes on when there is one of its name */
    LIVE_LINK_LOST,   /* the same, but that it never goes on */
    LIVE_LINK_CLOSED, /* one of its name is there, and can't be opened */
};

struct live_links {
    const struct live_sources *sources;
    int netlink;
    int numbers[LIVE_RECEIVERS]; /* of the kernel's interface behind a port; 0: none */
    struct live_link_state {
        enum live_link link;
        int err; /* why it can't be opened */
        bool was_up, is_merging;
    } states[LIVE_RECEIVERS];
    /* Sets of receivers. */
    uint64_t down;  /* whose link is not up now */
    uint64_t blind; /* of them those that were up before */
};

/* All are taken for up until they are looked at. Before the process gives up its rights. */
void live_links_open(struct live_links *l, const struct live_sources *sources);
void live_links_close(struct live_links *l); /* also of a zeroed one */

/* Looks at all of them; `say` gets a line for each that is not as it was. Returns how many interfaces and ports are not up. */
unsigned live_links_look(struct live_links *l, void (*say)(void *context, const char *line),
                         void *context);

#endif
