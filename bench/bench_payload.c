/* bench_payload: ns per scanned packet of payload_match, by protocol and mixture, the time that the databases take to
 * compile and to load from the cache, and what the question costs of packets that nobody wants. */
#include "bench/bench.h"
#include "classify/payload.h"
#include "test/payload_rows_exploit.h"
#include "test/payload_rows_iot.h"
#include "test/payload_rows_other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7, PACKETS = 1 << 18, DRAWS = 4096 };

#define TABLE(rows) rows, sizeof(rows) / sizeof(rows)[0]

struct packet {
    unsigned proto;
    uint16_t port;
    const uint8_t *bytes;
    size_t len;
};

static struct packet mixture[DRAWS];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, const struct ruleset *rules, struct payload_scratch *scratch)
{
    double ns[ROUNDS];
    unsigned held = 0;
    size_t bytes = 0;
    for (unsigned r = 0; r < ROUNDS; r++) {
        double start = bench_now();
        for (unsigned i = 0; i < PACKETS; i++) {
            const struct packet *p = &mixture[i % DRAWS];
            held += payload_match(rules, scratch, p->proto, p->port, p->bytes, p->len) != RULE_NONE;
            bytes += p->len;
        }
        ns[r] = (bench_now() - start) * 1e9 / PACKETS;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("payload %-26s %6.1f ns/packet (median of %d, fastest %.1f; %.0f bytes, %.0f %% hold)\n",
           name, ns[ROUNDS / 2], ROUNDS, ns[0], (double)bytes / ROUNDS / PACKETS,
           100.0 * held / ROUNDS / PACKETS);
}

static void measure_wanted(const struct ruleset *rules)
{
    double ns[ROUNDS];
    uint64_t state = 1;
    unsigned wanted = 0;
    uint16_t ports[DRAWS];
    for (unsigned i = 0; i < DRAWS; i++)
        ports[i] = (uint16_t)bench_random(&state);
    for (unsigned r = 0; r < ROUNDS; r++) {
        double start = bench_now();
        for (unsigned i = 0; i < PACKETS; i++)
            wanted += payload_wanted(rules, PORT_PROTO_UDP, ports[i % DRAWS], 40);
        ns[r] = (bench_now() - start) * 1e9 / PACKETS;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("payload %-26s %6.1f ns/packet (median of %d; %u wanted)\n", "wanted?", ns[ROUNDS / 2],
           ROUNDS, wanted / ROUNDS);
}

/* Rows of one protocol that hold, again and again. */
static void draw_rows(unsigned proto, const struct payload_row *rows, size_t count)
{
    for (unsigned i = 0, at = 0; i < DRAWS; at++) {
        const struct payload_row *row = &rows[at % count];
        if (row->proto == proto && row->holds)
            mixture[i++] = (struct packet){proto, row->port, (const uint8_t *)row->bytes, row->len};
    }
}

/* Every packet the same, to a port. */
static void draw_same(unsigned proto, uint16_t port, const void *bytes, size_t len)
{
    for (unsigned i = 0; i < DRAWS; i++)
        mixture[i] = (struct packet){proto, port, bytes, len};
}

static int load(struct ruleset **rules, const char *cache_dir, const char *what)
{
    const struct payload_settings settings = {.cache_dir = cache_dir};
    struct fault fault;
    ruleset_destroy(*rules);
    if (ruleset_create(rules, NULL, &fault) != 0)
        return -1;
    double start = bench_now();
    if (payload_load(*rules, &settings, &fault) != 0)
        return -1;
    printf("payload %-26s %6.1f ms (%u databases%s)\n", what, (bench_now() - start) * 1e3,
           payload_databases(*rules), payload_is_cached(*rules) ? ", from the cache" : "");
    return 0;
}

int main(void)
{
    static const char get[] =
        "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: Mozilla/5.0 (Windows NT "
        "10.0; Win64; x64) AppleWebKit/537.36\r\nAccept: */*\r\n\r\n";
    static uint8_t noise[1024], hello[256] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    uint64_t state = 1;
    struct ruleset *rules = NULL;
    if (load(&rules, "", "compile") != 0 || load(&rules, NULL, "first start") != 0 ||
        load(&rules, NULL, "next start") != 0)
        return 1;
    if (rules->payload_off) {
        printf("payload rules are off: %s\n", rules->payload_off);
        ruleset_destroy(rules);
        return 0;
    }
    struct payload_scratch *scratch = payload_scratch_create(rules);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(bench_random(&state) >> 32);
    memcpy(hello + 11, noise, sizeof hello - 11);
    measure_wanted(rules);
    draw_rows(PORT_PROTO_UDP, TABLE(payload_rows_iot));
    measure("UDP, vendors' protocols", rules, scratch);
    draw_rows(PORT_PROTO_UDP, TABLE(payload_rows_other));
    measure("UDP, other protocols", rules, scratch);
    draw_same(PORT_PROTO_UDP, 5060, noise, 400);
    measure("UDP 5060, 256 random", rules, scratch);
    draw_same(PORT_PROTO_UDP, 53413, noise, 60);
    measure("UDP 53413, 60 random", rules, scratch);
    draw_rows(PORT_PROTO_TCP, TABLE(payload_rows_exploit));
    measure("TCP, exploits", rules, scratch);
    draw_same(PORT_PROTO_TCP, 80, get, sizeof get - 1);
    measure("TCP 80, GET /", rules, scratch);
    draw_same(PORT_PROTO_TCP, 443, hello, sizeof hello);
    measure("TCP 443, TLS hello", rules, scratch);
    payload_scratch_destroy(scratch);
    ruleset_destroy(rules);
    return 0;
}
