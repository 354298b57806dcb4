/* capture_dpdk: packets from a DPDK port, one capture per receive queue.
 *
 * Order of use: dpdk_eal_init (once), capture_dpdk_open per port, then one thread per capture:
 * dpdk_thread_enter, bursts, drops, close, dpdk_thread_leave; last dpdk_eal_fini.
 *
 * Frames point into the device's buffers and are Ethernet (link type 1). A frame that lies in several
 * buffers, or whose VLAN tag the device took off, is put together in a copy area. All frames of a burst have one
 * time, when it was fetched; where the NIC stamps, each has its own, brought on the clock of the process.
 * The buffers go back at the next burst, or at close. burst() never waits.
 *
 * drops(): the port's counters since open, told by its first capture alone (the others say 0), so that
 * sums over captures are right. Read from the device when they are older than 100 ms, or
 * than 1 ms when the last burst was empty: at the end of a capture they are exact. `damaged` is empty;
 * `progress` counts bytes, of an unknown total.
 */
#ifndef CAPTURE_CAPTURE_DPDK_H
#define CAPTURE_CAPTURE_DPDK_H

#include "capture/capture.h"
#include "capture/dpdk_port.h"
#include "capture/live_clock.h"

enum { DPDK_DROPS_AGE_NS = 100000000, DPDK_DROPS_IDLE_AGE_NS = 1000000 };

/* Opens the port that `spec` names; captures[0 .. spec->queues - 1] are its queues, for the caller to close,
 * in any order and from any thread (each stops bursting first): the last one closes the port. `clock`
 * must outlive them. Returns 0; -errno with fault, and no capture then. */
int capture_dpdk_open(struct capture **captures, const struct dpdk_spec *spec,
                      struct live_clock *clock, struct fault *fault);

/* Of the capture's port; valid until its last capture is closed. */
const struct dpdk_port *capture_dpdk_port(const struct capture *c);

/* What one queue handed over so far; any thread. A queue that gets nothing while others do can be told by
 * these. */
struct capture_dpdk_counts {
    uint64_t packets, bytes; /* bytes on the wire, without FCS */
    uint64_t copied;         /* of them put together from several buffers */
    uint64_t
        bad_sums; /* of them with a checksum that the NIC found wrong; 0 where it does not look */
    uint64_t bursts;      /* that were not empty */
    uint64_t full_bursts; /* of them with all that was asked for: more was waiting */
};

void capture_dpdk_counts(const struct capture *c, struct capture_dpdk_counts *counts);

/* The NIC's clock, where it stamps (dpdk_port_info.stamps); any thread. */
void capture_dpdk_clock(const struct capture *c, struct nic_clock_state *state);

#endif
