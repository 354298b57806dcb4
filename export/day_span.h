/* day_span: the distinct sources of several dates, by a Day's own rules.
 *
 *   day_create -> day_span_begin
 *     -> per date with IPv6 sources: day_span_judge over these (in their order), day_span_judged
 *     -> day_span_add over all sources of all dates, by IP version, address, date -> day_span_end
 *
 * A source counts once in a number however many of its days count there, and in an ex number if one of them does. Packets
 * add up. Memory as of one Day, and 8 bytes for each /64 that was a survey scanner on a date. A day_begin()
 * in between begins anew. One thread.
 */
#ifndef EXPORT_DAY_SPAN_H
#define EXPORT_DAY_SPAN_H

#include "export/day.h"

/* A date of the span. */
struct day_span_date {
    int32_t date;
    struct survey_settings survey;
    bool has_ex;                 /* the telescopes' sizes are known */
    uint64_t survey_min_packets; /* of an IPv4 source */
    uint64_t *groups; /* the /64 that were survey scanners: their first 8 bytes, as memcmp sorts */
    size_t group_count, group_size;
};

/* `ipv4`: addresses of the date's telescopes; has_ex false: a size is not known. */
void day_span_date_init(struct day_span_date *date, int32_t number,
                        const struct survey_settings *survey, bool has_ex, uint64_t ipv4);
void day_span_date_fini(struct day_span_date *date); /* accepts all zero */

/* -ENOMEM and a fault. */
int day_span_begin(struct day *d, struct fault *fault);

/* Takes an IPv6 source of the date into account; others are passed over. -EINVAL: out of order; -ENOMEM. */
int day_span_judge(struct day *d, struct day_span_date *date, const struct source_day *s,
                   struct fault *fault);
/* The date's last one has been taken. -ENOMEM. */
int day_span_judged(struct day *d, struct day_span_date *date, struct fault *fault);

/* As day_add(). */
int day_span_add(struct day *d, const struct day_span_date *date, const struct source_day *s,
                 struct fault *fault);

/* What the source that was added last is taken out as, on that date; conflict: it would be, but it attacks. */
enum day_span_class {
    DAY_SPAN_ordinary,
    DAY_SPAN_bogon,
    DAY_SPAN_acknowledged,
    DAY_SPAN_survey,
    DAY_SPAN_conflict,
    DAY_SPAN_CLASSES
};
enum day_span_class day_span_class(const struct day *d);

/* As day_end(); of the result only counts mean something: all that facts say is empty, all of it `ex` is what the
 * dates with a known size have. */
int day_span_end(struct day *d, const struct day_result **out, struct fault *fault);

#endif
