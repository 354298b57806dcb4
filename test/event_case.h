/* event_case: events for tests: seeded, each type, all that event_wrong asks for. */
#ifndef TEST_EVENT_CASE_H
#define TEST_EVENT_CASE_H

#include "export/event.h"
#include "sample_window.h"

#include <stdio.h>
#include <string.h>

static inline void event_case_type(struct event *e, uint64_t *random)
{
    switch (e->type) {
    case EVENT_watched:
        e->watched.reason = (enum event_watched)(sample_random(random) % 3);
        e->watched.is_continuing = sample_random(random) & 1;
        event_text(e->watched.organisation, EVENT_NAME, "例 University");
        event_text(e->watched.prefix, EVENT_NAME, "192.0.2.0/24");
        event_text(e->watched.delivery, EVENT_TEXT, "noc@example.net");
        break;
    case EVENT_infected:
        e->infected.date = 20454;
        e->infected.is_confirmed = sample_random(random) & 1;
        e->infected.is_new = sample_random(random) & 1;
        e->infected.is_new_unknown = !e->infected.is_new && e->infected.is_confirmed;
        event_text(e->infected.reason, EVENT_NAME, "mirai");
        e->infected.evidence_ns = e->last_ns;
        e->infected.evidence_src_port = (uint16_t)sample_random(random);
        e->infected.evidence_dst_port = 23;
        e->infected.evidence_proto = EVENT_TCP;
        break;
    case EVENT_indicator:
        e->indicator.kind = event_indicator_kind("url");
        e->indicator.role = event_indicator_role("loader");
        snprintf(e->indicator.value, EVENT_TEXT, "hxxp://198.51.100[.]%u/bin.sh",
                 (unsigned)(sample_random(random) % 256));
        event_text(e->indicator.rule, EVENT_NAME, "exploit-1");
        e->indicator.sources = 1 + sample_random(random) % 9;
        break;
    case EVENT_new_activity:
        e->new_activity.series = event_series(sample_random(random) & 1 ? "sources" : "packets");
        e->new_activity.score = 4.5;
        e->new_activity.threshold = 3;
        e->new_activity.value = sample_random(random) % 1000;
        e->new_activity.expected = 20.25;
        e->new_activity.bin_ns = e->first_ns;
        e->new_activity.bin_s = 600;
        e->new_activity.is_never_seen = sample_random(random) & 1;
        break;
    default:
        break;
    }
}

/* The update of an event that begins at `first_ns`, told at `time_ns`. `seed` fixes all else. */
static inline struct event event_case(enum event_type type, uint64_t seed, int64_t first_ns,
                                      int64_t time_ns, uint32_t update, enum event_phase phase)
{
    uint64_t random = seed * 1000 + type;
    struct event e = {.type = type,
                      .phase = phase,
                      .update = update,
                      .time_ns = time_ns,
                      .first_ns = first_ns,
                      .last_ns = time_ns - 1,
                      .packets = 100 + update * 10 + sample_random(&random) % 100,
                      .bytes = 6000};
    bool is_of_host = type != EVENT_indicator && type != EVENT_new_activity;
    if (e.last_ns < first_ns)
        e.last_ns = first_ns;
    if (is_of_host) {
        e.ip_version = seed % 5 == 4 ? 6 : 4;
        uint64_t host = sample_random(&random);
        e.address[0] = e.ip_version == 6 ? 0x20 : 203;
        e.address[1] = e.ip_version == 6 ? 0x01 : 0;
        e.address[2] = e.ip_version == 6 ? 0x0d : 113;
        e.address[3] = e.ip_version == 6 ? 0xb8 : (uint8_t)host;
        e.address[15] = e.ip_version == 6 ? (uint8_t)host : 0;
        e.origin = EVENT_ORDINARY;
        event_text(e.country, sizeof e.country, "JP");
        e.asn = 64500 + (uint32_t)(host % 8);
        event_text(e.as_name, EVENT_NAME, "Example Net");
    }
    e.proto = type == EVENT_scan || type == EVENT_new_activity ? EVENT_TCP : EVENT_UDP;
    e.has_port = type == EVENT_scan || type == EVENT_new_activity;
    e.port = e.has_port ? (seed & 1 ? 23 : 8080) : 0;
    if (type == EVENT_scan) {
        e.has_kind = true;
        e.kind = KIND_tcp_syn;
        e.has_destinations = e.destinations_exact = true;
        e.destinations = 64;
        e.tools[TOOL_mirai] = 50;
        e.evidence_count = 1;
        e.evidence[0] = (struct event_evidence){.evidence = EVIDENCE_bot, .packets = 50};
        event_text(e.evidence[0].rule, EVENT_NAME, "mirai");
        e.has_rate = e.ip_version == 4;
        if (e.has_rate)
            e.rate = (struct event_estimate){120.5, 100, 144};
        else
            e.rate_absent = EVENT_RATE_IP6;
        e.rate_floor = 12;
    }
    if (type == EVENT_dos) {
        e.ports_listed = 2;
        e.port_count = 5;
        e.ports[0] = (struct event_port){EVENT_TCP, 80, 60};
        e.ports[1] = (struct event_port){EVENT_TCP, 443, 40};
        e.rate_max = 77;
    }
    event_case_type(&e, &random);
    event_identify(&e, "dark1");
    return e;
}

#endif
