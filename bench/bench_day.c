/* Nanoseconds per source day: packed, unpacked, merged, added to a Day. A darknet's: most sources send few packets
 * to one or two ports, one in a hundred to many. */
#include "bench.h"

#include "export/day.h"
#include "export/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES = 200000, ROUNDS = 7, PORTS_MAX = 64 };

struct made {
    struct source_day day;
    struct source_day_port ports[PORTS_MAX];
    struct source_day_evidence evidence;
};

static struct made *made;
static uint64_t state = 88172645463325252u;

static void make(struct made *m, uint32_t number)
{
    struct source_day *s = &m->day;
    uint64_t r = bench_random(&state);
    unsigned ports = r % 100 == 0 ? 40 : 1 + r / 100 % 2;
    s->date = 20000;
    s->ip_version = 4;
    uint32_t address = __builtin_bswap32(0x01000000 + number * 17);
    memcpy(s->address, &address, sizeof address);
    s->first_ns =
        INT64_C(20000) * 86400000000000 + (int64_t)(bench_random(&state) % 40000000000000);
    s->last_ns = s->first_ns + (int64_t)(bench_random(&state) % 40000000000000);
    s->ports = m->ports;
    for (unsigned i = 0; i < ports; i++) {
        uint64_t packets = 1 + bench_random(&state) % 20;
        m->ports[i] = (struct source_day_port){
            KIND_tcp_syn, (uint16_t)(i == 0 ? 23 : i * 977 % 50000 + 30), packets};
        s->kinds[KIND_tcp_syn].packets += packets;
        s->kinds[KIND_tcp_syn].bytes += packets * 60;
    }
    s->port_count = ports;
    qsort(m->ports, ports, sizeof m->ports[0],
          (int (*)(const void *, const void *))source_day_port_order);
    s->origin = (struct source_day_origin){
        .country = "JP", .asn = 1 + (uint32_t)(r % 5000), .as_name = "An AS with a name"};
    if (r % 10 == 0) {
        m->evidence = (struct source_day_evidence){"mirai", EVIDENCE_bot, KIND_tcp_syn, 23, 1};
        s->evidence = &m->evidence;
        s->evidence_count = 1;
        s->evidence_ns = s->last_ns;
        s->tools[TOOL_mirai] = 1;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void say(const char *what, double ns[ROUNDS], double extra, const char *unit)
{
    qsort(ns, ROUNDS, sizeof ns[0], by_value);
    printf("source day %-10s %7.1f ns (median of %d, fastest %.1f) %.1f %s\n", what, ns[ROUNDS / 2],
           ROUNDS, ns[0], extra, unit);
}

static size_t record_len(const uint8_t **at)
{
    size_t len = 0;
    for (unsigned shift = 0;; shift += 7) {
        len |= (size_t)(**at & 0x7f) << shift;
        if (*(*at)++ < 0x80)
            return len;
    }
}

int main(void)
{
    static struct record_buffer records;
    struct source_day_buffer b = {0}, sum = {0};
    double pack[ROUNDS], unpack[ROUNDS], merge[ROUNDS], add[ROUNDS];
    struct ruleset *rules;
    struct fault fault;
    struct day_facts facts;
    struct day_telescope *t;
    const struct day_result *result;
    const int64_t start = INT64_C(20000) * 86400000000000;

    made = calloc(SOURCES, sizeof *made);
    if (made == NULL || ruleset_create(&rules, NULL, &fault) != 0)
        return 1;
    for (uint32_t i = 0; i < SOURCES; i++)
        make(&made[i], i);
    if (day_facts_init(&facts, 20000, start, start + 86400000000000, "UTC") != 0 ||
        day_facts_add_telescope(&facts, "a", true, 65536, &t, &fault) != 0)
        return 1;
    facts.kinds[KIND_tcp_syn].packets = UINT64_MAX;
    struct day *day = day_create(&(struct day_settings){.rules = rules,
                                                        .survey = survey_defaults,
                                                        .complete_coverage_milli = 99500,
                                                        .complete_loss_milli = 100});
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint32_t crc = 0;
        records.len = 0;
        double begin = bench_now();
        for (uint32_t i = 0; i < SOURCES; i++)
            record_pack_source_day(&records, i + 1, &crc, &made[i].day);
        pack[r] = (bench_now() - begin) * 1e9 / SOURCES;

        const uint8_t *at = records.data;
        crc = 0;
        begin = bench_now();
        for (uint32_t i = 0; i < SOURCES; i++) {
            struct record_view view;
            size_t len = record_len(&at);
            if (record_view(&view, at, len) != 0 ||
                (crc = record_crc(crc, at, view.crc_over)) != view.crc ||
                record_unpack_source_day(&b, view.body, view.body_len, &fault) != 0)
                return 1;
            at += len;
        }
        unpack[r] = (bench_now() - begin) * 1e9 / SOURCES;

        begin = bench_now();
        for (uint32_t i = 0; i < SOURCES; i++)
            if (source_day_copy(&sum, &made[i].day) != 0 ||
                source_day_merge(&sum, &made[i].day) != 0)
                return 1;
        merge[r] = (bench_now() - begin) * 1e9 / SOURCES;

        if (day_begin(day, &facts, &fault) != 0)
            return 1;
        begin = bench_now();
        for (uint32_t i = 0; i < SOURCES; i++)
            if (day_add(day, &made[i].day, &fault) != 0)
                return 1;
        add[r] = (bench_now() - begin) * 1e9 / SOURCES;
        if (day_end(day, &result, &fault) != 0)
            return 1;
    }
    say("packed", pack, (double)records.len / SOURCES, "bytes each");
    say("unpacked", unpack, (double)records.len / SOURCES, "bytes each");
    say("merged", merge, 2, "with a copy first");
    say("added", add, (double)result->port_count, "ports in the Day");
    day_destroy(day);
    day_facts_fini(&facts);
    record_buffer_free(&records);
    source_day_buffer_free(&b);
    source_day_buffer_free(&sum);
    ruleset_destroy(rules);
    free(made);
    return 0;
}
