/* capture_pcap: packets of a network interface, through libpcap.
 *
 * What arrives is captured, not what this host sends. Frames are copied out of the kernel's ring: libpcap
 * gives a part of it back as soon as the last packet in it was read. One thread calls all functions of one
 * capture but capture_pcap_status.
 *
 * Times are the kernel's at receive, in nanoseconds, put on the process's clock (live_clock), and never go
 * backwards: one that is before its predecessor's (packets of several queues of a device overtake each other by
 * microseconds) gets its predecessor's.
 *
 * An interface that is set down, or goes away, ends nothing: bursts are empty until one of that name is there
 * again and up, which is looked for twice a second. Packets already in the kernel's ring are read before a
 * new handle is opened. A process that has dropped its privileges in between can go on with an interface that
 * was down, not with one that was made anew: status then has EPERM.
 *
 * Lost packets: `kernel` are those for which the ring had no room, of those that matched the filter;
 * `nic_missed` and `nic_error` are the device's, of all packets (unknown for "any"), as of 50 ms ago at most; `nic_nombuf` is part of nic_missed
 * here, so unknown. What the kernel throws away before it looks for receivers (the backlog of a CPU,
 * net.core.netdev_max_backlog) is in none of them: /proc/net/softnet_stat counts it, for all interfaces together.
 * What the filter took out is not counted by the kernel.
 */
#ifndef CAPTURE_CAPTURE_PCAP_H
#define CAPTURE_CAPTURE_PCAP_H

#include "capture/capture.h"
#include "capture/live_clock.h"

enum {
    CAPTURE_PCAP_SNAPLEN_MAX = 262144, /* libpcap's own limit: any packet whole */
    CAPTURE_PCAP_BUFFER = 64 << 20,    /* half a second of a million small packets a second */
};

struct capture_pcap_settings {
    const char *interface; /* "eth0"; "any": all there are and will be, in cooked frames */
    const char *filter;    /* as capture_filter takes it; the kernel applies it. NULL: none */
    uint64_t
        buffer_bytes; /* of the kernel's ring; 0: CAPTURE_PCAP_BUFFER. At most 2 GiB - 1. Where the
                              kernel has not that much, libpcap takes what it gets */
    uint32_t snaplen; /* bytes kept of a packet; 0: CAPTURE_PCAP_SNAPLEN_MAX */
    bool
        is_modest; /* not promiscuous: only what the device takes for this host. ("any" always is) */
    struct live_clock *clock; /* the process's, not owned; NULL: the kernel's times as they are */
};

/* Whether an interface of that name is there and up now, which takes no privilege: -ENODEV, -ENETDOWN, in the words that opening
 * has for it. 0 also where that can't be asked. */
int capture_pcap_look(const char *interface, struct fault *fault);

/* Opens an interface that is there and up. Nothing of `settings` is kept but copies.
 * -ENODEV, with the names of those there are; -ENETDOWN; -EPERM where CAP_NET_RAW is missing; -ENOTSUP where its
 * link type is not one that decode reads, or the filter does not compile for it; -EINVAL for a filter that compiles
 * for none, or a size beyond its limit; -ENOMEM; -EIO with libpcap's words for anything else. */
int capture_pcap_open(struct capture **out, const struct capture_pcap_settings *settings,
                      struct fault *fault);

enum capture_pcap_link {
    CAPTURE_PCAP_UP,
    CAPTURE_PCAP_DOWN, /* set down; goes on when it is up again */
    CAPTURE_PCAP_GONE, /* there is no such interface at the moment */
};

struct capture_pcap_status {
    enum capture_pcap_link link;
    uint64_t interruptions; /* how often it stopped being up since open */
    int err;                /* why it was not opened again at the last try (errno); 0 */
    bool is_merging;        /* see interface_merges; asked when it was opened last */
};

/* How the interface is, as of half a second ago at most. Any thread. */
void capture_pcap_status(const struct capture *c, struct capture_pcap_status *status);

#endif
