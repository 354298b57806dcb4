/* Cost of decode, ns per packet: frames of one form, their addresses and ports at random.
 *
 *   bench_decode [PACKETS]
 *
 * Every packet stands at its own place in memory; the frames fit the second-level cache, so that this
 * is the cost of decoding and not of the page cache.
 */
#include "bench/bench.h"
#include "capture/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 2048, SPACE = 128, RUNS = 7 };

/* Addresses and ports are overwritten at `addresses` (8 bytes) and 20 behind. */
static const struct form {
    const char *name;
    const char *hex;
    uint32_t decap;
    unsigned addresses, length; /* of the addresses, both together */
} forms[] = {
    {"SYN",
     "00163e00000100163e0000020800"
     "4500002812344000400600000a0000010a000002"
     "9c4000170a000002000000005002040000000000000000000000",
     0, 26, 8},
    {"UDP",
     "00163e00000100163e0000020800"
     "4500002a12344000401100000a0000010a000002"
     "9c4000350016000068656c6c6f68656c6c6f68656c6c",
     0, 26, 8},
    {"ICMP",
     "00163e00000100163e0000020800"
     "4500001c12344000400100000a0000010a000002"
     "0800000000010001",
     0, 26, 8},
    {"VLAN SYN",
     "00163e00000100163e0000028100"
     "00050800"
     "4500002812344000400600000a0000010a000002"
     "9c4000170a0000020000000050020400000000000000",
     0, 30, 8},
    {"IPv6 SYN",
     "00163e00000100163e00000286dd"
     "600000000014064020010db800000000000000000000000120010db8000000000000000000000002"
     "9c4000170a000002000000005002040000000000",
     0, 22, 32},
    {"GRE SYN",
     "00163e00000100163e0000020800"
     "4500004012344000402f00000a0000010a000002"
     "00000800"
     "4500002812344000400600000a0000010a000002"
     "9c4000170a000002000000005002040000000000",
     DECAP_GRE, 50, 8},
    {"GRE unasked",
     "00163e00000100163e0000020800"
     "4500004012344000402f00000a0000010a000002"
     "00000800"
     "4500002812344000400600000a0000010a000002"
     "9c4000170a000002000000005002040000000000",
     0, 26, 8},
};

static uint8_t bytes[FRAMES][SPACE];
static struct frame frames[FRAMES];

static void frames_fill(const struct form *form)
{
    uint64_t random = 1;
    uint32_t length = (uint32_t)strlen(form->hex) / 2;
    for (unsigned i = 0; i < FRAMES; i++) {
        unsigned byte;
        for (uint32_t k = 0; k < length && sscanf(form->hex + 2 * k, "%2x", &byte) == 1; k++)
            bytes[i][k] = (uint8_t)byte;
        for (unsigned k = 0; k < form->length; k++)
            bytes[i][form->addresses + k] = (uint8_t)(bench_random(&random) >> 56);
        frames[i] = (struct frame){bytes[i], length, length, (int64_t)i, 1};
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : 4000000, sum = 0;
    static struct observation out[256];
    printf("%-12s %10s   (median of %d runs, %llu packets each)\n", "form", "ns/packet", RUNS,
           (unsigned long long)packets);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        double ns[RUNS];
        frames_fill(&forms[i]);
        for (unsigned run = 0; run < RUNS; run++) {
            double begin = bench_now();
            for (uint64_t k = 0; k < packets; k++)
                decode(&frames[k % FRAMES], forms[i].decap, &out[k % 256]);
            ns[run] = (bench_now() - begin) * 1e9 / (double)packets;
            sum += out[run].src[0];
        }
        qsort(ns, RUNS, sizeof *ns, compare);
        printf("%-12s %10.2f\n", forms[i].name, ns[RUNS / 2]);
    }
    return sum == 1; /* so that no run is optimised away */
}
