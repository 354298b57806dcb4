#include "capture/dpdk_counts.h"

#include <stddef.h>
#include <string.h>

#define GIVEN   DPDK_COUNT_GIVEN
#define NONE    DPDK_COUNT_NONE
#define UNKNOWN DPDK_COUNT_UNKNOWN
#define KERNEL  DPDK_COUNT_KERNEL
#define SOCKET  DPDK_COUNT_SOCKET

/* driver, imissed, rx_nombuf, ierrors, kernel */
static const struct dpdk_counts rows[] = {
    /* A file loses nothing but what finds no buffer (the packet was read). ierrors grows with every
     * poll after a read error: no number of packets. */
    {"net_pcap files", NONE, GIVEN, UNKNOWN, NONE},
    /* imissed is libpcap's ps_drop. */
    {"net_pcap", KERNEL, GIVEN, UNKNOWN, KERNEL},
    /* Counts what it received alone; without a buffer the packet waits in the kernel's ring. */
    {"net_af_packet", UNKNOWN, NONE, UNKNOWN, SOCKET},
    /* imissed is XDP's rx_dropped, without what found its ring full; a packet that finds no buffer is
     * tried again. */
    {"net_af_xdp", UNKNOWN, NONE, UNKNOWN, SOCKET},
    {"net_null", NONE, NONE, NONE, NONE},
    /* What a full ring refuses its sender keeps, or frees and counts. */
    {"net_ring", NONE, NONE, NONE, NONE},
    {"net_memif", UNKNOWN, NONE, UNKNOWN, NONE},
    /* The packet that found no buffer is lost; ierrors: did not fit. */
    {"net_tap", UNKNOWN, GIVEN, GIVEN, UNKNOWN},
    /* NICs whose drivers count a try to refill the ring: the packet waits, or is in imissed. */
    {"net_ixgbe", GIVEN, NONE, GIVEN, NONE},
    {"net_ixgbe_vf", UNKNOWN, NONE, UNKNOWN, NONE},
    {"net_i40e", GIVEN, NONE, GIVEN, NONE},
    {"net_ice", GIVEN, NONE, GIVEN, NONE},
    {"net_iavf", GIVEN, NONE, UNKNOWN, NONE},
    {"net_e1000_igb", GIVEN, NONE, GIVEN, NONE},
    {"net_e1000_em", GIVEN, NONE, GIVEN, NONE},
    {"net_igc", GIVEN, NONE, GIVEN, NONE},
    /* rx_nombuf holds tries and, with multi-packet queues, losses. */
    {"mlx5_pci", GIVEN, UNKNOWN, GIVEN, NONE},
    {"net_virtio", UNKNOWN, NONE, GIVEN, UNKNOWN},
    {"net_virtio_user", UNKNOWN, NONE, GIVEN, UNKNOWN},
    {"net_vhost", UNKNOWN, NONE, UNKNOWN, NONE},
    {NULL, GIVEN, GIVEN, GIVEN, NONE},
};

const struct dpdk_counts *dpdk_counts_of(const char *driver, bool reads_files)
{
    const struct dpdk_counts *row = rows;
    if (reads_files && strcmp(driver, "net_pcap") == 0)
        return row;
    while (row->driver && strcmp(row->driver, driver) != 0)
        row++;
    return row;
}

static int64_t count_of(enum dpdk_count count, uint64_t number)
{
    if (count == DPDK_COUNT_NONE)
        return 0;
    return count == DPDK_COUNT_GIVEN && number <= INT64_MAX ? (int64_t)number : -1;
}

void dpdk_counts_drops(const struct dpdk_counts *row, uint64_t missed, uint64_t nombuf,
                       uint64_t error, int64_t socket, struct capture_drops *drops)
{
    drops->nic_missed = count_of(row->missed, missed);
    drops->nic_nombuf = count_of(row->nombuf, nombuf);
    drops->nic_error = count_of(row->error, error);
    drops->kernel = count_of(row->kernel, 0);
    if (row->kernel == DPDK_COUNT_KERNEL)
        drops->kernel = count_of(DPDK_COUNT_GIVEN, missed);
    else if (row->kernel == DPDK_COUNT_SOCKET)
        drops->kernel = socket;
}
