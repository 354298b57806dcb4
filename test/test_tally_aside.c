/* What was counted until a window was sealed is packed while the tally counts on: it is what a tally has that counts this window
 * alone, however much of the next one was counted before a shard was packed. */
#include "capture/capture_synth.h"
#include "core/day_pack.h"
#include "core/sorter.h"
#include "core/tally.h"
#include "export/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WINDOWS = 3, PACKETS = 30000, BATCHES = 4096 };
static const int64_t SPAN_NS = INT64_C(1000000000), START_NS = INT64_C(1767225600000000000);
static const struct synth_prefix dark[] = {{.address = {198, 18}, .bits = 16, .ip_version = 4}};

/* A window's packets, and what each shard packs of them. */
struct traffic {
    struct batch *batches[BATCHES];
    unsigned count;
    struct record_buffer runs[SHARDS];
};

static const struct row {
    const char *what;
    unsigned every;    /* batches of the next window before a shard is packed; 0: all of them */
    unsigned openings; /* of windows without packets, when half of that was counted */
} rows[] = {
    {"soon", 1, 0},
    {"in between", 5, 0},
    {"behind the next window", 0, 0},
    {"pairs catch up meanwhile", 0, 1 << 15},
};

static struct batch *keep(void *context, struct batch *full)
{
    struct traffic *t = context;
    assert_in_range(t->count, 0, BATCHES - 1);
    t->batches[t->count++] = full;
    return calloc(1, sizeof *full);
}

/* What synth seldom has: sources whose first packet to a port has no brief, then some at once whose packets are alike. */
static void rare_sort(struct sorter *sorter, unsigned window, uint8_t flags)
{
    for (unsigned i = 0; i < 4 * 100; i++) {
        struct observation o = {.ts_ns = START_NS + window * SPAN_NS + i,
                                .wire_len = 60 + i / 4 % 3,
                                .ip_version = 4,
                                .ip_proto = IPPROTO_NR_TCP,
                                .src = {198, 51, 100, (uint8_t)(i / 4)},
                                .dst = {198, 18, 0, 1},
                                .dst_port = (uint16_t)(8000 + i / 4),
                                .src_port = 4000,
                                .tcp_header_len = 20,
                                .tcp_flags = flags,
                                .state = OBSERVATION_IP | OBSERVATION_TRANSPORT |
                                         OBSERVATION_PORTS | OBSERVATION_TCP_FLAGS};
        if (flags == TCP_SYN || i % 8 == 0)
            sorter_observation(sorter, &o, window % 2);
    }
    sorter_flush(sorter);
}

/* All windows have the same sources, and each what it does not share with the others. */
static void traffic_make(struct traffic *t, unsigned window, const struct hash_key *key,
                         const struct ruleset *rules, struct verdict_memory *verdicts)
{
    struct payload_scratch *scratch = payload_scratch_create(rules);
    struct sorter sorter = {.key = *key,
                            .rules = rules,
                            .verdicts = verdicts,
                            .scratch = scratch,
                            .limit = 40,
                            .send = keep,
                            .context = t};
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sorter_begin(&sorter, shard, calloc(1, sizeof(struct batch)));
    sorter_open(&sorter, window % 2, START_NS + window * SPAN_NS, SPAN_NS, false);
    rare_sort(&sorter, window, TCP_FIN);
    rare_sort(&sorter, window, TCP_SYN);
    for (unsigned seed = 1; seed <= 2; seed++) {
        struct capture_synth_settings s = {.packets = PACKETS / (1 + window % 2),
                                           .sources = 700,
                                           .start_ns = START_NS + window * SPAN_NS,
                                           .span_ns = SPAN_NS,
                                           .seed = seed == 1 ? 1 : 10 + window,
                                           .telescope = dark,
                                           .telescope_count = 1};
        struct frame frames[FRAME_BURST];
        struct capture *c;
        struct fault fault;
        size_t count;
        assert_int_equal(capture_synth_create(&c, &s, &fault), 0);
        while ((count = c->ops->burst(c, frames, FRAME_BURST)) > 0)
            sorter_frames(&sorter, frames, count, window % 2);
        c->ops->close(c);
    }
    sorter_flush(&sorter);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        free(sorter.shards[shard].batch);
    payload_scratch_destroy(scratch);
}

static int take(void *context, struct source_day *d)
{
    uint32_t crc = 0;
    return record_pack_source_day(context, 1, &crc, d);
}

static struct tally *tally_make(const struct hash_key *key, const struct ruleset *rules)
{
    struct tally *t = tally_create(key, rules, NULL, true, NULL);
    assert_non_null(t);
    return t;
}

static void open_window(struct tally *t, unsigned slot, int64_t start_ns)
{
    struct window *w = window_create();
    w->start_ns = start_ns;
    w->span_ns = SPAN_NS;
    tally_announce(t, slot);
    tally_open(t, slot, w);
}

/* By a tally of its own, which stands still while it is packed. */
static void traffic_pack(struct traffic *of, unsigned window, const struct hash_key *key,
                         const struct ruleset *rules)
{
    struct tally *t = tally_make(key, rules);
    struct day_given_up given_up = {0};
    unsigned days;
    open_window(t, window % 2, START_NS + window * SPAN_NS);
    for (unsigned i = 0; i < of->count; i++)
        tally_batch(t, of->batches[i]);
    window_destroy(tally_seal(t, window % 2));
    struct tally_day *day = tally_days(t, &days)[0];
    assert_int_equal(days, 1);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_int_equal(day_pack(t, day, shard, true, NULL, &given_up, take, &of->runs[shard]), 0);
    tally_destroy(t);
}

/* What is being packed of a window. */
struct packing {
    struct tally *tally;
    const struct traffic *of;
    const char *what;
    struct day_rows rows[SHARDS];
    unsigned next; /* shard */
};

static void seal(struct packing *p, unsigned window, const struct traffic *of)
{
    unsigned days;
    window_destroy(tally_seal(p->tally, window % 2));
    struct tally_day *day = tally_days(p->tally, &days)[0];
    assert_int_equal(days, 1);
    memcpy(p->rows, day->rows, sizeof p->rows);
    memset(day->rows, 0, sizeof day->rows);
    tally_day_put_aside(p->tally, START_NS + (window + 1) * SPAN_NS);
    p->of = of;
    p->next = 0;
}

static void pack_next(struct packing *p)
{
    struct record_buffer run = {0};
    struct day_given_up given_up = {0};
    unsigned shard = p->next;
    if (!p->of || shard == SHARDS)
        return;
    p->next++;
    assert_int_equal(day_pack_aside(p->tally, calendar_day_of(START_NS).date, shard,
                                    &p->rows[shard], true, &given_up, take, &run),
                     0);
    const struct record_buffer *expected = &p->of->runs[shard];
    if (run.len != expected->len || memcmp(run.data, expected->data, run.len) != 0)
        fail_msg("%s: shard %u is packed into %zu bytes that differ from %zu expected", p->what,
                 shard, run.len, expected->len);
    record_buffer_free(&run);
}

static void openings(struct tally *t, unsigned count)
{
    struct window *w = window_create();
    for (unsigned i = 0; i < count; i++) {
        window_clear(w);
        w->start_ns = START_NS;
        w->span_ns = SPAN_NS;
        tally_open(t, 5, w);
        w = tally_seal(t, 5);
    }
    window_destroy(w);
}

static void run(const struct row *row, const struct traffic *traffic, const struct hash_key *key,
                const struct ruleset *rules)
{
    struct packing p = {.tally = tally_make(key, rules), .what = row->what};
    for (unsigned window = 0; window < WINDOWS; window++) {
        const struct traffic *of = &traffic[window];
        open_window(p.tally, window % 2, START_NS + window * SPAN_NS);
        for (unsigned i = 0; i < of->count; i++) {
            if (i == of->count / 2)
                openings(p.tally, row->openings);
            tally_batch(p.tally, of->batches[i]);
            if (row->every && i % row->every == 0)
                pack_next(&p);
        }
        while (p.of && p.next < SHARDS)
            pack_next(&p);
        seal(&p, window, of);
    }
    while (p.next < SHARDS)
        pack_next(&p);
    tally_destroy(p.tally);
}

static void test_rows(void **state)
{
    static struct traffic traffic[WINDOWS];
    struct verdict_memory *verdicts = calloc(1, sizeof *verdicts);
    struct ruleset *rules;
    struct hash_key key;
    verdicts->of = verdicts_create();
    hash_key_init(&key);
    assert_int_equal(ruleset_create(&rules, NULL, NULL), 0);
    for (unsigned window = 0; window < WINDOWS; window++) {
        traffic_make(&traffic[window], window, &key, rules, verdicts);
        traffic_pack(&traffic[window], window, &key, rules);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run(&rows[i], traffic, &key, rules);
    for (unsigned window = 0; window < WINDOWS; window++) {
        for (unsigned i = 0; i < traffic[window].count; i++)
            free(traffic[window].batches[i]);
        for (unsigned shard = 0; shard < SHARDS; shard++)
            record_buffer_free(&traffic[window].runs[shard]);
    }
    verdicts_destroy(verdicts->of);
    free(verdicts);
    ruleset_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
