/* span: the result of several days, or of the windows of an hour, ready to be reported.
 *
 *   span_create -> span_add_day per day, dates ascending -> [span_add_sources] -> span_end -> renderers
 *   span_create -> span_add_window per window, any order                       -> span_end -> renderers
 *
 * Packets add over days. Distinct sources don't: from days alone only bounds are known (low: the greatest
 * day, high: the sum of the days; a span of one day is exact). span_add_sources gives the exact numbers from
 * the source days of the span: a source counts once however many days it sent, and in an ex_survey number
 * if it counts there on at least one of its days (on another day it may have been a survey scanner).
 *
 * Windows say what is taken out of the marks (total, scan, numerators) alone, and provisionally: `basis`. Where one of
 * them does not say it, the span has no ex_survey.
 *
 * Nothing is rescaled: a day that is incomplete adds what it has and is listed, a date without a day is
 * counted as missing. Packets per address of a span are over the days that are there.
 *
 * One owner. Memory: about 7 MB for a span that saw every port. All texts are copied. No clock.
 */
#ifndef EXPORT_SPAN_H
#define EXPORT_SPAN_H

#include "export/calendar.h"
#include "export/day.h"

enum span_unit {
    SPAN_all, /* everything there is */
    SPAN_hour,
    SPAN_day,
    SPAN_month,
    SPAN_year,
    SPAN_fiscal_year, /* April to March, named by the year it begins in */
    SPAN_UNIT_COUNT
};

const char *span_unit_name(enum span_unit unit); /* "fiscal-year" */

/* SPAN_UNIT_COUNT: no such name. */
enum span_unit span_unit_find(const char *name);

enum { SPAN_LABEL = 64, SPAN_DATE = CALENDAR_DATE };

/* Of the span of `unit` (day to fiscal-year) that holds `date` (days since 1970-01-01): its first date, and the
 * first date behind it. */
int32_t span_first_date(enum span_unit unit, int32_t date);
int32_t span_next_date(enum span_unit unit, int32_t date);

/* "2026-01-31", "2026-01", "2026", "FY2025". */
void span_label(enum span_unit unit, int32_t date, char label[SPAN_LABEL]);
void span_date_text(int32_t date, char text[SPAN_DATE]); /* "2026-01-31" */

struct span_count {
    uint64_t packets, packets_ex;
    struct source_count sources, sources_ex; /* low = high: exact */
};

static inline bool source_count_is_exact(struct source_count c) { return c.low == c.high; }

/* A row of a table that grows: a category, a rule, a port, an organisation, a block. */
struct span_row {
    const char *name;     /* category; rule or tool; organisation; block; "" of a port */
    const char *category; /* of a rule or port; else "" */
    uint32_t number;      /* of a port: protocol << 16 | port; of a rule: enum evidence */
    uint8_t iot;          /* of a port: enum day_iot */
    struct span_count
        count; /* of an organisation or block: all packets; its columns ex: those of scan kinds */
};

/* A country or an AS. */
struct span_place {
    const char *name; /* of an AS */
    char country[3];
    uint32_t asn;
    struct span_count total, scan, iot_strict, iot_broad, iot_bot;
};

struct span_class { /* of sources */
    uint64_t packets, scan_packets;
    struct source_count sources, scan_sources;
};

struct span_table {
    union {
        struct span_row *rows;
        struct span_place *places;
        void *at;
    };
    size_t count;
};

/* A day that is there but not complete, or not exact. */
struct span_flaw {
    int32_t date;
    uint32_t coverage_milli;
    double observed; /* the same share of the day, not cut to digits */
    uint64_t offered, lost;
    bool is_incomplete;
    struct day_given_up given_up; /* all zero: the day is exact */
};

/* Something that numbers rest on, and on how many of the days. */
struct span_basis {
    struct day_basis basis;
    uint64_t days;
};
struct span_bases {
    struct span_basis *at;
    size_t count;
};

struct span_watch { /* a telescope */
    const char *id;
    bool is_configured;
    uint64_t ipv4;    /* the last day's */
    uint64_t seconds; /* observed */
};

struct span {
    enum span_unit unit;
    char label[SPAN_LABEL];
    bool is_provisional;      /* from windows, not from days */
    int64_t start_ns, end_ns; /* of the first day or window to the last; [start, end) */
    int32_t first_date,
        last_date;          /* of the days that are there; also where made of windows: unused */
    uint64_t days;          /* that are there */
    uint64_t calendar_days; /* of the unit's dates: a month's 28 to 31; of SPAN_all first to last */
    uint64_t windows;
    bool is_complete;          /* every date is there and complete */
    bool is_mixed;             /* days under several rule sets, or one that is mixed */
    bool is_exact;             /* all detail is there (given_up) */
    bool has_sources;          /* distinct sources are exact as far as the rules allow */
    char ex_absent[160];       /* why there is no ex_survey; "": there is one */
    struct window_basis basis; /* of windows: whom ex_survey leaves out, provisionally */
    /* Windows that take out survey scanners; that take out none, since no day was over (merged ones may be both); that
     * do not say whom they take out. */
    uint64_t windows_with, windows_without, windows_absent;
    uint64_t restated_days;

    struct span_count kinds[KIND_COUNT], marks[SHARE_MARK_COUNT], notes[NOTE_COUNT];
    uint64_t kind_bytes[KIND_COUNT];
    struct span_count tools[TOOL_COUNT], tools_used[TOOL_COUNT];
    struct span_table categories, rules, ports, organisations, blocks; /* rows: by name, number */
    struct span_table countries, ases;                                 /* places: by country, asn */
    struct span_class survey, conflict, acknowledged, bogon;

    struct window_ledger ledger;
    struct day_given_up given_up;
    uint64_t offered, lost;
    uint64_t seconds; /* of the days that are there */
    bool has_size;    /* every day's telescopes have a known size: the five below mean something */
    char size_absent[160];
    uint64_t ip4_packets, ip4_packets_ex;
    unsigned __int128 address_seconds; /* sum of addresses * seconds observed */
    uint64_t address_days;             /* sum over the days of the addresses */
    uint32_t coverage_milli; /* of the span's days together; missing dates are not in it */
    uint64_t coverage_sum;   /* milli * seconds, for the mean */
    double
        observed_seconds; /* of the days that are there, by addresses where sizes are known: over `seconds` it is the coverage, not
                                cut to digits */

    struct span_flaw *flaws;
    size_t flaw_count, flaw_size;
    struct span_bases computed, rules_labelled, lists, databases, sensors;
    struct span_watch *watches;
    size_t watch_count;
    struct survey_settings survey_settings; /* of the first day */
    bool is_survey_mixed;                   /* days had others */

    int err; /* -ENOMEM once memory ended: the span is not whole then */
    struct arena arena;
};

/* NULL with errno. `label` is copied. */
struct span *span_create(enum span_unit unit, const char *label);
void span_destroy(struct span *s); /* accepts NULL */

/* Adds a day of a later date than those before (asserted). `is_restated`: its port evidence was computed
 * again under the rules in force. -ENOMEM. */
int span_add_day(struct span *s, const struct day_result *day, bool is_restated);

/* Takes the distinct sources from `sums`: the result of day_span_begin() and day_span_add() over all source days
 * of the span. Those that depend on the rule set only where every day was computed under `rules`. -EINVAL and
 * a fault where the source days don't hold the packets of the days. */
int span_add_sources(struct span *s, const struct day_result *sums, const struct ruleset *rules,
                     struct fault *fault);

/* Adds a window's packets; distinct sources get bounds. Ports only where `has_ports`. -ENOMEM. */
int span_add_window(struct span *s, const struct window *w, const struct ruleset *rules,
                    bool has_ports);

/* Works out what only the whole span knows: complete, calendar_days, coverage. -ENOMEM where memory ended. */
int span_end(struct span *s);

/* Whether the span's marks have numbers ex_survey, and whether all other counts have them, too. */
static inline bool span_has_ex(const struct span *s) { return s->ex_absent[0] == '\0'; }
static inline bool span_rows_have_ex(const struct span *s) { return span_has_ex(s) && s->days > 0; }

/* A share of the span. Sources: exact where both are; else num and den are bounds apart. */
struct span_share {
    struct share packets;
    struct source_count sources_num, sources_den;
    const char *absent; /* why there are no numbers; "": there are */
};
struct span_share span_share(const struct span *s, enum mark numerator, enum share_over over);

/* The same for any other count over a denominator. */
struct span_share span_share_of(const struct span *s, const struct span_count *count,
                                enum share_over over);

/* The class of survey scanners over total or scan (as `over` says): how much was taken out by behaviour. 0 of 0 where
 * not span_rows_have_ex(). */
struct share span_survey_share(const struct span *s, enum share_over over);

/* Packets per IPv4 address over the days that are there: plain, packets / (mean addresses); or extrapolated to full
 * days, packets * seconds / address-seconds. Of packets from IPv4 sources, but those of kind outside. Negative: absent
 * (size_absent says why). */
double span_packets_per_address(const struct span *s, bool by_seconds, bool ex_survey);

#endif
