/* capture_spec: what --from says: which backend reads where.
 *
 *     pcap:IFACE                    libpcap on a network interface, or `any`
 *     dpdk:PORT[,queues=N]          PORT: a PCI address, a device's name, or vdev=NAME[,ARG...]
 *
 * A vdev's arguments have commas of their own: the backend's (queues) stand last. Whether the interface or port is there
 * shows when it is opened. Pure.
 */
#ifndef CAPTURE_CAPTURE_SPEC_H
#define CAPTURE_CAPTURE_SPEC_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum capture_backend { CAPTURE_BACKEND_PCAP, CAPTURE_BACKEND_DPDK, CAPTURE_BACKEND_COUNT };

extern const char *const capture_backend_names[CAPTURE_BACKEND_COUNT];

enum {
    CAPTURE_TARGET = 1024,      /* bytes, with its zero */
    CAPTURE_QUEUES_MAX = 64,    /* ours: a queue is a receiver's core */
    CAPTURE_INTERFACE_MAX = 15, /* bytes of an interface's name: IFNAMSIZ - 1 */
};

struct capture_spec {
    enum capture_backend backend;
    char target[CAPTURE_TARGET]; /* interface or port; of a vdev what stands behind "vdev=" */
    bool is_vdev;
    uint32_t queues; /* 0: not said */
};

/* 0, or -EINVAL and a fault that names the text. */
int capture_spec_parse(struct capture_spec *spec, const char *text, struct fault *fault);

#endif
