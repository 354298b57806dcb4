/* Time and memory of look-ups in a day of many sources.
 *
 *   bench_lookup DIR [SOURCES]
 *
 * Writes a feed of one day with SOURCES (10,000,000) source days below DIR, asks it for addresses, prefixes, AS and ports, each in a
 * process of its own, says wall and CPU time and peak of memory of each, and removes what it wrote. Two of five sources go to tcp/23, most have
 * few ports, one of 64 has 32, one of 65,536 all of them; 20,000 AS, the largest with one source of 16; 200 countries.
 */
#include "bench/bench.h"
#include "classify/ruleset.h"
#include "export/feed_log.h"
#include "export/lookup.h"
#include "export/source_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DATE = 20000,
    DAY_SECONDS = 86400,
    PATH = 512,
    PORTS = 65536,
    ASES = 20000,
    AS_LARGE = 64500
};
static const int64_t second_ns = 1000000000;

struct row {
    uint64_t state, place, stride;
    struct source_day day;
    struct source_day_port ports[PORTS];
    struct source_day_evidence evidence;
};

static void row_first(struct row *r, uint64_t sources)
{
    memset(r, 0, offsetof(struct row, ports));
    r->state = 1;
    r->stride = (UINT64_C(1) << 32) / (sources + sources / 2 + 64);
}

static void row_next(struct row *r)
{
    struct source_day *s = &r->day;
    uint64_t dice = bench_random(&r->state), packets = 0;
    r->place += 1 + dice % 2;
    uint32_t address = __builtin_bswap32((uint32_t)(r->place * r->stride));
    *s = (struct source_day){.date = DATE, .ip_version = 4, .ports = r->ports};
    memcpy(s->address, &address, sizeof address);
    s->port_count = dice % 65536 == 0 ? PORTS : dice % 64 == 0 ? 32 : 1 + dice % 3;
    uint16_t first = (dice >> 16) % 5 < 2 ? 23 : (uint16_t)((dice >> 20) % 3000);
    for (size_t i = 0; i < s->port_count; i++) {
        uint16_t port = (uint16_t)(s->port_count == PORTS ? i : first + i * 1777);
        r->ports[i] = (struct source_day_port){KIND_tcp_syn, port, 1 + (dice >> 8) % 50};
        packets += r->ports[i].packets;
    }
    s->kinds[KIND_tcp_syn] = (struct count){packets, packets * 60};
    s->first_ns = (int64_t)DATE * DAY_SECONDS * second_ns + (int64_t)(dice >> 40);
    s->last_ns = s->first_ns + (int64_t)((dice >> 30) % (UINT64_C(1000) * 1000000000));
    uint64_t country = dice >> 33 & 0xff;
    s->origin.country[0] = (char)('A' + country % 200 / 26);
    s->origin.country[1] = (char)('A' + country % 200 % 26);
    s->origin.asn = AS_LARGE + (uint32_t)((dice >> 41) % 16 == 0 ? 0 : 1 + (dice >> 45) % ASES);
    s->origin.as_name = "Example Networks";
    if (first == 23 && (dice >> 5) % 4 == 0) {
        s->tools[TOOL_mirai] = r->ports[0].packets;
        r->evidence = (struct source_day_evidence){"mirai", EVIDENCE_bot, KIND_tcp_syn, 23,
                                                   r->ports[0].packets};
        s->evidence = &r->evidence;
        s->evidence_count = 1;
        s->evidence_ns = s->last_ns;
        s->evidence_dst_port = 23;
    }
}

static void check(int err, const struct fault *fault)
{
    if (err >= 0)
        return;
    fprintf(stderr, "bench_lookup: %s\n", fault->text);
    exit(1);
}

static void feed_write(const char *dir, struct row *r, uint64_t sources,
                       const struct ruleset *rules)
{
    const struct day_settings settings = {.rules = rules,
                                          .survey = survey_defaults,
                                          .complete_coverage_milli = DAY_COMPLETE_COVERAGE,
                                          .complete_loss_milli = DAY_COMPLETE_LOSS};
    struct feed_identity identity = {.sensor = "bench",
                                     .timezone = "UTC",
                                     .filter = "",
                                     .telescope_id = "",
                                     .window_span_ns = 60 * second_ns,
                                     .rules = rules,
                                     .survey = &settings.survey,
                                     .has_sources = true};
    struct day_facts facts;
    struct fault fault = {0};
    struct feed_log *log;
    const struct day_result *result;
    int64_t start = (int64_t)DATE * DAY_SECONDS * second_ns;
    check(day_facts_init(&facts, DATE, start, start + DAY_SECONDS * second_ns, "UTC"), &fault);
    row_first(r, sources);
    for (uint64_t i = 0; i < sources; i++) {
        row_next(r);
        facts.kinds[KIND_tcp_syn].packets += r->day.kinds[KIND_tcp_syn].packets;
        facts.kinds[KIND_tcp_syn].bytes += r->day.kinds[KIND_tcp_syn].bytes;
    }
    facts.ledger.offered = facts.ledger.observed = facts.kinds[KIND_tcp_syn].packets;
    struct day *day = day_create(&settings);
    check(feed_log_create(&log, dir, &identity, &fault), &fault);
    check(day_begin(day, &facts, &fault), &fault);
    check(feed_log_day_begin(log, &facts, &settings, &fault), &fault);
    row_first(r, sources);
    for (uint64_t i = 0; i < sources; i++) {
        row_next(r);
        check(day_add(day, &r->day, &fault), &fault);
        check(feed_log_append_source_day(log, &r->day, &fault), &fault);
    }
    check(day_end(day, &result, &fault), &fault);
    check(feed_log_append_day(log, result, &fault), &fault);
    check(feed_log_finish(log, &fault), &fault);
    day_destroy(day);
    day_facts_fini(&facts);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double file_mb(const char *dir, const char *name)
{
    char path[PATH + 64];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &s) < 0 ? 0 : (double)s.st_size / 1e6;
}

/* One question, as a command would ask it: opened, answered, closed. */
static void ask(char *dir, const char *word, const struct ruleset *rules, bool no_index)
{
    struct lookup_settings settings = {.rules = rules, .top = 10, .no_index = no_index};
    struct lookup *l;
    struct fault fault;
    unsigned proto;
    uint16_t port;
    double begin = wall();
    check(lookup_open(&l, &dir, 1, &settings, &fault), &fault);
    uint64_t sources;
    if (lookup_port_parse(word, &proto, &port, &fault) == 0) {
        const struct lookup_port *p;
        check(lookup_port(l, proto, port, &p, &fault), &fault);
        sources = p->sources.high;
    } else {
        struct lookup_key key;
        const struct lookup_source *s;
        check(lookup_key_parse(&key, word, &fault), &fault);
        check(lookup_source(l, &key, &s, &fault), &fault);
        sources = s->sources;
    }
    printf("%-16s%s %10" PRIu64 " sources  %8.1f ms", word, no_index ? " no index" : "", sources,
           (wall() - begin) * 1e3);
    lookup_close(l);
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"1.2.3.4",    "AS64500",   "AS64500", "AS64700",
                                        "tcp/23",     "tcp/37215", "udp/1",   "100.64.0.0/16",
                                        "10.0.0.0/8", "0.0.0.0/0"};
    if (argc < 2) {
        fprintf(stderr, "usage: bench_lookup DIR [SOURCES]\n");
        return 2;
    }
    uint64_t sources = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
    struct ruleset *rules;
    struct fault fault;
    check(ruleset_create(&rules, NULL, &fault), &fault);
    struct row *row = malloc(sizeof *row);
    char dir[PATH], command[PATH + 16], address[64];
    if (row == NULL)
        return 1;
    snprintf(dir, sizeof dir, "%s/bench_lookup", argv[1]);
    double begin = wall();
    feed_write(dir, row, sources, rules);
    printf("%" PRIu64 " sources written in %.1f s\n", sources, wall() - begin);
    row_first(row, sources);
    for (uint64_t i = 0; i < sources / 3; i++)
        row_next(row);
    const uint8_t *a = row->day.address;
    snprintf(address, sizeof address, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    int status = 0;
    for (size_t i = 0; i <= sizeof words / sizeof *words + 1; i++) {
        struct rusage usage;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            size_t last = sizeof words / sizeof *words;
            ask(dir, i == 0 ? address : i <= last ? words[i - 1] : "tcp/23", rules, i > last);
            fflush(stdout);
            _exit(0);
        }
        wait4(child, &status, 0, &usage);
        printf("  %8.1f ms of CPU  peak %.1f MB%s\n",
               (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3,
               (double)usage.ru_maxrss / 1024, i == 2 ? "  (with the making of the index)" : "");
    }
    printf("source days %.1f MB, index %.1f MB\n", file_mb(dir, "20241004-sources-000001.yami"),
           file_mb(dir, "20241004-sources-000001.index"));
    snprintf(command, sizeof command, "rm -rf '%.500s'", dir);
    return status != 0 || system(command) != 0;
}
