/* event_bins: packets and distinct sources of the sensor and of each (protocol, port), per bin of 10 minutes.
 *
 * What looks for new activity reads them. A bin is a whole number of windows: 10 minutes, or where windows do not divide
 * them the least multiple of the window beyond; its grid is the windows'. All numbers are exact, distinct sources too, where
 * is_inexact does not say that a memory cap took something (core/event_engine.h): packets are then, sources are lower bounds.
 *
 *   sensor      every packet with a readable IP header that is addressed to the telescope, and who sent them
 *   rows        packets of the scan kinds with ports, by protocol and destination port
 *
 * Workers count sources (struct event_sources, one per worker and bin), the exporter adds them up and takes packets out of sealed
 * windows. A bin is over with the first sealed window behind it by whose watermark no other window of the bin is open; packets
 * that are later than that are in no bin. Bins come in the order of time, those without a packet between two others too: zero
 * is not missing; but for those of gaps of more than a day.
 */
#ifndef CORE_EVENT_BINS_H
#define CORE_EVENT_BINS_H

#include "classify/ruleset.h"
#include "export/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const int64_t EVENT_BIN_NS = INT64_C(600) * 1000000000; /* NICT's (REFERENCE.md 2) */

struct event_bin_row {
    uint16_t port;
    uint8_t proto;      /* enum port_proto */
    bool is_never_seen; /* in no bin before this one */
    uint64_t packets, sources;
};

struct event_bin {
    int64_t start_ns, span_ns;
    bool
        is_partial; /* not all of it was watched: the run began or ended in it, or a window says so */
    bool is_inexact;                  /* sources are lower bounds */
    uint64_t packets, sources;        /* of the sensor */
    const struct event_bin_row *rows; /* with packets, by protocol, then port */
    size_t row_count;
};

/* Gets each bin, once; what it points to is valid until it returns. The exporter's thread calls it, behind the append of the window
 * with whose seal the bin was over. */
typedef void (*event_bin_taker)(void *context, const struct event_bin *bin);

/* The span of bins over windows of this span. */
static inline int64_t event_bin_span(int64_t window_span_ns)
{
    int64_t windows = (EVENT_BIN_NS + window_span_ns - 1) / window_span_ns;
    return windows * window_span_ns;
}

#endif
