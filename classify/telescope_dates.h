/* telescope_dates: which addresses are dark on which day.
 *
 * Of a telescope's entries (classify/telescope_yaml.h) it makes spans of days: in each the same addresses are dark, and
 * neighbours differ. The first span has no begin, the last no end; on days without any entry the telescope is there and
 * holds nothing, so that every packet is `outside`. A packet's span is that of its own day in the zone in force.
 * Each prefix of each entry has a number, from 0 in the order in which they were written, which stands for it in metrics: its
 * addresses are secret. Where prefixes overlap on a day, an address counts for the longest one that does not
 * except it, of equal ones for the first.
 *
 * Built once, then read by any thread; a look-up takes no lock and allocates nothing. A span takes 512 KiB, 9 KiB for each
 * /16 that is dark in part, 1 KiB for each such /24, and 12 bytes for each IPv4 range.
 */
#ifndef CLASSIFY_TELESCOPE_DATES_H
#define CLASSIFY_TELESCOPE_DATES_H

#include "capture/fault.h"
#include "classify/prefix_set.h"
#include "classify/telescope_index.h"
#include "classify/telescope_yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More dates than an operator has; each takes memory. */
enum { TELESCOPE_SPANS_MAX = 256 };

struct telescope_range6 {
    unsigned __int128 first, last;
    uint32_t number;
};

struct telescope_span {
    int32_t from;             /* its first day; TELESCOPE_SINCE_EVER */
    int64_t start_ns, end_ns; /* [start, end), set by telescope_dates_zone(); INT64_MAX: no end */
    struct prefix_set *set;
    struct telescope_range4 *ranges4; /* ascending, apart */
    struct telescope_range6 *ranges6;
    size_t range4_count, range6_count;
    struct telescope_index index; /* of IPv4 */
};

/* A prefix by its number. */
struct telescope_prefix {
    struct prefix prefix;
    int32_t from, until; /* of its entry */
};

struct telescope_dates {
    struct telescope_span *spans; /* at least one */
    size_t span_count;
    struct telescope_prefix *prefixes;
    size_t prefix_count;
    struct prefix_set *ever; /* what is dark on any day */
};

/* Reads "PREFIX,PREFIX,..." or a file, which is a plain list of prefixes, one a line, or YAML. Until
 * telescope_dates_zone() was called, days are UTC's. 0, or -errno and a fault; *out is NULL then. */
int telescope_dates_create(struct telescope_dates **out, const char *text, struct fault *fault);

/* The same from the content of such a file; `name` stands in messages. */
int telescope_dates_create_from(struct telescope_dates **out, const char *name, const char *content,
                                size_t len, struct fault *fault);

/* The same from YAML. */
int telescope_dates_create_yaml(struct telescope_dates **out, const char *name, const char *content,
                                size_t len, struct fault *fault);
void telescope_dates_destroy(struct telescope_dates *t); /* accepts NULL */

/* Says when days begin: the first nanosecond of a date, days since 1970-01-01. Before any other thread looks up. */
void telescope_dates_zone(struct telescope_dates *t, int64_t (*day_start)(int32_t date));

/* The span of a time; that of a date. Never NULL. */
const struct telescope_span *telescope_dates_at(const struct telescope_dates *t, int64_t ts_ns);
const struct telescope_span *telescope_dates_on(const struct telescope_dates *t, int32_t date);

/* Whether [start_ns, start_ns + span_ns) lies in more than one span. */
bool telescope_dates_split(const struct telescope_dates *t, int64_t start_ns, int64_t span_ns);

static inline bool telescope_span_holds_time(const struct telescope_span *s, int64_t ts_ns)
{
    return ts_ns >= s->start_ns && (ts_ns < s->end_ns || s->end_ns == INT64_MAX);
}

uint32_t telescope_span_index6(const struct telescope_span *s, const uint8_t address[16]);

/* The number of the prefix that an address counts for; TELESCOPE_NONE: it is not dark. Address as in struct observation. */
static inline uint32_t telescope_span_index(const struct telescope_span *s,
                                            const uint8_t address[16], unsigned ip_version)
{
    if (ip_version == 6)
        return telescope_span_index6(s, address);
    return telescope_index_find(&s->index, (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                                               (uint32_t)address[2] << 8 | address[3]);
}

#endif
