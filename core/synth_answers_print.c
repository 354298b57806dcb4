#include "core/synth_answers.h"

#include "core/synth.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const proto_names[PORT_PROTO_COUNT] = {"tcp", "udp"};

struct row {
    const struct synth_port *counts;
    unsigned proto, port;
};

static void print_count(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "  \"%s\": %" PRIu64 ",\n", name, value);
}

static void print_time(FILE *out, const char *name, int64_t ts_ns)
{
    fprintf(out, "  \"%s\": \"%" PRId64 ".%09" PRId64 "\",\n", name, ts_ns / 1000000000,
            ts_ns % 1000000000);
}

static void print_kinds(FILE *out, const char *name, const uint64_t *counts)
{
    fprintf(out, "  \"%s\": {", name);
    for (unsigned k = 0; k < KIND_COUNT; k++)
        fprintf(out, "%s\"%s\": %" PRIu64, k ? ", " : "", kind_name((enum kind)k), counts[k]);
    fputs("},\n", out);
}

static void print_tools(FILE *out, const char *name, const uint64_t *marks)
{
    fprintf(out, "  \"%s\": {", name);
    for (unsigned t = 0; t < TOOL_COUNT; t++)
        fprintf(out, "%s\"%s\": %" PRIu64, t ? ", " : "", tool_name((enum tool)t),
                marks[MARK_tool_mirai + t]);
    fputs("},\n", out);
}

/* Most packets first, then protocol, port: the order of `replay --json`. */
static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->counts->packets != b->counts->packets)
        return a->counts->packets > b->counts->packets ? -1 : 1;
    return (int)(a->proto << 16 | a->port) - (int)(b->proto << 16 | b->port);
}

static void print_ports(FILE *out, const struct synth_totals *t)
{
    static struct row rows[PORT_PROTO_COUNT * 65536];
    size_t count = 0;
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 65536; port++)
            if (t->ports[proto][port].packets)
                rows[count++] = (struct row){&t->ports[proto][port], proto, port};
    qsort(rows, count, sizeof rows[0], compare_rows);
    fputs("  \"ports\": [", out);
    for (size_t i = 0; i < count; i++) {
        const struct synth_port *c = rows[i].counts;
        fprintf(out,
                "%s\n    {\"proto\": \"%s\", \"port\": %u, \"packets\": %" PRIu64
                ", \"syn\": %" PRIu64 ", \"sources\": %" PRIu64 ", \"bytes\": %" PRIu64
                ", \"scan\": %" PRIu64 "}",
                i ? "," : "", proto_names[rows[i].proto], rows[i].port, c->packets, c->syn,
                c->sources, c->bytes, c->scan);
    }
    fputs("\n  ],\n", out);
}

static void print_shares(FILE *out, const struct synth_totals *t)
{
    fputs("  \"shares\": {", out);
    for (unsigned n = DENOMINATOR_COUNT; n < SHARE_MARK_COUNT; n++) {
        fprintf(out, "%s\n    \"%s\": {", n > DENOMINATOR_COUNT ? "," : "",
                mark_name((enum mark)n));
        for (unsigned d = 0; d < DENOMINATOR_COUNT; d++)
            fprintf(out,
                    "%s\"%s\": {\"packets\": {\"num\": %" PRIu64 ", \"den\": %" PRIu64
                    "}, \"sources\": {\"num\": %" PRIu64 ", \"den\": %" PRIu64 "}}",
                    d ? ", " : "", mark_name((enum mark)d), t->marks[n], t->marks[d],
                    t->mark_sources[n], t->mark_sources[d]);
        fputs("}", out);
    }
    fputs("\n  },\n", out);
}

static void print_settings(FILE *out, const struct capture_synth_settings *s)
{
    fprintf(out,
            "  \"synth\": {\"seed\": %" PRIu64 ", \"packets\": %" PRIu64 ", \"sources\": %" PRIu64
            ", \"start_ns\": %" PRId64 ", \"span_ns\": %" PRId64 ", \"profile\": \"%s\""
            ", \"ports_per_source\": %u, \"disorder_ns\": %" PRId64
            ", \"vlan\": %u, \"telescope\": \"",
            s->seed, s->packets, s->sources, s->start_ns, s->span_ns,
            s->profile == SYNTH_UNIFORM ? "uniform" : "darknet", s->ports_per_source,
            s->disorder_ns, s->vlan);
    synth_telescope_print(out, s->telescope, s->telescope_count);
    fputs("\"}", out);
}

void synth_answers_print(const struct synth_totals *t, const struct ruleset *rules,
                         const struct capture_synth_settings *settings, FILE *out)
{
    fputs("{\n", out);
    print_count(out, "packets", t->packets);
    print_count(out, "bytes", t->bytes);
    print_time(out, "first_ts", t->first_ns);
    print_time(out, "last_ts", t->last_ns);
    print_count(out, "ip4", t->ip4);
    print_count(out, "ip6", t->ip6);
    print_count(out, "tcp", t->tcp);
    print_count(out, "udp", t->udp);
    print_count(out, "icmp", t->icmp);
    print_count(out, "tcp_syn", t->tcp_syn);
    print_count(out, "tcp_synack", t->tcp_synack);
    print_count(out, "tcp_rst", t->tcp_rst);
    print_count(out, "sources", t->sources);
    print_count(out, "destinations", t->destinations);
    print_count(out, "pairs", t->pairs);
    print_kinds(out, "kinds", t->kinds);
    print_kinds(out, "kind_sources", t->kind_sources);
    print_tools(out, "tools", t->marks);
    print_tools(out, "tool_sources", t->mark_sources);
    print_ports(out, t);
    print_shares(out, t);
    fprintf(out, "  \"rules\": {\"sha256\": \"%s\"},\n", rules->sha256);
    print_settings(out, settings);
    fputs("\n}\n", out);
}
