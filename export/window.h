/* window: the mergeable result of a span.
 *
 * Plain counters, reused. Rows of ports stand in the order in which the ports came, so that as much of
 * its 9 MB is touched as ports were seen. One owner at a time: a worker fills it, the exporter
 * merges and writes it.
 */
#ifndef EXPORT_WINDOW_H
#define EXPORT_WINDOW_H

#include "classify/label.h"
#include "classify/ruleset.h"
#include "export/hll.h"
#include "export/ledger.h"

#include <stdbool.h>
#include <stdint.h>

struct count {
    uint64_t packets, bytes;
};

/* Distinct sources of a port or mark: equal while unmerged or within one source's shard. */
struct source_count {
    uint64_t low, high;
};

struct port_count { /* one cache line */
    _Alignas(64) uint64_t packets;
    uint64_t bytes;
    uint64_t syn, scan;  /* SYN without ACK, RST, FIN, by header; scan kinds */
    uint64_t scan_bytes; /* of the scan kinds; not in the feed, rules are counted from it */
    struct source_count sources;
    uint16_t port;
};

struct window_totals {
    uint64_t packets, bytes;
    int64_t first_ns, last_ns; /* valid where packets > 0 */
    uint64_t ip4, ip6, tcp, udp, icmp, tcp_syn, tcp_synack, tcp_rst, snapped;
};

/* Beside the ledger. Detail given up for memory, in packets (core's cap says when): both zero: the window is exact. Its packets
 * are so in any case. Then what the writer gave up while this window was made, whatever its packets. */
struct window_given_up {
    uint64_t
        ports; /* with a port, whose source is one of it already or not: the ports' sources have low < high */
    uint64_t
        sources; /* whose source is known or not: all sources have low < high, and what is taken out of
                         _ex_survey lacks who should be */
    uint64_t recorder_packets, windows, events; /* not recorded; records not written; likewise */
};

/* What of a window's sources was known when it was counted: who is a survey scanner shows when a day is over, so
 * windows take out who was one on the newest day that was over when they opened (provisional). Whether
 * acknowledged scanners and bogons are taken out does not depend on a day.
 * All false: nothing was counted yet. */
struct window_basis {
    bool has_ex;     /* a window in it counts what is taken out */
    bool lacks_ex;   /* another one does not; then all of it does not */
    bool has_survey; /* a window in it takes out the survey scanners of `first`..`last` */
    bool
        lacks_survey; /* another one none: no day was over yet (or two days ended while it was open; then it takes
                            out nothing) */
    int32_t first, last; /* dates in the feed's zone, days since 1970-01-01; 0 unless has_survey */
};

struct window {
    int64_t start_ns, span_ns;
    uint32_t part;
    bool is_partial; /* not all of its span was watched: the writer began or stopped within it */
    struct window_ledger ledger;
    struct window_given_up given_up;
    struct window_totals totals;
    struct count kinds[KIND_COUNT];
    uint64_t mark_packets[MARK_COUNT];
    struct source_count mark_sources[MARK_COUNT];
    bool lacks_sketches; /* no mark has a sketch: addresses were anonymised */
    struct window_basis basis;
    /* Of these, what is taken out of _ex_survey: means something where window_has_ex(). */
    uint64_t mark_packets_out[SHARE_MARK_COUNT];
    struct source_count mark_sources_out[SHARE_MARK_COUNT];
    struct count rules[RULES_MAX][EVIDENCE_COUNT];
    struct hll hll[MARK_COUNT]; /* a mark's is empty where its mark_sources.high is 0, and has no
                                   register in use that MARK_total's has not */
    uint32_t port_used[PORT_PROTO_COUNT];             /* rows of ports in use */
    struct port_count ports[PORT_PROTO_COUNT][65536]; /* in the order of their first packets */
    uint16_t port_row[PORT_PROTO_COUNT]
                     [65536]; /* by port: its row, if a row in use says the same */
};

/* Allocates a cleared window; NULL with errno. */
struct window *window_create(void);
void window_destroy(struct window *w); /* accepts NULL */

/* Back to empty, at the cost of what was touched. */
void window_clear(struct window *w);

/* The row of a port; NULL: it had no packets. */
static inline struct port_count *window_port_find(struct window *w, unsigned proto, uint16_t port)
{
    uint32_t at = w->port_row[proto][port];
    struct port_count *row = &w->ports[proto][at];
    return at < w->port_used[proto] && row->port == port ? row : NULL;
}

/* The row of a port, in use from now on. */
static inline struct port_count *window_port(struct window *w, unsigned proto, uint16_t port)
{
    struct port_count *row = window_port_find(w, proto, port);
    if (row)
        return row;
    uint32_t at = w->port_used[proto]++;
    w->port_row[proto][port] = (uint16_t)at;
    row = &w->ports[proto][at];
    *row = (struct port_count){.port = port};
    return row;
}

/* Takes out all sketches, for good: what it merges with has none either. */
void window_drop_sketches(struct window *w);

/* What the two windows' sources have to do with each other. */
enum window_merge {
    WINDOW_SHARDS, /* disjoint sources, same span: low and high add */
    WINDOW_SPANS,  /* other times, parts or sensors: low = max, high = sum */
};

/* Adds `from` to `into`. Associative and commutative (law 3). The start becomes the earlier one,
 * the span reaches to the later end (at most INT64_MAX), the part is the lower one. A window of
 * span 0, as created and cleared, has no time yet and takes the other's. Partial is what either is. */
void window_merge(struct window *into, const struct window *from, enum window_merge how);

/* Whether it knows what is taken out of _ex_survey. */
static inline bool window_has_ex(const struct window *w)
{
    return w->basis.has_ex && !w->basis.lacks_ex;
}

/* The basis of both together. */
void window_basis_merge(struct window_basis *into, const struct window_basis *from);

static inline bool window_is_exact(const struct window *w)
{
    return w->given_up.ports == 0 && w->given_up.sources == 0;
}

/* Whether anything was given up, of its own or beside it. */
static inline bool window_gave_up(const struct window *w)
{
    const struct window_given_up *g = &w->given_up;
    return !window_is_exact(w) || g->recorder_packets > 0 || g->windows > 0 || g->events > 0;
}

/* "tcp", "udp". */
const char *window_proto_name(unsigned proto);

/* The blocks of sketches that hold something, whatever the mark. */
void window_hll_blocks(const struct window *w, struct hll_blocks *blocks);

/* Marks the ports in use: bit port % 64 of word port / 64. */
enum { WINDOW_PORT_WORDS = 65536 / 64 };
void window_port_bits(const struct window *w, unsigned proto, uint64_t bits[WINDOW_PORT_WORDS]);

#endif
