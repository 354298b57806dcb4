#include "export/day_span.h"

#include "export/day_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void day_span_date_init(struct day_span_date *date, int32_t number,
                        const struct survey_settings *survey, bool has_ex, uint64_t ipv4)
{
    *date = (struct day_span_date){.date = number,
                                   .survey = *survey,
                                   .has_ex = has_ex,
                                   .survey_min_packets = day_survey_min_packets(survey, ipv4)};
}

void day_span_date_fini(struct day_span_date *date)
{
    free(date->groups);
    *date = (struct day_span_date){0};
}

int day_span_begin(struct day *d, struct fault *fault)
{
    day_facts_fini(&d->span_facts);
    d->span_facts = (struct day_facts){.end_ns = 1000000000};
    int err = day_begin(d, &d->span_facts, fault);
    d->is_span = true;
    return err;
}

static int group_keep(struct day *d, struct day_span_date *date, struct fault *fault)
{
    const struct survey_settings *s = &date->survey;
    bool is_survey =
        date->has_ex && d->group_targets >= s->min_ports6 && d->group_packets >= s->min_packets6;
    d->settings.survey = date->survey;
    day_group_end(d); /* clears what it was told by; nothing is pending */
    if (!is_survey)
        return 0;
    if (date->group_count == date->group_size) {
        size_t size = date->group_size == 0 ? 64 : date->group_size * 2;
        uint64_t *groups = realloc(date->groups, size * sizeof *groups);
        if (groups == NULL)
            return fault_set(fault, ENOMEM, "no memory for a span");
        date->groups = groups;
        date->group_size = size;
    }
    memcpy(&date->groups[date->group_count++], d->judged.address, sizeof(uint64_t));
    return 0;
}

int day_span_judge(struct day *d, struct day_span_date *date, const struct source_day *s,
                   struct fault *fault)
{
    if (s->ip_version != 6)
        return 0;
    if (s->date != date->date || (d->is_group_open && source_day_order(&d->judged, s) >= 0))
        return fault_set(fault, EINVAL,
                         "a source of day %" PRId32 " is out of order or twice there", s->date);
    int err = 0;
    if (d->is_group_open && memcmp(d->judged.address, s->address, 8) != 0)
        err = group_keep(d, date, fault);
    d->is_group_open = true;
    d->judged = (struct source_day){.date = s->date, .ip_version = 6};
    memcpy(d->judged.address, s->address, sizeof d->judged.address);
    day_group_take(d, s);
    return err;
}

int day_span_judged(struct day *d, struct day_span_date *date, struct fault *fault)
{
    return d->is_group_open ? group_keep(d, date, fault) : 0;
}

static int group_order(const void *a, const void *b) { return memcmp(a, b, 8); }

/* Its numbers: new ones where the address, or the /64, is. */
static int source_begin(struct day *d, const struct source_day *s, struct fault *fault)
{
    int order = -1;
    if (d->has_last) {
        order = d->last.ip_version != s->ip_version
                    ? d->last.ip_version - s->ip_version
                    : memcmp(d->last.address, s->address, sizeof s->address);
        if (order > 0 || (order == 0 && d->last.date >= s->date))
            return fault_set(fault, EINVAL,
                             "a source of day %" PRId32 " is out of order or twice there", s->date);
    }
    bool is_same64 = d->has_last && s->ip_version == 6 && d->last.ip_version == 6 &&
                     memcmp(d->last.address, s->address, 8) == 0;
    d->source += order != 0;
    d->group += order != 0 && !is_same64;
    d->has_last = true;
    d->last.date = s->date;
    d->last.ip_version = s->ip_version;
    memcpy(d->last.address, s->address, sizeof d->last.address);
    return 0;
}

int day_span_add(struct day *d, const struct day_span_date *date, const struct source_day *s,
                 struct fault *fault)
{
    int err = source_begin(d, s, fault);
    if (err != 0)
        return err;
    d->settings.survey = date->survey;
    d->has_ex = date->has_ex;
    d->survey_min_packets = date->survey_min_packets;
    d->is_survey64 = s->ip_version == 6 && date->group_count > 0 &&
                     bsearch(s->address, date->groups, date->group_count, 8, group_order) != NULL;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        d->span_facts.kinds[kind].packets += s->kinds[kind].packets;
    return day_count_source(d, s, fault);
}

enum day_span_class day_span_class(const struct day *d) { return d->span_class; }

int day_span_end(struct day *d, const struct day_result **out, struct fault *fault)
{
    d->has_ex = true;
    return day_end(d, out, fault);
}
