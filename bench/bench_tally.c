/* Cost of a worker's counting (classify, source table, pairs, windows), ns per packet.
 *
 *   bench_tally [SOURCES [PACKETS]]
 *
 * cold: every source and pair is new; warm: all exist. Two ports a source. Packets are prepared
 * outside the measured time, in chunks, each source equally likely.
 */
#include "bench/bench.h"
#include "core/sorter.h"
#include "core/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 7 }; /* batches */

static struct observation packet(uint64_t source, unsigned second)
{
    static const uint16_t ports[] = {23, 445, 8080, 2323, 22, 80, 5555, 37215};
    uint64_t scattered = source * 2654435761u; /* odd: distinct below 2^32 */
    struct observation o = {
        .wire_len = 60,
        .ip_version = 4,
        .ip_proto = IPPROTO_NR_TCP,
        .ttl = 52,
        .tcp_flags = TCP_SYN,
        .tcp_header_len = 20,
        .tcp_seq = (uint32_t)scattered,
        .ip_id = 1,
        .state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS | OBSERVATION_TCP_FLAGS,
        .dst_port = second ? (uint16_t)scattered : ports[source % 8],
    };
    uint32_t address = (uint32_t)scattered;
    memcpy(o.src, &address, 4);
    o.dst[0] = 198, o.dst[1] = 18;
    o.dst[2] = (uint8_t)(scattered >> 7), o.dst[3] = (uint8_t)(scattered >> 15);
    return o;
}

struct bench {
    struct tally *tally;
    struct sorter sorter;
    struct batch *batches; /* CHUNK of them, with packets, then those that are being filled */
    unsigned full;
    uint64_t sources, random, next;
    double seconds;
    uint64_t packets;
};

/* Keeps the batch for the measured part, and gives its place in exchange. */
static struct batch *keep_batch(void *context, struct batch *full)
{
    struct bench *b = context;
    b->batches[b->full++] = *full;
    return full;
}

/* Fills a chunk of whole batches: all sources in turn (twice, a port each) while cold, then at random.
 * What does not fill a batch of its shard waits for the next chunk. */
static void chunk_fill(struct bench *b, bool is_cold)
{
    for (b->full = 0; b->full < CHUNK;) {
        uint64_t at = is_cold ? b->next++ : bench_random(&b->random) % (b->sources * 2);
        struct observation o = packet(at % b->sources, at / b->sources % 2);
        sorter_observation(&b->sorter, &o, 0);
    }
}

static void run(struct bench *b, bool is_cold, uint64_t packets)
{
    b->seconds = 0;
    b->packets = 0;
    while (b->packets < packets) {
        chunk_fill(b, is_cold);
        double from = bench_now();
        for (unsigned i = 0; i < CHUNK; i++)
            tally_batch(b->tally, &b->batches[i]);
        b->seconds += bench_now() - from;
        b->packets += (uint64_t)CHUNK * BATCH_MAX;
    }
}

static double measure(uint64_t sources, uint64_t packets, const struct ruleset *rules)
{
    struct bench b = {.sources = sources, .random = 1};
    struct window *w = window_create();
    static struct tally_sources sum;

    b.sorter = (struct sorter){.rules = rules,
                               .destinations = address_set_create(),
                               .limit = BATCH_MAX,
                               .send = keep_batch,
                               .context = &b};
    hash_key_init(&b.sorter.key);
    b.tally = tally_create(&b.sorter.key, rules, NULL, false, NULL);
    b.batches = calloc(CHUNK + SHARDS, sizeof *b.batches);
    if (!b.tally || !b.batches || !b.sorter.destinations || !w)
        abort();
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&b.sorter, shard, &b.batches[CHUNK + shard]);
    tally_open(b.tally, 0, w);
    run(&b, true, sources * 2);
    double cold = b.seconds / (double)b.packets * 1e9;
    run(&b, false, packets);
    double warm = b.seconds / (double)b.packets * 1e9;
    memset(&sum, 0, sizeof sum);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        tally_sources_add(b.tally, shard, &sum);
    printf("tally %9llu sources: cold %6.1f ns, warm %6.1f ns per packet; %.1f bytes per source "
           "(%llu pairs)\n",
           (unsigned long long)sum.sources, cold, warm,
           (double)sum.table_bytes / (double)sum.sources, (unsigned long long)sum.pairs);
    window_destroy(tally_seal(b.tally, 0));
    tally_destroy(b.tally);
    address_set_destroy(b.sorter.destinations);
    free(b.batches);
    return warm;
}

int main(int argc, char **argv)
{
    uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000000;
    struct ruleset *rules;
    struct fault fault;
    if (ruleset_create(&rules, NULL, &fault) < 0) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    if (argc > 1) {
        measure(strtoull(argv[1], NULL, 10), packets, rules);
    } else {
        static const uint64_t sizes[] = {10000, 400000, 10000000};
        double first = 0;
        for (unsigned i = 0; i < 3; i++) {
            double warm = measure(sizes[i], packets, rules);
            first = i ? first : warm;
            printf("  = %.2f times the cost at 10,000\n", warm / first);
        }
    }
    ruleset_destroy(rules);
    return 0;
}
