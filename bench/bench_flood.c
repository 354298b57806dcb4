/* Sources chosen to collide (test/flood_sources.h) against sources at random: sorting and counting, ns per packet.
 *
 *   bench_flood [SOURCES [TURNS]]
 *
 * SOURCES (1,000,000; at most 1,048,576) send two packets each, to two ports: first all are new, then all are there. All kinds of
 * sources are measured in turn, TURNS (5) times, each under a new key; what is printed is the median, and how much more that is than at
 * random. What was promised is twice at most.
 */
#include "bench/bench.h"
#include "classify/verdict.h"
#include "core/sorter.h"
#include "core/tally.h"
#include "test/flood_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS_MOST = 99 };

struct bench {
    struct tally *tally;
    struct sorter sorter;
    struct batch *batches; /* one a shard */
};

static struct batch *count_batch(void *context, struct batch *full)
{
    struct bench *b = context;
    tally_batch(b->tally, full);
    return full;
}

static struct observation packet(uint32_t source, uint16_t port)
{
    struct observation o = {
        .wire_len = 60,
        .ip_version = 4,
        .ip_proto = IPPROTO_NR_TCP,
        .ttl = 52,
        .tcp_flags = TCP_SYN,
        .tcp_header_len = 20,
        .tcp_seq = source,
        .ip_id = 1,
        .state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS | OBSERVATION_TCP_FLAGS,
        .dst_port = port,
        .dst = {198, 18, (uint8_t)(source >> 7), (uint8_t)(source >> 15)},
    };
    memcpy(o.src, &source, sizeof source);
    return o;
}

/* ns per packet. */
static double pass(struct bench *b, const struct flood *flood, uint32_t sources)
{
    double from = bench_now();
    for (unsigned port = 0; port < 2; port++)
        for (uint32_t i = 0; i < sources; i++) {
            struct observation o = packet(flood->source(i), port ? 23 : 2323);
            sorter_observation(&b->sorter, &o, 0);
        }
    sorter_flush(&b->sorter);
    return (bench_now() - from) / (2.0 * sources) * 1e9;
}

static void measure(const struct flood *flood, uint32_t sources, const struct ruleset *rules,
                    double *cold, double *warm)
{
    struct bench b = {0};
    struct window *w = window_create();
    b.sorter = (struct sorter){.rules = rules,
                               .destinations = address_set_create(),
                               .limit = BATCH_MAX,
                               .send = count_batch,
                               .context = &b};
    hash_key_init(&b.sorter.key);
    b.tally = tally_create(&b.sorter.key, rules, NULL, false, NULL);
    b.batches = calloc(SHARDS, sizeof *b.batches);
    struct verdicts *verdicts = verdicts_create();
    b.sorter.verdicts = calloc(1, sizeof *b.sorter.verdicts);
    if (!b.tally || !b.batches || !verdicts || !b.sorter.verdicts || !b.sorter.destinations || !w)
        abort();
    b.sorter.verdicts->of = verdicts;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&b.sorter, shard, &b.batches[shard]);
    tally_open(b.tally, 0, w);
    *cold = pass(&b, flood, sources);
    *warm = pass(&b, flood, sources);
    window_destroy(tally_seal(b.tally, 0));
    tally_destroy(b.tally);
    free(b.sorter.verdicts);
    verdicts_destroy(verdicts);
    address_set_destroy(b.sorter.destinations);
    free(b.batches);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *of, unsigned count)
{
    qsort(of, count, sizeof *of, order);
    return of[count / 2];
}

int main(int argc, char **argv)
{
    static double cold[FLOODS][TURNS_MOST], warm[FLOODS][TURNS_MOST];
    unsigned long sources = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    unsigned long turns = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    struct ruleset *rules;
    struct fault fault;
    if (sources == 0 || sources > FLOOD_MOST || turns == 0 || turns > TURNS_MOST ||
        ruleset_create(&rules, NULL, &fault) < 0)
        return 2;
    for (unsigned turn = 0; turn < turns; turn++)
        for (unsigned f = 0; f < FLOODS; f++)
            measure(&floods[f], (uint32_t)sources, rules, &cold[f][turn], &warm[f][turn]);
    double random_cold = median(cold[0], (unsigned)turns),
           random_warm = median(warm[0], (unsigned)turns);
    printf("%lu sources, ns per packet%20s  %12s\n", sources, "new", "there");
    for (unsigned f = 0; f < FLOODS; f++) {
        double c = median(cold[f], (unsigned)turns), w = median(warm[f], (unsigned)turns);
        printf("%-32s %6.1f (%4.2f)  %6.1f (%4.2f)\n", floods[f].name, c, c / random_cold, w,
               w / random_warm);
    }
    ruleset_destroy(rules);
    return 0;
}
