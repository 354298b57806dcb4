/* survey_set: whose packets windows take out of _ex_survey, provisionally (DESIGN.md 3).
 *
 * A source is taken out under one of two sets, bit 0 or 1 of its `outs`: windows that open stand on one of them, while the
 * other is made again when a day is over; then they change places. So windows that were open before keep
 * theirs. What makes a set is what export/day.h says of a Day: listed (bogon, acknowledged), or a survey
 * scanner on that day, IPv6 by /64; nobody with evidence of a bot or an exploit on that day. Who was not seen on that day
 * is taken out where listed. A source that is new is so in both sets.
 * Origins are looked up once per source. Part of the tally: one thread.
 */
#ifndef CORE_SURVEY_SET_H
#define CORE_SURVEY_SET_H

#include "classify/origin.h"
#include "classify/telescope_dates.h"
#include "core/source_table.h"
#include "core/survey_list.h"
#include "export/day.h"

struct tally_survey {
    const struct telescope_dates *telescope; /* there is one, whose size on each day counts */
    const struct survey_settings *settings;
    const struct origins *origins;
};

/* Whether an address is listed: a bogon or an acknowledged scanner. */
bool survey_lists(const struct tally_survey *survey, const uint8_t address[16],
                  unsigned ip_version);

/* The source is new: whether it is listed. */
void survey_source_add(const struct tally_survey *survey, struct source_table *shard,
                       uint32_t number);

/* Sets a shard's bits of one set by a list, of all its sources and pairs. */
void survey_list_apply(const struct survey_list *list, struct source_table *shard, unsigned set);

/* Likewise both sets of one source, which is new. */
void survey_lists_apply(struct survey_list *const lists[2], struct source_table *shard,
                        uint32_t number);

/* A new pair takes over what its source says. */
static inline void survey_pair_add(const struct source *source, struct pair *pair)
{
    pair->state |= (uint64_t)(source->outs & SOURCE_OUTS) << PAIR_OUTS;
}

/* Makes a shard's set: begin, take every source of the day in the order of addresses, end. */
struct survey_judge {
    const struct survey_settings *settings;
    uint64_t packets_least; /* of an IPv4 source */
    struct source_table *shard;
    unsigned set;
    bool is_group_open; /* the /64 being read: */
    uint8_t group[8];
    uint64_t group_packets, group_targets;
    uint64_t group_bits[2 * 65536 / 64]; /* its targets */
    uint32_t *pending;                   /* its sources whose fate hangs on it */
    uint32_t pending_count, pending_room;
};

/* All sources begin as though they were not seen. `date` is the day that is judged; `set`: 0 or 1. */
void survey_judge_begin(struct survey_judge *j, const struct tally_survey *survey, int32_t date,
                        struct source_table *shard, unsigned set);

/* `is_attacker`: the source has evidence of a bot, or of a payload rule that is an exploit. */
void survey_judge_take(struct survey_judge *j, uint32_t number, const struct source_day *d,
                       bool is_attacker);

/* The set is made; all pairs know of it. */
void survey_judge_end(struct survey_judge *j);

#endif
