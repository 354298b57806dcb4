/* What the server and its feed say to Prometheus, and the health of this process. Part of http. */
#include "export/http_state.h"
#include "export/json_string.h"
#include "export/metric.h"
#include "export/report.h"

#include <inttypes.h>
#include <string.h>

static const unsigned codes[HTTP_CODES] = {200, 302, 304, 400, 401, 403, 404,
                                           405, 410, 421, 500, 503, 0};
static const char *const cut_names[HTTP_CUTS] = {"request", "answer", "behind", "stalled"};

/* A server reads the two newest dates of what is there, and what comes: no counter is of the whole feed. */
#define SINCE                                     \
    ", of what this process read: windows since " \
    "yamiscope_feed_counted_since_timestamp_seconds."

/* Counters of what was read. */
static void feed_print(FILE *out, const struct http_follow_counts *c)
{
    metric_head(out, "yamiscope_feed_packets_total", "counter", "Packets by kind" SINCE);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        metric_count(out, "yamiscope_feed_packets_total", "kind", kind_name(i), c->kinds[i]);
    metric_head(out, "yamiscope_feed_bytes_total", "counter", "Bytes on the wire by kind" SINCE);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        metric_count(out, "yamiscope_feed_bytes_total", "kind", kind_name(i), c->kind_bytes[i]);
    metric_head(out, "yamiscope_feed_marked_packets_total", "counter",
                "Packets by denominator or numerator" SINCE);
    for (unsigned i = 0; i < SHARE_MARK_COUNT; i++)
        metric_count(out, "yamiscope_feed_marked_packets_total", "mark", mark_name(i), c->marks[i]);
    metric_head(out, "yamiscope_feed_tool_packets_total", "counter",
                "Packets that match a tool" SINCE);
    for (unsigned i = SHARE_MARK_COUNT; i < MARK_COUNT; i++)
        metric_count(out, "yamiscope_feed_tool_packets_total", "tool", mark_name(i), c->marks[i]);
    metric_head(out, "yamiscope_feed_offered_packets_total", "counter",
                "Packets offered, by ledgers" SINCE);
    metric_count(out, "yamiscope_feed_offered_packets_total", NULL, NULL, c->ledger.offered);
    metric_head(out, "yamiscope_feed_observed_packets_total", "counter",
                "Packets observed, by ledgers" SINCE);
    metric_count(out, "yamiscope_feed_observed_packets_total", NULL, NULL, c->ledger.observed);
    metric_head(out, "yamiscope_feed_dropped_packets_total", "counter",
                "Packets dropped by reason, by ledgers" SINCE);
    for (unsigned i = 0; i < DROP_COUNT; i++)
        if (ledger_drop(&c->ledger, i) > 0 || (c->ledger.unknown >> i & 1) == 0)
            metric_count(out, "yamiscope_feed_dropped_packets_total", "reason", ledger_drop_name(i),
                         ledger_drop(&c->ledger, i));
    metric_head(out, "yamiscope_feed_late_packets_total", "counter",
                "Packets that came after their window was sealed" SINCE);
    metric_count(out, "yamiscope_feed_late_packets_total", NULL, NULL, c->ledger.late);
    metric_head(out, "yamiscope_feed_windows_total", "counter",
                "Window records, parts included" SINCE);
    metric_count(out, "yamiscope_feed_windows_total", NULL, NULL, c->windows);
    metric_head(out, "yamiscope_events_total", "counter",
                "Records of events by type and phase (begin, goes_on, end)" SINCE);
    for (unsigned type = 0; type < EVENT_TYPES; type++)
        for (unsigned phase = 0; phase < EVENT_PHASES; phase++)
            metric_count2(out, "yamiscope_events_total", "type",
                          event_type_name((enum event_type)type), "phase",
                          event_phase_name((enum event_phase)phase), c->events[type][phase]);
    metric_head(out, "yamiscope_feed_damaged_records_total", "counter",
                "Records of the feed that could not be used" SINCE);
    metric_count(out, "yamiscope_feed_damaged_records_total", NULL, NULL, c->damaged);
    metric_head(out, "yamiscope_feed_stuck", "gauge", "1 where the feed can't be read on.");
    metric_count(out, "yamiscope_feed_stuck", NULL, NULL, c->is_stuck);
    metric_head(out, "yamiscope_feed_last_record", "gauge",
                "Sequence number of the last record read.");
    metric_count(out, "yamiscope_feed_last_record", NULL, NULL, c->seq);
    if (c->last_end_ns == 0)
        return;
    metric_head(
        out, "yamiscope_feed_counted_since_timestamp_seconds", "gauge",
        "Start of the earliest window that the feed's counters count, in packet time: of the "
        "two newest dates that were there when this process began. Late parts may be of earlier "
        "ones.");
    metric_number(out, "yamiscope_feed_counted_since_timestamp_seconds", NULL, NULL,
                  (double)c->since_ns / 1e9);
    metric_head(out, "yamiscope_feed_last_window_end_timestamp_seconds", "gauge",
                "End of the newest window, in packet time.");
    metric_number(out, "yamiscope_feed_last_window_end_timestamp_seconds", NULL, NULL,
                  (double)c->last_end_ns / 1e9);
}

static void requests_print(struct http *h, FILE *out)
{
    char code[16];
    metric_head(out, "yamiscope_http_requests_total", "counter",
                "Requests answered, by route and code.");
    for (unsigned route = 0; route < HTTP_ROUTE_COUNT; route++)
        for (unsigned i = 0; i < HTTP_CODES && codes[i] != 0; i++) {
            uint64_t count = atomic_load_explicit(&h->requests[route][i], memory_order_relaxed);
            snprintf(code, sizeof code, "%u", codes[i]);
            if (count > 0)
                metric_count2(out, "yamiscope_http_requests_total", "route", http_route_name(route),
                              "code", code, count);
        }
    metric_head(out, "yamiscope_http_sent_bytes_total", "counter",
                "Bytes of answers, without headers.");
    metric_count(out, "yamiscope_http_sent_bytes_total", NULL, NULL,
                 atomic_load_explicit(&h->sent_bytes, memory_order_relaxed));
    metric_head(out, "yamiscope_http_cut_off_total", "counter",
                "Connections that were cut off: no request in time, answer not taken, stream "
                "behind or not taken.");
    for (unsigned i = 0; i < HTTP_CUTS; i++)
        metric_count(out, "yamiscope_http_cut_off_total", "why", cut_names[i],
                     atomic_load_explicit(&h->cuts[i], memory_order_relaxed));
    metric_head(out, "yamiscope_http_subscribers", "gauge", "Streams that are open.");
    metric_count(out, "yamiscope_http_subscribers", "stream", "live",
                 http_streams_count(h, HTTP_STREAM_live));
    metric_count(out, "yamiscope_http_subscribers", "stream", "feed",
                 http_streams_count(h, HTTP_STREAM_feed));
    pthread_mutex_lock(&h->lock);
    unsigned connections = h->connection_count;
    pthread_mutex_unlock(&h->lock);
    metric_head(out, "yamiscope_http_connections", "gauge", "Connections that are open.");
    metric_count(out, "yamiscope_http_connections", NULL, NULL, connections);
}

static void capture_print(FILE *out, const struct http_health *c)
{
    metric_head(out, "yamiscope_capture_offered_packets_total", "counter",
                "Packets offered to this process since its start.");
    metric_count(out, "yamiscope_capture_offered_packets_total", NULL, NULL, c->ledger.offered);
    metric_head(out, "yamiscope_capture_observed_packets_total", "counter",
                "Packets observed by this process since its start.");
    metric_count(out, "yamiscope_capture_observed_packets_total", NULL, NULL, c->ledger.observed);
    metric_head(out, "yamiscope_capture_dropped_packets_total", "counter",
                "Packets dropped since the start of this process, by reason; a reason that can't "
                "be seen is absent.");
    for (unsigned i = 0; i < DROP_COUNT; i++)
        if ((c->ledger.unknown >> i & 1) == 0)
            metric_count(out, "yamiscope_capture_dropped_packets_total", "reason",
                         ledger_drop_name(i), ledger_drop(&c->ledger, i));
    metric_head(out, "yamiscope_capture_given_up_records_total", "counter",
                "Records that could not be written.");
    metric_count(out, "yamiscope_capture_given_up_records_total", NULL, NULL, c->given_up);
}

static void sinks_print(FILE *out, const struct http_health *c)
{
    metric_head(out, "yamiscope_sink_up", "gauge", "1 where the sink can be reached.");
    for (size_t i = 0; i < c->sink_count; i++)
        metric_count(out, "yamiscope_sink_up", "sink", c->sinks[i].name, c->sinks[i].is_up);
    metric_head(out, "yamiscope_sink_lag_seconds", "gauge", "How far a sink is behind the feed.");
    for (size_t i = 0; i < c->sink_count; i++)
        if (c->sinks[i].lag_s >= 0)
            metric_number(out, "yamiscope_sink_lag_seconds", "sink", c->sinks[i].name,
                          c->sinks[i].lag_s);
    metric_head(out, "yamiscope_sink_delivered_records_total", "counter",
                "Records delivered to a sink.");
    for (size_t i = 0; i < c->sink_count; i++)
        metric_count(out, "yamiscope_sink_delivered_records_total", "sink", c->sinks[i].name,
                     c->sinks[i].delivered);
    metric_head(out, "yamiscope_sink_failures_total", "counter", "Tries of a sink that failed.");
    for (size_t i = 0; i < c->sink_count; i++)
        metric_count(out, "yamiscope_sink_failures_total", "sink", c->sinks[i].name,
                     c->sinks[i].failed);
}

void http_metrics_print(struct http *h, FILE *out)
{
    struct http_follow_counts counts;
    struct http_health health = {0};
    http_follow_count(h->follow[0], &counts);
    metric_head(out, "yamiscope_build_info", "gauge", "The version that runs.");
    metric_count(out, "yamiscope_build_info", "version", h->s.program, 1);
    feed_print(out, &counts);
    requests_print(h, out);
    if (h->s.ops->health != NULL)
        h->s.ops->health(h->s.context, &health);
    if (health.is_capturing)
        capture_print(out, &health);
    if (health.sink_count > 0)
        sinks_print(out, &health);
    if (h->s.ops->metrics != NULL)
        h->s.ops->metrics(h->s.context, out);
}

/* ---- health, as JSON in one line */

static void ledger_print(FILE *out, const struct window_ledger *l)
{
    char dropped[LEDGER_JSON];
    fprintf(out,
            "{\"offered\":%" PRIu64 ",\"observed\":%" PRIu64 ",\"dropped\":{%s},\"late\":%" PRIu64
            "}",
            l->offered, l->observed, ledger_json(l, ",", ":", dropped), l->late);
}

void http_health_print(struct http *h, FILE *out)
{
    struct http_follow_counts counts;
    struct http_health health = {0};
    char why[128] = "", time[TEXT_NUMBER];
    bool is_well = h->s.ops->is_healthy == NULL || h->s.ops->is_healthy(h->s.context, why);
    http_follow_count(h->follow[0], &counts);
    if (h->s.ops->health != NULL)
        h->s.ops->health(h->s.context, &health);
    fprintf(out, "{\"healthy\":%s,\"why\":", is_well && !counts.is_stuck ? "true" : "false");
    json_string(out, counts.is_stuck ? "the feed can't be read on" : why);
    fprintf(out, ",\"feed\":{\"seq\":%" PRIu64 ",\"windows\":%" PRIu64 ",\"damaged\":%" PRIu64,
            counts.seq, counts.windows, counts.damaged);
    if (counts.last_end_ns != 0) {
        fprintf(out, ",\"since\":\"%s\"", report_time(counts.since_ns, time));
        fprintf(out, ",\"last_end\":\"%s\"", report_time(counts.last_end_ns, time));
    } else {
        fputs(",\"since\":null,\"last_end\":null", out);
    }
    fputs(",\"ledger\":", out);
    ledger_print(out, &counts.ledger);
    fprintf(out, "},\"subscribers\":%u", http_streams_count(h, HTTP_STREAM_live));
    fputs(",\"capture\":", out);
    if (health.is_capturing) {
        fprintf(out, "{\"rate_pps\":%.1f,\"rate_bps\":%.1f,\"given_up\":%" PRIu64 ",\"ledger\":",
                health.rate_pps, health.rate_bps, health.given_up);
        ledger_print(out, &health.ledger);
        fputc('}', out);
    } else {
        fputs("null", out);
    }
    fputs(",\"sinks\":[", out);
    for (size_t i = 0; i < health.sink_count && i < HTTP_SINKS; i++) {
        const struct http_sink *s = &health.sinks[i];
        fputs(i > 0 ? ",{\"name\":" : "{\"name\":", out);
        json_string(out, s->name);
        fprintf(out, ",\"up\":%s,\"lag_s\":", s->is_up ? "true" : "false");
        if (s->lag_s >= 0)
            fprintf(out, "%.3f", s->lag_s);
        else
            fputs("null", out);
        fprintf(out, ",\"delivered\":%" PRIu64 ",\"failed\":%" PRIu64 "}", s->delivered, s->failed);
    }
    fputs("]}", out);
}

unsigned http_code_index(unsigned code)
{
    unsigned i = 0;
    while (codes[i] != code && codes[i] != 0)
        i++;
    return i;
}
