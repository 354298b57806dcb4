/* What a worker counts, against plain loops over the same packets. */
#include "core/tally.h"

#include "classify/telescope.h"
#include "core/day_pack.h"
#include "core/sorter.h"
#include "core/source_table.h"
#include "core/tally_cap.h"

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

/* Distinct sources; under a cap, bounds of them. */
static void check_sources(struct source_count got, uint64_t want, bool is_capped)
{
    assert_true(got.low <= want && want <= got.high);
    if (!is_capped)
        assert_int_equal(got.low, got.high);
}

static void check_window(const struct world *w, int number, struct window *got, bool is_capped)
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
        check_sources(got->mark_sources[m], brute_sources(w, number, m, 0, 0), is_capped);
    }
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 40; port++) {
            const struct port_count *row = window_port_find(got, proto, (uint16_t)port);
            check_sources(row ? row->sources : (struct source_count){0},
                          brute_sources(w, number, -1, proto, port), is_capped);
            if (proto == PORT_PROTO_TCP)
                assert_int_equal(row ? row->syn : 0, syn[port]);
        }
}

/* Exact, or a lower bound. */
static void check_sum(uint64_t got, uint64_t want, bool is_bound)
{
    if (is_bound)
        assert_true(got <= want);
    else
        assert_int_equal(got, want);
}

static void check_run(const struct world *w, const struct tally *t, bool is_capped)
{
    static struct tally_sources sum;
    memset(&sum, 0, sizeof sum);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        tally_sources_add(t, shard, &sum);
    tally_port_sources_add(t, &sum);
    check_sum(sum.sources, brute_sources(w, -1, MARK_total, 0, 0), is_capped);
    for (int m = 0; m < MARK_COUNT; m++)
        check_sum(sum.marks[m], brute_sources(w, -1, m, 0, 0), is_capped);
    for (unsigned proto = 0; proto < PORT_PROTO_COUNT; proto++)
        for (unsigned port = 0; port < 40; port++)
            check_sum(sum.ports[proto][port], brute_sources(w, -1, -1, proto, port),
                      sum.inexact[proto][port / 64] >> port % 64 & 1);
}

/* The sorter's: the batch is counted at once and may be filled again. */
static struct batch *count_batch(void *context, struct batch *full)
{
    tally_batch(context, full);
    return full;
}

struct day_sums {
    uint64_t packets, scan, ports, evidence;
};

static int take_sums(void *context, struct source_day *s)
{
    struct day_sums *sums = context;
    struct source_day held = *s;
    char why[128];
    if (!source_day_has_evidence(s)) /* then it means nothing; the feed leaves it out */
        held.evidence_ns = 0;
    if (!source_day_holds(&held, why, sizeof why))
        fail_msg("%s", why);
    sums->packets += source_day_packets(s);
    for (size_t i = 0; i < s->port_count; i++)
        sums->ports += s->ports[i].packets;
    for (size_t i = 0; i < s->evidence_count; i++)
        sums->evidence += s->evidence[i].packets;
    sums->scan += source_day_scan(s);
    return 0;
}

/* Every packet is in the day, and what its sources no longer list is what was given up. */
static void check_day(const struct world *w, struct tally *t)
{
    unsigned count;
    struct tally_day **of = tally_days(t, &count);
    struct day_given_up given_up = {0};
    struct day_sums sums = {0};
    uint64_t lone = 0, bots = 0, scan = 0;
    assert_int_equal(count, 1);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        lone += of[0]->lone_kinds[kind].packets;
    for (unsigned i = 0; i < PACKETS; i++) {
        bots += w->labels[i].kind == KIND_tcp_syn && label_tools(&w->labels[i]) >> TOOL_mirai & 1;
        scan += kind_is_scan(w->labels[i].kind) && w->o[i].state & OBSERVATION_PORTS;
    }
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_int_equal(day_pack(t, of[0], shard, tally_day_is_current(t, of[0]), NULL, &given_up,
                                  take_sums, &sums),
                         0);
    assert_int_equal(sums.packets + lone, PACKETS);
    assert_int_equal(sums.ports + given_up.ports, sums.scan);
    assert_true(sums.scan <= scan && sums.evidence + given_up.rules <= bots);
    assert_true(given_up.ports > 0 && given_up.rules > 0 && of[0]->given_up_sources > 0);
}

/* What the tables come to, exactly, is no more than by the counts; of sources and pairs it is the same. */
static void check_weight(const struct tally *t)
{
    static struct cap_weight weight;
    struct cap_counts counts = {0};
    memset(&weight, 0, sizeof weight);
    tally_cap_count(t, &counts);
    tally_cap_weigh(t, &weight);
    assert_int_equal(weight.counts.sources, counts.sources);
    assert_int_equal(weight.counts.pairs, counts.pairs);
    assert_true(weight.counts.rows <= counts.rows && weight.counts.rows > 0);
}

/* A sorter that counts every batch at once; its batches. */
static struct batch *sorter_make(struct sorter *sorter, const struct hash_key *key,
                                 const struct ruleset *rules,
                                 const struct telescope_dates *telescope, unsigned limit,
                                 struct tally *t)
{
    struct batch *batches = calloc(SHARDS, sizeof *batches);
    struct verdict_memory *verdicts = calloc(1, sizeof *verdicts);
    verdicts->of = verdicts_create();
    *sorter = (struct sorter){.key = *key,
                              .rules = rules,
                              .telescope = telescope,
                              .destinations = address_set_create(),
                              .verdicts = verdicts,
                              .scratch = rules->payload_off ? NULL : payload_scratch_create(rules),
                              .limit = limit,
                              .send = count_batch,
                              .context = t};
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(sorter, shard, &batches[shard]);
    return batches;
}

static void sorter_drop(struct sorter *sorter, struct batch *batches)
{
    address_set_destroy(sorter->destinations);
    payload_scratch_destroy(sorter->scratch);
    verdicts_destroy(sorter->verdicts->of);
    free(sorter->verdicts);
    free(batches);
}

/* Early on new sources are turned away and those with one packet give up; later those with more. */
static void give_up_some(struct sorter *sorter, struct tally *t, unsigned packet)
{
    static const struct {
        unsigned packet;
        struct cap_decision decision;
    } rows[] = {{200, {.has_ports = true, .ports_cut = 1, .is_full = true}},
                {PACKETS / 2, {.has_ports = true, .ports_cut = 12, .is_full = true}},
                {PACKETS / 2 + 100,
                 {.has_ports = true,
                  .ports_cut = 20,
                  .has_rules = true,
                  .rules_cut = 16,
                  .is_full = true}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (packet != rows[i].packet)
            continue;
        sorter_flush(sorter);
        check_weight(t);
        tally_cap_give_up(t, &rows[i].decision);
        check_weight(t);
    }
}

/* Windows open and close in slots while packets fall into any that is open, as disorder in time has it. */
static void check_against_loops(unsigned limit, const struct telescope_dates *telescope,
                                bool is_capped)
{
    struct world *w = calloc(1, sizeof *w);
    unsigned opening_of[WINDOW_SLOTS], openings = 0;
    hash_key_init(&w->key);
    assert_int_equal(ruleset_create(&w->rules, NULL, NULL), 0);
    struct tally *t = tally_create(&w->key, w->rules, telescope, true, NULL);
    struct sorter sorter;
    struct batch *batches = sorter_make(&sorter, &w->key, w->rules, telescope, limit, t);
    for (unsigned slot = 0; slot < 3; slot++, openings++) {
        opening_of[slot] = openings;
        sorter.windows[slot].telescope = telescope ? telescope->ever : NULL;
        tally_open(t, slot, window_create());
    }
    struct window *sealed[OPENINGS] = {0};
    for (unsigned i = 0; i < PACKETS; i++) {
        if (i % (PACKETS / OPENINGS) == PACKETS / OPENINGS - 1 && openings < OPENINGS) {
            unsigned slot = pick(3);
            sorter_flush(&sorter);
            sealed[opening_of[slot]] = tally_seal(t, slot);
            opening_of[slot] = openings;
            openings++;
            tally_open(t, slot, window_create());
        }
        if (is_capped)
            give_up_some(&sorter, t, i);
        struct observation came = packet();
        came.slot = (uint8_t)pick(3);
        w->o[i] = came;
        if (telescope)
            telescope_hide_source(telescope->ever, &w->o[i]);
        w->window[i] = opening_of[came.slot];
        classify_batch(w->rules, telescope ? telescope->ever : NULL, &w->o[i], 1, NULL, NULL,
                       &w->labels[i]);
        sorter_observation(&sorter, &came, came.slot);
    }
    sorter_flush(&sorter);
    for (unsigned slot = 0; slot < 3; slot++)
        sealed[opening_of[slot]] = tally_seal(t, slot);
    for (unsigned k = 0; k < openings; k++) {
        check_window(w, (int)k, sealed[k], is_capped);
        window_destroy(sealed[k]);
    }
    check_run(w, t, is_capped);
    if (is_capped)
        check_day(w, t);
    assert_int_equal(address_set_count(sorter.destinations), 200);
    sorter_drop(&sorter, batches);
    tally_destroy(t);
    ruleset_destroy(w->rules);
    free(w);
}

static void test_against_loops(void **state)
{
    (void)state;
    struct telescope_dates *telescope;
    assert_int_equal(
        telescope_dates_create(&telescope, "203.0.0.0/26,198.0.0.16/28,c600:10::/28", NULL),
        0); /* some of the sources, too */
    check_against_loops(1, NULL, false);
    check_against_loops(BATCH_MAX, NULL, false);
    check_against_loops(7, telescope, false);
    telescope_dates_destroy(telescope);
}

static void test_capped(void **state)
{
    (void)state;
    check_against_loops(1, NULL, true);
    check_against_loops(BATCH_MAX, NULL, true);
    check_against_loops(7, NULL, true);
}

/* Growth of every array: many sources, many pairs; all found again. */
static void test_growth(void **state)
{
    (void)state;
    enum { SOURCES = 30000, PORTS = 3 };
    struct hash_key key;
    struct source_table table;
    hash_key_init(&key);
    assert_int_equal(source_table_init(&table, &key, false, NULL), 0);
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

/* What sources do on a day, and under which sets they are taken out then: of no day, of that day, of one they were
 * not seen on. */
static const struct {
    const char *what;
    uint8_t address[16];
    unsigned ip_version, ports, packets; /* to as many ports, in turn */
    bool is_mirai;
    bool out[3];
} actors[] = {
    {"ordinary", {198, 0, 0, 1}, 4, 2, 30, false, {0, 0, 0}},
    {"survey scanner", {198, 0, 0, 2}, 4, 3, 10, false, {0, 1, 0}},
    {"one port short", {198, 0, 0, 3}, 4, 2, 10, false, {0, 0, 0}},
    {"one packet short", {198, 0, 0, 4}, 4, 3, 9, false, {0, 0, 0}},
    {"a bot that surveys", {198, 0, 0, 5}, 4, 3, 10, true, {0, 0, 0}},
    {"bogon", {10, 0, 0, 1}, 4, 1, 1, false, {1, 1, 1}},
    {"bogon that is a bot", {10, 0, 0, 2}, 4, 1, 1, true, {1, 0, 1}},
    {"half of a /64", {0x2a, 1, 2, 3, 4, 5, 6, 7, 1}, 6, 2, 6, false, {0, 1, 0}},
    {"other half", {0x2a, 1, 2, 3, 4, 5, 6, 7, 2}, 6, 4, 4, false, {0, 1, 0}},
    {"/64 beside it", {0x2a, 1, 2, 3, 4, 5, 6, 8}, 6, 2, 10, false, {0, 0, 0}},
    {"bogon, IPv6", {0xfe, 0x80, 1}, 6, 1, 1, false, {1, 1, 1}},
};
enum { ACTORS = sizeof actors / sizeof *actors };

static int take_none(void *context, struct source_day *s) { return 0; }

static void day_ends(struct tally *t, int32_t date)
{
    unsigned count;
    struct tally_day **of = tally_days(t, &count);
    struct day_given_up given_up = {0};
    assert_int_equal(count, 1);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct survey_judge judge;
        tally_survey_judge(t, shard, 0, &judge);
        assert_int_equal(day_pack(t, of[0], shard, true, &judge, &given_up, take_none, NULL), 0);
        survey_judge_end(&judge);
    }
    tally_survey_turn(t, date);
}

static void act(struct sorter *sorter, unsigned slot, unsigned of_each)
{
    for (unsigned a = 0; a < ACTORS; a++)
        for (unsigned i = 0; i < (of_each ? of_each : actors[a].packets); i++) {
            struct observation o = {
                .ts_ns = i,
                .wire_len = 60,
                .ip_version = (uint8_t)actors[a].ip_version,
                .ip_proto = IPPROTO_NR_TCP,
                .dst = {203, 0, 0, 1},
                .dst_port = (uint16_t)(23 + i % actors[a].ports),
                .state = OBSERVATION_IP | OBSERVATION_TRANSPORT | OBSERVATION_PORTS |
                         OBSERVATION_TCP_FLAGS,
                .tcp_flags = TCP_SYN,
                .tcp_header_len = 20,
                .tcp_seq = actors[a].is_mirai ? 203u << 24 | 1 : 7,
            };
            memcpy(o.src, actors[a].address, sizeof o.src);
            o.slot = (uint8_t)slot;
            sorter_observation(sorter, &o, slot);
        }
    sorter_flush(sorter);
}

/* `set` as in actors; 3: nothing is taken out. */
static void check_out(struct tally *t, unsigned slot, unsigned set, unsigned of_each, int32_t date)
{
    struct window *w = tally_seal(t, slot);
    uint64_t packets = 0, sources = 0;
    for (unsigned a = 0; a < ACTORS && set < 3; a++) {
        packets += actors[a].out[set] ? of_each ? of_each : actors[a].packets : 0;
        sources += actors[a].out[set];
    }
    assert_true(window_has_ex(w));
    assert_int_equal(w->basis.has_survey, date != 0);
    assert_int_equal(w->basis.lacks_survey, date == 0);
    assert_int_equal(w->basis.first, date);
    assert_int_equal(w->basis.last, date);
    for (unsigned m = MARK_total; m <= MARK_scan; m++) {
        assert_int_equal(w->mark_packets_out[m], packets);
        assert_int_equal(w->mark_sources_out[m].low, sources);
        assert_int_equal(w->mark_sources_out[m].high, sources);
    }
    assert_true(w->mark_packets_out[MARK_iot_bot] <= packets);
    window_destroy(w);
}

static void announce(struct tally *t, unsigned slot)
{
    tally_announce(t, slot);
    tally_open(t, slot, window_create());
}

static void test_survey(void **state)
{
    (void)state;
    static const struct survey_settings settings = {3, 10, 1000, 4, 10};
    static const struct origin_settings no_lists;
    struct telescope_dates *telescope;
    assert_int_equal(telescope_dates_create(&telescope, "192.0.2.0/29,192.0.2.8/31", NULL), 0);
    struct tally_survey survey = {.telescope = telescope, .settings = &settings};
    struct origins *origins;
    struct ruleset *rules;
    struct hash_key key;
    hash_key_init(&key);
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    assert_int_equal(origins_create(&origins, &no_lists, NULL), 0);
    survey.origins = origins;
    struct tally *t = tally_create(&key, rules, NULL, true, &survey);
    struct sorter sorter;
    struct batch *batches = sorter_make(&sorter, &key, rules, NULL, 5, t);

    announce(t, 0);
    announce(t, 1);
    announce(t, 2);
    act(&sorter, 0, 0);
    day_ends(t, 7);
    announce(t, 3);
    act(&sorter, 1, 2); /* opened before: stands on what it did */
    act(&sorter, 3, 5);
    check_out(t, 0, 0, 0, 0);
    check_out(t, 1, 0, 2, 0);
    check_out(t, 3, 1, 5, 7);
    /* The packets of slots 1 and 3 are of a day that nobody surveys. */
    announce(t, 4);
    day_ends(t, 8);
    day_ends(t, 9); /* without any packet */
    announce(t, 5);
    act(&sorter, 2, 3);
    act(&sorter, 4, 3);
    act(&sorter, 5, 3);
    check_out(t, 2, 3, 3, 0); /* over two days' ends: nothing is */
    check_out(t, 4, 3, 3, 0);
    check_out(t, 5, 2, 3, 9);

    sorter_drop(&sorter, batches);
    tally_destroy(t);
    origins_destroy(origins);
    telescope_dates_destroy(telescope);
    ruleset_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_loops),
                                       cmocka_unit_test(test_capped), cmocka_unit_test(test_survey),
                                       cmocka_unit_test(test_growth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
