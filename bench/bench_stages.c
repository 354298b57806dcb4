/* Cost of each stage of a replay on one core, ns per packet, on the packets of a real capture.
 *
 *   bench_stages FILE [PACKETS]
 *
 * read: bytes to frames. decode: frames to observations. route: window, hash, copy into batches.
 * classify: labels. tally: classify and all counting; cold is the first pass over the capture, where
 * every source is new, warm the second. Stages are measured apart, each over a chunk of packets that the
 * one before has prepared, in CPU time.
 */
#include "bench/bench.h"
#include "capture/capture_file.h"
#include "capture/decode.h"
#include "capture/hash.h"
#include "core/tally.h"
#include "core/window_clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 64 * BATCH_MAX }; /* packets: 1.4 MB of observations */

static struct {
    struct tally *tally;
    struct window *clean;
    double read, decode, route, classify, tally_ns;
    uint64_t packets;
} b;

static void on_open(void *context, unsigned slot, const struct open_window *w)
{
    struct window *window = b.clean ? b.clean : window_create();
    b.clean = NULL;
    tally_open(b.tally, slot, w->serial, window);
}

static void on_seal(void *context, unsigned slot, const struct open_window *w)
{
    struct window *window = tally_seal(b.tally, slot);
    window_clear(window);
    if (b.clean)
        window_destroy(window);
    else
        b.clean = window;
}

static void chunk_run(const struct ruleset *rules, struct observation *staged, size_t count,
                      struct batch *batches, struct window_clock *clock, const struct hash_key *key)
{
    static struct label labels[BATCH_MAX];
    struct batch *filling[SHARDS];
    size_t used = SHARDS;
    double from = bench_now();
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        filling[shard] = &batches[shard];
        filling[shard]->shard = shard;
        filling[shard]->count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = hash_address(key, staged[i].src, staged[i].ip_version);
        unsigned shard = batch_shard(hash);
        struct batch *to = filling[shard];
        staged[i].slot = (uint8_t)window_clock_slot(clock, staged[i].ts_ns);
        to->hash[to->count] = hash;
        to->at[to->count] = staged[i];
        if (++to->count == BATCH_MAX) {
            filling[shard] = to = &batches[used++];
            to->shard = shard;
            to->count = 0;
        }
    }
    double routed = bench_now();
    for (size_t i = 0; i < used; i++)
        classify_batch(rules, NULL, batches[i].at, batches[i].count, labels);
    double classified = bench_now();
    for (size_t i = 0; i < used; i++)
        tally_batch(b.tally, &batches[i]);
    b.route += routed - from;
    b.classify += classified - routed;
    b.tally_ns += bench_now() - classified;
}

static void pass(const char *name, const char *path, uint64_t packets, const struct ruleset *rules,
                 const struct hash_key *key)
{
    static const struct window_clock_ops ops = {.open = on_open, .seal = on_seal};
    struct window_clock *clock = window_clock_create(60000000000, 60000000000, &ops, NULL);
    struct observation *staged = calloc(CHUNK + FRAME_BURST, sizeof *staged);
    struct batch *batches = calloc(CHUNK / BATCH_MAX + 1 + SHARDS, sizeof *batches);
    struct frame frames[FRAME_BURST];
    struct capture_file_settings settings = {.paths = &path, .path_count = 1};
    struct capture *c;
    struct fault fault;
    size_t staged_count = 0, got = 1;

    b.read = b.decode = b.route = b.classify = b.tally_ns = 0;
    b.packets = 0;
    if (capture_file_open(&c, &settings, &fault) < 0) {
        fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
    while (got > 0 && b.packets < packets) {
        double from = bench_now();
        got = c->ops->burst(c, frames, FRAME_BURST);
        double read = bench_now();
        for (size_t i = 0; i < got; i++)
            decode(&frames[i], 0, &staged[staged_count++]);
        b.read += read - from;
        b.decode += bench_now() - read;
        b.packets += got;
        if (staged_count >= CHUNK - FRAME_BURST || got == 0) {
            chunk_run(rules, staged, staged_count, batches, clock, key);
            staged_count = 0;
        }
    }
    double n = (double)b.packets / 1e9;
    printf("%s: read %.1f, decode %.1f, route %.1f, classify %.1f, tally %.1f ns per packet "
           "(%llu packets; read and decode include the clock, about 1 ns)\n",
           name, b.read / n, b.decode / n, b.route / n, b.classify / n, b.tally_ns / n,
           (unsigned long long)b.packets);
    window_clock_finish(clock);
    window_clock_destroy(clock);
    c->ops->close(c);
    free(staged);
    free(batches);
}

int main(int argc, char **argv)
{
    struct ruleset *rules;
    struct hash_key key;
    struct fault fault;
    uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
    if (argc < 2 || ruleset_create(&rules, NULL, &fault) < 0) {
        fprintf(stderr, "bench_stages: %s\n", argc < 2 ? "name a capture" : fault.text);
        return 1;
    }
    hash_key_init(&key);
    b.tally = tally_create(&key, rules, NULL);
    if (!b.tally)
        return 1;
    pass("cold", argv[1], packets, rules, &key);
    pass("warm", argv[1], packets, rules, &key);
    window_destroy(b.clean);
    tally_destroy(b.tally);
    ruleset_destroy(rules);
    return 0;
}
