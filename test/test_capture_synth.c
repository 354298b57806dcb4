/* What the generator promises: the same frames for the same settings, every source there, exact
 * (source, protocol, port), right checksums, addresses and times in their ranges. */
#include "capture/capture_synth.h"
#include "capture/random.h"
#include "capture/synth_packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct synth_prefix dark[] = {
    {.address = {198, 18}, .bits = 16, .ip_version = 4},
    {.address = {0x20, 0x01, 0x0d, 0xb8}, .bits = 32, .ip_version = 6},
    {.address = {203, 0, 113, 64}, .bits = 27, .ip_version = 4},
};

static const struct capture_synth_settings usual = {
    .packets = 20000,
    .sources = 2000,
    .start_ns = INT64_C(1767225600000000000),
    .span_ns = INT64_C(3600000000000),
    .seed = 1,
    .telescope = dark,
    .telescope_count = sizeof dark / sizeof dark[0],
};

/* Called for each packet. */
typedef void visit(void *context, const struct capture_synth_settings *s, const struct frame *f,
                   const struct synth_intent *i);

/* Makes all packets in bursts of `max`; returns how many there were. */
static uint64_t walk(const struct capture_synth_settings *s, size_t max, visit *each, void *context)
{
    struct capture *c;
    struct fault fault;
    struct frame frames[FRAME_BURST];
    uint64_t packets = 0, done, total;
    if (capture_synth_create(&c, s, &fault))
        fail_msg("%s", fault.text);
    for (size_t n; (n = c->ops->burst(c, frames, max)) > 0; packets += n)
        for (size_t i = 0; i < n; i++)
            each(context, s, &frames[i], &capture_synth_intents(c)[i]);
    c->ops->progress(c, &done, &total);
    assert_int_equal(done, total);
    assert_int_equal(c->ops->damaged(c)->count, 0);
    c->ops->close(c);
    return packets;
}

static void digest(void *context, const struct capture_synth_settings *s, const struct frame *f,
                   const struct synth_intent *i)
{
    uint64_t *sum = context;
    (void)s;
    (void)i;
    *sum = random_mix(*sum ^ (uint64_t)f->ts_ns);
    for (uint32_t at = 0; at < f->caplen; at++)
        *sum = random_mix(*sum ^ f->data[at]);
}

static void test_same_seed(void **state)
{
    (void)state;
    uint64_t first = 0, again = 0, small = 0, other = 0;
    struct capture_synth_settings s = usual;
    assert_int_equal(walk(&s, FRAME_BURST, digest, &first), s.packets);
    walk(&s, FRAME_BURST, digest, &again);
    walk(&s, 7, digest, &small);
    s.seed = 2;
    walk(&s, FRAME_BURST, digest, &other);
    /* The benches and stored measurements rest on these very frames. */
    assert_int_equal(first, UINT64_C(0x5d6efaf14e2179e2));
    assert_int_equal(first, again);
    assert_int_equal(first, small);
    assert_int_not_equal(first, other);
}

/* Distinct keys, by sorting. */
struct keys {
    uint64_t *at;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static size_t distinct(struct keys *k)
{
    size_t n = 0;
    qsort(k->at, k->count, sizeof k->at[0], compare);
    for (size_t i = 0; i < k->count; i++)
        n += !i || k->at[i] != k->at[i - 1];
    return n;
}

/* The network header; the frames are tagged where the settings say so. */
static const uint8_t *ip_of(const struct capture_synth_settings *s, const struct frame *f)
{
    return f->data + (s->vlan ? 18 : 14);
}

struct seen {
    struct keys indexes, addresses, pairs;
};

static void collect(void *context, const struct capture_synth_settings *s, const struct frame *f,
                    const struct synth_intent *i)
{
    struct seen *seen = context;
    const uint8_t *ip = ip_of(s, f);
    uint64_t address;
    if (ip[0] >> 4 == 4)
        address = synth_get32(ip + 12);
    else /* sources differ in bytes 2 to 5 */
        address = (uint64_t)1 << 32 | synth_get32(ip + 8 + 2);
    seen->indexes.at[seen->indexes.count++] = i->source;
    seen->addresses.at[seen->addresses.count++] = address;
    if (i->header == SYNTH_TCP || i->header == SYNTH_UDP_HEADER)
        seen->pairs.at[seen->pairs.count++] =
            (uint64_t)i->source << 17 | (uint64_t)(i->header == SYNTH_TCP) << 16 | i->dst_port;
}

static void test_sources(void **state)
{
    (void)state;
    static const struct {
        uint64_t packets, sources;
        uint32_t ports;
        enum synth_profile profile;
        size_t distinct_sources, pairs; /* pairs 0: as they come */
    } cases[] = {
        {20000, 2000, 0, SYNTH_HEAVY_TAILED, 2000, 0},
        {20000, 20000, 0, SYNTH_HEAVY_TAILED, 20000, 0},
        {20000, 19999, 0, SYNTH_UNIFORM, 19999, 0},
        {500, 20000, 0, SYNTH_HEAVY_TAILED, 500, 0},
        {20000, 1, 0, SYNTH_HEAVY_TAILED, 1, 0},
        {20000, 17, 0, SYNTH_HEAVY_TAILED, 17, 0},
        {20000, 5000, 2, SYNTH_UNIFORM, 5000, 10000},
        {20000, 5000, 2, SYNTH_HEAVY_TAILED, 5000, 10000},
        {20000, 5000, 4, SYNTH_HEAVY_TAILED, 5000, 20000},
        {20000, 10, 2000, SYNTH_HEAVY_TAILED, 10, 20000},
        {65536, 1, 65536, SYNTH_UNIFORM, 1, 65536},
    };
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct capture_synth_settings s = usual;
        s.packets = cases[n].packets;
        s.sources = cases[n].sources;
        s.ports_per_source = cases[n].ports;
        s.profile = cases[n].profile;
        struct seen seen = {.indexes.at = calloc(s.packets, 8),
                            .addresses.at = calloc(s.packets, 8),
                            .pairs.at = calloc(s.packets, 8)};
        assert_int_equal(walk(&s, FRAME_BURST, collect, &seen), s.packets);
        if (distinct(&seen.indexes) != cases[n].distinct_sources ||
            distinct(&seen.addresses) != cases[n].distinct_sources ||
            (cases[n].pairs && distinct(&seen.pairs) != cases[n].pairs))
            fail_msg("case %zu: %zu sources, %zu addresses, %zu pairs", n, distinct(&seen.indexes),
                     distinct(&seen.addresses), distinct(&seen.pairs));
        free(seen.indexes.at);
        free(seen.addresses.at);
        free(seen.pairs.at);
    }
}

struct times {
    int64_t last, floor;
};

static void check_time(void *context, const struct capture_synth_settings *s, const struct frame *f,
                       const struct synth_intent *i)
{
    struct times *t = context;
    assert_int_equal(f->ts_ns, i->ts_ns);
    assert_true(f->ts_ns >= s->start_ns && f->ts_ns < s->start_ns + s->span_ns);
    assert_true(f->ts_ns >= t->last - s->disorder_ns);
    if (f->ts_ns > t->last)
        t->last = f->ts_ns;
}

static void test_times(void **state)
{
    (void)state;
    static const int64_t spans[] = {1, 19999, 1000000007, INT64_C(86400000000000)};
    for (size_t n = 0; n < sizeof spans / sizeof spans[0]; n++) {
        for (int64_t disorder = 0; disorder < 200000; disorder += 100000) {
            struct capture_synth_settings s = usual;
            struct times times = {.last = s.start_ns};
            s.span_ns = spans[n];
            s.disorder_ns = disorder;
            walk(&s, FRAME_BURST, check_time, &times);
            /* The last packet lies in the last part of the span. */
            assert_true(times.last >=
                        s.start_ns + s.span_ns - s.span_ns / (int64_t)s.packets * 2 - 2 - disorder);
        }
    }
}

static uint16_t sum16(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* Lengths and checksums, straight from RFC 791, 793, 768, 792, 4443. */
static void check_frame(void *context, const struct capture_synth_settings *s,
                        const struct frame *f, const struct synth_intent *i)
{
    const uint8_t *ip = ip_of(s, f), *end = f->data + f->caplen;
    bool six = ip[0] >> 4 == 6;
    (void)context;
    assert_int_equal(f->caplen, f->wire_len);
    assert_int_equal(f->wire_len, i->wire_len);
    assert_int_equal(f->link_type, 1);
    assert_int_equal(i->ip_version, six ? 6 : 4);
    assert_int_equal(ip[-2] << 8 | ip[-1], six ? 0x86dd : 0x0800);
    if (s->vlan)
        assert_int_equal(synth_get32(f->data + 12), 0x81000000u | s->vlan);

    size_t header = six ? 40 : 4u * (ip[0] & 15), address = six ? 16 : 4;
    const uint8_t *transport = ip + header, *addresses = ip + (six ? 8 : 12);
    size_t length = (size_t)(end - transport),
           total = (size_t)(ip[six ? 4 : 2] << 8 | ip[six ? 5 : 3]);
    if (i->sort != SYNTH_MALFORMED_UDP)
        assert_int_equal(total, six ? length : length + header);
    if (!six)
        assert_int_equal(sum16(ip, header, 0), 0xffff);

    /* Inside the telescope, from outside of it. */
    const uint8_t *dst = addresses + address;
    bool inside = false;
    for (size_t n = 0; n < s->telescope_count; n++) {
        const struct synth_prefix *p = &s->telescope[n];
        unsigned shift = p->bits % 32 ? 32 - p->bits % 32 : 0;
        inside |= p->ip_version == i->ip_version &&
                  synth_get32(dst) >> shift == synth_get32(p->address) >> shift;
        assert_false(p->ip_version == i->ip_version &&
                     synth_get32(addresses) >> shift == synth_get32(p->address) >> shift);
    }
    assert_true(inside);

    uint8_t proto = ip[six ? 6 : 9];
    if (i->sort == SYNTH_FRAGMENT || i->sort == SYNTH_MALFORMED_UDP || i->sort == SYNTH_OTHER_IP)
        return;
    if (proto == 17 && !transport[6] && !transport[7])
        return; /* a first fragment has none */
    uint32_t pseudo = 0;
    if (proto != 1 && proto != 2)
        pseudo = sum16(addresses, 2 * address, (uint32_t)length + proto);
    assert_int_equal(sum16(transport, length, pseudo), 0xffff);
}

static void test_frames(void **state)
{
    (void)state;
    struct capture_synth_settings s = usual;
    walk(&s, FRAME_BURST, check_frame, NULL);
    s.vlan = 4094;
    s.ports_per_source = 3;
    walk(&s, FRAME_BURST, check_frame, NULL);
}

static void count_sort(void *context, const struct capture_synth_settings *s, const struct frame *f,
                       const struct synth_intent *i)
{
    uint64_t *sorts = context;
    (void)s;
    (void)f;
    sorts[i->sort]++;
}

/* A large enough darknet has everything; with a fixed number of ports, only what has ports. */
static void test_mix(void **state)
{
    (void)state;
    struct capture_synth_settings s = usual;
    uint64_t sorts[SYNTH_SORT_COUNT] = {0};
    s.packets = 200000;
    s.sources = 20000;
    walk(&s, FRAME_BURST, count_sort, sorts);
    for (unsigned i = 0; i < SYNTH_SORT_COUNT; i++)
        if (!sorts[i])
            fail_msg("no packet of sort %u", i);
    assert_true(sorts[SYNTH_TCP_SYN] > s.packets / 2);
    memset(sorts, 0, sizeof sorts);
    s.ports_per_source = 2;
    walk(&s, FRAME_BURST, count_sort, sorts);
    assert_int_equal(sorts[SYNTH_ICMP_PROBE] + sorts[SYNTH_ICMP_ANSWER] + sorts[SYNTH_IGMP] +
                         sorts[SYNTH_FRAGMENT] + sorts[SYNTH_OTHER_IP],
                     0);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct synth_prefix only6 = {{0x20, 0x01, 0x0d, 0xb8}, 32, 6};
    static const struct synth_prefix wide = {{8}, 7, 4};
    static const struct synth_prefix ours = {{0x2a, 0x01}, 32, 6};
    static const struct synth_prefix overlap[] = {
        {{10}, 8, 4}, {{9}, 8, 4}, {{10, 1, 2, 3}, 32, 4}};
    struct capture_synth_settings cases[11];
    static const char *const says[] = {"packets",
                                       "sources",
                                       "sources",
                                       "span",
                                       "span",
                                       "disorder",
                                       "vlan",
                                       "ports per source: 65537",
                                       "one IPv4 prefix",
                                       "length 7 is not 8 to 32",
                                       "overlap"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cases[i] = usual;
    cases[0].packets = 0;
    cases[1].sources = 0;
    cases[2].sources = (UINT64_C(1) << 30) + 1;
    cases[3].span_ns = 0;
    cases[4].span_ns = INT64_MAX;
    cases[5].disorder_ns = -1;
    cases[6].vlan = 4095;
    cases[7].ports_per_source = 65537;
    cases[8].telescope = &only6;
    cases[8].telescope_count = 1;
    cases[9].telescope = &wide;
    cases[9].telescope_count = 1;
    cases[10].telescope = overlap;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct capture *c;
        struct fault fault = {0};
        assert_int_equal(capture_synth_create(&c, &cases[i], &fault), -EINVAL);
        assert_null(c);
        if (fault.err != EINVAL || !strstr(fault.text, says[i]))
            fail_msg("case %zu: '%s' does not say '%s'", i, fault.text, says[i]);
    }
    struct capture *c;
    struct capture_synth_settings s = usual;
    s.telescope = &ours;
    s.telescope_count = 1;
    assert_int_not_equal(capture_synth_create(&c, &s, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed), cmocka_unit_test(test_sources),
        cmocka_unit_test(test_times),     cmocka_unit_test(test_frames),
        cmocka_unit_test(test_mix),       cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
