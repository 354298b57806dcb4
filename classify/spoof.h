/* spoof: signs in the headers that a packet's source is forged.
 *
 * Named tests, each applied or not by a setting; one that is applied and holds gives the label
 * likely_spoofed. They are those of CAIDA's corsaro3 (filter "spoofed" and what it takes in), with what
 * its source calls abnormal, and one of our own, telescope_source.
 *
 * Applied unless set otherwise are those that no host's network stack passes, whatever program runs on it: an
 * address that sends to itself, port 0 as a source, the reserved flag, and an address at which there is no host. The others are
 * more frequent among forged packets than elsewhere, but say little of a single packet: tools that build their own
 * headers start at TTL 255 (ZMap before 4, masscan, Unicornscan), probe odd protocols, flags
 * and port 0; since CIDR a host may end in .0 or .255, and few packets are forged: of every hundred
 * that end so, most are genuine. Apply them to study floods, not to clean a share of scans.
 *
 * Pure functions, any thread.
 */
#ifndef CLASSIFY_SPOOF_H
#define CLASSIFY_SPOOF_H

#include "capture/fault.h"
#include "capture/observation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* clang-format off */
#define SPOOF_TESTS(X) \
    X(abnormal_protocol) X(abnormal_flags) X(high_ttl) X(fragment_offset) X(reserved_flag) \
    X(source_ends_0) X(source_ends_255) X(same_address) X(source_port_0) X(destination_port_0) \
    X(udp_to_80) X(telescope_source)
#define SPOOF_ID_(name) SPOOF_##name,
enum spoof_test { SPOOF_TESTS(SPOOF_ID_) SPOOF_COUNT };
/* clang-format on */

/* The tests that are applied unless set otherwise: a set of 1 << enum spoof_test. */
enum {
    SPOOF_DEFAULT = 1 << SPOOF_reserved_flag | 1 << SPOOF_same_address | 1 << SPOOF_source_port_0 |
                    1 << SPOOF_telescope_source
};

struct spoof_text {
    const char *name, *what, *source;
};
extern const struct spoof_text spoof_texts[SPOOF_COUNT];

/* The tests that hold of a packet: a set of 1 << enum spoof_test. None of a packet without a readable IP
 * header. */
uint32_t spoof_tests(const struct observation *o);

/* Those of SPOOF_DEFAULT alone: whether one holds. */
static inline bool spoof_default(const struct observation *o)
{
    uint64_t src[2], dst[2];
    memcpy(src, o->src, sizeof src);
    memcpy(dst, o->dst, sizeof dst);
    bool is_same = ((src[0] ^ dst[0]) | (src[1] ^ dst[1])) == 0;
    return (o->state & (OBSERVATION_RESERVED | OBSERVATION_DARK_SOURCE)) ||
           (is_same && o->state & OBSERVATION_IP) ||
           (o->src_port == 0 && o->state & OBSERVATION_PORTS);
}

/* Whether one of `tests` holds. */
static inline bool spoof_applied(uint32_t tests, const struct observation *o)
{
    return tests == SPOOF_DEFAULT ? spoof_default(o) : (spoof_tests(o) & tests) != 0;
}

/* Reads names with commas between, "default", "all" or "none", into *set; -EINVAL and a fault that names
 * the word it does not know. */
int spoof_parse(const char *text, uint32_t *set, struct fault *fault);

#endif
