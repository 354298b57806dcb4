#include "capture/capture_pcap.h"

#include "capture/capture_filter.h"
#include "capture/decode.h"
#include "capture/interface.h"
#include "capture/running_sum.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = 10, /* how long the kernel fills a block of its ring before it hands it over */
    LOOK_MS = 500,   /* between looks at the interface */
    COUNT_MS = 50,   /* age of the device's counters */
    FRAME_ALIGN = 16,
    LINK_RAW = 101,
};

static const int64_t million = 1000000, billion = 1000000000;

struct pcap_capture {
    struct capture base;
    /* What was asked for. */
    char *interface, *filter;
    int buffer_bytes;
    uint32_t snaplen;
    bool is_modest, is_any;
    /* The handle in use; NULL between an interface that went and one that came. */
    pcap_t *handle;
    int fd; /* of the handle */
    uint32_t link_type;
    int64_t unit_ns; /* of the handle's fractions of a second */
    bool is_failing; /* libpcap could not read on */
    int64_t lost_ms; /* when it was found to be lost; 0: it is not */
    int64_t look_ms; /* when the interface is looked at next */
    int netlink;
    /* Bytes of the last burst. */
    uint8_t *area;
    size_t area_size, used;
    struct frame *frames;
    size_t count;
    int64_t last_ns;
    struct clock_reader clock; /* .clock NULL: none */
    struct clock_pair pair;    /* of this burst */
    /* Sums over all handles. */
    uint64_t kernel;
    struct running_sum missed, errors;
    int64_t counted_ms; /* when the device's were read last */
    struct damage_list none;
    atomic_int link, err;
    atomic_bool is_merging;
    _Atomic uint64_t interruptions;
};

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / million;
}

static void set_link(struct pcap_capture *p, enum capture_pcap_link link)
{
    int before = atomic_load_explicit(&p->link, memory_order_relaxed);
    if (before == CAPTURE_PCAP_UP && link != CAPTURE_PCAP_UP)
        atomic_fetch_add_explicit(&p->interruptions, 1, memory_order_relaxed);
    atomic_store_explicit(&p->link, (int)link, memory_order_relaxed);
}

/* Opening. */

static int refuse_gone(const char *interface, struct fault *fault)
{
    char names[120];
    interface_names(names, sizeof names);
    return fault_set(fault, ENODEV, "%.32s: there is no such interface; there are: %s", interface,
                     names);
}

static int refuse_down(const char *interface, struct fault *fault)
{
    return fault_set(fault, ENETDOWN, "%.32s: the interface is down (ip link set %.32s up)",
                     interface, interface);
}

static int refuse_activate(const struct pcap_capture *p, pcap_t *handle, int rc,
                           struct fault *fault)
{
    switch (rc) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return refuse_gone(p->interface, fault);
    case PCAP_ERROR_IFACE_NOT_UP:
        return refuse_down(p->interface, fault);
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return fault_set(fault, EPERM,
                         "%s: not permitted to capture: that needs root, or CAP_NET_RAW "
                         "(setcap cap_net_raw+ep on the program)",
                         p->interface);
    default:
        return fault_set(fault, EIO, "%s: %.160s", p->interface,
                         *pcap_geterr(handle) ? pcap_geterr(handle) : pcap_statustostr(rc));
    }
}

/* By its number: the kernel takes other names of an interface for it, as libpcap has them. */
int capture_pcap_look(const char *interface, struct fault *fault)
{
    struct interface_state state;
    if (!strcmp(interface, "any"))
        return 0;
    int index = (int)if_nametoindex(interface);
    if (index == 0)
        return refuse_gone(interface, fault);
    int netlink = interface_socket();
    if (netlink < 0)
        return 0;
    int err = interface_read(netlink, index, NULL, &state);
    (void)close(netlink);
    return err == 0 && !state.is_up ? refuse_down(interface, fault) : 0;
}

/* Activates a handle with what was asked for. Warnings are those of settings that mean nothing to the
 * device ("any" is promiscuous anyway). */
static int activate(struct pcap_capture *p, pcap_t *handle, struct fault *fault)
{
    int rc = pcap_set_snaplen(handle, (int)p->snaplen);
    if (rc == 0)
        rc = pcap_set_promisc(handle, !p->is_modest && !p->is_any);
    if (rc == 0)
        rc = pcap_set_timeout(handle, TIMEOUT_MS);
    if (rc == 0)
        rc = pcap_set_buffer_size(handle, p->buffer_bytes);
    if (rc == 0 && pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) != 0)
        rc = pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_MICRO);
    if (rc == 0)
        rc = pcap_activate(handle);
    return rc < 0 ? refuse_activate(p, handle, rc, fault) : 0;
}

/* DLT_ and LINKTYPE_ numbers are the same for all that decode reads, but for raw IP. */
static uint32_t link_type_of(int dlt) { return dlt == DLT_RAW ? LINK_RAW : (uint32_t)dlt; }

/* The first of the forms that the device offers which decode reads; what it has set already comes first. */
static int choose_link_type(struct pcap_capture *p, pcap_t *handle, struct fault *fault)
{
    char name[64];
    p->link_type = link_type_of(pcap_datalink(handle));
    if (decode_reads(p->link_type))
        return 0;
    int *all = NULL, n = pcap_list_datalinks(handle, &all), chosen = -1;
    for (int i = 0; i < n && chosen < 0; i++) {
        if (decode_reads(link_type_of(all[i])) && pcap_set_datalink(handle, all[i]) == 0)
            chosen = all[i];
    }
    if (n > 0)
        pcap_free_datalinks(all);
    if (chosen < 0)
        return fault_set(fault, ENOTSUP, "%s: link type %s is not supported", p->interface,
                         decode_link_name(p->link_type, name, sizeof name));
    p->link_type = link_type_of(chosen);
    return 0;
}

/* The reason names the link type and not the expression, which may hold addresses of a telescope. */
static int set_filter(struct pcap_capture *p, pcap_t *handle, struct fault *fault)
{
    struct bpf_program code;
    char name[64];
    if (!p->filter)
        return 0;
    if (pcap_compile(handle, &code, p->filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return fault_set(fault, ENOTSUP, "%s: the filter does not compile for link type %s: %.120s",
                         p->interface, decode_link_name(p->link_type, name, sizeof name),
                         pcap_geterr(handle));
    int rc = pcap_setfilter(handle, &code);
    pcap_freecode(&code);
    return rc < 0 ? fault_set(fault, EIO, "%s: filter: %.160s", p->interface, pcap_geterr(handle))
                  : 0;
}

/* What this host sends would take room in the ring, too. Kernels before 4.20 don't know the option: there
 * libpcap sorts it out by itself, and only the drop counter may hold some of it. */
static int set_direction(struct pcap_capture *p, pcap_t *handle, struct fault *fault)
{
    int yes = 1;
    if (pcap_setdirection(handle, PCAP_D_IN) < 0)
        return fault_set(fault, EIO, "%s: %.160s", p->interface, pcap_geterr(handle));
#ifdef PACKET_IGNORE_OUTGOING
    (void)setsockopt(pcap_fileno(handle), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
#endif
    (void)yes;
    return 0;
}

/* The number of the interface that the handle is bound to: not positive once it has gone. */
static int bound_index(const struct pcap_capture *p)
{
    struct sockaddr_ll address = {0};
    socklen_t len = sizeof address;
    if (getsockname(p->fd, (struct sockaddr *)&address, &len) < 0)
        return 0;
    return address.sll_ifindex;
}

static int open_handle(struct pcap_capture *p, struct fault *fault)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    struct interface_state state;
    pcap_t *handle = pcap_create(p->interface, error);
    if (!handle)
        return fault_set(fault, EIO, "%s: %.160s", p->interface, error);
    int rc = activate(p, handle, fault);
    if (rc == 0)
        rc = choose_link_type(p, handle, fault);
    if (rc == 0)
        rc = set_filter(p, handle, fault);
    if (rc == 0)
        rc = set_direction(p, handle, fault);
    if (rc == 0 && pcap_setnonblock(handle, 1, error) < 0)
        rc = fault_set(fault, EIO, "%s: %.160s", p->interface, error);
    if (rc < 0) {
        pcap_close(handle);
        return rc;
    }
    p->handle = handle;
    p->fd = pcap_get_selectable_fd(handle);
    p->unit_ns = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    p->is_failing = false;
    p->lost_ms = 0;
    if (!p->is_any && interface_read(p->netlink, bound_index(p), NULL, &state) == 0) {
        running_sum_restart(&p->missed, state.missed);
        running_sum_restart(&p->errors, state.errors);
    }
    atomic_store_explicit(&p->is_merging, !p->is_any && interface_merges(p->interface),
                          memory_order_relaxed);
    set_link(p, CAPTURE_PCAP_UP);
    return 0;
}

/* Keeping at it. */

/* Not through pcap_stats, which sums in 32 bits and opens files in /sys every time. Reading resets the
 * kernel's counter, so that nothing wraps as long as somebody asks. */
static void add_kernel_drops(struct pcap_capture *p)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t len = sizeof stats;
    if (p->handle && getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
        p->kernel += stats.tp_drops;
}

static void reopen(struct pcap_capture *p)
{
    struct fault fault = {0};
    int rc = open_handle(p, &fault);
    if (rc == -ENETDOWN || rc == -ENODEV) { /* what we wait for the end of */
        set_link(p, rc == -ENETDOWN ? CAPTURE_PCAP_DOWN : CAPTURE_PCAP_GONE);
        rc = 0;
    }
    atomic_store_explicit(&p->err, -rc, memory_order_relaxed);
}

/* A burst was empty: looks whether there is still something to capture from. */
static void look(struct pcap_capture *p)
{
    struct interface_state state;
    int64_t now = now_ms();
    if (now < p->look_ms && !p->is_failing)
        return;
    if (p->handle && !p->is_failing && p->is_any)
        return;
    p->look_ms = now + LOOK_MS;
    if (!p->handle) {
        reopen(p);
        return;
    }
    int index = p->is_any ? 0 : bound_index(p);
    int rc = index > 0 ? interface_read(p->netlink, index, NULL, &state) : -ENODEV;
    if (rc == 0 && !p->is_failing) {
        set_link(p, state.is_up ? CAPTURE_PCAP_UP : CAPTURE_PCAP_DOWN);
        return;
    }
    if (rc != -ENODEV && !p->is_failing)
        return; /* no answer: asked again */
    set_link(p, rc == 0 ? CAPTURE_PCAP_DOWN : CAPTURE_PCAP_GONE);
    /* Its last packets may still lie in a block that the kernel has not handed over. */
    p->look_ms = now + TIMEOUT_MS;
    if (p->lost_ms == 0)
        p->lost_ms = now;
    if (now - p->lost_ms < 5 * TIMEOUT_MS)
        return;
    add_kernel_drops(p);
    pcap_close(p->handle);
    p->handle = NULL;
}

static void take(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct pcap_capture *p = (struct pcap_capture *)(void *)user;
    uint32_t caplen = header->caplen < p->snaplen ? header->caplen : p->snaplen;
    int64_t ts_ns = (int64_t)header->ts.tv_sec * billion + (int64_t)header->ts.tv_usec * p->unit_ns;
    if (p->clock.clock) {
        if (p->count == 0)
            live_clock_pair(&p->clock, &p->pair);
        ts_ns = clock_pair_map(&p->pair, ts_ns);
    }
    if (ts_ns < p->last_ns)
        ts_ns = p->last_ns;
    p->last_ns = ts_ns;
    memcpy(p->area + p->used, bytes, caplen);
    p->frames[p->count++] = (struct frame){
        .data = p->area + p->used,
        .caplen = caplen,
        .wire_len = header->len > caplen ? header->len : caplen,
        .ts_ns = ts_ns,
        .link_type = p->link_type,
    };
    p->used += (caplen + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
}

static size_t pcap_burst(struct capture *base, struct frame *frames, size_t max)
{
    struct pcap_capture *p = (struct pcap_capture *)base;
    p->frames = frames;
    p->count = p->used = 0;
    if (p->handle && max > 0) {
        int n = pcap_dispatch(p->handle, (int)(max < FRAME_BURST ? max : FRAME_BURST), take,
                              (u_char *)p);
        p->is_failing = n < 0;
    }
    if (p->count == 0)
        look(p);
    return p->count;
}

static void pcap_wait(struct capture *base, int timeout_ms)
{
    struct pcap_capture *p = (struct pcap_capture *)base;
    bool is_sound = p->handle && !p->is_failing && p->lost_ms == 0;
    struct pollfd fd = {is_sound ? p->fd : -1, POLLIN, 0};
    (void)poll(&fd, 1, timeout_ms);
}

static const struct damage_list *pcap_damaged(const struct capture *base)
{
    return &((const struct pcap_capture *)base)->none;
}

static void pcap_drops(const struct capture *base, struct capture_drops *drops)
{
    struct pcap_capture *p =
        (struct pcap_capture *)(uintptr_t)base; /* reading resets: we keep sums */
    struct interface_state state;
    int64_t now = now_ms();
    add_kernel_drops(p);
    *drops = (struct capture_drops){-1, -1, -1, (int64_t)p->kernel};
    if (p->is_any)
        return;
    int index = p->handle && now - p->counted_ms >= COUNT_MS ? bound_index(p) : 0;
    if (index > 0 && interface_read(p->netlink, index, NULL, &state) == 0) {
        running_sum_add(&p->missed, state.missed);
        running_sum_add(&p->errors, state.errors);
        p->counted_ms = now;
    }
    drops->nic_missed = (int64_t)p->missed.sum;
    drops->nic_error = (int64_t)p->errors.sum;
}

static void pcap_progress(const struct capture *base, uint64_t *done, uint64_t *total)
{
    (void)base;
    *done = *total = 0;
}

static void pcap_shut(struct capture *base)
{
    struct pcap_capture *p = (struct pcap_capture *)base;
    if (!p)
        return;
    if (p->handle)
        pcap_close(p->handle);
    if (p->netlink >= 0)
        (void)close(p->netlink);
    if (p->area != MAP_FAILED)
        (void)munmap(p->area, p->area_size);
    free(p->interface);
    free(p->filter);
    free(p);
}

static const struct capture_ops pcap_ops = {
    .name = "pcap",
    .burst = pcap_burst,
    .damaged = pcap_damaged,
    .drops = pcap_drops,
    .progress = pcap_progress,
    .wait = pcap_wait,
    .slack_ns = 50000000, /* the kernel hands blocks over some ms after the first packet in them */
    .close = pcap_shut,
};

static int check_settings(const struct capture_pcap_settings *s, struct fault *fault)
{
    struct filter *filter = NULL;
    char names[120];
    if (s->buffer_bytes > INT_MAX)
        return fault_set(fault, EINVAL, "%.32s: buffer of %llu bytes; at most %d", s->interface,
                         (unsigned long long)s->buffer_bytes, INT_MAX);
    if (s->snaplen > CAPTURE_PCAP_SNAPLEN_MAX)
        return fault_set(fault, EINVAL, "%.32s: snap length of %u bytes; at most %d", s->interface,
                         s->snaplen, CAPTURE_PCAP_SNAPLEN_MAX);
    if (!*s->interface) {
        interface_names(names, sizeof names);
        return fault_set(fault, ENODEV, "no interface is named; there are: %s", names);
    }
    int rc = s->filter ? filter_create(&filter, s->filter, fault) : 0;
    filter_destroy(filter);
    return rc;
}

int capture_pcap_open(struct capture **out, const struct capture_pcap_settings *s,
                      struct fault *fault)
{
    *out = NULL;
    int rc = check_settings(s, fault);
    if (rc < 0)
        return rc;
    struct pcap_capture *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(fault, ENOMEM, "%.32s: no memory", s->interface);
    p->base.ops = &pcap_ops;
    p->area = MAP_FAILED;
    p->netlink = interface_socket();
    p->interface = strdup(s->interface);
    p->filter = s->filter ? strdup(s->filter) : NULL;
    p->buffer_bytes = s->buffer_bytes ? (int)s->buffer_bytes : CAPTURE_PCAP_BUFFER;
    p->snaplen = s->snaplen ? s->snaplen : CAPTURE_PCAP_SNAPLEN_MAX;
    p->is_modest = s->is_modest;
    p->is_any = strcmp(s->interface, "any") == 0;
    p->last_ns = INT64_MIN;
    if (s->clock)
        clock_reader_init(&p->clock, s->clock);
    /* Room for a burst of the largest; pages that no packet reached cost nothing. */
    p->area_size = (size_t)FRAME_BURST * (p->snaplen + FRAME_ALIGN);
    p->area = mmap(NULL, p->area_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p->netlink < 0)
        rc =
            fault_set(fault, -p->netlink, "%s: rtnetlink: %s", s->interface, strerror(-p->netlink));
    else if (p->area == MAP_FAILED || !p->interface || (s->filter && !p->filter))
        rc = fault_set(fault, ENOMEM, "%s: no memory for a burst", s->interface);
    else
        rc = open_handle(p, fault);
    if (rc < 0) {
        pcap_shut(&p->base);
        return rc;
    }
    *out = &p->base;
    return 0;
}

void capture_pcap_status(const struct capture *base, struct capture_pcap_status *status)
{
    const struct pcap_capture *p = (const struct pcap_capture *)base;
    *status = (struct capture_pcap_status){
        .link = (enum capture_pcap_link)atomic_load_explicit(&p->link, memory_order_relaxed),
        .interruptions = atomic_load_explicit(&p->interruptions, memory_order_relaxed),
        .err = atomic_load_explicit(&p->err, memory_order_relaxed),
        .is_merging = atomic_load_explicit(&p->is_merging, memory_order_relaxed),
    };
}
