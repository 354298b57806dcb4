/* bench_watch: ns per packet of telescope_watch_take, for telescopes of 1, 16 and 1,000 prefixes with as many addresses. */
#include "bench/bench.h"
#include "core/telescope_watch.h"

#include <stdio.h>
#include <stdlib.h>

enum { PACKETS = 1 << 20, ROUNDS = 7, ADDRESS_BITS = 16 };

static uint8_t addresses[PACKETS][16];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 10.0.0.0/16, cut into so many pieces. */
static struct telescope_dates *telescope_make(unsigned pieces)
{
    struct telescope_dates *t;
    struct fault fault;
    char *text = malloc(pieces * 32 + 1), *at = text;
    unsigned bits = 16, size;
    while (UINT32_C(1) << (bits - 16) < pieces)
        bits++;
    size = UINT32_C(1) << (32 - bits);
    for (unsigned i = 0; text && i < pieces; i++)
        at += sprintf(at, "%s10.0.%u.%u/%u", i ? "," : "", i * size >> 8, i * size & 255, bits);
    if (!text || telescope_dates_create(&t, text, &fault) != 0)
        exit(1);
    free(text);
    return t;
}

static void measure(unsigned pieces)
{
    double ns[ROUNDS];
    struct telescope_dates *t = telescope_make(pieces);
    struct telescope_watch *w = telescope_watch_create(t, TELESCOPE_WATCH_BYTES);
    if (!w)
        exit(1);
    for (unsigned r = 0; r < ROUNDS; r++) {
        double start = bench_now();
        for (size_t i = 0; i < PACKETS; i++)
            telescope_watch_take(w, addresses[i], 4, (int64_t)i);
        ns[r] = (bench_now() - start) * 1e9 / PACKETS;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("watch %5u prefixes %6.1f ns/packet (median of %d)\n", pieces, ns[ROUNDS / 2], ROUNDS);
    telescope_watch_destroy(w);
    telescope_dates_destroy(t);
}

int main(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < PACKETS; i++) {
        uint32_t at = (uint32_t)bench_random(&state) >> (32 - ADDRESS_BITS);
        addresses[i][0] = 10;
        addresses[i][2] = (uint8_t)(at >> 8);
        addresses[i][3] = (uint8_t)at;
    }
    measure(1);
    measure(16);
    measure(1000);
    return 0;
}
