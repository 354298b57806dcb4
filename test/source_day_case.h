/* source_day_case: source days for tests, by hand and at random.
 *
 * Included once by each test that needs them. What they point to stands in a fixed place that is
 * used again after CASES of them.
 */
#ifndef TEST_SOURCE_DAY_CASE_H
#define TEST_SOURCE_DAY_CASE_H

#include "capture/random.h"
#include "export/source_day.h"

#include <stdio.h>
#include <string.h>

enum { CASES = 64, CASE_ROWS = 64 };

struct source_day_case {
    struct source_day day;
    struct source_day_port ports[CASE_ROWS];
    struct source_day_evidence evidence[CASE_ROWS];
};

static struct source_day_case source_day_cases[CASES];
static unsigned source_day_next;

/* An empty one. `address`: "192.0.2.1" or an IPv6 as 32 hex digits. */
static struct source_day *source_day_new(const char *address)
{
    struct source_day_case *c = &source_day_cases[source_day_next++ % CASES];
    *c = (struct source_day_case){0};
    c->day.ports = c->ports;
    c->day.evidence = c->evidence;
    unsigned a[16];
    if (sscanf(address, "%u.%u.%u.%u", &a[0], &a[1], &a[2], &a[3]) == 4) {
        c->day.ip_version = 4;
        for (unsigned i = 0; i < 4; i++)
            c->day.address[i] = (uint8_t)a[i];
        return &c->day;
    }
    c->day.ip_version = 6;
    for (unsigned i = 0; i < 16; i++) {
        sscanf(address + 2 * i, "%2x", &a[i]);
        c->day.address[i] = (uint8_t)a[i];
    }
    return &c->day;
}

/* Packets of 60 bytes of a kind without ports. */
static void source_day_kind(struct source_day *s, enum kind kind, uint64_t packets)
{
    s->kinds[kind].packets += packets;
    s->kinds[kind].bytes += packets * 60;
}

/* Packets of a scan kind to a port; in order. */
static void source_day_to(struct source_day *s, enum kind kind, uint16_t port, uint64_t packets)
{
    source_day_kind(s, kind, packets);
    s->ports[s->port_count++] = (struct source_day_port){(uint8_t)kind, port, packets};
}

/* Evidence for packets that are there; in order. */
static void source_day_shows(struct source_day *s, enum evidence evidence, const char *rule,
                             enum kind kind, uint16_t port, uint64_t packets)
{
    s->evidence[s->evidence_count++] =
        (struct source_day_evidence){rule, (uint8_t)evidence, (uint8_t)kind, port, packets};
    s->evidence_src_port = 40000;
    s->evidence_dst_port = port;
    s->evidence_ns = s->last_ns;
}

static uint64_t case_random(struct random_stream *r, uint64_t below)
{
    return random_next(r) % below;
}

/* A random one of the given address that holds: a few ports out of few, so that rows meet. */
static inline struct source_day *source_day_random(struct random_stream *r, const char *address)
{
    static const char *const texts[] = {"", "", "alpha", "beta", "gamma"};
    static const uint8_t kinds[] = {KIND_tcp_syn, KIND_tcp_data, KIND_udp};
    struct source_day *s = source_day_new(address);
    for (unsigned k = 0; k < 3; k++)
        for (uint16_t port = 0; port < 5; port++)
            if (case_random(r, 3) == 0)
                source_day_to(s, kinds[k], (uint16_t)(port * 9000 + 23), 1 + case_random(r, 300));
    source_day_kind(s, KIND_backscatter_tcp, case_random(r, 5));
    source_day_kind(s, KIND_icmp, 1 + case_random(r, 2));
    s->first_ns = (int64_t)case_random(r, 1000) - 500;
    s->last_ns = s->first_ns + (int64_t)case_random(r, 1000);
    for (unsigned e = EVIDENCE_bot; e <= EVIDENCE_payload; e++)
        for (unsigned rule = 2; rule < 5; rule++)
            for (size_t i = 0; i < s->port_count; i++)
                if (case_random(r, 6) == 0 && s->evidence_count < CASE_ROWS &&
                    s->ports[i].packets > 30)
                    source_day_shows(s, e, texts[rule], s->ports[i].kind, s->ports[i].port,
                                     1 + case_random(r, 5));
    if (source_day_has_evidence(s)) {
        s->evidence_ns = s->first_ns + (int64_t)case_random(r, 2) * (s->last_ns - s->first_ns);
        s->evidence_src_port = (uint16_t)case_random(r, 3);
        s->evidence_dst_port = (uint16_t)case_random(r, 3);
        s->evidence_proto = (uint8_t)case_random(r, SOURCE_DAY_PROTOS);
    }
    uint64_t tcp = s->kinds[KIND_tcp_syn].packets + s->kinds[KIND_tcp_data].packets;
    if (tcp > 0) {
        unsigned most = tcp < SOURCE_REACH_MAX ? (unsigned)tcp : SOURCE_REACH_MAX;
        s->reach[REACH_TCP].high = (uint8_t)case_random(r, most + 1);
        s->reach[REACH_TCP].low = (uint8_t)case_random(r, SOURCE_REACH_MAX + 1);
        s->reach[REACH_MIRAI].high = (uint8_t)case_random(r, s->reach[REACH_TCP].high + 1);
        s->reach[REACH_MIRAI].low = (uint8_t)case_random(r, s->reach[REACH_TCP].low + 1);
        s->tcp_src_port = (uint16_t)case_random(r, 3);
        s->tcp_dst_port = (uint16_t)case_random(r, 3);
        if (source_day_has_tcp(s))
            s->tcp_ns = s->first_ns + (int64_t)case_random(r, 2) * (s->last_ns - s->first_ns);
    }
    uint64_t packets = source_day_packets(s);
    for (unsigned i = 0; i < TOOL_COUNT; i++)
        s->tools[i] = case_random(r, 2) * case_random(r, packets);
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        s->notes[i] = case_random(r, 2) * case_random(r, packets);
    s->origin.acknowledged = texts[case_random(r, 5)];
    s->origin.bogon = texts[case_random(r, 5)];
    s->origin.asn = (uint32_t)case_random(r, 3);
    s->origin.as_name = s->origin.asn == 0 ? "" : texts[case_random(r, 5)];
    if (case_random(r, 2))
        memcpy(s->origin.country, case_random(r, 2) ? "JP" : "DE", 3);
    return s;
}

#endif
