/* Writes a feed with windows and events, for judges. usage: make_events DIR SENSOR ZONE [append] < LINES
 *
 *   w MINUTE PACKETS                 a window of that minute since 1970
 *   e TYPE PHASE UPDATE FIRST_NS LAST_NS TIME_NS PACKETS ADDRESS PROTO PORT KIND RATE COUNTRY ASN [TEXT]
 *                                    - where there is none; TEXT: of a scan the name of its AS, of an indicator its value, of watched the
 *                                    organisation, of infected the reason
 * append: the feed goes on, is left without a Close and says so. */
#include "export/event.h"
#include "export/feed_log.h"
#include "sample_window.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void must(int err, const struct fault *fault)
{
    if (err == 0)
        return;
    fprintf(stderr, "make_events: %s\n", fault->text);
    exit(1);
}

static bool is_none(const char *word) { return strcmp(word, "-") == 0; }

static void host_read(struct event *e, const char *address)
{
    if (is_none(address))
        return;
    e->ip_version = strchr(address, ':') == NULL ? 4 : 6;
    if (inet_pton(e->ip_version == 4 ? AF_INET : AF_INET6, address, e->address) != 1)
        exit(2);
}

static void text_read(struct event *e, const char *text)
{
    if (e->type == EVENT_watched) {
        event_text(e->watched.organisation, EVENT_NAME, text);
        event_text(e->watched.prefix, EVENT_NAME, "198.51.100.0/24");
        event_text(e->watched.delivery, EVENT_TEXT, "noc@example.net");
        e->watched.reason = EVENT_UNDER_ATTACK;
    } else if (e->type == EVENT_infected) {
        event_text(e->infected.reason, EVENT_NAME, text);
        e->infected.date = 20454;
        e->infected.is_confirmed = true;
        e->infected.evidence_ns = e->last_ns;
        e->infected.evidence_src_port = 40000;
        e->infected.evidence_dst_port = 23;
        e->infected.evidence_proto = EVENT_TCP;
    } else if (e->type == EVENT_indicator) {
        e->indicator.kind = event_indicator_kind("url");
        e->indicator.role = event_indicator_role("loader");
        event_text(e->indicator.value, EVENT_TEXT, text);
        e->indicator.sources = 2;
    } else if (e->type == EVENT_new_activity) {
        e->new_activity.series = event_series("sources");
        e->new_activity.score = 3.25;
        e->new_activity.threshold = 3;
        e->new_activity.value = 400;
        e->new_activity.expected = 80.5;
        e->new_activity.bin_ns = e->first_ns;
        e->new_activity.bin_s = 600;
    } else {
        event_text(e->as_name, EVENT_NAME, text);
    }
}

static void kind_read(struct event *e, const char *kind)
{
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (strcmp(kind_name((enum kind)i), kind) == 0) {
            e->has_kind = true;
            e->kind = (enum kind)i;
        }
}

enum { AT_ONCE = 4096 };

/* What stands between two windows, to be sorted. */
struct pending {
    struct event at[AT_ONCE];
    size_t count;
};

static void pending_write(struct pending *p, struct feed_log *log)
{
    struct fault fault;
    qsort(p->at, p->count, sizeof *p->at, event_compare);
    for (size_t i = 0; i < p->count; i++)
        must(feed_log_append_event(log, &p->at[i], &fault), &fault);
    p->count = 0;
}

static void event_make(struct pending *p, const char *line, const char *sensor)
{
    struct event e = {0};
    char type[32], phase[16], address[64], proto[8], port[8], kind[32], rate[32], country[8];
    char asn[16];
    int at = 0;
    if (sscanf(line,
               "e %31s %15s %" SCNu32 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu64
               " %63s %7s %7s %31s %31s %7s %15s %n",
               type, phase, &e.update, &e.first_ns, &e.last_ns, &e.time_ns, &e.packets, address,
               proto, port, kind, rate, country, asn, &at) != 14)
        exit(2);
    e.type = event_type_find(type);
    e.phase = event_phase_find(phase);
    e.bytes = e.packets * 60;
    host_read(&e, address);
    e.proto = strcmp(proto, "tcp") == 0   ? EVENT_TCP
              : strcmp(proto, "udp") == 0 ? EVENT_UDP
                                          : EVENT_ANY_PROTO;
    e.has_port = !is_none(port);
    e.port = e.has_port ? (uint16_t)atoi(port) : 0;
    kind_read(&e, kind);
    e.has_rate = !is_none(rate);
    if (e.has_rate) {
        e.rate.value = strtod(rate, NULL);
        e.rate.low = e.rate.value / 2;
        e.rate.high = e.rate.value * 2;
    } else if (e.type == EVENT_scan) {
        e.rate_absent = EVENT_RATE_FEW;
    }
    if (e.type == EVENT_scan) {
        e.has_destinations = e.destinations_exact = true;
        e.destinations = e.packets;
        e.tools[TOOL_mirai] = e.packets;
        e.evidence_count = 1;
        e.evidence[0].evidence = EVIDENCE_bot;
        e.evidence[0].packets = e.packets;
        event_text(e.evidence[0].rule, EVENT_NAME, "mirai");
    }
    if (e.type == EVENT_dos) {
        e.ports_listed = e.port_count = 1;
        e.ports[0] = (struct event_port){EVENT_TCP, 443, e.packets};
        e.rate_max = e.packets;
    }
    event_text(e.country, sizeof e.country, is_none(country) ? "" : country);
    e.asn = is_none(asn) ? 0 : (uint32_t)atoi(asn);
    text_read(&e, line + at);
    event_identify(&e, sensor);
    if (p->count == AT_ONCE)
        exit(2);
    p->at[p->count++] = e;
}

int main(int argc, char **argv)
{
    static struct pending pending;
    char line[1024];
    struct feed_log *log;
    struct feed_resume resume;
    struct fault fault = {0};
    if (argc < 4)
        return 2;
    bool is_appending = argc > 4;
    struct ruleset *rules = sample_ruleset();
    struct feed_identity identity = {.sensor = argv[2],
                                     .telescope_id = argv[2],
                                     .timezone = argv[3],
                                     .telescope_configured = true,
                                     .telescope_ipv4 = 4096,
                                     .window_span_ns = INT64_C(60000000000),
                                     .lateness_ns = INT64_C(60000000000),
                                     .rules = rules,
                                     .program = "test"};
    must(is_appending ? feed_log_continue(&log, &resume, argv[1], &identity, &fault)
                      : feed_log_create(&log, argv[1], &identity, &fault),
         &fault);
    while (fgets(line, sizeof line, stdin) != NULL) {
        int64_t minute;
        unsigned packets;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'e') {
            event_make(&pending, line, argv[2]);
        } else if (sscanf(line, "w %" SCNd64 " %u", &minute, &packets) == 2) {
            pending_write(&pending, log);
            struct window *w =
                sample_window(rules, minute * INT64_C(60000000000), 0, packets, (uint64_t)minute);
            must(feed_log_append(log, w, &fault), &fault);
            window_destroy(w);
        }
        must(feed_log_sync(log, &fault), &fault);
    }
    pending_write(&pending, log);
    must(feed_log_sync(log, &fault), &fault);
    if (is_appending)
        feed_log_abandon(log);
    else
        must(feed_log_finish(log, &fault), &fault);
    free(rules);
    return 0;
}
