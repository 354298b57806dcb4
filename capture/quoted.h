/* quoted: whose packet an ICMP error is about.
 *
 * An error quotes the packet that could not be delivered. One that reaches a darknet answers a packet which bore
 * a dark address as its source and which nobody here has sent: someone forged it. So the quoted source is
 * an address of the telescope, and the quoted destination is the victim that was attacked, whoever sent the error.
 * Reads as decode does, one layer, no tunnels; any thread.
 */
#ifndef CAPTURE_QUOTED_H
#define CAPTURE_QUOTED_H

#include "capture/observation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quoted {
    uint8_t ip_version; /* 4 or 6 */
    uint8_t ip_proto;   /* transport, behind IPv6 extension headers */
    bool has_ports;     /* TCP or UDP, and their 4 bytes are there */
    uint16_t src_port, dst_port;
    uint8_t src[16]; /* IPv4: the first 4 bytes, the rest zero */
    uint8_t dst[16]; /* the victim */
};

/* Reads what `len` bytes of a quote say; the packet may be cut anywhere behind its IP header. False: no readable
 * IP header, *q is zero. */
bool quoted_read(const uint8_t *bytes, size_t len, struct quoted *q);

#endif
