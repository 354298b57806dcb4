/* http_window: one Window record as readers over HTTP get it: as it stands in the feed, or folded, as JSON or protobuf.
 *
 * Folded, for readers without a token (law 6; exact live counts map a telescope with marked probes): ports with fewer than
 * `min_sources` distinct sources go to `rest`; so do tools with fewer; rules are left out, which say the same as ports; so are
 * sketches, which tell whether a given source was counted, and the times of the first and last packet.
 *
 * JSON, in one line:
 *   {seq, start, span_s, part, state "provisional", partial (not all of it was watched), exact, packets, bytes, first_ts, last_ts (null where there are none), ip4, ip6, tcp,
 *   udp, icmp, tcp_syn, tcp_synack, tcp_rst, snapped, survey_basis {first, last, without} or null,
 *   ledger {offered, observed, dropped {reason: packets or "unknown"}, late}, kinds {name: {packets, bytes}},
 *   marks {name: {packets, packets_ex_survey (null: not known), sources_low, sources_high, sources (null: only the bounds are known)}},
 *   tools {name: likewise}, shares {numerator: {denominator: {num, den}}} by packets, absent denominators null,
 *   rules [{rule, evidence, packets, bytes}], ports [{proto, port, packets, bytes, syn, scan, sources_low, sources_high}] most
 *   packets of scan kinds first, ports_other {packets, bytes, syn, scan}: of all ports that are not listed}
 *
 * The record was held to its rules by record_unpack_window before. One thread at a time per message.
 */
#ifndef EXPORT_HTTP_WINDOW_H
#define EXPORT_HTTP_WINDOW_H

#include "export/record.h"
#include "export/yamiscope.pb-c.h"

#include <stdio.h>

/* NULL: memory ended, or no Window. The caller frees it by yamiscope__window__free_unpacked(w, NULL). */
Yamiscope__Window *http_window_unpack(const uint8_t *body, size_t len);

/* Folds it as above. -ENOMEM: it is half folded and to be dropped. */
int http_window_fold(Yamiscope__Window *w, unsigned min_sources);

/* At most `top` rows of ports. -ENOMEM. */
int http_window_json(FILE *out, const Yamiscope__Window *w, uint64_t seq, size_t top);

/* Appends varint length + Record of it, whose crc begins anew with 0. -ENOMEM. */
int http_window_pack(FILE *out, Yamiscope__Window *w, uint64_t seq);

/* The same of a Day: ports, rules, tools, countries, AS, organisations and blocks of fewer sources. */
Yamiscope__Day *http_day_unpack(const uint8_t *body, size_t len);
int http_day_fold(Yamiscope__Day *d, unsigned min_sources);
int http_day_pack(FILE *out, Yamiscope__Day *d, uint64_t seq);

#endif
