/* Cost of the journal of days (core/day_journal.h).
 *
 *   bench_journal DIR [FILES [SOURCES]]
 *
 * Adds FILES parts (16) of SOURCES source days (400,000) each, every source being in each part with one chance in three, to a
 * journal below DIR, says ns per source day added; reads the date, merged of all files; has the files merged into one by the journal's
 * thread; reads that; and removes what it wrote. CPU time of the thread that works, and the time on the clock, sync and all.
 * Most sources have few ports, one of 64 has 32.
 */
#include "bench/bench.h"
#include "core/day_journal.h"
#include "export/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DATE = 20778, PORTS = 32, CHANCE = 3 };

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(int err, const struct fault *fault)
{
    if (err >= 0)
        return;
    fprintf(stderr, "bench_journal: %s\n", fault->text);
    exit(1);
}

static void source_pack(struct record_buffer *to, uint32_t number, uint64_t *state)
{
    struct source_day_port ports[PORTS];
    uint32_t crc = 0, address = __builtin_bswap32(number * 1789 + 77);
    uint64_t dice = bench_random(state), packets = 0;
    struct source_day s = {.date = DATE, .ip_version = 4, .ports = ports};
    memcpy(s.address, &address, sizeof address);
    s.port_count = dice % 64 == 0 ? PORTS : 1 + dice % 3;
    for (size_t i = 0; i < s.port_count; i++) {
        ports[i] =
            (struct source_day_port){KIND_tcp_syn, (uint16_t)(i * 1777 + 23), 1 + (dice >> 8) % 50};
        packets += ports[i].packets;
    }
    s.kinds[KIND_tcp_syn] = (struct count){packets, packets * 60};
    s.tools[TOOL_zmap] = (dice >> 20) % 4 == 0 ? packets : 0;
    s.first_ns = (int64_t)(DATE * UINT64_C(86400) * 1000000000 + (dice >> 40));
    s.last_ns = s.first_ns + (int64_t)((dice >> 30) % 60000000000u);
    s.origin.asn = 64512 + (uint32_t)(dice >> 50) % 100;
    s.origin.as_name = "EXAMPLE-AS";
    memcpy(s.origin.country, "JP", 3);
    if (record_pack_source_day(to, 1, &crc, &s) < 0)
        exit(1);
}

/* Of `sources` sources at random; returns how many. */
static uint64_t part_fill(struct record_buffer shards[SHARDS], struct journal_part *part,
                          uint64_t sources, uint64_t *state)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < SHARDS; i++)
        shards[i].len = 0;
    for (uint32_t number = 0; count < sources; number++) {
        if (bench_random(state) % CHANCE != 0)
            continue;
        source_pack(&shards[(number * 2654435761u >> 9) % SHARDS], number, state);
        count++;
    }
    for (unsigned i = 0; i < SHARDS; i++) {
        part->runs[i] = shards[i].data;
        part->lens[i] = shards[i].len;
    }
    return count;
}

static int count_one(void *context, struct source_day *d)
{
    *(uint64_t *)context += d->ip_version == 4;
    return 0;
}

static void read_all(struct day_journal *j, const char *what, uint64_t in)
{
    struct journal_sums sums;
    struct fault fault;
    uint64_t sources = 0;
    double cpu = bench_now(), begin = wall();
    check(day_journal_read(j, DATE, count_one, &sources, &sums, &fault), &fault);
    cpu = bench_now() - cpu, begin = wall() - begin;
    printf("%-28s %9" PRIu64 " source days to %9" PRIu64
           ": %.2f M/s of CPU, %.2f M/s on the clock\n",
           what, in, sources, (double)in / cpu / 1e6, (double)in / begin / 1e6);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_journal DIR [FILES [SOURCES]]\n");
        return 2;
    }
    uint64_t files = argc > 2 ? strtoull(argv[2], NULL, 10) : DAY_JOURNAL_FAN;
    uint64_t each = argc > 3 ? strtoull(argv[3], NULL, 10) : 400000, state = 1, in = 0;
    static struct record_buffer shards[SHARDS];
    static struct journal_part part = {.date = DATE};
    char dir[512];
    struct fault fault;
    struct day_journal *j;
    double cpu = 0, clock = 0;
    (void)snprintf(dir, sizeof dir, "%.400s/bench_journal", argv[1]);
    const struct day_journal_settings settings = {dir, "bench", "UTC", 0, NULL, NULL, NULL};
    check(day_journal_open(&j, &settings, &fault), &fault);
    for (uint64_t i = 1; i <= files; i++) {
        part.number = i;
        in += part_fill(shards, &part, each, &state);
        double cpu_begin = bench_now(), begin = wall();
        check(day_journal_add(j, &part, &fault), &fault);
        cpu += bench_now() - cpu_begin, clock += wall() - begin;
    }
    printf("added %" PRIu64 " parts of %" PRIu64
           ": %.0f ns of CPU a source day, %.0f ns on the clock\n",
           files, each, cpu / (double)in * 1e9, clock / (double)in * 1e9);
    read_all(j, "read, merged of all parts:", in);
    double begin = wall();
    day_journal_kept(j, files);
    check(day_journal_settle(j, &fault), &fault);
    printf("%-28s %.2f M/s on the clock\n",
           "merged by the thread:", (double)in / (wall() - begin) / 1e6);
    read_all(j, "read again:", in);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak memory %.1f MB, one part in it\n", (double)usage.ru_maxrss / 1024);
    check(day_journal_drop(j, DATE, &fault), &fault);
    day_journal_close(j);
    return rmdir(dir) != 0;
}
