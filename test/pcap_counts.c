/* Captures from an interface by capture_pcap and prints what it saw, as JSON lines: for judges.
 *
 *   pcap_counts INTERFACE [key=value]...
 *
 * Prints {"ready": true}, then captures until SIGTERM; SIGUSR1 makes it print its counts in between. `wait`:
 * milliseconds that it waits where there is nothing; the rest are settings of capture_pcap. `crc_sum` adds up
 * the CRC-32 of each packet's bytes, so that their order does not matter.
 */
#include "capture/capture_pcap.h"

#include <inttypes.h>
#include <isa-l/crc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t is_over, is_asked;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        is_asked = 1;
    else
        is_over = 1;
}

struct counts {
    uint64_t packets, bytes, caught, crc_sum, backwards;
    int64_t first_ns, last_ns;
    uint32_t link_type;
};

static void count(struct counts *k, const struct frame *f)
{
    k->crc_sum += crc32_gzip_refl(0, f->data, f->caplen);
    k->bytes += f->wire_len;
    k->caught += f->caplen;
    k->link_type = f->link_type;
    if (k->packets++ == 0)
        k->first_ns = f->ts_ns;
    else
        k->backwards += f->ts_ns < k->last_ns;
    k->last_ns = f->ts_ns;
}

static void print(const struct capture *c, const struct counts *k)
{
    static const char *const words[] = {"up", "down", "gone"};
    struct capture_drops drops;
    struct capture_pcap_status status;
    c->ops->drops(c, &drops);
    capture_pcap_status(c, &status);
    printf("{\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"caught\": %" PRIu64
           ", \"crc_sum\": %" PRIu64 ", \"backwards\": %" PRIu64 ", \"first_ns\": %" PRId64
           ", \"last_ns\": %" PRId64 ", \"link_type\": %u, ",
           k->packets, k->bytes, k->caught, k->crc_sum, k->backwards, k->first_ns, k->last_ns,
           k->link_type);
    printf("\"nic_missed\": %" PRId64 ", \"nic_error\": %" PRId64 ", \"kernel\": %" PRId64
           ", \"link\": \"%s\", \"interruptions\": %" PRIu64 ", \"err\": %d, \"merging\": %s}\n",
           drops.nic_missed, drops.nic_error, drops.kernel, words[status.link],
           status.interruptions, status.err, status.is_merging ? "true" : "false");
    fflush(stdout);
}

static bool read_setting(struct capture_pcap_settings *s, int *wait_ms, const char *word)
{
    const char *value = strchr(word, '=');
    if (!value)
        return false;
    size_t len = (size_t)(value++ - word);
    if (!strncmp(word, "filter", len))
        s->filter = value;
    else if (!strncmp(word, "buffer", len))
        s->buffer_bytes = strtoull(value, NULL, 10);
    else if (!strncmp(word, "snaplen", len))
        s->snaplen = (uint32_t)strtoul(value, NULL, 10);
    else if (!strncmp(word, "modest", len))
        s->is_modest = strtoul(value, NULL, 10);
    else if (!strncmp(word, "wait", len))
        *wait_ms = (int)strtol(value, NULL, 10);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    static struct live_clock clock;
    struct capture_pcap_settings settings = {.interface = argc > 1 ? argv[1] : "", .clock = &clock};
    live_clock_init(&clock);
    int wait_ms = 10;
    for (int i = 2; i < argc; i++) {
        if (!read_setting(&settings, &wait_ms, argv[i])) {
            fprintf(stderr, "pcap_counts: %s: no such setting\n", argv[i]);
            return 2;
        }
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    struct fault fault = {0};
    struct capture *c;
    if (capture_pcap_open(&c, &settings, &fault) < 0) {
        for (char *at = fault.text; (at = strchr(at, '"'));)
            *at = '\'';
        printf("{\"error\": %d, \"text\": \"%s\"}\n", fault.err, fault.text);
        return 1;
    }
    printf("{\"ready\": true}\n");
    fflush(stdout);
    struct counts k = {0};
    struct frame frames[FRAME_BURST];
    while (!is_over) {
        size_t n = c->ops->burst(c, frames, FRAME_BURST);
        for (size_t i = 0; i < n; i++)
            count(&k, &frames[i]);
        if (is_asked) {
            is_asked = 0;
            print(c, &k);
        }
        if (n == 0) { /* as a receiver does that sends marks */
            struct capture_drops drops;
            c->ops->drops(c, &drops);
            c->ops->wait(c, wait_ms);
        }
    }
    for (size_t n; (n = c->ops->burst(c, frames, FRAME_BURST)) > 0;) {
        for (size_t i = 0; i < n; i++)
            count(&k, &frames[i]);
    }
    print(c, &k);
    c->ops->close(c);
    return 0;
}
