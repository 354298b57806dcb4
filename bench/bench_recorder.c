/* Recording at full speed: what a receiver pays per packet, what the writing thread pays, and what it keeps up with.
 *
 *   bench_recorder DIR [PACKETS] [RATE] [BYTES] [ZSTD LEVEL]
 *
 * One receiver hands over packets of BYTES (60) in bursts, PACKETS (10 million) in all, RATE (1 million) a second by the
 * clock; 0: as fast as it can, which shows how much is skipped. Leaves the files in DIR.
 */
#include "bench/bench.h"
#include "capture/recorder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[FRAME_BURST][2048];

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double process_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

int main(int argc, char **argv)
{
    uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000, random = 1;
    uint64_t rate = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000;
    uint32_t length = argc > 4 ? (uint32_t)atoi(argv[4]) : 60;
    struct recorder_settings settings = {
        .dir = argc > 1 ? argv[1] : "", .say = say, .zstd_level = argc > 5 ? atoi(argv[5]) : 0};
    struct frame frames[FRAME_BURST];
    struct fault fault = {0};
    struct recorder *r;
    if (argc < 2 || length > sizeof *bytes || length < 40 ||
        recorder_create(&r, &settings, 1, &fault) < 0) {
        fprintf(stderr, "bench_recorder: %s\n", *fault.text ? fault.text : "name a folder");
        return 1;
    }
    int64_t begin = clock_ns(), ns = INT64_C(1767268800000000000);
    double handed = 0, process = process_seconds(), me = bench_now();
    for (uint64_t n = 0; n < packets; n += FRAME_BURST) {
        for (unsigned i = 0; i < FRAME_BURST; i++) {
            uint64_t word = bench_random(&random); /* addresses and ports */
            memcpy(bytes[i] + 26, &word, sizeof word);
            frames[i] = (struct frame){bytes[i], length, length,
                                       ns += rate ? 1000000000 / (int64_t)rate : 100, 1};
        }
        while (rate && (uint64_t)(clock_ns() - begin) < n * 1000000000 / rate)
            (void)nanosleep(&(struct timespec){0, 100000}, NULL);
        double before = bench_now();
        recorder_add(r, 0, frames, FRAME_BURST);
        handed += bench_now() - before;
    }
    double paced = (double)(clock_ns() - begin) / 1e9;
    me = bench_now() - me;
    int rc = recorder_finish(r, &fault);
    double writer = process_seconds() - process - me, whole = (double)(clock_ns() - begin) / 1e9;
    struct recorder_counts k;
    recorder_counts(r, &k);
    printf("%" PRIu64 " packets of %u bytes in %.2f s (%.2f M/s), all on disk after %.2f s\n",
           packets, length, paced, (double)packets / paced / 1e6, whole);
    printf("recorded %" PRIu64 ", skipped %" PRIu64 "; %" PRIu64 " files, %.1f MB\n", k.packets,
           k.skipped, k.files, (double)k.bytes / 1e6);
    printf("receiver %.1f ns per packet, writing thread %.1f (%.0f %% of a core)\n",
           handed * 1e9 / (double)packets, writer * 1e9 / (double)(k.packets ? k.packets : 1),
           100 * writer / whole);
    recorder_destroy(r);
    return rc < 0;
}
