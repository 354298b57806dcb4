/* What the capture costs above DPDK itself, on one core:
 *
 *   bench_dpdk [SPEC [MILLIONS OF PACKETS [ROUNDS]]]        (vdev=net_null0,size=60 20 5)
 *
 * bare: rte_eth_rx_burst of 64 and free. touched: the same, reading each frame's first 64 bytes.
 * capture: the same through the capture's ops. They take turns; medians are printed, and the clock's part.
 * A vdev that does not end is needed: net_null, or net_pcap with infinite_rx=1 (and mbufs= above its packets).
 */
#include "bench/bench.h"
#include "capture/capture_dpdk.h"
#include "capture/dpdk_eal.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MOST = 64 };

static uint64_t sum;

static inline void touch(const uint8_t *data)
{
    uint64_t words[8];
    memcpy(words, data, sizeof words);
    sum += words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ words[5] ^ words[6] ^ words[7];
}

static double run_bare(uint16_t port, uint64_t packets, bool touches)
{
    struct rte_mbuf *mbufs[FRAME_BURST];
    uint64_t done = 0;
    double start = bench_now();
    while (done < packets) {
        uint16_t count = rte_eth_rx_burst(port, 0, mbufs, FRAME_BURST);
        for (uint16_t i = 0; touches && i < count; i++)
            touch(rte_pktmbuf_mtod(mbufs[i], const uint8_t *));
        rte_pktmbuf_free_bulk(mbufs, count);
        done += count;
    }
    return (bench_now() - start) * 1e9 / (double)done;
}

static double run_capture(struct capture *c, uint64_t packets)
{
    struct frame frames[FRAME_BURST];
    uint64_t done = 0;
    double start = bench_now();
    while (done < packets) {
        size_t count = c->ops->burst(c, frames, FRAME_BURST);
        for (size_t i = 0; i < count; i++)
            touch(frames[i].data);
        done += count;
    }
    return (bench_now() - start) * 1e9 / (double)done;
}

static double run_clock(struct live_clock *clock)
{
    struct clock_reader reader;
    clock_reader_init(&reader, clock);
    double start = bench_now();
    for (int i = 0; i < 1000000; i++)
        sum += (uint64_t)live_clock_now(&reader);
    return (bench_now() - start) * 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static void run_rounds(struct capture *c, struct live_clock *clock, uint64_t packets, int rounds)
{
    double bare[ROUNDS_MOST], touched[ROUNDS_MOST], captured[ROUNDS_MOST], clocks[ROUNDS_MOST];
    uint16_t port = dpdk_port_info(capture_dpdk_port(c))->id;
    run_bare(port, packets / 10, true);
    for (int i = 0; i < rounds; i++) {
        bare[i] = run_bare(port, packets, false);
        touched[i] = run_bare(port, packets, true);
        captured[i] = run_capture(c, packets);
        clocks[i] = run_clock(clock);
    }
    double b = median(bare, rounds), t = median(touched, rounds), k = median(captured, rounds);
    double clock_ns = median(clocks, rounds);
    printf("bare     %6.2f ns per packet, %6.1f Mpps\n", b, 1e3 / b);
    printf("touched  %6.2f ns per packet, %6.1f Mpps\n", t, 1e3 / t);
    printf("capture  %6.2f ns per packet, %6.1f Mpps: %.2f of bare, %.2f of touched\n", k, 1e3 / k,
           b / k, t / k);
    printf("clock    %6.2f ns per stamp, %.2f per packet of a full burst (%llx)\n", clock_ns,
           clock_ns / FRAME_BURST, (unsigned long long)sum & 0xf);
}

int main(int argc, char **argv)
{
    static struct live_clock clock;
    struct capture *captures[DPDK_QUEUES_MAX];
    struct dpdk_spec spec;
    struct dpdk_eal_info info;
    struct fault fault = {0};
    uint64_t packets = 1000000 * (argc > 2 ? strtoull(argv[2], NULL, 10) : 20);
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    int err = dpdk_spec_parse(&spec, argc > 1 ? argv[1] : "vdev=net_null0,size=60", &fault);
    struct dpdk_eal_settings eal = {.specs = &spec, .spec_count = 1};
    if (!err)
        err = dpdk_eal_init(&eal, &info, &fault);
    live_clock_init(&clock);
    if (!err)
        err = capture_dpdk_open(captures, &spec, &clock, &fault);
    if (err) {
        (void)fprintf(stderr, "bench_dpdk: %s\n", fault.text);
        return 1;
    }
    printf("%s, %s\n", info.has_hugepages ? "hugepages" : info.why, info.arguments);
    if (rounds >= 1 && rounds <= ROUNDS_MOST && packets)
        run_rounds(captures[0], &clock, packets, rounds);
    for (unsigned i = 0; i < spec.queues; i++)
        captures[i]->ops->close(captures[i]);
    dpdk_eal_fini();
    return 0;
}
