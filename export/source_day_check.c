/* Whether everything that a source day promises holds. */
#include "export/source_day.h"

#include "export/saturate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reason {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reason *why, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    if (why->size > 0)
        vsnprintf(why->text, why->size, format, args);
    va_end(args);
    return false;
}

static bool is_place(unsigned kind) { return kind < KIND_COUNT && kind_is_scan(kind); }

static bool ports_hold(const struct source_day *s, struct reason *why)
{
    uint64_t by_kind[KIND_COUNT] = {0}, sum = s->unlisted_ports;
    for (size_t i = 0; i < s->port_count; i++) {
        const struct source_day_port *row = &s->ports[i];
        if (!is_place(row->kind))
            return refuse(why, "a port of kind %u", row->kind);
        if (row->packets == 0)
            return refuse(why, "port %u of %s without packets", row->port, kind_name(row->kind));
        if (i > 0 && source_day_port_order(&s->ports[i - 1], row) >= 0)
            return refuse(why, "port %u of %s is out of order", row->port, kind_name(row->kind));
        saturate_add(&by_kind[row->kind], row->packets);
        saturate_add(&sum, row->packets);
    }
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (by_kind[kind] > s->kinds[kind].packets)
            return refuse(why, "ports of %s have %" PRIu64 " packets, the kind %" PRIu64,
                          kind_name(kind), by_kind[kind], s->kinds[kind].packets);
    if (sum != source_day_scan(s))
        return refuse(why, "ports and unlisted_ports have %" PRIu64 " packets, scan %" PRIu64, sum,
                      source_day_scan(s));
    return true;
}

static uint64_t port_packets(const struct source_day *s, unsigned kind, uint16_t port)
{
    const struct source_day_port key = {.kind = (uint8_t)kind, .port = port};
    size_t low = 0, high = s->port_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = source_day_port_order(&s->ports[middle], &key);
        if (order == 0)
            return s->ports[middle].packets;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static bool evidence_rows_hold(const struct source_day *s, struct reason *why)
{
    for (size_t i = 0; i < s->evidence_count; i++) {
        const struct source_day_evidence *row = &s->evidence[i];
        if (row->evidence != EVIDENCE_bot && row->evidence != EVIDENCE_payload)
            return refuse(why, "evidence %u", row->evidence);
        if (row->rule == NULL || row->rule[0] == '\0')
            return refuse(why, "evidence without a rule");
        if (!is_place(row->kind))
            return refuse(why, "evidence %.40s of kind %u", row->rule, row->kind);
        if (row->packets == 0)
            return refuse(why, "evidence %.40s at port %u without packets", row->rule, row->port);
        if (i > 0 && source_day_evidence_order(&s->evidence[i - 1], row) >= 0)
            return refuse(why, "evidence %.40s at port %u is out of order", row->rule, row->port);
    }
    return true;
}

struct evidence_sum {
    uint32_t key; /* kind, port */
    uint64_t packets;
};

static int sum_order(const void *a, const void *b)
{
    const struct evidence_sum *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Packets that the evidence rows have beyond the port rows of the same kind and port. */
static uint64_t evidence_beyond(const struct source_day *s, struct evidence_sum *sums)
{
    uint64_t beyond = 0;
    for (size_t i = 0; i < s->evidence_count; i++)
        sums[i] = (struct evidence_sum){(uint32_t)s->evidence[i].kind << 16 | s->evidence[i].port,
                                        s->evidence[i].packets};
    qsort(sums, s->evidence_count, sizeof *sums, sum_order);
    for (size_t i = 0, next; i < s->evidence_count; i = next) {
        uint64_t sum = 0, listed = port_packets(s, sums[i].key >> 16, (uint16_t)sums[i].key);
        for (next = i; next < s->evidence_count && sums[next].key == sums[i].key; next++)
            saturate_add(&sum, sums[next].packets);
        if (sum > listed)
            saturate_add(&beyond, sum - listed);
    }
    return beyond;
}

static bool evidence_fits(const struct source_day *s, struct reason *why)
{
    enum { FEW = 64 };
    struct evidence_sum few[FEW], *sums = few;
    uint64_t sum = s->unlisted_evidence;

    if (s->evidence_count == 0 && sum == 0)
        return true;
    for (size_t i = 0; i < s->evidence_count; i++)
        saturate_add(&sum, s->evidence[i].packets);
    if (sum > source_day_scan(s))
        return refuse(why, "evidence of %" PRIu64 " packets, scan has %" PRIu64, sum,
                      source_day_scan(s));
    if (s->evidence_count > FEW && (sums = calloc(s->evidence_count, sizeof *sums)) == NULL)
        return refuse(why, "no memory");
    uint64_t beyond = evidence_beyond(s, sums);
    if (sums != few)
        free(sums);
    return beyond <= s->unlisted_ports ||
           refuse(why, "evidence has %" PRIu64 " packets beyond its ports, unlisted are %" PRIu64,
                  beyond, s->unlisted_ports);
}

static bool evidence_holds(const struct source_day *s, struct reason *why)
{
    if (!evidence_rows_hold(s, why) || !evidence_fits(s, why))
        return false;
    bool has_last = s->evidence_ns != 0 || s->evidence_proto != 0 || s->evidence_src_port != 0 ||
                    s->evidence_dst_port != 0;
    if (!source_day_has_evidence(s))
        return has_last ? refuse(why, "a last packet with evidence, without evidence") : true;
    if (s->evidence_proto >= SOURCE_DAY_PROTOS)
        return refuse(why, "evidence over protocol %u", s->evidence_proto);
    if (s->evidence_ns < s->first_ns || s->evidence_ns > s->last_ns)
        return refuse(why, "the last evidence of %" PRId64 " ns is not between first and last",
                      s->evidence_ns);
    return true;
}

static bool tcp_holds(const struct source_day *s, struct reason *why)
{
    uint64_t tcp = s->kinds[KIND_tcp_syn].packets;
    saturate_add(&tcp, s->kinds[KIND_tcp_data].packets);
    for (unsigned i = 0; i < REACH_COUNT; i++) {
        const struct source_reach *r = &s->reach[i];
        if (r->low > SOURCE_REACH_MAX || r->high > SOURCE_REACH_MAX)
            return refuse(why, "a count of addresses beyond %d", SOURCE_REACH_MAX);
        if (r->high > tcp || (r->low > 0 && tcp == 0) || r->low > s->reach[REACH_TCP].low)
            return refuse(why, "it reached more addresses than it sent packets over TCP");
    }
    if (!source_day_has_tcp(s))
        return s->tcp_ns == 0 || refuse(why, "the time of a last packet over TCP, without one");
    if (tcp == 0 || s->tcp_ns < s->first_ns || s->tcp_ns > s->last_ns)
        return refuse(why,
                      "the last packet over TCP of %" PRId64 " ns is not between first and last",
                      s->tcp_ns);
    return true;
}

static bool origin_holds(const struct source_day_origin *o, struct reason *why)
{
    const char *c = o->country;
    bool is_code = c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z' && c[2] == '\0';
    if (c[0] != '\0' && !is_code)
        return refuse(why, "a country that is not two capital letters");
    if (o->asn == 0 && o->as_name != NULL && o->as_name[0] != '\0')
        return refuse(why, "an AS with a name, without a number");
    return true;
}

bool source_day_holds(const struct source_day *s, char *text, size_t size)
{
    struct reason why = {text, size};
    uint64_t packets = source_day_packets(s);
    if (s->ip_version != 4 && s->ip_version != 6)
        return refuse(&why, "IP version %u", s->ip_version);
    if (packets == 0)
        return refuse(&why, "no packets");
    if (s->first_ns > s->last_ns)
        return refuse(&why, "first packet %" PRId64 " ns is after the last %" PRId64 " ns",
                      s->first_ns, s->last_ns);
    for (unsigned i = 0; i < TOOL_COUNT; i++)
        if (s->tools[i] > packets)
            return refuse(&why, "tool %s has %" PRIu64 " of %" PRIu64 " packets", tool_name(i),
                          s->tools[i], packets);
    for (unsigned i = 0; i < NOTE_COUNT; i++)
        if (s->notes[i] > packets)
            return refuse(&why, "%s has %" PRIu64 " of %" PRIu64 " packets", note_name(i),
                          s->notes[i], packets);
    return ports_hold(s, &why) && evidence_holds(s, &why) && tcp_holds(s, &why) &&
           origin_holds(&s->origin, &why);
}
