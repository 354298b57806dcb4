/* payload_tool: scanners that put their name, or bytes of their own making, into what they send.
 *
 * A row is one probe of one program: where it is sent and the bytes that tell it. The packet matches the row's
 * tool (label.h): nmap's probes nmap, the others the tool `probe`, whose row is named by explain; zmap and
 * masscan stay what their headers say. What a program sends that others send alike (DNS
 * version.bind, NTP monlist, NTP's plain request) has no row. ICMP has none: no program's text is known.
 * Results depend on the first PAYLOAD_TOOL_BYTES bytes alone. Pure functions, any thread.
 */
#ifndef CLASSIFY_PAYLOAD_TOOL_H
#define CLASSIFY_PAYLOAD_TOOL_H

#include "capture/observation.h"
#include "classify/label.h"

#include <stdbool.h>
#include <stdint.h>

enum { PAYLOAD_TOOL_BYTES = 256, PAYLOAD_TOOL_ANYWHERE = 0xffff };

struct payload_tool {
    const char *name;  /* "masscan tftp" */
    uint8_t tool;      /* enum tool */
    uint8_t proto;     /* IP protocol */
    uint16_t dst_port; /* 0: any */
    uint16_t at;       /* offset of the bytes; PAYLOAD_TOOL_ANYWHERE */
    uint16_t len;      /* of the whole payload; 0: any */
    uint16_t size;     /* of bytes */
    const char *bytes;
    const char *source;
};
extern const struct payload_tool payload_tools[];
extern const unsigned payload_tool_count;

/* The row that a payload matches; NULL: none. `len`: bytes of the packet's payload, `caught` of them at
 * `payload`. */
const struct payload_tool *payload_tool_of(uint8_t proto, uint16_t dst_port, const uint8_t *payload,
                                           uint32_t caught, uint32_t len);

/* The same as a set of 1 << enum tool. */
uint32_t payload_tool_set(uint8_t proto, uint16_t dst_port, const uint8_t *payload, uint32_t caught,
                          uint32_t len);

/* `first4` as in udp_form_wants(): nmap's RPC number, which rows of any port have. */
static inline bool payload_tool_wants_udp_anywhere(uint32_t first4) { return first4 == 0x72fe1d13; }

/* False: a UDP payload that begins like this matches no row. */
static inline bool payload_tool_wants_udp(uint16_t dst_port, uint32_t len, uint32_t first4)
{
    if (payload_tool_wants_udp_anywhere(first4))
        return true;
    switch (dst_port) {
    case 7:
    case 17:
    case 19:
        return first4 == 0x6d617373; /* mass */
    case 53:
        return len == 12;
    case 69:
    case 138:
    case 161:
    case 443:
    case 1701:
    case 1900:
    case 5060:
    case 53413:
        return true;
    default:
        return false;
    }
}

/* Whether it says true of any payload to the port: of one that has what its rows ask for. */
static inline bool payload_tool_wants_udp_port(uint16_t dst_port)
{
    return payload_tool_wants_udp(dst_port, 12, 0x6d617373);
}

#endif
