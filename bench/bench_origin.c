/* bench_origin [LIST.yaml|DIR [COUNTRY.mmdb [AS.mmdb]]]: ns per question of origins_find and
 * origins_find_class, for addresses drawn at random over IPv4 and 2000::/3. */
#include "bench/bench.h"
#include "classify/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESSES = 1 << 18, ROUNDS = 7 };

static uint8_t addresses[ADDRESSES][16];

typedef void (*find_call)(const struct origins *o, const uint8_t address[16], unsigned ip_version,
                          struct origin *out);

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, const struct origins *o, find_call find, unsigned ip_version)
{
    double ns[ROUNDS];
    size_t counts[ORIGIN_COUNT] = {0}, known = 0;
    for (unsigned r = 0; r < ROUNDS; r++) {
        double start = bench_now();
        for (size_t i = 0; i < ADDRESSES; i++) {
            struct origin found;
            find(o, addresses[i], ip_version, &found);
            counts[found.class]++;
            known += found.country[0] != '\0';
        }
        ns[r] = (bench_now() - start) * 1e9 / ADDRESSES;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf(
        "origin %-11s IPv%u %7.1f ns/source (median of %d; %zu bogons, %zu acknowledged, %zu with "
        "country)\n",
        name, ip_version, ns[ROUNDS / 2], ROUNDS, counts[ORIGIN_bogon] / ROUNDS,
        counts[ORIGIN_acknowledged] / ROUNDS, known / ROUNDS);
}

int main(int argc, char **argv)
{
    const char *lists[] = {argc > 1 ? argv[1] : NULL};
    struct origin_settings settings = {
        .lists = lists,
        .list_count = argc > 1,
        .country = argc > 2 ? argv[2] : NULL,
        .as = argc > 3 ? argv[3] : NULL,
    };
    struct origins *o;
    struct fault fault;
    uint64_t state = 1;
    if (origins_create(&o, &settings, &fault) != 0) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    for (unsigned ip_version = 4; ip_version <= 6; ip_version += 2) {
        for (size_t i = 0; i < ADDRESSES; i++) {
            uint64_t n[2] = {bench_random(&state), bench_random(&state)};
            memcpy(addresses[i], n, 16);
            if (ip_version == 6) /* 2000::/7 to 2e00::/7: where networks are */
                addresses[i][0] = (uint8_t)(0x20 | (addresses[i][0] & 0x0e));
        }
        measure("class", o, origins_find_class, ip_version);
        measure("all", o, origins_find, ip_version);
    }
    origins_destroy(o);
    return 0;
}
