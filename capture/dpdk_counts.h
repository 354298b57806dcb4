/* dpdk_counts: what a driver's counters say of lost packets.
 *
 * rte_eth_stats has the same fields for every driver, not the same meaning: a 0 may stand for "none"
 * or for "not counted", rx_nombuf for packets lost or for tries that were made again. The table in
 * dpdk_counts.c is what the drivers' sources of DPDK 22.11 do, and is tested on those that
 * run without a NIC. A driver that is not in it is taken for a NIC's that
 * counts imissed and ierrors as DPDK defines them.
 */
#ifndef CAPTURE_DPDK_COUNTS_H
#define CAPTURE_DPDK_COUNTS_H

#include "capture/capture.h"

#include <stdbool.h>
#include <stdint.h>

/* What is done with one of the counters. */
enum dpdk_count {
    DPDK_COUNT_GIVEN,   /* packets lost: the number */
    DPDK_COUNT_NONE,    /* it can't lose any in this way: 0 */
    DPDK_COUNT_UNKNOWN, /* it can, and does not count them: -1 */
    DPDK_COUNT_SOCKET,  /* of `kernel`: the sockets of the driver say it (dpdk_sockets) */
    DPDK_COUNT_KERNEL, /* imissed holds what the kernel dropped: given as `kernel`, itself unknown */
};

struct dpdk_counts {
    const char *driver; /* as rte_eth_dev_info says */
    enum dpdk_count missed, nombuf, error, kernel;
};

/* The row for a driver; never NULL. `reads_files`: a net_pcap that has no interface. */
const struct dpdk_counts *dpdk_counts_of(const char *driver, bool reads_files);

/* Drops from counters since open; `socket`: what dpdk_sockets says, -1 for unknown. */
void dpdk_counts_drops(const struct dpdk_counts *row, uint64_t missed, uint64_t nombuf,
                       uint64_t error, int64_t socket, struct capture_drops *drops);

#endif
