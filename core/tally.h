/* tally: what one worker counts.
 *
 * Batches go in, windows come out. A worker owns whole shards of the source table, so distinct
 * counts are exact and add up over workers. One thread; time is the observations'.
 */
#ifndef CORE_TALLY_H
#define CORE_TALLY_H

#include "capture/batch.h"
#include "capture/hash.h"
#include "classify/classify.h"
#include "classify/telescope_dates.h"
#include "core/survey_list.h"
#include "core/survey_set.h"
#include "export/window.h"

struct tally;
struct tally_day;

/* What a run's sources come to; adds up over workers. */
struct tally_sources {
    uint64_t sources, pairs;
    uint64_t kinds[KIND_COUNT];
    uint64_t marks[MARK_COUNT];
    uint64_t rules[RULES_MAX]; /* of scan packets to a rule's ports, whatever their payload shows */
    uint64_t payload_rules
        [RULES_MAX]; /* of scan packets whose payload shows the rule; with days alone */
    uint64_t table_bytes;
    uint64_t ports[PORT_PROTO_COUNT][65536];
    uint64_t inexact[PORT_PROTO_COUNT]
                    [WINDOW_PORT_WORDS]; /* a bit for each port with more sources, perhaps:
                                                              a memory cap began; nothing that adds up */
};

/* `has_days`: calendar days are counted, too (core/tally_day.h). `survey`, which may be NULL and needs days: windows say
 * what is taken out of _ex_survey. What is pointed to (telescope may be NULL) must outlive the tally. NULL with errno. */
struct tally *tally_create(const struct hash_key *key, const struct ruleset *rules,
                           const struct telescope_dates *telescope, bool has_days,
                           const struct tally_survey *survey);
void tally_destroy(struct tally *t); /* accepts NULL */

/* A window begins in a slot, whether packets of it come here or not: it stands on the survey set of now. */
void tally_announce(struct tally *t, unsigned slot);

/* A window, announced where there is a survey, begins in a slot that is free; the tally fills `w` (cleared) from
 * now on. Slots need not be opened in the order of their windows, as long as each is before its first packet. */
void tally_open(struct tally *t, unsigned slot, struct window *w);

/* Whether the slot has a window. */
bool tally_is_open(const struct tally *t, unsigned slot);

/* The slot's window, complete but for its ledger and the times of its first and last packet; the caller
 * owns it again. */
struct window *tally_seal(struct tally *t, unsigned slot);

/* Counts all packets of a batch; their slots are open. */
void tally_batch(struct tally *t, const struct batch *b);

/* The same; writes the labels of its observations. */
void tally_batch_labels(struct tally *t, const struct batch *b, struct label *labels);

/* Brings in what is read first of a batch that is counted soon: it lies in another core's cache. */
void tally_batch_ahead(const struct batch *b);

/* Adds the sources of a shard by payload rule; all its days are packed (core/day_pack.h). */
void tally_payload_sources_add(const struct tally *t, unsigned shard, struct tally_sources *sum);

/* The days that have packets, *count of them; valid until the next packet. */
struct tally_day **tally_days(const struct tally *t, unsigned *count);

/* The day of a time, among those that have packets from now on. */
struct tally_day *tally_day_of(struct tally *t, int64_t ts_ns);

/* Whether it is the current day; NULL: whether there is none yet. */
bool tally_day_is_current(const struct tally *t, const struct tally_day *day);

/* A day becomes the current one; that before, if it is another, was packed for all shards. */
void tally_day_turn(struct tally *t, struct tally_day *next);

/* A day is over: its survey set, made of all shards that have sources, is the one that windows stand on from now on. */
void tally_survey_turn(struct tally *t, int32_t date);

/* Begins to make that set of a shard, before the day of that date is packed with the same judge. */
void tally_survey_judge(struct tally *t, unsigned shard, int32_t date, struct survey_judge *judge);

/* Live: a day is over, and this list, which the tally takes over, is what windows stand on from now on. */
void tally_survey_install(struct tally *t, struct survey_list *list);

/* Live: a tally without sources goes on with the lists and the basis of another, which has them no longer. */
void tally_survey_inherit(struct tally *t, struct tally *from);

/* Live: likewise, with copies of the lists: both go on. */
void tally_survey_share(struct tally *t, const struct tally *from);

/* Adds a shard's sources to *sum, all but those of ports: as long as there are sources. */
void tally_sources_add(const struct tally *t, unsigned shard, struct tally_sources *sum);

/* Adds the sources of ports, those of rules that gave up their pairs, and takes out of the pairs what is
 * none of a port. */
void tally_port_sources_add(const struct tally *t, struct tally_sources *sum);

#endif
