#include "capture/dpdk_port.h"

#include "capture/dpdk_eal.h"
#include "capture/dpdk_sockets.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    DESCRIPTORS = 4096,
    POOL_CACHE = 256, /* of a thread: some bursts */
    ROOMS_LEAST = RTE_MBUF_DEFAULT_DATAROOM + RTE_PKTMBUF_HEADROOM,
    ROOMS_MOST = 65535 - 127, /* data room is 16 bits */
    /* Ethernet header, two VLAN tags, FCS. */
    FRAME_BESIDE_MTU = RTE_ETHER_HDR_LEN + 8 + RTE_ETHER_CRC_LEN,
};

struct dpdk_port {
    struct dpdk_port_info info;
    const struct dpdk_counts *counts;
    struct rte_eth_stats base; /* when it was opened */
    bool is_made, is_owned, is_started;
    struct rte_eth_dev_owner owner;
    struct rte_mempool *pools[DPDK_QUEUES_MAX];
    struct dpdk_sockets sockets; /* of a driver that sits on some */
};

/* What a vdev is given where its items do not say it. `queues`: the key of its own that says how many. */
static const struct vdev_default {
    const char *driver, *queues, *key, *value;
} vdev_defaults[] = {
    /* The kernel's ring: 512 frames are soon full. */
    {"net_af_packet", "qpairs", "framecnt", "4096"},
    {"net_af_xdp", "queue_count", NULL, NULL},
    {"net_virtio_user", "queues", NULL, NULL},
};

static int vdev_make(struct dpdk_port *p, const struct dpdk_spec *spec, struct fault *fault)
{
    char args[DPDK_DEVARGS_ROOM + 64];
    size_t used = (size_t)snprintf(args, sizeof args, "%s", spec->devargs);
    for (size_t i = 0; i < sizeof vdev_defaults / sizeof *vdev_defaults; i++) {
        const struct vdev_default *d = &vdev_defaults[i];
        if (!dpdk_spec_is(spec, d->driver))
            continue;
        if (!dpdk_spec_count(spec, d->queues))
            used += (size_t)snprintf(args + used, sizeof args - used, "%s%s=%u", used ? "," : "",
                                     d->queues, spec->queues);
        if (d->key && !dpdk_spec_count(spec, d->key))
            (void)snprintf(args + used, sizeof args - used, "%s%s=%s", used ? "," : "", d->key,
                           d->value);
    }
    uint16_t id;
    if (rte_eth_dev_get_port_by_name(spec->device, &id) == 0)
        return fault_set(fault, EBUSY, "dpdk:%s: a device of this name is there already",
                         spec->device);
    int err = rte_eal_hotplug_add("vdev", spec->device, args);
    if (err)
        return fault_set(fault, -err, "dpdk:%s: can't be made", spec->device);
    p->is_made = true;
    return 0;
}

/* By its name; a PCI device's first port may have another name than its address. */
static int port_find(struct dpdk_port *p, const struct dpdk_spec *spec, struct fault *fault)
{
    uint16_t id;
    if (rte_eth_dev_get_port_by_name(spec->device, &id) == 0) {
        p->info.id = id;
        return 0;
    }
    RTE_ETH_FOREACH_DEV(id)
    {
        struct rte_eth_dev_info device;
        if (rte_eth_dev_info_get(id, &device) != 0 || !device.device ||
            strcmp(rte_dev_name(device.device), spec->device) != 0)
            continue;
        p->info.id = id;
        return 0;
    }
    if (spec->kind == DPDK_PCI)
        return fault_set(
            fault, ENODEV,
            "dpdk:%s: no driver of DPDK has it: it must exist and be bound to vfio-pci "
            "(dpdk-devbind.py --status)",
            spec->device);
    return fault_set(fault, ENODEV,
                     "dpdk:%s: DPDK has no port of this name (an interface of the kernel is "
                     "pcap:%.32s, or dpdk:vdev=net_af_packet0,iface=%.32s)",
                     spec->device, spec->device, spec->device);
}

static int port_own(struct dpdk_port *p, struct fault *fault)
{
    int err = rte_eth_dev_owner_new(&p->owner.id);
    (void)snprintf(p->owner.name, sizeof p->owner.name, "yamiscope");
    if (!err)
        err = rte_eth_dev_owner_set(p->info.id, &p->owner);
    if (err)
        return fault_set(fault, err == -EPERM ? EBUSY : -err, "dpdk:%s: in use already",
                         p->info.name);
    p->is_owned = true;
    return 0;
}

static void spread_choose(struct dpdk_port *p, const struct rte_eth_dev_info *device,
                          struct rte_eth_conf *conf)
{
    uint64_t can = device->flow_type_rss_offloads;
    if (p->info.queues < 2 || !(can & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)))
        return;
    p->info.spreads = true;
    conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    /* With transport types beside it some NICs would hash ports again. */
    if ((can & RTE_ETH_RSS_L3_SRC_ONLY) && (can & RTE_ETH_RSS_IP)) {
        p->info.hashes_source = true;
        conf->rx_adv_conf.rss_conf.rss_hf = (can & RTE_ETH_RSS_IP) | RTE_ETH_RSS_L3_SRC_ONLY;
        return;
    }
    conf->rx_adv_conf.rss_conf.rss_hf =
        can & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP);
}

/* Not where software does it for every packet, or the host would then leave checksums out. */
static bool sums_are_free(const char *driver)
{
    static const char *const not_free[] = {"net_tap", "net_virtio", "net_virtio_user", "net_vhost",
                                           "net_vmxnet3"};
    for (size_t i = 0; i < sizeof not_free / sizeof *not_free; i++)
        if (strcmp(driver, not_free[i]) == 0)
            return false;
    return true;
}

static void offloads_choose(struct dpdk_port *p, const struct rte_eth_dev_info *device,
                            struct rte_eth_conf *conf)
{
    const uint64_t sums =
        RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    uint64_t ticks;
    p->info.checks_sums =
        (device->rx_offload_capa & sums) == sums && sums_are_free(device->driver_name);
    if (p->info.checks_sums)
        conf->rxmode.offloads |= sums;
    /* Stamps in an unknown unit are of no use without the counter that they are of. */
    if ((device->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) &&
        rte_eth_read_clock(p->info.id, &ticks) == 0 &&
        rte_mbuf_dyn_rx_timestamp_register(&p->info.stamp_offset, &p->info.stamp_flag) == 0) {
        p->info.stamps = true;
        conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    }
}

/* Bytes that a buffer needs for this MTU; less where frames may lie in several. */
static uint32_t room_choose(const struct dpdk_port *p, const struct rte_eth_dev_info *device,
                            struct rte_eth_conf *conf)
{
    uint32_t room = ROOMS_LEAST;
    uint32_t whole = p->info.mtu + FRAME_BESIDE_MTU + RTE_PKTMBUF_HEADROOM;
    if (whole > room && (device->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER))
        conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    else if (whole > room)
        room = whole;
    if (device->min_rx_bufsize < ROOMS_MOST && room < device->min_rx_bufsize + RTE_PKTMBUF_HEADROOM)
        room = device->min_rx_bufsize + RTE_PKTMBUF_HEADROOM;
    return RTE_ALIGN_CEIL(room, 64) > ROOMS_MOST ? ROOMS_MOST : RTE_ALIGN_CEIL(room, 64);
}

/* A power of two, and no more than half of the buffers. */
static uint16_t descriptors_for(uint32_t mbufs)
{
    uint16_t descriptors = DESCRIPTORS;
    while (descriptors > mbufs / 2)
        descriptors /= 2;
    return descriptors;
}

static int port_configure(struct dpdk_port *p, const struct dpdk_spec *spec, uint16_t send_queues,
                          struct fault *fault)
{
    struct rte_eth_dev_info device;
    struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
    int err = rte_eth_dev_info_get(p->info.id, &device);
    if (err)
        return fault_set(fault, -err, "dpdk:%s: does not answer (%s)", spec->device,
                         strerror(-err));
    (void)snprintf(p->info.driver, sizeof p->info.driver, "%s", device.driver_name);
    if (p->info.queues > device.max_rx_queues)
        return fault_set(fault, EINVAL, "dpdk:%s: queues=%u: it has %u", spec->device,
                         p->info.queues, device.max_rx_queues);
    if (dpdk_spec_is(spec, "net_pcap") && p->info.queues < device.max_rx_queues)
        return fault_set(fault, EINVAL,
                         "dpdk:%s: queues=%u: it has %u, and each would hold packets", spec->device,
                         p->info.queues, device.max_rx_queues);
    uint16_t mtu = RTE_ETHER_MTU;
    if (!spec->mtu && rte_eth_dev_get_mtu(p->info.id, &mtu) == 0 && mtu < RTE_ETHER_MTU)
        mtu = RTE_ETHER_MTU;
    p->info.mtu = spec->mtu ? spec->mtu : mtu;
    if (spec->mtu > device.max_mtu)
        return fault_set(fault, EINVAL, "dpdk:%s: mtu=%u: at most %u", spec->device, spec->mtu,
                         device.max_mtu);
    conf.rxmode.mtu = p->info.mtu > device.max_mtu ? device.max_mtu : p->info.mtu;
    spread_choose(p, &device, &conf);
    offloads_choose(p, &device, &conf);
    p->info.data_room = room_choose(p, &device, &conf);
    err = rte_eth_dev_configure(p->info.id, p->info.queues, send_queues, &conf);
    if (err)
        return fault_set(fault, -err, "dpdk:%s: queues=%u, mtu=%u: refused (%s)", spec->device,
                         p->info.queues, p->info.mtu, strerror(-err));
    p->info.descriptors = descriptors_for(p->info.mbufs);
    uint16_t send = 512;
    if (rte_eth_dev_adjust_nb_rx_tx_desc(p->info.id, &p->info.descriptors, &send) != 0)
        p->info.descriptors = 512;
    for (uint16_t q = 0; q < send_queues && !err; q++)
        err = rte_eth_tx_queue_setup(p->info.id, q, send, SOCKET_ID_ANY, NULL);
    return err ? fault_set(fault, -err, "dpdk:%s: send queue: refused (%s)", spec->device,
                           strerror(-err))
               : 0;
}

static struct rte_mempool *pool_make(const struct dpdk_port *p, unsigned queue, uint32_t room)
{
    static unsigned number; /* names are the process's, and so are ports */
    char name[RTE_MEMPOOL_NAMESIZE];
    (void)snprintf(name, sizeof name, "rx%u_%u_%u", p->info.id, queue, number++);
    int node = p->info.numa_node < 0 ? SOCKET_ID_ANY : p->info.numa_node;
    unsigned cache = p->info.mbufs / 4 < POOL_CACHE ? p->info.mbufs / 4 : POOL_CACHE;
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create(name, p->info.mbufs, cache, 0, (uint16_t)room, node);
    if (!pool && node != SOCKET_ID_ANY) /* that node has no memory for us: another's is slower */
        pool =
            rte_pktmbuf_pool_create(name, p->info.mbufs, cache, 0, (uint16_t)room, SOCKET_ID_ANY);
    return pool;
}

/* A driver says only by refusing that a buffer is too small for it. */
static int queue_open(struct dpdk_port *p, uint16_t queue, struct fault *fault)
{
    uint32_t room = p->info.data_room;
    for (;;) {
        p->pools[queue] = pool_make(p, queue, room);
        if (!p->pools[queue])
            return fault_set(fault, rte_errno ? rte_errno : ENOMEM,
                             "dpdk:%s: queue %u: no memory for %u buffers of %u bytes",
                             p->info.name, queue, p->info.mbufs, room);
        int node = p->info.numa_node < 0 ? SOCKET_ID_ANY : p->info.numa_node;
        int err = rte_eth_rx_queue_setup(p->info.id, queue, p->info.descriptors, (unsigned)node,
                                         NULL, p->pools[queue]);
        if (!err) {
            p->info.data_room = room;
            return 0;
        }
        rte_mempool_free(p->pools[queue]);
        p->pools[queue] = NULL;
        if (room >= 16384 || (err != -EINVAL && err != -ENOMEM))
            return fault_set(fault, -err, "dpdk:%s: queue %u: refused (%s)", p->info.name, queue,
                             strerror(-err));
        room = room * 2 - RTE_PKTMBUF_HEADROOM;
    }
}

static int port_start(struct dpdk_port *p, struct fault *fault)
{
    int err = rte_eth_dev_start(p->info.id);
    if (err)
        return fault_set(fault, -err, "dpdk:%s: can't be started (%s)", p->info.name,
                         strerror(-err));
    p->is_started = true;
    p->info.is_promiscuous =
        rte_eth_promiscuous_enable(p->info.id) == 0 || rte_eth_promiscuous_get(p->info.id) == 1;
    struct rte_eth_rss_conf rss = {0};
    if (p->info.hashes_source && (rte_eth_dev_rss_hash_conf_get(p->info.id, &rss) != 0 ||
                                  !(rss.rss_hf & RTE_ETH_RSS_L3_SRC_ONLY)))
        p->info.hashes_source = false;
    dpdk_port_link(p, &p->info.is_up, &p->info.mbps);
    (void)rte_eth_stats_get(p->info.id, &p->base);
    return 0;
}

static int port_set_up(struct dpdk_port *p, const struct dpdk_spec *spec, struct fault *fault)
{
    int err = spec->kind == DPDK_VDEV ? vdev_make(p, spec, fault) : 0;
    if (!err)
        err = port_find(p, spec, fault);
    if (!err)
        err = port_own(p, fault);
    if (err)
        return err;
    p->info.numa_node = rte_eth_dev_socket_id(p->info.id);
    /* A memif without send queues never connects. */
    if (dpdk_spec_is(spec, "net_memif") || port_configure(p, spec, 0, NULL) != 0)
        err = port_configure(p, spec, p->info.queues, fault);
    for (uint16_t q = 0; q < p->info.queues && !err; q++)
        err = queue_open(p, q, fault);
    return err ? err : port_start(p, fault);
}

int dpdk_port_open(struct dpdk_port **out, const struct dpdk_spec *spec, struct fault *fault)
{
    *out = NULL;
    struct dpdk_port *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(fault, ENOMEM, "dpdk:%s: no memory", spec->device);
    memcpy(p->info.name, spec->device, sizeof p->info.name);
    p->info.queues = spec->queues;
    p->info.mbufs = spec->mbufs ? spec->mbufs : DPDK_MBUFS_DEFAULT;
    struct fault own = {0};
    struct dpdk_sockets before;
    int domain = dpdk_spec_is(spec, "net_af_xdp") ? AF_XDP : AF_PACKET;
    dpdk_sockets_find(&before, domain);
    struct dpdk_quiet *quiet = dpdk_quiet_begin(true);
    int err = port_set_up(p, spec, &own);
    const char *log = dpdk_quiet_end(quiet);
    if (err) {
        (void)fault_set(fault, -err, "%.130s: %.120s", own.text, log[0] ? log : strerror(-err));
        (void)fault_one_line(fault);
        dpdk_port_close(p);
        return err;
    }
    dpdk_sockets_find(&p->sockets, domain);
    dpdk_sockets_less(&p->sockets, &before);
    p->counts = dpdk_counts_of(p->info.driver, !dpdk_spec_count(spec, "rx_iface") &&
                                                   !dpdk_spec_count(spec, "rx_iface_in") &&
                                                   !dpdk_spec_count(spec, "iface"));
    *out = p;
    return 0;
}

void dpdk_port_close(struct dpdk_port *p)
{
    if (!p)
        return;
    struct dpdk_quiet *quiet = dpdk_quiet_begin(false);
    if (p->is_started)
        (void)rte_eth_dev_stop(p->info.id);
    if (p->is_owned) {
        (void)rte_eth_dev_owner_unset(p->info.id, p->owner.id);
        if (p->is_made)
            (void)rte_eth_dev_close(p->info.id);
    }
    if (p->is_made)
        (void)rte_eal_hotplug_remove("vdev", p->info.name);
    (void)dpdk_quiet_end(quiet);
    for (unsigned q = 0; q < p->info.queues; q++)
        rte_mempool_free(p->pools[q]);
    free(p);
}

const struct dpdk_port_info *dpdk_port_info(const struct dpdk_port *p) { return &p->info; }

void dpdk_port_link(const struct dpdk_port *p, bool *is_up, uint32_t *mbps)
{
    struct rte_eth_link link = {0};
    (void)rte_eth_link_get_nowait(p->info.id, &link);
    *is_up = link.link_status == RTE_ETH_LINK_UP;
    *mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
}

void dpdk_port_drops(struct dpdk_port *p, struct capture_drops *drops)
{
    struct rte_eth_stats now;
    if (rte_eth_stats_get(p->info.id, &now) != 0) {
        *drops = (struct capture_drops){-1, -1, -1, -1};
        return;
    }
    int64_t socket =
        p->counts->kernel == DPDK_COUNT_SOCKET ? dpdk_sockets_dropped(&p->sockets) : -1;
    dpdk_counts_drops(p->counts, now.imissed - p->base.imissed, now.rx_nombuf - p->base.rx_nombuf,
                      now.ierrors - p->base.ierrors, socket, drops);
}
