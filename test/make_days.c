/* make_days DIR FIRST-DATE DAYS SEED [WORD...]: a feed of days for the judges of reports.
 *
 * Seeded sources of every kind that a Day tells apart: most come again on other days, some as survey scanner on one
 * day and not on the next, whole /64 among them; bots, payloads, listed and impossible ones; names that would hurt
 * a page or a terminal. The 3rd day was observed half, of the 5th packets were lost, the 8th is not there.
 * Words: no-sources (the feed holds its Days alone), plain (all days complete), wide (a source sends to every port: a Day of 1.7 MB), rules=DIR.
 */
#include "capture/random.h"
#include "export/feed_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 80, EVIDENCE = 8, POOL = 900 };

static const char hostile[] =
    "</script><img src=x onerror=\"alert('1')\">&\x1b[31m\xe2\x80\xae,\"=1+1\r\n";

struct maker {
    struct random_stream random;
    struct ruleset *rules;
    struct day_settings settings;
    struct source_day *sources;
    struct source_day_port (*ports)[PORTS];
    struct source_day_evidence (*evidence)[EVIDENCE];
    struct source_day_port *all_ports; /* of a source that sends to each */
    bool no_sources, plain;
};

static void must(int err, const struct fault *fault)
{
    if (err == 0)
        return;
    fprintf(stderr, "make_days: %s\n", fault->text);
    exit(1);
}

static uint64_t below(struct maker *m, uint64_t limit) { return random_next(&m->random) % limit; }

static void port_add(struct source_day *s, enum kind kind, uint16_t port, uint64_t packets)
{
    for (size_t i = 0; i < s->port_count; i++)
        if (s->ports[i].kind == kind && s->ports[i].port == port)
            return;
    if (s->port_count == PORTS)
        return;
    s->ports[s->port_count++] = (struct source_day_port){(uint8_t)kind, port, packets};
    s->kinds[kind].packets += packets;
    s->kinds[kind].bytes += packets * 60;
}

static int port_order(const void *a, const void *b) { return source_day_port_order(a, b); }

static void ports_make(struct maker *m, struct source_day *s, unsigned role)
{
    static const uint16_t usual[] = {23, 23, 23, 23, 445, 22, 22, 80, 8080, 3389, 2323, 37215, 443};
    static const uint16_t udp[] = {1900, 53, 5060, 123, 161};
    if (role == 0) { /* survey scanner */
        for (unsigned i = 0; i < 40; i++)
            port_add(s, KIND_tcp_syn, (uint16_t)(1000 + below(m, 2000) * 7), 60 + below(m, 60));
        return;
    }
    for (uint64_t i = below(m, 3) + 1; i > 0; i--)
        port_add(s, KIND_tcp_syn, usual[below(m, sizeof usual / sizeof *usual)],
                 1 + below(m, role == 1 ? 700 : 40));
    if (below(m, 6) == 0)
        port_add(s, KIND_udp, udp[below(m, sizeof udp / sizeof *udp)], 1 + below(m, 30));
}

/* How many addresses it reached, and its last packet over TCP: at most so many, by its packets. */
static void reach_make(struct source_day *s)
{
    uint64_t tcp = s->kinds[KIND_tcp_syn].packets;
    uint8_t reach = (uint8_t)(tcp < SOURCE_REACH_MAX ? tcp : SOURCE_REACH_MAX);
    if (tcp == 0)
        return;
    s->reach[REACH_TCP] = (struct source_reach){reach, reach};
    s->tcp_ns = s->last_ns - s->last_ns % 60;
    if (s->tcp_ns < s->first_ns)
        s->tcp_ns = s->first_ns;
    s->tcp_src_port = (uint16_t)(32768 + s->last_ns / 1000000000 % 28000);
    s->tcp_dst_port = s->ports[0].port; /* of tcp_syn, which come first */
}

/* Evidence on the first port: bots on Telnet, an exploit, a rule that nobody knows. */
static void evidence_make(struct maker *m, struct source_day *s)
{
    const struct source_day_port *p = &s->ports[0];
    uint64_t dice = below(m, 100);
    const char *rule = dice < 88   ? "mirai"
                       : dice < 92 ? "iot-telnet"
                       : dice < 94 ? "iot-huawei-hg532-exploit"
                       : dice < 97 ? "web-http"
                                   : hostile;
    if (p->kind != KIND_tcp_syn)
        return;
    s->evidence[s->evidence_count++] = (struct source_day_evidence){
        rule, dice < 88 ? EVIDENCE_bot : EVIDENCE_payload, p->kind, p->port, (p->packets + 1) / 2};
    s->evidence_ns = s->last_ns;
    s->evidence_src_port = 4000;
    s->evidence_dst_port = p->port;
    s->evidence_proto = SOURCE_DAY_TCP;
    s->reach[REACH_MIRAI] = dice < 88 ? s->reach[REACH_TCP] : (struct source_reach){0};
    if (dice < 88)
        s->tools[TOOL_mirai] = s->evidence[0].packets;
    s->notes[NOTE_assessable] = p->packets;
}

/* What stays the same of a sender from day to day; its number decides. */
static void who_make(struct source_day *s, unsigned number, int32_t date)
{
    static const char *const countries[] = {"CN", "US", "JP", "BR", "IN",
                                            "NL", "RU", "DE", "",   "VN"};
    uint64_t is = random_mix(number);
    *s = (struct source_day){.date = date, .ports = s->ports, .evidence = s->evidence};
    if (number % 9 == 0) {
        static const uint8_t prefix[] = {0x20, 0x01, 0x0d, 0xb8};
        s->ip_version = 6;
        memcpy(s->address, prefix, sizeof prefix);
        s->address[6] = (uint8_t)(number / 9 / 5);
        s->address[15] = (uint8_t)(number / 9 % 5 + 1);
    } else {
        s->ip_version = 4;
        s->address[0] = (uint8_t)(1 + is % 220);
        s->address[1] = (uint8_t)(is >> 8);
        s->address[2] = (uint8_t)(number >> 8);
        s->address[3] = (uint8_t)number;
    }
    strcpy(s->origin.country, countries[is % 10]);
    s->origin.asn = s->origin.country[0] == '\0' ? 0 : (uint32_t)(64500 + is % 23);
    s->origin.as_name = s->origin.asn == 0 ? "" : is % 23 == 7 ? hostile : "Example Networks";
    if (number % 41 == 3)
        s->origin.acknowledged = number % 82 == 3 ? "Example Survey Project" : hostile;
    if (number % 97 == 5)
        s->origin.bogon = "10.0.0.0/8";
}

static int address_order(const void *a, const void *b) { return source_day_order(a, b); }

static void wide_make(struct maker *m, struct source_day *s, int32_t date, int64_t start_ns)
{
    enum { EACH = 65536 };
    *s = (struct source_day){
        .date = date, .ip_version = 4, .address = {198, 51, 100, 1}, .ports = m->all_ports};
    s->first_ns = s->last_ns = start_ns;
    for (unsigned i = 0; i < 2 * EACH; i++) {
        enum kind kind = i < EACH ? KIND_tcp_syn : KIND_udp;
        struct source_day_port *p = &s->ports[s->port_count++];
        *p = (struct source_day_port){(uint8_t)kind, (uint16_t)i, (UINT64_C(1) << 45) + i};
        s->kinds[kind].packets += p->packets;
        s->kinds[kind].bytes += p->packets;
    }
    reach_make(s);
}

static size_t sources_make(struct maker *m, int32_t date, int64_t start_ns)
{
    size_t count = 0;
    for (unsigned number = 0; number < POOL; number++) {
        struct source_day *s = &m->sources[count];
        s->ports = m->ports[count];
        s->evidence = m->evidence[count];
        if (below(m, 4) != 0)
            continue;
        who_make(s, number, date);
        s->first_ns = start_ns + (int64_t)below(m, 40000) * 1000000000;
        s->last_ns = s->first_ns + (int64_t)below(m, 40000) * 1000000000;
        /* Some are survey scanners on two days of three; a few send a lot. */
        unsigned role = number % 31 == 2 && below(m, 3) > 0 ? 0 : number % 13 == 1 ? 1 : 2;
        ports_make(m, s, role);
        qsort(s->ports, s->port_count, sizeof *s->ports, port_order);
        reach_make(s);
        if (role != 0 && below(m, 3) == 0)
            evidence_make(m, s);
        if (below(m, 4) == 0)
            s->kinds[KIND_backscatter_tcp] = (struct count){1 + below(m, 60), 2400};
        if (below(m, 9) == 0)
            s->kinds[KIND_icmp] = (struct count){1 + below(m, 20), 900};
        if (number % 8 == 4)
            s->tools[TOOL_zmap] = source_day_scan(s);
        if (number % 50 == 9)
            s->notes[NOTE_likely_spoofed] = source_day_packets(s);
        count += source_day_packets(s) > 0;
    }
    if (m->all_ports != NULL)
        wide_make(m, &m->sources[count++], date, start_ns);
    qsort(m->sources, count, sizeof *m->sources, address_order);
    return count;
}

static void facts_make(struct maker *m, struct day_facts *f, int32_t date, unsigned index,
                       size_t count)
{
    int64_t start = (int64_t)date * 86400 * 1000000000, end = start + INT64_C(86400) * 1000000000;
    struct day_telescope *t;
    struct fault fault;
    must(day_facts_init(f, date, start, end, "UTC"), &fault);
    must(day_facts_add_telescope(f, "dark-1", true, 4096, &t, &fault), &fault);
    day_telescope_observe(t, f, start, index == 2 && !m->plain ? start + (end - start) / 2 : end);
    must(day_facts_add_basis(f, DAY_RULES, m->rules->name, m->rules->version, m->rules->sha256),
         &fault);
    must(day_facts_add_basis(f, DAY_LISTS, hostile, "2026-01-01", "ab"), &fault);
    must(day_facts_add_sensor(f, "tokyo-1"), &fault);
    for (size_t i = 0; i < count; i++)
        for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
            f->kinds[kind].packets += m->sources[i].kinds[kind].packets;
            f->kinds[kind].bytes += m->sources[i].kinds[kind].bytes;
        }
    f->kinds[KIND_malformed].packets += 17; /* without a source */
    f->kinds[KIND_malformed].bytes += 17 * 60;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        f->ledger.observed += f->kinds[kind].packets;
    f->ledger.ring_full = index == 4 && !m->plain ? f->ledger.observed / 50 : 0;
    f->ledger.offered = f->ledger.observed + f->ledger.ring_full;
}

static void day_make(struct maker *m, struct feed_log *log, int32_t date, unsigned index)
{
    struct fault fault;
    struct day_facts facts;
    const struct day_result *result;
    struct day *day = day_create(&m->settings);
    size_t count = sources_make(m, date, (int64_t)date * 86400 * 1000000000);
    facts_make(m, &facts, date, index, count);
    must(day_begin(day, &facts, &fault), &fault);
    if (!m->no_sources)
        must(feed_log_day_begin(log, &facts, &m->settings, &fault), &fault);
    for (size_t i = 0; i < count; i++) {
        must(day_add(day, &m->sources[i], &fault), &fault);
        if (!m->no_sources)
            must(feed_log_append_source_day(log, &m->sources[i], &fault), &fault);
    }
    must(day_end(day, &result, &fault), &fault);
    must(feed_log_append_day(log, result, &fault), &fault);
    day_destroy(day);
    day_facts_fini(&facts);
}

int main(int argc, char **argv)
{
    struct maker m = {0};
    struct feed_log *log;
    struct fault fault = {0};
    const char *rules = NULL;
    int32_t date;
    if (argc < 5)
        return 2;
    for (int i = 5; i < argc; i++) {
        m.no_sources |= strcmp(argv[i], "no-sources") == 0;
        m.plain |= strcmp(argv[i], "plain") == 0;
        if (strcmp(argv[i], "wide") == 0)
            m.all_ports = calloc(2 * 65536, sizeof *m.all_ports);
        if (strncmp(argv[i], "rules=", 6) == 0)
            rules = argv[i] + 6;
    }
    date = atoi(argv[2]); /* days since 1970 */
    random_init(&m.random, strtoull(argv[4], NULL, 10));
    must(ruleset_create(&m.rules, rules, &fault), &fault);
    m.settings = (struct day_settings){.rules = m.rules,
                                       .survey = survey_defaults,
                                       .complete_coverage_milli = DAY_COMPLETE_COVERAGE,
                                       .complete_loss_milli = DAY_COMPLETE_LOSS};
    m.settings.survey.packets_per_address_milli = 250;
    m.sources = calloc(POOL + 1, sizeof *m.sources);
    m.ports = calloc(POOL, sizeof *m.ports);
    m.evidence = calloc(POOL, sizeof *m.evidence);
    struct feed_identity identity = {.sensor = "tokyo-1",
                                     .telescope_id = "dark-1",
                                     .timezone = "UTC",
                                     .filter = "",
                                     .telescope_configured = true,
                                     .telescope_ipv4 = 4096,
                                     .window_span_ns = INT64_C(60000000000),
                                     .lateness_ns = INT64_C(60000000000),
                                     .rules = m.rules,
                                     .program = "test",
                                     .survey = &m.settings.survey,
                                     .has_sources = !m.no_sources};
    must(feed_log_create(&log, argv[1], &identity, &fault), &fault);
    unsigned days = (unsigned)atoi(argv[3]);
    for (unsigned i = 0; i < days; i++)
        if (i != 7 || m.plain)
            day_make(&m, log, date + (int32_t)i, i);
    must(feed_log_finish(log, &fault), &fault);
    free(m.sources);
    free(m.ports);
    free(m.all_ports);
    free(m.evidence);
    ruleset_destroy(m.rules);
    return 0;
}
