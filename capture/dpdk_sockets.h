/* dpdk_sockets: what the kernel dropped before a driver that sits on sockets.
 *
 * net_af_packet and net_af_xdp don't tell what found their ring full. The kernel counts it per
 * socket, and the sockets are this process's: those that were born while the port was opened.
 * One thread at a time.
 */
#ifndef CAPTURE_DPDK_SOCKETS_H
#define CAPTURE_DPDK_SOCKETS_H

#include "capture/dpdk_spec.h"

struct dpdk_sockets {
    int domain; /* AF_PACKET, AF_XDP */
    unsigned count;
    int fd[2 * DPDK_QUEUES_MAX];
    uint64_t dropped; /* AF_PACKET: the kernel begins anew at each read */
};

/* The sockets of a domain that this process has now. */
void dpdk_sockets_find(struct dpdk_sockets *s, int domain);

/* Leaves only those that are not among `before`. */
void dpdk_sockets_less(struct dpdk_sockets *s, const struct dpdk_sockets *before);

/* Packets that the kernel dropped since the sockets were opened; -1: it does not say, or there is no
 * socket. */
int64_t dpdk_sockets_dropped(struct dpdk_sockets *s);

#endif
