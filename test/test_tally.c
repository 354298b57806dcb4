/* What a worker counts, against plain loops over the same packets. */
#include "core/tally.h"

#include "core/sorter.h"
#include "core/source_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 6000, OPENINGS = 12, SPAN = 1000 };

static uint64_t random_state = 42;

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

/* A packet of one of few sources, ports and kinds, so that everything repeats. */
static struct observation packet(void)
{
    static const uint8_t protocols[] = {IPPROTO_NR_TCP, IPPROTO_NR_TCP, IPPROTO_NR_UDP,
                                        IPPROTO_NR_ICMP, 47};
    static const uint16_t flags[] = {TCP_SYN, TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST, TCP_FIN};
    struct observation o = {
        .ts_ns = pick(SPAN),
        .wire_len = 60 + pick(100),
        .ip_version = pick(4) ? 4 : 6,
        .ip_proto = protocols[pick(5)],
        .dst_port = (uint16_t)(pick(3) ? 23 : pick(40)),
        .state = OBSERVATION_IP,
    };
    o.src[0] = 198, o.src[3] = (uint8_t)pick(200);
    o.dst[0] = 203, o.dst[3] = (uint8_t)pick(100);
    if (o.ip_proto == IPPROTO_NR_TCP) {
        o.state |= OBSERVATION_TRANSPORT | OBSERVATION_PORTS | OBSERVATION_TCP_FLAGS;
        o.tcp_flags = flags[pick(5)];
        o.tcp_header_len = 20;
        o.tcp_seq = pick(2) ? 203u << 24 | o.dst[3] : 1; /* half of the SYN as Mirai sends them */
    } else if (o.ip_proto == IPPROTO_NR_UDP || o.ip_proto == IPPROTO_NR_ICMP) {
        o.state |= OBSERVATION_TRANSPORT | (o.ip_proto == IPPROTO_NR_UDP ? OBSERVATION_PORTS : 0);
        o.icmp_type = 8;
    }
    if (pick(50) == 0)
        o.state = o.tcp_flags = 0, o.ip_version = o.ip_proto = 0; /* not IP */
    return o;
}

struct world {
    struct observation o[PACKETS];
    struct label labels[PACKETS];
    unsigned window[PACKETS]; /* number of the opening */
    struct hash_key key;
    struct ruleset *rules;
};

static bool same_source(const struct observation *a, const struct observation *b)
{
    return a->ip_version == b->ip_version && !memcmp(a->src, b->src, 16);
}

static bool has_port(const struct observation *o, unsigned proto, unsigned port)
{
    uint8_t want = proto == PORT_PROTO_TCP ? IPPROTO_NR_TCP : IPPROTO_NR_UDP;
    return o->state & OBSERVATION_PORTS && o->ip_proto == want && o->dst_port == port;
}

/* Distinct sources of the packets with `mark` (or, mark < 0, of a port), in one window or all (-1). */
static uint64_t brute_sources(const struct world *w, int window, int mark, unsigned proto,
                              unsigned port)
{
    uint64_t count = 0;
    static unsigned found[PACKETS];
    for (unsigned i = 0; i < PACKETS; i++) {
        const struct observation *o = &w->o[i];
        bool is_in = (window < 0 || w->window[i] == (unsigned)window) && o->ip_version &&
                     (mark < 0 ? has_port(o, proto, port) : w->labels[i].marks >> mark & 1);
        if (!is_in)
            continue;
        bool is_new = true;
        for (unsigned k = 0; k < count && is_new; k++)
            is_new = !same_source(o, &w->o[found[k]]);
        if (is_new)
            found[count++] = i;
    }
    return count;
}

static void check_window(const struct world *w, int number, struct window *got)
{
    uint64_t packets = 0, bytes = 0, marks[MARK_COUNT] = {0}, syn[40] = {0};
    for (unsigned i = 0; i < PACKETS; i++) {
        if (w->window[i] != (unsigned)number)
            continue;
        packets++;
        bytes += w->o[i].wire_len;
        for (unsigned m = 0; m < MARK_COUNT; m++)
            marks[m] += w->labels[i].marks >> m & 1;
        if (w->o[i].tcp_flags == TCP_SYN)
            syn[w->o[i].dst_port]++;
    }
    assert_int_equal(got->totals.packets, packets);
    assert_int_equal(got->totals.bytes, bytes);
    for (int m = 0; m < MARK_COUNT; m++) {
        assert_int_equal(got->mark_packets[m], marks[m]);
        assert_int_equal(got->mark_sources[m].low, brute_sources(w, number, m, 0, 0));
        assert_int_equal(got->mark_sources[m].high, got->mark_sources[m].low);
    }
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 40; port++) {
            const struct port_count *row = window_port_find(got, proto, (uint16_t)port);
            assert_int_equal(row ? row->sources.low : 0, brute_sources(w, number, -1, proto, port));
            if (proto == PORT_PROTO_TCP)
                assert_int_equal(row ? row->syn : 0, syn[port]);
        }
}

static void check_run(const struct world *w, const struct tally *t)
{
    static struct tally_sources sum;
    memset(&sum, 0, sizeof sum);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        tally_sources_add(t, shard, &sum);
    tally_port_sources_add(t, &sum);
    assert_int_equal(sum.sources, brute_sources(w, -1, MARK_total, 0, 0));
    for (int m = 0; m < MARK_COUNT; m++)
        assert_int_equal(sum.marks[m], brute_sources(w, -1, m, 0, 0));
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 40; port++)
            assert_int_equal(sum.ports[proto][port], brute_sources(w, -1, -1, proto, port));
}

/* The sorter's: the batch is counted at once and may be filled again. */
static struct batch *count_batch(void *context, struct batch *full)
{
    tally_batch(context, full);
    return full;
}

/* Windows open and close in slots while packets fall into any that is open, as disorder in time has it. */
static void check_against_loops(unsigned limit, const struct prefix_set *telescope)
{
    struct world *w = calloc(1, sizeof *w);
    struct batch *batches = calloc(SHARDS, sizeof *batches);
    unsigned opening_of[WINDOW_SLOTS], openings = 0;
    hash_key_init(&w->key);
    assert_int_equal(ruleset_create(&w->rules, NULL, NULL), 0);
    struct tally *t = tally_create(&w->key, w->rules, telescope, true, NULL);
    struct sorter sorter = {.key = w->key,
                            .rules = w->rules,
                            .telescope = telescope,
                            .destinations = address_set_create(),
                            .limit = limit,
                            .send = count_batch,
                            .context = t};
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&sorter, shard, &batches[shard]);
    for (unsigned slot = 0; slot < 3; slot++, openings++) {
        opening_of[slot] = openings;
        tally_open(t, slot, window_create(), false);
    }
    struct window *sealed[OPENINGS] = {0};
    for (unsigned i = 0; i < PACKETS; i++) {
        if (i % (PACKETS / OPENINGS) == PACKETS / OPENINGS - 1 && openings < OPENINGS) {
            unsigned slot = pick(3);
            sorter_flush(&sorter);
            sealed[opening_of[slot]] = tally_seal(t, slot);
            opening_of[slot] = openings;
            openings++;
            tally_open(t, slot, window_create(), false);
        }
        w->o[i] = packet();
        w->o[i].slot = (uint8_t)pick(3);
        w->window[i] = opening_of[w->o[i].slot];
        classify_batch(w->rules, telescope, &w->o[i], 1, NULL, NULL, &w->labels[i]);
        sorter_observation(&sorter, &w->o[i], w->o[i].slot);
    }
    sorter_flush(&sorter);
    for (unsigned slot = 0; slot < 3; slot++)
        sealed[opening_of[slot]] = tally_seal(t, slot);
    for (unsigned k = 0; k < openings; k++) {
        check_window(w, (int)k, sealed[k]);
        window_destroy(sealed[k]);
    }
    check_run(w, t);
    assert_int_equal(address_set_count(sorter.destinations), 200);
    address_set_destroy(sorter.destinations);
    tally_destroy(t);
    ruleset_destroy(w->rules);
    free(batches);
    free(w);
}

static void test_against_loops(void **state)
{
    (void)state;
    struct prefix_set *telescope;
    assert_int_equal(prefix_set_create(&telescope, "203.0.0.0/26", NULL), 0);
    check_against_loops(1, NULL);
    check_against_loops(BATCH_MAX, NULL);
    check_against_loops(7, telescope);
    prefix_set_destroy(telescope);
}

/* Growth of every array: many sources, many pairs; all found again. */
static void test_growth(void **state)
{
    (void)state;
    enum { SOURCES = 30000, PORTS = 3 };
    struct hash_key key;
    struct source_table table;
    hash_key_init(&key);
    assert_int_equal(source_table_init(&table, &key, false), 0);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < SOURCES; i++) {
            struct observation o = {.ip_version = i % 3 ? 4 : 6, .state = OBSERVATION_IP};
            memcpy(o.src, &i, 4);
            uint64_t hash = hash_address(&key, o.src, o.ip_version);
            assert_int_equal(source_find(&table, hash, source_guess(&table, hash), &o), i);
            uint8_t address[16];
            assert_int_equal(source_address(&table, source_at(&table, i), address), o.ip_version);
            assert_memory_equal(address, o.src, 16);
            for (uint16_t port = 0; port < PORTS; port++) {
                bool is_new;
                uint64_t name = pair_key(i, port == 1 ? PAIR_UDP : PAIR_TCP, port);
                struct pair *p = pair_search(&table, name, &is_new);
                assert_int_equal(is_new, round == 0);
                assert_int_equal(p->state, round);
                p->state++;
            }
        }
    assert_int_equal(table.source_count, SOURCES);
    assert_int_equal(table.pair_count, SOURCES * PORTS);
    assert_true(source_table_bytes(&table) < SOURCES * (32 + 8 + 8 + PORTS * 32) + 4096 * 32);
    source_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_loops),
                                       cmocka_unit_test(test_growth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
