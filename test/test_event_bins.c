/* Bins of ten minutes: what workers and windows come to is what a plain count of the same packets does. */
#include "capture/capture_synth.h"
#include "capture/decode.h"
#include "classify/payload.h"
#include "core/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BINS = 16, PACKETS = 60000 };

static const struct synth_prefix dark[] = {{.address = {198, 18}, .bits = 16, .ip_version = 4}};

/* Disorder within what windows wait for: no packet is late. */
static struct capture_synth_settings traffic = {
    .packets = PACKETS,
    .sources = 900,
    .start_ns = INT64_C(1767225600000000000) + INT64_C(100000000000),
    .span_ns = INT64_C(4000000000000),
    .seed = 11,
    .disorder_ns = INT64_C(50000000000),
    .telescope = dark,
    .telescope_count = 1,
};

struct bin {
    int64_t start_ns;
    bool is_partial;
    uint64_t packets, sources;
    uint64_t ports[PORT_PROTO_COUNT][65536], who[PORT_PROTO_COUNT][65536];
    bool never_seen[PORT_PROTO_COUNT][65536];
};

struct bins {
    unsigned count;
    struct bin *at[BINS];
};

static void take(void *context, const struct event_bin *bin)
{
    struct bins *bins = context;
    assert_true(bins->count < BINS);
    struct bin *b = bins->at[bins->count++] = calloc(1, sizeof *b);
    assert_false(bin->is_inexact);
    b->start_ns = bin->start_ns;
    b->is_partial = bin->is_partial;
    b->packets = bin->packets;
    b->sources = bin->sources;
    for (size_t i = 0; i < bin->row_count; i++) {
        const struct event_bin_row *row = &bin->rows[i];
        assert_true(row->packets > 0);
        b->ports[row->proto][row->port] = row->packets;
        b->who[row->proto][row->port] = row->sources;
        b->never_seen[row->proto][row->port] = row->is_never_seen;
    }
}

static void bins_fini(struct bins *bins)
{
    while (bins->count)
        free(bins->at[--bins->count]);
}

static struct bins found_by(const struct ruleset *rules, unsigned workers, unsigned batch)
{
    struct bins bins = {0};
    struct pipeline_result result;
    struct event_settings events = event_settings_published();
    struct capture *c;
    struct fault fault;
    events.types = 1 << EVENT_new_activity;
    events.take_bin = take;
    events.take_context = &bins;
    assert_int_equal(capture_synth_create(&c, &traffic, &fault), 0);
    const struct pipeline_settings settings = {
        .capture = c,
        .rules = rules,
        .events = &events,
        .workers = workers,
        .batch = batch,
        .window_span_ns = 60000000000,
        .lateness_ns = 60000000000,
    };
    assert_int_equal(pipeline_run(&settings, &result, &fault), 0);
    assert_int_equal(result.total->ledger.late, 0);
    pipeline_result_fini(&result);
    c->ops->close(c);
    return bins;
}

/* ---- the plain count ---- */

struct seen {
    int64_t bin;
    uint8_t address[17], proto; /* proto: 0 of the sensor */
    uint16_t port;
};

static int order(const void *a, const void *b) { return memcmp(a, b, sizeof(struct seen)); }

static struct bin *bin_at(struct bins *bins, int64_t start_ns)
{
    for (unsigned i = 0; i < bins->count; i++)
        if (bins->at[i]->start_ns == start_ns)
            return bins->at[i];
    struct bin *b = bins->at[bins->count++] = calloc(1, sizeof *b);
    b->start_ns = start_ns;
    return b;
}

static struct seen *rows;
static size_t row_count;

static void row_add(int64_t bin, const struct observation *o, unsigned proto, uint16_t port)
{
    struct seen *row = &rows[row_count++];
    memset(row, 0, sizeof *row);
    row->bin = bin;
    memcpy(row->address, o->src, sizeof o->src);
    row->address[16] = o->ip_version;
    row->proto = (uint8_t)proto;
    row->port = port;
}

static struct bins plainly(const struct ruleset *rules)
{
    struct bins bins = {0};
    struct payload_scratch *scratch = payload_scratch_create(rules);
    struct capture *c;
    struct fault fault;
    struct frame f;
    rows = calloc(2 * PACKETS, sizeof *rows);
    row_count = 0;
    assert_int_equal(capture_synth_create(&c, &traffic, &fault), 0);
    while (c->ops->burst(c, &f, 1) == 1) {
        struct observation o;
        struct label label;
        decode(&f, 0, &o);
        o.payload_caught = o.payload_caught < BATCH_PAYLOAD ? o.payload_caught : BATCH_PAYLOAD;
        classify_batch(rules, NULL, &o, 1, f.data, scratch, &label);
        if (label.kind == KIND_non_ip || label.kind == KIND_malformed)
            continue;
        int64_t start_ns = o.ts_ns / EVENT_BIN_NS * EVENT_BIN_NS;
        struct bin *bin = bin_at(&bins, start_ns);
        bin->packets++;
        row_add(start_ns, &o, 0, 0);
        if (!kind_is_scan((enum kind)label.kind) || !(o.state & OBSERVATION_PORTS))
            continue;
        bin->ports[label.kind == KIND_udp][o.dst_port]++;
        row_add(start_ns, &o, 1 + (label.kind == KIND_udp), o.dst_port);
    }
    c->ops->close(c);
    payload_scratch_destroy(scratch);
    qsort(rows, row_count, sizeof *rows, order);
    for (size_t i = 0; i < row_count; i++) {
        struct bin *bin = bin_at(&bins, rows[i].bin);
        if (i > 0 && order(&rows[i - 1], &rows[i]) == 0)
            continue;
        if (rows[i].proto == 0)
            bin->sources++;
        else
            bin->who[rows[i].proto - 1][rows[i].port]++;
    }
    free(rows);
    return bins;
}

static void bins_are(int64_t start_ns)
{
    static const struct {
        unsigned workers, batch;
    } cases[] = {{1, 1024}, {1, 1}, {2, 7}, {3, 256}, {8, 1024}};
    struct ruleset *rules;
    traffic.start_ns = start_ns;
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    assert_int_equal(payload_load(rules, &(struct payload_settings){.bytes = 256}, NULL), 0);
    struct bins expected = plainly(rules);
    assert_true(expected.count >= 7);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct bins found = found_by(rules, cases[c].workers, cases[c].batch);
        assert_int_equal(found.count, expected.count);
        bool seen[PORT_PROTO_COUNT][65536] = {0};
        for (unsigned i = 0; i < found.count; i++) {
            const struct bin *is = found.at[i], *want = bin_at(&expected, is->start_ns);
            assert_int_equal(is->is_partial, i == 0 || i == found.count - 1);
            assert_int_equal(is->packets, want->packets);
            assert_int_equal(is->sources, want->sources);
            assert_memory_equal(is->ports, want->ports, sizeof is->ports);
            assert_memory_equal(is->who, want->who, sizeof is->who);
            for (unsigned k = 0; k < PORT_PROTO_COUNT * 65536; k++) {
                if ((&want->ports[0][0])[k] > 0)
                    assert_int_equal((&is->never_seen[0][0])[k], !(&seen[0][0])[k]);
                (&seen[0][0])[k] |= (&want->ports[0][0])[k] > 0;
            }
        }
        bins_fini(&found);
    }
    bins_fini(&expected);
    ruleset_destroy(rules);
}

static void bins_are_exact(void **state)
{
    (void)state;
    bins_are(traffic.start_ns);
}

/* The last bin would end behind the last nanosecond. */
static void bins_at_the_end_of_time(void **state)
{
    const int64_t last_ns = INT64_MAX / EVENT_BIN_NS * EVENT_BIN_NS;
    (void)state;
    bins_are(last_ns + INT64_C(30000000000) - traffic.span_ns);
}

static void spans_are_whole_windows(void **state)
{
    (void)state;
    const int64_t second = 1000000000;
    assert_int_equal(event_bin_span(60 * second), 600 * second);
    assert_int_equal(event_bin_span(second), 600 * second);
    assert_int_equal(event_bin_span(900 * second), 900 * second);
    assert_int_equal(event_bin_span(450 * second), 900 * second);
    assert_int_equal(event_bin_span(3600 * second), 3600 * second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bins_are_exact),
                                       cmocka_unit_test(bins_at_the_end_of_time),
                                       cmocka_unit_test(spans_are_whole_windows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
