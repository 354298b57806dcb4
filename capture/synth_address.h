/* synth_address: where synthetic packets come from and go to.
 *
 * Sources: a bijection from index to public addresses, so that different sources
 * never share one and no table is needed. Destinations: the addresses of the telescope's
 * prefixes, numbered.
 */
#ifndef CAPTURE_SYNTH_ADDRESS_H
#define CAPTURE_SYNTH_ADDRESS_H

#include "capture/capture_synth.h"
#include "capture/random.h"

struct synth_dark {
    struct synth_prefix prefix;
    uint64_t first; /* number of its first address */
    uint64_t count;
};

struct synth_address {
    uint32_t round_key[4];
    uint32_t public_count;     /* addresses that sources may have */
    uint8_t public_first[256]; /* first octets of those addresses */
    struct synth_dark *dark;   /* the IPv4 prefixes, then the IPv6 prefixes */
    size_t dark_count, dark4_count;
    uint64_t count4, count; /* destinations in IPv4, in all */
};

/* 0, -EINVAL and a fault (no IPv4, a prefix out of bounds, an overlap), -ENOMEM. */
int synth_address_init(struct synth_address *a, uint64_t seed, const struct synth_prefix *telescope,
                       size_t count, struct fault *fault);
void synth_address_fini(struct synth_address *a);

/* Both fill 16 bytes as in struct observation. IPv6 only where the telescope has some. */
void synth_address_source(const struct synth_address *a, uint32_t source, unsigned ip_version,
                          uint8_t address[16]);
/* Draws a destination and returns its number. */
uint64_t synth_address_destination(const struct synth_address *a, unsigned ip_version,
                                   struct random_stream *random, uint8_t address[16]);

#endif
