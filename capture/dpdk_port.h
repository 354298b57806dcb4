/* dpdk_port: an Ethernet port of DPDK, found or made, configured and started.
 *
 * Chosen so that every driver works without tuning: the greatest number of descriptors up to 4,096
 * that the device takes; one packet pool per queue, on the port's NUMA node; a data room of 2,048 + 128 bytes,
 * greater where the MTU or the driver asks for it (tried upwards until the driver accepts); no send
 * queue unless the driver insists on one. Nothing is ever sent.
 * Opened and closed by one thread; dpdk_port_link and dpdk_port_stats by any one at a time.
 */
#ifndef CAPTURE_DPDK_PORT_H
#define CAPTURE_DPDK_PORT_H

#include "capture/dpdk_counts.h"
#include "capture/dpdk_spec.h"

struct rte_mempool;

/* For the lines at start. */
struct dpdk_port_info {
    char name[DPDK_DEVICE_ROOM];
    char driver[32];
    uint16_t id; /* DPDK's */
    uint16_t queues;
    uint16_t descriptors; /* per queue, asked for */
    uint16_t mtu;
    uint32_t mbufs;     /* per queue */
    uint32_t data_room; /* bytes of a buffer */
    int numa_node;      /* -1: none */
    bool is_promiscuous;
    bool spreads;        /* RSS: packets are dealt to the queues by hash */
    bool hashes_source;  /* by the source address alone, as the driver confirms */
    bool checks_sums;    /* the NIC verifies IP and TCP or UDP checksums */
    bool stamps;         /* the NIC stamps packets and its clock can be read */
    int stamp_offset;    /* of the stamp in an mbuf, where it stamps */
    uint64_t stamp_flag; /* of an mbuf that has one */
    bool is_up;          /* when it was opened */
    uint32_t mbps;       /* 0: not known */
};

struct dpdk_port;

/* Opens what `spec` names, after dpdk_eal_init; makes the vdev. Fault names the port, what was asked of it
 * and DPDK's own words. -ENODEV: no such port; -EBUSY: opened already. */
int dpdk_port_open(struct dpdk_port **out, const struct dpdk_spec *spec, struct fault *fault);

/* Stops it, takes the vdev away, frees the pools; no buffer of it may be held. Accepts NULL. */
void dpdk_port_close(struct dpdk_port *port);

/* Valid until close. */
const struct dpdk_port_info *dpdk_port_info(const struct dpdk_port *port);

/* Link as it is now; *mbps 0: not known. */
void dpdk_port_link(const struct dpdk_port *port, bool *is_up, uint32_t *mbps);

/* Drops since open. May take some 10 us (registers of the device). Where the driver fails to answer: all -1. */
void dpdk_port_drops(struct dpdk_port *port, struct capture_drops *drops);

#endif
