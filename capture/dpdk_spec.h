/* dpdk_spec: what `--from dpdk:SPEC` says, and the arguments of `--eal`.
 *
 *   SPEC   = PORT [, ITEM]...
 *   PORT   = PCI | NAME | vdev=NAME
 *   PCI    = [DOMAIN:]BUS:DEVICE.FUNCTION   in hexadecimal digits: 0000:03:00.1, 03:00.1
 *   NAME   = a port that DPDK has by itself or by `--eal --vdev=...`: letters, digits, _ . : - @
 *   ITEM   = queues=N | mtu=N | mbufs=N     ours
 *          | KEY=VALUE | KEY                the device's own, handed on in their order
 *          | device.KEY=VALUE               the device's own, where KEY is a word of ours
 *
 * A VALUE runs to the next comma and holds no space. Only a PCI device and a vdev have items of their own. Examples:
 *
 *   0000:03:00.0,queues=4
 *   vdev=net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap,infinite_rx=1,queues=2
 *   vdev=net_af_packet0,iface=eth1,queues=2
 *
 * Here is text alone: nothing of DPDK is called. Any thread.
 */
#ifndef CAPTURE_DPDK_SPEC_H
#define CAPTURE_DPDK_SPEC_H

#include "capture/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DPDK_DEVICE_ROOM = 64,     /* RTE_DEV_NAME_MAX_LEN */
    DPDK_DEVARGS_ROOM = 1024,  /* with the 0 */
    DPDK_QUEUES_MAX = 128,     /* a receiver is an lcore: RTE_MAX_LCORE */
    DPDK_MBUFS_DEFAULT = 9216, /* per queue: twice 4,096 descriptors, and bursts on the way */
};

enum dpdk_spec_kind { DPDK_PCI, DPDK_NAMED, DPDK_VDEV };

struct dpdk_spec {
    enum dpdk_spec_kind kind;
    char device[DPDK_DEVICE_ROOM];   /* PCI: in full, lower case */
    char devargs[DPDK_DEVARGS_ROOM]; /* the device's own items, with commas between; may be empty */
    uint16_t queues;                 /* as said; else what the vdev's items say; else 1 */
    uint16_t mtu;                    /* 0: the device's own */
    uint32_t mbufs;                  /* per queue; 0: DPDK_MBUFS_DEFAULT */
};

/* Reads the text behind "dpdk:". Returns 0; -EINVAL with the place (counted from 1) and what was
 * expected there in the fault. */
int dpdk_spec_parse(struct dpdk_spec *spec, const char *text, struct fault *fault);

/* Whether the vdev is of this driver: "net_pcap" for net_pcap0 and the old name eth_pcap0. */
bool dpdk_spec_is(const struct dpdk_spec *spec, const char *driver);

/* Whether the device was given KEY; how often. */
unsigned dpdk_spec_count(const struct dpdk_spec *spec, const char *key);

/* The first VALUE that it was given for KEY; false: there is none, or it does not fit. */
bool dpdk_spec_value(const struct dpdk_spec *spec, const char *key, char *value, size_t size);

/* The arguments of `--eal`. */
struct dpdk_arguments {
    char text[2048]; /* what `word` points into */
    char *word[128];
    unsigned count;
};

/* Splits at spaces; "..." and '...' hold a word together. Returns 0; -EINVAL with the argument in the fault:
 * a quote that does not end, too many, a name that EAL of 22.11 does not know, a value that is
 * missing, and what can't be had here (--help, --proc-type). `text` may be NULL. */
int dpdk_arguments_parse(struct dpdk_arguments *a, const char *text, struct fault *fault);

/* Whether an option is among them, by any of its names: "lcores", "l". */
bool dpdk_arguments_have(const struct dpdk_arguments *a, const char *name);

/* Which argument EAL's complaint is about: of several the one whose name or known words it holds;
 * all of them where that can't be told. */
void dpdk_arguments_blame(const struct dpdk_arguments *a, const char *complaint, char *out,
                          size_t room);

#endif
