#include "classify/bogon.h"

#include <string.h>

/* clang-format off */
/* Reach, first address (IPv6: its two halves), length, prefix, name, RFC; longest prefixes first, so that the
 * first row that holds an address decides. */
#define ROWS4(X) \
    X(ALWAYS, 0x00000000, 32, "0.0.0.0/32", "This host on this network", "RFC 1122") \
    X(ALWAYS, 0xc0000008, 32, "192.0.0.8/32", "IPv4 dummy address", "RFC 7600") \
    X(NEVER, 0xc0000009, 32, "192.0.0.9/32", "Port Control Protocol Anycast", "RFC 7723") \
    X(NEVER, 0xc000000a, 32, "192.0.0.10/32", "Traversal Using Relays around NAT Anycast", "RFC 8155") \
    X(ALWAYS, 0xc00000aa, 32, "192.0.0.170/32", "NAT64/DNS64 Discovery", "RFC 8880") \
    X(ALWAYS, 0xc00000ab, 32, "192.0.0.171/32", "NAT64/DNS64 Discovery", "RFC 8880") \
    X(ALWAYS, 0xc0586302, 32, "192.88.99.2/32", "6a44-relay anycast address", "RFC 6751") \
    X(ALWAYS, 0xffffffff, 32, "255.255.255.255/32", "Limited Broadcast", "RFC 919") \
    X(ALWAYS, 0xc0000000, 29, "192.0.0.0/29", "IPv4 Service Continuity Prefix", "RFC 7335") \
    X(ALWAYS, 0xc0000000, 24, "192.0.0.0/24", "IETF Protocol Assignments", "RFC 6890") \
    X(ALWAYS, 0xc0000200, 24, "192.0.2.0/24", "Documentation (TEST-NET-1)", "RFC 5737") \
    X(NEVER, 0xc01fc400, 24, "192.31.196.0/24", "AS112-v4", "RFC 7535") \
    X(NEVER, 0xc034c100, 24, "192.52.193.0/24", "AMT", "RFC 7450") \
    X(EXTRA, 0xc0586300, 24, "192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", "RFC 7526") \
    X(NEVER, 0xc0af3000, 24, "192.175.48.0/24", "Direct Delegation AS112 Service", "RFC 7534") \
    X(ALWAYS, 0xc6336400, 24, "198.51.100.0/24", "Documentation (TEST-NET-2)", "RFC 5737") \
    X(ALWAYS, 0xcb007100, 24, "203.0.113.0/24", "Documentation (TEST-NET-3)", "RFC 5737") \
    X(ALWAYS, 0xa9fe0000, 16, "169.254.0.0/16", "Link Local", "RFC 3927") \
    X(ALWAYS, 0xc0a80000, 16, "192.168.0.0/16", "Private-Use", "RFC 1918") \
    X(ALWAYS, 0xc6120000, 15, "198.18.0.0/15", "Benchmarking", "RFC 2544") \
    X(ALWAYS, 0xac100000, 12, "172.16.0.0/12", "Private-Use", "RFC 1918") \
    X(ALWAYS, 0x64400000, 10, "100.64.0.0/10", "Shared Address Space", "RFC 6598") \
    X(ALWAYS, 0x00000000, 8, "0.0.0.0/8", "This network", "RFC 791") \
    X(ALWAYS, 0x0a000000, 8, "10.0.0.0/8", "Private-Use", "RFC 1918") \
    X(ALWAYS, 0x7f000000, 8, "127.0.0.0/8", "Loopback", "RFC 1122") \
    X(ALWAYS, 0xe0000000, 4, "224.0.0.0/4", "Multicast", "RFC 1122") \
    X(ALWAYS, 0xf0000000, 4, "240.0.0.0/4", "Reserved", "RFC 1112")

#define ROWS6(X) \
    X(ALWAYS, 0x0000000000000000, 0x0, 128, "::/128", "Unspecified Address", "RFC 4291") \
    X(ALWAYS, 0x0000000000000000, 0x1, 128, "::1/128", "Loopback Address", "RFC 4291") \
    X(NEVER, 0x2001000100000000, 0x1, 128, "2001:1::1/128", "Port Control Protocol Anycast", "RFC 7723") \
    X(NEVER, 0x2001000100000000, 0x2, 128, "2001:1::2/128", "Traversal Using Relays around NAT Anycast", "RFC 8155") \
    X(NEVER, 0x2001000100000000, 0x3, 128, "2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", "RFC 9665") \
    X(ALWAYS, 0x0000000000000000, 0xffff00000000, 96, "::ffff:0:0/96", "IPv4-mapped Address", "RFC 4291") \
    X(NEVER, 0x0064ff9b00000000, 0x0, 96, "64:ff9b::/96", "IPv4-IPv6 Translation", "RFC 6052") \
    X(ALWAYS, 0x0100000000000000, 0x0, 64, "100::/64", "Discard-Only Address Block", "RFC 6666") \
    X(ALWAYS, 0x0100000000000001, 0x0, 64, "100:0:0:1::/64", "Dummy IPv6 Prefix", "RFC 9780") \
    X(ALWAYS, 0x0064ff9b00010000, 0x0, 48, "64:ff9b:1::/48", "IPv4-IPv6 Translation, local", "RFC 8215") \
    X(ALWAYS, 0x2001000200000000, 0x0, 48, "2001:2::/48", "Benchmarking", "RFC 5180") \
    X(NEVER, 0x2001000401120000, 0x0, 48, "2001:4:112::/48", "AS112-v6", "RFC 7535") \
    X(NEVER, 0x2620004f80000000, 0x0, 48, "2620:4f:8000::/48", "Direct Delegation AS112 Service", "RFC 7534") \
    X(EXTRA, 0x2001000000000000, 0x0, 32, "2001::/32", "TEREDO", "RFC 4380") \
    X(NEVER, 0x2001000300000000, 0x0, 32, "2001:3::/32", "AMT", "RFC 7450") \
    X(ALWAYS, 0x20010db800000000, 0x0, 32, "2001:db8::/32", "Documentation", "RFC 3849") \
    X(ALWAYS, 0x2001001000000000, 0x0, 28, "2001:10::/28", "Deprecated (previously ORCHID)", "RFC 4843") \
    X(NEVER, 0x2001002000000000, 0x0, 28, "2001:20::/28", "ORCHIDv2", "RFC 7343") \
    X(NEVER, 0x2001003000000000, 0x0, 28, "2001:30::/28", "Drone Remote ID Protocol Entity Tags", "RFC 9374") \
    X(ALWAYS, 0x2001000000000000, 0x0, 23, "2001::/23", "IETF Protocol Assignments", "RFC 2928") \
    X(ALWAYS, 0x3fff000000000000, 0x0, 20, "3fff::/20", "Documentation", "RFC 9637") \
    X(EXTRA, 0x2002000000000000, 0x0, 16, "2002::/16", "6to4", "RFC 3056") \
    X(ALWAYS, 0x5f00000000000000, 0x0, 16, "5f00::/16", "Segment Routing (SRv6) SIDs", "RFC 9602") \
    X(ALWAYS, 0xfe80000000000000, 0x0, 10, "fe80::/10", "Link-Local Unicast", "RFC 4291") \
    X(ALWAYS, 0xff00000000000000, 0x0, 8, "ff00::/8", "Multicast", "RFC 4291") \
    X(ALWAYS, 0xfc00000000000000, 0x0, 7, "fc00::/7", "Unique-Local", "RFC 4193") \
    X(NEVER, 0x2000000000000000, 0x0, 3, "2000::/3", "Global Unicast", "RFC 4291") \
    X(ALWAYS, 0x0000000000000000, 0x0, 0, "::/0", "No Global Unicast", "RFC 4291")

#define FIRST4_(reach, address, length, ...)   {address, length},
#define FIRST6_(reach, high, low, length, ...) {{high, low}, length},
#define ROW4_(reach, address, length, prefix, name, rfc)   {prefix, name, rfc, BOGON_##reach},
#define ROW6_(reach, high, low, length, prefix, name, rfc) {prefix, name, rfc, BOGON_##reach},

static const struct bogon table[] = {ROWS4(ROW4_) ROWS6(ROW6_)};

static const struct {
    uint32_t first;
    unsigned length;
} blocks4[] = {ROWS4(FIRST4_)};

static const struct {
    uint64_t first[2];
    unsigned length;
} blocks6[] = {ROWS6(FIRST6_)};
/* clang-format on */

enum { COUNT4 = sizeof blocks4 / sizeof *blocks4, COUNT6 = sizeof blocks6 / sizeof *blocks6 };

static const struct bogon *find4(const uint8_t address[4])
{
    uint32_t a = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                 (uint32_t)address[2] << 8 | address[3];
    for (size_t i = 0; i < COUNT4; i++)
        if ((a ^ blocks4[i].first) >> (32 - blocks4[i].length) == 0)
            return &table[i];
    return NULL;
}

static uint64_t half(const uint8_t *bytes)
{
    uint64_t n;
    memcpy(&n, bytes, sizeof n);
    return __builtin_bswap64(n);
}

static const struct bogon *find6(const uint8_t address[16])
{
    uint64_t high = half(address), low = half(address + 8);
    for (size_t i = 0; i < COUNT6; i++) {
        unsigned length = blocks6[i].length;
        uint64_t h = high ^ blocks6[i].first[0], l = low ^ blocks6[i].first[1];
        bool is_in = length == 0   ? true
                     : length > 64 ? h == 0 && l >> (128 - length) == 0
                                   : h >> (64 - length) == 0;
        if (is_in)
            return &table[COUNT4 + i];
    }
    return NULL;
}

const struct bogon *bogon_find(const uint8_t address[16], unsigned ip_version, bool has_extra)
{
    const struct bogon *found = ip_version == 4   ? find4(address)
                                : ip_version == 6 ? find6(address)
                                                  : NULL;
    if (!found || found->reach == BOGON_NEVER)
        return NULL;
    return found->reach == BOGON_ALWAYS || has_extra ? found : NULL;
}

const struct bogon *bogon_table(size_t *count)
{
    *count = COUNT4 + COUNT6;
    return table;
}
