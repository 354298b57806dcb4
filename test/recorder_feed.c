/* Records the packets of captures by recorder and prints its counts, as JSON: for judges.
 *
 *   recorder_feed DIR [key=value]... FILE...
 *
 * Packets go to `receivers` receivers in turn, a burst each. `pace`: packets a second (0: as fast as it goes, waiting
 * for room, so that none is skipped). `repeat`: how often all is read; times then go on where they ended. The other
 * keys are settings of the recorder; what it says goes to stderr. Prints {"recording": true} first.
 */
#include "capture/capture_file.h"
#include "capture/recorder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    struct recorder_settings recorder;
    unsigned receivers;
    uint64_t repeat, pace;
};

static void say(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

static bool read_option(struct options *o, const char *word)
{
    const char *value = strchr(word, '=');
    if (!value)
        return false;
    size_t len = (size_t)(value++ - word);
    uint64_t n = strtoull(value, NULL, 10);
    if (!strncmp(word, "receivers", len))
        o->receivers = (unsigned)n;
    else if (!strncmp(word, "repeat", len))
        o->repeat = n;
    else if (!strncmp(word, "pace", len))
        o->pace = n;
    else if (!strncmp(word, "zstd", len))
        o->recorder.zstd_level = (int)n;
    else if (!strncmp(word, "span", len))
        o->recorder.span_ns = (int64_t)n * 1000000000;
    else if (!strncmp(word, "file", len))
        o->recorder.file_bytes = n;
    else if (!strncmp(word, "age", len))
        o->recorder.keep_ns = (int64_t)n * 1000000000;
    else if (!strncmp(word, "keep", len))
        o->recorder.keep_bytes = n;
    else if (!strncmp(word, "buffer", len))
        o->recorder.buffer_bytes = n;
    else
        return false;
    return true;
}

static void pause_ns(long ns)
{
    const struct timespec moment = {ns / 1000000000, ns % 1000000000};
    (void)nanosleep(&moment, NULL);
}

/* Hands a burst over. */
static void hand_over(struct recorder *r, const struct options *o, unsigned receiver,
                      const struct frame *frames, size_t n)
{
    if (o->pace) {
        recorder_add(r, receiver, frames, n);
        pause_ns((long)(n * 1000000000 / o->pace));
        return;
    }
    /* Who fills a ring faster than it is emptied counts as skipped what the disk could have taken. */
    static uint64_t added;
    struct recorder_counts counts;
    for (recorder_counts(r, &counts);
         added - counts.packets - counts.skipped > 100000 && !counts.err;
         recorder_counts(r, &counts))
        pause_ns(1000000);
    recorder_add(r, receiver, frames, n);
    added += n;
}

/* The packets offered. */
static uint64_t record(struct recorder *r, const struct options *o, const char *const *paths,
                       size_t count)
{
    uint64_t packets = 0;
    int64_t shift_ns = 0, last_ns = 0;
    unsigned receiver = 0;
    for (uint64_t round = 0; round < o->repeat; round++, shift_ns = last_ns) {
        struct capture_file_settings settings = {paths, count, 0, NULL};
        struct frame frames[FRAME_BURST];
        struct fault fault;
        struct capture *c;
        int64_t first_ns = -1;
        if (capture_file_open(&c, &settings, &fault) < 0) {
            fprintf(stderr, "%s\n", fault.text);
            exit(1);
        }
        for (size_t n; (n = c->ops->burst(c, frames, FRAME_BURST)) > 0; packets += n) {
            if (first_ns < 0)
                first_ns = frames[0].ts_ns;
            for (size_t i = 0; i < n && round > 0; i++)
                frames[i].ts_ns += shift_ns - first_ns;
            last_ns = frames[n - 1].ts_ns;
            hand_over(r, o, receiver++ % o->receivers, frames, n);
        }
        c->ops->close(c);
    }
    return packets;
}

int main(int argc, char **argv)
{
    struct options o = {.recorder = {.say = say}, .receivers = 1, .repeat = 1};
    struct fault fault = {0};
    struct recorder *r;
    int at = 2;
    while (at < argc && read_option(&o, argv[at]))
        at++;
    if (argc < 3)
        return 2;
    o.recorder.dir = argv[1];
    if (recorder_create(&r, &o.recorder, o.receivers, &fault) < 0) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    printf("{\"recording\": true}\n");
    fflush(stdout);
    uint64_t offered = record(r, &o, (const char *const *)argv + at, (size_t)(argc - at));
    int rc = recorder_finish(r, &fault);
    struct recorder_counts k;
    recorder_counts(r, &k);
    printf("{\"offered\": %" PRIu64 ", \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"files\": %" PRIu64 ", \"deleted\": %" PRIu64 ", \"skipped\": %" PRIu64
           ", \"err\": %d}\n",
           offered, k.packets, k.bytes, k.files, k.deleted, k.skipped, -rc);
    recorder_destroy(r);
    return rc < 0;
}
