/* bench_classify: ns per packet of classify_batch over a darknet's mix, without and with a
 * telescope. warm: a few batches again and again; cold: observations from far more memory than
 * the caches hold.
 */
#include "bench/bench.h"
#include "classify/classify.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLD = 1 << 20, ROUNDS = 7, PACKETS = 4 << 20 };

static uint64_t state = 1;

static uint32_t draw(void) { return (uint32_t)(bench_random(&state) >> 32); }

/* 80 % SYN (half of them to a few ports), 10 % UDP, 6 % backscatter, 2 % ICMP, 2 % other. */
static void fill(struct observation *o)
{
    static const uint16_t ports[] = {23,   22,   80,   443,   445,   8080,
                                     3389, 5555, 2323, 37215, 52869, 6379};
    uint32_t kind = draw() % 100, dst = 0x0a140000 | (draw() & 0xffff);
    *o = (struct observation){
        .ts_ns = draw(),
        .src = {draw() & 255, draw() & 255, draw() & 255, draw() & 255},
        .dst = {dst >> 24, dst >> 16 & 255, dst >> 8 & 255, dst & 255},
        .wire_len = 60,
        .ip_version = 4,
        .ip_proto = 6,
        .ip_id = draw() & 0xffff,
        .tcp_window = 1024,
        .state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS | OBSERVATION_TCP_FLAGS,
        .tcp_seq = draw() % 8 ? draw() : dst,
        .src_port = draw() & 0xffff,
        .dst_port = draw() & 1 ? ports[draw() % 12] : draw() & 0xffff,
        .tcp_flags = TCP_SYN,
        .tcp_header_len = 20,
    };
    if (kind >= 98)
        o->ip_proto = 47;
    else if (kind >= 96)
        o->ip_proto = 1, o->icmp_type = draw() & 1 ? 8 : 3;
    else if (kind >= 90)
        o->tcp_flags = draw() & 1 ? TCP_SYN | TCP_ACK : TCP_RST;
    else if (kind >= 80)
        o->ip_proto = 17, o->payload_len = 20;
    if (o->ip_proto != 6)
        o->state &= ~(unsigned)OBSERVATION_TCP_FLAGS, o->tcp_flags = 0, o->tcp_seq = 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, const struct ruleset *rules,
                    const struct prefix_set *telescope, const struct observation *observations,
                    size_t count)
{
    static struct label labels[BATCH_MAX];
    double ns[ROUNDS];
    uint32_t check = 0;
    for (unsigned r = 0; r < ROUNDS; r++) {
        double start = bench_now();
        for (size_t i = 0; i < PACKETS; i += BATCH_MAX) {
            classify_batch(rules, telescope, observations + i % count, BATCH_MAX, NULL, labels);
            check ^= labels[i % 251].marks;
        }
        ns[r] = (bench_now() - start) * 1e9 / PACKETS;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("classify %-22s %6.2f ns/packet (median of %d, fastest %.2f; check %x)\n", name,
           ns[ROUNDS / 2], ROUNDS, ns[0], check);
}

int main(void)
{
    struct ruleset *rules;
    struct prefix_set *telescope;
    struct fault fault;
    struct observation *observations = malloc(COLD * sizeof *observations);
    if (!observations || ruleset_create(&rules, NULL, &fault) != 0 ||
        prefix_set_create(&telescope, "10.20.0.0/17,10.20.192.0/18,2001:db8::/32", &fault) != 0)
        return 1;
    for (size_t i = 0; i < COLD; i++)
        fill(&observations[i]);
    measure("warm", rules, NULL, observations, 16 * BATCH_MAX);
    measure("warm, telescope", rules, telescope, observations, 16 * BATCH_MAX);
    measure("cold", rules, NULL, observations, COLD);
    measure("cold, telescope", rules, telescope, observations, COLD);
    prefix_set_destroy(telescope);
    ruleset_destroy(rules);
    free(observations);
    return 0;
}
