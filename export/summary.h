/* summary: everything `replay` prints at its end, ready for a renderer.
 *
 * Filled by core from the exact tables; owned by core; renderers only read it.
 */
#ifndef EXPORT_SUMMARY_H
#define EXPORT_SUMMARY_H

#include "capture/capture.h"
#include "classify/ruleset.h"
#include "export/window.h"

struct summary_port {
    uint16_t port;
    uint8_t proto; /* PORT_PROTO_* */
    uint64_t packets, bytes, syn, scan, sources;
    bool is_inexact; /* its sources are at least that many */
};

struct summary_rule {
    uint16_t rule;                   /* index into the rule set */
    struct count by[EVIDENCE_COUNT]; /* packets under their strongest evidence: port, payload */
    uint64_t packets, bytes;         /* of all evidence */
    uint64_t port_sources; /* distinct sources of scan packets to its ports, whatever these carry */
    bool has_payload_sources;
    uint64_t
        payload_sources; /* of scan packets whose payload shows it; where sources of days were counted */
    bool is_inexact; /* likewise, one of the two */
};

/* What the memory cap took from a run; all zero: nothing. Distinct counts are then lower bounds: of ports and rules as they
 * say themselves; where `sources` is true all of them. */
struct summary_given_up {
    bool ports, rules,
        sources; /* sources no longer list ports, rules; new sources are only counted */
    uint64_t
        ports_packets; /* the most packets, of the days that were not over, of a source that gave up ports */
    uint64_t packets; /* whose source no longer has its detail: on those days, and all after it */
};

/* What the run was asked for; texts as given. */
struct summary_settings {
    const char *filter;       /* NULL: none */
    bool hides_filter;        /* its text may name the telescope (law 6) */
    const char *telescope_id; /* NULL: none */
    const char *timezone, *sensor;
    uint32_t decap; /* set of enum decap */
    int64_t window_ns, lateness_ns;
    uint64_t memory_cap; /* bytes; 0: none */
    unsigned top;
    const char *const *paths; /* files and folders, "-" */
    size_t path_count;
};

struct summary {
    const struct ruleset *rules;
    const struct window *total;     /* all windows merged: totals, kinds, marks' packets, ledger */
    uint64_t sources, destinations; /* exact distinct addresses, where nothing was given up */
    uint64_t kind_sources[KIND_COUNT];
    uint64_t mark_sources[MARK_COUNT]; /* exact over the whole run */
    struct summary_port *ports; /* all; for JSON most packets first, then proto (tcp, udp), port */
    size_t port_count;
    /* For text, into ports: those with scan packets, most of these first, then packets, proto, port. */
    uint32_t *scan_ports;
    size_t scan_port_count;
    struct summary_rule *by_rule; /* rules with packets, most packets first, then id */
    size_t by_rule_count;
    struct summary_given_up given_up;
    bool has_indicators; /* they were looked for */
    uint64_t
        indicators_withheld; /* they mention the telescope; no reader of the feed hears of it */
    uint64_t windows, window_parts; /* distinct windows; further parts of them, a record each */
    const struct damage_list *damaged;
    uint64_t inputs; /* files that were opened */
    const char
        *ex_absent; /* why windows do not say what is taken out of _ex_survey; NULL, "": they do */
    size_t list_count; /* of acknowledged scanners */
    bool telescope_configured;
    uint64_t telescope_ipv4;          /* addresses, when the last packet came; */
    uint64_t telescope_ipv6_prefixes; /* the fewest that cover it; likewise */
    size_t telescope_spans; /* spans of days that differ in it; 0 or 1: it does not change */
    struct summary_settings settings;
    double seconds;       /* how long the run took; text only, never in json */
    const char *feed_dir; /* NULL: none written */
};

/* Why there are no shares over _ex_survey; "": there are, provisional ones. */
static inline const char *summary_ex_absent(const struct summary *s)
{
    if (s->ex_absent != NULL && s->ex_absent[0] != '\0')
        return s->ex_absent;
    return window_has_ex(s->total) ? "" : "there is no window";
}

#endif
