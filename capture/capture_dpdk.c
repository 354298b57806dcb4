#include "capture/capture_dpdk.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    LINKTYPE_ETHERNET = 1,
    COPY_ROOM = 1 << 16, /* of one frame; a longer one is cut */
};

/* What the captures of a port share. */
struct shared_port {
    struct dpdk_port *port;
    struct nic_clock nic_clock;
    _Atomic uint32_t open; /* captures */
};

/* One writer, any reader. */
struct counters {
    _Atomic uint64_t packets, bytes, copied, bad_sums, bursts, full_bursts;
};

struct capture_dpdk {
    struct capture base; /* first */
    uint16_t port, queue;
    uint16_t held;
    bool stamps;
    int stamp_offset;
    uint64_t stamp_flag;
    uint64_t rare_flags; /* of a packet that needs more than its address and length */
    struct clock_reader reader;
    uint8_t *copies; /* FRAME_BURST of COPY_ROOM bytes; memory is taken when first used */
    struct rte_mbuf *mbufs[FRAME_BURST];
    _Alignas(64) struct counters counts;
    _Alignas(64) struct shared_port *shared;
    int64_t nic_due_ns; /* when the NIC's clock is to be compared again */
    struct drops_seen *drops;
};

/* Read now and then: apart, since drops() takes a const capture. */
struct drops_seen {
    struct capture_drops drops;
    struct clock_reader reader;
    int64_t read_ns;
};

static inline void count_add(_Atomic uint64_t *counter, uint64_t number)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + number,
                          memory_order_relaxed);
}

/* The VLAN tag that a device took off goes behind the addresses again. */
static uint32_t tag_restore(uint8_t *to, uint32_t length, uint16_t tci)
{
    if (length < 12)
        return length;
    uint32_t kept = length > COPY_ROOM - 4 ? COPY_ROOM - 4 : length;
    memmove(to + 16, to + 12, kept - 12);
    const uint8_t tag[4] = {0x81, 0x00, (uint8_t)(tci >> 8), (uint8_t)tci};
    memcpy(to + 12, tag, sizeof tag);
    return kept + 4;
}

/* A frame of several buffers, or without its tag, in one piece. */
static __attribute__((noinline)) void frame_copy(struct capture_dpdk *c, const struct rte_mbuf *m,
                                                 size_t slot, struct frame *frame)
{
    uint8_t *to = c->copies + slot * COPY_ROOM;
    uint32_t length = 0;
    for (const struct rte_mbuf *part = m; part; part = part->next) {
        uint32_t room = COPY_ROOM - length;
        uint32_t take = part->data_len < room ? part->data_len : room;
        memcpy(to + length, rte_pktmbuf_mtod(part, const uint8_t *), take);
        length += take;
    }
    if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
        frame->wire_len += 4;
        length = tag_restore(to, length, m->vlan_tci);
    }
    frame->data = to;
    frame->caplen = length;
    if (frame->wire_len < length)
        frame->wire_len = length;
    count_add(&c->counts.copied, 1);
}

static inline bool sum_is_bad(uint64_t flags)
{
    return (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD ||
           (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD;
}

static __attribute__((noinline)) void frame_rare(struct capture_dpdk *c, const struct rte_mbuf *m,
                                                 size_t slot, struct frame *frame)
{
    if (m->nb_segs > 1 || (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
        frame_copy(c, m, slot, frame);
    if (sum_is_bad(m->ol_flags))
        count_add(&c->counts.bad_sums, 1);
    if (c->stamps && (m->ol_flags & c->stamp_flag))
        frame->ts_ns = nic_clock_map(&c->shared->nic_clock,
                                     *RTE_MBUF_DYNFIELD(m, c->stamp_offset, rte_mbuf_timestamp_t *),
                                     frame->ts_ns);
}

/* Ten times a second, by the first queue: some hundred ns, on some devices a system call. */
static __attribute__((noinline)) void nic_clock_compare(struct capture_dpdk *c)
{
    uint64_t ticks;
    int64_t before = live_clock_now(&c->reader);
    int err = rte_eth_read_clock(c->port, &ticks);
    int64_t after = live_clock_now(&c->reader);
    if (!err)
        nic_clock_sample(&c->shared->nic_clock, ticks, before + (after - before) / 2);
    c->nic_due_ns = after + LIVE_CLOCK_RENEW_NS;
}

static size_t burst(struct capture *base, struct frame *frames, size_t max)
{
    struct capture_dpdk *c = (struct capture_dpdk *)base;
    if (max > FRAME_BURST)
        max = FRAME_BURST;
    if (c->held)
        rte_pktmbuf_free_bulk(c->mbufs, c->held);
    uint16_t count = rte_eth_rx_burst(c->port, c->queue, c->mbufs, (uint16_t)max);
    c->held = count;
    if (!count)
        return 0;
    int64_t now = live_clock_now(&c->reader);
    if (c->stamps && !c->queue && now >= c->nic_due_ns)
        nic_clock_compare(c);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rte_mbuf *m = c->mbufs[i];
        const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
        __builtin_prefetch(data);
        frames[i] = (struct frame){
            .data = data,
            .caplen = m->data_len,
            .wire_len = m->pkt_len,
            .ts_ns = now,
            .link_type = LINKTYPE_ETHERNET,
        };
        if (__builtin_expect(m->nb_segs > 1 || (m->ol_flags & c->rare_flags), 0))
            frame_rare(c, m, i, &frames[i]);
        bytes += frames[i].wire_len;
    }
    count_add(&c->counts.packets, count);
    count_add(&c->counts.bytes, bytes);
    count_add(&c->counts.bursts, 1);
    if (count == max)
        count_add(&c->counts.full_bursts, 1);
    return count;
}

static const struct damage_list *damaged(const struct capture *base)
{
    static const struct damage_list none = {NULL, 0};
    return &none;
}

static void drops(const struct capture *base, struct capture_drops *d)
{
    const struct capture_dpdk *c = (const struct capture_dpdk *)base;
    struct drops_seen *seen = c->drops;
    *d = (struct capture_drops){0, 0, 0, 0};
    if (!seen)
        return;
    int64_t now = live_clock_now(&seen->reader);
    int64_t age = now - seen->read_ns;
    if (age >= DPDK_DROPS_AGE_NS || (!c->held && age >= DPDK_DROPS_IDLE_AGE_NS)) {
        dpdk_port_drops(c->shared->port, &seen->drops);
        seen->read_ns = now;
    }
    *d = seen->drops;
}

static void progress(const struct capture *base, uint64_t *done, uint64_t *total)
{
    const struct capture_dpdk *c = (const struct capture_dpdk *)base;
    *done = atomic_load_explicit(&c->counts.bytes, memory_order_relaxed);
    *total = 0;
}

static void shared_close(struct shared_port *shared)
{
    if (!shared || atomic_fetch_sub_explicit(&shared->open, 1, memory_order_acq_rel) != 1)
        return;
    dpdk_port_close(shared->port);
    free(shared);
}

static void close_dpdk(struct capture *base)
{
    struct capture_dpdk *c = (struct capture_dpdk *)base;
    if (!c)
        return;
    if (c->held)
        rte_pktmbuf_free_bulk(c->mbufs, c->held);
    if (c->copies)
        (void)munmap(c->copies, (size_t)FRAME_BURST * COPY_ROOM);
    shared_close(c->shared);
    free(c->drops);
    free(c);
}

static const struct capture_ops ops = {
    .name = "dpdk",
    .burst = burst,
    .damaged = damaged,
    .drops = drops,
    .progress = progress,
    .close = close_dpdk,
};

static struct capture_dpdk *queue_open(struct shared_port *shared, uint16_t queue,
                                       struct live_clock *clock)
{
    const struct dpdk_port_info *info = dpdk_port_info(shared->port);
    struct capture_dpdk *c = aligned_alloc(64, sizeof *c);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->base.ops = &ops;
    c->port = info->id;
    c->queue = queue;
    c->stamps = info->stamps;
    c->stamp_offset = info->stamp_offset;
    c->stamp_flag = info->stamp_flag;
    c->rare_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | (info->stamps ? info->stamp_flag : 0) |
                    RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
    clock_reader_init(&c->reader, clock);
    c->shared = shared;
    atomic_fetch_add_explicit(&shared->open, 1, memory_order_relaxed);
    c->copies = mmap(NULL, (size_t)FRAME_BURST * COPY_ROOM, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->copies == MAP_FAILED)
        c->copies = NULL;
    if (queue == 0) {
        c->drops = calloc(1, sizeof *c->drops);
        if (c->drops) {
            clock_reader_init(&c->drops->reader, clock);
            dpdk_port_drops(shared->port, &c->drops->drops);
            c->drops->read_ns = live_clock_now(&c->drops->reader);
        }
    }
    if (c->copies && (queue || c->drops))
        return c;
    close_dpdk(&c->base);
    return NULL;
}

int capture_dpdk_open(struct capture **captures, const struct dpdk_spec *spec,
                      struct live_clock *clock, struct fault *fault)
{
    memset(captures, 0, spec->queues * sizeof *captures);
    struct shared_port *shared = calloc(1, sizeof *shared);
    if (!shared)
        return fault_set(fault, ENOMEM, "dpdk:%s: no memory", spec->device);
    nic_clock_init(&shared->nic_clock);
    int err = dpdk_port_open(&shared->port, spec, fault);
    if (err) {
        free(shared);
        return err;
    }
    atomic_store_explicit(&shared->open, 1, memory_order_relaxed); /* ours, until all are open */
    for (uint16_t q = 0; q < spec->queues && !err; q++) {
        struct capture_dpdk *c = queue_open(shared, q, clock);
        if (!c)
            err = fault_set(fault, ENOMEM, "dpdk:%s: no memory", spec->device);
        else
            captures[q] = &c->base;
    }
    for (uint16_t q = 0; q < spec->queues && err; q++) {
        close_dpdk((captures[q]));
        captures[q] = NULL;
    }
    shared_close(shared);
    return err;
}

const struct dpdk_port *capture_dpdk_port(const struct capture *c)
{
    return ((const struct capture_dpdk *)c)->shared->port;
}

void capture_dpdk_counts(const struct capture *base, struct capture_dpdk_counts *counts)
{
    const struct counters *c = &((const struct capture_dpdk *)base)->counts;
    counts->packets = atomic_load_explicit(&c->packets, memory_order_relaxed);
    counts->bytes = atomic_load_explicit(&c->bytes, memory_order_relaxed);
    counts->copied = atomic_load_explicit(&c->copied, memory_order_relaxed);
    counts->bad_sums = atomic_load_explicit(&c->bad_sums, memory_order_relaxed);
    counts->bursts = atomic_load_explicit(&c->bursts, memory_order_relaxed);
    counts->full_bursts = atomic_load_explicit(&c->full_bursts, memory_order_relaxed);
}

void capture_dpdk_clock(const struct capture *c, struct nic_clock_state *state)
{
    nic_clock_state(&((const struct capture_dpdk *)c)->shared->nic_clock, state);
}
