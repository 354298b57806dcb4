/* http_view: one calendar day as the page shows it: its windows added up, and its Day once that is final.
 *
 *   http_view_create -> http_view_add per window of the day, http_view_final -> http_view_print, any number of times
 *
 * JSON:
 *   {date, state, seq (the last record that is in it), start, end (seconds since 1970), folded (for
 *    readers without a token), previous, next (dates that have data, or
 *    null), timezone, sensor, program,
 *    span, ports_other, devices, categories_by_port, said, outages (view_json.h; tables cut to `top` rows): of the Day where there is one, else of the windows,
 *      Of windows span.basis names the rule sets of their segments alone, with 0 days,
 *    estimates {mark: distinct sources of the day by sketches, 0.8 % off in the mean} (null where
 *    the span knows them exactly),
 *    points {seconds, kinds [names], marks [names], source_marks [names], at [{start, windows, partial (of them, not watched in full), kinds [packets], marks [packets],
 *    marks_ex [packets] or null, sources [of source_marks: estimates]}]}: of windows, provisional,
 *    before {date, state, over "scan", scan, ports {"tcp/23": scan packets}} or null: the day before, for the ports listed}
 *
 * `min_sources` above 0: for readers without a token (law 6): rows of fewer sources are left out of every table.
 *
 * Memory: what the days' ports take (7 MB where all were seen) and 66 KB per 15 minutes that hold windows. One owner; no clock.
 */
#ifndef EXPORT_HTTP_VIEW_H
#define EXPORT_HTTP_VIEW_H

#include "export/outages.h"
#include "export/span.h"

#include <stdio.h>

struct http_view;

/* `rules` outlive it. NULL with errno. */
struct http_view *http_view_create(const struct calendar_day *day, const struct ruleset *rules);

/* What is added from now on is named by other rules; `rules` outlive it. */
void http_view_rules(struct http_view *v, const struct ruleset *rules);
void http_view_destroy(struct http_view *v); /* accepts NULL */

const struct calendar_day *http_view_day(const struct http_view *v);
uint64_t http_view_seq(const struct http_view *v);

/* Whether anything was added. */
bool http_view_is_empty(const struct http_view *v);

/* What it has: of the Day where there is one, else of the windows. Valid until the next call that adds. */
const struct span *http_view_span(const struct http_view *v);

/* Revision of its Day; 0: there is none. */
uint32_t http_view_revision(const struct http_view *v);

/* Distinct sources of a mark by the windows' sketches; -1: there is a Day, which knows them, or they have no sketches. */
double http_view_estimate(struct http_view *v, enum mark mark);

/* Packets of the day's windows in its quarter hours, and how many windows each holds. */
enum { HTTP_VIEW_POINTS = 104 };
struct http_view_point {
    uint64_t windows, packets;
};
void http_view_points(const struct http_view *v, struct http_view_point to[HTTP_VIEW_POINTS]);

/* A rule set that windows of the day were labelled under: what it rests on until there is a Day. -ENOMEM. */
int http_view_labelled(struct http_view *v, const struct day_basis *rules);

/* Adds a window that begins in the day; `seq` is its record's. -ENOMEM. */
int http_view_add(struct http_view *v, const struct window *w, uint64_t seq);

/* Takes the bytes of its Day's record, in place of one taken before. -EBADMSG and a fault; -ENOMEM. */
int http_view_final(struct http_view *v, const uint8_t *body, size_t len, uint64_t seq,
                    struct fault *fault);

struct http_view_frame {
    const char *timezone, *sensor, *program;
    bool has_previous, has_next;
    int32_t previous, next;         /* dates */
    const struct http_view *before; /* of the date before; NULL: there is none */
    const struct outages *gaps;     /* of the time around the day; NULL: none */
    size_t top;
    unsigned min_sources;
};

/* -ENOMEM. */
int http_view_print(FILE *out, struct http_view *v, const struct http_view_frame *f);

/* One line for a list of days: {date, state, revision, complete, exact, start, end, packets, sources, ex_survey_absent, shares}.
 * Of the Day alone, which must be there. */
void http_view_print_line(FILE *out, const struct http_view *v);

#endif
