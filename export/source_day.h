/* source_day: all that is kept of one source for one calendar day.
 *
 * Mergeable (law 3): source days of one address and date add up, in any order and grouping. Every
 * share, category, port and tool of a Day is a function of its source days and the rule set. A
 * source day is plain data, rows sorted and distinct; whoever fills it owns its rows and texts.
 * No clock, no shared state; any thread, each with its own buffers.
 *
 * What always holds (record_unpack_source_day refuses what breaks it):
 *   - rows ascend and have packets; their kinds are scan kinds; evidence rows name their rule;
 *   - packets of the port rows + unlisted_ports = packets of the scan kinds; no kind's rows exceed it;
 *   - what evidence rows have beyond the port rows of the same kind and port is within unlisted_ports;
 *   - evidence rows + unlisted_evidence <= packets of the scan kinds; tools and notes <= all packets;
 *   - first_ns <= last_ns; there is a packet; the last ones with evidence and over TCP lie between; no reach beyond its packets.
 * Sums that would overflow stay at UINT64_MAX, which keeps merging associative.
 */
#ifndef EXPORT_SOURCE_DAY_H
#define EXPORT_SOURCE_DAY_H

#include "classify/label.h"
#include "export/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets of a scan kind to a destination port. */
struct source_day_port {
    uint8_t kind; /* KIND_tcp_syn, KIND_tcp_data, KIND_udp */
    uint16_t port;
    uint64_t packets;
};

/* Of those packets, the ones with evidence above `port`; each under its one strongest rule. The
 * port stays with them, so that port evidence can be restated under other rules. */
struct source_day_evidence {
    const char *rule; /* payload: the rule's id; bot: the tool's name; not "" */
    uint8_t evidence; /* EVIDENCE_bot, EVIDENCE_payload */
    uint8_t kind;
    uint16_t port;
    uint64_t packets;
};

/* Who the source is, as told by the databases and lists of that day. NULL reads as "". */
struct source_day_origin {
    const char *acknowledged; /* organisation; "" none */
    const char *bogon;        /* block of IANA's registry, "10.0.0.0/8"; "" none */
    char country[3];          /* two capital letters; "" unknown */
    uint32_t asn;             /* 0 unknown */
    const char *as_name;      /* "" unknown */
};

/* How many distinct addresses of the telescope packets went to, counted up to SOURCE_REACH_MAX
 * ("so many, or more"): counts leave, never the addresses nor a sketch of them (law 6). Counts of pieces can't be merged exactly, so there are two:
 *   low   distinct ones in the piece that knows the most: merged, the greater. What is decided by it is certain;
 *   high  the sum over pieces.
 * Equal: exact. Parts of one run come out exact: each has as low what was found since the run (or its day) began, and as high
 * only what is new in it; so in a part low may exceed high, and the high of Mirai that of TCP (an address that was known, now with the feature).
 * Both 0: not counted. */
struct source_reach {
    uint8_t low, high;
};
enum source_reach_of {
    REACH_TCP, /* of packets of tcp_syn and tcp_data to ports of strict iot rules, or with the Mirai feature */
    REACH_MIRAI, /* of those with the Mirai feature */
    REACH_COUNT
};

enum {
    SOURCE_REACH_MAX = 12,
    SOURCE_DAY_PORTS_MAX = 3 * 65536,    /* rows that can differ */
    SOURCE_DAY_EVIDENCE_MAX = 3 * 65536, /* rows that unpacking takes */
    SOURCE_DAY_TEXT_MAX = 1023,          /* bytes of each text that unpacking takes */
};

enum source_day_proto { SOURCE_DAY_NO_PROTO, SOURCE_DAY_TCP, SOURCE_DAY_UDP, SOURCE_DAY_PROTOS };

struct source_day {
    int32_t date;              /* days since 1970-01-01, in the feed's zone */
    uint8_t ip_version;        /* 4 or 6 */
    uint8_t address[16];       /* IPv4: the first 4 bytes, the rest zero */
    int64_t first_ns, last_ns; /* its packets of the day, the earliest and the latest */
    struct count kinds[KIND_COUNT];
    uint64_t tools[TOOL_COUNT];    /* packets that match */
    uint64_t notes[NOTE_COUNT];    /* packets */
    struct source_day_port *ports; /* by kind, port */
    size_t port_count;
    struct source_day_evidence *evidence; /* by evidence, rule (bytes), kind, port */
    size_t evidence_count;
    /* The last packet with evidence above `port` (an ISP behind carrier NAT needs it); means
     * something where source_day_has_evidence(). Of several at one time, the greatest ports. */
    int64_t evidence_ns;
    uint16_t evidence_src_port, evidence_dst_port;
    uint8_t
        evidence_proto; /* enum source_day_proto; of several at one time and of one port, the greatest */
    struct source_reach reach[REACH_COUNT];
    /* The last packet of REACH_TCP; of several at one time the greatest ports, which are 0 where it is not known. */
    int64_t tcp_ns;
    uint16_t tcp_src_port, tcp_dst_port;
    struct source_day_origin origin;
    uint64_t unlisted_ports; /* packets of scan kinds of which no port is known: the header was cut
                                   before it, or detail was given up for memory */
    uint64_t
        unlisted_evidence; /* packets with evidence whose rule is not known: given up likewise */
};

/* Whether the last packet over TCP is known. */
static inline bool source_day_has_tcp(const struct source_day *s)
{
    return s->tcp_src_port != 0 || s->tcp_dst_port != 0;
}

static inline bool source_day_has_evidence(const struct source_day *s)
{
    return s->evidence_count > 0 || s->unlisted_evidence > 0;
}

/* By date, IP version, address: the order of source days in a feed. < 0, 0, > 0. */
int source_day_order(const struct source_day *a, const struct source_day *b);

/* The orders of the rows. */
int source_day_port_order(const struct source_day_port *a, const struct source_day_port *b);
int source_day_evidence_order(const struct source_day_evidence *a,
                              const struct source_day_evidence *b);

/* Where the rows and texts of one source day stand; reused from one to the next. Begins as all zero;
 * `day` is valid until the buffer's next call. Grows to the largest source day it held. */
struct source_day_space {
    struct source_day_port *ports;
    struct source_day_evidence *evidence;
    char *text;
    size_t port_size, evidence_size, text_size, text_used;
};

struct source_day_buffer {
    struct source_day day;
    struct source_day_space space[2]; /* the rows of `day`, and those of the next merge */
    unsigned used;                    /* which of the two `day` stands in */
};

/* Makes room in the space that `day` will stand in next (and clears its text), for whoever fills it
 * row by row; see source_day_buffer_turn. -ENOMEM at worst, nothing is changed then. */
int source_day_buffer_reserve(struct source_day_buffer *b, size_t ports, size_t evidence,
                              size_t text);

/* The space that was reserved becomes the one of b->day, whose rows are pointed there. */
void source_day_buffer_turn(struct source_day_buffer *b);

/* Copies `len` bytes and a zero into the reserved space's text, which must have room. */
const char *source_day_buffer_text(struct source_day_buffer *b, const char *text, size_t len);

/* A copy with rows and texts of its own. `from` may be b's own neighbour, never b->day. -ENOMEM: as
 * before. */
int source_day_copy(struct source_day_buffer *b, const struct source_day *from);

/* Adds `from`, which must be of the same date and address (asserted), to b->day: packets add, first and last
 * reach out, rows are united, the last evidence and the last packet over TCP are the later ones, reach is as above. Of each text of the origin the one
 * that is not empty stays; of two the bytewise greater; AS number and name go together, by number first.
 * Associative and commutative. -ENOMEM: b->day is as before. */
int source_day_merge(struct source_day_buffer *b, const struct source_day *from);

void source_day_buffer_free(struct source_day_buffer *b); /* to all zero */

/* All its packets; those of the scan kinds. */
uint64_t source_day_packets(const struct source_day *s);
uint64_t source_day_scan(const struct source_day *s);

/* Distinct (protocol, destination port) over tcp_syn and udp, as far as ports are listed, and the
 * packets of the two kinds: what survey scanners are told by. */
uint64_t source_day_targets(const struct source_day *s);
uint64_t source_day_survey_packets(const struct source_day *s);

/* Whether the source *uses* the tool: enough of the packets that could match do. */
bool source_day_uses(const struct source_day *s, enum tool tool);

/* Whether everything that always holds does; the reason into `why` where not (may be NULL, 0). */
bool source_day_holds(const struct source_day *s, char *why, size_t size);

#endif
