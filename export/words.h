/* words: what a report says, in English and Japanese.
 *
 * Names that stand in feeds and JSON (iot_strict, scan_ex_survey, tcp_syn) are the same in both: words explain them.
 * Pure functions; any thread. Texts are UTF-8 and static.
 */
#ifndef EXPORT_WORDS_H
#define EXPORT_WORDS_H

#include "export/share.h"

#include <stdbool.h>

enum word {
    WORD_report,
    WORD_final,
    WORD_provisional,
    WORD_complete,
    WORD_incomplete,
    WORD_mixed,
    WORD_inexact,
    WORD_inexact_note,
    WORD_bounds,
    WORD_packets,
    WORD_sources,
    WORD_to,
    WORD_days,
    WORD_windows,
    WORD_by_packets,
    WORD_by_sources,
    WORD_per_address,
    WORD_per_address_full,
    WORD_shares,
    WORD_shares_note,
    WORD_numerator,
    WORD_denominator,
    WORD_share,
    WORD_num_den,
    WORD_absent,
    WORD_categories,
    WORD_categories_note,
    WORD_categories_sources,
    WORD_overlapping,
    WORD_overlapping_note,
    WORD_category,
    WORD_series,
    WORD_series_kinds,
    WORD_series_shares,
    WORD_span,
    WORD_ports,
    WORD_ports_note,
    WORD_port,
    WORD_device,
    WORD_iot,
    WORD_iot_strict,
    WORD_iot_shared,
    WORD_more_ports,
    WORD_kinds,
    WORD_kind,
    WORD_meaning,
    WORD_evidence,
    WORD_evidence_note,
    WORD_evidence_port,
    WORD_evidence_payload,
    WORD_evidence_bot,
    WORD_assessable,
    WORD_assessable_note,
    WORD_rule,
    WORD_tools,
    WORD_tools_note,
    WORD_tool,
    WORD_matched,
    WORD_used,
    WORD_survey,
    WORD_survey_note,
    WORD_survey_share,
    WORD_survey_windows,
    WORD_survey_basis,
    WORD_class,
    WORD_class_survey,
    WORD_class_acknowledged,
    WORD_class_bogon,
    WORD_class_conflict,
    WORD_organisations,
    WORD_blocks,
    WORD_places,
    WORD_countries,
    WORD_ases,
    WORD_no_databases,
    WORD_no_places,
    WORD_no_countries,
    WORD_no_ases,
    WORD_country,
    WORD_as,
    WORD_unknown,
    WORD_none,
    WORD_coverage,
    WORD_coverage_note,
    WORD_observed,
    WORD_lost,
    WORD_telescope,
    WORD_no_id,
    WORD_addresses,
    WORD_size_unknown,
    WORD_incomplete_days,
    WORD_outages,
    WORD_outages_none,
    WORD_outages_unread,
    WORD_partial,
    WORD_recorder,
    WORD_unwritten,
    WORD_no_windows,
    WORD_ipv6_alone,
    WORD_date,
    WORD_basis,
    WORD_ledger,
    WORD_rules_computed,
    WORD_rules_labelled,
    WORD_restated,
    WORD_lists,
    WORD_no_lists,
    WORD_databases,
    WORD_survey_settings,
    WORD_sensors,
    WORD_timezone,
    WORD_rules_in_force,
    WORD_definitions,
    WORD_notes,
    WORD_state,
    WORD_no_data,
    WORD_chart_needs,
    WORD_other,
    WORD_hours_provisional,
    WORD_damaged,
    WORD_given_up,
    WORD_COUNT
};

const char *word(enum word w, bool is_japanese);

/* "iot_strict" of WORD_iot_strict: what the page calls it. */
const char *word_name(enum word w);

/* What is counted, behind its number: "1 packet", "2 packets", "2 パケット". */
enum unit { UNIT_packet, UNIT_source, UNIT_day };
const char *word_unit(enum unit unit, uint64_t count, bool is_japanese);

/* The definitions of share.h, and what the kinds are, likewise. */
const char *word_numerator(enum mark mark, bool is_japanese);
const char *word_denominator(enum share_over over, bool is_japanese);
const char *word_kind(enum kind kind, bool is_japanese);

#endif
