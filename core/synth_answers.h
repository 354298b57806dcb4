/* synth_answers: what a synthetic capture must be counted as.
 *
 * Counted from the generator's intents, never from packets; port rules are looked up in the rule
 * set in force. Exact: bitmaps over source and destination numbers, a set of (source, protocol,
 * port). Memory: 4 bytes per source, one bit per destination, 16 to 32 bytes per (source,
 * protocol, port). One thread.
 */
#ifndef CORE_SYNTH_ANSWERS_H
#define CORE_SYNTH_ANSWERS_H

#include "capture/capture_synth.h"
#include "classify/ruleset.h"

#include <stdio.h>

struct synth_port {
    uint64_t packets, bytes, syn, scan, sources;
};

/* As `replay --json` (DESIGN.md, section 6) defines them. */
struct synth_totals {
    uint64_t packets, bytes;
    int64_t first_ns, last_ns; /* valid where packets > 0 */
    uint64_t ip4, ip6, tcp, udp, icmp, tcp_syn, tcp_synack, tcp_rst;
    uint64_t sources, destinations;
    uint64_t pairs; /* distinct (source, protocol, destination port) */
    uint64_t kinds[KIND_COUNT], kind_sources[KIND_COUNT];
    uint64_t marks[MARK_COUNT], mark_sources[MARK_COUNT];
    struct synth_port ports[PORT_PROTO_COUNT][65536];
};

struct synth_answers;

/* `rules` must outlive the answers. 0 or -ENOMEM with a fault, *out NULL. */
int synth_answers_create(struct synth_answers **out, const struct ruleset *rules, uint64_t sources,
                         uint64_t destinations, struct fault *fault);
void synth_answers_destroy(struct synth_answers *a); /* accepts NULL */

/* Counts packets. -ENOMEM with a fault. */
int synth_answers_add(struct synth_answers *a, const struct synth_intent *intents, size_t count,
                      struct fault *fault);

/* Valid until the next call on *a. */
const struct synth_totals *synth_answers_totals(const struct synth_answers *a);

/* One JSON object: the fields of `replay --json` that the totals hold, `pairs`, the rule set's
 * sha256, and from `settings` what makes the capture again. */
void synth_answers_print(const struct synth_totals *t, const struct ruleset *rules,
                         const struct capture_synth_settings *settings, FILE *out);

/* enum kind of what was meant, by enum synth_sort. */
extern const uint8_t synth_kind_by_sort[SYNTH_SORT_COUNT];

#endif
