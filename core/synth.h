/* synth: writes a capture of synthetic darknet traffic, and its answers beside it. */
#ifndef CORE_SYNTH_H
#define CORE_SYNTH_H

#include "capture/capture_synth.h"
#include "classify/ruleset.h"

#include <stdio.h>

struct synth_settings {
    struct capture_synth_settings traffic; /* but for its telescope */
    /* "PREFIX,..." or a file with prefixes, # begins a comment; NULL: SYNTH_TELESCOPE. */
    const char *telescope;
    const char *out;             /* capture file (pcap, Ethernet); "-": stdout, without answers */
    const struct ruleset *rules; /* those in force, for the answers; NULL: no answers */
};

/* Ranges that are nobody's: for benchmarks (RFC 2544), for documentation (RFC 3849). */
#define SYNTH_TELESCOPE "198.18.0.0/16,2001:db8::/32"

/* 2026-01-01T00:00:00Z, where captures begin unless asked otherwise. */
#define SYNTH_START_NS  (INT64_C(1767225600) * 1000000000)

/* Writes OUT and OUT.answers.json; old answers go even where none are written. 0 or -errno with a
 * fault; the capture may then be incomplete. */
int synth_run(const struct synth_settings *settings, struct fault *fault);

/* The prefixes that a telescope text means; caller frees *out. -EINVAL with a fault that has
 * the word, *out NULL. */
int synth_telescope_parse(const char *text, struct synth_prefix **out, size_t *count,
                          struct fault *fault);

/* As synth_telescope_parse takes it: "198.18.0.0/16,2001:db8::/32". */
void synth_telescope_print(FILE *out, const struct synth_prefix *telescope, size_t count);

#endif
