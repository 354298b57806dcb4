/* source_targets: what a source sent to each (protocol, destination port), its rows put together.
 *
 * A source day lists ports by kind and evidence by rule; here tcp_syn and tcp_data are one protocol, and a port that only evidence
 * rows still tell is as good as listed, as in a Day. Reused from one source to the next; one owner.
 */
#ifndef EXPORT_SOURCE_TARGETS_H
#define EXPORT_SOURCE_TARGETS_H

#include "export/source_day.h"

struct source_target {
    uint64_t packets;
    uint16_t port;
    uint8_t proto; /* PORT_PROTO_* */
};

/* Packets with evidence above `port`, by rule. */
struct source_hit {
    const char *rule; /* the source day's */
    uint64_t packets;
    uint16_t port;
    uint8_t proto, evidence;
};

struct source_target_row;

/* Begins as all zero. */
struct source_targets {
    struct source_target *at; /* by protocol, port */
    size_t count, size;
    struct source_hit *hits; /* by protocol, port, evidence, rule */
    size_t hit_count, hit_size;
    struct source_target_row *rows; /* of a source with evidence, while it is sorted */
    size_t row_size;
};

/* Fills both tables. -ENOMEM. */
int source_targets_fill(struct source_targets *t, const struct source_day *s);
void source_targets_fini(struct source_targets *t); /* accepts all zero */

/* NULL: it sent nothing there. */
const struct source_target *source_targets_find(const struct source_targets *t, unsigned proto,
                                                uint16_t port);

/* Packets of the hit's protocol and port that show a rule by their payload; `at` is the first hit there, and goes on behind the last. */
uint64_t source_targets_shown(const struct source_targets *t, size_t *at);

/* The tools that the source uses by the stated rule (source_day_uses): a set of 1 << enum tool. */
uint32_t source_targets_tools(const struct source_day *s);

/* A country as a small number: 0 unknown, "AA" 1, ... "ZZ" 676; and back. */
enum { SOURCE_COUNTRIES = 26 * 26 + 1 };
unsigned source_country(const char country[3]);
void source_country_text(unsigned number, char country[3]);

#endif
