/* view_json: what the page shows of a span, as JSON. The same for a day over HTTP and for a report's page.
 *
 *   span {as `report --json` has it, but tables cut},
 *   ports_other {ports, ports_ex_survey, packets, packets_ex_survey}: scan packets to ports that are not listed, and how many ports these are (null where
 *     rows are left out for readers without a token),
 *   devices {"tcp/23": [en, ja]},
 *   categories_by_port [{category, packets}]: scan packets by their ports alone, where there is no Day; else null,
 *   said {sentences, each [en, ja] or null: ex_absent, size_absent, basis, per_address, per_address_ex, full_days, given_up;
 *     observed: the share of time observed, as text; flaws [{observed, given_up ([en, ja] or null)}] of span.incomplete},
 *   outages (outages.h)
 */
#ifndef EXPORT_VIEW_JSON_H
#define EXPORT_VIEW_JSON_H

#include "export/outages.h"
#include "export/span_cut.h"

#include <stdio.h>

struct view_span {
    const struct ruleset *rules;
    const struct span *whole, *shown; /* as it is, and cut */
    unsigned min_sources;
    const struct outages *outages; /* cut to [from_ns, to_ns) */
    int64_t from_ns, to_ns;
};

/* The members, with a comma behind the last. */
void view_json_span(FILE *out, const struct view_span *v);

/* [en, ja] */
void view_json_pair(FILE *out, const char *en, const char *ja);

/* ,"name":[1,2,3] */
void view_json_numbers(FILE *out, const char *name, const uint64_t *at, unsigned count);

/* "kinds":[names],"marks":[names]: of the numbers in points. */
void view_json_names(FILE *out);

#endif
