#include "capture/quoted.h"

#include "capture/decode.h"

#include <string.h>

bool quoted_read(const uint8_t *bytes, size_t len, struct quoted *q)
{
    struct observation o;
    *q = (struct quoted){0};
    if (!decode_quoted(bytes, len, &o))
        return false;
    q->ip_version = o.ip_version;
    q->ip_proto = o.ip_proto;
    q->has_ports = o.state & OBSERVATION_PORTS;
    q->src_port = o.src_port;
    q->dst_port = o.dst_port;
    memcpy(q->src, o.src, sizeof q->src);
    memcpy(q->dst, o.dst, sizeof q->dst);
    return true;
}
