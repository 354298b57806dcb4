#include "capture/synth_address.h"

#include "capture/synth_packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* First octets that hold no, or not only, public unicast addresses; 224 and above besides. */
static const uint8_t octets_avoided[] = {0, 10, 100, 127, 169, 172, 192, 198, 203};

/* IPv6 sources are 2a01::/16 addresses. */
enum { SOURCE6_HIGH = 0x2a01, SUBNETS6 = 65536 };

static int prefix_compare(const void *left, const void *right)
{
    const struct synth_dark *a = left, *b = right;
    if (a->prefix.ip_version != b->prefix.ip_version)
        return a->prefix.ip_version < b->prefix.ip_version ? -1 : 1;
    return memcmp(a->prefix.address, b->prefix.address, sizeof a->prefix.address);
}

static bool prefix_overlaps(const struct synth_prefix *a, const struct synth_prefix *b)
{
    unsigned bits = a->bits < b->bits ? a->bits : b->bits;
    if (a->ip_version != b->ip_version || memcmp(a->address, b->address, bits / 8))
        return false;
    return !((a->address[bits / 8 % 16] ^ b->address[bits / 8 % 16]) & (0xff00 >> bits % 8 & 0xff));
}

static int prefix_check(const struct synth_prefix *p, struct fault *fault)
{
    if (p->ip_version != 4 && p->ip_version != 6)
        return fault_set(fault, EINVAL, "telescope: IP version %u", p->ip_version);
    unsigned low = p->ip_version == 4 ? 8 : 16, high = p->ip_version == 4 ? 32 : 128;
    if (p->bits < low || p->bits > high)
        return fault_set(fault, EINVAL, "telescope: IPv%u prefix length %u is not %u to %u",
                         p->ip_version, p->bits, low, high);
    if (p->ip_version == 6 && (p->address[0] << 8 | p->address[1]) == SOURCE6_HIGH)
        return fault_set(fault, EINVAL, "telescope: synthetic IPv6 sources lie in 2a01::/16");
    return 0;
}

static uint64_t prefix_count(const struct synth_prefix *p)
{
    if (p->ip_version == 4)
        return UINT64_C(1) << (32 - p->bits);
    return p->bits <= 112 ? SUBNETS6 : UINT64_C(1) << (128 - p->bits);
}

/* Numbers the telescope's addresses. */
static int dark_number(struct synth_address *a, struct fault *fault)
{
    qsort(a->dark, a->dark_count, sizeof a->dark[0], prefix_compare);
    for (size_t i = 0; i < a->dark_count; i++) {
        struct synth_dark *d = &a->dark[i];
        if (i && prefix_overlaps(&d[-1].prefix, &d->prefix))
            return fault_set(fault, EINVAL, "telescope: prefixes overlap");
        d->first = a->count;
        d->count = prefix_count(&d->prefix);
        a->count += d->count;
        if (d->prefix.ip_version == 4) {
            a->count4 = a->count;
            a->dark4_count = i + 1;
        }
    }
    if (!a->dark4_count)
        return fault_set(fault, EINVAL, "telescope: at least one IPv4 prefix is needed");
    return 0;
}

static void public_init(struct synth_address *a)
{
    bool avoided[256] = {false};
    unsigned octets = 0;
    for (unsigned i = 0; i < sizeof octets_avoided; i++)
        avoided[octets_avoided[i]] = true;
    for (size_t i = 0; i < a->dark4_count; i++)
        avoided[a->dark[i].prefix.address[0]] = true;
    for (unsigned i = 0; i < 224; i++)
        if (!avoided[i])
            a->public_first[octets++] = (uint8_t)i;
    a->public_count = octets << 24;
}

int synth_address_init(struct synth_address *a, uint64_t seed, const struct synth_prefix *telescope,
                       size_t count, struct fault *fault)
{
    memset(a, 0, sizeof *a);
    for (unsigned i = 0; i < 4; i++)
        a->round_key[i] = (uint32_t)random_mix(random_mix(seed) + i);
    a->dark = calloc(count ? count : 1, sizeof a->dark[0]);
    if (!a->dark)
        return fault_set(fault, ENOMEM, "telescope: no memory for %zu prefixes", count);
    a->dark_count = count;
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        a->dark[i].prefix = telescope[i];
        err = prefix_check(&telescope[i], fault);
    }
    if (!err)
        err = dark_number(a, fault);
    if (!err)
        public_init(a);
    if (!err && !a->public_count)
        err = fault_set(fault, EINVAL, "telescope: leaves no public addresses for sources");
    if (err)
        synth_address_fini(a);
    return err;
}

void synth_address_fini(struct synth_address *a)
{
    free(a->dark);
    a->dark = NULL;
}

/* A permutation of 32-bit numbers: four Feistel rounds. */
static uint32_t permute(const struct synth_address *a, uint32_t x)
{
    uint32_t left = x >> 16, right = x & 0xffff;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t f = (right ^ a->round_key[i]) * UINT32_C(0x9e3779b1);
        f = (f ^ f >> 15) * UINT32_C(0x85ebca6b);
        uint32_t next = left ^ f >> 16;
        left = right;
        right = next;
    }
    return left << 16 | right;
}

void synth_address_source(const struct synth_address *a, uint32_t source, unsigned ip_version,
                          uint8_t address[16])
{
    memset(address, 0, 16);
    if (ip_version == 6) {
        synth_put16(address, SOURCE6_HIGH);
        synth_put32(address + 2, permute(a, source));
        synth_put32(address + 12, permute(a, ~source) | 1);
        return;
    }
    /* Walking the cycle until it is below public_count keeps it a permutation of those numbers,
     * of which `source` is one (sources <= 2^30 < 100 octets; see capture_synth.c). */
    uint32_t n = source;
    do
        n = permute(a, n);
    while (n >= a->public_count);
    synth_put32(address, n);
    address[0] = a->public_first[n >> 24];
}

uint64_t synth_address_destination(const struct synth_address *a, unsigned ip_version,
                                   struct random_stream *random, uint8_t address[16])
{
    uint64_t bits = random_next(random);
    size_t low = 0, high = a->dark4_count;
    uint64_t n = random_scale((uint32_t)bits, a->count4);
    if (ip_version == 6) {
        low = a->dark4_count;
        high = a->dark_count;
        n = a->count4 + random_scale((uint32_t)bits, a->count - a->count4);
    }
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (a->dark[middle].first <= n)
            low = middle;
        else
            high = middle;
    }
    const struct synth_dark *d = &a->dark[low];
    uint32_t offset = (uint32_t)(n - d->first);
    memcpy(address, d->prefix.address, 16);
    if (ip_version == 4) {
        synth_put32(address, synth_get32(address) + offset);
    } else if (d->prefix.bits <= 56) { /* 256 subnets with 256 hosts each */
        address[7] |= (uint8_t)(offset >> 8);
        address[15] |= (uint8_t)offset;
    } else {
        address[14] |= (uint8_t)(offset >> 8);
        address[15] |= (uint8_t)offset;
    }
    return n;
}
