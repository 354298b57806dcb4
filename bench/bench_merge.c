/* Cost and memory of merging source days.
 *
 *   bench_merge DIR [FEEDS [SOURCE_DAYS]]
 *
 * Writes FEEDS feeds (100) of one date below DIR, SOURCE_DAYS (1,000,000) in all, each address in two of them on
 * average, merges them in a process of its own, says records per second and that process's peak of memory, and
 * removes what it wrote. Most sources have few ports, one of 64 has 32, one of 65,536 all of them.
 */
#include "bench/bench.h"
#include "classify/ruleset.h"
#include "export/feed_merge.h"
#include "export/feed_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DATE = 20000, DAY_SECONDS = 86400, PATH = 512, PORTS = 65536 };
static const int64_t second_ns = INT64_C(1000000000);

/* The source days of one feed, one after the other. */
struct row {
    uint64_t state, place, stride, gap;
    struct source_day day;
    struct source_day_port ports[PORTS];
};

static void row_first(struct row *r, uint64_t feed, uint64_t feeds, uint64_t each)
{
    memset(r, 0, offsetof(struct row, ports));
    r->state = feed + 1;
    r->gap = feeds;
    r->stride = (UINT64_C(1) << 32) / (each * (feeds / 2 + 1) * 5 / 4 + 64 * feeds);
    if (r->stride == 0)
        r->stride = 1;
}

static void row_next(struct row *r)
{
    struct source_day *s = &r->day;
    r->place += 1 + (r->gap > 1 ? bench_random(&r->state) % (r->gap - 1) : 0);
    uint32_t address = __builtin_bswap32((uint32_t)(r->place * r->stride));
    uint64_t dice = bench_random(&r->state), packets = 0;
    *s = (struct source_day){.date = DATE, .ip_version = 4, .ports = r->ports};
    memcpy(s->address, &address, sizeof address);
    s->port_count = dice % 65536 == 0 ? PORTS : dice % 64 == 0 ? 32 : 1 + dice % 3;
    for (size_t i = 0; i < s->port_count; i++) {
        uint16_t port = (uint16_t)(s->port_count == PORTS ? i : i * 1777 + 23);
        r->ports[i] = (struct source_day_port){KIND_tcp_syn, port, 1 + (dice >> 8) % 50};
        packets += r->ports[i].packets;
    }
    s->kinds[KIND_tcp_syn] = (struct count){packets, packets * 60};
    s->tools[TOOL_zmap] = (dice >> 20) % 4 == 0 ? packets : 0;
    s->first_ns = (int64_t)DATE * DAY_SECONDS * second_ns + (int64_t)(dice >> 40);
    s->last_ns = s->first_ns + (int64_t)((dice >> 30) % (UINT64_C(1000) * 1000000000));
}

static void check(int err, const struct fault *fault)
{
    if (err == 0)
        return;
    fprintf(stderr, "bench_merge: %s\n", fault->text);
    exit(1);
}

static void feed_write(const char *dir, struct row *r, uint64_t feed, uint64_t feeds, uint64_t each,
                       const struct feed_identity *identity, const struct day_settings *settings)
{
    struct day_facts facts;
    struct fault fault = {0};
    struct feed_log *log;
    int64_t start = (int64_t)DATE * DAY_SECONDS * second_ns;
    check(day_facts_init(&facts, DATE, start, start + DAY_SECONDS * second_ns, "UTC"), &fault);
    row_first(r, feed, feeds, each);
    for (uint64_t i = 0; i < each; i++) {
        row_next(r);
        facts.kinds[KIND_tcp_syn].packets += r->day.kinds[KIND_tcp_syn].packets;
        facts.kinds[KIND_tcp_syn].bytes += r->day.kinds[KIND_tcp_syn].bytes;
    }
    facts.ledger.offered = facts.ledger.observed = facts.kinds[KIND_tcp_syn].packets;
    struct day *day = day_create(settings);
    const struct day_result *result;
    check(feed_log_create(&log, dir, identity, &fault), &fault);
    check(day_begin(day, &facts, &fault), &fault);
    check(feed_log_day_begin(log, &facts, settings, &fault), &fault);
    row_first(r, feed, feeds, each);
    for (uint64_t i = 0; i < each; i++) {
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

/* In the child: its memory alone is measured. */
static void merge_run(char **paths, uint64_t feeds, const char *out, const struct ruleset *rules)
{
    struct merge_settings settings = {.rules = rules, .program = "bench"};
    struct feed_merge *m;
    struct fault fault;
    double begin = wall();
    check(feed_merge_create(&m, paths, feeds, &settings, &fault), &fault);
    double read = wall();
    check(feed_merge_write(m, out, &fault), &fault);
    double end = wall();
    const struct merge_summary *s = feed_merge_summary(m);
    printf("%" PRIu64 " source days of %" PRIu64 " feeds to %" PRIu64
           ": read %.1f s, merged %.1f s, %.2f M "
           "records/s\n",
           s->source_days_read, feeds, s->source_days, read - begin, end - read,
           (double)s->source_days_read / (end - begin) / 1e6);
    feed_merge_destroy(m);
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_merge DIR [FEEDS [SOURCE_DAYS]]\n");
        return 2;
    }
    uint64_t feeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    uint64_t each = (argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000) / feeds;
    struct ruleset *rules;
    struct fault fault;
    check(ruleset_create(&rules, NULL, &fault), &fault);
    const struct day_settings settings = {.rules = rules,
                                          .survey = survey_defaults,
                                          .complete_coverage_milli = DAY_COMPLETE_COVERAGE,
                                          .complete_loss_milli = DAY_COMPLETE_LOSS};
    struct feed_identity identity = {.timezone = "UTC",
                                     .filter = "",
                                     .telescope_id = "",
                                     .window_span_ns = 60 * second_ns,
                                     .rules = rules,
                                     .survey = &settings.survey,
                                     .has_sources = true};
    char **paths = calloc(feeds, sizeof *paths), out[PATH], command[PATH + 16];
    struct row *row = malloc(sizeof *row);
    if (paths == NULL || row == NULL)
        return 1;
    for (uint64_t i = 0; i < feeds; i++) {
        char sensor[32];
        if (asprintf(&paths[i], "%s/bench_merge/%05" PRIu64, argv[1], i) < 0)
            return 1;
        snprintf(sensor, sizeof sensor, "s%" PRIu64, i);
        identity.sensor = sensor;
        feed_write(paths[i], row, i, feeds, each, &identity, &settings);
    }
    snprintf(out, sizeof out, "%s/bench_merge/out", argv[1]);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        merge_run(paths, feeds, out, rules);
    struct rusage usage;
    int status;
    wait4(child, &status, 0, &usage);
    printf("peak memory %.1f MB, %.1f s of CPU\n", (double)usage.ru_maxrss / 1024,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec));
    snprintf(command, sizeof command, "rm -rf '%.500s/bench_merge'", argv[1]);
    return status != 0 || system(command) != 0;
}
