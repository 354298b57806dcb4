/* Opens a DPDK port, receives until it is idle and prints what came, as JSON:
 *
 *   dpdk_counts [--eal ARGS] [--idle-ms N] [--packets N] [--slow-us N] [--ready FILE] [--feed PCAP] SPEC
 *
 *   --idle-ms N   ends when nothing came for so long (1000) once something came, or after 60 s of nothing
 *   --packets N   ends after so many, for a device that never ends
 *   --slow-us N   sleeps so long after each burst, so that packets are dropped
 *   --ready FILE  is made when the port is open: a sender waits for it
 *   --feed PCAP   sends this capture's packets into the port, which is a net_ring of our own
 *
 * One thread per queue. `frames` is a hash of the frames' bytes and lengths that does not depend on
 * their order, so that what came can be compared with a file. Exit 1: a fault, on standard error.
 */
#include "capture/capture_dpdk.h"
#include "capture/dpdk_eal.h"

#include <pthread.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

struct settings {
    const char *eal, *spec, *ready, *feed;
    int64_t idle_ns;
    uint64_t packets;
    unsigned slow_us;
};

struct queue {
    pthread_t thread;
    struct capture *capture;
    struct live_clock *clock;
    const struct settings *settings;
    _Atomic uint64_t *all;    /* packets of all queues */
    _Atomic int64_t *last_ns; /* when the last came to any */
    uint64_t packets, bytes, captured, frames, went_back;
    int64_t first_ns, end_ns;
    struct fault fault;
};

/* FNV-1a over length and bytes. */
static uint64_t frame_hash(const struct frame *f)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ f->wire_len;
    for (uint32_t i = 0; i < f->caplen; i++)
        hash = (hash ^ f->data[i]) * UINT64_C(1099511628211);
    return hash;
}

static void burst_count(struct queue *q, const struct frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        q->packets++;
        q->bytes += frames[i].wire_len;
        q->captured += frames[i].caplen;
        q->frames += frame_hash(&frames[i]);
        q->went_back += frames[i].ts_ns < q->end_ns;
        q->end_ns = frames[i].ts_ns;
        if (!q->first_ns)
            q->first_ns = frames[i].ts_ns;
    }
}

static void *receive(void *data)
{
    struct queue *q = data;
    struct frame frames[FRAME_BURST];
    struct clock_reader reader;
    clock_reader_init(&reader, q->clock);
    if (dpdk_thread_enter(&q->fault) != 0)
        return NULL;
    for (;;) {
        size_t count = q->capture->ops->burst(q->capture, frames, FRAME_BURST);
        int64_t now = live_clock_now(&reader);
        if (count) {
            burst_count(q, frames, count);
            uint64_t all = atomic_fetch_add(q->all, count) + count;
            atomic_store(q->last_ns, now);
            if (q->settings->slow_us)
                usleep(q->settings->slow_us);
            if (q->settings->packets && all >= q->settings->packets)
                break;
            continue;
        }
        uint64_t all = atomic_load(q->all);
        int64_t idle = now - atomic_load(q->last_ns);
        if ((q->settings->packets && all >= q->settings->packets) ||
            idle > (all ? q->settings->idle_ns : INT64_C(60000000000)))
            break;
        usleep(50);
    }
    dpdk_thread_leave();
    return NULL;
}

/* Puts the packets of a file on the rings of a net_ring, one queue after the other. */
static int feed(const struct settings *s, const struct dpdk_port_info *info)
{
    char error[PCAP_ERRBUF_SIZE], name[128];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    pcap_t *file = pcap_open_offline(s->feed, error);
    struct rte_mempool *pool = rte_pktmbuf_pool_create("feed", 8191, 0, 0, 2176, SOCKET_ID_ANY);
    for (unsigned queue = 0; file && pool && pcap_next_ex(file, &header, &bytes) == 1;) {
        struct rte_mbuf *m;
        while (!(m = rte_pktmbuf_alloc(pool)))
            usleep(50);
        char *to = rte_pktmbuf_append(m, (uint16_t)header->caplen);
        (void)snprintf(name, sizeof name, "ETH_RXTX%u_%s", queue, info->name);
        struct rte_ring *ring = rte_ring_lookup(name);
        if (!to || !ring)
            abort();
        memcpy(to, bytes, header->caplen);
        while (rte_ring_enqueue(ring, m) != 0)
            usleep(50);
        queue = (queue + 1) % info->queues;
    }
    if (file)
        pcap_close(file);
    if (!file || !pool)
        (void)fprintf(stderr, "dpdk_counts: %s can't be fed\n", s->feed);
    return file && pool ? 0 : -1;
}

static void print_port(const struct dpdk_port_info *p)
{
    printf("\"port\": {\"name\": \"%s\", \"driver\": \"%s\", \"queues\": %u, \"descriptors\": %u, "
           "\"mtu\": %u, \"mbufs\": %u, \"data_room\": %u, \"numa_node\": %d, "
           "\"is_promiscuous\": %s, \"spreads\": %s, \"hashes_source\": %s, \"checks_sums\": %s, "
           "\"stamps\": %s, \"is_up\": %s, \"mbps\": %u},\n",
           p->name, p->driver, p->queues, p->descriptors, p->mtu, p->mbufs, p->data_room,
           p->numa_node, p->is_promiscuous ? "true" : "false", p->spreads ? "true" : "false",
           p->hashes_source ? "true" : "false", p->checks_sums ? "true" : "false",
           p->stamps ? "true" : "false", p->is_up ? "true" : "false", p->mbps);
}

static void print_drops(const char *name, const struct capture_drops *d)
{
    printf("\"%s\": {\"nic_missed\": %lld, \"nic_nombuf\": %lld, \"nic_error\": %lld, \"kernel\": "
           "%lld}",
           name, (long long)d->nic_missed, (long long)d->nic_nombuf, (long long)d->nic_error,
           (long long)d->kernel);
}

static void print_queues(const struct queue *queues, unsigned count)
{
    printf("\"queues\": [");
    for (unsigned i = 0; i < count; i++) {
        const struct queue *q = &queues[i];
        struct capture_dpdk_counts c;
        struct capture_drops drops;
        capture_dpdk_counts(q->capture, &c);
        q->capture->ops->drops(q->capture, &drops);
        printf("%s\n  {\"packets\": %lu, \"bytes\": %lu, \"captured\": %lu, \"frames\": %lu, "
               "\"went_back\": %lu, \"counted\": %lu, \"counted_bytes\": %lu, \"copied\": %lu, "
               "\"first_ns\": %ld, \"end_ns\": %ld, ",
               i ? "," : "", q->packets, q->bytes, q->captured, q->frames, q->went_back, c.packets,
               c.bytes, c.copied, q->first_ns, q->end_ns);
        print_drops("drops", &drops);
        printf("}");
    }
    printf("]\n}\n");
}

static int settings_read(struct settings *s, int argc, char **argv)
{
    s->idle_ns = INT64_C(1000000000);
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (has_value && strcmp(argv[i], "--eal") == 0)
            s->eal = argv[++i];
        else if (has_value && strcmp(argv[i], "--idle-ms") == 0)
            s->idle_ns = strtoll(argv[++i], NULL, 10) * 1000000;
        else if (has_value && strcmp(argv[i], "--packets") == 0)
            s->packets = strtoull(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--slow-us") == 0)
            s->slow_us = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--ready") == 0)
            s->ready = argv[++i];
        else if (has_value && strcmp(argv[i], "--feed") == 0)
            s->feed = argv[++i];
        else
            s->spec = argv[i];
    }
    return s->spec ? 0 : -1;
}

static int run(const struct settings *s, const struct dpdk_spec *spec,
               const struct dpdk_eal_info *info, struct fault *fault)
{
    static struct live_clock clock;
    static struct queue queues[DPDK_QUEUES_MAX];
    struct capture *captures[DPDK_QUEUES_MAX];
    struct clock_reader reader;
    _Atomic uint64_t all = 0;
    _Atomic int64_t last_ns;
    live_clock_init(&clock);
    clock_reader_init(&reader, &clock);
    int err = capture_dpdk_open(captures, spec, &clock, fault);
    if (err)
        return err;
    atomic_store(&last_ns, live_clock_now(&reader));
    const struct dpdk_port_info *port = dpdk_port_info(capture_dpdk_port(captures[0]));
    for (unsigned i = 0; i < spec->queues; i++) {
        queues[i] = (struct queue){.capture = captures[i], .clock = &clock, .settings = s};
        queues[i].all = &all;
        queues[i].last_ns = &last_ns;
        if (pthread_create(&queues[i].thread, NULL, receive, &queues[i]) != 0)
            abort();
    }
    FILE *ready = s->ready ? fopen(s->ready, "w") : NULL;
    if (ready)
        (void)fclose(ready);
    if (s->feed && feed(s, port) != 0)
        exit(1);
    for (unsigned i = 0; i < spec->queues; i++) {
        pthread_join(queues[i].thread, NULL);
        if (queues[i].fault.err) {
            (void)fprintf(stderr, "dpdk_counts: %s\n", queues[i].fault.text);
            exit(1);
        }
    }
    printf("{\"eal\": {\"has_hugepages\": %s, \"page_bytes\": %lu, \"memory_bytes\": %lu, \"why\": "
           "\"%s\", \"arguments\": \"%s\"},\n",
           info->has_hugepages ? "true" : "false", info->page_bytes, info->memory_bytes, info->why,
           info->arguments);
    print_port(port);
    print_queues(queues, spec->queues);
    for (unsigned i = 0; i < spec->queues; i++)
        captures[i]->ops->close(captures[i]);
    return 0;
}

static void say(void *context, const char *line) { (void)fprintf(stderr, "dpdk: %s\n", line); }

int main(int argc, char **argv)
{
    struct settings s = {0};
    struct dpdk_spec spec;
    struct dpdk_eal_info info;
    struct fault fault = {0};
    if (settings_read(&s, argc, argv) != 0) {
        (void)fprintf(stderr, "dpdk_counts: name a port\n");
        return 2;
    }
    struct dpdk_eal_settings eal = {.eal = s.eal, .specs = &spec, .spec_count = 1, .say = say};
    int err = dpdk_spec_parse(&spec, s.spec, &fault);
    if (!err)
        err = dpdk_eal_init(&eal, &info, &fault);
    if (!err)
        err = run(&s, &spec, &info, &fault);
    if (err)
        (void)fprintf(stderr, "dpdk_counts: %s\n", fault.text);
    dpdk_eal_fini();
    return err ? 1 : 0;
}
