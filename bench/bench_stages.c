/* Cost of each stage of a replay on one core, ns per packet, on the packets of a real capture.
 *
 *   bench_stages FILE [PACKETS [no-days | survey]]
 *
 * read: bytes to frames. sort: frames to batches of briefs and observations, by window and shard.
 * tally: all counting; cold is the first pass over the capture, where every source is new, warm the
 * second; `survey`: with what windows take out of _ex_survey. Beside them decode: every frame to an observation, and classify: labels of all
 * observations, as `explain` has them; sorting does little of either. Each stage is measured over a chunk of packets that
 * the one before has prepared, in CPU time.
 */
#include "bench/bench.h"
#include "capture/capture_file.h"
#include "capture/decode.h"
#include "core/sorter.h"
#include "core/tally.h"
#include "core/window_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 32768, KEPT = 64 << 20, BATCHES = 2 * CHUNK / BATCH_MAX + 2 * SHARDS };

static const int64_t SPAN_NS = 60000000000;

static struct {
    struct tally *tally;
    struct sorter sorter;
    struct window_clock *clock;
    struct batch *batches; /* a ring: those in `full` wait to be counted */
    struct batch *full[BATCHES], *spare[BATCHES];
    unsigned full_count, spare_count;
    struct window *clean;
    double read, decode, sort, classify, tally_ns;
    uint64_t packets;
} b;

/* Counts what was sorted so far. */
static void count_full(void)
{
    for (unsigned i = 0; i < b.full_count; i++) {
        tally_batch(b.tally, b.full[i]);
        b.spare[b.spare_count++] = b.full[i];
    }
    b.full_count = 0;
}

static void on_open(void *context, unsigned slot, const struct open_window *w)
{
    sorter_flush(&b.sorter);
    count_full();
    struct window *window = b.clean ? b.clean : window_create();
    b.clean = NULL;
    window->start_ns = w->start_ns;
    window->span_ns = SPAN_NS;
    tally_open(b.tally, slot, window);
    sorter_open(&b.sorter, slot, w->start_ns, SPAN_NS, false);
}

static void on_seal(void *context, unsigned slot, const struct open_window *w)
{
    sorter_flush(&b.sorter);
    count_full();
    struct window *window = tally_seal(b.tally, slot);
    window_clear(window);
    if (b.clean)
        window_destroy(window);
    else
        b.clean = window;
}

static struct batch *keep_batch(void *context, struct batch *full)
{
    b.full[b.full_count++] = full;
    return b.spare[--b.spare_count];
}

static void chunk_run(const struct ruleset *rules, const struct frame *frames, size_t count)
{
    static struct observation observations[CHUNK + FRAME_BURST];
    static struct label labels[CHUNK + FRAME_BURST];
    double from = bench_now();
    for (size_t i = 0; i < count; i++)
        decode(&frames[i], 0, &observations[i]);
    double decoded = bench_now();
    classify_batch(rules, NULL, observations, count, NULL, NULL, labels);
    double classified = bench_now();
    for (size_t i = 0; i < count; i++)
        sorter_frame(&b.sorter, &frames[i], window_clock_slot(b.clock, frames[i].ts_ns));
    sorter_flush(&b.sorter);
    double sorted = bench_now();
    count_full();
    b.tally_ns += bench_now() - sorted;
    b.decode += decoded - from;
    b.classify += classified - decoded;
    b.sort += sorted - classified;
}

static void pass(const char *name, const char *path, uint64_t packets, const struct ruleset *rules)
{
    static const struct window_clock_ops ops = {.open = on_open, .seal = on_seal};
    static struct frame frames[CHUNK + FRAME_BURST];
    struct capture_file_settings settings = {.paths = &path, .path_count = 1};
    struct capture *c;
    struct fault fault;
    uint8_t *bytes = malloc(KEPT);
    size_t count = 0, got = 1;

    b.clock = window_clock_create(SPAN_NS, SPAN_NS, &ops, NULL);
    b.read = b.decode = b.sort = b.classify = b.tally_ns = 0;
    b.packets = 0;
    if (!b.clock || !bytes || capture_file_open(&c, &settings, &fault) < 0) {
        fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
    while (got > 0 && b.packets < packets) {
        size_t kept = 0;
        for (count = 0; count < CHUNK && kept < KEPT / 2 && got > 0; count += got) {
            double from = bench_now();
            got = c->ops->burst(c, frames + count, FRAME_BURST);
            b.read += bench_now() - from;
            /* The bytes stay only until the capture is asked again. */
            for (size_t i = count; i < count + got; i++) {
                frames[i].data = memcpy(bytes + kept, frames[i].data, frames[i].caplen);
                kept += frames[i].caplen;
            }
        }
        b.packets += count;
        chunk_run(rules, frames, count);
    }
    double n = (double)b.packets / 1e9;
    printf("%s: read %.1f, sort %.1f, tally %.1f ns per packet (%llu packets); decode %.1f, "
           "classify %.1f\n",
           name, b.read / n, b.sort / n, b.tally_ns / n, (unsigned long long)b.packets,
           b.decode / n, b.classify / n);
    window_clock_finish(b.clock);
    window_clock_destroy(b.clock);
    c->ops->close(c);
    free(bytes);
}

int main(int argc, char **argv)
{
    struct ruleset *rules;
    struct fault fault;
    uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
    bool has_survey = argc > 3 && strcmp(argv[3], "survey") == 0,
         has_days = argc <= 3 || has_survey;
    struct telescope_dates *telescope;
    if (telescope_dates_create(&telescope, "10.0.0.0/16", NULL) != 0)
        return 1;
    struct tally_survey survey = {.telescope = telescope, .settings = &survey_defaults};
    struct origins *origins;
    if (argc < 2 || ruleset_create(&rules, NULL, &fault) < 0) {
        fprintf(stderr, "bench_stages: %s\n", argc < 2 ? "name a capture" : fault.text);
        return 1;
    }
    if (origins_create(&origins, &(struct origin_settings){0}, &fault) < 0)
        return 1;
    survey.origins = origins;
    b.sorter = (struct sorter){.rules = rules,
                               .verdicts = calloc(1, sizeof(struct verdict_memory)),
                               .scratch = rules->payload_off ? NULL : payload_scratch_create(rules),
                               .destinations = address_set_create(),
                               .limit = BATCH_MAX,
                               .send = keep_batch};
    struct verdicts *verdicts = verdicts_create();
    if (!verdicts || !b.sorter.verdicts)
        return 1;
    b.sorter.verdicts->of = verdicts;
    hash_key_init(&b.sorter.key);
    b.tally = tally_create(&b.sorter.key, rules, NULL, has_days, has_survey ? &survey : NULL);
    b.batches = calloc(BATCHES, sizeof *b.batches);
    if (!b.tally || !b.batches || !b.sorter.destinations)
        return 1;
    for (unsigned i = 0; i < BATCHES; i++)
        b.spare[b.spare_count++] = &b.batches[i];
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&b.sorter, shard, b.spare[--b.spare_count]);
    pass("cold", argv[1], packets, rules);
    pass("warm", argv[1], packets, rules);
    window_destroy(b.clean);
    tally_destroy(b.tally);
    address_set_destroy(b.sorter.destinations);
    free(b.batches);
    ruleset_destroy(rules);
    origins_destroy(origins);
    telescope_dates_destroy(telescope);
    return 0;
}
