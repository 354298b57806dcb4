#include "core/survey_set.h"

#include "core/memory.h"
#include "core/tally_day.h"
#include "export/saturate.h"

#include <stdlib.h>

bool survey_lists(const struct tally_survey *survey, const uint8_t address[16], unsigned ip_version)
{
    struct origin origin;
    origins_find_class(survey->origins, address, ip_version, &origin);
    return origin.class == ORIGIN_bogon || origin.class == ORIGIN_acknowledged;
}

void survey_source_add(const struct tally_survey *survey, struct source_table *shard,
                       uint32_t number)
{
    struct source *source = source_at(shard, number);
    uint8_t address[16];
    unsigned ip_version = source_address(shard, source, address);
    if (survey_lists(survey, address, ip_version))
        source->outs = SOURCE_OUTS | SOURCE_LISTED;
}

void survey_judge_begin(struct survey_judge *j, const struct tally_survey *survey, int32_t date,
                        struct source_table *shard, unsigned set)
{
    uint64_t ipv4 = prefix_set_ipv4_size(telescope_dates_on(survey->telescope, date)->set);
    *j = (struct survey_judge){
        .settings = survey->settings,
        .packets_least = day_survey_min_packets(survey->settings, ipv4),
        .shard = shard,
        .set = set,
    };
    for (uint32_t number = 0; number < shard->source_count; number++) {
        struct source *source = source_at(shard, number);
        bool is_listed = source->outs & SOURCE_LISTED;
        source->outs = (uint8_t)((source->outs & ~(1u << set)) | (unsigned)is_listed << set);
    }
}

static void group_end(struct survey_judge *j)
{
    bool is_survey = j->group_targets >= j->settings->min_ports6 &&
                     j->group_packets >= j->settings->min_packets6;
    for (uint32_t i = 0; i < j->pending_count && is_survey; i++)
        source_at(j->shard, j->pending[i])->outs |= (uint8_t)(1u << j->set);
    j->pending_count = 0;
    j->group_packets = j->group_targets = 0;
    memset(j->group_bits, 0, sizeof j->group_bits);
    j->is_group_open = false;
}

/* What the /64 of an IPv6 source is told by. */
static void group_take(struct survey_judge *j, const struct source_day *d)
{
    if (j->is_group_open && memcmp(j->group, d->address, sizeof j->group) != 0)
        group_end(j);
    memcpy(j->group, d->address, sizeof j->group);
    j->is_group_open = true;
    saturate_add(&j->group_packets, source_day_survey_packets(d));
    for (size_t i = 0; i < d->port_count; i++) {
        if (d->ports[i].kind == KIND_tcp_data)
            continue;
        uint32_t target = (uint32_t)(d->ports[i].kind == KIND_udp) << 16 | d->ports[i].port;
        uint64_t bit = UINT64_C(1) << target % 64;
        j->group_targets += !(j->group_bits[target / 64] & bit);
        j->group_bits[target / 64] |= bit;
    }
}

static void pending_add(struct survey_judge *j, uint32_t number)
{
    if (j->pending_count == j->pending_room) {
        j->pending_room = j->pending_room ? j->pending_room * 2 : 64;
        j->pending = memory_must(realloc(j->pending, j->pending_room * sizeof *j->pending));
    }
    j->pending[j->pending_count++] = number;
}

void survey_judge_take(struct survey_judge *j, uint32_t number, const struct source_day *d,
                       bool is_attacker)
{
    struct source *source = source_at(j->shard, number);
    if (d->ip_version == 6)
        group_take(j, d);
    if (is_attacker)
        source->outs &= (uint8_t) ~(1u << j->set);
    else if (source->outs & SOURCE_LISTED)
        return;
    else if (d->ip_version == 6)
        pending_add(j, number);
    else if (source_day_targets(d) >= j->settings->min_ports &&
             source_day_survey_packets(d) >= j->packets_least)
        source->outs |= (uint8_t)(1u << j->set);
}

/* Pairs name sources all over the shard: their bits come together first, a byte each. */
static void pairs_renew(struct source_table *shard)
{
    const uint64_t both = (uint64_t)SOURCE_OUTS << PAIR_OUTS;
    uint8_t *outs = memory_must(malloc(shard->source_count + 1));
    for (uint32_t number = 0; number < shard->source_count; number++)
        outs[number] = source_at(shard, number)->outs & SOURCE_OUTS;
    for (size_t i = 0; i < (size_t)shard->pair_groups * GROUP; i++) {
        struct pair *pair = &shard->pairs[i];
        if (pair->key == 0)
            continue;
        uint64_t bits = (uint64_t)outs[pair_source_number(shard, pair)] << PAIR_OUTS;
        if ((pair->state & both) != bits)
            pair->state = (pair->state & ~both) | bits;
    }
    free(outs);
}

void survey_judge_end(struct survey_judge *j)
{
    if (j->is_group_open)
        group_end(j);
    pairs_renew(j->shard);
    free(j->pending);
    j->pending = NULL;
}

static void list_apply(const struct survey_list *list, struct source_table *shard, uint32_t number,
                       unsigned set)
{
    struct source *source = source_at(shard, number);
    uint8_t address[16];
    unsigned ip_version = source_address(shard, source, address);
    bool is_out = survey_list_takes(list, address, ip_version, source->outs & SOURCE_LISTED);
    source->outs = (uint8_t)((source->outs & ~(1u << set)) | (unsigned)is_out << set);
}

void survey_list_apply(const struct survey_list *list, struct source_table *shard, unsigned set)
{
    for (uint32_t number = 0; number < shard->source_count; number++)
        list_apply(list, shard, number, set);
    pairs_renew(shard);
}

void survey_lists_apply(struct survey_list *const lists[2], struct source_table *shard,
                        uint32_t number)
{
    for (unsigned set = 0; set < 2; set++)
        if (lists[set])
            list_apply(lists[set], shard, number, set);
}
